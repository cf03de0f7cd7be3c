"""Points of face space with labels: what a scatter shows and an explorer fits on."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from facecore.model.classifier import FaceModel
from facecore.model.synth import sample_coordinates

MADE, REAL, CROPS = "made faces", "training faces", "crops"
SAMPLE = 2000


@dataclass(frozen=True)
class FacePoints:
    """Faces as points of face space.

    Parameters
    ----------
    Z : ndarray of shape (n_faces, k), float64
        Leading coordinates, as `Member.coordinates` gives them.
    y : ndarray of shape (n_faces,), str
    groups : ndarray of shape (n_faces,), str
        Persons; a made face is a person of its own.
    kind : str
        `MADE`, `REAL` or `CROPS`.
    """

    Z: np.ndarray
    y: np.ndarray
    groups: np.ndarray
    kind: str


def make_points(model: FaceModel, count: int = SAMPLE, seed: int = 0) -> FacePoints:
    """Draw made faces as points, the same number of each label, spread as the training faces are.

    Parameters
    ----------
    model : FaceModel
    count : int
        In all.
    seed : int

    Returns
    -------
    FacePoints

    Raises
    ------
    DataError
        The model stores no spread to draw from.
    """
    shares = [len(part) for part in np.array_split(np.arange(count), len(model.labels))]
    Z = [
        sample_coordinates(model, label, share, seed, spread=1)
        for label, share in zip(model.labels, shares, strict=True)
    ]
    groups = np.array([f"made {i}" for i in range(count)])
    return FacePoints(np.concatenate(Z), np.repeat(model.labels, shares), groups, MADE)


def tabulate_points(
    Z: np.ndarray, y: np.ndarray, groups: np.ndarray, count: int = SAMPLE, seed: int = 0
) -> pd.DataFrame:
    """Return a sample of training faces as the table that a user's own model stores.

    A model that is given away stores none: coordinates lead back to a photo.

    Parameters
    ----------
    Z : ndarray of shape (n_faces, k)
    y, groups : ndarray of shape (n_faces,)
        Labels and persons.
    count : int
        At most.
    seed : int

    Returns
    -------
    DataFrame
        label, person (a number), c1 to ck, rounded to three decimals; sorted by value.
    """
    rows = np.random.default_rng(seed).permutation(len(Z))[:count]
    table = pd.DataFrame(
        np.round(Z[rows].astype(float), 3), columns=[f"c{i + 1}" for i in range(Z.shape[1])]
    )
    table.insert(0, "label", y[rows])
    table.insert(1, "person", pd.factorize(groups[rows])[0].astype(str))
    return table.sort_values(["label", "c1"], ignore_index=True)


def read_points(table: pd.DataFrame) -> FacePoints:
    """Return the points of a table that `tabulate_points` made.

    Parameters
    ----------
    table : DataFrame

    Returns
    -------
    FacePoints
    """
    Z = table.filter(regex=r"^c\d+$").to_numpy(dtype=float)
    return FacePoints(
        Z, table["label"].to_numpy(dtype=str), table["person"].to_numpy(dtype=str), REAL
    )
