"""Figures of the page Grid search, and its hyperparameter explorer."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from plotly.colors import sample_colorscale
from plotly.subplots import make_subplots
from streamlit.delta_generator import DeltaGenerator

from facecore.data import TABLE
from facecore.errors import FacecoreError
from facecore.model import find_model
from facecore.training import (
    CROPS,
    MADE,
    REAL,
    FacePoints,
    Refit,
    count_folds,
    make_points,
    project_crops,
    read_points,
    refit,
)
from ui.local import pick_crops
from ui.look import NEUTRAL, PAIR, PATTERNS, SYMBOLS, label_colours, show, tidy
from ui.models import Chosen, read_table

SIZES = (250, 500, 1000, 2000, 4000)
NAMES = {
    "rank_test_score": "rank",
    "param_n_components": "components",
    "param_C": "C",
    "param_gamma": "gamma",
    "param_class_weight": "class weight",
    "param_whiten": "whiten",
    "mean_test_score": "mean",
    "std_test_score": "spread",
    "mean_fit_time": "fit, s",
    "mean_score_time": "score, s",
}
MADE_NOTE = (
    "Made faces are drawn from one Gaussian cloud a label: what makes photos easy or hard is not "
    "in them, so their scores are not those of photos. Compare with the best candidate on the same "
    "faces."
)
SPACE_NOTE = (
    "The components are the model's own and stay as they are, so scores on its training faces are "
    "a little flattered: the search fits them anew in each fold."
)


def describe(candidate: pd.Series) -> str:
    """Return a candidate's parameters in words.

    Parameters
    ----------
    candidate : Series
        A row of the table.

    Returns
    -------
    str
    """
    weight = "balanced" if candidate["param_class_weight"] == "balanced" else "unweighted"
    return (
        f"{candidate['param_n_components']} components, C {candidate['param_C']:g}, "
        f"gamma {candidate['param_gamma']:g}, {weight}"
        + ("" if candidate["param_whiten"] else ", not whitened")
    )


def describe_grid(grid: Mapping[str, list[Any]]) -> str:
    """Return the values that were searched in words.

    Parameters
    ----------
    grid : mapping of str to list

    Returns
    -------
    str
    """
    words = {
        name: ", ".join("none" if value is None else str(value) for value in values)
        for name, values in grid.items()
    }
    return "; ".join(f"{NAMES[f'param_{name}']} {text}" for name, text in words.items())


def candidate_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return the candidates as people read them, the best first.

    Parameters
    ----------
    table : DataFrame
        As `facecore.training.search.SearchResult` holds it.

    Returns
    -------
    DataFrame
        Columns of `NAMES`; whiten only if it varies.
    """
    same = [] if len(table["param_whiten"].unique()) > 1 else ["param_whiten"]
    ranked = table.sort_values("rank_test_score")
    return ranked.rename(columns=NAMES)[[v for k, v in NAMES.items() if k not in same]]


def fold_dots(candidate: pd.Series, best: pd.Series) -> go.Figure:
    """Draw the score of one candidate in each fold, with its mean, beside the best candidate.

    Parameters
    ----------
    candidate, best : Series
        Rows of the table.

    Returns
    -------
    Figure
    """
    figure = go.Figure()
    folds = range(count_folds(candidate.index))
    rows = [(f"rank {candidate['rank_test_score']}", candidate, "circle", PAIR[0])]
    if candidate["rank_test_score"] != best["rank_test_score"]:
        rows.append(("best", best, "diamond-open", PAIR[1]))
    for name, row, symbol, colour in rows:
        figure.add_scatter(
            x=[f"fold {i + 1}" for i in folds], y=[row[f"split{i}_test_score"] for i in folds],
            mode="markers", marker={"symbol": symbol, "size": 11, "color": colour}, name=name,
            hovertemplate="%{x}: %{y:.4f}<extra></extra>",
        )  # fmt: skip
    figure.add_hline(
        candidate["mean_test_score"], line={"dash": "dot", "color": NEUTRAL},
        annotation_text=f"mean {candidate['mean_test_score']:.4f}",
    )  # fmt: skip
    return tidy(figure.update_yaxes(title="Balanced accuracy"), 300)


