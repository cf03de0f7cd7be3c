"""Draw the rooms of the library from its imports: python tools/architecture.py

Writes docs/rooms.svg, and the table of rooms between two marks in docs/architecture.md.
"""

import ast
import re
import sys
import textwrap
from html import escape
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

from tools.marks import replace_between  # noqa: E402

PAGE = REPO / "docs" / "architecture.md"
PICTURE = REPO / "docs" / "rooms.svg"
APPS = {
    "dashboard": ("dashboard.py", "pages", "ui"),
    "site": ("webapp",),
}
IDEAS = {
    "__main__": "`python -m facecore`, or `facecore`",
    "errors": "One family of exceptions, each with a message for a person",
    "dashboard": "`dashboard.py`, `pages/`, `ui/`: Streamlit",
    "site": "`webapp/`: Flask",
}
WIDE, MARGIN, LEAD = 760, 20, 16  # of the picture, around a room, between lines; in pixels
LETTERS, LETTER, APART = 40, 7.2, 48  # per line, width of one, between floors
STYLE = """
    text { font: 12px ui-monospace, monospace; fill: #1f2937; }
    .name { font-weight: 700; font-size: 14px; }
    rect { fill: #f3f4f6; stroke: #9ca3af; }
    path { fill: none; stroke: #6b7280; stroke-width: 1.5; }
    marker path { fill: #6b7280; stroke: none; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e5e7eb; }
      rect { fill: #1f2937; stroke: #6b7280; }
      path { stroke: #9ca3af; }
      marker path { fill: #9ca3af; }
    }
"""


def room_of(path: Path) -> str:
    """Return the room, top module or app that a source file belongs to.

    Parameters
    ----------
    path : Path
        Relative to the repository.

    Returns
    -------
    str
        Such as ``"face"``, ``"errors"`` or ``"dashboard"``; ``"facecore"`` for its public list.
    """
    top, *inner = path.with_suffix("").parts
    if top != "facecore":
        return next(app for app, places in APPS.items() if path.parts[0] in places)
    return inner[0] if inner[0] != "__init__" else top


def sources() -> list[Path]:
    """Return the source files of the library and of both apps, relative to the repository."""
    places = ["facecore", *(place for places in APPS.values() for place in places)]
    found = [
        path
        for place in places
        for path in ([REPO / place] if place.endswith(".py") else (REPO / place).rglob("*.py"))
    ]
    return [path.relative_to(REPO) for path in sorted(found)]


def modules() -> dict[str, list[str]]:
    """Return the names of the modules in each room of the library; a top module has none."""
    found: dict[str, list[str]] = {room_of(path): [] for path in sources()}
    for path in sources():
        if len(path.parts) == 3 and path.parts[0] == "facecore" and path.stem != "__init__":
            found[room_of(path)].append(path.stem)
    return {room: names for room, names in found.items() if room != "facecore"}


def imports() -> dict[str, set[str]]:
    """Return for each room the others that it imports."""
    rooms = modules()
    found: dict[str, set[str]] = {room: set() for room in rooms}
    for path in sources():
        room = room_of(path)
        if room in rooms:
            found[room] |= {name for name in _imported(path) if name in rooms} - {room}
    return found


def _imported(path: Path) -> set[str]:
    """Return the rooms of facecore that a file imports; apps import one another through none."""
    names: set[str] = set()
    for node in ast.walk(ast.parse((REPO / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name.split(".")[1] for name in names if name.startswith("facecore.")}


def floors(uses: dict[str, set[str]]) -> list[list[str]]:
    """Return the rooms by floor, the lowest first: a room stands above all that it imports.

    Parameters
    ----------
    uses : dict of str to set of str
        As `imports` returns it.

    Returns
    -------
    list of list of str

    Raises
    ------
    ValueError
        Rooms import each other in a circle.
    """
    found: list[list[str]] = []
    left = set(uses)
    while left:
        floor = sorted(room for room in left if not uses[room] & left)
        if not floor:
            raise ValueError(f"rooms import each other in a circle: {', '.join(sorted(left))}")
        found.append(floor)
        left -= set(floor)
    return found


def arrows(uses: dict[str, set[str]]) -> list[tuple[str, str]]:
    """Return the imports that do not follow from others: what the picture shows.

    Parameters
    ----------
    uses : dict of str to set of str
        As `imports` returns it.

    Returns
    -------
    list of (str, str)
        A room and one that it imports.
    """
    reach: dict[str, set[str]] = {}
    for room in (room for floor in floors(uses) for room in floor):
        reach[room] = uses[room].union(*(reach[used] for used in uses[room]))
    return [
        (room, used)
        for room in sorted(uses)
        for used in sorted(uses[room])
        if not any(used in reach[other] for other in uses[room])
    ]


def picture() -> str:
    """Return the rooms and their arrows as SVG."""
    uses, inside = imports(), modules()
    lines = {room: textwrap.wrap(", ".join(inside[room]), LETTERS) for room in uses}
    boxes, height = _place(floors(uses), lines)
    parts = [_arrow(boxes[room], boxes[used]) for room, used in arrows(uses)]
    parts += [_box(boxes[room], _plain(room), lines[room]) for room in sorted(uses)]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {height}" '
            f'width="{WIDE}" height="{height}" role="img">',
            "  <title>The rooms of facecore; an arrow leads to what a room imports</title>",
            f"  <style>{STYLE}  </style>",
            '  <marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" '
            'markerHeight="8" orient="auto"><path d="M0 0 8 4 0 8z"/></marker>',
            *parts,
            "</svg>",
            "",
        ]
    )


