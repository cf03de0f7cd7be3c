"""From which confidence on a face gets a label: the slider, and the model's own rule in words."""

from math import floor, isfinite

import streamlit as st

from facecore.model import AnswerRule
from ui.models import Chosen

STEP = 0.005


def least_confidence(labels: int) -> float:
    """Return a confidence, in hundredths, that every likeliest of so many labels has.

    Parameters
    ----------
    labels : int

    Returns
    -------
    float
    """
    return floor(100 / labels) / 100


def rule_words(rule: AnswerRule) -> str:
    """Say in words when a model gives no label.

    Parameters
    ----------
    rule : AnswerRule

    Returns
    -------
    str
    """
    parts = []
    if rule.min_confidence:
        parts.append(f"with a confidence below {rule.min_confidence:.3g}")
    if isfinite(rule.max_distance):
        parts.append(f"farther than {rule.max_distance:.3g} from face space")
    if isfinite(rule.min_score):
        parts.append(f"with a detector's score below {rule.min_score:g}")
    if not parts:
        return "The model itself gives every face a label."
    return f"The model itself gives no label to a face {', or '.join(parts)}."


def pick_confidence(chosen: Chosen) -> float | None:
    """Show the slider and return what the visitor made of it.

    Parameters
    ----------
    chosen : Chosen

    Returns
    -------
    float or None
        Confidence below which no label is given; None for each model's own.
    """
    rule = chosen.model.rule
    least = least_confidence(len(chosen.model.labels))
    own = max(least, rule.min_confidence)
    with st.popover("Unsure", icon=":material/help:"):
        value = st.slider(
            "Unsure below", least, 1.0, own, STEP, format="%.3f", key=f"unsure_{chosen.name}",
            bind="query-params",
            help='A face whose likeliest label is less probable is called "unsure".',
        )  # fmt: skip
        st.caption(rule_words(rule))
    return None if value == own else value
