"""What happened to each raw photo, how large the faces are, and what a minimum size leaves."""

import streamlit as st

from facecore.data import TABLE, face_sizes, sizes_of
from facecore.face import MIN_SIZE, takes_whole_photos
from ui.controls import choose, offer_file
from ui.glossary import introduce
from ui.local import pick_crops
from ui.models import pick_model, read_table
from ui.navigation import enter_page
from ui.sheets import to_sheet
from ui.sizes import (
    colour_labels,
    explore_minimum,
    filter_sizes,
    pool_labels,
    show_outcomes,
    show_spread,
)

SOURCES = ("The model", "A folder of crops")

enter_page()
introduce(
    "Face sizes",
    "See what happened to every raw photo, how large its face is, and how many faces a minimum "
    f"size leaves. Training skips faces narrower than {MIN_SIZE} pixels unless you set another "
    "minimum.",
    "detector",
    "crop",
    "label",
)
chosen = pick_model()

source = choose("Photos from", SOURCES, "sizes_from")
if source == SOURCES[0]:
    table, name = read_table("sizes", chosen), f"{chosen.name}-sizes.csv"
else:
    (_, table), name = pick_crops("sizes_folder") or (None, None), TABLE
if table is None:
    st.stop()
if source == SOURCES[0] and takes_whole_photos(chosen.model.recipe):
    st.info(
        "This model takes each photo for a face: its faces are as large as their photos, and no "
        "minimum was set unless its training asked for one.",
        icon=":material/crop_free:",
    )
if table.empty:
    st.info("The table lists no photos.", icon=":material/table:")
    st.stop()

sizes = filter_sizes(sizes_of(table))
labels = colour_labels(sizes, chosen)
st.header("What happened to the photos")
pooled, colours = pool_labels(sizes, labels)
show_outcomes(sizes, list(labels), pooled, colours)

st.header("How large the faces are")
if face_sizes(sizes).empty:
    st.info(
        "No face was found in these photos, so there are no sizes to show. Large, upright faces "
        "seen from the front are found best.",
        icon=":material/face_retouching_off:",
    )
else:
    explore_minimum(pooled, colours, rounded=source == SOURCES[0])
    show_spread(pooled, colours)
st.caption("Duplicates count as photos, not as faces.")
offer_file(
    f"Table of {len(table):,} photos as CSV",
    lambda: to_sheet(table.convert_dtypes()),
    name,
    "text/csv",
    "sizes_download",
)
