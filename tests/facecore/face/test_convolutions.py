import hashlib

import cv2
import numpy as np
import pytest
from cartoons import draw_face

from facecore.errors import ModelError
from facecore.face import convolutions
from facecore.face.layers import COLOUR


@pytest.fixture
def face() -> np.ndarray:
    """A drawn face in colours."""
    grey = draw_face("round", 1, side=convolutions.SIDE)
    return np.stack([grey, grey // 2 + 40, 255 - grey], axis=2)


def slowly(x: np.ndarray, weights: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """A convolution with a border of zeros as OpenCV computes it, channel by channel."""
    kernels = weights.reshape(3, 3, x.shape[2], -1)
    found = np.zeros((*x.shape[:2], len(bias)))
    for channel in range(x.shape[2]):
        for output in range(len(bias)):
            kernel = kernels[:, :, channel, output].astype(np.float64)
            found[:, :, output] += cv2.filter2D(
                x[:, :, channel], -1, kernel, borderType=cv2.BORDER_CONSTANT
            )
    return np.maximum(found + bias, 0)


def test_the_numbers_are_those_of_convolutions_computed_one_by_one(face):
    x = (face.astype(np.float64) - COLOUR) / 256
    for number, layer in enumerate(convolutions._read()):
        x = slowly(x, *layer)
        if number % 2:
            x = (x[::2, ::2] + x[1::2, ::2] + x[::2, 1::2] + x[1::2, 1::2]) / 4
    assert x.shape == (8, 8, 64)
    assert convolutions.describe(face) == pytest.approx(x.ravel(), abs=1e-5)


def test_the_numbers_stay_those_that_models_were_trained_with(face):
    found = convolutions.describe(face)
    assert found.dtype == np.float32
    assert found.shape == (convolutions.COUNT,)
    assert found.min() == 0
    # cv2.dnn computes these from the file that the weights were taken from
    places, values = [1099, 3772, 556, 3584, 1059], [3.87984, 0.47028, 0.17909, 0.02255, 0.0]
    assert found[places] == pytest.approx(values, abs=1e-4)


def test_the_file_is_the_one_that_is_named():
    assert hashlib.sha256(convolutions.FILE.read_bytes()).hexdigest() == convolutions.SHA256


@pytest.mark.parametrize("damage", ["missing", "short", "other"])
def test_a_file_that_is_not_that_one_is_refused_in_one_line(tmp_path, monkeypatch, face, damage):
    file = tmp_path / "convolutions.npz"
    data = convolutions.FILE.read_bytes()
    if damage != "missing":
        file.write_bytes(data[:1000] if damage == "short" else data[:-1] + b"?")
    monkeypatch.setattr(convolutions, "FILE", file)
    convolutions._read.cache_clear()
    with pytest.raises(ModelError, match=r"convolutions\.npz .*; install facecore again"):
        convolutions.describe(face)
    convolutions._read.cache_clear()


def test_the_difference_between_two_pictures_is_split_among_the_pixels(face):
    other, weights = face[::-1].copy(), np.linspace(-1, 1, convolutions.COUNT)
    numbers, explain = convolutions.compare(face, other)
    assert (numbers[0] == convolutions.describe(face)).all()
    assert (numbers[1] == convolutions.describe(other)).all()
    parts = explain(weights) * (face.astype(float) - other)
    assert parts.sum() == pytest.approx((numbers[0] - numbers[1]) @ weights, rel=1e-3)
