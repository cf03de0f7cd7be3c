"""The benchmark of cropping, with few photos."""

import json
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from cartoons import write_raw

REPO = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def benchmark() -> dict:
    return runpy.run_path(str(REPO / "benchmarks" / "crop.py"))


@pytest.fixture
def tiny(benchmark, tiny_model, monkeypatch) -> dict:
    monkeypatch.setitem(benchmark["main"].__globals__, "load_model", lambda name: tiny_model)
    return benchmark


@pytest.mark.slow
def test_photos_a_second_efficiency_and_memory_are_told(tiny, tmp_path, capsys):
    out = tmp_path / "figures.json"
    arguments = ["--count", "16", "--recipe", "classic", "--json", str(out)]
    assert tiny["main"](arguments) == 0
    figures = json.loads(out.read_text())
    assert (figures["photos"], figures["recipe"]) == (16, "classic")
    assert min(figures[name] for name in ("textbook", "ours_1", "ours_2")) > 0
    share = figures["ours_2"] / (2 * figures["ours_1"])
    assert figures["efficiency_2"] == pytest.approx(share, abs=1e-3)
    assert 0 < figures["faces"] <= 16
    assert list(figures["peak_mb"]) == ["2", "8"]
    assert all(10 < megabytes < 2000 for pair in figures["peak_mb"].values() for megabytes in pair)
    assert "efficiency of two workers" in capsys.readouterr().out


@pytest.mark.slow
def test_a_data_set_is_cropped_in_place_of_made_photos(tiny, tmp_path):
    data = write_raw(tmp_path / "data", persons=2, shots=1)
    (data / "round" / "bad.jpg").write_text("no photo")
    (tmp_path / "work").mkdir()
    figures = tiny["measure"](tmp_path / "work", data, "classic", 8)
    assert (figures["photos"], figures["faces"]) == (5, 4)


def test_errors_are_one_line(benchmark, capsys):
    for arguments in (["--data", "nowhere"], ["--recipe", "none", "--count", "8"]):
        assert benchmark["main"](arguments) == 1
        error = capsys.readouterr().err
        assert error.startswith("error: ")
        assert len(error.splitlines()) == 1


@pytest.mark.slow
def test_it_starts_from_the_command_line():
    script = REPO / "benchmarks" / "crop.py"
    done = subprocess.run(
        [sys.executable, script, "--help"], capture_output=True, text=True, check=True, timeout=60
    )
    assert "--recipe" in done.stdout
