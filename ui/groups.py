"""Tab Groups of the page Evaluation: how accurate the model is for whom."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from plotly.subplots import make_subplots

from facecore.evaluation import (
    LEAST_PHOTOS,
    CrossedGroup,
    accuracy_of_known,
    crossed_groups,
    figures_by_trait,
    metric_frame,
    trait_columns,
    trait_gaps,
    weakest_group,
)
from facecore.model import label_colours, order_labels
from ui.controls import MOST_COLOURS, offer_file
from ui.evaluation import Tested, interval_words
from ui.gaps import show_gaps
from ui.look import PAIR, REFERENCE, SYMBOLS, count_columns, show, tidy
from ui.models import Chosen, command_to_train_again
from ui.sheets import to_sheet
from ui.text import as_is, as_is_in_figure
from ui.thresholds import show_thresholds

PANEL_GAP = 34  # pixels between the panels of two test sets
MANY = 12  # groups; from there on they lie closer together
SHARES = {  # columns of a table by the name of the figure
    "accuracy_all": "forced accuracy",
    "balanced_accuracy_all": "balanced",
    "coverage": "answered",
    "accuracy_answered": "right when answered",
}

# Figures of each group of one trait, by test set and by model, the chosen model first.
Groups = Mapping[str, Mapping[str, Mapping[str, Any]]]
# Figures of each label within each group of one trait, in the same way.
Crossed = Mapping[str, Mapping[str, Sequence[CrossedGroup]]]


def show_groups(tested: Tested, chosen: Chosen, positive: str) -> None:
    """Show figures of each group and each label within it, and how far groups are apart.

    Parameters
    ----------
    tested : mapping of str to DataFrame
        Predictions by model, the chosen model first.
    chosen : Chosen
        The first of the models.
    positive : str
        Label whose recall can be made equal in a what-if.
    """
    rows = tested[chosen.name]
    known = [t for t, column in trait_columns(rows).items() if rows[column].ne("").any()]
    if not known:
        st.info(
            "Nothing but the labels is known of these photos. Groups appear if labels.csv has a "
            "column age or race, or any other of few values, when the model is trained:",
            title="No groups but the labels",
            icon=":material/groups:",
        )
        st.code(command_to_train_again(chosen.name), language="shell")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        least = st.number_input(
            "Least photos of a group",
            1,
            None,
            LEAST_PHOTOS,
            key="evaluation_least",
            bind="query-params",
            width=200,
            help="Groups of fewer photos are shown, but not compared: the lowest of many small "
            "shares is mostly chance.",
        )
        offer_file(
            "Figures of every group (CSV)",
            lambda: to_sheet(_frame(tested, chosen)),
            f"{chosen.name}-groups.csv",
            "text/csv",
            "evaluation-frame",
        )
    show_gaps({name: trait_gaps(t, chosen.order, least) for name, t in tested.items()}, least)
    for trait in ["label", *known]:
        _show_trait(tested, trait, chosen)
    for trait in known:
        _show_crossed(tested, trait, chosen, least)
    st.caption(
        "A photo in which no face was found counts as wrong. The dotted line is the accuracy of "
        f"{as_is(chosen.name)} on the photos of the test set of which the group is known."
    )
    show_thresholds(rows, chosen, positive, least)


def _frame(tested: Tested, chosen: Chosen) -> pd.DataFrame:
    """Return every figure of every group, with the model in front if there are two."""
    frames = {name: metric_frame(rows, chosen.order) for name, rows in tested.items()}
    if len(frames) == 1:
        return frames[chosen.name].round(6)
    return pd.concat(frames, names=["model"]).reset_index("model").round(6)


def _sets(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {name: rows[rows["set"].eq(name)] for name in rows["set"].unique()}


def _show_trait(tested: Tested, trait: str, chosen: Chosen) -> None:
    st.header(as_is(trait.capitalize()))
    groups: dict[str, dict[str, Mapping[str, Any]]] = {}
    for model, rows in tested.items():
        for name, photos in _sets(rows).items():
            if found := figures_by_trait(photos, chosen.order, (trait,)):
                groups.setdefault(model, {})[name] = found[trait]
    alt = f"Accuracy of each group by {trait} in each test set, with 95% intervals"
    show(group_dots(groups), alt, f"evaluation-trait-{trait}")
    st.dataframe(
        group_table(groups),
        hide_index=True,
        placeholder="-",
        alt=f"Figures by {trait}",
        column_config=_number_columns(),
    )


def _show_crossed(tested: Tested, trait: str, chosen: Chosen, least: int) -> None:
    crossed: dict[str, dict[str, Sequence[CrossedGroup]]] = {}
    groups: dict[str, dict[str, Mapping[str, Any]]] = {}
    for model, rows in tested.items():
        for name, photos in _sets(rows).items():
            cells = crossed_groups(photos, chosen.order)
            if mine := [cell for cell in cells if cell["trait"] == trait]:
                crossed.setdefault(model, {})[name] = mine
                groups.setdefault(model, {})[name] = figures_by_trait(photos, (), (trait,))[trait]
    if not crossed:
        return
    st.header(as_is(f"Label and {trait}"))
    if weakest := weakest_words(crossed, least):
        st.caption(f"Weakest of those with {least:,} photos or more: {as_is(weakest)}.")
    labels = chosen.model.labels
    if len(labels) <= MOST_COLOURS:
        alt = f"Accuracy of each label within each group by {trait}, with 95% intervals"
        figure = crossed_dots(crossed, groups, labels, least)
        show(figure, alt, f"evaluation-label-{trait}")
        if any(cell["n"] < least for sets in crossed.values() for c in sets.values() for cell in c):
            st.caption(f"A hollow mark stands for fewer than {least:,} photos.")
    st.dataframe(
        crossed_table(crossed, trait),
        hide_index=True,
        placeholder="-",
        alt=f"Figures by label and {trait}",
        column_config=_number_columns(),
    )


def _number_columns() -> dict[str, Any]:
    share = st.column_config.NumberColumn(format="%.3f")
    return {**dict.fromkeys(SHARES.values(), share), **count_columns("photos", "faces")}


def weakest_words(crossed: Crossed, least: int) -> str:
    """Describe for which label and group a model is least often right.

    Parameters
    ----------
    crossed : mapping
        By model and test set, figures as `facecore.evaluation.crossed_groups` returns them.
    least : int
        Groups of fewer photos are ignored.

    Returns
    -------
    str
        Empty if too few photos are known of each.
    """
    several = len({name for sets in crossed.values() for name in sets}) > 1
    said = []
    for model, sets in crossed.items():
        for name, cells in sets.items():
            if cell := weakest_group(cells, least):
                where = [model] * (len(crossed) > 1) + [name] * several
                said.append(
                    (f"{', '.join(where)}: " if where else "")
                    + f"{cell['label']}, {cell['group']}: {cell['accuracy_all']:.3f} "
                    f"({interval_words(cell['interval_all'])}), {cell['n']:,} photos"
                )
    return "; ".join(said)


def group_dots(groups: Groups) -> go.Figure:
    """Draw the accuracy of each group with its interval, one panel per test set.

    Parameters
    ----------
    groups : mapping
        By model, test set and group, what `facecore.evaluation.figures_by_trait` returns for it.

    Returns
    -------
    Figure
        The dotted line of a panel is the accuracy of the first model over the photos in it.
    """
    names = list(dict.fromkeys(name for sets in groups.values() for name in sets))
    rows = [list(dict.fromkeys(g for s in groups.values() for g in s.get(n, ()))) for n in names]
    most = max(map(len, rows))
    figure = _panels(
        names, [len(found) for found in rows], 44 if most <= MANY else 22, len(groups) > 1
    )
    for i, (model, sets) in enumerate(groups.items()):
        for name, found in sets.items():
            row = names.index(name) + 1
            table = pd.DataFrame.from_dict(found, orient="index")
            low, high = np.array(table["interval_all"].tolist()).T
            figure.add_scatter(
                x=table["accuracy_all"],
                y=list(table.index),
                mode="markers",
                orientation="h",
                name=model,
                legendgroup=model,
                showlegend=len(groups) > 1 and name == next(iter(sets)),
                customdata=table["n"],
                marker={"symbol": SYMBOLS[i], "size": 10, "color": PAIR[i]},
                error_x={
                    "array": high - table["accuracy_all"],
                    "arrayminus": table["accuracy_all"] - low,
                },
                hovertemplate="%{y}: %{x:.3f} of %{customdata:,} photos<extra></extra>",
                row=row,
                col=1,
            )
    _draw_references(figure, names, groups)
    shown = [f for sets in groups.values() for found in sets.values() for f in found.values()]
    return _label_axes(figure, [figures["interval_all"] for figures in shown])


def _panels(names: Sequence[str], counts: Sequence[int], step: int, legend: bool) -> go.Figure:
    """Return a panel per test set, as high as its groups need, with room for a legend above."""
    heights = [30 + step * count for count in counts]
    whole = sum(heights) + PANEL_GAP * (len(names) - 1)
    figure = make_subplots(
        rows=len(names),
        cols=1,
        shared_xaxes=True,
        row_heights=heights,
        vertical_spacing=PANEL_GAP / whole if len(names) > 1 else 0,
        subplot_titles=names if len(names) > 1 else None,
    )
    # models, or labels, beside each other in a row
    tidy(figure.update_layout(scattermode="group"), whole + 110)
    if legend and len(names) > 1:  # it stands above the name of the first panel
        figure.update_layout(height=whole + 110 + PANEL_GAP, margin_t=36 + PANEL_GAP)
        figure.update_layout(legend_y=1 + PANEL_GAP / whole)
    return figure


def _draw_references(figure: go.Figure, names: Sequence[str], groups: Groups) -> None:
    for name, found in next(iter(groups.values())).items():
        row = names.index(name) + 1
        figure.add_vline(accuracy_of_known(found), line=REFERENCE, row=row, col=1)


def _label_axes(figure: go.Figure, intervals: Sequence[Sequence[float]]) -> go.Figure:
    """Let all panels share the range that the intervals need."""
    low, high = min(ends[0] for ends in intervals), max(ends[1] for ends in intervals)
    figure.update_xaxes(range=[max(low - 0.03, -0.01), min(high + 0.03, 1.01)])
    figure.update_yaxes(type="category", autorange="reversed")
    list(figure.select_xaxes())[-1].title = "Forced accuracy"
    return figure


def group_table(groups: Groups) -> pd.DataFrame:
    """Return the figures of each group as a table.

    Parameters
    ----------
    groups : mapping
        By model, test set and group, what `facecore.evaluation.figures_by_trait` returns for it.

    Returns
    -------
    DataFrame
        One row per group, per test set and per model if there are several.
    """
    several = len({name for sets in groups.values() for name in sets}) > 1
    rows = [
        {
            **({"test set": name} if several else {}),
            "group": group,
            **({"model": model} if len(groups) > 1 else {}),
            **_columns(figures),
        }
        for model, sets in groups.items()
        for name, found in sets.items()
        for group, figures in found.items()
    ]
    return _together(rows, [c for c in ("test set", "group") if c in rows[0]])


def _together(rows: Sequence[dict[str, Any]], keys: Sequence[str]) -> pd.DataFrame:
    """Return rows as a table in which models stand below each other, sets and groups in order."""
    place = {k: {v: i for i, v in enumerate(dict.fromkeys(r[k] for r in rows))} for k in keys}
    return pd.DataFrame(sorted(rows, key=lambda row: [place[k][row[k]] for k in keys]))


def crossed_dots(crossed: Crossed, groups: Groups, labels: Sequence[str], least: int) -> go.Figure:
    """Draw the accuracy of each label within each group with its interval, by test set.

    Parameters
    ----------
    crossed : mapping
        By model and test set, figures by one trait as `facecore.evaluation.crossed_groups` returns
        them.
    groups : mapping
        By model, test set and group, what `facecore.evaluation.figures_by_trait` returns for it.
    labels : sequence of str
        Of the model, in its order; at most `ui.controls.MOST_COLOURS`.
    least : int
        A hollow mark stands for fewer photos.

    Returns
    -------
    Figure
        Colours are labels, shapes are models. The dotted line of a panel is the accuracy of the
        first model over the photos in it.
    """
    colours = label_colours(labels)
    names = list(dict.fromkeys(name for sets in crossed.values() for name in sets))
    rows = [
        order_labels({c["group"] for s in crossed.values() for c in s.get(name, ())})
        for name in names
    ]
    found = [c for sets in crossed.values() for cells in sets.values() for c in cells]
    traces = len(crossed) * len({cell["label"] for cell in found})
    figure = _panels(names, [len(found) for found in rows], 16 + 14 * traces, True)
    shown = set()
    for i, (model, sets) in enumerate(crossed.items()):
        for name, cells in sets.items():
            row = names.index(name) + 1
            table = pd.DataFrame(cells)
            for label in table["label"].unique():
                mine = table[table["label"].eq(label)]
                low, high = np.array(mine["interval_all"].tolist()).T
                words = f"{label}, {model}" if len(crossed) > 1 else label
                figure.add_scatter(
                    x=mine["accuracy_all"],
                    y=mine["group"],
                    mode="markers",
                    orientation="h",
                    name=words,
                    legendgroup=words,
                    showlegend=words not in shown,
                    customdata=mine["n"],
                    marker={
                        "symbol": [SYMBOLS[i] + ("-open" if n < least else "") for n in mine["n"]],
                        "size": 10,
                        "color": colours[label],
                        "line": {"color": colours[label], "width": 2},  # all there is of a hollow
                    },
                    error_x={
                        "array": high - mine["accuracy_all"],
                        "arrayminus": mine["accuracy_all"] - low,
                    },
                    hovertemplate=as_is_in_figure(label)
                    + ", %{y}: %{x:.3f} of %{customdata:,} photos<extra></extra>",
                    row=row,
                    col=1,
                )
                shown.add(words)
    _draw_references(figure, names, groups)
    _label_axes(figure, [cell["interval_all"] for cell in found])
    for axis, order in zip(figure.select_yaxes(), rows, strict=True):
        axis.update(categoryorder="array", categoryarray=order)
    return figure


def crossed_table(crossed: Crossed, trait: str) -> pd.DataFrame:
    """Return the figures of each label within each group as a table.

    Parameters
    ----------
    crossed : mapping
        By model and test set, figures by one trait as `facecore.evaluation.crossed_groups` returns
        them.
    trait : str
        What the groups have in common, such as ``"age"``.

    Returns
    -------
    DataFrame
        One row per label and group, per test set and per model if there are several.
    """
    several = len({name for sets in crossed.values() for name in sets}) > 1
    taken = {"test set", "model", "photos", "faces", "95% interval", *SHARES.values()}
    column = f"{trait} (trait)" if trait in taken else trait
    rows = [
        {
            **({"test set": name} if several else {}),
            "label": cell["label"],
            column: cell["group"],
            **({"model": model} if len(crossed) > 1 else {}),
            **_columns(cell),
        }
        for model, sets in crossed.items()
        for name, cells in sets.items()
        for cell in cells
    ]
    return _together(rows, [c for c in ("test set", "label", column) if c in rows[0]])


def _columns(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Return the cells of one group by the name of their column."""
    shares = {words: figures[key] for key, words in SHARES.items() if key in figures}
    return {
        "photos": figures["n"],
        "faces": figures["detected"],
        "forced accuracy": shares.pop("forced accuracy"),
        "95% interval": interval_words(figures["interval_all"]),
        **shares,
    }
