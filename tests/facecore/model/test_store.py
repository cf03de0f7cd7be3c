import errno
import hashlib
import io
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from disks import break_call

from facecore.errors import DataError, ModelError, ModelWarning
from facecore.model import store
from facecore.model.store import (
    artifact_folders,
    artifacts_dir,
    check_name,
    check_new_name,
    damaged_papers,
    delete_model,
    find_model,
    list_models,
    load_model,
    pack_model,
    read_card,
    read_evaluation,
    read_metadata,
    read_model_table,
    rename_model,
    reserving,
    store_card,
    write_model,
)

METADATA = {"name": "m", "labels": ["round", "square"], "recipe": "classic"}
TABLE = pd.DataFrame({"set": ["x"], "label": ["1"], "age": [None], "face_size": [54]})


def write(model, name: str = "m", seed: int = 0) -> Path:
    metadata = {**METADATA, "name": name, "seed": seed}
    return write_model(name, model, metadata, {"sizes": TABLE}, {"x": {"n": 1}})


def files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


def test_a_model_that_is_written_can_be_read_again(artifacts, tiny_model):
    folder = write(tiny_model)
    assert folder == artifacts / "m" == find_model("m")
    assert list_models() == ["m"]
    assert read_metadata("m")["seed"] == 0
    assert read_evaluation("m") == {"x": {"n": 1}}
    assert read_model_table("sizes", "m")["face_size"].tolist() == [54]
    X = np.full((1, 10_000), 90, dtype=np.uint8)
    assert load_model("m").predict_proba(X).tolist() == tiny_model.predict_proba(X).tolist()


def test_labels_that_look_like_numbers_stay_texts_in_tables(artifacts, tiny_model):
    write(tiny_model)
    assert read_model_table("sizes", "m")["label"].tolist() == ["1"]


def test_what_a_model_does_not_have_is_none(artifacts, tiny_model):
    write_model("bare", tiny_model, METADATA, {})
    assert read_evaluation("bare") is None
    assert read_model_table("predictions", "bare") is None


def test_the_default_model_comes_first_and_is_taken_when_none_is_named(artifacts, tiny_model):
    write(tiny_model, "aaa")
    assert find_model().name == "aaa"
    write(tiny_model, "aligned")
    assert list_models() == ["aligned", "aaa"]
    assert find_model().name == "aligned"


def test_writing_again_replaces_the_model_and_leaves_no_litter(artifacts, tiny_model):
    write(tiny_model)
    before = files(artifacts)
    write(tiny_model, seed=1)
    assert read_metadata("m")["seed"] == 1
    assert files(artifacts) == before


def test_a_failed_write_harms_nothing_and_leaves_no_litter(artifacts, tiny_model):
    write(tiny_model)
    before = files(artifacts)
    with pytest.raises(ValueError, match="JSON"):
        write_model("m", tiny_model, METADATA, {}, {"x": {"accuracy": float("nan")}})
    assert files(artifacts) == before
    assert read_metadata("m")["seed"] == 0


def test_after_a_kill_between_the_renames_the_old_model_is_there(artifacts, tiny_model):
    write(tiny_model)
    (artifacts / "m").rename(artifacts / ".old-m")
    shutil.copytree(artifacts / ".old-m", artifacts / ".new-m-abcd1234")
    assert list_models() == ["m"]
    assert load_model("m").labels == tiny_model.labels
    write(tiny_model, seed=2)
    assert read_metadata("m")["seed"] == 2
    assert {path.name for path in artifacts.iterdir()} == {"m"}


def test_after_a_kill_behind_the_renames_the_new_model_counts(artifacts, tiny_model):
    write(tiny_model, seed=3)
    shutil.copytree(artifacts / "m", artifacts / ".old-m")
    (artifacts / ".old-m" / "model.npz").unlink()
    assert read_metadata("m")["seed"] == 3


def test_a_half_written_model_is_not_a_model(artifacts, tiny_model):
    write(tiny_model)
    half = artifacts / ".new-other-abcd1234"
    shutil.copytree(artifacts / "m", half)
    (artifacts / "empty").mkdir()
    assert list_models() == ["m"]


def test_litter_of_another_name_is_left_to_its_own_training(artifacts, tiny_model):
    other = artifacts / ".new-m-b-abcd1234"
    other.mkdir(parents=True)
    write(tiny_model)
    assert other.is_dir()


