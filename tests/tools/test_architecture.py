"""The table of modules in docs/architecture.md is the code's own order."""

import ast
import re
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
TEXT = (REPO / "docs" / "architecture.md").read_text(encoding="utf-8")
ORDER = re.findall(r"^\| `(\w+)` \|", TEXT[TEXT.index("| module | idea |") :], re.MULTILINE)
MODULES = sorted(p.stem for p in (REPO / "facecore").glob("*.py") if p.stem != "__init__")


def imported(module: str) -> set[str]:
    tree = ast.parse((REPO / "facecore" / f"{module}.py").read_text(encoding="utf-8"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            top, _, inner = node.module.partition(".")
            if top == "facecore":
                found |= {inner} if inner else {alias.name for alias in node.names}
    return found & set(MODULES)


def test_the_table_names_every_module_once():
    assert sorted(ORDER) == MODULES


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_those_above_it(module):
    above = set(ORDER[: ORDER.index(module)])
    assert imported(module) <= above


@pytest.mark.parametrize("module", MODULES)
def test_the_library_knows_no_app(module):
    text = (REPO / "facecore" / f"{module}.py").read_text(encoding="utf-8")
    assert not re.search(r"^\s*(import|from) (streamlit|flask|webapp|ui)\b", text, re.MULTILINE)


def test_every_arrow_of_the_picture_is_an_import():
    picture = re.search(r"```mermaid\n(.*?)```", TEXT, re.DOTALL)[1]
    arrows = re.findall(r"^\s*(\w+) --> (\w+)", picture, re.MULTILINE)
    assert len(arrows) > 25
    for left, right in arrows:
        assert left in MODULES, left
        if right not in ("site", "dashboard"):
            assert left in imported(right), (left, right)
