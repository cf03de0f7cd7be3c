"""Grid search over face space that computes shared work once."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import joblib
import numpy as np
import pandas as pd
from sklearn import config_context
from sklearn.svm import SVC

from facecore.data.splits import split_for_search
from facecore.system.progress import step, track
from facecore.system.threads import on_one_thread
from facecore.system.workers import in_parallel
from facecore.training.calibrate import score_folds, set_borders
from facecore.training.eigenfaces import as_float, fit_space, project_views
from facecore.training.fisherfaces import fit_discriminants
from facecore.training.grids import Candidate, expand_grid
from facecore.training.kernels import (
    decide,
    fit_svm,
    is_free,
    kernel_of_bands,
    mean_kernel,
    mirror_kernel,
    squared_distances,
    training_bands,
    weigh_faces,
)
from facecore.training.options import DEFAULT_OPTIONS, LESS, TrainingOptions

TASKS = 2  # per worker, so that none waits long for another at the end
Split = tuple[np.ndarray, np.ndarray]
Numbered = tuple[int, Candidate]


@dataclass(frozen=True)
class Coordinates:
    """Faces of one fold in the space of its training faces.

    Parameters
    ----------
    train : list of ndarray of shape (n_training_faces, n_components)
        Training faces, one array per view.
    test : list of ndarray of shape (n_validation_faces, n_components)
        Validation faces, one array per view.
    deviation : ndarray of shape (n_components,)
        Standard deviation of each coordinate, above 0; whitening divides by it.
    lengths : ndarray of shape (n_validation_faces,), float64
        Squared distance of each validation face from the mean face, as a mean over the features.
    labels : ndarray of shape (n_training_faces,), optional
        Labels of the training faces, where the coordinates that are asked for are those along
        Fisherfaces.
    """

    train: list[np.ndarray]
    test: list[np.ndarray]
    deviation: np.ndarray
    lengths: np.ndarray
    labels: np.ndarray | None = None

    def leading(self, count: int, whiten: bool) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Return the leading coordinates, or those along the Fisherfaces of their space.

        Parameters
        ----------
        count : int
            How many, 1 or more.
        whiten : bool
            Scale them to unit variance.

        Returns
        -------
        train : list of ndarray of shape (n_training_faces, n_coordinates)
            Training faces, one array per view.
        test : list of ndarray of shape (n_validation_faces, n_coordinates)
            Validation faces, one array per view.
        """
        divisor = self.deviation[:count] if whiten else 1
        train, test = (
            [view[:, :count] / divisor for view in views] for views in (self.train, self.test)
        )
        if self.labels is None:
            return train, test
        found = fit_discriminants(train, self.labels)
        return found.project(train), found.project(test)

    def distances(self, count: int, features: int) -> np.ndarray:
        """Measure how far the validation faces are from the space of the leading eigenfaces.

        Parameters
        ----------
        count : int
            How many eigenfaces, 1 or more.
        features : int
            Number of features of a face.

        Returns
        -------
        ndarray of shape (n_validation_faces,), float64
            Root mean square over the features, in units of the min-max scale.
        """
        kept = (self.test[0][:, :count].astype(np.float64) ** 2).sum(axis=1) / features
        return np.asarray(np.sqrt(np.maximum(self.lengths - kept, 0)))


@dataclass(frozen=True)
class FoldResult:
    """Result of one candidate in one fold.

    Parameters
    ----------
    candidate : int
        Its number in the grid.
    fold : int
        Number of the fold.
    fit_seconds : float
        Time to fit the machine, without steps that candidates share.
    score_seconds : float
        Time to decide on the validation faces.
    decisions : ndarray of shape (n_validation_faces, n_outputs), float64
        Decision values.
    """

    candidate: int
    fold: int
    fit_seconds: float
    score_seconds: float
    decisions: np.ndarray


