"""Guess the labels of ten faces, then see who was right: you or the model."""

import streamlit as st

from ui.look import ICON
from ui.models import pick_model
from ui.quiz import show_quiz

st.set_page_config("You against the model", ICON, layout="wide")
st.title("You against the model")
chosen = pick_model()
st.write(
    "Ten faces, one after the other: guess the label and say how sure you are. The model judges "
    "the same photos. Its answers come last."
)
show_quiz(chosen)