def heat_maps(table: pd.DataFrame) -> go.Figure:
    """Draw the mean score over C and gamma, one map for each number of components.

    Parameters
    ----------
    table : DataFrame
        Candidates of one class weight and one choice of whitening.

    Returns
    -------
    Figure
    """
    sizes = sorted(table["param_n_components"].unique())
    columns = min(2, len(sizes))
    rows = -(-len(sizes) // columns)
    figure = make_subplots(
        rows, columns, shared_xaxes="all", shared_yaxes="all", horizontal_spacing=0.04,
        vertical_spacing=0.2 / rows, subplot_titles=[f"n = {n}" for n in sizes],
    )  # fmt: skip
    for i, n in enumerate(sizes):
        grid = table[table["param_n_components"].eq(n)].pivot_table(
            index="param_gamma", columns="param_C", values="mean_test_score"
        )
        figure.add_heatmap(
            z=grid, x=[f"{c:g}" for c in grid.columns], y=[f"{g:g}" for g in grid.index],
            coloraxis="coloraxis", texttemplate="%{z:.3f}", xgap=1, ygap=1,
            hovertemplate=f"{n} components, C %{{x}}, gamma %{{y}}: %{{z:.4f}}<extra></extra>",
            row=i // columns + 1, col=i % columns + 1,
        )  # fmt: skip
    figure.update_xaxes(type="category").update_yaxes(type="category")
    figure.update_xaxes(title="C", row=rows).update_yaxes(title="gamma", col=1)
    height = 140 + 40 * rows + 44 * rows * table["param_gamma"].nunique()
    bar = {"orientation": "h", "thickness": 10, "y": 0, "yref": "container", "yanchor": "bottom"}
    figure.update_layout(coloraxis={"colorscale": "Blues", "colorbar": bar})
    return tidy(figure, height).update_layout(margin_b=84)


def component_line(table: pd.DataFrame, limit: float) -> go.Figure:
    """Draw the best score of each number of components with its spread over the folds.

    Parameters
    ----------
    table : DataFrame
    limit : float
        One standard error below the best mean.

    Returns
    -------
    Figure
    """
    best = table.loc[table.groupby("param_n_components")["rank_test_score"].idxmin()]
    figure = go.Figure(
        go.Scatter(
            x=best["param_n_components"], y=best["mean_test_score"], mode="lines+markers",
            error_y={"array": best["std_test_score"]}, name="best candidate, spread over folds",
            marker={"size": 9}, line={"color": PAIR[0]}, showlegend=True,
            customdata=[describe(row) for _, row in best.iterrows()],
            hovertemplate="%{customdata}: %{y:.4f}<extra></extra>",
        )
    )  # fmt: skip
    figure.add_hline(
        limit, line={"dash": "dot", "color": NEUTRAL},
        annotation_text="one standard error below the best", annotation_position="bottom right",
    )  # fmt: skip
    figure.update_xaxes(title="Components", tickvals=best["param_n_components"])
    return tidy(figure.update_yaxes(title="Balanced accuracy"), 400)


def time_dots(table: pd.DataFrame) -> go.Figure:
    """Draw the mean score of every candidate against its time to fit.

    Parameters
    ----------
    table : DataFrame

    Returns
    -------
    Figure
    """
    groups = list(table.groupby("param_n_components"))
    colours = sample_colorscale("Viridis", np.linspace(0.2, 0.85, len(groups)))
    figure = go.Figure()
    for i, (n, rows) in enumerate(groups):
        figure.add_scatter(
            x=rows["mean_fit_time"], y=rows["mean_test_score"], mode="markers",
            name=f"{n} components",
            marker={"symbol": SYMBOLS[i % len(SYMBOLS)], "size": 9, "color": colours[i]},
            customdata=[describe(row) for _, row in rows.iterrows()],
            hovertemplate="%{customdata}: %{y:.4f} in %{x:.2f} s<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title="Seconds to fit a fold, without what candidates share")
    return tidy(figure.update_yaxes(title="Balanced accuracy"), 400)


@st.fragment
def show_explorer(
    chosen: Chosen, table: pd.DataFrame, best: Mapping[str, Any], member: str
) -> None:
    """Let the visitor choose parameters, fit them at once and see where they stand.

    Parameters
    ----------
    chosen : Chosen
    table : DataFrame
        Candidates of the search.
    best : mapping of str
        Parameters that the search found best.
    member : str
        Name of the member that was searched.
    """
    controls, result = st.columns([1, 2], gap="medium")
    with controls:
        found = _pick_points(chosen, member)
        if found is None:
            return
        points, key = found
        params = _pick_params(best, points.Z.shape[1], member)
    with result:
        try:
            mine = _refit(key, params, points)
            reference = _refit(key, {name: best[name] for name in params}, points)
        except FacecoreError as error:
            st.error(str(error), title="These faces cannot be fitted", icon=":material/error:")
            return
        _show_refit(mine, reference, points, table)
        if (most := points.Z.shape[1]) < best["n_components"]:
            st.caption(
                f"These faces have {most} coordinates, so the best candidate, which has "
                f"{best['n_components']} components, is fitted on {most} here."
            )


def _pick_points(chosen: Chosen, member: str) -> tuple[FacePoints, tuple] | None:
    """Ask where faces come from; return them with what a cache may know them by."""
    sources = [CROPS]
    if member == chosen.model.leading.name:  # whose points a model stores
        if chosen.model.spread is not None:
            sources.insert(0, MADE)
        if "coordinates.csv" in chosen.metadata["sha256"]:
            sources.insert(0, REAL)
    else:
        st.caption(
            f"The model stores no faces as the member {member} sees them, so this needs crops."
        )
    source = st.segmented_control(
        "Faces", sources, format_func=str.capitalize, default=sources[0], required=True,
        key="search_source", bind="query-params",
    )  # fmt: skip
    source = source if source in sources else sources[0]  # chosen for another member
    count = st.select_slider(
        "At most", SIZES, 1000, format_func=lambda n: f"{n:,} faces", key="search_faces",
        bind="query-params",
    )  # fmt: skip
    written = (find_model(chosen.name) / "metadata.json").stat().st_mtime_ns
    key = (chosen.name, written, source, count, member)
    if source == MADE:
        return _make(key, chosen), key
    if source == REAL:
        stored = read_table("coordinates", chosen)
        if stored is None:
            return None
        return read_points(stored.sample(min(count, len(stored)), random_state=0)), key
    if (picked := pick_crops("search_crops", chosen.metadata["recipe"])) is None:
        return None
    folder, crops = picked
    of_folder = (*key, str(folder.resolve()), (folder / TABLE).stat().st_mtime_ns)
    try:
        return _project(of_folder, folder, crops, chosen), of_folder
    except FacecoreError as error:
        st.error(str(error), title="This folder cannot be used", icon=":material/error:")
        return None


def _pick_params(best: Mapping[str, Any], most: int, member: str) -> dict[str, Any]:
    own = "" if member == "pixels" else f"_{member.replace(' ', '_')}"  # its best are the defaults
    n = st.slider(
        "Components", 1, max(most, 2), min(best["n_components"], most), key=f"search_n{own}",
        bind="query-params",
    )  # fmt: skip
    C, gamma = (
        st.select_slider(
            name, sorted({*options, float(best[name])}), float(best[name]),
            format_func="{:g}".format, key=key + own, bind="query-params",
        )
        for name, key, options in (("C", "search_c", PENALTIES), ("gamma", "search_gamma", WIDTHS))
    )  # fmt: skip
    weights = {"balanced": "balanced", "none": None}
    weight = st.segmented_control(
        "Class weight", list(weights), default=best["class_weight"] or "none", required=True,
        key=f"search_weight{own}", bind="query-params",
    )  # fmt: skip
    return {"n_components": n, "C": C, "gamma": gamma, "class_weight": weights[weight]}


# Steps of a third of a decade.
PENALTIES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
WIDTHS = (1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


@st.cache_data(max_entries=4, show_spinner="Making faces")
def _make(key: tuple, _chosen: Chosen) -> FacePoints:
    return make_points(_chosen.model, key[3])


@st.cache_data(max_entries=4, show_spinner=False)
def _project(key: tuple, folder: Path, _crops: pd.DataFrame, _chosen: Chosen) -> FacePoints:
    bar = st.progress(0.0, "Reading crops")
    points = project_crops(
        folder, _crops, _chosen.model, member=key[4], count=key[3],
        on_progress=_watch(bar, "Crop"),
    )  # fmt: skip
    bar.empty()
    return points


@st.cache_data(max_entries=64, show_spinner=False)
def _refit(key: tuple, params: dict[str, Any], _points: FacePoints) -> Refit:
    bar = st.progress(0.0, "Fitting")
    found = refit(_points, params, on_fold=_watch(bar, "Fold"))
    bar.empty()
    return found


def _watch(bar: DeltaGenerator, what: str) -> Callable[[int, int], None]:
    def tell(done: int, total: int) -> None:
        bar.progress(done / total, f"{what} {done:,} of {total:,}")

    return tell


def _show_refit(mine: Refit, reference: Refit, points: FacePoints, table: pd.DataFrame) -> None:
    rank = int((table["mean_test_score"] > mine.mean).sum()) + 1
    with st.container(horizontal=True):
        st.metric(
            "Balanced accuracy", f"{mine.mean:.3f} ± {mine.std:.3f}",
            f"{mine.mean - reference.mean:+.3f}" if mine.mean != reference.mean else 0,
            delta_description=f"best candidate here {reference.mean:.3f}", border=True,
            help=f"Mean and deviation over {len(mine.scores)} folds of {len(points.y):,} "
            f"{points.kind}",
        )  # fmt: skip
        st.metric(
            "Support vectors", f"{mine.support_vectors.mean():,.0f}",
            f"{mine.support_share:.0%} of the faces", delta_color="off", delta_arrow="off",
            help="Mean over the folds. Many of them: the machine learns faces by heart.",
            border=True,
        )  # fmt: skip
        st.metric(
            "Time to fit", f"{mine.seconds:.2f} s", f"{len(mine.scores)} folds",
            delta_color="off", delta_arrow="off", border=True,
        )  # fmt: skip
    st.caption(MADE_NOTE if points.kind == MADE else SPACE_NOTE)
    show(
        standing(table, mine, reference),
        f"Mean scores of the candidates in order; these parameters would be number {rank} of "
        f"{len(table) + 1}",
        "search-standing",
    )
    show(
        margin_bars(mine, points.y),
        "Margins of the faces out of fold by label; below 0 the answer is wrong",
        "search-margins",
    )


def standing(table: pd.DataFrame, mine: Refit, reference: Refit) -> go.Figure:
    """Draw the candidates' means in order, and where two refitted candidates lie.

    Parameters
    ----------
    table : DataFrame
    mine, reference : Refit
        Of the chosen parameters, and of the search's best ones on the same faces.

    Returns
    -------
    Figure
    """
    means = np.sort(table["mean_test_score"])[::-1]
    figure = go.Figure(
        go.Scatter(
            x=np.arange(1, len(means) + 1), y=means, mode="lines+markers", name="candidates",
            marker={"size": 5}, line={"color": NEUTRAL},
            hovertemplate="rank %{x}: %{y:.4f}<extra></extra>",
        )
    )  # fmt: skip
    rows = (
        ("these parameters", mine, "star", PAIR[0]),
        ("best candidate, same faces", reference, "diamond-open", PAIR[1]),
    )
    for name, found, symbol, colour in rows:
        figure.add_scatter(
            x=[int((means > found.mean).sum()) + 1], y=[found.mean], name=name, mode="markers",
            marker={"symbol": symbol, "size": 15, "color": colour},
            error_y={"array": [found.std]}, hovertemplate="%{y:.4f}<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title="Rank among the candidates")
    return tidy(figure.update_yaxes(title="Balanced accuracy"), 320)


def margin_bars(found: Refit, y: np.ndarray) -> go.Figure:
    """Draw how the margins spread over the faces of each label.

    Parameters
    ----------
    found : Refit
    y : ndarray of shape (n_faces,)
        Labels.

    Returns
    -------
    Figure
    """
    edges = np.histogram_bin_edges(found.margins, 40)
    figure = go.Figure(layout={"barmode": "overlay", "bargap": 0})
    for i, (label, colour) in enumerate(label_colours(np.unique(y).tolist()).items()):
        margins = found.margins[y == label]
        figure.add_bar(
            x=(edges[1:] + edges[:-1]) / 2, y=np.histogram(margins, edges)[0],
            name=f"{label}, {np.mean(margins > 0):.1%} right",
            marker={
                "color": colour, "opacity": 0.6, "line": {"color": colour, "width": 2},
                "pattern": {"shape": PATTERNS[i % len(PATTERNS)]},
            },
            hovertemplate=f"{label}, margin %{{x:.2f}}: %{{y}} faces<extra></extra>",
        )  # fmt: skip
    figure.add_vline(0, line={"dash": "dot", "color": NEUTRAL})
    figure.update_xaxes(title="Margin of the true label, out of fold")
    return tidy(figure.update_yaxes(title="Faces"), 320)
