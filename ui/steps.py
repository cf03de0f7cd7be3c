"""One face at every step of the way, from the photo to the decision."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Literal

import numpy as np
import streamlit as st

from facecore.face import Features, takes_whole_photos, to_rows
from facecore.model import (
    FaceAnswer,
    FaceModel,
    annotate,
    draw_features,
    label_colours,
    to_rgb,
)
from facecore.system import with_minus
from ui.charts import Bar, Key, draw_bars, draw_columns, draw_curve, show_charts
from ui.look import (
    MOST_BARS,
    NEUTRAL,
    TOP,
    WIDEST,
    format_distance,
    leading_labels,
    show_picture,
)
from ui.min_max import show_min_max
from ui.models import Chosen
from ui.probabilities import draw_scores
from ui.recipe import show_recipe
from ui.text import as_is
from ui.your_face import YourFace


def show_steps(yours: YourFace, face: FaceAnswer, chosen: Chosen) -> None:
    """Show a face at every step.

    Parameters
    ----------
    yours : YourFace
        The face, as the model reads it.
    face : FaceAnswer
        What the model answers about it.
    chosen : Chosen
        Model that gave the answer.
    """
    model, answer = chosen.model, yours.answer
    several = len(model.members) > 1
    prepared = to_rows([face.prepared], model.recipe)
    # The steps inside a member are shown for the one whose space can be drawn, if there is one.
    member, row = model.leading, prepared
    if model.draws:
        member, row = model.eigenfaces.pixels, face.crop.reshape(1, -1)
    scaled, coordinates = member.scale(row)[0], member.coordinates(row)[0]
    grid, numbers = st.grid(3, min_column_width=210, border=True), count(1)

    @contextmanager
    def _step(title: str, span: int | Literal["all"] = "all") -> Iterator[None]:
        with grid.cell(column_span=span):
            st.markdown(f"**{next(numbers)}. {title}**")
            yield

    colours = {k: to_rgb(v) for k, v in label_colours(model.labels).items()}
    whole = takes_whole_photos(model.recipe)
    with _step("Take the whole photo for the face" if whole else "Find the face", 1):
        show_picture(annotate(answer, colours, WIDEST), "Photo with its faces boxed")
    if not whole:
        with _step("Turn upright and crop" if face.landmarks else "Crop", 1):
            show_picture(yours.portrait, "The face cut out of the photo")
    side, tone = len(face.prepared), "Grey" if face.prepared.ndim == 2 else "Colour"
    with _step(f"{tone}, {side} x {side}", 1):
        show_picture(face.prepared, f"{tone} face, {side} by {side} pixels")
    if several:
        with _step("Each member of the model reads its own features"):
            _show_members(face, model)
    if model.draws:
        with _step("Min-max: every pixel on its own scale"):
            show_min_max(model.eigenfaces, face.crop)
    else:
        with _step("Embedding by a deep network, then min-max"):
            read = member.features.extract(row)[0]
            show_charts(
                *(
                    draw_columns(
                        values,
                        f"The embedding {when} min-max scaling",
                        NEUTRAL,
                        title=when,
                        note="dimension",
                    )
                    for when, values in (("before", read), ("after", scaled))
                )
            )
    if model.draws:
        with _step("Coordinates in face space: how much of each eigenface"):
            show_recipe(model.eigenfaces, face.crop)
    else:
        with _step("Coordinates in the space of embeddings"):
            # Coordinates are whitened or not; in standard deviations both look alike.
            deviations = coordinates * member.deviation / np.sqrt(member.variance)
            alt = "Coordinates of the face as columns"
            up = "standard deviations"
            show_charts(draw_columns(deviations, alt, NEUTRAL, up=up, note="component"))
    if face.reconstruction is not None:
        with _step(f"Reconstructed from {len(coordinates)} eigenfaces", 1):
            show_picture(face.reconstruction, "The face reconstructed from its coordinates")
    if several:
        with _step("The members vote, and their weighted mean decides"):
            names = [member.name for member in model.members]
            votes = model.member_decisions(prepared)[:, 0]
            alt = "Decision value of each member, and their weighted mean"
            show_charts(vote_bars(names, votes, model.shares, model.labels, alt, chosen.order))
            _say_hidden(model)
            st.caption(
                f"The steps after number {3 if whole else 4} are those of the member "
                f"{as_is(model.leading.name)}. Every other member takes the same steps with its "
                "own features: min-max, PCA, and a support vector machine."
                + (
                    f" The member {as_is(model.fisherfaces.name)} also goes from the coordinates "
                    "along eigenfaces to those along Fisherfaces."
                    if model.fisherfaces
                    else ""
                )
            )
    with _step("The decision and its calibrated probability"):
        decisions = model.decision_function(prepared)
        if len(model.labels) == 2:
            alt = f"The face on the calibration curve: {face.likely}, {face.probability:.0%}"
            show_charts(calibration_curve(model, decisions, alt))
        else:
            show_charts(*decision_bars(model, decisions, chosen.order))
            _say_hidden(model)
            st.caption(
                "Each label has a decision value of its own. Together they become probabilities "
                "that sum to 100%."
            )
        st.markdown(
            f"{'The mean of the members' if several else 'The support vector machine'} "
            f"{verdict_words(face)}. {_distance_words(face.distance, model.draws)}"
        )


def _show_members(face: FaceAnswer, model: FaceModel) -> None:
    grid = st.grid(max(len(model.members), 4), min_column_width=150)  # two would be huge
    for member in model.members:
        with grid.cell():
            alt = f"What the member {member.name} reads of the face"
            show_picture(draw_features(member.features, face.prepared), alt)
            st.caption(
                f"**{as_is(member.name)}**: {_feature_words(member.features, len(face.prepared))}"
            )


def _feature_words(features: Features, side: int) -> str:
    """Describe what features read of a prepared face of `side` x `side` pixels."""
    if features.frame == 1:
        where = "the whole crop"
    else:
        where = f"the central {100 * features.frame:.3g}% of the crop"
    count, size = f"{features.count(side):,} numbers", features.side or side
    if features.kind == "pixels":
        return f"grey levels of {where}, {size} x {size} pixels: {count}"
    if features.kind == "network":
        return f"the embedding of {where} by a deep network: {count}"
    if features.kind == "convolutions":
        return (
            f"64 shapes that a small network looks for in {where}, in 8 x 8 places of "
            f"{size} x {size} pixels: {count}. Others trained that network to tell gender"
        )
    cells = f"in cells of {features.cell} x {features.cell} pixels, {size} x {size} in all"
    if features.kind == "lbp":
        return (
            "which neighbours of a pixel are at least as bright as it (local binary patterns) in "
            f"{where}, counted {cells}: {count}"
        )
    return f"directions of edges (histograms of oriented gradients) in {where}, {cells}: {count}"


def verdict_words(face: FaceAnswer) -> str:
    """Describe what was answered about a face, as the rest of a sentence.

    Parameters
    ----------
    face : FaceAnswer
        Answer about one face.

    Returns
    -------
    str
        Markdown.
    """
    if face.label:
        return f"says **{as_is(face.label)}** with probability {face.probability:.2f}"
    return (
        f"finds **{as_is(face.likely)}** most likely, with probability {face.probability:.2f}; the "
        f"answer is **{as_is(face.verdict)}**: {as_is(face.why)}"
    )


def _distance_words(distance: float, draws: bool) -> str:
    shown = format_distance(distance)
    if draws:
        return (
            "What the eigenfaces cannot reconstruct of this face, its distance from face space, "
            f"is {shown} of a pixel's range."
        )
    return (
        "What the components leave out of this embedding, its distance from face space, is "
        f"{shown} of a value's range."
    )


def _say_hidden(model: FaceModel) -> None:
    """Say how many labels a chart leaves out, if it does."""
    if (count := len(model.labels)) > MOST_BARS:
        st.caption(f"Only the {TOP} likeliest of {count} labels are drawn.")


def vote_bars(
    names: Sequence[str],
    votes: np.ndarray,
    shares: np.ndarray,
    labels: Sequence[str],
    alt: str,
    order: Sequence[str] = (),
) -> str:
    """Draw the decision values of the members of a model, and their weighted mean.

    Of many labels only those with the highest mean are drawn.

    Parameters
    ----------
    names : sequence of str
        Names of the members.
    votes : ndarray of shape (n_members, n_outputs), float64
        Decision values of one face; one output for two labels, else one per label.
    shares : ndarray of shape (n_members, n_outputs), float64
        Weights of the members, which sum to 1 for each output.
    labels : sequence of str
        Labels in the model's order; with two, a value above 0 speaks for the second.
    alt : str
        What the chart shows, for screen readers.
    order : sequence of str
        The order of the labels that the model declares, if it does.

    Returns
    -------
    str
        HTML for `show_charts`.
    """
    colours, two = label_colours(labels), len(labels) == 2
    weights = shares.mean(axis=1)
    rows = [*(f"{name} ({share:.0%})" for name, share in zip(names, weights, strict=True)), "mean"]
    values = np.vstack([votes, (shares * votes).sum(axis=0)])
    means = dict.fromkeys(labels, 0.0) if two else dict(zip(labels, values[-1], strict=True))
    drawn, _ = leading_labels(means, order)

    def _bar(value: float, label: str) -> Bar:
        text = with_minus(f"{value:+.2f}")
        return Bar(value, colours[label], text, f"{label}: {text}", drawn.index(label))

    # With two labels a row has one bar, of the label on its side of 0; with more, one per label.
    bars = [
        [_bar(float(row[0]), labels[int(row[0] > 0)])]
        if two
        else [_bar(float(row[labels.index(label)]), label) for label in drawn]
        for row in values
    ]
    ends = (float(values.min(initial=0)), float(values.max(initial=0)))
    return draw_bars(
        list(zip(rows, bars, strict=True)),
        alt,
        ends,
        note=f"decision value: below 0 {labels[0]}, above 0 {labels[1]}"
        if two
        else "decision value",
        keys=[Key(label, colours[label], i) for i, label in enumerate(drawn)],
    )


def calibration_curve(model: FaceModel, decisions: np.ndarray, alt: str) -> str:
    """Draw how a decision value becomes the probability of the likelier label, and one face on it.

    Parameters
    ----------
    model : FaceModel
        Model of two labels whose calibration to draw.
    decisions : ndarray of shape (1,), float64
        Decision value of the face, as `FaceModel.decision_function` returns it. It speaks for the
        second label.
    alt : str
        What the chart shows, for screen readers.

    Returns
    -------
    str
        HTML for `show_charts`.
    """
    chances = model.probability_of(decisions)[0]
    which = int(chances.argmax())
    sign = 1 if which else -1  # decision values speak for the second label
    label, share = model.labels[which], float(chances[which])
    value = sign * float(decisions[0])
    reach = max(3.0, abs(value) * 1.15)
    x = np.linspace(-reach, reach, 121)
    curve = model.probability_of(sign * x)[:, which]
    colour = label_colours(model.labels)[label]
    return draw_curve(
        x,
        curve,
        (value, share),
        alt,
        colour,
        up=f"probability of {label}",
        note=f"decision value for {label}",
        keys=[Key(f"this face: {label} {share:.0%}", colour, point=True)],
    )


def decision_bars(
    model: FaceModel, decisions: np.ndarray, order: Sequence[str] = ()
) -> tuple[str, str]:
    """Draw the decision values of a face, and the probabilities that they become.

    Of many labels only the likeliest are drawn.

    Parameters
    ----------
    model : FaceModel
        Model of more than two labels.
    decisions : ndarray of shape (1, n_labels), float64
        Decision values of the face, as `FaceModel.decision_function` returns them.
    order : sequence of str
        The order of the labels that the model declares, if it does.

    Returns
    -------
    tuple of str
        HTML for `show_charts`.
    """
    values = dict(zip(model.labels, map(float, decisions[0]), strict=True))
    chances = dict(zip(model.labels, map(float, model.probability_of(decisions)[0]), strict=True))
    labels, colours = leading_labels(chances, order)[0], label_colours(model.labels)
    texts = {label: with_minus(f"{values[label]:+.2f}") for label in labels}
    rows = [
        (label, [Bar(values[label], colours[label], texts[label], f"{label}: {texts[label]}")])
        for label in labels
    ]
    drawn = [values[label] for label in labels]
    told = ", ".join(f"{label} {texts[label]}" for label in labels)
    alt = f"Decision value of each label: {told}"
    ends = (min(0.0, *drawn), max(0.0, *drawn))
    told = ", ".join(f"{label} {chances[label]:.0%}" for label in labels)
    return (
        draw_bars(rows, alt, ends, title="decision value"),
        draw_scores(chances, labels, f"Probability of each label: {told}", "probability"),
    )
