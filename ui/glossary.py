"""Words of the field behind buttons, and the pages Glossary and Tutorial."""

import re
from pathlib import Path

import streamlit as st

from facecore.model import GLOSSARY, glossary_page

TUTORIAL = Path(__file__).resolve().parents[1] / "docs" / "tutorial.md"
# The documentation is a site of its own, so links into it lead nowhere from here.
INSIDE = re.compile(r"!?\[([^\]]+)\]\((?!https?:)[^)]+\)")


def explain_words(*terms: str) -> None:
    """Show a row of terms; a click on one explains it.

    Parameters
    ----------
    *terms : str
        Keys of `facecore.model.GLOSSARY`.
    """
    with st.container(horizontal=True, gap="small", key="words"):
        for term in terms:
            with st.popover(term, type="tertiary", icon=":material/help:", key=f"word {term}"):
                st.markdown(f"**{term}**: {GLOSSARY[term]}")
        st.page_link(glossary(), label="all words", icon=":material/dictionary:", width="content")
        st.page_link(tutorial(), label="tutorial", icon=":material/school:", width="content")


def glossary() -> st.Page:
    """Return the page of all words, for the menu and links.

    Returns
    -------
    Page
    """
    return st.Page(
        _show_glossary,
        title="Glossary",
        icon=":material/dictionary:",
        help="What do the words mean?",
        url_path="Glossary",
    )


def tutorial() -> st.Page:
    """Return the page of the tutorial, for the menu and links.

    Returns
    -------
    Page
    """
    return st.Page(
        _show_tutorial,
        title="Tutorial",
        icon=":material/school:",
        help="The whole pipeline on the command line and in Python",
        url_path="Tutorial",
    )


def _show_glossary() -> None:
    with st.container(width=760):
        st.markdown(glossary_page())


def _show_tutorial() -> None:
    with st.container(width=960):
        st.markdown(INSIDE.sub(r"\1", TUTORIAL.read_text(encoding="utf-8")))
