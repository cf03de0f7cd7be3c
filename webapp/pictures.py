"""Pictures for the pages: data URIs, and the colour of each label."""

import base64
import io
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from flask import Flask
from PIL import Image

from facecore.face import to_png
from facecore.model import PhotoAnswer, annotate, label_colours, leading_scores
from facecore.system import describe_share, show_hidden

LONG_SIDE, MOST = 800, 3  # pixels; largest factor by which a small photo is enlarged


def init_app(app: Flask) -> None:
    """Make the filters of this module known to the templates.

    Parameters
    ----------
    app : Flask
        The site.
    """
    app.add_template_filter(face_uri)
    app.add_template_filter(photo_uri)
    app.add_template_filter(numbered)
    app.add_template_filter(colour)
    app.add_template_filter(sentence)
    app.add_template_filter(describe_share, "percent")
    app.add_template_filter(leading_scores)
    app.add_template_filter(show_hidden)


def colour(label: str, labels: Sequence[str]) -> str:
    """Return the colour of a label, the same on every page.

    Parameters
    ----------
    label : str
        One of `labels`.
    labels : sequence of str
        All labels of the model, in its order.

    Returns
    -------
    str
        ``"#rrggbb"``.

    Examples
    --------
    >>> colour("male", ("female", "male"))
    '#0072b2'
    """
    return label_colours(labels)[label]


def face_uri(pixels: np.ndarray) -> str:
    """Return a face as a data URI.

    Parameters
    ----------
    pixels : ndarray of shape (side, side) or (side, side, 3), uint8
        Grey levels or RGB, in [0, 255].

    Returns
    -------
    str
        A PNG in base64, pixel for pixel.
    """
    return _uri("png", to_png(pixels))


def photo_uri(answer: PhotoAnswer) -> str:
    """Return the upright photo of an answer, in a size for a page, as a data URI.

    Parameters
    ----------
    answer : PhotoAnswer
        With pixels.

    Returns
    -------
    str
        A JPEG in base64, its long side 800 pixels or less.
    """
    return _jpeg(_fit(answer))


def numbered(answer: PhotoAnswer, labels: Sequence[str]) -> str:
    """Return the photo with its faces boxed and numbered, as a data URI.

    Parameters
    ----------
    answer : PhotoAnswer
        With pixels.
    labels : sequence of str
        All labels of the model, in its order.

    Returns
    -------
    str
        A JPEG in base64, its long side 800 pixels or less.
    """
    colours = {label: _rgb(colour(label, labels)) for label in labels}
    return _jpeg(annotate(replace(answer, pixels=_fit(answer)), colours))


def sentence(text: str) -> str:
    """Return a message as a sentence: capital letter, full stop.

    Parameters
    ----------
    text : str
        The message.

    Returns
    -------
    str
        A full stop is left out after a closing parenthesis.

    Examples
    --------
    >>> sentence("confidence below 0.9")
    'Confidence below 0.9.'
    """
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", ")")) else ".")


def _rgb(code: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(code[1:])
    return red, green, blue


def _fit(answer: PhotoAnswer) -> np.ndarray:
    assert answer.pixels is not None  # the templates ask for pictures of usable photos only
    height, width = answer.pixels.shape[:2]
    scale = min(LONG_SIDE / max(height, width), MOST)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(answer.pixels, size, interpolation=method))


def _jpeg(pixels: np.ndarray) -> str:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=85)
    return _uri("jpeg", buffer.getvalue())


def _uri(kind: str, data: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"
