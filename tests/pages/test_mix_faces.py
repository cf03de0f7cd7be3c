"""Mix faces: what the browser draws and what the model says along the slider."""

import json
from base64 import b64decode

import numpy as np
import pytest

from facecore.face.images import to_png
from facecore.model.explain import mean_face
from facecore.model.mixing import judge_pictures, mix_faces
from facecore.model.predict import predict_photo
from facecore.model.store import load_model
from facecore.model.synth import make_photo, sample_faces

PAGE, CLASS = "pages/11_Mix_faces.py", "pages/10_Your_class.py"


@pytest.fixture(scope="module")
def model():
    return load_model("classic")


def said(app) -> str:
    return "\n".join(str(e.value) for g in (app.markdown, app.caption, app.info) for e in g)


def sent(app) -> dict:
    (component,) = app.get("bidi_component")
    return json.loads(component.proto.json)


def drawn(data: dict, share: float) -> np.ndarray:
    first, way = (np.frombuffer(b64decode(data[part]), "<i2") for part in ("first", "way"))
    return (first + share * way) / data["fine"]


def test_the_browser_draws_what_lies_between_the_two_faces(open_page, model):
    data = sent(open_page(PAGE, face_seed="3", second_seed="9"))
    first, second = model.labels
    photo = to_png(make_photo(model, first, 3))
    faces = [predict_photo(photo, model).main.crop, sample_faces(model, second, 1, 9)[0]]
    shares = np.array([0, 0.3, 1])
    for share, row in zip(shares, mix_faces(*faces, shares), strict=True):
        assert drawn(data, share) == pytest.approx(row, abs=0.02)


def test_the_decision_at_each_step_is_that_of_the_model(open_page, model):
    data = sent(open_page(PAGE))
    count = len(data["labels"][0]["scores"])
    shares = np.linspace(data["low"], data["high"], count)
    assert data["step"] == pytest.approx(shares[1] - shares[0])
    p = judge_pictures(model.eigenfaces, np.array([drawn(data, share) for share in shares]))
    for label in data["labels"]:
        expected = p[:, model.labels.index(label["name"])]
        assert label["scores"] == pytest.approx(expected, abs=0.02)
    assert data["labels"][0]["scores"][0] != data["labels"][0]["scores"][-1]


def test_a_caricature_begins_with_the_face_and_goes_through_the_mean(open_page, model):
    data = sent(open_page(PAGE, mix="Caricature", face_seed="8"))
    assert (data["low"], data["high"], data["share"]) == (-2, 3, 1)
    photo = to_png(make_photo(model, model.labels[0], 8))
    face = predict_photo(photo, model).main.crop.reshape(-1)
    mean = mean_face(model).reshape(-1).astype(float)
    assert drawn(data, 0) == pytest.approx(mean, abs=0.02)
    assert drawn(data, 1) == pytest.approx(face, abs=0.02)
    assert drawn(data, 2) == pytest.approx(mean + 2 * (face - mean), abs=0.05)


def test_an_upload_is_mixed_as_the_model_prepares_it(open_page, model):
    app = open_page(PAGE, mix="Caricature")
    photo = to_png(make_photo(model, "male", 2))
    app.file_uploader[0].upload("me.png", photo, "image/png").run()
    assert not app.exception
    crop = predict_photo(photo, model).main.crop
    assert drawn(sent(app), 1) == pytest.approx(crop.reshape(-1), abs=0.02)


def test_a_photo_without_a_face_says_so(open_page):
    app = open_page(PAGE, mix="Caricature")
    wall = to_png(np.full((200, 200, 3), 90, np.uint8))
    app.file_uploader[0].upload("wall.png", wall, "image/png").run()
    assert not app.exception
    assert "No face was found" in said(app)


def test_faces_of_the_class_are_mixed_and_have_a_mean_of_their_own(open_page):
    app = open_page(CLASS)
    next(button for button in app.button if button.label.startswith("Ten")).click().run()
    crops = app.session_state["your_class"].crops
    app.switch_page(PAGE).run()
    app.segmented_control(key="mix").set_value("Caricature").run()
    app.segmented_control(key="special_from").set_value("Your class").run()
    app.selectbox(key="special_of_class").set_value(4).run()
    app.segmented_control(key="special_mean").set_value("Your class").run()
    assert not app.exception
    assert drawn(sent(app), 1) == pytest.approx(crops[4].reshape(-1), abs=0.02)
    assert drawn(sent(app), 0) == pytest.approx(crops.mean(axis=0).reshape(-1), abs=0.6)
    app.segmented_control(key="mix").set_value("Average").run()
    app.segmented_control(key="average_of").set_value("Your class").run()
    assert not app.exception
    assert "The average of 10 faces" in str([e.proto for e in app.get("image")])


def test_the_average_is_of_as_many_faces_as_asked_for(open_page, model):
    app = open_page(PAGE, mix="Average")
    app.slider(key="average_count_200").set_value(50).run()
    assert not app.exception
    faces = sample_faces(model, model.labels[0], 200)[:50]
    average = np.rint(faces.mean(axis=0)).reshape(1, -1)
    best = model.labels[int(judge_pictures(model.eigenfaces, average)[0].argmax())]
    assert f"What the model says of the average: **{best}**" in said(app)
    assert "The first 12 of the 50 faces are shown." in said(app)


def test_of_many_labels_the_likeliest_are_drawn_and_the_rest_is_said(
    open_page, many_artifacts, monkeypatch
):
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(many_artifacts))
    app = open_page(PAGE)
    assert not app.exception
    assert len(sent(app)["labels"]) == 5
    assert "Only the 5 labels that are likeliest somewhere, of 12" in said(app)


@pytest.mark.parametrize("view", ["Morph", "Average", "Caricature"])
def test_a_model_of_several_members_says_whose_answers_these_are(open_page, in_aligned, view):
    app = open_page(PAGE, mix=view, model="made")
    assert not app.exception
    assert "that member's alone" in said(app)


def test_a_place_in_an_address_that_makes_no_sense_is_the_usual_one(open_page):
    assert sent(open_page(PAGE, morph="nan"))["share"] == 0.5
    assert sent(open_page(PAGE, morph="7"))["share"] == 1
    assert sent(open_page(PAGE, morph="x"))["share"] == 0.5
    assert sent(open_page(PAGE, morph="0.2"))["share"] == 0.2
