"""The experiment log: every training leaves its settings and scores, however it ends."""

import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from facecore.errors import DataError
from facecore.model.store import (
    delete_model,
    read_evaluation,
    read_metadata,
    read_model_table,
    rename_model,
)
from facecore.training import runs as module
from facecore.training.arrays import train_arrays
from facecore.training.pipeline import train
from facecore.training.run_tables import compare_runs, settings_of, tabulate_runs
from facecore.training.runs import (
    begin_run,
    delete_runs,
    end_run,
    log_run,
    new_run,
    read_runs,
    runs_file,
    without_names,
)


@pytest.fixture
def trained(artifacts, split_crops, tiny_grid):
    """One model, trained in this folder of models."""
    train([split_crops], "one", recipe="classic", grid=str(tiny_grid), seed=3, command="as a test")
    return artifacts


def test_a_training_leaves_its_settings_data_and_scores(trained):
    (run,) = read_runs().runs
    metadata, evaluation = read_metadata("one"), read_evaluation("one")
    assert (run["state"], run["name"], run["recipe"], run["seed"]) == ("done", "one", "classic", 3)
    assert run["grid"] == "tiny.json"  # without the path of the machine
    assert run["score"] == metadata["search"]["balanced_accuracy"]
    candidates = read_model_table("grid_search", "one").set_index("rank_test_score")
    best = candidates.loc[1, "mean_test_score"]
    assert run["candidate_scores"][""] == pytest.approx(best, abs=1e-4)
    assert run["best"][""] == metadata["search"]["best"]
    figures = evaluation["crops"]
    assert run["test"]["crops"]["forced"] == figures["accuracy_all"]
    assert run["test"]["crops"]["answered"] == figures["coverage"]
    assert run["data"]["crops"]["train"] == metadata["data"]["crops"]["train"]
    assert run["training_faces"] == metadata["training_faces"]
    assert run["versions"]["scikit-learn"]
    assert 0 < run["minutes"] < 5
    table = tabulate_runs([run])
    assert table.loc[0, "model"] == "there"
    assert table.loc[0, "forced accuracy"] == figures["accuracy_all"]
    assert table.loc[0, "faces"] == sum(metadata["training_faces"].values())
    assert table.loc[0, "C"] == metadata["search"]["best"]["C"]


def test_no_photo_is_named(trained, split_crops):
    told = runs_file().read_text(encoding="utf-8")
    names = [path.stem for path in split_crops.rglob("*.png")]
    assert names
    assert not [name for name in names if name in told]
    assert str(split_crops.parent) not in told


def test_a_training_that_fails_leaves_its_reason(artifacts, crops_folder):
    with pytest.raises(DataError):
        train([crops_folder], "mine", recipe="aligned")  # cut for another recipe
    (run,) = read_runs().runs
    assert (run["state"], run["name"]) == ("failed", "mine")
    assert run["reason"]
    assert str(crops_folder) not in run["reason"]
    assert tabulate_runs([run]).loc[0, "model"] == ""


def test_what_is_refused_before_it_begins_is_no_run(artifacts, crops_folder):
    with pytest.raises(DataError):
        train([crops_folder], "mine", grid="no such grid")
    assert read_runs().runs == []


