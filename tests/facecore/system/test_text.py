"""Texts of others on one line, without what is hidden, and without markup."""

import re
from html import unescape

import pytest
from markdown_it import MarkdownIt

from facecore.system.text import describe_share, escape_markdown, show_hidden, with_minus

PLAIN = [
    "smiling",
    "s1",
    "Anna-Maria Müller",
    "20-39",
    "60+",
    "a_b",
    "x.png",
    "0.5",
    "子供",
    "👩‍👧",
    "é",
]
MARKUP = [
    "*a*",
    "**a",
    "_a_",
    "__a__",
    "_",
    "a_ b_",
    "`c`",
    "``",
    "~~s~~",
    "# h",
    "h #",
    "- x",
    "-",
    "---",
    "- - -",
    "+ x",
    "1. x",
    "12) x",
    "1.",
    "> q",
    "[l](u)",
    "![i](u)",
    "[l]: u",
    "<b>b</b>",
    "<!-- c -->",
    "<https://x.example>",
    "<a",
    "</a",
    "<?a?>",
    "<A HREF>",
    ">= 3",
    ">=1,<2",
    "a > b < c",
    "&amp; &lt; &#42;",
    "a|b",
    "| a |",
    "$x$ and $y$",
    "\\",
    "\\*",
    "C:\\a\\",
    "***",
    "===",
]


def shown(markdown: str) -> str:
    """What a reader sees of Markdown."""
    html = MarkdownIt("gfm-like", {"linkify": False}).render(markdown)
    assert set(re.findall(r"</?(\w+)", html)) <= {"p"}, html
    return unescape(re.sub(r"<[^>]+>", "", html)).strip()


@pytest.mark.parametrize("text", [*PLAIN, *MARKUP])
def test_markdown_shows_a_text_as_it_is(text):
    assert shown(escape_markdown(text)) == text


@pytest.mark.parametrize("text", [*PLAIN, *MARKUP])
@pytest.mark.parametrize("frame", ["A {} b", "says {}, b", "({})", "{}: b"])
def test_also_inside_a_sentence(text, frame):
    assert shown(frame.format(escape_markdown(text))) == frame.format(text)


@pytest.mark.parametrize("text", MARKUP)
def test_also_in_a_cell_of_a_table(text):
    table = f"| {escape_markdown(text)} | b |\n| --- | --- |\n| c | {escape_markdown(text)} |\n"
    html = MarkdownIt("gfm-like", {"linkify": False}).render(table)
    cells = [unescape(cell) for cell in re.findall(r"<t[hd]>(.*?)</t[hd]>", html)]
    assert cells == [text, "b", "c", text]


@pytest.mark.parametrize("text", PLAIN)
def test_what_is_plain_stays(text):
    assert escape_markdown(text) == show_hidden(text) == text


@pytest.mark.parametrize("text", ["a\nb", "a\r\n\r\nb", "a\tb", " a  b ", "a\u2028b", "a\n# b"])
def test_markdown_is_one_line(text):
    line = escape_markdown(text)
    assert len(line.splitlines()) == 1
    assert line == line.strip()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\nb", r"a\nb"),
        ("a\r\nb", r"a\r\nb"),
        ("a\tb", r"a\tb"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("bell\x07", r"bell\x07"),
        ("\x7f", r"\x7f"),
        ("c1\x9b31m", r"c1\x9b31m"),
        ("next\x85line", r"next\x85line"),
        ("a\u2028b\u2029c", r"a\u2028b\u2029c"),
        ("photo\u202egnp.exe", r"photo\u202egnp.exe"),
        ("\u2066a\u2069\u200f", r"\u2066a\u2069\u200f"),
        ("Ren\udce9", r"Ren\udce9"),
        ("a b\\n", "a b\\n"),
    ],
)
def test_hidden_characters_become_escapes(text, line):
    assert show_hidden(text) == line


def test_a_share_that_is_not_nothing_is_not_told_as_nothing():
    assert [describe_share(share, 1) for share in (0, 2 / 7344, 0.0006, 0.5)] == [
        "0.0%",
        "<0.1%",
        "0.1%",
        "50.0%",
    ]


@pytest.mark.parametrize(
    ("hyphens", "minus"),
    [
        ("-1.2", "\u22121.2"),
        ("-.004 to +.008", "\u2212.004 to +.008"),
        ("0.9 (-0.001)", "0.9 (\u22120.001)"),
        ("20-39", "20-39"),
        ("2026-11-30", "2026-11-30"),
        ("1e-05", "1e-05"),
        ("-", "-"),
    ],
)
def test_a_minus_stands_before_numbers_and_a_hyphen_between_them(hyphens, minus):
    assert with_minus(hyphens) == minus
