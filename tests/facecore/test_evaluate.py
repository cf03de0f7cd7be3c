import json

import numpy as np
import pandas as pd
import pytest

from facecore.artifacts import read_evaluation, read_model_table
from facecore.dataset import list_photos
from facecore.evaluate import age_band, balanced_interval, predict_table, report, wilson


# Reference: statsmodels.stats.proportion.proportion_confint(..., method="wilson")
@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [
        (0, 10, 0.0, 0.2775328), (10, 10, 0.7224672, 1.0), (5, 10, 0.2365931, 0.7634069),
        (81, 263, 0.2552736, 0.3662083), (1, 1, 0.2065493, 1.0),
    ],
)  # fmt: skip
def test_wilson_intervals_are_the_known_ones(right, n, low, high):
    assert wilson(right, n) == pytest.approx((low, high), abs=1e-4)


def test_nothing_tried_says_nothing():
    assert wilson(0, 0) == (0.0, 1.0)


def test_the_interval_of_one_label_is_that_of_its_recall():
    confusion = {"a": {"a": 81, "b": 180, "no face": 2}}
    assert balanced_interval(confusion) == pytest.approx(wilson(81, 263))


def test_the_interval_of_balanced_accuracy_covers_it_as_often_as_it_says():
    rng = np.random.default_rng(0)
    shares, sizes = np.array([0.95, 0.8, 0.6]), np.array([40, 90, 250])
    hits = 0
    for _ in range(2000):
        right = rng.binomial(sizes, shares)
        confusion = {
            label: {label: int(r), "no face": int(n - r)}
            for label, r, n in zip("abc", right, sizes, strict=True)
        }
        low, high = balanced_interval(confusion)
        assert low <= (right / sizes).mean() <= high
        hits += low <= shares.mean() <= high
    assert hits / 2000 == pytest.approx(0.95, abs=0.02)


def test_the_interval_of_balanced_accuracy_stays_within_0_and_1():
    sure = {"a": {"a": 3, "b": 0}, "b": {"a": 0, "b": 2}}
    assert 0 < balanced_interval(sure)[0] < balanced_interval(sure)[1] <= 1
    wrong = {"a": {"a": 0, "b": 3}, "b": {"a": 2, "b": 0}}
    assert 0 <= balanced_interval(wrong)[0] < balanced_interval(wrong)[1] < 1


def test_balanced_accuracy_without_photos_may_be_anything():
    assert balanced_interval({}) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("age", "band"),
    [("0", "0-12"), ("12", "0-12"), ("12.5", "0-12"), ("13", "13-19"), ("20", "20-39"),
     ("59", "40-59"), ("60", "60+"), ("116", "60+"), ("", ""), ("old", ""), ("-3", ""),
     ("nan", "")],
)  # fmt: skip
def test_ages_fall_into_bands(age, band):
    assert age_band(age) == band


@pytest.fixture
def table() -> pd.DataFrame:
    rows = [
        # label, detected, predicted, age, race, ms
        ("a", True, "a", "20-39", "x", 10.0),
        ("a", True, "a", "20-39", "y", 20.0),
        ("a", True, "b", "60+", "x", 30.0),
        ("a", False, "", "60+", "", 40.0),
        ("b", True, "b", "20-39", "y", 50.0),
        ("b", False, "", "", "", 60.0),
    ]
    return pd.DataFrame(rows, columns=["label", "detected", "predicted", "age", "race", "ms"])


def test_a_photo_without_a_face_found_counts_as_wrong_over_all(table):
    figures = report(table)
    assert (figures["n"], figures["detected"]) == (6, 4)
    assert figures["accuracy_found"] == 0.75
    assert figures["accuracy_all"] == 0.5
    assert figures["balanced_accuracy_found"] == round((2 / 3 + 1) / 2, 4)
    assert figures["balanced_accuracy_all"] == 0.5
    assert figures["recall"] == {"a": 0.5, "b": 0.5}
    assert figures["interval_all"] == [round(v, 4) for v in wilson(3, 6)]
    assert figures["ms_per_photo"] == 35.0


def test_a_label_predicted_where_no_face_was_found_is_still_wrong(table):
    table.loc[~table["detected"], "predicted"] = table["label"]
    assert report(table)["accuracy_all"] == 0.5


def test_the_confusion_counts_every_photo_once(table):
    confusion = report(table)["confusion"]
    assert confusion == {
        "a": {"a": 2, "b": 1, "no face": 1},
        "b": {"a": 0, "b": 1, "no face": 1},
    }
    assert sum(sum(row.values()) for row in confusion.values()) == 6


def test_a_label_that_the_model_does_not_know_is_in_the_confusion(table):
    table.loc[0, "predicted"] = "c"
    confusion = report(table)["confusion"]
    assert confusion["a"]["c"] == 1
    assert sum(sum(row.values()) for row in confusion.values()) == 6


