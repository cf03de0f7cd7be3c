"""A comparison of two models: its counts follow from the answers, and hold no row per photo."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from facecore.data.splits import subject_names
from facecore.errors import DataError
from facecore.evaluation.comparison import (
    changed_since,
    compare_models,
    compare_tests,
    comparison_file,
    read_comparison,
    tabulate_kinds,
    turn_round,
    write_comparison,
)
from facecore.evaluation.paired import difference_interval
from facecore.evaluation.together import Together

COUNTS = ("both", "only_first", "only_second", "neither")


def make_test(n: int = 400, seed: int = 0, subjects: int = 150) -> Together:
    """Draw answers of two models, a and b, for the same photos."""
    rng = np.random.default_rng(seed)
    label = rng.choice(["calm", "sad"], n)
    photos = pd.DataFrame(
        {
            "path": [f"{i:04d}.jpg" for i in range(n)],
            "label": label,
            "subject": [f"person {i}" for i in rng.integers(subjects, size=n)],
        }
    )
    tables = {}
    for name, skill in (("a", 0.7), ("b", 0.85)):
        right = rng.random(n) < skill
        detected = rng.random(n) < 0.97
        other = np.where(label == "calm", "sad", "calm")
        tables[name] = pd.DataFrame(
            {
                "set": "drawn",
                "label": label,
                "detected": detected,
                "predicted": np.where(detected, np.where(right, label, other), ""),
                "answered": detected & (rng.random(n) < 0.8),
                "ms": rng.uniform(5, 6, n) * (3 if name == "b" else 1),
                "age": rng.choice(["20-39", "60+", ""], n) if name == "a" else "",
                "race": "",
            }
        )
    tables["b"]["age"] = tables["a"]["age"]
    return Together("drawn", Path(), photos, tables)


@pytest.fixture(scope="module")
def test() -> Together:
    return make_test()


@pytest.fixture(scope="module")
def found(test):
    return compare_tests("a", "b", test)


def right(test: Together, name: str, answered: bool = False) -> np.ndarray:
    table = test.tables[name]
    correct = table["detected"] & table["predicted"].eq(table["label"])
    return (correct & table["answered"] if answered else correct).to_numpy()


@pytest.mark.parametrize(("measure", "answered"), [("right", False), ("answered", True)])
def test_the_counts_are_those_of_the_answers(test, found, measure, answered):
    a, b = (right(test, name, answered) for name in "ab")
    figures = found[measure]
    assert [figures[key] for key in COUNTS] == [
        (a & b).sum(),
        (a & ~b).sum(),
        (b & ~a).sum(),
        (~a & ~b).sum(),
    ]
    assert figures["n"] == sum(figures[key] for key in COUNTS) == 400
    assert figures["difference"] == pytest.approx(a.mean() - b.mean(), abs=5e-5)
    expected = binomtest(figures["only_first"], figures["only_first"] + figures["only_second"])
    assert figures["p"] == pytest.approx(expected.pvalue, rel=0.01)


def test_the_interval_draws_subjects(test, found):
    subjects = subject_names(test.photos.assign(set="drawn"))
    expected = difference_interval(right(test, "a"), right(test, "b"), subjects)
    assert found["right"]["interval"] == pytest.approx(expected, abs=5e-5)
    alone = np.arange(400).astype(str)
    assert found["right"]["interval"] != pytest.approx(
        difference_interval(right(test, "a"), right(test, "b"), alone), abs=5e-5
    )
    assert found["subjects"] == test.photos["subject"].nunique()


def test_kinds_are_labels_groups_and_labels_within_groups(test, found):
    kinds = {(k["label"], k["trait"], k["group"]): k for k in found["kinds"]}
    assert list(kinds) == [
        ("calm", "", ""),
        ("sad", "", ""),
        ("", "age", "20-39"),
        ("", "age", "60+"),
        ("calm", "age", "20-39"),
        ("calm", "age", "60+"),
        ("sad", "age", "20-39"),
        ("sad", "age", "60+"),
    ]
    table = test.tables["a"]
    mine = (table["label"].eq("sad") & table["age"].eq("60+")).to_numpy()
    figures = kinds["sad", "age", "60+"]["right"]
    only_second = right(test, "b")[mine] & ~right(test, "a")[mine]
    assert (figures["n"], figures["only_second"]) == (mine.sum(), only_second.sum())
    for key in COUNTS:
        parts = [kinds[label, "", ""]["right"][key] for label in ("calm", "sad")]
        assert sum(parts) == found["right"][key]


def test_few_photos_are_counted_and_not_tested():
    found = compare_tests("a", "b", make_test(60))
    assert found["right"]["p"] is not None
    assert any(kind["right"]["n"] < 50 for kind in found["kinds"])
    for kind in found["kinds"]:
        few = kind["right"]["n"] < 50
        assert (kind["right"]["p"] is None) == (kind["answered"]["interval"] is None) == few


def test_the_cost_is_that_of_the_same_photos(test, found):
    a, b = (test.tables[name]["ms"] for name in "ab")
    assert found["ms"] == [round(a.median(), 2), round(b.median(), 2)]
    assert found["ratio"] == pytest.approx((a / b).median(), abs=5e-4)
    assert found["coverage"] == [test.tables[name]["answered"].mean() for name in "ab"]


@pytest.fixture
def stored(two_models, raw_folder):
    (comparison,) = compare_models(["wide", "plain"], [raw_folder])
    write_comparison(comparison)
    return comparison


def test_a_stored_comparison_is_read_in_either_order(stored):
    assert read_comparison("wide", "plain") == stored
    assert read_comparison("plain", "wide") == turn_round(stored)
    assert read_comparison("plain", "other") is None
    there, back = stored["sets"]["drawn"], turn_round(stored)["sets"]["drawn"]
    assert back["right"]["only_first"] == there["right"]["only_second"]
    assert back["right"]["difference"] == -there["right"]["difference"]
    assert back["right"]["interval"] == [-limit for limit in there["right"]["interval"][::-1]]
    assert back["right"]["p"] == there["right"]["p"]
    assert back["ms"] == there["ms"][::-1]
    assert turn_round(stored)["megabytes"] == stored["megabytes"][::-1]


def test_nothing_in_the_file_leads_to_a_photo(stored, raw_folder):
    text = comparison_file("wide", "plain").read_text(encoding="utf-8")
    table = pd.read_csv(raw_folder / "labels.csv", dtype=str)
    for word in (*table["path"], *table["subject"], str(raw_folder), ".jpg"):
        assert word not in text
    counts = stored["sets"]["drawn"]["right"]
    assert len(json.loads(text)["sets"]["drawn"]["kinds"]) < counts["n"] * 3


def test_a_model_that_was_trained_again_is_named(stored, two_models):
    assert changed_since(stored) == []
    path = two_models / "plain" / "metadata.json"
    metadata = json.loads(path.read_text(encoding="utf-8"))
    arrays = two_models / "plain" / "model.npz"
    other = two_models / "wide" / "model.npz"
    arrays.write_bytes(other.read_bytes())
    wide = json.loads((two_models / "wide" / "metadata.json").read_text(encoding="utf-8"))
    metadata["sha256"]["model.npz"] = wide["sha256"]["model.npz"]
    path.write_text(json.dumps(metadata), encoding="utf-8")
    assert changed_since(stored) == ["plain"]


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": 2, "models": [], "sets": {}}'])
def test_a_damaged_file_is_named_with_the_command_that_makes_it_again(text, stored):
    comparison_file("wide", "plain").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=r"damaged.*python -m facecore compare wide plain PHOTOS"):
        read_comparison("wide", "plain")


def test_every_pair_of_several_models_is_compared(two_models, raw_folder):
    import shutil

    shutil.copytree(two_models / "plain", two_models / "copy")
    found = compare_models(["plain", "wide", "copy"], [raw_folder], limit=4)
    assert [c["models"] for c in found] == [["plain", "wide"], ["plain", "copy"], ["wide", "copy"]]
    same = found[1]["sets"]["drawn"]["right"]
    assert (same["only_first"], same["only_second"], same["p"]) == (0, 0, 1.0)
    assert len({comparison_file(*c["models"]) for c in found}) == 3


def test_the_table_has_sets_and_kinds(stored):
    table = tabulate_kinds(stored)
    figures = stored["sets"]["drawn"]
    assert len(table) == 1 + len(figures["kinds"])
    first = table.iloc[0]
    assert first[["set", "label", "trait"]].tolist() == ["drawn", "", ""]
    assert first["only wide right"] == figures["right"]["only_first"]
    assert (first["low"], first["high"]) == tuple(figures["right"]["interval"])
    shares = [
        (first["both right"] + first[f"only {name} right"]) / first["photos"]
        for name in stored["models"]
    ]
    assert first["difference"] == pytest.approx(shares[0] - shares[1], abs=1e-12)
