"""Split faces into folds and into train and test, a subject in one part only."""

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from facecore.errors import DataError


def split_folds(
    y: np.ndarray, groups: np.ndarray, folds: int, seed: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Split faces into folds, stratified by label, a person in one fold only.

    Parameters
    ----------
    y, groups : ndarray of shape (n_faces,)
        Labels and persons.
    folds : int
        At most; fewer where a label has fewer persons.
    seed : int

    Returns
    -------
    list of tuple of ndarray
        Indices of training and validation faces.

    Raises
    ------
    DataError
        Fewer than two labels, or a label with fewer than two persons.
    """
    people = pd.DataFrame({"label": y, "person": groups}).groupby("label")["person"].nunique()
    if len(people) < 2:
        raise DataError(f"training needs two labels or more; there is {list(people.index)}")
    if people.min() < 2:
        raise DataError(
            f"label {people.idxmin()!r} has faces of {people.min()} person; "
            "cross-validation needs two or more"
        )
    splitter = StratifiedGroupKFold(min(folds, int(people.min())), shuffle=True, random_state=seed)
    splits = [(train, test) for train, test in splitter.split(y, y, groups) if len(test)]
    if any(len(np.unique(y[train])) < len(people) for train, _ in splits):
        raise DataError("the persons of one label fall into one fold; add photos of more persons")
    return splits


def hold_out(table: pd.DataFrame, seed: int) -> np.ndarray:
    """Split a data set by person: about a fifth of the photos for the test.

    Parameters
    ----------
    table : DataFrame
        With label, subject, path.
    seed : int

    Returns
    -------
    ndarray of shape (n_rows,), str
        ``"train"`` or ``"test"``.
    """
    _, test = split_folds(
        table["label"].to_numpy(dtype=str), subjects(table.assign(set="")), 5, seed
    )[0]
    split = np.full(len(table), "train", dtype=object)
    split[test] = "test"
    return split


def subjects(table: pd.DataFrame) -> np.ndarray:
    """Return who is in each photo; where unknown each photo is a person of its own.

    Parameters
    ----------
    table : DataFrame
        With set, subject, path.

    Returns
    -------
    ndarray of shape (n_rows,), str
    """
    known = table["subject"].ne("")
    who = table["subject"].where(known, table["path"])
    return (table["set"] + np.where(known, "/person/", "/photo/") + who).to_numpy(dtype=str)
