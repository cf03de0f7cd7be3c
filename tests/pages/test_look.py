"""What every figure shares: colours that are seen well on a light page and on a dark one."""

import json

import numpy as np
import plotly.graph_objects as go
import pytest
from charts import contrast

import ui.look
from facecore.model import PALETTE
from ui.cells import write_cells
from ui.heat_maps import COLOURS
from ui.look import (
    NEUTRAL,
    PAGE,
    REFERENCE,
    SHADES_ON_DARK,
    describe_change,
    finish,
    see_through,
)
from ui.text import card_as_is, minus_in_figures


def lines() -> go.Figure:
    """A curve, dots and a reference line in every colour."""
    figure = go.Figure()
    colours = (*PALETTE, NEUTRAL)
    for colour in colours:
        figure.add_scatter(x=[0, 1], y=[0, 1], line={"color": colour}, marker={"color": colour})
        figure.add_hline(0.5, line=REFERENCE | {"color": colour})
    figure.add_scatter(x=[*range(len(colours))], y=[0] * len(colours), marker={"color": colours})
    return figure


def colours_of(figure: go.Figure) -> list[str]:
    *curves, dots = figure.data
    return [
        *(curve.line.color for curve in curves),
        *(curve.marker.color for curve in curves),
        *(shape.line.color for shape in figure.layout.shapes),
        *dots.marker.color,
    ]


def test_lines_and_dots_are_seen_well_on_a_dark_page(monkeypatch):
    monkeypatch.setattr(ui.look, "is_dark", lambda: True)
    figure = lines()
    assert min(contrast(colour, PAGE["dark"]) for colour in colours_of(figure)) < 4
    finish(figure)
    assert min(contrast(colour, PAGE["dark"]) for colour in colours_of(figure)) >= 4.5
    assert len(set(colours_of(figure))) == len(set(colours_of(lines())))  # still told apart


def test_lines_keep_their_colours_on_a_light_page():
    figure = lines()
    finish(figure)
    assert colours_of(figure) == colours_of(lines())


def test_numbers_in_bars_have_enough_contrast():
    figure = go.Figure()
    for i, colour in enumerate(PALETTE):
        figure.add_bar(x=[1], text=["1"], marker=see_through(colour, i))
    figure.add_bar(x=[1] * len(PALETTE), text=["1"] * len(PALETTE), marker_color=PALETTE)
    figure.add_bar(x=[1], marker_color=NEUTRAL)
    finish(figure)
    *single, many, plain = json.loads(figure.to_json())["data"]
    inks = [bar["insidetextfont"]["color"] for bar in single]
    for found in (inks, many["insidetextfont"]["color"]):
        assert min(map(contrast, found, PALETTE)) >= 4.5
    assert "insidetextfont" not in plain


@pytest.mark.parametrize("colours", ["Blues", "Blues_r", COLOURS, SHADES_ON_DARK])
def test_numbers_in_cells_have_enough_contrast(colours):
    from plotly.colors import sample_colorscale

    z = np.linspace(0, 1, 50)[None]
    figure = go.Figure(go.Heatmap(z=z))
    write_cells(figure, np.full(z.shape, "1"), colours=colours)
    inks = [note.font.color for note in figure.layout.annotations]
    assert min(map(contrast, inks, sample_colorscale(colours, z[0]))) >= 4.5


@pytest.mark.parametrize(
    ("change", "form", "colour", "shown"),
    [
        (-0.25, "{:+.2f}", "normal", ("\u22120.25", "down", "red")),
        (-0.25, "{:+.2f}", "inverse", ("\u22120.25", "down", "green")),
        (-1234, "{:+,}", "off", ("\u22121,234", "down", "gray")),
        (3, "{:+.0f} ms", "inverse", ("+3 ms", "up", "red")),
        (-0.001, "{:+.2f}", "normal", (0, "off", "off")),
    ],
)
def test_a_change_has_a_true_minus_and_the_arrow_and_colour_of_its_sign(
    change, form, colour, shown
):
    found = describe_change(change, form, colour)
    assert (found["delta"], found["delta_arrow"], found["delta_color"]) == shown


def test_figures_in_sentences_have_a_minus_and_labels_stay():
    told = "of label -5: difference -.002, interval -0.010 to +0.006"
    assert minus_in_figures(told) == (
        "of label -5: difference \u2212.002, interval \u22120.010 to +0.006"
    )
    card = "| -5 | 0.013 (-0.001 to 0.046) |\n\n    train --x -0.001"
    assert card_as_is(card) == "| -5 | 0.013 (\u22120.001 to 0.046) |\n\n    train --x -0.001"


def test_counts_on_axes_have_separators():
    figure = go.Figure(go.Bar(x=["a"], y=[3000], marker_color=NEUTRAL))
    finish(figure)
    assert figure.layout.yaxis.separatethousands
