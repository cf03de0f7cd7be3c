"""Eigenfaces: every view computes what it shows from the model."""

import json
from base64 import b64decode

import numpy as np
import pytest

from facecore.face.images import to_png
from facecore.model.contributions import strongest_eigenfaces
from facecore.model.drawing import to_image
from facecore.model.explain import decision_for, reconstruction_errors, walk
from facecore.model.predict import predict_photo
from facecore.model.store import load_model, read_model_table
from facecore.model.synth import SPREAD, make_photo, sample_coordinates
from facecore.training.points import MADE

PAGE = "pages/2_Eigenfaces.py"


@pytest.fixture(scope="module")
def model():
    return load_model("classic")


def view(open_page, name):
    app = open_page(PAGE)
    app.segmented_control(key="space").set_value(name).run()
    assert not app.exception
    return app


def metric(app, label: str) -> str:
    return next(metric.value for metric in app.metric if metric.label == label)


def said(app) -> str:
    return "\n".join(str(e.value) for group in (app.markdown, app.caption) for e in group)


def test_the_numbers_of_eigenfaces_explain_the_shares_that_they_stand_for(open_page, model):
    app = open_page(PAGE)
    total = (model.pixels.variance / model.pixels.total_variance).cumsum()
    for share in (0.8, 0.9):
        count = int(metric(app, f"Eigenfaces for {share:.0%}"))
        assert total[count - 1] >= share > total[count - 2]
    assert total[-1] < 0.95
    assert metric(app, "Eigenfaces for 95%") == f"more than {len(total)}"
    assert metric(app, f"By all {len(total)}") == f"{total[-1]:.1%}"


def test_the_gallery_shows_as_many_eigenfaces_as_are_asked_for(open_page):
    app = open_page(PAGE)
    before = len(app.get("image"))
    app.slider(key="gallery").set_value(40).run()
    assert not app.exception
    assert len(app.get("image")) - before == 40 - 24


def test_a_reconstruction_stands_beside_its_error(open_page, model):
    app = view(open_page, "Reconstruction")
    answer = predict_photo(to_png(make_photo(model, "female", 15)), model)
    errors = reconstruction_errors(model, answer.faces[0].crop.reshape(1, -1))[0]
    for count in (0, 10, 150):
        app.slider(key="used").set_value(count).run()
        assert metric(app, "Error") == f"{errors[count]:.3f}"


def test_the_recipe_names_the_eigenfaces_that_the_face_has_most_of(open_page, model):
    app = view(open_page, "Reconstruction")
    answer = predict_photo(to_png(make_photo(model, "female", 15)), model)
    row = answer.faces[0].crop.reshape(1, -1)
    for one in strongest_eigenfaces(model, row, 8):
        sign = "+" if one.weight >= 0 else "\u2212"
        amount = f"{sign} {abs(one.weight):.1f} x"
        assert f"**{amount}** {one.words} ({one.eigenface + 1})" in said(app)
    share = sum(one.share for one in strongest_eigenfaces(model, row, 8))
    assert f"These 8 explain {share:.1%}" in said(app)


def sent(app) -> dict:
    """What the live face sends to the browser."""
    (component,) = app.get("bidi_component")
    return json.loads(component.proto.json)


def drawn(data: dict, weights: list[float]) -> np.ndarray:
    """What the browser draws of it, in grey levels."""
    levels = np.frombuffer(b64decode(data["start"]), "<i2") / data["fine"]
    for weight, face in zip(weights, data["eigenfaces"], strict=True):
        pixels = np.frombuffer(b64decode(face["pixels"]), np.int8)
        levels = levels + weight * face["scale"] / 127 * pixels
    return levels


def test_the_live_face_decides_as_the_model_does(open_page, model):
    address = {"start": "male", "start_seed": "7", "e1": "1.5", "e6": "-2"}
    app = open_page(PAGE, space="Explorer", **address)
    point = np.zeros(len(model.pixels.components))
    point[:100] = sample_coordinates(model, "male", 1, 7, SPREAD)[0]
    point[0] += 1.5  # whitened coordinates are standard deviations
    point[5] -= 2.0
    face = to_image(model.pixels.rebuild(point[None])[0])
    p = model.predict_proba(face.reshape(1, -1))[0]
    assert f"**{model.labels[p.argmax()]}**, probability {p.max():.2f}" in said(app)


