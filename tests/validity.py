"""What every page is held to."""

import re
from collections import Counter
from itertools import pairwise

import html5lib


def check_html(text: str) -> None:
    """Hold a page to the HTML standard and to the habits that a screen reader needs."""
    tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)
    ids = Counter(node.get("id") for node in tree.iter() if node.get("id"))
    assert max(ids.values()) == 1
    assert tree.get("lang") == "en"
    assert len(tree.findall(".//h1")) == 1
    assert len(tree.findall(".//main")) == 1
    assert tree.findtext(".//title")
    for image in tree.iter("img"):
        assert image.get("alt")
    labelled = {label.get("for") for label in tree.iter("label")}
    for field in tree.iter("input"):
        assert field.get("type") == "hidden" or field.get("id") in labelled
    for header in tree.iter("th"):
        assert header.get("scope") in ("col", "row")
    for node in tree.iter():
        assert node.get("style") is None
        assert not any(name.startswith("on") for name in node.attrib)
    for script in tree.iter("script"):
        assert script.get("src").startswith("/static/")
        assert not script.text
    levels = [int(node.tag[1]) for node in tree.iter() if re.fullmatch("h[1-6]", str(node.tag))]
    assert all(b - a <= 1 for a, b in pairwise(levels))
