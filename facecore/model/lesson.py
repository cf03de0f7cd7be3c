"""The figures of a first lesson on eigenfaces: drawn faces, two pixels, sums, and a map."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from facecore.errors import DataError
from facecore.model.classifier import FaceModel
from facecore.model.drawing import to_image
from facecore.model.synth import sample_faces

LEADING = 20  # components among which those that separate labels are looked for
SPOT = 0.035  # radius of a spot, as a share of the side


def draw_crowd(
    model: FaceModel, labels: Sequence[str], count: int, seed: int = 0
) -> tuple[np.ndarray, list[str]]:
    """Draw synthetic faces of several labels in turn, as spread out as the training faces.

    Parameters
    ----------
    model : FaceModel
        A model with eigenfaces that stores the spread of its coordinates.
    labels : sequence of str
        Labels of the model, at least one.
    count : int
        Number of faces, at least 0.
    seed : int
        Seed of the random numbers, at least 0.

    Returns
    -------
    faces : ndarray of shape (count, side, side), uint8
        Grey levels, from 0 to 255.
    drawn : list of str
        The label that each was drawn for.

    Raises
    ------
    DataError
        The model has no such label, or stores no spread.
    ModelError
        The model has no eigenfaces.

    Examples
    --------
    >>> from facecore.model import load_model
    >>> faces, drawn = draw_crowd(load_model("classic"), ["female", "male"], 3)
    >>> faces.shape, drawn
    ((3, 100, 100), ['female', 'male', 'female'])
    """
    turns = -(-count // len(labels))
    each = np.stack([sample_faces(model, label, turns, seed, 1.0) for label in labels], axis=1)
    return each.reshape(-1, *each.shape[2:])[:count], (list(labels) * turns)[:count]


@dataclass(frozen=True)
class PixelPair:
    """Two pixels of many faces, and the direction in which they spread most.

    Parameters
    ----------
    values : ndarray of shape (n_faces, 2), float64
        Their grey levels, from 0 to 255.
    direction : ndarray of shape (2,), float64
        How much of each pixel it has: of length 1, its larger number above 0.
    angle : float
        Of the direction against the axis of the first pixel, in degrees, above -90 and up to 90.
    spread : float
        Standard deviation along it, in grey levels.
    share : float
        Share of the variance of both pixels that lies along it, in [0.5, 1].
    """

    values: np.ndarray
    direction: np.ndarray
    angle: float
    spread: float
    share: float


def compare_pixels(faces: np.ndarray, first: tuple[int, int], second: tuple[int, int]) -> PixelPair:
    """Find the direction in which two pixels of many faces spread most: a PCA of two numbers.

    Parameters
    ----------
    faces : ndarray of shape (n_faces, side, side), uint8
        Grey levels, from 0 to 255; at least two faces.
    first, second : tuple of int
        Row and column of each pixel, from 0.

    Returns
    -------
    PixelPair
        The pixels and their principal direction (Pearson 1901).

    Raises
    ------
    DataError
        There are fewer than two faces.

    Examples
    --------
    >>> faces = np.arange(3, dtype=np.uint8)[:, None, None] * np.ones((2, 2), dtype=np.uint8)
    >>> pair = compare_pixels(faces, (0, 0), (1, 1))
    >>> round(pair.angle), round(pair.share)
    (45, 1)
    """
    if len(faces) < 2:
        raise DataError(f"{len(faces)} faces do not differ; pass at least 2")
    values = np.stack([faces[:, r, c] for r, c in (first, second)], axis=1).astype(np.float64)
    variance, ways = np.linalg.eigh(np.cov(values.T))
    way = ways[:, 1] * np.sign(ways[np.abs(ways[:, 1]).argmax(), 1])
    angle = float(np.degrees(np.arctan2(way[1], way[0])))
    angle -= 180 * (angle > 90)
    total = float(variance.sum())
    share = float(variance[1]) / total if total > 0 else 1.0
    return PixelPair(values, way, angle, float(np.sqrt(max(variance[1], 0.0))), share)


def add_spot(face: np.ndarray, row: int, column: int) -> np.ndarray:
    """Return a face with a small dark spot, which none of the training faces has there.

    Parameters
    ----------
    face : ndarray of shape (side, side), uint8
        Grey levels, from 0 to 255.
    row, column : int
        Middle of the spot, in pixels from 0.

    Returns
    -------
    ndarray of shape (side, side), uint8

    Examples
    --------
    >>> spotted = add_spot(np.full((100, 100), 200, dtype=np.uint8), 60, 30)
    >>> int(spotted[60, 30]), int(spotted[60, 40])
    (20, 200)
    """
    y, x = np.mgrid[: face.shape[0], : face.shape[1]]
    near = np.hypot(y - row, x - column) <= max(1.0, SPOT * len(face))
    return np.where(near, face // 10, face).astype(np.uint8)


def separating_components(model: FaceModel, labels: Sequence[str]) -> tuple[int, int]:
    """Return the two leading components that keep the clouds of some labels farthest apart.

    Of each component, the variance of the labels' means is divided by the mean variance within the
    labels, as Fisher (1936) does for one direction.

    Parameters
    ----------
    model : FaceModel
        A model that stores the spread of at least two coordinates.
    labels : sequence of str
        Labels of the model, at least two.

    Returns
    -------
    tuple of int
        Their numbers, from 0, the better one first.

    Raises
    ------
    DataError
        The model stores no spread.

    Examples
    --------
    >>> from facecore.model import load_model
    >>> len(separating_components(load_model("classic"), ["female", "male"]))
    2
    """
    if model.spread is None:
        raise DataError("this model stores no spread of its coordinates, so labels have no clouds")
    which = [model.labels.index(label) for label in labels]
    means, factors = (part[which][:, :LEADING] for part in model.spread)
    between = means.var(axis=0)
    within = np.maximum((factors**2).sum(axis=2).mean(axis=0), 1e-12)
    first, second = np.argsort(-between / within, kind="stable")[:2]
    return int(first), int(second)


@dataclass(frozen=True)
class FaceMap:
    """Faces as points of two weights, one of them to be moved, and the answer at each place.

    Parameters
    ----------
    points : ndarray of shape (n_faces, 2), float64
        Two weights of each face, in standard deviations of the training faces.
    rest : ndarray of shape (n_faces,), float64
        Squared distance from the moved face in all other weights.
    answers : ndarray of shape (n_faces,), str
        What the model answers about each.
    at : ndarray of shape (2,), float64
        Where the moved face lies at first.
    chances : ndarray of shape (n_labels,), float64
        Probability of each label there.
    grid : ndarray of shape (n_steps,), float64
        Places along both axes, symmetric around 0, as far out as any of the faces.
    places : ndarray of shape (n_steps, n_steps, n_labels), float64
        Probabilities where the moved face has the weights ``(grid[j], grid[i])``.
    """

    points: np.ndarray
    rest: np.ndarray
    answers: np.ndarray
    at: np.ndarray
    chances: np.ndarray
    grid: np.ndarray
    places: np.ndarray


def map_faces(
    model: FaceModel,
    faces: np.ndarray,
    moved: np.ndarray,
    axes: tuple[int, int],
    steps: int = 15,
) -> FaceMap:
    """Place faces by two of their weights, and ask the model what it answers everywhere there.

    Parameters
    ----------
    model : FaceModel
        A model that reads nothing but the pixels of the whole crop.
    faces : ndarray of shape (n_faces, side, side), uint8
        Grey levels, from 0 to 255.
    moved : ndarray of shape (side, side), uint8
        The face that moves: only its two weights change.
    axes : tuple of int
        Numbers of the two eigenfaces, from 0.
    steps : int
        Places along each axis, at least 2.

    Returns
    -------
    FaceMap
        Each place is the model's answer about the picture that one sees there: rounded and clipped.

    Raises
    ------
    ModelError
        The model has no eigenfaces.

    Examples
    --------
    >>> from facecore.model import load_model
    >>> model = load_model("classic")
    >>> faces, _ = draw_crowd(model, model.labels, 6)
    >>> map_faces(model, faces[1:], faces[0], (0, 1), steps=3).places.shape
    (3, 3, 2)
    """
    member = model.pixels
    rows = np.concatenate([moved[None], faces]).reshape(len(faces) + 1, -1)
    in_deviations = member.deviation / np.sqrt(np.maximum(member.variance, 1e-12))
    W = member.coordinates(rows).astype(np.float64) * in_deviations
    pair = list(axes)
    apart = (W[1:] - W[0]) ** 2
    rest = apart.sum(axis=1) - apart[:, pair].sum(axis=1)
    reach = max(3.0, np.ceil(2 * np.abs(W[:, pair]).max()) / 2)
    grid = np.linspace(-reach, reach, steps)
    Z = np.zeros((3, len(member.deviation)))
    Z[[1, 2], pair] = 1 / in_deviations[pair]
    drawn = member.rebuild(Z)
    x, y = (way.reshape(-1, 1) for way in np.meshgrid(grid - W[0, pair[0]], grid - W[0, pair[1]]))
    pictures = rows[0] + x * (drawn[1] - drawn[0]) + y * (drawn[2] - drawn[0])
    places = model.predict_proba(np.array([to_image(row).reshape(-1) for row in pictures]))
    known = model.predict_proba(rows)
    return FaceMap(
        W[1:, pair],
        rest,
        np.array(model.labels)[known[1:].argmax(axis=1)],
        W[0, pair],
        known[0],
        grid,
        places.reshape(steps, steps, -1),
    )
