"""A kernel machine for more faces than memory: landmarks, and faces that stay on disk."""

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import joblib
import numpy as np

from facecore.data.splits import split_for_search
from facecore.model.classifier import Member
from facecore.system.progress import track
from facecore.system.scratch import reserve_array
from facecore.system.threads import on_one_thread
from facecore.system.workers import in_parallel
from facecore.training.grids import Candidate, expand_grid
from facecore.training.kernels import mirror_kernel
from facecore.training.landmarks import Views, choose_points, fit_machines
from facecore.training.options import DEFAULT_OPTIONS, TrainingOptions
from facecore.training.search import FoldResult, Numbered, SearchResult, Split, collect
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
                fold, files[fold], deviations[files[fold]], y, subjects, split, mine, options
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
        points, stored = choose_points(partial(_read, file), rows, subjects, options)
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
    subjects: np.ndarray,
    split: Split,
    candidates: Sequence[Numbered],
    options: TrainingOptions,
) -> list[FoldResult]:
    """Score numbered candidates that share a kernel, all fitted in the same passes."""
    n, whiten, gamma = _kernel_of(candidates[0][1])
    train, test = split
    read = partial(_read, file, leading=n, divisor=deviation[:n] if whiten else 1.0)
    start = time.perf_counter()
    points, _ = choose_points(read, train, subjects, options)
    penalties = [(candidate.C, candidate.class_weight) for _, candidate in candidates]
    machines = fit_machines(read, train, points, gamma, y, penalties)
    fitted = time.perf_counter()
    kernels = [mirror_kernel(read(part), points, gamma) for part in row_chunks(test)]
    results = []
    for (i, _), machine in zip(candidates, machines, strict=True):
        values = np.concatenate([K @ machine.coefficients + machine.intercept for K in kernels])
        # The passes are shared, so each candidate has an equal share of their time.
        times = (fitted - start) / len(machines), (time.perf_counter() - fitted) / len(machines)
        results.append(FoldResult(i, fold, *times, values))
    return results
