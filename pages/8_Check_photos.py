"""The photos behind the figures of your own model: correct labels, drop photos, train again."""

import streamlit as st

from facecore.training import TEST, TRAINING, photos_of
from ui.controls import choose
from ui.glossary import introduce
from ui.mistakes import (
    pick_kind,
    read_photos,
    show_corrections,
    show_gallery,
    show_notes,
    show_train_again,
)
from ui.models import pick_model
from ui.navigation import enter_page
from ui.training import is_training_on

enter_page()
introduce(
    "Check photos",
    "The photos behind the figures of your own model: labels that may be wrong, wrong answers, and "
    "faces unlike all others. Correct or drop what is wrong, then train again.",
    "label",
    "test set",
    "cross-validation",
)
chosen = pick_model()
if not is_training_on():
    st.info(
        "Looking at training photos is turned off on this server (FACECORE_TRAINING=off). Start "
        "the dashboard on your own computer without that setting.",
        icon=":material/lock:",
    )
    st.stop()
found = read_photos(chosen)
if found is None:
    st.stop()
show_notes()
parts = [part for part in (TRAINING, TEST) if len(photos_of(found.photos, part))]
part = choose("Photos", parts, "check_part")
selected = pick_kind(chosen, found, part)
show_gallery(chosen, found, part, selected)
decided = show_corrections(found)
if decided:
    show_train_again(chosen, found)
