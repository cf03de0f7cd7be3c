"""What a model says of what the camera sees, photo by photo, for the page Your data."""

from functools import partial

import streamlit as st

from facecore.data import read_samples
from facecore.errors import FacecoreError
from facecore.model import leading_scores, predict_photo
from ui.answers import CAVEAT
from ui.camera import show_live_camera
from ui.components import encode_face
from ui.models import Chosen
from ui.text import as_is

KEY, ANSWER = "live_view_camera", "live_view_answer"


def show_live_view(chosen: Chosen) -> None:
    """Offer a live view of a model through the camera.

    Parameters
    ----------
    chosen : Chosen
        Model that answers.
    """
    st.header("Live view")
    if not st.toggle(f"See through the camera what {as_is(chosen.name)} says", key="live_view"):
        st.session_state.pop(ANSWER, None)
        return
    _show(chosen)
    st.caption(
        "A picture is sent, answered and forgotten, and then the next one. Nothing is stored: only "
        "the last face stays, in the memory of this visit, until the view is turned off. " + CAVEAT
    )


@st.fragment
def _show(chosen: Chosen) -> None:
    show_live_camera(st.session_state.get(ANSWER), partial(_answer, chosen), KEY)


def _answer(chosen: Chosen) -> None:
    """Answer the picture that the browser sent, for the run that follows."""
    frame = st.session_state[KEY].get("frame")
    if not isinstance(frame, dict):
        return
    found: dict[str, object] = {"number": frame.get("number"), "text": "", "detail": ""}
    st.session_state[ANSWER] = found
    pictures, _ = read_samples([frame.get("picture")])
    if not pictures:
        found["text"] = "This picture cannot be read"
        return
    try:
        face = predict_photo(pictures[0], chosen.model, name="").main
    except FacecoreError as error:
        found["text"] = str(error)
        return
    if face is None:
        found["text"] = "No face found"
        return
    shown, rest = leading_scores(face.scores, chosen.order)
    scores = ", ".join(f"{label} {face.scores[label]:.0%}" for label in shown)
    found["text"] = f"{face.verdict} {face.probability:.0%}" if face.label else face.verdict
    found["detail"] = scores + (f", {len(rest)} more" if rest else "")
    if face.crop.ndim == 2:
        found |= {"face": encode_face(face.crop), "side": len(face.crop)}
