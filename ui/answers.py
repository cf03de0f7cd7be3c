"""Show the answers to one photo, by one model or two: verdicts first, heat maps after them."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import streamlit as st

from facecore.data import Entry
from facecore.face import shrink, spec_of, to_png
from facecore.model import (
    AnswerRule,
    FaceAnswer,
    FaceModel,
    Heat,
    PhotoAnswer,
    annotate,
    apply_rule,
    explain_decisions,
    label_colours,
    pair_faces,
    predict_photo,
    same_faces,
    to_rgb,
)
from facecore.system import on_one_thread
from ui.face_card import NO_FACE, Places, announce_heat, heat_words, show_face, show_heat
from ui.look import WIDEST
from ui.memory import Key, digest_of, forget_photos, recall, remember
from ui.models import Chosen
from ui.photo import has_face
from ui.text import as_is

CAVEAT = (
    "The label is what the annotators of the training data would have written. It is no proof of "
    "who or what a person is, and no basis for a decision about anyone."
)
FACES = 12  # that are shown at once; a photo of many people has more


@dataclass(frozen=True)
class Settings:
    """How photos are answered.

    Parameters
    ----------
    models : tuple of Chosen
        One model, or two to compare.
    detector : dict, optional
        Detector as `facecore.face.spec_of` returns it, for models trained with a detector
        of that name; each model's own when None.
    heat : bool
        Whether to show which regions of each face moved the decision.
    unsure : float, optional
        Confidence below which no label is given, in [0, 1]; each model's own when None.
    ruled : bool
        Whether models may withhold a label at all.
    """

    models: tuple[Chosen, ...]
    detector: dict[str, Any] | None = None
    heat: bool = True
    unsure: float | None = None
    ruled: bool = True

    def rule(self, model: FaceModel) -> AnswerRule:
        """Return the rule by which a model answers.

        Parameters
        ----------
        model : FaceModel
            Model whose rule holds where the visitor chose no other confidence.

        Returns
        -------
        AnswerRule
        """
        if not self.ruled:
            return AnswerRule()
        if self.unsure is None:
            return model.rule
        return replace(model.rule, min_confidence=self.unsure)

    def detector_for(self, model: FaceModel) -> dict[str, Any]:
        """Return the detector that finds a model's faces: another kind would cut other crops.

        Parameters
        ----------
        model : FaceModel
            Model that reads the crops.

        Returns
        -------
        dict
            Detector as `facecore.face.spec_of` returns it.
        """
        own: dict[str, Any] = spec_of(model.recipe.detector)
        return self.detector if self.detector and self.detector["name"] == own["name"] else own

    def key(self, photo: str, chosen: Chosen) -> Key:
        """Return what the faces and probabilities of a photo depend on; the rule comes later.

        Parameters
        ----------
        photo : str
            What tells the photo from all others.
        chosen : Chosen
            Model to ask.

        Returns
        -------
        tuple of str
        """
        detector = json.dumps(self.detector_for(chosen.model), sort_keys=True)
        return photo, chosen.name, chosen.metadata["sha256"]["model.json"], detector

    @on_one_thread  # visitors have a thread each, and their products are small
    def predict(self, entry: Entry, chosen: Chosen) -> PhotoAnswer:
        """Return the answer of one of the models to a photo, by the model's own rule.

        Parameters
        ----------
        entry : Entry
            Photo to answer, or the reason why it cannot be read.
        chosen : Chosen
            Model to ask.

        Returns
        -------
        PhotoAnswer
        """
        if entry.error:
            return PhotoAnswer(entry.name, entry.error)
        return predict_photo(
            entry.data,
            chosen.model,
            name=entry.name,
            detector=self.detector_for(chosen.model),
        )


@dataclass(frozen=True)
class Wanted:
    """A heat map that is still to be computed.

    Parameters
    ----------
    places : Places
        Where it goes.
    face : FaceAnswer
        Face to explain.
    chosen : Chosen
        Model that answered.
    number : int
        Number of the face on its photo.
    key : tuple
        Of the heat map in the session's memory.
    """

    places: Places
    face: FaceAnswer
    chosen: Chosen
    number: int
    key: Key

    def show(self, heat: Heat) -> None:
        """Draw the heat map, and keep it in the session's memory.

        Parameters
        ----------
        heat : Heat
            As `facecore.model.explain_decisions` returned it.
        """
        small = replace(heat, values=heat.values.astype(np.float32))  # half the memory
        show_heat(self.places, self.face, small, self.chosen, self.number)
        remember("heat", self.key, lambda: small)


def show_photos(entries: Iterable[Entry], settings: Settings) -> None:
    """Show the answers of the models to a few photos, and after all of them the heat maps.

    Parameters
    ----------
    entries : iterable of Entry
        Photos to answer; the session forgets all others.
    settings : Settings
        Models to ask, and how.
    """
    entries = list(entries)
    forget_photos(but={digest_of(entry.data) for entry in entries})
    show_heat_maps(
        [each for i, entry in enumerate(entries) for each in show_photo(entry, settings, str(i))]
    )


def show_heat_maps(wanted: Sequence[Wanted]) -> None:
    """Compute heat maps and draw them, those of one photo and model together.

    Parameters
    ----------
    wanted : sequence of Wanted
        As `show_photo` returned them, of any number of photos.
    """
    groups: dict[Key, list[Wanted]] = {}
    for each in wanted:
        groups.setdefault(each.key[:2], []).append(each)
    for group in groups.values():
        model = group[0].chosen.model
        crops, labels = [w.face.prepared for w in group], [w.face.likely for w in group]
        for each, heat in zip(group, explain_decisions(model, crops, labels), strict=True):
            each.show(heat)


def show_photo(entry: Entry, settings: Settings, key: str, only: int | None = None) -> list[Wanted]:
    """Show the answers of the models to a photo, with empty places for heat maps.

    Parameters
    ----------
    entry : Entry
        Photo to answer, or the reason why it cannot be read.
    settings : Settings
        Models to ask, and how.
    key : str
        Prefix of the elements' keys, unique on the page.
    only : int, optional
        Number of the only face to show; all of them when left out.

    Returns
    -------
    list of Wanted
        Heat maps that the session does not have yet, for `show_heat_maps`.
    """
    digest = digest_of(entry.data)
    keys = [settings.key(digest, chosen) for chosen in settings.models]
    answers = [
        _answer(entry, settings, chosen, at)
        for chosen, at in zip(settings.models, keys, strict=True)
    ]
    with st.container(border=True):
        if answers[0].error:
            st.error(as_is(f"{entry.name}: {answers[0].error}"), icon=":material/broken_image:")
            return []
        if len(answers) == 1:
            places: list[tuple[int | None, ...]] = [(i,) for i in range(len(answers[0].faces))]
            *columns, cards = st.columns([2, 3], gap="medium")
        else:
            st.markdown(agreement(*answers))
            places = list(pair_faces(*answers))
            columns, cards = list(st.columns(2, gap="medium")), st.container()
        for side, (column, answer) in enumerate(zip(columns, answers, strict=True)):
            numbers = {pair[side]: number for number, pair in enumerate(places, start=1)}
            chosen = settings.models[side]
            with column:
                if len(answers) > 1:
                    st.header(as_is(chosen.name))
                order = [numbers[i] for i in range(len(answer.faces))]
                _show_boxes(answer, order, chosen, keys[side])
        with cards:
            shown = range(only, only + 1) if only else _pick_places(answers[0], len(places), key)
            wanted: list[Wanted] = []
            for number in shown:
                wanted += _show_place(answers, places[number - 1], number, settings, keys)
            if settings.heat and places:
                st.caption(heat_words([chosen.model for chosen in settings.models]))
        st.caption(CAVEAT)
    return wanted


def agreement(first: PhotoAnswer, second: PhotoAnswer) -> str:
    """Describe whether two models give the same answers.

    Parameters
    ----------
    first, second : PhotoAnswer
        Answers to the same photo.

    Returns
    -------
    str
        Markdown.
    """
    pairs = same_faces(first, second)
    alone = len(first.faces) + len(second.faces) - 2 * len(pairs)
    rest = f" {_number(alone)} found by one model alone." if alone else ""
    if not pairs:
        return f"No face was found by both models in the same place.{rest}"
    same = [i for i, j in pairs if first.faces[i].verdict == second.faces[j].verdict]
    text = f"The models **agree on {len(same)} of {len(pairs)}** faces that both found."
    apart = sorted((i, j) for i, j in pairs if i not in same)
    for i, j in apart:
        one, other = as_is(first.faces[i].verdict), as_is(second.faces[j].verdict)
        text += f" Face {i + 1}: {one} versus {other}."
    return text + rest


def _number(alone: int) -> str:
    return "1 face was" if alone == 1 else f"{alone} faces were"


def _answer(entry: Entry, settings: Settings, chosen: Chosen, key: Key) -> PhotoAnswer:
    def ask() -> PhotoAnswer:
        answer = settings.predict(entry, chosen)
        if answer.pixels is None:
            return answer
        return replace(answer, pixels=shrink(answer.pixels, WIDEST))

    answer = remember("answer", key, ask)
    return replace(apply_rule(answer, settings.rule(chosen.model)), photo=entry.name)


def _show_boxes(answer: PhotoAnswer, numbers: Sequence[int], chosen: Chosen, key: Key) -> None:
    colours = {k: to_rgb(v) for k, v in label_colours(chosen.model.labels).items()}
    drawn = (*key, *numbers, *(face.label for face in answer.faces))
    st.image(
        remember("picture", drawn, lambda: to_png(annotate(answer, colours, numbers=numbers))),
        caption=as_is(f"{answer.photo}: {answer.width} x {answer.height} pixels"),
        alt=f"Photo {answer.photo} with its faces boxed and numbered: {_count_faces(answer)}",
        width="stretch",
    )
    none = sum(bool(face.why_no_face) for face in answer.faces)
    doubt = f"; {none} of them probably not a face" if none else ""
    st.markdown(f"**{_count_faces(answer)}** in {answer.ms:.0f} ms{doubt}")
    has_face(answer)


def _count_faces(answer: PhotoAnswer) -> str:
    count = len(answer.faces)
    return "No face" if not count else "1 face" if count == 1 else f"{count} faces"


def _pick_places(answer: PhotoAnswer, count: int, key: str) -> range:
    """Return the numbers of the faces that are shown; of many, those that the visitor chose."""
    if count <= FACES:
        return range(1, count + 1)
    verdicts = Counter(face.verdict for face in answer.faces)
    st.markdown(", ".join(f"{n} {as_is(verdict)}" for verdict, n in verdicts.most_common()))
    first: int = st.selectbox(
        "Faces, the largest first",
        range(1, count + 1, FACES),
        format_func=lambda first: f"{first} to {min(first + FACES - 1, count)}",
        key=f"faces-{key}",
    )
    return range(first, min(first + FACES, count + 1))


def _show_place(
    answers: Sequence[PhotoAnswer],
    place: tuple[int | None, ...],
    number: int,
    settings: Settings,
    keys: Sequence[Key],
) -> list[Wanted]:
    """Show what the models answer about one place of a photo, side by side."""
    wanted: list[Wanted] = []
    two = len(answers) > 1
    columns = st.columns(2, gap="medium") if two else [st.container()]
    for column, i, answer, chosen, key in zip(
        columns, place, answers, settings.models, keys, strict=True
    ):
        with column:
            if two:
                st.caption(as_is(chosen.name))  # on a phone one model's card follows the other's
            if i is None:
                st.markdown(f"{NO_FACE} **{number}: no face found here**")
                st.caption("Only the other model's detector found a face in this place.")
                continue
            face = answer.faces[i]
            places = show_face(face, chosen, number)
            if settings.heat and (face.label or not face.why_no_face):
                heat = Wanted(places, face, chosen, number, (*key, i, face.likely))
                if known := recall("heat", heat.key):
                    heat.show(known)
                else:
                    announce_heat(places)
                    wanted.append(heat)
    return wanted
