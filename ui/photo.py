"""What pages say of a photo and of a synthetic face."""

import streamlit as st

from facecore.model import PhotoAnswer
from ui.models import Chosen
from ui.text import as_is


def say_whom(chosen: Chosen) -> None:
    """Say whom faces show that are drawn from a model's face space.

    Parameters
    ----------
    chosen : Chosen
        Model that draws the faces.
    """
    st.caption(as_is(f"Drawn from the face space of {chosen.name}. {chosen.whom}"))


def say_no_spread() -> None:
    """Say that the model cannot draw synthetic faces."""
    st.info("This model stores no spread to draw synthetic faces from.", icon=":material/info:")


def has_face(answer: PhotoAnswer) -> bool:
    """Return whether a face was found in a photo; if not, show why. Show the photo's notes.

    Parameters
    ----------
    answer : PhotoAnswer
        Answer of any model.

    Returns
    -------
    bool
    """
    for note in answer.notes:
        st.info(note, icon=":material/info:")
    if answer.error:
        st.error(as_is(f"{answer.photo}: {answer.error}"), icon=":material/broken_image:")
    elif not answer.faces:
        st.info(
            "No face was found. A large, upright face seen from the front works best.",
            icon=":material/face_retouching_off:",
        )
    return bool(answer.faces)
