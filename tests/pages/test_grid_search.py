"""Grid search: every number follows from the stored candidates, and a refit from the library."""

import base64
import io
import json
import shutil

import numpy as np
import pandas as pd
import pytest
from charts import contrast
from plotly.colors import sample_colorscale
from screens import SEARCH_TABS
from searches import wide_table

from facecore.data.crops import read_table
from facecore.model.store import load_model, read_metadata, read_model_table
from facecore.system import with_minus
from facecore.training.explorer import fold_crops, fold_points, refit
from facecore.training.points import make_points, read_points, with_mirror_images
from facecore.training.tables import (
    Effect,
    compare_folds,
    count_compared,
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
    within_one_error,
)

PAGE = "pages/3_Grid_search.py"
MINE = "Score of these parameters"
CANDIDATE, MODEL = "Cross-validated score of the candidate", "Cross-validated score of the model"
WEIGHTS = {"balanced": "balanced", "none": None}


@pytest.fixture
def candidates(shipped) -> pd.DataFrame:
    return pd.read_csv(shipped / "grid_search.csv")


@pytest.fixture
def open_tab(open_page):
    """Open the page at one of its tabs, by its address."""

    def open_(tab: str, **address: str):
        app = open_page(PAGE, search_tab=tab, **address)
        assert not app.exception
        return app

    return open_


@pytest.fixture
def crops_here(open_page, tmp_path, crops_folder, monkeypatch):
    """A folder crops/ with a data set, beside a dashboard that listens on localhost."""
    folder = tmp_path / "crops" / "drawn"
    shutil.copytree(crops_folder, folder)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("ui.local.is_local", lambda: True)
    return folder


def metrics(app) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def charts(app) -> list[dict]:
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


def shown_params(app) -> dict:
    """Return the parameters that the explorer's controls stand at."""
    return {
        "n_components": app.slider(key="search_n").value,
        "C": app.select_slider(key="search_c").value,
        "gamma": app.select_slider(key="search_gamma").value,
        "class_weight": WEIGHTS[app.segmented_control(key="search_weight").value],
    }


def captions(app) -> str:
    return " ".join(caption.value for caption in app.caption)


def synthetic(name: str, count: int):
    """Synthetic faces of a model in folds, as the explorer fits candidates to them."""
    model = load_model(name)
    return fold_points(with_mirror_images(make_points(model, count), model))


@pytest.fixture
def wide(copy_model, tiny_artifacts) -> pd.DataFrame:
    """The table of a wide search, of the model `tiny`, alone in use."""
    table = wide_table()
    copy_model(tiny_artifacts / "tiny", "tiny", grid_search=table)
    return table


def test_what_was_searched_and_found_is_that_of_the_artifacts(open_page, candidates):
    app = open_page(PAGE)
    assert not app.exception
    search, shown = read_metadata("classic")["search"], metrics(app)
    assert shown["Candidates"] == f"{read_metadata('classic')['search']['candidates']:,}"
    assert shown["Folds"] == str(search["folds"])
    assert shown["Faces"] == f"{sum(read_metadata('classic')['training_faces'].values()):,}"
    best = candidates.sort_values("rank_test_score").iloc[0]
    assert shown[CANDIDATE] == f"{best['mean_test_score']:.4f} ± {best['std_test_score']:.4f}"
    assert shown[MODEL] == f"{search['balanced_accuracy']:.4f} ± {search['std']:.4f}"
    compared = on_all_faces(candidates)
    simple = compared.loc[simplest_within_one_error(compared)]
    score = f"{simple['mean_test_score']:.4f}"
    assert shown["Simplest within one standard error"] == score
    deltas = {metric.label: metric.delta for metric in app.metric}
    assert deltas[CANDIDATE].startswith(f"{best['param_n_components']} components")
    for name in ("n_components", "C"):
        first = rounds_of(candidates)[0].rows
        assert ", ".join(f"{value:g}" for value in values_of(name, first)) in captions(app)


