"""Home: the card's figures are the artifacts', and one face is followed from photo to decision."""

import io
import json
import re

import numpy as np
import pytest
from charts import charts_of, percent
from PIL import Image

from facecore.evaluation.card import card_of
from facecore.evaluation.intervals import wilson
from facecore.evaluation.report import (
    balanced_accuracy,
    balanced_interval,
    pool_answers,
    pool_confusions,
)
from facecore.face.images import to_png
from facecore.model.labels import whom_it_shows
from facecore.model.predict import predict_photo
from facecore.model.store import find_model, load_model, read_evaluation, read_metadata
from facecore.model.synth import make_photo
from facecore.system.files import write_json

HOME = "dashboard.py"


def metrics(app) -> dict[str, tuple[str, str]]:
    return {metric.label: (metric.value, metric.delta) for metric in app.metric}


def said(app) -> str:
    return "\n".join(str(element.value) for element in app.markdown)


def test_the_metrics_are_the_artifacts(open_page):
    shown = metrics(open_page(HOME))
    metadata, evaluation = read_metadata("classic"), read_evaluation("classic")
    data = metadata["data"].values()
    assert shown["Photos"][0] == f"{sum(part['photos'] for part in data):,}"
    found = sum(part["states"]["kept"] + part["states"]["too_small"] for part in data)
    assert shown["Faces found"] == (
        f"{found:,}",
        f"{sum(metadata['training_faces'].values()):,} for training",
    )
    confusion = pool_confusions(evaluation)
    low, high = balanced_interval(confusion)
    assert shown["Balanced accuracy"] == (
        f"{balanced_accuracy(confusion):.3f}",
        f"{low:.3f} to {high:.3f}",
    )
    answers, photos = pool_answers(evaluation), sum(f["n"] for f in evaluation.values())
    right = sum(row[label] for label, row in confusion.items())
    assert list(shown)[:3] == ["Answered", "Right when answered", "Forced accuracy"]
    assert shown["Answered"] == (f"{answers['coverage']:.3f}", f"of {photos:,} test photos")
    low, high = answers["interval_answered"]
    assert shown["Right when answered"] == (
        f"{answers['accuracy_answered']:.3f}",
        f"{low:.3f} to {high:.3f}",
    )
    low, high = wilson(right, photos)
    assert shown["Forced accuracy"] == (f"{right / photos:.3f}", f"{low:.3f} to {high:.3f}")
    assert shown["Eigenfaces"][0] == str(len(load_model("classic").pixels.variance))
    size = sum(file.stat().st_size for file in find_model("classic").iterdir())
    assert shown["Size"][0] == f"{size / 1e6:.1f} MB"
    assert shown["Trained"][0] == metadata["created"]


def test_an_evaluation_that_does_not_say_what_was_answered_has_a_dash(
    open_page, shipped, copy_model, monkeypatch
):
    copy_model(shipped, "older")
    keys = ("coverage", "accuracy_answered", "interval_answered")
    older = {
        name: {key: value for key, value in figures.items() if key not in keys}
        for name, figures in read_evaluation("older").items()
    }
    monkeypatch.setattr("ui.models.read_evaluation", lambda name: older)
    app = open_page(HOME)
    assert not app.exception
    assert metrics(app)["Answered"] == ("—", "not stored")
    assert metrics(app)["Forced accuracy"][0].startswith("0.8")


def test_a_model_without_a_test_set_shows_the_cross_validated_score_of_the_model(
    open_page, tiny_artifacts, copy_model, monkeypatch
):
    copy_model(tiny_artifacts / "tiny", "untested")
    monkeypatch.setattr("ui.models.read_evaluation", lambda name: None)
    search = read_metadata("untested")["search"]
    shown = metrics(open_page(HOME))
    assert "Answered" not in shown
    value, note = shown["Cross-validated score of the model"]
    assert value == f"{search['balanced_accuracy']:.3f}"
    assert note == f"± {search['std']:.3f} over folds"


