"""The face that the lesson follows: a synthetic one, or the visitor's own, kept in the session."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from facecore.face import SUFFIXES, default_limits
from facecore.model import predict_photo, sample_faces
from ui.controls import choose
from ui.look import show_picture
from ui.models import Chosen
from ui.photo import has_face

SEED = 15
OWN = "lesson_own"  # in the session: the photo, and the crop of the model that read it last


@dataclass(frozen=True)
class LessonFace:
    """The face of a lesson.

    Parameters
    ----------
    crop : ndarray of shape (side, side), uint8
        Grey levels, from 0 to 255, of what the model's eigenfaces read.
    name : str
        What tells it from other faces.
    own : bool
        Whether it is the visitor's own.
    """

    crop: np.ndarray
    name: str
    own: bool

    @property
    def words(self) -> str:
        """What a sentence calls it."""
        return "your face" if self.own else "this face"


def pick_face(chosen: Chosen) -> LessonFace:
    """Ask for the face to follow; without a photo, it is a synthetic one.

    Parameters
    ----------
    chosen : Chosen
        Model that draws the synthetic face.

    Returns
    -------
    LessonFace
    """
    with st.popover("Your face", icon=":material/face:"):
        own = _pick_own(chosen)
        if own is not None:
            return own
        label = choose("Synthetic face of", chosen.labels, "lesson_label")
        seed = st.number_input("Seed", 0, 9999, SEED, key="lesson_seed", bind="query-params")
    crop = sample_faces(chosen.model, label, 1, int(seed))[0]
    return LessonFace(crop, f"{label} {seed}", own=False)


def _pick_own(chosen: Chosen) -> LessonFace | None:
    st.caption(
        "Your photo stays in the memory of this visit and is gone when you leave or remove it."
    )
    turn = st.session_state.setdefault("lesson_turn", 0)  # a new key empties the widget
    if OWN not in st.session_state:
        source = st.segmented_control(
            "Photo from", ("Upload", "Camera"), default="Upload", required=True, key="lesson_source"
        )
        if source == "Camera":
            photo = st.camera_input("Take a photo", key=f"lesson_camera_{turn}")
        else:
            photo = st.file_uploader(
                "Photo",
                type=[suffix.removeprefix(".") for suffix in SUFFIXES],
                max_upload_size=default_limits().max_bytes // 2**20,
                key=f"lesson_photo_{turn}",
            )
        if photo is None:
            return None
        st.session_state[OWN] = {"photo": photo.getvalue(), "id": photo.file_id}
    kept = st.session_state[OWN]
    model = f"{chosen.name} {chosen.metadata['created']}"
    if kept.get("model") != model:  # each model has a crop of its own
        answer = predict_photo(kept["photo"], chosen.model, name="your photo")
        if not has_face(answer) or answer.main is None:
            _forget(turn)
            return None
        kept |= {"model": model, "crop": answer.main.crop}
    show_picture(kept["crop"], "Your face, as the model reads it", width=120)
    st.button("Remove my face", icon=":material/delete:", on_click=_forget, args=(turn,))
    return LessonFace(kept["crop"], kept["id"], own=True)


def _forget(turn: int) -> None:
    """Remove the photo and everything that was computed from it."""
    for key in (OWN, "lesson_made"):
        st.session_state.pop(key, None)
    st.session_state["lesson_turn"] = turn + 1
