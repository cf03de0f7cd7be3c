"""What a table of candidates shows: its rounds, the best, what matters, and what is flat."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import t as student

# The report needs them, too, and lies below.
from facecore.evaluation.searched import count_folds as count_folds
from facecore.evaluation.searched import fold_columns
from facecore.evaluation.searched import score_range as score_range
from facecore.evaluation.searched import standard_error as standard_error

SCORE = "mean_test_score"
RANK = "rank_test_score"
NUMBERS = ("n_components", "C", "gamma")  # parameters whose values have an order
PARAMETERS = (*NUMBERS, "class_weight", "whiten")


@dataclass(frozen=True)
class Round:
    """The candidates that a search compared on the same faces.

    Parameters
    ----------
    number : int
        0 for the first round.
    faces : int or None
        Number of faces; None where the table does not tell, since all rounds had all faces.
    rows : DataFrame
        Rows of the table.
    comparable : bool
        Whether it had all faces, so that its scores compare with that of the best candidate.
    """

    number: int
    faces: int | None
    rows: pd.DataFrame
    comparable: bool


@dataclass(frozen=True)
class Place:
    """Where the best candidate lies among the values of one parameter that were searched.

    Parameters
    ----------
    parameter : str
        One of `PARAMETERS`.
    value : object
        Value of the best candidate.
    values : tuple
        All values that were searched, in ascending order.
    beyond : {"below", "above"} or None
        Where one would search on: the value is the smallest or the largest of several.
    rival : object or None
        At an edge: another value whose best candidate is as good within the 95% interval over the
        folds, as `compare_folds` computes it; None where there is none.
    """

    parameter: str
    value: Any
    values: tuple[Any, ...]
    beyond: str | None
    rival: Any = None

    @property
    def searched(self) -> bool:
        """Whether there was more than one value."""
        return len(self.values) > 1


@dataclass(frozen=True)
class Importance:
    """Share of the variance of the scores that parameters explain.

    Parameters
    ----------
    shares : DataFrame
        Columns ``parameters`` (tuple of one or two names), ``share`` (in [0, 1], of the mean
        scores) and ``std`` (standard deviation of the share over the folds), the largest first.
        Empty where nothing varies or the candidates are too few.
    exact : bool
        True for functional ANOVA over a full cross product; False for an additive model, which
        has no pairs.
    """

    shares: pd.DataFrame
    exact: bool


@dataclass(frozen=True)
class Effect:
    """What each value of a parameter costs against the best candidate, all others chosen anew.

    Parameters
    ----------
    parameter : str
        One of `PARAMETERS`.
    values : tuple
        Values, in ascending order.
    costs : tuple of float
        Mean over the folds of the best candidate's score minus that of the best candidate with
        this value; 0 or more.
    errors : tuple of float
        Half the width of the 95% interval of each cost.
    """

    parameter: str
    values: tuple[Any, ...]
    costs: tuple[float, ...]
    errors: tuple[float, ...]

    @property
    def flat(self) -> tuple[Any, ...]:
        """The values whose cost is within its interval of 0; the best one is among them."""
        rows = zip(self.values, self.costs, self.errors, strict=True)
        return tuple(value for value, cost, error in rows if cost <= error)

    @property
    def ordered(self) -> bool:
        """Whether the values are numbers."""
        return not any(isinstance(value, (str, bool)) for value in self.values)

    @property
    def worse(self) -> tuple[Any, ...]:
        """The values that are worse than the best beyond the noise.

        A number between two that are as good counts as noise up to twice its interval: of many
        values some are worse by chance.
        """
        places = [self.values.index(value) for value in self.flat]
        rows = enumerate(zip(self.values, self.costs, self.errors, strict=True))
        return tuple(
            value
            for i, (value, cost, error) in rows
            if i not in places
            and not (self.ordered and places[0] < i < places[-1] and cost <= 2 * error)
        )


def rounds_of(table: pd.DataFrame) -> list[Round]:
    """Split a table of candidates by the rounds of its search.

    Parameters
    ----------
    table : DataFrame
        As `facecore.training.SearchResult` holds it. A search in rounds has the columns iter (from
        0) and n_resources (number of faces), as scikit-learn's `HalvingGridSearchCV` names them.

    Returns
    -------
    list of Round
        In their order; one for a search without rounds. The finer grid of the last round lacks
        what the round before had scored on the same faces, such as its middle, so its rows are
        completed by these.

    Examples
    --------
    >>> table = pd.DataFrame({"iter": [0, 0, 1], "n_resources": [50, 50, 100]})
    >>> [(found.faces, len(found.rows), found.comparable) for found in rounds_of(table)]
    [(50, 2, False), (100, 1, True)]
    """
    if "iter" not in table:
        return [Round(0, None, table, True)]
    most = table["n_resources"].max()
    rounds = []
    for number, rows in table.groupby("iter"):
        faces = int(rows["n_resources"].max())
        rounds.append(Round(int(number), faces, rows, bool(faces == most)))
    if len(rounds) > 1 and rounds[-2].comparable:
        *others, finer = rounds
        before = others[-1].rows
        for name in PARAMETERS:
            before = before[before[column_of(name, table)].isin(values_of(name, finer.rows))]
        rounds[-1] = replace(finer, rows=pd.concat([before, finer.rows]))
    return rounds


def on_all_faces(table: pd.DataFrame) -> pd.DataFrame:
    """Return the candidates that were scored on all faces, whose scores can be compared.

    Parameters
    ----------
    table : DataFrame
        As `rounds_of` takes it.

    Returns
    -------
    DataFrame
        Rows of the table.

    Examples
    --------
    >>> on_all_faces(pd.DataFrame({"iter": [0, 1], "n_resources": [50, 100]})).index.tolist()
    [1]
    """
    if "n_resources" not in table:
        return table
    return table[table["n_resources"].eq(table["n_resources"].max())]


def column_of(parameter: str, table: pd.DataFrame) -> str:
    """Return the column of a table that holds the values of a parameter.

    Parameters
    ----------
    parameter : str
        One of `PARAMETERS`.
    table : DataFrame
        Of candidates.

    Returns
    -------
    str
        Of gamma, its factor where it is stored: in units of 1 / total variance of the coordinates,
        gammas of different numbers of components can be compared.

    Examples
    --------
    >>> column_of("gamma", pd.DataFrame({"param_gamma": [0.01], "gamma_factor": [1.0]}))
    'gamma_factor'
    """
    scaled = parameter == "gamma" and "gamma_factor" in table
    return "gamma_factor" if scaled else f"param_{parameter}"


def values_of(parameter: str, table: pd.DataFrame) -> tuple[Any, ...]:
    """Return the values of a parameter that a table holds.

    Parameters
    ----------
    parameter : str
        One of `PARAMETERS`.
    table : DataFrame
        Of candidates.

    Returns
    -------
    tuple
        Each once, in ascending order.

    Examples
    --------
    >>> values_of("C", pd.DataFrame({"param_C": [5.0, 1.0, 5.0]}))
    (1.0, 5.0)
    """
    return tuple(sorted(table[column_of(parameter, table)].unique().tolist()))


def varied(table: pd.DataFrame) -> list[str]:
    """Return the parameters that have more than one value in a table.

    Parameters
    ----------
    table : DataFrame
        Of candidates.

    Returns
    -------
    list of str
        In the order of `PARAMETERS`.

    Examples
    --------
    >>> one = {"param_n_components": 50, "param_class_weight": "none", "param_whiten": True}
    >>> varied(pd.DataFrame({"param_C": [1.0, 5.0], "param_gamma": 0.1, **one}))
    ['C']
    """
    return [name for name in PARAMETERS if len(values_of(name, table)) > 1]


def places_of_best(table: pd.DataFrame) -> list[Place]:
    """Tell whether the best candidate lies inside the values searched, or at which edge.

    Parameters
    ----------
    table : DataFrame
        Of candidates, of all rounds.

    Returns
    -------
    list of Place
        One per parameter. Nothing lies below 1 component, and class weights and whitening have no
        edges.

    Examples
    --------
    >>> table = pd.DataFrame({
    ...     "param_n_components": 50, "param_C": [1.0, 5.0, 9.0], "param_gamma": 0.1,
    ...     "param_class_weight": "none", "param_whiten": True, "rank_test_score": [3, 2, 1],
    ...     "split0_test_score": [0.5, 0.6, 0.7], "split1_test_score": [0.5, 0.6, 0.7],
    ... })
    >>> [(place.parameter, place.beyond) for place in places_of_best(table) if place.searched]
    [('C', 'above')]
    """
    best = table.loc[table[RANK].idxmin()]
    places = []
    for name in PARAMETERS:
        values = values_of(name, table)
        value = next(one for one in values if one == best[column_of(name, table)])
        beyond = None
        if name in NUMBERS and len(values) > 1:
            if np.isclose(value, values[-1], rtol=1e-9):
                beyond = "above"
            elif np.isclose(value, values[0], rtol=1e-9) and (name, value) != (NUMBERS[0], 1):
                beyond = "below"
        rival = _find_rival(name, best, table) if beyond else None
        places.append(Place(name, value, values, beyond, rival))
    return places


def _find_rival(parameter: str, best: pd.Series, table: pd.DataFrame) -> Any:
    """Return another value of a parameter that is as good as the best candidate's, or None."""
    column, compared = column_of(parameter, table), on_all_faces(table)
    others = compared[compared[column].ne(best[column])]
    if others.empty:
        return None
    other = others.loc[others[RANK].idxmin()]
    difference, error = compare_folds(fold_scores(best), fold_scores(other))
    return other[[column]].tolist()[0] if difference <= error else None


