"""See the eigenfaces, draw a face again from them, move through face space, see faces as points."""

import streamlit as st

from facecore.predict import predict_photo
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
    "A face of 100 x 100 pixels is a point with 10,000 coordinates. Eigenfaces are the few "
    "directions in which faces differ most: each face is the mean face plus some of each."
)
chosen = pick_model()
model = chosen.model
view = st.segmented_control(
    "View", VIEWS, default=VIEWS[0], required=True, key="space", bind="query-params",
    label_visibility="collapsed",
)  # fmt: skip

if view == "Reconstruction":
    photo = pick_photo(model, "face")
    answer = predict_photo(photo[1], model, name=photo[0]) if photo else None
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
    show_walk(chosen)
elif view == "Points":
    table = read_table("coordinates", chosen, optional=True)
    show_points(model, table)
else:
    show_gallery(model)