def test_a_model_of_the_simplest_candidate_is_told_as_such(wide, open_page, tmp_path):
    folder = tmp_path / "models" / "tiny"
    metadata = json.loads((folder / "metadata.json").read_text())
    metadata["search"]["chosen"] = "simplest"
    (folder / "metadata.json").write_text(json.dumps(metadata))
    app = open_page(PAGE)
    assert not app.exception
    helps = {metric.label: metric.help for metric in app.metric}
    assert helps["Simplest within one standard error"].endswith("The model was made of it.")
    assert "the simplest candidates within one standard error of the best" in captions(app)


def test_both_cross_validated_scores_are_defined_where_they_stand(open_page):
    app = open_page(PAGE)
    said = captions(app)
    assert "*cross-validated score of the candidate* is" in said
    assert "*cross-validated score of the model* is" in said
    helps = {metric.label: metric.help for metric in app.metric}
    assert "one member alone" in helps[CANDIDATE]
    assert "fused and calibrated" in helps[MODEL]


@pytest.mark.parametrize(
    ("older", "said"),
    [(False, "where calibration on the other folds puts it"), (True, "before calibration")],
)
def test_where_candidates_decided_is_told_as_it_was(
    open_page, tiny_artifacts, artifacts, older, said
):
    shutil.copytree(tiny_artifacts / "tiny", artifacts / "tiny")
    metadata = json.loads((artifacts / "tiny" / "metadata.json").read_text())
    if older:  # than the border's being set
        del metadata["search"]["border"]
    (artifacts / "tiny" / "metadata.json").write_text(json.dumps(metadata))
    app = open_page(PAGE, model="tiny")
    assert said in captions(app)
    assert said in next(metric.help for metric in app.metric if metric.label == CANDIDATE)


def test_the_candidates_stand_in_order_with_their_times(open_page, candidates):
    table = open_page(PAGE).dataframe[0].value
    ranked = candidates.sort_values("rank_test_score")
    assert table["rank"].tolist() == list(range(1, len(candidates) + 1))
    assert table.columns[:3].tolist() == ["rank", "score", "std"]
    assert table["score"].tolist() == pytest.approx(ranked["mean_test_score"].tolist())
    assert table["fit, s"].tolist() == pytest.approx(ranked["mean_fit_time"].tolist())
    assert ("whiten" in table) == (len(values_of("whiten", candidates)) > 1)


@pytest.mark.parametrize("row", [0, 5])
def test_choosing_a_row_shows_the_folds_of_that_candidate(open_page, candidates, row):
    app = open_page(PAGE)
    app.session_state["search_row"] = {"selection": {"rows": [row], "columns": [], "cells": []}}
    app.run()
    assert not app.exception
    expected = candidates.sort_values("rank_test_score").iloc[row]
    assert any(m.value.startswith(f"**Rank {row + 1}**") for m in app.markdown)
    (figure,) = charts(app)
    folds = [expected[f"split{i}_test_score"] for i in range(5)]
    assert figure["data"][0]["y"] == pytest.approx(folds)
    assert len(figure["data"]) == (1 if row == 0 else 2)


def test_the_table_can_be_downloaded_with_all_columns(open_page, candidates, downloads):
    open_page(PAGE)
    offered = pd.read_csv(io.BytesIO(downloads["classic_grid_search.csv"]))
    assert offered.columns.tolist() == candidates.columns.tolist()
    assert offered["mean_test_score"].tolist() == candidates["mean_test_score"].tolist()