def test_groups_are_told_where_they_are_known(table):
    groups = report(table)["groups"]
    assert set(groups) == {"age", "race"}
    assert set(groups["age"]) == {"20-39", "60+"}
    assert groups["age"]["20-39"]["n"] == 3
    assert groups["age"]["20-39"]["accuracy_all"] == 1.0
    assert groups["age"]["60+"] == {
        "n": 2, "detected": 1, "accuracy_all": 0.0, "balanced_accuracy_all": 0.0,
        "interval_all": [round(v, 4) for v in wilson(0, 2)],
    }  # fmt: skip
    assert groups["race"]["y"]["accuracy_all"] == 1.0


def test_traits_that_nobody_knows_are_no_groups(table):
    assert report(table.assign(age="", race=""))["groups"] == {}


def test_a_report_in_which_no_face_was_found_is_json(table):
    figures = report(table.assign(detected=False, predicted=""))
    assert figures["accuracy_found"] is None
    assert figures["accuracy_all"] == 0
    assert figures["balanced_accuracy_found"] is None
    json.dumps(figures, allow_nan=False)


def test_every_photo_of_a_data_set_has_a_row_of_predictions(raw_folder, tiny_model, tmp_path):
    photos = list_photos(raw_folder).iloc[::4]
    table = predict_table(photos, raw_folder, tiny_model, name="drawn")
    assert len(table) == len(photos)
    assert table["label"].tolist() == photos["label"].tolist()
    assert set(table["set"]) == {"drawn"}
    assert table["detected"].mean() > 0.9
    scores = table[[f"p_{label}" for label in tiny_model.labels]]
    assert scores[table["detected"]].sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-5)
    assert set(table["age"]) <= {"13-19", "20-39", "40-59", "60+"}
    assert report(table)["accuracy_all"] > 0.8


def test_a_bad_photo_is_a_row_with_an_error(raw_folder, tiny_model, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "bad.jpg").write_text("no photo")
    table = predict_table(list_photos(tmp_path), tmp_path, tiny_model)
    assert not table["detected"][0]
    assert table["predicted"][0] == ""
    assert "not a photo" in table["error"][0]
    assert np.isnan(table[f"p_{tiny_model.labels[0]}"][0])


def check_stored_evaluation(name: str) -> None:
    evaluation, predictions = read_evaluation(name), read_model_table("predictions", name)
    assert evaluation
    assert set(predictions["set"]) == set(evaluation)
    for data, figures in evaluation.items():
        rows = predictions[predictions["set"].eq(data)]
        again = report(rows.fillna({"age": "", "race": "", "predicted": ""}))
        assert json.loads(json.dumps(again)) == figures


def test_the_stored_evaluation_follows_from_the_stored_predictions(in_tiny_artifacts):
    check_stored_evaluation("tiny")


def test_the_evaluation_that_ships_follows_from_the_predictions_that_ship(shipped, monkeypatch):
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(shipped.parent))
    check_stored_evaluation(shipped.name)


def count_unmatched(new: pd.DataFrame, stored: pd.DataFrame, column: str) -> int:
    """Count new predictions that are not among the stored ones, each of which serves once."""
    missing = 0
    for (label, found), rows in new.groupby(["label", "detected"]):
        mine = stored[stored["label"].eq(label) & stored["detected"].eq(found)]
        values, place = np.sort(mine[column].to_numpy()), 0
        if not found:
            missing += max(0, len(rows) - len(mine))
            continue
        for p in np.sort(rows[column].to_numpy()):
            while place < len(values) and values[place] < p - 1e-3:
                place += 1
            if place == len(values) or values[place] > p + 1e-3:
                missing += 1
            else:
                place += 1
    return missing


def test_predictions_are_matched_one_to_one(in_tiny_artifacts):
    stored = read_model_table("predictions", "tiny")
    assert count_unmatched(stored, stored, "p_round") == 0
    moved = stored.assign(p_round=stored["p_round"] + 2)
    assert count_unmatched(moved, stored, "p_round") == stored["detected"].sum()
    twice = pd.concat([stored, stored])
    assert count_unmatched(twice, stored, "p_round") > 0
    assert count_unmatched(stored.assign(detected=False), stored, "p_round") > 0


def test_photos_predicted_again_are_in_the_predictions_that_ship(
    shipped, shipped_model, shared_data, monkeypatch
):
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(shipped.parent))
    stored = read_model_table("predictions", shipped.name)
    column = f"p_{shipped_model.labels[0]}"
    names = [name for name in sorted(stored["set"].unique()) if (shared_data / name).is_dir()]
    assert names
    missing = 0
    for name in names:
        photos = list_photos(shared_data / name)
        photos = photos[photos["split"].eq("test")].sample(200 // len(names), random_state=0)
        table = predict_table(photos, shared_data / name, shipped_model, name=name)
        missing += count_unmatched(table, stored[stored["set"].eq(name)], column)
    # Photos that equal or nearly equal others were left out of the stored evaluation.
    assert missing <= 4
