"""One face at every step of the way, from the photo to the decision."""

from collections.abc import Sequence
from itertools import count

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from plotly.subplots import make_subplots

from facecore.face import Features, to_png, to_rows
from facecore.model import FaceAnswer, FaceModel, PhotoAnswer, annotate, colour_crop, draw_features
from ui.look import DASHES, NEUTRAL, PATTERNS, label_colours, show, tidy, to_rgb


def show_steps(answer: PhotoAnswer, model: FaceModel) -> None:
    """Show the largest face of a photo at every step.

    Parameters
    ----------
    answer : PhotoAnswer
        With at least one face.
    model : FaceModel
    """
    face, several = answer.faces[0], len(model.members) > 1
    prepared = to_rows([face.prepared], model.recipe)
    member, row = model.leading, prepared
    if model.draws:
        member, row = model.eigenfaces.pixels, face.crop.reshape(1, -1)
    scaled, coordinates = member.scale(row)[0], member.coordinates(row)[0]
    deviations = coordinates * member.deviation / np.sqrt(member.variance)
    colours = {k: to_rgb(v) for k, v in label_colours(model.labels).items()}
    number = count(1)
    grid = st.grid(3, min_column_width=210, border=True)
    side, cut = len(face.prepared), "Turn upright and crop" if face.landmarks else "Crop"
    tone = "Grey" if face.prepared.ndim == 2 else "Colour"
    pictures = (
        ("Find the face", annotate(answer, colours), "Photo with its faces boxed"),
        (cut, colour_crop(answer, 1, model), "The face cut out of the photo"),
        (f"{tone}, {side} x {side}", face.prepared, f"{tone} face, {side} by {side} pixels"),
    )
    for title, picture, alt in pictures:
        with grid.cell():
            st.markdown(f"**{next(number)}. {title}**")
            st.image(to_png(picture), alt=alt, output_format="PNG", width="stretch")
    if several:
        with grid.cell(column_span="all"):
            st.markdown(f"**{next(number)}. Each member of the model reads it in its own way**")
            _show_members(face, model)
    with grid.cell(column_span="all"):
        if model.draws:
            st.markdown(f"**{next(number)}. Min-max: every pixel on its own scale**")
            figure = pixel_values(face.crop, scaled)
            alt = "Histograms of the pixels before and after min-max scaling"
        else:
            st.markdown(f"**{next(number)}. A deep network describes it, then min-max**")
            figure = number_bars(row[0], scaled)
            alt = "The numbers of the network before and after min-max scaling"
        show(figure, alt, "step-values")
    with grid.cell(column_span=2 if model.draws else "all"):
        st.markdown(f"**{next(number)}. Coordinates in face space**")
        axis = "eigenface" if model.draws else "component"
        show(
            coordinate_bars(deviations, axis), "Coordinates of the face as bars", "step-coordinates"
        )
    if face.reconstruction is not None:
        with grid.cell():
            st.markdown(f"**{next(number)}. Drawn from {len(coordinates)} eigenfaces**")
            alt = "The face drawn again from its coordinates in face space"
            st.image(to_png(face.reconstruction), alt=alt, output_format="PNG", width="stretch")
    if several:
        with grid.cell(column_span="all"):
            st.markdown(f"**{next(number)}. The members vote, and their weighted mean counts**")
            names = [member.name for member in model.members]
            votes = model.member_decisions(prepared)[:, 0]
            alt = "Decision value of each member, and their weighted mean"
            show(vote_bars(names, votes, model.shares, model.labels), alt, "step-votes")
            st.caption(
                f"The steps since number 4 are those of the member {model.pixels.name}. Each other "
                "member takes the same steps with its own numbers: min-max, the directions in "
                "which they differ most, and a support vector machine."
            )
    with grid.cell(column_span="all"):
        st.markdown(f"**{next(number)}. The decision, and its probability by calibration**")
        show(
            calibration_curve(model, model.decision_function(prepared)),
            f"The face on the calibration curve: {face.likely}, {face.probability:.0%}",
            "step-decision",
        )
        st.markdown(
            f"{'The mean of the members' if several else 'The support vector machine'} "
            f"{_says(face)}. What the {axis}s leave over "
            f"of this face, its distance from face space, is {face.distance:.3f} of a "
            f"{'pixel' if model.draws else 'number'}'s range."
        )


def _show_members(face: FaceAnswer, model: FaceModel) -> None:
    grid = st.grid(len(model.members), min_column_width=150)
    for member in model.members:
        with grid.cell():
            st.image(
                to_png(draw_features(member.features, face.prepared)), width="stretch",
                alt=f"What the member {member.name} reads of the face", output_format="PNG",
            )  # fmt: skip
            st.caption(f"**{member.name}**: {_reads(member.features, len(face.prepared))}")


