"""Your class: eigenfaces of the faces that a visitor brings, kept in the visit's memory alone."""

import json
from base64 import b64decode

import numpy as np
import pytest
from cartoons import draw_photo, encode
from screens import recipe_sums

from facecore.face.images import to_png
from facecore.model.class_space import face_distances, fit_class_space, recognise_left_out
from facecore.model.contributions import strongest_eigenfaces, sums_of
from facecore.model.predict import predict_photo
from facecore.model.store import load_model
from facecore.model.synth import make_photo

PAGE = "pages/10_Your_class.py"
TEN, PEOPLE = "Ten synthetic faces", "Five synthetic people, two pictures each"


def said(app) -> str:
    return "\n".join(str(e.value) for g in (app.markdown, app.caption, app.info) for e in g)


def press(app, label: str):
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception
    return app


def step(app, name: str):
    app.segmented_control(key="class_step").set_value(name).run()
    assert not app.exception
    return app


def crops(app) -> np.ndarray:
    return app.session_state["your_class"].crops


@pytest.fixture
def ten(open_page):
    return press(open_page(PAGE), TEN)


def upload(app, *photos: bytes):
    app.segmented_control(key="class_from").set_value("Photos").run()
    app.file_uploader[0].set_value([(f"{i}.png", p, "image/png") for i, p in enumerate(photos)])
    app.run()
    assert not app.exception
    return app


def test_ten_synthetic_faces_come_with_one_click_and_go_with_another(ten):
    assert crops(ten).shape == (10, 100, 100)
    assert "**10 faces** in your class" in said(ten)
    press(ten, "Remove all faces")
    assert "**0 faces** in your class" in said(ten)
    assert not ten.session_state["your_class"].faces


def test_an_empty_class_asks_for_faces_at_every_step(open_page):
    app = open_page(PAGE, class_step="Eigenfaces")
    assert "needs at least two faces" in said(app)
    press(app, "Bring faces")
    assert app.segmented_control(key="class_step").value == "Faces"


def test_next_leads_through_every_step(ten):
    passed = ["Faces"]
    while any(button.label.startswith("Next: ") for button in ten.button):
        press(ten, next(b.label for b in ten.button if b.label.startswith("Next: ")))
        passed.append(ten.segmented_control(key="class_step").value)
    assert passed == ["Faces", "Average", "Eigenfaces", "Sliders", "Nearest", "Recognition"]


def test_eigenfaces_are_one_fewer_than_faces_and_the_page_says_why(ten):
    step(ten, "Eigenfaces")
    assert "**10 faces give at most 9 eigenfaces.**" in said(ten)
    space = fit_class_space(crops(ten)).pixels
    share = space.variance[0] / space.total_variance
    assert f"{share:.0%} of the differences" in said(ten)
    assert "**9** " in said(ten) and "**10** " not in said(ten)


def test_photos_give_their_main_face_as_the_model_prepares_it(open_page):
    model = load_model("classic")
    photos = [to_png(make_photo(model, label, 3)) for label in model.labels]
    app = upload(open_page(PAGE), *photos)
    expected = [predict_photo(photo, model).main.crop for photo in photos]
    assert (crops(app) == np.array(expected)).all()
    assert "2 faces added." in said(app)
    assert not app.file_uploader[0].value  # the photos themselves are let go


def test_photos_without_a_face_or_unreadable_or_brought_twice_are_counted(open_page):
    face = to_png(make_photo(load_model("classic"), "female", 3))
    wall = to_png(np.full((200, 200, 3), 90, np.uint8))
    app = upload(open_page(PAGE), face, wall, wall, b"no photo", face)
    assert len(crops(app)) == 1
    assert "1 face added." in said(app)
    assert "In 2 photos no face was found." in said(app)
    assert "1 photo left out: the file cannot be read" in said(app)
    assert "1 photo left out: exactly that face is in the class already." in said(app)
    step(app, "Average")
    assert "needs at least two faces" in said(app)


def test_photos_are_taken_one_after_the_other_with_a_name_for_the_next(open_page):
    app = open_page(PAGE, class_from="Camera")
    for shot, name in enumerate(("Ann", "Ann", "Bo")):
        app.text_input(key="class_next").set_value(name).run()
        photo = encode(draw_photo("round", 3 + shot))
        app.camera_input[0].set_value(("a.jpg", photo, "image/jpeg")).run()
        assert not app.exception
        assert len(crops(app)) == shot + 1
        assert not app.camera_input[0].value
    assert app.session_state["your_class"].names == ["Ann", "Ann", "Bo"]


