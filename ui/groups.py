"""Tab Groups of the page Evaluation: how accurate the model is for whom."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from facecore.evaluation import LEAST_PHOTOS
from ui.evaluation import Reports, interval_words
from ui.look import PAIR, REFERENCE, SYMBOLS, show, tidy
from ui.models import Chosen, command_to_train_again
from ui.text import as_is

MANY = 12  # groups; from there on they lie closer together
SHARES = ("accuracy", "balanced", "coverage", "accuracy when answered")
OF_ANSWERS = {"coverage": "coverage", "accuracy_answered": "accuracy when answered"}

# Figures of each group by model, the chosen model first.
Groups = Mapping[str, Mapping[str, Any]]


def show_groups(reports: Reports, chosen: Chosen) -> None:
    """Show the accuracy of each group by each trait that is known of the subjects.

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
            column_config={name: st.column_config.NumberColumn(format="%.3f") for name in SHARES},
        )
    st.caption(
        "A photo in which no face was found counts as wrong. The dotted line is the accuracy over "
        "all photos."
    )


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
            "photos": figures["n"],
            "faces": figures["detected"],
            "accuracy": figures["accuracy_all"],
            "95 % interval": interval_words(figures["interval_all"]),
            "balanced": figures["balanced_accuracy_all"],
            **{words: figures[key] for key, words in OF_ANSWERS.items() if key in figures},
        }
        for name, found in groups.items()
        for group, figures in found.items()
    ]
    place = {group: i for i, group in enumerate(dict.fromkeys(row["group"] for row in rows))}
    return pd.DataFrame(rows).sort_values("group", kind="stable", key=lambda g: g.map(place))