@pytest.mark.parametrize(
    "name", ["../x", "", "a/b", "a\\b", ".", "..", ".hidden", "-x", "a b", "x" * 65, "a\n", "é"]
)
def test_names_that_are_no_folder_names_are_refused(name, artifacts, tiny_model):
    with pytest.raises(ModelError, match="letters, digits"):
        check_name(name)
    with pytest.raises(ModelError, match="letters, digits"):
        write(tiny_model, name)
    assert not artifacts.exists()


@pytest.mark.parametrize("name", ["../m", "", "a/b", "nobody", "m/"])
def test_a_name_that_is_not_there_lists_those_that_are(name, artifacts, tiny_model):
    write(tiny_model)
    write(tiny_model, "other")
    with pytest.raises(ModelError, match="there are: m, other"):
        load_model(name)


def test_without_a_model_the_error_names_the_command_that_trains_one(artifacts):
    assert list_models() == []
    with pytest.raises(ModelError, match="facecore train DIR --name NAME"):
        load_model()


def spoil(path: Path, how: str) -> None:
    data = path.read_bytes()
    changed = {"changed": data[:-1] + bytes([data[-1] ^ 1]), "cut": data[:-9]}
    path.unlink() if how == "missing" else path.write_bytes(changed[how])


@pytest.mark.parametrize("file", ["model.npz", "model.json"])
@pytest.mark.parametrize("how", ["changed", "cut", "missing"])
def test_arrays_that_are_not_those_written_are_refused(file, how, artifacts, tiny_model):
    spoil(write(tiny_model) / file, how)
    for read in (load_model, read_metadata):
        with pytest.raises(ModelError, match=file.replace(".", r"\.")):
            read("m")


@pytest.mark.parametrize("how", ["changed", "cut", "missing"])
@pytest.mark.parametrize(
    ("file", "read"),
    [
        ("sizes.csv", lambda: read_model_table("sizes", "m")),
        ("evaluation.json", lambda: read_evaluation("m")),
        ("card.md", lambda: read_card("m")),
    ],
)
def test_a_damaged_paper_is_named_and_left_out_and_the_model_answers(
    file, read, how, artifacts, tiny_model
):
    folder = write_model("m", tiny_model, METADATA, {"sizes": TABLE}, {"x": {"n": 1}}, "# A card\n")
    assert damaged_papers("m") == []
    spoil(folder / file, how)
    with pytest.warns(ModelWarning, match=rf"model 'm': {file}.*restore it"):
        assert load_model("m").labels == tiny_model.labels
    with pytest.warns(ModelWarning, match=file):
        assert read() is None
    assert len(damaged_papers("m")) == 1


@pytest.mark.parametrize(
    ("file", "text", "read"),
    [
        ("evaluation.json", "{", read_evaluation),
        ("evaluation.json", "[1]", read_evaluation),
        ("evaluation.json", "[" * 100_000, read_evaluation),
        ("sizes.csv", "", lambda name: read_model_table("sizes", name)),
        ("sizes.csv", "a\n1,2,3\n1,2,3,4\n", lambda name: read_model_table("sizes", name)),
    ],
)
def test_a_paper_that_was_stored_unreadable_is_named_and_left_out(
    file, text, read, artifacts, tiny_model
):
    folder = write(tiny_model)
    (folder / file).write_text(text)
    metadata = json.loads((folder / "metadata.json").read_text())
    metadata["sha256"][file] = hashlib.sha256(text.encode()).hexdigest()
    (folder / "metadata.json").write_text(json.dumps(metadata))
    assert load_model("m").labels == tiny_model.labels
    with pytest.warns(ModelWarning, match=rf"{file} cannot be read") as told:
        assert read("m") is None
    if file == "evaluation.json":
        assert damaged_papers("m") == [str(told[0].message)]


@pytest.mark.parametrize("ends", [b"\r\n", b"\r"])
def test_line_ends_of_another_system_are_no_damage(ends, artifacts, tiny_model):
    folder = write_model(
        "m", tiny_model, METADATA, {"sizes": TABLE}, {"x": {"n": 1}}, "# A\ncard\n"
    )
    before = read_model_table("sizes", "m"), read_evaluation("m")
    for path in folder.iterdir():
        if path.suffix != ".npz":
            path.write_bytes(path.read_bytes().replace(b"\n", ends))
    assert load_model("m").labels == tiny_model.labels
    assert damaged_papers("m") == []
    assert read_model_table("sizes", "m").equals(before[0])
    assert read_evaluation("m") == before[1]


