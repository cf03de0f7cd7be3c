"""A kernel machine for more faces than memory: landmarks, and sums over chunks of faces.

The Nystroem method (Williams and Seeger 2001): the machine is a weighted sum of the kernel with a
few landmarks instead of all faces, and its penalty is the exact one restricted to such sums.
"""

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from scipy.linalg import cho_factor, cho_solve
from sklearn.metrics import balanced_accuracy_score

from facecore.data.splits import split_for_search
from facecore.model.classifier import Member
from facecore.system.progress import track
from facecore.system.scratch import reserve_array
from facecore.system.threads import on_one_thread
from facecore.system.workers import in_parallel
from facecore.training.anonymise import cluster_faces, mean_faces
from facecore.training.grids import Candidate, expand_grid
from facecore.training.kernels import choose_labels, mirror_kernel, weigh_faces
from facecore.training.options import DEFAULT_OPTIONS, TrainingOptions
from facecore.training.search import FoldScore, Numbered, SearchResult, Split, collect
from facecore.training.streaming import (
    FacesOnDisk,
    Moments,
    fit_eigenfaces,
    measure,
    merge_all,
    over_shards,
    row_chunks,
)

EXACT_UP_TO = 30_000  # faces
NEWTON_STEPS = 4
PER_CENTRE = 8  # faces of the sample that is clustered, per centre
Views = list[np.ndarray]


def choose_solver(solver: str, faces: int) -> str:
    """Choose the solver for a given number of faces.

    Parameters
    ----------
    solver : {"auto", "exact", "nystroem"}
        ``"auto"``: exact up to `EXACT_UP_TO` faces.
    faces : int
        Number of training faces.

    Returns
    -------
    str
        ``"exact"`` or ``"nystroem"``.

    Examples
    --------
    >>> choose_solver("auto", 2_000), choose_solver("auto", 200_000)
    ('exact', 'nystroem')
    """
    if solver != "auto":
        return solver
    return "exact" if faces <= EXACT_UP_TO else "nystroem"


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


def fit_machines(
    read: Callable[[np.ndarray], Views],
    rows: np.ndarray,
    landmarks: Views,
    gamma: float,
    y: np.ndarray,
    penalties: Sequence[tuple[float, Any]],
    jobs: int = 1,
) -> list[Machine]:
    """Fit squared-hinge machines for several penalties in the same passes over the faces.

    Newton's method (Keerthi and DeCoste 2005): each step is a ridge regression on the faces whose
    margin is violated, from sums of products that add up over shards.

    Parameters
    ----------
    read : callable
        Takes row numbers of faces; returns the coordinates of each of their views.
    rows : ndarray of int
        Row numbers of the training faces.
    landmarks : list of ndarray of shape (n_landmarks, n_components), float32
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
    labels, kinds = y[rows], [kind for _, kind in penalties]
    classes = np.unique(labels)
    wanted = classes[1:] if len(classes) == 2 else classes
    signs = np.where(labels[:, None] == wanted, np.float32(1), np.float32(-1))
    weights = np.column_stack([weigh_faces(kind, labels) for kind in kinds])
    size = len(landmarks[0]) + 1  # coefficients of a machine, the intercept last
    inner = np.zeros((size, size))  # the penalty as a quadratic form; the intercept has none
    points = [view.astype(np.float64) for view in landmarks]
    inner[:-1, :-1] = mirror_kernel(points, points, gamma)
    kernel_with = partial(_kernel_with, read, landmarks, gamma)
    solutions: np.ndarray | None = None
    for _ in range(NEWTON_STEPS):
        # The loss is quadratic as long as the same margins are violated, so the minimum for the
        # margins that the last solution violates is the next solution: a full Newton step.
        add_up = partial(_add_up, kernel_with, size, kinds, solutions)
        grams, right = _sum(over_shards(add_up, rows, signs, weights, jobs=jobs))
        solutions = np.zeros(right.shape)
        for p, (C, kind) in enumerate(penalties):
            for o in range(len(wanted)):
                gram = grams[(p, o) if (p, o) in grams else kind] + inner / (2 * C)
                # sums in single precision may miss being positive definite by their rounding
                gram[np.diag_indices(size)] += np.finfo(np.float32).eps * np.trace(gram)
                solutions[p, :, o] = cho_solve(cho_factor(gram, overwrite_a=True), right[p, :, o])
    assert solutions is not None
    return [Machine(s[:-1], s[-1]) for s in solutions]


def _kernel_with(
    read: Callable[[np.ndarray], Views], landmarks: Views, gamma: float, rows: np.ndarray
) -> np.ndarray:
    """Return the kernel of some faces with the landmarks, and a column of ones."""
    K = np.ones((len(rows), len(landmarks[0]) + 1), dtype=np.float32)
    K[:, :-1] = mirror_kernel(read(rows), landmarks, gamma)
    return K


@on_one_thread
def _add_up(
    kernel_with: Callable[[np.ndarray], np.ndarray],
    size: int,
    kinds: Sequence[Any],
    solutions: np.ndarray | None,
    rows: np.ndarray,
    signs: np.ndarray,
    weights: np.ndarray,
) -> tuple[dict[Any, np.ndarray], np.ndarray]:
    """Return a shard's share of the normal equations of each penalty and label."""
    grams: dict[Any, np.ndarray] = {}
    right = np.zeros((len(kinds), size, signs.shape[1]))
    for part in row_chunks(np.arange(len(rows))):
        K = kernel_with(rows[part])
        added = set()
        for p, kind in enumerate(kinds):
            margins = None if solutions is None else K @ solutions[p].astype(np.float32)
            for o in range(signs.shape[1]):
                # with nothing learnt every margin is violated, so one sum serves every C and label
                key = kind if margins is None else (p, o)
                sign, weight = signs[part, o], weights[part, p]
                active: Any = slice(None)
                if margins is not None:
                    active = np.flatnonzero(sign * margins[:, o] < 1)
                sign, weight, violated = sign[active], weight[active], K[active]
                right[p, :, o] += violated.T @ (weight * sign).astype(np.float32)
                if key not in added:
                    added.add(key)
                    violated = violated * np.sqrt(weight, dtype=np.float32)[:, None]
                    gram = violated.T @ violated
                    grams[key] = grams[key] + gram if key in grams else gram.astype(float)
    return grams, right


