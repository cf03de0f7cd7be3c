"""Hyperparameter explorer: cross-validate one candidate on points of face space, in a moment."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import balanced_accuracy_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import SVC

from facecore.data.crops import check_recipe
from facecore.data.faces import load_faces
from facecore.data.splits import split_folds, subject_names
from facecore.errors import DataError
from facecore.model.classifier import FaceModel
from facecore.training.kernels import choose_labels, decide, fit_svm, machines_of, rbf
from facecore.training.points import CROPS, SAMPLE, FacePoints

CHUNK = 250  # crops that are read between two reports of progress


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


def refit(
    points: FacePoints,
    params: Mapping[str, Any],
    *,
    folds: int = 3,
    seed: int = 0,
    on_fold: Callable[[int, int], None] | None = None,
) -> Refit:
    """Cross-validate one candidate on points of face space, a subject in one fold only.

    The eigenfaces are the model's: unlike `facecore.training.grid_search`, it does not fit them
    inside the folds.

    Parameters
    ----------
    points : FacePoints
        Points of two labels or more.
    params : mapping of str to value
        n_components (int; the leading coordinates are used, all of them where the points have
        fewer), C and gamma (above 0), and class_weight ("balanced" or None). Others are ignored.
    folds : int, default=3
        Number of folds, 2 or more; fewer where a label has fewer subjects.
    seed : int, default=0
        Seed of the folds.
    on_fold : callable, optional
        Called after each fold with the number of folds done and of folds in all.

    Returns
    -------
    Refit
        Scores, support vectors and margins.

    Raises
    ------
    DataError
        The points cannot be split into folds.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> Z, y = rng.normal(size=(40, 3)), np.repeat(["round", "square"], 20)
    >>> Z[20:, 0] += 5
    >>> points = FacePoints(Z, y, np.arange(40).astype(str), kind="made up")
    >>> params = {"n_components": 2, "C": 1.0, "gamma": 0.1, "class_weight": None}
    >>> found = refit(points, params)
    >>> found.mean > 0.9, len(found.scores)
    (True, 3)
    """
    Z, y, classes = points.Z[:, : params["n_components"]], points.y, np.unique(points.y)
    splits = split_folds(y, points.subjects, folds, seed)
    margins = np.empty(len(y))
    rows, seconds = [], 0.0
    for done, (train, test) in enumerate(splits, start=1):
        start = time.perf_counter()
        machine = fit_svm(
            rbf(Z[train], Z[train], params["gamma"]),
            y[train],
            SVC(C=params["C"], kernel="precomputed"),
            params["class_weight"],
        )
        seconds += time.perf_counter() - start
        decisions = decide(machine, rbf(Z[test], Z[train], params["gamma"]))
        margins[test] = measure_margins(decisions, y[test], classes)
        score = balanced_accuracy_score(y[test], choose_labels(decisions, classes))
        rows.append((score, _count_support(machine), len(train)))
        if on_fold:
            on_fold(done, len(splits))
    scores, support, sizes = map(np.array, zip(*rows, strict=True))
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


def project_crops(
    folder: Path,
    table: pd.DataFrame,
    model: FaceModel,
    *,
    member: str | None = None,
    count: int = SAMPLE,
    seed: int = 0,
    on_progress: Callable[[int, int], None] | None = None,
) -> FacePoints:
    """Project a sample of crops into the face space of a model's member.

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
    seed : int, default=0
        Seed of the sample.
    on_progress : callable, optional
        Called after each chunk with the number of faces done and of faces in all.

    Returns
    -------
    FacePoints
        Of kind `CROPS`.

    Raises
    ------
    DataError
        No face was kept, a crop is missing or damaged, or they were cut in another way than the
        model's recipe cuts them.

    Examples
    --------
    >>> from facecore.data import read_table
    >>> from facecore.model import load_model
    >>> folder = Path("crops/mine")
    >>> points = project_crops(folder, read_table(folder), load_model())  # doctest: +SKIP
    """
    check_recipe(folder, model.recipe)
    name = member or model.leading.name
    project = next(found for found in model.members if found.name == name).coordinates
    kept = table[table["state"].eq("kept")]
    if kept["split"].eq("train").any():
        kept = kept[kept["split"].eq("train")]
    if kept.empty:
        raise DataError(f"no face was kept in {folder}; see the column state of its table")
    sample = kept.sample(min(count, len(kept)), random_state=seed)
    sample = sample.assign(set="", folder=str(folder))
    parts = []
    for start in range(0, len(sample), CHUNK):
        rows = load_faces(sample.iloc[start : start + CHUNK], model.recipe)
        parts.append(project(rows))
        if on_progress:
            on_progress(min(start + CHUNK, len(sample)), len(sample))
    Z = np.concatenate(parts).astype(np.float64)
    return FacePoints(Z, sample["label"].to_numpy(dtype=str), subject_names(sample), CROPS)
