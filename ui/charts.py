"""Charts as HTML, which need no script: bars, ranges, columns and a curve.

They follow the theme, the width of their place and the size of the type, as the page's texts do.
`st.html` keeps no SVG in the page, so columns and a curve are pictures in it, and everything to
read stands beside them. `charts.css` has the look. Every text is escaped here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import numpy as np
import streamlit as st

from facecore.evaluation import pick_ticks, text_of
from facecore.system import with_minus
from ui.look import on_page

STYLE = Path(__file__).with_suffix(".css")
HATCHINGS = 5  # in charts.css; the first is none
GRAIN = 1000  # units along a side of a picture: whole numbers are fine enough
FINEST = 200  # columns, from which on gaps between them would only blur


@dataclass(frozen=True)
class Bar:
    """A bar that begins at 0.

    Parameters
    ----------
    end : float
        Where it ends.
    colour : str
        Hexadecimal.
    text : str
        The number beside its end.
    title : str
        What is shown when the pointer rests on it.
    hatching : int
        Its kind, from 0, which is none; from `HATCHINGS` on the kinds repeat.
    """

    end: float
    colour: str
    text: str
    title: str
    hatching: int = 0


@dataclass(frozen=True)
class Key:
    """An entry of a legend.

    Parameters
    ----------
    name : str
        What the colour means.
    colour : str
        Hexadecimal.
    hatching : int
        As that of a bar.
    point : bool
        Whether it explains a point.
    """

    name: str
    colour: str
    hatching: int = 0
    point: bool = False


def show_charts(*charts: str) -> None:
    """Show charts beside each other, or below each other where there is little room.

    Parameters
    ----------
    *charts : str
        As the functions of this module return them.
    """
    st.html(f'<div class="charts">{"".join(charts)}</div>')


def draw_bars(
    rows: Sequence[tuple[str, Sequence[Bar]]],
    alt: str,
    ends: tuple[float, float] = (0.0, 1.0),
    *,
    title: str = "",
    note: str = "",
    keys: Sequence[Key] = (),
) -> str:
    """Draw bars beside the names of their rows.

    Parameters
    ----------
    rows : sequence of tuple of (str, sequence of Bar)
        Name and bars of each row, from the top.
    alt : str
        What the chart shows, for screen readers.
    ends : tuple of float
        Ends of the axis; the first is below 0 if there are bars to the left.
    title, note : str
        Above and below the chart.
    keys : sequence of Key
        The legend.

    Returns
    -------
    str
        HTML.

    Examples
    --------
    >>> html = draw_bars([("calm", [Bar(0.75, "#0072b2", "75%", "calm: 75.0%")])], "probabilities")
    >>> "left:0%;width:75%" in html, ">75%<" in html
    (True, True)
    """
    parts = []
    for name, bars in rows:
        drawn = "".join(_draw_bar(bar, ends) for bar in bars)
        parts.append(f'<div class="name">{text_of(name)}</div><div>{drawn}</div>')
    below, above = ends[0] < 0, ends[1] > 0
    kind = "bars both" if below and above else "bars leftward" if below else "bars"
    return _chart(alt, f'<div class="{kind}">{"".join(parts)}</div>', title, note, keys)


def draw_ranges(
    rows: Sequence[tuple[str, float, float, float]],
    alt: str,
    ends: tuple[float, float],
    colours: tuple[str, str],
    *,
    ticks: Sequence[float],
    note: str,
    keys: Sequence[Key],
) -> str:
    """Draw ranges below their names, each with a point.

    Parameters
    ----------
    rows : sequence of tuple of (str, float, float, float)
        Name, low and high end of the range, and the point.
    alt : str
        What the chart shows, for screen readers.
    ends : tuple of float
        Ends of the axis.
    colours : tuple of str
        Of ranges and of points, hexadecimal.
    ticks : sequence of float
        Values that are written below the axis.
    note : str
        What the axis measures.
    keys : sequence of Key
        The legend.

    Returns
    -------
    str
        HTML.

    Examples
    --------
    >>> colours = ("#7a7a7a", "#56b4e9")
    >>> html = draw_ranges(
    ...     [("pixel 1", 0, 64, 32)], "one", (0, 128), colours, ticks=[0], note="", keys=()
    ... )
    >>> "left:0%;width:50%" in html, 'class="point" style="left:25%' in html
    (True, True)
    """
    parts = []
    for name, low, high, value in rows:
        left, right, at = (_place(each, ends) for each in (low, high, value))
        parts.append(
            f'<div class="name">{text_of(name)}</div><div class="track">'
            f'<i class="bar" style="left:{left:g}%;width:{right - left:g}%;'
            f'--colour:{colours[0]}"></i>'
            f'<i class="point" style="left:{at:g}%;--colour:{colours[1]}"></i></div>'
        )
    parts.append(_ticks_across(_number(ticks), ends))
    return _chart(alt, f'<div class="ranges">{"".join(parts)}</div>', "", note, keys)


def draw_columns(
    values: np.ndarray, alt: str, colour: str, *, title: str = "", up: str = "", note: str = ""
) -> str:
    """Draw values in a row as columns, numbered from 1.

    Parameters
    ----------
    values : ndarray of shape (n_values,), float
        At least one.
    alt : str
        What the chart shows, for screen readers.
    colour : str
        Hexadecimal.
    title : str
        Above the chart.
    up : str
        What the height measures.
    note : str
        What the columns are.

    Returns
    -------
    str
        HTML.

    Examples
    --------
    >>> draw_columns(np.array([1.0, -2.0]), "two values", "#7a7a7a").count("<img")
    1
    """
    n, gap = len(values), 0.1 if len(values) < FINEST else 0.0
    ends = (float(values.min(initial=0)), float(values.max(initial=0)))
    zero, *heights = (GRAIN - 10 * _place(value, ends) for value in (0.0, *values.tolist()))
    path = "".join(
        f"M{i + gap:g} {zero:.0f}V{height:.0f}H{i + 1 - gap:g}V{zero:.0f}z"
        for i, height in enumerate(heights)
    )
    picture = _picture(f'<path d="{path}" fill="{colour}"/>', n)
    picture += f'<i class="rule" style="bottom:{_place(0.0, ends):g}%"></i>'
    across = _ticks_across(_number(pick_ticks(1, n)), (0.5, n + 0.5))
    upwards = _ticks_upwards(_number(pick_ticks(*ends)), ends)
    return _chart(alt, _plot(picture, across, upwards, up), title, note)


def draw_curve(
    x: np.ndarray,
    y: np.ndarray,
    point: tuple[float, float],
    alt: str,
    colour: str,
    *,
    up: str = "",
    note: str = "",
    keys: Sequence[Key] = (),
) -> str:
    """Draw shares as a curve, with one point on it.

    Parameters
    ----------
    x, y : ndarray of shape (n_points,), float
        Points of the curve; x rises, y is in [0, 1].
    point : tuple of float
        Place of the point.
    alt : str
        What the chart shows, for screen readers.
    colour : str
        Hexadecimal.
    up : str
        What the height measures.
    note : str
        What x measures.
    keys : sequence of Key
        The legend.

    Returns
    -------
    str
        HTML.

    Examples
    --------
    >>> x, y = np.array([-1.0, 1.0]), np.array([0.0, 1.0])
    >>> "left:75%;bottom:75%" in draw_curve(x, y, (0.5, 0.75), "a line", "#0072b2")
    True
    """
    ends, colour = (float(x[0]), float(x[-1])), on_page(colour)
    points = " ".join(
        f"{10 * _place(across, ends):.0f},{GRAIN * (1 - share):.0f}"
        for across, share in zip(x.tolist(), y.tolist(), strict=True)
    )
    picture = _picture(
        f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="3" '
        'vector-effect="non-scaling-stroke"/>',
        GRAIN,
    )
    picture += (
        f'<i class="point" style="left:{_place(point[0], ends):g}%;bottom:{100 * point[1]:g}%;'
        f'--colour:{colour}"></i>'
    )
    across = _ticks_across(_number(pick_ticks(*ends)), ends)
    upwards = _ticks_upwards([(share, f"{share:.0%}") for share in (0, 0.5, 1)], (0, 1))
    return _chart(alt, _plot(picture, across, upwards, up), "", note, keys)


def _number(ticks: Sequence[float]) -> list[tuple[float, str]]:
    """Return the ticks of an axis with their texts."""
    return [(tick, with_minus(f"{tick:g}")) for tick in ticks]


def _place(value: float, ends: tuple[float, float]) -> float:
    """Return where a value lies on an axis, in percent."""
    low, high = ends
    return 100 * (value - low) / (high - low) if high > low else 0.0


def _draw_bar(bar: Bar, ends: tuple[float, float]) -> str:
    zero, end = _place(0.0, ends), _place(bar.end, ends)
    side = f"right:{100 - end:g}%" if end < zero else f"left:{end:g}%"
    return (
        f'<div class="track" title="{text_of(bar.title)}">'
        f'<i class="zero" style="left:{zero:g}%"></i>'
        f'<i class="bar hatching-{bar.hatching % HATCHINGS}" '
        f'style="left:{min(zero, end):g}%;width:{abs(end - zero):g}%;--colour:{bar.colour}"></i>'
        f'<span style="{side}">{text_of(with_minus(bar.text))}</span></div>'
    )


def _ticks_across(ticks: Sequence[tuple[float, str]], ends: tuple[float, float]) -> str:
    drawn = "".join(f'<span style="left:{_place(v, ends):g}%">{text}</span>' for v, text in ticks)
    return f'<div class="across">{drawn}</div>'


def _ticks_upwards(ticks: Sequence[tuple[float, str]], ends: tuple[float, float]) -> str:
    drawn = "".join(f'<span style="bottom:{_place(v, ends):g}%">{text}</span>' for v, text in ticks)
    return f'<div class="upwards">{drawn}</div>'


def _picture(shapes: str, width: int) -> str:
    """Return shapes on `width` x `GRAIN` units as a picture that stretches to its place."""
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {GRAIN}" '
        f'preserveAspectRatio="none">{shapes}</svg>'
    )
    return f'<img alt="" src="data:image/svg+xml,{quote(svg, safe=" =:/<>")}">'


def _plot(picture: str, across: str, upwards: str, up: str) -> str:
    head = f'<div class="up">{text_of(up)}</div>' if up else ""
    return (
        f'{head}<div class="plot">{upwards}<div class="area">{picture}</div><div></div>{across}'
        "</div>"
    )


def _chart(alt: str, body: str, title: str, note: str, keys: Sequence[Key] = ()) -> str:
    head = f'<div class="title">{text_of(title)}</div>' if title else ""
    head += f'<div class="keys">{"".join(map(_draw_key, keys))}</div>' if keys else ""
    foot = f'<div class="note">{text_of(note)}</div>' if note else ""
    return f'<div class="chart" role="img" aria-label="{text_of(alt)}">{head}{body}{foot}</div>'


def _draw_key(key: Key) -> str:
    kind = "point" if key.point else f"swatch hatching-{key.hatching % HATCHINGS}"
    return f'<span><i class="{kind}" style="--colour:{key.colour}"></i>{text_of(key.name)}</span>'
