"""A training in the background: one at a time, on disk, and seen through whatever happens."""

import errno
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from cartoons import draw_photo, encode, write_raw
from disks import break_call, kill_workers

from facecore.data.corrections import correct
from facecore.data.crops import read_table
from facecore.errors import DataError, ModelError
from facecore.model.store import (
    list_models,
    read_local_table,
    read_metadata,
    read_model_table,
)
from facecore.training.background import (
    Job,
    cancel_job,
    clear_job,
    drop_photos,
    read_job,
    start_curve,
    start_training,
    take_photos,
    work_dir,
)
from facecore.training.runs import read_runs

REPO = Path(__file__).resolve().parents[3]


@pytest.fixture
def work(tmp_path, artifacts, monkeypatch) -> Path:
    """An empty folder of jobs and one of models; what still runs at the end is stopped."""
    monkeypatch.setenv("FACECORE_WORK", str(tmp_path / "work"))
    yield tmp_path / "work"
    cancel_job()


@pytest.fixture(scope="module")
def long_grid(tmp_path_factory) -> Path:
    """A grid that takes minutes."""
    path = tmp_path_factory.mktemp("grid") / "long.json"
    grid = {"n_components": [10], "C": [1 + i / 1000 for i in range(200_000)], "gamma": [0.005]}
    path.write_text(json.dumps(grid), encoding="utf-8")
    return path


def wait_for(happened, seconds: float = 60) -> Job:
    begun = time.monotonic()
    while not happened(job := read_job()):
        assert time.monotonic() - begun < seconds, job
        time.sleep(0.05)
    return job


def in_the_search(job: Job) -> bool:
    assert job.state == "running", job
    return job.step == "grid search"


def test_without_a_job_there_is_none(work):
    assert read_job() == Job("none")
    cancel_job()
    clear_job()
    assert not work.exists()


def pack(folder: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder))
    return buffer.getvalue()


@pytest.mark.slow
def test_a_training_on_a_zip_ends_with_a_model_and_without_the_photos(work, tiny_grid, tmp_path):
    photos = take_photos(io.BytesIO(pack(write_raw(tmp_path / "raw"))), "upload 1")
    assert work in photos.parents
    start_training("mine", photos, title="My faces!", grid=str(tiny_grid), min_size=60, seed=3)
    assert read_job().state == "running"
    with pytest.raises(DataError, match="already running"):
        take_photos(io.BytesIO(), "upload 2")
    drop_photos()
    assert photos.is_dir()  # they are in use
    steps = set()
    job = wait_for(lambda job: steps.add(job.step) or job.state != "running")
    assert job.state == "done", job.log
    assert {"crop", "grid search"} & steps
    assert job.done == job.total > 0
    assert job.began < job.ended <= time.time()
    assert "model mine written" in job.log
    assert list_models() == ["mine"]
    metadata = read_metadata("mine")
    assert metadata["data"].keys() == {"My-faces"}
    assert metadata["seed"] == 3
    assert not photos.exists()
    assert list(work.rglob("*.png")) == []
    table = read_table(job.crops)
    assert len(table) == 32
    assert table.loc[table["state"].eq("kept"), "w"].min() >= 60
    clear_job()
    assert read_job() == Job("none")
    assert list_models() == ["mine"]


@pytest.mark.slow
def test_a_zip_that_lost_its_photos_waits_for_another_try_until_it_is_dismissed(
    work, tiny_grid, small_crops
):
    photos = take_photos(io.BytesIO(pack(small_crops)), "upload 1")
    start_training("mine", photos, title="small", grid=str(tiny_grid), recipe="classic")
    job = wait_for(lambda job: job.state != "running")
    assert job.state == "failed"
    assert job.error.startswith("no face was kept: 32 of 32 faces are smaller than 54 pixels")
    assert (job.photos, job.title, job.cropped) == (photos, "small", True)
    assert len(list(photos.rglob("*.png"))) == 32

    how = {"grid": str(tiny_grid), "recipe": "classic", "identity": True}
    start_training("mine", photos, whole_photo=True, **how)
    job = wait_for(lambda job: job.state != "running")
    assert job.state == "done", job.log
    assert (job.photos, photos.exists()) == (None, False)
    assert len(read_table(job.crops)) == 32
    assert "--whole-photo" in read_metadata("mine")["command"]
    assert read_metadata("mine")["identity"] is True