@pytest.mark.parametrize(("label", "seed"), [("female", 15), ("male", 3)])
def test_a_synthetic_face_is_followed_to_what_the_library_says(open_page, label, seed):
    app = open_page(HOME)
    app.segmented_control(key="face_label").set_value(label).run()
    app.number_input(key="face_seed").set_value(seed).run()
    assert not app.exception
    model = load_model("classic")
    face = predict_photo(to_png(make_photo(model, label, seed)), model).faces[0]
    assert f"says **{face.label}** with probability {face.probability:.2f}" in said(app)
    assert f"is {face.distance:.3f} of a pixel's range" in said(app)
    assert len(charts_of(app)) == 3
    captions = "\n".join(caption.value for caption in app.caption)
    assert "These 8 explain" in captions
    assert whom_it_shows(read_metadata("classic")) in captions


def test_a_face_of_which_the_model_is_unsure_is_followed_without_a_label(open_page, ruled):
    app = open_page(HOME)
    photo = to_png(make_photo(ruled, "male", 3))
    app.file_uploader[0].upload("me.png", photo, "image/png").run()
    assert not app.exception
    face = predict_photo(photo, ruled).faces[0]
    assert face.label is None
    assert f"finds **{face.likely}** most likely, with probability {face.probability:.2f}" in said(
        app
    )
    assert "the answer is **unsure**: confidence below 0.995" in said(app)


def test_an_uploaded_photo_is_followed_too(open_page):
    app = open_page(HOME)
    model = load_model("classic")
    photos = (to_png(make_photo(model, "male", seed)) for seed in range(20))
    photo = next(each for each in photos if predict_photo(each, model).faces[0].label)
    app.file_uploader[0].upload("me.png", photo, "image/png").run()
    face = predict_photo(photo, model).faces[0]
    assert f"says **{face.label}** with probability {face.probability:.2f}" in said(app)


@pytest.mark.parametrize("kind", ["no photo", "no face"])
def test_what_cannot_be_followed_is_said(open_page, kind):
    app = open_page(HOME)
    picture = io.BytesIO()
    Image.fromarray(np.full((200, 200), 128, dtype=np.uint8)).save(picture, "PNG")
    data = b"text" if kind == "no photo" else picture.getvalue()
    app.file_uploader[0].upload("wall.png", data, "image/png").run()
    assert not app.exception
    words = [element.value for element in (*app.error, *app.info)]
    assert any(("wall.png: " if kind == "no photo" else "No face was found") in w for w in words)
    assert "this page shows a synthetic face" in "\n".join(c.value for c in app.caption)


def test_the_first_screen_is_a_lesson_to_begin_with_and_a_face_with_its_answer(open_page):
    app = open_page(HOME)
    kinds = [each.type for each in app.main]
    assert kinds.index("image") < kinds.index("header") < kinds.index("metric")
    links = [link.proto for link in app.get("page_link")]
    assert links[0].page.endswith("What_is_an_eigenface")
    face = predict_photo(to_png(make_photo(load_model("classic"), "female", 15)), "classic").main
    assert f"*classic* says **{face.label}** with probability {face.probability:.2f}" in said(app)


def test_a_second_visit_computes_nothing_of_the_first_face_again(open_page, monkeypatch):
    open_page(HOME)
    monkeypatch.delattr("ui.your_face.predict_photo")
    monkeypatch.delattr("ui.your_face.make_photo")
    assert not open_page(HOME).exception


@pytest.mark.parametrize(("label", "seed"), [("female", 15), ("male", 3)])
def test_the_chart_of_the_decision_speaks_of_the_label_that_was_answered(open_page, label, seed):
    model = load_model("classic")
    face = predict_photo(to_png(make_photo(model, label, seed)), model).main
    app = open_page(HOME, face_label=label, face_seed=str(seed))
    share = f"{face.probability:.0%}"
    chart = charts_of(app)[f"The face on the calibration curve: {face.likely}, {share}"]
    *_, point = chart.of("point")
    assert percent(point, "bottom") == pytest.approx(100 * face.probability, abs=0.01)
    assert percent(point, "left") > 50
    assert f"decision value for {face.likely}" in chart.texts
    assert f"this face: {face.likely} {share}" in chart.texts


