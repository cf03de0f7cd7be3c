"""Move a face through face space: by its leading coordinates, or along the decision."""

import random

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from facecore.face import to_png
from facecore.model import (
    SPREAD,
    WALK_STEP,
    FaceModel,
    decision_for,
    sample_coordinates,
    to_image,
    to_signed_image,
    walk,
)
from ui.look import label_colours, score_bars, show, tidy

SLIDERS = 8
REACH = 3.0  # standard deviations
STEPS = round(REACH / WALK_STEP)
MEAN = "Mean face"


@st.fragment
def show_explorer(model: FaceModel) -> None:
    """Show sliders for the leading coordinates, and the face that they draw with its decision.

    Parameters
    ----------
    model : FaceModel
        Of pixels alone, that stores a spread to draw made faces from.
    """
    start = _pick_start(model)
    unit = np.sqrt(model.pixels.variance) / model.pixels.deviation
    result, controls = st.columns([2, 3], gap="large")
    point = start.copy()
    with controls:
        st.caption("Added to the face that you started from, in standard deviations.")
        grid = st.grid(2, min_column_width=170, gap=("xsmall", "medium"))
        for i in range(min(SLIDERS, len(point))):
            moved = grid.slider(
                f"Eigenface {i + 1}", -REACH, REACH, 0.0, 0.1, format="%+.1f", key=f"e{i + 1}",
                bind="query-params",
            )  # fmt: skip
            point[i] += moved * unit[i]
    face, before = (to_image(row) for row in model.pixels.rebuild(np.stack([point, start])))
    probabilities = model.predict_proba(face.reshape(1, -1))[0]
    scores = dict(zip(model.labels, map(float, probabilities), strict=True))
    with result:
        with st.container(horizontal=True):
            st.image(
                to_png(face),
                caption="This point",
                alt="Face at this point",
                output_format="PNG",
                width=180,
            )
            st.image(
                to_png(before),
                caption="Start",
                alt="Face at the start",
                output_format="PNG",
                width=90,
            )
        show(
            score_bars(scores),
            "Probability of each label: " + ", ".join(f"{k} {v:.0%}" for k, v in scores.items()),
            "explorer-scores",
        )
        best = max(scores, key=scores.__getitem__)
        st.markdown(f"**{best}**, probability {scores[best]:.2f}")
    st.caption("Made from the model's face space: it shows no person.")


def _pick_start(model: FaceModel) -> np.ndarray:
    """Ask for the face to start from and return its coordinates, shape (n_components,)."""
    options = (MEAN, *model.labels)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        start = st.segmented_control(
            "Start from", options, default=MEAN, required=True, key="start", bind="query-params"
        )
        seed = st.number_input("Seed", 0, 9999, 15, width=140, key="start_seed",
                               bind="query-params", disabled=start == MEAN)  # fmt: skip
        st.button("Random face", on_click=_random, args=(model.labels,), icon=":material/casino:")
        st.button("Reset", on_click=_reset, icon=":material/restart_alt:")
    point = np.zeros(len(model.pixels.components))
    if start in model.labels:  # an old address may name another model's label
        drawn = sample_coordinates(model, start, 1, int(seed), SPREAD)[0]
        point[: len(drawn)] = drawn
    return point


def _reset() -> None:
    for i in range(SLIDERS):
        st.session_state[f"e{i + 1}"] = 0.0
    st.session_state["steps"] = 0.0


def _random(labels: tuple[str, ...]) -> None:
    _reset()
    st.session_state["start"] = random.choice(labels)
    st.session_state["start_seed"] = random.randint(0, 9999)