@pytest.mark.slow
def test_photos_that_shall_be_kept_stay_with_their_corrections(work, tiny_grid, tmp_path):
    raw = write_raw(tmp_path / "raw", persons=6)
    photos = take_photos(io.BytesIO(pack(raw)), "raw")
    how = {"grid": str(tiny_grid), "recipe": "classic", "title": "raw", "keep": True}
    start_training("first", photos, **how)
    assert wait_for(lambda job: job.state != "running").state == "done", read_job().log
    assert read_job().photos == photos
    table = read_local_table("photos", "first")
    assert set(table["source"]) == {str(photos)}
    correct(photos, "round/p00_0.jpg", dropped=True)
    start_training("second", photos, **how)
    assert wait_for(lambda job: job.state != "running").state == "done", read_job().log
    assert "1 photos are dropped by hand" in read_job().log
    again = read_local_table("photos", "second")
    assert set(table["path"]) - set(again["path"]) == {"round/p00_0.jpg"}
    clear_job()
    assert not photos.exists()


@pytest.mark.slow
def test_the_photos_of_a_model_that_lost_many_of_them_wait_too(work, tiny_grid, tmp_path):
    for label in ("round", "square"):
        (tmp_path / "raw" / label).mkdir(parents=True)
        for person in range(6):
            photo = draw_photo(label, person, face=60 if person < 2 else 100, side=240)
            (tmp_path / "raw" / label / f"{person}.png").write_bytes(encode(photo, "PNG"))
    photos = take_photos(io.BytesIO(pack(tmp_path / "raw")), "upload 1")
    start_training("mine", photos, grid=str(tiny_grid), recipe="classic", min_size=80)
    job = wait_for(lambda job: job.state != "running")
    assert job.state == "done", job.log
    assert job.photos == photos
    assert len(list(photos.rglob("*.png"))) == 12
    assert list(work.rglob("*_crop/*.png")) == []


def test_photos_that_wait_are_removed_by_another_zip_and_with_their_job(work, small_crops):
    photos = take_photos(io.BytesIO(pack(small_crops)), "upload 1")
    start_training("mine", photos, recipe="cake")
    job = wait_for(lambda job: job.state != "running")
    assert (job.photos, job.crops) == (photos, None)
    others = take_photos(io.BytesIO(pack(small_crops)), "upload 2")
    assert others.exists() and not photos.exists()
    assert read_job().photos is None
    clear_job()
    assert not others.exists()


def test_photos_are_cropped_by_the_recipe_that_is_trained(work, raw_folder):
    start_training("mine", raw_folder, recipe="aligned")
    crop, train = json.loads((work / "training" / "job.json").read_text())["commands"]
    cancel_job()
    assert crop[crop.index("--recipe") + 1] == train[train.index("--recipe") + 1] == "aligned"


@pytest.mark.slow
def test_a_training_can_make_its_photos(work, artifacts, tiny_artifacts, tiny_grid):
    shutil.copytree(tiny_artifacts / "tiny", artifacts / "tiny")
    start_training("made", None, made=30, made_by="tiny", grid=str(tiny_grid), min_size=40)
    job = wait_for(lambda job: job.state != "running")
    assert job.state == "done", job.log
    assert read_metadata("made")["data"]["made-faces"]["photos"] == 30


