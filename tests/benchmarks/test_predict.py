"""The benchmark of predictions, with a small model, small photos and a stand-in for the other."""

import json
import runpy
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from cartoons import write_raw

REPO = Path(__file__).resolve().parents[2]
SMALL = {0.06: (250, 250), 1: (640, 480), 12: (800, 600)}


@pytest.fixture(scope="module")
def benchmark() -> dict:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(REPO / "benchmarks"))
        return runpy.run_path(str(REPO / "benchmarks" / "predict.py"))


@pytest.fixture
def small(benchmark, monkeypatch) -> dict:
    """The benchmark with little to do."""
    inside = benchmark["main"].__globals__
    monkeypatch.setitem(inside, "SIZES", SMALL)
    fit = benchmark["fit_textbook"]
    monkeypatch.setitem(inside, "fit_textbook", lambda model, count: fit(model, 300))
    write = benchmark["write_photos"]
    monkeypatch.setitem(
        inside,
        "write_photos",
        lambda model, size, count, out: write(model, size, min(count, 6), out),
    )
    return inside


@pytest.mark.slow
def test_every_size_and_recipe_has_a_row_with_the_quotient_of_its_times(
    small, in_tiny_artifacts, tmp_path, capsys
):
    out = tmp_path / "figures.json"
    assert small["main"](["--models", "tiny", "--quick", "--json", str(out)]) == 0
    figures = json.loads(out.read_text())
    rows = pd.DataFrame(figures["rows"])
    assert rows["megapixels"].tolist() == [0.06, 1, 12]
    assert rows["recipe"].eq("tiny").all()
    assert (rows[["ours_ms", "textbook_ms"]] > 0).all().all()
    quotient = rows["textbook_ms"] / rows["ours_ms"]
    assert rows["textbook_over_ours"].tolist() == pytest.approx(quotient.tolist(), rel=0.1)
    assert "other_ms" not in rows
    assert figures["start_s"] > 0
    assert {"numpy", "cv2", "PIL"} <= set(figures["imported"])
    assert not {"sklearn", "pandas", "scipy", "streamlit"} & set(figures["imported"])
    assert {"1", "2"} <= set(figures["bulk"]["tiny"])
    assert "bulk, tiny" in capsys.readouterr().out


@pytest.mark.slow
def test_the_other_package_is_asked_about_the_same_photos(
    small, in_tiny_artifacts, tmp_path, monkeypatch
):
    asked = []

    def others(paths, python):
        asked.append(list(paths))
        return pd.DataFrame({"predicted": ["", *["a"] * (len(asked[-1]) - 1)], "ms": 7.0})

    monkeypatch.setitem(small, "others", others)
    monkeypatch.setitem(small, "prepare", lambda folder: Path(sys.executable))
    out = tmp_path / "figures.json"
    assert small["main"](["--models", "tiny", "--quick", "--other", "--json", str(out)]) == 0
    rows = json.loads(out.read_text())["rows"]
    assert [(row["other_ms"], row["other_found"]) for row in rows] == [(7.0, 1.0)] * 3
    assert all(names[0] == names[1] for names in asked)


def test_the_smallest_photos_can_be_of_a_train_split(benchmark, tmp_path):
    data = write_raw(tmp_path / "data", persons=4, shots=2, split=True)
    photos = benchmark["train_photos"](data, 5)
    train = pd.read_csv(data / "labels.csv").query("split == 'train'")["path"]
    assert len(set(photos)) == 5
    assert {path.relative_to(data).as_posix() for path in photos} <= set(train)
    no_split = write_raw(tmp_path / "other", persons=2, shots=1)
    with pytest.raises(benchmark["DataError"], match="no photo of the train split"):
        benchmark["train_photos"](no_split, 5)


def test_errors_are_one_line(benchmark, in_tiny_artifacts, capsys):
    assert benchmark["main"](["--models", "nobody"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert len(error.splitlines()) == 1


@pytest.mark.slow
def test_it_starts_from_the_command_line():
    script = REPO / "benchmarks" / "predict.py"
    done = subprocess.run(
        [sys.executable, script, "--help"], capture_output=True, text=True, check=True, timeout=60
    )
    assert "--quick" in done.stdout
