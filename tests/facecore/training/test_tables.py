from functools import partial
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from cartoons import noisy
from scipy.stats import ttest_rel
from searches import wide_table
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import OneHotEncoder

from facecore.training import halving
from facecore.training.tables import (
    best_of_each,
    column_of,
    compare_folds,
    count_folds,
    effects_of,
    fold_scores,
    importance_of,
    on_all_faces,
    places_of_best,
    rounds_of,
    score_range,
    simplest_within_one_error,
    standard_error,
    time_frontier,
    values_of,
    varied,
    within_one_error,
)

SAME = {"param_n_components": 50, "param_class_weight": "none", "param_whiten": True}


@pytest.fixture(scope="module")
def wide() -> pd.DataFrame:
    return wide_table()


@pytest.fixture(scope="module")
def first(wide) -> pd.DataFrame:
    return rounds_of(wide)[0].rows


def plain(scores, **columns) -> pd.DataFrame:
    """A table without rounds from scores, one row per candidate and one column per fold."""
    scores = np.asarray(scores, dtype=float)
    table = pd.DataFrame(
        {**SAME, "param_C": 1.0, "param_gamma": 0.1, **columns}, range(len(scores))
    )
    for fold, column in enumerate(scores.T):
        table[f"split{fold}_test_score"] = column
    table["mean_test_score"], table["std_test_score"] = scores.mean(axis=1), scores.std(axis=1)
    table["rank_test_score"] = table["mean_test_score"].rank(ascending=False, method="first")
    return table


def candidates(*rows) -> pd.DataFrame:
    """A table of candidates from (components, C, gamma, scores of four folds)."""
    table = pd.DataFrame([row[:3] for row in rows], columns=["n_components", "C", "gamma"])
    table = table.add_prefix("param_")
    scores = np.array([row[3] for row in rows])
    for fold in range(4):
        table[f"split{fold}_test_score"] = scores[:, fold]
    table["mean_test_score"], table["std_test_score"] = scores.mean(axis=1), scores.std(axis=1)
    table["rank_test_score"] = table["mean_test_score"].rank(ascending=False, method="first")
    return table


def test_within_one_standard_error_of_the_best_the_simplest_is_found():
    best = [0.90, 0.92, 0.88, 0.90]  # deviation 0.0141, standard error 0.0071
    table = candidates(
        (300, 8.0, 0.004, best),
        (100, 1.0, 0.001, [0.892] * 4),  # too far
        (150, 2.0, 0.002, [0.894] * 4),
        (150, 1.0, 0.006, [0.895] * 4),
        (150, 1.0, 0.002, [0.8935] * 4),
        (200, 1.0, 0.001, [0.899] * 4),
    )
    assert standard_error(table.loc[0]) == pytest.approx(np.std(best) / 2)
    assert count_folds(table.columns) == 4
    assert simplest_within_one_error(table) == 4
    shuffled = table.sample(frac=1, random_state=0)
    assert simplest_within_one_error(shuffled) == 4


def test_a_single_candidate_is_the_simplest():
    table = candidates((10, 1.0, 0.1, [0.8] * 4)).set_index(pd.Index(["only"]))
    assert simplest_within_one_error(table) == "only"


def test_a_wide_search_has_rounds_of_which_the_last_two_had_all_faces(wide):
    rounds = rounds_of(wide)
    assert [found.number for found in rounds] == [0, 1, 2, 3]
    assert [len(found.rows) for found in rounds] == [864, 144, 24, 27]
    assert [found.faces for found in rounds] == [1000, 3000, 6000, 6000]
    assert [found.comparable for found in rounds] == [False, False, True, True]
    assert len(on_all_faces(wide)) == wide["iter"].isin([2, 3]).sum()
    # Its middle was scored in the round before, and not again.
    assert rounds[3].rows["iter"].value_counts().to_dict() == {3: 26, 2: 1}
    assert importance_of(rounds[3].rows).exact
    assert column_of("gamma", wide) == "gamma_factor"


def test_the_rounds_of_a_search_that_was_made_are_found(faces, monkeypatch):
    monkeypatch.setattr(halving, "LEAST_FACES", 36)
    X, y, subjects = noisy(faces)
    grid = {"n_components": [4, 8, 20], "C": [0.3, 3.0], "gamma_factor": [0.2, 1.0, 5.0]}
    final = partial(halving.exact_final, X, y, subjects, folds=3)
    table = halving.halving_search(
        lambda rows: (X[rows], None), y, subjects, grid, final, folds=3
    ).table
    first, *_, zoom = rounds_of(table)
    assert len(first.rows) == 3 * 2 * 3
    assert first.faces < zoom.faces == len(y)
    assert not first.comparable
    assert zoom.comparable
    for found in (first, zoom):
        assert importance_of(found.rows).exact
        assert varied(found.rows) == ["n_components", "C", "gamma"]
    assert table["rank_test_score"].idxmin() in on_all_faces(table).index


