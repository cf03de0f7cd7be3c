"""Turn a photo and a face box into the row of numbers that a model reads."""

from collections.abc import Sequence

import cv2
import numpy as np

from facecore.detect import to_grey

SIDE = 100


def cut(pixels: np.ndarray, box: Sequence[float]) -> np.ndarray:
    """Cut a box out of a photo; what lies outside repeats the outermost pixels.

    Parameters
    ----------
    pixels : ndarray of shape (height, width, ...), uint8
    box : sequence of float
        x, y, width, height in pixels of `pixels`.

    Returns
    -------
    ndarray of shape (box height, box width, ...), uint8
    """
    x, y, w, h = (round(float(v)) for v in box)
    w, h = max(1, w), max(1, h)
    height, width = pixels.shape[:2]
    rows = np.clip(np.arange(y, y + h), 0, height - 1)
    columns = np.clip(np.arange(x, x + w), 0, width - 1)
    return np.ascontiguousarray(pixels[rows[:, None], columns])


def to_square(crop: np.ndarray, side: int = SIDE, frame: float = 1.0) -> np.ndarray:
    """Return the middle of a crop in grey at the size of the training faces.

    Shrinks by pixel area, so that fine detail does not alias, and enlarges bilinearly.

    Parameters
    ----------
    crop : ndarray of shape (height, width) or (height, width, 3), uint8
    side : int
        Width and height of the result in pixels.
    frame : float
        Share of the crop's width and height that is used, around its middle, in (0, 1].

    Returns
    -------
    ndarray of shape (side, side), uint8
    """
    top, left = (round(length * (1 - frame) / 2) for length in crop.shape[:2])
    grey = to_grey(crop[top : len(crop) - top, left : crop.shape[1] - left])
    shrinks = min(grey.shape) > side
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(grey, (side, side), interpolation=method), dtype=np.uint8)


def flatten(face: np.ndarray) -> np.ndarray:
    """Return a square grey face as one row.

    Parameters
    ----------
    face : ndarray of shape (side, side), uint8

    Returns
    -------
    ndarray of shape (1, side * side), uint8
    """
    return face.reshape(1, -1)
