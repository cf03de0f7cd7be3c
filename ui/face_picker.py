"""The one place where visitors choose their face: an example, a synthetic one, or a photo."""

import numpy as np
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from facecore.errors import FacecoreError
from facecore.face import SUFFIXES, default_limits
from facecore.model import FaceModel, sample_faces
from ui.controls import choose
from ui.look import show_picture
from ui.models import MODEL, Chosen, Written, load_chosen, written
from ui.photo import has_face, say_whom
from ui.text import as_is
from ui.uploads import let_go
from ui.your_face import (
    FIRST_SEED,
    LABEL,
    LAST_SEED,
    OWN,
    SEED,
    YourFace,
    chosen_drawer,
    drawer_of,
    get_face,
    is_first,
    read_photo,
    remove_photos,
    synthetic_choice,
    take_photo,
    your_visit,
)

YOURS = "Your face"  # what pages call it
EXAMPLES = 6
TINY = 48  # pixels, of the face in a presentation's bar
SMALL, LARGE = 84, 96  # pixels that an example is wide at least, in a popover and on a page
KEPT = "It stays in the memory of this visit, and is gone when you leave or remove it."


def pick_face(chosen: Chosen, title: str = YOURS) -> YourFace | None:
    """Offer to choose the face of the visit, and return it.

    Parameters
    ----------
    chosen : Chosen
        Model that reads the face.
    title : str
        Of the button that opens the choices.

    Returns
    -------
    YourFace or None
        None, after a hint, if there is neither a photo nor a model to draw a face.
    """
    with st.popover(title, icon=":material/face:"):
        ask_for_face(chosen)
    return face_or_hint(chosen)


def face_or_hint(chosen: Chosen) -> YourFace | None:
    """Return the face of the visit; say what hinders where it is not the visitor's own photo.

    Parameters
    ----------
    chosen : Chosen
        Model that reads the face.

    Returns
    -------
    YourFace or None
    """
    reading, face = read_photo(OWN, chosen), get_face(chosen)
    if reading and not has_face(reading.answer) and face:
        st.caption("In place of your photo, this page shows a synthetic face.")
    if face is None:
        st.info("Choose a photo of your face.", icon=":material/image_search:")
    return face


def ask_for_face(chosen: Chosen) -> None:
    """Ask for the face of the visit; the face that there is can be removed.

    Parameters
    ----------
    chosen : Chosen
        Model that reads the face.
    """
    reading, drawer = read_photo(OWN, chosen), drawer_of(chosen)
    if reading:
        if reading.crop is not None:
            show_picture(reading.crop, "Your face, as the model reads it", width=120)
        _offer_removal("here")
    ask_for_photo(OWN, "Another photo" if reading else "Your photo")
    if drawer and not reading:
        _show_examples(drawer)
        _ask_for_synthetic(drawer)


def ask_for_photo(role: str, label: str) -> None:
    """Ask for a photo, which the session takes over from the widget.

    Parameters
    ----------
    role : str
        `ui.your_face.OWN` or `SECOND`.
    label : str
        What the photo is.
    """
    sources = ("Upload", "Camera")
    key = f"{role}_photo_from"
    source = st.segmented_control(f"{label} from", sources, default=sources[0], key=key)
    key = f"{role}_photo_{your_visit().taken}"
    if source == "Camera":
        st.camera_input("Take a photo", key=key, on_change=_take, args=(role, key, "camera"))
    elif source:
        st.file_uploader(
            label,
            type=[suffix.removeprefix(".") for suffix in SUFFIXES],
            max_upload_size=default_limits().max_bytes // 2**20,
            key=key,
            on_change=_take,
            args=(role, key),
        )
    st.caption(KEPT)


def offer_to_keep(photo: UploadedFile, source: str) -> None:
    """Offer to make a photo that another widget holds the face of the visit.

    Parameters
    ----------
    photo : UploadedFile
        Photo in the widget.
    source : str
        Key of the choice where photos come from; it becomes `YOURS`.
    """
    st.button(
        "Keep as my face", on_click=_keep, args=(photo, source), icon=":material/face:", help=KEPT
    )


def begin_with_face(chosen: Chosen, source: str) -> None:
    """Let a choice where photos come from begin with the face of the visit, once it was chosen.

    What the visitor chooses after that, or what the URL names, stays.

    Parameters
    ----------
    chosen : Chosen
        Model that reads the face.
    source : str
        Key of the choice, which is still to be drawn; `YOURS` is one of its options.
    """
    visit, drawer = your_visit(), drawer_of(chosen)
    face: object = None
    if OWN in visit.photos:
        face = visit.photos[OWN].number
    elif drawer and not is_first(drawer):
        face = synthetic_choice(drawer)
    if face != visit.begun:
        visit.begun = face
        if face and source not in st.query_params:
            st.session_state[source] = YOURS


