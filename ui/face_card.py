"""One face of a photo: its pictures, the verdict, the probabilities, and a place for a heat map."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from facecore.model import FaceAnswer, FaceModel, Heat, heat_kind, label_colours, overlay, to_rgb
from ui.look import format_distance, show_picture
from ui.models import Chosen
from ui.probabilities import show_scores
from ui.text import as_is

HEAT = {
    "gradient": "Heat map (integrated gradients): the exact gradient of the decision with respect "
    "to the pixels, summed along the path from the mean face to this one.",
    "differences": "Heat map (differences): how much the decision differs from that on a plain "
    "square of the face's mean colour, split among the pixels that the model reads.",
}
# Multiples of the typical distance: 95% of the faces of LFW lie within the first, 99% of the
# portraits of members of congress within the second.
NEAR, FAR = 1.4, 2.1
AGAINST = "#ffffff"  # belongs to no label; shown where there are more than two
PICTURE = 90  # pixels, at least; three fit side by side on a phone
CAPTION = 28  # pixels below a picture
NO_FACE = ":material/face_retouching_off:"


@dataclass(frozen=True)
class Places:
    """Where the heat map of a face goes.

    Parameters
    ----------
    picture : DeltaGenerator
        Empty place beside the other pictures.
    sums : DeltaGenerator
        Empty place below the verdict.
    """

    picture: DeltaGenerator
    sums: DeltaGenerator


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


def verdict_words(face: FaceAnswer) -> str:
    """Describe the answer to a face, never a plain label where it is probably not a face.

    Parameters
    ----------
    face : FaceAnswer
        Answer of any model.

    Returns
    -------
    str
        Markdown.
    """
    likely, verdict = as_is(face.likely), as_is(face.verdict)
    share = f"probability {face.probability:.2f}"
    if face.why_no_face and face.label:
        return f"probably not a face** ({as_is(face.why_no_face)}), labelled {verdict}, {share}"
    if face.why_no_face:
        return f"not a face** ({as_is(face.why_no_face)})"
    if face.label:
        return f"{verdict}**, {share}"
    return f"{verdict}** ({as_is(face.why)}), most likely {likely}, {share}"


def show_face(face: FaceAnswer, chosen: Chosen, number: int) -> Places:
    """Show one face.

    Parameters
    ----------
    face : FaceAnswer
        Answer of the model.
    chosen : Chosen
        Model that answered.
    number : int
        Number of the face on its photo.

    Returns
    -------
    Places
        Where its heat map goes.
    """
    mark = f"{NO_FACE} " if face.why_no_face else ""
    st.markdown(f"{mark}**{number}: {verdict_words(face)}")
    with st.grid(3, min_column_width=PICTURE, gap="xsmall"):
        # Without a reconstruction the model reads no grey pixels: it saw the crop in colour.
        reads_grey = face.reconstruction is not None
        kind = "Grey crop" if reads_grey else "Crop"
        crop = face.crop if reads_grey else face.prepared
        show_picture(crop, f"{kind} of face {number}", kind)
        if face.reconstruction is not None:
            alt = f"Face {number} reconstructed from its eigenfaces"
            show_picture(face.reconstruction, alt, "Reconstruction")
        picture = st.empty()
    with st.container(gap="xsmall"):
        if face.label or not face.why_no_face:
            show_scores(face.scores, chosen.order, f"Probabilities of face {number}")
        else:
            st.caption(
                f"Read as a face all the same, it would be called {as_is(face.likely)} with "
                f"probability {face.probability:.2f}: probabilities are only shared among labels, "
                "and none of them means something else."
            )
        far = distance_words(face.distance, chosen.typical_distance)
        st.caption(f"{far}. Box {list(face.box)}.")
        sums = st.empty()
    return Places(picture, sums)


def announce_heat(places: Places) -> None:
    """Keep the place of a heat map free, so that nothing moves when it comes.

    It is no picture: the server would forget that at the end of the run, perhaps before the browser
    has fetched it. The pictures beside it, which grow with the page, give the row its height.

    Parameters
    ----------
    places : Places
        As `show_face` returned them.
    """
    places.picture.skeleton(height=PICTURE + CAPTION)


def show_heat(places: Places, face: FaceAnswer, heat: Heat, chosen: Chosen, number: int) -> None:
    """Show the heat map of a face.

    Parameters
    ----------
    places : Places
        As `show_face` returned them.
    face : FaceAnswer
        Answer of the model.
    heat : Heat
        As `facecore.model.explain_decision` returned it.
    chosen : Chosen
        Model that answered.
    number : int
        Number of the face on its photo.
    """
    picture = overlay(face.prepared, heat, *_heat_colours(chosen.model.labels, heat.label))
    with places.picture:
        alt = f"Heat map of the decision for {heat.label} on face {number}"
        show_picture(picture, alt, "Heat map")
    places.sums.caption(_heat_sums(heat))


def heat_words(models: Sequence[FaceModel]) -> str:
    """Describe the heat maps of a photo.

    Parameters
    ----------
    models : sequence of FaceModel
        Models that answered.

    Returns
    -------
    str
    """
    kinds = dict.fromkeys(heat_kind(model) for model in models)
    against = "the other label's colour" if len(models[0].labels) == 2 else "white"
    return (
        f"{' '.join(HEAT[kind] for kind in kinds)} Regions that speak for the label have its "
        f"colour, regions that speak against it are in {against}."
    )


def _heat_colours(labels: Sequence[str], label: str) -> tuple[tuple[int, int, int], ...]:
    """Return the colour of what speaks for a label, and of what speaks against it."""
    colours = label_colours(labels)
    others = [colour for name, colour in colours.items() if name != label]
    away = others[0] if len(labels) == 2 else AGAINST
    return to_rgb(colours[label]), to_rgb(away)


def _heat_sums(heat: Heat) -> str:
    # They add up to the change of the decision from where the explanation begins to this face.
    towards, away = heat.values.clip(min=0).sum(), -heat.values.clip(max=0).sum()
    return (
        f"Contributions to the decision: {towards:.1f} for {as_is(heat.label)}, {away:.1f} against."
    )
