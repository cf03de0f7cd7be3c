"""See the eigenfaces, reconstruct a face, move through face space, see faces as points."""

import streamlit as st

from facecore.face import DESCRIBED
from facecore.model import predict_photo
from ui.controls import choose
from ui.explorer import show_explorer
from ui.fisherfaces import show_fisherfaces
from ui.gallery import show_gallery, show_reconstruction
from ui.glossary import explain_words
from ui.models import pick_model, read_table
from ui.navigation import enter_page
from ui.photo import has_face, pick_photo, say_no_spread, say_whom
from ui.points import show_points
from ui.text import as_is
from ui.walk import show_walk

VIEWS = ("Eigenfaces", "Reconstruction", "Explorer", "Walk", "Points")

enter_page()
st.title("Eigenfaces")
st.write(
    "A grey face is a point with one coordinate per pixel. Eigenfaces are the few directions in "
    "which faces differ most: every face is the mean face plus a certain amount of each."
)
explain_words("eigenface", "mean face", "weight", "face space", "explained variance", "reconstruct")
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
st.caption(
    f"Here a face has {side} x {side} pixels, so it has {side**2:,} coordinates."
    + (alone if members > 1 else "")
)
views = (*VIEWS, "Fisherfaces") if chosen.model.fisherfaces else VIEWS
view = choose("View", views, "space", show_label=False)

if view == "Reconstruction":
    photo = pick_photo(chosen, "face")
    if photo is None:
        st.info("Choose a photo to reconstruct its main face.", icon=":material/image_search:")
        st.stop()
    answer = predict_photo(photo[1], chosen.model, name=photo[0])
    if has_face(answer):
        show_reconstruction(model, answer.main.crop)
        say_whom(chosen, photo[0])
elif view == "Explorer" and model.spread is None:
    say_no_spread()
elif view == "Explorer":
    show_explorer(chosen)
elif view == "Walk":
    show_walk(chosen)
elif view == "Points":
    show_points(chosen, read_table("coordinates", chosen, optional=True))
elif view == "Fisherfaces":
    show_fisherfaces(chosen, read_table("coordinates", chosen, optional=True))
else:
    show_gallery(chosen)
