"""Faces as points of face space, coloured by label."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from facecore.model import FaceModel, best_pair, label_colours
from facecore.training import MADE, FacePoints, make_points, read_points
from ui.controls import pick_few
from ui.look import NEUTRAL, SYMBOLS, show, tidy
from ui.map import show_map
from ui.models import Chosen

MOST = 30  # components to choose from
EDGE = "#111111"


@st.fragment
def show_points(chosen: Chosen, table: pd.DataFrame | None, face: np.ndarray | None) -> None:
    """Show a scatter plot of faces on two or three components of the visitor's choice.

    Parameters
    ----------
    chosen : Chosen
        Model with eigenfaces.
    table : DataFrame or None
        Coordinates stored with the model; synthetic faces are shown when None.
    face : ndarray of shape (side, side), uint8, or None
        Face that is marked by a star on a map of two components.
    """
    model = chosen.model.eigenfaces
    if table is None and model.spread is None:
        st.info("This model stores neither coordinates nor a spread to draw synthetic faces from.")
        return
    points = make_points(model) if table is None else read_points(table)
    st.markdown(
        "Each dot is a face. Two numbers of its recipe say where it lies: how much it has of two "
        "eigenfaces. The background is what the model answers there; it fades where the model is "
        "unsure."
    )
    axes = _pick_axes(model, min(MOST, points.Z.shape[1]))
    labels = pick_few(chosen.labels, "points_labels")
    alt = f"{len(points.y)} {points.kind} on components {', '.join(map(str, axes))}"
    figure = points_figure(points, axes, model, labels)
    if len(axes) == 2:
        show_map(chosen, figure, points, axes, face, alt)
    else:
        show(figure, alt, "points_solid")
    if points.kind == MADE:
        st.caption(
            f"{len(points.y):,} synthetic faces, spread like the training faces of each label in "
            f"the leading {points.Z.shape[1]} components. The model holds no training face."
        )
    else:
        st.caption(f"{len(points.y):,} of the training faces, stored with the model.")


def _pick_axes(model: FaceModel, count: int) -> list[int]:
    """Ask for two components and perhaps a third, numbered from 1.

    Those that separate the labels best are offered first.
    """
    numbers = range(1, count + 1)
    known = 0 if model.spread is None else model.spread[0].shape[1]
    first = best_pair(model, count) if min(known, count) > 1 else (0, min(1, count - 1))
    axes: list[int | None] = []
    with st.container(horizontal=True):
        for i, axis in enumerate("xyz"):
            axes.append(
                st.selectbox(
                    f"Component {axis}",
                    numbers,
                    index=None if axis == "z" else first[i],
                    placeholder="none",
                    key=f"axis_{axis}",
                    bind="query-params",
                    width=160,
                )
            )
    chosen = [axis for axis in axes if axis]
    if known > 1 and chosen == [first[0] + 1, first[1] + 1]:
        st.caption("These two components together separate the labels best.")
    return chosen


def points_figure(
    points: FacePoints, axes: Sequence[int], model: FaceModel, labels: Sequence[str]
) -> go.Figure:
    """Draw faces on two or three components.

    Parameters
    ----------
    points : FacePoints
        Faces to draw.
    axes : sequence of int
        Numbers of the components, from 1.
    model : FaceModel
        Model whose labels and components they are.
    labels : sequence of str
        Labels in colour; all others are grey.

    Returns
    -------
    Figure
    """
    colours = label_colours(model.labels)
    others = len(model.labels) - len(labels)
    opacity = 0.9 if others else 0.75
    kinds = [(label, points.y == label, colours[label], opacity) for label in labels]
    if others:  # drawn first, under those in colour
        kinds.insert(0, (f"{others} other labels", ~np.isin(points.y, labels), NEUTRAL, 0.2))
    shares = model.pixels.variance / model.pixels.total_variance
    titles = [f"component {axis} ({shares[axis - 1]:.1%})" for axis in axes]
    figure, solid = go.Figure(), len(axes) == 3
    for i, (name, which, colour, opacity) in enumerate(kinds):
        rows = points.Z[which]
        # Two decimals are finer than the screen, and fewer digits travel to the browser.
        columns = dict(zip("xyz", (np.round(rows[:, axis - 1], 2) for axis in axes), strict=False))
        marker = {
            "color": colour,
            "symbol": SYMBOLS[i % len(SYMBOLS)],
            "opacity": opacity,
            "size": 3 if solid else 6,
            # an edge, to be seen on the background of the same colour
            "line": {"color": EDGE, "width": 0 if solid else 0.8},
        }
        # Both draw by WebGL: SVG is slow for thousands of points.
        draw = go.Scatter3d if solid else go.Scattergl
        figure.add_trace(draw(**columns, mode="markers", name=name, marker=marker))
    if solid:
        names = zip("xyz", titles, strict=True)
        figure.update_scenes({f"{axis}axis": {"title": {"text": text}} for axis, text in names})
    else:
        figure.update_layout(xaxis_title=titles[0], yaxis_title=titles[1])
    return tidy(figure, 560)