@dataclass(frozen=True)
class SearchResult:
    """Result of a grid search.

    Parameters
    ----------
    table : DataFrame
        One row per candidate in the shape of scikit-learn's ``cv_results_``: param_*,
        split*_test_score, mean_test_score, std_test_score, rank_test_score, mean_fit_time,
        std_fit_time, mean_score_time, std_score_time (seconds; steps that candidates share
        are not counted). Scores are balanced accuracies in [0, 1], with the border between two
        labels where `facecore.training.calibrate.set_borders` puts it.
    best : Candidate
        The candidate of rank 1.
    decisions : ndarray of shape (n_faces, n_outputs), float64
        Out-of-fold decision values of the best candidate.
    distances : ndarray of shape (n_faces,), float64, optional
        Out-of-fold distances from the space of its eigenfaces, as
        `facecore.model.explain.distance_from_face_space` measures them; None where there are so
        many faces that those to which the eigenfaces were fitted are no nearer.
    saved : float, default=0.0
        Seconds that an earlier run took for it, where `keep_search` found it.
    """

    table: pd.DataFrame
    best: Candidate
    decisions: np.ndarray
    distances: np.ndarray | None = None
    saved: float = 0.0

    def first(self, count: int) -> "SearchResult":
        """Return the result for the first faces alone: those that are fitted.

        Parameters
        ----------
        count : int
            Number of faces, at least 1.

        Returns
        -------
        SearchResult
            With the same table and best candidate.
        """
        distances = None if self.distances is None else self.distances[:count]
        return replace(self, decisions=self.decisions[:count], distances=distances)


# One argument per fact about the faces, as in `train_arrays`.
def grid_search(
    X: np.ndarray,
    y: np.ndarray,
    subjects: np.ndarray,
    grid: Mapping[str, Any],
    *,
    mirrored: np.ndarray | None = None,
    chooses: np.ndarray | None = None,
    space: str = "eigenfaces",
    folds: int = 5,
    options: TrainingOptions = DEFAULT_OPTIONS,
) -> SearchResult:
    """Search the hyperparameters of min-max, PCA and SVM together, all fitted inside the fold.

    Nothing is computed twice: one PCA per fold serves every smaller number of components (its
    leading ones are the smaller PCA), one matrix of distances every gamma, one kernel matrix every
    C and class weight, and a machine with no coefficient at its bound every larger C.

    Parameters
    ----------
    X : ndarray of shape (n_faces, n_features), uint8 or float
        Features, such as grey levels from 0 to 255.
    y : ndarray of shape (n_faces,)
        Labels, two or more.
    subjects : ndarray of shape (n_faces,)
        Who is in each photo: a subject is in one fold only.
    grid : mapping of str to list
        As `facecore.training.grids.parse_grid` takes it.
    mirrored : ndarray of shape (n_faces, n_features), optional
        The same features of the mirror images: train on both, and score the mean decision over
        a face and its mirror image, as the model will decide.
    chooses : ndarray of shape (n_faces,), bool, optional
        Faces of the val split: never fitted, they are one more fold of the score.
    space : {"eigenfaces", "fisherfaces"}, default="eigenfaces"
        What the SVM reads: coordinates along the eigenfaces, or along the Fisherfaces that are
        fitted to n_components of these.
    folds : int, default=5
        Number of folds, 2 or more; fewer where a label has fewer subjects.
    options : TrainingOptions, optional
        Its seed, jobs, memory_mb and progress are used. The result depends on the seed only.

    Returns
    -------
    SearchResult
        The table of candidates, the best of them, and its decisions out of fold.

    Raises
    ------
    DataError
        The grid cannot be used, or the faces cannot be split into folds.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.integers(0, 100, (40, 25), dtype=np.uint8)
    >>> X[20:, :9] += 60  # squares are brighter there
    >>> y, subjects = np.repeat(["round", "square"], 20), np.arange(40) // 2
    >>> grid = {"n_components": [2, 5], "C": [1.0, 5.0], "gamma": [0.1]}
    >>> found = grid_search(X, y, subjects, grid, folds=4)
    >>> len(found.table), found.best.n_components, found.decisions.shape
    (4, 2, (40, 1))
    >>> bool(found.table["mean_test_score"].max() > 0.9)
    True
    """
    candidates = expand_grid(grid)
    most = max(candidate.n_components for candidate in candidates)
    found = project_folds(
        X, y, subjects, most, mirrored=mirrored, chooses=chooses, folds=folds, options=options
    )
    return score_candidates(found, candidates, space=space, options=options)


@dataclass(frozen=True)
class ProjectedFolds:
    """Faces of every fold in the space of its training faces: what candidates are scored on.

    Parameters
    ----------
    coordinates : list of Coordinates
        Of each fold.
    splits : list of tuple of ndarray of int
        Rows of the training and of the validation faces of each fold.
    y : ndarray of shape (n_faces,)
        Labels.
    features : int
        Number of features of a face.
    plan : Plan
        How workers share the memory.
    """

    coordinates: list[Coordinates]
    splits: list[Split]
    y: np.ndarray
    features: int
    plan: "Plan"


