"""Check photos: a user's own photos by answer, corrections, and the training with them."""

import shutil
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import streamlit as st
from cartoons import LABELS, write_raw

from facecore.data.corrections import read_corrections
from facecore.data.crops import crop_folder, recipe_settings
from facecore.model.store import find_model, pack_model, read_local_table, rename_model
from facecore.training.background import cancel_job, read_job
from facecore.training.pipeline import train

PAGE = "pages/8_Check_photos.py"
MOVED = "square/*moved_0.jpg"  # a name that Markdown would read


@pytest.fixture(scope="module")
def made(once, tiny_grid) -> Path:
    """Photos of three labels, some in a wrong folder, and the model `own`; not to be changed."""

    def make(root: Path) -> None:
        raw = write_raw(root / "raw", LABELS, persons=12, split=True)
        table = (raw / "labels.csv").read_text()
        for i, name in ((1, "*moved_0"), (2, "moved_1")):
            path, other = f"round/p0{i}_0.jpg", f"square/{name}.jpg"
            (raw / path).replace(raw / other)
            table = table.replace(f"{path},round", f"{other},square")
        (raw / "labels.csv").write_text(table)
        crop_folder(raw, root / "crops", recipe_settings("classic"))
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("FACECORE_ARTIFACTS", str(root / "models"))
            train([root / "crops"], "own", recipe="classic", grid=str(tiny_grid))

    return once("check photos", make)


@pytest.fixture
def photos(made, tmp_path, monkeypatch) -> Path:
    """The photos and the model where the test may change them."""
    raw = tmp_path / "raw"
    shutil.copytree(made / "raw", raw)
    shutil.copytree(made / "models", tmp_path / "models")
    table = tmp_path / "models" / "own" / "local" / "photos.csv"
    table.write_text(table.read_text().replace(str((made / "raw").resolve()), str(raw.resolve())))
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(tmp_path / "models"))
    monkeypatch.setenv("FACECORE_WORK", str(tmp_path / "work"))
    yield raw
    cancel_job()


def texts(app) -> list[str]:
    return [text.value for text in app.text]


def press(app, action: str, path: str):
    """Press a button of the card of a photo."""
    table = read_local_table("photos", "own")
    number = table.index[table["path"].eq(path)].item()
    return app.button(key=f"check_{action}_{number}").click().run()


def test_suspects_come_first_with_their_nearest_faces(open_page, photos):
    app = open_page(PAGE, model="own")
    assert not app.exception
    assert texts(app)[:2] in ([MOVED, "square/moved_1.jpg"], ["square/moved_1.jpg", MOVED])
    assert "answer: **round**" in " ".join(text.value for text in app.markdown)
    pictures = [picture for group in app.image for picture in group.proto.imgs]
    assert {"round"} <= {picture.caption for picture in pictures}


def test_a_correction_is_written_hides_the_card_and_can_be_undone(open_page, photos):
    app = open_page(PAGE, model="own")
    press(app, "change", MOVED)
    assert not app.exception
    (row,) = read_corrections(photos).to_dict("records")
    assert row == {"path": MOVED, "label": "square", "corrected": "round", "dropped": False}
    assert MOVED not in texts(app)
    assert {metric.label: metric.value for metric in app.metric} == {
        "Labels corrected": "1",
        "Photos dropped": "0",
        "Found right": "0",
    }
    app.toggle(key="check_both").set_value(True).run()
    press(app, "undo", MOVED)
    assert MOVED in texts(app)
    assert read_corrections(photos).empty
    assert not app.metric


@pytest.mark.parametrize(
    ("action", "corrected", "dropped"), [("drop", "", True), ("keep", "square", False)]
)
def test_a_photo_is_dropped_or_found_right(open_page, photos, action, corrected, dropped):
    app = open_page(PAGE, model="own")
    press(app, action, MOVED)
    (row,) = read_corrections(photos).to_dict("records")
    assert (row["corrected"], row["dropped"]) == (corrected, dropped)
    assert (photos / MOVED).is_file()
    assert ("check_train" in {button.key for button in app.button}) == dropped


def test_a_cell_of_the_matrix_opens_its_photos(open_page, photos):
    address = {"check_kind": "A cell", "check_label": "square", "check_answer": "round"}
    app = open_page(PAGE, model="own", **address)
    assert not app.exception
    table = read_local_table("photos", "own").query("split == 'train'")
    cell = table[table["label"].eq("square") & table["answer"].eq("round")]
    cards = {text for text in texts(app) if text.endswith(".jpg")}
    assert cards == set(cell["path"]) >= {MOVED}


