"""The page Ladder, and what other pages say of a model that no picture can be drawn from."""

import json
import shutil

import pytest
import streamlit as st
from screens import ROOT

from facecore.model.store import artifacts_dir
from facecore.training.ladder import LADDER_FOLDER, RUNGS, read_ladder
from ui.ladder import disagreement

LADDER = "pages/7_Ladder.py"
TABLES = ROOT / "artifacts" / LADDER_FOLDER


@pytest.fixture
def with_tables(tmp_path, textbook, monkeypatch):
    """The textbook model and the ladder's tables, in use."""
    shutil.copytree(textbook, tmp_path / "models")
    shutil.copytree(TABLES, tmp_path / "models" / LADDER_FOLDER)
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(tmp_path / "models"))
    return tmp_path / "models" / LADDER_FOLDER


@pytest.fixture
def in_described(described_artifacts, textbook, with_weights, tmp_path, monkeypatch):
    """The textbook model and the model `embedding`, in use."""
    root = tmp_path / "models"
    shutil.copytree(textbook, root)
    shutil.copytree(described_artifacts / "tiny", root / "embedding")
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(root))


def words(app) -> str:
    groups = (app.markdown, app.caption, app.info, app.error)
    return "\n".join(str(element.value) for group in groups for element in group)


def test_without_tables_the_page_names_the_command(open_page):
    app = open_page(LADDER)
    assert not app.exception
    assert app.code[0].value == "python -m facecore ladder DATA"


@pytest.mark.usefixtures("with_tables")
def test_the_rungs_stand_side_by_side_with_the_figures_of_the_tables(open_page):
    app = open_page(LADDER)
    assert not app.exception
    shown = app.dataframe[0].value
    rungs = read_ladder().rungs
    assert shown["accuracy"].tolist() == rungs["accuracy"].tolist()
    assert shown.columns[:3].tolist() == ["rung", "accuracy", "95% interval"]
    assert shown["95% interval"][0] == f"{rungs['low'][0]:.3f} to {rungs['high'][0]:.3f}"
    spec = json.loads(app.get("plotly_chart")[0].proto.spec)
    assert list(spec["data"][0]["y"]) == list(RUNGS)
    assert any("hog tight: directions of edges" in caption.value for caption in app.caption)


@pytest.mark.usefixtures("with_tables")
@pytest.mark.parametrize("view", ["Training faces", "Components"])
def test_every_curve_has_its_interval(open_page, view):
    app = open_page(LADDER, rung_view=view)
    assert not app.exception
    table = read_ladder().curves if view == "Training faces" else read_ladder().components
    lines = json.loads(app.get("plotly_chart")[0].proto.spec)["data"]
    assert [line["name"] for line in lines[1::2]] == list(dict.fromkeys(table["rung"]))
    assert all(line["fill"] == "toself" for line in lines[::2])


@pytest.mark.usefixtures("with_tables")
def test_a_rung_has_one_colour_in_all_views(open_page):
    def spec(view):
        return json.loads(open_page(LADDER, rung_view=view).get("plotly_chart")[0].proto.spec)

    dots, *bars = spec("Rungs")["data"]
    colours = dict(zip(dots["y"], dots["marker"]["color"], strict=True))
    assert len(set(colours.values())) == len(RUNGS)
    assert all(bar["marker"]["color"] == dots["marker"]["color"] for bar in bars)
    for view in ("Training faces", "Components"):
        drawn = {line["name"]: line["line"]["color"] for line in spec(view)["data"][1::2]}
        assert drawn == {rung: colours[rung] for rung in drawn}


def test_a_rung_that_was_left_out_is_named_with_the_reason(open_page, with_tables):
    about = json.loads((with_tables / "ladder.json").read_text(encoding="utf-8"))
    about["left_out"] = {"embedding": "it needs an extra"}
    (with_tables / "ladder.json").write_text(json.dumps(about), encoding="utf-8")
    assert "embedding was left out: it needs an extra" in words(open_page(LADDER))


def test_damaged_tables_are_an_error_in_words(open_page, with_tables):
    (with_tables / "ladder.json").write_text("{", encoding="utf-8")
    app = open_page(LADDER)
    assert not app.exception
    assert "damaged" in app.error[0].value


@pytest.mark.usefixtures("in_described")
def test_one_face_is_shown_as_each_rung_sees_it(open_page):
    app = open_page(LADDER, rung_view="One face")
    assert not app.exception
    said = words(app)
    assert "1. pixels" in said
    assert "2. embedding" in said
    assert "probability" in said


def test_the_rungs_that_differ_from_the_highest_are_named():
    assert disagreement({"a": "x", "b": "x"}) == "**All 2 rungs agree**: x."
    assert disagreement({"a": "y", "b": "x"}) == "**b says x; a disagrees**."
    assert disagreement({"a": "y", "b": "y", "c": "x"}) == "**c says x; a, b disagree**."


@pytest.mark.usefixtures("in_described")
def test_the_page_of_eigenfaces_says_kindly_that_an_embedding_has_none(open_page):
    app = open_page("pages/2_Eigenfaces.py", model="embedding")
    assert not app.exception
    assert "cannot be turned back into a picture" in words(app).lower()


@pytest.mark.usefixtures("in_described")
def test_a_face_is_followed_through_the_embedding_to_the_decision(open_page, raw_folder):
    photo = next(path for path in sorted(raw_folder.rglob("*")) if path.suffix in (".jpg", ".png"))
    app = open_page("dashboard.py", model="embedding")
    app.file_uploader[0].set_value((photo.name, photo.read_bytes(), "image/png")).run()
    assert not app.exception
    said = words(app)
    assert "deep network" in said or "No face was found" in said


def test_without_its_weights_a_model_is_marked_and_cannot_be_used(
    open_page, in_described, no_weights
):
    st.cache_resource.clear()  # it may be loaded already
    app = open_page("dashboard.py")
    picker = app.sidebar.selectbox[0]
    assert picker.options == ["classic", "embedding (needs an extra)"]
    picker.set_value("embedding").run()
    assert not app.exception
    assert "pip install" in app.error[0].value
    assert (artifacts_dir() / "embedding").is_dir()
