"""The benchmark of group photos, with drawn photos."""

import json
import runpy
from pathlib import Path

import pytest
from cartoons import write_raw

REPO = Path(__file__).resolve().parents[2]


@pytest.fixture
def tiny(tiny_model, monkeypatch) -> dict:
    benchmark = runpy.run_path(str(REPO / "benchmarks" / "groups.py"))
    variables = benchmark["main"].__globals__
    monkeypatch.setitem(variables, "load_model", lambda name: tiny_model)
    monkeypatch.setitem(variables, "GROUPS", {"6": (3, 2, 90, 250), "4": (2, 2, 80, 300)})
    return benchmark


def test_faces_answered_and_times_are_told_by_group(tiny, tmp_path, capsys):
    data, out = write_raw(tmp_path / "photos", persons=4), tmp_path / "figures.json"
    arguments = ["--data", str(data), "--models", "classic", "--quick", "--json", str(out)]
    assert tiny["main"](arguments) == 0
    groups = json.loads(out.read_text())["classic"]
    assert [found["shown"] for found in groups.values()] == [6, 4]
    for found in groups.values():
        assert found["shown"] - 1 <= found["answered"] <= found["shown"]
        assert found["before"] <= found["answered"]
        assert min(found[name] for name in ("group", "one", "search_group", "search_one")) > 0
    assert "ms per face" in capsys.readouterr().out
