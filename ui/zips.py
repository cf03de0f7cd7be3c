"""What is said of ZIPs, and in which encoding their names are read."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from facecore.data import ENCODINGS, Survey, survey_photos
from facecore.errors import DataError
from ui.batch import Source

GUESS = "guess"


def pick_encoding(survey: Survey, key: str) -> str | None:
    """Ask for the encoding of the names in a ZIP, where it had to be guessed.

    Parameters
    ----------
    survey : Survey
        Of the ZIP, without an encoding.
    key : str
        Of the widget.

    Returns
    -------
    str or None
        None where it is to be guessed, or is known.
    """
    if not survey.guessed:
        return None
    languages = {GUESS: f"Guess: {survey.guessed}"} | {
        name: f"{name}, {language}" for name, language in ENCODINGS.items()
    }
    chosen = st.selectbox(
        "Encoding of the names in the ZIP",
        list(languages),
        format_func=languages.__getitem__,
        key=key,
        width=360,
        help="Choose another one if the names look wrong.",
    )
    return None if chosen == GUESS else chosen


def prepare_zips(sources: Sequence[Source]) -> list[Source]:
    """Show what is passed over in ZIPs, and ask for the encoding of their names.

    Parameters
    ----------
    sources : sequence of Source
        Photos and ZIPs.

    Returns
    -------
    list of Source
        The same, with the encoding that was chosen.
    """
    return [_prepare(source) if source.is_zip() else source for source in sources]


def _prepare(source: Source) -> Source:
    survey = _survey(source)
    encoding = pick_encoding(survey, f"encoding_{source.id}") if survey else None
    if encoding:
        source = replace(source, id=f"{source.id} {encoding}", encoding=encoding)
        survey = _survey(source)
    for note in survey.notes if survey else ():
        st.text(f"{source.name}: {note}")  # file names are no Markdown
    return source


def _survey(source: Source) -> Survey | None:
    try:
        return survey_photos(source.data, encoding=source.encoding)
    except DataError:  # it is the answer to the ZIP
        return None
