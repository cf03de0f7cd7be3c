"""Recipes: how a photo becomes a row of numbers, and what reads that row."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from facecore.errors import DataError, ModelError
from facecore.face import embedding as network
from facecore.face.detect import Face, HaarSettings, MtcnnSettings, detector_spec
from facecore.face.features import DESCRIBED, WHOLE, Features
from facecore.face.prepare import SIDE, align, cut, flatten, to_square

# Chosen in folds by person on the training photos; see docs/architecture.md.
RECIPES: dict[str, dict[str, Any]] = {
    "classic": {
        "name": "classic",
        "detector": detector_spec("haar", HaarSettings()),
        "alignment": None,
        "side": SIDE,
        "frame": 0.86,
        "mirror": True,
    },
    "aligned": {
        "name": "aligned",
        "detector": detector_spec("mtcnn", MtcnnSettings()),
        "alignment": {"width": 3.52},
        "side": 160,
        "frame": 1.0,
        "mirror": True,
        "unsure": 0.99,
    },
    "embedding": {
        "name": "embedding",
        "detector": detector_spec("mtcnn", MtcnnSettings()),
        "alignment": {"width": 3.52},  # the crops of "aligned"
        "side": network.SIDE,
        "frame": 0.81,  # where the network's own training faces had eyes and mouth
        "mirror": False,  # the network's numbers are those of both views
        "network": True,
        "unsure": 0.99,
    },
}
DEFAULT_RECIPE = "aligned"
# The members of a model by recipe: each reads the prepared face in its own way.
MEMBERS: dict[str, dict[str, Features]] = {
    "classic": {"pixels": WHOLE},
    "aligned": {
        "pixels": Features("pixels", SIDE, 0.75),
        "hog tight": Features("hog", 96, 0.625, cell=8),
        "hog wide": Features("hog", 96, 1.0, cell=12),
        "patterns": Features("lbp", 122, 0.875, cell=12),
    },
    "embedding": {"network": Features("network")},
}


def find_recipe(name: str) -> dict[str, Any]:
    """Return a recipe by name.

    Parameters
    ----------
    name : str

    Returns
    -------
    dict

    Raises
    ------
    DataError
        There is no such recipe.
    ModelError
        Something that it needs is not installed.
    """
    if name not in RECIPES:
        raise DataError(f"no recipe {name!r}; there are: {', '.join(RECIPES)}")
    if why := lacks(RECIPES[name]):
        raise ModelError(f"the recipe {name!r} cannot be used: {why}")
    return RECIPES[name]


def lacks(recipe: Mapping[str, Any]) -> str | None:
    """Say what a recipe needs that is not installed, and which command mends it.

    Parameters
    ----------
    recipe : mapping

    Returns
    -------
    str or None
        None where nothing is missing.
    """
    return network.missing() if recipe.get("network") else None


def crops_of(recipe: Mapping[str, Any]) -> str:
    """Return the first recipe that cuts faces as this one does, and so can share its crops.

    Parameters
    ----------
    recipe : mapping
        One of `RECIPES`.

    Returns
    -------
    str
    """
    how = "detector", "alignment"
    return next(
        name for name, other in RECIPES.items() if all(other[key] == recipe[key] for key in how)
    )


def prepare_crop(crop: np.ndarray, recipe: Mapping[str, Any]) -> np.ndarray:
    """Return a crop as the recipe's prepared face.

    Parameters
    ----------
    crop : ndarray of shape (height, width, 3), uint8
        As `facecore.face.recipes.cut_face` cuts it.
    recipe : mapping

    Returns
    -------
    ndarray of shape (side, side), uint8, or (side, side, 3) where a network describes faces
    """
    colour = bool(recipe.get("network"))
    return to_square(crop, int(recipe["side"]), float(recipe.get("frame", 1)), colour)


def to_rows(faces: Sequence[np.ndarray] | np.ndarray, recipe: Mapping[str, Any]) -> np.ndarray:
    """Return prepared faces as the rows of numbers that a model reads.

    Parameters
    ----------
    faces : sequence of ndarray
        As `prepare_crop` returns them.
    recipe : mapping

    Returns
    -------
    ndarray of shape (n_faces, side * side), uint8, or (n_faces, 128), float32, where a network
    describes faces

    Raises
    ------
    ModelError
        The network's weights are not installed.
    """
    if recipe.get("network"):
        return network.describe(np.asarray(faces))
    return np.vstack([flatten(face) for face in faces])


def rows_of(count: int, recipe: Mapping[str, Any]) -> tuple[tuple[int, int], np.dtype]:
    """Return what `to_rows` makes of so many faces.

    Parameters
    ----------
    count : int
    recipe : mapping

    Returns
    -------
    shape : tuple of int
    dtype : numpy.dtype
    """
    if recipe.get("network"):
        return (count, DESCRIBED), np.dtype(np.float32)
    return (count, int(recipe["side"]) ** 2), np.dtype(np.uint8)


def cut_face(
    pixels: np.ndarray, face: Face, alignment: Mapping[str, Any] | None = None
) -> np.ndarray:
    """Cut a face out of a photo as a recipe says: its box, or upright by its landmarks.

    Parameters
    ----------
    pixels : ndarray of shape (height, width, 3), uint8
    face : Face
        In pixels of `pixels`.
    alignment : mapping, optional
        ``{"width": ...}``, the width of the crop in distances of the eyes; None cuts the box.

    Returns
    -------
    ndarray of shape (crop height, crop width, 3), uint8

    Raises
    ------
    ModelError
        The face is to be aligned, but its detector gives no landmarks.
    """
    if alignment is None:
        return cut(pixels, face.box)
    if face.landmarks is None:
        raise ModelError("faces are aligned by landmarks, which only the detector 'mtcnn' gives")
    return align(pixels, face.landmarks, float(alignment["width"]))
