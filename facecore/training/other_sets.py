"""Decide on the faces of a data set by machines of the others: photos of another kind."""

from typing import TypedDict

import numpy as np
from sklearn.metrics import balanced_accuracy_score

from facecore.evaluation.intervals import wilson
from facecore.training.grids import Candidate
from facecore.training.kernels import choose_labels
from facecore.training.options import TrainingOptions
from facecore.training.strangers import decide_in_turn

LEAST_FACES = 200  # of a data set that is left out


class OtherSetMetadata(TypedDict):
    """How often the faces of a data set are right when it is left out, and within the whole.

    Shares are in [0, 1], intervals are Wilson's of 95%. `within` is the out-of-fold accuracy on
    the same faces, by machines that were fitted to other subjects of all data sets.
    """

    set: str
    faces: int
    accuracy: float
    interval: tuple[float, float]
    balanced_accuracy: float
    within: float
    interval_within: tuple[float, float]
    balanced_within: float


def choose_sets(sets: np.ndarray, y: np.ndarray) -> list[str]:
    """Choose the data sets that can be left out in turn.

    Parameters
    ----------
    sets : ndarray of shape (n_faces,), str
        Data set of each training face.
    y : ndarray of shape (n_faces,), str
        Label of each face.

    Returns
    -------
    list of str
        Those with at least `LEAST_FACES` faces and with every label, sorted; empty unless there
        are two or more, so that one of them is always left to be fitted to.

    Examples
    --------
    >>> sets, y = np.repeat(["x", "y", "z"], [200, 300, 50]), np.tile(["a", "b"], 275)
    >>> choose_sets(sets, y)
    ['x', 'y']
    >>> choose_sets(sets[:250], y[:250])
    []
    """
    count = len(np.unique(y))
    chosen = [
        str(name)
        for name in np.unique(sets)
        if (sets == name).sum() >= LEAST_FACES and len(np.unique(y[sets == name])) == count
    ]
    return chosen if len(chosen) > 1 else []


def decide_sets(
    X: np.ndarray,
    mirrored: np.ndarray | None,
    y: np.ndarray,
    subjects: np.ndarray,
    sets: np.ndarray,
    candidate: Candidate,
    options: TrainingOptions,
    space: str = "eigenfaces",
) -> np.ndarray:
    """Decide on the faces of each data set by a machine that was fitted to the other data sets.

    Parameters
    ----------
    X : ndarray of shape (n_faces, n_features), uint8 or float
        Features of the training faces.
    mirrored : ndarray of shape (n_faces, n_features), or None
        The same features of the mirror images, as further training data.
    y : ndarray of shape (n_faces,), str
        Labels.
    subjects : ndarray of shape (n_faces,)
        Who is in each photo.
    sets : ndarray of shape (n_faces,), str
        Data set of each face.
    candidate : Candidate
        Hyperparameters.
    options : TrainingOptions
        Its seed, centres, jobs and progress are used.
    space : {"eigenfaces", "fisherfaces"}
        As `facecore.training.estimator.fit_planned` takes it.

    Returns
    -------
    ndarray of shape (n_faces, n_outputs), float64
        Decision values, the mean over a face and its mirror image; one output for two labels,
        otherwise one per label. NaN for the faces of data sets that `choose_sets` leaves.

    Examples
    --------
    >>> X, y = np.random.default_rng(0).random((500, 8)), np.tile(["a", "b"], 250)
    >>> sets = np.repeat(["x", "y", "z"], [200, 200, 100])
    >>> best = Candidate(n_components=4, gamma=0.1, C=1.0)
    >>> values = decide_sets(X, None, y, np.arange(500), sets, best, TrainingOptions())
    >>> values.shape, int(np.isfinite(values).sum())
    ((500, 1), 400)
    """
    chosen, labels = choose_sets(sets, y), len(np.unique(y))
    values = np.full((len(y), 1 if labels == 2 else labels), np.nan)
    parts = [sets == name for name in chosen]
    how = candidate, options, space, ("leave data sets out", "set")
    for held, decided in decide_in_turn(X, mirrored, y, subjects, parts, *how):
        values[held] = decided
    return values


def describe_sets(
    joint: np.ndarray, within: np.ndarray, y: np.ndarray, sets: np.ndarray
) -> list[OtherSetMetadata]:
    """Count how many faces are right when their data set is left out, and out of fold.

    Parameters
    ----------
    joint : ndarray of shape (n_faces, n_outputs), float64
        Decisions of the members, as `decide_sets` returns them, joined by the calibration of the
        whole model. Faces with NaN are not counted.
    within : ndarray of shape (n_faces, n_outputs), float64
        Out of fold, as `facecore.training.calibrate.cross_calibrate` returns them.
    y : ndarray of shape (n_faces,), str
        Labels.
    sets : ndarray of shape (n_faces,), str
        Data set of each face.

    Returns
    -------
    list of OtherSetMetadata
        One per data set that was left out, sorted by name.

    Examples
    --------
    >>> y, sets = np.array(["a", "b", "a", "b"]), np.array(["x", "x", "y", "y"])
    >>> joint, within = np.array([[-1.0], [-2], [-3], [1]]), np.array([[-1.0], [1], [-1], [1]])
    >>> [(found["accuracy"], found["within"]) for found in describe_sets(joint, within, y, sets)]
    [(0.5, 1.0), (1.0, 1.0)]
    """
    labels, decided = np.unique(y), np.isfinite(joint).all(axis=1)
    described: list[OtherSetMetadata] = []
    for name in np.unique(sets[decided]):
        own = decided & (sets == name)
        accuracy, interval, balanced = _score(joint[own], y[own], labels)
        inside, interval_inside, balanced_inside = _score(within[own], y[own], labels)
        described.append(
            {
                "set": str(name),
                "faces": int(own.sum()),
                "accuracy": accuracy,
                "interval": interval,
                "balanced_accuracy": balanced,
                "within": inside,
                "interval_within": interval_inside,
                "balanced_within": balanced_inside,
            }
        )
    return described


def _score(
    decisions: np.ndarray, y: np.ndarray, labels: np.ndarray
) -> tuple[float, tuple[float, float], float]:
    """Return accuracy, its interval, and balanced accuracy."""
    answers = choose_labels(decisions, labels)
    right = int((answers == y).sum())
    low, high = wilson(right, len(y))
    balanced = float(balanced_accuracy_score(y, answers))
    return round(right / len(y), 4), (round(low, 4), round(high, 4)), round(balanced, 4)
