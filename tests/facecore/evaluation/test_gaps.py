"""Gaps between groups: per data set, and over all only where the data sets agree."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from facecore.evaluation.gaps import agreement, set_gaps, trait_gaps
from facecore.evaluation.intervals import newcombe


def photos(name: str, label: str, n: int, right: int, answered: int, **traits: str):
    """Return predictions of n photos, the first of which are right and the last not answered."""
    said = [label] * right + ["other"] * (n - right)
    table = pd.DataFrame({"set": name, "label": label, "predicted": said, "detected": True})
    return table.assign(answered=np.arange(n) < answered, **traits)


@pytest.fixture
def opposed() -> pd.DataFrame:
    """Two test sets in which the labels are as far apart, the other way round."""
    return pd.concat(
        [
            photos("x", "a", 200, 190, 180, age=""),
            photos("x", "b", 200, 160, 180, age=""),
            photos("y", "a", 200, 160, 150, age="13-19"),
            photos("y", "b", 100, 95, 90, age="13-19"),
            photos("y", "b", 100, 95, 60, age="60+"),
        ],
        ignore_index=True,
    ).assign(race="")


def find(gaps, trait: str, figure: str, label: str = ""):
    (gap,) = (g for g in gaps if (g["trait"], g["figure"], g["label"]) == (trait, figure, label))
    return gap


def test_the_gap_of_each_set_is_told_where_all_photos_together_show_none(opposed):
    gap = find(trait_gaps(opposed), "label", "forced accuracy")
    assert [(each["set"], each["gap"], each["worst"]) for each in gap["sets"]] == [
        ("x", 0.15, "b"),
        ("y", 0.15, "a"),
    ]
    assert gap["agreement"]["together"] == 0
    assert gap["agreement"]["opposed"]
    assert not gap["agreement"]["agree"]


def test_every_figure_is_counted_by_hand(opposed):
    gaps = trait_gaps(opposed)
    # 150 of 200 photos of a and 150 of 200 of b are answered in y; of these, all of the former are
    # right, and 90 + 60 of the latter
    answered = find(gaps, "label", "answered")["sets"]
    assert [each["gap"] for each in answered] == [0, 0]
    # only y knows ages; there are 200 + 100 photos of 13-19
    (age,) = find(gaps, "age", "forced accuracy")["sets"]
    assert (age["set"], age["best"], age["worst"], age["n"]) == ("y", "60+", "13-19", [100, 300])
    assert age["gap"] == round(95 / 100 - 255 / 300, 4)
    assert age["interval"] == [round(v, 4) for v in newcombe((95, 100), (255, 300))]
    (coverage,) = find(gaps, "age", "answered")["sets"]
    assert coverage["gap"] == round(240 / 300 - 60 / 100, 4)
    # equal opportunity: the recall of b is the same in both bands, a has photos of one band only
    assert find(gaps, "age", "recall", "b")["sets"][0]["gap"] == 0
    assert not [gap for gap in gaps if gap["label"] == "a"]
    assert find(gaps, "age", "forced accuracy")["agreement"] is None
    json.dumps(gaps, allow_nan=False)


def test_right_when_answered_is_of_the_answered_alone(opposed):
    table = opposed[opposed["set"].eq("x")].assign(answered=lambda t: t.index % 200 >= 100)
    (found,) = find(trait_gaps(table), "label", "right when answered")["sets"]
    assert found["n"] == [100, 100]
    assert found["gap"] == round(90 / 100 - 60 / 100, 4)


def test_a_table_without_answers_or_traits_has_the_gaps_it_can_have(opposed):
    gaps = trait_gaps(opposed[["set", "label", "predicted", "detected"]])
    assert [(gap["trait"], gap["figure"]) for gap in gaps] == [("label", "forced accuracy")]


def test_further_traits_count_and_unknown_values_do_not(opposed):
    hats = opposed.assign(trait_hat=np.where(opposed.index % 3 == 0, np.nan, None))
    hats.loc[hats.index % 3 == 1, "trait_hat"] = "yes"
    hats.loc[hats.index % 6 == 2, "trait_hat"] = "no"
    gap = find(trait_gaps(hats), "hat", "forced accuracy")
    assert {each["best"] for each in gap["sets"]} | {each["worst"] for each in gap["sets"]} == {
        "yes",
        "no",
    }


def test_small_groups_are_not_compared():
    counts = {"x": {"a": (90, 100), "b": (0, 49), "c": (80, 100)}, "y": {"a": (1, 100)}}
    (gap,) = set_gaps(counts)
    assert (gap["best"], gap["worst"]) == ("a", "c")
    assert set_gaps(counts, least=49)[0]["worst"] == "b"
    assert agreement(counts) is None


def test_equal_shares_are_a_gap_of_nothing_with_an_interval():
    (gap,) = set_gaps({"x": {"a": (100, 100), "b": (60, 60)}})
    assert gap["gap"] == 0
    assert gap["best"] != gap["worst"]
    assert gap["interval"][0] < 0 < gap["interval"][1]


def variance(hits: int, n: int) -> float:
    share = (hits + 1) / (n + 2)
    return share * (1 - share) / (n + 2)


def test_with_two_groups_it_is_the_test_of_cochran():
    counts = {
        "x": {"a": (90, 100), "b": (70, 100)},
        "y": {"a": (50, 80), "b": (40, 90)},
        "z": {"a": (300, 301), "b": (200, 210)},
    }
    found = agreement(counts)
    d = np.array([c["a"][0] / c["a"][1] - c["b"][0] / c["b"][1] for c in counts.values()])
    w = np.array([1 / (variance(*c["a"]) + variance(*c["b"])) for c in counts.values()])
    mean = (w * d).sum() / w.sum()
    q = (w * (d - mean) ** 2).sum()
    assert found["q"] == round(q, 2)
    assert found["freedom"] == 2
    assert found["p"] == pytest.approx(chi2.sf(q, 2), rel=1e-2)
    assert found["gap"] == round(mean, 4)
    half = 1.959964 / np.sqrt(w.sum())
    assert found["interval"] == pytest.approx([mean - half, mean + half], abs=1e-4)


def test_with_more_groups_it_is_the_least_squares_fit_without_interaction():
    rng = np.random.default_rng(0)
    counts = {
        name: {g: (int(rng.integers(60, 100)), int(rng.integers(100, 200))) for g in "abcd"}
        for name in "xyz"
    }
    del counts["y"]["d"]
    cells = [(s, g, *c) for s, found in counts.items() for g, c in found.items()]
    design = np.array(
        [[s == each for each in "xyz"] + [g == each for each in "abcd"] for s, g, *_ in cells],
        dtype=float,
    )
    share = np.array([hits / n for *_, hits, n in cells])
    scale = np.array([variance(hits, n) ** -0.5 for *_, hits, n in cells])
    fit, _, rank, _ = np.linalg.lstsq(design * scale[:, None], share * scale, rcond=None)
    q = (((share - design @ fit) * scale) ** 2).sum()
    found = agreement(counts)
    assert found["q"] == round(q, 2)
    assert found["freedom"] == len(cells) - rank
    effects = dict(zip("abcd", fit[3:], strict=True))
    assert found["gap"] == round(max(effects.values()) - min(effects.values()), 4)
    assert found["best"] == max(effects, key=effects.get)


def test_sets_that_differ_by_chance_alone_agree_about_nine_times_in_ten():
    rng = np.random.default_rng(0)
    agreed = [
        agreement(
            {
                name: {
                    g: (int(rng.binomial(400, p + more)), 400) for g, p in (("a", 0.8), ("b", 0.7))
                }
                for name, more in (("x", 0.0), ("y", 0.1))
            }
        )["agree"]
        for _ in range(400)
    ]
    assert 0.86 < np.mean(agreed) < 0.94


def test_groups_that_only_one_set_has_are_left_out_of_the_test():
    counts = {"x": {"a": (90, 100), "b": (80, 100), "c": (10, 100)}, "y": {"a": (90, 100)}}
    assert agreement(counts) is None
    counts["y"]["b"] = (80, 100)
    found = agreement(counts)
    assert (found["freedom"], found["worst"], found["gap"]) == (1, "b", 0.1)


def test_a_thousand_groups_are_fitted_at_once():
    rng = np.random.default_rng(0)
    counts = {
        name: {f"s{i}": (int(rng.integers(50, 100)), 100) for i in range(1000)} for name in "xyz"
    }
    assert agreement(counts)["freedom"] == 2 * 999
