"""Figures of a grid search in the report: score by components, and over C and gamma.

A search in rounds compares many candidates on few faces, then the best of them on more, so only
scores of one number of faces are drawn into one figure.
"""

from collections.abc import Iterator
from math import isnan, sqrt

import pandas as pd

from facecore.evaluation.svg import Line, draw_cells, draw_lines

SCORE, DEVIATION, RANK = "mean_test_score", "std_test_score", "rank_test_score"
ERRORS = 10  # standard errors that a scale of colours spans at least
ALIKE = ("n_components", "class_weight", "whiten")  # the same in all cells of a heat map


def draw_search(rows: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """Draw the best score of each number of components, and the scores over C and gamma.

    Parameters
    ----------
    rows : DataFrame
        Candidates of one member, as `facecore.training.SearchResult` holds them.

    Yields
    ------
    figure : str
        An ``svg`` element.
    caption : str
        What it shows, with the number of faces where the search was one in rounds.

    Examples
    --------
    >>> table = pd.DataFrame({
    ...     "param_n_components": [10, 20], "param_C": 1.0, "param_gamma": 0.1,
    ...     "split0_test_score": [0.8, 0.9], "split1_test_score": [0.8, 0.9],
    ...     "mean_test_score": [0.8, 0.9], "std_test_score": 0.0, "rank_test_score": [2, 1],
    ... })
    >>> [caption[:39] for _, caption in draw_search(table)]
    ['Best score of each number of components']
    """
    most, widest = _on_most_faces(rows), _first_round(rows)
    if _varies(most, "param_n_components"):
        yield _draw_components(most)
    best = widest.loc[widest[RANK].idxmin()]
    cells = widest
    for column in (f"param_{name}" for name in ALIKE):
        if column in cells:
            cells = cells[cells[column].astype(str).eq(str(best[column]))]
    if _varies(cells, "param_C") and _varies(cells, "param_gamma"):
        yield _draw_heat(cells, score_range(widest))


def faces_of(rows: pd.DataFrame) -> list[int]:
    """Return the numbers of faces of the rounds of a search.

    Parameters
    ----------
    rows : DataFrame
        Candidates of one member.

    Returns
    -------
    list of int
        Each once, in ascending order; empty for a search without rounds.

    Examples
    --------
    >>> faces_of(pd.DataFrame({"n_resources": [50, 50, 100]}))
    [50, 100]
    """
    return sorted(rows["n_resources"].astype(int).unique().tolist()) if _in_rounds(rows) else []


def fold_columns(columns: pd.Index) -> list[str]:
    """Return the columns of a table of candidates that hold the scores in the folds.

    Parameters
    ----------
    columns : Index of str
        Names of its columns.

    Returns
    -------
    list of str
        Those named ``split*_test_score``, in their order.

    Examples
    --------
    >>> fold_columns(pd.Index(["param_C", "split0_test_score", "split1_test_score"]))
    ['split0_test_score', 'split1_test_score']
    """
    return [str(name) for name in columns[columns.str.fullmatch(r"split\d+_test_score")]]


def count_folds(columns: pd.Index) -> int:
    """Count the folds of a table of candidates.

    Parameters
    ----------
    columns : Index of str
        Names of its columns.

    Returns
    -------
    int
        Columns named ``split*_test_score``.

    Examples
    --------
    >>> count_folds(pd.Index(["param_C", "split0_test_score", "split1_test_score"]))
    2
    """
    return len(fold_columns(columns))


def standard_error(candidate: pd.Series) -> float:
    """Compute the standard error of a candidate's mean score: its deviation over root folds.

    Parameters
    ----------
    candidate : Series
        A row of the table that `SearchResult` holds.

    Returns
    -------
    float
        In units of the score, 0 or more.

    Examples
    --------
    >>> row = {"split0_test_score": 0.9, "split1_test_score": 0.92, "std_test_score": 0.01}
    >>> round(standard_error(pd.Series(row)), 4)
    0.0071
    """
    return float(candidate[DEVIATION] / sqrt(max(1, count_folds(candidate.index))))


def score_range(table: pd.DataFrame) -> tuple[float, float]:
    """Return where a scale of colours for scores begins and ends.

    Parameters
    ----------
    table : DataFrame
        Of candidates that can be compared with each other.

    Returns
    -------
    low : float
        The lower quartile of the scores, or `ERRORS` standard errors below the best where that is
        lower, so that noise between candidates has almost one colour.
    high : float
        The best score.

    Examples
    --------
    >>> table = pd.DataFrame({
    ...     "split0_test_score": [0.9, 0.89], "split1_test_score": [0.92, 0.91],
    ...     "mean_test_score": [0.91, 0.90], "std_test_score": [0.01, 0.01],
    ...     "rank_test_score": [1, 2],
    ... })
    >>> [round(end, 3) for end in score_range(table)]
    [0.839, 0.91]
    """
    best = table.loc[table[RANK].idxmin()]
    high, error = float(best[SCORE]), standard_error(best)
    low = min(float(table[SCORE].quantile(0.25)), high - ERRORS * error)
    return (low, high) if low < high else (high - 0.01, high)


def _varies(rows: pd.DataFrame, column: str) -> bool:
    return len(rows[column].unique()) > 1


def _in_rounds(rows: pd.DataFrame) -> bool:
    # a member without rounds lacks what another member of the same table has
    return "n_resources" in rows and bool(rows["n_resources"].notna().all())


def _on_most_faces(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["n_resources"].eq(rows["n_resources"].max())] if _in_rounds(rows) else rows


def _first_round(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["iter"].eq(rows["iter"].min())] if _in_rounds(rows) else rows


def _told_faces(rows: pd.DataFrame) -> str:
    return f", on {faces_of(rows)[0]:,} faces" if _in_rounds(rows) else ""


def _draw_components(rows: pd.DataFrame) -> tuple[str, str]:
    tops = rows.loc[rows.groupby("param_n_components")[RANK].idxmin()]
    mean, error = tops[SCORE], tops.apply(standard_error, axis=1)
    numbers = tops["param_n_components"].astype(float).tolist()
    best = tops[RANK].idxmin()
    border = float(mean[best] - error[best])
    lines = [
        Line(
            [numbers[0], numbers[-1]],
            [border, border],
            "one standard error below the best",
            dotted=True,
        ),
        Line(
            numbers,
            mean.tolist(),
            low=(mean - error).tolist(),
            high=(mean + error).tolist(),
            dots=True,
        ),
    ]
    alt = f"Best score of each number of components{_told_faces(rows)}, with one standard error"
    drawn = draw_lines(lines, alt, "components", "balanced accuracy")
    return drawn, f"{alt} (deviation over the folds by the root of their number)"


def _draw_heat(cells: pd.DataFrame, scale: tuple[float, float]) -> tuple[str, str]:
    scaled = "gamma_factor" in cells and bool(cells["gamma_factor"].notna().all())
    name = "gamma factor" if scaled else "gamma"
    # one candidate per cell, so its score is the largest
    grid = cells.pivot_table(
        SCORE, "gamma_factor" if scaled else "param_gamma", "param_C", aggfunc="max"
    )
    low, high = scale
    scores = grid.to_numpy()
    texts = [
        ["" if isnan(score) else f"{score:.3f}".removeprefix("0") for score in row]
        for row in scores
    ]
    alt = (
        f"Score over C and {name} with {cells['param_n_components'].iloc[0]:g} components"
        f"{_told_faces(cells)}"
    )
    names = [[f"{value:g}" for value in axis] for axis in (grid.index, grid.columns)]
    shares = (scores - low) / (high - low)
    drawn = draw_cells(shares.tolist(), texts, names[0], names[1], alt, name, "C")
    return drawn, (
        f"{alt}: the stronger the colour, the better; the scale ends at the best candidate, "
        f"{high:.4f}, and begins at {low:.4f}, the lower quartile of all candidates of the round "
        f"or {ERRORS} standard errors below the best, whichever is lower"
    )