def _sum(
    shares: Iterator[tuple[dict[Any, np.ndarray], np.ndarray]],
) -> tuple[dict[Any, np.ndarray], np.ndarray]:
    grams, right = next(shares)
    for more, further in shares:
        right += further
        for key, gram in more.items():
            grams[key] += gram
    return grams, right


def nystroem_search(
    faces: FacesOnDisk,
    y: np.ndarray,
    subjects: np.ndarray,
    grid: Mapping[str, Any],
    *,
    chooses: np.ndarray | None = None,
    folds: int = 5,
    options: TrainingOptions = DEFAULT_OPTIONS,
) -> SearchResult:
    """Search the grid with Nystroem machines, everything fitted inside the fold.

    Parameters
    ----------
    faces : FacesOnDisk
        Where the faces are, and what is read of them.
    y : ndarray of shape (n_faces,)
        Labels, two or more.
    subjects : ndarray of shape (n_faces,)
        Who is in each photo: a subject is in one fold only.
    grid : mapping of str to list
        As `facecore.training.grids.parse_grid` takes it.
    chooses : ndarray of shape (n_faces,), bool, optional
        Faces of the val split: never fitted, they are one more fold of the score.
    folds : int, default=5
        Number of folds, 2 or more; fewer where a label has fewer subjects.
    options : TrainingOptions, optional
        Its seed, jobs, landmarks and progress are used. The result does not depend on the jobs.

    Returns
    -------
    SearchResult
        The table of candidates, the best of them, and its decisions out of fold.

    Raises
    ------
    DataError
        The grid cannot be used, or the faces cannot be split into folds.
    """
    candidates = expand_grid(grid)
    return nystroem_scores(
        faces, y, subjects, candidates, chooses=chooses, folds=folds, options=options
    )


