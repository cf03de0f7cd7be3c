"""Tab Unsure of the page Evaluation: what a threshold on the confidence gains and costs."""

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from facecore.evaluation import answers_at, risk_coverage, risk_figures, score_labels
from facecore.model import AnswerRule
from ui.controls import show_metric
from ui.evaluation import Tested
from ui.look import DASHES, NEUTRAL, PAIR, SYMBOLS, show, tidy
from ui.rule import STEP, least_confidence, rule_words
from ui.text import as_is

ORDERS = {"random order": "dot", "ideal order": "dashdot"}
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
                "Right when answered",
                f"{point.accuracy:.1%}" if point.answered else None,
                "{:.1%} to {:.1%}".format(*point.interval),
            )
            show_metric("Photos answered", f"{point.answered:,}")
            show_metric("Unsure", f"{point.unsure:,}")
            show_metric("No face", f"{point.no_face:,}")
    alt = "Share of wrong answers against the share of photos answered, the threshold marked"
    show(risk_lines(tested, threshold), alt, "evaluation-coverage")
    _show_areas(tested)


def _show_areas(tested: Tested) -> None:
    """Show the areas under the risk-coverage curves, and what they are to be compared with."""
    for name, rows in tested.items():
        figures = risk_figures(rows)
        if figures is None:
            continue
        if len(tested) > 1:
            st.markdown(f"**{as_is(name)}**")
        with st.container(horizontal=True):
            show_metric(
                "Area under the curve",
                f"{figures['aurc']:.4f}",
                help="Mean risk over all shares of faces answered, the surest first; 0 is best.",
            )
            show_metric(
                "In a random order",
                f"{figures['random']:.4f}",
                help="The same, expected if faces were answered in a random order: the share of "
                "all faces found whose likeliest label is wrong.",
            )
            show_metric(
                "In the ideal order",
                f"{figures['ideal']:.4f}",
                help="The same, if every right answer came before every wrong one.",
            )
            show_metric(
                "Excess over the ideal",
                f"{figures['excess']:.4f}",
                help="What a better order of the same answers could still gain (excess AURC).",
            )
    st.caption(
        "The area under the risk-coverage curve (AURC) is the mean risk over all shares of the "
        "faces found that are answered, the surest first (Geifman and El-Yaniv 2017; Geifman, "
        "Uziel and El-Yaniv 2019). The farther it lies below that of a random order, the more "
        "the confidence is worth. Only fewer errors could bring it below that of the ideal order."
    )


def risk_lines(tested: Tested, threshold: float) -> go.Figure:
    """Draw risk against coverage, with a marker at a threshold, beside the ideal order.

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
        curve = risk_coverage(rows)
        if curve.empty:
            continue
        whole = curve.iloc[-1]
        # the last point, at which every face is answered, is always drawn
        curve = curve.iloc[:: -max(1, len(curve) // POINTS)][::-1]
        of = f", {name}" if len(tested) > 1 else ""
        figure.add_scatter(
            x=curve["coverage"],
            y=curve["risk"],
            customdata=curve["threshold"],
            name=name,
            mode="lines",
            line={"color": PAIR[i], "dash": DASHES[i]},
            hovertemplate="%{x:.1%} answered, %{y:.1%} wrong, unsure below %{customdata:.2f}"
            "<extra></extra>",
        )
        for words, y in (
            ("random order", [whole["risk"]] * len(curve)),
            ("ideal order", curve["ideal"]),
        ):
            figure.add_scatter(
                x=curve["coverage"],
                y=y,
                name=f"{words}{of}",
                mode="lines",
                line={"color": PAIR[i] if of else NEUTRAL, "dash": ORDERS[words], "width": 1},
                hovertemplate=words + ": %{x:.1%} answered, %{y:.1%} wrong<extra></extra>",
            )
        point = answers_at(rows, threshold)
        figure.add_scatter(
            x=[point.coverage],
            y=[1 - point.accuracy],
            mode="markers",
            showlegend=False,
            marker={"symbol": SYMBOLS[i], "size": 14, "color": PAIR[i]},
            error_y={
                "array": [point.accuracy - point.interval[0]],
                "arrayminus": [point.interval[1] - point.accuracy],
            },
            hovertemplate="%{x:.1%} answered, %{y:.1%} wrong<extra></extra>",
        )
    figure.update_xaxes(
        title="Coverage: share of photos answered", range=[0, 1.02], tickformat=".0%"
    )
    figure.update_yaxes(
        title="Risk: share of answers that are wrong", tickformat=".1~%", rangemode="tozero"
    )
    return tidy(figure, 400)
