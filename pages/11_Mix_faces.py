"""Morph two faces, average many, and exaggerate what is special about one."""

import streamlit as st

from ui.controls import choose
from ui.glossary import introduce
from ui.mix import fitting_class, show_average, show_caricature, show_morph
from ui.models import pick_model
from ui.navigation import enter_page
from ui.pixels import need_pixels
from ui.text import as_is

VIEWS = {"Morph": show_morph, "Average": show_average, "Caricature": show_caricature}

enter_page()
introduce(
    "Mix faces",
    "A picture is a row of numbers, so faces can be mixed: from one to another, the average of "
    "many, or away from the mean.",
    "pixel",
    "mean face",
    "probability",
)
chosen = pick_model()
need_pixels(chosen)
view = choose("View", list(VIEWS), "mix", show_label=False)
VIEWS[view](chosen, fitting_class(chosen))
members = len(chosen.model.members)
if members > 1:
    st.caption(
        f"Of the {members} members of the model {as_is(chosen.name)}, only "
        f'"{as_is(chosen.model.pixels.name)}" reads these grey pictures, so the answers on this '
        "page are that member's alone."
    )
