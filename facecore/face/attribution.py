"""Split the difference between the features of two pictures among the pixels that they read.

A weighted difference of features is a sum over features. Grey levels and histograms are put down
to the pixels or the cell that they are read from; networks are gone through backwards (DeepLIFT;
Shrikumar, Greenside and Kundaje 2017).
"""

from collections.abc import Callable

import cv2
import numpy as np

from facecore.face import convolutions, embedding
from facecore.face.features import BINS, BLOCK, DESCRIBED, PATTERNS, Features
from facecore.face.prepare import flatten, middle, to_colour
from facecore.face.recipes import BESIDE, Recipe


def split_features(
    features: Features, face: np.ndarray, other: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Split the weighted difference between the features of two pictures among their pixels.

    Parameters
    ----------
    features : Features
        What is read; not embeddings, for which there is `compare_embeddings`.
    face, other : ndarray of shape (side, side) or (side, side, 3), uint8
        Grey or RGB levels.
    weights : ndarray of shape (count,)
        Weight of each feature.

    Returns
    -------
    ndarray of shape (side, side), float64
        Their sum is that of the weights times the features of `face` minus those of `other`.

    Examples
    --------
    >>> face, plain = np.eye(4, dtype=np.uint8), np.zeros((4, 4), dtype=np.uint8)
    >>> split_features(Features("pixels", side=2), 4 * face, plain, np.ones(4)).sum()
    np.float64(4.0)
    """
    if features.kind == "convolutions":
        one, two = (to_colour(features.read(picture)) for picture in (face, other))
        multipliers = convolutions.compare(one, two)[1](weights)
        parts = (multipliers * (one.astype(np.float64) - two)).sum(axis=2)
    else:
        one, two = (features.extract(flatten(picture))[0] for picture in (face, other))
        parts = _place(features, weights * (one.astype(np.float64) - two), len(face))
    return _enlarge(features, parts, len(face))


def compare_embeddings(
    face: np.ndarray, colour: np.ndarray, recipe: Recipe
) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    """Return the rows of a face and of a plain square, and split their difference among pixels.

    Parameters
    ----------
    face : ndarray of shape (side, side, 3), uint8
        RGB, as `prepare_crop` returns it.
    colour : ndarray of shape (3,), uint8
        RGB of the square.
    recipe : Recipe
        A recipe with embeddings.

    Returns
    -------
    rows : ndarray of shape (2, n_numbers), float32
        As `to_rows` returns them, of the face and of the square.
    split : callable
        Takes weights of the numbers, shape (n_numbers,), and returns parts of shape (side, side),
        float64, whose sum is that of the weights times the difference of the rows.

    Raises
    ------
    ModelError
        The weights of the embedding are not installed.
    """
    rows, explain = embedding.compare(face, colour)
    plain = np.full(face.shape, colour)
    views = (face, face[:, ::-1])
    if recipe.colour:
        numbers = [BESIDE.extract(flatten(np.ascontiguousarray(v)))[0] for v in (*views, plain)]
        rows = np.hstack([rows, [(numbers[0] + numbers[1]) / 2, numbers[2]]])

    def split(weights: np.ndarray) -> np.ndarray:
        levels = face.astype(np.float64) - colour
        total = (explain(weights[:DESCRIBED]) * levels).sum(axis=2)
        for turn, view in zip((1, -1), views, strict=True):
            if recipe.colour:
                parts = split_features(BESIDE, view, plain, weights[DESCRIBED:])
                total += parts[:, ::turn] / 2
        return np.asarray(total)

    return rows, split


def _place(features: Features, parts: np.ndarray, side: int) -> np.ndarray:
    """Return the parts of features at the pixels of the picture that is read."""
    side = features.side or side
    if features.kind == "pixels":
        return parts.reshape(side, side)
    edge = 1 if features.kind == "lbp" else 0  # local patterns have no numbers at the edge
    count = (side - 2 * edge) // features.cell
    if features.kind == "lbp":
        cells = parts.reshape(count, count, PATTERNS).sum(axis=2)
    else:
        # OpenCV goes through blocks, and through the cells of a block, column by column
        shape = (count - BLOCK + 1, count - BLOCK + 1, BLOCK, BLOCK, BINS)
        blocks, cells = parts.reshape(shape).sum(axis=4), np.zeros((count, count))
        for x in range(BLOCK):
            for y in range(BLOCK):
                place = slice(y, y + shape[0]), slice(x, x + shape[0])
                cells[place] += blocks[:, :, x, y].T
    used = count * features.cell
    start = edge + (side - 2 * edge - used) // 2
    total = np.zeros((side, side))
    each = np.full((features.cell, features.cell), features.cell**-2.0)
    total[start : start + used, start : start + used] = np.kron(cells, each)
    return total


def _enlarge(features: Features, parts: np.ndarray, side: int) -> np.ndarray:
    """Return parts at pixels of the picture that is read at those of the prepared face."""
    total = np.zeros((side, side))
    part = middle(total, features.frame)
    n, read = len(part), len(parts)
    method = cv2.INTER_AREA if n > read else cv2.INTER_LINEAR
    # how much of each row and column of the face is in those of the picture that is read
    shares = cv2.resize(np.eye(n), (n, read), interpolation=method) if n != read else np.eye(n)
    part += shares.T @ parts @ shares
    return total
