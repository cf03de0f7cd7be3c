"""Tables and figures of the page Grid search: what was tried, and which candidates did best."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from plotly.colors import sample_colorscale
from plotly.subplots import make_subplots

from facecore.training import count_folds, simplest_within_one_error, standard_error
from ui.controls import choose, offer_file, show_metric
from ui.look import PAIR, REFERENCE, SYMBOLS, show, tidy
from ui.models import Chosen
from ui.sheets import to_sheet
from ui.text import as_is

NAMES = {
    "rank_test_score": "rank",
    "param_n_components": "components",
    "param_C": "C",
    "param_gamma": "gamma",
    "param_class_weight": "class weight",
    "param_whiten": "whiten",
    "mean_test_score": "mean",
    "std_test_score": "std",
    "mean_fit_time": "fit, s",
    "mean_score_time": "score, s",
}
FORMATS = {"mean": "%.4f", "std": "%.4f", "fit, s": "%.2f", "score, s": "%.2f"}
SCORE = "Balanced accuracy"


@dataclass(frozen=True)
class Search:
    """The grid search of one member of a model.

    Parameters
    ----------
    member : str
        Name of the member.
    table : DataFrame
        Its candidates, in the columns of `facecore.training.SearchResult`.
    grid : mapping of str to list
        Values that were searched, by parameter.
    parameters : mapping of str
        Parameters of the best candidate.
    """

    member: str
    table: pd.DataFrame
    grid: Mapping[str, list[Any]]
    parameters: Mapping[str, Any]

    @property
    def best(self) -> pd.Series:
        """The best candidate, a row of the table."""
        return self.table.loc[self.table["rank_test_score"].idxmin()]


def pick_search(chosen: Chosen, table: pd.DataFrame) -> Search:
    """Ask for a member if the model has several, and return its search.

    Parameters
    ----------
    chosen : Chosen
        Model that was searched for.
    table : DataFrame
        Candidates of all members, as the model stores them.

    Returns
    -------
    Search
    """
    search = chosen.metadata["search"]
    if "param_member" not in table:
        return Search(chosen.model.leading.name, table, search["grid"], search["best"])
    members = list(search["members"])
    member = choose(
        "Member",
        members,
        "search_member",
        help="Each member reads its own features of a face and has a search of its own",
    )
    tops = table.groupby("param_member")["mean_test_score"].max()
    scores = as_is(", ".join(f"{name} {tops[name]:.4f}" for name in members))
    st.caption(
        f"Best of each member: {scores}. Fused, in the same folds: "
        f"**{search['balanced_accuracy']:.4f} ± {search['std']:.4f}**."
    )
    rows = table[table["param_member"].eq(member)].reset_index(drop=True)
    return Search(member, rows, search["grid"][member], search["members"][member])


def show_summary(search: Search, faces: int) -> None:
    """Show what was searched, the best candidate, and the simplest that is hardly worse.

    Parameters
    ----------
    search : Search
        Search to describe.
    faces : int
        Number of training faces.
    """
    table, best, error = search.table, search.best, standard_error(search.best)
    simple = table.loc[simplest_within_one_error(table)]
    cost = simple["mean_test_score"] - best["mean_test_score"]
    with st.container(horizontal=True):
        show_metric("Candidates", f"{len(table):,}")
        show_metric("Folds", count_folds(table.columns))
        show_metric("Faces", f"{faces:,}")
    with st.container(horizontal=True):
        show_metric(
            "Best",
            f"{best['mean_test_score']:.4f} ± {best['std_test_score']:.4f}",
            describe(best),
            "Balanced accuracy: mean and standard deviation over the folds, each subject in one "
            "fold only",
        )
        show_metric(
            "Simplest within one standard error",
            f"{simple['mean_test_score']:.4f} ({cost:+.4f})",
            describe(simple),
            f"The one-standard-error rule: of the candidates at most {error:.4f} below the best, "
            "the one with the fewest components, then the smallest C and gamma",
        )
    st.caption(f"Grid: {as_is(describe_grid(search.grid))}. Scores: balanced accuracy over folds.")


def describe(candidate: pd.Series) -> str:
    """Describe the parameters of a candidate.

    Parameters
    ----------
    candidate : Series
        Row of the table.

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
    """Describe the values that were searched.

    Parameters
    ----------
    grid : mapping of str to list
        Values by parameter.

    Returns
    -------
    str
    """
    words = {
        name: ", ".join("none" if value is None else str(value) for value in values)
        for name, values in grid.items()
    }
    return "; ".join(f"{NAMES[f'param_{name}']} {text}" for name, text in words.items())


def show_candidates(search: Search, model: str) -> None:
    """Show the candidates as a table, and the folds of the one in the chosen row.

    Parameters
    ----------
    search : Search
        Search to show.
    model : str
        Name of the model, for the file to download.
    """
    ranked = rank_candidates(search.table)
    event = st.dataframe(
        ranked,
        height=320 if len(ranked) > 8 else "content",
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key="search_row",
        alt="Candidates, the best first",
        column_config={
            name: st.column_config.NumberColumn(format=form) for name, form in FORMATS.items()
        },
    )
    # The first row, the best candidate, until the visitor chooses another.
    row = search.table.loc[ranked.index[(event.selection.rows or [0])[0]]]
    with st.container(horizontal=True, vertical_alignment="center"):
        offer_file(
            "Download all columns",
            lambda: to_sheet(search.table),
            f"{model}_grid_search.csv",
            "text/csv",
            "search_download",
        )
        st.caption("Choose a row to see its folds.")
    st.markdown(f"**Rank {row['rank_test_score']}**: {describe(row)}")
    show(fold_dots(row, search.best), "Score of the candidate in each fold", "search-folds")