def test_a_plain_search_is_one_round_whose_scores_compare(wide):
    table = wide.drop(columns=["iter", "n_resources", "gamma_factor"])
    (only,) = rounds_of(table)
    assert (only.number, only.faces, only.comparable) == (0, None, True)
    assert on_all_faces(table).equals(table)
    assert column_of("gamma", table) == "param_gamma"


def test_the_best_of_a_wide_search_lies_inside(wide):
    places = {place.parameter: place for place in places_of_best(wide)}
    assert all(place.beyond is None and place.searched for place in places.values())
    best = wide.loc[wide["rank_test_score"].idxmin()]
    assert places["gamma"].value == best["gamma_factor"]
    assert places["n_components"].values == values_of("n_components", wide)


@pytest.mark.parametrize(("best", "beyond"), [(0, "below"), (1, None), (2, "above")])
@pytest.mark.parametrize("name", ["n_components", "C", "gamma"])
def test_at_an_edge_the_direction_in_which_to_search_on_is_told(name, best, beyond):
    scores = np.full((3, 4), 0.8)
    scores[best] += 0.1
    table = plain(scores, **{f"param_{name}": [2, 4, 8]})
    for place in places_of_best(table):
        assert place.searched == (place.parameter == name)
        assert place.beyond == (beyond if place.parameter == name else None)


def test_at_an_edge_a_value_inside_that_is_as_good_is_named():
    rng = np.random.default_rng(0)
    noise = 0.9 + rng.normal(0, 0.01, (3, 5))
    noise[2] += max(0, noise[:2].mean(axis=1).max() - noise[2].mean()) + 0.0001
    places = places_of_best(plain(noise, param_C=[1.0, 2.0, 3.0]))
    (found,) = [place for place in places if place.searched]
    assert found.beyond == "above"
    assert found.rival == np.argmax(noise[:2].mean(axis=1)) + 1
    clear = places_of_best(plain(noise + np.array([[0], [0], [0.2]]), param_C=[1.0, 2.0, 3.0]))
    assert all(place.rival is None for place in clear)


def test_nothing_lies_below_one_component_and_choices_have_no_edge():
    table = plain([[0.9, 0.9], [0.8, 0.8]], param_n_components=[1, 2], param_whiten=[True, False])
    places = {place.parameter: place for place in places_of_best(table)}
    assert places["n_components"].beyond is None
    assert places["whiten"].searched
    assert places["whiten"].beyond is None


def r2(table: pd.DataFrame, names) -> float:
    """The share of the variance that one-hot columns of every combination of values explain."""
    cells = table[[column_of(name, table) for name in names]].astype(str).agg("|".join, axis=1)
    X = OneHotEncoder().fit_transform(cells.to_frame())
    y = table["mean_test_score"]
    return LinearRegression().fit(X, y).score(X, y)


def test_importance_over_a_cross_product_is_that_of_regressions_on_every_combination(first):
    found = importance_of(first)
    shares = dict(zip(found.shares["parameters"], found.shares["share"], strict=True))
    assert found.exact
    assert len(shares) == 5 + 10
    for name in varied(first):
        assert shares[(name,)] == pytest.approx(r2(first, [name]), abs=1e-9)
    for pair in combinations(varied(first), 2):
        alone = sum(shares[(name,)] for name in pair)
        assert shares[pair] == pytest.approx(r2(first, pair) - alone, abs=1e-9)
    assert sum(shares.values()) <= 1 + 1e-9
    assert found.shares["parameters"].iloc[0] == ("n_components",)


def test_of_two_parameters_the_shares_are_all_of_the_variance():
    rng = np.random.default_rng(0)
    table = plain(
        rng.random((12, 5)), param_C=np.repeat([1.0, 2.0, 3.0], 4), param_gamma=[1, 2, 3, 4] * 3
    )
    found = importance_of(table)
    assert found.shares["share"].sum() == pytest.approx(1)
    assert (found.shares["std"] > 0).all()


def test_bad_candidates_do_not_count_below_a_floor():
    hill = plain(
        [[0.5] * 2, [0.8] * 2, [0.5] * 2, [0.9] * 2], param_C=[1, 1, 2, 2], param_gamma=[1, 2, 1, 2]
    )
    shares = [
        importance_of(hill, floor).shares.set_index("parameters")["share"][("gamma",)]
        for floor in (None, 0.79)
    ]
    assert shares[0] > shares[1] > 0


