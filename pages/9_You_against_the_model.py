"""Guess the labels of ten faces, then see who was right: you or the model."""

import streamlit as st

from ui.look import ICON
from ui.models import pick_model
from ui.photo import say_no_spread
from ui.quiz import show_quiz
from ui.text import as_is

st.set_page_config("You against the model", ICON, layout="wide")
st.title("You against the model")
chosen = pick_model()
st.write(
    "Ten faces, one after the other: guess the label and say how sure you are. The model judges "
    "the same photos. Its answers come last."
)
if not (chosen.model.draws and chosen.model.spread):
    say_no_spread()
    st.stop()
show_quiz(chosen)
st.caption(
    "The faces are synthetic and show nobody. The true label of such a face is the label whose "
    "faces it was drawn like: a random point of the cloud (a Gaussian) that the training faces of "
    "this label form in face space. The clouds overlap, so nobody can be right about every face, "
    "and the model knows the clouds, which you do not. " + as_is(chosen.whom)
)