def _reads(features: Features, side: int) -> str:
    """Say in words what features hold of a prepared face of so many pixels."""
    where = "the whole" if features.frame == 1 else f"the middle {100 * features.frame:g} %"
    count = f"{features.count(side):,} numbers"
    size = features.side or side
    if features.kind == "pixels":
        return f"grey levels of {where}, {size} x {size} pixels: {count}"
    if features.kind == "lbp":
        return (
            f"which neighbours of a pixel are as bright as it, in {where}, counted in cells of "
            f"{features.cell} x {features.cell} of {size} x {size} pixels (local binary "
            f"patterns): {count}"
        )
    return (
        f"directions of the edges in {where}, in cells of {features.cell} x {features.cell} of "
        f"{size} x {size} pixels (histograms of oriented gradients): {count}"
    )


def _says(face: FaceAnswer) -> str:
    if face.label:
        return f"says **{face.label}** with probability {face.probability:.2f}"
    return (
        f"finds **{face.likely}** likeliest, with probability {face.probability:.2f}; the answer "
        f"is **{face.verdict}**: {face.why}"
    )


def vote_bars(
    names: Sequence[str], votes: np.ndarray, shares: np.ndarray, labels: Sequence[str]
) -> go.Figure:
    """Draw the decision values of the members of a model, and their weighted mean.

    Parameters
    ----------
    names : sequence of str
        Of the members.
    votes : ndarray of shape (n_members, n_outputs)
        Decision values of one face.
    shares : ndarray of shape (n_members, n_outputs)
        What each member counts, 1 in all.
    labels : sequence of str
        With two labels a value above 0 speaks for the second.

    Returns
    -------
    Figure
    """
    colours, two = label_colours(labels), len(labels) == 2
    counts = shares.mean(axis=1)
    rows = [*(f"{name} ({share:.0%})" for name, share in zip(names, counts, strict=True)), "mean"]
    values = np.vstack([votes, (shares * votes).sum(axis=0)])
    figure = go.Figure()
    for i, label in enumerate(labels):
        shown = values[:, 0] if two else values[:, i]
        mine = (shown > 0) == (i == 1) if two else np.full(len(rows), True)
        figure.add_bar(
            x=shown[mine].tolist(), y=[row for row, its in zip(rows, mine, strict=True) if its],
            name=label, orientation="h", texttemplate="%{x:+.2f}", textposition="outside",
            cliponaxis=False,
            marker={"color": colours[label], "pattern": {"shape": PATTERNS[i % len(PATTERNS)]}},
            hovertemplate=f"%{{y}}: %{{x:+.2f}}, {label}<extra></extra>",
        )  # fmt: skip
    figure.update_layout(barmode="overlay" if two else "group")
    title = f"decision value: below 0 {labels[0]}, above 0 {labels[1]}" if two else "decision value"
    reach = [1.2 * float(values.min(initial=0)), 1.2 * float(values.max(initial=0))]
    figure.update_xaxes(title=title, range=reach, zeroline=True, zerolinecolor=NEUTRAL)
    figure.update_yaxes(
        categoryorder="array", categoryarray=rows[::-1], type="category", ticksuffix="  "
    )
    return tidy(figure, 110 + (34 if two else 18 * len(labels)) * len(rows))


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


def number_bars(before: np.ndarray, after: np.ndarray) -> go.Figure:
    """Draw the numbers by which a network describes a face, before and after min-max.

    Parameters
    ----------
    before, after : ndarray of shape (n_numbers,)

    Returns
    -------
    Figure
    """
    figure = make_subplots(1, 2, subplot_titles=("before", "after"))
    for column, values in enumerate((before, after), start=1):
        figure.add_bar(
            x=np.arange(1, len(values) + 1), y=values, row=1, col=column, marker_color=NEUTRAL,
            hovertemplate="number %{x}: %{y:.2f}<extra></extra>",
        )  # fmt: skip
    figure.update_layout(showlegend=False, bargap=0)
    figure.update_xaxes(title="number")
    return tidy(figure, 240)


def coordinate_bars(deviations: np.ndarray, axis: str = "eigenface") -> go.Figure:
    """Draw the coordinates of a face as bars.

    Parameters
    ----------
    deviations : ndarray of shape (n_components,)
        Coordinates in standard deviations of the training faces.
    axis : str
        What a coordinate is called.

    Returns
    -------
    Figure
    """
    figure = go.Figure(
        go.Bar(
            x=np.arange(1, len(deviations) + 1),
            y=deviations,
            marker_color=NEUTRAL,
            hovertemplate=f"{axis} %{{x}}: %{{y:.2f}} standard deviations<extra></extra>",
        )
    )
    figure.update_layout(bargap=0.1)
    figure.update_xaxes(title=axis)
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
