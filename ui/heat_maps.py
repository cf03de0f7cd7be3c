"""Heat maps of a grid search: score over C and gamma, one map per number of components."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from plotly.colors import sample_colorscale

from facecore.training import (
    column_of,
    score_range,
    standard_error,
    values_of,
    within_one_error,
)
from ui.cells import write_cells
from ui.controls import choose
from ui.look import show
from ui.scores import SCORE
from ui.search import describe, name_parameter, name_value

# Colour-blind safe; its ends are too dark on a dark page and too bright on a light one.
COLOURS = sample_colorscale("Viridis", np.linspace(0.2, 0.9, 15))
CELL, EDGES = 34, 92  # pixels: height of a row of cells, and of what is around them
NEAR, BEST = {"color": "#d55e00", "width": 2}, {"color": "#d55e00", "width": 4}


def show_heat_maps(rows: pd.DataFrame) -> None:
    """Show heat maps of the scores, for a class weight and whitening of the visitor's choice.

    Parameters
    ----------
    rows : DataFrame
        Candidates of one round.
    """
    best = rows.loc[rows["rank_test_score"].idxmin()]
    shown = rows
    with st.container(horizontal=True):
        for name, words in (("class_weight", "Class weight"), ("whiten", "Whiten")):
            column = f"param_{name}"
            options = {name_value(value): value for value in values_of(name, rows)}
            if len(options) > 1:
                first = name_value(best[column].item() if name == "whiten" else best[column])
                option = choose(words, list(options), f"search_{name}", default=first)
                shown = shown[shown[column].eq(options[option])]
    if shown.empty:
        st.info("This round has no candidate of this choice.", icon=":material/grid_off:")
        return
    scale, error = score_range(rows), standard_error(best)
    show(colour_bar(scale, error), "Scale of the colours of the heat maps", "search-scale")
    st.caption(
        f"{SCORE}, mean over the folds. The scale ends at the best candidate of all maps and "
        "begins at the lower quartile of the scores, or 10 standard errors below the best where "
        "that is lower; what lies below has the darkest colour. Thick outline: the best. Thin: "
        f"within one standard error of it ({error:.4f}), the line on the scale."
    )
    near = within_one_error(rows)
    sizes = values_of("n_components", shown)
    with st.grid(min(3, len(sizes)), min_column_width=250):
        for n in sizes:
            part = shown[shown["param_n_components"].eq(n)]
            figure = heat_map(part, near[part.index], best, scale)
            alt = f"Mean score over C and gamma with {n} components"
            show(figure, alt, f"search-heat-{n}")


def show_best_map(rows: pd.DataFrame, name: str, key: str) -> None:
    """Show the heat map that holds the best candidate of a round.

    Parameters
    ----------
    rows : DataFrame
        Candidates of one round.
    name : str
        What they are of, for screen readers.
    key : str
        Key of the figure.
    """
    best = rows.loc[rows["rank_test_score"].idxmin()]
    alike = ["param_n_components", "param_class_weight", "param_whiten"]
    part = rows[rows[alike].eq(best[alike]).all(axis=1)]
    figure = heat_map(part, within_one_error(rows)[part.index], best, score_range(rows))
    show(figure, f"Mean score over C and gamma, {name}", key)


def heat_map(
    rows: pd.DataFrame, near: pd.Series, best: pd.Series, scale: tuple[float, float]
) -> go.Figure:
    """Draw the mean score over C and gamma.

    Parameters
    ----------
    rows : DataFrame
        Candidates that differ in C and gamma only.
    near : Series of bool
        Which of them are within one standard error of the best.
    best : Series
        The best candidate of all maps.
    scale : tuple of float
        Scores at which the scale of colours begins and ends.

    Returns
    -------
    Figure
    """
    gamma, name = column_of("gamma", rows), name_parameter("gamma", rows)
    xs, ys = values_of("C", rows), values_of("gamma", rows)
    z = np.full((len(ys), len(xs)), np.nan)
    texts = np.full(z.shape, "", dtype=object)
    notes = np.full(z.shape, "", dtype=object)
    frames = []
    for label, row in rows.iterrows():
        i, j = ys.index(row[gamma]), xs.index(row["param_C"])
        z[i, j] = row["mean_test_score"]
        texts[i, j] = f"{z[i, j]:.3f}".removeprefix("0")
        below = best["mean_test_score"] - z[i, j]
        notes[i, j] = (
            f"{describe(row)}<br>{z[i, j]:.4f} ± {row['std_test_score']:.4f} over the folds, "
            f"{below:.4f} below the best"
        )
        if near[label]:
            line = BEST if label == best.name else NEAR
            place = {"x0": j - 0.47, "x1": j + 0.47, "y0": i - 0.45, "y1": i + 0.45}
            frames.append({"type": "rect", "line": line, **place})
    # all frames at once: add_shape makes all earlier ones again
    figure = go.Figure(layout={"shapes": frames})
    figure.add_heatmap(
        z=z,
        x=[name_value(value) for value in xs],
        y=[name_value(value) for value in ys],
        customdata=notes,
        zmin=scale[0],
        zmax=scale[1],
        colorscale=COLOURS,
        showscale=False,
        hoverongaps=False,
        xgap=1,
        ygap=1,
        hovertemplate=f"%{{customdata}}<br>{name} %{{y}}<extra></extra>",
    )
    write_cells(figure, texts, scale, COLOURS)
    # Categories, not numbers: the values of a grid lie decades apart.
    figure.update_xaxes(type="category", title="C", fixedrange=True)
    figure.update_yaxes(type="category", title=name, fixedrange=True)
    size = rows["param_n_components"].iloc[0]
    title = {"text": f"n = {size}", "x": 0.5, "y": 0.98, "yanchor": "top", "font": {"size": 14}}
    margin = {"l": 8, "r": 8, "t": 30, "b": 8}
    return figure.update_layout(height=EDGES + CELL * max(len(ys), 2), title=title, margin=margin)


def colour_bar(scale: tuple[float, float], error: float) -> go.Figure:
    """Draw the scale of colours that all heat maps share.

    Parameters
    ----------
    scale : tuple of float
        Scores at which it begins and ends.
    error : float
        Standard error of the best candidate, which is marked below the end.

    Returns
    -------
    Figure
    """
    low, high = scale
    steps = np.linspace(low, high, 64)
    figure = go.Figure(
        go.Heatmap(
            z=[steps],
            x=steps,
            y=[0],
            colorscale=COLOURS,
            showscale=False,
            hovertemplate="%{x:.4f}<extra></extra>",
        )
    )
    middle = (low + high) / 2
    figure.update_xaxes(
        tickvals=[low, middle, high],
        ticktext=[f"≤ {low:.3f}", f"{middle:.3f}", f"best {high:.3f}"],
        range=[low, high],
        fixedrange=True,
    )
    if error:
        line = {"color": NEAR["color"], "width": 2}
        figure.add_vline(high - error, line=line)
    figure.update_yaxes(visible=False, fixedrange=True)
    return figure.update_layout(height=72, margin={"l": 28, "r": 44, "t": 4, "b": 36})
