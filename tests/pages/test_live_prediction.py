"""Live prediction: synthetic faces, uploads, many at once, bad files, detector, a second model."""

import io
import json
import shutil
import zipfile
from collections import Counter
from dataclasses import replace
from importlib import import_module

import numpy as np
import pandas as pd
import pytest
from cartoons import LABELS, draw_photo, encode
from corpus import SAMPLES, face
from PIL import Image

from facecore.face.detect import HaarSettings, spec_of
from facecore.face.images import to_png
from facecore.model.explain import explain_decision, typical_distance
from facecore.model.predict import predict_photo
from facecore.model.rule import AnswerRule
from facecore.model.store import load_model, read_metadata, write_model
from facecore.model.synth import make_photo
from facecore.training.estimator import FaceSpaceClassifier

PAGE = "pages/5_Live_prediction.py"


@pytest.fixture(scope="module")
def photo() -> bytes:
    return to_png(make_photo(load_model("classic"), "male", 2))


def said(app) -> str:
    return "\n".join(
        str(element.value) for group in (app.markdown, app.caption) for element in group
    )


def test_it_asks_for_a_photo_first_and_answers_an_example_at_a_click(open_page):
    app = open_page(PAGE)
    assert "as soon as there is a photo" in app.info[0].value
    model = load_model("classic")
    assert sum("Synthetic face of the label" in alt for alt in pictures(app)) == 6
    app.button(key="example_male_4").click().run()
    assert not app.exception
    face = predict_photo(to_png(make_photo(model, "male", 4)), model).faces[0]
    answer = f"**1: {face.label}**, probability {face.probability:.2f}"
    assert app.segmented_control(key="source").value == "Your face"
    assert answer in said(app)
    app.switch_page("pages/4_Evaluation.py").run()
    app.switch_page(PAGE).run()
    assert answer in said(app)


def test_an_upload_is_answered_with_what_the_library_says(open_page, photo):
    app = open_page(PAGE)
    app.file_uploader[0].upload("me.png", photo, "image/png").run()
    assert not app.exception
    face = predict_photo(photo, load_model("classic")).faces[0]
    assert f"**1: {face.label}**, probability {face.probability:.2f}" in said(app)
    assert "no basis for a decision about anyone" in said(app)


def test_of_many_faces_a_dozen_is_shown_at_once_and_all_are_counted(open_page):
    tile = draw_photo("round", 1)
    row = np.hstack([draw_photo(LABELS[i % 2], i)[: len(tile), : tile.shape[1]] for i in range(7)])
    group = to_png(np.vstack([row, row]))
    answer = predict_photo(group, load_model("classic"))
    count = len(answer.faces)
    assert count > 12
    app = open_page(PAGE)
    app.file_uploader[0].upload("us.png", group, "image/png").run()
    assert not app.exception
    assert f"**{count} faces**" in said(app)
    for verdict, alike in Counter(found.verdict for found in answer.faces).items():
        assert f"{alike} {verdict}" in said(app)
    assert "**12: " in said(app) and "**13: " not in said(app)
    (chooser,) = [box for box in app.selectbox if box.label.startswith("Faces")]
    assert chooser.options == ["1 to 12", f"13 to {count}"]
    chooser.select_index(1).run()
    assert "**12: " not in said(app) and "**13: " in said(app)


