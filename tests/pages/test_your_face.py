"""Your face: one photo per visit, the same on every page, and gone with one click."""

import json
from base64 import b64decode

import numpy as np
import pytest

from facecore.face.images import to_png
from facecore.model.predict import predict_photo
from facecore.model.store import load_model
from facecore.model.synth import make_photo
from ui import your_face

HOME, LIVE, LADDER = "dashboard.py", "pages/5_Live_prediction.py", "pages/7_Ladder.py"
LESSON, FACES = "pages/0_What_is_an_eigenface.py", "pages/2_Eigenfaces.py"
MIX, EVALUATION = "pages/11_Mix_faces.py", "pages/4_Evaluation.py"


@pytest.fixture(scope="module")
def model():
    return load_model("classic")


@pytest.fixture(scope="module")
def photo(model) -> bytes:
    return to_png(make_photo(model, "male", 2))


@pytest.fixture(scope="module")
def crop(model, photo) -> np.ndarray:
    return predict_photo(photo, model).main.crop


def said(app) -> str:
    groups = (app.markdown, app.caption, app.info, app.error)
    return "\n".join(str(element.value) for group in groups for element in group)


def visit(app) -> your_face.Visit:
    return app.session_state["your_face"]


def press(app, label: str):
    return next(button for button in app.button if button.label == label).click().run()


def bring(app, photo: bytes, name: str = "me.png"):
    return app.file_uploader[0].upload(name, photo, "image/png").run()


def sent(app) -> dict:
    (component,) = app.get("bidi_component")
    return json.loads(component.proto.json)


def test_a_photo_goes_along_to_every_page_and_is_read_once(
    open_page, photo, crop, monkeypatch, model
):
    asked = []

    def ask(data, *arguments, **options):
        asked.append(data)
        return predict_photo(data, *arguments, **options)

    monkeypatch.setattr(your_face, "predict_photo", ask)
    app = bring(open_page(HOME), photo)
    assert not app.exception
    face = predict_photo(photo, model).main
    assert f"*classic* says **{face.label}** with probability {face.probability:.2f}" in said(app)
    assert "Synthetic" not in said(app.sidebar)

    app.switch_page(LESSON).run()
    assert "This is your face" in said(app)
    assert sent(app)["face"] and b64decode(sent(app)["face"]) == crop.tobytes()

    app.switch_page(MIX).run()
    first = np.frombuffer(b64decode(sent(app)["first"]), "<i2") / sent(app)["fine"]
    assert first == pytest.approx(crop.reshape(-1), abs=0.02)

    app.switch_page(FACES).run()
    for view in ("Reconstruction", "Explorer", "Walk", "Points"):
        app.segmented_control(key="space").set_value(view).run()
        assert not app.exception, view
        if view == "Walk":
            assert b64decode(sent(app)["start"]) == crop.tobytes()
    assert "Drawn from the face space" not in said(app.main)

    app.switch_page(LADDER).run()
    app.segmented_control(key="rung_view").set_value("One face").run()
    app.switch_page(LIVE).run()
    assert f"**1: {face.label}**, probability {face.probability:.2f}" in said(app)

    app.switch_page(EVALUATION).run()
    assert "Your photo" in said(app.sidebar)
    assert not app.exception
    assert asked.count(photo) == 1


def test_a_click_removes_the_photo_and_all_that_was_computed_from_it(open_page, photo):
    app = bring(open_page(FACES, space="Walk"), photo)
    assert "walk" in visit(app).made
    app.switch_page(LIVE).run()
    assert all(app.session_state["kept_of_photos"].values())
    app.switch_page(EVALUATION).run()
    press(app, "Remove my face")
    assert not app.exception
    assert not any(app.session_state["kept_of_photos"].values())
    assert (visit(app).photos, visit(app).made) == ({}, {})
    assert "Your photo" not in said(app.sidebar)
    app.switch_page(LESSON).run()
    assert "This is a face that the computer has made up" in said(app)


def test_the_widget_lets_go_of_a_photo_that_was_taken_over(open_page, photo, crop):
    app = bring(open_page(LESSON), photo)
    assert app.file_uploader[0].value is None
    other = to_png(make_photo(load_model("classic"), "female", 8))
    bring(app, other)
    assert visit(app).photos["own"].data == other
    assert b64decode(sent(app)["face"]) != crop.tobytes()


