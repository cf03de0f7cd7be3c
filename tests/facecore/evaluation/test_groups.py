"""Each label within each group: what the groups alone hide."""

import json

import numpy as np
import pandas as pd
import pytest

from facecore.evaluation.groups import crossed_groups, is_right, weakest_group
from facecore.evaluation.intervals import LEAST_PHOTOS, wilson


def photos(label: str, age: str, n: int, right: int, unseen: int = 0, race="") -> pd.DataFrame:
    """Return predictions for n photos, of which some are right and some have no face."""
    said = [label] * right + ["other"] * (n - right - unseen) + [""] * unseen
    table = pd.DataFrame({"label": label, "predicted": said, "age": age, "race": race})
    return table.assign(detected=table["predicted"].ne(""))


@pytest.fixture
def table() -> pd.DataFrame:
    """Young a are mistaken for b as often as old b for a, so that no group alone shows it."""
    return pd.concat(
        [
            photos("a", "13-19", 80, right=40, unseen=4),
            photos("a", "60+", 80, right=72),
            photos("b", "13-19", 80, right=72),
            photos("b", "60+", 80, right=48),
            photos("b", "", 30, right=0),
        ],
        ignore_index=True,
    )


def by_pair(crossed: list) -> dict:
    return {(cell["label"], cell["group"]): cell for cell in crossed}


def test_accuracy_is_the_recall_of_the_label_in_the_group(table):
    cells = by_pair(crossed_groups(table))
    assert list(cells) == [("a", "13-19"), ("a", "60+"), ("b", "13-19"), ("b", "60+")]
    assert cells["a", "13-19"] == {
        "trait": "age",
        "label": "a",
        "group": "13-19",
        "n": 80,
        "detected": 76,
        "accuracy_all": 0.5,
        "interval_all": [round(limit, 4) for limit in wilson(40, 80)],
    }


def test_every_cell_is_what_counting_its_photos_gives():
    rng = np.random.default_rng(0)
    labels, ages, races = ["a", "b", "c"], ["0-12", "20-39", "60+", ""], ["x", "y", ""]
    table = pd.DataFrame(
        {
            "label": rng.choice(labels, 900),
            "predicted": rng.choice(labels, 900),
            "age": rng.choice(ages, 900),
            "race": rng.choice(races, 900),
            "detected": rng.random(900) < 0.9,
        }
    )
    table["answered"] = table["detected"] & (rng.random(900) < 0.7)
    crossed = crossed_groups(table)
    assert len(crossed) == 3 * 3 + 3 * 2
    for cell in crossed:
        rows = table[table["label"].eq(cell["label"]) & table[cell["trait"]].eq(cell["group"])]
        right = is_right(rows)
        assert (cell["n"], cell["detected"]) == (len(rows), rows["detected"].sum())
        assert cell["accuracy_all"] == round(right.mean(), 4)
        assert cell["coverage"] == round(rows["answered"].mean(), 4)
        given = right[rows["answered"]]
        assert cell["accuracy_answered"] == round(given.mean(), 4)
        assert cell["interval_answered"] == [round(v, 4) for v in wilson(given.sum(), len(given))]
    json.dumps(crossed, allow_nan=False)


def test_labels_come_in_the_declared_order_and_age_bands_by_age(table):
    crossed = crossed_groups(table.iloc[::-1], order=["b", "a"])
    pairs = [(cell["label"], cell["group"]) for cell in crossed]
    assert pairs == [("b", "13-19"), ("b", "60+"), ("a", "13-19"), ("a", "60+")]


def test_unknown_traits_may_be_empty_or_missing_as_a_model_stores_them(table):
    missing = table.assign(age=table["age"].replace("", np.nan), race=np.nan)
    missing["predicted"] = missing["predicted"].replace("", np.nan)
    assert crossed_groups(missing) == crossed_groups(table)


def test_where_nothing_was_answered_no_answer_is_right(table):
    for cell in crossed_groups(table.assign(answered=False)):
        assert (cell["coverage"], cell["accuracy_answered"]) == (0, None)
        assert cell["interval_answered"] == [0, 1]


def test_a_label_without_a_photo_in_a_group_has_no_cell(table):
    some = table[~(table["label"].eq("a") & table["age"].eq("60+"))]
    assert ("a", "60+") not in by_pair(crossed_groups(some))
    assert len(crossed_groups(some)) == 3


@pytest.mark.parametrize(
    ("label", "age"),
    [
        (["a", "b", "c", "d"], ["20-39", "20-39", "60+", "60+"]),  # of each label one group
        (["a", "a", "b", "b"], ["0-12", "13-19", "20-39", "60+"]),  # of each group one label
        (["a", "b", "c", "d"], ["", "", "", ""]),
    ],
)
def test_pairs_that_are_whole_labels_or_whole_groups_are_not_told_again(label, age):
    table = pd.DataFrame({"label": label, "predicted": label, "age": age, "race": ""})
    assert crossed_groups(table.assign(detected=True)) == []


def test_the_weakest_group_is_one_of_label_and_group(table):
    weakest = weakest_group(crossed_groups(table))
    assert (weakest["label"], weakest["group"], weakest["n"]) == ("a", "13-19", 80)


def test_a_group_of_few_photos_is_told_but_never_the_weakest(table):
    few = photos("a", "0-12", LEAST_PHOTOS - 1, right=0)
    crossed = crossed_groups(pd.concat([table, few]))
    assert by_pair(crossed)["a", "0-12"]["accuracy_all"] == 0
    assert by_pair(crossed)["a", "0-12"]["n"] == LEAST_PHOTOS - 1
    assert weakest_group(crossed)["group"] == "13-19"
    enough = pd.concat([table, few, few.iloc[:1]])
    assert weakest_group(crossed_groups(enough))["group"] == "0-12"


def test_one_large_group_is_not_the_weakest_of_anything(table):
    crossed = crossed_groups(table)
    small = [cell | {"n": LEAST_PHOTOS - 1} for cell in crossed[1:]]
    assert weakest_group([crossed[0], *small]) is None
    assert weakest_group([]) is None


def test_thousands_of_labels_are_counted_at_once():
    n = 20_000
    table = pd.DataFrame({"label": [f"s{i // 4}" for i in range(n)], "detected": True})
    table = table.assign(predicted=table["label"], race="", age=["13-19", "60+"] * (n // 2))
    assert len(crossed_groups(table)) == n // 2
