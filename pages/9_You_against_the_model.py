"""Guess the labels of ten faces, then see who was right: you or the model."""

import streamlit as st

from ui.models import pick_model
from ui.navigation import enter_page
from ui.quiz import show_quiz

enter_page()
st.title("You against the model")
chosen = pick_model()
st.write(
    "Ten faces, one after the other: guess the label and say how sure you are. The model judges "
    "the same photos. Its answers come last."
)
show_quiz(chosen)
