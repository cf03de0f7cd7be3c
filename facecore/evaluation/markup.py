"""HTML from texts of others: every text is escaped, and the Markdown of cards has a small renderer.

A report must open anywhere without another file, so nothing here writes a link, a script or a
style.
"""

import re
from collections.abc import Iterator, Sequence
from html import escape

from facecore.system.text import show_hidden

# An escaped sign, an end of bold text, or code. Cards use no other signs.
INLINE = re.compile(r"\\([!-/:-@\[-`{-~])|(\*\*)|`([^`]+)`")
BAR = re.compile(r"(?<!\\)\|")
RULE = re.compile(r":?-{3,}:?")


def text_of(value: object) -> str:
    """Return a text as HTML that shows it as it is, on one line.

    Parameters
    ----------
    value : object
        Its ``str`` is of any origin, such as a label.

    Returns
    -------
    str
        Also fit for the value of an attribute between double quotes.

    Examples
    --------
    >>> text_of("<b>&")
    '&lt;b&gt;&amp;'
    """
    return escape(show_hidden(str(value)))


def make_table(columns: Sequence[str], rows: Sequence[Sequence[object]], caption: str) -> str:
    """Return a table as HTML; the first cell of a row is its heading.

    Parameters
    ----------
    columns : sequence of str
        Headings.
    rows : sequence of sequence of object
        Cells, as many as columns; None is a dash.
    caption : str
        What the table shows.

    Returns
    -------
    str
        In a box that scrolls where the table is wider than the page.

    Examples
    --------
    >>> "<td>0.9</td>" in make_table(["set", "accuracy"], [["lfw", 0.9]], "Accuracy")
    True
    """
    cells = [["-" if cell is None else text_of(cell) for cell in row] for row in rows]
    return _table([text_of(name) for name in columns], cells, text_of(caption))


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], caption: str) -> str:
    top = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    body = "\n".join(
        f'<tr><th scope="row">{row[0]}</th>' + "".join(f"<td>{c}</td>" for c in row[1:]) + "</tr>"
        for row in rows
    )
    return (
        f'<div class="wide" role="region" aria-label="{caption}" tabindex="0"><table>'
        f"<thead><tr>{top}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>"
    )


def render_card(card: str, level: int = 1) -> str:
    """Render the Markdown of a card as HTML.

    Headings, paragraphs, lists, tables, indented code, bold text and code are rendered, as cards
    have no more. Everything else, such as HTML, is shown as it is written.

    Parameters
    ----------
    card : str
        Markdown, which need not be trusted.
    level : int
        By how many levels headings move down, from 0 to 3.

    Returns
    -------
    str

    Examples
    --------
    >>> render_card("# Card\\n\\nRight in **9 of 10**.", level=1)
    '<h2>Card</h2>\\n<p>Right in <strong>9 of 10</strong>.</p>'
    """
    heading, blocks = "", []
    for lines in _blocks(card):
        first = lines[0]
        if found := re.match(r"(#{1,3}) (.+)", first):
            heading, depth = _inline(found[2]), len(found[1]) + level
            blocks.append(f"<h{depth}>{heading}</h{depth}>")
        elif first.startswith("|") and len(lines) > 1 and _is_rule(lines[1]):
            head, _, *rows = (_cells(line) for line in lines)
            label = re.sub(r"<[^>]+>", "", heading)
            blocks.append(_table(head, [_fit(row, len(head)) for row in rows], label))
        elif first.startswith("- "):
            items = re.split(r"\n(?=- )", "\n".join(lines))
            listed = "".join(f"<li>{_inline(_one_line(item[2:]))}</li>" for item in items)
            blocks.append(f"<ul>{listed}</ul>")
        elif first.startswith("    "):
            code = "\n".join(line[4:] for line in lines)
            blocks.append(f"<pre><code>{escape(code)}</code></pre>")
        else:
            blocks.append(f"<p>{_inline(_one_line(' '.join(lines)))}</p>")
    return "\n".join(blocks)


def _blocks(card: str) -> Iterator[list[str]]:
    for block in re.split(r"\n\s*\n", card.strip("\n")):
        if lines := [line.rstrip() for line in block.split("\n") if line.strip()]:
            yield lines


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _is_rule(line: str) -> bool:
    return all(RULE.fullmatch(cell.strip()) for cell in line.strip().strip("|").split("|"))


def _cells(line: str) -> list[str]:
    return [_inline(cell.strip()) for cell in BAR.split(line.strip())[1:-1]]


def _fit(row: list[str], width: int) -> list[str]:
    return (row + [""] * width)[:width]


def _inline(text: str) -> str:
    parts, at, bold = [], 0, False
    for found in INLINE.finditer(text):
        parts.append(text_of(text[at : found.start()]))
        at = found.end()
        if found[1]:
            parts.append(text_of(found[1]))
        elif found[2]:
            bold = not bold
            parts.append("<strong>" if bold else "</strong>")
        else:
            parts.append(f"<code>{text_of(found[3])}</code>")
    parts.append(text_of(text[at:]))
    return "".join(parts) + ("</strong>" if bold else "")
