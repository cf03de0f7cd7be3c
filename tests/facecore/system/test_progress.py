"""Progress: a bar for a person, a small file for a program, and no effect on results."""

import io
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
        for item in track("abc", 3, "crop", "photo", progress=False):
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
    with progress_to(file), step("crop", 1000, "photo", progress=False) as advance:
        begun = time.monotonic()
        for _ in range(1000):
            advance()
            time.sleep(0.0005)
        passed = time.monotonic() - begun
    assert 2 < len(written) <= 2 + 4 * passed + 1
    assert written[-1]["done"] == 1000


def test_without_a_file_nothing_is_written_and_the_bar_shows_the_step(file, capsys):
    for _ in track("ab", 2, "crop", "photo", progress=True):
        pass
    assert list(file.parent.iterdir()) == []
    assert "crop: 100%" in capsys.readouterr().err


def test_a_file_that_cannot_be_written_does_not_stop_the_work(file):
    file.mkdir()
    with progress_to(file):
        assert list(track("ab", 2, "crop", "photo", progress=False)) == ["a", "b"]


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
        list(track("a", 1, "evaluate", "photo", progress=False))
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


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_a_bar_moves(monkeypatch):
    monkeypatch.setattr("sys.stderr", screen := Screen())
    list(track("ab", 2, "crop", "photo", progress=True))
    assert "\rcrop: 100%|" in screen.getvalue()


@pytest.mark.parametrize(
    ("total", "seconds", "told"),
    [
        (1000, 0.0, ["100% (1,000 of 1,000 photos)"]),
        (400, 1.0, [f"{i * 25}% ({i * 100} of 400 photos)" for i in (1, 2, 3, 4)]),
        (1, 60.0, ["100% (1 of 1 photo)"]),
    ],
)
def test_in_a_log_a_line_per_quarter_and_not_too_often(monkeypatch, capsys, total, seconds, told):
    clock = [0.0]
    monkeypatch.setattr("facecore.system.progress.time.monotonic", lambda: clock[0])
    for done, _ in enumerate(track(range(total), total, "crop", "photo", progress=True), start=2):
        clock[0] = done * seconds + 0.001
    assert capsys.readouterr().err.splitlines() == [f"crop: {line}" for line in told]


@pytest.mark.parametrize("total", [0, 5])
def test_nothing_is_told_of_no_work(capsys, total):
    with step("crop", total, "photo", progress=True):
        pass
    assert capsys.readouterr().err == ""


def test_without_standard_error_as_under_pythonw(monkeypatch):
    monkeypatch.setattr("sys.stderr", None)
    assert list(track("ab", 2, "crop", "photo", progress=True)) == ["a", "b"]
