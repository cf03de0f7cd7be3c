"""Compare two models on photos of this computer, and look at those on which they disagree."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import streamlit as st

from facecore.data import TABLE
from facecore.errors import FacecoreError
from facecore.evaluation import (
    ModelComparison,
    Together,
    changed_since,
    compare_pair,
    predict_together,
    read_comparison,
    write_comparison,
)
from facecore.face import decode, to_png
from facecore.system import expand_home
from facecore.training import read_job
from ui.local import is_local
from ui.models import Chosen
from ui.text import as_is

MOST_PHOTOS = 400  # that are answered on a click: a minute or less
SHOWN = 12  # photos of a kind
KEPT = "compared"  # in the session: what was compared, the figures, and the answers


def compare_here(chosen: Chosen, second: str) -> ModelComparison | None:
    """Offer to compare two models on a folder of this computer, and show where they disagree.

    Parameters
    ----------
    chosen : Chosen
        The first model.
    second : str
        Name of the second.

    Returns
    -------
    ModelComparison or None
        What was found in this session; None where nothing was compared.
    """
    if not is_local():
        return None
    with st.expander(
        "Compare on photos of this computer", icon=":material/folder_open:", key="compare_here"
    ):
        folder = st.text_input(
            "Folder of label folders, or of crops",
            _known_folder(chosen.metadata["data"]),
            placeholder="path of a folder on this computer",
            key="compare_folder",
        ).strip()
        st.caption(
            "Only photos that neither model was trained on are compared: those of the split test, "
            f"or those that the trainings held out; a random sample of at most {MOST_PHOTOS}. "
            "Counts and figures are stored beside the models, and no photo or name."
        )
        if st.button("Compare", key="compare_start") and folder:
            _compare(chosen.name, second, Path(expand_home(folder)))
        key, found, tests = st.session_state.get(KEPT, (None, None, ()))
        if key != (chosen.name, second, chosen.metadata["sha256"]["model.json"]):
            return None
        for test in tests:
            _show_photos(test, chosen.name, second)
    known: ModelComparison = found
    return known


def _known_folder(data: Collection[str]) -> str:
    """Return a folder of crops of one of a model's data sets; empty where none is known."""
    folders = sorted(path.parent for path in Path("crops").glob(f"*/{TABLE}"))
    with suppress(FacecoreError):
        job = read_job()
        folders = [job.crops, *folders] if job.crops else folders
    # `train` names a folder of crops after the data set, the recipe and a digest
    known = [path for path in folders if {path.name, path.name.rsplit("-", 2)[0]} & set(data)]
    return str(known[0]) if known else ""


def _compare(first: str, second: str, folder: Path) -> None:
    bar = st.progress(0.0, "Photo 0")

    def watch(rows: Iterable[Any], total: int, name: str) -> Iterator[Any]:
        for done, row in enumerate(rows, start=1):
            bar.progress(done / total, f"Photo {done:,} of {total:,} of {as_is(name)}")
            yield row

    try:
        tests = predict_together([first, second], [folder], limit=MOST_PHOTOS, watch=watch)
        found = compare_pair(first, second, tests)
        _store(found)
    except (FacecoreError, OSError) as error:
        st.error(as_is(error), title="Not compared", icon=":material/error:")
        return
    finally:
        bar.empty()
    key = (first, second, found["sha256"][0]["model.json"])
    st.session_state[KEPT] = (key, found, tests)


def _store(found: ModelComparison) -> None:
    """Store a comparison, unless one of at least as many photos of the same models is stored."""
    with suppress(FacecoreError):  # damaged: it is replaced
        old = read_comparison(*found["models"])
        if old and not changed_since(old) and _photos(old) >= _photos(found):
            return
    write_comparison(found)


def _photos(found: ModelComparison) -> int:
    return sum(figures["right"]["n"] for figures in found["sets"].values())


def _show_photos(test: Together, first: str, second: str) -> None:
    one, other = (test.tables[name] for name in (first, second))
    right = [(table["predicted"].eq(test.photos["label"])).to_numpy() for table in (one, other)]
    kinds = {
        f"Only {as_is(first)} is right": right[0] & ~right[1],
        f"Only {as_is(second)} is right": right[1] & ~right[0],
        "Both are wrong": ~right[0] & ~right[1],
    }
    for words, mine in kinds.items():
        st.markdown(f"**{words}**: {mine.sum():,} of {len(mine):,} photos of {as_is(test.name)}")
        rows = list(mine.nonzero()[0][:SHOWN])
        if not rows:
            continue
        grid = st.grid("auto", min_column_width=110, gap="small")
        for row in rows:
            with grid.cell():
                _show_photo(test, int(row), first, second)


def _show_photo(test: Together, row: int, first: str, second: str) -> None:
    path = test.root / test.photos["path"].iloc[row]
    label = test.photos["label"].iloc[row]
    said = [test.tables[name]["predicted"].iloc[row] or "no face" for name in (first, second)]
    words = f"{label}; {first}: {said[0]}, {second}: {said[1]}"
    try:
        picture = _thumb(path, path.stat().st_mtime_ns)
    except (FacecoreError, OSError) as error:
        st.caption(as_is(f"{path.name}: {error}"))
        return
    st.image(picture, caption=as_is(words), alt=f"Photo {path.name}: {words}", width="stretch")


@st.cache_data(max_entries=100, show_spinner=False)
def _thumb(path: Path, written: int) -> bytes:
    # `written` is part of the cache's key: another photo under the same name is read anew
    return to_png(decode(path, enough=160).pixels)
