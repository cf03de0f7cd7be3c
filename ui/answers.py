"""Show the answers to one photo: its faces boxed, then one row per face, by one model or two."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from facecore.data import Entry
from facecore.face import spec_of, to_png
from facecore.model import (
    AnswerRule,
    FaceAnswer,
    FaceModel,
    Heat,
    PhotoAnswer,
    annotate,
    explain_decision,
    label_colours,
    overlay,
    predict_photo,
    same_faces,
    to_rgb,
)
from ui.look import WIDEST, format_distance, show_picture, show_scores
from ui.models import Chosen
from ui.photo import has_face
from ui.text import as_is

CAVEAT = (
    "The label is what the annotators of the training data would have written. It is no proof of "
    "who or what a person is, and no basis for a decision about anyone."
)
HEAT = {
    "gradient": "Heat map (integrated gradients): the exact gradient of the decision with respect "
    "to the pixels, summed along the path from the mean face to this one.",
    "occlusion": "Heat map (occlusion): how much the decision changes when a patch of the prepared "
    "face is covered with its mean colour.",
}
# Multiples of the typical distance: 95 % of the faces of LFW lie within the first, 99 % of the
# portraits of members of congress within the second.
NEAR, FAR = 1.4, 2.1
AGAINST = "#ffffff"  # belongs to no label; shown where there are more than two
FACES = 12  # that are shown at once; a photo of many people has more
PICTURE = 97  # pixels; three fit side by side on a phone


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

    def answer(self, entry: Entry, chosen: Chosen) -> PhotoAnswer:
        """Return the answer of one of the models to a photo.

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
            rule=self.rule(chosen.model),
        )


def show_photo(entry: Entry, settings: Settings, key: str) -> None:
    """Show the answers of the models to a photo.

    Parameters
    ----------
    entry : Entry
        Photo to answer, or the reason why it cannot be read.
    settings : Settings
        Models to ask, and how.
    key : str
        Prefix of the elements' keys, unique on the page.
    """
    answers = [settings.answer(entry, chosen) for chosen in settings.models]
    with st.container(border=True):
        if answers[0].error:
            st.error(as_is(f"{entry.name}: {answers[0].error}"), icon=":material/broken_image:")
            return
        if len(answers) == 1:
            photo, faces = st.columns([2, 3], gap="medium")
            with photo:
                _show_boxes(answers[0], settings.models[0])
            with faces:
                _show_faces(answers[0], settings.models[0], settings.heat, key)
        else:
            st.markdown(agreement(*answers))
            columns = st.columns(2, gap="medium")
            for column, answer, chosen in zip(columns, answers, settings.models, strict=True):
                with column:
                    st.header(as_is(chosen.name))
                    _show_boxes(answer, chosen)
                    _show_faces(answer, chosen, settings.heat, f"{key}-{chosen.name}")
        st.caption(CAVEAT)


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
    if not pairs:
        return "No face was found by both models in the same place."
    same = [i for i, j in pairs if first.faces[i].verdict == second.faces[j].verdict]
    text = f"The models **agree on {len(same)} of {len(pairs)}** faces that both found."
    apart = sorted((i, j) for i, j in pairs if i not in same)
    for i, j in apart:
        one, other = as_is(first.faces[i].verdict), as_is(second.faces[j].verdict)
        text += f" Face {i + 1}: {one} versus {other}."
    return text


def distance_words(distance: float, typical: float) -> str:
    """Describe how far a face lies from face space.

    Parameters
    ----------
    distance : float
        Distance of the face, root mean square in units of the min-max scale.
    typical : float
        Distance that most faces have, in the same unit.

    Returns
    -------
    str
    """
    ratio = distance / typical if typical else float("inf")
    if ratio <= NEAR:
        words = "near"
    elif ratio <= FAR:
        words = "farther away than most faces"
    else:
        words = "far away: perhaps not a face, or one that is turned or covered"
    shown = format_distance(distance)
    return f"Distance from face space {shown}, {ratio:.1f} times the typical one: {words}"


