"""A report on the chosen model to hand in: one file, made on the click."""

from html import escape

import streamlit as st

from facecore.errors import FacecoreError
from facecore.evaluation import write_report
from facecore.model import shows_nobody
from ui.controls import offer_file
from ui.models import Chosen
from ui.text import as_is


def offer_report(chosen: Chosen) -> None:
    """Offer the report as a download.

    Parameters
    ----------
    chosen : Chosen
        Model to report on.
    """
    faces = False
    with st.container(horizontal=True, vertical_alignment="center"):
        place = st.container(width="content")
        if not shows_nobody(chosen.metadata) and chosen.model.draws:
            faces = st.checkbox(
                "With faces", key="report_faces", help=f"They are left out. {as_is(chosen.whom)}"
            )
        with place:
            offer_file(
                "Report to hand in",
                lambda: _write(chosen.name, faces),
                f"{chosen.name}.html",
                "text/html",
                "report_file",
            )
        st.caption(
            "One HTML file with figures, pictures, card, command and checksums. It opens anywhere, "
            "runs nothing, and can be printed."
        )


def _write(name: str, faces: bool) -> str:
    try:
        return write_report(name, faces=faces)
    except FacecoreError as error:  # trained again, renamed or deleted since the page was drawn
        return f"<!doctype html><title>No report</title><p>{escape(str(error))}"
