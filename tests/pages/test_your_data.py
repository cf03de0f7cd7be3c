"""Your data: train from the browser, watch it, and look after the models."""

import io
import json
import shutil
import time
import zipfile
from pathlib import Path

import pytest
import streamlit as st
from cartoons import draw_photo, encode, write_raw

from facecore.data.crops import crop_folder, recipe_settings
from facecore.model.store import list_models, pack_model, read_evaluation, read_metadata
from facecore.training.background import cancel_job, read_job, start_training, take_photos
from ui.samples import SampleLabel

PAGE = "pages/6_Your_data.py"


@pytest.fixture
def models(tmp_path, monkeypatch, tiny_artifacts) -> Path:
    """A folder of models of the test's own with one small model, and a folder of jobs."""
    root = tmp_path / "artifacts"
    shutil.copytree(tiny_artifacts / "tiny", root / "tiny")
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(root))
    monkeypatch.setenv("FACECORE_WORK", str(tmp_path / "work"))
    yield root
    cancel_job()


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> bytes:
    """A ZIP of drawn faces of three labels, with the subjects in labels.csv."""
    labels = ("round", "square", "wide")
    folder = write_raw(tmp_path_factory.mktemp("zip") / "raw", labels, persons=6)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder))
    return buffer.getvalue()


def said(app) -> str:
    groups = (app.markdown, app.caption, app.info, app.warning, app.error, app.success, app.code)
    return "\n".join(str(element.value) for group in groups for element in group)


def metrics(app) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def keys(app) -> set[str]:
    return {button.key for button in app.button}


def table_of(app, column: str):
    (table,) = [t.value for t in app.dataframe if column in t.value]
    return table


def test_a_zip_is_shown_trained_watched_and_ends_in_the_picker(open_page, models, photos):
    app = open_page(PAGE)
    assert "train_start" not in keys(app)  # no photos yet
    app.file_uploader[0].upload("my faces.zip", photos, "application/zip").run()
    assert not app.exception
    counts = table_of(app, "subjects")
    assert counts["photos"].to_dict() == {"round": 12, "square": 12, "wide": 12}
    assert counts["subjects"].to_dict() == {"round": 6, "square": 6, "wide": 6}
    assert "round has 12 photos" in said(app)

    app.segmented_control(key="train_recipe").set_value("classic")  # mtcnn finds few drawings
    app.text_input(key="train_name").set_value("shapes")
    app.number_input(key="train_seed").set_value(5).run()
    app.button(key="train_start").click().run()
    assert not app.exception
    assert "Training shapes" in [header.value for header in app.header]
    assert {"Running for", "Best candidate so far"} <= set(metrics(app))
    assert "train_start" not in keys(app)  # one at a time

    begun = time.monotonic()
    while read_job().state == "running":
        assert time.monotonic() - begun < 90
        time.sleep(0.2)
    app.run()
    assert not app.exception
    assert app.sidebar.selectbox[0].value == "shapes"
    metadata, evaluation = read_metadata("shapes"), read_evaluation("shapes")
    assert metadata["labels"] == ["round", "square", "wide"]
    assert metadata["seed"] == 5
    folds, unseen = metadata["search"], evaluation["my-faces"]
    assert metrics(app) == {
        "Cross-validated score of the model": f"{folds['balanced_accuracy']:.3f}",
        "Answered, folds": f"{metadata['rule']['coverage']:.3f}",
        "Right when answered, folds": f"{metadata['rule']['accuracy']:.3f}",
        "Answered": f"{unseen['coverage']:.3f}",
        "Right when answered": f"{unseen['accuracy_answered']:.3f}",
        "Forced accuracy": f"{unseen['accuracy_all']:.3f}",
    }
    assert table_of(app, "round").loc["kept", "round"] == 12
    row = table_of(app, "size").set_index("name").loc["shapes"]
    assert row["faces"] == sum(metadata["training_faces"].values())
    assert row["labels"] == "round, square, wide"
    app.button(key="job_clear").click().run()
    assert read_job().state == "none"
    assert metrics(app) == {}
    assert list_models() == ["shapes", "tiny"]


