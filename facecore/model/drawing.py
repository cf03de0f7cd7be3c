"""Draw faces, features and answers as pictures."""

import cv2
import numpy as np

from facecore.face.features import BINS, PATTERNS, Features, find_patterns
from facecore.model.answers import PhotoAnswer

UNSURE = (122, 122, 122)  # RGB of the box of a face without a label
GLYPH = 24  # side of the drawing of a cell, in pixels


def annotate(answer: PhotoAnswer, colours: dict[str, tuple[int, int, int]]) -> np.ndarray:
    """Draw the numbered boxes of an answer on its photo, and dots on the landmarks.

    Parameters
    ----------
    answer : PhotoAnswer
        With pixels.
    colours : dict of str to tuple of int
        RGB colour of each label's box; a face without a label has a grey one.

    Returns
    -------
    ndarray of shape (height, width, 3), uint8

    Raises
    ------
    ValueError
        The answer has no pixels.
    """
    if answer.pixels is None:
        raise ValueError("the answer has no pixels to draw on")
    picture = answer.pixels.copy()
    scale = picture.shape[1] / answer.width
    thick = max(2, round(max(picture.shape[:2]) / 250))
    for number, face in enumerate(answer.faces, start=1):
        x, y, w, h = (round(v * scale) for v in face.box)
        colour = colours[face.label] if face.label else UNSURE
        ink = (0, 0, 0) if np.dot(colour, (0.299, 0.587, 0.114)) > 140 else (255, 255, 255)
        places = [(round(px * scale), round(py * scale)) for px, py in face.landmarks or ()]
        for shade, wider in ((ink, 2), (colour, 0)):  # an edge, to be seen on any photo
            cv2.rectangle(picture, (x, y), (x + w, y + h), shade, thick + wider)
            for place in places:
                cv2.circle(picture, place, thick + wider // 2, shade, cv2.FILLED, cv2.LINE_AA)
        size = max(0.4, max(picture.shape[:2]) / 800)
        (tw, th), base = cv2.getTextSize(str(number), cv2.FONT_HERSHEY_SIMPLEX, size, thick)
        left, top = max(0, x), max(0, y)
        corner = (left + tw + 2 * thick + 2, top + th + base + 2)
        cv2.rectangle(picture, (left, top), corner, colour, cv2.FILLED)
        cv2.putText(
            picture, str(number), (left + thick + 1, top + th + 2),
            cv2.FONT_HERSHEY_SIMPLEX, size, ink, thick, cv2.LINE_AA,
        )  # fmt: skip
    return picture


def to_image(row: np.ndarray) -> np.ndarray:
    """Return a row of grey levels as a square picture.

    Parameters
    ----------
    row : ndarray of shape (side * side,)
        Grey levels; what leaves [0, 255] is clipped.

    Returns
    -------
    ndarray of shape (side, side), uint8
    """
    side = round(len(row) ** 0.5)
    return np.clip(np.rint(row), 0, 255).astype(np.uint8).reshape(side, side)


def to_signed_image(row: np.ndarray) -> np.ndarray:
    """Return values around zero as a square picture, rescaled on a symmetric scale of its own.

    Parameters
    ----------
    row : ndarray of shape (side * side,)

    Returns
    -------
    ndarray of shape (side, side), uint8
        Middle grey is zero.
    """
    return to_image(127.5 + 127.5 * row / max(float(np.abs(row).max()), 1e-12))


def draw_features(features: Features, face: np.ndarray) -> np.ndarray:
    """Draw what features hold of a prepared face: pixels, a star of edges a cell, or patterns.

    Parameters
    ----------
    features : Features
    face : ndarray of shape (side, side), uint8
        As the model saw it.

    Returns
    -------
    ndarray of shape (n, n), uint8
        Of histograms of gradients, the stronger a gradient, the brighter the stroke across it,
        which runs along the edge (Dalal and Triggs 2005). Of local patterns, the more neighbours
        are as bright as the pixel, the brighter it is; white has no uniform pattern.
    """
    if features.kind == "pixels":
        return features.read(face)
    if features.kind == "lbp":
        patterns = find_patterns(features.read(face))
        return (255 * patterns / (PATTERNS - 1)).astype(np.uint8)
    row = features.extract(face.reshape(1, -1))[0]
    angles = (np.arange(BINS) + 0.5) * 2 * np.pi / BINS
    y, x = np.mgrid[:GLYPH, :GLYPH] - (GLYPH - 1) / 2
    across = [np.abs(x * np.cos(angle) + y * np.sin(angle)) for angle in angles]
    strokes = np.clip(1.2 - np.array(across), 0, 1) * (np.hypot(x, y) < GLYPH / 2)
    stars = np.tensordot(features.cells(row), strokes, 1)  # (row, column, y, x)
    picture = stars.transpose(0, 2, 1, 3).reshape(2 * (GLYPH * len(stars),))
    return to_image(255 * picture.ravel() / max(float(np.percentile(picture, 99.5)), 1e-12))
