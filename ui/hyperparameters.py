"""Hyperparameter explorer of the page Grid search: fit one candidate of the visitor's choice."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from facecore.data import TABLE
from facecore.errors import FacecoreError
from facecore.face import takes_whole_photos
from facecore.model import FaceModel, find_model, label_colours, order_labels
from facecore.training import (
    CROPS,
    MADE,
    REAL,
    FacePoints,
    Refit,
    make_points,
    project_crops,
    read_points,
    refit,
)
from ui.controls import FEW, MOST_COLOURS, choose, show_metric
from ui.local import pick_crops
from ui.look import NEUTRAL, PAIR, REFERENCE, see_through, show, tidy
from ui.models import Chosen, read_table
from ui.search import SCORE, Search
from ui.text import as_is, as_is_in_figure

SIZES = (250, 500, 1000, 2000, 4000)  # faces
# Three values per decade.
PENALTIES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
WIDTHS = (1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
WEIGHTS = {"balanced": "balanced", "none": None}
SYNTHETIC_NOTE = (
    "Synthetic faces are drawn from one Gaussian per label. They lack what makes photos easy or "
    "hard, so their scores are not those of photos. Compare with the best candidate on the same "
    "faces."
)
SPACE_NOTE = (
    "The components are the model's own and stay as they are, so scores on its training faces are "
    "slightly optimistic: the search fits them anew in each fold."
)

Key = tuple[str | int, ...]  # by which caches know a set of faces


@st.fragment
def show_explorer(chosen: Chosen, search: Search) -> None:
    """Ask for parameters, fit them at once, and compare them with the candidates of the search.

    Parameters
    ----------
    chosen : Chosen
        Model whose face space the faces lie in.
    search : Search
        Search of one of its members.
    """
    fisherfaces = chosen.model.fisherfaces
    if fisherfaces and search.member == fisherfaces.name:
        st.info(
            "Fisherfaces are fitted to the labels. Scores on faces that took part in that would be "
            "far too good, so there is nothing to try out here. The other tabs show the search, "
            "which fits them anew in each fold.",
            icon=":material/block:",
        )
        return
    controls, result = st.columns([1, 2], gap="medium")
    with controls:
        found = _pick_points(chosen, search.member)
        if found is None:
            return
        points, key = found
        most, best = points.Z.shape[1], search.parameters
        params = _pick_params(best, most, search.member)
    with result:
        try:
            mine = _refit(key, params, points)
            reference = _refit(key, {name: best[name] for name in params}, points)
        except FacecoreError as error:
            st.error(as_is(error), title="These faces cannot be fitted", icon=":material/error:")
            return
        _show_refit(mine, reference, points, search.table, chosen)
        if most < best["n_components"]:
            st.caption(
                f"These faces have {most} coordinates, so the best candidate, which has "
                f"{best['n_components']} components, is fitted on {most} here."
            )


def _pick_points(chosen: Chosen, member: str) -> tuple[FacePoints, Key] | None:
    """Ask where faces come from; return them with the key by which caches know them."""
    sources = [CROPS]
    if member == chosen.model.leading.name:  # the one whose points a model stores
        if chosen.model.spread is not None:
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
    written = (find_model(chosen.name) / "metadata.json").stat().st_mtime_ns
    key = (chosen.name, written, source, count, member)
    if source == MADE:
        return _draw(key, count, chosen.model), key
    if source == REAL:
        stored = read_table("coordinates", chosen)
        if stored is None:
            return None
        return read_points(stored.sample(min(count, len(stored)), random_state=0)), key
    if (picked := pick_crops("search_crops", _options_of(chosen))) is None:
        return None
    folder, crops = picked
    of_folder = (*key, str(folder.resolve()), (folder / TABLE).stat().st_mtime_ns)
    try:
        return _project(of_folder, member, count, folder, crops, chosen.model), of_folder
    except FacecoreError as error:
        st.error(as_is(error), title="This folder cannot be used", icon=":material/error:")
        return None


def _options_of(chosen: Chosen) -> str:
    """Return the options of `crop` that cut faces as the model needs them."""
    whole = " --whole-photo" if takes_whole_photos(chosen.model.recipe) else ""
    return f"--recipe {chosen.metadata['recipe']}{whole}"


def _pick_params(best: Mapping[str, Any], most: int, member: str) -> dict[str, Any]:
    """Ask for the parameters of a candidate of at most `most` components, at first the best."""
    # Every member has widgets of its own, as the best candidates, their first values, differ.
    own = "" if member == "pixels" else f"_{member.replace(' ', '_')}"
    n = st.slider(
        "Components",
        1,
        max(most, 2),
        min(best["n_components"], most),
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
    return {"n_components": n, "C": C, "gamma": gamma, "class_weight": WEIGHTS[weight]}


# In the cached functions below, an underscore keeps an argument out of the cache's key: arrays and
# tables are slow to hash, and `key` already says which ones they are.


@st.cache_data(max_entries=4, show_spinner="Drawing faces")
def _draw(key: Key, count: int, _model: FaceModel) -> FacePoints:
    return make_points(_model, count)


@st.cache_data(max_entries=4, show_spinner=False)
def _project(
    key: Key, member: str, count: int, folder: Path, _crops: pd.DataFrame, _model: FaceModel
) -> FacePoints:
    bar = st.progress(0.0, "Reading crops")
    points = project_crops(
        folder, _crops, _model, member=member, count=count, on_progress=_watch(bar, "Crop")
    )
    bar.empty()
    return points


@st.cache_data(max_entries=64, show_spinner=False)
def _refit(key: Key, params: dict[str, Any], _points: FacePoints) -> Refit:
    bar = st.progress(0.0, "Fitting")
    found = refit(_points, params, on_fold=_watch(bar, "Fold"))
    bar.empty()
    return found


def _watch(bar: DeltaGenerator, what: str) -> Callable[[int, int], None]:
    def show_progress(done: int, total: int) -> None:
        bar.progress(done / total, f"{what} {done:,} of {total:,}")

    return show_progress


def _show_refit(
    mine: Refit, reference: Refit, points: FacePoints, table: pd.DataFrame, chosen: Chosen
) -> None:
    rank = int((table["mean_test_score"] > mine.mean).sum()) + 1
    folds = len(mine.scores)
    with st.container(horizontal=True):
        st.metric(
            SCORE,
            f"{mine.mean:.3f} ± {mine.std:.3f}",
            f"{mine.mean - reference.mean:+.3f}" if mine.mean != reference.mean else 0,
            delta_description=f"best candidate here {reference.mean:.3f}",
            border=True,
            help=f"Mean and standard deviation over {folds} folds of {len(points.y):,} "
            f"{points.kind}",
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
    st.caption(SYNTHETIC_NOTE if points.kind == MADE else SPACE_NOTE)
    alt = (
        f"Mean scores of the candidates in order; these parameters rank {rank} of {len(table) + 1}"
    )
    show(standing(table, mine, reference), alt, "search-standing")
    alt = "Out-of-fold margins of the faces by label; below 0 the answer is wrong"
    show(margin_bars(mine, points.y, chosen), alt, "search-margins")


def standing(table: pd.DataFrame, mine: Refit, reference: Refit) -> go.Figure:
    """Draw the candidates' means in order, and where two refitted candidates lie.

    Parameters
    ----------
    table : DataFrame
        Candidates, in the columns of `facecore.training.SearchResult`.
    mine, reference : Refit
        Refit of the chosen parameters, and of the search's best ones on the same faces.

    Returns
    -------
    Figure
    """
    means = np.sort(table["mean_test_score"])[::-1]
    figure = go.Figure()
    figure.add_scatter(
        x=np.arange(1, len(means) + 1),
        y=means,
        mode="lines+markers",
        name="candidates",
        marker={"size": 5},
        line={"color": NEUTRAL},
        hovertemplate="rank %{x}: %{y:.4f}<extra></extra>",
    )
    rows = (
        ("these parameters", mine, "star", PAIR[0]),
        ("best candidate, same faces", reference, "diamond-open", PAIR[1]),
    )
    for name, found, symbol, colour in rows:
        figure.add_scatter(
            x=[int((means > found.mean).sum()) + 1],
            y=[found.mean],
            name=name,
            mode="markers",
            marker={"symbol": symbol, "size": 15, "color": colour},
            error_y={"array": [found.std]},
            hovertemplate="%{y:.4f}<extra></extra>",
        )
    figure.update_xaxes(title="Rank among the candidates")
    return tidy(figure.update_yaxes(title=SCORE), 320)


def margin_bars(found: Refit, y: np.ndarray, chosen: Chosen) -> go.Figure:
    """Draw how the margins spread over the faces of each label.

    Of many labels, those with the smallest share of right answers are in colour.

    Parameters
    ----------
    found : Refit
        Refit of one candidate.
    y : ndarray of shape (n_faces,), str
        Labels of the faces.
    chosen : Chosen
        Model whose labels they are.

    Returns
    -------
    Figure
    """
    # The same bins for all labels, whose bars lie over each other.
    edges = np.histogram_bin_edges(found.margins, 40)
    figure = go.Figure(layout={"barmode": "overlay", "bargap": 0})
    colours = label_colours(chosen.model.labels)
    labels = order_labels(np.unique(y).tolist(), chosen.order)
    kinds = [(label, y == label, colours.get(label, NEUTRAL)) for label in labels]
    if len(labels) > MOST_COLOURS:
        right = {label: float(np.mean(found.margins[y == label] > 0)) for label in labels}
        worst = sorted(labels, key=lambda label: right[label])[:FEW]
        kinds = [kind for kind in kinds if kind[0] in worst]
        rest = f"{len(labels) - len(worst)} other labels"
        kinds.insert(0, (rest, ~np.isin(y, worst), NEUTRAL))
    for i, (name, which, colour) in enumerate(kinds):
        margins = found.margins[which]
        figure.add_bar(
            x=(edges[1:] + edges[:-1]) / 2,
            y=np.histogram(margins, edges)[0],
            name=f"{name}, {np.mean(margins > 0):.1%} right",
            marker=see_through(colour, i),
            hovertemplate=as_is_in_figure(name) + ", margin %{x:.2f}: %{y} faces<extra></extra>",
        )
    figure.add_vline(0, line=REFERENCE)
    figure.update_xaxes(title="Out-of-fold margin of the true label")
    return tidy(figure.update_yaxes(title="Faces"), 320)