def best_of_each(parameter: str, table: pd.DataFrame) -> pd.DataFrame:
    """Return the best candidate of each value of a parameter.

    Parameters
    ----------
    parameter : str
        One of `PARAMETERS`.
    table : DataFrame
        Of candidates that can be compared with each other.

    Returns
    -------
    DataFrame
        One row of the table per value, values ascending.

    Examples
    --------
    >>> table = pd.DataFrame({"param_C": [5.0, 1.0, 5.0], "rank_test_score": [2, 3, 1]})
    >>> best_of_each("C", table).index.tolist()
    [1, 2]
    """
    return table.loc[table.groupby(column_of(parameter, table))[RANK].idxmin()]


def importance_of(table: pd.DataFrame, floor: float | None = None) -> Importance:
    """Compute how much of the variance of the scores each parameter and each pair explains.

    Over a full cross product of values this is functional ANOVA (Hutter, Hoos and Leyton-Brown
    2014), computed exactly from the means over the grid, every value counting the same. Over other
    tables it is the share of the variance that an additive model of all parameters loses without
    this one.

    Parameters
    ----------
    table : DataFrame
        Of candidates that can be compared with each other.
    floor : float, optional
        Scores below it count as this, so that differences among bad candidates do not count.

    Returns
    -------
    Importance

    Examples
    --------
    >>> same = {"param_gamma": 0.1, "param_class_weight": "none", "param_whiten": True}
    >>> table = pd.DataFrame({
    ...     "param_n_components": [5, 5, 9, 9], "param_C": [1.0, 2.0, 1.0, 2.0], **same,
    ...     "split0_test_score": [0.5, 0.6, 0.8, 0.9], "mean_test_score": [0.5, 0.6, 0.8, 0.9],
    ... })
    >>> importance_of(table).shares.head(2)[["parameters", "share"]].round(2).values.tolist()
    [[('n_components',), 0.9], [('C',), 0.1]]
    """
    names = varied(table)
    scores = table[[SCORE, *fold_columns(table.columns)]].to_numpy(dtype=float)
    if floor is not None:
        scores = np.maximum(scores, floor)
    codes = [pd.factorize(table[column_of(name, table)], sort=True)[0] for name in names]
    counts = [int(code.max()) + 1 for code in codes]
    cells = len(set(zip(*codes, strict=True)))
    exact = cells == len(table) == int(np.prod(counts))
    if exact:
        cube = np.empty((*counts, scores.shape[1]))
        cube[tuple(codes)] = scores
        found = _decompose(cube, names)
    else:
        found = _leave_out(codes, scores, names)
    rows = [
        (parameters, float(shares[0]), float(shares[1:].std()))
        for parameters, shares in found.items()
        if np.isfinite(shares).all()
    ]
    shares = pd.DataFrame(rows, columns=["parameters", "share", "std"])
    return Importance(shares.sort_values("share", ascending=False, ignore_index=True), exact)


