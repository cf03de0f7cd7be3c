"""The parts of the page Your data: choose photos, watch a training, see what came of it."""

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import streamlit as st

from facecore.data import (
    STATES,
    TABLE,
    TRAINING_LIMITS,
    count_states,
    list_photos,
    read_table,
    root_of,
)
from facecore.errors import FacecoreError
from facecore.face import decode, to_png
from facecore.model import list_models, read_evaluation, read_metadata
from facecore.training import Job, cancel_job, clear_job, drop_photos, read_job, take_photos
from ui.local import is_local
from ui.models import Chosen

FEW_PHOTOS = 50
UNBALANCED = 3
THUMBS, LABELS_SHOWN = 4, 6
PAUSE = 1.5  # seconds between two looks at a training
EXAMPLE = (
    "faces.zip\n    neutral/1.jpg\n    neutral/2.jpg\n    smiling/1.jpg\n    labels.csv (if known)"
)


@dataclass(frozen=True)
class Photos:
    """What to train on.

    Parameters
    ----------
    source : Path or None
        A folder; None for made photos.
    title : str
        Name of the data set.
    cropped : bool
        The folder was made by crop.
    made : int
        How many photos to make.
    """

    source: Path | None
    title: str
    cropped: bool = False
    made: int = 0


def is_training_on() -> bool:
    """Return whether visitors may train and change models: not if ``FACECORE_TRAINING=off``.

    Returns
    -------
    bool
    """
    return os.environ.get("FACECORE_TRAINING", "on").strip().lower() not in ("off", "0", "no")


def pick_photos(chosen: Chosen | None) -> Photos | None:
    """Ask for photos and show them by label.

    Parameters
    ----------
    chosen : Chosen or None
        The model that can make photos.

    Returns
    -------
    Photos or None
        None as long as there are none to train on, which is then said on the page.
    """
    sources = ["ZIP"]
    if is_local():
        sources.append("Folder")
    if chosen and chosen.model.spread:
        sources.append("Made faces")
    source = st.segmented_control(
        "Photos from", sources, default="ZIP", required=True, key="data_from", bind="query-params"
    )
    if source == "Made faces" and chosen:
        made = st.number_input(
            "Photos to make", 40, 4000, 300, 20, key="data_made", bind="query-params", width=200
        )
        st.caption(
            f"Drawn from the face space of {chosen.name}, as many of each label: they show no "
            "person. Good to see how a training goes."
        )
        return Photos(None, "made-faces", made=int(made))
    try:
        if source == "Folder" and is_local():
            return _pick_folder()
        return _pick_zip()
    except (FacecoreError, OSError) as error:
        st.error(str(error), title="These photos cannot be used", icon=":material/error:")
        return None


def _pick_zip() -> Photos | None:
    upload = st.file_uploader(
        "ZIP of label folders", "zip", key="data_zip",
        help=f"At most {TRAINING_LIMITS.max_photos:,} photos. They are unpacked on the computer "
        "that runs this dashboard and removed when the training ends.",
    )  # fmt: skip
    if upload is None:
        drop_photos()
        st.info(
            "One folder of photos of people per label in a ZIP, two labels or more:",
            icon=":material/folder_zip:",
        )
        st.code(EXAMPLE, language=None)
        return None
    with st.spinner("Unpacking", show_time=True):
        folder = take_photos(upload, upload.file_id)
    return Photos(folder, Path(upload.name).stem) if _show_photos(folder) else None


def _pick_folder() -> Photos | None:
    text = st.text_input(
        "Folder of label folders, or one made by crop", key="data_folder",
        placeholder="path of a folder on this computer",
    )  # fmt: skip
    if not text.strip():
        st.info(
            "One folder of photos of people per label, two labels or more.",
            icon=":material/folder:",
        )
        return None
    folder = Path(text.strip()).expanduser()
    cropped = (folder / TABLE).is_file()
    return Photos(folder, "", cropped) if _show_photos(folder) else None


def _show_photos(folder: Path) -> bool:
    """Show the photos by label, and return whether there are labels to tell apart."""
    cropped = (folder / TABLE).is_file()
    table = read_table(folder) if cropped else list_photos(folder)
    root = root_of(folder)
    if cropped:
        table = table[table["state"].eq("kept")].assign(path=table["crop"])
    labels = table.groupby("label")
    counts = pd.DataFrame({"photos": labels.size()})
    known = table["subject"].ne("")
    if known.any():
        counts["persons"] = table[known].groupby("label")["subject"].nunique()
    for split in ("train", "test"):
        if table["split"].eq(split).any():
            counts[split] = table["split"].eq(split).groupby(table["label"]).sum()
    left, right = st.columns([2, 3], gap="medium")
    left.dataframe(counts.fillna(0).astype(int), alt="Number of photos by label")
    left.caption(f"{len(table):,} photos" + (", faces that crop kept" if cropped else ""))
    with right:
        for label, rows in list(labels)[:LABELS_SHOWN]:
            _show_few(str(label), [root / path for path in rows["path"][:THUMBS]])
    if len(counts) < 2:
        st.error("A training needs two labels or more: one folder of photos for each.")
        return False
    least, most = counts["photos"].idxmin(), counts["photos"].idxmax()
    few, many = counts["photos"][[least, most]]
    if few < FEW_PHOTOS:
        st.warning(
            f"{least} has {few} photos. It works, but expect little: below {FEW_PHOTOS} photos a "
            "label the figures swing by chance. Some hundreds are better."
        )
    if many > UNBALANCED * few:
        st.warning(
            f"{most} has {many / few:.1f} times the photos of {least}. Class weights make up for "
            "some of that; judge by balanced accuracy, not by accuracy."
        )
    if not known.any():
        st.caption(
            "No labels.csv says who is on which photo, so each photo counts as a person of its "
            "own. If persons repeat, the figures will look better than they are."
        )
    return True