def test_labels_of_a_zip_from_another_system_are_read_and_can_be_set_right(
    open_page, models, photos
):
    class Info(zipfile.ZipInfo):
        def _encodeFilenameFlags(self):
            return self.filename.encode("gbk"), self.flag_bits & ~0x800

    faces, buffer = zipfile.ZipFile(io.BytesIO(photos)), io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in faces.namelist():
            label, _, rest = name.partition("/")
            if label in ("round", "square"):
                own = {"round": "微笑", "square": "中性"}[label]
                archive.writestr(Info(f"set/train/{own}/{rest}"), faces.read(name))
        archive.writestr("set/readme.txt", b"hello")
    app = open_page(PAGE)
    app.file_uploader[0].upload("faces.zip", buffer.getvalue(), "application/zip").run()
    assert not app.exception
    assert table_of(app, "train")["photos"].to_dict() == {"中性": 12, "微笑": 12}
    told = [text.value for text in app.text]
    assert "passed over: 1 not a photo" in told
    assert any("read as gbk (Chinese, simplified)" in text for text in told)
    app.selectbox(key="data_encoding").set_value("cp949").run()
    assert not app.exception
    labels = sorted(name.encode("gbk").decode("cp949") for name in ("微笑", "中性"))
    assert sorted(table_of(app, "train").index) == labels


def test_a_running_training_is_shown_to_whoever_comes_and_can_be_cancelled(
    open_page, models, crops_folder, tmp_path
):
    grid = tmp_path / "long.json"
    many = [1 + i / 1000 for i in range(200_000)]
    grid.write_text(json.dumps({"n_components": [10], "C": many, "gamma": [0.005]}))
    start_training("long", crops_folder, grid=str(grid))
    app = open_page(PAGE)
    assert "Training long" in [header.value for header in app.header]
    app.button(key="job_cancel").click().run()
    assert not app.exception
    assert read_job().state == "cancelled"
    assert "The training of long was cancelled" in said(app)
    assert list_models() == ["tiny"]
    assert app.sidebar.selectbox[0].value == "tiny"


def test_a_training_that_failed_says_why_in_one_line(open_page, models, crops_folder):
    start_training("mine", crops_folder, grid="no such grid")
    while read_job().state == "running":
        time.sleep(0.1)
    app = open_page(PAGE)
    assert not app.exception
    assert app.error[0].value.startswith("no grid 'no such grid'")
    assert "job_choose" not in keys(app)


def zipped(folder: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder))
    return buffer.getvalue()


def test_photos_that_were_all_dropped_wait_and_the_page_names_the_control_that_helps(
    open_page, models, small_crops, monkeypatch
):
    app = open_page(PAGE)
    app.file_uploader[0].upload("small.zip", zipped(small_crops), "application/zip").run()
    app.segmented_control(key="train_recipe").set_value("classic").run()
    assert app.number_input(key="train_minimum").value == 54
    app.button(key="train_start").click().run()
    while read_job().state == "running":
        time.sleep(0.1)
    option = st.get_option
    with monkeypatch.context() as patch:
        patch.setattr(
            st, "get_option", lambda key: "0.0.0.0" if key == "server.address" else option(key)
        )
        app.run()
        assert table_of(app, "photos")["photos"].sum() == 32  # who sent them still has them

    app = open_page(PAGE)  # reloaded: the browser no longer sends the ZIP
    assert not app.exception
    assert app.error[0].value == "No face was left to train on."
    (warning,) = [w.value for w in app.warning if "smaller than 54 pixels" in w.value]
    assert warning.startswith("32 of 32 faces are smaller than 54 pixels. Set *Minimum face width")
    assert "tick *Each photo is the face already*" in warning
    assert "--" not in warning
    assert "The photos of small are still here" in said(app)
    assert table_of(app, "photos")["photos"].to_dict() == {"round": 16, "square": 16}

    started = []
    monkeypatch.setattr(
        "facecore.training.start_training", lambda *names, **how: started.append((names, how))
    )
    app.checkbox(key="train_whole").check().run()
    app.checkbox(key="train_identity").check().run()
    assert app.number_input(key="train_minimum").disabled
    app.button(key="train_start").click().run()
    assert not app.exception
    (((_, source), how),) = started
    assert source == read_job().photos
    assert (how["whole_photo"], how["min_size"], how["title"]) == (True, None, "small")
    assert how["identity"] is True
    app.button(key="job_clear").click().run()
    assert not source.exists()


