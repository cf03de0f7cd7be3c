"""Hyperparameter explorer: cross-validate one candidate on some faces, in a moment."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import SVC

from facecore.data.crops import check_recipe
from facecore.data.faces import load_faces
from facecore.data.splits import split_folds, subject_names
from facecore.errors import DataError
from facecore.face.prepare import mirror
from facecore.model.classifier import FaceModel
from facecore.training.calibrate import score_folds, set_borders
from facecore.training.eigenfaces import fit_space, project_views
from facecore.training.kernels import decide, fit_svm, machines_of, mirror_kernel
from facecore.training.points import CROPS, SAMPLE, FacePoints
from facecore.training.search import Coordinates

CHUNK = 250  # crops that are read between two reports of progress
FOLDS = 5  # as in training
MOST = 300  # components


@dataclass(frozen=True)
class Refit:
    """Result of the cross-validation of one candidate.

    Parameters
    ----------
    scores : ndarray of shape (n_folds,), float64
        Balanced accuracy on the validation faces of each fold, in [0, 1].
    support_vectors : ndarray of shape (n_folds,), int
        Number of training faces that became support vectors.
    training_faces : ndarray of shape (n_folds,), int
        Number of training faces.
    margins : ndarray of shape (n_faces,), float64
        Out of fold, as `measure_margins` returns them. Below 0 the answer is wrong.
    seconds : float
        Time to fit all folds.
    """

    scores: np.ndarray
    support_vectors: np.ndarray
    training_faces: np.ndarray
    margins: np.ndarray
    seconds: float

    @property
    def mean(self) -> float:
        """Mean balanced accuracy over the folds."""
        return float(self.scores.mean())

    @property
    def std(self) -> float:
        """Standard deviation of the balanced accuracy over the folds."""
        return float(self.scores.std())

    @property
    def support_share(self) -> float:
        """Share of the training faces that are support vectors, in [0, 1]."""
        return float(self.support_vectors.sum() / self.training_faces.sum())


@dataclass(frozen=True)
class FoldedFaces:
    """Faces in folds, each fold with the coordinates of its faces: what candidates are fitted to.

    Parameters
    ----------
    kind : str
        As `FacePoints.kind`.
    y : ndarray of shape (n_faces,), str
        Labels.
    splits : list of tuple of ndarray of int
        Per fold, the rows of its training and of its validation faces.
    spaces : list of Coordinates
        Per fold, of these faces.
    inside : bool
        Whether each fold has a space of its own, fitted to its training faces as in a search;
        False for the space of the model.
    """

    kind: str
    y: np.ndarray
    splits: list[tuple[np.ndarray, np.ndarray]]
    spaces: list[Coordinates]
    inside: bool

    @property
    def most(self) -> int:
        """Largest number of components that every fold has."""
        return min(len(space.deviation) for space in self.spaces)

    @property
    def mirrored(self) -> bool:
        """Whether machines are fitted to mirror images too."""
        return len(self.spaces[0].train) > 1


def fold_points(points: FacePoints, *, folds: int = FOLDS, seed: int = 0) -> FoldedFaces:
    """Split points of face space into folds, a subject in one fold only.

    The eigenfaces are the model's: unlike `facecore.training.grid_search`, it does not fit them
    inside the folds.

    Parameters
    ----------
    points : FacePoints
        Points of two labels or more.
    folds : int, default=5
        Number of folds, 2 or more; fewer where a label has fewer subjects.
    seed : int, default=0
        Seed of the folds.

    Returns
    -------
    FoldedFaces
        With the points' mirror images where they have some.

    Raises
    ------
    DataError
        The points cannot be split into folds.

    Examples
    --------
    >>> Z, y = np.zeros((40, 3)), np.repeat(["round", "square"], 20)
    >>> faces = fold_points(FacePoints(Z, y, np.arange(40).astype(str), kind="made up"))
    >>> len(faces.splits), faces.most, faces.inside
    (5, 3, False)
    """
    views = [points.Z] if points.mirrored is None else [points.Z, points.mirrored]
    ones = np.ones(points.Z.shape[1])  # whitened already where the model whitens
    splits = split_folds(points.y, points.subjects, folds, seed)
    spaces = [
        Coordinates(
            [view[train] for view in views],
            [view[test] for view in views],
            ones,
            np.zeros(len(test)),
        )
        for train, test in splits
    ]
    return FoldedFaces(points.kind, points.y, splits, spaces, inside=False)


def fold_crops(
    folder: Path,
    table: pd.DataFrame,
    model: FaceModel,
    *,
    member: str | None = None,
    count: int = SAMPLE,
    most: int = MOST,
    folds: int = FOLDS,
    seed: int = 0,
    on_progress: Callable[[str, int, int], None] | None = None,
) -> FoldedFaces:
    """Split a sample of crops into folds, and fit a member's space inside each, as training does.

    Parameters
    ----------
    folder : Path
        Of crops, as ``facecore crop`` makes it.
    table : DataFrame
        As `facecore.data.crops.read_table` returns it; of a folder with splits only train is used.
    model : FaceModel
        Whose recipe cuts faces as the crops were cut.
    member : str, optional
        Its name; the leading one if None.
    count : int, default=2000
        Number of faces, at most.
    most : int, default=300
        Number of components, at most.
    folds : int, default=5
        Number of folds, 2 or more; fewer where a label has fewer subjects.
    seed : int, default=0
        Seed of the sample, of the folds and of the eigenfaces.
    on_progress : callable, optional
        Called after each chunk of crops and each fold with what it was (``"Crop"`` or ``"Fold"``),
        the number of those done and of those in all.

    Returns
    -------
    FoldedFaces
        Of kind `CROPS`; with mirror images where the model was trained on these.

    Raises
    ------
    DataError
        No face was kept, a crop is missing or damaged, they were cut in another way than the
        model's recipe cuts them, or they cannot be split into folds.

    Examples
    --------
    >>> from facecore.data import read_table
    >>> from facecore.model import load_model
    >>> folder = Path("crops/mine")
    >>> faces = fold_crops(folder, read_table(folder), load_model())  # doctest: +SKIP
    """
    check_recipe(folder, model.recipe)
    name = member or model.leading.name
    found = next(one for one in model.members if one.name == name)
    kept = table[table["state"].eq("kept")]
    if kept["split"].eq("train").any():
        kept = kept[kept["split"].eq("train")]
    if kept.empty:
        raise DataError(f"no face was kept in {folder}; see the column state of its table")
    sample = kept.sample(min(count, len(kept)), random_state=seed).sort_index()
    sample = sample.assign(set="", folder=str(folder))
    y = sample["label"].to_numpy(dtype=str)
    splits = split_folds(y, subject_names(sample), folds, seed)
    parts: list[list[np.ndarray]] = []
    for start in range(0, len(sample), CHUNK):
        rows = load_faces(sample.iloc[start : start + CHUNK], model.recipe)
        views = [rows, mirror(rows)] if model.recipe.mirror else [rows]
        parts.append([found.features.extract(view) for view in views])
        if on_progress:
            on_progress("Crop", min(start + CHUNK, len(sample)), len(sample))
    faces = [np.concatenate(view) for view in zip(*parts, strict=True)]
    codes = np.unique(y, return_inverse=True)[1]
    spaces = []
    for done, (train, test) in enumerate(splits, start=1):
        labels = codes[train] if found.space == "fisherfaces" else None
        spaces.append(_fit_inside(faces, train, test, most, seed, labels))
        if on_progress:
            on_progress("Fold", done, len(splits))
    return FoldedFaces(CROPS, y, splits, spaces, inside=True)


def _fit_inside(
    views: Sequence[np.ndarray],
    train: np.ndarray,
    test: np.ndarray,
    most: int,
    seed: int,
    labels: np.ndarray | None,
) -> Coordinates:
    """Return the faces of one fold in the space of its training faces."""
    mirrored = views[1][train] if len(views) > 1 else None
    scaler, pca = fit_space(views[0][train], mirrored, most, False, seed)
    known, unseen = (
        project_views(scaler, pca, [view[rows] for view in views]) for rows in (train, test)
    )
    deviation = np.sqrt(np.maximum(pca.explained_variance_, 1e-12))
    return Coordinates(known, unseen, deviation, np.zeros(len(test)), labels)


def refit(
    faces: FoldedFaces,
    params: Mapping[str, Any],
    *,
    on_fold: Callable[[int, int], None] | None = None,
) -> Refit:
    """Cross-validate one candidate on faces in folds, by the machine that training fits.

    Parameters
    ----------
    faces : FoldedFaces
        As `fold_points` or `fold_crops` returns them.
    params : mapping of str to value
        n_components (int; the leading coordinates are used, all of them where the faces have
        fewer), C and gamma (above 0), class_weight ("balanced" or None), and whiten (bool; not
        used where the space is the model's). Others are ignored.
    on_fold : callable, optional
        Called after each fold with the number of folds done and of folds in all.

    Returns
    -------
    Refit
        Scores, support vectors and margins.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> Z, y = rng.normal(size=(40, 3)), np.repeat(["round", "square"], 20)
    >>> Z[20:, 0] += 5
    >>> faces = fold_points(FacePoints(Z, y, np.arange(40).astype(str), kind="made up"))
    >>> params = {"n_components": 2, "C": 1.0, "gamma": 0.1, "class_weight": None}
    >>> found = refit(faces, params)
    >>> found.mean > 0.9, len(found.scores)
    (True, 5)
    """
    y, classes = faces.y, np.unique(faces.y)
    whiten = faces.inside and params.get("whiten", True)
    decisions = np.empty((len(y), 1 if len(classes) == 2 else len(classes)))
    rows, seconds = [], 0.0
    for done, (space, (train, test)) in enumerate(
        zip(faces.spaces, faces.splits, strict=True), start=1
    ):
        known, unseen = space.leading(params["n_components"], whiten)
        start = time.perf_counter()
        machine = fit_svm(
            mirror_kernel(known, known, params["gamma"]).astype(np.float64),
            y[train],
            SVC(C=params["C"], kernel="precomputed"),
            params["class_weight"],
        )
        seconds += time.perf_counter() - start
        K = mirror_kernel(unseen, known, params["gamma"]).astype(np.float64)
        decisions[test] = decide(machine, K)
        rows.append((_count_support(machine), len(train)))
        if on_fold:
            on_fold(done, len(faces.splits))
    moved = set_borders(decisions, y, classes, faces.splits)
    scores = np.array(score_folds(moved, y, classes, faces.splits))
    margins = measure_margins(moved, y, classes)
    support, sizes = map(np.array, zip(*rows, strict=True))
    return Refit(scores, support, sizes, margins, seconds)


def measure_margins(decisions: np.ndarray, y: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Compute how far each face is on the right side of the decision.

    Parameters
    ----------
    decisions : ndarray of shape (n_faces, n_outputs), float
        Decision values; one output for two labels, otherwise one per label.
    y : ndarray of shape (n_faces,)
        True labels.
    classes : ndarray of shape (n_labels,)
        Labels in the order of the outputs.

    Returns
    -------
    ndarray of shape (n_faces,), float64
        With two labels the decision towards the true label, with more the decision for the true
        label minus the largest other one.

    Examples
    --------
    >>> decisions, classes = np.array([[1.0, 0.2, -1.0]]), np.array(["a", "b", "c"])
    >>> measure_margins(decisions, np.array(["a"]), classes)
    array([0.8])
    """
    true = y[:, None] == classes
    if decisions.shape[1] == 1:
        return np.where(true[:, 1], decisions[:, 0], -decisions[:, 0])
    return np.asarray(decisions[true] - np.where(true, -np.inf, decisions).max(axis=1))


def _count_support(machine: SVC | OneVsRestClassifier) -> int:
    return len(np.unique(np.concatenate([m.support_ for m in machines_of(machine)])))
