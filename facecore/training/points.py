"""Points of face space with labels, for the scatter plot and the hyperparameter explorer."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from facecore.face.prepare import mirror
from facecore.model.classifier import FaceModel
from facecore.model.synth import sample_coordinates

MADE, REAL, CROPS = "synthetic faces", "training faces", "crops"
SAMPLE = 2000  # points


@dataclass(frozen=True)
class FacePoints:
    """Faces as points of face space.

    Parameters
    ----------
    Z : ndarray of shape (n_faces, k), float64
        Leading coordinates, as `facecore.model.Member.coordinates` returns them.
    y : ndarray of shape (n_faces,), str
        Labels.
    subjects : ndarray of shape (n_faces,), str
        Who is in each photo; a synthetic face is a subject of its own.
    kind : str
        `MADE`, `REAL` or `CROPS`.
    mirrored : ndarray of shape (n_faces, k), optional
        The same coordinates of the mirror images.
    """

    Z: np.ndarray
    y: np.ndarray
    subjects: np.ndarray
    kind: str
    mirrored: np.ndarray | None = None


def make_points(model: FaceModel, count: int = SAMPLE, seed: int = 0) -> FacePoints:
    """Draw synthetic faces as points, the same number of each label.

    They spread as the training faces do.

    Parameters
    ----------
    model : FaceModel
        That stores a spread.
    count : int, default=2000
        Number of points in all.
    seed : int, default=0
        Seed of the draw.

    Returns
    -------
    FacePoints
        Of kind `MADE`.

    Raises
    ------
    DataError
        The model stores no spread to draw from.

    Examples
    --------
    >>> from facecore.model import load_model
    >>> points = make_points(load_model("classic"), count=4)
    >>> points.y.tolist(), points.Z.shape
    (['female', 'female', 'male', 'male'], (4, 100))
    """
    shares = [len(part) for part in np.array_split(np.arange(count), len(model.labels))]
    Z = [
        sample_coordinates(model, label, share, seed, spread=1)
        for label, share in zip(model.labels, shares, strict=True)
    ]
    subjects = np.array([f"synthetic {i}" for i in range(count)])
    return FacePoints(np.concatenate(Z), np.repeat(model.labels, shares), subjects, MADE)


def tabulate_points(
    Z: np.ndarray, y: np.ndarray, subjects: np.ndarray, count: int = SAMPLE, seed: int = 0
) -> pd.DataFrame:
    """Return a sample of training faces as the table that a user's own model stores.

    A model that is made safe to share stores none, because coordinates can be traced to a photo.

    Parameters
    ----------
    Z : ndarray of shape (n_faces, k), float
        Coordinates.
    y : ndarray of shape (n_faces,), str
        Labels.
    subjects : ndarray of shape (n_faces,)
        Who is in each photo.
    count : int, default=2000
        Number of faces, at most.
    seed : int, default=0
        Seed of the sample.

    Returns
    -------
    DataFrame
        label, person (a number), c1 to ck, rounded to three decimals; sorted by value.

    Examples
    --------
    >>> Z, y = np.array([[1.5, 0.25], [-0.5, 2.0]]), np.array(["square", "round"])
    >>> tabulate_points(Z, y, np.array(["s1", "s2"])).columns.tolist()
    ['label', 'person', 'c1', 'c2']
    """
    rows = np.random.default_rng(seed).permutation(len(Z))[:count]
    table = pd.DataFrame(
        np.round(Z[rows].astype(float), 3), columns=[f"c{i + 1}" for i in range(Z.shape[1])]
    )
    table.insert(0, "label", y[rows])
    table.insert(1, "person", pd.factorize(subjects[rows])[0].astype(str))
    return table.sort_values(["label", "c1"], ignore_index=True)


def read_points(table: pd.DataFrame) -> FacePoints:
    """Return the points of a table that `tabulate_points` made.

    Parameters
    ----------
    table : DataFrame
        One row per face.

    Returns
    -------
    FacePoints
        Of kind `REAL`.

    Examples
    --------
    >>> Z, y = np.array([[1.5, 0.25], [-0.5, 2.0]]), np.array(["square", "round"])
    >>> read_points(tabulate_points(Z, y, np.array(["s1", "s2"]))).Z
    array([[-0.5 ,  2.  ],
           [ 1.5 ,  0.25]])
    """
    Z = table.filter(regex=r"^c\d+$").to_numpy(dtype=float)
    return FacePoints(
        Z, table["label"].to_numpy(dtype=str), table["person"].to_numpy(dtype=str), REAL
    )


def nearest_points(Z: np.ndarray, place: np.ndarray, unit: np.ndarray, count: int) -> np.ndarray:
    """Return which points are nearest to a place, with distances in standard deviations.

    Parameters
    ----------
    Z : ndarray of shape (n_points, k)
        Coordinates of the points.
    place : ndarray of shape (k,)
        Coordinates of the place.
    unit : ndarray of shape (k,)
        A standard deviation of each coordinate, above 0.
    count : int
        Number of points, at least 0.

    Returns
    -------
    ndarray of shape (min(count, n_points),), int
        Their rows, the nearest first.

    Examples
    --------
    >>> Z = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 3.0]])
    >>> nearest_points(Z, np.array([0.5, 1.0]), np.ones(2), 2)
    array([0, 1])
    """
    distances = (((Z - place) / unit) ** 2).sum(axis=1)
    return np.argsort(distances, kind="stable")[:count]


def with_mirror_images(points: FacePoints, model: FaceModel) -> FacePoints:
    """Add the points of the mirror images, where the model was trained on these.

    A face is drawn from its coordinates, mirrored and projected again. The eigenfaces of faces and
    their mirror images are symmetric or antisymmetric, so no more is lost than the point lacks.

    Parameters
    ----------
    points : FacePoints
        In the face space of the model's leading member.
    model : FaceModel
        The model.

    Returns
    -------
    FacePoints
        The same points where the model was not trained on mirror images, or no member reads pixels.

    Examples
    --------
    >>> from facecore.model import load_model
    >>> model = load_model("classic")
    >>> points = with_mirror_images(make_points(model, count=4), model)
    >>> points.mirrored.shape
    (4, 100)
    """
    if not (model.recipe.mirror and model.draws):
        return points
    pixels = model.eigenfaces.pixels  # reads the pictures that it draws
    Z = pixels.coordinates(mirror(pixels.rebuild(points.Z)))[:, : points.Z.shape[1]]
    return replace(points, mirrored=Z.astype(np.float64))
