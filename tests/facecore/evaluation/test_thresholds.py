"""A threshold per group as a what-if, counted by hand."""

import numpy as np
import pandas as pd
import pytest

from facecore.evaluation.thresholds import equal_coverage, equal_recall


@pytest.fixture
def table() -> pd.DataFrame:
    """Faces of old people score lower than faces of the young, whatever the label."""
    rng, n = np.random.default_rng(0), 2000
    old, truth = rng.random(n) < 0.4, rng.random(n) < 0.5
    score = np.clip(0.5 + 0.2 * (2 * truth - 1) - 0.15 * old + rng.normal(0, 0.15, n), 0, 1)
    table = pd.DataFrame({"label": np.where(truth, "b", "a"), "p_a": 1 - score, "p_b": score})
    table["predicted"] = np.where(score >= 0.5, "b", "a")
    return table.assign(detected=True, age=np.where(old, "60+", "20-39"))


def test_with_its_own_threshold_every_group_has_the_recall_of_all(table):
    found = equal_recall(table, "age", "b").set_index("group")
    positive = table[table["label"].eq("b")]
    target = positive["p_b"].ge(0.5).mean()
    assert found["recall"].max() - found["recall"].min() > 0.1
    for group, row in found.iterrows():
        mine = table[table["age"].eq(group)]
        is_it = mine["label"].eq("b")
        for own, limit in (("", 0.5), ("own ", row["threshold"])):
            called = mine["p_b"].ge(limit)
            assert row[f"{own}recall"] == called[is_it].mean()
            assert row[f"{own}false positives"] == called[~is_it].mean()
            assert row[f"{own}accuracy"] == (called == is_it).mean()
        assert 0 <= row["own recall"] - target <= 1 / is_it.sum()
    assert found.loc["60+", "threshold"] < 0.5 < found.loc["20-39", "threshold"]


def test_with_its_own_threshold_every_group_is_answered_as_often_as_all(table):
    confidence = table[["p_a", "p_b"]].max(axis=1)
    found = equal_coverage(table, "age", 0.7).set_index("group")
    target = confidence.ge(0.7).mean()
    for group, row in found.iterrows():
        mine = table["age"].eq(group)
        assert row["answered"] == confidence[mine].ge(0.7).mean()
        assert 0 <= row["own answered"] - target <= 1 / mine.sum()
        given = table[mine & confidence.ge(row["threshold"])]
        assert row["own right when answered"] == given["predicted"].eq(given["label"]).mean()


def test_a_photo_without_a_face_is_never_called_or_answered(table):
    blind = table.assign(detected=table["age"].ne("60+"))
    found = equal_recall(blind, "age", "b").set_index("group")
    assert found.loc["60+", ["recall", "own recall", "threshold"]].tolist() == [0, 0, 0]
    found = equal_coverage(blind, "age", 0.7).set_index("group")
    assert found.loc["60+", ["answered", "own answered"]].tolist() == [0, 0]
    assert np.isnan(found.loc["60+", "own right when answered"])


def test_a_threshold_that_nobody_reaches_stays_so_in_every_group(table):
    found = equal_coverage(table.assign(p_a=0.5, p_b=0.5), "age", 0.9)
    assert (found[["answered", "own answered"]] == 0).all(axis=None)


def test_small_and_unknown_groups_are_left_out(table):
    some = table.assign(age=np.where(table.index < 20, "13-19", table["age"]))
    some.loc[some.index[-30:], "age"] = ""
    assert equal_recall(some, "age", "b")["group"].tolist() == ["20-39", "60+"]
    assert equal_coverage(some, "age", 0.7, least=20)["group"].tolist()[0] == "13-19"
    assert equal_recall(some, "age", "b", least=10_000).empty
    assert equal_coverage(some, "age", 0.7, least=10_000).empty
