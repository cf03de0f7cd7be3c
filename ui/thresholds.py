"""What-if on the page Evaluation: a threshold for each group, which no model here has."""

import pandas as pd
import streamlit as st

from facecore.evaluation import equal_coverage, equal_recall, score_labels, trait_columns
from ui.controls import choose, show_metric
from ui.look import count_columns
from ui.models import Chosen
from ui.rule import STEP, least_confidence
from ui.text import as_is

RECALL, COVERAGE = "Recall", "Share answered"
COUNTS = ("photos", "of label")


def show_thresholds(rows: pd.DataFrame, chosen: Chosen, positive: str, least: int) -> None:
    """Show what a threshold per group would change, and what it would mean.

    Parameters
    ----------
    rows : DataFrame
        Predictions of the chosen model.
    chosen : Chosen
        The model.
    positive : str
        Label whose recall can be made equal.
    least : int
        Groups of fewer photos are left out.
    """
    columns = {
        trait: column
        for trait, column in trait_columns(rows).items()
        if len(set(rows[column]) - {""}) > 1
    }
    if not columns:
        return
    box = st.expander(
        "What if each group had a threshold of its own?",
        icon=":material/tune:",
        key="group_thresholds",
        bind="query-params",
    )
    if not box.open:
        return
    with box:
        st.write(
            "A thought experiment: no model here does this. A threshold per group makes one figure "
            "equal for all groups (Hardt, Price and Srebro 2016), and usually others less so. The "
            "model would have to know the group of each face before it decides, by asking or by "
            "a guess that errs too, and people would be measured by different rules because of "
            "their age, race or another trait, which many laws forbid."
        )
        with st.container(horizontal=True, vertical_alignment="bottom"):
            trait = choose("Groups by", list(columns), "threshold_trait")
            known = rows[rows[columns[trait]].ne("")]
            sets = list(known["set"].unique())
            # photos of one set only: between sets, more differs than the group
            name = choose("On photos of", sets, "threshold_set") if len(sets) > 1 else sets[0]
            goal = choose(
                "Make equal",
                (RECALL, COVERAGE),
                "threshold_goal",
                help=f"The share of the photos of {as_is(positive)} that are recognised, or the "
                "share of photos that are answered at all.",
            )
        photos = known[known["set"].eq(name)]
        if goal == RECALL:
            _show_recall(photos, columns[trait], positive, least)
        else:
            _show_coverage(photos, columns[trait], chosen, least)
        st.caption(
            f"Photos of {as_is(name)}, groups of {least:,} photos or more. Each group's threshold "
            "is chosen on the photos that are counted here, so on others it would gain less."
        )


def _show_recall(photos: pd.DataFrame, column: str, positive: str, least: int) -> None:
    threshold = st.slider(
        f"One threshold on the probability of {as_is(positive)}",
        0.0,
        1.0,
        0.5,
        STEP,
        format="%.3f",
        key="threshold_recall",
        bind="query-params",
    )
    found = equal_recall(photos, column, positive, threshold, least)
    _show(found, ("recall", "false positives", "accuracy"))


def _show_coverage(photos: pd.DataFrame, column: str, chosen: Chosen, least: int) -> None:
    lowest = least_confidence(len(score_labels(photos)))
    threshold = st.slider(
        "One threshold on the confidence",
        lowest,
        1.0,
        max(lowest, chosen.model.rule.min_confidence or 0.7),
        STEP,
        format="%.3f",
        key="threshold_coverage",
        bind="query-params",
    )
    found = equal_coverage(photos, column, threshold, least)
    _show(found, ("answered", "right when answered"))


def _show(found: pd.DataFrame, figures: tuple[str, ...]) -> None:
    if len(found) < 2:
        st.caption("Fewer than two groups have enough photos.")
        return
    numbers = found.drop(columns="group")
    apart = numbers.max() - numbers.min()
    with st.container(horizontal=True):
        for figure in figures:
            show_metric(
                f"Gap in {figure}",
                f"{apart[f'own {figure}']:.3f}",
                f"{apart[figure]:.3f} with one threshold",
                height="content",
            )
    order = ["group", *(c for c in COUNTS if c in found), "threshold"]
    order += [f"{own}{figure}" for figure in figures for own in ("", "own ")]
    st.dataframe(
        found[order].rename(columns=lambda name: name.replace("own ", "own threshold: ")),
        hide_index=True,
        placeholder="-",
        alt="Figures of each group with one threshold, and with a threshold of its own",
        column_config={
            name.replace("own ", "own threshold: "): st.column_config.NumberColumn(format="%.3f")
            for name in order
            if name not in ("group", *COUNTS)
        }
        | count_columns(*COUNTS),
    )
