"""Every work that the code or a page cites is listed with its full reference."""

import ast
import re
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
PAGE = (REPO / "docs" / "references.md").read_text(encoding="utf-8")
LISTED = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
NAME = r"[A-Z][A-Za-z]*[a-z](?:-[A-Z][a-z]+)?"
CITATION = re.compile(rf"{NAME}(?:, {NAME})*(?: and {NAME}| et al\.)? (?:1[89]|20)\d\d\b")


def docstrings(path: Path) -> str:
    kinds = ast.Module | ast.ClassDef | ast.FunctionDef
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return "\n".join(ast.get_docstring(node) or "" for node in nodes if isinstance(node, kinds))


@pytest.fixture(scope="module")
def cited() -> dict[str, str]:
    """Where each work is cited."""
    texts = {
        str(path.relative_to(REPO)): docstrings(path)
        for folder in ("facecore", "ui", "webapp")
        for path in sorted((REPO / folder).rglob("*.py"))
    }
    texts |= {
        str(path.relative_to(REPO)): path.read_text(encoding="utf-8")
        for path in sorted((REPO / "docs").rglob("*.md"))
        if path.name != "references.md"
    }
    return {
        citation: place
        for place, text in texts.items()
        for citation in CITATION.findall(re.sub(r"\s+", " ", text))
    }


def test_every_citation_has_its_full_reference(cited):
    assert len(cited) >= 25
    unlisted = {citation: place for citation, place in cited.items() if citation not in LISTED}
    assert not unlisted, "add them to docs/references.md"


def test_the_references_are_sorted_and_each_has_a_link():
    assert sorted(LISTED, key=str.casefold) == LISTED
    for entry in PAGE.split("\n## ")[1:]:
        assert re.search(r"<https://\S+>", entry), entry
        assert entry.split("\n")[0][-4:] in entry.split("\n", 1)[1]


def test_every_listed_work_is_cited(cited):
    assert set(LISTED) <= set(cited)
