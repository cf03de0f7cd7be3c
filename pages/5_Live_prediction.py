"""Upload photos, take one, or make one, and see what the model says of every face."""

import streamlit as st

from facecore.face import SUFFIXES, to_png
from facecore.model import make_photo
from ui.answers import Settings, show_photo
from ui.batch import Source, answer_all, list_entries, show_batch, within_limit
from ui.detector import pick_detector, say_difference
from ui.look import ICON
from ui.models import pick_model, pick_other
from ui.rule import pick_confidence

MAX_UPLOAD = 100  # of a ZIP, in megabytes; a photo has the library's own limit
CARDS = 3  # more photos than that are a table

st.set_page_config("Live prediction", ICON, layout="wide")
st.title("Live prediction")
st.write("Give the model photos and see, for each face, what it saw and what it says.")
chosen = pick_model()
labels = chosen.model.labels

sources: list[Source] = []
with st.container(horizontal=True, vertical_alignment="bottom"):
    source = st.segmented_control(
        "Photo from", ("Upload", "Camera", "Made face"), default="Upload", required=True,
        key="source", bind="query-params",
    )  # fmt: skip
    other = pick_other(chosen)
    detector = pick_detector(chosen.model.recipe["detector"])
    unsure = pick_confidence(chosen)
    heat = st.toggle("Heat maps", True, key="heat", bind="query-params",
                     help="Show what in each face moved the decision")  # fmt: skip
models = (chosen, other) if other else (chosen,)
if detector:
    say_difference(detector, models)
if source == "Upload":
    uploads = st.file_uploader(
        "Photos, or ZIPs of photos",
        type=[suffix.removeprefix(".") for suffix in (*SUFFIXES, ".zip")],
        accept_multiple_files=True, max_upload_size=MAX_UPLOAD, key="photos",
        help="They stay in memory and are gone when you leave.",
    )  # fmt: skip
    sources = [Source(upload.file_id, upload.name, upload.getvalue()) for upload in uploads]
elif source == "Camera":
    shot = st.camera_input("Take a photo", key="camera")
    sources = [Source(shot.file_id, "camera", shot.getvalue())] if shot else []
elif chosen.model.spread is None:
    st.info("This model stores nothing to draw made faces from.")
else:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        label = st.segmented_control(
            "Label", labels, default=labels[0], required=True, key="label", bind="query-params"
        )
        seed = int(st.number_input("Seed", 0, 9999, 0, width=160, key="seed", bind="query-params"))
    label = label if label in labels else labels[0]  # an old address may name another model's
    st.caption("Drawn from the model's face space: it shows no person.")
    name = f"made {label} {seed}"
    sources = [Source(name, name, to_png(make_photo(chosen.model, label, seed)))]

if not sources:
    st.info("The answer appears here as soon as there is a photo.", icon=":material/image_search:")
    st.stop()
sources = within_limit(sources)
settings = Settings(models, detector, heat, unsure)
if sum(source.count() for source in sources) > CARDS:
    show_batch(sources, answer_all(sources, settings), settings)
else:
    for i, entry in enumerate(list_entries(sources)):
        show_photo(entry, settings, key=str(i))
