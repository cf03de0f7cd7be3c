"""Hyperparameter explorer of the page Grid search: fit one candidate of the visitor's choice."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from facecore.data import TABLE
from facecore.errors import FacecoreError
from facecore.face import takes_whole_photos
from facecore.model import FaceModel
from facecore.system import with_minus
from facecore.training import (
    CROPS,
    MADE,
    REAL,
    FoldedFaces,
    Refit,
    compare_folds,
    fold_crops,
    fold_points,
    make_points,
    read_points,
    refit,
    with_mirror_images,
)
from ui.controls import choose, show_metric
from ui.local import pick_crops
from ui.look import describe_change, show
from ui.models import Chosen, Written, read_table, written
from ui.refits import margin_bars, paired_dots
from ui.search import Search
from ui.text import as_is

SIZES = (250, 500, 1000, 2000, 4000)  # faces
# Three values per decade.
PENALTIES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
WIDTHS = (1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
WEIGHTS = {"balanced": "balanced", "none": None}
NOTES = {
    MADE: "Synthetic faces are drawn from one Gaussian per label. They lack what makes photos easy "
    "or hard, so their scores are not those of photos, and not those of the search.",
    REAL: "The components are the model's own, which were fitted to these faces too; the search "
    "fits them anew in each fold, and to all faces where the model stores a sample. So these "
    "scores are compared with each other only.",
    CROPS: "Min-max, components and machine are fitted inside each fold, as the search does. The "
    "search had other faces, or another number of them, so its scores are not drawn here.",
}

Key = tuple[str | int | Written, ...]  # by which caches know a set of faces


@st.fragment
def show_explorer(chosen: Chosen, search: Search) -> None:
    """Ask for parameters, fit them at once, and compare them with the best candidate.

    Both are fitted to the same faces in the same folds.

    Parameters
    ----------
    chosen : Chosen
        Model that the search was for.
    search : Search
        Search of one of its members.
    """
    controls, result = st.columns([1, 2], gap="medium")
    with controls:
        found = _pick_faces(chosen, search)
        if found is None:
            return
        faces, key = found
        best = search.parameters
        params = _pick_params(best, faces, search.member)
    with result:
        mine = _refit(key, params, faces)
        reference = _refit(key, {name: best[name] for name in params}, faces)
        _show_refit(mine, reference, faces, chosen)
        if faces.most < best["n_components"]:
            st.caption(
                f"These faces have {faces.most} coordinates, so the best candidate, which has "
                f"{best['n_components']} components, is fitted on {faces.most} here."
            )


def _pick_faces(chosen: Chosen, search: Search) -> tuple[FoldedFaces, Key] | None:
    """Ask where faces come from; return them with the key by which caches know them."""
    model, member = chosen.model, search.member
    fisherfaces = model.fisherfaces
    sources = [CROPS]
    if fisherfaces and member == fisherfaces.name:
        st.caption(
            "Fisherfaces are fitted to the labels. Scores on faces that took part in that would be "
            "far too good, so this needs a folder of crops, to which they are fitted inside each "
            "fold."
        )
    elif member == model.leading.name:  # the one whose points a model stores
        if model.spread is not None:
            sources.insert(0, MADE)
        if "coordinates.csv" in chosen.metadata["sha256"]:
            sources.insert(0, REAL)
    else:
        st.caption(
            f"The model stores no faces as the member {as_is(member)} reads them, so this needs a "
            "folder of crops."
        )
    source = choose("Faces", sources, "search_source", words=str.capitalize)
    count = st.select_slider(
        "At most",
        SIZES,
        1000,
        format_func=lambda n: f"{n:,} faces",
        key="search_faces",
        bind="query-params",
    )
    key = (chosen.name, written(chosen.name), source, count, member)
    try:
        if source != CROPS:
            stored = read_table("coordinates", chosen) if source == REAL else None
            if source == REAL and stored is None:
                return None
            return _fold_points(key, count, stored, model), key
        if (picked := pick_crops("search_crops", _options_of(chosen))) is None:
            return None
        folder, crops = picked
        most = 2 * search.parameters["n_components"]
        of_folder = (*key, str(folder.resolve()), (folder / TABLE).stat().st_mtime_ns)
        return _fold_crops(of_folder, folder, member, count, most, crops, model), of_folder
    except FacecoreError as error:
        st.error(as_is(error), title="These faces cannot be used", icon=":material/error:")
        return None


def _options_of(chosen: Chosen) -> str:
    """Return the options of `crop` that cut faces as the model needs them."""
    whole = " --whole-photo" if takes_whole_photos(chosen.model.recipe) else ""
    return f"--recipe {chosen.metadata['recipe']}{whole}"


def _pick_params(best: Mapping[str, Any], faces: FoldedFaces, member: str) -> dict[str, Any]:
    """Ask for the parameters of a candidate, at first those of the best."""
    # Every member has widgets of its own, as the best candidates, their first values, differ.
    own = "" if member == "pixels" else f"_{member.replace(' ', '_')}"
    n = st.slider(
        "Components",
        1,
        max(faces.most, 2),
        min(best["n_components"], faces.most),
        key=f"search_n{own}",
        bind="query-params",
    )
    C, gamma = (
        st.select_slider(
            name,
            sorted({*options, float(best[name])}),
            float(best[name]),
            format_func="{:g}".format,
            key=key + own,
            bind="query-params",
        )
        for name, key, options in (("C", "search_c", PENALTIES), ("gamma", "search_gamma", WIDTHS))
    )
    first = best["class_weight"] or "none"
    weight = choose("Class weight", list(WEIGHTS), f"search_weight{own}", default=first)
    params = {"n_components": n, "C": C, "gamma": gamma, "class_weight": WEIGHTS[weight]}
    if faces.inside:  # else the coordinates are the model's, whitened or not
        whiten = best.get("whiten", True)
        params["whiten"] = st.toggle(
            "Whiten", whiten, key=f"search_whitened{own}", bind="query-params"
        )
    return params


# In the cached functions below, an underscore keeps an argument out of the cache's key: arrays and
# tables are slow to hash, and `key` already says which ones they are.


@st.cache_resource(max_entries=4, show_spinner="Drawing faces")
def _fold_points(
    key: Key, count: int, _stored: pd.DataFrame | None, _model: FaceModel
) -> FoldedFaces:
    points = (
        make_points(_model, count)
        if _stored is None
        else read_points(_stored.sample(min(count, len(_stored)), random_state=0))
    )
    return fold_points(with_mirror_images(points, _model))


@st.cache_resource(max_entries=2, show_spinner=False)
def _fold_crops(
    key: Key,
    folder: Path,
    member: str,
    count: int,
    most: int,
    _crops: pd.DataFrame,
    _model: FaceModel,
) -> FoldedFaces:
    bar = st.progress(0.0, "Reading crops")

    def show_progress(what: str, done: int, total: int) -> None:
        bar.progress(done / total, f"{what} {done:,} of {total:,}")

    found = fold_crops(
        folder,
        _crops,
        _model,
        member=member,
        count=count,
        most=most,
        on_progress=show_progress,
    )
    bar.empty()
    return found


@st.cache_data(max_entries=64, show_spinner=False)
def _refit(key: Key, params: dict[str, Any], _faces: FoldedFaces) -> Refit:
    bar = st.progress(0.0, "Fitting")

    def show_progress(done: int, total: int) -> None:
        bar.progress(done / total, f"Fold {done:,} of {total:,}")

    found = refit(_faces, params, on_fold=show_progress)
    bar.empty()
    return found


def _show_refit(mine: Refit, reference: Refit, faces: FoldedFaces, chosen: Chosen) -> None:
    folds = len(mine.scores)
    difference, error = compare_folds(mine.scores, reference.scores)
    views = " and their mirror images" if faces.mirrored else ""
    with st.container(horizontal=True):
        st.metric(
            "Score of these parameters",
            f"{mine.mean:.3f} ± {mine.std:.3f}",
            **describe_change(difference, "{:+.3f}"),
            delta_description=f"versus {reference.mean:.3f}, the best candidate here",
            border=True,
            help=f"Balanced accuracy: mean and standard deviation over {folds} folds of "
            f"{len(faces.y):,} {faces.kind}{views}. The best candidate of the search was fitted "
            "anew to the same faces in the same folds.",
        )
        show_metric(
            "Support vectors",
            f"{mine.support_vectors.mean():,.0f}",
            f"{mine.support_share:.0%} of the faces",
            "Mean over the folds. If they are most of the faces, the machine memorises faces.",
            height="content",
        )
        seconds = f"{mine.seconds:.2f} s"
        show_metric("Time to fit", seconds, f"{folds} folds", height="content")
    if (mine.scores == reference.scores).all():
        told = "In each fold the score is that of the best candidate."
    else:
        chance = abs(difference) <= error
        change = with_minus(f"{difference:+.4f} ± {error:.4f}")
        told = f"Fold by fold the difference is {change} (95% interval): " + (
            "no more than chance." if chance else "more than chance explains."
        )
    lacks = chosen.model.recipe.mirror and not faces.mirrored
    st.caption(
        f"{NOTES[faces.kind]} {told}"
        + (" The model was trained on mirror images too, which are not known here." * lacks)
    )
    alt = (
        f"Score in each of {folds} folds: these parameters, mean {mine.mean:.3f}, and the best "
        f"candidate on the same faces, mean {reference.mean:.3f}"
    )
    show(paired_dots(mine, reference), alt, "search-paired")
    alt = "Out-of-fold margins of the faces by label; below 0 the answer is wrong"
    show(margin_bars(mine, faces.y, chosen), alt, "search-margins")
