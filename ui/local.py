"""What visitors may do only on the computer that runs the dashboard."""

from pathlib import Path

import pandas as pd
import streamlit as st

from facecore.data import TABLE, read_table
from facecore.errors import FacecoreError
from facecore.system import expand_home
from ui.text import as_is

LOOPBACK = ("localhost", "127.0.0.1", "::1")


def is_local() -> bool:
    """Return whether only this computer can reach the dashboard.

    Only then may a visitor name a folder of the server.

    Returns
    -------
    bool
    """
    return st.get_option("server.address") in LOOPBACK


def pick_crops(key: str, options: str = "") -> tuple[Path, pd.DataFrame] | None:
    """Ask for a folder of crops and read its table; show why where there is none.

    Parameters
    ----------
    key : str
        Key of the widget.
    options : str
        Options of `crop` that cut as the model needs it; those of the default recipe when left out.

    Returns
    -------
    folder : Path
    table : DataFrame
        Table as `facecore.data.read_table` returns it; None in place of both if there is none.
    """
    if not is_local():
        st.info(
            "Folders on the server can be chosen only while the dashboard listens on localhost.",
            icon=":material/lock:",
        )
        return None
    known = sorted(str(path.parent) for path in Path("crops").glob(f"*/{TABLE}"))
    chosen = st.selectbox(
        "Folder of crops",
        known,
        index=0 if known else None,
        accept_new_options=True,
        placeholder="path of a folder that crop wrote",
        key=key,
    )
    if not chosen:
        st.info("Crop your photos, then enter the folder here:", icon=":material/folder:")
        st.code(f"python -m facecore crop PHOTOS --out CROPS {options}".strip(), language="shell")
        return None
    folder = Path(expand_home(chosen))
    try:
        written = (folder / TABLE).stat().st_mtime_ns if (folder / TABLE).is_file() else 0
        return folder, _read_crops(folder, written)
    except (FacecoreError, OSError) as error:
        st.error(as_is(error), title="This folder cannot be used", icon=":material/error:")
        return None


@st.cache_data(max_entries=4, show_spinner="Reading the table")
def _read_crops(folder: Path, written: int) -> pd.DataFrame:
    # `written` is part of the cache's key: a table that was written anew is read anew
    return read_table(folder)
