"""The Fisherfaces as pictures beside the eigenfaces, and faces along them."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from facecore.model import (
    FaceModel,
    eigenface_images,
    fisherface_images,
    label_colours,
    to_fisherfaces,
)
from facecore.training import MADE, FacePoints, make_points, read_points
from ui.controls import pick_few
from ui.look import see_through, show, show_picture, tidy
from ui.models import Chosen
from ui.points import points_figure

BINS = 40
MOST = 12  # pictures in a row


def show_fisherfaces(chosen: Chosen, table: pd.DataFrame | None) -> None:
    """Show the Fisherfaces of a model, as many of its eigenfaces, and faces along them.

    Parameters
    ----------
    chosen : Chosen
        Model that has Fisherfaces.
    table : DataFrame or None
        Coordinates stored with the model; synthetic faces are shown when None.
    """
    model = chosen.model
    pictures = fisherface_images(model)
    count, labels = len(pictures), len(model.labels)
    st.write(
        "Eigenfaces are the directions in which all faces differ most, whatever their labels: "
        "light and pose count as much as the face. Fisherfaces are the directions in which the "
        "labels differ most, compared with how much faces within a label differ. "
        f"{labels} labels have {count} Fisherface{'s' if count > 1 else ''}."
    )
    _show_row("Fisherface", pictures[:MOST])
    _show_row("Eigenface", eigenface_images(model, min(count, MOST)))
    first = f"The first {MOST} of each. " if count > MOST else ""
    st.caption(f"{first}Each on a symmetric scale of its own: middle grey is zero.")
    if table is None and model.spread is None:
        st.info("This model stores neither coordinates nor a spread to draw synthetic faces from.")
        return
    points = make_points(model) if table is None else read_points(table)
    seen = FacePoints(to_fisherfaces(model, points.Z), points.y, points.subjects, points.kind)
    alt = f"{len(seen.y)} {seen.kind} along the first Fisherfaces, by label"
    if count == 1:
        figure = histogram(seen, model)
    else:
        figure = points_figure(seen, [1, 2], model, pick_few(chosen.labels, "fisher_labels"))
        figure.update_layout(xaxis_title="Fisherface 1", yaxis_title="Fisherface 2")
    show(figure, alt, "fisherfaces")
    if seen.kind == MADE:
        st.caption(
            f"{len(seen.y):,} synthetic faces, drawn from the leading {points.Z.shape[1]} "
            "eigenfaces. The model holds no training face."
        )
    else:
        st.caption(
            f"{len(seen.y):,} of the training faces. The Fisherfaces were fitted to them, so new "
            "faces lie less far apart by label."
        )


def _show_row(what: str, pictures: np.ndarray) -> None:
    st.header(f"{what}s")
    grid = st.grid("auto", min_column_width=110, gap="small")
    for number, picture in enumerate(pictures, start=1):
        with grid.cell():
            show_picture(picture, f"{what} {number}", f"{number}")


def histogram(points: FacePoints, model: FaceModel) -> go.Figure:
    """Draw how the faces of each label are spread along a single Fisherface.

    Parameters
    ----------
    points : FacePoints
        Faces with one coordinate.
    model : FaceModel
        Model whose labels they have.

    Returns
    -------
    Figure
    """
    edges = np.histogram_bin_edges(points.Z[:, 0], BINS)
    figure = go.Figure()
    for i, (label, colour) in enumerate(label_colours(model.labels).items()):
        figure.add_bar(
            x=(edges[:-1] + edges[1:]) / 2,
            y=np.histogram(points.Z[points.y == label, 0], edges)[0],
            width=edges[1] - edges[0],
            name=label,
            marker=see_through(colour, i),
        )
    figure.update_layout(barmode="overlay", bargap=0)
    figure.update_xaxes(title="Fisherface 1")
    figure.update_yaxes(title="faces")
    return tidy(figure)
