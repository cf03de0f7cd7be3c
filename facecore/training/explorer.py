"""Fit one candidate again on points of face space, in a moment: a hyperparameter explorer."""

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
from facecore.data.splits import split_folds, subjects
from facecore.errors import DataError
from facecore.model.classifier import FaceModel
from facecore.training.kernels import choose_labels, decide, fit_svm, rbf
from facecore.training.points import CROPS, SAMPLE, FacePoints

CHUNK = 250


@dataclass(frozen=True)
class Refit:
    """What cross-validation of one candidate found.

    Parameters
    ----------
    scores : ndarray of shape (n_folds,), float64
        Balanced accuracy.
    support_vectors : ndarray of shape (n_folds,), int
        Training faces that became support vectors.
    training_faces : ndarray of shape (n_folds,), int
    margins : ndarray of shape (n_faces,), float64
        Out of fold: with two labels the decision towards the true label, with more the decision
        for the true label minus the largest other one. Below 0 the answer is wrong.
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
    """Cross-validate one candidate on points of face space, a person in one fold only.

    The eigenfaces are the model's and not fitted again inside the folds, as `grid_search` does.

    Parameters
    ----------
    points : FacePoints
    params : mapping
        n_components, C, gamma, class_weight; the leading coordinates are used, all of them where
        the points have fewer.
    folds, seed : int
        As `facecore.data.splits.split_folds` takes them.
    on_fold : callable, optional
        Called with folds done and folds in all.

    Returns
    -------
    Refit

    Raises
    ------
    DataError
        The points cannot be split into folds.
    """
    Z, y, classes = points.Z[:, : params["n_components"]], points.y, np.unique(points.y)
    splits = split_folds(y, points.groups, folds, seed)
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
    """Return how far each face is on the right side.

    Parameters
    ----------
    decisions : ndarray of shape (n_faces, n_outputs)
    y : ndarray of shape (n_faces,)
    classes : ndarray of shape (n_labels,)

    Returns
    -------
    ndarray of shape (n_faces,), float64
    """
    true = y[:, None] == classes
    if decisions.shape[1] == 1:
        return np.where(true[:, 1], decisions[:, 0], -decisions[:, 0])
    return decisions[true] - np.where(true, -np.inf, decisions).max(axis=1)


def _count_support(machine: SVC | OneVsRestClassifier) -> int:
    machines = machine.estimators_ if isinstance(machine, OneVsRestClassifier) else [machine]
    return len(np.unique(np.concatenate([m.support_ for m in machines])))


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
        Made by crop.
    table : DataFrame
        As `facecore.data.crops.read_table` returns it; of a folder with splits only train is used.
    model : FaceModel
    member : str, optional
        Its name; the leading one when left out.
    count : int
        At most so many faces.
    seed : int
    on_progress : callable, optional
        Called with faces done and faces in all.

    Returns
    -------
    FacePoints

    Raises
    ------
    DataError
        No face was kept, a crop is missing or damaged, or they were cut in another way than the
        model's recipe cuts them.
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
    return FacePoints(Z, sample["label"].to_numpy(dtype=str), subjects(sample), CROPS)
