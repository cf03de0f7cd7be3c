"""Eigenfaces: every view computes what it shows from the model."""

import json
from base64 import b64decode

import numpy as np
import pytest
from screens import recipe_sums

from facecore.face.images import to_png
from facecore.model.contributions import strongest_eigenfaces, sums_of
from facecore.model.drawing import to_image
from facecore.model.explain import reconstruction_errors
from facecore.model.predict import predict_photo
from facecore.model.separation import best_pair, separate_labels
from facecore.model.store import load_model, read_model_table
from facecore.model.synth import make_photo
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
    found, data = strongest_eigenfaces(model, row, 8), sent(app)
    assert [(one["weight"], one["words"]) for one in data["eigenfaces"]] == [
        (one.weight, f"{one.eigenface + 1} {one.words}") for one in found
    ]
    assert data["counts"] == [0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 20, 40, 80, 150]
    sums, shares = sums_of(model, row, data["counts"])
    off = np.abs(recipe_sums(data) - sums)
    assert off.max() < 2
    assert off.mean() < 0.3
    assert data["shares"] == pytest.approx(shares.tolist())
    assert len(json.dumps(data)) < 300_000
    assert f"These 8 explain {sum(one.share for one in found):.1%}" in said(app)


def sent(app) -> dict:
    """What the page sends to the browser for what moves there."""
    (component,) = app.get("bidi_component")
    return json.loads(component.proto.json)


def drawn(data: dict, weights: list[float]) -> np.ndarray:
    """What the browser draws of it, in grey levels."""
    levels = np.frombuffer(b64decode(data["start"]), "<i2") / data["fine"]
    for weight, face in zip(weights, data["eigenfaces"], strict=True):
        pixels = np.frombuffer(b64decode(face["pixels"]), np.int8)
        levels = levels + weight * face["scale"] / 127 * pixels
    return levels


def where(model, label: str, seed: int) -> np.ndarray:
    """The coordinates of a synthetic face in face space."""
    crop = predict_photo(to_png(make_photo(model, label, seed)), model).main.crop
    return model.pixels.coordinates(crop.reshape(1, -1))[0]


def test_the_live_face_decides_as_the_model_does(open_page, model):
    address = {"face_label": "male", "face_seed": "7", "e1": "1.5", "e6": "-2"}
    app = open_page(PAGE, space="Explorer", **address)
    point = where(model, "male", 7)
    point[0] += 1.5  # whitened coordinates are standard deviations
    point[5] -= 2.0
    face = to_image(model.pixels.rebuild(point[None])[0])
    p = model.predict_proba(face.reshape(1, -1))[0]
    data = sent(app)
    assert data["answer"] == f"{model.labels[p.argmax()]}, probability {p.max():.2f}"
    assert data["answered"] == data["weights"]


@pytest.mark.parametrize("start", ["Mean face", "Your face"])
def test_what_the_browser_draws_is_the_face_that_the_model_decides_on(open_page, model, start):
    data = sent(open_page(PAGE, space="Explorer", start=start))
    weights = np.random.default_rng(0).uniform(-3, 3, len(data["eigenfaces"]))
    point = where(model, "female", 15)
    if start == "Mean face":
        point[:] = 0
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
    next(button for button in app.button if button.label == "Random face").click().run()
    assert not app.exception
    assert app.segmented_control(key="face_label").value in ("female", "male")
    assert "First face again" in [button.label for button in app.sidebar.button]


def kept(app):
    """What the walk has found, in the session's memory."""
    return app.session_state["your_face"].made["walk"][1]


def test_a_walk_ends_at_a_face_that_gets_the_other_answer(open_page, model):
    app = open_page(PAGE, space="Walk", face_label="female", face_seed="15")
    assert not app.exception
    flip = kept(app).flip
    crop = predict_photo(to_png(make_photo(model, "female", 15)), model).main.crop
    assert model.predict(crop[None])[0] == flip.answer
    data = sent(app)
    moves = np.frombuffer(b64decode(data["change"]), "<i2") / data["fine"]
    start = np.frombuffer(b64decode(data["start"]), np.uint8)
    assert np.array_equal(start, crop.ravel())
    for step in (0, data["flip"] - 1, data["flip"], data["steps"] - 1):
        factor = data["most"] * step / (data["steps"] - 1)
        picture = np.clip(np.rint(start + factor * moves), 0, 255).astype(np.uint8)
        p = model.predict_proba(picture[None])[0]
        label, probability = data["answers"][step]
        assert label == p.argmax()
        assert probability == pytest.approx(p.max(), abs=0.01)
    assert data["labels"][data["answers"][data["flip"]][0]] == flip.target
    assert f"the answer {flip.answer} becomes **{flip.target}**" in said(app)


def test_the_chart_of_a_walk_speaks_of_the_label_that_was_answered(open_page):
    data = sent(open_page(PAGE, space="Walk", face_label="male"))
    first = data["labels"][data["answers"][0][0]]
    assert [line["name"] for line in data["lines"]] == [f"probability of {first}"]
    assert data["lines"][0]["values"][0] == data["answers"][0][1]


def test_a_nudge_says_how_many_grey_levels_it_takes(open_page):
    app = open_page(PAGE, space="Walk")
    nudge = kept(app).nudge
    levels = "grey level" if nudge.most == 1 else "grey levels"
    assert f"No pixel changed by more than **{nudge.most} {levels}** of 255" in said(app)
    assert f"the answer is now **{nudge.target}**" in said(app)