@st.fragment
def show_walk(model: FaceModel, name: str) -> None:
    """Show a face moved along the direction that changes the decision fastest.

    Parameters
    ----------
    model : FaceModel
        Of pixels alone, that stores a spread to draw made faces from.
    name : str
        Apart from those of other models.
    """
    start = _pick_start(model)
    label = st.segmented_control(
        "Towards", model.labels, default=model.labels[-1], required=True, key="towards",
        bind="query-params",
    )  # fmt: skip
    label = label if label in model.labels else model.labels[-1]
    distance = st.slider(
        "Distance walked, in standard deviations", -REACH, REACH, 0.0, WALK_STEP, format="%+.2f",
        key="steps", bind="query-params",
        help="Below 0 away from the label. At each step the direction is that in which the "
        "decision changes fastest.",
    )  # fmt: skip
    distances = np.arange(-STEPS, STEPS + 1) * WALK_STEP
    way, decisions = _walk(model, name, start, label)
    here = STEPS + round(distance / WALK_STEP)
    rows = model.pixels.rebuild(way)
    pictures, chart = st.columns([4, 3], gap="medium")
    with pictures.container(horizontal=True):
        st.image(
            to_png(to_image(rows[STEPS])),
            caption="Start",
            alt="Face at the start",
            output_format="PNG",
            width=140,
        )
        st.image(
            to_png(to_image(rows[here])), caption=f"After {distance:+.2f}",
            alt=f"Face after {distance:+.2f} standard deviations", output_format="PNG", width=140,
        )  # fmt: skip
        st.image(
            to_png(to_signed_image(rows[here] - rows[STEPS])), caption="What changed",
            alt="The difference, on a symmetric scale: middle grey is no change",
            output_format="PNG", width=140,
        )  # fmt: skip
    with chart:
        colour = label_colours(model.labels)[label]
        show(
            walk_figure(distances, decisions, here, label, colour),
            f"Decision for {label} along the way: {decisions[here]:.2f} here",
            "walk",
        )
    st.image(
        [to_png(to_image(rows[i])) for i in range(0, 2 * STEPS + 1, STEPS // 3)],
        caption=[f"{distances[i]:+.1f}" for i in range(0, 2 * STEPS + 1, STEPS // 3)],
        alt=[f"Face after {distances[i]:+.1f} standard deviations"
             for i in range(0, 2 * STEPS + 1, STEPS // 3)],
        output_format="PNG", width=110,
    )  # fmt: skip
    st.caption("Made from the model's face space: it shows no person.")


@st.cache_data(max_entries=32, show_spinner="Walking")
def _walk(
    _model: FaceModel, name: str, start: np.ndarray, label: str
) -> tuple[np.ndarray, np.ndarray]:
    # the name stands for the model, whose arrays are too large to hash
    back, forth = (walk(_model, start, label, steps) for steps in (-STEPS, STEPS))
    way = np.concatenate([back[:0:-1], forth])
    rows = np.array([to_image(row).reshape(-1) for row in _model.pixels.rebuild(way)])
    return way, decision_for(_model, rows, label)


def walk_figure(
    distances: np.ndarray, decisions: np.ndarray, here: int, label: str, colour: str
) -> go.Figure:
    """Draw the decision along a walk.

    Parameters
    ----------
    distances : ndarray of shape (n,)
        In standard deviations.
    decisions : ndarray of shape (n,)
        In favour of the label.
    here : int
        Index of the place to mark.
    label, colour : str

    Returns
    -------
    Figure
    """
    figure = go.Figure()
    figure.add_scatter(
        x=distances, y=decisions, mode="lines", line={"color": colour}, showlegend=False,
        hovertemplate="%{x:+.2f}: %{y:.2f}<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=[distances[here]], y=[decisions[here]], mode="markers", showlegend=False,
        marker={"size": 14, "symbol": "diamond", "color": colour}, hoverinfo="skip",
    )  # fmt: skip
    figure.add_hline(y=0, line_dash="dot", annotation_text=f"above: {label}")
    figure.update_xaxes(title="distance walked, in standard deviations")
    figure.update_yaxes(title=f"decision for {label}")
    return tidy(figure, 280)
