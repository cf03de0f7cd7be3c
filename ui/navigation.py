"""The frame of every page: the menu, the logo, the model picker, the presentation and the link.

`dashboard.py` draws it and then the page of the address. Streamlit also finds `pages/` by itself:
the first visit to a fresh server that begins on a sub-page starts in this old mode, without the
frame. So each page begins with `enter_page`, which hands such a visit over to the frame.
"""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from ui.charts import STYLE as CHARTS
from ui.face_picker import show_your_face
from ui.home import show_home
from ui.look import ICON
from ui.menu import Entry, full_menu
from ui.picker import show_picker
from ui.presentation import is_presenting, show_switch
from ui.share import show_link

STYLE = Path(__file__).with_name("frame.css")


def run_dashboard() -> None:
    """Draw the menu and what else is the same on every page, then the page of the address."""
    sections = {
        group: [_page_of(entry) for entry in entries] for group, entries in full_menu().items()
    }
    home = st.Page(show_home, title="Home", icon=":material/home:", url_path="Home", default=True)
    next(iter(sections.values())).insert(0, home)
    # Before the menu: else the browser asks the internet for the icon of the page.
    st.set_page_config("Face space", ICON, layout="wide")
    presenting = is_presenting()
    page = st.navigation(sections, position="top" if presenting else "sidebar", expanded=True)
    st.set_page_config(f"{page.title} · Face space")
    st.logo(ICON, size="large")
    _style()
    if presenting:
        _show_bar([each for pages in sections.values() for each in pages], page)
    else:
        with st.sidebar:
            face = st.container()  # in sight below the menu, though it is read by the picked model
            show_picker()
            with face:
                show_your_face()
            with st.container(horizontal=True, vertical_alignment="center"):
                show_switch()
                show_link()
    page.run()


def enter_page() -> None:
    """Begin a page: if Streamlit started it without the frame, draw both and end this start."""
    if PagesManager.uses_pages_directory:
        run_dashboard()
        st.stop()


def _style() -> None:
    st.html(STYLE)
    st.html(CHARTS)
    if theme := st.context.theme.type:  # popovers lie outside of what Streamlit itself marks
        st.html(f"<style>:root {{ color-scheme: {theme}; }}</style>")


def _page_of(entry: Entry) -> st.Page:
    icon = f":material/{entry.icon}:"
    return st.Page(entry.path, title=entry.title, icon=icon, help=entry.question)


def _show_bar(pages: Sequence[st.Page], page: st.Page) -> None:
    """Show what a presentation needs above a page: neighbours, model, face and the way back."""
    here = pages.index(page)
    # One line, whatever the width; where it scrolls sideways, the way back is what is in sight.
    with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
        show_switch()
        if here > 0:
            st.page_link(pages[here - 1], icon=":material/arrow_back:")
        if here + 1 < len(pages):
            st.page_link(pages[here + 1], icon=":material/arrow_forward:")
        show_picker(brief=True)
        show_your_face(brief=True)
        show_link(brief=True)
