"""Training on the page Your data: its settings, its progress, and how it ended."""

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import streamlit as st

from facecore.data import (
    NONE_LEFT,
    STATES,
    TABLE,
    Loss,
    count_states,
    find_losses,
    has_whole_photos,
    minimum_of,
    read_table,
    recipes_for,
)
from facecore.errors import FacecoreError
from facecore.face import MIN_SIZE, PHRASES, RECIPES, lacks
from facecore.model import SHIPPED, check_new_name, list_models, read_evaluation, read_metadata
from facecore.system import describe_seconds
from facecore.training import Job, cancel_job, clear_job, read_job
from ui.card import show_headline
from ui.controls import choose, pick_grid
from ui.links import link_photos
from ui.models import Chosen, choose_next
from ui.scores import MODEL_HELP, OF_CANDIDATE, OF_MODEL, explain_candidate
from ui.sizes import show_counts
from ui.text import as_is
from ui.training_photos import Photos

MINIMUM, WHOLE = "Minimum face width, pixels", "Each photo is the face already"
PAUSE = 1.5  # seconds between two looks at a training


@dataclass(frozen=True)
class Options:
    """Settings of a training.

    Parameters
    ----------
    name : str
        Name of the model.
    recipe : str
        Name of the recipe.
    grid : str
        Grid to search, as `facecore.training.grids.read_grid` takes it.
    min_size : int or None
        Width in pixels below which a face is left out; None for no limit of the visitor's.
    whole_photo : bool
        Whether each photo is the face already.
    identity : bool
        Whether each label is one person.
    seed : int
        Seed of folds and samples.
    curve : bool
        Whether to measure the learning curve after the training.
    """

    name: str
    recipe: str
    grid: str
    min_size: int | None
    whole_photo: bool
    identity: bool
    seed: int
    curve: bool


def is_training_on() -> bool:
    """Return whether visitors may train and change models: not if ``FACECORE_TRAINING=off``.

    Returns
    -------
    bool
    """
    return os.environ.get("FACECORE_TRAINING", "on").strip().lower() not in ("off", "0", "no")


def pick_options(photos: Photos) -> Options:
    """Ask for the settings of a training.

    Parameters
    ----------
    photos : Photos
        What to train on; crops limit the recipes and have their own minimum size.

    Returns
    -------
    Options
    """
    fitting = recipes_for(photos.source) if photos.cropped and photos.source else RECIPES
    # Sorted, so that the default recipe, aligned, is the first.
    recipes = [name for name in sorted(fitting or RECIPES) if not lacks(RECIPES[name])]
    told = [_tell(name) for name in sorted(RECIPES)]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input(
            "Name of the model", "mine", max_chars=64, key="train_name", width=220
        ).strip()
        recipe = choose(
            "Recipe",
            recipes,
            "train_recipe",
            default="classic" if photos.samples else None,  # seconds, in place of a minute
            help="\n".join([*told, "", "Crops fit only the recipes that they were cut for."]),
        )
        grid = pick_grid("train_grid")
        identity = st.checkbox(
            "Each label is one person",
            key="train_identity",
            bind="query-params",
            help='Face recognition: strangers are answered "unknown", and the photos of a person '
            "are split. Without it, a label is what several people share",
        )
        whole = _pick_whole(photos)
        free = whole or photos.cropped
        min_size = st.number_input(
            MINIMUM,
            1,
            400,
            MIN_SIZE,
            key="train_minimum",
            width=200,
            bind="query-params",
            disabled=free,
            help="Smaller faces are left out; a folder of crops has its own minimum, and photos "
            "that are faces already have none",
        )
        seed = st.number_input("Seed", 0, 9999, 0, key="train_seed", bind="query-params", width=140)
        curve = st.checkbox(
            "Learning curve",
            key="train_curve",
            bind="query-params",
            help="After the training, measure whether more photos would help, and of which label: "
            "seconds for a few hundred photos, about as long again as the search for thousands",
        )
    least = None if free else int(min_size)
    return Options(name, recipe, grid, least, whole, identity, int(seed), curve)


