"""Grid search over face space that computes shared work once."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import joblib
import numpy as np
import pandas as pd
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import ParameterGrid, StratifiedGroupKFold
from sklearn.multiclass import OneVsRestClassifier
from sklearn.preprocessing import MinMaxScaler
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from facecore.errors import DataError
from facecore.estimator import as_float, fit_pca, fit_svm
from facecore.model import mirror
from facecore.progress import step, track

PARAMETERS = ("n_components", "whiten", "gamma", "C", "class_weight")
DEFAULTS = {"whiten": True, "class_weight": "balanced"}
GRIDS: dict[str, dict[str, list[Any]]] = {
    "quick": {"n_components": [50, 100], "C": [1.0, 5.0], "gamma": [0.003, 0.006]},
    "full": {
        "n_components": [100, 150, 200, 300],
        "C": [1.0, 2.0, 4.0, 8.0],
        "gamma": [0.0015, 0.0025, 0.004, 0.006],
        "class_weight": ["balanced", None],
    },
}


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


def parse_grid(grid: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Check a grid and fill in what it leaves out.

    Parameters
    ----------
    grid : mapping
        Lists of values for n_components, C, gamma, and perhaps whiten and class_weight.

    Returns
    -------
    dict of list

    Raises
    ------
    DataError
    """
    unknown = set(grid) - set(PARAMETERS)
    missing = {"n_components", "C", "gamma"} - set(grid)
    if unknown or missing:
        raise DataError(
            f"a grid has lists for {', '.join(PARAMETERS)}; "
            f"unknown: {sorted(unknown) or 'none'}, missing: {sorted(missing) or 'none'}"
        )
    full = {name: [DEFAULTS[name]] for name in DEFAULTS} | dict(grid)
    for name, values in full.items():
        good = isinstance(values, list) and values and all(_fits(name, value) for value in values)
        if not good:
            raise DataError(f"the grid's {name} is no list of usable values: {values!r}")
    return {name: list(dict.fromkeys(full[name])) for name in PARAMETERS}


def _fits(name: str, value: Any) -> bool:
    if name == "whiten":
        return isinstance(value, bool)
    if name == "class_weight":
        return value in ("balanced", None)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0:
        return False
    return isinstance(value, int) if name == "n_components" else value < 1e100


