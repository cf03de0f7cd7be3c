"""What is an eigenface?: each step asks, then shows figures of the model and the drawn faces."""

import json
from base64 import b64decode
from dataclasses import replace

import numpy as np
import pytest
from screens import recipe_sums

from facecore.face.images import to_png
from facecore.model.contributions import draw_eigenface, strongest_eigenfaces, sums_of
from facecore.model.eigenface_words import describe_eigenface
from facecore.model.explain import mean_face
from facecore.model.lesson import (
    add_spot,
    compare_pixels,
    draw_crowd,
    map_faces,
    separating_components,
)
from facecore.model.predict import predict_photo
from facecore.model.store import load_model, read_metadata, write_model
from facecore.model.synth import make_photo
from ui.lesson_screens import SCREENS, direction_of, kept_of

PAGE = "pages/0_What_is_an_eigenface.py"
STEPS = range(1, len(SCREENS) + 1)


@pytest.fixture(scope="module")
def model():
    return load_model("classic")


@pytest.fixture(scope="module")
def face(model):
    return predict_photo(to_png(make_photo(model, "female", 15)), model).main.crop


@pytest.fixture(scope="module")
def labels(model):
    return list(model.labels)


def at(open_page, step: int, answered: bool = True):
    app = open_page(PAGE, **({"step": str(step)} if step > 1 else {}))
    assert not app.exception
    if answered:
        app.button(key=f"lesson_skip_{step - 1}").click().run()
        assert not app.exception
    return app


def sent(app) -> dict:
    """What the picture sends to the browser."""
    (component,) = app.get("bidi_component")
    return json.loads(component.proto.json)


def said(app) -> str:
    groups = (app.markdown, app.caption, app.success, app.info)
    return "\n".join(str(element.value) for group in groups for element in group)


def pixels(text: str, dtype: str = "u1") -> np.ndarray:
    return np.frombuffer(b64decode(text), dtype)


def levels(data: dict, text: str) -> np.ndarray:
    return pixels(text, "<i2") / data["fine"]


def keys(app) -> set[str]:
    return {button.key for button in app.button if button.key}


@pytest.mark.parametrize("step", STEPS)
def test_a_step_asks_first_and_shows_its_picture_after_the_answer(open_page, step):
    app = at(open_page, step, answered=False)
    assert app.header[0].value.startswith(f"{step} of {len(STEPS)}: ")
    assert sent(app)["locked"]
    choices = sorted(key for key in keys(app) if key.startswith(f"lesson_answer_{step - 1}_"))
    assert 2 <= len(choices) <= 4
    app.button(key=choices[0]).click().run()
    assert not app.exception
    assert not sent(app)["locked"]
    assert not keys(app) & set(choices)
    app.button(key=f"lesson_again_{step - 1}").click().run()
    assert sent(app)["locked"]
    assert set(choices) <= keys(app)


@pytest.mark.parametrize("step", STEPS)
def test_one_answer_of_a_step_is_right_and_every_other_is_told_so(open_page, step):
    app = at(open_page, step, answered=False)
    buttons = [b for b in app.button if (b.key or "").startswith(f"lesson_answer_{step - 1}_")]
    choices = {button.key: button.label for button in buttons}
    right = []
    for key, text in choices.items():
        app.button(key=key).click().run()
        if app.success:
            right.append(text)
            assert app.success[0].value == f"**{text}.**"
        else:
            assert f'You said: "{text}."' in app.info[0].value
        app.button(key=f"lesson_again_{step - 1}").click().run()
    assert len(right) == 1


def test_one_goes_through_all_steps_and_back_by_the_buttons(open_page):
    app = at(open_page, 1, answered=False)
    assert app.button(key="lesson_back").disabled
    for step in STEPS[1:]:
        app.button(key="lesson_next").click().run()
        assert app.header[0].value.startswith(f"{step} of")
        assert app.query_params["step"] == str(step)
    assert app.button(key="lesson_next").disabled
    app.button(key="lesson_back").click().run()
    assert app.header[0].value.startswith(f"{len(STEPS) - 1} of")
    app.button(key=f"lesson_skip_{len(STEPS) - 2}").click().run()
    app.button(key=f"lesson_on_{len(STEPS) - 2}").click().run()
    assert app.header[0].value.startswith(f"{len(STEPS)} of")