Box = tuple[float, float, float, float]  # left, top, width, height


def _place(order: list[list[str]], lines: dict[str, list[str]]) -> tuple[dict[str, Box], int]:
    """Return a box for each room, the highest floor at the top, and the picture's height."""
    boxes: dict[str, Box] = {}
    top = float(MARGIN)
    for floor in reversed(order):
        wide = [
            round(LETTER * max(map(len, [*lines[room], _plain(room) + " " * 8]))) + 2 * LEAD
            for room in floor
        ]
        tall = max(LEAD * (len(lines[room]) + 2) for room in floor)
        gap = (WIDE - sum(wide)) / (len(floor) + 1)
        left = gap
        for room, width in zip(floor, wide, strict=True):
            boxes[room] = (left, top, width, tall)
            left += width + gap
        top += tall + APART
    return boxes, round(top - APART + MARGIN)


def _arrow(upper: Box, lower: Box) -> str:
    """Return a curve from the bottom of one box to the top of another."""
    x, y = upper[0] + upper[2] / 2, upper[1] + upper[3]
    u, v = lower[0] + lower[2] / 2, lower[1] - 2
    bend = (v - y) / 2
    return (
        f'  <path d="M{x:.0f} {y:.0f}C{x:.0f} {y + bend:.0f} {u:.0f} {v - bend:.0f} '
        f'{u:.0f} {v:.0f}" marker-end="url(#tip)"/>'
    )


def _box(box: Box, name: str, lines: list[str]) -> str:
    left, top, width, height = box
    texts = [(name, "name"), *((line, "") for line in lines)]
    start = top + (height - LEAD * len(texts)) / 2 + LEAD - 4
    rows = "".join(
        f'<text x="{left + width / 2:.0f}" y="{start + LEAD * i:.0f}" text-anchor="middle"'
        f"{f' class={chr(34)}{kind}{chr(34)}' if kind else ''}>{escape(text)}</text>"
        for i, (text, kind) in enumerate(texts)
    )
    shape = f'x="{left:.0f}" y="{top:.0f}" width="{width:.0f}" height="{height:.0f}" rx="6"'
    return f"  <g><rect {shape}/>{rows}</g>"


def _plain(room: str) -> str:
    return "command line" if room == "__main__" else room


def table() -> str:
    """Return the rooms as a Markdown table: what each is for, its modules, and what it imports."""
    uses, inside = imports(), modules()
    rows = ["| room | idea | modules | imports |", "|---|---|---|---|"]
    for room in (room for floor in floors(uses) for room in floor):
        cells = (
            f"**{_plain(room)}**" if room in APPS or room == "__main__" else f"**`{room}`**",
            IDEAS.get(room) or sentence(REPO / "facecore" / room / "__init__.py"),
            ", ".join(f"`{name}`" for name in inside[room]),
            ", ".join(f"`{name}`" for name in sorted(uses[room])),
        )
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def sentence(path: Path) -> str:
    """Return the first line of a module's docstring, without its full stop.

    Parameters
    ----------
    path : Path

    Returns
    -------
    str
    """
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return re.sub(r"\.$", "", text.partition("\n")[0])


def main() -> None:
    """Write the picture and the table."""
    PICTURE.write_text(picture(), encoding="utf-8")
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(replace_between(page, "rooms", table()), encoding="utf-8")
    order = floors(imports())
    print(f"{sum(map(len, order))} rooms on {len(order)} floors")


if __name__ == "__main__":
    main()
