"""The dashboard's home: what this is, the chosen model's card, and the pipeline in pictures."""

import streamlit as st

from facecore.explain import eigenface_images, mean_face
from facecore.images import to_png
from facecore.predict import annotate, predict_photo
from facecore.synth import make_photo
from ui.card import show_card
from ui.look import ICON, label_colours, to_rgb
from ui.models import pick_model

st.set_page_config("Face space", ICON, layout="wide")
st.title("Face space")
st.write(
    "Folders of labelled photos go in, a classifier comes out, by the textbook's way: find the "
    "face, crop, grey, 100 x 100 pixels, min-max, eigenfaces (PCA), support vector machine. "
    "This dashboard shows every step."
)
chosen = pick_model()
model = chosen.model
show_card(chosen)

st.subheader("The way of a photo")
if model.spread is None:
    st.info("This model stores nothing to draw a made face from; try one of your photos.")
else:
    label = model.labels[0]
    answer = predict_photo(to_png(make_photo(model, label, seed=2)), model, name="made face")
    colours = {k: to_rgb(v) for k, v in label_colours(model.labels).items()}
    steps = [(annotate(answer, colours), "1. Find the face", "Made photo with the face boxed")]
    for face in answer.faces[:1]:
        steps += [
            (face.crop, "2. Crop, grey, resize", "Grey crop of the face, 100 by 100 pixels"),
            (mean_face(model), "3. Min-max, minus the mean face", "Mean of the training faces"),
            (
                face.reconstruction,
                f"4. As {len(model.pixels.variance)} eigenfaces",
                "The face drawn again from its eigenface coordinates",
            ),
        ]
    row = st.container(horizontal=True)
    for picture, caption, alt in steps:
        row.image(to_png(picture), caption=caption, alt=alt, width=180)
    for face in answer.faces[:1]:
        st.markdown(
            f"5. The support vector machine says **{face.label}** with probability "
            f"{face.probability:.2f}. The face was made from the model's own face space; "
            "it shows no person."
        )

st.subheader("The first eigenfaces")
st.write("The directions in which the training faces differ most; grey is zero.")
row = st.container(horizontal=True)
shares = model.pixels.variance / model.pixels.total_variance
for i, picture in enumerate(eigenface_images(model, 8)):
    row.image(
        to_png(picture),
        caption=f"{i + 1}: {shares[i]:.1%} of variance",
        alt=f"Eigenface {i + 1}",
        width=120,
    )
st.page_link(
    "pages/5_Live_prediction.py", label="Try it on a photo", icon=":material/arrow_forward:"
)
