"""A model's card from Markdown to HTML, without any HTML, link, image or style of its own."""

from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup

CLASSES = {"h2": "h4 mt-5", "h3": "h6 mt-4", "table": "table table-sm w-auto"}


def render(card: str) -> Markup:
    """Render a card.

    Parameters
    ----------
    card : str
        Markdown, which need not be trusted.

    Returns
    -------
    Markup
        HTML for a page with Bootstrap's style sheet.
    """
    tokens = _parser.parse(card)
    heading = ""
    for i, token in enumerate(tokens):
        if token.nesting == 1 and token.tag in CLASSES:
            token.attrSet("class", CLASSES[token.tag])
        if token.type == "heading_open":
            heading = "".join(part.content for part in tokens[i + 1].children or [])
        elif token.type == "table_open":
            token.meta["heading"] = heading
        elif token.type == "th_open":
            token.attrSet("scope", "col")
        elif token.type == "td_open" and tokens[i - 1].type == "tr_open":
            token.tag = tokens[i + 2].tag = "th"
            token.attrSet("scope", "row")
        if token.attrs.pop("style", None):  # which the content security policy refuses
            token.attrSet("class", "text-end text-nowrap")
    return Markup(_parser.renderer.render(tokens, _parser.options, {}))


def _open_table(
    renderer: RendererHTML, tokens: Sequence[Token], i: int, options: Any, env: Any
) -> str:
    """Let a table that is wider than the screen scroll on its own, also by keyboard."""
    label = escapeHtml(tokens[i].meta["heading"])
    return (
        f'<div class="table-responsive" tabindex="0" role="region" aria-label="{label}">'
        + renderer.renderToken(tokens, i, options, env)
    )


def _close_table(*_: Any) -> str:
    return "</table>\n</div>\n"


# HTML, links and images in a card are shown as text.
_parser = MarkdownIt("js-default").disable(["image", "link", "autolink"])
_parser.add_render_rule("table_open", _open_table)
_parser.add_render_rule("table_close", _close_table)