@pytest.mark.parametrize("weight", ["balanced", "none"])
def test_heat_maps_hold_every_candidate_of_a_class_weight(open_tab, wide, weight):
    app = open_tab("Heat maps")
    app.segmented_control(key="search_class_weight").set_value(weight).run()
    assert not app.exception
    first = rounds_of(wide)[0].rows
    rows = first[first["param_class_weight"].eq(weight) & first["param_whiten"]]
    scale, *maps = charts(app)
    assert len(maps) == rows["param_n_components"].nunique()
    low, high = score_range(first)
    assert as_array(scale["data"][0]["x"])[[0, -1]] == pytest.approx([low, high])
    near = within_one_error(first)
    for figure, (n, part) in zip(maps, rows.groupby("param_n_components"), strict=True):
        assert figure["layout"]["title"]["text"] == f"n = {n}"
        (trace,) = figure["data"]
        assert (trace["zmin"], trace["zmax"]) == pytest.approx((low, high))
        grid = part.pivot_table(index="gamma_factor", columns="param_C", values="mean_test_score")
        assert trace["y"] == [f"{value:g}" for value in grid.index]
        assert trace["x"] == [f"{value:g}" for value in grid.columns]
        assert as_array(trace["z"]) == pytest.approx(grid.to_numpy())
        for cell in figure["layout"]["annotations"]:
            assert isinstance(cell["x"], int)  # the number of its category
            score = grid.iloc[cell["y"], cell["x"]]
            assert cell["text"] == f"{score:.3f}".removeprefix("0")
            share = np.clip((score - low) / (high - low), 0, 1)
            (behind,) = sample_colorscale(trace["colorscale"], share)
            assert contrast(cell["font"]["color"], behind) >= 4.5
        assert len(figure["layout"]["annotations"]) == len(part)
        assert len(figure["layout"].get("shapes", [])) == near[part.index].sum()
    assert "lower quartile" in captions(app)


def as_array(encoded) -> np.ndarray:
    """Return the numbers of a figure, which plotly may have packed."""
    if not isinstance(encoded, dict):
        return np.array(encoded, dtype=float)
    numbers = np.frombuffer(base64.b64decode(encoded["bdata"]), encoded["dtype"])
    shape = encoded.get("shape")
    return numbers.reshape([int(n) for n in shape.split(",")]) if shape else numbers


def test_each_cell_of_a_heat_map_tells_its_deviation_and_how_far_it_is_from_the_best(
    open_tab, candidates
):
    _, *maps = charts(open_tab("Heat maps"))
    first = rounds_of(candidates)[0].rows
    best = first.loc[first["rank_test_score"].idxmin()]
    notes = " ".join(str(maps[i]["data"][0]["customdata"]) for i in range(len(maps)))
    assert f"{best['mean_test_score']:.4f} ± {best['std_test_score']:.4f} over the folds" in notes
    assert "0.0000 below the best" in notes


def test_numbers_of_components_are_not_written_over_each_other():
    from ui.search_curves import component_line

    table = wide_table()
    rows = table[table["iter"].eq(0)].reset_index(drop=True)
    rows["param_n_components"] = np.resize([10, 28, 29, 30, 100, 480, 500], len(rows))
    axis = component_line({"one": rows, "other": rows}).layout.xaxis
    assert list(axis.tickvals) == [10, 30, 100, 500]
    assert list(axis.ticktext) == ["10", "30", "100", "500"]


def test_components_and_times_show_the_best_of_each_number_and_all_candidates(open_tab, wide):
    rows = rounds_of(wide)[0].rows
    (figure,) = charts(open_tab("Components"))
    line, band, simple = figure["data"]
    tops = rows.loc[rows.groupby("param_n_components")["mean_test_score"].idxmax()]
    assert as_array(line["y"]) == pytest.approx(tops["mean_test_score"].to_numpy())
    errors = np.array([standard_error(row) for _, row in tops.iterrows()])
    assert as_array(band["y"])[: len(tops)] == pytest.approx(
        tops["mean_test_score"].to_numpy() + errors
    )
    found = rows.loc[simplest_within_one_error(rows)]
    assert as_array(simple["y"]) == pytest.approx([found["mean_test_score"]])
    (figure,) = charts(open_tab("Time"))
    *dots, front = figure["data"]
    assert sum(len(trace["customdata"]) for trace in dots) == len(rows)
    expected = time_frontier(rows)
    assert as_array(front["x"]) == pytest.approx(expected["mean_fit_time"].to_numpy())
    assert as_array(front["y"]) == pytest.approx(expected["mean_test_score"].to_numpy())


