"""One face at every step of the way, from the photo to the decision."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from plotly.subplots import make_subplots

from facecore.images import to_png
from facecore.model import FaceModel
from facecore.predict import PhotoAnswer, annotate, colour_crop
from ui.look import DASHES, NEUTRAL, label_colours, show, tidy, to_rgb


def show_steps(answer: PhotoAnswer, model: FaceModel) -> None:
    """Show the largest face of a photo at every step.

    Parameters
    ----------
    answer : PhotoAnswer
        With at least one face.
    model : FaceModel
    """
    face, member = answer.faces[0], model.pixels
    row = face.crop.reshape(1, -1)
    scaled, coordinates = member.scale(row)[0], member.coordinates(row)[0]
    deviations = coordinates * member.deviation / np.sqrt(member.variance)
    colours = {k: to_rgb(v) for k, v in label_colours(model.labels).items()}
    grid = st.grid(3, min_column_width=210, border=True)
    pictures = (
        ("1. Find the face", annotate(answer, colours), "Photo with its faces boxed"),
        ("2. Crop", colour_crop(answer, 1), "The face cut out of the photo"),
        ("3. Grey, 100 x 100", face.crop, "Grey crop of the face, 100 by 100 pixels"),
    )
    for title, picture, alt in pictures:
        with grid.cell():
            st.markdown(f"**{title}**")
            st.image(to_png(picture), alt=alt, output_format="PNG", width="stretch")
    with grid.cell(column_span="all"):
        st.markdown("**4. Min-max: every pixel on its own scale**")
        show(
            pixel_values(face.crop, scaled),
            "Histograms of the pixels before and after min-max scaling",
            "step-values",
        )
    with grid.cell(column_span=2):
        st.markdown("**5. Coordinates in face space**")
        show(coordinate_bars(deviations), "Coordinates of the face as bars", "step-coordinates")
    with grid.cell():
        st.markdown(f"**6. Drawn from {len(coordinates)} eigenfaces**")
        alt = "The face drawn again from its coordinates in face space"
        st.image(to_png(face.reconstruction), alt=alt, output_format="PNG", width="stretch")
    with grid.cell(column_span="all"):
        st.markdown("**7. The decision, and its probability on the calibration curve**")
        show(
            calibration_curve(model, model.decision_function(row)),
            f"The face on the calibration curve: {face.label}, {face.probability:.0%}",
            "step-decision",
        )
        st.markdown(
            f"The support vector machine says **{face.label}** with probability "
            f"{face.probability:.2f}. What the eigenfaces cannot draw of this face, its distance "
            f"from face space, is {face.distance:.3f} of a pixel's range."
        )


def pixel_values(crop: np.ndarray, scaled: np.ndarray) -> go.Figure:
    """Draw the pixels of a face as two histograms, before and after min-max.

    Parameters
    ----------
    crop : ndarray of shape (side, side), uint8
    scaled : ndarray of shape (side * side,)

    Returns
    -------
    Figure
    """
    figure = make_subplots(1, 2, subplot_titles=("before", "after"), shared_yaxes=True)
    for column, values in enumerate((crop.reshape(-1), scaled), start=1):
        counts, edges = np.histogram(values, 32)
        figure.add_bar(
            x=(edges[:-1] + edges[1:]) / 2, y=counts, width=np.diff(edges), row=1, col=column,
            marker_color=NEUTRAL, hovertemplate="%{x:.2f}: %{y} pixels<extra></extra>",
        )  # fmt: skip
    figure.update_layout(showlegend=False, bargap=0)
    figure.update_xaxes(title="grey level", row=1, col=1)
    figure.update_xaxes(title="(X - min) / (max - min)", row=1, col=2)
    figure.update_yaxes(title="pixels", row=1, col=1)
    return tidy(figure, 240)


def coordinate_bars(deviations: np.ndarray) -> go.Figure:
    """Draw the coordinates of a face as bars.

    Parameters
    ----------
    deviations : ndarray of shape (n_components,)
        Coordinates in standard deviations of the training faces.

    Returns
    -------
    Figure
    """
    figure = go.Figure(
        go.Bar(
            x=np.arange(1, len(deviations) + 1),
            y=deviations,
            marker_color=NEUTRAL,
            hovertemplate="eigenface %{x}: %{y:.2f} standard deviations<extra></extra>",
        )
    )
    figure.update_layout(bargap=0.1)
    figure.update_xaxes(title="eigenface")
    figure.update_yaxes(title="standard deviations")
    return tidy(figure, 240)


def calibration_curve(model: FaceModel, decisions: np.ndarray) -> go.Figure:
    """Draw how a decision value becomes a probability, with one face's place on it.

    Parameters
    ----------
    model : FaceModel
    decisions : ndarray of shape (1,) or (1, n_labels)
        Of the face.

    Returns
    -------
    Figure
    """
    values = decisions.reshape(-1)
    reach = max(3.0, float(np.abs(values).max()) * 1.15)
    x = np.linspace(-reach, reach, 121)
    names = model.labels if len(values) > 1 else model.labels[1:]
    figure = go.Figure()
    for i, (label, value) in enumerate(zip(names, values, strict=True)):
        colour = label_colours(model.labels)[label]
        curve, point = (1 / (1 + np.exp(-model.slope[i] * v)) for v in (x, value))
        figure.add_scatter(
            x=x, y=curve, name=label, line={"color": colour, "dash": DASHES[i % len(DASHES)]},
            hovertemplate=f"decision %{{x:.2f}}: {label} %{{y:.1%}}<extra></extra>",
        )  # fmt: skip
        figure.add_scatter(
            x=[value], y=[point], mode="markers+text", text=[f"this face: {label} {point:.0%}"],
            textposition="top left" if value > 0 else "top right", showlegend=False,
            marker={"size": 14, "color": colour, "symbol": "diamond"},
            hovertemplate=f"decision %{{x:.2f}}: {label} %{{y:.1%}}<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title="decision value")
    figure.update_yaxes(title="probability of the label", tickformat=".0%", range=[-0.08, 1.18])
    return tidy(figure, 280)
