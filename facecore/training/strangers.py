"""Decide on faces whose label was held out: how a model meets people whom it does not know."""

from collections.abc import Iterator, Sequence

import joblib
import numpy as np

from facecore.system.progress import track
from facecore.system.threads import on_one_thread
from facecore.system.workers import in_parallel
from facecore.training.calibrate import Calibration
from facecore.training.estimator import fit_planned
from facecore.training.grids import Candidate
from facecore.training.options import LESS, TrainingOptions

GROUPS = 5  # of labels, held out in turn
LEAST_LABELS = 3  # so that two are left when one is held out


def group_labels(y: np.ndarray, seed: int) -> np.ndarray:
    """Part labels into groups that are held out in turn.

    Parameters
    ----------
    y : ndarray of shape (n_faces,), str
        Label of each face.
    seed : int
        Of the draw, at least 0.

    Returns
    -------
    ndarray of shape (n_faces,), int
        Group of each face's label; at least two labels are outside each group.

    Examples
    --------
    >>> sorted(set(group_labels(np.array(["a", "b", "c", "a"]), seed=0).tolist()))
    [0, 1, 2]
    """
    labels, codes = np.unique(y, return_inverse=True)
    order = np.random.default_rng([seed, 17]).permutation(len(labels))
    return np.asarray((order % min(GROUPS, len(labels)))[codes])


def decide_strangers(
    X: np.ndarray,
    mirrored: np.ndarray | None,
    y: np.ndarray,
    subjects: np.ndarray,
    candidate: Candidate,
    options: TrainingOptions,
    space: str = "eigenfaces",
) -> np.ndarray:
    """Decide on each face by a machine that was fitted without all faces of its label.

    Parameters
    ----------
    X : ndarray of shape (n_faces, n_features), uint8 or float
        Features of the training faces.
    mirrored : ndarray of shape (n_faces, n_features), or None
        The same features of the mirror images, as further training data.
    y : ndarray of shape (n_faces,), str
        Labels, `LEAST_LABELS` or more.
    subjects : ndarray of shape (n_faces,)
        Who is in each photo.
    candidate : Candidate
        Hyperparameters.
    options : TrainingOptions
        Its seed, centres, jobs and progress are used.
    space : {"eigenfaces", "fisherfaces"}
        As `facecore.training.estimator.fit_planned` takes it.

    Returns
    -------
    ndarray of shape (n_faces, n_labels), float64
        Decision values, the mean over a face and its mirror image; minus infinity for the labels
        that the machine did not know, the face's own among them.

    Examples
    --------
    >>> X, y = np.random.default_rng(0).random((30, 8)), np.repeat(["a", "b", "c"], 10)
    >>> best = Candidate(n_components=4, gamma=0.1, C=1.0)
    >>> values = decide_strangers(X, None, y, np.arange(30), best, TrainingOptions())
    >>> np.isfinite(values[:, [0, 1, 2]]).mean(axis=0).round(2)
    array([0.67, 0.67, 0.67])
    """
    labels, groups = np.unique(y), group_labels(y, options.seed)
    values = np.full((len(y), len(labels)), -np.inf)
    parts = [groups == group for group in np.unique(groups)]
    how = candidate, options, space, ("hold labels out", "group")
    for held, decided in decide_in_turn(X, mirrored, y, subjects, parts, *how):
        known = np.isin(labels, np.unique(y[~held]))
        # Two labels have one output, above 0 for the second; each of more has an output of its own.
        one = decided.shape[1] == 1
        values[np.ix_(held, known)] = np.hstack([-decided, decided]) if one else decided
    return values


def decide_in_turn(
    X: np.ndarray,
    mirrored: np.ndarray | None,
    y: np.ndarray,
    subjects: np.ndarray,
    parts: Sequence[np.ndarray],
    candidate: Candidate,
    options: TrainingOptions,
    space: str,
    words: tuple[str, str],
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Decide on parts of the faces, each by a machine that was fitted without this part.

    Parameters
    ----------
    X : ndarray of shape (n_faces, n_features), uint8 or float
        Features of the training faces.
    mirrored : ndarray of shape (n_faces, n_features), or None
        The same features of the mirror images, as further training data.
    y : ndarray of shape (n_faces,), str
        Labels; two or more of them among the faces outside each part.
    subjects : ndarray of shape (n_faces,)
        Who is in each photo.
    parts : sequence of ndarray of shape (n_faces,), bool
        Faces that are held out in turn.
    candidate : Candidate
        Hyperparameters.
    options : TrainingOptions
        Its seed, centres, jobs and progress are used.
    space : {"eigenfaces", "fisherfaces"}
        As `facecore.training.estimator.fit_planned` takes it.
    words : tuple of str
        What the progress bar says: the step, and what a part is called.

    Yields
    ------
    part : ndarray of shape (n_faces,), bool
        In the order of `parts`.
    decided : ndarray of shape (n_held, n_outputs), float64
        Decision values of its faces, the mean over a face and its mirror image.

    Examples
    --------
    >>> X, y = np.random.default_rng(0).random((30, 8)), np.tile(["a", "b"], 15)
    >>> best, parts = Candidate(n_components=4, gamma=0.1, C=1.0), [np.arange(30) < 10]
    >>> how = best, TrainingOptions(), "eigenfaces", ("hold faces out", "part")
    >>> turns = decide_in_turn(X, None, y, np.arange(30), parts, *how)
    >>> [decided.shape for _, decided in turns]
    [(10, 1)]
    """
    tasks = (
        joblib.delayed(_decide_held_out)(X, mirrored, y, subjects, held, candidate, options, space)
        for held in parts
    )
    results = in_parallel(tasks, options.jobs, less=LESS)
    yield from zip(
        parts, track(results, len(parts), *words, progress=options.progress), strict=True
    )


@on_one_thread
def _decide_held_out(
    X: np.ndarray,
    mirrored: np.ndarray | None,
    y: np.ndarray,
    subjects: np.ndarray,
    held: np.ndarray,
    candidate: Candidate,
    options: TrainingOptions,
    space: str,
) -> np.ndarray:
    views = [X] if mirrored is None else [X, mirrored]
    first, *more = [view[~held] for view in views]
    known = more[0] if more else None
    member = fit_planned(first, known, y[~held], subjects[~held], candidate, options, space)
    values = [member.decide(member.coordinates(view[held])) for view in views]
    return np.asarray(np.mean(values, axis=0))


def join_strangers(calibration: Calibration, decisions: Sequence[np.ndarray]) -> np.ndarray:
    """Join the members' decisions on strangers as a model joins its members' decisions.

    Parameters
    ----------
    calibration : Calibration
        Of the model.
    decisions : sequence of ndarray of shape (n_faces, n_labels), float64
        As `decide_strangers` returns them, of each member.

    Returns
    -------
    ndarray of shape (n_faces, n_labels), float64
        Joint decisions; minus infinity for labels that the machines did not know.
    """
    known = np.isfinite(decisions[0])
    joint = calibration.join([np.where(known, values, 0.0) for values in decisions])
    return np.where(known, joint, -np.inf)