def test_candidates_without_a_time_of_their_own_are_counted(open_tab, copy_model, tiny_artifacts):
    table = wide_table()
    table.loc[[0, 1, 2], "mean_fit_time"] = 0.0
    copy_model(tiny_artifacts / "tiny", "tiny", grid_search=table)
    app = open_tab("Time")
    assert "of 861 candidates" in captions(app)
    assert "3 candidates are not drawn" in captions(app)


def test_a_round_can_be_chosen_and_the_zoom_is_named(open_tab, wide):
    app = open_tab("Components")
    picker = app.segmented_control(key="search_round")
    assert picker.options == ["Round 0", "Round 1", "Round 2", "Zoom"]
    for name, found in zip(picker.options, rounds_of(wide), strict=True):
        app.segmented_control(key="search_round").set_value(name).run()
        assert not app.exception
        said = f"{name}, {len(found.rows)} candidates on {found.faces:,} faces"
        assert said in captions(app)
        line = charts(app)[0]["data"][0]
        tops = found.rows.groupby("param_n_components")["mean_test_score"].max()
        assert as_array(line["y"]) == pytest.approx(tops.to_numpy())


def test_every_tab_opens_in_every_round(open_tab, wide):
    for name in ("Round 0", "Round 1", "Zoom"):
        for tab in SEARCH_TABS[1:6]:
            open_tab(tab, search_round=name)


def test_a_plain_search_has_no_rounds_to_choose(open_page, in_tiny_artifacts):
    app = open_page(PAGE)
    assert not [w for w in app.segmented_control if w.key == "search_round"]
    assert "Grid: components 10, 20" in captions(app)


def test_the_best_inside_the_grid_is_told_and_at_an_edge_the_way_on(
    open_page, copy_model, tiny_artifacts
):
    table = wide_table()
    root = copy_model(tiny_artifacts / "tiny", "inside", grid_search=table)
    app = open_page(PAGE)
    assert "The best is inside: components (140 between 10 and 500)" in captions(app)
    zoom = rounds_of(table)[-1].rows
    (edge,) = [place for place in places_of_best(zoom) if place.beyond]
    assert (edge.parameter, edge.rival) == ("C", 2)
    assert "In the zoom it is at the edge of C; C 2 is as good within the noise." in captions(app)
    assert not app.info
    shutil.rmtree(root / "inside")
    rows = table[table["iter"].eq(0) & table["param_C"].le(2)]
    copy_model(tiny_artifacts / "tiny", "edge", grid_search=rows)
    app = open_page(PAGE)
    assert app.info[0].value == (
        "Of C, 2 is the largest value that was searched: search on above it."
    )


def test_at_an_edge_the_page_names_a_value_that_is_as_good(open_page, copy_model, tiny_artifacts):
    table = wide_table()
    best = table.loc[table["rank_test_score"].idxmin()]
    rows = table[table["param_C"].le(best["param_C"])]
    copy_model(tiny_artifacts / "tiny", "edge", grid_search=rows)
    said = open_page(PAGE).info[0].value
    assert f"Of C, {best['param_C']:g} is the largest value that was searched: 2 is as" in said


def test_parameters_that_had_one_value_were_not_searched(open_page, in_tiny_artifacts):
    said = captions(open_page(PAGE))
    assert "Not searched: gamma (0.005), class weight (balanced), whiten (yes)." in said


def test_a_sentence_tells_what_matters_and_what_is_flat(open_page, wide):
    start = "In round 0, on 1,000 faces, what matters"
    (told,) = [m.value for m in open_page(PAGE).markdown if m.value.startswith(start)]
    effects = {effect.parameter: effect for effect in effects_of(rounds_of(wide)[0].rows)}
    n = effects["n_components"]
    assert f"components, best 140; with 10 the score is {max(n.costs):.4f}" in told
    flat = max(effects["class_weight"].costs)
    assert f"class weight (at most {flat:.4f} between balanced and none)" in told
    assert told.index("components") < told.index("whiten") < told.index("class weight")


