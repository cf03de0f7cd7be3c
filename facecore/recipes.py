"""Recipes: how a photo becomes a row of numbers, and what reads that row."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from facecore import network
from facecore.detect import HaarSettings, MtcnnSettings, detector_spec
from facecore.errors import DataError, ModelError
from facecore.features import DESCRIBED, WHOLE, Features
from facecore.prepare import SIDE, flatten, to_square

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


def prepare(crop: np.ndarray, recipe: Mapping[str, Any]) -> np.ndarray:
    """Return a crop as the recipe's prepared face.

    Parameters
    ----------
    crop : ndarray of shape (height, width, 3), uint8
        As `facecore.prepare.cut_face` cuts it.
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
        As `prepare` returns them.
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