def _tell(recipe: str) -> str:
    missing = lacks(RECIPES[recipe])
    note = f" ({as_is(missing)})" if missing else ""
    return f"- **{recipe}**: {PHRASES[recipe]}{note}"


def _pick_whole(photos: Photos) -> bool:
    if photos.cropped and photos.source:  # they are as they were cut
        return has_whole_photos(photos.source)
    return st.checkbox(
        WHOLE,
        key="train_whole",
        bind="query-params",
        help="For sets of small crops, such as 48 x 48 pixels: no detector looks for faces, in "
        "training as in prediction",
    )


def can_be_named(name: str) -> bool:
    """Return whether a model may get a name; if not, say why, and offer to replace another.

    Parameters
    ----------
    name : str
        Name that the visitor chose.

    Returns
    -------
    bool
    """
    problem = ""
    try:
        check_new_name(name)
    except FacecoreError as error:
        problem = str(error)
    if name in SHIPPED:
        problem = f"{name} ships with facecore and cannot be replaced; choose another name."
    elif name in list_models() and not st.checkbox(
        f"Replace the existing model {as_is(name)}", key="train_replace"
    ):
        problem = f"There is already a model {name}: replace it, or choose another name."
    if problem:
        st.warning(as_is(problem))
    return not problem


def follow_job() -> Job:
    """Read the state of the training, and choose a model that is new.

    The picker is drawn before the page, so a new model is chosen by another run of the page.

    Returns
    -------
    Job
    """
    try:
        job = read_job()
    except FacecoreError as error:
        st.error(str(error), title="The state of the training cannot be read")
        st.stop()
    if job.state == "running":
        st.session_state["watched"] = job.name
    elif st.session_state.pop("watched", None) == job.name and _has_model(job):
        choose_next(job.name)
        st.rerun()
    return job


def watch_training() -> None:
    """Show the training that runs, again and again until it ends."""
    st.fragment(_watch, run_every=PAUSE)()


def _watch() -> None:
    try:
        job = read_job()
    except FacecoreError as error:  # the next look may see it again
        st.error(str(error))
        return
    if job.state != "running":
        st.rerun()
    now = time.time()
    passed, share = now - job.step_began, job.done / job.total if job.total else 0.0
    # In the first second the share is too small to say anything about the rest.
    left = passed / share - passed if share and passed > 1 else None
    st.header(f"{'Learning curve of' if job.curve else 'Training'} {as_is(job.name)}")
    with st.container(horizontal=True):
        st.metric(
            f"{job.unit.capitalize() or 'Photo'}s done",
            f"{job.done:,} of {job.total:,}" if job.total else "-",
            help="A fit is one candidate in one fold" if job.unit == "fit" else None,
            border=True,
        )
        st.metric(
            "Time left in this step",
            describe_seconds(left) if left is not None else "-",
            border=True,
        )
        best = "-" if job.best is None else f"{job.best:.3f}"
        told = f"{OF_CANDIDATE}. {explain_candidate()}"
        st.metric("Best candidate so far", best, border=True, help=told)
        st.metric("Running for", describe_seconds(now - job.began), border=True)
    st.progress(share, f"{as_is(job.step or 'starting')}: {share:.0%}")
    if st.button("Cancel", icon=":material/cancel:", key="job_cancel"):
        try:
            with st.spinner("Cancelling"):
                cancel_job()
        except FacecoreError as error:
            st.error(as_is(error))
        else:
            st.rerun()
    _show_details(job)
    st.caption("You can leave or reload this page: the training goes on without it.")


