"""Links to other pages that some models have and others have not."""

import streamlit as st

from facecore.errors import FacecoreError
from facecore.model import LOCAL, find_model
from facecore.training import CELL, TEST


def link_photos(name: str, cells: bool = False) -> None:
    """Show a link to the page Check photos, if a model knows its photos.

    Parameters
    ----------
    name : str
        Name of the model.
    cells : bool
        Whether the page opens with the confusion matrix of the test photos.
    """
    if knows_photos(name):
        st.page_link(
            "pages/8_Check_photos.py",
            label="See the photos of each cell, and correct labels"
            if cells
            else "See its mistakes, and correct labels",
            icon=":material/fact_check:",
            query_params={"model": name}
            | ({"check_part": TEST, "check_kind": CELL} if cells else {}),
        )


def knows_photos(name: str) -> bool:
    """Return whether a model keeps a table of its photos on this computer.

    Parameters
    ----------
    name : str
        Name of the model.

    Returns
    -------
    bool
    """
    try:
        return (find_model(name) / LOCAL / "photos.csv").is_file()
    except (FacecoreError, OSError):
        return False
