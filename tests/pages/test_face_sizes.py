"""Face sizes: the account of the photos, the slider, and folders of one's own."""

import io

import pandas as pd
import pytest
import streamlit as st

from facecore.data.crops import ALL, read_table
from facecore.data.sizes import describe_sizes
from facecore.system import with_minus

PAGE = "pages/1_Face_sizes.py"


@pytest.fixture(scope="module")
def table(shipped) -> pd.DataFrame:
    return pd.read_csv(shipped / "sizes.csv")


@pytest.fixture
def open_folder(open_page, tmp_path, monkeypatch):
    """Open the page on a table of crops, in a folder of the visitor's own."""

    def open_(table: pd.DataFrame):
        folder = tmp_path / "crops" / "mine"
        folder.mkdir(parents=True)
        table.to_csv(folder / "faces.csv", index=False)
        app = open_page(PAGE)
        monkeypatch.chdir(tmp_path)
        return app.segmented_control(key="sizes_from").set_value("A folder of crops").run()

    return open_


def metrics(app) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def count(rows: pd.DataFrame, share_of: int | None = None) -> str:
    return f"{len(rows):,}" + (f" ({len(rows) / share_of:.1%})" if share_of else "")


def test_the_account_has_every_photo_of_the_model(open_page, table):
    app = open_page(PAGE)
    assert not app.exception
    shown = metrics(app)
    assert shown["Photos"] == count(table)
    for state, words in (("kept", "Kept"), ("no_face", "No face"), ("too_small", "Too small")):
        assert shown[words] == count(table[table["state"].eq(state)])
    counts = app.dataframe[0].value
    assert counts.loc["all photos", ALL] == len(table)
    for label, rows in table.groupby("label"):
        assert counts.loc["duplicate", label] == rows["state"].eq("duplicate").sum()


@pytest.mark.parametrize("minimum", [54, 80, 300])
def test_the_slider_says_what_a_minimum_leaves_of_each_label(open_page, table, minimum):
    app = open_page(PAGE)
    app.slider(key="sizes_minimum").set_value(minimum).run()
    assert not app.exception
    faces = table[table["state"].ne("duplicate")]
    left, ruled = (faces[faces["face_size"] >= size] for size in (minimum, 54))
    shown = metrics(app)
    assert shown["Faces left"] == count(left)
    for label, rows in left.groupby("label"):
        assert shown[label] == count(rows, share_of=len(left))
    deltas = {metric.label: metric.delta for metric in app.metric}
    change = len(left) - len(ruled)
    assert deltas["Faces left"] == (with_minus(f"{change:,}") if change else "0")


def test_the_percentiles_are_those_of_the_table(open_page, table):
    app = open_page(PAGE)
    shown = app.dataframe[1].value
    sizes = table.loc[table["state"].ne("duplicate"), "face_size"].dropna()
    assert shown.loc["faces", ALL] == len(sizes)
    assert shown.loc["p50", ALL] == sizes.median()
    assert shown.loc["largest", ALL] == sizes.max()


def test_data_set_and_split_narrow_the_photos_down(open_page, table):
    app = open_page(PAGE)
    app.pills(key="sizes_set").set_value(["lfw", "congress"])
    app.pills(key="sizes_split").set_value(["test"]).run()
    assert not app.exception
    rows = table[table["set"].isin(["lfw", "congress"]) & table["split"].eq("test")]
    assert metrics(app)["Photos"] == count(rows)


def test_the_size_axis_may_be_logarithmic(open_page):
    app = open_page(PAGE)
    app.segmented_control(key="sizes_axis").set_value("log").run()
    assert not app.exception
    figures = [element.proto.spec for element in app.get("plotly_chart")]
    assert sum('"width of the face, pixels"},"type":"log"' in figure for figure in figures) == 2


def test_the_address_sets_the_slider(open_page):
    app = open_page("dashboard.py")
    app.query_params["sizes_minimum"] = "99"
    assert app.switch_page(PAGE).run().slider(key="sizes_minimum").value == 99


