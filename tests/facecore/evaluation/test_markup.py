"""HTML from texts of others: nothing in them is markup, and cards look as Markdown says."""

import re
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from facecore.evaluation.markup import make_table, render_card, text_of
from facecore.model.store import read_card
from facecore.system.text import escape_markdown

NASTY = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "a & b &lt;",
    "*a* **b** `c`",
    "a|b",
    "a\\|b\\",
    "1. x",
    "- x",
    "# x",
    "[l](javascript:alert(1))",
    "a\nb\u202ec",
]
TABLE = {"div", "table", "thead", "tbody", "tr", "th", "td"}


class Reader(HTMLParser):
    """Collects tags and texts as a browser would see them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("text", NASTY)
def test_a_text_is_shown_as_it_is(text):
    for html in (text_of(text), f'<i title="{text_of(text)}">'):
        assert Reader(html).tags in ([], ["i"])
    shown = Reader(text_of(text)).text
    assert shown == text.replace("\n", "\\n").replace("\u202e", "\\u202e")


@pytest.mark.parametrize("text", NASTY)
def test_a_table_shows_texts_in_every_place(text):
    html = make_table([text, "n"], [[text, 1], ["b", None]], text)
    read = Reader(html)
    assert set(read.tags) == TABLE
    shown = Reader(text_of(text)).text
    assert read.text.count(shown) == 2
    assert read.tags.count("td") == 2
    assert read.text.rstrip().endswith("-")


@pytest.mark.parametrize("text", NASTY)
def test_an_escaped_text_in_a_card_is_shown_as_it_is(text):
    card = f"# {escape_markdown('x' + text)}\n\n| a | b |\n| --- | ---: |\n"
    card += f"| {escape_markdown(text)} | 1 |\n\n{escape_markdown(text)} and **more**."
    read = Reader(render_card(card))
    shown = escape_free(text)
    assert set(read.tags) == {
        "h2",
        "div",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "p",
        "strong",
    }
    assert read.text.count(shown) == 3
    assert read.tags.count("td") == 1


def escape_free(text: str) -> str:
    return " ".join(text.split()).replace("\u202e", "\\u202e")


@pytest.mark.parametrize("text", ["<b>x</b>", "![i](u)", "<style>*{}</style>", "[l](u)"])
def test_html_and_links_in_a_card_are_texts(text):
    read = Reader(render_card(text))
    assert read.tags == ["p"]
    assert read.text == text


@pytest.mark.parametrize("name", ["aligned", "classic", "embedding"])
def test_the_cards_that_ship_look_as_a_reader_of_markdown_shows_them(name, shipped):
    card = read_card(name)
    other = MarkdownIt("js-default").render(card)
    ours, theirs = Reader(render_card(card, level=0)), Reader(other)
    assert re.sub(r"\s+", "", ours.text) == re.sub(r"\s+", "", theirs.text)
    for tag in ("h1", "h2", "h3", "li", "table", "tr", "strong", "code", "p", "ul"):
        assert ours.tags.count(tag) == theirs.tags.count(tag), tag


def test_headings_move_down():
    assert render_card("# a\n\n### b", level=2) == "<h3>a</h3>\n<h5>b</h5>"


def test_a_row_that_is_too_short_or_too_long_fits():
    read = Reader(render_card("| a | b |\n| --- | --- |\n| 1 |\n| 1 | 2 | 3 |"))
    assert read.tags.count("td") == 2
    assert "3" not in read.text


def test_nothing_is_nothing():
    assert render_card("") == ""