def test_a_click_on_a_cell_chooses_its_label_and_answer(open_page, photos, monkeypatch):
    cells, clicked = [], []

    def draw(figure, *, key, on_select, **_):
        """Stand in for the chart, whose clicks only a browser sends."""
        unseen = figure.data[-1]
        cells[:] = zip(unseen.y, unseen.x, strict=True)

        def click():
            points = [{"point_index": cells.index(cell)} for cell in clicked]
            st.session_state[key] = SimpleNamespace(selection=SimpleNamespace(points=points))
            on_select()

        st.button("click", key="click", on_click=click)

    monkeypatch.setattr(st, "plotly_chart", draw)
    app = open_page(PAGE, model="own", check_kind="A cell")
    table = read_local_table("photos", "own").query("split == 'train'")
    for cell in (("square", "round"), ("wide", "square"), ("round", "wide")):
        clicked[:] = [cell]
        app.button(key="click").click().run()
        assert not app.exception
        shown = [app.session_state[key] for key in ("check_label", "check_answer")]
        assert shown == list(cell)
        of_cell = table[table["label"].eq(cell[0]) & table["answer"].eq(cell[1])]
        assert {text for text in texts(app) if text.endswith(".jpg")} == set(of_cell["path"])
    clicked.clear()  # a click beside the cells takes the selection away
    app.button(key="click").click().run()
    assert [app.session_state[key] for key in ("check_label", "check_answer")] == list(cell)


@pytest.mark.parametrize("part", ["Training photos", "Test photos"])
@pytest.mark.parametrize("kind", ["Label may be wrong", "Wrong", "Unsure", "Lonely", "A cell"])
def test_every_list_opens(open_page, photos, part, kind):
    app = open_page(PAGE, model="own", check_part=part, check_kind=kind)
    assert not app.exception
    assert not app.error


@pytest.mark.slow
def test_a_training_with_the_corrections_follows(open_page, photos):
    app = open_page(PAGE, model="own")
    for path in (MOVED, "square/moved_1.jpg"):
        press(app, "change", path)
    app.text_input(key="check_name").set_value("better").run()
    app.button(key="check_train").click().run()
    assert not app.exception
    assert app.title[0].value == "Your data"
    begun = time.monotonic()
    while read_job().state == "running":
        assert time.monotonic() - begun < 120
        time.sleep(0.2)
    assert read_job().state == "done", read_job().log
    table = read_local_table("photos", "better").set_index("path")
    assert table.loc[MOVED, "label"] == "round"
    app = open_page(PAGE, model="better")
    assert not app.exception
    assert MOVED not in texts(app)


def test_photos_of_a_public_server_are_not_shown(open_page, photos, monkeypatch):
    real = st.get_option
    monkeypatch.setattr(
        st, "get_option", lambda name: "0.0.0.0" if name == "server.address" else real(name)
    )
    app = open_page(PAGE, model="own")
    assert "only on the computer" in app.info[0].value
    assert not app.main.button
    assert MOVED not in texts(app)


def test_the_page_is_off_where_training_is(open_page, photos, monkeypatch):
    monkeypatch.setenv("FACECORE_TRAINING", "off")
    app = open_page(PAGE, model="own")
    assert "turned off" in app.info[0].value
    assert not texts(app)
    assert not app.main.button


def test_photos_that_are_gone_are_named(open_page, photos):
    shutil.rmtree(photos)
    app = open_page(PAGE, model="own")
    assert not app.exception
    assert "not here any more" in app.info[0].value
    assert texts(app) == [str(photos)]


def test_a_model_without_a_table_says_why(open_page, photos):
    shutil.rmtree(find_model("own") / "local")
    app = open_page(PAGE, model="own")
    assert not app.exception
    assert "without a table of its photos" in app.info[0].value


def test_a_path_out_of_the_folder_is_not_followed(open_page, photos):
    table = find_model("own") / "local" / "photos.csv"
    shutil.copy(photos / MOVED, photos.parent / "secret.jpg")
    table.write_text(table.read_text().replace(MOVED, "../secret.jpg"))
    app = open_page(PAGE, model="own")
    assert not app.exception
    assert any("is not inside" in caption.value for caption in app.caption)


def test_the_table_goes_with_the_model_and_is_in_no_download(photos):
    packed = pack_model("own")
    assert b"local" not in packed
    assert MOVED.encode() not in packed
    rename_model("own", "other")
    assert read_local_table("photos", "other") is not None


def test_other_pages_lead_here_where_the_model_knows_its_photos(open_page, photos):
    app = open_page("pages/4_Evaluation.py", model="own")
    assert not app.exception
    links = [link.proto.label for link in app.get("page_link")]
    assert any("photos of each cell" in label for label in links)