def _show_few(label: str, paths: Iterable[Path]) -> None:
    row = st.container(horizontal=True, vertical_alignment="center", gap="xsmall")
    row.markdown(f"**{label}**", width=90)
    for path in paths:
        try:
            picture = _thumb(path, path.stat().st_mtime_ns)
        except (FacecoreError, OSError):  # the account after cropping says why
            continue
        row.image(picture, alt=f"Photo {path.name} of {label}", width=56)


@st.cache_data(max_entries=200, show_spinner=False)
def _thumb(path: Path, written: int) -> bytes:
    return to_png(decode(path, enough=96).pixels)


def follow_job() -> Job:
    """Read the training; to be called before the picker, which a new model goes into.

    Returns
    -------
    Job
    """
    job = read_job()
    if job.state == "running":
        st.session_state["watched"] = job.name
    elif st.session_state.pop("watched", None) == job.name and _made_model(job):
        _choose(job.name)
    return job


def watch_training() -> None:
    """Show the training that runs, again and again until it ends."""
    st.fragment(_watch, run_every=PAUSE)()


def _watch() -> None:
    job = read_job()
    if job.state != "running":
        st.rerun()
    now = time.time()
    passed, share = now - job.step_began, job.done / job.total if job.total else 0.0
    left = passed / share - passed if share and passed > 1 else None
    st.subheader(f"Training {job.name}")
    with st.container(horizontal=True):
        st.metric(
            f"{job.unit.capitalize() or 'Photo'}s done",
            f"{job.done:,} of {job.total:,}" if job.total else "-",
            help="A fit is one candidate in one fold" if job.unit == "fit" else None,
            border=True,
        )
        st.metric("Left of this step", _span(left) if left is not None else "-", border=True)
        best = "-" if job.best is None else f"{job.best:.3f}"
        st.metric("Best balanced accuracy so far", best, border=True)
        st.metric("Running for", _span(now - job.began), border=True)
    st.progress(share, f"{job.step or 'starting'}: {share:.0%}")
    if st.button("Cancel", icon=":material/cancel:", key="job_cancel"):
        try:
            with st.spinner("Cancelling"):
                cancel_job()
        except FacecoreError as error:
            st.error(str(error))
        else:
            st.rerun()
    _show_account(job)
    st.caption("You may leave or reload this page: the training goes on without it.")


def show_end(job: Job, chosen: Chosen | None) -> None:
    """Show how the last training ended.

    Parameters
    ----------
    job : Job
        One that does not run.
    chosen : Chosen or None
        The model in the picker.
    """
    span = _span(job.ended - job.began)
    with st.container(border=True):
        if job.state == "failed":
            st.error(job.error, title=f"The training of {job.name} failed", icon=":material/error:")
        elif job.state == "cancelled":
            st.info(f"The training of {job.name} was cancelled after {span}.")
        else:
            st.success(f"The model {job.name} was trained in {span}.", icon=":material/check:")
            _show_figures(job.name)
        with st.container(horizontal=True, vertical_alignment="center"):
            if _made_model(job):
                if chosen and chosen.name == job.name:
                    st.page_link(
                        "pages/5_Live_prediction.py", label=f"Try {job.name} on photos",
                        icon=":material/arrow_forward:",
                    )  # fmt: skip
                else:
                    st.button(
                        f"Choose {job.name}", type="primary", icon=":material/check:",
                        key="job_choose", on_click=_choose, args=(job.name,),
                    )  # fmt: skip
            st.button(
                "Put away", icon=":material/close:", key="job_clear", on_click=_put_away,
                help="Removes the log and the account of the photos; models stay",
            )  # fmt: skip
        _show_account(job)


def _made_model(job: Job) -> bool:
    return job.state == "done" and job.name in list_models()


def _put_away() -> None:
    with suppress(FacecoreError):  # somebody started another one
        clear_job()


def _choose(name: str) -> None:
    st.session_state["model"] = name


def _show_figures(name: str) -> None:
    try:
        search, evaluation = read_metadata(name)["search"], read_evaluation(name) or {}
    except FacecoreError as error:  # renamed, deleted or damaged since
        st.caption(str(error))
        return
    with st.container(horizontal=True):
        st.metric("Balanced accuracy, folds", f"{search['balanced_accuracy']:.3f}", border=True)
        for data, figures in evaluation.items():
            balanced = figures["balanced_accuracy_all"]
            st.metric(
                f"Balanced accuracy, test photos of {data}",
                "-" if balanced is None else f"{balanced:.3f}",
                border=True,
                help="Over {} photos that it never saw; accuracy {:.3f}, 95 % interval {:.3f} to "
                "{:.3f}".format(figures["n"], figures["accuracy_all"], *figures["interval_all"]),
            )


def _show_account(job: Job) -> None:
    if job.crops is not None:
        try:
            counts = _count(job.crops, (job.crops / TABLE).stat().st_mtime_ns)
        except (FacecoreError, OSError):  # being written, or put away
            counts = None
        if counts is not None:
            st.markdown("**What became of the photos**")
            st.dataframe(counts, alt="Number of photos by what became of them and by label")
    with st.expander("Log", icon=":material/terminal:"):
        st.code(job.log or "nothing yet", language=None, height=240)


@st.cache_data(max_entries=8, show_spinner=False)
def _count(crops: Path, written: int) -> pd.DataFrame:
    words = {state: state.replace("_", " ") for state in STATES}
    return count_states(read_table(crops)).rename(index=words)


def _span(seconds: float) -> str:
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