def test_a_bad_file_is_an_error_and_the_others_are_answered(open_page, photo):
    app = open_page(PAGE)
    chooser = app.file_uploader[0]
    chooser.upload("me.png", photo, "image/png")
    chooser.upload("notes.jpg", b"not a photo at all", "image/jpeg")
    chooser.upload("cut.png", photo[: len(photo) // 2], "image/png").run()
    assert not app.exception
    errors = [error.value for error in app.error]
    assert len(errors) == 2
    assert "notes.jpg: the file is not a photo" in errors[0]
    assert "cut.png: the photo is damaged or cut off" in errors[1]
    assert "**1 face**" in said(app)


@pytest.mark.slow
def test_every_kind_of_file_gets_the_verdict_of_the_corpus(open_page, tiny_artifacts, monkeypatch):
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(tiny_artifacts))
    app = upload(open_page(PAGE), {f"{i}.png": s.make() for i, s in enumerate(SAMPLES)})
    assert not app.exception
    table = app.dataframe[0].value
    for i, sample in enumerate(SAMPLES):
        rows = table[table["photo"].eq(f"{i}.png")]
        assert len(rows) == max(1, sample.faces), sample.kind
        if sample.faces:
            assert rows["x"].notna().all(), sample.kind
        else:
            assert (sample.message or "no face") in rows["error"].iloc[0], sample.kind
        assert rows["notes"].notna().all() == bool(sample.note), sample.kind


def test_a_photo_that_lacks_its_end_has_a_note(open_page):
    app = open_page(PAGE)
    app.file_uploader[0].upload("cut.jpg", face("JPEG")[:-2], "image/jpeg").run()
    assert not app.exception
    assert not app.error
    assert "the end of the file is missing" in app.info[0].value


def test_a_photo_without_a_face_gets_a_message(open_page):
    buffer = io.BytesIO()
    Image.new("RGB", (300, 200), "grey").save(buffer, "PNG")
    app = open_page(PAGE)
    app.file_uploader[0].upload("wall.png", buffer.getvalue(), "image/png").run()
    assert not app.exception
    assert "No face was found" in app.info[0].value


def test_a_synthetic_face_needs_no_photo_at_all(open_page):
    app = open_page(PAGE)
    app.segmented_control(key="source").set_value("Your face").run()
    app.number_input(key="face_seed").set_value(4).run()
    assert not app.exception
    model = load_model("classic")
    face = predict_photo(to_png(make_photo(model, "female", 4)), model).faces[0]
    assert f"**1: {face.label}**, probability {face.probability:.2f}" in said(app)


def test_a_link_with_the_old_name_of_synthetic_faces_still_opens_them(open_page):
    app = open_page(PAGE, source="Made face")
    assert app.segmented_control(key="source").value == "Your face"
    assert "**1 face**" in said(app)
    app.segmented_control(key="source").set_value("Upload").run()
    assert not app.exception
    assert app.segmented_control(key="source").value == "Upload"


@pytest.fixture(scope="module")
def photos() -> list[bytes]:
    model = load_model("classic")
    return [to_png(make_photo(model, label, 3)) for label in model.labels for _ in range(2)]


@pytest.fixture
def two_models(shipped, tmp_path, monkeypatch):
    """A folder with the shipped model under two names, in use."""
    for name in ("one", "two"):
        shutil.copytree(shipped, tmp_path / name)
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(tmp_path))


