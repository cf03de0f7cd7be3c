"""See the eigenfaces, draw a face again from them, move through face space, see faces as points."""

import streamlit as st

from facecore.face import DESCRIBED
from facecore.model import predict_photo
from ui.explorer import show_explorer, show_walk
from ui.gallery import show_gallery, show_reconstruction
from ui.look import ICON
from ui.models import pick_model, read_table
from ui.photo import pick_photo
from ui.points import show_points

VIEWS = ("Eigenfaces", "Reconstruction", "Explorer", "Walk", "Points")

st.set_page_config("Eigenfaces", ICON, layout="wide")
st.title("Eigenfaces")
st.write(
    "A grey face is a point with a coordinate for each pixel. Eigenfaces are the few directions "
    "in which faces differ most: each face is the mean face plus some of each."
)
chosen = pick_model()
if not chosen.model.draws:
    st.info(
        f"The model {chosen.name} describes a face by {DESCRIBED} numbers of a deep network. No "
        "way leads back from them to a picture, so it has no eigenfaces and draws no face. "
        "Choose another model at the left, or see all of them side by side:",
        title="Nothing to draw",
        icon=":material/visibility_off:",
    )
    st.page_link("pages/7_Ladder.py", label="From pixels to a network", icon=":material/stairs:")
    st.stop()
model = chosen.model.eigenfaces
side, members = model.recipe["side"], len(chosen.model.members)
st.caption(
    f"Here a face has {side} x {side} pixels, so {side**2:,} coordinates."
    + (f" Of the {members} members of the model {chosen.name} only {model.pixels.name} has "
       "eigenfaces, so decisions on this page are its own." if members > 1 else "")
)  # fmt: skip
view = st.segmented_control(
    "View", VIEWS, default=VIEWS[0], required=True, key="space", bind="query-params",
    label_visibility="collapsed",
)  # fmt: skip

if view == "Reconstruction":
    photo = pick_photo(model, "face")
    answer = predict_photo(photo[1], chosen.model, name=photo[0]) if photo else None
    if answer is None:
        st.info("Give a photo to draw its largest face again.", icon=":material/image_search:")
    elif answer.error:
        st.error(f"{answer.photo}: {answer.error}", icon=":material/broken_image:")
    elif not answer.faces:
        st.info("No face was found in this photo.", icon=":material/face_retouching_off:")
    else:
        show_reconstruction(model, answer.faces[0].crop)
elif view in ("Explorer", "Walk") and model.spread is None:
    st.info("This model stores nothing to draw made faces from.", icon=":material/info:")
elif view == "Explorer":
    show_explorer(model)
elif view == "Walk":
    show_walk(model, f"{chosen.name} {chosen.metadata['created']}")
elif view == "Points":
    table = read_table("coordinates", chosen, optional=True)
    show_points(model, table)
else:
    show_gallery(model)
