"""The picture and the table of rooms are those of the code, and imports run one way."""

import re
from html import unescape
from pathlib import Path

import pytest

from tools import architecture

REPO = Path(__file__).resolve().parents[2]
LIBRARY = sorted((REPO / "facecore").rglob("*.py"))


def test_the_picture_is_the_one_that_the_script_draws():
    assert architecture.PICTURE.read_text(encoding="utf-8") == architecture.picture(), (
        "run python tools/architecture.py"
    )


def test_the_page_has_the_table_that_the_script_writes():
    assert architecture.table() in architecture.PAGE.read_text(encoding="utf-8"), (
        "run python tools/architecture.py"
    )


def test_every_module_of_the_library_stands_in_its_room():
    found = {name for names in architecture.modules().values() for name in names}
    assert found == {path.stem for path in LIBRARY if path.parent.name != "facecore"} - {"__init__"}
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", architecture.picture())
    drawn = set(re.findall(r"\w+", unescape(" ".join(texts))))
    assert found <= drawn


def test_imports_run_down_the_floors_only():
    uses = architecture.imports()
    order = architecture.floors(uses)
    level = {room: number for number, floor in enumerate(order) for room in floor}
    assert level["errors"] == 0
    assert level["training"] > level["evaluation"] > level["model"] > level["face"]
    assert all(level[used] < level[room] for room in uses for used in uses[room])


def test_a_circle_of_rooms_is_an_error_that_names_them():
    with pytest.raises(ValueError, match=r"a circle: a, b$"):
        architecture.floors({"a": {"b"}, "b": {"a"}, "c": set()})


def test_an_import_that_follows_from_others_has_no_arrow():
    uses = {"low": set(), "middle": {"low"}, "high": {"low", "middle"}}
    assert architecture.arrows(uses) == [("high", "middle"), ("middle", "low")]


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: path.stem)
def test_the_library_knows_no_app(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"^\s*(import|from) (streamlit|flask|webapp|ui)\b", text, re.MULTILINE)
