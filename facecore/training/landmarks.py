"""Support vector machines on landmarks: sums of the kernel with a few points, not with all faces.

The Nystroem method (Williams and Seeger 2001): the penalty is that of the exact machine, restricted
to such sums. The points are training faces, or the means of several.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.linalg.blas import dsyrk

from facecore.system.threads import on_one_thread
from facecore.training.centres import cluster_faces, mean_faces
from facecore.training.kernels import mirror_kernel, weigh_faces
from facecore.training.options import TrainingOptions
from facecore.training.streaming import over_shards, row_chunks

PER_CENTRE = 8  # faces of the sample that is clustered, per centre
NEWTON_STEPS = 20  # at most
SETTLED = 0.003  # share of the faces whose margins may still change sides
SUMS_BYTES = 600e6  # of the machines that are fitted in the same passes
Views = list[np.ndarray]
Read = Callable[[np.ndarray], Views]
Sums = dict[int, np.ndarray]


@dataclass(frozen=True)
class Machine:
    """A linear combination of kernels with landmarks.

    Parameters
    ----------
    coefficients : ndarray of shape (n_landmarks, n_outputs), float64
        Of the kernel with each landmark, for each output.
    intercept : ndarray of shape (n_outputs,), float64
        Added to each output.
    """

    coefficients: np.ndarray
    intercept: np.ndarray


def choose_points(
    read: Read, rows: np.ndarray, subjects: np.ndarray, options: TrainingOptions
) -> tuple[Views, np.ndarray]:
    """Choose landmarks: some of the faces or, with centres, the means of clusters of them.

    Parameters
    ----------
    read : callable
        Takes row numbers of faces; returns the coordinates of each of their views.
    rows : ndarray of int
        Row numbers of the training faces.
    subjects : ndarray of shape (n_faces,)
        Who is in each photo, of all faces.
    options : TrainingOptions
        Its seed, landmarks and centres are used.

    Returns
    -------
    points : list of ndarray of shape (n_landmarks, n_components), float
        One array per view; centres have one view.
    stored : ndarray of shape (n_vectors, n_components), float
        The same as the kernel vectors of a model.

    Raises
    ------
    DataError
        There are too few faces or subjects for a cluster.
    """
    if not options.centres:
        rng = np.random.default_rng([options.seed, 11])
        count = min(options.landmarks, len(rows))
        points = read(np.sort(rng.choice(rows, count, replace=False)))
        return points, np.concatenate(points)
    count = min(len(rows), PER_CENTRE * options.centres)
    sample = np.sort(np.random.default_rng(options.seed).choice(rows, count, replace=False))
    Z = read(sample)[0]
    stored = mean_faces(Z, cluster_faces(Z, subjects[sample], options.centres, options.seed))
    return [stored.astype(Z.dtype)], stored


def fit_machines(
    read: Read,
    rows: np.ndarray,
    landmarks: Views,
    gamma: float,
    y: np.ndarray,
    penalties: Sequence[tuple[float, Any]],
    jobs: int = 1,
) -> list[Machine]:
    """Fit squared-hinge machines for several penalties in the same passes over the faces.

    Newton's method (Keerthi and DeCoste 2005): each step is a ridge regression on the faces whose
    margin is violated. Its sums of products add up over shards, and from the second step on only
    faces are added or taken away whose margin has changed sides.

    Parameters
    ----------
    read : callable
        Takes row numbers of faces; returns the coordinates of each of their views.
    rows : ndarray of int
        Row numbers of the training faces.
    landmarks : list of ndarray of shape (n_landmarks, n_components), float
        Coordinates of the landmarks, one array per view.
    gamma : float
        Width of the RBF kernel, above 0.
    y : ndarray of shape (n_faces,)
        Labels of all faces, of which the training faces have two or more.
    penalties : sequence of tuple of (float, object)
        C, above 0, and class weight, as `facecore.training.kernels.weigh_faces` takes it.
    jobs : int, default=1
        Worker processes; -1 for one per core. The result does not depend on it.

    Returns
    -------
    list of Machine
        One per penalty.
    """
    labels = y[rows]
    classes = np.unique(labels)
    wanted = classes[1:] if len(classes) == 2 else classes
    signs = np.where(labels[:, None] == wanted, 1.0, -1.0)
    kinds = list(dict.fromkeys(kind for _, kind in penalties))
    weights = np.column_stack([weigh_faces(kind, labels) for kind in kinds])
    points = [view.astype(np.float64) for view in landmarks]
    size = len(points[0]) + 1  # coefficients of a machine, the intercept last
    inner = _nothing(size)  # the penalty as a quadratic form; the intercept has none
    inner[:-1, :-1] = mirror_kernel(points, points, gamma)
    kernel_with = partial(_kernel_with, read, landmarks, gamma)
    # With nothing learnt every margin is violated, so one sum serves every C and label.
    add = partial(_add_all, kernel_with, size)
    grams, rights = _sum(over_shards(add, rows, signs, weights, jobs=jobs))
    targets = [
        _Target(C, kinds.index(kind), label)
        for C, kind in penalties
        for label in range(len(wanted))
    ]
    solutions = []
    for batch in row_chunks(np.arange(len(targets)), machines_at_once(size - 1)):
        some = [targets[i] for i in batch]
        mine = [t.label for t in some], [t.kind for t in some]
        gram = {i: grams[t.kind] for i, t in enumerate(some)}
        right = np.column_stack([rights[t.kind, :, t.label] for t in some])
        before, found = np.zeros(right.shape), _solve(gram, right, inner, some)
        for _ in range(NEWTON_STEPS - 1):
            # The loss is quadratic as long as the same margins are violated, so the minimum for
            # those that the last solution violates is the next one: a full Newton step.
            change_by = partial(_add_changes, kernel_with, before, found)
            shards = over_shards(change_by, rows, signs[:, mine[0]], weights[:, mine[1]], jobs=jobs)
            changes, change, moved = _sum(shards)
            going = np.flatnonzero(moved > SETTLED * len(rows))
            if not len(going):
                break
            gram |= {i: gram[i] + changes[i] for i in going.tolist()}
            right[:, going] += change[:, going]
            before[:, going] = found[:, going]
            found[:, going] = _solve(gram, right, inner, some, going)
        solutions += list(found.T)
    stacked = np.array(solutions).reshape(len(penalties), len(wanted), size)
    return [Machine(outputs[:, :-1].T, outputs[:, -1]) for outputs in stacked]


def machines_at_once(landmarks: int) -> int:
    """Return how many machines are fitted in the same passes, for the memory that their sums take.

    Parameters
    ----------
    landmarks : int
        Number of landmarks, 1 or more.

    Returns
    -------
    int
        1 or more.

    Examples
    --------
    >>> machines_at_once(1000), machines_at_once(8000)
    (74, 1)
    """
    return max(1, int(SUMS_BYTES // (8 * (landmarks + 1) ** 2)))


@dataclass(frozen=True)
class _Target:
    """What one output of one machine is fitted to: its penalty, class weight and label."""

    C: float
    kind: int
    label: int


def _solve(
    grams: Sums,
    right: np.ndarray,
    inner: np.ndarray,
    targets: Sequence[_Target],
    which: np.ndarray | None = None,
) -> np.ndarray:
    """Solve the normal equations of some targets, and return one column for each."""
    which = np.arange(len(targets)) if which is None else which
    found = np.empty((len(right), len(which)))
    for column, i in enumerate(which):
        equations = grams[i] + inner / (2 * targets[i].C)
        # Sums may miss being positive definite by their rounding.
        rounding = len(equations) * np.finfo(np.float64).eps * np.trace(equations)
        equations[np.diag_indices_from(equations)] += rounding
        factor = cho_factor(equations, overwrite_a=True, check_finite=False)
        found[:, column] = cho_solve(factor, right[:, i], check_finite=False)
    return found


def _kernel_with(read: Read, landmarks: Views, gamma: float, rows: np.ndarray) -> np.ndarray:
    """Return the kernel of some faces with the landmarks, and a column of ones."""
    K = np.ones((len(rows), len(landmarks[0]) + 1), dtype=np.float32)
    K[:, :-1] = mirror_kernel(read(rows), landmarks, gamma)
    return K


@on_one_thread
def _add_all(
    kernel_with: Callable[[np.ndarray], np.ndarray],
    size: int,
    rows: np.ndarray,
    signs: np.ndarray,
    weights: np.ndarray,
) -> tuple[Sums, np.ndarray]:
    """Return a shard's share of the normal equations of each class weight, with all its faces.

    The sums are in double precision: what single precision rounds off is more than the penalty of
    the directions in which landmarks hardly differ, and these tell labels apart.
    """
    kinds, outputs = weights.shape[1], signs.shape[1]
    grams: Sums = {kind: _nothing(size) for kind in range(kinds)}
    rights = np.zeros((kinds, size, outputs))
    for part in row_chunks(np.arange(len(rows))):
        K = kernel_with(rows[part])
        for kind in range(kinds):
            weight = weights[part, kind][:, None]
            grams[kind] = _add_products(grams[kind], K * np.sqrt(weight))
            rights[kind] += K.T @ (weight * signs[part])
    return grams, rights


@on_one_thread
def _add_changes(
    kernel_with: Callable[[np.ndarray], np.ndarray],
    before: np.ndarray,
    found: np.ndarray,
    rows: np.ndarray,
    signs: np.ndarray,
    weights: np.ndarray,
) -> tuple[Sums, np.ndarray, np.ndarray]:
    """Return what a shard changes in the equations of each target, and how many faces do.

    They are the faces whose margin one of two solutions violates; of zeros it violates all.
    """
    moves = []
    for part in row_chunks(np.arange(len(rows))):
        K = kernel_with(rows[part])
        moves.append(_violated(K, signs[part], found) - _violated(K, signs[part], before))
    moved = np.concatenate(moves)
    grams: Sums = {}
    right = np.zeros(found.shape)
    for i, way in product(range(found.shape[1]), (-1, 1)):
        for part in row_chunks(np.flatnonzero(moved[:, i] == way)):
            K, weight = kernel_with(rows[part]), weights[part, i]
            gram = grams[i] if i in grams else _nothing(len(found))
            grams[i] = _add_products(gram, K * np.sqrt(weight)[:, None], way)
            right[:, i] += way * (K.T @ (weight * signs[part, i]))
    return grams, right, np.count_nonzero(moved, axis=0)


def _nothing(size: int) -> np.ndarray:
    return np.zeros((size, size), order="F")


def _add_products(gram: np.ndarray, K: np.ndarray, way: int = 1) -> np.ndarray:
    """Add the products of the columns of K to the upper triangle of a matrix, in its place."""
    return np.asarray(dsyrk(way, K.T, beta=1.0, c=gram, overwrite_c=True))


def _violated(K: np.ndarray, signs: np.ndarray, solution: np.ndarray) -> np.ndarray:
    """Return 1 where a face's margin is violated and 0 elsewhere, with one column per target."""
    return np.asarray(signs * (K @ solution.astype(np.float32)) < 1).astype(int)


def _sum(shares: Iterator[Any]) -> Any:
    """Add up what shards return: sums by number, then arrays."""
    grams, *arrays = next(shares)
    for more, *further in shares:
        arrays = [one + other for one, other in zip(arrays, further, strict=True)]
        for key, gram in more.items():
            grams[key] = grams[key] + gram if key in grams else gram
    return grams, *arrays