def test_arrays_and_a_stop_by_the_user_are_noted_too(artifacts, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("facecore.training.arrays.fit_and_write", stop)
    with pytest.raises(KeyboardInterrupt):
        train_arrays(np.random.default_rng(0).random((20, 8, 8)), ["a", "b"] * 10, "stopped")
    (run,) = read_runs().runs
    assert (run["state"], run["by"]) == ("cancelled", "Python")


def test_a_training_that_was_killed_is_told_from_one_that_runs(artifacts):
    begin_run("here", "mine", {})
    code = "from facecore.training.runs import begin_run; begin_run('gone', 'other', {})"
    subprocess.run([sys.executable, "-c", code], check=True)
    states = {run["run"]: run["state"] for run in read_runs().runs}
    assert states == {"here": "running", "gone": "killed"}


def test_how_a_run_ended_is_said_once(artifacts):
    begin_run("1", "mine", {})
    log_run({"run": "1", "state": "failed", "reason": "first"})
    end_run("1", "cancelled", "second")
    assert read_runs().runs[0]["reason"] == "first"
    begin_run("2", "mine", {})
    end_run("2", "cancelled", "on the page")
    assert {run["state"] for run in read_runs().runs} == {"failed", "cancelled"}


def test_a_damaged_line_costs_that_line_only_and_is_counted(artifacts):
    begin_run("1", "first", {})
    with open(runs_file(), "ab") as file:
        file.write(b'[1, 2]\n{"run": 1}\n\xff\xfe\n{"run": "cut off')
    begin_run("2", "second", {})
    log = read_runs()
    assert {run["name"] for run in log.runs} == {"first", "second"}
    assert log.damaged == 4


def test_many_processes_write_whole_lines(artifacts):
    code = (
        "from facecore.training.runs import begin_run, new_run\n"
        "for _ in range(25): begin_run(new_run(), 'x' * 3000, {})"
    )
    with ThreadPoolExecutor(3) as pool:
        done = pool.map(lambda _: subprocess.run([sys.executable, "-c", code]).returncode, range(3))
    assert list(done) == [0, 0, 0]
    log = read_runs()
    assert (len(log.runs), log.damaged) == (75, 0)


def test_the_log_is_bounded_and_keeps_the_newest(artifacts, monkeypatch):
    monkeypatch.setattr(module, "MOST_BYTES", 5000)
    for number in range(60):
        begin_run(str(number), f"m{number}", {})
    assert runs_file().stat().st_size < 6000
    found = [run["name"] for run in read_runs().runs]
    assert "m59" in found
    assert "m0" not in found


def test_a_line_of_a_thousand_labels_leaves_out_what_is_long(artifacts):
    begin_run("1", "many", {})
    faces = {f"label {i} " + "x" * 90: 3 for i in range(1000)}
    log_run({"run": "1", "state": "done", "training_faces": faces, "score": 0.5})
    (run,) = read_runs().runs
    assert (run["score"], run["left_out"]) == (0.5, ["training_faces"])


def test_trouble_with_the_log_never_loses_a_training(
    artifacts, split_crops, tiny_grid, monkeypatch, capsys
):
    blocked = artifacts.parent / "file"
    blocked.touch()
    monkeypatch.setenv("FACECORE_RUNS", str(blocked / "below"))
    folder = train([split_crops], "one", recipe="classic", grid=str(tiny_grid))
    assert folder.is_dir()
    assert "the experiment log" in capsys.readouterr().err


def test_the_log_may_be_elsewhere_and_can_be_deleted(artifacts, tmp_path, monkeypatch):
    monkeypatch.setenv("FACECORE_RUNS", str(tmp_path / "elsewhere"))
    begin_run(new_run(), "mine", {})
    assert len(read_runs().runs) == 1
    assert not artifacts.exists()
    delete_runs()
    assert read_runs().runs == []
    assert not (tmp_path / "elsewhere").exists()
    delete_runs()


def test_it_is_said_what_became_of_a_model(trained, tiny_artifacts):
    runs = read_runs().runs
    assert tabulate_runs(runs).loc[0, "model"] == "there"
    rename_model("one", "two")
    assert tabulate_runs(runs).loc[0, "model"] == "renamed to two"
    delete_model("two")
    assert tabulate_runs(runs).loc[0, "model"] == "deleted since"
    shutil.copytree(tiny_artifacts / "tiny", trained / "one")
    assert tabulate_runs(runs).loc[0, "model"] == "replaced since"


def test_two_trainings_are_compared_by_what_differs():
    first = {"run": "1", "when": "2026-05-01T10:00:00Z", "name": "a", "recipe": "aligned"}
    first |= {"best": {"pixels": {"C": 5.0}, "hog": {"C": 1.0}}, "score": 0.9}
    second = first | {"run": "2", "best": {"pixels": {"C": 5.0}, "hog": {"C": 2.0}}, "score": 0.91}
    table = compare_runs([first, second]).set_index("what")
    assert table.index[table["differs"]].tolist() == ["score", "hog C"]
    assert table.loc["hog C"].tolist()[:2] == ["1.0", "2.0"]
    assert len(set(table.columns)) == 3


def test_settings_of_an_unfinished_run_are_what_is_known():
    assert settings_of({"recipe": "classic"}) == {"recipe": "classic"}
    assert tabulate_runs([]).empty


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        (
            "crop /x/y z/eve 1.png: damaged; delete it and run: crop RAW --out /x",
            "damaged; delete it and run",
        ),
        (
            "label 'sad' has faces of only 1 subject; add more",
            "label 'sad' has faces of only 1 subject; add more",
        ),
        (r"cannot read C:\photos\eve.jpg", ""),
        ("eve.JPG: not a photo", "not a photo"),
    ],
)
def test_a_reason_names_no_file(reason, told):
    assert without_names(reason) == told


def test_the_command_line_lists_writes_and_deletes_the_log(trained, run, tmp_path):
    done = run("runs", models=trained)
    assert done.returncode == 0
    assert "one" in done.stdout and "done" in done.stdout
    done = run("runs", "--csv", tmp_path / "runs.csv", models=trained)
    table = pd.read_csv(tmp_path / "runs.csv")
    assert table.loc[0, "name"] == "one"
    assert table.loc[0, "score"] == read_metadata("one")["search"]["balanced_accuracy"]
    assert json.loads(runs_file().read_text(encoding="utf-8").splitlines()[0])["name"] == "one"
    assert run("runs", "--delete", models=trained).returncode == 0
    assert run("runs", models=trained).stdout.strip() == "nothing was trained yet"
