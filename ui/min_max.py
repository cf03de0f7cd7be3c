"""Min-max scaling of one face: where it changes pixels, and the ranges that it does so by."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from facecore.model import (
    PALETTE,
    FaceModel,
    ScaledPixel,
    draw_scaling,
    most_scaled,
    scaling_change,
)
from ui.charts import Key, draw_ranges, show_charts
from ui.look import NEUTRAL, is_dark, show_picture

SHOWN = 4  # pixels
LIGHT, DARK = (255, 255, 255), (38, 37, 35)  # where nothing changes


def show_min_max(model: FaceModel, crop: np.ndarray) -> None:
    """Show what min-max scaling changes of a face, and the ranges of the pixels it changes most.

    Parameters
    ----------
    model : FaceModel
        Model of pixels alone, as `FaceModel.eigenfaces` is.
    crop : ndarray of shape (side, side), uint8
        Grey crop of the face.
    """
    change, found = scaling_change(model, crop), most_scaled(model, crop, SHOWN)
    most, mean = float(np.abs(change).max()), float(np.abs(change).mean())
    st.markdown(
        "Every pixel is put on a scale of its own: 0 is the darkest and 1 the brightest that this "
        "pixel is in any training face."
    )
    if not found:
        st.caption(
            "In each pixel of this face that is nothing but grey level / 255, as the training "
            "faces have every grey level there."
        )
        return
    grid = st.grid(2, min_column_width=250)
    with grid.cell():
        alt = (
            f"How min-max changes each pixel: orange is brighter, blue darker, no colour the same; "
            f"the {len(found)} that change most are numbered"
        )
        times = f", drawn {255 / most:,.0f} times stronger" if most < 200 else ""
        picture = draw_scaling(change, found, DARK if is_dark() else LIGHT)
        show_picture(picture, alt, f"What changes{times}")
    with grid.cell():
        told = "; ".join(f"pixel {i}: {_tell(one)}" for i, one in enumerate(found, start=1))
        alt = f"Range of each numbered pixel, and this face in it. {told}"
        show_charts(range_bars(found, alt))
    st.caption(
        f"Orange becomes brighter, blue darker: by up to {most:.1f} of 255 grey levels in this "
        f"face, by {mean:.1f} on average. What has no colour stays the same: there, some training "
        "face is black and another one white. On the right: the ranges of the numbered pixels, and "
        "where this face lies in them."
    )


def range_bars(pixels: Sequence[ScaledPixel], alt: str) -> str:
    """Draw the ranges of pixels in the training faces, with the levels of one face.

    Parameters
    ----------
    pixels : sequence of ScaledPixel
        Numbered from 1, from the top.
    alt : str
        What the chart shows, for screen readers.

    Returns
    -------
    str
        HTML for `show_charts`.
    """
    return draw_ranges(
        [(f"pixel {i}: {_tell(p)}", p.low, p.high, p.level) for i, p in enumerate(pixels, 1)],
        alt,
        (0, 255),
        (NEUTRAL, PALETTE[5]),
        ticks=(0, 64, 128, 192, 255),
        note="grey level",
        keys=(
            Key("range in the training faces", NEUTRAL),
            Key("this face", PALETTE[5], point=True),
        ),
    )


def _tell(one: ScaledPixel) -> str:
    return f"{one.level} becomes {one.scaled:.3f}, not {one.level / 255:.3f}"