def pack(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def wall() -> bytes:
    return to_png(np.full((80, 80, 3), 128, dtype=np.uint8))


def upload(app, files: dict[str, bytes]):
    for name, data in files.items():
        kind = "application/zip" if name.endswith(".zip") else "image/png"
        app.file_uploader[0].upload(name, data, kind)
    return app.run()


def choose_row(app, row: int):
    app.session_state["batch_table"] = {"selection": {"rows": [row], "columns": [], "cells": []}}
    return app.run()


def metrics(app) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def pictures(app) -> list[str]:
    return [image.alt for group in app.image for image in group.proto.imgs]


def test_many_photos_are_a_table_with_one_row_per_face(open_page, photos, shipped_model):
    files = {f"{i}.png": data for i, data in enumerate(photos)} | {"wall.png": wall()}
    app = upload(open_page(PAGE), files | {"notes.jpg": b"no photo"})
    assert not app.exception
    table = app.dataframe[0].value
    answers = [predict_photo(data, shipped_model) for data in photos]
    faces = [face for answer in answers for face in answer.faces]
    assert table["photo"].tolist() == [*files, "notes.jpg"]
    assert table["label"].dropna().tolist() == [face.label for face in faces]
    for label in shipped_model.labels:
        expected = [round(face.scores[label], 4) for face in faces]
        assert table[f"P({label})"].dropna().tolist() == pytest.approx(expected, abs=2e-4)
    assert table["distance"].iloc[0] == pytest.approx(faces[0].distance, abs=1e-4)
    assert tuple(table.iloc[0][["x", "y", "width", "height"]]) == faces[0].box
    assert table["error"].iloc[4] == "no face"
    assert "not a photo" in table["error"].iloc[5]
    shown = metrics(app)
    assert (shown["Photos"], shown["Faces"]) == ("6", "4")
    assert (shown["Photos without a face"], shown["Unreadable"]) == ("1", "1")
    assert "no basis for a decision about anyone" in said(app)


def test_a_zip_is_as_good_as_its_photos(open_page, photos):
    files = {f"a/{i}.png": data for i, data in enumerate(photos)}
    app = upload(open_page(PAGE), {"all.zip": pack(files | {"notes.txt": b""})})
    assert not app.exception
    assert app.dataframe[0].value["photo"].tolist() == list(files)


def foreign(encoding: str, files: dict[str, bytes]) -> bytes:
    """A ZIP whose maker did not say the encoding of its names."""

    class Info(zipfile.ZipInfo):
        def _encodeFilenameFlags(self):
            return self.filename.encode(encoding), self.flag_bits & ~0x800

    return pack({Info(name): data for name, data in files.items()})


def test_the_names_in_a_zip_are_guessed_told_and_can_be_set_right(open_page, photos):
    names = [f"мужчины/{i}.png" for i in range(len(photos))]
    zipped = foreign("cp866", dict(zip(names, photos, strict=True)) | {"notes.txt": b""})
    app = upload(open_page(PAGE), {"all.zip": zipped})
    assert not app.exception
    assert app.dataframe[0].value["photo"].tolist() == names
    told = [text.value for text in app.text]
    assert "all.zip: passed over: 1 not a photo" in told
    assert any("read as cp866" in text for text in told)
    box = next(box for box in app.selectbox if box.key.startswith("encoding_"))
    box.set_value("cp850").run()
    assert not app.exception
    shown = app.dataframe[0].value["photo"].tolist()
    assert shown == [name.encode("cp866").decode("cp850") for name in names]
    assert not any("read as" in text.value for text in app.text)


@pytest.mark.parametrize("name", ["männer", "男"])
def test_names_that_say_their_encoding_ask_for_none(open_page, photos, name):
    app = upload(open_page(PAGE), {"all.zip": pack({f"{name}/1.png": photos[0]})})
    assert not app.exception
    assert not [box for box in app.selectbox if (box.key or "").startswith("encoding_")]
    assert not app.text


def test_a_bad_zip_is_an_error_and_the_others_are_answered(open_page, photo):
    app = upload(open_page(PAGE), {"bad.zip": b"PK no zip", "me.png": photo})
    assert not app.exception
    assert "bad.zip: the file is not a ZIP" in app.error[0].value
    assert "**1 face**" in said(app)


def test_too_many_photos_are_not_begun(open_page, photo, monkeypatch):
    monkeypatch.setattr("ui.batch.MAX_PHOTOS", 2)
    files = {f"{i}.png": photo for i in range(4)}
    app = upload(open_page(PAGE), files)
    assert not app.exception
    assert "At most 2 photos" in app.warning[0].value
    assert said(app).count("**1 face**") == 2


def test_the_photo_of_a_chosen_row_is_shown(open_page, photos):
    zipped = pack({f"{i}.png": data for i, data in enumerate(photos)})
    app = upload(open_page(PAGE), {"all.zip": zipped, "wall.png": wall()})
    assert "Choose a row" in app.info[0].value
    choose_row(app, 4)
    assert not app.exception
    assert "No face was found" in app.info[0].value
    choose_row(app, 2)
    face = predict_photo(photos[2], load_model("classic")).faces[0]
    assert f"**1: {face.label}**, probability {face.probability:.2f}" in said(app)


def test_what_was_answered_is_not_computed_again(open_page, photos, monkeypatch):
    asked = []

    def ask(data, *arguments, name, **options):
        asked.append(name)
        return predict_photo(data, *arguments, name=name, **options)

    monkeypatch.setattr("ui.answers.predict_photo", ask)
    app = upload(open_page(PAGE), {f"{i}.png": data for i, data in enumerate(photos)})
    assert asked == ["0.png", "1.png", "2.png", "3.png"]
    choose_row(app, 1)
    app.toggle(key="own_detector").set_value(True).run()
    assert asked[4:] == ["1.png"]  # the chosen photo, with its pictures
    app.number_input(key="haar_border").set_value(0.0).run()
    assert sorted(asked[5:]) == ["0.png", "1.png", "1.png", "2.png", "3.png"]


def test_the_session_keeps_the_answers_of_the_present_photos_only(open_page, photos):
    app = upload(open_page(PAGE), {f"{i}.png": data for i, data in enumerate(photos)})
    app.toggle(key="own_detector").set_value(True).run()
    app.number_input(key="haar_min_neighbors").set_value(4).run()
    kept = app.session_state["batch_answers"]
    assert len(kept) == 4
    assert all(answer.pixels is None for answers in kept.values() for answer in answers)
    assert all(face.crop.size == 0 for (answer,) in kept.values() for face in answer.faces)


def test_the_answers_can_be_downloaded(open_page, photos, downloads):
    names = ["=1+1.png", "@b.png", "-c.png", "d.png"]
    files = dict(zip(names, photos, strict=True)) | {"wall.png": wall()}
    app = upload(open_page(PAGE), files)
    assert not app.exception
    table = pd.read_csv(io.BytesIO(downloads["answers.csv"]))
    assert table["photo"].tolist() == ["'=1+1.png", "'@b.png", "'-c.png", "d.png", "wall.png"]
    assert table["label"].dropna().tolist() == app.dataframe[0].value["label"].dropna().tolist()
    plain = json.loads(downloads["answers.json"])
    assert [photo["photo"] for photo in plain] == list(files)
    for photo, data in zip(plain, files.values(), strict=True):
        answer = predict_photo(data, load_model("classic"), name=photo["photo"])
        distances = [face.pop("distance") for face in photo["faces"]]
        assert distances == pytest.approx([face.distance for face in answer.faces], abs=1e-4)
        assert photo == {"model": "classic", **answer.to_dict()}


def test_the_distance_from_face_space_is_told_in_words(open_page, photo, shipped_model):
    app = upload(open_page(PAGE), {"me.png": photo})
    face = predict_photo(photo, shipped_model).faces[0]
    times = face.distance / typical_distance(shipped_model)
    text = f"Distance from face space {face.distance:.3f}, {times:.1f} times the typical one: near"
    assert text in said(app)


def test_a_distance_that_three_decimals_would_round_to_zero_keeps_two_digits():
    from ui.look import format_distance

    assert format_distance(0.034567) == "0.035"
    assert format_distance(0.00012345) == "0.00012"


def test_what_moved_the_decision_is_shown_and_can_be_left_out(open_page, photo, shipped_model):
    app = upload(open_page(PAGE), {"me.png": photo})
    face = predict_photo(photo, shipped_model).faces[0]
    values = explain_decision(shipped_model, face.crop, face.label).values
    assert (
        f"Contributions to the decision: {values[values > 0].sum():.1f} for {face.label}"
        in said(app)
    )
    assert "exact gradient" in said(app)
    assert f"Heat map of the decision for {face.label} on face 1" in pictures(app)
    app.toggle(key="heat").set_value(False).run()
    assert not any("Heat map" in alt for alt in pictures(app))
    assert "exact gradient" not in said(app)


@pytest.fixture
def calls(monkeypatch) -> list[str]:
    """What is computed and shown, in turn."""
    seen: list[str] = []

    def note(place: str, word: str) -> None:
        module, name = place.rsplit(".", 1)
        own = getattr(import_module(module), name)

        def noted(*arguments, **options):
            seen.append(word)
            return own(*arguments, **options)

        monkeypatch.setattr(place, noted)

    note("ui.answers.predict_photo", "predict")
    note("ui.answers.explain_decisions", "explain")
    note("ui.face_card.show_scores", "verdict")
    return seen


def test_all_verdicts_are_shown_before_the_first_heat_map_is_computed(open_page, photos, calls):
    app = upload(open_page(PAGE), {f"{i}.png": data for i, data in enumerate(photos[1:3])})
    assert not app.exception
    assert calls == ["predict", "verdict"] * 2 + ["explain"] * 2
    assert len([alt for alt in pictures(app) if alt.startswith("Heat map of")]) == 2
    assert "being computed" not in " ".join(pictures(app))


@pytest.mark.parametrize("count", [1, 4])
def test_a_step_of_the_unsure_slider_computes_nothing_again(open_page, photos, calls, count):
    app = upload(open_page(PAGE), {f"{i}.png": data for i, data in enumerate(photos[:count])})
    if count > 1:
        choose_row(app, 1)
    assert {"predict", "explain"} <= set(calls)
    calls.clear()
    for confidence in (1.0, 0.5):
        app.slider(key="unsure_classic").set_value(confidence).run()
        assert not app.exception
        assert ("confidence below 1" in said(app)) == (confidence == 1.0)
    app.toggle(key="ruled").set_value(False).run()
    assert set(calls) == {"verdict"}


def test_nothing_of_a_photo_that_was_removed_is_kept(open_page, photo, photos):
    app = upload(open_page(PAGE), {"a.png": photo, "b.png": photos[0]})
    kept = app.session_state["kept_of_photos"]
    assert {kind: len(found) for kind, found in kept.items()} == {
        "answer": 2,
        "picture": 2,
        "heat": 2,
    }
    app.file_uploader[0].set_value([("b.png", photos[0], "image/png")]).run()
    assert [len(found) for found in kept.values()] == [1, 1, 1]
    app.file_uploader[0].set_value([]).run()
    assert not any(app.session_state["kept_of_photos"].values())


@pytest.fixture
def doubting(shipped, shipped_model, tmp_path, monkeypatch) -> str:
    """The shipped model with a limit that takes every face for none, under the name `doubting`."""
    model = replace(shipped_model, rule=AnswerRule(max_distance=0.001))
    metadata = read_metadata(shipped.name)
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(tmp_path / "doubting"))
    write_model("doubting", model, metadata, {})
    return "doubting"


