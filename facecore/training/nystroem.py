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
from sklearn.model_selection import ParameterGrid
from sklearn.utils.class_weight import compute_sample_weight
from threadpoolctl import threadpool_limits

from facecore.data.splits import split_folds
from facecore.model.classifier import Member
from facecore.system.progress import track
from facecore.system.scratch import reserve_array
from facecore.training.anonymise import cluster_faces
from facecore.training.grids import PARAMETERS, parse_grid
from facecore.training.kernels import choose_labels, mirror_kernel
from facecore.training.options import LANDMARKS
from facecore.training.search import SearchResult, collect
from facecore.training.streaming import (
    FacesOnDisk,
    fit_eigenfaces,
    measure,
    merge_all,
    over_shards,
    row_chunks,
)

EXACT_UP_TO = 30_000


NEWTON_STEPS = 4


Views = list[np.ndarray]


def choose_solver(solver: str, faces: int) -> str:
    """Return which kernel machine is fitted to so many faces.

    Parameters
    ----------
    solver : str
        ``"exact"``, ``"nystroem"``, or ``"auto"``: exact up to `EXACT_UP_TO` faces.
    faces : int

    Returns
    -------
    str
        ``"exact"`` or ``"nystroem"``.
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
    intercept : ndarray of shape (n_outputs,), float64
    """

    coefficients: np.ndarray
    intercept: np.ndarray


def fit_machines(
    read: Callable[[np.ndarray], Views],
    rows: np.ndarray,
    landmarks: Views,
    gamma: float,
    y: np.ndarray,
    penalties: Sequence[tuple[float, str | None]],
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
        Training faces.
    landmarks : list of ndarray of shape (n_landmarks, n_components)
        One array a view.
    gamma : float
    y : ndarray of shape (n_faces,)
        Labels of all faces.
    penalties : sequence of (C, class_weight)
    jobs : int
        Worker processes; -1 for one a core. The result does not depend on it.

    Returns
    -------
    list of Machine
        One a penalty.
    """
    labels, kinds = y[rows], [kind for _, kind in penalties]
    classes = np.unique(labels)
    wanted = classes[1:] if len(classes) == 2 else classes
    signs = np.where(labels[:, None] == wanted, np.float32(1), np.float32(-1))
    weights = np.column_stack([compute_sample_weight(kind, labels) for kind in kinds])
    size = len(landmarks[0]) + 1
    inner = np.zeros((size, size))
    points = [view.astype(np.float64) for view in landmarks]
    inner[:-1, :-1] = mirror_kernel(points, points, gamma)
    solutions: np.ndarray | None = None
    for _ in range(NEWTON_STEPS):
        add_up = partial(_add_up, read, landmarks, gamma, kinds, solutions)
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


@threadpool_limits.wrap(limits=1)
def _add_up(
    read: Callable[[np.ndarray], Views],
    landmarks: Views,
    gamma: float,
    kinds: Sequence[str | None],
    solutions: np.ndarray | None,
    rows: np.ndarray,
    signs: np.ndarray,
    weights: np.ndarray,
) -> tuple[dict[Any, np.ndarray], np.ndarray]:
    """Return a shard's share of the normal equations of each penalty and label."""
    size = len(landmarks[0]) + 1
    grams: dict[Any, np.ndarray] = {}
    right = np.zeros((len(kinds), size, signs.shape[1]))
    for part in row_chunks(np.arange(len(rows))):
        K = np.ones((len(part), size), dtype=np.float32)
        K[:, :-1] = mirror_kernel(read(rows[part]), landmarks, gamma)
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
    groups: np.ndarray,
    grid: Mapping[str, Any],
    *,
    landmarks: int = LANDMARKS,
    folds: int = 5,
    seed: int = 0,
    jobs: int = 1,
    progress: bool = False,
) -> SearchResult:
    """Search the grid with Nystroem machines, everything fitted inside the fold.

    Parameters
    ----------
    faces : FacesOnDisk
    y, groups : ndarray of shape (n_faces,)
        Labels and persons.
    grid : mapping
        As `facecore.training.grids.parse_grid` takes it.
    landmarks, folds, seed : int
    jobs : int
        Worker processes; -1 for one a core. The result does not depend on it.
    progress : bool

    Returns
    -------
    SearchResult

    Raises
    ------
    DataError
    """
    grid = parse_grid(grid)
    splits = split_folds(y, groups, folds, seed)
    candidates = [{name: point[name] for name in PARAMETERS} for point in ParameterGrid(dict(grid))]
    kernels = sorted({tuple(c[n] for n in ("n_components", "whiten", "gamma")) for c in candidates})
    most = max(grid["n_components"])
    parallel = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered")
    # The validation faces of the folds are the shards; all others of them are measured together.
    shards = joblib.Parallel(n_jobs=jobs)(
        joblib.delayed(measure)(faces, test) for _, test in splits
    )
    with tempfile.TemporaryDirectory(prefix="spaces-", dir=faces.path.parent) as folder:
        files = [Path(folder) / f"fold-{i}.npy" for i in range(len(splits))]
        tasks = (
            joblib.delayed(_project)(
                faces, len(y), train, merge_all(s for j, s in enumerate(shards) if j != i),
                most, seed, files[i], i,
            )
            for i, (train, _) in enumerate(splits)
        )  # fmt: skip
        deviations = dict(track(parallel(tasks), len(splits), "eigenfaces", "fold", shown=progress))
        tasks = (
            joblib.delayed(_score)(
                i, files[i], deviations[i], y, split, kernel, candidates, landmarks, seed
            )
            for kernel in kernels
            for i, split in enumerate(splits)
        )
        return collect(parallel(tasks), candidates, splits, y, progress=progress)


