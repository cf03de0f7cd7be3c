"""The dashboard's home: what this is, the chosen model at a glance, and one face at every step."""

import streamlit as st

from facecore.model import predict_photo
from ui.card import show_card, show_papers
from ui.handin import offer_report
from ui.look import ICON
from ui.models import pick_model
from ui.photo import has_face, pick_photo, say_whom
from ui.steps import show_steps
from ui.text import as_is

PAGES = {
    "0_What_is_an_eigenface": ("What is an eigenface?", "school"),
    "1_Face_sizes": ("Which faces are large enough?", "straighten"),
    "2_Eigenfaces": ("See and move through face space", "face"),
    "3_Grid_search": ("Which settings are best?", "grid_on"),
    "4_Evaluation": ("How good is it, and for whom?", "query_stats"),
    "5_Live_prediction": ("Try it on a photo", "photo_camera"),
    "6_Your_data": ("Train on your own photos", "model_training"),
    "7_Ladder": ("From pixels to an embedding", "stairs"),
    "8_Check_photos": ("Which labels are wrong?", "fact_check"),
    "9_You_against_the_model": ("Guess against the model", "sports_score"),
    "10_Your_class": ("Eigenfaces of your class", "groups"),
    "11_Mix_faces": ("Morph, average, caricature", "join_inner"),
}

st.set_page_config("Face space", ICON, layout="wide")
st.title("Face space")
st.write(
    "Folders of labelled photos go in, a classifier comes out: find the face, crop, convert to "
    "grey, resize, min-max, eigenfaces (PCA), support vector machine. This dashboard shows every "
    "step."
)
chosen = pick_model()
st.subheader(as_is(chosen.title))
show_card(chosen)
with st.container(horizontal=True):
    for page, (label, icon) in PAGES.items():
        st.page_link(f"pages/{page}.py", label=label, icon=f":material/{icon}:", width="content")

st.subheader("Follow one face")
photo = pick_photo(chosen, "face")
steps = st.container()
if photo is None:
    steps.info("Choose a photo to follow its main face.", icon=":material/image_search:")
else:
    name, data = photo
    with steps.skeleton(height=420):
        answer = predict_photo(data, chosen.model, name=name)
    with steps:
        if has_face(answer):
            show_steps(answer, chosen)
            say_whom(chosen, name)
show_papers(chosen)
offer_report(chosen)
