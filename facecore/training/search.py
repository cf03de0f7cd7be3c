"""Grid search over face space that computes shared work once."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import joblib
import numpy as np
import pandas as pd
from sklearn import config_context
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import ParameterGrid
from sklearn.svm import SVC
from sklearn.utils.class_weight import compute_sample_weight
from threadpoolctl import threadpool_limits

from facecore.data.splits import split_folds
from facecore.system.progress import step, track
from facecore.training.eigenfaces import as_float, fit_space
from facecore.training.grids import PARAMETERS, parse_grid
from facecore.training.kernels import (
    choose_labels,
    decide,
    fit_svm,
    is_free,
    kernel_of_bands,
    mean_kernel,
    mirror_kernel,
    squared_distances,
    training_bands,
)

MEMORY_MB = 4000.0


TASKS = 2  # for each worker, so that none waits long for another at the end


Space = tuple[list[np.ndarray], list[np.ndarray], np.ndarray]


Score = tuple[int, int, tuple[float, float, float], np.ndarray]


@dataclass(frozen=True)
class SearchResult:
    """What a grid search found.

    Parameters
    ----------
    table : DataFrame
        One row a candidate in the shape of scikit-learn's ``cv_results_``: param_*,
        split*_test_score, mean_test_score, std_test_score, rank_test_score, mean_fit_time,
        std_fit_time, mean_score_time, std_score_time (seconds; steps that candidates share
        are not counted).
    best : dict
        Parameters of the best candidate.
    decisions : ndarray of shape (n_faces, n_outputs), float64
        Out-of-fold decision values of the best candidate.
    """

    table: pd.DataFrame
    best: dict[str, Any]
    decisions: np.ndarray


def grid_search(
    X: np.ndarray,
    y: np.ndarray,
    groups: np.ndarray,
    grid: Mapping[str, Any],
    *,
    folds: int = 5,
    seed: int = 0,
    jobs: int = 1,
    memory_mb: float = MEMORY_MB,
    mirrored: np.ndarray | None = None,
    progress: bool = False,
) -> SearchResult:
    """Search min-max, PCA and SVM together, everything fitted inside the fold.

    Nothing is computed twice: one PCA a fold serves every smaller number of components (its
    leading ones are the smaller PCA), one matrix of distances every gamma, one kernel matrix every
    C and class weight, and a machine with no coefficient at its bound every larger C.

    Parameters
    ----------
    X : ndarray of shape (n_faces, n_features)
    y, groups : ndarray of shape (n_faces,)
        Labels and persons.
    grid : mapping
        As `parse_grid` takes it.
    folds, seed : int
    jobs : int
        Worker processes; -1 for one a core. The result does not depend on it.
    memory_mb : float
        Bound on the matrices of all workers together, in MB: fewer workers run, and distances are
        computed again for each gamma, where they would not fit. The result does not depend on it.
    mirrored : ndarray of shape (n_faces, n_features), optional
        The same features of the mirror images: train on both, and score the mean decision over
        a face and its mirror image, as the model will decide.
    progress : bool
        Show a progress bar on standard error.

    Returns
    -------
    SearchResult

    Raises
    ------
    DataError
    """
    grid = parse_grid(grid)
    splits = split_folds(y, groups, folds, seed)
    codes = np.unique(y, return_inverse=True)[1]
    candidates = [{name: point[name] for name in PARAMETERS} for point in ParameterGrid(dict(grid))]
    most = max(grid["n_components"])
    workers = joblib.effective_n_jobs(jobs)
    plan = plan_memory(
        max(len(train) for train, _ in splits), max(len(test) for _, test in splits), X.shape[1],
        1 if mirrored is None else 2, as_float(X[:1]).itemsize, jobs=workers, memory_mb=memory_mb,
    )  # fmt: skip
    spaces = dict(
        track(
            joblib.Parallel(n_jobs=plan.fitters, return_as="generator_unordered")(
                joblib.delayed(_project)(i, X, split, most, seed, mirrored)
                for i, split in enumerate(splits)
            ),
            len(splits), "eigenfaces", "fold", shown=progress,
        )
    )  # fmt: skip
    tasks = [
        joblib.delayed(_score_gammas)(fold, spaces[fold], codes, splits[fold], group, plan)
        for group in _group(candidates, -(-TASKS * plan.scorers // len(splits)))
        for fold in range(len(splits))
    ]
    parallel = joblib.Parallel(n_jobs=plan.scorers, return_as="generator_unordered")
    return collect(parallel(tasks), candidates, splits, y, progress=progress)


def collect(
    results: Iterable[list[Score]],
    candidates: Sequence[Mapping[str, Any]],
    splits: Sequence[tuple[np.ndarray, np.ndarray]],
    y: np.ndarray,
    *,
    progress: bool = False,
) -> SearchResult:
    """Gather what the tasks of a search return, in any order.

    Parameters
    ----------
    results : iterable of list of tuple
        Candidate's number, fold, (score, seconds to fit, seconds to score), and the decision
        values of the validation faces.
    candidates : sequence of mapping
    splits : sequence of tuple of ndarray
    y : ndarray of shape (n_faces,)
    progress : bool

    Returns
    -------
    SearchResult
    """
    outputs = len(np.unique(y))
    scores = np.full((len(candidates), len(splits), 3), np.nan)
    decisions = np.zeros((len(candidates), len(y), 1 if outputs == 2 else outputs))
    with step("grid search", len(candidates) * len(splits), "fit", shown=progress) as advance:
        for found in results:
            for candidate, fold, numbers, values in found:
                scores[candidate, fold] = numbers
                decisions[candidate, splits[fold][1]] = values
            best_mean = float(np.fmax.reduce(scores[:, :, 0].mean(axis=1)))
            advance(len(found), best=None if np.isnan(best_mean) else best_mean)
    table = _tabulate(candidates, scores)
    best = int(table["rank_test_score"].argmin())
    return SearchResult(table, dict(candidates[best]), decisions[best])


def _group(
    candidates: Sequence[Mapping[str, Any]], least: int
) -> list[list[tuple[int, Mapping[str, Any]]]]:
    """Group numbered candidates by n_components and whiten, and by gamma if groups are too few."""
    numbered = list(enumerate(candidates))
    # The longest first, so that the workers end together.
    spaces = sorted({(c["n_components"], c["whiten"]) for c in candidates}, reverse=True)
    gammas = sorted({c["gamma"] for c in candidates})
    parts = min(len(gammas), -(-least // len(spaces)))
    return [
        [(i, c) for i, c in numbered
         if (c["n_components"], c["whiten"]) == space and c["gamma"] in gammas[part::parts]]
        for space in spaces
        for part in range(parts)
    ]  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """How a search shares memory among its workers.

    Parameters
    ----------
    fitters, scorers : int
        Workers that fit eigenfaces, and that fit machines.
    keep : bool
        Distances are kept for all gamma, not computed again for each.
    cache_mb : float
        Of each machine's cache of kernel rows, in MB.
    """

    fitters: int
    scorers: int
    keep: bool
    cache_mb: float


def plan_memory(
    n_train: int,
    n_test: int,
    n_features: int,
    views: int,
    item: int,
    *,
    jobs: int,
    memory_mb: float,
) -> Plan:
    """Decide how many workers there are and what they keep, within a bound on memory.

    Parameters
    ----------
    n_train, n_test, n_features, views : int
        Of a fold; 2 views with mirror images.
    item : int
        Bytes of a feature and of a distance.
    jobs : int
        Workers that are wanted, 1 or more.
    memory_mb : float
        For all workers together, in MB. One worker that computes distances anew for each gamma is
        the least.

    Returns
    -------
    Plan
    """
    total = memory_mb * 1e6
    space = 2 * item * views * n_train * n_features  # features, and scaled ones
    kernels = 8 * n_train**2 + (8 + item) * n_train * n_test
    distances = item * views**2 * (n_train**2 // 2 + n_train * n_test)
    cache = 4 * n_train**2
    fitters = int(min(jobs, max(1, total // space)))
    scorers = int(min(jobs, max(1, total // kernels)))
    share = total / scorers - kernels
    keep = share >= distances
    left = share - distances if keep else share
    return Plan(fitters, scorers, keep, max(1.0, min(cache, left) / 1e6))


# One thread of linear algebra, as worker processes have, so that sums do not depend on `jobs`.
@threadpool_limits.wrap(limits=1)
def _project(
    fold: int,
    X: np.ndarray,
    split: tuple[np.ndarray, np.ndarray],
    most: int,
    seed: int,
    mirrored: np.ndarray | None,
) -> tuple[int, Space]:
    """Return coordinates of each view of training and of validation faces, and deviations."""
    train, test = split
    views = [X] if mirrored is None else [X, mirrored]
    scaler, pca = fit_space(X[train], None if mirrored is None else mirrored[train], most, False,
                            seed)  # fmt: skip
    spaces = [
        [np.asarray(pca.transform(scaler.transform(as_float(view[rows])))) for view in views]
        for rows in (train, test)
    ]
    return fold, (*spaces, np.sqrt(np.maximum(pca.explained_variance_, 1e-12)))


@threadpool_limits.wrap(limits=1)
def _score_gammas(
    fold: int,
    space: Space,
    y: np.ndarray,
    split: tuple[np.ndarray, np.ndarray],
    candidates: Sequence[tuple[int, Mapping[str, Any]]],
    plan: Plan,
) -> list[Score]:
    """Score numbered candidates that share n_components and whiten; distances are made once."""
    n, whiten = candidates[0][1]["n_components"], candidates[0][1]["whiten"]
    train_views, test_views, deviation = space
    divisor = deviation[:n] if whiten else 1
    known, unseen = (
        [view[:, :n] / divisor for view in views] for views in (train_views, test_views)
    )
    gammas = sorted({candidate["gamma"] for _, candidate in candidates})
    keep = plan.keep and len(gammas) > 1
    bands = list(training_bands(known)) if keep else None
    pairs = [squared_distances(a, b) for a in unseen for b in known] if keep else None
    K = np.empty((len(known[0]), len(known[0])))
    scores = []
    for gamma in gammas:
        kernel_of_bands(training_bands(known) if bands is None else bands, gamma, K)
        K_test = mirror_kernel(unseen, known, gamma) if pairs is None else mean_kernel(pairs, gamma)
        K_test = K_test.astype(np.float64)  # once, as the coefficients of every machine are
        sharing = [(i, c) for i, c in candidates if c["gamma"] == gamma]
        scores += _score_kernel(fold, K, K_test, y, split, sharing, plan.cache_mb)
    return scores


def _score_kernel(
    fold: int,
    K: np.ndarray,
    K_test: np.ndarray,
    y: np.ndarray,
    split: tuple[np.ndarray, np.ndarray],
    candidates: Sequence[tuple[int, Mapping[str, Any]]],
    cache_mb: float,
) -> list[Score]:
    """Score numbered candidates that differ in C and class weight only."""
    train, test = split
    classes = np.unique(y)
    free: dict[str | None, np.ndarray] = {}  # decisions that no larger C changes
    scores = []
    for i, candidate in sorted(candidates, key=lambda numbered: numbered[1]["C"]):
        C, class_weight = candidate["C"], candidate["class_weight"]
        start = fitted = time.perf_counter()
        if class_weight in free:
            values = free[class_weight]
        else:
            svc = SVC(C=C, kernel="precomputed", cache_size=cache_mb)
            with config_context(assume_finite=True):
                machine = fit_svm(K, y[train], svc, class_weight)
            fitted = time.perf_counter()
            values = decide(machine, K_test)
            if is_free(machine, C * compute_sample_weight(class_weight, y[train])):
                free[class_weight] = values
        score = balanced_accuracy_score(y[test], choose_labels(values, classes))
        times = (fitted - start, time.perf_counter() - fitted)
        scores.append((i, fold, (score, *times), values))
    return scores


def simplest_within_one_error(table: pd.DataFrame) -> Any:
    """Find the simplest candidate that is hardly worse than the best.

    The one-standard-error rule (Breiman, Friedman, Olshen and Stone 1984): of the candidates whose
    mean score is within one standard error of the best mean, the one with the fewest components,
    then the smallest C, then the smallest gamma.

    Parameters
    ----------
    table : DataFrame
        As `SearchResult` holds it.

    Returns
    -------
    label
        Of the row in the table's index.
    """
    best = table.loc[table["rank_test_score"].idxmin()]
    near = table[table["mean_test_score"] >= best["mean_test_score"] - standard_error(best)]
    order = ["param_n_components", "param_C", "param_gamma", "rank_test_score"]
    return near.sort_values(order).index[0]


def standard_error(candidate: pd.Series) -> float:
    """Return the standard error of a candidate's mean score: its deviation over root folds.

    Parameters
    ----------
    candidate : Series
        A row of the table.

    Returns
    -------
    float
    """
    return float(candidate["std_test_score"] / np.sqrt(count_folds(candidate.index)))


def count_folds(columns: pd.Index) -> int:
    """Count the folds of a table of candidates.

    Parameters
    ----------
    columns : Index
        Names of its columns.

    Returns
    -------
    int
    """
    return int(columns.str.fullmatch(r"split\d+_test_score").sum())


def _tabulate(candidates: Sequence[Mapping[str, Any]], scores: np.ndarray) -> pd.DataFrame:
    table = pd.DataFrame(candidates).add_prefix("param_")
    table["param_class_weight"] = [c["class_weight"] or "none" for c in candidates]
    for fold in range(scores.shape[1]):
        table[f"split{fold}_test_score"] = scores[:, fold, 0]
    for column, name in enumerate(("test_score", "fit_time", "score_time")):
        table[f"mean_{name}"] = scores[:, :, column].mean(axis=1)
        table[f"std_{name}"] = scores[:, :, column].std(axis=1)
    # Equal scores go to the candidate with fewer components, then smaller C.
    order = table.assign(score=-table["mean_test_score"].round(9)).sort_values(
        ["score", "param_n_components", "param_C", "param_gamma"], kind="stable"
    )
    table.loc[order.index, "rank_test_score"] = np.arange(1, len(table) + 1)
    return table.astype({"rank_test_score": int})
