import numpy as np
import pandas as pd
import pytest

from facecore.data.crops import ALL, count_states
from facecore.data.sizes import (
    count_by_size,
    describe_sizes,
    effect_of_minimum,
    face_sizes,
    round_sizes,
    sizes_of,
)


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
    assert sizes["face_size"].tolist() == [100, 60, 40, 54, 53.9]
    assert sizes["label"].tolist() == ["a", "a", "a", "b", "b"]


def test_the_distribution_is_told_by_label_and_for_all(table):
    told = describe_sizes(table)
    assert told.index.tolist() == ["a", "b", ALL]
    assert told["faces"].tolist() == [3, 2, 5]
    assert told["smallest"].tolist() == [40, 54, 40]
    assert told["p50"].tolist() == [60, 54, 54]
    assert told["p75"].tolist() == [80, 54, 60]
    assert told["largest"].tolist() == [100, 54, 100]


def test_a_table_without_a_face_has_a_distribution_of_nothing(table):
    told = describe_sizes(table.assign(w=np.nan))
    assert told.loc[ALL, "faces"] == 0
    assert pd.isna(told.loc[ALL, "largest"])


@pytest.mark.parametrize("name", ["all", "kept", "no face", "faces", "minimum", "sum"])
def test_a_label_may_be_called_as_a_figure_is(table, name):
    named = table.assign(label=table["label"].replace("b", name))
    counts, told, effect = count_states(named), describe_sizes(named), effect_of_minimum(named)
    assert counts.loc["kept", name] == 1
    assert counts.loc["kept", ALL] == 3
    assert told.loc[name, "faces"] == 2
    assert told.loc[ALL, "faces"] == 5
    assert effect.loc[54, name] == 1
    assert effect.loc[54, ALL] == 3


def test_a_label_without_a_face_stays_in_the_tables(table):
    table.loc[table["label"].eq("b"), "w"] = np.nan
    assert describe_sizes(table).loc["b", "faces"] == 0
    assert pd.isna(describe_sizes(table).loc["b", "p50"])
    assert effect_of_minimum(table)["b"].eq(0).all()
    assert count_by_size(table)["b"].eq(0).all()


def test_crops_and_what_a_model_ships_have_one_shape(table):
    crops, shipped = sizes_of(table), sizes_of(round_sizes(table))
    assert crops.dtypes.equals(shipped.dtypes)
    assert sorted(crops["label"]) == sorted(shipped["label"])
    pd.testing.assert_frame_equal(sizes_of(crops), crops)


def test_a_set_or_split_that_is_unknown_is_empty(table):
    sizes = sizes_of(table.drop(columns="set").assign(split=np.nan))
    assert sizes["set"].eq("").all()
    assert sizes["split"].eq("").all()


@pytest.mark.parametrize("log", [False, True])
def test_the_bins_count_the_faces_of_each_label(table, log):
    counts = count_by_size(table, log)
    assert counts.sum().to_dict() == {"a": 3, "b": 2}
    assert counts.index.get_loc(53.9) == counts.index.get_loc(54)
    assert counts.loc[100, "a"] == 1


@pytest.mark.parametrize("largest", [99, 100, 249, 250, 255, 999, 1000])
def test_bins_of_equal_ratio_reach_to_the_largest_face(table, largest):
    table.loc[0, "w"] = largest
    assert count_by_size(table, log=True).to_numpy().sum() == 5


def test_no_edge_of_a_bin_is_a_size_of_two_figures(table):
    table.loc[0, "w"] = 5000
    edges = count_by_size(table, log=True).index.left
    rounded = round_sizes(table.head(1).loc[[0] * len(edges)].assign(w=edges))["face_size"]
    assert not set(edges) & set(rounded)


def test_a_minimum_keeps_faces_of_at_least_that_width(table):
    effect = effect_of_minimum(table, (40, 54, 61))
    assert effect[ALL].tolist() == [5, 3, 1]
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
