import dataclasses
from dataclasses import asdict
from functools import partial
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from cartoons import noisy
from sklearn.svm import SVC

from facecore.errors import DataError
from facecore.training import halving
from facecore.training.grids import GRIDS, PARAMETERS, Candidate, expand_grid, parse_grid
from facecore.training.halving import (
    draw_subjects,
    exact_final,
    halving_search,
    measure_scales,
    round_sizes,
    spread_components,
    take_simplest,
)
from facecore.training.options import TrainingOptions
from facecore.training.search import grid_search, project_folds
from facecore.training.tables import on_all_faces, standard_error

GRID = {
    "n_components": [4, 8, 20],
    "C": [0.3, 3.0],
    "gamma_factor": [0.2, 1.0],
    "whiten": [True, False],
    "class_weight": ["balanced", None],
}
CANDIDATES = 3 * 2 * 2 * 2 * 2


@pytest.fixture
def small_rounds(monkeypatch):
    """Rounds of few faces, as of large data."""
    monkeypatch.setattr(halving, "LEAST_FACES", 36)


def search(data, grid=GRID, **how):
    X, y, subjects = noisy(data)
    how = {"folds": 3, "options": TrainingOptions(**how)}
    final = partial(exact_final, X, y, subjects, **how)
    return halving_search(lambda rows: (X[rows], None), y, subjects, grid, final, **how)


def candidates_of(rows):
    return {
        Candidate(**dict(zip(PARAMETERS, values, strict=True)))
        for values in rows[[f"param_{name}" for name in PARAMETERS]]
        .replace({"param_class_weight": {"none": None}})
        .itertuples(index=False)
    }