def rank_candidates(table: pd.DataFrame) -> pd.DataFrame:
    """Return the candidates with readable column names, the best first.

    Parameters
    ----------
    table : DataFrame
        Candidates, in the columns of `facecore.training.SearchResult`.

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
            x=[f"fold {i + 1}" for i in folds],
            y=[row[f"split{i}_test_score"] for i in folds],
            mode="markers",
            marker={"symbol": symbol, "size": 11, "color": colour},
            name=name,
            hovertemplate="%{x}: %{y:.4f}<extra></extra>",
        )
    mean = candidate["mean_test_score"]
    figure.add_hline(mean, line=REFERENCE, annotation_text=f"mean {mean:.4f}")
    return tidy(figure.update_yaxes(title=SCORE), 300)


def show_heat_maps(search: Search) -> None:
    """Show heat maps of the scores, for a class weight and whitening of the visitor's choice.

    Parameters
    ----------
    search : Search
        Search to show.
    """
    shown, best = search.table, search.best
    with st.container(horizontal=True):
        for name, words in (("class_weight", "Class weight"), ("whiten", "Whiten")):
            column = f"param_{name}"
            options = [str(value) for value in search.table[column].unique()]
            if len(options) > 1:
                option = choose(words, options, f"search_{name}", default=str(best[column]))
                shown = shown[shown[column].astype(str).eq(option)]
    show(heat_maps(shown), "Mean score over C and gamma by number of components", "search-heat")


def heat_maps(table: pd.DataFrame) -> go.Figure:
    """Draw the mean score over C and gamma, one map per number of components.

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
    rows = -(-len(sizes) // columns)  # rounded up
    figure = make_subplots(
        rows,
        columns,
        shared_xaxes="all",
        shared_yaxes="all",
        horizontal_spacing=0.04,
        vertical_spacing=0.2 / rows,
        subplot_titles=[f"n = {n}" for n in sizes],
    )
    for i, n in enumerate(sizes):
        grid = table[table["param_n_components"].eq(n)].pivot_table(
            index="param_gamma", columns="param_C", values="mean_test_score"
        )
        figure.add_heatmap(
            z=grid,
            x=[f"{c:g}" for c in grid.columns],
            y=[f"{g:g}" for g in grid.index],
            coloraxis="coloraxis",
            texttemplate="%{z:.3f}",
            xgap=1,
            ygap=1,
            hovertemplate=f"{n} components, C %{{x}}, gamma %{{y}}: %{{z:.4f}}<extra></extra>",
            row=i // columns + 1,
            col=i % columns + 1,
        )
    # Categories, not numbers: the values of a grid lie decades apart.
    figure.update_xaxes(type="category").update_yaxes(type="category")
    figure.update_xaxes(title="C", row=rows).update_yaxes(title="gamma", col=1)
    # Room for the colour bar, for each map's title and axis, and for each line of each map.
    height = 140 + 40 * rows + 44 * rows * table["param_gamma"].nunique()
    # One colour bar for all maps, along the lower edge, where a phone has room for it.
    bar = {"orientation": "h", "thickness": 10, "y": 0, "yref": "container", "yanchor": "bottom"}
    figure.update_layout(coloraxis={"colorscale": "Blues", "colorbar": bar})
    return tidy(figure, height).update_layout(margin_b=84)


def component_line(search: Search) -> go.Figure:
    """Draw the best score of each number of components with its deviation over the folds.

    Parameters
    ----------
    search : Search
        Search to draw.

    Returns
    -------
    Figure
    """
    table, best = search.table, search.best
    tops = table.loc[table.groupby("param_n_components")["rank_test_score"].idxmin()]
    figure = go.Figure()
    figure.add_scatter(
        x=tops["param_n_components"],
        y=tops["mean_test_score"],
        mode="lines+markers",
        error_y={"array": tops["std_test_score"]},
        name="best candidate, ± std over folds",
        marker={"size": 9},
        line={"color": PAIR[0]},
        showlegend=True,
        customdata=[describe(row) for _, row in tops.iterrows()],
        hovertemplate="%{customdata}: %{y:.4f}<extra></extra>",
    )
    figure.add_hline(
        best["mean_test_score"] - standard_error(best),
        line=REFERENCE,
        annotation_text="one standard error below the best",
        annotation_position="bottom right",
    )
    figure.update_xaxes(title="Components", tickvals=tops["param_n_components"])
    return tidy(figure.update_yaxes(title=SCORE), 400)


def time_dots(table: pd.DataFrame) -> go.Figure:
    """Draw the mean score of every candidate against its time to fit.

    Parameters
    ----------
    table : DataFrame
        Candidates, in the columns of `facecore.training.SearchResult`.

    Returns
    -------
    Figure
    """
    groups = list(table.groupby("param_n_components"))
    # The ends of the scale are too dark on a dark page and too bright on a light one.
    colours = sample_colorscale("Viridis", np.linspace(0.2, 0.85, len(groups)))
    figure = go.Figure()
    for i, (n, rows) in enumerate(groups):
        figure.add_scatter(
            x=rows["mean_fit_time"],
            y=rows["mean_test_score"],
            mode="markers",
            name=f"{n} components",
            marker={"symbol": SYMBOLS[i % len(SYMBOLS)], "size": 9, "color": colours[i]},
            customdata=[describe(row) for _, row in rows.iterrows()],
            hovertemplate="%{customdata}: %{y:.4f} in %{x:.2f} s<extra></extra>",
        )
    figure.update_xaxes(title="Seconds to fit one fold, shared steps not counted")
    return tidy(figure.update_yaxes(title=SCORE), 400)
