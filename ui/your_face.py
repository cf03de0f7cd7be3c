"""The face of a visit, which every page shares: the visitor's own photo, or a synthetic face.

A photo stays in the memory of the session, with all that is computed from it, and goes with one
call. What is cached for all visitors is synthetic.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
import streamlit as st

from facecore.errors import FacecoreError
from facecore.face import main_face, shrink, to_png
from facecore.model import (
    SHIPPED,
    FaceModel,
    PhotoAnswer,
    colour_crop,
    make_photo,
    predict_photo,
    sample_faces,
)
from ui.look import WIDEST
from ui.memory import forget_photos
from ui.models import Chosen, Written, load_chosen, written

VISIT = "your_face"  # in the session: everything that is known of the face
LABEL, SEED = "face_label", "face_seed"  # of the synthetic face: keys of widgets, names in the URL
FIRST_SEED, LAST_SEED = 15, 9999
OWN, SECOND = "own", "second"  # the visitor's photo, and another one to mix it with
MOST_READ = 4  # models whose reading of a photo is kept
PORTRAIT = 480  # long side of the face cut out of its photo, in pixels, at most

T = TypeVar("T")


@dataclass(frozen=True)
class Reading:
    """What a model reads of a photo.

    Parameters
    ----------
    answer : PhotoAnswer
        Its pixels are no larger than a page shows them.
    portrait : ndarray of shape (height, width, 3), uint8, or None
        The main face, cut out of the photo in colour; None where no face was found.
    """

    answer: PhotoAnswer
    portrait: np.ndarray | None

    @property
    def crop(self) -> np.ndarray | None:
        """The main face as the model's eigenfaces read it; None where no face was found."""
        return self.answer.main.crop if self.answer.main else None


@dataclass(frozen=True)
class OwnPhoto:
    """A photo that a visitor brought.

    Parameters
    ----------
    number : int
        Unique within the visit.
    name : str
        Of the file.
    data : bytes
        Encoded photo.
    readings : dict
        What models read of it, by name and files of the model.
    """

    number: int
    name: str
    data: bytes
    readings: dict[tuple[str, Written], Reading] = field(default_factory=dict)


@dataclass
class Visit:
    """What a session knows of its faces.

    Parameters
    ----------
    photos : dict
        The photos that the visitor brought: `OWN` and `SECOND`.
    label, seed : str and int, or None
        The synthetic face that was chosen last, for pages that do not ask for it.
    taken : int
        How many photos were taken over; it names the widgets anew, so that they let go of them.
    made : dict
        What pages computed from the face, each with what it was computed of.
    begun : object
        The face that `ui.face_picker.begin_with_face` last began with; None if there was none.
    """

    photos: dict[str, OwnPhoto] = field(default_factory=dict)
    label: str | None = None
    seed: int | None = None
    taken: int = 0
    made: dict[str, tuple[object, Any]] = field(default_factory=dict)
    begun: object = None


@dataclass(frozen=True)
class YourFace:
    """The face that the pages show, as one model reads it.

    Parameters
    ----------
    id : str
        Tells it from other faces.
    name : str
        Of the photo.
    photo : bytes
        Encoded photo.
    answer : PhotoAnswer
        Of the model; a synthetic face may have none in it, as a detector may miss it.
    crop : ndarray of shape (side, side) or (side, side, 3), uint8
        What the model reads of the face: grey where it has eigenfaces.
    portrait : ndarray of shape (height, width, 3), uint8
        The face in the colours of its photo.
    of : tuple
        The face and the model with its files, by which `keep` knows what it keeps.
    drawer : Chosen or None
        The model that drew the face; None of the visitor's own.
    """

    id: str
    name: str
    photo: bytes
    answer: PhotoAnswer
    crop: np.ndarray
    portrait: np.ndarray
    of: tuple[object, ...]
    drawer: Chosen | None = None

    @property
    def own(self) -> bool:
        """Whether it is the visitor's own."""
        return self.drawer is None

    @property
    def words(self) -> str:
        """What a sentence calls it."""
        return "your face" if self.own else "this face"