def project_folds(
    X: np.ndarray,
    y: np.ndarray,
    subjects: np.ndarray,
    most: int,
    *,
    mirrored: np.ndarray | None = None,
    chooses: np.ndarray | None = None,
    folds: int = 5,
    options: TrainingOptions = DEFAULT_OPTIONS,
) -> ProjectedFolds:
    """Split faces into folds, and fit the eigenfaces of each.

    Parameters
    ----------
    X : ndarray of shape (n_faces, n_features), uint8 or float
        As `grid_search` takes it.
    y : ndarray of shape (n_faces,)
        Labels, two or more.
    subjects : ndarray of shape (n_faces,)
        Who is in each photo: a subject is in one fold only.
    most : int
        Number of eigenfaces, 1 or more; fewer where the data have fewer.
    mirrored : ndarray of shape (n_faces, n_features), optional
        As `grid_search` takes it.
    chooses : ndarray of shape (n_faces,), bool, optional
        As `grid_search` takes it.
    folds : int, default=5
        As `grid_search` takes it.
    options : TrainingOptions, optional
        Its seed, jobs, memory_mb and progress are used.

    Returns
    -------
    ProjectedFolds
        For any candidates of at most so many components.

    Raises
    ------
    DataError
        The faces cannot be split into folds.
    """
    splits = split_for_search(y, subjects, folds, options.seed, chooses)
    views = [X] if mirrored is None else [X, mirrored]
    plan = plan_memory(
        max(len(train) for train, _ in splits),
        max(len(test) for _, test in splits),
        X.shape[1],
        len(views),
        as_float(X[:1]).itemsize,
        jobs=joblib.effective_n_jobs(options.jobs),
        memory_mb=options.memory_mb,
    )
    # One worker per fold fits the eigenfaces, whichever fold is ready first.
    found = dict(
        track(
            in_parallel(
                (
                    joblib.delayed(_project)(fold, views, split, most, options.seed)
                    for fold, split in enumerate(splits)
                ),
                plan.fitters,
                ordered=False,
                less=LESS,
            ),
            len(splits),
            "eigenfaces",
            "fold",
            progress=options.progress,
        )
    )
    coordinates = [found[fold] for fold in range(len(splits))]
    return ProjectedFolds(coordinates, splits, y, X.shape[1], plan)