def _decompose(cube: np.ndarray, names: Sequence[str]) -> dict[tuple[str, ...], np.ndarray]:
    """Return the shares of parameters and pairs in the variance over a grid, by column of scores.

    The last axis of the cube is that of the columns.
    """
    axes = range(len(names))
    total = cube.var(axis=tuple(axes))
    if not (total > 0).all():
        return {}
    grand = cube.mean(axis=tuple(axes), keepdims=True)
    effects: dict[tuple[int, ...], np.ndarray] = {}
    shares = {}
    for which in [(i,) for i in axes] + list(combinations(axes, 2)):
        others = tuple(i for i in axes if i not in which)
        effect = cube.mean(axis=others, keepdims=True) - grand
        for known in which if len(which) > 1 else ():
            effect = effect - effects[(known,)]
        effects[which] = effect
        variance = (effect**2).mean(axis=tuple(axes))
        shares[tuple(names[i] for i in which)] = variance / total
    return shares


def _leave_out(
    codes: Sequence[np.ndarray], scores: np.ndarray, names: Sequence[str]
) -> dict[tuple[str, ...], np.ndarray]:
    """Return the share of the variance that an additive model loses without each parameter."""
    blocks = [np.eye(int(code.max()) + 1)[code][:, 1:] for code in codes]
    ones = np.ones((len(scores), 1))
    total = ((scores - scores.mean(axis=0)) ** 2).sum(axis=0)
    if len(scores) <= 1 + sum(block.shape[1] for block in blocks) or not (total > 0).all():
        return {}

    def left(parts: Sequence[np.ndarray]) -> np.ndarray:
        design = np.hstack([ones, *parts])
        fitted = design @ np.linalg.lstsq(design, scores, rcond=None)[0]
        return np.asarray(((scores - fitted) ** 2).sum(axis=0))

    full = left(blocks)
    return {
        (name,): np.maximum(left([*blocks[:i], *blocks[i + 1 :]]) - full, 0) / total
        for i, name in enumerate(names)
    }