def test_photos_that_wait_are_shown_to_no_other_visitor(
    open_page, models, small_crops, monkeypatch
):
    photos = take_photos(io.BytesIO(zipped(small_crops)), "theirs")
    start_training("mine", photos, title="theirs", recipe="cake")
    while read_job().state == "running":
        time.sleep(0.1)
    option = st.get_option
    monkeypatch.setattr(
        st, "get_option", lambda key: "0.0.0.0" if key == "server.address" else option(key)
    )
    app = open_page(PAGE)
    assert not app.exception
    assert "still here" not in said(app)
    assert photos.exists()  # until somebody dismisses the training
    assert "train_start" not in keys(app)


def test_a_folder_of_whole_photos_is_trained_as_such_by_any_recipe(
    open_page, models, small_crops, tmp_path, monkeypatch
):
    crop_folder(small_crops, tmp_path / "crops", recipe_settings(whole_photo=True))
    started = []
    monkeypatch.setattr(
        "facecore.training.start_training", lambda *names, **how: started.append(how)
    )
    app = open_page(PAGE)
    app.segmented_control(key="data_from").set_value("Folder").run()
    app.text_input(key="data_folder").set_value(str(tmp_path / "crops")).run()
    assert {"aligned", "classic"} <= set(app.segmented_control(key="train_recipe").options)
    assert "train_whole" not in {box.key for box in app.checkbox}
    app.button(key="train_start").click().run()
    assert not app.exception
    assert (started[0]["whole_photo"], started[0]["min_size"]) == (True, None)


def test_the_share_of_faces_that_a_model_answers_stands_beside_its_accuracy(
    open_page, models, whole_artifacts, tmp_path
):
    shutil.copytree(whole_artifacts / "tiny", models / "whole")
    job = tmp_path / "work" / "training"
    job.mkdir(parents=True)
    (job / "log.txt").touch()
    (job / "result.json").write_text(json.dumps({"code": 0, "error": ""}))
    begun = {"name": "whole", "began": time.time(), "crops": "gone", "commands": []}
    (job / "job.json").write_text(json.dumps(begun))  # as an older version wrote it
    app = open_page(PAGE)
    assert not app.exception
    rule = read_metadata("whole")["rule"]
    shown = metrics(app)
    assert shown["Answered, folds"] == f"{rule['coverage']:.3f}"
    assert shown["Right when answered, folds"] == f"{rule['accuracy']:.3f}"


def test_synthetic_faces_need_no_photos_but_a_model(open_page, models, monkeypatch):
    started = []
    monkeypatch.setattr(
        "facecore.training.start_training",
        lambda *names, **how: started.append((names, how)),
    )
    app = open_page(PAGE)
    app.segmented_control(key="data_from").set_value("Synthetic faces").run()
    app.number_input(key="data_made").set_value(80)
    app.text_input(key="train_name").set_value("made").run()
    app.button(key="train_start").click().run()
    assert not app.exception
    (((name, source), how),) = started
    assert (name, source, how["made"], how["made_by"]) == ("made", None, 80, "tiny")
    assert how["recipe"] == "aligned"


def test_a_link_with_the_old_name_of_synthetic_faces_still_opens_them(open_page, models):
    app = open_page(PAGE, data_from="Made faces")
    assert not app.exception
    assert app.segmented_control(key="data_from").value == "Synthetic faces"
    assert "train_start" in keys(app)