def test_a_failure_is_one_line_that_says_why(work, crops_folder):
    start_training("mine", crops_folder, grid="no such grid")
    job = wait_for(lambda job: job.state != "running")
    assert job.state == "failed"
    assert job.error.startswith("no grid 'no such grid'; there are: quick, full")
    assert job.error in job.log
    assert list_models() == []


@pytest.mark.slow
def test_only_one_runs_and_cancelling_stops_every_process_and_keeps_the_old_model(
    work, crops_folder, artifacts, tiny_artifacts, long_grid
):
    shutil.copytree(tiny_artifacts / "tiny", artifacts / "mine")
    before, files = read_metadata("mine"), sorted(crops_folder.rglob("*"))
    start_training("mine", crops_folder, recipe="classic", grid=str(long_grid))
    with pytest.raises(DataError, match="already running"):
        start_training("other", crops_folder)
    with pytest.raises(DataError, match="already running"):
        clear_job()
    job = wait_for(in_the_search)
    assert (job.name, job.error, job.ended) == ("mine", "", 0)
    assert job.crops == crops_folder  # made by crop, so trained directly
    assert (job.done, job.total, job.unit) == (0, 200_000 * 5, "fit")
    group = json.loads((work / "training" / "pid.json").read_text())["pid"]
    cancel_job()
    job = read_job()
    assert job.state == "cancelled"
    assert read_metadata("mine") == before
    assert sorted(crops_folder.rglob("*")) == files
    if os.name == "posix":
        assert processes_of(group) == []
    start_training(
        "other", crops_folder, recipe="classic", grid=str(long_grid)
    )  # the next one may start
    assert (read_job().state, read_job().name) == ("running", "other")


def processes_of(group: int) -> list[int]:
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,pgid=,stat="], capture_output=True, text=True, check=True
    ).stdout
    rows = [line.split() for line in listed.splitlines()]
    return [int(pid) for pid, pgid, stat, *_ in rows if int(pgid) == group and "Z" not in stat]


@pytest.fixture(params=[errno.ENOSYS, errno.EOPNOTSUPP, errno.EIO])
def no_locks(request, work, tmp_path, monkeypatch) -> None:
    break_call(monkeypatch, tmp_path / "start", "fcntl.flock", request.param)


@pytest.mark.slow
def test_without_file_locks_a_training_runs_alone_and_ends(
    no_locks, work, raw_folder, tiny_grid, long_grid
):
    start_training("mine", raw_folder, recipe="classic", grid=str(tiny_grid))
    with pytest.raises(DataError, match="already running"):
        start_training("other", raw_folder)
    job = wait_for(lambda job: job.state != "running")
    assert job.state == "done", job.log
    assert list_models() == ["mine"]
    start_training("other", raw_folder, recipe="classic", grid=str(long_grid))
    group = json.loads((work / "training" / "pid.json").read_text())["pid"]
    wait_for(lambda job: job.step == "grid search" or job.state != "running")
    cancel_job()
    assert read_job().state == "cancelled"
    assert processes_of(group) == []
    clear_job()
    assert read_job() == Job("none")


@pytest.mark.slow
def test_without_file_locks_a_job_that_was_killed_is_seen_as_failed(
    no_locks, work, crops_folder, long_grid
):
    start_training("mine", crops_folder, recipe="classic", grid=str(long_grid))
    os.killpg(json.loads((work / "training" / "pid.json").read_text())["pid"], signal.SIGKILL)
    assert wait_for(lambda job: job.state != "running", seconds=10).state == "failed"
    start_training("mine", crops_folder, recipe="classic", grid=str(long_grid))
    assert read_job().state == "running"


def test_a_job_of_another_computer_is_not_cancelled_here(work, crops_folder, long_grid):
    start_training("mine", crops_folder, recipe="classic", grid=str(long_grid))
    file = work / "training" / "pid.json"
    mine = json.loads(file.read_text())
    file.write_text(json.dumps(mine | {"host": "elsewhere"}))
    with pytest.raises(DataError, match="another computer, elsewhere; cancel it there"):
        cancel_job()
    assert read_job().state == "running"
    file.write_text(json.dumps(mine))


