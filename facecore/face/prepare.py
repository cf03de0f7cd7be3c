"""Turn a photo and the box or landmarks of a face into the square that a model reads."""

import math
from collections.abc import Sequence

import cv2
import numpy as np

SIDE = 100  # of a prepared face, in pixels, unless a recipe has another
# Where eyes and corners of the mouth land: x and y from the crop's middle, in distances between the
# eyes. It is the mean shape of the landmarks of the training faces, with level eyes.
PLACES = np.array([(-0.5, -0.5), (0.5, -0.5), (-0.38, 0.55), (0.38, 0.55)])
EYES_AND_MOUTH = [0, 1, 3, 4]  # of the five landmarks
LEAST, MOST = 160, 640  # side of an aligned crop, in pixels


def cut(pixels: np.ndarray, box: Sequence[float]) -> np.ndarray:
    """Cut a box out of a photo.

    Parameters
    ----------
    pixels : ndarray of shape (height, width, ...), uint8
        Grey or RGB photo.
    box : sequence of float
        x, y, width, height in pixels of `pixels`; it may reach over the border.

    Returns
    -------
    ndarray of shape (box height, box width, ...), uint8
        At least one pixel. What lies outside the photo repeats its outermost pixels.

    Examples
    --------
    >>> cut(np.array([[1, 2], [3, 4]], dtype=np.uint8), (1, 0, 2, 2))
    array([[2, 2],
           [4, 4]], dtype=uint8)
    """
    x, y, w, h = (round(float(v)) for v in box)
    w, h = max(1, w), max(1, h)
    height, width = pixels.shape[:2]
    rows = np.clip(np.arange(y, y + h), 0, height - 1)
    columns = np.clip(np.arange(x, x + w), 0, width - 1)
    return np.ascontiguousarray(pixels[rows[:, None], columns])


def align(pixels: np.ndarray, landmarks: Sequence[Sequence[float]], width: float) -> np.ndarray:
    """Cut a face out of a photo, upright and with eyes and mouth in fixed places.

    A similarity transform (rotation, scale, shift) brings eyes and mouth as close as possible to
    `PLACES` by least squares (Umeyama 1991). The crop keeps the photo's own scale where that gives
    `LEAST` to `MOST` pixels; a larger face is averaged down, so that fine detail does not alias.

    Parameters
    ----------
    pixels : ndarray of shape (height, width, ...), uint8
        Grey or RGB photo.
    landmarks : sequence of shape (5, 2)
        x and y of the eyes, the nose and the corners of the mouth, in pixels of `pixels`, in the
        order of `Face`.
    width : float
        Width of the crop in distances between the eyes, above 0.

    Returns
    -------
    ndarray of shape (side, side, ...), uint8
        With a side from `LEAST` to `MOST` pixels. What lies outside the photo repeats its outermost
        pixels.

    Examples
    --------
    >>> photo = np.zeros((300, 300, 3), dtype=np.uint8)
    >>> landmarks = [(120, 120), (180, 120), (150, 150), (127, 183), (173, 183)]
    >>> align(photo, landmarks, width=3.5).shape
    (210, 210, 3)
    """
    # Points as complex numbers: multiplication by one number is rotation and scale at once, so the
    # least squares fit is a single quotient.
    points = np.asarray(landmarks, dtype=float)[EYES_AND_MOUTH] @ [1, 1j]
    places = PLACES @ [1, 1j]
    spread = points - points.mean()
    turn = (places * spread.conj()).sum() / max((np.abs(spread) ** 2).sum(), 1e-12)
    # side of the crop in pixels of the photo; landmarks that do not form a face may ask for any
    native = min(width / max(abs(turn), 1e-12), 2 * max(pixels.shape[:2]))
    side = int(np.clip(round(native), LEAST, MOST))
    # a larger face is drawn `more` times too large first, then averaged over areas of pixels
    more = max(1, min(int(np.ceil(native / side)), 16))
    scale = side * more / width
    turn, middle = turn * scale, places.mean() * scale + (1 + 1j) * (side * more - 1) / 2
    shift = middle - turn * points.mean()
    matrix = np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])
    size = (side * more, side * more)
    crop = cv2.warpAffine(
        pixels, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    if more > 1:
        crop = cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(crop)


def to_square(
    crop: np.ndarray, side: int = SIDE, frame: float = 1.0, colour: bool = False
) -> np.ndarray:
    """Return the middle of a crop as a square, grey or in colour.

    A crop is shrunk by pixel area, so that fine detail does not alias, and enlarged bilinearly.

    Parameters
    ----------
    crop : ndarray of shape (height, width) or (height, width, 3), uint8
        Grey or RGB crop.
    side : int
        Width and height of the result, in pixels.
    frame : float
        Share of the crop's width and height that is used, around its middle, in (0, 1].
    colour : bool
        Whether to keep the colours of an RGB crop.

    Returns
    -------
    ndarray of shape (side, side) or (side, side, 3), uint8
        Grey, or RGB where colours are kept.

    Examples
    --------
    >>> crop = np.zeros((150, 120, 3), dtype=np.uint8)
    >>> to_square(crop, 64, frame=0.86).shape, to_square(crop, 64, colour=True).shape
    ((64, 64), (64, 64, 3))
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
    face : ndarray of shape (side, side) or (side, side, 3), uint8
        Grey or RGB levels, from 0 to 255.

    Returns
    -------
    ndarray of shape (1, side * side) or (1, side * side * 3), uint8
        The rows of the face, one after another.

    Examples
    --------
    >>> flatten(np.array([[1, 2], [3, 4]], dtype=np.uint8))
    array([[1, 2, 3, 4]], dtype=uint8)
    """
    return face.reshape(1, -1)


def shrink(pixels: np.ndarray, long_side: int) -> np.ndarray:
    """Return a picture whose long side is at most so long.

    Parameters
    ----------
    pixels : ndarray of shape (height, width) or (height, width, 3), uint8
        Grey levels or RGB.
    long_side : int
        In pixels, at least 1.

    Returns
    -------
    ndarray of shape (h, w) or (h, w, 3), uint8
        The same pixels where they are few enough.

    Examples
    --------
    >>> shrink(np.zeros((300, 400, 3), dtype=np.uint8), 100).shape
    (75, 100, 3)
    """
    height, width = pixels.shape[:2]
    scale = long_side / max(height, width)
    if scale >= 1:
        return pixels
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))


