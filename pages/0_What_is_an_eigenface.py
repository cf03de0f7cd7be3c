"""A lesson in seven steps: from pixels to eigenfaces, recipes of faces, and recognition."""

import streamlit as st

from ui.lesson import say_no_lesson, show_lesson
from ui.models import pick_model
from ui.navigation import enter_page

enter_page()
st.title("What is an eigenface?")
chosen = pick_model()
if not chosen.model.draws or chosen.model.spread is None:
    say_no_lesson(chosen)
else:
    show_lesson(chosen)
