"""Grid search: every number follows from the stored candidates, and a refit from the library."""

import io
import json
import shutil

import pandas as pd
import pytest

from facecore.data.crops import read_table
from facecore.model.store import load_model, read_metadata, read_model_table
from facecore.training.explorer import project_crops, refit
from facecore.training.points import make_points, read_points
from facecore.training.search import simplest_within_one_error

PAGE = "pages/3_Grid_search.py"
TABS = ("Candidates", "Heat maps", "Components", "Time", "Explorer")
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


def test_what_was_searched_and_found_is_that_of_the_artifacts(open_page, candidates):
    app = open_page(PAGE)
    assert not app.exception
    metadata, shown = read_metadata("classic"), metrics(app)
    assert shown["Candidates"] == f"{len(candidates):,}"
    assert shown["Folds"] == str(metadata["search"]["folds"])
    assert shown["Faces"] == f"{sum(metadata['training_faces'].values()):,}"
    best = candidates.sort_values("rank_test_score").iloc[0]
    assert shown["Best"] == f"{best['mean_test_score']:.4f} ± {best['std_test_score']:.4f}"
    simple = candidates.loc[simplest_within_one_error(candidates)]
    cost = simple["mean_test_score"] - best["mean_test_score"]
    score = f"{simple['mean_test_score']:.4f} ({cost:+.4f})"
    assert shown["Simplest within one standard error"] == score
    deltas = {metric.label: metric.delta for metric in app.metric}
    assert deltas["Best"].startswith(f"{best['param_n_components']} components")
    for values in metadata["search"]["grid"].values():
        text = ", ".join("none" if value is None else str(value) for value in values)
        assert text in app.caption[0].value


def test_the_candidates_stand_in_order_with_their_times(open_page, candidates):
    table = open_page(PAGE).dataframe[0].value
    ranked = candidates.sort_values("rank_test_score")
    assert table["rank"].tolist() == list(range(1, len(candidates) + 1))
    assert table["mean"].tolist() == pytest.approx(ranked["mean_test_score"].tolist())
    assert table["fit, s"].tolist() == pytest.approx(ranked["mean_fit_time"].tolist())
    assert "whiten" not in table


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
def test_heat_maps_hold_every_candidate_of_a_class_weight(
    open_tab, copy_model, shipped, candidates, weight
):
    mine = candidates.assign(param_class_weight=weight)
    other = candidates[candidates["param_n_components"].eq(150)].assign(
        param_class_weight="none" if weight == "balanced" else "balanced",
        rank_test_score=lambda rows: rows["rank_test_score"] + len(candidates),
    )
    copy_model(shipped, "classic", grid_search=pd.concat([mine, other], ignore_index=True))
    app = open_tab("Heat maps")
    app.segmented_control(key="search_class_weight").set_value(weight).run()
    assert not app.exception
    (figure,) = charts(app)
    assert len(figure["data"]) == mine["param_n_components"].nunique()
    titles = [note["text"] for note in figure["layout"]["annotations"]]
    assert titles == [f"n = {n}" for n in sorted(mine["param_n_components"].unique())]
    assert {trace["coloraxis"] for trace in figure["data"]} == {"coloraxis"}


def test_components_and_times_show_the_best_of_each_number_and_all_candidates(open_tab, candidates):
    (figure,) = charts(open_tab("Components"))
    best = candidates.groupby("param_n_components")["mean_test_score"].max()
    assert figure["data"][0]["customdata"][0].startswith("150 components")
    assert len(figure["data"][0]["customdata"]) == len(best)
    (figure,) = charts(open_tab("Time"))
    assert sum(len(t["customdata"]) for t in figure["data"]) == len(candidates)
    assert len({t["marker"]["symbol"] for t in figure["data"]}) == len(best)


