"""Show the answer for one photo: boxes on the photo, then one row a face."""

import streamlit as st

from facecore.images import to_png
from facecore.predict import PhotoAnswer, annotate
from ui.look import label_colours, score_bars, to_rgb
from ui.models import Chosen

CAVEAT = (
    "The label is what people would have written in the data sets that the model learned from. "
    "It says nothing of who a person is or how they see themselves, and is no ground for a "
    "decision about anyone."
)


def show_answer(answer: PhotoAnswer, chosen: Chosen, key: str) -> None:
    """Show what the model says of a photo.

    Parameters
    ----------
    answer : PhotoAnswer
    chosen : Chosen
    key : str
        Apart from those of the other answers on the page.
    """
    with st.container(border=True):
        if answer.error:
            st.error(f"{answer.photo}: {answer.error}", icon=":material/broken_image:")
            return
        photo, faces = st.columns([2, 3], gap="medium")
        colours = {k: to_rgb(v) for k, v in label_colours(chosen.model.labels).items()}
        count = len(answer.faces)
        found = "No face" if not count else "1 face" if count == 1 else f"{count} faces"
        photo.image(
            to_png(annotate(answer, colours)),
            caption=f"{answer.photo}: {answer.width} x {answer.height} pixels",
            alt=f"Photo {answer.photo} with its faces boxed and numbered: {found}",
            width="stretch",
        )
        with faces:
            st.markdown(f"**{found}** in {answer.ms:.0f} ms")
            if not count:
                st.info(
                    "No face was found. A larger, upright face seen from the front works best.",
                    icon=":material/face_retouching_off:",
                )
            for number in range(1, count + 1):
                _show_face(answer, number, key)


def _show_face(answer: PhotoAnswer, number: int, key: str) -> None:
    face = answer.faces[number - 1]
    row = st.container(horizontal=True, vertical_alignment="center")
    row.image(to_png(face.crop), caption="Grey crop", alt=f"Grey crop of face {number}", width=100)
    row.image(
        to_png(face.reconstruction),
        caption="From eigenfaces",
        alt=f"Face {number} drawn again from its eigenfaces",
        width=100,
    )
    words = row.container(width=320)
    words.markdown(f"**{number}: {face.label}**, probability {face.probability:.2f}")
    words.plotly_chart(
        score_bars(face.scores),
        config={"displayModeBar": False},
        key=f"scores-{key}-{number}",
        alt=f"Probabilities of face {number}: "
        + ", ".join(f"{label} {score:.0%}" for label, score in face.scores.items()),
    )
    words.caption(f"Distance from face space {face.distance:.3f}, box {list(face.box)}")
