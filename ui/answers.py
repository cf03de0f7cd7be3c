"""Show the answers for one photo: boxes on the photo, then one row a face, for one model or two."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from facecore.data import Entry
from facecore.face import to_png
from facecore.model import (
    AnswerRule,
    FaceAnswer,
    FaceModel,
    Heat,
    PhotoAnswer,
    annotate,
    explain_decision,
    overlay,
    predict_photo,
    same_faces,
    typical_distance,
)
from ui.look import PALETTE, label_colours, score_bars, to_rgb
from ui.models import Chosen

CAVEAT = (
    "The label is what people would have written in the data sets that the model learned from. "
    "It says nothing of who a person is or how they see themselves, and is no ground for a "
    "decision about anyone."
)
HEAT = {
    "gradient": "Heat map: the exact gradient of the decision, carried back to the pixels and "
    "summed on the way from the mean face to this one (integrated gradients).",
    "occlusion": "Heat map (occlusion): how the decision changes when a patch of the prepared face "
    "is hidden under plain grey.",
}
# In times of the typical distance: what 95 % of LFW's faces and 99 % of congress portraits keep.
NEAR, FAR = 1.4, 2.1
PICTURE = 97  # pixels; three stand side by side on a phone


@dataclass(frozen=True)
class Settings:
    """How photos are answered.

    Parameters
    ----------
    models : tuple of Chosen
        One, or two to compare.
    detector : dict or None
        As `facecore.face.detector_spec` returns it, for the models with a detector of that name;
        None for each model's own.
    heat : bool
        Show what in each face moved the decision.
    unsure : float or None
        Confidence below which no label is given; None for each model's own.
    """

    models: tuple[Chosen, ...]
    detector: dict[str, Any] | None = None
    heat: bool = True
    unsure: float | None = None

    def rule(self, model: FaceModel) -> AnswerRule:
        """Return the rule by which a model answers."""
        if self.unsure is None:
            return model.rule
        return replace(model.rule, min_confidence=self.unsure)

    def detector_for(self, model: FaceModel) -> dict[str, Any]:
        """Return the detector that finds a model's faces: another kind would cut other crops."""
        own: dict[str, Any] = model.recipe["detector"]
        return self.detector if self.detector and self.detector["name"] == own["name"] else own

    def answer(self, entry: Entry, chosen: Chosen) -> PhotoAnswer:
        """Return what one of the models says of a photo."""
        if entry.error:
            return PhotoAnswer(entry.name, entry.error)
        return predict_photo(
            entry.data, chosen.model, name=entry.name, detector=self.detector_for(chosen.model),
            rule=self.rule(chosen.model),
        )  # fmt: skip


def show_photo(entry: Entry, settings: Settings, key: str) -> None:
    """Show what the models say of a photo.

    Parameters
    ----------
    entry : Entry
    settings : Settings
    key : str
        Apart from those of the other photos on the page.
    """
    answers = [settings.answer(entry, chosen) for chosen in settings.models]
    with st.container(border=True):
        if answers[0].error:
            st.error(f"{entry.name}: {answers[0].error}", icon=":material/broken_image:")
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
                    st.markdown(f"##### {chosen.name}")
                    _show_boxes(answer, chosen)
                    _show_faces(answer, chosen, settings.heat, f"{key}-{chosen.name}")
        st.caption(CAVEAT)