def test_the_explorer_starts_at_the_best_candidate(open_tab):
    app = open_tab("Explorer")
    best = read_metadata("classic")["search"]["best"]
    points = make_points(load_model("classic"), 1000)
    params = shown_params(app)
    assert params["C"] == best["C"]
    assert params["gamma"] == best["gamma"]
    assert params["class_weight"] == best["class_weight"]
    assert params["n_components"] == min(best["n_components"], points.Z.shape[1])
    found = refit(points, params)
    shown = metrics(app)
    assert shown["Balanced accuracy"] == f"{found.mean:.3f} ± {found.std:.3f}"
    assert shown["Support vectors"] == f"{found.support_vectors.mean():,.0f}"
    said = " ".join(caption.value for caption in app.caption)
    assert "their scores are not those of photos" in said
    assert "100 coordinates" in said


def test_other_parameters_are_fitted_at_once_and_held_against_the_best(open_tab):
    app = open_tab("Explorer")
    app.select_slider(key="search_faces").set_value(500)
    app.slider(key="search_n").set_value(12)
    app.select_slider(key="search_c").set_value(0.5)
    app.select_slider(key="search_gamma").set_value(0.05)
    app.segmented_control(key="search_weight").set_value("balanced").run()
    assert not app.exception
    points = make_points(load_model("classic"), 500)
    found = refit(points, {"n_components": 12, "C": 0.5, "gamma": 0.05, "class_weight": "balanced"})
    reference = refit(points, read_metadata("classic")["search"]["best"])
    (score,) = [metric for metric in app.metric if metric.label == "Balanced accuracy"]
    assert score.value == f"{found.mean:.3f} ± {found.std:.3f}"
    assert score.delta == f"{found.mean - reference.mean:+.3f}"
    standing, margins = charts(app)
    names = [trace["name"] for trace in standing["data"]]
    assert names == ["candidates", "these parameters", "best candidate, same faces"]
    for trace, label in zip(margins["data"], load_model("classic").labels, strict=True):
        share = (found.margins[points.y == label] > 0).mean()
        assert trace["name"] == f"{label}, {share:.1%} right"


def test_a_model_of_the_visitor_is_refitted_on_its_stored_training_faces(
    open_tab, open_page, in_tiny_artifacts
):
    for tab in TABS:
        open_tab(tab)
    app = open_tab("Explorer")
    assert app.segmented_control(key="search_source").value == "training faces"
    points = read_points(read_model_table("coordinates", "tiny").sample(frac=1, random_state=0))
    found = refit(points, shown_params(app))
    assert metrics(app)["Balanced accuracy"] == f"{found.mean:.3f} ± {found.std:.3f}"
    assert "slightly optimistic" in " ".join(caption.value for caption in app.caption)


def test_crops_of_a_local_folder_are_refitted(open_tab, in_tiny_artifacts, crops_here):
    app = open_tab("Explorer", search_source="Crops")
    points = project_crops(crops_here, read_table(crops_here), load_model("tiny"), count=1000)
    found = refit(points, shown_params(app))
    assert metrics(app)["Balanced accuracy"] == f"{found.mean:.3f} ± {found.std:.3f}"


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
    assert "localhost" in app.info[0].value


def test_a_grid_of_one_candidate_shows_every_tab(open_tab, open_page, copy_model, tiny_artifacts):
    one = pd.read_csv(tiny_artifacts / "tiny" / "grid_search.csv").iloc[:1]
    copy_model(tiny_artifacts / "tiny", "tiny", grid_search=one.assign(rank_test_score=1))
    app = open_page(PAGE)
    assert metrics(app)["Candidates"] == "1"
    for tab in TABS:
        open_tab(tab)


def test_a_grid_that_varies_whitening_says_so(open_tab, open_page, copy_model, tiny_artifacts):
    table = pd.read_csv(tiny_artifacts / "tiny" / "grid_search.csv")
    both = pd.concat([table, table.assign(param_whiten=False)], ignore_index=True)
    both["rank_test_score"] = range(1, len(both) + 1)
    copy_model(tiny_artifacts / "tiny", "tiny", grid_search=both)
    app = open_page(PAGE)
    assert "whiten" in app.dataframe[0].value
    app = open_tab("Heat maps")
    app.segmented_control(key="search_whiten").set_value("False").run()
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
    found = refit(make_points(load_model("tiny"), 1000), shown_params(app))
    assert metrics(app)["Balanced accuracy"] == f"{found.mean:.3f} ± {found.std:.3f}"


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