def test_two_visits_do_not_see_each_others_photos(open_page, photo):
    mine, yours = bring(open_page(HOME), photo), open_page(HOME)
    assert visit(mine).photos and not visit(yours).photos
    assert "Your photo" not in said(yours.sidebar)


def test_each_model_reads_the_photo_by_itself(open_page, in_aligned, photo):
    app = bring(open_page(HOME), photo)
    app.sidebar.selectbox[0].set_value("made").run()
    assert not app.exception
    face = predict_photo(photo, in_aligned).main
    assert "The model *made* " in said(app)
    assert f"**{face.likely}**" in said(app)
    assert f"with probability {face.probability:.2f}" in said(app)


def test_a_synthetic_face_goes_along_too_and_the_url_names_it(open_page, model):
    app = open_page(HOME, face_label="male", face_seed="4")
    assert "Synthetic: male, seed 4" in said(app.sidebar)
    app.switch_page(EVALUATION).run()
    assert "Synthetic: male, seed 4" in said(app.sidebar)
    app.switch_page(LESSON).run()
    assert app.query_params["face_label"] == "male"
    crop = predict_photo(to_png(make_photo(model, "male", 4)), model).main.crop
    assert b64decode(sent(app)["face"]) == crop.tobytes()
    press(app, "First face again")
    assert app.segmented_control(key="face_label").value == "female"
    assert app.number_input(key="face_seed").value == 15
    assert "Synthetic: " not in said(app.sidebar)


def test_an_example_is_chosen_by_a_click(open_page):
    app = open_page(HOME)
    examples = [button.label for button in app.button if button.key.startswith("example_")]
    assert len({label.split(",")[0] for label in examples}) == 2
    press(app, "male, 4")
    assert not app.exception
    assert "Synthetic: male, seed 4" in said(app.sidebar)
    assert app.number_input(key="face_seed").value == 4


def test_in_place_of_a_photo_without_a_face_a_synthetic_one_is_shown(open_page):
    app = bring(open_page(MIX), to_png(np.full((200, 200, 3), 90, np.uint8)), "wall.png")
    assert not app.exception
    assert "No face was found" in said(app)
    assert "In place of your photo, this page shows a synthetic face" in said(app)
    assert "no face was found in it" in said(app.sidebar)
    press(app, "Remove my face")
    assert "No face was found" not in said(app)


def test_a_photo_of_the_live_page_can_be_kept_as_the_face_of_the_visit(open_page, photo):
    app = bring(open_page(LIVE), photo)
    press(app, "Keep as my face")
    assert not app.exception
    assert visit(app).photos["own"].data == photo
    assert app.segmented_control(key="source").value == "Your face"
    assert "**1 face**" in said(app)


def test_live_prediction_begins_with_the_face_until_another_source_is_chosen(open_page, photo):
    app = open_page(LIVE)
    assert app.segmented_control(key="source").value == "Upload"
    app.switch_page(LESSON).run()
    bring(app, photo).switch_page(LIVE).run()
    assert app.segmented_control(key="source").value == "Your face"
    assert "**1 face**" in said(app)
    app.segmented_control(key="source").set_value("Upload").run()
    app.toggle(key="heat").set_value(False).run()
    assert not app.exception
    app.switch_page(EVALUATION).run()
    app.switch_page(LIVE).run()
    assert app.segmented_control(key="source").value == "Upload"
    assert "as soon as there is a photo" in said(app)


def test_the_second_photo_to_mix_goes_with_the_first(open_page, photo, crop):
    app = open_page(MIX, second_from="Photo")
    app.file_uploader[1].upload("you.png", photo, "image/png").run()
    assert not app.exception
    data = sent(app)
    first, way = (np.frombuffer(b64decode(data[part]), "<i2") for part in ("first", "way"))
    assert (first + way) / data["fine"] == pytest.approx(crop.reshape(-1), abs=0.05)
    press(app, "Remove my face")
    assert not visit(app).photos


def test_a_model_that_cannot_draw_borrows_a_face_from_one_that_can(
    open_page, described_artifacts, textbook, with_weights, copy_model
):
    copy_model(textbook / "classic", "classic")
    copy_model(described_artifacts / "tiny", "embedding")
    app = open_page(HOME, model="embedding", face_label="male")
    assert not app.exception
    assert "Drawn from the face space of classic" in said(app)
