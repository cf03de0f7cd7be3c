"""The frame of every page: the menu, the logo and the model picker.

`dashboard.py` draws it and then the page of the address. Streamlit also finds `pages/` by itself:
the first visit to a fresh server that begins on a sub-page starts in this old mode, without the
frame. So each page begins with `enter_page`, which hands such a visit over to the frame.
"""

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from ui.face_picker import show_your_face
from ui.home import show_home
from ui.look import ICON
from ui.menu import Entry, full_menu
from ui.picker import show_picker


def run_dashboard() -> None:
    """Draw the menu, the logo and the model picker, then the page of the address."""
    sections = {
        group: [_page_of(entry) for entry in entries] for group, entries in full_menu().items()
    }
    home = st.Page(show_home, title="Home", icon=":material/home:", url_path="Home", default=True)
    next(iter(sections.values())).insert(0, home)
    # Before the menu: else the browser asks the internet for the icon of the page.
    st.set_page_config("Face space", ICON, layout="wide")
    page = st.navigation(sections, expanded=True)
    st.set_page_config(f"{page.title} · Face space")
    st.logo(ICON, size="large")
    show_picker()
    with st.sidebar:
        show_your_face()
    page.run()


def enter_page() -> None:
    """Begin a page: if Streamlit started it without the frame, draw both and end this start."""
    if PagesManager.uses_pages_directory:
        run_dashboard()
        st.stop()


def _page_of(entry: Entry) -> st.Page:
    icon = f":material/{entry.icon}:"
    return st.Page(entry.path, title=entry.title, icon=icon, help=entry.question)