@pytest.mark.parametrize("now", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("then", ["\n", "\r\n"])
def test_checksums_made_over_any_line_ends_hold(then, now, artifacts, tiny_model):
    folder = write_model("m", tiny_model, METADATA, {"sizes": TABLE}, {"x": {"n": 1}}, "# A\nB\n")
    metadata = json.loads((folder / "metadata.json").read_text())
    for name in set(metadata["sha256"]) - {"model.npz"}:
        data = (folder / name).read_bytes()
        raw = hashlib.sha256(data.replace(b"\n", then.encode())).hexdigest()
        metadata["sha256"][name] = raw
        (folder / name).write_bytes(data.replace(b"\n", now.encode()))
    (folder / "metadata.json").write_text(json.dumps(metadata))
    assert load_model("m").labels == tiny_model.labels
    assert damaged_papers("m") == []
    (folder / "card.md").write_text("# A\nC\n")
    assert len(damaged_papers("m")) == 1


@pytest.mark.parametrize("ends", [b"\r\n", b"\r", b"\n\r\n"])
def test_a_checksum_of_the_bytes_as_they_are_holds(ends, artifacts, tiny_model):
    folder = write_model("m", tiny_model, METADATA, {}, None, "# A\nB\n")
    (folder / "card.md").write_bytes(b"# A" + ends + b"B\n")
    metadata = json.loads((folder / "metadata.json").read_text())
    metadata["sha256"]["card.md"] = hashlib.sha256((folder / "card.md").read_bytes()).hexdigest()
    (folder / "metadata.json").write_text(json.dumps(metadata))
    assert damaged_papers("m") == []


def test_the_shipped_models_are_whole_with_the_line_ends_of_windows(tmp_path, monkeypatch):
    shutil.copytree(find_model("classic"), tmp_path / "classic")
    for path in (tmp_path / "classic").iterdir():
        if path.suffix != ".npz":
            path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(tmp_path))
    assert load_model("classic").labels == ("female", "male")
    assert damaged_papers("classic") == []


@pytest.mark.parametrize(
    "name",
    [
        "Thumbs.db",
        "desktop.ini",
        "a:Zone.Identifier",
        "README.txt",
        "deep",
        "evaluation.json",
    ],
)
def test_what_somebody_put_beside_a_model_is_no_part_of_it(name, artifacts, tiny_model):
    folder = write_model("m", tiny_model, METADATA, {})
    if name == "deep":
        (folder / name).mkdir()
    else:
        (folder / name).write_text('{"x": {"n": 99}}')
    assert load_model("m").labels == tiny_model.labels
    assert damaged_papers("m") == []
    assert read_evaluation("m") is None
    with zipfile.ZipFile(io.BytesIO(pack_model("m"))) as archive:
        assert sorted(archive.namelist()) == ["m/metadata.json", "m/model.json", "m/model.npz"]


@pytest.mark.parametrize(
    "name",
    ["Thumbs.db", "desktop.ini", ".DS_Store", "._card.md", "Icon\r", "@eaDir/x", "EHTHUMBS.DB"],
)
def test_what_a_system_put_beside_a_model_is_not_taken_along(name, artifacts, tiny_model):
    folder = write_model("m", tiny_model, METADATA, {}, None, "# A card\n")
    own = files(folder)
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(b"x")
    assert files(store_card("m", "# Another\n")) == own
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(b"x")
    assert files(rename_model("m", "n")) == own
    assert read_card("n") == "# Another\n"


def test_what_its_user_put_beside_a_model_stays(artifacts, tiny_model):
    folder = write_model("m", tiny_model, METADATA, {}, None, "# A card\n")
    (folder / "notes.txt").write_text("mine")
    store_card("m", "# Another\n")
    assert (rename_model("m", "n") / "notes.txt").read_text() == "mine"


def test_a_hidden_file_as_file_managers_leave_it_is_no_harm(artifacts, tiny_model):
    (write_model("m", tiny_model, METADATA, {}) / ".DS_Store").write_bytes(b"x")
    assert load_model("m").labels == tiny_model.labels


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "null",
        '{"format": 1}',
        '{"format": 1, "sha256": {}}',
        "[" * 5000,
        '{"format": 1, "sha256": {"model.npz": "", "model.json": "", "../x": ""}}',
    ],
)
def test_foreign_metadata_is_refused(text, artifacts, tiny_model):
    (write(tiny_model) / "metadata.json").write_text(text)
    for read in (load_model, read_metadata, read_evaluation):
        with pytest.raises(ModelError, match="damaged"):
            read("m")


