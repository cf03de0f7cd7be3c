"""Words of the field behind buttons."""

import streamlit as st

from facecore.model import GLOSSARY
from ui.presentation import is_presenting


def introduce(title: str, lead: str, *terms: str) -> None:
    """Show the title of a page, what the page is for, and the words that it uses.

    In a presentation the title stands alone: whoever presents says the rest, and the picture needs
    the room.

    Parameters
    ----------
    title : str
        Of the page.
    lead : str
        One to three sentences; Markdown.
    *terms : str
        Keys of `facecore.model.GLOSSARY`.
    """
    st.title(title)
    if is_presenting():
        return
    st.write(lead)
    if terms:
        explain_words(*terms)


def explain_words(*terms: str) -> None:
    """Show a row of terms; a click on one explains it.

    Parameters
    ----------
    *terms : str
        Keys of `facecore.model.GLOSSARY`.
    """
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="words"):
        for term in terms:
            with st.popover(term, type="tertiary", icon=":material/help:", key=f"word {term}"):
                st.markdown(f"**{term}**: {GLOSSARY[term]}")
        # Together, so that none of them stands alone on a second line.
        with st.container(horizontal=True, gap="small", width="content"):
            for page, label, icon in (
                ("12_Glossary", "all words", "dictionary"),
                ("13_Tutorial", "tutorial", "school"),
            ):
                icon = f":material/{icon}:"
                st.page_link(f"pages/{page}.py", label=label, icon=icon, width="content")
