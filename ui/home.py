"""The page Home: what this is, the chosen model at a glance, and one face at every step."""

import streamlit as st

from facecore.model import predict_photo
from ui.card import show_card, show_papers
from ui.glossary import explain_words
from ui.handin import offer_report
from ui.menu import full_menu
from ui.models import pick_model
from ui.photo import has_face, pick_photo, say_whom
from ui.steps import show_steps
from ui.text import as_is


def show_home() -> None:
    """Draw the page."""
    st.title("Face space")
    st.write(
        "Folders of labelled photos go in, a classifier comes out: find the face, crop, convert to "
        "grey, resize, min-max, eigenfaces (PCA), support vector machine. This dashboard shows "
        "every step."
    )
    explain_words("model", "eigenface", "PCA", "support vector machine")
    chosen = pick_model()
    st.header(as_is(chosen.title))
    show_card(chosen)
    with st.container(horizontal=True):
        for entry in (entry for entries in full_menu().values() for entry in entries):
            icon = f":material/{entry.icon}:"
            st.page_link(entry.path, label=entry.question, icon=icon, width="content")

    st.header("Follow one face")
    photo = pick_photo(chosen, "face")
    steps = st.container()
    if photo is None:
        steps.info("Choose a photo to follow its main face.", icon=":material/image_search:")
    else:
        name, data = photo
        with steps.skeleton(height=420):
            answer = predict_photo(data, chosen.model, name=name)
        with steps:
            if has_face(answer):
                show_steps(answer, chosen)
                say_whom(chosen, name)
    show_papers(chosen)
    offer_report(chosen)
