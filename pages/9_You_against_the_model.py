"""Guess the labels of ten faces, then see who was right: you or the model."""

from ui.glossary import introduce
from ui.models import pick_model
from ui.navigation import enter_page
from ui.quiz import show_quiz

enter_page()
introduce(
    "You against the model",
    "Ten faces, one after the other: guess the label and say how sure you are. The model judges "
    "the same photos. Its answers come last.",
    "label",
    "probability",
    "calibration",
    "Brier score",
)
chosen = pick_model()
show_quiz(chosen)
