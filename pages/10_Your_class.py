"""Eigenfaces of the faces that visitors bring, step by step."""

import streamlit as st

from ui.class_faces import collect_faces, offer_removal, your_class
from ui.class_steps import (
    show_average,
    show_eigenfaces,
    show_nearest,
    show_recognition,
    show_sliders,
)
from ui.controls import choose
from ui.glossary import introduce
from ui.models import pick_model
from ui.navigation import enter_page
from ui.pixels import need_pixels

STEPS = {
    "Faces": None,
    "Average": show_average,
    "Eigenfaces": show_eigenfaces,
    "Sliders": show_sliders,
    "Nearest": show_nearest,
    "Recognition": show_recognition,
}
ENOUGH = 10  # faces from which the eigenfaces begin to look like faces


def _go_to(step: str) -> None:
    st.session_state["class_step"] = step


enter_page()
introduce(
    "Your class",
    "Bring ten or more faces and see their own eigenfaces: what they have in common, how they "
    "differ, and who resembles whom. Each face stays in the memory of this visit only.",
    "pixel",
    "mean face",
    "eigenface",
    "standard deviation",
)
chosen = pick_model()
need_pixels(chosen)
names, klass = list(STEPS), your_class()
with st.container(horizontal=True, vertical_alignment="center"):
    step = choose("Step", names, "class_step", show_label=False)
    offer_removal(klass)
if step == "Faces":
    collect_faces(chosen)
    if 0 < len(klass.faces) < ENOUGH:
        missing = ENOUGH - len(klass.faces)
        st.caption(f"{missing} more make {ENOUGH}; every step works from two faces on.")
elif len(klass.faces) < 2:
    st.info(
        "This step needs at least two faces: one face alone is its own average and differs from "
        "nothing.",
        icon=":material/group_add:",
    )
    st.button("Bring faces", on_click=_go_to, args=("Faces",), icon=":material/arrow_back:")
    st.stop()
else:
    STEPS[step](klass)
if len(klass.faces) > 1 and step != names[-1]:
    after = names[names.index(step) + 1]
    st.button(f"Next: {after}", on_click=_go_to, args=(after,), icon=":material/arrow_forward:")
