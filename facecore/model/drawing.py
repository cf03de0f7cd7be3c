"""Draw faces, features and answers as pictures."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from facecore.face.features import BINS, PATTERNS, Features, find_patterns

GLYPH = 24  # side of the drawing of a cell, in pixels

Colour = tuple[int, int, int]

# Okabe and Ito (2008): distinct for colour-blind readers, on light and on dark.
PALETTE = ("#e69f00", "#0072b2", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#7a7a7a")


def label_colours(labels: Sequence[str]) -> dict[str, str]:
    """Return the colour of each label, the same everywhere.

    Parameters
    ----------
    labels : sequence of str
        Labels in the model's order.

    Returns
    -------
    dict of str to str
        Hexadecimal colours, such as ``"#0072b2"``; they repeat after seven labels.

    Examples
    --------
    >>> label_colours(["female", "male"])
    {'female': '#e69f00', 'male': '#0072b2'}
    """
    return {label: PALETTE[i % len(PALETTE)] for i, label in enumerate(labels)}


def to_rgb(colour: str) -> Colour:
    """Return a hexadecimal colour as red, green and blue.

    Parameters
    ----------
    colour : str
        Six hexadecimal digits, such as ``"#0072b2"``.

    Returns
    -------
    tuple of int
        Each from 0 to 255.

    Examples
    --------
    >>> to_rgb("#0072b2")
    (0, 114, 178)
    """
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue


@dataclass(frozen=True)
class Mark:
    """What is drawn on a photo for one face.

    Parameters
    ----------
    box : tuple of float
        x, y, width, height in pixels of the picture.
    colour : tuple of int
        RGB, each from 0 to 255.
    text : str
        Written at the box's upper left corner.
    points : sequence of tuple of float
        Dots, x and y in pixels of the picture.
    """

    box: tuple[float, float, float, float]
    colour: Colour
    text: str = ""
    points: Sequence[tuple[float, float]] = ()


def draw_marks(pixels: np.ndarray, marks: Iterable[Mark]) -> np.ndarray:
    """Draw boxes with their texts and dots on a copy of a photo.

    Parameters
    ----------
    pixels : ndarray of shape (height, width, 3), uint8
        RGB photo.
    marks : iterable of Mark
        One per face; later ones are drawn over earlier ones.

    Returns
    -------
    ndarray of shape (height, width, 3), uint8
        The photo with the marks.

    Examples
    --------
    >>> grey = np.full((40, 40, 3), 128, dtype=np.uint8)
    >>> draw_marks(grey, [Mark((10, 10, 20, 20), (255, 0, 0))])[10, 20].tolist()
    [255, 0, 0]
    """
    picture = pixels.copy()
    long_side = max(picture.shape[:2])
    thick, size = max(2, round(long_side / 250)), max(0.4, long_side / 800)
    for mark in marks:
        x, y, w, h = (round(v) for v in mark.box)
        ink = (0, 0, 0) if np.dot(mark.colour, (0.299, 0.587, 0.114)) > 140 else (255, 255, 255)
        places = [(round(px), round(py)) for px, py in mark.points]
        for shade, wider in ((ink, 2), (mark.colour, 0)):  # an edge, to be seen on any photo
            cv2.rectangle(picture, (x, y), (x + w, y + h), shade, thick + wider)
            for place in places:
                cv2.circle(picture, place, thick + wider // 2, shade, cv2.FILLED, cv2.LINE_AA)
        if not mark.text:
            continue
        font = cv2.FONT_HERSHEY_SIMPLEX
        (tw, th), base = cv2.getTextSize(mark.text, font, size, thick)
        left, top = max(0, x), max(0, y)
        corner = (left + tw + 2 * thick + 2, top + th + base + 2)
        cv2.rectangle(picture, (left, top), corner, mark.colour, cv2.FILLED)
        at = (left + thick + 1, top + th + 2)
        cv2.putText(picture, mark.text, at, font, size, ink, thick, cv2.LINE_AA)
    return picture


def to_image(row: np.ndarray) -> np.ndarray:
    """Return a row of grey levels as a square picture.

    Parameters
    ----------
    row : ndarray of shape (side * side,)
        Grey levels of any dtype; values outside [0, 255] are clipped.

    Returns
    -------
    ndarray of shape (side, side), uint8
        Rounded grey levels.

    Examples
    --------
    >>> to_image(np.array([-3.0, 0.7, 128.2, 300.0]))
    array([[  0,   1],
           [128, 255]], dtype=uint8)
    """
    side = round(len(row) ** 0.5)
    picture = np.clip(np.rint(row), 0, 255).astype(np.uint8)
    return np.asarray(picture.reshape(side, side))


def to_signed_image(row: np.ndarray) -> np.ndarray:
    """Return values around zero as a square picture, rescaled on a symmetric scale of its own.

    Parameters
    ----------
    row : ndarray of shape (side * side,)
        Values around zero, in any unit.

    Returns
    -------
    ndarray of shape (side, side), uint8
        Grey levels; 128 is zero, and the largest absolute value is 0 or 255.

    Examples
    --------
    >>> to_signed_image(np.array([-2.0, 0.0, 0.0, 1.0]))
    array([[  0, 128],
           [128, 191]], dtype=uint8)
    """
    return to_image(127.5 + 127.5 * row / max(float(np.abs(row).max()), 1e-12))


def draw_features(features: Features, face: np.ndarray) -> np.ndarray:
    """Draw what features keep of a prepared face: pixels, a star of edges per cell, or patterns.

    Parameters
    ----------
    features : Features
        What a member reads: pixels, histograms of gradients or local patterns.
    face : ndarray of shape (side, side), uint8
        Grey levels of the prepared face, from 0 to 255.

    Returns
    -------
    ndarray of shape (n, n), uint8
        Grey levels. For histograms of gradients, the stronger a gradient, the brighter the stroke
        across it, which runs along the edge (Dalal and Triggs 2005). For local patterns, the more
        neighbours are as bright as the pixel, the brighter it is; white is no uniform pattern.

    Examples
    --------
    >>> draw_features(Features("hog", side=96, cell=12), np.eye(96, dtype=np.uint8)).shape
    (192, 192)
    """
    if features.kind == "pixels":
        return features.read(face)
    if features.kind == "lbp":
        patterns = find_patterns(features.read(face))
        return (255 * patterns / (PATTERNS - 1)).astype(np.uint8)
    row = features.extract(face.reshape(1, -1))[0]
    angles = (np.arange(BINS) + 0.5) * 2 * np.pi / BINS
    y, x = np.mgrid[:GLYPH, :GLYPH] - (GLYPH - 1) / 2
    # distance of each pixel of a glyph from the line at right angles to the gradient
    across = [np.abs(x * np.cos(angle) + y * np.sin(angle)) for angle in angles]
    strokes = np.clip(1.2 - np.array(across), 0, 1) * (np.hypot(x, y) < GLYPH / 2)
    stars = np.tensordot(features.cells(row), strokes, 1)  # (row, column, y, x)
    picture = stars.transpose(0, 2, 1, 3).reshape(2 * (GLYPH * len(stars),))
    return to_image(255 * picture.ravel() / max(float(np.percentile(picture, 99.5)), 1e-12))
