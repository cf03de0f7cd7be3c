"""The benchmark of growing numbers of faces, with few of them."""

import json
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

REPO = Path(__file__).resolve().parents[2]
SCRIPT = REPO / "benchmarks" / "scale.py"


@pytest.fixture(scope="module")
def benchmark() -> dict:
    return runpy.run_path(str(SCRIPT))


@pytest.mark.slow
def test_seconds_memory_and_the_exponent_are_told_by_size(benchmark, tmp_path, capsys):
    out = tmp_path / "figures.json"
    arguments = ["--quick", "--sizes", "400", "200", "--exact-sizes", "200", "--json", str(out)]
    assert benchmark["main"](arguments) == 0
    figures = json.loads(out.read_text())
    for name in ("seconds", "peak_mb"):
        assert list(figures[name]) == ["200", "400"]
        assert list(figures["exact"][name]) == ["200"]
        assert min(figures[name].values()) > 0
    slope = np.log(figures["seconds"]["400"] / figures["seconds"]["200"]) / np.log(2)
    assert figures["time_exponent"] == pytest.approx(slope, abs=1e-3)
    assert "power of the number of faces" in capsys.readouterr().out


@pytest.mark.slow
def test_one_size_has_no_exponent(benchmark, tmp_path):
    out = tmp_path / "figures.json"
    arguments = ["--quick", "--sizes", "100", "--exact-sizes", "100", "--json", str(out)]
    assert benchmark["main"](arguments) == 0
    assert json.loads(out.read_text())["time_exponent"] is None


def test_the_loss_is_that_of_both_machines_on_the_same_fold(benchmark, crops_folder, tmp_path):
    out = tmp_path / "figures.json"
    arguments = ["--crops", str(crops_folder), "--json", str(out)]
    assert benchmark["main"](arguments) == 0
    figures = json.loads(out.read_text())
    scores = figures["balanced_accuracy"]
    assert set(scores) == {"exact", "nystroem", "centres"}
    for solver, loss in figures["loss"].items():
        assert loss == pytest.approx(scores["exact"] - scores[solver], abs=1e-4)
    assert min(scores["exact"], scores["nystroem"]) > 0.7  # 20 faces have one or two clusters


def test_a_folder_that_is_not_there_is_one_line(benchmark, capsys):
    assert benchmark["main"](["--crops", "nowhere"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert len(error.splitlines()) == 1


@pytest.mark.slow
def test_it_starts_from_the_command_line():
    done = subprocess.run(
        [sys.executable, SCRIPT, "--help"], capture_output=True, text=True, check=True, timeout=60
    )
    assert "--exact-sizes" in done.stdout