@pytest.mark.parametrize("step", ["0", "99", "x"])
def test_a_link_to_a_step_that_there_is_not_opens_the_first(open_page, step):
    app = open_page(PAGE, step=step)
    assert not app.exception
    assert app.header[0].value.startswith("1 of")


def test_the_first_picture_is_the_row_of_numbers_of_the_face(open_page, face):
    app = at(open_page, 1)
    assert (pixels(sent(app)["face"]) == face.reshape(-1)).all()
    assert "a row of 10,000 numbers" in said(app)


def test_the_average_is_that_of_the_faces_that_are_shown(open_page, model, labels):
    app = at(open_page, 2)
    shown = np.array([pixels(one) for one in sent(app)["faces"]])
    drawn, _ = draw_crowd(model, labels, 24)
    assert (shown == drawn.reshape(24, -1)).all()
    mean = model.pixels.rebuild(np.zeros((1, 1)))[0]
    off = np.abs(shown.mean(axis=0) - mean).mean()
    assert f"average of these 24 faces is {off:.1f} grey levels away" in said(app)


def test_the_mean_face_and_what_is_left_are_the_face(open_page, model, face):
    app = at(open_page, 3)
    data = sent(app)
    mean = levels(data, data["mean"])
    assert np.abs(mean - mean_face(model).reshape(-1)).max() <= 0.52
    assert (pixels(data["face"]) == face.reshape(-1)).all()
    off = np.abs(face.reshape(-1) - mean).mean()
    assert f"is {off:.0f} grey levels away from the mean face" in said(app)


def test_two_pixels_have_the_direction_that_the_answer_names(open_page, model, labels):
    app = at(open_page, 4)
    pair = compare_pixels(draw_crowd(model, labels, 240)[0], (62, 28), (62, 72))
    data = sent(app)
    assert data["points"] == pair.values.tolist()
    assert data["angle"] == pytest.approx(pair.angle)
    assert direction_of(pair.angle) == 1
    assert "A and B brighten together" in app.info[0].value
    assert f"holds {pair.share:.0%} of the spread of both pixels" in said(app)
    shares = model.pixels.variance / model.pixels.total_variance
    assert f"first one holds {shares[0]:.0%} of all spread" in said(app)
    assert f"10 directions hold {shares[:10].sum():.0%}" in said(app)


def test_the_pictures_of_directions_are_the_eigenfaces(open_page, model):
    data = sent(at(open_page, 5))
    assert len(data["eigenfaces"]) == 8
    for i, one in enumerate(data["eigenfaces"]):
        row = draw_eigenface(model, i)
        drawn = pixels(one["pixels"], "i1") * one["scale"] / 127
        assert np.abs(drawn - row).max() <= one["scale"] / 127
        assert one["words"] == describe_eigenface(row).words


def test_a_recipe_adds_up_to_what_it_says(open_page, model, face):
    app = at(open_page, 6)
    data = sent(app)
    spotted = add_spot(face, 66, 30)
    assert (pixels(data["face"]) == spotted.reshape(-1)).all()
    sums, shares = sums_of(model, spotted.reshape(1, -1), data["counts"])
    assert data["counts"][-1] == len(model.pixels.components)
    assert data["shares"] == pytest.approx(shares.tolist())
    assert np.abs(recipe_sums(data) - sums).max() < 2
    found = strongest_eigenfaces(model, spotted.reshape(1, -1), 8)
    assert [one["weight"] for one in data["eigenfaces"]] == [one.weight for one in found]
    assert f"All 150 together hold {shares[-1]:.1%}" in said(app)
    assert kept_of(shares[-1]) == 1
    assert "Almost" in app.info[0].value


def test_the_map_shows_recipes_answers_and_errors_of_the_model(open_page, model, labels, face):
    app = at(open_page, 7)
    data = sent(app)
    axes = separating_components(model, labels)
    faces, drawn = draw_crowd(model, labels, 80)
    found = map_faces(model, faces, face, axes)
    assert np.array([p["at"] for p in data["points"]]) == pytest.approx(found.points, abs=1e-3)
    wrong = model.predict(faces.reshape(80, -1)) != np.array(drawn)
    assert [point["wrong"] for point in data["points"]] == wrong.tolist()
    assert f"{wrong.sum()} of these 80 faces" in said(app)
    chances = model.predict_proba(face.reshape(1, -1))[0]
    assert f"**{model.labels[chances.argmax()]}** ({chances.max():.0%})" in said(app)
    names = [label["name"] for label in data["labels"]]
    order = [model.labels.index(name) for name in names]
    assert np.array(data["places"]) == pytest.approx(found.places[:, :, order], abs=1e-3)


