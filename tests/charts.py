"""The dashboard's charts as a test reads them: by what a screen reader says of each."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest


@dataclass
class Chart:
    """What is drawn in a chart, in the order of the page."""

    texts: list[str] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)
    places: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)

    def of(self, kind: str) -> list[dict[str, str]]:
        """Return the style of each thing of a kind: bar, point, zero."""
        return [style for kinds, style in self.places if kind in kinds.split()]


class _Reader(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.charts: dict[str, Chart] = {}
        self.tags: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        found = dict(attrs)
        if found.get("role") == "img":
            self.chart = self.charts[found["aria-label"]] = Chart()
        if not self.charts:
            return
        if "style" in found:
            style = dict(each.split(":", 1) for each in found["style"].split(";"))
            self.chart.places.append((found.get("class", ""), style))
        if "title" in found:
            self.chart.titles.append(found["title"])
        if tag == "img":
            self.chart.pictures.append(unquote(found["src"].split(",", 1)[1]))

    def handle_data(self, data):
        if self.charts:
            self.chart.texts.append(data)


def contrast(colour: str, other: str) -> float:
    """Return the contrast of two colours, #rrggbb or rgb(r, g, b), as WCAG 2 defines it."""
    lights = []
    for text in (colour, other):
        levels = bytes.fromhex(text[1:]) if text[0] == "#" else re.findall(r"[\d.]+", text)
        shares = [float(level) / 255 for level in levels]
        linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
        lights.append(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2])
    return (max(lights) + 0.05) / (min(lights) + 0.05)


def read_charts(html: str) -> dict[str, Chart]:
    """Return the charts in HTML by their texts for screen readers; it has no other tags."""
    reader = _Reader(html)
    assert reader.tags <= {"div", "span", "i", "img"}
    return reader.charts


def charts_of(app: "AppTest") -> dict[str, Chart]:
    """Return the charts of a screen that are HTML."""
    bodies = (element.proto.body for element in app.get("html"))
    return {
        alt: chart
        for body in bodies
        if body.startswith('<div class="charts">')
        for alt, chart in read_charts(body).items()
    }


def percent(style: dict[str, str], key: str) -> float:
    """Return a length of a style."""
    (number,) = re.fullmatch(r"(-?[\d.e-]+)%", style[key]).groups()
    return float(number)