def test_the_table_of_the_model_can_be_downloaded_for_a_spreadsheet(open_page, shipped, downloads):
    open_page(PAGE)
    stored = (shipped / "sizes.csv").read_bytes()
    assert downloads == {"classic-sizes.csv": b"\xef\xbb\xbf" + stored}


def test_a_model_without_the_table_names_the_command_that_writes_it(
    open_page, in_tiny_artifacts, tmp_path, monkeypatch
):
    from facecore.model.store import load_model, read_metadata, write_model

    model, metadata = load_model("tiny"), read_metadata("tiny")
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(tmp_path))
    write_model("bare", model, metadata, {})
    app = open_page(PAGE)
    assert not app.exception
    assert "sizes.csv" in app.info[0].value
    assert app.code[0].value == "python -m facecore train PHOTOS --name bare --replace"


def test_a_folder_of_crops_is_studied_in_the_same_way(open_folder, crops_folder, downloads):
    table = read_table(crops_folder)
    app = open_folder(table)
    assert not app.exception
    assert metrics(app)["Photos"] == count(table)
    assert metrics(app)["Faces left"] == count(table[table["w"] >= 54])
    shown = app.dataframe[1].value
    assert shown.loc["p50"].tolist() == describe_sizes(table)["p50"].tolist()
    assert not app.pills
    assert table["state"].eq("kept").all()
    assert "Every photo" in app.success[0].value
    own = pd.read_csv(io.BytesIO(downloads["faces.csv"]))
    assert own["path"].tolist() == table["path"].tolist()


def test_three_labels_and_one_without_a_face_are_shown(open_folder, crops_folder):
    table = read_table(crops_folder)
    third = table.head(4).assign(label="all", state="no_face", crop="", w=float("nan"))
    app = open_folder(pd.concat([table, third]))
    assert not app.exception
    assert app.dataframe[0].value.loc["no face", "all"] == 4
    assert metrics(app)["all"] == "0 (0.0%)"
    assert len(app.get("plotly_chart")) == 4


def test_a_folder_in_which_no_face_was_found_has_an_account_only(open_folder, crops_folder):
    table = read_table(crops_folder).assign(state="no_face", crop="", w=float("nan"))
    app = open_folder(table)
    assert not app.exception
    assert metrics(app)["No face"] == count(table)
    assert "No face was found" in app.info[0].value
    assert not app.slider


def test_an_empty_table_says_so(open_folder, crops_folder):
    app = open_folder(read_table(crops_folder).head(0))
    assert not app.exception
    assert "no photo" in app.info[0].value


def test_a_table_of_something_else_is_an_error_in_words(open_folder):
    app = open_folder(pd.DataFrame({"path": ["a.jpg"]}))
    assert not app.exception
    assert "was not made by crop" in app.error[0].value


def test_without_a_folder_of_crops_the_page_names_the_command_that_makes_one(
    open_page, tmp_path, monkeypatch
):
    app = open_page(PAGE)
    monkeypatch.chdir(tmp_path)
    app.segmented_control(key="sizes_from").set_value("A folder of crops").run()
    assert not app.exception
    assert "facecore crop" in app.code[0].value


def test_folders_of_a_public_server_are_not_offered(open_folder, crops_folder, monkeypatch):
    real = st.get_option
    monkeypatch.setattr(
        st, "get_option", lambda name: "0.0.0.0" if name == "server.address" else real(name)
    )
    app = open_folder(read_table(crops_folder))
    assert not app.exception
    assert "localhost" in app.info[0].value
    assert not app.metric


def test_of_a_model_of_whole_photos_the_sizes_are_those_of_its_photos(
    open_page, whole_artifacts, monkeypatch
):
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(whole_artifacts))
    app = open_page(PAGE)
    assert not app.exception
    assert "takes each photo for a face" in app.info[0].value
    app.slider(key="sizes_minimum").set_value(300).run()  # no face is left
    assert not app.exception
