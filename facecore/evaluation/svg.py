"""Figures as SVG, written from numbers: no script, no style of their own, the same bytes each time.

Colours are classes (``one`` and ``two`` for data, ``ink`` for texts, ``axis`` for lines), which the
page that holds a figure sets for light, dark and paper.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, isfinite, log10

from facecore.evaluation.markup import text_of

WIDTH = 440
MARGIN = {"left": 64, "right": 14, "top": 12, "bottom": 44}
NAMES = 150  # width of the names beside dots, in pixels
ROW = 22  # height of a row of dots
LETTER = 7.5  # width of a digit, in pixels
LONGEST = 22  # letters of a name; longer ones are cut, and whole in the title
STRONGEST = 0.55  # opacity of a cell of share 1, on which text can be read


@dataclass(frozen=True)
class Line:
    """A line of a figure.

    Parameters
    ----------
    x, y : sequence of float
        Coordinates of its points.
    name : str
        For the legend; empty for none.
    low, high : sequence of float
        Ends of the error bar of each point; empty for none.
    dots : bool
        Whether each point is marked.
    dotted : bool
        Whether it is a reference, which no data lies on.
    """

    x: Sequence[float]
    y: Sequence[float]
    name: str = ""
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    dots: bool = False
    dotted: bool = False


def pick_ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Return round numbers to label an axis with.

    Parameters
    ----------
    low, high : float
        Ends of the axis.
    most : int
        Numbers at most, at least 2.

    Returns
    -------
    list of float

    Examples
    --------
    >>> pick_ticks(0, 1), pick_ticks(0.871, 0.906)
    ([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], [0.88, 0.89, 0.9])
    """
    span = high - low
    if not (isfinite(span) and span > 0):
        return [low]
    power = 10.0 ** floor(log10(span / most))
    step = next(power * k for k in (1, 2, 5, 10, 20) if span / (power * k) <= most - 0.5)
    digits = max(0, -floor(log10(step)))
    first = -(-low // step)
    ticks = [round((first + i) * step, digits) for i in range(most + 1)]
    return [tick for tick in ticks if tick <= high + step * 1e-6]


def draw_lines(
    lines: Sequence[Line],
    alt: str,
    x_name: str,
    y_name: str,
    *,
    x_range: tuple[float, float] | None = None,
    y_range: tuple[float, float] | None = None,
    height: int = 280,
) -> str:
    """Draw lines over two axes.

    Parameters
    ----------
    lines : sequence of Line
        At most two with data; references do not count.
    alt : str
        What the figure shows, for screen readers.
    x_name, y_name : str
        Of the axes.
    x_range, y_range : tuple of float, optional
        Ends of the axes; those of the data when left out.
    height : int
        In pixels.

    Returns
    -------
    str
        An ``svg`` element.

    Examples
    --------
    >>> draw_lines([Line([0, 1], [0, 1])], "a line", "x", "y").startswith("<svg")
    True
    """
    named = [line for line in lines if line.name]
    left, top = MARGIN["left"], MARGIN["top"] + 16 * len(named)
    right, bottom = WIDTH - MARGIN["right"], height - MARGIN["bottom"]
    x0, x1 = x_range or _ends([value for line in lines for value in line.x])
    ys = [v for line in lines for values in (line.y, line.low, line.high) for v in values]
    y0, y1 = y_range or _ends(ys)

    def across(value: float) -> float:
        return left + (value - x0) / (x1 - x0) * (right - left)

    def up(value: float) -> float:
        return bottom - (min(max(value, y0), y1) - y0) / (y1 - y0) * (bottom - top)

    parts = []
    for tick in pick_ticks(y0, y1):
        parts.append(_rule(left, up(tick), right, up(tick), "grid"))
        parts.append(_text(left - 6, up(tick) + 4, f"{tick:g}", "end"))
    for tick in pick_ticks(x0, x1):
        parts.append(_rule(across(tick), bottom, across(tick), bottom + 4, "axis"))
        parts.append(_text(across(tick), bottom + 17, f"{tick:g}", "middle"))
    parts.append(_rule(left, bottom, right, bottom, "axis"))
    parts.append(_text((left + right) / 2, height - 6, x_name, "middle"))
    parts.append(
        f'<text class="ink" x="{-(top + bottom) / 2:g}" y="14" text-anchor="middle" '
        f'transform="rotate(-90)">{text_of(y_name)}</text>'
    )
    colours = iter(("one", "two"))
    for line in lines:
        colour = "axis" if line.dotted else next(colours)
        points = [(across(x), up(y)) for x, y in zip(line.x, line.y, strict=True)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        dash = ' stroke-dasharray="3 4"' if line.dotted else ""
        parts.append(f'<polyline class="line {colour}" points="{path}"{dash}/>')
        for (x, _), low, high in zip(points, line.low, line.high, strict=False):
            parts.append(_rule(x, up(low), x, up(high), f"line {colour}"))
        if line.dots:
            parts += [
                f'<circle class="{colour}" cx="{x:.1f}" cy="{y:.1f}" r="4"/>' for x, y in points
            ]
        if line.name:
            at = 14 + 16 * named.index(line)
            parts.append(_rule(left + 8, at - 4, left + 28, at - 4, f"line {colour}", dash))
            parts.append(_text(left + 34, at, line.name, "start"))
    return _svg(parts, height, alt)


def draw_dots(
    rows: Sequence[tuple[str, float, float, float, str]],
    alt: str,
    x_name: str,
    *,
    reference: float | None = None,
) -> str:
    """Draw one value per name with its interval.

    Parameters
    ----------
    rows : sequence of tuple
        Name, value, low, high and a note, from top to bottom; at least one.
    alt : str
        What the figure shows, for screen readers.
    x_name : str
        Of the axis of the values.
    reference : float, optional
        A value to compare with.

    Returns
    -------
    str
        An ``svg`` element.

    Examples
    --------
    >>> "60+" in draw_dots([("60+", 0.8, 0.7, 0.9, "98 photos")], "accuracy by age", "accuracy")
    True
    """
    left, right, top = NAMES, WIDTH - MARGIN["right"], 8
    bottom = top + ROW * len(rows)
    values = [value for row in rows for value in row[1:4]]
    x0, x1 = _ends(values if reference is None else [*values, reference])

    def across(value: float) -> float:
        return left + (value - x0) / (x1 - x0) * (right - left)

    parts = []
    for tick in pick_ticks(x0, x1, 5):
        parts.append(_rule(across(tick), top, across(tick), bottom, "grid"))
        parts.append(_text(across(tick), bottom + 15, f"{tick:g}", "middle"))
    if reference is not None:
        x = across(reference)
        parts.append(_rule(x, top, x, bottom, "line axis", ' stroke-dasharray="3 4"'))
    for number, (name, value, low, high, note) in enumerate(rows):
        y = top + ROW * (number + 0.5)
        title = f"<title>{text_of(name)}: {value:.3f} ({low:.3f} to {high:.3f}), {text_of(note)}"
        parts.append(f"<g>{title}</title>{_text(left - 8, y + 4, _short(name), 'end')}")
        parts.append(_rule(across(low), y, across(high), y, "line one"))
        parts.append(f'<circle class="one" cx="{across(value):.1f}" cy="{y:.1f}" r="4"/></g>')
    parts.append(_text((left + right) / 2, bottom + 33, x_name, "middle"))
    return _svg(parts, bottom + 40, alt)


def draw_cells(
    shares: Sequence[Sequence[float]],
    texts: Sequence[Sequence[str]],
    row_names: Sequence[str],
    column_names: Sequence[str],
    alt: str,
    row_title: str,
    column_title: str,
) -> str:
    """Draw a table of cells, the stronger in colour the larger the share.

    Parameters
    ----------
    shares : sequence of sequence of float
        Row by row, in [0, 1]; NaN for an empty cell.
    texts : sequence of sequence of str
        What each cell says; in the cells where they have room for it, else only in their titles.
    row_names, column_names : sequence of str
        Of the rows and columns.
    alt : str
        What the figure shows, for screen readers.
    row_title, column_title : str
        What rows and columns are.

    Returns
    -------
    str
        An ``svg`` element.

    Examples
    --------
    >>> cells = draw_cells([[0.9, 0.1]], [["9", "1"]], ["calm"], ["calm", "sad"], "", "", "")
    >>> cells.count("<rect")
    2
    """
    left = 90 if len(column_names) > 3 else 110
    turned = len(column_names) > 4
    top = 92 if turned else 40
    # the name of the last column leans over its end
    wide = (WIDTH - left - (44 if turned else 4)) / max(len(column_names), 1)
    few = wide >= 6 + LETTER * max((len(text) for row in texts for text in row), default=0)
    tall = min(40.0, max(wide, 24.0)) if few else wide
    longest = 12 if not turned else 13
    beside = max(left, 4 + LETTER * (len(row_title) + 1))  # behind the title of the rows
    parts = [_text(beside, 12, column_title, "start"), _text(4, 12, row_title, "start")]
    thin = max(1, -(-len(column_names) // 30))
    for j, name in enumerate(column_names):
        x = left + wide * (j + 0.5)
        if j % thin:
            continue
        if turned:
            turn = f"translate({x + 4:.1f} {top - 5}) rotate(-60)"
            word = text_of(_short(name, longest))
            parts.append(f'<text class="ink" text-anchor="start" transform="{turn}">{word}</text>')
        else:
            parts.append(_text(x, top - 6, _short(name, longest), "middle"))
    for i, name in enumerate(row_names):
        y = top + tall * i
        if not i % thin:
            parts.append(_text(left - 6, y + tall / 2 + 4, _short(name, 13), "end"))
        for j, column in enumerate(column_names):
            share = shares[i][j]
            strength = 0.0 if share != share else STRONGEST * min(max(share, 0.0), 1.0)
            x = left + wide * j
            title = f"{text_of(name)}, {text_of(column)}: {text_of(texts[i][j])}"
            parts.append(
                f'<g><title>{title}</title><rect class="cell" x="{x:.1f}" y="{y:.1f}" '
                f'width="{wide:.1f}" height="{tall:.1f}" fill-opacity="{strength:.3f}"/>'
                + (_text(x + wide / 2, y + tall / 2 + 4, texts[i][j], "middle") if few else "")
                + "</g>"
            )
    return _svg(parts, top + tall * len(row_names) + 6, alt)


def _ends(values: Sequence[float]) -> tuple[float, float]:
    known = [value for value in values if isfinite(value)]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    room = 0.05 * (high - low) or 0.05
    return low - room, high + room


def _short(name: str, longest: int = LONGEST) -> str:
    return name if len(name) <= longest else f"{name[: longest - 1]}…"


def _rule(x1: float, y1: float, x2: float, y2: float, colour: str, more: str = "") -> str:
    return f'<line class="{colour}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"{more}/>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return (
        f'<text class="ink" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text_of(text)}</text>'
    )


def _svg(parts: Sequence[str], height: float, alt: str) -> str:
    return (
        f'<svg role="img" aria-label="{text_of(alt)}" viewBox="0 0 {WIDTH} {height:.0f}" '
        f'xmlns="http://www.w3.org/2000/svg">{"".join(parts)}</svg>'
    )
