"""The chosen model with what is stored beside it, and the bounded caches behind it."""

from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from facecore.errors import FacecoreError
from facecore.model import (
    SHIPPED,
    FaceModel,
    damaged_papers,
    find_model,
    lacks_of,
    list_models,
    load_model,
    order_labels,
    read_evaluation,
    read_metadata,
    read_model_table,
    title_of,
    typical_distance,
    whom_it_shows,
)
from ui.text import as_is

MODEL = "model"  # key of the picker, and its name in the URL
NEXT = "model_next"  # key of the name that the picker shall have in the next run
GONE = "model_gone"  # key of the name that a link asks for and that no model has

Written = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class Chosen:
    """A model with what is stored beside it.

    Parameters
    ----------
    name : str
        Name of its folder.
    model : FaceModel
        The model itself.
    metadata : dict
        How it was trained, as `facecore.model.read_metadata` returns it.
    evaluation : dict
        Figures by test set, as `facecore.model.read_evaluation` returns them; empty if the model
        was not evaluated.
    megabytes : float
        Size of its folder in MB.
    """

    name: str
    model: FaceModel
    metadata: dict[str, Any]
    evaluation: dict[str, Any]
    megabytes: float

    @property
    def order(self) -> tuple[str, ...]:
        """The labels in the order that the metadata declare; empty where they declare none."""
        return tuple(self.metadata.get("order", ()))

    @property
    def labels(self) -> list[str]:
        """The labels in the order in which people read them."""
        return order_labels(self.model.labels, self.order)

    @property
    def title(self) -> str:
        """What the model is called on a page."""
        return title_of(self.metadata)

    @property
    def typical_distance(self) -> float:
        """The distance from face space that most faces have.

        It was measured out of fold; older models have what their eigenfaces leave over.
        """
        return float(self.metadata.get("typical_distance") or typical_distance(self.model))

    @property
    def whom(self) -> str:
        """A sentence that says whom a face that is drawn from the model shows."""
        return whom_it_shows(self.metadata)


def pick_model() -> Chosen:
    """Return the model that was chosen in the picker; without one, say so and end the page.

    Returns
    -------
    Chosen
    """
    return pick_model_or_none() or st.stop()


def pick_model_or_none() -> Chosen | None:
    """Return the model that was chosen in the picker, which stands in the sidebar of every page.

    Returns
    -------
    Chosen or None
        None if there is no model or the chosen one cannot be used; the page then says why.
    """
    name = st.session_state.get(MODEL)
    if name is None or not list_models():
        st.warning(
            "There is no model yet. Train one on folders of labelled photos, on the page Your data "
            "or with this command:",
            title="No model",
            icon=":material/model_training:",
        )
        st.code("python -m facecore train PHOTOS --name my-model", language="shell")
        return None
    if gone := st.session_state.get(GONE):
        st.warning(
            f"There is no model {as_is(gone)} here; it may have been renamed or deleted. This page "
            f"shows the model {as_is(name)}. Choose another one in the sidebar.",
            title=f"Model {as_is(gone)} is gone",
            icon=":material/link_off:",
        )
    return _open(name)


def pick_other(chosen: Chosen) -> Chosen | None:
    """Show a picker for a second model to compare with the chosen one.

    Parameters
    ----------
    chosen : Chosen
        The first model.

    Returns
    -------
    Chosen or None
        None if there is no other model, none was chosen, or it cannot be used; the page then says
        why.
    """
    others = [name for name in list_models() if name != chosen.name]
    if not others:
        return None
    name = st.selectbox(
        "Compare with",
        others,
        index=None,
        placeholder="no other model",
        key="other",
        bind="query-params",
        format_func=describe_option,
    )
    if name not in others:
        return None
    return _open(name)


def load_chosen(name: str) -> Chosen:
    """Return a model, from memory if it was loaded before.

    Parameters
    ----------
    name : str
        Name of its folder.

    Returns
    -------
    Chosen

    Raises
    ------
    FacecoreError, OSError
        There is no such model, or it cannot be used.
    """
    return _load(name, written(name))


def written(name: str) -> Written:
    """Return which files a model consists of now, the key of what is cached about it.

    Parameters
    ----------
    name : str
        Name of its folder.

    Returns
    -------
    tuple of (str, int, int)
        Of each file: path, nanoseconds since 1970 when it was written, and size in bytes.

    Raises
    ------
    FacecoreError, OSError
        There is no such model.
    """
    found = [(str(file), file.stat()) for file in sorted(find_model(name).iterdir())]
    return tuple((path, stat.st_mtime_ns, stat.st_size) for path, stat in found)


@st.cache_data(max_entries=8, ttl="10m", show_spinner=False)
def _damaged(name: str, written: Written) -> list[str]:
    return damaged_papers(name)


def _open(name: str) -> Chosen | None:
    try:
        for line in _damaged(name, written(name)):
            st.warning(as_is(line), icon=":material/description:")
        return load_chosen(name)
    except (FacecoreError, OSError) as error:
        _say_unusable(name, error)
        return None


def _say_unusable(name: str, error: Exception) -> None:
    title = f"Model {as_is(name)} cannot be used"
    st.error(as_is(error), title=title, icon=":material/error:")


def describe_option(name: str) -> str:
    """Return the text of a model in a list to choose from.

    Parameters
    ----------
    name : str
        Name of a stored model.

    Returns
    -------
    str
        Its name, with a note if the model needs an extra that is not installed.
    """
    return f"{name} (needs an extra)" if lacks_of(name) else name


def read_table(table: str, chosen: Chosen, optional: bool = False) -> pd.DataFrame | None:
    """Return one of a model's tables; without it, show the command that makes one.

    Parameters
    ----------
    table : str
        Name of the table, as `facecore.model.read_model_table` takes it.
    chosen : Chosen
        Model that the table belongs to.
    optional : bool
        Whether to show nothing if the model has no such table.

    Returns
    -------
    DataFrame or None
    """
    try:
        found = _read_table(table, chosen.name, written(chosen.name))
    except (FacecoreError, OSError) as error:
        _say_unusable(chosen.name, error)
        return None
    if found is None and not optional:
        st.info(
            f"Model {as_is(chosen.name)} was stored without the table {table}.csv. Train it again:",
            title="Nothing to show yet",
            icon=":material/table:",
        )
        st.code(command_to_train_again(chosen.name), language="shell")
    return found


def command_to_train_again(name: str) -> str:
    """Return the command that trains a model again; of one that ships, under another name.

    Parameters
    ----------
    name : str
        Name of a stored model.

    Returns
    -------
    str

    Examples
    --------
    >>> command_to_train_again("mine")
    'python -m facecore train PHOTOS --name mine --replace'
    """
    target = "my-model" if name in SHIPPED else f"{name} --replace"
    return f"python -m facecore train PHOTOS --name {target}"


@st.cache_data(max_entries=12, show_spinner="Reading the table")
def _read_table(table: str, name: str, written: Written) -> pd.DataFrame | None:
    return read_model_table(table, name)


@st.cache_resource(max_entries=4, show_spinner="Loading the model")
def _load(name: str, written: Written) -> Chosen:
    # `written` is part of the cache's key: a model that was trained again is loaded again
    size = sum(size for *_, size in written) / 1e6
    return Chosen(name, load_model(name), read_metadata(name), read_evaluation(name) or {}, size)


def choose_next(name: str) -> None:
    """Choose a model in the next run; in this one the picker is drawn already.

    Parameters
    ----------
    name : str
        Name of a stored model.
    """
    st.session_state[NEXT] = name
