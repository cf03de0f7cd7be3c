"""What min-max scaling does to the pixels of a face."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from facecore.model.classifier import FaceModel
from facecore.model.drawing import WHITE, Colour, Mark, draw_marks, luminance, paint_signed

APART = 6  # marked pixels are at least the side / 6 apart: neighbours tell the same
LARGE = 600  # least side of a picture with marks, in pixels
BOX = 9  # side of the box around a marked pixel, in pixels of the face


@dataclass(frozen=True)
class ScaledPixel:
    """One pixel of a face before and after min-max scaling.

    Parameters
    ----------
    row, column : int
        Its place, from 0.
    level : int
        Grey level in the face, from 0 to 255.
    low, high : float
        Lowest and highest grey level that the pixel has in the training faces.
    scaled : float
        What becomes of the level: 0 at `low` and 1 at `high`; faces that were not trained on may
        lie outside.
    """

    row: int
    column: int
    level: int
    low: float
    high: float
    scaled: float


def scaling_change(model: FaceModel, crop: np.ndarray) -> np.ndarray:
    """Return how min-max scaling changes each pixel, compared with one scale for all pixels.

    Parameters
    ----------
    model : FaceModel
        Model of pixels alone, as `FaceModel.eigenfaces` is.
    crop : ndarray of shape (side, side), uint8
        Grey levels of a prepared face, from 0 to 255.

    Returns
    -------
    ndarray of shape (side, side), float64
        In grey levels: 0 where the training faces have every level from 0 to 255 in this pixel.

    Examples
    --------
    >>> from facecore.model import load_model, sample_faces
    >>> model = load_model("classic")
    >>> change = scaling_change(model, sample_faces(model, "female", 1, seed=15)[0])
    >>> change.shape
    (100, 100)
    """
    scaled = model.pixels.scale(crop.reshape(1, -1))[0]
    return np.asarray(255 * scaled.astype(np.float64) - crop.reshape(-1)).reshape(crop.shape)


def most_scaled(model: FaceModel, crop: np.ndarray, count: int) -> list[ScaledPixel]:
    """Return the pixels of a face that min-max scaling changes most, apart from each other.

    Parameters
    ----------
    model : FaceModel
        Model of pixels alone, as `FaceModel.eigenfaces` is.
    crop : ndarray of shape (side, side), uint8
        Grey levels of a prepared face, from 0 to 255.
    count : int
        How many, at least 0; fewer where no others are far enough apart, or change at all.

    Returns
    -------
    list of ScaledPixel
        The one that changes most first.

    Examples
    --------
    >>> from facecore.model import load_model, sample_faces
    >>> model = load_model("classic")
    >>> len(most_scaled(model, sample_faces(model, "female", 1, seed=15)[0], 3))
    3
    """
    member, side = model.pixels, len(crop)
    left = np.abs(scaling_change(model, crop))
    scaled = member.scale(crop.reshape(1, -1))[0]
    rows, columns = np.indices(crop.shape)
    found: list[ScaledPixel] = []
    while len(found) < count and left.max() > 0:
        i = int(left.argmax())
        row, column = divmod(i, side)
        low = float(member.minimum[i])
        high = low + float(member.span[i])
        level = int(crop[row, column])
        found.append(ScaledPixel(row, column, level, low, high, float(scaled[i])))
        near = np.hypot(rows - row, columns - column) < side / APART
        left[near] = 0
    return found


def draw_scaling(
    change: np.ndarray, pixels: Sequence[ScaledPixel], ground: Colour = WHITE
) -> np.ndarray:
    """Draw how min-max scaling changes a face, with numbers on some pixels.

    Parameters
    ----------
    change : ndarray of shape (side, side), float64
        As `scaling_change` returns it.
    pixels : sequence of ScaledPixel
        Pixels to number, from 1.
    ground : tuple of int, default=(255, 255, 255)
        RGB colour where nothing changes, each from 0 to 255; the numbers are black on a light
        one, else white.

    Returns
    -------
    ndarray of shape (height, width, 3), uint8
        Each pixel as a square of several: `ground` where nothing changes, in the colours of
        `paint_signed` where it becomes brighter or darker, on a scale of its own.

    Examples
    --------
    >>> draw_scaling(np.eye(100), []).shape
    (600, 600, 3)
    """
    times = -(-LARGE // len(change))
    painted = paint_signed(change.reshape(-1), ground=ground)
    picture = np.kron(painted, np.ones((times, times, 1), dtype=np.uint8))
    ink = (0, 0, 0) if luminance(np.array([ground]))[0] > 0.2 else WHITE
    marks = [
        Mark(
            (
                (one.column - BOX // 2) * times,
                (one.row - BOX // 2) * times,
                BOX * times,
                BOX * times,
            ),
            ink,
            str(number),
        )
        for number, one in enumerate(pixels, start=1)
    ]
    return draw_marks(picture, marks)
