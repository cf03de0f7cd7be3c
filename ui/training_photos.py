"""Photos to train on, for the page Your data: choose them, and see them by label."""

import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pandas as pd
import streamlit as st

from facecore.data import (
    TABLE,
    TRAINING_LIMITS,
    Survey,
    read_listing,
    read_table,
    root_of,
    survey_labels,
)
from facecore.errors import FacecoreError
from facecore.face import decode, to_png
from facecore.model import order_labels
from facecore.system import expand_home, show_hidden
from facecore.training import Job, drop_photos, take_photos
from ui.controls import choose
from ui.local import is_local
from ui.look import count_columns
from ui.models import Chosen
from ui.samples import collect_samples
from ui.text import as_is
from ui.zips import pick_encoding

FEW_PHOTOS = 50  # per label
UNBALANCED = 3  # times as many photos of one label as of another
THUMBS, LABELS_SHOWN = 4, 6
ZIP, CAMERA, FOLDER, SYNTHETIC = "ZIP", "Camera", "Folder", "Synthetic faces"
EXAMPLE = """\
photos.zip
    smiling/1.jpg
    smiling/2.jpg
    neutral/1.jpg
    labels.csv (optional)"""


@dataclass(frozen=True)
class Photos:
    """What to train on.

    Parameters
    ----------
    source : Path or None
        Folder of label folders, or of crops; None for synthetic faces and samples.
    title : str
        Name of the data set; that of the folder when empty.
    cropped : bool
        Whether the source is a folder of crops.
    made : int
        Number of synthetic faces to draw.
    keep : bool
        Whether the photos of a ZIP, or samples, stay when the training ends.
    samples : bytes
        Pictures of the camera, which are in memory only, as `pack_samples` packs them.
    """

    source: Path | None
    title: str
    cropped: bool = False
    made: int = 0
    keep: bool = False
    samples: bytes = b""


def pick_photos(chosen: Chosen | None, job: Job) -> Photos | None:
    """Ask for photos and show them by label.

    Parameters
    ----------
    chosen : Chosen or None
        Model that can draw synthetic faces, if it stores a spread to draw from.
    job : Job
        The last training, whose photos may wait for another try.

    Returns
    -------
    Photos or None
        None as long as there are none to train on; the page then says why.
    """
    sources = [ZIP, CAMERA]
    if is_local():
        sources.append(FOLDER)
    if chosen and chosen.model.spread:
        sources.append(SYNTHETIC)
    source = choose("Photos from", sources, "data_from")
    if source == SYNTHETIC and chosen:
        return _pick_synthetic(chosen)
    if source == CAMERA:
        samples = collect_samples()
        return Photos(None, "camera", samples=samples, keep=_keep()) if samples else None
    try:
        return _pick_folder() if source == FOLDER else _pick_zip(job)
    except (FacecoreError, OSError) as error:
        st.error(as_is(error), title="These photos cannot be used", icon=":material/error:")
        return None


def place_photos(photos: Photos) -> Path | None:
    """Return the folder to train on; samples are written to one first, as a ZIP would be.

    Parameters
    ----------
    photos : Photos
        As `pick_photos` returns them.

    Returns
    -------
    Path or None
        None for synthetic faces.

    Raises
    ------
    FacecoreError
        The samples cannot be written, or a training runs.
    """
    if not photos.samples:
        return photos.source
    folder = take_photos(io.BytesIO(photos.samples), hashlib.sha256(photos.samples).hexdigest())
    st.session_state["data_sent"] = str(folder)
    return folder


def _pick_synthetic(chosen: Chosen) -> Photos:
    count = st.number_input(
        "Number of faces", 40, 4000, 300, 20, key="data_made", bind="query-params", width=200
    )
    st.caption(
        f"Drawn from the face space of {as_is(chosen.name)}, equally many per label. "
        f"{as_is(chosen.whom)} Good "
        "for seeing how a training goes."
    )
    return Photos(None, "made-faces", made=int(count))


def _pick_zip(job: Job) -> Photos | None:
    upload = st.file_uploader(
        "ZIP of label folders",
        "zip",
        key="data_zip",
        help=f"At most {TRAINING_LIMITS.max_photos:,} photos. They are unpacked on the computer "
        "that runs this dashboard and removed when the training ends, unless you keep them; if it "
        "fails or drops many of them, they stay for another try until you dismiss it.",
    )
    if upload is None and job.photos and may_see(job.photos):
        st.info(
            f"The photos of {as_is(job.title)} are still here. Change the settings below and start "
            "again, send another ZIP, or dismiss the last training to remove them.",
            icon=":material/replay:",
        )
        return Photos(job.photos, job.title, keep=_keep()) if _show_photos(job.photos) else None
    if upload is None:
        if not job.photos:  # those of another visitor wait until they are dismissed
            drop_photos()
        st.info(
            "A ZIP of photos of human faces, with one folder per label, two labels or more. "
            "labels.csv may name the subject of each photo:",
            icon=":material/folder_zip:",
        )
        st.code(EXAMPLE, language=None)
        return None
    survey = _survey(upload.file_id, None, upload)
    encoding = pick_encoding(survey, "data_encoding")
    if encoding:
        survey = _survey(upload.file_id, encoding, upload)
    for note in survey.notes:
        st.text(note)  # file names are no Markdown
    with st.spinner("Unpacking", show_time=True):
        folder = take_photos(upload, upload.file_id, encoding)
    st.session_state["data_sent"] = str(folder)
    title = Path(upload.name).stem
    return Photos(folder, title, keep=_keep()) if _show_photos(folder) else None