def test_a_folder_is_offered_only_on_this_computer(open_page, models, raw_folder, monkeypatch):
    app = open_page(PAGE)
    app.segmented_control(key="data_from").set_value("Folder").run()
    app.text_input(key="data_folder").set_value(str(raw_folder)).run()
    assert not app.exception
    assert table_of(app, "subjects")["photos"].sum() == 32
    option = st.get_option
    monkeypatch.setattr(
        st, "get_option", lambda key: "0.0.0.0" if key == "server.address" else option(key)
    )
    app = open_page(PAGE)
    assert not app.exception
    assert "Folder" not in app.segmented_control(key="data_from").options


@pytest.mark.parametrize("kind", ["crops", "missing", "one label"])
def test_a_folder_is_held_to_what_a_training_needs(open_page, models, crops_folder, tmp_path, kind):
    folder = crops_folder if kind == "crops" else tmp_path / kind
    write_raw(tmp_path / "one label", labels=("round",), persons=2)
    app = open_page(PAGE)
    app.segmented_control(key="data_from").set_value("Folder").run()
    app.text_input(key="data_folder").set_value(str(folder)).run()
    assert not app.exception
    assert ("train_start" in keys(app)) == (kind == "crops")
    if kind == "crops":
        assert app.number_input(key="train_minimum").disabled
        assert app.segmented_control(key="train_recipe").options == ["classic"]  # its crops are
        assert "faces kept by crop" in said(app)
    else:
        assert ("no folder or table" if kind == "missing" else "two labels") in app.error[0].value


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"../smiling/a.jpg": b"x"}, "path out of its folder"),
        ({"smiling/readme.txt": b"x"}, "no photo in the ZIP"),
        (None, "not a ZIP"),
    ],
)
def test_a_hostile_zip_is_one_line_and_leaves_nothing(
    open_page, models, tmp_path, monkeypatch, files, words
):
    buffer = io.BytesIO(b"not a ZIP at all" if files is None else b"")
    if files is not None:
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, data in files.items():
                archive.writestr(name, data)
    app = open_page(PAGE)
    app.file_uploader[0].upload("faces.zip", buffer.getvalue(), "application/zip").run()
    assert not app.exception
    assert words in app.error[0].value
    assert "train_start" not in keys(app)
    assert not any(path.is_file() for path in tmp_path.rglob("work/**/*"))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a/b", "cannot name a model"),
        ("classic", "ships with"),
        ("tiny", "There is already a model tiny"),
        ("Tiny", "differs from 'tiny' only in capitals"),
    ],
)
def test_a_name_that_cannot_be_used_cannot_be_started(open_page, models, name, words):
    app = open_page(PAGE)
    app.segmented_control(key="data_from").set_value("Synthetic faces").run()
    app.text_input(key="train_name").set_value(name).run()
    assert app.button(key="train_start").disabled
    assert words in said(app)
    if name == "tiny":
        app.checkbox(key="train_replace").check().run()
        assert not app.button(key="train_start").disabled


def test_a_model_is_renamed_and_the_picker_follows(open_page, models):
    app = open_page(PAGE)
    app.text_input(key="manage_new_name").set_value("other").run()
    app.button(key="manage_rename").click().run()
    assert not app.exception
    assert list_models() == ["other"]
    assert read_metadata("other")["name"] == "other"
    assert app.sidebar.selectbox[0].value == "other"
    assert table_of(app, "recipe")["name"].tolist() == ["other"]
    app.text_input(key="manage_new_name").set_value("../x").run()
    app.button(key="manage_rename").click().run()
    assert "cannot name a model" in app.error[0].value
    assert list_models() == ["other"]


