"""Move a face through face space by its leading coordinates."""

import random
from collections.abc import Sequence

import numpy as np
import streamlit as st

from facecore.model import SPREAD, sample_coordinates, to_image
from ui.controls import choose
from ui.live_face import show_live_face
from ui.look import show_scores
from ui.models import Chosen
from ui.photo import say_whom
from ui.text import as_is

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
    st.session_state["start"] = random.choice(labels)
    st.session_state["start_seed"] = random.randint(0, 9999)
