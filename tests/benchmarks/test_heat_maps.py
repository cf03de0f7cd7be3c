"""The benchmark of heat maps, on a small model."""

import json
import runpy
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]


def test_heat_maps_are_held_against_the_answer_and_hiding_patches(in_tiny_artifacts, tmp_path):
    main = runpy.run_path(str(REPO / "benchmarks" / "heat_maps.py"))["main"]
    out = tmp_path / "figures.json"
    arguments = ["--models", "tiny", "--faces", "2", "--quick", "--json", str(out)]
    assert main(arguments) == 0
    (row,) = json.loads(out.read_text())["rows"]
    assert row["model"] == "tiny"
    assert row["faces"] > 0
    assert row["heat_over_answer"] > 0 and row["occlusion_over_answer"] > 0
    assert -1 <= row["agreement"] <= 1
