"""One photo to look at: a synthetic face, an upload, or a picture taken by the camera."""

import streamlit as st

from facecore.face import SUFFIXES, default_limits, to_png
from facecore.model import PhotoAnswer, make_photo
from ui.controls import choose
from ui.models import Chosen
from ui.text import as_is

SOURCES = ("Synthetic face", "Upload", "Camera")
SYNTHETIC = "synthetic"  # first word of the name of a photo from face space


def say_whom(chosen: Chosen, photo: str = SYNTHETIC) -> None:
    """Say whom a face shows that is drawn from a model's face space.

    Parameters
    ----------
    chosen : Chosen
        Model that draws the face.
    photo : str
        Name of the photo, as `pick_photo` returns it; nothing is said of a visitor's own.
    """
    if photo.split(" ")[0] != SYNTHETIC:
        return
    st.caption(as_is(f"Drawn from the face space of {chosen.name}. {chosen.whom}"))


def pick_photo(chosen: Chosen, prefix: str) -> tuple[str, bytes] | None:
    """Ask for one photo.

    Parameters
    ----------
    chosen : Chosen
        Model that draws synthetic faces, if it stores a spread to draw from.
    prefix : str
        Prefix of the widgets' keys, which are the parameters in the URL.

    Returns
    -------
    name : str
    photo : bytes
        Encoded photo; None in place of both as long as there is none.
    """
    sources = SOURCES if chosen.model.spread else SOURCES[1:]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        source = choose("Face from", sources, f"{prefix}_from")
        if source == SOURCES[0]:
            return pick_synthetic(chosen, f"{prefix}_label", f"{prefix}_seed", first_seed=15)
    if source == "Camera":
        shot = st.camera_input("Take a photo", key=f"{prefix}_camera")
        return ("camera", shot.getvalue()) if shot else None
    upload = st.file_uploader(
        "Photo",
        type=[suffix.removeprefix(".") for suffix in SUFFIXES],
        max_upload_size=default_limits().max_bytes // 2**20,
        help="It stays in memory and is gone when you leave.",
        key=f"{prefix}_photo",
    )
    return (upload.name, upload.getvalue()) if upload else None


def pick_synthetic(
    chosen: Chosen, label_key: str, seed_key: str, first_seed: int = 0
) -> tuple[str, bytes]:
    """Ask for a label and a seed, and draw the photo of a synthetic face.

    Parameters
    ----------
    chosen : Chosen
        Model that stores a spread to draw from.
    label_key, seed_key : str
        Keys of the two widgets.
    first_seed : int
        Seed shown at first.

    Returns
    -------
    name : str
        `SYNTHETIC`, label and seed.
    photo : bytes
        Encoded photo.
    """
    label = choose("Label", chosen.labels, label_key)
    seed = st.number_input(
        "Seed", 0, 9999, first_seed, width=160, key=seed_key, bind="query-params"
    )
    return f"{SYNTHETIC} {label} {seed}", to_png(make_photo(chosen.model, label, int(seed)))


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