def effects_of(table: pd.DataFrame) -> list[Effect]:
    """Compute what each value of each parameter costs, compared within the folds.

    A fold that is hard is hard for all candidates, so scores are subtracted fold by fold before
    their deviation is taken.

    Parameters
    ----------
    table : DataFrame
        Of candidates that can be compared with each other.

    Returns
    -------
    list of Effect
        One per parameter that varies.

    Examples
    --------
    >>> same = {"param_n_components": 5, "param_class_weight": "none", "param_whiten": True}
    >>> table = pd.DataFrame({
    ...     "param_gamma": 0.1, "param_C": [1.0, 2.0, 3.0], **same, "rank_test_score": [3, 2, 1],
    ...     "split0_test_score": [0.50, 0.72, 0.71], "split1_test_score": [0.60, 0.78, 0.81],
    ... })
    >>> (effect,) = effects_of(table)
    >>> effect.flat, [round(cost, 3) for cost in effect.costs]
    ((2.0, 3.0), [0.21, 0.01, 0.0])
    """
    best = table.loc[table[RANK].idxmin()]
    effects = []
    for name in varied(table):
        tops = best_of_each(name, table)
        found = [compare_folds(fold_scores(best), fold_scores(row)) for _, row in tops.iterrows()]
        costs, errors = zip(*found, strict=True)
        effects.append(Effect(name, values_of(name, table), costs, errors))
    return effects