def split_folds(
    y: np.ndarray, groups: np.ndarray, folds: int, seed: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Split faces into folds, stratified by label, a person in one fold only.

    Parameters
    ----------
    y, groups : ndarray of shape (n_faces,)
        Labels and persons.
    folds : int
        At most; fewer where a label has fewer persons.
    seed : int

    Returns
    -------
    list of tuple of ndarray
        Indices of training and validation faces.

    Raises
    ------
    DataError
        Fewer than two labels, or a label with fewer than two persons.
    """
    people = pd.DataFrame({"label": y, "person": groups}).groupby("label")["person"].nunique()
    if len(people) < 2:
        raise DataError(f"training needs two labels or more; there is {list(people.index)}")
    if people.min() < 2:
        raise DataError(
            f"label {people.idxmin()!r} has faces of {people.min()} person; "
            "cross-validation needs two or more"
        )
    splitter = StratifiedGroupKFold(min(folds, int(people.min())), shuffle=True, random_state=seed)
    splits = [(train, test) for train, test in splitter.split(y, y, groups) if len(test)]
    if any(len(np.unique(y[train])) < len(people) for train, _ in splits):
        raise DataError("the persons of one label fall into one fold; add photos of more persons")
    return splits


def grid_search(
    X: np.ndarray,
    y: np.ndarray,
    groups: np.ndarray,
    grid: Mapping[str, Any],
    *,
    folds: int = 5,
    seed: int = 0,
    jobs: int = 1,
    mirrored: bool = False,
    progress: bool = False,
) -> SearchResult:
    """Search min-max, PCA and SVM together, everything fitted inside the fold.

    One PCA a fold serves every smaller number of components (its leading ones are the smaller
    PCA), and one kernel matrix serves every C and class weight.

    Parameters
    ----------
    X : ndarray of shape (n_faces, n_features), uint8 grey levels
    y, groups : ndarray of shape (n_faces,)
        Labels and persons.
    grid : mapping
        As `parse_grid` takes it.
    folds, seed : int
    jobs : int
        Worker processes; -1 for one a core. The result does not depend on it.
    mirrored : bool
        Score the mean decision over a face and its mirror image, as the model will decide.
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
    classes = np.unique(y)
    candidates = [{name: point[name] for name in PARAMETERS} for point in ParameterGrid(dict(grid))]
    most = max(grid["n_components"])
    parallel = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered")
    spaces = dict(
        track(
            parallel(
                joblib.delayed(_project)(i, X, split, most, seed, mirrored)
                for i, split in enumerate(splits)
            ),
            len(splits), "eigenfaces", "fold", shown=progress,
        )
    )  # fmt: skip
    kernels = {tuple(c[name] for name in ("n_components", "whiten", "gamma")) for c in candidates}
    tasks = [
        joblib.delayed(_score_kernel)(fold, spaces[fold], y, splits[fold], kernel, candidates)
        for kernel in sorted(kernels)
        for fold in range(len(splits))
    ]
    scores = np.full((len(candidates), len(splits), 3), np.nan)
    decisions = np.zeros((len(candidates), len(y), 1 if len(classes) == 2 else len(classes)))
    with step("grid search", len(candidates) * len(splits), "fit", shown=progress) as advance:
        for results in parallel(tasks):
            for candidate, fold, numbers, values in results:
                scores[candidate, fold] = numbers
                decisions[candidate, splits[fold][1]] = values
            best_mean = float(np.fmax.reduce(scores[:, :, 0].mean(axis=1)))
            advance(len(results), best=None if np.isnan(best_mean) else best_mean)
    table = _tabulate(candidates, scores)
    best = int(table["rank_test_score"].argmin())
    return SearchResult(table, candidates[best], decisions[best])


# One thread of linear algebra, as worker processes have, so that sums do not depend on `jobs`.
@threadpool_limits.wrap(limits=1)
def _project(
    fold: int,
    X: np.ndarray,
    split: tuple[np.ndarray, np.ndarray],
    most: int,
    seed: int,
    mirrored: bool,
) -> tuple[int, tuple[np.ndarray, list[np.ndarray], np.ndarray]]:
    """Return coordinates of training and of each view of validation faces, and deviations."""
    train, test = split
    scaler = MinMaxScaler()
    scaled = scaler.fit_transform(as_float(X[train]))
    pca = fit_pca(scaled, most, False, seed)
    Z = pca.transform(scaled)
    del scaled
    views = [X[test], mirror(X[test])] if mirrored else [X[test]]
    Z_tests = [pca.transform(scaler.transform(as_float(view))) for view in views]
    return fold, (Z, Z_tests, np.sqrt(np.maximum(pca.explained_variance_, 1e-12)))


@threadpool_limits.wrap(limits=1)
def _score_kernel(
    fold: int,
    space: tuple[np.ndarray, list[np.ndarray], np.ndarray],
    y: np.ndarray,
    split: tuple[np.ndarray, np.ndarray],
    kernel: tuple[int, bool, float],
    candidates: Sequence[Mapping[str, Any]],
) -> list[tuple[int, int, tuple[float, float, float], np.ndarray]]:
    n, whiten, gamma = kernel
    Z, Z_tests, deviation = space
    divisor = deviation[:n] if whiten else 1
    Z = Z[:, :n] / divisor
    train, test = split
    K = rbf(Z, Z, gamma)
    # The decision is linear in the kernel: the mean over the views is that of their kernels.
    kernels = [rbf(view[:, :n] / divisor, Z, gamma) for view in Z_tests]
    K_test = np.asarray(sum(kernels)) / len(kernels)
    classes = np.unique(y)
    results = []
    for i, candidate in enumerate(candidates):
        if (candidate["n_components"], candidate["whiten"], candidate["gamma"]) != kernel:
            continue
        start = time.perf_counter()
        svc = SVC(C=candidate["C"], kernel="precomputed", cache_size=1)
        machine = fit_svm(K, y[train], svc, candidate["class_weight"])
        fitted = time.perf_counter()
        values = decide(machine, K_test)
        score = balanced_accuracy_score(y[test], choose(values, classes))
        times = (fitted - start, time.perf_counter() - fitted)
        results.append((i, fold, (score, *times), values))
    return results


def decide(machine: SVC | OneVsRestClassifier, K: np.ndarray) -> np.ndarray:
    """Return the decision values of a machine that was fitted on a kernel matrix.

    Parameters
    ----------
    machine : SVC or OneVsRestClassifier
    K : ndarray of shape (n, n_training_faces)
        Kernel of the faces with the training faces.

    Returns
    -------
    ndarray of shape (n, n_outputs), float64
    """
    machines = machine.estimators_ if isinstance(machine, OneVsRestClassifier) else [machine]
    return np.column_stack([K[:, m.support_] @ m.dual_coef_[0] + m.intercept_[0] for m in machines])


def choose(decisions: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return the label that each row of decision values stands for.

    Parameters
    ----------
    decisions : ndarray of shape (n, n_outputs)
    classes : ndarray of shape (n_labels,)

    Returns
    -------
    ndarray of shape (n,)
    """
    one = decisions.shape[1] == 1
    return classes[(decisions[:, 0] > 0).astype(int) if one else decisions.argmax(axis=1)]


def rbf(A: np.ndarray, B: np.ndarray, gamma: float) -> np.ndarray:
    """Return the RBF kernel matrix ``exp(-gamma * |a - b|^2)``.

    Parameters
    ----------
    A : ndarray of shape (n, k)
    B : ndarray of shape (m, k)
    gamma : float

    Returns
    -------
    ndarray of shape (n, m), float64, in (0, 1]
    """
    A, B = A.astype(np.float64), B.astype(np.float64)
    K = A @ B.T
    K *= -2
    K += (A**2).sum(axis=1)[:, None]
    K += (B**2).sum(axis=1)
    np.maximum(K, 0, out=K)
    K *= -gamma
    return np.exp(K, out=K)


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