@pytest.mark.usefixtures("doubting")
def test_what_is_probably_not_a_face_never_has_a_plain_label(open_page, photo):
    app = upload(open_page(PAGE), {"tie.png": photo})
    assert not app.exception
    text = said(app)
    why = "farther than 0.001 from face space"
    assert f"**1: not a face** ({why})" in text
    assert "1 of them probably not a face" in text
    assert "Read as a face all the same" in text
    assert not any("Heat map" in alt for alt in pictures(app))
    app.toggle(key="ruled").set_value(False).run()
    assert f"**1: probably not a face** ({why}), labelled male" in said(app)
    assert any("Heat map" in alt for alt in pictures(app))


@pytest.mark.usefixtures("doubting")
def test_a_table_marks_what_is_probably_not_a_face(open_page, photos):
    files = {f"{i}.png": data for i, data in enumerate(photos)}
    app = upload(open_page(PAGE), files)
    table = app.dataframe[0].value
    assert table["answer"].eq("not a face").all()
    assert table["label"].isna().all()
    app.toggle(key="ruled").set_value(False).run()
    answers = app.dataframe[0].value["answer"]
    assert answers.str.endswith(" (probably not a face)").all()


def test_other_settings_of_the_detector_are_used_and_said(open_page, photo):
    app = upload(open_page(PAGE), {"me.png": photo})
    assert not app.warning
    app.toggle(key="own_detector").set_value(True).run()
    assert not app.warning
    app.selectbox(key="haar_cascade").set_value("frontalface_default")
    app.number_input(key="haar_scale_factor").set_value(1.3).run()
    assert not app.exception
    assert "scale factor 1.1 -> 1.3" in app.warning[0].value
    spec = spec_of(HaarSettings("frontalface_default", 1.3))
    face = predict_photo(photo, load_model("classic"), detector=spec).faces[0]
    assert f"Box {list(face.box)}" in said(app)