def offer_examples(chosen: Chosen, source: str) -> None:
    """Show synthetic faces where there is no photo; a click makes one the face of the visit.

    Parameters
    ----------
    chosen : Chosen
        Model that reads the face.
    source : str
        Key of the choice where photos come from; a click makes it `YOURS`.
    """
    drawer = drawer_of(chosen)
    if drawer and OWN not in your_visit().photos:  # a photo would be shown in place of them
        _show_examples(drawer, LARGE, source)


def show_your_face(brief: bool = False) -> None:
    """Show the face of the visit, small, if it was chosen; a click removes it.

    Parameters
    ----------
    brief : bool
        Whether the picture is all there is room for.
    """
    name = st.session_state.get(MODEL)
    drawer = chosen_drawer(name)
    if drawer is None and not your_visit().photos:
        return
    try:
        face = get_face(load_chosen(name)) if name else None
    except (FacecoreError, OSError):  # the page says why
        face = None
    shown = face if face and (face.own or drawer) else None
    if brief:
        if shown:
            show_picture(shown.portrait, f"Small picture of {shown.words}", width=TINY)
        return
    picture, words = st.columns([2, 5], gap="small", vertical_alignment="center")
    with picture:
        if shown:
            show_picture(shown.portrait, f"Small picture of {shown.words}")
    with words, st.container(gap=None):
        if drawer:
            label, seed = synthetic_choice(drawer)
            st.caption(f"Synthetic: {as_is(label)}, seed {seed}")
            st.button(
                "First face again",
                key="your_face_first",
                on_click=draw_face,
                args=(drawer.labels[0], FIRST_SEED),
                type="tertiary",
                icon=":material/undo:",
            )
        else:
            st.caption(_name_photos(face))
            _offer_removal("aside")


def _name_photos(face: YourFace | None) -> str:
    if OWN not in your_visit().photos:
        return "Your second photo, to mix faces"
    return "Your photo" if face and face.own else "Your photo; no face was found in it"


def draw_face(label: str, seed: int) -> None:
    """Choose a synthetic face, before its widgets are drawn.

    Parameters
    ----------
    label : str
        One of the labels of the model that draws.
    seed : int
        From 0 up to `ui.your_face.LAST_SEED`.
    """
    st.session_state[LABEL], st.session_state[SEED] = label, seed


def say_whose(face: YourFace) -> None:
    """Say whom a synthetic face shows; nothing is said of a visitor's own.

    Parameters
    ----------
    face : YourFace
        Any face.
    """
    if face.drawer:
        say_whom(face.drawer)


def _offer_removal(where: str) -> None:
    st.button(
        "Remove my face",
        key=f"your_face_remove_{where}",
        on_click=remove_photos,
        icon=":material/delete:",
    )


def _show_examples(drawer: Chosen, width: int = SMALL, source: str | None = None) -> None:
    st.markdown("**Or click an example**")
    grid = st.grid(EXAMPLES, min_column_width=width, gap="small")
    of = (drawer.name, written(drawer.name), tuple(drawer.labels))
    for label, seed, face in _examples(*of, drawer.model):
        with grid.cell():
            show_picture(face, f"Synthetic face of the label {label}, seed {seed}")
            st.button(
                as_is(f"{label}, {seed}"),
                key=f"example_{label}_{seed}",
                on_click=_take_example,
                args=(label, seed, source),
                width="stretch",
            )


@st.cache_data(max_entries=16, show_spinner="Drawing faces")
def _examples(
    name: str, written: Written, labels: tuple[str, ...], _model: FaceModel
) -> list[tuple[str, int, np.ndarray]]:
    # the underscore keeps the model out of the cache's key: its name and files stand for it
    places = [(labels[i % len(labels)], i + 1) for i in range(EXAMPLES)]
    return [
        (label, seed, sample_faces(_model.eigenfaces, label, 1, seed)[0]) for label, seed in places
    ]


def _ask_for_synthetic(drawer: Chosen) -> None:
    if not is_first(drawer):  # chosen on another page, whose widgets are gone
        for key, value in zip((LABEL, SEED), synthetic_choice(drawer), strict=True):
            if key not in st.session_state and key not in st.query_params:
                st.session_state[key] = value
    choose("Or a synthetic face of", drawer.labels, LABEL)
    st.number_input("Seed", 0, LAST_SEED, FIRST_SEED, width=160, key=SEED, bind="query-params")


def _take_example(label: str, seed: int, source: str | None) -> None:
    draw_face(label, seed)
    if source:
        st.session_state[source] = YOURS


def _take(role: str, key: str, name: str | None = None) -> None:
    photo = st.session_state[key]
    if photo is not None:
        take_photo(role, name or photo.name, photo.getvalue())
        let_go([photo])


def _keep(photo: UploadedFile, source: str) -> None:
    take_photo(OWN, photo.name, photo.getvalue())
    st.session_state[source] = YOURS
    let_go([photo])