def test_metadata_of_a_newer_format_say_what_to_do(artifacts, tiny_model):
    path = write(tiny_model) / "metadata.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 2}))
    with pytest.raises(ModelError, match="pip install --upgrade"):
        load_model("m")


def test_the_environment_names_the_folder_of_models(tmp_path, monkeypatch):
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(tmp_path / "mine"))
    assert artifacts_dir() == tmp_path / "mine"
    monkeypatch.delenv("FACECORE_ARTIFACTS")
    assert artifacts_dir().name == "artifacts"
    assert artifacts_dir() != tmp_path / "mine"


def test_a_home_in_the_environment_is_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv("FACECORE_ARTIFACTS", "~/models")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert artifacts_dir() == tmp_path / "models"


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A library in a folder of packages, with one model that it carries."""
    library = tmp_path / "packages" / "facecore"
    (library / "model").mkdir(parents=True)
    shutil.copytree(find_model("classic"), library / "_artifacts" / "classic")
    monkeypatch.setattr(store, "__file__", str(library / "model" / "store.py"))
    monkeypatch.setattr(store, "user_data_path", lambda *_, **__: tmp_path / "home")
    monkeypatch.delenv("FACECORE_ARTIFACTS", raising=False)
    monkeypatch.chdir(tmp_path)
    return library / "_artifacts"


def test_an_installed_library_finds_the_models_that_it_carries_and_those_of_the_user(
    installed, tmp_path, tiny_model
):
    assert list_models() == ["classic"]
    assert write(tiny_model) == tmp_path / "home" / "artifacts" / "m"
    assert list_models() == ["classic", "m"]
    assert load_model("classic").labels == ("female", "male")
    assert artifact_folders() == [tmp_path / "home" / "artifacts", installed]


def test_a_model_that_an_installed_library_carries_stays_as_it_is(installed):
    before = (installed / "classic" / "metadata.json").read_bytes()
    for change in (
        lambda: store_card("classic", "# Mine"),
        lambda: rename_model("classic", "mine"),
        lambda: delete_model("classic"),
    ):
        with pytest.raises(ModelError, match="ships with facecore"):
            change()
    assert (installed / "classic" / "metadata.json").read_bytes() == before


def test_a_folder_that_the_environment_names_is_the_only_one(installed, tmp_path, monkeypatch):
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(tmp_path / "other"))
    assert list_models() == []


@pytest.fixture
def spare(tmp_path, monkeypatch) -> Path:
    """The folder for temporary files."""
    (tmp_path / "spare").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "spare"))
    return tmp_path / "spare"


def test_a_model_that_cannot_be_written_is_kept_elsewhere(tmp_path, monkeypatch, tiny_model, spare):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(tmp_path / "file"))
    with pytest.raises(ModelError, match=r"cannot write the model to .*; it is kept: move") as told:
        write(tiny_model)
    (kept,) = spare.glob("*/m")
    assert f"move the folder {kept} to {tmp_path / 'file' / 'm'}" in str(told.value)
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(kept.parent))
    assert load_model("m").labels == tiny_model.labels
    assert read_metadata("m")["seed"] == 0


def test_a_model_that_no_folder_takes_is_one_error_and_no_litter(
    tmp_path, monkeypatch, tiny_model, spare
):
    def full(self, folder):
        (folder / "model.npz").write_bytes(b"some")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setenv("FACECORE_ARTIFACTS", str(tmp_path / "models"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(type(tiny_model), "save", full)
    with pytest.raises(ModelError, match="No space left on device; no other folder takes it"):
        write(tiny_model)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["models", "spare"]


@pytest.mark.parametrize("number", [errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_disk_without_permissions_and_times_takes_models(
    number, artifacts, tiny_model, tmp_path, monkeypatch
):
    for call in ("os.chmod", "os.utime"):
        break_call(monkeypatch, tmp_path / "start", call, number)
    write(tiny_model, seed=1)
    write(tiny_model, seed=2)
    (artifacts / "m" / "notes").mkdir()
    (artifacts / "m" / "notes" / "mine.txt").write_text("mine")
    store_card("m", "# Card")
    rename_model("m", "n")
    assert (list_models(), read_metadata("n")["seed"], read_card("n")) == (["n"], 2, "# Card")
    assert (artifacts / "n" / "notes" / "mine.txt").read_text() == "mine"
    delete_model("n")
    assert files(artifacts) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask for folders")
@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o755), (0o077, 0o700), (0o002, 0o775)])
def test_the_permissions_of_a_model_follow_the_umask(umask, mode, artifacts, tiny_model):
    before = os.umask(umask)
    try:
        write(tiny_model)
    finally:
        os.umask(before)
    assert stat.S_IMODE((artifacts / "m").stat().st_mode) == mode


def busy(monkeypatch, times: int, number: int, name: str) -> None:
    """Let some other program have a file or folder open, so that so many renames fail."""
    replace, left = os.replace, [times]

    def fail(source, target):
        if left[0] and Path(source).name.startswith(name):
            left[0] -= 1
            raise OSError(number, os.strerror(number))
        replace(source, target)

    monkeypatch.setattr(os, "replace", fail)


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EBUSY])
@pytest.mark.parametrize("name", ["m", ".new-"])
def test_what_is_open_for_a_moment_is_renamed_after_it(
    number, name, artifacts, tiny_model, monkeypatch
):
    write(tiny_model, seed=1)
    busy(monkeypatch, 3, number, name)
    write(tiny_model, seed=2)
    assert read_metadata("m")["seed"] == 2
    assert not any(".new-" in name or ".old-" in name for name in files(artifacts))


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO, errno.ENOTEMPTY])
def test_a_model_whose_place_stays_taken_is_kept_and_the_old_one_is_back(
    number, artifacts, tiny_model, spare, monkeypatch
):
    write(tiny_model, seed=1)
    busy(monkeypatch, 100, number, ".new-")
    with pytest.raises(ModelError, match="it is kept"):
        write(tiny_model, seed=2)
    assert list(artifacts.iterdir()) == [artifacts / "m"]
    assert read_metadata("m")["seed"] == 1
    (kept,) = spare.glob("*/m")
    assert json.loads((kept / "metadata.json").read_text())["seed"] == 2


def test_a_name_is_reserved_for_one_training(artifacts):
    with reserving("m"), reserving("other"):
        with pytest.raises(DataError, match="another training of 'm' runs"), reserving("m"):
            pass
        assert list_models() == []
    assert not artifacts.exists()
    with reserving("m"):
        pass


def test_a_name_under_which_nothing_can_be_written_is_refused(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "m").write_text("")
    for root in ("file", "file/deep", "models"):
        monkeypatch.setenv("FACECORE_ARTIFACTS", str(tmp_path / root))
        with pytest.raises(ModelError, match="FACECORE_ARTIFACTS=FOLDER"), reserving("m"):
            pass
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "m", "models"]


@pytest.mark.parametrize("name", ["con", "NUL", "Com1", "LPT9"])
def test_devices_of_windows_are_no_names(name, artifacts, tiny_model):
    with pytest.raises(ModelError, match="device on Windows"):
        write(tiny_model, name)
    assert not artifacts.exists()


def reserve(name: str) -> None:
    with reserving(name, replace=True):
        pass


@pytest.mark.parametrize(
    ("name", "other"),
    [("MinE", "mine"), ("Classic", "classic"), ("aLIGNED", "aligned"), ("K", "k")],
)
def test_a_name_that_differs_from_another_only_in_capitals_is_refused(
    name, other, artifacts, tiny_model
):
    write(tiny_model, "mine")
    write(tiny_model, "else")
    (artifacts / "k").mkdir()  # whatever is in it
    before = files(artifacts)
    for attempt in (
        lambda: check_new_name(name),
        lambda: reserve(name),
        lambda: write(tiny_model, name),
        lambda: rename_model("else", name),
    ):
        with pytest.raises(ModelError, match=f"'{name}' differs from '{other}' only in") as caught:
            attempt()
        assert "\n" not in str(caught.value)
    assert files(artifacts) == before


def test_two_trainings_whose_names_differ_only_in_capitals_do_not_run_at_once(artifacts):
    with reserving("mine"):
        for name in ("mine", "Mine"):
            with pytest.raises(DataError, match="another training"), reserving(name):
                pass


@pytest.mark.parametrize("state", ["whole", "damaged", "empty"])
def test_a_stored_model_is_replaced_only_when_asked_to(state, artifacts, tiny_model):
    folder = write(tiny_model)
    if state == "damaged":
        (folder / "metadata.json").unlink()
    if state == "empty":
        shutil.rmtree(folder)
        folder.mkdir()
    with pytest.raises(ModelError, match=r"--replace .replace=True in Python."), reserving("m"):
        pass
    with reserving("m", replace=True):
        write(tiny_model, seed=4)
    assert read_metadata("m")["seed"] == 4


def test_a_shipped_model_is_never_replaced(artifacts, tiny_model):
    write(tiny_model, "classic")
    for replace in (False, True):
        with pytest.raises(ModelError, match="ships with"), reserving("classic", replace):
            pass


def test_a_folder_of_something_else_is_never_replaced(artifacts, tiny_model):
    (artifacts / "photos" / "anna").mkdir(parents=True)
    (artifacts / "photos" / "anna" / "1.jpg").write_bytes(b"x")
    for attempt in (lambda: reserve("photos"), lambda: write(tiny_model, "photos")):
        with pytest.raises(ModelError, match="not of a model; choose another name"):
            attempt()
    assert files(artifacts) == ["photos", "photos/anna", "photos/anna/1.jpg"]


def test_a_model_is_not_renamed_to_what_is_being_trained(artifacts, tiny_model):
    write(tiny_model, "a")
    with reserving("b"), pytest.raises(DataError, match="another training of 'b' runs"):
        rename_model("a", "b")
    assert list_models() == ["a"]


def test_a_renamed_model_is_whole_and_knows_its_name(artifacts, tiny_model):
    write(tiny_model, "old", seed=7)
    assert rename_model("old", "new") == find_model("new")
    assert list_models() == ["new"]
    assert (read_metadata("new")["name"], read_metadata("new")["seed"]) == ("new", 7)
    assert load_model("new").labels == tiny_model.labels
    assert read_model_table("sizes", "new") is not None
    assert not any(".new-" in name or ".old-" in name for name in files(artifacts))


def test_a_model_is_not_renamed_onto_another_one(artifacts, tiny_model):
    write(tiny_model, "a", seed=1)
    write(tiny_model, "b", seed=2)
    for new in ("a", "b"):
        with pytest.raises(ModelError, match="already"):
            rename_model("a", new)
    assert [read_metadata(name)["seed"] for name in ("a", "b")] == [1, 2]


@pytest.mark.parametrize(("old", "new", "word"), [("a", "../b", "cannot name"), ("x", "y", "'x'")])
def test_a_rename_that_makes_no_sense_changes_nothing(old, new, word, artifacts, tiny_model):
    write(tiny_model, "a")
    before = files(artifacts)
    with pytest.raises(ModelError, match=word):
        rename_model(old, new)
    assert files(artifacts) == before


def test_a_damaged_model_is_not_renamed_but_can_be_deleted(artifacts, tiny_model):
    write(tiny_model, "a")
    (artifacts / "a" / "model.npz").write_bytes(b"no arrays")
    with pytest.raises(ModelError, match="damaged"):
        rename_model("a", "b")
    with pytest.raises(ModelError, match="damaged"):
        pack_model("a")
    delete_model("a")
    assert files(artifacts) == []


def test_a_deleted_model_is_gone_also_where_a_kill_left_its_second_name(artifacts, tiny_model):
    write(tiny_model, "a")
    write(tiny_model, "b")
    shutil.move(artifacts / "a", artifacts / ".old-a")
    delete_model("a")
    assert list_models() == ["b"]
    with pytest.raises(ModelError, match="'a'"):
        delete_model("a")


def test_the_model_that_ships_is_neither_renamed_nor_deleted(artifacts, tiny_model):
    write(tiny_model, "classic")
    write(tiny_model, "mine")
    for change in (
        lambda: rename_model("classic", "other"),
        lambda: rename_model("mine", "classic"),
        lambda: delete_model("classic"),
    ):
        with pytest.raises(ModelError, match="ships with facecore"):
            change()
    assert list_models() == ["classic", "mine"]


def test_a_packed_model_can_be_unpacked_elsewhere(artifacts, tiny_model, tmp_path, monkeypatch):
    write(tiny_model, "mine", seed=3)
    (artifacts / "mine" / ".notes.txt").write_text("not of the model")
    packed = pack_model("mine")
    assert packed == pack_model("mine")
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert "mine/.notes.txt" not in archive.namelist()
        archive.extractall(tmp_path / "elsewhere")
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(tmp_path / "elsewhere"))
    assert read_metadata("mine")["seed"] == 3
    assert load_model("mine").labels == tiny_model.labels


def test_models_are_managed_without_pandas_or_scikit_learn():
    code = "import sys, facecore.model.store; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"pandas", "sklearn"} & set(done.stdout.split())
