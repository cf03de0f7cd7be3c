"""Move a face through face space: by its leading coordinates, or along the decision."""

import random
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from facecore.model import (
    SPREAD,
    WALK_STEP,
    FaceModel,
    decision_for,
    label_colours,
    sample_coordinates,
    to_image,
    to_signed_image,
    walk,
)
from ui.controls import choose
from ui.live_face import show_live_face
from ui.look import REFERENCE, mark_point, show, show_picture, show_scores, tidy
from ui.models import Chosen
from ui.photo import say_whom
from ui.text import as_is

REACH = 3.0  # standard deviations
STEPS = round(REACH / WALK_STEP)
MEAN = "Mean face"


@st.fragment
def show_explorer(chosen: Chosen) -> None:
    """Show a face that is redrawn while one drags its eigenfaces, and the decision for it.

    Parameters
    ----------
    chosen : Chosen
        Model with eigenfaces that stores a spread to draw synthetic faces from.
    """
    model, start = chosen.model.eigenfaces, _pick_start(chosen)
    st.caption(
        "Drag: the face is the one that you started from, plus so many standard deviations of each "
        "eigenface. An eigenface is orange where it brightens the face and blue where it darkens "
        "it; its words are computed from where it does."
    )
    name = f"{chosen.name} {chosen.metadata['created']}"
    weights = show_live_face(model, name, start, "live_face")
    # One standard deviation of the training faces, in the unit of the coordinates.
    unit = np.sqrt(model.pixels.variance) / model.pixels.deviation
    point = start.copy()
    point[: len(weights)] += weights * unit[: len(weights)]
    face = to_image(model.pixels.rebuild(point[None])[0])
    probabilities = model.predict_proba(face.reshape(1, -1))[0]
    scores = dict(zip(model.labels, map(float, probabilities), strict=True))
    best = max(scores, key=scores.__getitem__)
    with st.container(width=560):
        st.markdown(f"**{as_is(best)}**, probability {scores[best]:.2f}")
        show_scores(scores, chosen.order, "Probability of each label", "explorer-scores")
    say_whom(chosen)


def _pick_start(chosen: Chosen) -> np.ndarray:
    """Ask for the face to start from and return its coordinates, shape (n_components,)."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        start = choose("Start from", (MEAN, *chosen.labels), "start")
        seed = st.number_input(
            "Seed",
            0,
            9999,
            15,
            width=140,
            key="start_seed",
            bind="query-params",
            disabled=start == MEAN,
        )
        st.button("Random face", on_click=_random, args=(chosen.labels,), icon=":material/casino:")
    model = chosen.model.eigenfaces
    point = np.zeros(len(model.pixels.components))
    if start != MEAN:
        drawn = sample_coordinates(model, start, 1, int(seed), SPREAD)[0]
        point[: len(drawn)] = drawn
    return point


def _random(labels: Sequence[str]) -> None:
    st.session_state["steps"] = 0.0
    st.session_state["start"] = random.choice(labels)
    st.session_state["start_seed"] = random.randint(0, 9999)


@st.fragment
def show_walk(chosen: Chosen) -> None:
    """Show a face moved along the direction that changes the decision fastest.

    Parameters
    ----------
    chosen : Chosen
        Model with eigenfaces that stores a spread to draw synthetic faces from.
    """
    model, start = chosen.model.eigenfaces, _pick_start(chosen)
    label = choose("Towards", chosen.labels, "towards", default=chosen.labels[-1])
    distance = st.slider(
        "Distance walked, in standard deviations",
        -REACH,
        REACH,
        0.0,
        WALK_STEP,
        format="%+.2f",
        key="steps",
        bind="query-params",
        help="Below 0 the walk leads away from the label. Each step takes the direction in which "
        "the decision changes fastest.",
    )
    distances = np.arange(-STEPS, STEPS + 1) * WALK_STEP
    way, decisions = _walk(model, f"{chosen.name} {chosen.metadata['created']}", start, label)
    here = STEPS + round(distance / WALK_STEP)
    rows = model.pixels.rebuild(way)
    changed = to_signed_image(rows[here] - rows[STEPS])
    pictures, chart = st.columns([4, 3], gap="medium")
    with pictures.container(horizontal=True):
        show_picture(to_image(rows[STEPS]), "Face at the start", "Start", width=140)
        alt = f"Face after {distance:+.2f} standard deviations"
        show_picture(to_image(rows[here]), alt, f"After {distance:+.2f}", width=140)
        alt = "The difference, on a symmetric scale: middle grey is no change"
        show_picture(changed, alt, "What changed", width=140)
    with chart:
        colour = label_colours(model.labels)[label]
        figure = walk_figure(distances, decisions, here, label, colour)
        show(figure, f"Decision for {label} along the way: {decisions[here]:.2f} here", "walk")
    with st.container(horizontal=True, gap="xsmall"):
        for i in range(0, 2 * STEPS + 1, STEPS // 3):
            alt = f"Face after {distances[i]:+.1f} standard deviations"
            show_picture(to_image(rows[i]), alt, f"{distances[i]:+.1f}", width=110)
    say_whom(chosen)


@st.cache_data(max_entries=32, show_spinner="Walking")
def _walk(
    _model: FaceModel, name: str, start: np.ndarray, label: str
) -> tuple[np.ndarray, np.ndarray]:
    # The underscore keeps the model out of the cache's key: its arrays are too large to hash, and
    # its name stands for it.
    back, forth = (walk(_model, start, label, steps) for steps in (-STEPS, STEPS))
    way = np.concatenate([back[:0:-1], forth])  # the start belongs to both
    rows = np.array([to_image(row).reshape(-1) for row in _model.pixels.rebuild(way)])
    return way, decision_for(_model, rows, label)


def walk_figure(
    distances: np.ndarray, decisions: np.ndarray, here: int, label: str, colour: str
) -> go.Figure:
    """Draw the decision along a walk.

    Parameters
    ----------
    distances : ndarray of shape (n,), float64
        Distances from the start in standard deviations.
    decisions : ndarray of shape (n,), float64
        Decision values; above 0 they speak for the label.
    here : int
        Index of the place to mark.
    label : str
        Label that the walk leads to.
    colour : str
        Colour of the label.

    Returns
    -------
    Figure
    """
    figure = go.Figure()
    figure.add_scatter(
        x=distances,
        y=decisions,
        mode="lines",
        line={"color": colour},
        showlegend=False,
        hovertemplate="%{x:+.2f}: %{y:.2f}<extra></extra>",
    )
    mark_point(figure, distances[here], decisions[here], colour)
    figure.add_hline(y=0, line=REFERENCE, annotation_text=f"above: {label}")
    figure.update_xaxes(title="distance walked, in standard deviations")
    figure.update_yaxes(title=f"decision for {label}")
    return tidy(figure, 280)