def to_grey(pixels: np.ndarray) -> np.ndarray:
    """Return the luma of RGB pixels (ITU-R BT.601).

    Parameters
    ----------
    pixels : ndarray of shape (height, width, 3) or (height, width), uint8
        RGB, or grey, which is returned as it is.

    Returns
    -------
    ndarray of shape (height, width), uint8
        Grey levels, from 0 to 255.

    Examples
    --------
    >>> to_grey(np.full((1, 2, 3), 200, dtype=np.uint8))
    array([[200, 200]], dtype=uint8)
    """
    return pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)


def to_colour(pixels: np.ndarray) -> np.ndarray:
    """Return grey levels as RGB pixels of grey colours.

    Parameters
    ----------
    pixels : ndarray of shape (height, width) or (height, width, 3)
        Grey, or RGB, which is returned as it is.

    Returns
    -------
    ndarray of shape (height, width, 3)
        In the dtype of `pixels`.

    Examples
    --------
    >>> to_colour(np.full((1, 1), 200, dtype=np.uint8))
    array([[[200, 200, 200]]], dtype=uint8)
    """
    return pixels if pixels.ndim == 3 else np.repeat(pixels[:, :, None], 3, axis=2)


def middle(picture: np.ndarray, frame: float) -> np.ndarray:
    """Return the middle of a picture.

    Parameters
    ----------
    picture : ndarray of shape (height, width, ...)
        Of any dtype.
    frame : float
        Share of the height and width that is used, in (0, 1].

    Returns
    -------
    ndarray of shape (smaller height, smaller width, ...)
        A view of at least one pixel.
    """
    height, width = picture.shape[:2]
    top, left = (min(round(n * (1 - frame) / 2), (n - 1) // 2) for n in (height, width))
    return picture[top : height - top, left : width - left]


def mirror(X: np.ndarray) -> np.ndarray:
    """Return the mirror images of square faces, left and right swapped.

    Parameters
    ----------
    X : ndarray of shape (n_faces, side * side) or (n_faces, side * side * 3)
        One face per row, grey or RGB, of any dtype.

    Returns
    -------
    ndarray of the shape of `X`
        The mirrored faces, in the dtype of `X`.

    Examples
    --------
    >>> mirror(np.array([[1, 2, 3, 4]]))
    array([[2, 1, 4, 3]])
    """
    return to_pictures(X)[:, :, ::-1].reshape(X.shape)


def to_pictures(X: np.ndarray) -> np.ndarray:
    """Return rows of levels as square pictures.

    A row of a grey picture has s * s numbers, one of an RGB picture s * s * 3; no number is both.

    Parameters
    ----------
    X : ndarray of shape (n_faces, s * s) or (n_faces, s * s * 3)
        One face per row, as `flatten` returns it, of any dtype.

    Returns
    -------
    ndarray of shape (n_faces, s, s) or (n_faces, s, s, 3)
        A view where possible.

    Raises
    ------
    ValueError
        The rows are neither.

    Examples
    --------
    >>> to_pictures(np.zeros((2, 16))).shape, to_pictures(np.zeros((2, 48))).shape
    ((2, 4, 4), (2, 4, 4, 3))
    """
    side = math.isqrt(X.shape[1])
    if side * side == X.shape[1]:
        return X.reshape(-1, side, side)
    side = math.isqrt(X.shape[1] // 3)
    return X.reshape(-1, side, side, 3)