def _show_boxes(answer: PhotoAnswer, chosen: Chosen) -> None:
    colours = {k: to_rgb(v) for k, v in label_colours(chosen.model.labels).items()}
    st.image(
        to_png(annotate(answer, colours, WIDEST)),
        caption=as_is(f"{answer.photo}: {answer.width} x {answer.height} pixels"),
        alt=f"Photo {answer.photo} with its faces boxed and numbered: {_count_faces(answer)}",
        width="stretch",
    )


def _count_faces(answer: PhotoAnswer) -> str:
    count = len(answer.faces)
    return "No face" if not count else "1 face" if count == 1 else f"{count} faces"


def _show_faces(answer: PhotoAnswer, chosen: Chosen, heat: bool, key: str) -> None:
    st.markdown(f"**{_count_faces(answer)}** in {answer.ms:.0f} ms")
    if not has_face(answer):
        return
    kinds = set()
    for number in _pick_faces(answer, key):
        face = answer.faces[number - 1]
        found = explain_decision(chosen.model, face.prepared, face.likely) if heat else None
        _show_face(face, found, chosen, f"{key}-{number}", number)
        kinds |= {found.kind} if found else set()
    against = "the other label's colour" if len(chosen.model.labels) == 2 else "white"
    for kind in kinds:
        st.caption(
            f"{HEAT[kind]} Regions that speak for the label have its colour, regions that speak "
            f"against it are in {against}."
        )


def _pick_faces(answer: PhotoAnswer, key: str) -> range:
    """Return the numbers of the faces that are shown; of many, those that the visitor chose."""
    count = len(answer.faces)
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


def _show_face(face: FaceAnswer, heat: Heat | None, chosen: Chosen, key: str, number: int) -> None:
    model = chosen.model
    row = st.container(horizontal=True)
    with row:
        # Without a reconstruction the model reads no grey pixels: it saw the crop in colour.
        reads_grey = face.reconstruction is not None
        kind = "Grey crop" if reads_grey else "Crop"
        crop = face.crop if reads_grey else face.prepared
        show_picture(crop, f"{kind} of face {number}", kind, PICTURE)
        if face.reconstruction is not None:
            alt = f"Face {number} reconstructed from its eigenfaces"
            show_picture(face.reconstruction, alt, "Reconstruction", PICTURE)
        if heat:
            picture = overlay(face.prepared, heat, *_heat_colours(model.labels, face.likely))
            alt = f"Heat map of the decision for {face.likely} on face {number}"
            show_picture(picture, alt, f"{heat.kind.capitalize()} map", PICTURE)
    with row.container(width=320, gap="xsmall"):
        likely = "" if face.label else f" ({as_is(face.why)}), most likely {as_is(face.likely)}"
        st.markdown(
            f"**{number}: {as_is(face.verdict)}**{likely}, probability {face.probability:.2f}"
        )
        alt = f"Probabilities of face {number}"
        show_scores(face.scores, chosen.order, alt, f"scores-{key}")
        st.caption(
            f"{distance_words(face.distance, chosen.typical_distance)}. Box {list(face.box)}."
            + (f" {_heat_sums(heat)}" if heat and heat.kind == "gradient" else "")
        )


def _heat_colours(labels: Sequence[str], label: str) -> tuple[tuple[int, int, int], ...]:
    """Return the colour of what speaks for a label, and of what speaks against it."""
    colours = label_colours(labels)
    others = [colour for name, colour in colours.items() if name != label]
    away = others[0] if len(labels) == 2 else AGAINST
    return to_rgb(colours[label]), to_rgb(away)


def _heat_sums(heat: Heat) -> str:
    # Integrated gradients add up to the change of the decision from the mean face to this one.
    towards, away = heat.values.clip(min=0).sum(), -heat.values.clip(max=0).sum()
    return (
        f"Contributions to the decision: {towards:.1f} for {as_is(heat.label)}, {away:.1f} against."
    )