def test_a_walk_with_several_members_says_what_all_of_them_answer(open_page, in_aligned):
    app = open_page(PAGE, space="Walk", model="made")
    assert not app.exception
    count = len(in_aligned.members)
    assert said(app).count(f"the whole model, all {count} members, ") == 2
    assert sent(app)["lines"][1]["name"].endswith(f"all {count} members")


def test_an_eigenface_opens_and_says_how_much_it_separates_the_labels(open_page, model):
    app = open_page(PAGE)
    before = len(app.get("image"))
    app.button(key="open_3").click().run()
    assert not app.exception
    assert len(app.get("image")) == before + 5 + 1
    one = separate_labels(model)[2]
    assert "**Eigenface 3:" in said(app)
    assert f"one {one.more} face and one {one.less} face" in said(app)
    assert f"a probability of **{one.best:.0%}** the first has more" in said(app)
    compared = len(separate_labels(model))
    assert f"of the first {compared} eigenfaces" in said(app) or (
        compared == len(model.pixels.components) and f"of the {compared} eigenfaces" in said(app)
    )


@pytest.mark.parametrize(("number", "opens"), [("7", True), ("0", False), ("x", False)])
def test_an_address_opens_an_eigenface(open_page, number, opens):
    app = open_page(PAGE, eigenface=number)
    assert not app.exception
    assert (f"**Eigenface {number}:" in said(app)) == opens


def test_the_gallery_begins_with_the_eigenface_that_separates_the_labels_best(open_page, model):
    app = open_page(PAGE, gallery_order="Separates the labels best", gallery="3")
    means = [one.mean for one in separate_labels(model)]
    shown = [button.key for button in app.button if str(button.key).startswith("open_")]
    assert shown == [f"open_{i + 1}" for i in np.argsort(np.negative(means), kind="stable")[:3]]


def test_the_map_begins_with_the_components_that_separate_the_labels_best(open_page, model):
    app = view(open_page, "Points")
    axes = [app.selectbox(key=f"axis_{axis}").value - 1 for axis in "xy"]
    assert tuple(axes) == best_pair(model, 30)


def test_a_place_of_the_map_shows_the_face_there_and_the_models_answer(open_page, model):
    address = {"axis_x": "1", "axis_y": "3", "map_x": "1.5", "map_y": "-2"}
    app = open_page(PAGE, space="Points", **address)
    assert not app.exception
    face = to_image(model.pixels.rebuild(np.array([[1.5, 0, -2]]))[0])
    p = model.predict_proba(face[None])[0]
    told = f"{model.labels[p.argmax()]} {p.max():.0%}"
    captions = [image.caption for group in app.get("image") for image in group.proto.imgs]
    assert told in captions


def test_a_face_on_the_map_is_a_star_where_its_coordinates_are(open_page, model):
    address = {"map_star": "true", "face_label": "male", "face_seed": "4"}
    app = open_page(PAGE, space="Points", axis_x="1", axis_y="2", **address)
    assert not app.exception
    crop = predict_photo(to_png(make_photo(model, "male", 4)), model).main.crop
    star = model.pixels.coordinates(crop.reshape(1, -1))[0]
    (chart,) = app.get("plotly_chart")
    (drawn,) = (t for t in json.loads(chart.proto.spec)["data"] if t.get("name") == "your face")
    assert [drawn["x"][0], drawn["y"][0]] == pytest.approx([star[0], star[1]], rel=1e-5)


def test_the_face_of_a_photo_is_on_the_map_unless_one_takes_it_off(open_page, model):
    app = view(open_page, "Reconstruction")
    app.file_uploader[0].upload("me.png", to_png(make_photo(model, "male", 4))).run()
    app.segmented_control(key="space").set_value("Points").run()
    assert "Your face" in [header.value for header in app.header]
    app.toggle(key="map_star").set_value(False).run()
    assert not app.exception
    assert "Your face" not in [header.value for header in app.header]


@pytest.mark.parametrize("third", [None, 5])
def test_points_are_synthetic_faces_for_a_model_that_holds_no_training_face(
    open_page, model, third
):
    app = view(open_page, "Points")
    if third:
        app.selectbox(key="axis_z").set_value(third).run()
    assert not app.exception
    assert "2,000 synthetic faces" in said(app)
    first, second = (number + 1 for number in best_pair(model, 30))
    axes = f"{first}, {second}" if third is None else f"{first}, {second}, 5"
    assert [c.proto.alt for c in app.get("plotly_chart")] == [f"2000 {MADE} on components {axes}"]


def test_points_are_stored_training_faces_for_a_model_of_ones_own(open_page, in_tiny_artifacts):
    app = view(open_page, "Points")
    count = len(read_model_table("coordinates", "tiny"))
    assert f"{count} of the training faces, stored with the model" in said(app)


@pytest.mark.parametrize("name", ["Reconstruction", "Explorer", "Walk", "Points"])
def test_every_view_opens_for_a_model_of_ones_own(open_page, in_tiny_artifacts, name):
    assert not view(open_page, name).exception


def test_an_address_with_values_of_another_model_opens_with_the_defaults(open_page):
    app = open_page(PAGE, space="Walk", face_label="no such", towards="no such", face_seed="x")
    assert not app.exception
    assert app.segmented_control(key="space").value == "Walk"
    assert app.segmented_control(key="face_label").value == "female"


def test_an_address_opens_what_a_teacher_saw(open_page):
    app = open_page(PAGE, space="Explorer", face_label="male", face_seed="7", e1="1.5")
    assert app.segmented_control(key="face_label").value == "male"
    assert app.number_input(key="face_seed").value == 7
    assert sent(app)["weights"][0] == 1.5