def compare_folds(first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    """Compare the scores of two machines in the same folds.

    The standard error is corrected for the faces that the training parts of folds share (Nadeau and
    Bengio 2003), with Student's t at one degree of freedom less than there are folds.

    Parameters
    ----------
    first, second : ndarray of shape (n_folds,), float
        Scores in two folds or more, in the same order.

    Returns
    -------
    difference : float
        Mean of first minus second.
    error : float
        Half the width of its 95% interval, 0 or more; infinite for one fold.

    Examples
    --------
    >>> first, second = np.array([0.90, 0.92, 0.91]), np.array([0.89, 0.90, 0.90])
    >>> [round(value, 4) for value in compare_folds(first, second)]
    [0.0133, 0.0227]
    """
    apart, folds = np.asarray(first) - np.asarray(second), len(first)
    if folds < 2:
        return float(apart.mean()), float("inf")
    spread = apart.std(ddof=1) * np.sqrt(1 / folds + 1 / (folds - 1))
    return float(apart.mean()), float(student.ppf(0.975, folds - 1) * spread)


def time_frontier(table: pd.DataFrame) -> pd.DataFrame:
    """Return the candidates that no other beats in both score and time to fit.

    Parameters
    ----------
    table : DataFrame
        Of candidates that can be compared with each other. Those without a time of their own,
        whose machine is that of a smaller C, are left out.

    Returns
    -------
    DataFrame
        Rows of the table, from the quickest to the best.

    Examples
    --------
    >>> times, scores = [2.0, 1.0, 3.0, 0.0], [0.9, 0.8, 0.85, 0.9]
    >>> table = pd.DataFrame({"mean_fit_time": times, "mean_test_score": scores})
    >>> time_frontier(table).index.tolist()
    [1, 0]
    """
    timed = table[table["mean_fit_time"] > 0]
    ordered = timed.sort_values(["mean_fit_time", SCORE], ascending=[True, False])
    before = ordered[SCORE].cummax().shift(fill_value=-np.inf)
    return ordered[ordered[SCORE] > before]


def within_one_error(table: pd.DataFrame) -> pd.Series:
    """Tell which candidates are within one standard error of the best one's mean score.

    Parameters
    ----------
    table : DataFrame
        Of candidates that can be compared with each other.

    Returns
    -------
    Series of bool
        With the index of the table.

    Examples
    --------
    >>> table = pd.DataFrame({
    ...     "split0_test_score": [0.94, 0.93, 0.8], "split1_test_score": [0.90, 0.91, 0.8],
    ...     "mean_test_score": [0.92, 0.92, 0.8], "std_test_score": [0.02, 0.01, 0.0],
    ...     "rank_test_score": [1, 2, 3],
    ... })
    >>> within_one_error(table).tolist()
    [True, True, False]
    """
    best = table.loc[table[RANK].idxmin()]
    return table[SCORE] >= best[SCORE] - standard_error(best)


def simplest_within_one_error(table: pd.DataFrame) -> Any:
    """Find the simplest candidate that is hardly worse than the best.

    The one-standard-error rule (Breiman, Friedman, Olshen and Stone 1984): of the candidates whose
    mean score is within one standard error of the best mean, the one with the fewest components,
    then the smallest C, then the smallest gamma.

    Parameters
    ----------
    table : DataFrame
        As `SearchResult` holds it, with one row per candidate; of a search in rounds, the rows
        that `on_all_faces` returns.

    Returns
    -------
    object
        Label of the candidate's row in the table's index.

    Examples
    --------
    >>> table = pd.DataFrame({
    ...     "param_n_components": [200, 50], "param_C": [1.0, 1.0], "param_gamma": [0.1, 0.1],
    ...     "split0_test_score": [0.94, 0.93], "split1_test_score": [0.90, 0.91],
    ...     "mean_test_score": [0.922, 0.920], "std_test_score": [0.02, 0.01],
    ...     "rank_test_score": [1, 2],
    ... })
    >>> int(simplest_within_one_error(table))
    1
    """
    near = table[within_one_error(table)]
    order = ["param_n_components", "param_C", "param_gamma", RANK]
    return near.sort_values(order).index[0]


def count_compared(table: pd.DataFrame) -> int:
    """Count the candidates of a search; one that was scored in several rounds counts once.

    Parameters
    ----------
    table : DataFrame
        Candidates of one member.

    Returns
    -------
    int

    Examples
    --------
    >>> first = pd.DataFrame({"param_n_components": [10, 20], "param_C": [1.0, 1.0], "iter": 0})
    >>> count_compared(pd.concat([first, first.tail(1).assign(iter=1)]))
    2
    """
    return len(table.filter(regex="^param_").drop_duplicates())


def fold_scores(candidate: pd.Series) -> np.ndarray:
    """Return the scores of a candidate in the folds.

    Parameters
    ----------
    candidate : Series
        A row of the table that `SearchResult` holds.

    Returns
    -------
    ndarray of shape (n_folds,), float64

    Examples
    --------
    >>> row = {"split0_test_score": 0.9, "split1_test_score": 0.92, "std_test_score": 0.01}
    >>> fold_scores(pd.Series(row)).tolist()
    [0.9, 0.92]
    """
    return np.asarray(candidate[fold_columns(candidate.index)], dtype=float)
