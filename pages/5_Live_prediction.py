"""Upload photos, take one, or draw one, and see the model's answer for every face."""

import streamlit as st

from facecore.face import SUFFIXES, spec_of
from ui.answers import Settings, show_photos
from ui.batch import Source, answer_all, list_entries, show_batch, within_limit
from ui.controls import choose
from ui.detector import pick_detector, warn_of_difference
from ui.face_picker import (
    YOURS,
    begin_with_face,
    offer_examples,
    offer_to_keep,
    pick_face,
    say_whose,
)
from ui.glossary import introduce
from ui.memory import forget_photos
from ui.models import pick_model, pick_other
from ui.navigation import enter_page
from ui.rule import pick_rule
from ui.zips import prepare_zips

MAX_UPLOAD = 100  # MB per file, enough for a ZIP; the library has a limit of its own for photos
CARDS = 3  # photos; more of them are shown as a table

enter_page()
introduce(
    "Live prediction",
    "Give the model photos and see, for each face, what it reads and what it answers.",
    "probability",
    "abstain",
    "decision",
    "distance from face space",
    "heat map",
)
chosen = pick_model()

begin_with_face(chosen, "source")
with st.container(horizontal=True, vertical_alignment="bottom"):
    source = choose("Photo from", ("Upload", "Camera", YOURS), "source")
    other = pick_other(chosen)
    detector = pick_detector(spec_of(chosen.model.recipe.detector))
    unsure, ruled = pick_rule(chosen)
    heat = st.toggle(
        "Heat maps",
        True,
        key="heat",
        bind="query-params",
        help="Show which regions of each face moved the decision",
    )
models = (chosen, other) if other else (chosen,)
if detector:
    warn_of_difference(detector, models)
sources: list[Source] = []
if source == "Upload":
    uploads = st.file_uploader(
        "Photos, or ZIPs of photos",
        type=[suffix.removeprefix(".") for suffix in (*SUFFIXES, ".zip")],
        accept_multiple_files=True,
        max_upload_size=MAX_UPLOAD,
        key="photos",
        help="They stay in memory and are gone when you leave.",
    )
    sources = [Source(upload.file_id, upload.name, upload.getvalue()) for upload in uploads]
    if len(sources) == 1 and not sources[0].is_zip():
        offer_to_keep(uploads[0], "source")
elif source == "Camera":
    shot = st.camera_input("Take a photo", key="camera")
    sources = [Source(shot.file_id, "camera", shot.getvalue())] if shot else []
    if shot:
        offer_to_keep(shot, "source")
elif face := pick_face(chosen):
    say_whose(face)
    sources = [Source(face.id, face.name, face.photo)]

if not sources:
    forget_photos()
    st.info("The answer appears here as soon as there is a photo.", icon=":material/image_search:")
    offer_examples(chosen, "source")
    st.stop()
sources = within_limit(prepare_zips(sources))
settings = Settings(models, detector, heat, unsure, ruled)
if sum(source.count() for source in sources) > CARDS:
    show_batch(sources, answer_all(sources, settings), settings)
else:
    show_photos(list_entries(sources), settings)