@pytest.mark.parametrize(
    ("flat", "told"),
    [
        ((48, 100, 230), "best 48 to 230;"),
        ((48, 100, 230, 500), "best 48 to 500;"),
        ((20, 48, 100, 500), "best 20 to 500, except 230;"),
        ((10, 500), "best 10 or 500;"),
        ((10, 48, 500), "best 10 or 48 or 500;"),
        ((48,), "best 48;"),
    ],
)
def test_numbers_that_are_as_good_are_told_by_their_ends_and_their_holes(flat, told):
    from ui.search_summary import describe_effects

    values = (10, 20, 48, 100, 230, 500)
    costs = tuple(0.0 if value in flat else 0.1 for value in values)
    effect = Effect("n_components", values, costs, (0.01,) * len(values))
    assert f"components, {told} with" in describe_effects([effect], wide_table())


def test_a_number_between_two_good_ones_is_told_only_if_it_is_clearly_worse():
    from ui.search_summary import describe_effects

    values, table = (10, 20, 48, 100), wide_table()
    hole = Effect("n_components", values, (0.1, 0.0, 0.015, 0.0), (0.01,) * 4)
    assert "components, best 20 to 100; with 10" in describe_effects([hole], table)
    edge = Effect("n_components", values, (0.015, 0.0, 0.0, 0.0), (0.01,) * 4)
    assert "components, best 20 to 100; with 10" in describe_effects([edge], table)
    alone = Effect("n_components", values, (0.0, 0.0, 0.015, 0.0), (0.01,) * 4)
    told = describe_effects([alone], table)
    assert told == (
        "No difference within the noise: components (at most 0.0150 between 10 and 100)."
    )


def test_what_costs_most_is_told_of_values_that_differ_by_more_than_the_noise():
    from ui.search_summary import describe_effects

    effect = Effect("n_components", (10, 20, 48), (0.02, 0.01, 0.0), (0.03, 0.001, 0.0))
    assert effect.flat == (10, 48)
    told = describe_effects([effect], wide_table())
    assert "components, best 10 or 48; with 20 the score is 0.0100 ± 0.0010 lower" in told


def test_importance_is_that_of_the_library_over_all_or_over_the_better_half(open_tab, wide):
    rows = rounds_of(wide)[0].rows
    app = open_tab("Importance")
    for counted, floor in (
        ("All candidates", None),
        ("The better half", rows["mean_test_score"].median()),
    ):
        app.segmented_control(key="search_counted").set_value(counted).run()
        (figure,) = charts(app)
        (bars,) = figure["data"]
        found = importance_of(rows, floor).shares.head(12)[::-1]
        assert as_array(bars["x"]) == pytest.approx(found["share"].to_numpy())
        assert as_array(bars["error_x"]["array"]) == pytest.approx(found["std"].to_numpy())
        assert bars["y"][-1] == "components"
        assert "Functional ANOVA" in captions(app)
    app.segmented_control(key="search_round").set_value("Round 1").run()
    assert "not a full cross product" in captions(app)


def test_parallel_coordinates_have_an_axis_for_each_parameter_that_varies(open_tab, wide):
    rows = rounds_of(wide)[0].rows
    (figure,) = charts(open_tab("Parallel coordinates"))
    (lines,) = figure["data"]
    names = [axis["label"] for axis in lines["dimensions"]]
    assert names == ["components", "C", "gamma factor", "class weight", "whiten", "score"]
    weights = lines["dimensions"][3]
    assert weights["ticktext"] == ["balanced", "none"]
    assert set(as_array(weights["values"]).tolist()) == {0, 1}
    assert len(as_array(lines["line"]["color"])) == len(rows)
    assert lines["line"]["cmax"] == pytest.approx(rows["mean_test_score"].max())