def test_min_max_is_shown_on_the_pixels_that_it_changes(open_page):
    model = load_model("classic")
    crop = predict_photo(to_png(make_photo(model, "female", 15)), model).main.crop
    app = open_page(HOME)
    change = 255 * model.pixels.scale(crop.reshape(1, -1))[0] - crop.reshape(-1)
    captions = "\n".join(caption.value for caption in app.caption)
    assert f"by up to {np.abs(change).max():.1f} of 255 grey levels" in captions
    (chart,) = (c for alt, c in charts_of(app).items() if alt.startswith("Range of each numbered"))
    most = int(np.abs(change).argmax())
    level = crop.reshape(-1)[most]
    assert percent(chart.of("point")[1], "left") == pytest.approx(level / 2.55, abs=0.01)
    low = model.pixels.minimum[most]
    assert percent(chart.of("bar")[0], "left") == pytest.approx(low / 2.55, abs=0.01)


def test_the_table_of_test_sets_has_the_figures_of_the_evaluation(
    open_page, shipped, copy_model, monkeypatch
):
    copy_model(shipped, "gaps")
    (name, figures), *_ = read_evaluation("gaps").items()
    figures["accuracy_found"] = float("nan")
    del figures["coverage"]
    monkeypatch.setattr("ui.models.read_evaluation", lambda _: {name: figures})
    (table,) = (e.proto.body for e in open_page(HOME).get("html") if "<table>" in e.proto.body)
    cells = re.findall("<t[hd][^>]*>([^<]*)</t[hd]>", table)
    heads, row = cells[:10], dict(zip(cells[:10], cells[10:], strict=True))
    assert row["test set"] == name
    assert row["photos"] == f"{figures['n']:,}"
    assert row["forced accuracy"] == f"{figures['accuracy_all']:.3f}"
    assert row["95% interval"] == "{:.3f} to {:.3f}".format(*figures["interval_all"])
    assert row["balanced, all photos"] == f"{figures['balanced_accuracy_all']:.3f}"
    assert [head for head in heads if row[head] == "-"] == ["answered", "accuracy, faces found"]


def test_the_first_view_needs_neither_plotly_nor_the_data_grid(open_page):
    app = open_page(HOME)
    assert charts_of(app)
    assert not app.get("plotly_chart")
    assert not app.dataframe


def test_the_card_is_closed_until_it_is_asked_for(open_page):
    assert "What it must not be used for" not in said(open_page(HOME))


def test_the_card_is_the_models_with_headings_below_the_pages(open_page):
    app = open_page(HOME, model_card="true")
    assert not app.exception
    card = card_of("classic")
    assert re.sub("(?m)^#", "###", card).strip() in [element.value for element in app.markdown]
    assert card.startswith("# Model card")


def test_a_model_of_which_no_card_can_be_written_says_why(open_page, tiny_artifacts, copy_model):
    path = copy_model(tiny_artifacts / "tiny", "old") / "old" / "metadata.json"
    (path.parent / "card.md").unlink()
    metadata = json.loads(path.read_text(encoding="utf-8"))
    del metadata["seed"], metadata["sha256"]["card.md"]
    write_json(path, metadata)
    app = open_page(HOME, model_card="true")
    assert not app.exception
    assert [element.value for element in app.error] == [
        "no card: the model's metadata lack 'seed'; train it again"
    ]


def test_of_a_model_of_whole_photos_no_step_finds_a_face(open_page, whole_artifacts, monkeypatch):
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(whole_artifacts))
    app = open_page(HOME)
    assert not app.exception
    text = said(app)
    assert "**1. Take the whole photo for the face**" in text
    assert "**2. Colour, 160 x 160**" in text
    assert "Find the face" not in text
    assert "Taken for faces" in metrics(app)