def test_a_face_is_named_and_removed(ten):
    ten.text_input(key="class_name_3").set_value("*Ann* :cat:").run()
    assert ten.session_state["your_class"].titles[3] == "*Ann* :cat:"
    step(ten, "Average")
    assert "\\*Ann\\*" in said(ten)
    step(ten, "Faces")
    assert ten.text_input(key="class_name_3").value == "*Ann* :cat:"
    before = crops(ten)
    ten.button(key="class_remove_3").click().run()
    assert (crops(ten) == np.delete(before, 3, axis=0)).all()


def test_the_sliders_begin_at_the_recipe_and_draw_the_face(ten):
    step(ten, "Sliders")
    data, recipe = (json.loads(one.proto.json) for one in ten.get("bidi_component"))
    levels = np.frombuffer(b64decode(data["start"]), "<i2") / data["fine"]
    for weight, face in zip(data["weights"], data["eigenfaces"], strict=True):
        pixels = np.frombuffer(b64decode(face["pixels"]), np.int8)
        levels = levels + weight * face["scale"] / 127 * pixels
    assert len(data["weights"]) == 9
    assert np.abs(levels - crops(ten)[0].reshape(-1)).mean() < 1
    space = fit_class_space(crops(ten))
    row = crops(ten)[:1].reshape(1, -1)
    weights = [one.weight for one in strongest_eigenfaces(space, row, 8)]
    assert [one["weight"] for one in recipe["eigenfaces"]] == weights
    assert recipe["counts"] == list(range(10))
    assert np.abs(recipe_sums(recipe) - sums_of(space, row, range(10))[0]).max() < 2
    assert "e1" not in ten.query_params
    ten.selectbox(key="class_who").set_value(-1).run()
    assert not ten.exception
    assert set(json.loads(ten.get("bidi_component")[0].proto.json)["weights"]) == {0}


def test_nobody_else_is_nearer_than_the_nearest(ten):
    step(ten, "Nearest")
    for used in (9, 2):
        ten.slider(key="class_used").set_value(used).run()
        distances = face_distances(crops(ten), used) + np.diag(np.full(10, np.inf))
        for i, row in enumerate(distances):
            near = f"**Face {i + 1}** is nearest to **Face {row.argmin() + 1}**: {row.min():.1f};"
            assert near in said(ten)


def test_recognition_needs_two_photos_of_one_name(ten):
    step(ten, "Recognition")
    assert "Two or more photos of the same person are needed here" in said(ten)


def test_recognition_counts_what_leaving_out_finds(open_page):
    app = step(press(open_page(PAGE), PEOPLE), "Recognition")
    names = list("AABBCCDDEE")
    for used in (8, 1):
        app.slider(key="class_recognise").set_value(used).run()
        right = sum(one.right for one in recognise_left_out(crops(app), names, used))
        assert f"**{right} of 10 recognised.** Guessing would get about 1.1 right." in said(app)


def test_faces_of_another_model_are_not_mixed_in(open_page, in_aligned):
    app = press(open_page(PAGE, model="classic"), TEN)
    app.sidebar.selectbox(key="model").set_value("made").run()
    assert not app.exception
    assert "prepared by the model classic" in said(app)
    assert not [button for button in app.button if button.label == TEN]
    assert len(crops(step(app, "Average"))) == 10


def test_two_visitors_do_not_see_each_others_faces(open_page, ten):
    assert "**0 faces** in your class" in said(open_page(PAGE))


def test_a_model_of_many_labels_has_a_class_too(open_page, many_artifacts, monkeypatch):
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(many_artifacts))
    app = press(open_page(PAGE), TEN)
    for name in ("Average", "Eigenfaces", "Sliders", "Nearest"):
        step(app, name)


def test_a_model_without_pixels_names_one_that_has_them(
    open_page, described_artifacts, with_weights, shipped, tmp_path, monkeypatch
):
    (tmp_path / "numbers").symlink_to(described_artifacts / "tiny")
    (tmp_path / "classic").symlink_to(shipped)
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(tmp_path))
    for page in (PAGE, "pages/11_Mix_faces.py"):
        app = open_page(page, model="numbers")
        assert not app.exception
        assert "Choose classic in the sidebar" in said(app)