def fit_nystroem(
    faces: FacesOnDisk,
    y: np.ndarray,
    groups: np.ndarray,
    params: Mapping[str, Any],
    *,
    landmarks: int = LANDMARKS,
    centres: int = 0,
    seed: int = 0,
    rows: np.ndarray | None = None,
    jobs: int = 1,
) -> Member:
    """Fit min-max, eigenfaces and a Nystroem machine to faces on disk.

    Parameters
    ----------
    faces : FacesOnDisk
    y, groups : ndarray of shape (n_faces,)
        Labels and persons.
    params : mapping
        n_components, whiten, C, gamma, class_weight.
    landmarks : int
        Faces that are landmarks, with their mirror images where these count.
    centres : int
        Landmarks are about so many cluster centres instead, as
        `facecore.training.anonymise.cluster_faces` makes them of a sample; 0 for faces.
    seed : int
    rows : ndarray of int, optional
        Training faces; all when left out.
    jobs : int
        Worker processes; -1 for one a core. The result does not depend on it.

    Returns
    -------
    Member

    Raises
    ------
    DataError
    """
    rows = np.arange(len(y)) if rows is None else rows
    with tempfile.TemporaryDirectory(prefix="space-", dir=faces.path.parent) as folder:
        total = measure(faces, rows, jobs)
        most, whiten = params["n_components"], params["whiten"]
        member = fit_eigenfaces(faces, rows, total, most, whiten, seed, jobs)
        file = Path(folder) / "coordinates.npy"
        _write_coordinates(member, faces, len(y), rows, file, jobs)
        if centres:
            sample = np.sort(np.random.default_rng(seed).choice(
                rows, min(len(rows), 8 * centres), replace=False))  # fmt: skip
            Z = _read(file, sample)[0]
            clusters = cluster_faces(Z, groups[sample], centres, seed)
            # stored in half precision, so fitted in it as well
            means = np.array([Z[c].mean(axis=0) for c in clusters], dtype=np.float16)
            points = [means.astype(np.float32)]
        else:
            points = _read(file, draw_landmarks(rows, landmarks, seed))
        penalty = params["C"], params["class_weight"]
        (machine,) = fit_machines(
            partial(_read, file), rows, points, params["gamma"], y, [penalty], jobs
        )
    shares = np.concatenate([machine.coefficients / len(points)] * len(points))
    return replace(
        member, kernel_vectors=means if centres else np.concatenate(points), coefficients=shares,
        intercept=machine.intercept, gamma=float(params["gamma"]),
    )  # fmt: skip


def draw_landmarks(rows: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Draw the faces that are landmarks.

    Parameters
    ----------
    rows : ndarray of int
        Training faces.
    count : int
        At most.
    seed : int

    Returns
    -------
    ndarray of int, ascending
    """
    rng = np.random.default_rng([seed, 11])
    return np.sort(rng.choice(rows, min(count, len(rows)), replace=False))


@threadpool_limits.wrap(limits=1)
def _project(
    faces: FacesOnDisk, count: int, train: np.ndarray, total: Any, most: int, seed: int,
    file: Path, fold: int,
) -> tuple[int, np.ndarray]:  # fmt: skip
    """Write the coordinates of all faces in the space of a fold; return their deviations."""
    member = fit_eigenfaces(faces, train, total, most, False, seed)
    _write_coordinates(member, faces, count, np.arange(count), file)
    return fold, np.sqrt(np.maximum(member.variance, 1e-12))


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


@threadpool_limits.wrap(limits=1)
def _project_shard(
    member: Member, faces: FacesOnDisk, rows: np.ndarray
) -> tuple[np.ndarray, list[np.ndarray]]:
    parts = [[member.coordinates(view) for view in faces.views(part)] for part in row_chunks(rows)]
    return rows, [np.concatenate(view) for view in zip(*parts, strict=True)]


def _read(file: Path, rows: np.ndarray, leading: int | None = None, divisor: Any = 1.0) -> Views:
    """Read each view's leading coordinates of some faces, divided by their deviations."""
    table = np.load(file, mmap_mode="r")
    return [np.array(view[rows, :leading]) / np.float32(divisor) for view in table]


@threadpool_limits.wrap(limits=1)
def _score(
    fold: int,
    file: Path,
    deviation: np.ndarray,
    y: np.ndarray,
    split: tuple[np.ndarray, np.ndarray],
    kernel: tuple[int, bool, float],
    candidates: Sequence[Mapping[str, Any]],
    landmarks: int,
    seed: int,
) -> list[tuple[int, int, tuple[float, float, float], np.ndarray]]:
    n, whiten, gamma = kernel
    train, test = split
    read = partial(_read, file, leading=n, divisor=deviation[:n] if whiten else 1.0)
    mine = [
        i
        for i, c in enumerate(candidates)
        if (c["n_components"], c["whiten"], c["gamma"]) == kernel
    ]
    start = time.perf_counter()
    drawn = draw_landmarks(train, landmarks, seed)
    points = read(drawn)
    penalties = [(candidates[i]["C"], candidates[i]["class_weight"]) for i in mine]
    machines = fit_machines(read, train, points, gamma, y, penalties)
    fitted = time.perf_counter()
    kernels = [mirror_kernel(read(part), points, gamma) for part in row_chunks(test)]
    results = []
    for i, machine in zip(mine, machines, strict=True):
        values = np.concatenate([K @ machine.coefficients + machine.intercept for K in kernels])
        score = balanced_accuracy_score(y[test], choose_labels(values, np.unique(y)))
        times = ((fitted - start) / len(mine), (time.perf_counter() - fitted) / len(mine))
        results.append((i, fold, (score, *times), values))
    return results