def nystroem_scores(
    faces: FacesOnDisk,
    y: np.ndarray,
    subjects: np.ndarray,
    candidates: Sequence[Candidate],
    *,
    chooses: np.ndarray | None = None,
    folds: int = 5,
    options: TrainingOptions = DEFAULT_OPTIONS,
) -> SearchResult:
    """Score candidates with Nystroem machines, everything fitted inside the fold.

    Parameters
    ----------
    faces : FacesOnDisk
        Where the faces are, and what is read of them.
    y : ndarray of shape (n_faces,)
        Labels, two or more.
    subjects : ndarray of shape (n_faces,)
        Who is in each photo: a subject is in one fold only.
    candidates : sequence of Candidate
        One or more.
    chooses : ndarray of shape (n_faces,), bool, optional
        As `nystroem_search` takes it.
    folds : int, default=5
        As `nystroem_search` takes it.
    options : TrainingOptions, optional
        As `nystroem_search` takes it.

    Returns
    -------
    SearchResult
        As `nystroem_search` returns it.

    Raises
    ------
    DataError
        The faces cannot be split into folds.
    """
    splits = split_for_search(y, subjects, folds, options.seed, chooses)
    fitted = len(splits) - (chooses is not None and bool(chooses.any()))
    kernels = sorted({_kernel_of(candidate) for candidate in candidates})
    most = max(candidate.n_components for candidate in candidates)
    parallel = partial(in_parallel, jobs=options.jobs, ordered=False, less="fewer --landmarks")
    # The validation faces of the folds are the shards; all others of them are measured together.
    # Those of the val split, the last one, are in none of these sums.
    tests = (joblib.delayed(measure)(faces, test) for _, test in splits[:fitted])
    shards = list(in_parallel(tests, options.jobs))
    with tempfile.TemporaryDirectory(prefix="spaces-", dir=faces.path.parent) as folder:
        files = [Path(folder) / f"fold-{i}.npy" for i in range(len(splits))]
        totals = [
            merge_all(shard for j, shard in enumerate(shards) if j != i) for i in range(len(splits))
        ]
        projections = (
            joblib.delayed(_project)(faces, len(y), train, total, most, options.seed, file)
            for (train, _), total, file in zip(splits, totals, files, strict=True)
        )
        deviations = dict(
            track(
                parallel(projections), len(splits), "eigenfaces", "fold", progress=options.progress
            )
        )
        scores = (
            joblib.delayed(_score)(
                fold, files[fold], deviations[files[fold]], y, split, mine, options
            )
            for mine in _group(candidates, kernels)
            for fold, split in enumerate(splits)
        )
        return collect(parallel(scores), candidates, splits, y, progress=options.progress)


def _kernel_of(candidate: Candidate) -> tuple[int, bool, float]:
    return candidate.n_components, candidate.whiten, candidate.gamma


def _group(
    candidates: Sequence[Candidate], kernels: Sequence[tuple[int, bool, float]]
) -> list[list[Numbered]]:
    """Group numbered candidates by their kernels, so that each kernel is computed once."""
    return [
        [(i, c) for i, c in enumerate(candidates) if _kernel_of(c) == kernel] for kernel in kernels
    ]


def fit_nystroem(
    faces: FacesOnDisk,
    y: np.ndarray,
    subjects: np.ndarray,
    candidate: Candidate,
    *,
    rows: np.ndarray | None = None,
    options: TrainingOptions = DEFAULT_OPTIONS,
) -> Member:
    """Fit min-max, eigenfaces and a Nystroem machine to faces on disk.

    Parameters
    ----------
    faces : FacesOnDisk
        Where the faces are, and what is read of them.
    y : ndarray of shape (n_faces,)
        Labels, two or more.
    subjects : ndarray of shape (n_faces,)
        Who is in each photo; used with centres only.
    candidate : Candidate
        Hyperparameters.
    rows : ndarray of int, optional
        Row numbers of the training faces; all faces if None.
    options : TrainingOptions, optional
        Its seed, jobs, landmarks and centres are used: with centres, the landmarks are about so
        many cluster centres of a sample of the faces, as `cluster_faces` makes them. The result
        does not depend on the jobs.

    Returns
    -------
    Member
        Of default name; its features are those of `faces`.

    Raises
    ------
    DataError
        There are too few faces or subjects for a cluster.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.integers(0, 100, (40, 25), dtype=np.uint8)
    >>> X[20:, :9] += 60  # squares are brighter there
    >>> y, subjects = np.repeat(["round", "square"], 20), np.arange(40)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(f"{folder}/faces.npy", X)
    ...     faces = FacesOnDisk(Path(folder) / "faces.npy")
    ...     best = Candidate(n_components=5, gamma=0.1, C=1.0)
    ...     options = TrainingOptions(landmarks=10)
    ...     member = fit_nystroem(faces, y, subjects, best, options=options)
    >>> member.kernel_vectors.shape
    (10, 5)
    """
    rows = np.arange(len(y)) if rows is None else rows
    seed, jobs = options.seed, options.jobs
    with tempfile.TemporaryDirectory(prefix="space-", dir=faces.path.parent) as folder:
        total = measure(faces, rows, jobs)
        most, whiten = candidate.n_components, candidate.whiten
        member = fit_eigenfaces(faces, rows, total, most, whiten, seed, jobs)
        file = Path(folder) / "coordinates.npy"
        _write_coordinates(member, faces, len(y), rows, file, jobs)
        if options.centres:
            count = min(len(rows), PER_CENTRE * options.centres)
            sample = np.sort(np.random.default_rng(seed).choice(rows, count, replace=False))
            Z = _read(file, sample)[0]
            stored = mean_faces(Z, cluster_faces(Z, subjects[sample], options.centres, seed))
            points = [stored.astype(np.float32)]
        else:
            points = _read(file, draw_landmarks(rows, options.landmarks, seed))
            stored = np.concatenate(points)
        penalty = candidate.C, candidate.class_weight
        (machine,) = fit_machines(
            partial(_read, file), rows, points, candidate.gamma, y, [penalty], jobs
        )
    # The kernel with a landmark is the mean over its views, so each view has a share.
    return replace(
        member,
        kernel_vectors=stored,
        coefficients=np.concatenate([machine.coefficients / len(points)] * len(points)),
        intercept=machine.intercept,
        gamma=float(candidate.gamma),
    )


