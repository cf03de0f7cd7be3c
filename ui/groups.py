"""Tab Groups of the page Evaluation: how accurate the model is for whom."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from facecore.evaluation import LEAST_PHOTOS, CrossedGroup, weakest_group
from facecore.model import label_colours, order_labels
from ui.controls import MOST_COLOURS
from ui.evaluation import Reports, interval_words
from ui.look import PAIR, REFERENCE, SYMBOLS, show, tidy
from ui.models import Chosen, command_to_train_again
from ui.text import as_is, as_is_in_figure

MANY = 12  # groups; from there on they lie closer together
SHARES = {  # columns of a table by the name of the figure
    "accuracy_all": "accuracy",
    "balanced_accuracy_all": "balanced",
    "coverage": "coverage",
    "accuracy_answered": "accuracy when answered",
}

# Figures of each group by model, the chosen model first.
Groups = Mapping[str, Mapping[str, Any]]
# Figures of each label within each group of one trait by model, the chosen model first.
Crossed = Mapping[str, Sequence[CrossedGroup]]


def show_groups(reports: Reports, chosen: Chosen) -> None:
    """Show the accuracy of each group, and of each label within it, by each known trait.

    Parameters
    ----------
    reports : mapping
        By model, what `facecore.evaluation.evaluate_predictions` returns.
    chosen : Chosen
        The first of the models.
    """
    own = reports[chosen.name]
    if not {"age", "race"} & set(own["groups"]):
        st.info(
            "Age and race of the subjects are not known for these photos. Such groups appear if "
            "labels.csv has a column age or race when the model is trained:",
            title="No groups by age or race",
            icon=":material/groups:",
        )
        st.code(command_to_train_again(chosen.name), language="shell")
    for trait in own["groups"]:
        st.subheader(as_is(trait.capitalize()))
        if gap := gap_words(reports, trait):
            st.caption(
                f"Largest gap in accuracy among groups of {LEAST_PHOTOS} photos or more: "
                f"{as_is(gap)}."
            )
        groups = {n: r["groups"][trait] for n, r in reports.items() if trait in r["groups"]}
        alt = f"Accuracy of each group by {trait}, with 95 % intervals"
        show(group_dots(groups, own["accuracy_all"]), alt, f"evaluation-{trait}")
        st.dataframe(
            group_table(groups),
            hide_index=True,
            placeholder="-",
            alt=f"Figures by {trait}",
            column_config=_share_columns(),
        )
    for trait in dict.fromkeys(cell["trait"] for cell in own["crossed"]):
        found = {n: [c for c in r["crossed"] if c["trait"] == trait] for n, r in reports.items()}
        crossed = {name: cells for name, cells in found.items() if cells}
        _show_crossed(crossed, trait, own["accuracy_all"], chosen.model.labels)
    st.caption(
        "A photo in which no face was found counts as wrong. The dotted line is the accuracy over "
        "all photos."
    )


def _show_crossed(crossed: Crossed, trait: str, overall: float, labels: Sequence[str]) -> None:
    st.subheader(as_is(f"Label and {trait}"))
    if weakest := weakest_words(crossed):
        st.caption(f"Weakest of those with {LEAST_PHOTOS} photos or more: {as_is(weakest)}.")
    if len(labels) <= MOST_COLOURS:
        alt = f"Accuracy of each label within each group by {trait}, with 95 % intervals"
        show(crossed_dots(crossed, overall, labels), alt, f"evaluation-label-{trait}")
        if any(cell["n"] < LEAST_PHOTOS for cells in crossed.values() for cell in cells):
            st.caption(f"A hollow mark stands for fewer than {LEAST_PHOTOS} photos.")
    st.dataframe(
        crossed_table(crossed, trait),
        hide_index=True,
        placeholder="-",
        alt=f"Figures by label and {trait}",
        column_config=_share_columns(),
    )


def _share_columns() -> dict[str, Any]:
    return {name: st.column_config.NumberColumn(format="%.3f") for name in SHARES.values()}


def gap_words(reports: Reports, trait: str) -> str:
    """Describe how far apart the accuracies of the groups are.

    Parameters
    ----------
    reports : mapping
        By model, what `facecore.evaluation.evaluate_predictions` returns.
    trait : str
        What the groups have in common, such as ``"age"``.

    Returns
    -------
    str
        Empty if no gap is known.
    """
    gaps = {name: r["gaps"][trait] for name, r in reports.items() if trait in r.get("gaps", {})}
    said = [
        (f"{name}: " if len(reports) > 1 else "")
        + "{gap:.3f}, from {worst} up to {best}".format(**gap)
        for name, gap in gaps.items()
    ]
    return "; ".join(said)


def weakest_words(crossed: Crossed) -> str:
    """Describe for which label and group a model is least often right.

    Parameters
    ----------
    crossed : mapping
        By model, figures as `facecore.evaluation.crossed_groups` returns them.

    Returns
    -------
    str
        Empty if too few photos are known of each.
    """
    weakest = {name: weakest_group(cells) for name, cells in crossed.items()}
    said = [
        (f"{name}: " if len(crossed) > 1 else "")
        + f"{cell['label']}, {cell['group']}: {cell['accuracy_all']:.3f} "
        f"({interval_words(cell['interval_all'])}), {cell['n']:,} photos"
        for name, cell in weakest.items()
        if cell
    ]
    return "; ".join(said)


def group_dots(groups: Groups, overall: float) -> go.Figure:
    """Draw the accuracy of each group with its interval.

    Parameters
    ----------
    groups : mapping
        By model and by group, what `facecore.evaluation.evaluate_predictions` returns for it.
    overall : float
        Accuracy of the chosen model over all photos, in [0, 1].

    Returns
    -------
    Figure
    """
    figure = go.Figure(layout={"scattermode": "group"})  # models beside each other in a row
    for i, (name, found) in enumerate(groups.items()):
        table = pd.DataFrame.from_dict(found, orient="index")
        low, high = np.array(table["interval_all"].tolist()).T
        figure.add_scatter(
            x=table["accuracy_all"],
            y=list(table.index),
            mode="markers",
            orientation="h",
            name=name,
            customdata=table["n"],
            marker={"symbol": SYMBOLS[i], "size": 10, "color": PAIR[i]},
            error_x={
                "array": high - table["accuracy_all"],
                "arrayminus": table["accuracy_all"] - low,
            },
            hovertemplate="%{y}: %{x:.3f} of %{customdata} photos<extra></extra>",
        )
    figure.add_vline(overall, line=REFERENCE)
    least = min(min(f["interval_all"][0] for f in found.values()) for found in groups.values())
    figure.update_xaxes(title="Accuracy, all photos of the group", range=[least - 0.03, 1.01])
    figure.update_yaxes(type="category", autorange="reversed")
    most = max(map(len, groups.values()))
    return tidy(figure, 130 + (44 if most <= MANY else 22) * most)


def group_table(groups: Groups) -> pd.DataFrame:
    """Return the figures of each group as a table.

    Parameters
    ----------
    groups : mapping
        By model and by group, what `facecore.evaluation.evaluate_predictions` returns for it.

    Returns
    -------
    DataFrame
        One row per group, and per model if there are two.
    """
    rows = [
        {
            "group": group,
            **({"model": name} if len(groups) > 1 else {}),
            **_columns(figures),
        }
        for name, found in groups.items()
        for group, figures in found.items()
    ]
    place = {group: i for i, group in enumerate(dict.fromkeys(row["group"] for row in rows))}
    return pd.DataFrame(rows).sort_values("group", kind="stable", key=lambda g: g.map(place))


def crossed_dots(crossed: Crossed, overall: float, labels: Sequence[str]) -> go.Figure:
    """Draw the accuracy of each label within each group with its interval.

    Parameters
    ----------
    crossed : mapping
        By model, figures by one trait as `facecore.evaluation.crossed_groups` returns them.
    overall : float
        Accuracy of the chosen model over all photos, in [0, 1].
    labels : sequence of str
        Of the model, in its order; at most `ui.controls.MOST_COLOURS`.

    Returns
    -------
    Figure
        Colours are labels, shapes are models; a hollow mark stands for fewer than `LEAST_PHOTOS`
        photos.
    """
    colours = label_colours(labels)
    figure = go.Figure(layout={"scattermode": "group"})  # labels beside each other in a row
    for i, (name, cells) in enumerate(crossed.items()):
        table = pd.DataFrame(cells)
        for label in table["label"].unique():
            rows = table[table["label"].eq(label)]
            low, high = np.array(rows["interval_all"].tolist()).T
            few = rows["n"].lt(LEAST_PHOTOS)
            said = as_is_in_figure(label)
            figure.add_scatter(
                x=rows["accuracy_all"],
                y=rows["group"],
                mode="markers",
                orientation="h",
                name=f"{label}, {name}" if len(crossed) > 1 else label,
                customdata=rows["n"],
                marker={
                    "symbol": [SYMBOLS[i] + ("-open" if hollow else "") for hollow in few],
                    "size": 10,
                    "color": colours[label],
                    "line": {"color": colours[label], "width": 2},  # a hollow mark is its line
                },
                error_x={
                    "array": high - rows["accuracy_all"],
                    "arrayminus": rows["accuracy_all"] - low,
                },
                hovertemplate=said + ", %{y}: %{x:.3f} of %{customdata} photos<extra></extra>",
            )
    figure.add_vline(overall, line=REFERENCE)
    found = [cell for cells in crossed.values() for cell in cells]
    least = min(cell["interval_all"][0] for cell in found)
    groups = order_labels({cell["group"] for cell in found})
    figure.update_xaxes(title="Accuracy, photos of label and group", range=[least - 0.03, 1.01])
    figure.update_yaxes(
        type="category", categoryorder="array", categoryarray=groups, autorange="reversed"
    )
    return tidy(figure, 130 + (16 + 14 * len(figure.data)) * len(groups))


def crossed_table(crossed: Crossed, trait: str) -> pd.DataFrame:
    """Return the figures of each label within each group as a table.

    Parameters
    ----------
    crossed : mapping
        By model, figures by one trait as `facecore.evaluation.crossed_groups` returns them.
    trait : str
        What the groups have in common, such as ``"age"``.

    Returns
    -------
    DataFrame
        One row per label and group, and per model if there are two.
    """
    rows = [
        {
            "label": cell["label"],
            trait: cell["group"],
            **({"model": name} if len(crossed) > 1 else {}),
            **_columns(cell),
        }
        for name, cells in crossed.items()
        for cell in cells
    ]
    pairs = dict.fromkeys((row["label"], row[trait]) for row in rows)
    place = {pair: i for i, pair in enumerate(pairs)}
    return pd.DataFrame(sorted(rows, key=lambda row: place[row["label"], row[trait]]))


def _columns(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Return the cells of one group by the name of their column."""
    shares = {words: figures[key] for key, words in SHARES.items() if key in figures}
    return {
        "photos": figures["n"],
        "faces": figures["detected"],
        "accuracy": shares.pop("accuracy"),
        "95 % interval": interval_words(figures["interval_all"]),
        **shares,
    }