def test_two_members_are_compared_fold_by_fold(open_tab, aligned_artifacts, monkeypatch):
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(aligned_artifacts))
    app = open_tab("Two searches")
    app.segmented_control(key="search_member_2").set_value("patterns").run()
    assert not app.exception
    shown = app.table[0].value
    assert shown.columns.tolist() == [
        "tiny: pixels (grey levels)",
        "tiny: patterns (fine texture)",
    ]
    table = pd.read_csv(aligned_artifacts / "tiny" / "grid_search.csv")
    rows = [
        table[table["param_member"].eq(name)].sort_values("rank_test_score").iloc[0]
        for name in ("pixels", "patterns")
    ]
    for column, row in zip(shown, rows, strict=True):
        expected = f"{row['mean_test_score']:.4f} ± {row['std_test_score']:.4f}"
        assert shown.loc[CANDIDATE, column] == expected
        assert shown.loc["components", column] == str(row["param_n_components"])
    difference, error = compare_folds(*(fold_scores(row) for row in rows))
    assert f"scores {abs(difference):.4f} ± {error:.4f} above" in captions(app)


def test_two_models_are_compared_without_subtracting_their_folds(
    open_page, open_tab, copy_model, tiny_artifacts, shipped
):
    copy_model(shipped, "classic")
    copy_model(tiny_artifacts / "tiny", "tiny", grid_search=wide_table())
    app = open_tab("Two searches", other="tiny")
    assert app.table[0].value.columns.tolist() == [
        "classic: pixels (grey levels)",
        "tiny: pixels (grey levels)",
    ]
    assert "not subtracted" in captions(app)
    figure, *maps = charts(app)
    assert len(figure["data"]) == 4
    tables = (pd.read_csv(shipped / "grid_search.csv"), wide_table())
    for drawn, table in zip(maps, tables, strict=True):
        first = rounds_of(table)[0].rows
        (trace,) = drawn["data"]
        assert np.nanmax(as_array(trace["z"])) == first["mean_test_score"].max()
        assert (trace["zmin"], trace["zmax"]) == pytest.approx(score_range(first))


def test_a_single_search_has_nothing_to_be_compared_with(open_tab, in_tiny_artifacts):
    assert "nothing to compare with" in open_tab("Two searches").info[-1].value


def test_a_search_of_several_members_may_be_wide_for_some(
    open_tab, open_page, copy_model, aligned_artifacts
):
    plain = pd.read_csv(aligned_artifacts / "tiny" / "grid_search.csv")
    wide = wide_table(folds=5).assign(param_member="hog tight")
    table = pd.concat([plain[plain["param_member"].ne("hog tight")], wide], ignore_index=True)
    copy_model(aligned_artifacts / "tiny", "tiny", grid_search=table)
    for member, candidates in (("pixels", 2), ("hog tight", count_compared(wide))):
        app = open_page(PAGE, search_member=member)
        assert not app.exception
        assert metrics(app)["Candidates"] == f"{candidates:,}"
    for tab in SEARCH_TABS[1:]:
        open_tab(tab, search_member="hog tight")
    open_tab("Heat maps", search_member="pixels")


def test_a_model_of_many_labels_shows_every_tab(open_tab, in_many):
    for tab in SEARCH_TABS:
        open_tab(tab)


def test_the_explorer_starts_at_the_best_candidate(open_tab):
    app = open_tab("Explorer")
    best = read_metadata("classic")["search"]["best"]
    faces = synthetic("classic", 1000)
    params = shown_params(app)
    assert params["C"] == best["C"]
    assert params["gamma"] == best["gamma"]
    assert params["class_weight"] == best["class_weight"]
    assert params["n_components"] == min(best["n_components"], faces.most)
    found = refit(faces, params)
    shown = metrics(app)
    assert shown[MINE] == f"{found.mean:.3f} ± {found.std:.3f}"
    assert shown["Support vectors"] == f"{found.support_vectors.mean():,.0f}"
    assert "their scores are not those of photos" in captions(app)
    assert "In each fold the score is that of the best candidate" in captions(app)