def test_each_round_keeps_the_best_sixth_and_takes_more_faces(faces, small_rounds):
    table = search(faces).table
    rounds = [rows for _, rows in table.groupby("iter")]
    assert len(rounds[0]) == CANDIDATES
    sizes = [rows["n_resources"].unique().item() for rows in rounds]
    assert sizes[0] < sizes[-2] == sizes[-1] == len(faces[1])
    for before, after in pairwise(rounds[:-1]):
        best = before.nlargest(len(after), "mean_test_score")["mean_test_score"]
        assert len(after) == -(-len(before) // halving.KEPT)
        kept = candidates_of(after)
        scores = [
            row["mean_test_score"]
            for _, row in before.iterrows()
            if candidates_of(row.to_frame().T) <= kept
        ]
        assert sorted(scores) == pytest.approx(sorted(best))


def test_the_last_round_is_a_finer_grid_around_the_best_of_the_one_before(faces, small_rounds):
    table = search(faces).table
    last = table["iter"].max()
    before, finer = table[table["iter"].eq(last - 1)], table[table["iter"].eq(last)]
    best = before.loc[before["rank_test_score"].idxmin()]
    assert finer["param_whiten"].unique().tolist() == [best["param_whiten"]]
    assert finer["param_C"].min() < best["param_C"] < finer["param_C"].max()
    assert finer["gamma_factor"].min() < best["gamma_factor"] < finer["gamma_factor"].max()
    assert not candidates_of(before) & candidates_of(finer)


def test_the_scores_on_all_faces_are_those_of_a_plain_search(faces, small_rounds):
    found = search(faces)
    X, y, subjects = noisy(faces)
    full = found.table[found.table["n_resources"].eq(len(y))]
    for _, row in full.nsmallest(3, "rank_test_score").iterrows():
        grid = {name: [row[f"param_{name}"]] for name in PARAMETERS}
        grid["class_weight"] = [None if grid["class_weight"] == ["none"] else "balanced"]
        plain = grid_search(X, y, subjects, grid, folds=3)
        assert row["mean_test_score"] == pytest.approx(plain.table["mean_test_score"].item())
        if row["rank_test_score"] == 1:
            assert found.best == plain.best
            assert found.decisions == pytest.approx(plain.decisions, abs=1e-4)
            assert found.distances == pytest.approx(plain.distances, abs=1e-5)


def test_the_best_is_the_best_of_those_scored_on_all_faces(faces, small_rounds):
    found = search(faces)
    full = found.table[found.table["n_resources"].eq(len(faces[1]))]
    top = full.loc[full["mean_test_score"].idxmax()]
    assert (
        found.table["mean_test_score"].loc[found.table["rank_test_score"].idxmin()]
        == (top["mean_test_score"])
    )
    assert sorted(found.table["rank_test_score"]) == list(range(1, len(found.table) + 1))
    assert full["rank_test_score"].max() == len(full)


def test_the_simplest_is_hardly_worse_and_decides_by_its_own_components(faces, small_rounds):
    X, y, subjects = noisy(faces)
    found = search(faces)
    how = {"folds": 3, "options": TrainingOptions()}
    chosen = take_simplest(found, partial(exact_final, X, y, subjects, **how))
    rows = on_all_faces(found.table)
    best = rows.loc[rows["rank_test_score"].idxmin()]
    row = rows[[candidates_of(rows.loc[[label]]) == {chosen.best} for label in rows.index]].iloc[0]
    assert row["mean_test_score"] >= best["mean_test_score"] - standard_error(best)
    near = rows[rows["mean_test_score"] >= best["mean_test_score"] - standard_error(best)]
    assert chosen.best.n_components == near["param_n_components"].min()
    assert chosen.best != found.best
    pd.testing.assert_frame_equal(chosen.table, found.table)
    plain = grid_search(X, y, subjects, {n: [v] for n, v in asdict(chosen.best).items()}, **how)
    np.testing.assert_allclose(chosen.decisions, plain.decisions, atol=1e-6)
    np.testing.assert_allclose(chosen.distances, plain.distances, atol=1e-6)


def test_the_unit_of_gamma_is_that_of_scikit_learn(faces):
    X, y, subjects = noisy(faces)
    found = project_folds(X, y, subjects, 10, folds=3)
    scale = measure_scales(found, "eigenfaces")
    for whiten in (True, False):
        (Z,), _ = found.coordinates[0].leading(10, whiten)
        machine = SVC(gamma="scale").fit(Z, y[found.splits[0][0]])
        assert scale(10, whiten) == pytest.approx(machine._gamma, rel=1e-3)


def test_gammas_are_given_in_two_digits(faces, small_rounds):
    gammas = search(faces).table["param_gamma"]
    assert all(float(f"{gamma:.2g}") == gamma for gamma in gammas)
    assert gammas.nunique() > 6


def test_few_faces_are_searched_in_one_round_and_a_finer_one(faces):
    table = search(faces).table
    assert table["iter"].unique().tolist() == [0, 1]
    assert table["n_resources"].unique().tolist() == [len(faces[1])]
    assert table["iter"].eq(0).sum() == CANDIDATES


def test_a_grid_of_gammas_is_searched_at_once_as_a_plain_search_does(faces, small_rounds):
    X, y, subjects = noisy(faces)
    grid = {"n_components": [4, 8], "C": [1.0, 5.0], "gamma": [0.02]}
    found, plain = search(faces, grid), grid_search(X, y, subjects, grid, folds=3)
    scores = ["mean_test_score", "rank_test_score"]
    assert found.table[scores].equals(plain.table[scores])
    assert (found.decisions == plain.decisions).all()
    assert "iter" not in found.table


def test_few_faces_are_projected_once(faces, monkeypatch):
    projected = []

    def project(*args, **options):
        projected.append(len(args[0]))
        return project_folds(*args, **options)

    monkeypatch.setattr(halving, "project_folds", project)
    search(faces)
    assert projected == [len(faces[1])]


def test_fisherfaces_and_more_than_two_labels_are_searched_too(three_faces, small_rounds):
    X, y, subjects = noisy(three_faces)
    how = {"folds": 3, "space": "fisherfaces"}
    final = partial(exact_final, X, y, subjects, **how)
    found = halving_search(lambda rows: (X[rows], None), y, subjects, GRID, final, **how)
    assert found.decisions.shape == (len(y), 3)
    top = found.table.loc[found.table["rank_test_score"].idxmin()]
    values = dataclasses.asdict(found.best)
    grid = {name: [value] for name, value in values.items()}
    plain = grid_search(X, y, subjects, grid, folds=3, space="fisherfaces")
    assert top["mean_test_score"] == pytest.approx(plain.table["mean_test_score"].item())


def test_faces_that_only_choose_are_a_fold_of_every_round(faces, small_rounds):
    X, y, subjects = noisy(faces)
    chooses = np.isin(subjects, np.unique(subjects)[::5])
    how = {"folds": 3, "chooses": chooses}
    final = partial(exact_final, X, y, subjects, **how)
    found = halving_search(lambda rows: (X[rows], None), y, subjects, GRID, final, **how)
    assert found.table.filter(regex="split3_test_score").notna().all(axis=None)


@pytest.mark.slow
def test_the_seed_alone_decides_the_result(faces, small_rounds):
    times = [f"{kind}_{name}_time" for kind in ("mean", "std") for name in ("fit", "score")]
    one, two = (search(faces, jobs=jobs).table.drop(columns=times) for jobs in (1, 2))
    assert one.equals(two)
    assert not one.equals(search(faces, seed=1).table.drop(columns=times))


def test_a_subject_is_drawn_with_all_photos_and_each_label_in_its_share():
    y = np.repeat(["often", "rare"], [900, 90])
    subjects = np.arange(990) // 3
    rows = draw_subjects(y, subjects, 330, 5, seed=0)
    assert np.isin(np.flatnonzero(np.isin(subjects, subjects[rows])), rows).all()
    assert np.mean(y[rows] == "rare") == pytest.approx(90 / 990, abs=0.02)
    assert len(rows) == pytest.approx(330, abs=10)
    more = draw_subjects(y, subjects, 660, 5, seed=0)
    assert set(rows) < set(more)


def test_a_rare_label_keeps_enough_subjects_for_the_folds():
    y, subjects = np.repeat(["often", "rare"], [2000, 20]), np.arange(2020)
    rows = draw_subjects(y, subjects, 200, 5, seed=0)
    assert (y[rows] == "rare").sum() == 10


def test_where_faces_have_fewer_components_as_many_numbers_are_spread_up_to_them():
    counts = spread_components(GRIDS["fine"]["n_components"], 128)
    assert len(counts) == 6
    assert (counts[0], counts[-1]) == (10, 128)


def test_rounds_end_before_all_faces_and_are_bounded():
    assert round_sizes(2000) == []
    assert all(size < 2001 for size in round_sizes(2001))
    assert max(round_sizes(10**6)) == halving.MOST_FACES


def test_the_fine_grid_has_six_values_of_each_number_and_864_candidates():
    grid = parse_grid(GRIDS["fine"])
    assert [len(grid[name]) for name in ("n_components", "C", "gamma_factor")] == [6, 6, 6]
    assert np.prod([len(values) for values in grid.values()]) == 864
    assert (min(grid["n_components"]), max(grid["n_components"])) == (10, 500)


def test_a_grid_in_units_has_no_candidates_before_the_search():
    with pytest.raises(DataError, match="gamma_factor is searched in rounds"):
        expand_grid(GRID)
    with pytest.raises(DataError, match=r"unknown: \['gamma'\]"):
        parse_grid(GRID | {"gamma": [0.1]})
