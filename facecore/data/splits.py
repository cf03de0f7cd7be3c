"""Split faces into folds, or into train and test, with each subject in one part only.

Where the labels are the subjects, a subject cannot be kept in one part, and photos are split.
"""

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from facecore.errors import DataError


def split_folds(
    y: np.ndarray, subjects: np.ndarray, folds: int, seed: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Split faces into folds, stratified by label, with each subject in one fold only.

    Otherwise a model could recognise a validation face by the other photos of its subject, and the
    validation scores would be too high.

    Parameters
    ----------
    y : ndarray of shape (n_faces,), str
        Label of each face.
    subjects : ndarray of shape (n_faces,)
        Subject of each face, as `subject_names` returns it.
    folds : int
        Most folds, at least 2; fewer are made where a label has fewer subjects.
    seed : int
        Of the shuffling, at least 0.

    Returns
    -------
    list of tuple of ndarray
        Per fold, the indices of its training faces and of its validation faces.

    Raises
    ------
    DataError
        There are fewer than two labels, a label has fewer than two subjects, or all subjects of a
        label fell into one fold.

    Examples
    --------
    >>> y = np.array(["serious", "smiling"] * 4)
    >>> subjects = np.array(["eve", "eve", "eve", "eve", "ida", "ida", "leo", "leo"])
    >>> splits = split_folds(y, subjects, folds=3, seed=0)
    >>> sorted(np.unique(subjects[test]).tolist() for train, test in splits)
    [['eve'], ['ida'], ['leo']]
    """
    counts = pd.DataFrame({"label": y, "subject": subjects}).groupby("label")["subject"].nunique()
    if len(counts) < 2:
        raise DataError(f"training needs at least two labels; found {list(counts.index)}")
    if counts.min() < 2:
        raise DataError(
            f"label {counts.idxmin()!r} has faces of only {counts.min()} subject; "
            "cross-validation needs at least two per label; if each label is one person, "
            "use --identity"
        )
    splitter = StratifiedGroupKFold(min(folds, int(counts.min())), shuffle=True, random_state=seed)
    # Few and unequal subjects may leave a fold empty, or a training part without a label.
    splits = [(train, test) for train, test in splitter.split(y, y, subjects) if len(test)]
    if any(len(np.unique(y[train])) < len(counts) for train, _ in splits):
        raise DataError("all subjects of one label fell into one fold; add photos of more subjects")
    return splits


def split_for_search(
    y: np.ndarray,
    subjects: np.ndarray,
    folds: int,
    seed: int,
    chooses: np.ndarray | None = None,
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Split faces for a search: into folds, and faces that only help to choose.

    Parameters
    ----------
    y : ndarray of shape (n_faces,), str
        Label of each face.
    subjects : ndarray of shape (n_faces,)
        Subject of each face, as `subject_names` returns it.
    folds : int
        As `split_folds` takes it.
    seed : int
        Of the shuffling, at least 0.
    chooses : ndarray of shape (n_faces,), bool, optional
        Faces of the val split. They are in no fold; one more split fits all others and is validated
        on these.

    Returns
    -------
    list of tuple of ndarray
        As `split_folds` returns it.

    Raises
    ------
    DataError
        As `split_folds` raises it.

    Examples
    --------
    >>> y, subjects = np.array(["serious", "smiling"] * 3), np.arange(6)
    >>> chooses = np.array([False, False, False, False, True, True])
    >>> splits = split_for_search(y, subjects, 2, 0, chooses)
    >>> len(splits), splits[-1][0].tolist(), splits[-1][1].tolist()
    (3, [0, 1, 2, 3], [4, 5])
    """
    if chooses is None or not chooses.any():
        return split_folds(y, subjects, folds, seed)
    rows = np.flatnonzero(~chooses)
    inner = split_folds(y[rows], subjects[rows], folds, seed)
    return [(rows[a], rows[b]) for a, b in inner] + [(rows, np.flatnonzero(chooses))]


def hold_out(table: pd.DataFrame, seed: int, identity: bool | None = None) -> np.ndarray:
    """Hold out about a fifth of the photos of a data set for the test, by subject.

    Parameters
    ----------
    table : DataFrame
        Columns label, subject (empty where unknown) and path.
    seed : int
        Of the shuffling, at least 0.
    identity : bool, optional
        As `subject_names` takes it.

    Returns
    -------
    ndarray of shape (n_rows,), str
        ``"train"`` or ``"test"``.

    Raises
    ------
    DataError
        There are too few labels or subjects, as in `split_folds`.
    """
    subjects = subject_names(table.assign(set=""), identity)
    _, test = split_folds(table["label"].to_numpy(dtype=str), subjects, 5, seed)[0]
    split = np.full(len(table), "train", dtype=object)
    split[test] = "test"
    return split


def labels_are_subjects(table: pd.DataFrame) -> bool:
    """Return whether each label is one person: one known subject per label, and no subject twice.

    Parameters
    ----------
    table : DataFrame
        Columns label and subject (empty where unknown).

    Returns
    -------
    bool
        False where a subject is not known.

    Examples
    --------
    >>> labels_are_subjects(pd.DataFrame({"label": ["eve", "leo"], "subject": ["eve", "leo"]}))
    True
    >>> labels_are_subjects(pd.DataFrame({"label": ["calm", "sad"], "subject": ["eve", "eve"]}))
    False
    """
    pairs = table[["label", "subject"]].drop_duplicates()
    return bool(
        pairs["subject"].ne("").all() and not any(pairs[name].duplicated().any() for name in pairs)
    )


def subject_names(table: pd.DataFrame, identity: bool | None = None) -> np.ndarray:
    """Return a name for the subject of each photo, unique over data sets.

    The same subject in two data sets gets two names, and a photo of an unknown subject a name of
    its own.

    Parameters
    ----------
    table : DataFrame
        Columns set (name of the data set), subject (empty where unknown) and path; and label where
        identity is None.
    identity : bool, optional
        Whether each label is one person. Each photo then has a name of its own, so that photos of
        a label can be split. None asks `labels_are_subjects`.

    Returns
    -------
    ndarray of shape (n_rows,), str
        Such as ``"lfw/person/eve"`` or ``"lfw/photo/smiling/1.jpg"``.

    Examples
    --------
    >>> table = pd.DataFrame({"set": "lfw", "subject": ["eve", ""], "path": ["1.jpg", "2.jpg"]})
    >>> subject_names(table).tolist()
    ['lfw/person/eve', 'lfw/photo/2.jpg']
    """
    if identity is None:
        identity = "label" in table and labels_are_subjects(table)
    known = table["subject"].ne("") & (not identity)
    # The order of these names decides which fold a subject falls into: other words would change
    # every model that is trained with the same seed.
    kind = np.where(known, "/person/", "/photo/")
    names = table["set"] + kind + table["subject"].where(known, table["path"])
    return np.asarray(names, dtype=str)
