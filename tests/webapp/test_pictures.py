"""Pictures for the pages."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from facecore.model import PALETTE
from facecore.model.answers import PhotoAnswer
from webapp.pictures import colour, face_uri, numbered, photo_uri, sentence


def read(uri: str) -> Image.Image:
    head, data = uri.split(",")
    assert head.startswith("data:image/")
    return Image.open(io.BytesIO(base64.b64decode(data)))


def answer(height: int, width: int) -> PhotoAnswer:
    pixels = np.full((height, width, 3), 90, np.uint8)
    return PhotoAnswer("", pixels=pixels, width=width, height=height)


def test_each_label_has_its_own_colour():
    labels = [str(i) for i in range(len(PALETTE))]
    assert [colour(label, labels) for label in labels] == list(PALETTE)
    assert PALETTE[:2] == ("#e69f00", "#0072b2")


def test_face_is_exact():
    face = np.arange(100, dtype=np.uint8).reshape(10, 10)
    assert (np.asarray(read(face_uri(face))) == face).all()


@pytest.mark.parametrize(
    ("size", "shown"),
    [((250, 250), (750, 750)), ((1500, 2000), (800, 600)), ((1, 1), (3, 3)), ((9000, 1), (1, 800))],
)
def test_photo_fits_a_page(size, shown):
    assert read(photo_uri(answer(*size))).size == shown
    assert read(numbered(answer(*size), ["a", "b"])).size == shown


@pytest.mark.parametrize(
    ("text", "result"), [("it is bad", "It is bad."), ("Why?", "Why?."), ("no (yes)", "No (yes)")]
)
def test_sentence(text, result):
    assert sentence(text) == result
