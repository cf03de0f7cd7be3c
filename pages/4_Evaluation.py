"""How good the model is on photos that it has never seen, for whom, and when it is unsure."""

import streamlit as st

from facecore.evaluation import evaluate_predictions, score_labels
from facecore.model import order_labels
from ui.controls import choose
from ui.evaluation import (
    ALL,
    compare,
    known,
    show_calibration,
    show_confusions,
    show_curves,
    show_metrics,
)
from ui.glossary import introduce
from ui.groups import show_groups
from ui.links import link_photos
from ui.models import pick_model, read_table
from ui.navigation import enter_page
from ui.paired import show_paired
from ui.unsure import show_unsure

TABS = ("Confusion", "Curves", "Calibration", "Unsure", "Groups", "Compare")

enter_page()
introduce(
    "Evaluation",
    "How good the model is on photos that it has never seen, for whom, and when it is unsure.",
    "accuracy",
    "recall",
    "precision",
    "calibration",
    "confusion matrix",
    "threshold",
    "ROC curve",
    "Brier score",
)
chosen = pick_model()
table = read_table("predictions", chosen)
if table is None:
    st.stop()

labels = order_labels(score_labels(table), chosen.order)
with st.container(horizontal=True, vertical_alignment="bottom"):
    which = st.selectbox(
        "Test set",
        [ALL, *table["set"].unique()],
        key="evaluation_set",
        bind="query-params",
        width=220,
    )
    positive = choose("Positive label", labels, "evaluation_label", default=labels[-1])
    second = st.container(width=260)
rows = known(table, which)
tested = compare(chosen, rows, which, second)
reports = {name: evaluate_predictions(found, chosen.order) for name, found in tested.items()}
show_metrics(reports, tested, positive)
st.caption(
    f"Computed from {len(rows):,} stored test predictions, which hold no names. True labels are "
    "those of the data sets' annotators; an answer that differs from them counts as wrong."
)

confusion, curves, calibration, unsure, groups, paired = st.tabs(
    TABS, key="evaluation_tab", bind="query-params"
)
if confusion.open:
    with confusion:
        show_confusions(reports)
        link_photos(chosen.name, cells=True)
if curves.open:
    with curves:
        show_curves(tested, positive)
if calibration.open:
    with calibration:
        show_calibration(tested, positive)
if unsure.open:
    with unsure:
        show_unsure(tested, chosen.model.rule, reports[chosen.name])
if groups.open:
    with groups:
        show_groups(tested, chosen, positive)
if paired.open:
    with paired:
        show_paired(chosen, reports, which)
