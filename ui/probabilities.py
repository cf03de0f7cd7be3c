"""The probability of each label, drawn the same way wherever a model answers."""

from collections.abc import Mapping, Sequence

import streamlit as st

from facecore.evaluation import make_table
from facecore.model import label_colours
from ui.charts import Bar, draw_bars, show_charts
from ui.look import leading_labels


def show_scores(scores: Mapping[str, float], order: Sequence[str], alt: str) -> None:
    """Show the probability of each label: as bars, and of many labels also as a table.

    Parameters
    ----------
    scores : mapping of str to float
        Probability of each label, in [0, 1], in the model's order of labels.
    order : sequence of str
        The order that the model declares, if it does.
    alt : str
        What the probabilities are of, for screen readers.
    """
    shown, rest = leading_labels(scores, order)
    told = ", ".join(f"{label} {scores[label]:.0%}" for label in shown)
    show_charts(draw_scores(scores, shown, f"{alt}: {told}"))
    if not rest:
        return
    share = sum(scores[label] for label in rest)
    st.caption(f"{len(rest)} more labels have {share:.1%} together.")
    with st.popover(f"All {len(scores)} labels", icon=":material/list:"):
        labels = sorted(scores, key=lambda label: -scores[label])
        rows = [(label, f"{scores[label]:.4f}") for label in labels]
        st.html(make_table(("label", "probability"), rows, alt))


def draw_scores(
    scores: Mapping[str, float], shown: Sequence[str], alt: str, title: str = ""
) -> str:
    """Draw probabilities as bars.

    Parameters
    ----------
    scores : mapping of str to float
        Probability of each label, in [0, 1], in the model's order of labels.
    shown : sequence of str
        The labels to draw, from the top.
    alt : str
        What the chart shows, for screen readers.
    title : str
        Above the chart.

    Returns
    -------
    str
        HTML for `show_charts`.
    """
    colours = label_colours(list(scores))
    rows = [
        (
            label,
            [Bar(scores[label], colours[label], f"{scores[label]:.0%}", f"{scores[label]:.1%}")],
        )
        for label in shown
    ]
    return draw_bars(rows, alt, title=title)
