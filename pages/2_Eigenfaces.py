"""See the eigenfaces, reconstruct a face, move through face space, see faces as points."""

import streamlit as st

from facecore.face import DESCRIBED
from ui.controls import choose
from ui.explorer import show_explorer
from ui.face_picker import pick_face, say_whose
from ui.fisherfaces import show_fisherfaces
from ui.gallery import show_gallery, show_reconstruction
from ui.glossary import introduce
from ui.map import pick_star
from ui.models import pick_model, read_table
from ui.navigation import enter_page
from ui.points import show_points
from ui.presentation import is_presenting
from ui.text import as_is
from ui.walk import show_walk

VIEWS = ("Eigenfaces", "Reconstruction", "Explorer", "Walk", "Points")

enter_page()
introduce(
    "Eigenfaces",
    "A grey face is a point with one coordinate per pixel. Eigenfaces are the few directions in "
    "which faces differ most: every face is the mean face plus a certain amount of each.",
    "eigenface",
    "mean face",
    "weight",
    "standard deviation",
    "face space",
    "explained variance",
    "reconstruct",
)
chosen = pick_model()
if not chosen.model.draws:
    st.info(
        f"The model {as_is(chosen.name)} reads an embedding: {DESCRIBED} numbers that a deep "
        "network computes from a face. They cannot be turned back into a picture, so this model "
        "has no eigenfaces. Choose another model in the sidebar, or compare all of them:",
        title="Nothing to draw",
        icon=":material/visibility_off:",
    )
    st.page_link("pages/7_Ladder.py", label="From pixels to an embedding", icon=":material/stairs:")
    st.stop()
model = chosen.model.eigenfaces
side, members = model.recipe.side, len(chosen.model.members)
alone = (
    f" Of the {members} members of the model {as_is(chosen.name)}, only "
    f'"{as_is(model.pixels.name)}" has eigenfaces, so the decisions on this page are that '
    "member's alone."
)
if not is_presenting():
    st.caption(
        f"Here a face has {side} x {side} pixels, so it has {side**2:,} coordinates."
        + (alone if members > 1 else "")
    )
views = (*VIEWS, "Fisherfaces") if chosen.model.fisherfaces else VIEWS
view = choose("View", views, "space", show_label=False)

if view == "Reconstruction":
    face = pick_face(chosen)
    if face:
        show_reconstruction(model, face.crop)
        say_whose(face)
elif view == "Explorer":
    show_explorer(chosen)
elif view == "Walk":
    show_walk(chosen)
elif view == "Points":
    table = read_table("coordinates", chosen, optional=True)
    show_points(chosen, table, pick_star(chosen))
elif view == "Fisherfaces":
    show_fisherfaces(chosen, read_table("coordinates", chosen, optional=True))
else:
    show_gallery(chosen)
