"""The page Home: a face and what the model says of it, every step to it, then the model's card."""

import streamlit as st

from facecore.model import FaceAnswer
from ui.card import show_card, show_papers
from ui.face_picker import pick_face, say_whose
from ui.glossary import explain_words
from ui.handin import offer_report
from ui.look import show_picture
from ui.menu import LESSON, full_menu
from ui.models import Chosen, pick_model
from ui.photo import has_face
from ui.probabilities import show_scores
from ui.steps import show_steps, verdict_words
from ui.text import as_is
from ui.your_face import YourFace


def show_home() -> None:
    """Draw the page."""
    st.title("Face space")
    with st.container(key="begin"):
        icon = f":material/{LESSON.icon}:"
        st.page_link(LESSON.path, label=f"Begin here: **{LESSON.title}**", icon=icon)
    chosen = pick_model()
    yours = _show_answer(chosen)
    if yours and yours.answer.main:
        st.header("Follow this face")
        explain_words("model", "eigenface", "PCA", "support vector machine")
        show_steps(yours, yours.answer.main, chosen)
    st.header("More to explore")
    with st.container(horizontal=True):
        for entry in (entry for entries in full_menu().values() for entry in entries):
            icon = f":material/{entry.icon}:"
            st.page_link(entry.path, label=entry.question, icon=icon, width="content")
    st.header(as_is(chosen.title))
    show_card(chosen)
    show_papers(chosen)
    offer_report(chosen)


def _show_answer(chosen: Chosen) -> YourFace | None:
    """Show the face of the visit with what the model says of it, and return the face."""
    picture, words = st.columns([3, 5], gap="medium")
    with words:
        told = st.container()
        yours = pick_face(chosen, "Try your own face")
    if yours is None:
        return None
    with picture:
        show_picture(yours.portrait, f"{yours.words.capitalize()}, cut out of its photo")
    with told:
        if yours.answer.main:
            _tell(yours.answer.main, chosen)
        else:
            has_face(yours.answer)  # says so
        say_whose(yours)
    return yours


def _tell(face: FaceAnswer, chosen: Chosen) -> None:
    st.markdown(f"The model *{as_is(chosen.name)}* {verdict_words(face)}.")
    st.markdown(
        "To a computer a face is a long row of numbers. The model sums it up in far fewer, and "
        "from these it guesses what people would have written beside the photo."
    )
    show_scores(face.scores, chosen.order, "Probability of each label")
