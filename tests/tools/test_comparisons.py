"""The script that compares each pair of the shipped models on the same test photos."""

import json
import runpy
import shutil
from itertools import combinations
from pathlib import Path

import pytest

from facecore.evaluation.comparison import comparison_file, read_comparison
from facecore.model import SHIPPED
from facecore.model.store import read_evaluation

REPO = Path(__file__).resolve().parents[2]
MODELS = ("classic", "plain", "wide")


@pytest.fixture
def script(two_models, monkeypatch):
    """The script for three small models and one data set."""
    shutil.copytree(two_models / "plain", two_models / "classic")
    names = runpy.run_path(str(REPO / "tools" / "comparisons.py"))
    inside, real = names["compare_shipped"].__globals__, names["compare_models"]
    monkeypatch.setitem(inside, "SHIPPED", MODELS)
    monkeypatch.setitem(inside, "TESTS", ("drawn",))
    monkeypatch.setitem(inside, "compare_models", lambda *a, **k: real(*a, **k | {"jobs": 1}))
    return names


def test_each_pair_is_compared_once_and_again_where_a_model_was_trained_again(script, raw_folder):
    compare, is_current = script["compare_shipped"], script["is_current"]
    pairs = list(combinations(MODELS, 2))
    assert compare(raw_folder.parent) == [comparison_file(*pair) for pair in pairs]
    assert all(list(read_comparison(*pair)["sets"]) == ["drawn"] for pair in pairs)
    assert all(is_current(*pair) for pair in pairs)
    assert compare(raw_folder.parent) == []
    file, found = comparison_file("plain", "wide"), read_comparison("plain", "wide")
    for unfit in (
        {},
        {**found, "sha256": [{"model.json": "0", "model.npz": "0"}, found["sha256"][1]]},
        {**found, "sets": {"elsewhere": found["sets"]["drawn"]}},
    ):
        file.write_text(json.dumps(unfit), encoding="utf-8")
        assert not is_current("plain", "wide")
    assert len(compare(raw_folder.parent)) == 3
    assert (
        read_comparison("plain", "wide")["sets"]["drawn"]["right"]
        == (found["sets"]["drawn"]["right"])
    )


@pytest.mark.parametrize(("first", "second"), list(combinations(SHIPPED, 2)))
def test_shipped_models_have_a_comparison_that_fits_them_and_their_evaluations(
    first, second, monkeypatch
):
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(REPO / "artifacts"))
    is_current = runpy.run_path(str(REPO / "tools" / "comparisons.py"))["is_current"]
    assert is_current(first, second), "make it again: python tools/comparisons.py DATA"
    found, text = read_comparison(first, second), comparison_file(first, second).read_text()
    assert not any(word in text for word in (".jpg", ".png", "/", "\\"))
    for place, name in enumerate((first, second)):
        only = ("only_first", "only_second")[place]
        for test, report in read_evaluation(name).items():
            figures = found["sets"][test]["right"]
            accuracy = (figures["both"] + figures[only]) / figures["n"]
            assert figures["n"] == report["n"]
            assert accuracy == pytest.approx(report["accuracy_all"], abs=0.002)
            assert found["sets"][test]["coverage"][place] == pytest.approx(
                report["coverage"], abs=0.002
            )