def test_the_detector_can_be_set_back_to_the_models(open_page, photo, shipped_model):
    app = upload(open_page(PAGE), {"me.png": photo})
    app.toggle(key="own_detector").set_value(True).run()
    app.number_input(key="haar_border").set_value(0.9).run()
    app.button(key="detector_reset").click().run()
    assert not app.exception
    assert not app.warning
    assert app.number_input(key="haar_border").value == shipped_model.recipe.detector.border


def test_an_unsure_face_shows_the_likeliest_label_and_the_reason(open_page, ruled):
    photo = to_png(make_photo(ruled, "male", 3))
    app = upload(open_page(PAGE), {"me.png": photo})
    assert not app.exception
    face = predict_photo(photo, ruled).faces[0]
    assert face.label is None
    assert (
        f"**1: unsure** (confidence below 0.995), most likely {face.likely}, probability "
        f"{face.probability:.2f}" in said(app)
    )
    assert f"Heat map of the decision for {face.likely} on face 1" in pictures(app)
    assert "no label to a face with a confidence below 0.995, or farther than 0.9" in said(app)


def test_the_visitor_may_ask_for_another_confidence(open_page, ruled):
    photo = to_png(make_photo(ruled, "male", 3))
    app = upload(open_page(PAGE), {"me.png": photo})
    slider = app.slider(key="unsure_ruled")
    assert (slider.min, slider.value) == (0.5, 0.995)
    slider.set_value(0.5).run()
    face = predict_photo(photo, ruled).faces[0]
    assert f"**1: {face.likely}**, probability {face.probability:.2f}" in said(app)
    app.slider(key="unsure_ruled").set_value(1.0).run()
    assert "**1: unsure** (confidence below 1)" in said(app)
    assert not app.exception


