"""What a visitor may do only on the computer that the dashboard runs on."""

from pathlib import Path

import pandas as pd
import streamlit as st

from facecore.data import TABLE, read_table
from facecore.errors import FacecoreError

LOOPBACK = ("localhost", "127.0.0.1", "::1")


def is_local() -> bool:
    """Return whether the dashboard is bound to this computer only.

    Only then may a visitor name a folder of the server.

    Returns
    -------
    bool
    """
    return st.get_option("server.address") in LOOPBACK


def pick_crops(key: str, recipe: str = "") -> tuple[Path, pd.DataFrame] | None:
    """Ask for a folder made by ``crop`` and read its table.

    Parameters
    ----------
    key : str
        Of the widget.
    recipe : str
        By which the crops must be cut; any when left out.

    Returns
    -------
    folder : Path
    table : DataFrame
        As `facecore.data.crops.read_table` returns it. None in place of both if there is nothing to
        read, which is then said on the page.
    """
    if not is_local():
        st.info(
            "Folders of this server can be chosen only while the dashboard listens on localhost.",
            icon=":material/lock:",
        )
        return None
    known = sorted(str(path.parent) for path in Path("crops").glob(f"*/{TABLE}"))
    chosen = st.selectbox(
        "Folder made by crop", known, index=0 if known else None, accept_new_options=True,
        placeholder="path of the folder", key=key,
    )  # fmt: skip
    if not chosen:
        st.info("Make a folder of crops, then name it here:", icon=":material/folder:")
        how = f" --recipe {recipe}" if recipe else ""
        st.code(f"python -m facecore crop PHOTOS --out CROPS{how}", language="shell")
        return None
    folder = Path(chosen).expanduser()
    try:
        written = (folder / TABLE).stat().st_mtime_ns if (folder / TABLE).is_file() else 0
        return folder, _read_crops(folder, written)
    except (FacecoreError, OSError) as error:
        st.error(str(error), title="This folder cannot be used", icon=":material/error:")
        return None


@st.cache_data(max_entries=4, show_spinner="Reading the table")
def _read_crops(folder: Path, written: int) -> pd.DataFrame:
    return read_table(folder)