def draw_landmarks(rows: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Draw the faces that are landmarks.

    Parameters
    ----------
    rows : ndarray of int
        Row numbers of the training faces.
    count : int
        Number of landmarks, at most.
    seed : int
        Seed of the draw.

    Returns
    -------
    ndarray of int, ascending
        Row numbers of the landmarks.
    """
    rng = np.random.default_rng([seed, 11])
    return np.sort(rng.choice(rows, min(count, len(rows)), replace=False))


@on_one_thread
def _project(
    faces: FacesOnDisk,
    count: int,
    train: np.ndarray,
    total: Moments,
    most: int,
    seed: int,
    file: Path,
) -> tuple[Path, np.ndarray]:
    """Write the coordinates of all faces in the space of a fold; return their deviations."""
    member = fit_eigenfaces(faces, train, total, most, False, seed)
    _write_coordinates(member, faces, count, np.arange(count), file)
    return file, np.sqrt(np.maximum(member.variance, 1e-12))


def _write_coordinates(
    member: Member, faces: FacesOnDisk, count: int, rows: np.ndarray, file: Path, jobs: int = 1
) -> None:
    shape = (1 + faces.mirrored, count, len(member.components))
    reserve_array(file, shape, np.float32)
    shares = over_shards(partial(_project_shard, member, faces), rows, jobs=jobs)
    # One process writes: pages of a file that several machines change may lose what one wrote.
    for part, views in shares:
        table = np.load(file, mmap_mode="r+")
        for v, view in enumerate(views):
            table[v, part] = view


@on_one_thread
def _project_shard(
    member: Member, faces: FacesOnDisk, rows: np.ndarray
) -> tuple[np.ndarray, list[np.ndarray]]:
    parts = [[member.coordinates(view) for view in faces.views(part)] for part in row_chunks(rows)]
    return rows, [np.concatenate(view) for view in zip(*parts, strict=True)]


def _read(file: Path, rows: np.ndarray, leading: int | None = None, divisor: Any = 1.0) -> Views:
    """Read each view's leading coordinates of some faces, divided by their deviations."""
    table = np.load(file, mmap_mode="r")
    return [np.array(view[rows, :leading]) / np.float32(divisor) for view in table]


@on_one_thread
def _score(
    fold: int,
    file: Path,
    deviation: np.ndarray,
    y: np.ndarray,
    split: Split,
    candidates: Sequence[Numbered],
    options: TrainingOptions,
) -> list[FoldScore]:
    """Score numbered candidates that share a kernel, all fitted in the same passes."""
    n, whiten, gamma = _kernel_of(candidates[0][1])
    train, test = split
    read = partial(_read, file, leading=n, divisor=deviation[:n] if whiten else 1.0)
    start = time.perf_counter()
    points = read(draw_landmarks(train, options.landmarks, options.seed))
    penalties = [(candidate.C, candidate.class_weight) for _, candidate in candidates]
    machines = fit_machines(read, train, points, gamma, y, penalties)
    fitted = time.perf_counter()
    kernels = [mirror_kernel(read(part), points, gamma) for part in row_chunks(test)]
    results = []
    for (i, _), machine in zip(candidates, machines, strict=True):
        values = np.concatenate([K @ machine.coefficients + machine.intercept for K in kernels])
        score = balanced_accuracy_score(y[test], choose_labels(values, np.unique(y)))
        # The passes are shared, so each candidate has an equal share of their time.
        times = (fitted - start) / len(machines), (time.perf_counter() - fitted) / len(machines)
        results.append(FoldScore(i, fold, score, *times, values))
    return results
