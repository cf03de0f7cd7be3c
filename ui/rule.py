"""The confidence above which a face gets a label: the slider, and the model's own rule in words."""

from math import floor, isfinite

import streamlit as st

from facecore.model import AnswerRule
from ui.models import Chosen

STEP = 0.005


def least_confidence(labels: int) -> float:
    """Return the confidence that the most likely label has at least.

    Parameters
    ----------
    labels : int
        Number of labels.

    Returns
    -------
    float
        One over the number of labels, rounded down to hundredths.
    """
    return floor(100 / labels) / 100


def rule_words(rule: AnswerRule) -> str:
    """Describe when a model gives no label.

    Parameters
    ----------
    rule : AnswerRule
        Rule of the model.

    Returns
    -------
    str
    """
    parts = []
    if rule.min_confidence:
        parts.append(f"with a confidence below {rule.min_confidence:.3g}")
    if isfinite(rule.max_distance):
        parts.append(f"farther than {rule.max_distance:.3g} from face space")
    if isfinite(rule.min_lead):
        parts.append("that is unlike the faces of every label")
    if isfinite(rule.min_score):
        parts.append(f"with a detector score below {rule.min_score:g}")
    if isfinite(rule.max_outside):
        parts.append("that is like the pictures that it was shown to refuse")
    if not parts:
        return "The model itself gives every face a label."
    return f"The model itself gives no label to a face {', or '.join(parts)}."


def pick_rule(chosen: Chosen) -> tuple[float | None, bool]:
    """Ask for the confidence below which an answer is "unsure", and whether there is a rule.

    Parameters
    ----------
    chosen : Chosen
        Model whose own threshold the slider starts at.

    Returns
    -------
    confidence : float or None
        In [0, 1]; None for each model's own.
    ruled : bool
        Whether models may withhold a label.
    """
    rule = chosen.model.rule
    least = least_confidence(len(chosen.model.labels))
    own = max(least, rule.min_confidence)
    with st.popover("Unsure", icon=":material/help:"):
        ruled = st.toggle(
            "Models may withhold a label",
            True,
            key="ruled",
            bind="query-params",
            help='Otherwise every face gets one: none is "unsure", "unknown" or "not a face".',
        )
        value = st.slider(
            "Unsure below",
            least,
            1.0,
            own,
            STEP,
            format="%.3f",
            key=f"unsure_{chosen.name}",
            disabled=not ruled,
            bind="query-params",
            help='A face whose most likely label is less probable is called "unsure".',
        )
        st.caption(rule_words(rule))
    return None if value == own else value, ruled
