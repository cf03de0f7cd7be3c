"""A lesson in seven steps: from pixels to eigenfaces, recipes of faces, and recognition."""

import streamlit as st

from ui.lesson import say_no_lesson, show_lesson
from ui.look import ICON
from ui.models import pick_model

st.set_page_config("What is an eigenface?", ICON, layout="wide")
st.title("What is an eigenface?")
chosen = pick_model()
if not chosen.model.draws or chosen.model.spread is None:
    say_no_lesson(chosen)
else:
    show_lesson(chosen)
