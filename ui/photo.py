"""One photo to look at: made, uploaded or taken."""

import streamlit as st

from facecore.face import DEFAULT_LIMITS, SUFFIXES, to_png
from facecore.model import FaceModel, make_photo

SOURCES = ("Made face", "Upload", "Camera")


def pick_photo(model: FaceModel, prefix: str) -> tuple[str, bytes] | None:
    """Ask for one photo.

    Parameters
    ----------
    model : FaceModel
    prefix : str
        Of the widgets' keys, which stand in the address.

    Returns
    -------
    name : str
    photo : bytes
        An encoded photo. None in place of both as long as there is none.
    """
    sources = SOURCES if model.spread else SOURCES[1:]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        source = st.segmented_control(
            "Face from", sources, default=sources[0], required=True, key=f"{prefix}_from",
            bind="query-params",
        )  # fmt: skip
        if source == "Made face":
            label = st.segmented_control(
                "Label", model.labels, default=model.labels[0], required=True,
                key=f"{prefix}_label", bind="query-params",
            )  # fmt: skip
            seed = st.number_input(
                "Seed", 0, 9999, 15, width=140, key=f"{prefix}_seed", bind="query-params"
            )
            # an old address may name another model's label
            name = label if label in model.labels else model.labels[0]
            return f"made {name} {seed}", to_png(make_photo(model, name, int(seed)))
    if source == "Camera":
        shot = st.camera_input("Take a photo", key=f"{prefix}_camera")
        return ("camera", shot.getvalue()) if shot else None
    upload = st.file_uploader(
        "Photo",
        type=[suffix.removeprefix(".") for suffix in SUFFIXES],
        max_upload_size=DEFAULT_LIMITS.max_bytes // 2**20,
        help="It stays in memory and is gone when you leave.",
        key=f"{prefix}_photo",
    )
    return (upload.name, upload.getvalue()) if upload else None
