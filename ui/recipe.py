"""The recipe of a face: the mean face, plus or minus so much of a few eigenfaces."""

import numpy as np
import streamlit as st

from facecore.model import (
    FaceSpace,
    draw_eigenface,
    paint_signed,
    strongest_eigenfaces,
    sums_of,
    to_image,
)
from ui.look import show_picture

MOST = 8


def show_recipe(model: FaceSpace, crop: np.ndarray, whose: str = "the training faces") -> None:
    """Show the eigenfaces of which a face has most, and what they add up to, one after the other.

    Parameters
    ----------
    model : FaceSpace
        Model of pixels alone, as `FaceModel.eigenfaces` is, or the space of a few faces.
    crop : ndarray of shape (side, side), uint8
        Grey crop of the face.
    whose : str
        Whose standard deviations the weights are in.
    """
    row = crop.reshape(1, -1)
    found, most = strongest_eigenfaces(model, row, MOST), len(model.pixels.components)
    sums, shares = sums_of(model, row, [*range(len(found) + 1), most])
    grid = st.grid("auto", min_column_width=104, gap="small")
    with grid.cell():
        show_picture(to_image(sums[0]), "The mean face, from which the recipe begins")
        st.caption("**Mean face**")
    for k, one in enumerate(found, start=1):
        sign = "+" if one.weight >= 0 else "\u2212"  # a minus as wide as the plus
        amount = f"{sign} {abs(one.weight):.1f} x"
        with grid.cell():
            picture = paint_signed(draw_eigenface(model, one.eigenface))
            show_picture(picture, f"{amount} eigenface {one.eigenface + 1}: {one.words}")
            show_picture(to_image(sums[k]), f"The sum so far, with {k} eigenfaces")
            st.caption(f"**{amount}** {one.words} ({one.eigenface + 1})")
    with grid.cell():
        show_picture(crop, "The face itself")
        missing = crop.reshape(-1) - sums[len(found)]
        show_picture(paint_signed(missing), "What is still missing")
        st.caption("**The face**, and what is still missing")
    st.caption(
        "Above: eigenfaces, and how much of each this face has, in standard deviations of "
        f"{whose}; orange brightens, blue darkens. Below: the sum so far. These "
        f"{len(found)} explain {shares[-2]:.1%} of what makes this face differ from the mean face, "
        f"all {most} explain {shares[-1]:.1%}."
    )
