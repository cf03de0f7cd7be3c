"""Whether more photos would help a model of one's own, on the page Your data."""

import os

import pandas as pd
import streamlit as st

from facecore.errors import FacecoreError
from facecore.model import order_labels
from facecore.system import describe_seconds
from facecore.training import (
    Job,
    describe_curve,
    estimate_seconds,
    refuse_curve,
    start_curve,
    verdict_of,
)
from ui.controls import choose, offer_file, pick_few
from ui.ladder import curve_figure
from ui.look import show
from ui.models import Chosen, read_table
from ui.sheets import to_sheet
from ui.text import as_is, minus_in_figures
from ui.training_photos import Photos

VIEWS = ("All labels", "Recall of each label", "One label alone")
ICONS = {
    "yes": ":material/trending_up:",
    "no": ":material/trending_flat:",
    "unknown": ":material/question_mark:",
}
MEASURED, AHEAD = "measured", "forecast for twice as many"


def show_learning(chosen: Chosen, photos: Photos | None, job: Job) -> None:
    """Show the learning curve of a model, and offer to measure it on the photos that were chosen.

    Parameters
    ----------
    chosen : Chosen
        Model in the picker.
    photos : Photos or None
        Photos that the visitor chose above; None if there are none to train on.
    job : Job
        The training or measurement that runs, or the last one.
    """
    st.header(f"Would more photos help {as_is(chosen.name)}?")
    try:
        refuse_curve(chosen.name)
    except FacecoreError as error:
        st.caption(as_is(f"{str(error)[0].upper()}{str(error)[1:]}."))
        return
    table = read_table("learning_curve", chosen, optional=True)
    if table is not None:
        _show_curve(table, chosen)
    if job.state != "running":
        _offer(chosen, photos, job, again=table is not None)


def _offer(chosen: Chosen, photos: Photos | None, job: Job, again: bool) -> None:
    # Crops that a training made itself are removed when it ends; a folder of one's own stays.
    is_its = job.state == "done" and job.name == chosen.name and not job.cropped
    source, where = (photos.source if photos else None), "chosen above"
    if source is None and is_its and job.crops:
        source, where = job.crops, f"in {job.crops}"
    if source is None:
        what = "Measure it again" if again else "Not measured yet"
        st.caption(
            f"{what}: choose the photos that {as_is(chosen.name)} was trained on above, or tick "
            "*Learning curve* when you train. Photos of a ZIP are removed when its training ends, "
            "unless *Keep the photos* is ticked."
        )
        return
    seconds = _estimate(chosen.name, str(chosen.metadata["sha256"]["model.npz"]))
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(
            "Measure again" if again else "Measure learning curve",
            icon=":material/show_chart:",
            key="curve_start",
        ):
            try:
                with st.spinner("Starting"):
                    start_curve(chosen.name, source)
            except FacecoreError as error:
                st.error(as_is(error), title="Not started", icon=":material/error:")
            else:
                st.rerun()
        st.caption(
            f"Fits {as_is(chosen.name)} again, in folds, to growing shares of the photos "
            f"{as_is(where)}, which must be those that it was trained on. About "
            f"{describe_seconds(seconds)} after they are cropped."
        )


@st.cache_data(max_entries=8, show_spinner="Estimating the time")
def _estimate(name: str, checksum: str) -> float:
    # `checksum` is part of the cache's key: a model that was trained again is timed again
    return estimate_seconds(name, max(1, (os.cpu_count() or 1) - 1))


def _show_curve(table: pd.DataFrame, chosen: Chosen) -> None:
    first, *rest = describe_curve(table)
    st.info(as_is(minus_in_figures(first)), icon=ICONS.get(verdict_of(table) or "unknown"))
    st.markdown("\n".join(f"- {as_is(minus_in_figures(line))}" for line in rest))
    view = choose("Curve", VIEWS, "curve_view", show_label=False)
    labels = order_labels(table["label"].dropna().unique(), chosen.order)
    if view == VIEWS[0]:
        rows, what, x = _whole(table), "balanced accuracy", "training faces in a fold"
    else:
        kind = "recall" if view == VIEWS[1] else "label"
        what = "recall" if kind == "recall" else "balanced accuracy"
        few = pick_few(labels, "curve_labels", rest="The others are left out.")
        rows, x = _of_labels(table, kind, few), "training faces of the label in a fold"
    if rows.empty:
        st.caption("The labels have too few photos to vary one of them alone.")
    else:
        figure = curve_figure(rows, "training_faces", x, what)
        show(figure, f"{what} against {x}, with 95% intervals", "curve-figure")
    with st.container(horizontal=True, vertical_alignment="center"):
        offer_file(
            "Download table",
            lambda: to_sheet(table),
            f"{chosen.name}_learning_curve.csv",
            "text/csv",
            "curve_download",
        )
        st.caption(
            "Measured on held-out faces, by the settings that the training chose for all faces; "
            "these may suit fewer faces less. The folds are others than those on which it chose "
            "them, so the last point may be below the model's cross-validated score, which they "
            "flatter. Bands: 95% intervals over subjects. The forecast is a fitted power law."
        )


def _whole(table: pd.DataFrame) -> pd.DataFrame:
    every = table[table["label"].isna()]
    curve = every[every["kind"].eq("curve")]
    ahead = every[every["kind"].eq("forecast")]
    parts = [curve.assign(rung=MEASURED)]
    if not ahead.empty:
        parts.append(pd.concat([curve.tail(1), ahead]).assign(rung=AHEAD))
    return pd.concat(parts).rename(columns={"score": "accuracy"})


def _of_labels(table: pd.DataFrame, kind: str, labels: list[str]) -> pd.DataFrame:
    rows = table[table["kind"].eq(kind) & table["label"].isin(labels)]
    return rows.assign(rung=rows["label"]).rename(columns={"score": "accuracy"})
