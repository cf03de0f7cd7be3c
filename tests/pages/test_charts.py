"""Charts as HTML: every number in its place, texts as they are, and nothing a browser would run."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from charts import percent, read_charts

from ui.charts import Bar, Key, draw_bars, draw_columns, draw_curve, draw_ranges

NASTY = "<script>alert(1)</script>&\"'$x$ *a* :smile:"
BLUE, GREY = "#0072b2", "#7a7a7a"


def bar(end: float, hatching: int = 0, title: str = "") -> Bar:
    return Bar(end, BLUE, f"{end:+.2f}", title, hatching)


def read(html: str):
    """The only chart in HTML."""
    (chart,) = read_charts(html).values()
    return chart


def test_bars_begin_at_zero_and_end_at_their_values_with_the_number_there():
    rows = [("left", [bar(-1.0)]), ("right", [bar(3.0)]), ("none", [bar(0.0)])]
    chart = read(draw_bars(rows, "alt", (-1.0, 3.0)))
    drawn = [(percent(style, "left"), percent(style, "width")) for style in chart.of("bar")]
    assert drawn == [(0, 25), (25, 75), (25, 0)]
    assert [percent(style, "left") for style in chart.of("zero")] == [25] * 3
    assert chart.texts == ["left", "\u22121.00", "right", "+3.00", "none", "+0.00"]
    numbers = [style for kinds, style in chart.places if not kinds]
    assert numbers == [{"right": "100%"}, {"left": "100%"}, {"left": "25%"}]


def test_bars_that_are_all_zero_have_no_length():
    chart = read(draw_bars([("a", [bar(0.0)])], "alt", (0.0, 0.0)))
    assert percent(chart.of("bar")[0], "width") == 0


def test_labels_have_hatchings_of_their_own_in_bars_and_legend():
    bars = [bar(1.0, i) for i in range(6)]
    chart = read(draw_bars([("a", bars)], "alt", keys=[Key(f"k{i}", BLUE, i) for i in range(6)]))
    kinds = [kind.split()[-1] for kind, _ in chart.places if "hatching" in kind]
    assert kinds == [f"hatching-{i % 5}" for i in (*range(6), *range(6))]


def test_a_range_lies_between_its_ends_with_the_point_in_it():
    chart = read(
        draw_ranges(
            [("pixel 1", 51, 204, 102)],
            "alt",
            (0, 255),
            (GREY, BLUE),
            ticks=(0, 255),
            note="grey level",
            keys=[Key("this face", BLUE, point=True)],
        )
    )
    (range_,) = chart.of("bar")
    assert (percent(range_, "left"), percent(range_, "width")) == (20, 60)
    assert percent(chart.of("point")[1], "left") == 40  # the first is the legend's
    assert chart.texts == ["this face", "pixel 1", "0", "255", "grey level"]


@pytest.mark.parametrize("values", [[1.0, -3.0, 0.5], [0.2, 0.4], [0.0, 0.0], [5.0], [-1.0] * 512])
def test_columns_stand_on_zero_and_have_the_heights_of_their_values(values):
    chart = read(draw_columns(np.array(values), "alt", GREY, up="height", note="number"))
    root = ET.fromstring(chart.pictures[0])
    width, height = map(float, root.get("viewBox").split()[2:])
    assert (width, root.get("preserveAspectRatio")) == (len(values), "none")
    parts = re.findall(r"M([\d.]+) (\d+)V(\d+)H([\d.]+)V(\d+)z", root[0].get("d"))
    low, high = min(0, *values, 0), max(0, *values, 0)
    zero = height * (1 - (0 - low) / (high - low)) if high > low else height
    for i, (left, base, top, right, end) in enumerate(parts):
        assert i <= float(left) < float(right) <= i + 1
        assert float(base) == float(end) == pytest.approx(zero, abs=1)
        share = values[i] / (high - low) if high > low else 0
        assert zero - float(top) == pytest.approx(height * share, abs=1)
    assert len(parts) == len(values)
    assert {"height", "number"} < set(chart.texts)


def test_the_point_of_a_curve_lies_on_it():
    x = np.linspace(-4.0, 4.0, 81)
    y = 1 / (1 + np.exp(-x))
    chart = read(draw_curve(x, y, (x[60], y[60]), "alt", BLUE, up="share", note="value"))
    root = ET.fromstring(chart.pictures[0])
    places = [tuple(map(float, each.split(","))) for each in root[0].get("points").split()]
    (point,) = chart.of("point")
    assert len(places) == 81
    assert places[60][0] == pytest.approx(10 * percent(point, "left"), abs=1)
    assert places[60][1] == pytest.approx(1000 - 10 * percent(point, "bottom"), abs=1)
    assert {"0%", "50%", "100%", "\u22122", "2"} < set(chart.texts)


def test_texts_are_shown_as_they_are_in_every_place():
    texts = {"title": NASTY, "note": NASTY}
    keys = [Key(NASTY, BLUE), Key(NASTY, BLUE, point=True)]
    one = np.array([0.0, 1.0])
    for html in (
        draw_bars([(NASTY, [Bar(1, BLUE, NASTY, NASTY)])], NASTY, keys=keys, **texts),
        draw_ranges(
            [(NASTY, 0, 1, 1)], NASTY, (0, 1), (BLUE, GREY), ticks=(), note=NASTY, keys=keys
        ),
        draw_columns(one, NASTY, BLUE, up=NASTY, **texts),
        draw_curve(one, one, (0, 0), NASTY, BLUE, up=NASTY, note=NASTY, keys=keys),
    ):
        charts = read_charts(html)  # no tag of a text
        assert list(charts) == [NASTY]
        assert NASTY in charts[NASTY].texts
        assert all(text == NASTY or "script" not in text for text in charts[NASTY].texts)