def your_visit() -> Visit:
    """Return what this session knows of its faces.

    Returns
    -------
    Visit
    """
    visit: Visit = st.session_state.setdefault(VISIT, Visit())
    return visit


def take_photo(role: str, name: str, data: bytes) -> None:
    """Keep a photo in the session, in place of an earlier one.

    Parameters
    ----------
    role : str
        `OWN` or `SECOND`.
    name : str
        Of the file.
    data : bytes
        Encoded photo.
    """
    visit = your_visit()
    visit.taken += 1
    visit.photos[role] = OwnPhoto(visit.taken, name, data)
    visit.made.clear()


def remove_photos() -> None:
    """Forget the visitor's photos, and everything that was computed from them."""
    visit = your_visit()
    visit.photos.clear()
    visit.made.clear()
    visit.taken += 1
    forget_photos()


def read_photo(role: str, chosen: Chosen) -> Reading | None:
    """Return what a model reads of a photo that the visitor brought; it is read once.

    Parameters
    ----------
    role : str
        `OWN` or `SECOND`.
    chosen : Chosen
        Model that reads it.

    Returns
    -------
    Reading or None
        None if there is no such photo.
    """
    photo = your_visit().photos.get(role)
    if photo is None:
        return None
    known, key = photo.readings, (chosen.name, written(chosen.name))
    if key not in known:
        while len(known) >= MOST_READ:
            del known[next(iter(known))]
        with st.spinner("Finding the face"):
            known[key] = _read(photo.data, chosen.model, photo.name)
    return known[key]


def get_face(chosen: Chosen) -> YourFace | None:
    """Return the face of the visit as a model reads it, without asking.

    Parameters
    ----------
    chosen : Chosen
        Model that reads the face.

    Returns
    -------
    YourFace or None
        The visitor's own if there is one with a face that the model finds, else a synthetic one;
        None if there is no model to draw one.
    """
    reading, key = read_photo(OWN, chosen), (chosen.name, written(chosen.name))
    if reading is None or reading.crop is None or reading.portrait is None:
        return _synthetic(chosen, key)
    photo = your_visit().photos[OWN]
    id = f"own {photo.number}"
    return YourFace(
        id, photo.name, photo.data, reading.answer, reading.crop, reading.portrait, (id, *key)
    )


def drawer_of(chosen: Chosen) -> Chosen | None:
    """Return the model that draws synthetic faces for another one.

    Parameters
    ----------
    chosen : Chosen
        Any model.

    Returns
    -------
    Chosen or None
        The model itself where it can; else one that ships.
    """
    if chosen.model.draws and chosen.model.spread is not None:
        return chosen
    for name in SHIPPED:
        try:
            other = load_chosen(name)
        except (FacecoreError, OSError):  # an extra or the model is missing: try the next
            continue
        if other.model.draws and other.model.spread is not None:
            return other
    return None


def synthetic_choice(drawer: Chosen) -> tuple[str, int]:
    """Return label and seed of the synthetic face, which may come from the URL.

    Parameters
    ----------
    drawer : Chosen
        Model that draws it.

    Returns
    -------
    label : str
    seed : int
    """
    visit = your_visit()
    asked = {
        key: st.session_state.get(key, st.query_params.get(key, kept))
        for key, kept in ((LABEL, visit.label), (SEED, visit.seed))
    }
    label = asked[LABEL] if asked[LABEL] in drawer.labels else drawer.labels[0]
    seed = str(asked[SEED])
    visit.label = str(label)
    visit.seed = int(seed) if seed.isdecimal() and int(seed) <= LAST_SEED else FIRST_SEED
    return visit.label, visit.seed


def is_first(drawer: Chosen) -> bool:
    """Return whether the synthetic face is the one that every visit begins with.

    Parameters
    ----------
    drawer : Chosen
        Model that draws it.

    Returns
    -------
    bool
    """
    return synthetic_choice(drawer) == (drawer.labels[0], FIRST_SEED)


