"""Faces as points of face space, coloured by label."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from facecore.model import FaceModel
from facecore.training import MADE, FacePoints, make_points, read_points
from ui.look import SYMBOLS, label_colours, show, tidy

MOST = 30


@st.fragment
def show_points(model: FaceModel, table: pd.DataFrame | None) -> None:
    """Show a scatter of faces on two or three components of the visitor's choice.

    Parameters
    ----------
    model : FaceModel
    table : DataFrame or None
        The coordinates stored with the model; without them made faces are drawn.
    """
    if table is None and model.spread is None:
        st.info("This model stores no coordinates and nothing to draw made faces from.")
        return
    points = make_points(model) if table is None else read_points(table)
    numbers = range(1, min(MOST, points.Z.shape[1]) + 1)
    with st.container(horizontal=True):
        x, y = (
            st.selectbox(
                f"Component {axis}", numbers, index=i % len(numbers), key=f"axis_{axis}",
                bind="query-params", width=160,
            )
            for i, axis in enumerate("xy")
        )  # fmt: skip
        z = st.selectbox(
            "Component z", numbers, index=None, placeholder="none", key="axis_z",
            bind="query-params", width=160,
        )  # fmt: skip
    axes = [axis for axis in (x, y, z) if axis]
    show(
        points_figure(points, axes, model),
        f"{len(points.y)} {points.kind} on components {', '.join(map(str, axes))}",
        "points",
    )
    if points.kind == MADE:
        st.caption(
            f"{len(points.y):,} made faces, spread in the leading {points.Z.shape[1]} components "
            "as the training faces of each label are. The model holds no training face."
        )
    else:
        st.caption(f"{len(points.y):,} of the training faces, stored with the model.")


def points_figure(points: FacePoints, axes: list[int], model: FaceModel) -> go.Figure:
    """Draw faces on two or three components.

    Parameters
    ----------
    points : FacePoints
    axes : list of int
        Numbers of the components, from 1.
    model : FaceModel

    Returns
    -------
    Figure
    """
    colours = label_colours(model.labels)
    shares = model.pixels.variance / model.pixels.total_variance
    titles = [f"component {axis} ({shares[axis - 1]:.1%})" for axis in axes]
    figure = go.Figure()
    for i, label in enumerate(model.labels):
        rows = points.Z[points.y == label]
        columns = dict(zip("xyz", (np.round(rows[:, axis - 1], 2) for axis in axes), strict=False))
        marker = {"color": colours[label], "symbol": SYMBOLS[i % len(SYMBOLS)], "opacity": 0.55}
        draw = go.Scatter3d if len(axes) == 3 else go.Scattergl
        size = 3 if len(axes) == 3 else 6
        figure.add_trace(
            draw(**columns, mode="markers", name=label, marker=marker | {"size": size})
        )
    if len(axes) == 3:
        names = zip("xyz", titles, strict=True)
        figure.update_scenes({f"{axis}axis": {"title": {"text": text}} for axis, text in names})
    else:
        figure.update_layout(xaxis_title=titles[0], yaxis_title=titles[1])
    return tidy(figure, 560)
