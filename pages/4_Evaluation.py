"""How good the model is on photos that it never saw, for whom, and when it is unsure."""

import streamlit as st

from facecore.evaluation import LEAST_PHOTOS, evaluate_predictions, score_labels
from ui.evaluation import (
    ALL,
    compare,
    confusion_heat,
    gap_words,
    group_dots,
    group_table,
    known,
    precision_lines,
    reliability_dots,
    roc_lines,
    score_bars,
    show_metrics,
    show_unsure,
)
from ui.look import ICON, show
from ui.models import pick_model, read_table

st.set_page_config("Evaluation", ICON, layout="wide")
st.title("Evaluation")
st.write("How good the model is on photos that it never saw, for whom, and when it is unsure.")
chosen = pick_model()
table = read_table("predictions", chosen)
if table is None:
    st.stop()

labels = score_labels(table)
with st.container(horizontal=True, vertical_alignment="bottom"):
    which = st.selectbox(
        "Test set", [ALL, *table["set"].unique()], key="evaluation_set", bind="query-params",
        width=220,
    )  # fmt: skip
    positive = st.segmented_control(
        "Counts as positive", labels, default=labels[-1], required=True, key="evaluation_label",
        bind="query-params",
    )  # fmt: skip
    rows = known(table, which)
    second = st.container(width=260)
tested = compare(chosen, rows, which, second)
reports = {name: evaluate_predictions(found) for name, found in tested.items()}
show_metrics(reports, tested, positive)
st.caption(
    f"Computed from {len(rows):,} stored test predictions without names. Labels are what people "
    "wrote in the data sets; a wrong answer is one that differs from them."
)

names = ("Confusion", "Curves", "Calibration", "Unsure", "Groups")
confusion, curves, calibration, unsure, groups = st.tabs(
    names, key="evaluation_tab", bind="query-params"
)
if confusion.open:
    for column, (name, figures) in zip(
        confusion.columns(len(reports)), reports.items(), strict=True
    ):
        with column:
            show(
                confusion_heat(figures["confusion"]).update_layout(title=name),
                f"Confusion of {name}: answers by true label, as counts and shares",
                f"evaluation-confusion-{name}",
            )
if curves.open:
    left, right = curves.columns(2)
    with left:
        st.subheader("ROC")
        show(roc_lines(tested, positive), f"ROC curve of {positive}", "evaluation-roc")
    with right:
        st.subheader("Precision and recall")
        figure = precision_lines(tested, positive)
        show(figure, f"Precision against recall of {positive}", "evaluation-precision")
    curves.caption(f"Over faces found. {positive} counts as positive.")
if calibration.open:
    left, right = calibration.columns(2)
    with left:
        st.subheader("Reliability")
        alt = "Share right against confidence in ten bins, with intervals and counts"
        show(reliability_dots(tested), alt, "evaluation-reliability")
    with right:
        st.subheader("Scores by true label")
        for name, found in tested.items():
            if len(tested) > 1:
                st.markdown(f"**{name}**")
            alt = f"Histogram of the probability of {positive} by true label, {name}"
            show(score_bars(found, positive), alt, f"evaluation-scores-{name}")
if unsure.open:
    with unsure:
        show_unsure(tested, chosen.model.rule, reports[chosen.name])
if groups.open:
    with groups:
        found = reports[chosen.name]["groups"]
        if not {"age", "race"} & set(found):
            st.info(
                "Nobody wrote down the age or race of these photos. These groups appear where the "
                "photos' labels.csv has the columns age or race when the model is trained:",
                title="No groups by age or race",
                icon=":material/groups:",
            )
            st.code(f"python -m facecore train PHOTOS --name {chosen.name}", language="shell")
        for trait in found:
            st.subheader(trait.capitalize())
            if gap := gap_words(reports, trait):
                st.caption(
                    f"Largest gap in accuracy, groups of {LEAST_PHOTOS} photos or more: {gap}."
                )
            both = {n: r["groups"][trait] for n, r in reports.items() if trait in r["groups"]}
            alt = f"Accuracy of each group by {trait}, with 95 % intervals"
            figure = group_dots(both, reports[chosen.name]["accuracy_all"])
            show(figure, alt, f"evaluation-{trait}")
            st.dataframe(
                group_table(both), hide_index=True, placeholder="-", alt=f"Figures by {trait}",
                column_config={
                    name: st.column_config.NumberColumn(format="%.3f")
                    for name in ("accuracy", "balanced", "coverage", "right when answered")
                },
            )  # fmt: skip
        st.caption("A photo in which no face was found counts as wrong. Dotted: all photos.")
