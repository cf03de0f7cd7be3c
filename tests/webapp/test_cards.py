"""Cards as HTML: nothing of a card's own runs, and the policy of the site refuses nothing."""

import re

from siteparts import FIGURES, METADATA, make_model

from facecore.evaluation.card import write_card
from webapp.cards import render


def test_html_in_a_card_is_shown_and_not_run():
    html = render("# Card\n\n<script>alert(1)</script> <b onclick='x'>bold</b>\n")
    assert "<script" not in html
    assert "<b" not in html
    assert "&lt;script&gt;" in html


def test_a_card_brings_no_image_and_no_link():
    html = render("![a](https://example.org/a.png) [b](javascript:alert(1)) <https://example.org>")
    assert "<img" not in html
    assert "<a" not in html


def test_markup_in_names_is_shown_as_it_is():
    labels = ("*round*", "a|b <i>$x$ :red[y]")
    metadata = METADATA | {"labels": labels, "training_faces": dict.fromkeys(labels, 3)}
    html = render(write_card(make_model(), metadata, {"d|rawings": FIGURES}))
    assert "like: *round*, a|b &lt;i&gt;$x$ :red[y]." in html
    assert re.search(r'<th scope="row">d\|rawings</th>', html)


def test_a_table_scrolls_by_itself_has_headings_and_no_inline_style():
    html = render("## Sizes of `a`\n\n| set | n |\n|---|--:|\n| x | 1 |\n")
    assert 'tabindex="0" role="region" aria-label="Sizes of a"' in html
    assert '<th scope="col">set</th>' in html
    assert '<th scope="row">x</th>' in html
    assert "style=" not in html
