"""Turn a photo and a face box into the row of numbers that a model reads."""

from collections.abc import Sequence

import cv2
import numpy as np

SIDE = 100
# Where eyes and corners of the mouth land, in distances of the eyes from the crop's middle: the
# mean shape of the landmarks of the training faces, with level eyes.
PLACES = np.array([(-0.5, -0.5), (0.5, -0.5), (-0.38, 0.55), (0.38, 0.55)])
EYES_AND_MOUTH = [0, 1, 3, 4]  # of the five landmarks
LEAST, MOST = 160, 640  # side of an aligned crop, in pixels


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


def align(pixels: np.ndarray, landmarks: Sequence[Sequence[float]], width: float) -> np.ndarray:
    """Cut a face out of a photo upright, at one place and size, by a similarity transform.

    The transform (rotation, scale, shift) brings eyes and mouth nearest to `PLACES` in the sense
    of least squares (Umeyama 1991). The crop is at the photo's own scale where that gives `LEAST`
    to `MOST` pixels; a larger face is averaged down, so that fine detail does not alias.

    Parameters
    ----------
    pixels : ndarray of shape (height, width, ...), uint8
    landmarks : sequence of shape (5, 2)
        As `facecore.face.detect.Face` has them, in pixels.
    width : float
        Of the crop, in distances of the eyes.

    Returns
    -------
    ndarray of shape (side, side, ...), uint8
        What lies outside the photo repeats its outermost pixels.
    """
    points = np.asarray(landmarks, dtype=float)[EYES_AND_MOUTH] @ [1, 1j]
    places = PLACES @ [1, 1j]
    spread = points - points.mean()
    turn = (places * spread.conj()).sum() / max((np.abs(spread) ** 2).sum(), 1e-12)
    # side of the crop in pixels of the photo; landmarks that are no face may ask for any
    native = min(width / max(abs(turn), 1e-12), 2 * max(pixels.shape[:2]))
    side = int(np.clip(round(native), LEAST, MOST))
    more = max(1, min(int(np.ceil(native / side)), 16))
    scale = side * more / width
    turn, middle = turn * scale, places.mean() * scale + (1 + 1j) * (side * more - 1) / 2
    shift = middle - turn * points.mean()
    matrix = np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])
    crop = cv2.warpAffine(
        pixels, matrix, (side * more, side * more), flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    if more > 1:
        crop = cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(crop)


def to_square(
    crop: np.ndarray, side: int = SIDE, frame: float = 1.0, colour: bool = False
) -> np.ndarray:
    """Return the middle of a crop, grey or in colour, at the size of the training faces.

    Shrinks by pixel area, so that fine detail does not alias, and enlarges bilinearly.

    Parameters
    ----------
    crop : ndarray of shape (height, width) or (height, width, 3), uint8
    side : int
        Width and height of the result in pixels.
    frame : float
        Share of the crop's width and height that is used, around its middle, in (0, 1].
    colour : bool
        Keep the colours of a crop that has some.

    Returns
    -------
    ndarray of shape (side, side), uint8, or (side, side, 3) in colour
    """
    part = middle(crop, frame)
    face = part if colour else to_grey(part)
    shrinks = min(face.shape[:2]) > side
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(face, (side, side), interpolation=method), dtype=np.uint8)


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


def to_grey(pixels: np.ndarray) -> np.ndarray:
    """Return the luma of RGB pixels (ITU-R BT.601).

    Parameters
    ----------
    pixels : ndarray of shape (height, width, 3) or (height, width), uint8

    Returns
    -------
    ndarray of shape (height, width), uint8
    """
    return pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)


def middle(picture: np.ndarray, frame: float) -> np.ndarray:
    """Return the middle of a picture, at least a pixel of it.

    Parameters
    ----------
    picture : ndarray of shape (height, width, ...)
    frame : float
        Share of the height and width that is used, in (0, 1].

    Returns
    -------
    ndarray of shape (smaller height, smaller width, ...)
        A view.
    """
    height, width = picture.shape[:2]
    top, left = (min(round(n * (1 - frame) / 2), (n - 1) // 2) for n in (height, width))
    return picture[top : height - top, left : width - left]


def mirror(X: np.ndarray) -> np.ndarray:
    """Return rows of square faces as in a mirror.

    Parameters
    ----------
    X : ndarray of shape (n_faces, side * side)

    Returns
    -------
    ndarray of shape (n_faces, side * side)
    """
    side = round(X.shape[1] ** 0.5)
    return X.reshape(-1, side, side)[:, :, ::-1].reshape(X.shape)