def _keep() -> bool:
    return st.checkbox(
        "Keep the photos when the training ends, to look at its mistakes and correct labels",
        key="data_keep",
        help="They stay on the computer that runs this dashboard until you dismiss the training "
        "or somebody sends other photos or trains on them.",
    )


@st.cache_data(max_entries=2, show_spinner=False, scope="session")
def _survey(file_id: str, encoding: str | None, _upload: IO[bytes]) -> Survey:
    """List a ZIP once, and not at every step of its visitor: 20,000 photos take a second."""
    return survey_labels(_upload, encoding=encoding)


def may_see(photos: Path) -> bool:
    """Return whether photos were sent by this visitor, or are on their own computer.

    Parameters
    ----------
    photos : Path
        Folder that a ZIP was unpacked to, or any other folder.

    Returns
    -------
    bool
    """
    return is_local() or st.session_state.get("data_sent") == str(photos)


def _pick_folder() -> Photos | None:
    text = st.text_input(
        "Folder of label folders, or of crops",
        key="data_folder",
        placeholder="path of a folder on this computer",
    )
    if not text.strip():
        st.info("One folder per label, two labels or more.", icon=":material/folder:")
        return None
    folder = Path(expand_home(text.strip()))
    cropped = (folder / TABLE).is_file()
    return Photos(folder, "", cropped) if _show_photos(folder) else None


def _show_photos(folder: Path) -> bool:
    """Show the photos by label, and return whether there are labels to tell apart."""
    cropped = (folder / TABLE).is_file()
    if cropped:
        table = read_table(folder)
    else:
        listing = read_listing(folder)
        table = listing.photos
        for note in listing.notes:
            st.text(show_hidden(note))  # file names are no Markdown
    root = root_of(folder)
    if cropped:
        table = table[table["state"].eq("kept")].assign(path=table["crop"])
    counts = _count_photos(table)
    left, right = st.columns([2, 3], gap="medium")
    left.dataframe(counts, alt="Number of photos by label", column_config=count_columns(*counts))
    left.caption(f"{len(table):,} " + ("faces kept by crop" if cropped else "photos"))
    with right:
        for label in counts.index[:LABELS_SHOWN]:
            own = table.loc[table["label"].eq(label), "path"]
            _show_few(label, [root / path for path in own[:THUMBS]])
        if more := len(counts[LABELS_SHOWN:]):
            st.caption(f"Photos of {more} more labels are not shown.")
    if len(counts) < 2:
        st.error("Training needs two labels or more: one folder of photos for each.")
        return False
    _warn(counts["photos"])
    if "subjects" not in counts:
        st.caption(
            "No labels.csv names the subjects, so each photo counts as a subject of its own. If "
            "subjects repeat, the figures will look better than they are."
        )
    return True


def _count_photos(table: pd.DataFrame) -> pd.DataFrame:
    """Return photos, and where known subjects, train and test, with one row per label."""
    counts = pd.DataFrame({"photos": table.groupby("label").size()})
    known = table["subject"].ne("")
    if known.any():
        counts["subjects"] = table[known].groupby("label")["subject"].nunique()
    for split in ("train", "test"):
        mine = table["split"].eq(split)
        if mine.any():
            counts[split] = mine.groupby(table["label"]).sum()
    return counts.fillna(0).astype(int).loc[order_labels(counts.index)]


def _warn(photos: pd.Series) -> None:
    least, most = photos.idxmin(), photos.idxmax()
    few, many = photos[[least, most]]
    least, most = as_is(least), as_is(most)
    if few < FEW_PHOTOS:
        st.warning(
            f"{least} has {few} photos. It works, but expect little: with fewer than {FEW_PHOTOS} "
            "photos per label, the figures vary by chance. A few hundred are better."
        )
    if many > UNBALANCED * few:
        st.warning(
            f"{most} has {many / few:.1f} times as many photos as {least}. Class weights make up "
            "for some of that; judge by balanced accuracy, not by accuracy."
        )


def _show_few(label: str, paths: Iterable[Path]) -> None:
    row = st.container(horizontal=True, vertical_alignment="center", gap="xsmall")
    row.markdown(f"**{as_is(label)}**", width=90)
    for path in paths:
        try:
            picture = _thumb(path, path.stat().st_mtime_ns)
        except (FacecoreError, OSError):  # after cropping, the table of outcomes says why
            continue
        row.image(picture, alt=f"Photo {path.name} of {label}", width=56)


@st.cache_data(max_entries=200, show_spinner=False)
def _thumb(path: Path, written: int) -> bytes:
    # `written` is part of the cache's key: another photo under the same name is read anew
    return to_png(decode(path, enough=96).pixels)
