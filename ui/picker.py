"""The model picker of every page, with a line that says what each model is."""

from collections.abc import Sequence

import streamlit as st

from facecore.errors import FacecoreError
from facecore.face import describe_recipe
from facecore.model import SHIPPED, list_models, order_labels, read_metadata, read_recipe
from ui.controls import name_labels
from ui.models import GONE, MODEL, NEXT, Written, describe_option, written
from ui.text import as_is


def show_picker(brief: bool = False) -> None:
    """Show the picker and what the models are; nothing where there is no model.

    Parameters
    ----------
    brief : bool
        Whether the picker stands alone, without what the models are.
    """
    names = list_models()
    if not names:
        return
    _note_what_is_gone(names)
    if (chosen := st.session_state.pop(NEXT, None)) in names:
        st.session_state[MODEL] = chosen
    name = st.selectbox(
        "Model",
        names,
        key=MODEL,
        bind="query-params",
        format_func=describe_option,
        on_change=_forget_what_is_gone,
        label_visibility="collapsed" if brief else "visible",
        width=170 if brief else "stretch",
    )
    if brief:
        return
    st.caption(as_is(line_of(name)))
    if len(names) > 1:
        with st.popover("All models", icon=":material/list:", key="models_listed"):
            st.markdown("\n".join(f"- **{as_is(each)}**: {as_is(line_of(each))}" for each in names))


def line_of(name: str) -> str:
    """Return what a model is, in one line.

    Parameters
    ----------
    name : str
        Name of a stored model.

    Returns
    -------
    str
        Its title and labels, its recipe with what that does, and where it comes from.
    """
    try:
        return _line(name, written(name))
    except (FacecoreError, OSError):
        return "cannot be used"


@st.cache_data(max_entries=64, show_spinner=False)
def _line(name: str, written: Written) -> str:
    try:
        metadata = read_metadata(name)
        labels = order_labels(metadata["labels"], metadata.get("order", ()))
        title = f"{metadata['title']}: " if metadata.get("title") else ""
        count = f"{len(labels)} labels: " if len(labels) > 2 else ""
        origin = "ships with facecore" if name in SHIPPED else f"trained {metadata['created']}"
        phrase = describe_recipe(read_recipe(name))
        recipe = f"recipe {metadata['recipe']}" + (f" ({phrase})" if phrase else "")
        return f"{title}{count}{name_labels(labels)}; {recipe}; {origin}"
    except (KeyError, TypeError, AttributeError):
        return "its metadata are of an older version"


def _note_what_is_gone(names: Sequence[str]) -> None:
    """Keep the name of a model that an address asks for and that does not exist."""
    options = {describe_option(name): name for name in names}
    linked = st.query_params.get(MODEL)
    if linked in names and linked not in options and MODEL not in st.session_state:
        st.session_state[MODEL] = linked  # its option says more than its name
    for asked in (st.session_state.get(MODEL), linked):
        if asked and asked not in names and asked not in options:
            st.session_state[GONE] = asked
    if st.session_state.get(GONE) in names:
        _forget_what_is_gone()


def _forget_what_is_gone() -> None:
    st.session_state.pop(GONE, None)
