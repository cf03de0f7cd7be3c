"""The faces that visitors bring: kept in the memory of their visit, and nowhere else."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from facecore.face import SUFFIXES, default_limits
from facecore.model import predict_photo, sample_people
from ui.controls import choose
from ui.look import show_picture
from ui.models import Chosen
from ui.photo import say_no_spread
from ui.text import as_is
from ui.uploads import let_go

KEY = "your_class"
MOST = 60  # faces: more would not find room on a screen
SOURCES = ("Synthetic faces", "Camera", "Photos")


@dataclass(frozen=True)
class ClassFace:
    """One face of the class.

    Parameters
    ----------
    id : int
        Unique within the visit.
    crop : ndarray of shape (side, side), uint8
        The prepared grey face.
    name : str
        What a visitor typed, which may be empty.
    """

    id: int
    crop: np.ndarray
    name: str = ""


@dataclass(frozen=True)
class YourClass:
    """The faces of a visit.

    Parameters
    ----------
    model : str
        Name of the model that prepared them.
    faces : tuple of ClassFace
        In the order in which they were brought.
    round : int
        How often faces were brought; it names the widgets anew, so that they let go of photos.
    news : tuple of str
        What became of the photos that were brought last, one line each.
    """

    model: str = ""
    faces: tuple[ClassFace, ...] = ()
    round: int = 0
    news: tuple[str, ...] = ()

    @property
    def crops(self) -> np.ndarray:
        """The faces, ndarray of shape (n_faces, side, side), uint8."""
        return np.array([face.crop for face in self.faces])

    @property
    def names(self) -> list[str]:
        """The names as they were typed, without the blanks around them."""
        return [face.name.strip() for face in self.faces]

    @property
    def titles(self) -> list[str]:
        """What each face is called on a page."""
        return [name or f"Face {i}" for i, name in enumerate(self.names, start=1)]


def your_class() -> YourClass:
    """Return the faces that this visitor brought.

    Returns
    -------
    YourClass
        Without faces at first.
    """
    return st.session_state.get(KEY) or YourClass()


def offer_removal(klass: YourClass) -> None:
    """Show how many faces there are, with a button that removes all of them.

    Parameters
    ----------
    klass : YourClass
        The faces of this visit.
    """
    count = len(klass.faces)
    st.markdown(f"**{count} face{'' if count == 1 else 's'}** in your class", width="content")
    if klass.faces:
        st.button("Remove all faces", on_click=_remove_all, icon=":material/delete:")


def collect_faces(chosen: Chosen) -> None:
    """Ask for faces, and show those that there are.

    Parameters
    ----------
    chosen : Chosen
        Model that finds and prepares the faces; it has eigenfaces.
    """
    klass = your_class()
    if klass.faces and klass.model != chosen.name:
        st.info(
            f"These faces were prepared by the model {as_is(klass.model)}. Faces that another "
            "model crops cannot be compared with them: choose that model again to add more, or "
            "remove all faces.",
            icon=":material/info:",
        )
    else:
        _ask(chosen, klass)
    for line in klass.news:
        st.info(line, icon=":material/info:")
    if klass.faces:
        _show_faces(klass)


def _ask(chosen: Chosen, klass: YourClass) -> None:
    source = choose("Faces from", SOURCES, "class_from")
    if source == SOURCES[0]:
        if chosen.model.spread is None:
            say_no_spread()
            return
        with st.container(horizontal=True):
            st.button(
                "Ten synthetic faces",
                on_click=_add_synthetic,
                args=(chosen, 10, 1),
                type="secondary" if klass.faces else "primary",
                icon=":material/auto_awesome:",
            )
            st.button(
                "Five synthetic people, two pictures each",
                on_click=_add_synthetic,
                args=(chosen, 5, 2),
                icon=":material/group:",
            )
        return
    camera = source == SOURCES[1]
    name = st.text_input(
        f"{'Whose face comes next' if camera else 'One name for all these photos'} (optional)",
        key="class_next" if camera else "class_next_photos",
        max_chars=40,
        width=320,
        help="Type the same name again for a second photo of the same person.",
    )
    st.caption(
        "Of each photo only the grey face stays, in the memory of this visit. Nothing is written "
        "to a disk, no other visitor can see it, and it is gone when you close or reload the page."
    )
    if camera:
        with st.container(width=420):
            key = f"class_shot_{klass.round}"
            shot = st.camera_input("Take one photo after the other", key=key)
        photos = [shot] if shot else []
    else:
        photos = st.file_uploader(
            "Photos: the main face of each is taken",
            type=[suffix.removeprefix(".") for suffix in SUFFIXES],
            accept_multiple_files=True,
            max_upload_size=default_limits().max_bytes // 2**20,
            key=f"class_photos_{klass.round}",
        )
    if photos:
        with st.spinner("Finding faces"):
            _add_photos(chosen, photos, name)
        st.rerun()


def _add_synthetic(chosen: Chosen, people: int, pictures: int) -> None:
    klass = your_class()
    crops = sample_people(chosen.model.eigenfaces, people, pictures, klass.round)
    names = [chr(ord("A") + i // pictures) if pictures > 1 else "" for i in range(len(crops))]
    _add(chosen, list(zip(crops, names, strict=True)), Counter())


def _add_photos(chosen: Chosen, photos: Sequence[UploadedFile], name: str) -> None:
    found: list[tuple[np.ndarray, str]] = []
    told: Counter[str] = Counter()
    for photo in photos:
        if len(your_class().faces) + len(found) >= MOST:
            told["full"] += 1
            continue
        answer = predict_photo(photo.getvalue(), chosen.model, name="")
        if answer.error:
            told["unreadable"] += 1
        elif answer.main is None:
            told["no face"] += 1
        else:
            told["several"] += len(answer.faces) > 1
            found.append((answer.main.crop, name))
    _add(chosen, found, told)
    let_go(photos)


def _add(chosen: Chosen, found: list[tuple[np.ndarray, str]], told: Counter[str]) -> None:
    klass = your_class()
    faces = list(klass.faces)
    for crop, name in found:
        if any(np.array_equal(crop, face.crop) for face in faces):
            told["twice"] += 1
        elif len(faces) >= MOST:
            told["full"] += 1
        else:
            faces.append(ClassFace(max((face.id for face in faces), default=-1) + 1, crop, name))
    told["added"] = len(faces) - len(klass.faces)
    news = tuple(_tell(what, count) for what, count in told.items() if count)
    st.session_state[KEY] = YourClass(chosen.name, tuple(faces), klass.round + 1, news)


def _tell(what: str, count: int) -> str:
    photos = f"{count} photo{'' if count == 1 else 's'}"
    return {
        "added": f"{count} face{'' if count == 1 else 's'} added.",
        "no face": f"In {photos} no face was found. A large, upright face seen from the front "
        "works best.",
        "unreadable": f"{photos} left out: the file cannot be read as a photo.",
        "several": f"In {photos} there is more than one face: the main one was taken.",
        "twice": f"{photos} left out: exactly that face is in the class already.",
        "full": f"{photos} left out: a class has at most {MOST} faces here.",
    }[what]


def _show_faces(klass: YourClass) -> None:
    grid = st.grid("auto", min_column_width=130, gap="small")
    for face, title in zip(klass.faces, klass.titles, strict=True):
        with grid.cell():
            show_picture(face.crop, f"{title}, a prepared grey face")
            key = f"class_name_{face.id}"
            st.text_input(
                f"Name of face {face.id + 1}",
                face.name,
                key=key,
                max_chars=40,
                placeholder=title,
                label_visibility="collapsed",
                on_change=_rename,
                args=(face.id, key),
            )
            st.button(
                "Remove",
                key=f"class_remove_{face.id}",
                on_click=_remove,
                args=(face.id,),
                type="tertiary",
                icon=":material/close:",
                help=f"Remove {as_is(title)}",
            )


def _rename(number: int, key: str) -> None:
    klass, name = your_class(), st.session_state[key]
    faces = tuple(replace(f, name=name) if f.id == number else f for f in klass.faces)
    st.session_state[KEY] = replace(klass, faces=faces)


def _remove(number: int) -> None:
    klass = your_class()
    faces = tuple(face for face in klass.faces if face.id != number)
    st.session_state[KEY] = replace(klass, faces=faces, news=())


def _remove_all() -> None:
    for key in list(st.session_state):
        if str(key).startswith(("class_live", "class_name", "class_next")):
            del st.session_state[key]
    st.session_state[KEY] = YourClass(round=your_class().round + 1)
