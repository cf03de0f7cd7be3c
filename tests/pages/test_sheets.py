"""Tables that people open in a spreadsheet: readable by Excel, one line per row, nothing is run."""

import io

import pandas as pd
import pytest

from facecore.data import read_table
from ui.sheets import tame, to_sheet

FORMULAS = [
    "=1+1",
    "+1",
    "-1+2",
    "@SUM(A1)",
    "\tx",
    "\r=x",
    "\n=x",
    "\uff1d1",
    "\uff0b1",
    "\uff0d1",
    "\uff20x",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_becomes_text_in_cells_and_heads(text):
    sheet = to_sheet(pd.DataFrame({"photo": [text], text: ["a"]}))
    head, row, end = sheet.removeprefix("\ufeff").split("\n")
    assert head.split(",")[1].startswith("'")
    assert row.startswith("'")
    assert end == ""


@pytest.mark.parametrize("text", ["a=b", "Anna-Maria", "", "60+", "x@y.example", "'=x", "Zoë 子"])
def test_other_texts_stay(text):
    assert tame(pd.DataFrame({"photo": [text]}))["photo"][0] == text


def test_numbers_and_gaps_stay():
    table = pd.DataFrame({"a": [-1.5, None], "b": [-1, 2], "c": [True, False], "d": ["x", None]})
    pd.testing.assert_frame_equal(tame(table), table)
    read = pd.read_csv(io.StringIO(to_sheet(table).removeprefix("\ufeff")))
    assert read["a"][0] == -1.5


@pytest.mark.parametrize("name", ["a\nb.png", "a\r\nb.png", "a\x1b[2J", "a\u202egnp.b"])
def test_a_name_takes_one_line(name):
    sheet = to_sheet(pd.DataFrame({"photo": [name, "b.png"], f"P({name})": [0.1, 0.2]}))
    assert len(sheet.splitlines()) == 3
    sheet.encode()


def test_it_begins_with_one_byte_order_mark_and_is_read_back_with_or_without_it(
    crops_folder, tmp_path
):
    table = read_table(crops_folder)
    sheet = to_sheet(pd.read_csv(crops_folder / "faces.csv"))
    assert sheet.encode().startswith(b"\xef\xbb\xbf")
    assert sheet.count("\ufeff") == 1
    (tmp_path / "faces.csv").write_text(sheet, encoding="utf-8")
    (tmp_path / "crop.json").write_bytes((crops_folder / "crop.json").read_bytes())
    pd.testing.assert_frame_equal(read_table(tmp_path), table)
