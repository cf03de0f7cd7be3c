"""Figures of a grid search: score against the number of components, and against time."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from plotly.colors import sample_colorscale

from facecore.training import best_of_each, simplest_within_one_error, standard_error, time_frontier
from ui.look import LOG, PAIR, REFERENCE, SYMBOLS, show, spread_ticks, tidy
from ui.scores import SCORE
from ui.search import describe

WIDE = 8  # ratio from which on an axis is logarithmic
MOST_TICKS = 14


def show_components(rows: pd.DataFrame) -> None:
    """Show the best score of each number of components.

    Parameters
    ----------
    rows : DataFrame
        Candidates of one round.
    """
    figure = component_line({"best candidate of each number": rows})
    show(figure, "Best score of each number of components", "search-components")
    st.caption(
        "The band is one standard error of each candidate's mean score (deviation over the folds "
        "by the root of their number). The dotted line is one standard error below the best: the "
        "one-standard-error rule takes the simplest candidate above it, the hollow diamond."
    )


def component_line(tables: dict[str, pd.DataFrame]) -> go.Figure:
    """Draw the best score of each number of components, with one standard error around it.

    Parameters
    ----------
    tables : dict of str to DataFrame
        Candidates that can be compared, by the name of their line; one table or two.

    Returns
    -------
    Figure
        Of one table also the line of the one-standard-error rule.
    """
    figure, sizes = go.Figure(), set[int]()
    for i, (name, rows) in enumerate(tables.items()):
        tops = best_of_each("n_components", rows)
        n, mean = tops["param_n_components"], tops["mean_test_score"]
        errors = np.array([standard_error(row) for _, row in tops.iterrows()])
        sizes |= set(n.tolist())
        figure.add_scatter(
            x=n,
            y=mean,
            mode="lines+markers",
            error_y={"array": errors, "width": 0} if len(tops) == 1 else None,
            name=name,
            marker={"size": 9, "symbol": SYMBOLS[i]},
            line={"color": PAIR[i]},
            showlegend=True,
            customdata=[
                f"{describe(row)}: {row['mean_test_score']:.4f} ± {row['std_test_score']:.4f}"
                for _, row in tops.iterrows()
            ],
            hovertemplate="%{customdata} over the folds<extra></extra>",
        )
        figure.add_scatter(
            x=[*n, *n[::-1]],
            y=[*(mean + errors), *(mean - errors)[::-1]],
            fill="toself",
            mode="none",
            fillcolor=PAIR[i],
            opacity=0.25,
            name="one standard error",
            showlegend=i == 0 and len(tops) > 1,
            hoverinfo="skip",
        )
    if len(tables) == 1:
        best, simple = (
            rows.loc[label]
            for label in (rows["rank_test_score"].idxmin(), simplest_within_one_error(rows))
        )
        figure.add_hline(best["mean_test_score"] - standard_error(best), line=REFERENCE)
        figure.add_scatter(
            x=[simple["param_n_components"]],
            y=[simple["mean_test_score"]],
            mode="markers",
            name="simplest within one standard error",
            marker={"symbol": "diamond-open", "size": 16, "color": PAIR[1], "line": {"width": 3}},
            hovertemplate=f"{describe(simple)}: %{{y:.4f}}<extra></extra>",
        )
    wide = max(sizes) / min(sizes) >= WIDE
    ticks = spread_ticks(sorted(sizes), MOST_TICKS, wide)
    figure.update_xaxes(title="Components", type="log" if wide else "linear")
    figure.update_xaxes(tickvals=ticks, ticktext=[str(size) for size in ticks])
    return tidy(figure.update_yaxes(title=SCORE), 420)


def show_times(rows: pd.DataFrame) -> None:
    """Show scores against times to fit, and the candidates that nothing beats in both.

    Parameters
    ----------
    rows : DataFrame
        Candidates of one round.
    """
    show(time_dots(rows), "Score of each candidate against its time to fit", "search-time")
    front = time_frontier(rows)
    timed = int((rows["mean_fit_time"] > 0).sum())
    said = (
        f"On the frontier are {len(front)} of {timed:,} candidates: no other is both quicker and "
        "better. Time is that of one fold, without the steps that candidates share."
    )
    if rest := len(rows) - timed:
        said += (
            f" {rest:,} candidates are not drawn, as they took no time of their own: a smaller C "
            "had given the same machine."
        )
    st.caption(said)


def time_dots(table: pd.DataFrame) -> go.Figure:
    """Draw the mean score of every candidate against its time to fit, and the frontier of both.

    Parameters
    ----------
    table : DataFrame
        Candidates of one round; those without a time of their own are left out.

    Returns
    -------
    Figure
    """
    timed = table[table["mean_fit_time"] > 0]
    groups = list(timed.groupby("param_n_components"))
    # The ends of the scale are too dark on a dark page and too bright on a light one.
    colours = sample_colorscale("Viridis", np.linspace(0.2, 0.85, max(len(groups), 1)))
    figure = go.Figure()
    for i, (n, rows) in enumerate(groups):
        figure.add_scatter(
            x=rows["mean_fit_time"],
            y=rows["mean_test_score"],
            mode="markers",
            name=f"n = {n}",
            marker={
                "symbol": SYMBOLS[i % len(SYMBOLS)],
                "size": 9 if len(timed) < 100 else 6,
                "color": colours[i],
            },
            customdata=[describe(row) for _, row in rows.iterrows()],
            hovertemplate="%{customdata}: %{y:.4f} in %{x:.2f} s<extra></extra>",
        )
    front = time_frontier(table)
    figure.add_scatter(
        x=front["mean_fit_time"],
        y=front["mean_test_score"],
        mode="lines+markers",
        name="frontier",
        line={"color": PAIR[1], "shape": "hv"},
        marker={"symbol": "circle-open", "size": 13, "color": PAIR[1], "line": {"width": 2}},
        customdata=[describe(row) for _, row in front.iterrows()],
        hovertemplate="frontier: %{customdata}: %{y:.4f} in %{x:.2f} s<extra></extra>",
    )
    wide = len(timed) and timed["mean_fit_time"].max() / timed["mean_fit_time"].min() >= WIDE
    figure.update_xaxes(title="Seconds to fit one fold", **(LOG if wide else {}))
    return tidy(figure.update_yaxes(title=SCORE), 440)