def test_the_visitor_may_switch_the_rule_off(open_page, ruled):
    photo = to_png(make_photo(ruled, "male", 3))
    app = upload(open_page(PAGE), {"me.png": photo})
    app.toggle(key="ruled").set_value(False).run()
    face = predict_photo(photo, ruled, rule=AnswerRule()).faces[0]
    assert f"**1: {face.label}**, probability {face.probability:.2f}" in said(app)
    assert app.slider(key="unsure_ruled").disabled
    assert not app.exception


def test_the_confidence_is_in_the_address(open_page, photo):
    app = upload(open_page(PAGE, unsure_classic="1.0"), {"me.png": photo})
    assert not app.exception
    assert "**1: unsure** (confidence below 1)" in said(app)


@pytest.mark.parametrize("nonsense", ["7", "-1", "nan", "much"])
def test_a_confidence_in_the_address_that_makes_no_sense_changes_nothing(
    open_page, photo, nonsense
):
    app = upload(open_page(PAGE, unsure_classic=nonsense), {"me.png": photo})
    assert not app.exception
    face = predict_photo(photo, load_model("classic")).faces[0]
    assert f"**1: {face.label}**" in said(app)


def test_unsure_faces_of_a_batch_have_a_reason_and_no_label(open_page, photos, ruled, downloads):
    app = upload(open_page(PAGE), {f"{i}.png": data for i, data in enumerate(photos)})
    assert not app.exception
    table = app.dataframe[0].value
    faces = [face for data in photos for face in predict_photo(data, ruled).faces]
    assert table["label"].fillna("").tolist() == [face.label or "" for face in faces]
    assert table["reason"].fillna("").tolist() == [face.reason or "" for face in faces]
    doubted = sum(face.label is None for face in faces)
    assert doubted > 0
    assert metrics(app)["Faces"] == str(len(faces))
    assert metrics(app)["No label"] == str(doubted)
    told = [face for photo in json.loads(downloads["answers.json"]) for face in photo["faces"]]
    assert [face["reason"] for face in told] == [face.reason for face in faces]
    app.slider(key="unsure_ruled").set_value(0.5).run()
    assert app.dataframe[0].value["label"].tolist() == [face.likely for face in faces]
    assert "No label" not in metrics(app)


def test_two_models_of_which_one_is_unsure_do_not_agree(open_page, photo, ruled, shipped_model):
    write_model("free", shipped_model, read_metadata("ruled"), {})
    app = open_page(PAGE, model="ruled")
    upload(app, {"me.png": photo})
    app.selectbox(key="other").set_value("free").run()
    assert not app.exception
    face = predict_photo(photo, ruled).faces[0]
    assert face.label is None
    assert f"agree on 0 of 1** faces that both found. Face 1: unsure versus {face.likely}" in said(
        app
    )


def test_faces_that_the_second_model_alone_found_have_rows_of_their_own(photo, shipped_model):
    from ui.batch import add_second, tabulate

    answer = predict_photo(photo, shipped_model, name="me.png")
    (face,) = answer.faces
    x, y, w, h = face.box
    elsewhere = replace(face, box=(x + w, y, w, h))
    wider = replace(answer, faces=(elsewhere, face))
    nobody = replace(answer, faces=())
    first, second = [answer, answer, nobody], [wider, nobody, answer]
    table = add_second(tabulate(first, shipped_model.labels), first, second, "two")
    assert table.index.tolist() == [0, 0, 1, 2, 2]
    assert table["face"].fillna(0).tolist() == [1, 2, 1, 0, 1]
    assert table["agree"].fillna(False).tolist() == [True, False, False, False, False]
    here, nowhere = face.verdict, "no face found here"
    assert table["answer"].fillna("").tolist() == [here, nowhere, here, "", nowhere]
    assert table["two says"].fillna("").tolist() == [here, here, nowhere, "", here]
    assert table["x"].fillna(-1).tolist() == [x, x + w, x, -1, x]


