"""Where each raw photo went, how large the faces are, and what a minimum size leaves of them."""

import streamlit as st

from facecore.data import TABLE, face_sizes, sizes_of
from facecore.face import MIN_SIZE
from ui.local import pick_crops
from ui.look import ICON
from ui.models import pick_model, read_table
from ui.sizes import explore_minimum, filter_sizes, order_labels, show_account, show_spread

st.set_page_config("Face sizes", ICON, layout="wide")
st.title("Face sizes")
st.write(
    "See what became of every raw photo, how large its face is, and what a minimum size leaves: "
    f"training passes over faces narrower than {MIN_SIZE} pixels."
)
chosen = pick_model()

source = st.segmented_control(
    "Photos from", ("The model", "A folder of crops"), default="The model", required=True,
    key="sizes_from", bind="query-params",
)  # fmt: skip
if source == "The model":
    table, name = read_table("sizes", chosen), f"{chosen.name}-sizes.csv"
else:
    (_, table), name = pick_crops("sizes_folder") or (None, None), TABLE
if table is None:
    st.stop()
if table.empty:
    st.info("The table lists no photo.", icon=":material/table:")
    st.stop()

sizes = filter_sizes(sizes_of(table))
labels = order_labels(sizes, chosen.model.labels)
st.subheader("What became of the photos")
show_account(sizes, labels)

st.subheader("How large the faces are")
if face_sizes(sizes).empty:
    st.info(
        "No face was found in these photos, so there are no sizes to show. Larger, upright faces "
        "seen from the front are found best.",
        icon=":material/face_retouching_off:",
    )
else:
    explore_minimum(sizes, labels)
    show_spread(sizes, labels)
st.caption(
    "Duplicates count among the photos, not among the faces. "
    + ("A model keeps its sizes rounded to two figures." if source == "The model" else "")
)
st.download_button(
    f"Table of {len(table):,} photos as CSV",
    lambda: table.convert_dtypes().to_csv(index=False, lineterminator="\n"),
    name, "text/csv", icon=":material/download:", on_click="ignore", key="sizes_download",
)  # fmt: skip
