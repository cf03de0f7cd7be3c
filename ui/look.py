"""Colours by meaning, small pictures and plotly figures that every page draws the same way."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import plotly.graph_objects as go
import streamlit as st

ICON = str(Path(__file__).with_name("icon.png"))  # drawn, and served from here

# Okabe and Ito's palette: apart for the colour-blind, on light and on dark.
PALETTE = ("#e69f00", "#0072b2", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#7a7a7a")
NEUTRAL = "#7a7a7a"  # what belongs to no label
PAIR = (PALETTE[5], PALETTE[4])  # what was chosen, and what it is held against
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
SYMBOLS = ("circle", "diamond", "square", "cross", "triangle-up")
PATTERNS = ("", "/", "x", ".", "-")


def label_colours(labels: Sequence[str]) -> dict[str, str]:
    """Return each label's colour, the same on every page.

    Parameters
    ----------
    labels : sequence of str
        In the model's order.

    Returns
    -------
    dict of str to str
        Hexadecimal colours.
    """
    return {label: PALETTE[i % len(PALETTE)] for i, label in enumerate(labels)}


def to_rgb(colour: str) -> tuple[int, int, int]:
    """Return a hexadecimal colour as red, green and blue.

    Parameters
    ----------
    colour : str
        Such as ``"#0072b2"``.

    Returns
    -------
    tuple of int, in [0, 255]
    """
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue


def tidy(figure: go.Figure, height: int = 320) -> go.Figure:
    """Give a figure the margins, legend and height that all figures have.

    Parameters
    ----------
    figure : Figure
        Changed in place.
    height : int
        In pixels.

    Returns
    -------
    Figure
    """
    return figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 36, "b": 8},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0, "title": None},
    )


def show(figure: go.Figure, alt: str, key: str) -> None:
    """Show a figure without plotly's tool bar.

    Parameters
    ----------
    figure : Figure
    alt : str
        What it shows, for a screen reader.
    key : str
        Apart from those of the other figures on the page.
    """
    st.plotly_chart(figure, config={"displayModeBar": False}, alt=alt, key=key)


def score_bars(scores: Mapping[str, float]) -> go.Figure:
    """Draw the probability of each label as a bar.

    Parameters
    ----------
    scores : mapping of str to float
        In [0, 1].

    Returns
    -------
    Figure
    """
    colours = label_colours(list(scores))
    figure = go.Figure(
        go.Bar(
            x=list(scores.values()),
            y=list(scores),
            orientation="h",
            marker_color=[colours[label] for label in scores],
            text=[f"{value:.0%}" for value in scores.values()],
            textposition="auto",
            hovertemplate="%{y}: %{x:.1%}<extra></extra>",
        )
    )
    figure.update_layout(
        height=40 + 34 * len(scores),
        margin={"l": 0, "r": 0, "t": 4, "b": 4},
        xaxis={"range": [0, 1], "tickformat": ".0%", "fixedrange": True},
        yaxis={"autorange": "reversed", "fixedrange": True},
    )
    return figure
