"""Texts of others, such as labels and names of files, shown as they are: in Markdown, in figures.

Every text that is not written in this dashboard goes through one of these functions.
"""

import re
from collections.abc import Iterable
from typing import Any

import plotly.graph_objects as go

from facecore.system import escape_markdown, show_hidden, with_minus

# Streamlit reads these only after the escapes of Markdown are gone: icons, emoji and colours
# behind a colon, addresses, arrows and dashes. A word joiner, which has no width, keeps them apart.
LATE = re.compile(
    r":(?=[\w+/-])|@(?=\w)|www(?=\.)|(?<!\S)[-<>~](?=(?:->|[-=>])(?!\S))", re.IGNORECASE
)
LATE_IN_CARD = re.compile(r"^ {4}.*|\\:|:(?=//)|@(?=\w)|www(?=\.)", re.IGNORECASE | re.MULTILINE)
# Figures of the project's own in a text that also holds labels: three digits behind the point.
FIGURE = re.compile(r"(?<![\w.])-\d?\.\d{3}\b")
JOINER = "\u2060"
# Plotly reads some HTML, formulas between dollars, and templates in its texts.
PLOTLY = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "$": "&#36;", "%{": "&#37;{"}
NUMBERS = "numbers"  # name of annotations with nothing but numbers and line breaks
PLOTLY_MARKUP = re.compile("|".join(map(re.escape, PLOTLY)))


def as_is(text: object) -> str:
    r"""Return a text that Streamlit's Markdown shows as it is.

    Parameters
    ----------
    text : object
        Its ``str`` is of any origin: a label, a name, an error with one of them.

    Returns
    -------
    str
        Markdown on one line, without markup.

    Examples
    --------
    >>> as_is("*a* costs $5")
    '\\*a\\* costs \\$5'
    """
    return escape_markdown(LATE.sub(rf"\g<0>{JOINER}", str(text)))


def card_as_is(card: str) -> str:
    """Return a card for Streamlit, which would read emoji and addresses in escaped texts.

    Parameters
    ----------
    card : str
        Markdown as `facecore.evaluation.card_of` returns it.

    Returns
    -------
    str
        The same, with a word joiner where Streamlit reads more than Markdown, and with the minus
        sign in its figures; code stays.
    """
    joined = LATE_IN_CARD.sub(
        lambda found: found[0] + ("" if found[0].startswith("    ") else JOINER), card
    )
    lines = joined.split("\n")
    return "\n".join(line if line.startswith("    ") else minus_in_figures(line) for line in lines)


def minus_in_figures(text: str) -> str:
    """Return a text with the minus sign in its figures, whatever its labels are.

    Parameters
    ----------
    text : str
        Sentences of `facecore`, which write for terminals and files too.

    Returns
    -------
    str

    Examples
    --------
    >>> minus_in_figures("of -5: difference -.002, 95% interval -0.010 to +0.006")
    'of -5: difference −.002, 95% interval −0.010 to +0.006'
    """
    return FIGURE.sub(lambda found: with_minus(found[0]), text)


def as_is_in_figure(text: str) -> str:
    """Return a text that plotly shows as it is.

    Parameters
    ----------
    text : str
        Of any origin, such as a label.

    Returns
    -------
    str

    Examples
    --------
    >>> as_is_in_figure("<b>$x$ & y")
    '&lt;b&gt;&#36;x&#36; &amp; y'
    """
    return PLOTLY_MARKUP.sub(lambda found: PLOTLY[found[0]], show_hidden(text))


def escape_names(figure: go.Figure) -> None:
    """Make a figure show its names, categories, titles and notes as they are.

    Texts on data and templates may hold line breaks of the dashboard's own and stay as they are.

    Parameters
    ----------
    figure : Figure
        Figure to change in place.
    """
    for trace in figure.data:
        _escape_each(trace, "name", "x", "y")
    for note in figure.select_annotations(lambda note: note.name != NUMBERS):
        _escape_each(note, "text", "x", "y")
    for axis in (*figure.select_xaxes(), *figure.select_yaxes()):
        _escape_each(axis, "categoryarray")
        _escape_each(axis.title, "text")
    _escape_each(figure.layout.title, "text")


def _escape_each(part: Any, *names: str) -> None:
    for name in names:
        if name not in part:  # parallel coordinates have neither x nor y
            continue
        value = part[name]
        if isinstance(value, str):
            part[name] = as_is_in_figure(value)
        elif isinstance(value, Iterable) and any(isinstance(one, str) for one in value):
            part[name] = [as_is_in_figure(one) if isinstance(one, str) else one for one in value]