def show_end(job: Job, chosen: Chosen | None) -> None:
    """Show how the last training ended.

    Parameters
    ----------
    job : Job
        Training that no longer runs.
    chosen : Chosen or None
        Model in the picker.
    """
    span, losses, name = describe_seconds(job.ended - job.began), _losses(job), as_is(job.name)
    what = f"{'learning curve' if job.curve else 'training'} of {name}"
    with st.container(border=True):
        if job.state == "failed":
            none_left = losses and job.error.startswith(NONE_LEFT)
            why = "No face was left to train on." if none_left else job.error
            st.error(as_is(why), title=f"The {what} failed", icon=":material/error:")
        elif job.state == "cancelled":
            st.info(f"The {what} was cancelled after {span}.")
        elif job.curve:
            st.success(f"The {what} was measured in {span}.", icon=":material/check:")
        else:
            st.success(f"The model {name} was trained in {span}.", icon=":material/check:")
            _show_figures(job.name)
        if job.note:
            st.warning(f"Its learning curve could not be measured: {as_is(job.note)}")
        for loss in losses:
            st.warning(f"{as_is(loss.text)}. {_advise(loss)}".strip(), icon=":material/filter_alt:")
        with st.container(horizontal=True, vertical_alignment="center"):
            if _has_model(job):
                _offer_model(job.name, is_chosen=chosen is not None and chosen.name == job.name)
            st.button(
                "Dismiss",
                icon=":material/close:",
                key="job_clear",
                on_click=_dismiss,
                help="Removes the log, the table of photos, and photos that wait for another try; "
                "models stay",
            )
        _show_details(job)


def _losses(job: Job) -> list[Loss]:
    """Return why many photos were dropped, where this page has a control that helps."""
    if job.crops is None or not job.cropped:
        return []
    try:
        return find_losses(read_table(job.crops), minimum_of(job.crops))
    except FacecoreError:  # being dismissed
        return []


def _advise(loss: Loss) -> str:
    """Name the control of this page that helps against a loss."""
    whole = f"if each photo is the face already, tick *{WHOLE}*"
    if loss.state == "too_small":
        return f"Set *{MINIMUM}* to {loss.least}" + (f"; or, {whole}." if loss.tight else ".")
    return f"{whole[0].upper()}{whole[1:]}." if loss.state == "no_face" else ""


def _has_model(job: Job) -> bool:
    return job.state == "done" and job.name in list_models()


def _offer_model(name: str, is_chosen: bool) -> None:
    if is_chosen:
        st.page_link(
            "pages/5_Live_prediction.py",
            label=f"Try {as_is(name)} on photos",
            icon=":material/arrow_forward:",
        )
        link_photos(name)
    else:
        st.button(
            f"Choose {as_is(name)}",
            type="primary",
            icon=":material/check:",
            key="job_choose",
            on_click=_choose,
            args=(name,),
        )


def _dismiss() -> None:
    with suppress(FacecoreError):  # somebody has started another training
        clear_job()


def _choose(name: str) -> None:
    st.session_state["model"] = name


def _show_figures(name: str) -> None:
    try:
        metadata, evaluation = read_metadata(name), read_evaluation(name) or {}
    except FacecoreError as error:  # renamed, deleted or damaged since
        st.caption(as_is(error))
        return
    search, rule = metadata["search"], metadata.get("rule")
    with st.container(horizontal=True):
        score = f"{search['balanced_accuracy']:.3f}"
        st.metric(OF_MODEL, score, border=True, help=MODEL_HELP)
        st.metric(
            "Answered, folds",
            f"{rule['coverage'] if rule else 1:.3f}",
            border=True,
            help="Share of the training faces that get a label, out of fold; the others are unsure"
            if rule
            else "This recipe answers about every face",
        )
        if rule:
            st.metric(
                "Right when answered, folds",
                f"{rule['accuracy']:.3f}",
                border=True,
                help="Share of these answers that are right",
            )
    for data, figures in evaluation.items():
        st.markdown(f"On the test photos of {as_is(data)}, which it has never seen:")
        show_headline({data: figures})


def _show_details(job: Job) -> None:
    if job.crops is not None:
        try:
            counts = _count(job.crops, (job.crops / TABLE).stat().st_mtime_ns)
        except (FacecoreError, OSError):  # being written, or dismissed
            counts = None
        if counts is not None:
            st.markdown("**What happened to the photos**")
            show_counts(counts)
    with st.expander("Log", icon=":material/terminal:"):
        st.code(job.log or "nothing yet", language=None, height=240)


@st.cache_data(max_entries=8, show_spinner=False)
def _count(crops: Path, written: int) -> pd.DataFrame:
    # `written` is part of the cache's key: the table grows while photos are cropped
    words = {state: state.replace("_", " ") for state in STATES}
    return count_states(read_table(crops)).rename(index=words)
