"""Pages that need pixels say so of a model that has none, and name those that have."""

import streamlit as st

from facecore.errors import FacecoreError
from facecore.face import DESCRIBED, RECIPES
from facecore.model import list_models, read_metadata
from ui.models import Chosen
from ui.text import as_is


def need_pixels(chosen: Chosen) -> None:
    """End the page, with a hint which model to choose, unless the model reads pixels.

    Parameters
    ----------
    chosen : Chosen
        Any model.
    """
    if chosen.model.draws:
        return
    others = [name for name in list_models() if name != chosen.name and _reads_pixels(name)]
    hint = (
        f"Choose {as_is(' or '.join(others))} in the sidebar."
        if others
        else "Train a model of another recipe, such as classic, and choose it in the sidebar."
    )
    st.info(
        f"The model {as_is(chosen.name)} reads an embedding: {DESCRIBED} numbers that a deep "
        "network computes from a face. This page needs a model that reads pixels, because only "
        f"these can be drawn again. {hint}",
        title="Choose a model of pixels",
        icon=":material/visibility_off:",
    )
    st.stop()


def _reads_pixels(name: str) -> bool:
    try:
        recipe = RECIPES.get(str(read_metadata(name).get("recipe")))
    except (FacecoreError, OSError):
        return False
    return recipe is not None and any(
        member.features.kind == "pixels" for member in recipe.members.values()
    )