@pytest.mark.skipif(os.name != "posix", reason="kills worker processes")
def test_a_job_whose_workers_were_killed_says_so(work, raw_folder, tmp_path, monkeypatch):
    kill_workers(monkeypatch, tmp_path / "start")
    monkeypatch.setattr(os, "cpu_count", lambda: 3)  # so that it gets two worker processes
    start_training("mine", raw_folder, recipe="classic")
    job = wait_for(lambda job: job.state != "running")
    assert job.state == "failed"
    assert job.error.startswith("a worker process was killed (SIGKILL"), job.log
    assert "memory is short" in job.error


def test_a_job_in_a_folder_of_models_that_cannot_be_written_starts_nothing(
    work, raw_folder, tmp_path, monkeypatch
):
    (tmp_path / "file").touch()
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(tmp_path / "file"))
    with pytest.raises(DataError, match=r"cannot write to .*file"):
        start_training("mine", raw_folder)
    assert not work.exists()


def test_a_lock_that_cannot_be_read_is_an_error_and_not_a_training(work, crops_folder):
    work.mkdir()
    (work / "training.lock").mkdir()  # no system opens it
    for call in (read_job, cancel_job, clear_job):
        with pytest.raises(DataError, match=r"cannot read .*training\.lock"):
            call()
    (work / "training.lock").rmdir()


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="kills a group of processes")
def test_a_job_that_was_killed_is_seen_as_failed_and_another_may_start(
    work, crops_folder, long_grid
):
    start_training("mine", crops_folder, recipe="classic", grid=str(long_grid))
    wait_for(in_the_search)
    os.killpg(json.loads((work / "training" / "pid.json").read_text())["pid"], signal.SIGKILL)
    job = wait_for(lambda job: job.state != "running", seconds=10)
    assert (job.state, job.name) == ("failed", "mine")
    assert "without a message" in job.error
    clear_job()
    assert not (work / "training").exists()


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="a process that lost its parent")
def test_a_job_whose_first_process_died_still_counts_and_can_be_cancelled(
    work, crops_folder, long_grid
):
    start_training("mine", crops_folder, recipe="classic", grid=str(long_grid))
    wait_for(in_the_search)
    group = json.loads((work / "training" / "pid.json").read_text())["pid"]
    os.kill(group, signal.SIGKILL)
    time.sleep(0.2)
    assert read_job().state == "running"
    cancel_job()
    assert read_job().state == "cancelled"
    assert processes_of(group) == []


def test_another_process_sees_the_job_and_can_cancel_it(work, crops_folder, long_grid):
    start_training("mine", crops_folder, recipe="classic", grid=str(long_grid))
    code = (
        "from facecore.training.background import *; print(read_job().state); cancel_job(); "
        "print(read_job().state)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(REPO)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["running", "cancelled"]
    assert read_job().state == "cancelled"


def test_a_zip_is_unpacked_once_in_place_of_the_one_before(work, tmp_path):
    data = pack(write_raw(tmp_path / "raw", persons=1))
    first = take_photos(io.BytesIO(data), "1")
    assert sum(path.is_file() for path in first.rglob("*")) == 5
    assert take_photos(io.BytesIO(b"not read again"), "1") == first
    second = take_photos(io.BytesIO(data), "../../2")
    assert (first.exists(), second.parent) == (False, first.parent)
    with pytest.raises(DataError, match="not a ZIP"):
        take_photos(io.BytesIO(b"no ZIP"), "3")
    drop_photos()
    assert list(work.rglob("*.jpg")) == []


@pytest.mark.parametrize("name", ["", "../x", "-x", "a b", "classic"])
def test_a_name_that_cannot_be_used_starts_nothing(name, work, crops_folder):
    with pytest.raises(ModelError):
        start_training(name, crops_folder)
    assert not work.exists()


def test_a_folder_that_is_not_there_starts_nothing(work, tmp_path):
    with pytest.raises(DataError, match="no folder at"):
        start_training("mine", tmp_path / "no")
    assert not work.exists()


def test_damaged_files_of_a_job_are_no_job(work):
    (work / "training").mkdir(parents=True)
    for text in ("", "[", "[]", "{}", '"x"'):
        (work / "training" / "job.json").write_text(text)
        assert read_job().state == "none"


def test_jobs_are_beside_the_models_unless_the_environment_says_where(artifacts, monkeypatch):
    monkeypatch.delenv("FACECORE_WORK", raising=False)
    assert work_dir() == artifacts.resolve().parent / "work"
    monkeypatch.setenv("FACECORE_WORK", "elsewhere")
    assert work_dir() == Path.cwd() / "elsewhere"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("classic", "ships with facecore"),
        ("Classic", "differs from 'classic' only in capitals"),
        ("aux", "device on Windows"),
        ("a/b", "cannot name a model"),
    ],
)
def test_a_name_that_no_model_can_have_starts_nothing(name, words, artifacts):
    with pytest.raises(ModelError, match=words):
        start_training(name, None, made=4)
    assert read_job().state == "none"