def agreement(first: PhotoAnswer, second: PhotoAnswer) -> str:
    """Say in words whether two models answer the same.

    Parameters
    ----------
    first, second : PhotoAnswer

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
        text += f" Face {i + 1}: {first.faces[i].verdict} against {second.faces[j].verdict}."
    return text


def distance_words(distance: float, typical: float) -> str:
    """Say in words how far from face space a face lies.

    Parameters
    ----------
    distance : float
    typical : float
        As `facecore.model.explain.typical_distance` returns it.

    Returns
    -------
    str
    """
    ratio = distance / typical if typical else float("inf")
    words = (
        "near" if ratio <= NEAR
        else "farther off than most faces" if ratio <= FAR
        else "far off, perhaps no face, or one that is turned or covered"
    )  # fmt: skip
    return f"Distance from face space {distance:.3f}, {ratio:.1f} times the typical one: {words}"


def _show_boxes(answer: PhotoAnswer, chosen: Chosen) -> None:
    colours = {k: to_rgb(v) for k, v in label_colours(chosen.model.labels).items()}
    st.image(
        to_png(annotate(answer, colours)),
        caption=f"{answer.photo}: {answer.width} x {answer.height} pixels",
        alt=f"Photo {answer.photo} with its faces boxed and numbered: {_found(answer)}",
        width="stretch",
    )


def _found(answer: PhotoAnswer) -> str:
    count = len(answer.faces)
    return "No face" if not count else "1 face" if count == 1 else f"{count} faces"


def _show_faces(answer: PhotoAnswer, chosen: Chosen, heat: bool, key: str) -> None:
    st.markdown(f"**{_found(answer)}** in {answer.ms:.0f} ms")
    if not answer.faces:
        st.info(
            "No face was found. A larger, upright face seen from the front works best.",
            icon=":material/face_retouching_off:",
        )
        return
    kinds = set()
    for number, face in enumerate(answer.faces, start=1):
        found = explain_decision(chosen.model, face.prepared, face.likely) if heat else None
        _show_face(face, found, chosen.model, f"{key}-{number}", number)
        kinds |= {found.kind} if found else set()
    for kind in kinds:
        st.caption(
            f"{HEAT[kind]} What speaks for the label has its colour, what speaks against it "
            + ("the other's." if len(chosen.model.labels) == 2 else "a colour of no label.")
        )


def _show_face(
    face: FaceAnswer, heat: Heat | None, model: FaceModel, key: str, number: int
) -> None:
    row = st.container(horizontal=True)
    draws = face.reconstruction is not None  # else the model saw colours, and no eigenfaces
    row.image(
        to_png(face.crop if draws else face.prepared),
        caption="Grey crop" if draws else "Crop",
        alt=f"{'Grey crop' if draws else 'Crop'} of face {number}",
        output_format="PNG",
        width=PICTURE,
    )
    if face.reconstruction is not None:
        row.image(
            to_png(face.reconstruction),
            caption="Reconstruction",
            alt=f"Face {number} drawn again from its eigenfaces",
            output_format="PNG",
            width=PICTURE,
        )
    if heat:
        row.image(
            to_png(overlay(face.prepared, heat, *_heat_colours(model.labels, face.likely))),
            caption=f"{heat.kind.capitalize()} map",
            alt=f"Heat map of what moved the decision for {face.likely} on face {number}",
            output_format="PNG",
            width=PICTURE,
        )
    words = row.container(width=320, gap="xsmall")
    likely = "" if face.label else f" ({face.why}), likeliest {face.likely}"
    words.markdown(f"**{number}: {face.verdict}**{likely}, probability {face.probability:.2f}")
    words.plotly_chart(
        score_bars(face.scores),
        config={"displayModeBar": False},
        key=f"scores-{key}",
        alt=f"Probabilities of face {number}: "
        + ", ".join(f"{label} {score:.0%}" for label, score in face.scores.items()),
    )
    words.caption(
        f"{distance_words(face.distance, typical_distance(model))}. Box {list(face.box)}."
        + (f" {_heat_sums(heat)}" if heat and heat.kind == "gradient" else "")
    )


def _heat_colours(labels: Sequence[str], label: str) -> tuple[tuple[int, int, int], ...]:
    """Return the colour of what speaks for a label, and of what speaks against it."""
    colours = label_colours(labels)
    others = [colour for name, colour in colours.items() if name != label]
    away = others[0] if len(labels) == 2 else PALETTE[len(labels) % len(PALETTE)]
    return to_rgb(colours[label]), to_rgb(away)


def _heat_sums(heat: Heat) -> str:
    towards, away = heat.values.clip(min=0).sum(), -heat.values.clip(max=0).sum()
    return f"Of the decision, {towards:.1f} speak for {heat.label} and {away:.1f} against it."