def test_a_model_is_deleted_and_the_page_goes_on_without_one(open_page, models):
    app = open_page(PAGE)
    app.button(key="manage_delete").click().run()
    assert not app.exception
    assert list_models() == []
    assert "The model tiny was deleted." in said(app)
    assert "There is no model yet" in said(app)
    assert "Synthetic faces" not in app.segmented_control(key="data_from").options


def test_a_model_can_be_downloaded_as_a_zip(open_page, models, monkeypatch):
    app = open_page(PAGE)
    assert not app.download_button(key="manage_download").disabled
    with zipfile.ZipFile(io.BytesIO(pack_model("tiny"))) as archive:
        assert "tiny/model.npz" in archive.namelist()


def test_the_model_that_ships_is_only_downloaded(open_page, models, tiny_artifacts):
    shutil.copytree(tiny_artifacts / "tiny", models / "classic")
    app = open_page(PAGE)
    assert app.selectbox(key="manage").value == "classic"
    assert not {"manage_rename", "manage_delete"} & keys(app)
    assert "classic ships with facecore" in said(app)


def test_a_damaged_model_is_listed_with_its_error_and_can_be_deleted(
    open_page, models, tiny_artifacts
):
    shutil.copytree(tiny_artifacts / "tiny", models / "broken")
    (models / "broken" / "model.npz").write_bytes(b"no arrays")
    app = open_page(PAGE)
    assert not app.exception
    table = table_of(app, "problem").set_index("name")
    assert "damaged" in table.loc["broken", "problem"]
    assert table.loc["tiny", "faces"] > 0
    app.selectbox(key="manage").set_value("broken").run()
    assert app.download_button(key="manage_download").disabled
    app.button(key="manage_delete").click().run()
    assert list_models() == ["tiny"]


def test_a_public_server_turns_training_and_changes_off(open_page, models, monkeypatch):
    monkeypatch.setenv("FACECORE_TRAINING", "off")
    app = open_page(PAGE)
    assert not app.exception
    assert "turned off" in app.info[0].value
    assert app.code[0].value.startswith("python -m facecore train")
    assert not app.main.button
    assert not app.get("file_uploader")


def test_samples_of_the_camera_are_shown_trained_and_removed(open_page, models):
    shots = {"round": 0, "square": 1}
    app = open_page(PAGE, data_from="Camera")
    assert not app.exception
    assert "Two holds of each label are needed; still to do: Label 1, Label 2." in said(app)
    assert "train_start" not in keys(app)
    app.session_state["camera_samples"] = tuple(
        SampleLabel(
            i,
            label,
            tuple(
                tuple(encode(draw_photo(label, hold, shot), quality=85) for shot in range(6))
                for hold in range(2)
            ),
        )
        for label, i in shots.items()
    )
    app.run()
    assert not app.exception
    assert "**round**: 12 pictures, 2 holds" in said(app)
    assert not list((models.parent / "work").rglob("*.jpg"))  # in memory only
    app.text_input(key="sample_name_1").set_value("round").run()
    assert "Two labels have the same name" in said(app)
    app.text_input(key="sample_name_1").set_value("a/b").run()
    assert "'a/b' cannot be a label" in said(app)
    app.text_input(key="sample_name_1").set_value("square").run()
    assert app.segmented_control(key="train_recipe").value == "classic"
    app.text_input(key="train_name").set_value("held").run()
    app.button(key="train_start").click().run()
    assert not app.exception
    begun = time.monotonic()
    while read_job().state == "running":
        assert time.monotonic() - begun < 90
        time.sleep(0.2)
    assert read_job().state == "done", read_job().error
    app.run()
    assert not app.exception
    metadata = read_metadata("held")
    assert metadata["labels"] == ["round", "square"]
    assert not metadata.get("identity")
    assert not list((models.parent / "work").rglob("*.jpg"))
    app.toggle(key="live_view").set_value(True).run()
    assert not app.exception
    assert "Nothing is stored:" in said(app)
    app.button(key="samples_remove").click().run()
    assert not app.exception
    assert "**round**: 0 pictures, 0 holds" in said(app)
