"""Tab Unsure of the page Evaluation: what a threshold on the confidence gains and costs."""

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from facecore.evaluation import answers_at, coverage_curve, score_labels
from facecore.model import AnswerRule
from ui.controls import show_metric
from ui.evaluation import Tested
from ui.look import DASHES, PAIR, SYMBOLS, show, tidy
from ui.rule import STEP, least_confidence, rule_words
from ui.text import as_is

POINTS = 400  # of a curve; more cannot be told apart on the screen


@st.fragment
def show_unsure(tested: Tested, rule: AnswerRule, own: Mapping[str, Any]) -> None:
    """Let the visitor choose a threshold, and show coverage and accuracy at it.

    Parameters
    ----------
    tested : mapping of str to DataFrame
        Predictions by model, the chosen model first.
    rule : AnswerRule
        Rule of the chosen model; the slider starts at its confidence, if it has any.
    own : mapping
        What `facecore.evaluation.evaluate_predictions` returns for the chosen model.
    """
    least = least_confidence(len(score_labels(next(iter(tested.values())))))
    threshold = st.slider(
        "Unsure below",
        least,
        1.0,
        max(least, rule.min_confidence or 0.7),
        STEP,
        format="%.3f",
        key="evaluation_unsure",
        bind="query-params",
        help='An answer with a lower confidence counts as "unsure".',
    )
    words = rule_words(rule)
    if own.get("accuracy_answered") is not None:
        words += (
            f" By that rule it answers {own['coverage']:.1%} of these photos, and "
            f"{own['accuracy_answered']:.1%} of these answers are right. The slider sets a "
            "threshold on the confidence alone."
        )
    st.caption(words)
    for name, rows in tested.items():
        if len(tested) > 1:
            st.markdown(f"**{as_is(name)}**")
        point = answers_at(rows, threshold)
        with st.container(horizontal=True):
            show_metric("Coverage", f"{point.coverage:.1%}")
            show_metric(
                "Accuracy when answered",
                f"{point.accuracy:.1%}" if point.answered else None,
                "{:.1%} to {:.1%}".format(*point.interval),
            )
            show_metric("Answered", f"{point.answered:,}")
            show_metric("Unsure", f"{point.unsure:,}")
            show_metric("No face", f"{point.no_face:,}")
    alt = "Accuracy of the answers against the share of photos answered, the threshold marked"
    show(coverage_lines(tested, threshold), alt, "evaluation-coverage")


def coverage_lines(tested: Tested, threshold: float) -> go.Figure:
    """Draw accuracy against coverage, with a marker at a threshold.

    Parameters
    ----------
    tested : mapping of str to DataFrame
        Predictions by model.
    threshold : float
        Confidence below which an answer is "unsure", in [0, 1].

    Returns
    -------
    Figure
    """
    figure = go.Figure()
    for i, (name, rows) in enumerate(tested.items()):
        curve = coverage_curve(rows)
        curve = curve.iloc[:: max(1, len(curve) // POINTS)]
        figure.add_scatter(
            x=curve["coverage"],
            y=curve["accuracy"],
            customdata=curve["threshold"],
            name=name,
            mode="lines",
            line={"color": PAIR[i], "dash": DASHES[i]},
            hovertemplate="%{x:.1%} answered, %{y:.1%} right, unsure below %{customdata:.2f}"
            "<extra></extra>",
        )
        point = answers_at(rows, threshold)
        figure.add_scatter(
            x=[point.coverage],
            y=[point.accuracy],
            mode="markers",
            showlegend=False,
            marker={"symbol": SYMBOLS[i], "size": 14, "color": PAIR[i]},
            error_y={
                "array": [point.interval[1] - point.accuracy],
                "arrayminus": [point.accuracy - point.interval[0]],
            },
            hovertemplate="%{x:.1%} answered, %{y:.1%} right<extra></extra>",
        )
    figure.update_xaxes(
        title="Coverage: share of photos answered", range=[0, 1.02], tickformat=".0%"
    )
    figure.update_yaxes(title="Accuracy when answered", tickformat=".0%")
    return tidy(figure, 380)