def test_the_last_step_ends_with_the_four_questions(open_page):
    app = at(open_page, 7)
    for question in ("an eigenface", "a weight", "reconstruction blur", "err"):
        assert any(question in m.value and m.value.endswith("?**") for m in app.markdown)


def test_a_step_is_sent_in_less_than_a_megabyte(open_page):
    for step in STEPS:
        assert len(json.dumps(sent(at(open_page, step)))) < 700_000, step


def test_a_photo_of_ones_own_takes_part_until_it_is_removed(open_page, model):
    photo = to_png(make_photo(model, "male", 4))
    crop = predict_photo(photo, model).main.crop
    app = at(open_page, 1, answered=False)
    app.file_uploader[0].upload("me.png", photo).run()
    assert not app.exception
    assert (pixels(sent(app)["face"]) == crop.reshape(-1)).all()
    assert "This is your face" in said(app)
    app.segmented_control(key="step").set_value("6").run()
    assert (pixels(sent(app)["face"]) == crop.reshape(-1)).all()
    next(b for b in app.button if b.label == "Remove my face").click().run()
    assert not app.exception
    assert (pixels(sent(app)["face"]) != crop.reshape(-1)).any()
    assert not app.session_state["your_face"].photos


def test_a_photo_without_a_face_is_told_and_the_lesson_goes_on(open_page, face):
    app = at(open_page, 1, answered=False)
    blank = to_png(np.full((200, 200, 3), 127, dtype=np.uint8))
    app.file_uploader[0].upload("wall.png", blank).run()
    assert not app.exception
    assert "No face was found" in said(app)
    assert (pixels(sent(app)["face"]) == face.reshape(-1)).all()


@pytest.mark.parametrize("step", STEPS)
def test_a_model_of_many_labels_shows_a_few_of_them(open_page, in_many, step):
    app = at(open_page, step)
    if step == 7:
        data = sent(app)
        assert len(data["labels"]) == 12
        assert {point["label"] for point in data["points"]} == {0, 1, 2, 3}
        assert "Of 12 labels, 4 are drawn" in said(app)


@pytest.mark.parametrize("step", STEPS)
def test_a_model_of_ones_own_has_the_lesson_too(open_page, in_tiny_artifacts, step):
    assert sent(at(open_page, step))["kind"]


def test_the_lesson_of_a_model_of_several_members_is_about_its_eigenfaces(open_page, in_aligned):
    data = sent(at(open_page, 7))
    alone = in_aligned.eigenfaces
    faces, _ = draw_crowd(alone, [label["name"] for label in data["labels"]], 80)
    assert data["side"] == alone.recipe.side == faces.shape[1]


def test_labels_with_markup_are_shown_as_they_are(open_page, model, tmp_path, monkeypatch):
    metadata = {**read_metadata("classic"), "labels": ["*a*", "<b>"]}
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(tmp_path))
    write_model("marked", replace(model, labels=("*a*", "<b>")), metadata, {}, {})
    app = at(open_page, 7)
    assert not app.exception
    assert {label["name"] for label in sent(app)["labels"]} == {"*a*", "<b>"}
    assert "**\\*a\\***" in said(app) or "**\\<b\\>**" in said(app)


def test_a_model_without_a_spread_leads_on(open_page, model, tmp_path, monkeypatch):
    metadata = read_metadata("classic")
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(tmp_path))
    write_model("flat", replace(model, spread=None), metadata, {}, {})
    app = open_page(PAGE)
    assert not app.exception
    assert "stores no spread" in app.info[0].value
    assert not app.get("bidi_component")


def test_a_model_of_embeddings_leads_on(open_page, described_artifacts, with_weights, monkeypatch):
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(described_artifacts))
    app = open_page(PAGE)
    assert not app.exception
    assert "it has no eigenfaces" in app.info[0].value