def test_other_parameters_are_fitted_at_once_and_held_against_the_best_on_the_same_faces(open_tab):
    app = open_tab("Explorer")
    app.select_slider(key="search_faces").set_value(500)
    app.slider(key="search_n").set_value(12)
    app.select_slider(key="search_c").set_value(0.5)
    app.select_slider(key="search_gamma").set_value(0.05)
    app.segmented_control(key="search_weight").set_value("balanced").run()
    assert not app.exception
    faces = synthetic("classic", 500)
    found = refit(faces, {"n_components": 12, "C": 0.5, "gamma": 0.05, "class_weight": "balanced"})
    reference = refit(faces, read_metadata("classic")["search"]["best"])
    (score,) = [metric for metric in app.metric if metric.label == MINE]
    assert score.value == f"{found.mean:.3f} ± {found.std:.3f}"
    assert score.delta == with_minus(f"{found.mean - reference.mean:+.3f}")
    assert score.proto.delta_description.startswith(f"versus {reference.mean:.3f}")
    difference, error = compare_folds(found.scores, reference.scores)
    told = with_minus(f"the difference is {difference:+.4f} ± {error:.4f}")
    assert told in captions(app)
    paired, margins = charts(app)
    assert [as_array(trace["y"]).tolist() for trace in paired["data"]] == [
        pytest.approx(found.scores),
        pytest.approx(reference.scores),
    ]
    y = make_points(load_model("classic"), 500).y
    for trace, label in zip(margins["data"], load_model("classic").labels, strict=True):
        share = (found.margins[y == label] > 0).mean()
        assert trace["name"] == f"{label}, {share:.1%} right"


def test_no_refit_is_ranked_among_candidates_of_other_faces(open_tab):
    app = open_tab("Explorer")
    assert "rank" not in json.dumps([chart["data"] for chart in charts(app)]).lower()
    assert not [m for m in app.markdown if "rank" in m.value.lower()]


def test_a_model_of_the_visitor_is_refitted_on_its_stored_faces_and_their_mirror_images(
    open_tab, open_page, in_tiny_artifacts
):
    for tab in SEARCH_TABS:
        open_tab(tab)
    app = open_tab("Explorer")
    assert app.segmented_control(key="search_source").value == "training faces"
    points = read_points(read_model_table("coordinates", "tiny").sample(frac=1, random_state=0))
    faces = fold_points(with_mirror_images(points, load_model("tiny")))
    assert faces.mirrored
    found = refit(faces, shown_params(app))
    assert metrics(app)[MINE] == f"{found.mean:.3f} ± {found.std:.3f}"
    assert "which were fitted to these faces too" in captions(app)


def test_crops_of_a_local_folder_are_refitted_as_training_fits_them(
    open_tab, in_tiny_artifacts, crops_here
):
    app = open_tab("Explorer", search_source="Crops")
    best = read_metadata("tiny")["search"]["best"]
    faces = fold_crops(
        crops_here,
        read_table(crops_here),
        load_model("tiny"),
        count=1000,
        most=2 * best["n_components"],
    )
    found = refit(faces, shown_params(app) | {"whiten": best["whiten"]})
    assert metrics(app)[MINE] == f"{found.mean:.3f} ± {found.std:.3f}"
    assert "fitted inside each fold" in captions(app)
    app.toggle(key="search_whitened").set_value(not best["whiten"]).run()
    found = refit(faces, shown_params(app) | {"whiten": not best["whiten"]})
    assert metrics(app)[MINE] == f"{found.mean:.3f} ± {found.std:.3f}"


def test_crops_that_cannot_be_read_are_an_error_in_words(open_tab, in_tiny_artifacts, crops_here):
    for crop in crops_here.glob("*_crop/*.png"):
        crop.write_bytes(b"no picture")
    app = open_tab("Explorer", search_source="Crops")
    assert "python -m facecore crop" in app.error[0].value


