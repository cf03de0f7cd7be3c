"""Upload photos, take one, or make one, and see what the model says of every face."""

import streamlit as st

from facecore.images import DEFAULT_LIMITS, SUFFIXES, to_png
from facecore.predict import predict_photo
from facecore.synth import make_photo
from ui.answers import CAVEAT, show_answer
from ui.look import ICON
from ui.models import pick_model

MAX_PHOTOS = 20

st.set_page_config("Live prediction", ICON, layout="wide")
st.title("Live prediction")
st.write("Give the model photos and see, for each face, what it saw and what it says.")
chosen = pick_model()

sources = ("Upload", "Camera", "Made face")
source = st.segmented_control(
    "Photo from", sources, default="Upload", required=True, key="source", bind="query-params"
)
photos: list[tuple[str, bytes]] = []
if source == "Upload":
    uploads = st.file_uploader(
        "Photos",
        type=[suffix.removeprefix(".") for suffix in SUFFIXES],
        accept_multiple_files=True,
        max_upload_size=DEFAULT_LIMITS.max_bytes // 2**20,
        help="They stay in memory and are gone when you leave.",
        key="photos",
    )
    if len(uploads) > MAX_PHOTOS:
        st.warning(f"The first {MAX_PHOTOS} of {len(uploads)} photos are shown.")
    photos = [(upload.name, upload.getvalue()) for upload in uploads[:MAX_PHOTOS]]
elif source == "Camera":
    shot = st.camera_input("Take a photo", key="camera")
    photos = [("camera", shot.getvalue())] if shot else []
elif chosen.model.spread is None:
    st.info("This model stores nothing to draw made faces from.")
else:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        label = st.segmented_control(
            "Label", chosen.model.labels, default=chosen.model.labels[0], required=True, key="label"
        )
        seed = int(st.number_input("Seed", 0, 9999, 0, width=160, key="seed", bind="query-params"))
    st.caption("Drawn from the model's face space: it shows no person.")
    photos = [(f"made {label} {seed}", to_png(make_photo(chosen.model, str(label), seed)))]

if not photos:
    st.info("The answer appears here as soon as there is a photo.", icon=":material/image_search:")
    st.stop()
st.caption(CAVEAT)
for i, (name, data) in enumerate(photos):
    show_answer(predict_photo(data, chosen.model, name=name), chosen, key=str(i))