def score_candidates(
    found: ProjectedFolds,
    candidates: Sequence[Candidate],
    *,
    space: str = "eigenfaces",
    options: TrainingOptions = DEFAULT_OPTIONS,
) -> SearchResult:
    """Score candidates on projected folds.

    Parameters
    ----------
    found : ProjectedFolds
        With the components of every candidate.
    candidates : sequence of Candidate
        One or more.
    space : {"eigenfaces", "fisherfaces"}, default="eigenfaces"
        As `grid_search` takes it.
    options : TrainingOptions, optional
        Its progress is used.

    Returns
    -------
    SearchResult
        As `grid_search` returns it.
    """
    splits, plan = found.splits, found.plan
    codes = np.unique(found.y, return_inverse=True)[1]
    # Fisherfaces depend on the number of eigenfaces, so each task fits its own.
    known = [codes[train] if space == "fisherfaces" else None for train, _ in splits]
    spaces = [replace(one, labels=of) for one, of in zip(found.coordinates, known, strict=True)]
    tasks = [
        joblib.delayed(_score_gammas)(fold, spaces[fold], codes, splits[fold], group, plan)
        for group in _group(candidates, -(-TASKS * plan.scorers // len(splits)))
        for fold in range(len(splits))
    ]
    scores = in_parallel(tasks, plan.scorers, ordered=False, less=LESS)
    result = collect(scores, candidates, splits, found.y, progress=options.progress)
    distances = np.empty(len(found.y))
    for fold, (_, test) in enumerate(splits):
        distances[test] = spaces[fold].distances(result.best.n_components, found.features)
    return replace(result, distances=distances)


@on_one_thread
def collect(
    results: Iterable[list[FoldResult]],
    candidates: Sequence[Candidate],
    splits: Sequence[Split],
    y: np.ndarray,
    *,
    progress: bool = False,
) -> SearchResult:
    """Gather what the tasks of a search return, in any order.

    Parameters
    ----------
    results : iterable of list of FoldResult
        Each candidate once per fold.
    candidates : sequence of Candidate
        All of them, by their numbers.
    splits : sequence of tuple of ndarray of int
        Rows of the training and of the validation faces of each fold.
    y : ndarray of shape (n_faces,)
        Labels.
    progress : bool, default=False
        Show a progress bar on standard error.

    Returns
    -------
    SearchResult
        Of equal mean scores, the candidate with the fewest components is the best, then that with
        the smallest C, then that with the smallest gamma.
    """
    labels, codes = np.unique(y, return_inverse=True)
    outputs, classes = len(labels), np.arange(len(labels))
    scores = np.full((len(candidates), len(splits), 3), np.nan)
    decisions = np.zeros((len(candidates), len(y), 1 if outputs == 2 else outputs))
    missing = np.full(len(candidates), len(splits))
    with step("grid search", len(candidates) * len(splits), "fit", progress=progress) as advance:
        for found in results:
            for one in found:
                i = one.candidate
                scores[i, one.fold, 1:] = one.fit_seconds, one.score_seconds
                decisions[i, splits[one.fold][1]] = one.decisions
                missing[i] -= 1
                if not missing[i]:
                    moved = set_borders(decisions[i], codes, classes, splits)
                    scores[i, :, 0] = score_folds(moved, codes, classes, splits)
            # The mean is NaN until all folds of a candidate are known, and fmax skips NaN.
            best_mean = float(np.fmax.reduce(scores[:, :, 0].mean(axis=1)))
            advance(len(found), best=None if np.isnan(best_mean) else best_mean)
    table = _tabulate(candidates, scores)
    best = int(table["rank_test_score"].argmin())
    return SearchResult(table, candidates[best], decisions[best])


def _group(candidates: Sequence[Candidate], least: int) -> list[list[Numbered]]:
    """Group numbered candidates by n_components and whiten, and by gamma if groups are too few."""
    numbered = list(enumerate(candidates))
    # The longest first, so that the workers end together.
    spaces = sorted({(c.n_components, c.whiten) for c in candidates}, reverse=True)
    gammas = sorted({c.gamma for c in candidates})
    parts = min(len(gammas), -(-least // len(spaces)))
    return [
        [
            (i, c)
            for i, c in numbered
            if (c.n_components, c.whiten) == space and c.gamma in gammas[part::parts]
        ]
        for space in spaces
        for part in range(parts)
    ]


@dataclass(frozen=True)
class Plan:
    """How a search shares memory among its workers.

    Parameters
    ----------
    fitters : int
        Workers that fit eigenfaces, 1 or more.
    scorers : int
        Workers that fit machines, 1 or more.
    keep : bool
        Keep the distances for all gamma instead of computing them again for each.
    cache_mb : float
        Size of each machine's cache of kernel rows in MB, 1 or more.
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
    """Decide how many workers run and what they keep, within a bound on memory.

    Parameters
    ----------
    n_train : int
        Training faces of the largest fold.
    n_test : int
        Validation faces of the largest fold.
    n_features : int
        Features per face.
    views : int
        1, or 2 with mirror images.
    item : int
        Bytes per feature and per distance.
    jobs : int
        Workers that are wanted, 1 or more.
    memory_mb : float
        Bound for all workers together in MB, above 0. The least is one worker that computes the
        distances again for each gamma.

    Returns
    -------
    Plan
        It keeps to the bound, except that one worker always runs.
    """
    total = memory_mb * 1e6
    space = 2 * item * views * n_train * n_features  # features, and scaled ones
    # The training kernel in double precision; that of the validation faces in both precisions.
    kernels = 8 * n_train**2 + (8 + item) * n_train * n_test
    # Half of the symmetric training distances, and those of the validation faces, per pair of views
    distances = item * views**2 * (n_train**2 // 2 + n_train * n_test)
    cache = 4 * n_train**2  # libsvm caches kernel rows in single precision
    fitters = int(min(jobs, max(1, total // space)))
    scorers = int(min(jobs, max(1, total // kernels)))
    # What a worker has left goes to the distances first: they save the most time.
    share = total / scorers - kernels
    keep = share >= distances
    left = share - distances if keep else share
    return Plan(fitters, scorers, keep, max(1.0, min(cache, left) / 1e6))


@on_one_thread
def _project(
    fold: int, views: Sequence[np.ndarray], split: Split, most: int, seed: int
) -> tuple[int, Coordinates]:
    """Fit the space of a fold's training faces and project all faces of the fold into it."""
    train, test = split
    mirrored = views[1][train] if len(views) > 1 else None
    scaler, pca = fit_space(views[0][train], mirrored, most, False, seed)
    known, unseen = (
        project_views(scaler, pca, [view[rows] for view in views]) for rows in (train, test)
    )
    deviation = np.sqrt(np.maximum(pca.explained_variance_, 1e-12))
    centred = scaler.transform(as_float(views[0][test])) - pca.mean_
    lengths = np.einsum("ij,ij->i", centred, centred, dtype=np.float64) / centred.shape[1]
    return fold, Coordinates(known, unseen, deviation, lengths)


@on_one_thread
def _score_gammas(
    fold: int,
    space: Coordinates,
    y: np.ndarray,
    split: Split,
    candidates: Sequence[Numbered],
    plan: Plan,
) -> list[FoldResult]:
    """Score numbered candidates that share n_components and whiten; distances are made once."""
    known, unseen = space.leading(candidates[0][1].n_components, candidates[0][1].whiten)
    gammas = sorted({candidate.gamma for _, candidate in candidates})
    keep = plan.keep and len(gammas) > 1
    bands = list(training_bands(known)) if keep else None
    pairs = [squared_distances(a, b) for a in unseen for b in known] if keep else None
    K = np.empty((len(known[0]), len(known[0])))
    scores = []
    for gamma in gammas:
        kernel_of_bands(training_bands(known) if bands is None else bands, gamma, K)
        K_test = mirror_kernel(unseen, known, gamma) if pairs is None else mean_kernel(pairs, gamma)
        K_test = K_test.astype(np.float64)  # once, as the coefficients of every machine are
        sharing = [(i, c) for i, c in candidates if c.gamma == gamma]
        scores += _score_kernel(fold, K, K_test, y, split, sharing, plan.cache_mb)
    return scores


def _score_kernel(
    fold: int,
    K: np.ndarray,
    K_test: np.ndarray,
    y: np.ndarray,
    split: Split,
    candidates: Sequence[Numbered],
    cache_mb: float,
) -> list[FoldResult]:
    """Score numbered candidates that differ in C and class weight only."""
    train, _ = split
    # Decisions of free machines, which no larger C changes, by class weight: from the first on, all
    # larger C are the same machine.
    free: dict[Any, np.ndarray] = {}
    scores = []
    for i, candidate in sorted(candidates, key=lambda numbered: numbered[1].C):
        C, class_weight = candidate.C, candidate.class_weight
        start = fitted = time.perf_counter()
        if class_weight in free:
            values = free[class_weight]
        else:
            svc = SVC(C=C, kernel="precomputed", cache_size=cache_mb)
            with config_context(assume_finite=True):
                machine = fit_svm(K, y[train], svc, class_weight)
            fitted = time.perf_counter()
            values = decide(machine, K_test)
            if is_free(machine, C * weigh_faces(class_weight, y[train])):
                free[class_weight] = values
        times = fitted - start, time.perf_counter() - fitted
        scores.append(FoldResult(i, fold, *times, values))
    return scores


def _tabulate(candidates: Sequence[Candidate], scores: np.ndarray) -> pd.DataFrame:
    """Return the table of candidates from scores and seconds, of shape (n, n_folds, 3)."""
    table = pd.DataFrame([asdict(candidate) for candidate in candidates]).add_prefix("param_")
    table["param_class_weight"] = [c.class_weight or "none" for c in candidates]
    for fold in range(scores.shape[1]):
        table[f"split{fold}_test_score"] = scores[:, fold, 0]
    for column, name in enumerate(("test_score", "fit_time", "score_time")):
        table[f"mean_{name}"] = scores[:, :, column].mean(axis=1)
        table[f"std_{name}"] = scores[:, :, column].std(axis=1)
    table["rank_test_score"] = order_candidates(table)
    return table


def order_candidates(table: pd.DataFrame) -> np.ndarray:
    """Rank the candidates of a search, the best first.

    Parameters
    ----------
    table : DataFrame
        As `SearchResult` holds it, with or without ranks.

    Returns
    -------
    ndarray of int
        From 1, each once. Of equal mean scores, the candidate with fewer components comes first,
        then that with the smaller C, then that with the smaller gamma. Of a search in rounds, rows
        with more faces come before those with fewer.
    """
    faces = table.get("n_resources", 0)
    ordered = table.assign(score=-table["mean_test_score"].round(9), fewer=-faces).sort_values(
        ["fewer", "score", "param_n_components", "param_C", "param_gamma"], kind="stable"
    )
    ranks = pd.Series(np.arange(1, len(table) + 1), index=ordered.index)
    return np.asarray(ranks.loc[table.index])
