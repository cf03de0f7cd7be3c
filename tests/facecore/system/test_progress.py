"""Progress: a bar for a person, a small file for a program, and no effect on results."""

import json
import time

import pytest

from facecore.data.crops import crop_folder
from facecore.errors import DataError
from facecore.system.progress import progress_to, step, track
from facecore.training.search import grid_search

GRID = {"n_components": [4, 8], "C": [1.0, 5.0], "gamma": [0.01]}


@pytest.fixture
def file(tmp_path):
    return tmp_path / "progress.json"


def test_the_file_says_which_step_how_far_and_since_when(file):
    before = time.time()
    with progress_to(file):
        seen = []
        for item in track("abc", 3, "crop", "photo", shown=False):
            seen.append(item)
            if item == "a":
                report = json.loads(file.read_text())
    assert seen == ["a", "b", "c"]
    assert report.items() >= {"step": "crop", "done": 0, "total": 3, "unit": "photo"}.items()
    assert before <= report["started"] <= report["updated"] <= time.time()
    assert json.loads(file.read_text())["done"] == 3
    assert list(file.parent.iterdir()) == [file]


def test_the_file_is_written_at_most_four_times_a_second(file, monkeypatch):
    written = []
    monkeypatch.setattr(
        "facecore.system.progress._write", lambda f, report: written.append(dict(report))
    )
    with progress_to(file), step("crop", 1000, "photo", shown=False) as advance:
        begun = time.monotonic()
        for _ in range(1000):
            advance()
            time.sleep(0.0005)
        passed = time.monotonic() - begun
    assert 2 < len(written) <= 2 + 4 * passed + 1
    assert written[-1]["done"] == 1000


def test_without_a_file_nothing_is_written_and_the_bar_shows_the_step(file, capsys):
    for _ in track("ab", 2, "crop", "photo", shown=True):
        pass
    assert list(file.parent.iterdir()) == []
    assert "crop: 100%" in capsys.readouterr().err


def test_a_file_that_cannot_be_written_does_not_stop_the_work(file):
    file.mkdir()
    with progress_to(file):
        assert list(track("ab", 2, "crop", "photo", shown=False)) == ["a", "b"]


def test_a_folder_that_is_not_there_is_an_error_before_any_work(tmp_path):
    with (
        pytest.raises(DataError, match="no folder"),
        progress_to(tmp_path / "no" / "progress.json"),
    ):
        raise AssertionError("not reached")


def test_a_grid_search_tells_fits_and_the_best_mean_and_finds_the_same(faces, file):
    X, y, groups = faces
    alone = grid_search(X, y, groups, GRID, folds=3)
    with progress_to(file):
        watched = grid_search(X, y, groups, GRID, folds=3)
        report = json.loads(file.read_text())
        list(track("a", 1, "evaluate", "photo", shown=False))
        later = json.loads(file.read_text())
    assert (report["step"], report["unit"]) == ("grid search", "fit")
    assert report["done"] == report["total"] == 4 * 3
    assert report["best"] == pytest.approx(alone.table["mean_test_score"].max())
    assert later["best"] == report["best"]
    assert watched.best == alone.best
    assert (watched.decisions == alone.decisions).all()


def test_crop_tells_photos_done(raw_folder, file, tmp_path):
    with progress_to(file):
        table = crop_folder(raw_folder, tmp_path / "out")
    report = json.loads(file.read_text())
    assert (report["step"], report["done"], report["total"]) == ("crop", len(table), len(table))
