"""The tutorial of the documentation: the whole pipeline on the command line and in Python."""

import re
from pathlib import Path

import streamlit as st

from ui.navigation import enter_page

TEXT = Path(__file__).resolve().parents[1] / "docs" / "tutorial.md"
# The documentation is a site of its own, so links into it lead nowhere from here.
INSIDE = re.compile(r"!?\[([^\]]+)\]\((?!https?:)[^)]+\)")

enter_page()
st.title("Tutorial")
_, _, steps = TEXT.read_text(encoding="utf-8").partition("\n")
with st.container(width=960):
    st.markdown(INSIDE.sub(r"\1", steps))
