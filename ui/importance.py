"""Which parameters matter: their importance as bars, and all candidates as parallel coordinates."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from facecore.training import (
    Importance,
    column_of,
    importance_of,
    score_range,
    values_of,
    varied,
)
from ui.controls import choose
from ui.heat_maps import COLOURS
from ui.look import NEUTRAL, PAIR, halo, on_page, show, tidy
from ui.search import name_parameter, name_value

MOST = 12  # bars
ALL, BETTER = "All candidates", "The better half"
HALO = (3, 8)  # pixels
EXACT = (
    "Functional ANOVA (Hutter, Hoos and Leyton-Brown 2014), exact as the round is a full cross "
    "product: the share of the variance of the scores that a parameter explains alone, or a pair "
    "beyond its two parameters. Every value that was searched counts the same, so importance is "
    "that within this grid. Thin lines: standard deviation over the folds."
)
ADDITIVE = (
    "These candidates are not a full cross product, so functional ANOVA would need a guess at the "
    "missing ones. Shown is the share of the variance of the scores that an additive model loses "
    "without the parameter; pairs are not known. Thin lines: standard deviation over the folds."
)
BETTER_NOTE = (
    " Scores below the median count as the median, so that differences among bad candidates do not "
    "count."
)


def show_importance(rows: pd.DataFrame) -> None:
    """Show which parameters explain the differences between the scores.

    Parameters
    ----------
    rows : DataFrame
        Candidates of one round.
    """
    counted = choose("Scores that count", [ALL, BETTER], "search_counted")
    floor = float(rows["mean_test_score"].median()) if counted == BETTER else None
    found = importance_of(rows, floor)
    if found.shares.empty:
        st.info(
            "Importance needs two values of a parameter, and scores that differ, of more "
            "candidates than values.",
            icon=":material/bar_chart_off:",
        )
        return
    top = found.shares.iloc[0]
    names = " and ".join(name_parameter(one, rows) for one in top["parameters"])
    alt = f"Importance of each parameter; most has {names} with {top['share']:.0%}"
    show(importance_bars(found, rows), alt, "search-importance")
    rest = 1 - found.shares["share"].sum()
    beyond = f" Three and more together: {max(rest, 0):.1%}." if found.exact else ""
    left = [
        " x ".join(name_parameter(one, rows) for one in parameters)
        for parameters in found.shares["parameters"].iloc[MOST:]
    ]
    hidden = f" Not drawn, with less: {', '.join(left)}." if left else ""
    told = EXACT if found.exact else ADDITIVE
    st.caption(told + (BETTER_NOTE if counted == BETTER else "") + beyond + hidden)


def importance_bars(found: Importance, table: pd.DataFrame) -> go.Figure:
    """Draw the importance of parameters and of pairs as bars, the largest on top.

    Parameters
    ----------
    found : Importance
        As `facecore.training.importance_of` returns it.
    table : DataFrame
        The candidates.

    Returns
    -------
    Figure
    """
    shares = found.shares.head(MOST)[::-1]
    names = [
        " x ".join(name_parameter(one, table) for one in parameters)
        for parameters in shares["parameters"]
    ]
    alone = [len(parameters) == 1 for parameters in shares["parameters"]]
    figure = go.Figure(
        go.Bar(
            x=shares["share"],
            y=names,
            orientation="h",
            error_x={"array": shares["std"], "thickness": 1.5, "color": on_page(NEUTRAL)},
            marker={
                "color": [PAIR[0] if one else PAIR[1] for one in alone],
                "pattern": {"shape": ["" if one else "/" for one in alone]},
            },
            customdata=shares["std"],
            hovertemplate="%{y}: %{x:.1%} ± %{customdata:.1%}<extra></extra>",
        )
    )
    figure.update_xaxes(title="Share of the variance of the scores", tickformat=".0%")
    figure.update_xaxes(rangemode="tozero")
    figure.update_yaxes(type="category", ticksuffix=" ")
    return tidy(figure, 110 + 30 * len(shares))


def show_parallel(rows: pd.DataFrame) -> None:
    """Show all candidates as lines through their parameters, coloured by score.

    Parameters
    ----------
    rows : DataFrame
        Candidates of one round.
    """
    if not varied(rows):
        st.info("All candidates have the same parameters.", icon=":material/show_chart:")
        return
    best = rows.loc[rows["rank_test_score"].idxmin()]
    words = ", ".join(
        f"{name_parameter(name, rows)} {best[column_of(name, rows)]}" for name in varied(rows)
    )
    alt = f"Candidates as lines through their parameters, coloured by score; the best has {words}"
    show(parallel_lines(rows), alt, "search-parallel")
    low, high = score_range(rows)
    st.caption(
        "One line per candidate. Drag along an axis to keep the candidates that pass there; drag "
        f"the name of an axis to move it. Colours as in the heat maps: from {low:.3f} or less "
        f"(dark) to {high:.3f} (bright). The values of a parameter are drawn at equal steps."
    )


def parallel_lines(table: pd.DataFrame) -> go.Figure:
    """Draw candidates as parallel coordinates (Inselberg 1985): one axis per parameter and score.

    Parameters
    ----------
    table : DataFrame
        Candidates of one round, with two values or more of one parameter.

    Returns
    -------
    Figure
    """
    ordered = table.sort_values("mean_test_score")  # the best are drawn last, on top
    axes: list[dict[str, object]] = []
    for name in varied(table):
        values = values_of(name, table)
        axes.append(
            {
                "label": name_parameter(name, table),
                "values": [values.index(value) for value in ordered[column_of(name, table)]],
                "tickvals": list(range(len(values))),
                "ticktext": [name_value(value) for value in values],
                "range": [0, len(values) - 1],
            }
        )
    scores = ordered["mean_test_score"]
    ticks = np.linspace(scores.min(), scores.max(), 5)
    axes.append(
        {
            "label": "score",
            "values": scores,
            "tickvals": ticks,
            "ticktext": [f"{tick:.3f}" for tick in ticks],
        }
    )
    low, high = score_range(table)
    line = {"color": scores, "colorscale": COLOURS, "cmin": low, "cmax": high}
    figure = go.Figure(
        go.Parcoords(
            dimensions=axes,
            line=line,
            labelangle=-25,
            labelside="top",
            labelfont={"size": 15, "weight": 600},
            # all lines end at the numbers of the score, so the shadow is wide and dense
            tickfont={"size": 13, "weight": 600, "shadow": halo(HALO)},
        )
    )
    return tidy(figure, 460).update_layout(margin={"l": 56, "r": 56, "t": 92, "b": 24})