@pytest.mark.slow
def test_the_learning_curve_follows_a_training_and_its_photos_are_gone(work, tmp_path):
    raw = write_raw(tmp_path / "raw", persons=16, shots=1)
    photos = take_photos(io.BytesIO(pack(raw)), "curve")
    start_training("mine", photos, title="drawn", recipe="classic", curve=True)
    job = wait_for(lambda job: job.state != "running", 300)
    assert (job.state, job.error, job.note) == ("done", "", "")
    table = read_model_table("learning_curve", "mine")
    assert set(table["kind"]) >= {"curve", "recall", "gain"}
    assert not photos.exists()
    (run,) = read_runs().runs
    assert (run["state"], run["by"], run["name"]) == ("done", "page", "mine")


@pytest.mark.slow
def test_a_curve_that_cannot_be_measured_leaves_the_model_and_says_why(work, tiny_grid, tmp_path):
    raw = write_raw(tmp_path / "few", persons=4, shots=1)
    start_training("mine", raw, recipe="classic", grid=str(tiny_grid), curve=True)
    job = wait_for(lambda job: job.state != "running", 300)
    assert job.state == "done"
    assert "8 faces or more of each label" in job.note
    assert list_models() == ["mine"]


def test_a_curve_is_measured_later_on_the_same_photos(
    work, crops_folder, tiny_artifacts, artifacts
):
    shutil.copytree(tiny_artifacts / "tiny", artifacts / "tiny")
    start_curve("tiny", crops_folder)
    job = wait_for(lambda job: job.state != "running", 300)
    assert (job.state, job.curve, job.error) == ("done", True, "")
    assert read_model_table("learning_curve", "tiny") is not None
    assert read_runs().runs == []  # it is no training
    with pytest.raises(ModelError, match="no model 'other'"):
        start_curve("other", crops_folder)


@pytest.mark.slow
def test_what_fails_or_is_cancelled_on_the_page_is_in_the_log(
    work, tmp_path, crops_folder, long_grid
):
    raw = write_raw(tmp_path / "raw", persons=2)
    start_training("mine", raw, recipe="classic", min_size=300)
    wait_for(lambda job: job.state == "failed")
    (run,) = read_runs().runs
    assert (run["state"], run["by"]) == ("failed", "page")
    assert "smaller than 300 pixels" in run["reason"]
    start_training("long", crops_folder, recipe="classic", grid=str(long_grid))
    wait_for(in_the_search)
    cancel_job()
    assert [(run["name"], run["state"]) for run in read_runs().runs] == [
        ("long", "cancelled"),
        ("mine", "failed"),
    ]
