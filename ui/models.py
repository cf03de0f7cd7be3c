"""The model picker in the sidebar, and the bounded caches behind it."""

from dataclasses import dataclass
from typing import Any

import streamlit as st

from facecore.artifacts import (
    find_model,
    list_models,
    load_model,
    read_evaluation,
    read_metadata,
)
from facecore.errors import FacecoreError
from facecore.model import FaceModel


@dataclass(frozen=True)
class Chosen:
    """The model that the visitor chose, with its papers.

    Parameters
    ----------
    name : str
    model : FaceModel
    metadata : dict
    evaluation : dict
        Empty if the model was not evaluated.
    """

    name: str
    model: FaceModel
    metadata: dict[str, Any]
    evaluation: dict[str, Any]


def pick_model() -> Chosen:
    """Show the picker and return the chosen model; without one, say so and end the page.

    Returns
    -------
    Chosen
    """
    names = list_models()
    if not names:
        st.warning(
            "There is no model yet. Train one from folders of labelled photos, then reload "
            "this page.",
            title="No model",
            icon=":material/model_training:",
        )
        st.code("python -m facecore train PHOTOS --name my-model", language="shell")
        st.stop()
    name = st.sidebar.selectbox(
        "Model", names, key="model", bind="query-params", help="A folder of artifacts/"
    )
    try:
        return _load(name, (find_model(name) / "metadata.json").stat().st_mtime_ns)
    except (FacecoreError, OSError) as error:
        st.error(str(error), title=f"Model {name} cannot be used", icon=":material/error:")
        st.stop()


@st.cache_resource(max_entries=4, show_spinner="Loading the model")
def _load(name: str, written: int) -> Chosen:
    # `written` makes a model that was trained again a new entry
    return Chosen(name, load_model(name), read_metadata(name), read_evaluation(name) or {})
