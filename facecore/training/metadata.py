"""What a model stores about how it was made."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import balanced_accuracy_score

from facecore.data.crops import ALL, count_states
from facecore.data.splits import split_folds
from facecore.face.prepare import mirror
from facecore.model.classifier import FaceModel, Member
from facecore.training.anonymise import MIN_FACES, MIN_PERSONS, leads_back
from facecore.training.kernels import choose_labels
from facecore.training.search import SearchResult, count_folds
from facecore.training.streaming import in_chunks

PACKAGES = ("numpy", "scikit-learn", "opencv-python-headless", "pillow")


def describe_data(faces: pd.DataFrame) -> dict[str, Any]:
    """Count the photos of each data set.

    Parameters
    ----------
    faces : DataFrame
        As `gather` returns it.

    Returns
    -------
    dict
        By data set: photos, train, test, and the states.
    """
    return {
        name: {
            "photos": len(rows),
            "train": int(rows["split"].eq("train").sum()),
            "test": int(rows["split"].eq("test").sum()),
            "states": {k: int(v) for k, v in count_states(rows)[ALL].drop(ALL).items()},
        }
        for name, rows in faces.groupby("set", sort=False)
    }


def join_tables(searches: Mapping[str, SearchResult]) -> pd.DataFrame:
    """Return the candidates of all members as one table.

    Parameters
    ----------
    searches : mapping of str to SearchResult
        By member.

    Returns
    -------
    DataFrame
        With a column param_member where there are several; ranks are within a member.
    """
    if len(searches) == 1:
        return next(iter(searches.values())).table
    tables = [
        search.table.assign(param_member=member).loc[:, ["param_member", *search.table.columns]]
        for member, search in searches.items()
    ]
    return pd.concat(tables, ignore_index=True)


def describe_search(
    searches: Mapping[str, SearchResult],
    grids: Mapping[str, Mapping[str, Any]],
    decisions: np.ndarray,
    y: np.ndarray,
    groups: np.ndarray,
    seed: int,
) -> dict[str, Any]:
    """Describe the grid searches for the metadata.

    Parameters
    ----------
    searches : mapping of str to SearchResult
        By member, the eigenfaces' first.
    grids : mapping of str to mapping
    decisions : ndarray of shape (n_faces, n_outputs)
        Out of fold, of the whole model.
    y, groups : ndarray of shape (n_faces,)
    seed : int

    Returns
    -------
    dict
        balanced_accuracy and std are over the folds, of the whole model; best is that of the
        eigenfaces, members has all.
    """
    first = next(iter(searches.values()))
    folds = count_folds(first.table.columns)
    answers = choose_labels(decisions, np.unique(y))
    scores = [
        balanced_accuracy_score(y[test], answers[test])
        for _, test in split_folds(y, groups, 5, seed)
    ]
    several = len(searches) > 1
    return {
        "grid": dict(grids) if several else dict(next(iter(grids.values()))),
        "candidates": sum(len(search.table) for search in searches.values()),
        "folds": folds,
        "best": first.best,
        **({"members": {name: s.best for name, s in searches.items()}} if several else {}),
        "balanced_accuracy": round(float(np.mean(scores)), 4),
        "std": round(float(np.std(scores)), 4),
    }


def describe_vectors(
    model: FaceModel, X: np.ndarray, centres: bool, solver: str = "exact"
) -> dict[str, Any]:
    """Say what the kernel vectors are and how many lead back to a photo.

    Parameters
    ----------
    model : FaceModel
    X : ndarray of shape (n_faces, n_features), uint8
        Training faces.
    centres : bool
    solver : str
        ``"exact"`` or ``"nystroem"``.

    Returns
    -------
    dict
    """
    faces = "support vectors" if solver == "exact" else "landmark faces"
    mirrored = bool(model.recipe.get("mirror"))
    return {
        "kind": "cluster centres" if centres else faces,
        "count": sum(len(member.kernel_vectors) for member in model.members),
        "lead_back_to_a_photo": sum(
            leads_back(member.kernel_vectors, _project_all(member, X, mirrored))
            for member in model.members
        ),
        **({"least_faces": MIN_FACES, "least_persons": MIN_PERSONS} if centres else {}),
    }


def _project_all(member: Member, X: np.ndarray, mirrored: bool) -> np.ndarray:
    """Return the coordinates of faces, and below them those of their mirror images."""
    Z = in_chunks(member.coordinates, X)
    if not mirrored:
        return Z
    return np.concatenate([Z, in_chunks(lambda rows: member.coordinates(mirror(rows)), X)])
