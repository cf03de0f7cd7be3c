"""A wide search by successive halving (Jamieson and Talwalkar 2016), and a zoom around the best."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import ParameterGrid

from facecore.training.grids import FACTOR, Candidate, candidate_of, expand_grid, parse_grid
from facecore.training.kernels import scale_gamma
from facecore.training.options import DEFAULT_OPTIONS, TrainingOptions
from facecore.training.search import (
    ProjectedFolds,
    SearchResult,
    order_candidates,
    project_folds,
    score_candidates,
)
from facecore.training.tables import on_all_faces, simplest_within_one_error

KEPT = 6  # of so many candidates one goes on to the next round, on the root of so many times faces
LEAST_FACES = 2000  # of a round; with fewer, the scores say little
MOST_FACES = 12_000  # of a round that is not the last, for the time
ZOOM = {"n_components": 1.5, "gamma_factor": 1.5, "C": 1.8}  # about half a step of the grid `fine`
Read = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray | None]]
Final = Callable[[Sequence[Candidate]], SearchResult]
Scale = Callable[[int, bool], float]


def halving_search(
    read: Read,
    y: np.ndarray,
    subjects: np.ndarray,
    grid: Mapping[str, Any],
    begin_final: Callable[[int, ProjectedFolds | None], Final],
    *,
    chooses: np.ndarray | None = None,
    space: str = "eigenfaces",
    folds: int = 5,
    options: TrainingOptions = DEFAULT_OPTIONS,
) -> SearchResult:
    """Search a wide grid: all candidates on few faces, ever fewer on ever more, then a finer grid.

    The first round takes the faces of about a sixth of the subjects, but `LEAST_FACES` or more. In
    each round a sixth of the candidates is kept; those of the last are scored on all faces, and
    so is a finer grid around the best of them.

    Parameters
    ----------
    read : callable
        Takes row numbers of faces; returns their features and, or None, those of their mirror
        images, as `facecore.training.grid_search` takes them.
    y : ndarray of shape (n_faces,)
        Labels, two or more.
    subjects : ndarray of shape (n_faces,)
        Who is in each photo: a subject is in one fold only, and in a round with all photos or none.
    grid : mapping of str to list
        As `facecore.training.grids.parse_grid` takes it. With ``gamma``, all candidates are scored
        on all faces at once; with ``gamma_factor``, in rounds. Where the faces of the first round
        have fewer components, as many numbers of components are spread anew.
    begin_final : callable
        Takes the largest number of components and, or None, all faces as they are projected
        already; returns what scores candidates on all faces.
    chooses : ndarray of shape (n_faces,), bool, optional
        Faces of the val split, as `facecore.training.grid_search` takes them.
    space : {"eigenfaces", "fisherfaces"}, default="eigenfaces"
        What the SVM reads.
    folds : int, default=5
        Number of folds, 2 or more; fewer where a label has fewer subjects.
    options : TrainingOptions, optional
        Its seed, jobs, memory_mb and progress are used. The result depends on the seed only.

    Returns
    -------
    SearchResult
        Its table has one row per candidate and round, with three more columns: iter (number of
        the round), n_resources (its faces) and gamma_factor. Only rows with the most faces can be
        compared with each other and with the best; they have the first ranks.

    Raises
    ------
    DataError
        The grid cannot be used, or the faces cannot be split into folds.
    """
    values = parse_grid(grid)
    if FACTOR not in values:
        return begin_final(max(values["n_components"]), None)(expand_grid(grid))
    rounds = [draw_subjects(y, subjects, size, folds, options.seed) for size in round_sizes(len(y))]
    rounds = [rows for rows in rounds if len(rows) < len(y)]
    first = rounds[0] if rounds else np.arange(len(y))
    X, mirrored = read(first)
    found = project_folds(
        X,
        y[first],
        subjects[first],
        max(values["n_components"]),
        mirrored=mirrored,
        chooses=None if chooses is None else chooses[first],
        folds=folds,
        options=options,
    )
    available = min(len(one.deviation) for one in found.coordinates)
    counts = spread_components(values["n_components"], available)
    scale = measure_scales(found, space)
    points = ParameterGrid({**values, "n_components": counts})
    candidates = {
        make_candidate(scale, factor := point.pop("gamma_factor"), **point): factor
        for point in points
    }
    tables = []
    for i, rows in enumerate(rounds):
        if i:
            X, mirrored = read(rows)
            found = project_folds(
                X,
                y[rows],
                subjects[rows],
                max(candidate.n_components for candidate in candidates),
                mirrored=mirrored,
                chooses=None if chooses is None else chooses[rows],
                folds=folds,
                options=options,
            )
        scored = score_candidates(found, list(candidates), space=space, options=options)
        tables.append(_mark(scored, candidates, i, len(rows)))
        ranked = np.argsort(scored.table["rank_test_score"].to_numpy())
        kept = [list(candidates)[j] for j in ranked[: -(-len(candidates) // KEPT)]]
        candidates = {candidate: candidates[candidate] for candidate in kept}
    largest = round(ZOOM["n_components"] * max(one.n_components for one in candidates))
    score = begin_final(min(largest, available), None if rounds else found)
    result = score(list(candidates))
    tables.append(_mark(result, candidates, len(tables), len(y)))
    finer = zoom(scale, result.best, candidates[result.best], available)
    finer = {one: factor for one, factor in finer.items() if one not in candidates}
    closer = score(list(finer))
    tables.append(_mark(closer, finer, len(tables), len(y)))
    table = pd.concat(tables, ignore_index=True)
    table["rank_test_score"] = order_candidates(table)
    top = table.loc[table["rank_test_score"].idxmin()]
    better = closer if top["iter"] == len(tables) - 1 else result
    return replace(better, table=table)


def exact_final(
    X: np.ndarray,
    y: np.ndarray,
    subjects: np.ndarray,
    most: int,
    found: ProjectedFolds | None = None,
    *,
    mirrored: np.ndarray | None = None,
    chooses: np.ndarray | None = None,
    space: str = "eigenfaces",
    folds: int = 5,
    options: TrainingOptions = DEFAULT_OPTIONS,
) -> Final:
    """Project all faces once, for several calls that score candidates on them.

    Parameters
    ----------
    X : ndarray of shape (n_faces, n_features), uint8 or float
        As `facecore.training.grid_search` takes it.
    y : ndarray of shape (n_faces,)
        Labels, two or more.
    subjects : ndarray of shape (n_faces,)
        Who is in each photo.
    most : int
        Largest number of components, 1 or more.
    found : ProjectedFolds, optional
        These faces, if they are projected already to so many components or more.
    mirrored : ndarray of shape (n_faces, n_features), optional
        As `facecore.training.grid_search` takes it.
    chooses : ndarray of shape (n_faces,), bool, optional
        As `facecore.training.grid_search` takes it.
    space : {"eigenfaces", "fisherfaces"}, default="eigenfaces"
        What the SVM reads.
    folds : int, default=5
        Number of folds, 2 or more.
    options : TrainingOptions, optional
        Its seed, jobs, memory_mb and progress are used.

    Returns
    -------
    callable
        Takes candidates; returns their `SearchResult`.
    """
    projected = found or project_folds(
        X, y, subjects, most, mirrored=mirrored, chooses=chooses, folds=folds, options=options
    )
    return lambda candidates: score_candidates(projected, candidates, space=space, options=options)


def take_simplest(search: SearchResult, begin_final: Callable[[int, None], Final]) -> SearchResult:
    """Choose the simplest candidate of a search within one standard error of the best.

    Parameters
    ----------
    search : SearchResult
        Of a grid.
    begin_final : callable
        As `halving_search` takes it.

    Returns
    -------
    SearchResult
        Its table and ranks are those of the search; `best` is the chosen candidate, `decisions` and
        `distances` are by it.
    """
    rows = on_all_faces(search.table)
    chosen = candidate_of(rows.loc[simplest_within_one_error(rows)].to_dict())
    if chosen == search.best:
        return search
    again = begin_final(chosen.n_components, None)([chosen])
    return replace(again, table=search.table, saved=search.saved)


def measure_scales(found: ProjectedFolds, space: str) -> Scale:
    """Return what measures the unit of gamma: 1 / (total variance of the coordinates).

    scikit-learn calls it "scale". It makes kernels of different numbers of components alike.

    Parameters
    ----------
    found : ProjectedFolds
        The variances are those of its first fold.
    space : {"eigenfaces", "fisherfaces"}
        What the SVM reads.

    Returns
    -------
    callable
        Takes a number of components and whether they are whitened; returns the unit, above 0.
    """
    codes = np.unique(found.y[found.splits[0][0]], return_inverse=True)[1]
    known = replace(found.coordinates[0], labels=codes if space == "fisherfaces" else None)
    return cache(lambda count, whiten: scale_gamma(known.leading(count, whiten)[0]))


def make_candidate(scale: Scale, factor: float, **values: Any) -> Candidate:
    """Return a candidate whose gamma is given in units of its coordinates.

    Parameters
    ----------
    scale : callable
        As `measure_scales` returns it.
    factor : float
        Gamma in units, above 0.
    **values : dict
        The other hyperparameters of `Candidate`.

    Returns
    -------
    Candidate
        Its gamma has two digits, so that what a table says is what was fitted.
    """
    unit = scale(values["n_components"], values["whiten"])
    return Candidate(gamma=two_digits(factor * unit), **values)


def zoom(scale: Scale, best: Candidate, factor: float, available: int) -> dict[Candidate, float]:
    """Return the candidates of a finer grid around one.

    Parameters
    ----------
    scale : callable
        As `measure_scales` returns it.
    best : Candidate
        The middle of the grid.
    factor : float
        Its gamma in units, above 0.
    available : int
        Largest number of components, 1 or more.

    Returns
    -------
    dict of Candidate to float
        With the gamma of each in units.
    """
    counts, factors, penalties = (
        sorted({middle / ZOOM[name], middle, middle * ZOOM[name]})
        for name, middle in (
            ("n_components", best.n_components),
            ("gamma_factor", factor),
            ("C", best.C),
        )
    )
    return {
        make_candidate(
            scale,
            two_digits(value),
            n_components=min(available, max(1, round(count))),
            whiten=best.whiten,
            C=two_digits(penalty),
            class_weight=best.class_weight,
        ): two_digits(value)
        for count, value, penalty in product(counts, factors, penalties)
    }


def round_sizes(count: int) -> list[int]:
    """Return how many faces the rounds before the last take.

    Parameters
    ----------
    count : int
        Number of all faces.

    Returns
    -------
    list of int
        Ascending; empty where all faces are few enough for a first round.

    Examples
    --------
    >>> round_sizes(1500), round_sizes(14_000), round_sizes(200_000)
    ([], [2333, 5715], [12000])
    """
    sizes = [max(LEAST_FACES, int(count / KEPT**power)) for power in (1, 0.5)]
    return sorted({min(size, MOST_FACES) for size in sizes if size < count})


def draw_subjects(
    y: np.ndarray, subjects: np.ndarray, count: int, folds: int, seed: int
) -> np.ndarray:
    """Draw about so many faces, subject by subject, with the same share of each label.

    Parameters
    ----------
    y : ndarray of shape (n_faces,)
        Labels.
    subjects : ndarray of shape (n_faces,)
        Who is in each photo.
    count : int
        Number of faces, 1 or more.
    folds : int
        Each label keeps at least twice so many subjects, where it has them.
    seed : int
        Of the draw; with the same seed, more faces include those of a smaller draw.

    Returns
    -------
    ndarray of int, ascending
        Row numbers.

    Examples
    --------
    >>> y, subjects = np.repeat(["round", "square"], [300, 100]), np.arange(400) // 2
    >>> rows = draw_subjects(y, subjects, 100, 5, seed=0)
    >>> np.unique(y[rows], return_counts=True)[1].tolist()
    [76, 26]
    """
    # A subject with faces of several labels belongs to that of its first face.
    names, firsts, index = np.unique(subjects, return_index=True, return_inverse=True)
    photos, of = np.bincount(index), y[firsts]
    order = np.random.default_rng([seed, 23]).permutation(len(names))
    drawn = np.zeros(len(names), dtype=bool)
    for label in np.unique(of):
        mine = order[of[order] == label]
        wanted = count / len(y) * photos[mine].sum()
        needed = int((np.cumsum(photos[mine]) <= wanted).sum()) + 1
        drawn[mine[: max(needed, 2 * folds)]] = True
    return np.flatnonzero(drawn[index])


def spread_components(counts: Sequence[int], available: int) -> list[int]:
    """Return numbers of components of which there are as many.

    Parameters
    ----------
    counts : sequence of int
        Wanted, 1 or more each.
    available : int
        How many components the faces have, 1 or more.

    Returns
    -------
    list of int
        The same numbers, or, where the largest is more than available, as many numbers by equal
        factors from the smallest up to it.

    Examples
    --------
    >>> spread_components([10, 100, 500], 4000), spread_components([10, 50, 100, 500], 128)
    ([10, 100, 500], [10, 23, 55, 128])
    """
    if max(counts) <= available:
        return sorted(set(counts))
    spread = np.geomspace(min(*counts, available), available, len(counts))
    return sorted({round(value) for value in spread.tolist()})


def two_digits(value: float) -> float:
    """Round a number to two significant digits.

    Parameters
    ----------
    value : float
        Any number.

    Returns
    -------
    float

    Examples
    --------
    >>> two_digits(0.012345)
    0.012
    """
    return float(f"{value:.2g}")


def _mark(
    scored: SearchResult, factors: Mapping[Candidate, float], number: int, faces: int
) -> pd.DataFrame:
    """Return the table of a round, with its number, its faces and gammas in units."""
    table = scored.table.assign(iter=number, n_resources=faces, gamma_factor=list(factors.values()))
    digits = {
        name: 4 if name.endswith("_time") else 9
        for name in table
        if name.endswith(("_time", "_score")) and not name.startswith("rank")
    }
    return table.round(digits)