@pytest.mark.parametrize("start", ["Mean face", "female"])
def test_what_the_browser_draws_is_the_face_that_the_model_decides_on(open_page, model, start):
    data = sent(open_page(PAGE, space="Explorer", start=start))
    weights = np.random.default_rng(0).uniform(-3, 3, len(data["eigenfaces"]))
    point = np.zeros(len(model.pixels.components))
    if start != "Mean face":
        point[:100] = sample_coordinates(model, start, 1, 15, SPREAD)[0]
    point[: len(weights)] += weights
    face = model.pixels.rebuild(point[None])[0]
    assert np.abs(drawn(data, weights) - face).max() < 3
    assert np.abs(drawn(data, weights) - face).mean() < 0.5


def test_a_page_sends_the_eigenfaces_in_few_bytes_and_says_what_each_does(open_page):
    app = open_page(PAGE, space="Explorer")
    assert len(json.dumps(sent(app))) < 200_000
    words = [face["words"] for face in sent(app)["eigenfaces"]]
    assert len(words) == 12
    assert words[0] == "brightness"


def test_weights_in_an_address_that_make_no_sense_are_left_out(open_page):
    weights = {"e1": "nan", "e2": "900", "e3": "x", "e4": "-1.5"}
    data = sent(open_page(PAGE, space="Explorer", **weights))
    assert data["weights"][:4] == [0, 3, 0, -1.5]


def test_a_random_face_is_one_of_the_labels(open_page):
    app = view(open_page, "Explorer")
    app.button[0].click().run()
    assert not app.exception
    assert app.segmented_control(key="start").value in ("female", "male")


def test_a_walk_goes_where_the_decision_changes_fastest(open_page, model):
    app = view(open_page, "Walk")
    app.segmented_control(key="start").set_value("female").run()
    start = np.zeros(len(model.pixels.components))
    start[:100] = sample_coordinates(model, "female", 1, 15, SPREAD)[0]
    for distance in (1.0, -2.0):
        app.slider(key="steps").set_value(distance).run()
        assert not app.exception
        end = walk(model, start, "male", round(distance / 0.25))[-1]
        drawn = to_image(model.pixels.rebuild(end[None])[0]).reshape(1, -1)
        decision = decision_for(model, drawn, "male")[0]
        alts = [c.proto.alt for c in app.get("plotly_chart")]
        assert f"Decision for male along the way: {decision:.2f} here" in alts


@pytest.mark.parametrize("third", [None, 5])
def test_points_are_synthetic_faces_for_a_model_that_holds_no_training_face(open_page, third):
    app = view(open_page, "Points")
    if third:
        app.selectbox(key="axis_z").set_value(third).run()
    assert not app.exception
    assert "2,000 synthetic faces" in said(app)
    axes = "1, 2" if third is None else "1, 2, 5"
    assert [c.proto.alt for c in app.get("plotly_chart")] == [f"2000 {MADE} on components {axes}"]


def test_points_are_stored_training_faces_for_a_model_of_ones_own(open_page, in_tiny_artifacts):
    app = view(open_page, "Points")
    count = len(read_model_table("coordinates", "tiny"))
    assert f"{count} of the training faces, stored with the model" in said(app)


@pytest.mark.parametrize("name", ["Reconstruction", "Explorer", "Walk", "Points"])
def test_every_view_opens_for_a_model_of_ones_own(open_page, in_tiny_artifacts, name):
    assert not view(open_page, name).exception


def test_an_address_with_values_of_another_model_opens_with_the_defaults(open_page):
    app = open_page(PAGE, space="Walk", start="no such", towards="no such", steps="900")
    assert not app.exception
    assert app.segmented_control(key="space").value == "Walk"
    assert app.segmented_control(key="start").value == "Mean face"
    assert app.slider(key="steps").value == 0


def test_an_address_opens_what_a_teacher_saw(open_page):
    app = open_page(PAGE, space="Explorer", start="male", start_seed="7", e1="1.5")
    assert app.segmented_control(key="start").value == "male"
    assert app.number_input(key="start_seed").value == 7
    assert sent(app)["weights"][0] == 1.5
