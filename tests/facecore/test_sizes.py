import numpy as np
import pandas as pd
import pytest

from facecore.sizes import describe_sizes, effect_of_minimum, face_sizes, round_sizes


@pytest.fixture
def table() -> pd.DataFrame:
    rows = [
        ("a", "kept", 100.0), ("a", "kept", 60.0), ("a", "too_small", 40.0), ("a", "no_face", None),
        ("b", "kept", 54.0), ("b", "too_small", 53.9), ("b", "duplicate", 300.0),
        ("b", "unreadable", None),
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["label", "state", "w"])
    table["path"] = [f"{label}/anna-{i}.jpg" for i, label in enumerate(table["label"])]
    return table.assign(
        crop=table["path"], subject="anna", split="train", age="30", race="", set="drawn",
        photo_width=1234.0, photo_height=np.where(table["state"].eq("unreadable"), np.nan, 987.0),
    )  # fmt: skip


def test_the_sizes_are_of_all_faces_found_but_duplicates(table):
    sizes = face_sizes(table)
    assert sizes["size"].tolist() == [100, 60, 40, 54, 53.9]
    assert sizes["label"].tolist() == ["a", "a", "a", "b", "b"]


def test_the_distribution_is_told_by_label_and_for_all(table):
    told = describe_sizes(table)
    assert told.index.tolist() == ["a", "b", "all"]
    assert told["faces"].tolist() == [3, 2, 5]
    assert told["smallest"].tolist() == [40, 54, 40]
    assert told["p50"].tolist() == [60, 54, 54]
    assert told["p75"].tolist() == [80, 54, 60]
    assert told["largest"].tolist() == [100, 54, 100]


def test_a_table_without_a_face_has_a_distribution_of_nothing(table):
    told = describe_sizes(table.assign(w=np.nan))
    assert told.loc["all", "faces"] == 0
    assert pd.isna(told.loc["all", "largest"])


def test_a_minimum_keeps_faces_of_at_least_that_width(table):
    effect = effect_of_minimum(table, (40, 54, 61))
    assert effect["kept"].tolist() == [5, 3, 1]
    assert effect["dropped"].tolist() == [0, 2, 4]
    assert effect["a"].tolist() == [3, 2, 1]
    assert effect["b"].tolist() == [2, 1, 0]


def test_the_54_pixel_rule_is_among_the_minima(table):
    assert 54 in effect_of_minimum(table).index


def test_what_a_model_ships_of_the_sizes_has_no_names_and_no_order(table):
    shipped = round_sizes(table)
    assert list(shipped.columns) == [
        "set", "label", "split", "state", "face_size", "photo_width", "photo_height",
    ]  # fmt: skip
    assert "anna" not in shipped.to_csv()
    assert len(shipped) == len(table)
    shuffled = round_sizes(table.sample(frac=1, random_state=1))
    pd.testing.assert_frame_equal(shipped, shuffled)


def test_shipped_sizes_are_rounded_to_two_figures(table):
    shipped = round_sizes(table)
    assert sorted(shipped["face_size"].dropna()) == [40, 54, 54, 60, 100, 300]
    assert set(shipped["photo_width"]) == {1200}
    assert set(shipped["photo_height"].dropna()) == {990}
    assert shipped["photo_height"].isna().sum() == 1