def linked_face(name: str | None) -> dict[str, str]:
    """Return what a link must hold so that it shows the synthetic face that was chosen.

    Parameters
    ----------
    name : str or None
        Model of the page; None if there is none.

    Returns
    -------
    dict of str to str
        Query parameters; none for a photo of the visitor's, or the face that visits begin with.
    """
    drawer = chosen_drawer(name)
    if drawer is None:
        return {}
    label, seed = synthetic_choice(drawer)
    return {LABEL: label, SEED: str(seed)}


def chosen_drawer(name: str | None) -> Chosen | None:
    """Return the model that draws the synthetic face of the visit, if one was chosen.

    Parameters
    ----------
    name : str or None
        Model of the page; None if there is none.

    Returns
    -------
    Chosen or None
        None for a photo of the visitor's, or the face that visits begin with.
    """
    visit = your_visit()
    asked = visit.label or LABEL in st.query_params or SEED in st.query_params
    if visit.photos or not asked or name is None:
        return None
    try:
        drawer = drawer_of(load_chosen(name))
    except (FacecoreError, OSError):  # the page says why
        return None
    return None if drawer is None or is_first(drawer) else drawer


def keep(face: YourFace, what: str, make: Callable[[], T], further: object = None) -> T:
    """Return what a page computes from the face; it stays in the session as long as the face does.

    Parameters
    ----------
    face : YourFace
        What it is computed from.
    what : str
        Names it within the session.
    make : callable
        Compute it; called for another face, model or choice only.
    further : object
        What else it depends on, such as a choice of the visitor.

    Returns
    -------
    object
        What `make` returned.
    """
    made, of = your_visit().made, (face.of, further)
    if what not in made or made[what][0] != of:
        made[what] = (of, make())
    found: T = made[what][1]
    return found


def _synthetic(chosen: Chosen, key: tuple[str, Written]) -> YourFace | None:
    drawer = drawer_of(chosen)
    if drawer is None:
        return None
    label, seed = synthetic_choice(drawer)
    drawn = written(drawer.name)
    photo = _draw(drawer.name, drawn, label, seed, drawer.model)
    reading = _read_synthetic(*key, drawer.name, drawn, label, seed, photo, chosen.model)
    crop, portrait = reading.crop, reading.portrait
    if crop is None or portrait is None:
        if drawer is not chosen:
            return None
        crop = sample_faces(drawer.model.eigenfaces, label, 1, seed)[0]
        portrait = np.repeat(crop[..., None], 3, axis=2)
    id = f"synthetic {label} {seed} by {drawer.name}"
    name = f"synthetic {label} {seed}"
    return YourFace(id, name, photo, reading.answer, crop, portrait, (id, drawn, *key), drawer)


@st.cache_data(max_entries=32, show_spinner="Drawing a face")
def _draw(name: str, written: Written, label: str, seed: int, _model: FaceModel) -> bytes:
    # the underscore keeps the model out of the cache's key: its name and files stand for it
    return to_png(make_photo(_model, label, seed))


@st.cache_data(max_entries=32, show_spinner="Reading the face")
def _read_synthetic(
    name: str,
    written: Written,
    drawer: str,
    drawn: Written,
    label: str,
    seed: int,
    _photo: bytes,
    _model: FaceModel,
) -> Reading:
    return _read(_photo, _model, f"synthetic {label} {seed}")


def _read(photo: bytes, model: FaceModel, name: str) -> Reading:
    answer = predict_photo(photo, model, name=name)
    if answer.pixels is None or not answer.faces:
        return Reading(answer, None)
    number = 1 + main_face(answer.faces, answer.width, answer.height)
    portrait = shrink(colour_crop(answer, number, model), PORTRAIT)
    return Reading(replace(answer, pixels=shrink(answer.pixels, WIDEST)), portrait)