def test_without_crops_the_command_that_makes_them_is_named(open_tab, crops_here):
    shutil.rmtree(crops_here)
    app = open_tab("Explorer", search_source="Crops")
    assert app.code[0].value.startswith("python -m facecore crop")


def test_folders_of_a_public_server_are_not_offered(open_tab, monkeypatch):
    monkeypatch.setattr("ui.local.is_local", lambda: False)
    app = open_tab("Explorer", search_source="Crops")
    assert "localhost" in app.info[-1].value


def test_a_grid_of_one_candidate_shows_every_tab(open_tab, open_page, copy_model, tiny_artifacts):
    one = pd.read_csv(tiny_artifacts / "tiny" / "grid_search.csv").iloc[:1]
    copy_model(tiny_artifacts / "tiny", "tiny", grid_search=one.assign(rank_test_score=1))
    app = open_page(PAGE)
    assert metrics(app)["Candidates"] == "1"
    for tab in SEARCH_TABS:
        open_tab(tab)


def test_a_grid_that_varies_whitening_says_so(open_tab, open_page, copy_model, tiny_artifacts):
    table = pd.read_csv(tiny_artifacts / "tiny" / "grid_search.csv")
    both = pd.concat([table, table.assign(param_whiten=False)], ignore_index=True)
    both["rank_test_score"] = range(1, len(both) + 1)
    copy_model(tiny_artifacts / "tiny", "tiny", grid_search=both)
    app = open_page(PAGE)
    assert "whiten" in app.dataframe[0].value
    app = open_tab("Heat maps")
    app.segmented_control(key="search_whiten").set_value("no").run()
    assert not app.exception


def test_stored_faces_of_three_labels_are_refitted(open_tab, copy_model, tiny_artifacts):
    stored = pd.read_csv(tiny_artifacts / "tiny" / "coordinates.csv", dtype={"person": str})
    third = stored.assign(label="wide", person="w" + stored["person"])
    third.loc[:, "c1":] += 1.5
    copy_model(tiny_artifacts / "tiny", "tiny", coordinates=pd.concat([stored, third]))
    app = open_tab("Explorer")
    _, margins = charts(app)
    assert [t["name"].split(",")[0] for t in margins["data"]] == ["round", "square", "wide"]


def test_stored_faces_that_cannot_be_split_are_an_error_in_words(
    open_tab, copy_model, tiny_artifacts
):
    stored = pd.read_csv(tiny_artifacts / "tiny" / "coordinates.csv")
    copy_model(tiny_artifacts / "tiny", "tiny", coordinates=stored[stored["label"].eq("round")])
    app = open_tab("Explorer")
    assert "two labels" in app.error[0].value


def test_another_model_can_be_chosen_in_the_explorer(open_tab, copy_model, shipped, tiny_artifacts):
    copy_model(shipped, "classic")
    copy_model(tiny_artifacts / "tiny", "tiny")
    app = open_tab("Explorer")
    app.select_slider(key="search_c").set_value(8.0).run()
    app.sidebar.selectbox[0].set_value("tiny").run()
    assert not app.exception
    found = refit(synthetic("tiny", 1000), shown_params(app))
    assert metrics(app)[MINE] == f"{found.mean:.3f} ± {found.std:.3f}"


def test_a_model_without_a_table_names_the_command(open_page, copy_model, shipped):
    copy_model(shipped, "classic", grid_search=None)
    app = open_page(PAGE)
    assert not app.exception
    assert "without the table grid_search.csv" in app.info[0].value
    assert app.code[0].value == "python -m facecore train PHOTOS --name my-model"


@pytest.mark.filterwarnings("ignore::facecore.errors.ModelWarning")
def test_a_damaged_table_is_named_and_the_command_that_makes_it_shown(
    open_page, copy_model, shipped
):
    root = copy_model(shipped, "classic")
    (root / "classic" / "grid_search.csv").write_text("param_C\n1\n")
    app = open_page(PAGE)
    assert not app.exception
    assert "grid_search.csv does not match its checksum" in app.warning[0].value
    assert app.code[0].value.startswith("python -m facecore train")