def test_two_models_answer_the_same_photo_side_by_side(open_page, photo, two_models):
    app = upload(open_page(PAGE), {"me.png": photo})
    app.selectbox(key="other").set_value("two").run()
    assert not app.exception
    face = predict_photo(photo, load_model("one")).faces[0]
    assert said(app).count(f"**1: {face.label}**, probability {face.probability:.2f}") == 2
    assert "agree on 1 of 1" in said(app)


def test_two_models_are_matched_by_place_and_what_one_alone_found_is_said(
    open_page, two_models, monkeypatch
):
    """The second model finds the same two faces in the other order, and a third one."""
    here, there, alone = (draw_photo(LABELS[0], i) for i in range(3))
    photo = to_png(np.hstack([here, there, alone]))
    answer = predict_photo(photo, load_model("one"))
    assert len(answer.faces) >= 2
    one, other, *_ = answer.faces
    x, y, w, h = one.box
    third = replace(one, box=(x, y + 2 * h, w, h))
    answers = iter(
        [replace(answer, faces=(one, other)), replace(answer, faces=(third, other, one))]
    )
    monkeypatch.setattr("ui.answers.predict_photo", lambda *_, **__: next(answers))
    app = open_page(PAGE, other="two", heat="false")
    upload(app, {"us.png": photo})
    assert not app.exception
    text = said(app)
    assert [text.count(f"**{n}: ") for n in (1, 2, 3)] == [2, 2, 2]
    assert text.count("**3: no face found here**") == 1
    assert "agree on 2 of 2** faces that both found. 1 face was found by one model alone." in text
    assert text.count(f"Box {list(one.box)}") == 2


def test_a_batch_says_how_often_two_models_agree(open_page, photos, two_models, downloads):
    files = {f"{i}.png": data for i, data in enumerate(photos)} | {"wall.png": wall()}
    app = upload(open_page(PAGE), files)
    app.selectbox(key="other").set_value("two").run()
    assert not app.exception
    table = app.dataframe[0].value
    assert metrics(app)["Same answer"] == "4 of 4"
    assert table["two says"].iloc[:4].tolist() == table["label"].iloc[:4].tolist()
    assert pd.isna(table["agree"].iloc[4])
    plain = json.loads(downloads["answers.json"])
    assert [photo["model"] for photo in plain] == ["one"] * 5 + ["two"] * 5


def test_three_labels_are_answered_and_explained(
    open_page, three_faces, in_tiny_artifacts, tmp_path, monkeypatch
):
    recipe, metadata = load_model("tiny").recipe, read_metadata("tiny")
    model = FaceSpaceClassifier(20).fit(*three_faces[:2]).to_model(recipe)
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(tmp_path / "models"))
    write_model("three", model, metadata, {})
    files = {f"{i}.png": encode(draw_photo(label, 3), "PNG") for i, label in enumerate(LABELS * 2)}
    app = upload(open_page(PAGE), files)
    assert not app.exception
    table = app.dataframe[0].value
    assert table[[f"P({label})" for label in LABELS]].sum(axis=1).round(2).eq(1).all()
    choose_row(app, 2)
    assert not app.exception
    assert "regions that speak against it are in white" in said(app)


def test_a_model_of_whole_photos_has_no_detector_to_set_and_reads_the_photo_as_it_is(
    open_page, whole_artifacts, small_crops, monkeypatch
):
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(whole_artifacts))
    photo = next(small_crops.glob("round/*"))
    app = upload(open_page(PAGE, own_detector="true"), {photo.name: photo.read_bytes()})
    assert not app.exception
    said = "\n".join(str(e.value) for group in (app.markdown, app.caption) for e in group)
    assert "takes each photo for a face, so there is nothing to set" in said
    assert "**1 face**" in said and "Box [0, 0, 48, 48]" in said
    assert "detector_reset" not in {button.key for button in app.button}
