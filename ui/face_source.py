"""One prepared face: synthetic, from a photo, or one that a visitor brought to the class."""

import numpy as np
import streamlit as st

from facecore.face import SUFFIXES, default_limits
from facecore.model import predict_photo, sample_faces
from ui.class_faces import YourClass
from ui.controls import choose
from ui.models import Chosen
from ui.photo import has_face

SYNTHETIC, UPLOAD, CAMERA, CLASS = "Synthetic face", "Upload", "Camera", "Your class"


def pick_face(
    chosen: Chosen, klass: YourClass, prefix: str, label: str, seed: int
) -> np.ndarray | None:
    """Ask for one face.

    Parameters
    ----------
    chosen : Chosen
        Model with eigenfaces that draws or prepares the face.
    klass : YourClass
        Faces to choose from, prepared by the same model; there may be none.
    prefix : str
        Prefix of the widgets' keys, which are the parameters in the URL.
    label : str
        Label of the synthetic face shown at first.
    seed : int
        Its seed.

    Returns
    -------
    ndarray of shape (side, side), uint8, or None
        The prepared grey face; None as long as there is none.
    """
    sources = [SYNTHETIC] if chosen.model.spread else []
    sources += [UPLOAD, CAMERA, *([CLASS] if klass.faces else [])]
    source = choose("Face from", sources, f"{prefix}_from")
    if source == SYNTHETIC:
        label = choose("Label", chosen.labels, f"{prefix}_label", default=label)
        seed = st.number_input(
            "Seed", 0, 9999, seed, key=f"{prefix}_seed", bind="query-params", width=160
        )
        face: np.ndarray = sample_faces(chosen.model.eigenfaces, label, 1, int(seed))[0]
        return face
    if source == CLASS:
        titles = klass.titles
        number = st.selectbox(
            "Face",
            range(len(titles)),
            format_func=lambda i: f"{i + 1}: {titles[i]}" if i < len(titles) else "",
            key=f"{prefix}_of_class",
        )
        return klass.faces[min(number or 0, len(titles) - 1)].crop
    if source == CAMERA:
        photo = st.camera_input("Take a photo", key=f"{prefix}_camera")
    else:
        photo = st.file_uploader(
            "Photo",
            type=[suffix.removeprefix(".") for suffix in SUFFIXES],
            max_upload_size=default_limits().max_bytes // 2**20,
            help="It stays in memory and is gone when you leave.",
            key=f"{prefix}_photo",
        )
    kept = f"{prefix}_crop"  # so that a move of the slider does not look for the face again
    if photo is None:
        st.session_state.pop(kept, None)
        return None
    name = (photo.file_id, chosen.name, chosen.metadata["created"])
    if st.session_state.get(kept, (None,))[0] != name:
        answer = predict_photo(photo.getvalue(), chosen.model, name="")
        if not has_face(answer) or answer.main is None:
            return None
        st.session_state[kept] = (name, answer.main.crop)
    crop: np.ndarray = st.session_state[kept][1]
    return crop
