"""The documentation site has a page for every room and lists every page that there is."""

import re
from pathlib import Path

import pytest

from tools import architecture

REPO = Path(__file__).resolve().parents[2]
DOCS = REPO / "docs"
SETTINGS = (REPO / "mkdocs.yml").read_text(encoding="utf-8")
LISTED = re.findall(r"[\w/-]+\.md", SETTINGS)
ROOMS = [room for room, names in architecture.modules().items() if names]


@pytest.mark.parametrize("room", [*ROOMS, "errors"])
def test_a_room_has_a_page_of_the_api(room):
    page = (DOCS / "api" / f"{room}.md").read_text(encoding="utf-8")
    assert f"::: facecore.{room}\n" in page
    assert f"({room}.md)" in (DOCS / "api" / "index.md").read_text(encoding="utf-8")


def test_the_menu_lists_every_page_once():
    pages = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    assert sorted(LISTED) == sorted(pages)


def test_the_index_of_decisions_lists_every_page_of_them():
    index = (DOCS / "decisions" / "index.md").read_text(encoding="utf-8")
    pages = {path.name for path in (DOCS / "decisions").glob("*.md")} - {"index.md"}
    assert set(re.findall(r"\(([\w-]+\.md)\)", index)) == pages


@pytest.mark.parametrize("path", sorted(DOCS.glob("decisions/*.md")), ids=lambda path: path.stem)
def test_a_decision_has_a_question_what_was_seen_and_a_decision(path):
    text = path.read_text(encoding="utf-8")
    if path.stem != "index":
        parts = re.findall(r"^\*\*(\w+)(?: was \w+)?\.?\*\*", text, re.MULTILINE)
        assert parts == ["Question", "What", "Decision"]
    assert not re.search(r"^# .*\b20\d\d\b", text)
