"""The recipe of a face: the mean face, plus or minus so much of a few eigenfaces."""

from hashlib import sha256
from itertools import pairwise
from typing import Any

import numpy as np
import streamlit as st

from facecore.model import FaceSpace, draw_eigenface, strongest_eigenfaces, sums_of
from ui.components import encode_change, encode_face, encode_levels
from ui.lesson_picture import show_lesson_picture

MOST = 8  # eigenfaces with a picture of their own
STOPS = (*range(MOST + 1), 12, 20, 40, 80)  # eigenfaces that are added up, and then all


def show_recipe(model: FaceSpace, crop: np.ndarray, whose: str = "the training faces") -> None:
    """Show the eigenfaces of which a face has most, with a slider for how many are added up.

    Parameters
    ----------
    model : FaceSpace
        Model of pixels alone, as `FaceModel.eigenfaces` is, or the space of a few faces.
    crop : ndarray of shape (side, side), uint8
        Grey crop of the face.
    whose : str
        Whose standard deviations the weights are in.
    """
    data = recipe_data(model, crop)
    counts, shares = data["counts"], data["shares"]
    drawn = "".join([data["face"], data["mean"], *(one["pixels"] for one in data["eigenfaces"])])
    few = len(data["eigenfaces"])
    of = sha256(drawn.encode()).hexdigest()
    show_lesson_picture("recipe", of, False, {**data, "begin": few}, key="recipe")
    st.caption(
        "An eigenface brightens a face where it is orange and darkens it where it is blue; below "
        f"it stands how much of it this face has, in standard deviations of {whose}. These {few} "
        f"explain {shares[counts.index(few)]:.1%} of what makes this face differ from the mean "
        f"face, all {counts[-1]} explain {shares[-1]:.1%}."
    )


def recipe_data(model: FaceSpace, crop: np.ndarray) -> dict[str, Any]:
    """Return what the browser needs to add up a face, eigenface by eigenface.

    Parameters
    ----------
    model : FaceSpace
        Model of pixels alone, or the space of a few faces.
    crop : ndarray of shape (side, side), uint8
        Grey crop of the face.

    Returns
    -------
    dict
        For the scene `recipe` of `ui.lesson_picture`. Each sum is the one before it plus a change:
        the weight times the eigenface, or what several eigenfaces together add.
    """
    row, most = crop.reshape(1, -1), len(model.pixels.components)
    counts = [*(count for count in STOPS if count < most), most]
    sums, shares = sums_of(model, row, counts)
    found = strongest_eigenfaces(model, row, MOST)
    return {
        "side": len(crop),
        "face": encode_face(crop),
        "mean": encode_levels(sums[0]),
        "counts": counts,
        "shares": shares.tolist(),
        "scale": float(np.abs(crop.reshape(-1) - sums[0]).max()) or 1.0,
        "eigenfaces": [
            {
                **encode_change(draw_eigenface(model, one.eigenface)),
                "words": f"{one.eigenface + 1} {one.words}",
                "weight": one.weight,
            }
            for one in found
        ],
        "further": [encode_change(b - a) for a, b in pairwise(sums[len(found) :])],
        "alts": ["The sum so far", "The face", "What is still missing"],
        "words": {
            "face": "The face",
            "mean": "Mean face: the recipe begins here",
            "missing": "Still missing",
            "slider": "Eigenfaces added, the strongest first",
            "told": "{share} of what makes this face differ from the mean face is explained by "
            "{count} of its eigenfaces.",
        },
    }
