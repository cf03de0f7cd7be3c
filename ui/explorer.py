"""Move a face through face space by its leading coordinates."""

import random
from collections.abc import Sequence

import numpy as np
import streamlit as st

from facecore.model import FaceModel, to_image
from ui.controls import choose
from ui.face_picker import YOURS, ask_for_face, draw_face, face_or_hint, say_whose
from ui.live_face import show_live_face
from ui.models import Chosen
from ui.photo import say_whom
from ui.probabilities import show_scores
from ui.your_face import LAST_SEED, OWN, drawer_of, your_visit

MEAN = "Mean face"


def show_explorer(chosen: Chosen) -> None:
    """Show a face that is redrawn while one drags its eigenfaces, and the decision for it.

    Parameters
    ----------
    chosen : Chosen
        Model with eigenfaces.
    """
    with st.container(horizontal=True, vertical_alignment="bottom"):
        origin = choose("Start from", (YOURS, MEAN), "start")
        with st.popover("Choose your face", icon=":material/face:"):
            ask_for_face(chosen)
        if drawer := drawer_of(chosen):
            st.button(
                "Random face",
                on_click=_random,
                args=(drawer.labels,),
                icon=":material/casino:",
                disabled=OWN in your_visit().photos,
                help="Of a label and a seed drawn at random, while there is no photo of yours",
            )
    model = chosen.model.eigenfaces
    face = face_or_hint(chosen) if origin == YOURS else None
    start = np.zeros(len(model.pixels.components))
    if face:
        start = model.pixels.coordinates(face.crop.reshape(1, -1))[0]
    _show_moved(chosen, start)
    if face:
        say_whose(face)
    else:
        say_whom(chosen)


@st.fragment
def _show_moved(chosen: Chosen, start: np.ndarray) -> None:
    """Show the sliders, the face and the decision; shape of start (n_components,)."""
    model = chosen.model.eigenfaces
    name = f"{chosen.name} {chosen.metadata['created']}"

    scores: dict[str, float] = {}

    def say(weights: np.ndarray) -> str:
        scores.update(_scores(model, start, weights))
        best = max(scores, key=scores.__getitem__)
        return f"{best}, probability {scores[best]:.2f}"

    show_live_face(model, name, start, "live_face", answer=say)
    with st.container(width=560):
        show_scores(scores, chosen.order, "Probability of each label")
    st.caption(
        "Drag: the face is the one that you started from, plus so many standard deviations of each "
        "eigenface; the answer below it follows when you let go. An eigenface is orange where it "
        "brightens the face and blue where it darkens it; its words are computed from where it "
        "does."
    )


def _scores(model: FaceModel, start: np.ndarray, weights: np.ndarray) -> dict[str, float]:
    """Return the probability of each label for the start, moved by so many deviations."""
    # One standard deviation of the training faces, in the unit of the coordinates.
    unit = np.sqrt(model.pixels.variance) / model.pixels.deviation
    point = start.copy()
    point[: len(weights)] += weights * unit[: len(weights)]
    face = to_image(model.pixels.rebuild(point[None])[0])
    probabilities = model.predict_proba(face.reshape(1, -1))[0]
    return dict(zip(model.labels, map(float, probabilities), strict=True))


def _random(labels: Sequence[str]) -> None:
    st.session_state["start"] = YOURS
    draw_face(random.choice(labels), random.randint(0, LAST_SEED))
