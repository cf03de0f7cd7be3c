"""Colours by meaning, small pictures and plotly figures that every page draws the same way."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from facecore.face import to_png
from facecore.model import PALETTE, leading_scores, to_rgb
from facecore.system import with_minus
from ui.cells import inks_on
from ui.presentation import is_presenting
from ui.text import as_is, escape_names

ICON = str(Path(__file__).with_name("icon.png"))

WIDEST = 1600  # long side of a photo on a page, in pixels
NEUTRAL = "#7a7a7a"  # for what belongs to no label
PAIR = (PALETTE[5], PALETTE[4])  # the chosen one, and the one that it is compared with
# Text of charts: the greys of Streamlit's own have a contrast of less than 4.5 on white.
INK = {"light": "#4b4e57", "dark": "#c6c9d1"}
PAGE = {"light": "#ffffff", "dark": "#171614"}  # what a chart lies on
# Thin lines and small dots need more light on a dark page than areas do: the same hue, lighter.
ON_DARK = {PALETTE[1]: "#2b8fd6", NEUTRAL: "#a6a6a6"}
# In place of plotly's Blues, which begin at white.
SHADES_ON_DARK = ("#22272e", "#1f5f96", "#6cb4ea")
PROJECTED = 18  # size of the text of charts in a presentation, in pixels
# Colours of a rise and of a fall, by what a rise means: better, worse or neither.
CHANGES = {"normal": ("green", "red"), "inverse": ("red", "green"), "off": ("gray", "gray")}
REFERENCE = {"dash": "dot", "color": NEUTRAL}  # lines that no data point lies on
MOST_BARS, TOP = 7, 5  # labels: up to 7 all have a bar, of more only the likeliest 5
# Labels at 1, 2 and 5 of each decade, and 20 and 50 in full rather than as small digits 2 and 5.
LOG: dict[str, Any] = {"type": "log", "dtick": "D2", "minorloglabels": "complete"}
DASHES = ("solid", "dash", "dot", "dashdot", "longdashdot")
SYMBOLS = ("circle", "diamond", "square", "cross", "triangle-up")
PATTERNS = ("", "/", "x", ".", "-")


def tidy(figure: go.Figure, height: int = 320) -> go.Figure:
    """Give a figure the margins and the legend that all figures share.

    Parameters
    ----------
    figure : Figure
        Figure to change in place.
    height : int
        Height in pixels.

    Returns
    -------
    Figure
    """
    return figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 36, "b": 8},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0, "title": None},
    )


def show(figure: go.Figure, alt: str, key: str) -> None:
    """Show a figure without plotly's tool bar.

    Parameters
    ----------
    figure : Figure
        Figure to show.
    alt : str
        Text for screen readers.
    key : str
        Key of the element, unique on the page.
    """
    finish(figure)
    st.plotly_chart(figure, config={"displayModeBar": False}, alt=alt, key=key)


def spread_ticks(values: Sequence[float], most: int, logarithmic: bool = False) -> list[float]:
    """Leave out values whose numbers on an axis would be written over those of others.

    Parameters
    ----------
    values : sequence of float
        Ascending, above 0 for a logarithmic axis.
    most : int
        Numbers that have room beside each other.
    logarithmic : bool, default=False
        Whether the axis is.

    Returns
    -------
    list of float
        Ascending; the largest always stays.

    Examples
    --------
    >>> spread_ticks([10, 28, 29, 30, 100, 480, 500], 14, logarithmic=True)
    [10, 30, 100, 500]
    """
    places = np.log(values) if logarithmic else np.array(values, dtype=float)
    gap = (places[-1] - places[0]) / most
    kept = [len(values) - 1]
    for i in reversed(range(len(values) - 1)):
        if places[kept[-1]] - places[i] >= gap:
            kept.append(i)
    return [values[i] for i in reversed(kept)]


def finish(figure: go.Figure) -> None:
    """Make a figure readable: texts as they are, contrast enough, large on a projector.

    Parameters
    ----------
    figure : Figure
        Figure to change in place, just before it is shown.
    """
    escape_names(figure)
    separate_thousands(figure)
    darken_text(figure)
    lighten_lines(figure)
    ink_bars(figure)
    if is_presenting():
        enlarge_text(figure)


def is_dark() -> bool:
    """Return whether the page is dark; it counts as light until the browser names its theme.

    Returns
    -------
    bool
    """
    return st.context.theme.type == "dark"


def on_page(colour: str) -> str:
    """Return the colour in which a thin line or a small dot is seen well on the page.

    Parameters
    ----------
    colour : str
        Hexadecimal.

    Returns
    -------
    str
        A lighter one on a dark page, for those that are hard to see there.
    """
    return ON_DARK.get(colour, colour) if is_dark() else colour


def halo(widths: Sequence[int] = (3,)) -> str:
    """Return a shadow in the page's colour, by which text stands out from lines behind it.

    Parameters
    ----------
    widths : sequence of int, default=(3,)
        Pixels that the shadow fades over; of several, it is the sum of all.

    Returns
    -------
    str
        As ``shadow`` of plotly's fonts takes it.
    """
    colour = PAGE["dark" if is_dark() else "light"]
    return ", ".join(f"0 0 {width}px {colour}" for width in widths for _ in range(6))


def lighten_lines(figure: go.Figure) -> None:
    """Give lines and dots of a figure colours that are seen well on a dark page.

    Parameters
    ----------
    figure : Figure
        Figure to change in place; on a light page it stays as it is.
    """
    if not is_dark():
        return
    parts = [shape.line for shape in figure.layout.shapes]
    for trace in figure.select_traces(lambda trace: trace.type.startswith("scatter")):
        parts += [trace.line, trace.marker]
    for part in parts:
        if isinstance(part.color, str):
            part.color = on_page(part.color)
        elif isinstance(part.color, tuple):  # one per dot
            part.color = [on_page(each) for each in part.color]


def ink_bars(figure: go.Figure) -> None:
    """Write numbers in bars in black or white, whichever stands out more.

    plotly's own ink is dark grey on a light bar.

    Parameters
    ----------
    figure : Figure
        Figure to change in place; its bars have hexadecimal colours.
    """
    for bar in figure.select_traces({"type": "bar"}):
        if bar.text is None:
            continue
        colours = bar.marker.color
        one = isinstance(colours, str)
        inks = inks_on(np.array([to_rgb(each) for each in ([colours] if one else colours)]))
        bar.insidetextfont.color = inks[0] if one else inks


def darken_text(figure: go.Figure) -> None:
    """Give the text of a figure enough contrast with the page.

    Parameters
    ----------
    figure : Figure
        Figure to change in place; it stays as it is if the browser has not named its theme yet.
    """
    ink = INK.get(str(st.context.theme.type))
    if ink is None:
        return
    figure.update_layout(font_color=ink)
    for axis in (*figure.select_xaxes(), *figure.select_yaxes()):
        axis.update(tickfont_color=ink, title_font_color=ink)
    for bar in figure.select_coloraxes():
        bar.update(colorbar_tickfont_color=ink, colorbar_title_font_color=ink)


def separate_thousands(figure: go.Figure) -> None:
    """Write the numbers of axes, also where the pointer rests, as counts are written in texts.

    Parameters
    ----------
    figure : Figure
        Figure to change in place.
    """
    for axis in (*figure.select_xaxes(), *figure.select_yaxes()):
        axis.update(separatethousands=True)


def enlarge_text(figure: go.Figure) -> None:
    """Make the text of a figure large enough for a projector.

    Parameters
    ----------
    figure : Figure
        Figure to change in place.
    """
    figure.update_layout(font_size=PROJECTED, legend_font_size=PROJECTED)
    figure.update_traces(
        labelfont_size=PROJECTED, tickfont_size=PROJECTED, selector={"type": "parcoords"}
    )
    for axis in (*figure.select_xaxes(), *figure.select_yaxes()):
        axis.update(tickfont_size=PROJECTED, title_font_size=PROJECTED)
    for bar in figure.select_coloraxes():
        bar.update(colorbar_tickfont_size=PROJECTED, colorbar_title_font_size=PROJECTED)


def show_picture(
    picture: np.ndarray, alt: str, caption: str = "", width: int | Literal["stretch"] = "stretch"
) -> None:
    """Show pixels without loss: JPEG would smear the small pictures of faces.

    Parameters
    ----------
    picture : ndarray of shape (height, width) or (height, width, 3), uint8
        Grey levels or RGB.
    alt : str
        Text for screen readers.
    caption : str
        Text below the picture, without markup.
    width : int or "stretch"
        Width on the page in pixels, or as wide as the place allows.
    """
    st.image(
        to_png(picture), caption=as_is(caption) or None, alt=alt, output_format="PNG", width=width
    )


def format_distance(distance: float) -> str:
    """Return the text of a distance from face space.

    Parameters
    ----------
    distance : float
        Root mean square in units of the min-max scale.

    Returns
    -------
    str
        Three decimals, or two significant digits where the decimals would all be zeros.
    """
    return f"{distance:.3f}" if distance >= 0.0005 else f"{distance:.2g}"


def describe_change(
    change: float, form: str, colour: Literal["normal", "inverse", "off"] = "normal"
) -> dict[str, Any]:
    """Return how a metric shows a change: a signed number, an arrow and a colour.

    Left to itself, Streamlit takes a number with the minus sign for a rise.

    Parameters
    ----------
    change : float
        New value less the old one.
    form : str
        Format of the number, with its sign and unit, such as ``"{:+.3f}"``.
    colour : str
        Meaning of a rise: ``"normal"`` for better, ``"inverse"`` for worse, else ``"off"``.

    Returns
    -------
    dict
        Arguments of ``st.metric``; what is rounded to zero is 0, without an arrow.

    Examples
    --------
    >>> describe_change(-0.25, "{:+.2f}")
    {'delta': '−0.25', 'delta_arrow': 'down', 'delta_color': 'red'}
    >>> describe_change(-0.001, "{:+.2f}")["delta"]
    0
    """
    told = with_minus(form.format(change))
    if not any(digit in told for digit in "123456789"):
        return {"delta": 0, "delta_arrow": "off", "delta_color": "off"}
    rise, fall = CHANGES[colour]
    falls = change < 0
    return {
        "delta": told,
        "delta_arrow": "down" if falls else "up",
        "delta_color": fall if falls else rise,
    }


def count_columns(*names: str) -> dict[str, Any]:
    """Return how a table shows counts: with separators between thousands.

    Parameters
    ----------
    *names : str
        Columns with counts.

    Returns
    -------
    dict
        For ``column_config``.
    """
    return dict.fromkeys(names, st.column_config.NumberColumn(format="localized"))


def mark_point(figure: go.Figure, x: float, y: float, colour: str) -> None:
    """Mark one place of a curve.

    Parameters
    ----------
    figure : Figure
        Figure to change in place.
    x, y : float
        Coordinates of the place.
    colour : str
        Colour of the marker.
    """
    figure.add_scatter(
        x=[x],
        y=[y],
        mode="markers",
        showlegend=False,
        marker={"size": 14, "symbol": "diamond", "color": colour},
        hoverinfo="skip",
    )


def see_through(colour: str, number: int) -> dict[str, object]:
    """Return the look of bars that lie over the bars of other labels.

    Parameters
    ----------
    colour : str
        Colour of the label.
    number : int
        Position of the label, which chooses the hatching: colour alone must not tell labels apart.

    Returns
    -------
    dict
        Marker of a plotly bar.
    """
    return {
        "color": colour,
        "opacity": 0.6,
        "line": {"color": colour, "width": 2},
        "pattern": {"shape": PATTERNS[number % len(PATTERNS)]},
    }


def leading_labels(
    scores: Mapping[str, float], order: Sequence[str] = ()
) -> tuple[list[str], list[str]]:
    """Return the labels that a chart of scores shows, and the rest.

    Parameters
    ----------
    scores : mapping of str to float
        Score of each label; the higher, the likelier.
    order : sequence of str
        The order that the model declares, if it does.

    Returns
    -------
    shown : list of str
        All of up to `MOST_BARS` labels, in the order in which people read them; of more labels the
        `TOP` likeliest ones, falling.
    rest : list of str
    """
    return leading_scores(scores, order, MOST_BARS if len(scores) <= MOST_BARS else TOP)
