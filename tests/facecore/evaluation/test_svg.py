"""Figures as SVG: well-formed, every number in its place, names as they are."""

import re
import xml.etree.ElementTree as ET
from math import nan

import numpy as np
import pytest

from facecore.evaluation.svg import Line, draw_cells, draw_dots, draw_lines, pick_ticks

SVG = "{http://www.w3.org/2000/svg}"
NASTY = "<script>&\"'x"


def parse(svg: str) -> ET.Element:
    root = ET.fromstring(svg)
    assert root.tag == f"{SVG}svg"
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        "svg",
        "g",
        "text",
        "title",
        "line",
        "polyline",
        "circle",
        "rect",
    }
    width, height = map(float, root.get("viewBox").split()[2:])
    for element in root.iter():
        for key in ("x", "x1", "x2", "cx"):
            if element.get(key) and not element.get("transform"):
                assert -1 <= float(element.get(key)) <= width + 1
        for key in ("y", "y1", "y2", "cy"):
            if element.get(key) and not element.get("transform"):
                assert -1 <= float(element.get(key)) <= height + 1
        assert not set(element.attrib) & {"style", "onload", "href"}
    return root


def texts(root: ET.Element) -> list[str]:
    return [element.text for element in root.iter(f"{SVG}text")]


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (0.871, 0.906), (0, 500), (-0.2, 0.35), (1e-5, 3e-5), (0.9985, 1)]
)
def test_ticks_are_few_round_numbers_within_the_axis(low, high):
    ticks = pick_ticks(low, high)
    assert 2 <= len(ticks) <= 6
    assert all(low <= tick <= high + 1e-9 for tick in ticks)
    steps = np.diff(ticks)
    assert steps == pytest.approx(steps[0])
    assert re.fullmatch(r"[125]0*", f"{steps[0]:.0e}".split("e")[0])


@pytest.mark.parametrize(("low", "high"), [(1, 1), (0, nan)])
def test_an_axis_without_a_length_has_one_tick(low, high):
    assert pick_ticks(low, high) == [low]


def test_points_of_a_line_keep_their_order_and_their_distances():
    root = parse(draw_lines([Line([0, 5, 10], [0.2, 0.4, 0.3], dots=True)], "alt", "x", "y"))
    xs, ys = ([float(dot.get(key)) for dot in root.iter(f"{SVG}circle")] for key in ("cx", "cy"))
    assert xs[2] - xs[1] == pytest.approx(xs[1] - xs[0], abs=0.2)
    assert ys[0] > ys[2] > ys[1]
    assert ys[0] - ys[1] == pytest.approx(2 * (ys[0] - ys[2]), abs=0.2)
    assert root.get("aria-label") == "alt"
    assert {"x", "y"} <= set(texts(root))


def test_error_bars_and_references_are_drawn():
    lines = [
        Line([0, 1], [0, 1], "chance", dotted=True),
        Line([0, 1], [0.5, 0.6], "model", low=[0.4, 0.5], high=[0.6, 0.9]),
    ]
    root = parse(draw_lines(lines, "", "x", "y", y_range=(0, 1)))
    dashed = [e for e in root.iter(f"{SVG}polyline") if e.get("stroke-dasharray")]
    bars = [
        e
        for e in root.iter(f"{SVG}line")
        if e.get("class") == "line one" and e.get("x1") == e.get("x2")
    ]
    assert len(dashed) == 1
    assert len(bars) == 2
    assert {"chance", "model"} <= set(texts(root))


def test_dots_stand_at_their_values_beside_their_names():
    rows = [("young", 0.9, 0.8, 0.95, "90 photos"), (NASTY * 5, 0.5, 0.4, 0.6, "8 photos")]
    root = parse(draw_dots(rows, NASTY, "accuracy", reference=0.7))
    first, second = (float(dot.get("cx")) for dot in root.iter(f"{SVG}circle"))
    assert first > second
    assert [t.text for t in root.iter(f"{SVG}title")] == [
        "young: 0.900 (0.800 to 0.950), 90 photos",
        f"{NASTY * 5}: 0.500 (0.400 to 0.600), 8 photos",
    ]
    assert all(len(text) <= 22 for text in texts(root))


def test_a_cell_is_the_stronger_the_larger_its_share():
    root = parse(
        draw_cells([[0.0, 0.5], [1.0, nan]], [["a", "b"], ["c", "d"]], "xy", "uv", "", "r", "c")
    )
    strength = [float(cell.get("fill-opacity")) for cell in root.iter(f"{SVG}rect")]
    assert strength[0] == strength[3] == 0
    assert 0 < strength[1] < strength[2] <= 0.6
    assert {"a", "b", "c", "d"} <= set(texts(root))


def test_many_labels_have_no_numbers_but_titles():
    names = [f"label {i}" for i in range(40)]
    counts = [["7"] * 40 for _ in names]
    root = parse(draw_cells(np.eye(40).tolist(), counts, names, names, "", "true", "answer"))
    assert "7" not in texts(root)
    titles = [title.text for title in root.iter(f"{SVG}title")]
    assert len(titles) == 1600
    assert titles[41] == "label 1, label 1: 7"


@pytest.mark.parametrize(("text", "fits"), [("12", True), ("1,234,567", False)])
def test_a_number_is_in_its_cell_where_it_has_room(text, fits):
    names = [f"label {i}" for i in range(8)]
    root = parse(draw_cells(np.eye(8).tolist(), [[text] * 8] * 8, names, names, "", "r", "c"))
    assert (text in texts(root)) == fits
