"""The faces that are mixed: your face or one of the class, and a second one of any origin."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from facecore.model import sample_faces
from ui.class_faces import YourClass
from ui.controls import choose
from ui.face_picker import YOURS, ask_for_face, ask_for_photo, face_or_hint
from ui.models import Chosen
from ui.photo import has_face
from ui.your_face import LAST_SEED, SECOND, read_photo

SYNTHETIC, PHOTO, CLASS = "Synthetic face", "Photo", "Your class"
SECOND_SEED = 9


@dataclass(frozen=True)
class Mixed:
    """A face to mix.

    Parameters
    ----------
    face : ndarray of shape (side, side), uint8, or None
        Prepared by the model; None as long as there is none.
    drawer : Chosen or None
        The model that drew it, if it is synthetic.
    """

    face: np.ndarray | None
    drawer: Chosen | None = None


def pick_first(chosen: Chosen, klass: YourClass, prefix: str) -> Mixed | None:
    """Ask for the first face: the face of the visit, or one of the class.

    Parameters
    ----------
    chosen : Chosen
        Model with eigenfaces that prepares the face.
    klass : YourClass
        Faces to choose from, prepared by the same model; there may be none.
    prefix : str
        Prefix of the widgets' keys, which are the parameters in the URL.

    Returns
    -------
    Mixed or None
        None for the face of the visit, which `or_yours` puts in.
    """
    sources = [YOURS, *([CLASS] if klass.faces else [])]
    if choose("Face from", sources, f"{prefix}_from") == CLASS:
        return _of_class(klass, prefix)
    ask_for_face(chosen)
    return None


def or_yours(picked: Mixed | None, chosen: Chosen) -> Mixed:
    """Return a face that was picked, else the face of the visit; say so where there is none.

    Parameters
    ----------
    picked : Mixed or None
        As `pick_first` returns it.
    chosen : Chosen
        Model with eigenfaces that prepares the face.

    Returns
    -------
    Mixed
    """
    if picked:
        return picked
    face = face_or_hint(chosen)
    return Mixed(face.crop, face.drawer) if face else Mixed(None)


def pick_second(chosen: Chosen, klass: YourClass) -> Mixed:
    """Ask for the second face.

    Parameters
    ----------
    chosen : Chosen
        Model with eigenfaces that draws or prepares the face.
    klass : YourClass
        Faces to choose from besides, prepared by the same model; there may be none.

    Returns
    -------
    Mixed
    """
    sources = [SYNTHETIC] if chosen.model.spread else []
    sources += [PHOTO, *([CLASS] if klass.faces else [])]
    source = choose("Face from", sources, "second_from")
    if source == CLASS:
        return _of_class(klass, "second")
    if source == PHOTO:
        reading = read_photo(SECOND, chosen)
        ask_for_photo(SECOND, "Another photo" if reading else "Photo")
        return Mixed(reading.crop if reading and has_face(reading.answer) else None)
    label = choose("Label", chosen.labels, "second_label", default=chosen.labels[-1])
    seed = st.number_input(
        "Seed", 0, LAST_SEED, SECOND_SEED, key="second_seed", bind="query-params", width=160
    )
    face: np.ndarray = sample_faces(chosen.model.eigenfaces, label, 1, int(seed))[0]
    return Mixed(face, chosen)


def _of_class(klass: YourClass, prefix: str) -> Mixed:
    titles = klass.titles
    number = st.selectbox(
        "Face",
        range(len(titles)),
        format_func=lambda i: f"{i + 1}: {titles[i]}" if i < len(titles) else "",
        key=f"{prefix}_of_class",
    )
    return Mixed(klass.faces[min(number or 0, len(titles) - 1)].crop)
