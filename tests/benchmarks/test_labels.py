"""The benchmark of label folders, with drawn photos."""

import json
import runpy
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from cartoons import LABELS, write_raw

REPO = Path(__file__).resolve().parents[2]
SCRIPT = REPO / "benchmarks" / "labels.py"


@pytest.fixture(scope="module")
def benchmark() -> dict:
    return runpy.run_path(str(SCRIPT))


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> Path:
    return write_raw(tmp_path_factory.mktemp("labels") / "drawn", LABELS, persons=6)


@pytest.mark.slow
def test_recipes_and_example_learn_the_same_photos(benchmark, drawn, tiny_grid, tmp_path, capsys):
    out = tmp_path / "figures.json"
    arguments = ["--folders", str(drawn), "--recipes", "classic", "--grid", str(tiny_grid)]
    assert benchmark["main"]([*arguments, "--json", str(out)]) == 0
    figures = json.loads(out.read_text())["drawn"]
    assert figures["labels"] == 3
    assert sum(figures["photos"].values()) == 36
    answers = figures["answers"]
    assert list(answers) == ["example, photos", "example, our crops", "classic"]
    assert answers["example, photos"]["times"] == 1
    for found in answers.values():
        assert found["cpu"] > 0 < found["mb"]
        assert found["times"] == pytest.approx(
            found["cpu"] / answers["example, photos"]["cpu"], abs=0.01
        )
        assert 0.3 < found["accuracy"] <= 1
    told = capsys.readouterr().out
    assert "drawn: 3 labels" in told
    assert "crops, CPU: classic" in told
    assert "p00_" not in out.read_text() + told


def test_photos_without_a_split_are_held_out_with_their_subjects(benchmark, drawn):
    photos = benchmark["split"](benchmark["read_folder"](drawn), 0)
    assert set(photos["split"]) == {"train", "test"}
    assert 0.1 < photos["split"].eq("test").mean() < 0.35
    assert photos.groupby("subject")["split"].nunique().max() == 1
    again = benchmark["split"](benchmark["read_folder"](drawn), 0)
    assert photos.equals(again)


def test_a_split_of_the_table_stays(benchmark, tmp_path):
    folder = write_raw(tmp_path / "split", persons=4, shots=1, split=True)
    photos = benchmark["split"](benchmark["read_folder"](folder), 0)
    table = pd.read_csv(folder / "labels.csv")
    assert sorted(photos["split"]) == sorted(table["split"])


def test_photos_are_copied_without_their_names(benchmark, drawn, tmp_path):
    photos = benchmark["split"](benchmark["read_folder"](drawn), 0)
    benchmark["write_photos"](photos, tmp_path / "raw")
    table = pd.read_csv(tmp_path / "raw" / "labels.csv")
    assert len(table) == len(photos)
    assert not table["path"].str.contains("p0").any()
    assert all((tmp_path / "raw" / path).is_file() for path in table["path"])


def test_the_example_reads_whole_photos_in_grey(benchmark, drawn, tmp_path):
    photos = benchmark["split"](benchmark["read_folder"](drawn), 0)
    benchmark["write_photos"](photos, tmp_path / "raw" / "train")
    X, y, _ = benchmark["read_pixels"]({"place": str(tmp_path), "crops": ""}, "train")
    assert X.shape == (len(photos), 100 * 100)
    assert sorted(y) == sorted(photos["label"])


def test_a_folder_that_is_not_there_is_told_in_one_line(benchmark, capsys):
    assert benchmark["main"](["--folders", "nowhere"]) == 1
    (error,) = capsys.readouterr().err.splitlines()
    assert error.startswith("error: ")
    assert "nowhere" in error


def test_a_job_that_fails_is_told_in_one_line(benchmark, tmp_path):
    with pytest.raises(benchmark["DataError"], match="crop classic failed"):
        benchmark["start"]({"do": "crop", "place": str(tmp_path / "no"), "recipe": "classic"})


@pytest.mark.slow
def test_it_starts_from_the_command_line():
    done = subprocess.run(
        [sys.executable, SCRIPT, "--help"], capture_output=True, text=True, check=True, timeout=60
    )
    assert "--folders" in done.stdout