def test_where_the_table_is_no_cross_product_an_additive_model_is_asked(wide):
    rows = rounds_of(wide)[1].rows
    found = importance_of(rows)
    assert not found.exact
    assert all(len(parameters) == 1 for parameters in found.shares["parameters"])
    columns = {name: column_of(name, rows) for name in varied(rows)}
    y = rows["mean_test_score"]

    def score(kept):
        X = OneHotEncoder(drop="first").fit_transform(rows[kept].astype(str)).toarray()
        return LinearRegression().fit(X, y).score(X, y)

    for (name,), share in found.shares[["parameters", "share"]].itertuples(index=False):
        rest = [column for key, column in columns.items() if key != name]
        assert share == pytest.approx(score(list(columns.values())) - score(rest), abs=1e-9)


def test_without_variance_or_with_too_few_candidates_there_is_no_importance():
    assert importance_of(plain([[0.8, 0.9]])).shares.empty
    assert importance_of(plain([[0.8, 0.9]] * 2, param_C=[1, 2])).shares.empty
    few = plain([[0.7, 0.8], [0.8, 0.9]], param_C=[1, 2], param_gamma=[1, 2])
    assert importance_of(few).shares.empty


def test_a_parameter_that_makes_no_difference_is_flat_and_one_that_does_is_not(first):
    effects = {effect.parameter: effect for effect in effects_of(first)}
    assert set(effects) == set(varied(first))
    assert effects["class_weight"].flat == ("balanced", "none")
    assert effects["whiten"].flat == (True,)
    for name, effect in effects.items():
        tops = best_of_each(name, first)
        best = first["mean_test_score"].max()
        assert effect.costs == pytest.approx((best - tops["mean_test_score"]).tolist())
        assert effect.values == values_of(name, first)
        assert min(effect.costs) == 0


def test_what_all_folds_share_does_not_hide_a_difference():
    hard = np.array([0.0, 0.1, 0.2, 0.3, 0.4])
    table = plain([0.5 + hard, 0.49 + hard], param_C=[1.0, 2.0])
    (effect,) = effects_of(table)
    assert effect.flat == (1.0,)
    assert effect.errors[1] == pytest.approx(0, abs=1e-12)


def test_a_difference_over_folds_is_the_paired_t_test_with_the_correction_for_shared_faces():
    rng = np.random.default_rng(1)
    a, b = rng.random(5), rng.random(5)
    difference, error = compare_folds(a, b)
    low, high = ttest_rel(a, b).confidence_interval(0.95)
    assert difference == pytest.approx((low + high) / 2)
    # The plain test divides the variance by 5 folds; a fold's training part has four times the
    # faces of its validation part, which adds a quarter (Nadeau and Bengio 2003).
    assert error == pytest.approx((high - low) / 2 * np.sqrt((1 / 5 + 1 / 4) / (1 / 5)))
    assert compare_folds(a[:1], b[:1])[1] == np.inf


def test_the_frontier_holds_what_nothing_beats_in_time_and_score(first):
    front = time_frontier(first)
    for _, row in front.iterrows():
        quicker = first["mean_fit_time"] <= row["mean_fit_time"]
        better = first["mean_test_score"] >= row["mean_test_score"]
        assert (quicker & better).sum() == 1
    assert front["mean_fit_time"].is_monotonic_increasing
    assert front["mean_test_score"].max() == first["mean_test_score"].max()


def test_a_candidate_whose_machine_was_not_fitted_is_on_no_frontier():
    table = plain([[0.8, 0.8], [0.9, 0.9]]).assign(mean_fit_time=[1.0, 0.0])
    assert time_frontier(table).index.tolist() == [0]


def test_colours_span_ten_standard_errors_or_the_upper_three_quarters(first):
    low, high = score_range(first)
    assert high == first["mean_test_score"].max()
    assert low == pytest.approx(np.quantile(first["mean_test_score"], 0.25))
    flat = plain([[0.90, 0.92, 0.91], [0.90, 0.91, 0.91]])
    low, high = score_range(flat)
    assert high - low == pytest.approx(10 * standard_error(flat.loc[0]))
    assert score_range(plain([[0.9, 0.9]])) == pytest.approx((0.89, 0.9))


def test_within_one_error_are_the_best_and_those_hardly_below_it(first):
    near, best = first[within_one_error(first)], first.loc[first["rank_test_score"].idxmin()]
    assert best.name in near.index
    least = best["mean_test_score"] - np.std(fold_scores(best)) / np.sqrt(
        count_folds(first.columns)
    )
    assert (near["mean_test_score"] >= least).all()
    assert (first.drop(near.index)["mean_test_score"] < least).all()
