import json

import pytest

from facecore.errors import DataError
from facecore.face.recipes import RECIPES
from facecore.training.grids import GRIDS, parse_grid, read_grid

CLASSIC, ALIGNED = RECIPES["classic"], RECIPES["aligned"]


@pytest.mark.parametrize(
    "text", ["", "[]", "3", '{"C": [1]}', '{"C": [1], "gamma": [1], "n_components": "many"}', "{"]
)
def test_a_grid_file_that_makes_no_sense_is_an_error(text, tmp_path):
    (tmp_path / "grid.json").write_text(text)
    with pytest.raises(DataError, match="grid"):
        read_grid(str(tmp_path / "grid.json"), CLASSIC, "pixels")


def test_an_unknown_grid_names_those_there_are():
    with pytest.raises(DataError, match="there are: quick, full"):
        read_grid("huge", CLASSIC, "pixels")


def test_the_tuned_grid_is_that_of_the_recipe_and_member():
    for recipe in (CLASSIC, ALIGNED):
        for name, member in recipe.members.items():
            assert read_grid("tuned", recipe, name) == parse_grid(member.tuned)


def test_a_grid_file_has_one_grid_for_all_members_or_one_for_each(tiny_grid, tiny_grids):
    assert read_grid(str(tiny_grid), ALIGNED, "hog tight") == read_grid(
        str(tiny_grid), ALIGNED, "pixels"
    )
    grids = json.loads(tiny_grids.read_text())
    for member, grid in grids.items():
        assert read_grid(str(tiny_grids), ALIGNED, member) == parse_grid(grid)


def test_a_grid_file_that_leaves_a_member_out_is_an_error(tiny_grids, tmp_path):
    grids = json.loads(tiny_grids.read_text())
    del grids["patterns"]
    (tmp_path / "grid.json").write_text(json.dumps(grids))
    with pytest.raises(DataError, match=r"unknown: .*'hog tight'"):
        read_grid(str(tmp_path / "grid.json"), ALIGNED, "patterns")


SMALL = {"n_components": [5], "C": [1.0], "gamma": [0.01]}


def test_there_is_a_tuned_grid_for_every_member_of_every_recipe():
    for recipe in RECIPES.values():
        for member in recipe.members.values():
            assert {name: parse_grid(member.tuned)[name] for name in member.tuned} == member.tuned


def test_the_full_grid_is_as_large_as_promised():
    grid = parse_grid(GRIDS["full"])
    sizes = {name: len(values) for name, values in grid.items()}
    assert sizes["n_components"] >= 4
    assert sizes["C"] >= 4
    assert sizes["gamma"] >= 4
    assert sizes["class_weight"] == 2


def test_a_grid_gets_what_it_leaves_out_and_loses_what_is_double():
    assert parse_grid({"n_components": [5, 5], "C": [1, 1.0], "gamma": [0.1]}) == {
        "n_components": [5],
        "whiten": [True],
        "gamma": [0.1],
        "C": [1],
        "class_weight": ["balanced"],
    }


@pytest.mark.parametrize(
    "change",
    [
        {"kernel": ["rbf"]},
        {"C": []},
        {"C": 1.0},
        {"C": [0]},
        {"C": [-1]},
        {"C": ["1"]},
        {"C": [float("inf")]},
        {"C": [float("nan")]},
        {"C": [True]},
        {"gamma": ["scale"]},
        {"gamma": None},
        {"n_components": [2.5]},
        {"n_components": [0]},
        {"whiten": [1]},
        {"class_weight": ["heavy"]},
        {"class_weight": [["balanced"]]},
        {"C": {"a": 1}},
        {"C": [10**400]},
    ],
    ids=lambda change: str(change)[:40],
)
def test_a_grid_that_makes_no_sense_is_an_error(change):
    with pytest.raises(DataError, match="grid"):
        parse_grid({**SMALL, **change})


@pytest.mark.parametrize("name", SMALL)
def test_a_grid_without_a_list_that_it_needs_is_an_error_that_names_it(name):
    with pytest.raises(DataError, match=f"missing: .*{name}"):
        parse_grid({key: value for key, value in SMALL.items() if key != name})
