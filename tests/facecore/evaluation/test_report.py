import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from cartoons import draw_photo, encode, write_raw

from facecore.data.listing import NO_FACE, list_photos
from facecore.errors import DataError
from facecore.evaluation.curves import (
    answers_at,
    brier_score,
    calibration_error,
    reliability,
    risk_figures,
)
from facecore.evaluation.groups import crossed_groups, fill_unknown
from facecore.evaluation.intervals import wilson
from facecore.evaluation.report import (
    UNSURE,
    age_band,
    balanced_interval,
    confused_pairs,
    drop_unknown,
    evaluate_predictions,
    hide_rare,
    label_figures,
    map_labels,
    pool_answers,
    predict_table,
)
from facecore.model.rule import AnswerRule
from facecore.model.store import read_evaluation, read_model_table
from facecore.training.pipeline import train


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


CONFUSION = {
    "s1": {"s1": 6, "s2": 1, "s10": 2, "no face": 1},
    "s2": {"s1": 0, "s2": 4, "s10": 0, "no face": 0},
    "s10": {"s1": 0, "s2": 2, "s10": 2, "no face": 0},
}


def test_precision_recall_and_f1_are_those_of_scikit_learn():
    from sklearn.metrics import precision_recall_fscore_support

    pairs = [(t, a) for t, row in CONFUSION.items() for a, n in row.items() for _ in range(n)]
    truth, answers = zip(*pairs, strict=True)
    expected = precision_recall_fscore_support(truth, answers, labels=list(CONFUSION))
    for i, figures in enumerate(label_figures(CONFUSION).values()):
        shown = [figures[key] for key in ("precision", "recall", "f1", "n")]
        assert shown == pytest.approx([column[i] for column in expected], abs=1e-4)


def test_a_label_that_is_never_answered_has_no_precision_and_an_f1_of_0():
    figures = label_figures({"a": {"b": 3}, "b": {"b": 2}})["a"]
    assert figures == {"n": 3, "precision": None, "recall": 0.0, "f1": 0.0}


def test_confused_pairs_come_by_photos_and_then_by_their_share_and_a_missing_face_is_none():
    pairs = [
        (p["label"], p["answered"], p["photos"], p["share"]) for p in confused_pairs(CONFUSION)
    ]
    assert pairs == [("s10", "s2", 2, 0.5), ("s1", "s10", 2, 0.2), ("s1", "s2", 1, 0.1)]
    assert len(confused_pairs(CONFUSION, most=2)) == 2


@pytest.fixture
def three_labels() -> pd.DataFrame:
    """Predictions for three labels; one photo has no face."""
    P = np.array([[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.1, 0.5, 0.4], [np.nan] * 3])
    table = pd.DataFrame(P, columns=["p_child", "p_teen", "p_adult"])
    found = [True, True, True, False]
    return table.assign(
        label=["child", "child", "adult", "teen"],
        detected=found,
        predicted=["child", "teen", "teen", ""],
        answered=found,
        age="",
        race="",
    )


def test_an_evaluation_has_figures_for_any_number_of_labels(three_labels):
    figures = evaluate_predictions(three_labels)
    assert figures["top_accuracy"] == {"2": 0.6667}  # the three likeliest of three are all
    assert figures["macro_auc"] == 1.0  # of child and adult; no face is of a teen
    f1 = [2 / 3, 0, 0]
    assert figures["macro_f1"] == pytest.approx(np.mean(f1), abs=1e-4)
    assert figures["by_label"]["teen"]["n"] == 1
    assert [p["answered"] for p in figures["confused_pairs"]] == ["teen", "teen"]
    assert "mean_absolute_error" not in figures
    json.dumps(figures)


def test_labels_in_an_order_have_an_error_in_steps_over_the_faces_found(three_labels):
    order = ["child", "teen", "adult"]
    assert evaluate_predictions(three_labels, order)["mean_absolute_error"] == 0.6667
    far = three_labels.assign(predicted=["child", "adult", "child", ""])
    assert evaluate_predictions(far, order)["mean_absolute_error"] == pytest.approx(4 / 3, abs=1e-4)
    assert evaluate_predictions(far, ["x", "y"])["mean_absolute_error"] is None


def test_labels_come_in_the_order_that_people_read(three_labels):
    tens = three_labels.assign(label=["s1", "s10", "s2", "s2"], predicted=["s10", "s2", "s1", ""])
    tens = tens.rename(columns={"p_child": "p_s1", "p_teen": "p_s2", "p_adult": "p_s10"})
    figures = evaluate_predictions(tens)
    assert list(figures["confusion"]) == list(figures["recall"]) == ["s1", "s2", "s10"]
    assert list(figures["confusion"]["s1"]) == ["s1", "s2", "s10", "no face"]
    assert list(figures["groups"]["label"]) == ["s1", "s2", "s10"]
    order = ["child", "teen", "adult"]
    assert list(evaluate_predictions(three_labels, order)["confusion"]) == order


@pytest.mark.parametrize(
    ("age", "band"),
    [
        ("0", "0-12"),
        ("12", "0-12"),
        ("12.5", "0-12"),
        ("13", "13-19"),
        ("20", "20-39"),
        ("59", "40-59"),
        ("60", "60+"),
        ("116", "60+"),
        ("", ""),
        ("old", ""),
        ("-3", ""),
        ("nan", ""),
    ],
)
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
    figures = evaluate_predictions(table)
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
    assert evaluate_predictions(table)["accuracy_all"] == 0.5


def test_the_confusion_counts_every_photo_once(table):
    confusion = evaluate_predictions(table)["confusion"]
    assert confusion == {
        "a": {"a": 2, "b": 1, "no face": 1},
        "b": {"a": 0, "b": 1, "no face": 1},
    }
    assert sum(sum(row.values()) for row in confusion.values()) == 6


def test_a_label_that_the_model_does_not_know_is_in_the_confusion(table):
    table.loc[0, "predicted"] = "c"
    confusion = evaluate_predictions(table)["confusion"]
    assert confusion["a"]["c"] == 1
    assert sum(sum(row.values()) for row in confusion.values()) == 6


def test_groups_are_told_where_they_are_known(table):
    groups = evaluate_predictions(table)["groups"]
    assert set(groups) == {"age", "race"}
    assert set(groups["age"]) == {"20-39", "60+"}
    assert groups["age"]["20-39"]["n"] == 3
    assert groups["age"]["20-39"]["accuracy_all"] == 1.0
    assert groups["age"]["60+"] == {
        "n": 2,
        "detected": 1,
        "accuracy_all": 0.0,
        "balanced_accuracy_all": 0.0,
        "interval_all": [round(v, 4) for v in wilson(0, 2)],
    }
    assert groups["race"]["y"]["accuracy_all"] == 1.0


def test_traits_that_nobody_knows_are_no_groups(table):
    assert evaluate_predictions(table.assign(age="", race=""))["groups"] == {}


def test_a_report_in_which_no_face_was_found_is_json(table):
    figures = evaluate_predictions(table.assign(detected=False, predicted=""))
    assert figures["accuracy_found"] is None
    assert figures["accuracy_all"] == 0
    assert figures["balanced_accuracy_found"] is None
    json.dumps(figures, allow_nan=False)


@pytest.fixture
def ruled() -> pd.DataFrame:
    """120 photos with scores; the likeliest label is given from a confidence of 0.7 on."""
    rng = np.random.default_rng(0)
    P = rng.dirichlet([1.5, 1.5], 120).round(6)
    label = np.where(rng.random(120) < P[:, 0], "a", "b")
    table = pd.DataFrame({"label": label, "p_a": P[:, 0], "p_b": P[:, 1], "ms": 1.0})
    table["detected"] = np.arange(120) % 12 != 0
    table.loc[~table["detected"], ["p_a", "p_b"]] = np.nan
    best = np.where(P[:, 0] > P[:, 1], "a", "b")
    table["predicted"] = np.where(table["detected"], best, "")
    table["answered"] = table["detected"] & (P.max(axis=1) >= 0.7)
    table["age"] = np.repeat(["20-39", "60+", "0-12", ""], [55, 52, 10, 3])
    return table.assign(race=np.where(np.arange(120) < 90, "x", "y"))


def test_coverage_and_accuracy_when_answered_follow_from_the_answers(ruled):
    figures, point = evaluate_predictions(ruled), answers_at(ruled, 0.7)
    assert 0 < point.unsure < point.photos
    assert figures["coverage"] == round(point.coverage, 4)
    assert figures["accuracy_answered"] == round(point.accuracy, 4)
    assert figures["interval_answered"] == [round(v, 4) for v in point.interval]
    json.dumps(figures, allow_nan=False)


def test_the_unsure_have_a_column_of_their_own_by_the_models_rule(ruled):
    figures = evaluate_predictions(ruled)
    for label, row in figures["confusion_answered"].items():
        mine = ruled[ruled["label"].eq(label)]
        given = mine[mine["answered"]]["predicted"].value_counts()
        assert list(row) == ["a", "b", UNSURE, NO_FACE]
        assert row == {
            "a": given["a"],
            "b": given["b"],
            UNSURE: (mine["detected"] & ~mine["answered"]).sum(),
            NO_FACE: (~mine["detected"]).sum(),
        }
    bold = evaluate_predictions(ruled.assign(answered=ruled["detected"]))
    for label, row in bold["confusion_answered"].items():
        assert row == bold["confusion"][label] | {UNSURE: 0}


def test_no_unsure_photo_is_a_confused_pair(ruled):
    matrix = evaluate_predictions(ruled)["confusion_answered"]
    assert {pair["answered"] for pair in confused_pairs(matrix)} <= {"a", "b"}


def test_the_area_under_the_risk_coverage_curve_is_part_of_the_evaluation(ruled):
    figures = evaluate_predictions(ruled)
    area = risk_figures(ruled)["aurc"]
    assert figures["risk"]["aurc"] == round(area, 4)
    nothing = ruled.assign(answered=False, detected=False, predicted="", p_a=np.nan, p_b=np.nan)
    assert evaluate_predictions(nothing)["risk"] is None


def test_answers_of_several_sets_are_put_together(ruled):
    parts = {"x": ruled.iloc[:50], "y": ruled.iloc[50:]}
    pooled = pool_answers({name: evaluate_predictions(rows) for name, rows in parts.items()})
    whole = evaluate_predictions(ruled)
    assert pooled == {key: whole[key] for key in pooled}
    assert len(pooled) == 3
    older = evaluate_predictions(ruled.drop(columns="answered"))
    assert pool_answers({"x": whole, "y": older}) == pool_answers({}) == {}


def test_further_traits_are_groups_of_the_evaluation(ruled):
    hats = ruled.assign(trait_hat=np.where(ruled.index % 2, "yes", "no"))
    figures = evaluate_predictions(hats)
    assert figures["groups"]["hat"]["yes"]["n"] == 60
    assert {cell["trait"] for cell in figures["crossed"]} == {"age", "race", "hat"}


def anonymous(table: pd.DataFrame, columns: list[str]) -> int:
    """Return the size of the smallest class of rows that are equal in some columns."""
    return int(table.groupby(columns)["label"].transform("size").min())


def test_of_a_shared_table_no_photo_is_told_from_the_others_by_its_further_traits():
    rng, n = np.random.default_rng(0), 600
    table = pd.DataFrame({"label": rng.choice(["a", "b"], n), "age": rng.choice(["20-39", ""], n)})
    table = table.assign(
        race="",
        trait_hat=rng.choice(["yes", "no"], n, p=[0.1, 0.9]),
        trait_light=rng.choice(["day", "night", "dusk"], n, p=[0.6, 0.35, 0.05]),
    )
    every = ["label", "age", "race", "trait_hat", "trait_light"]
    assert anonymous(table, every) < 5
    left, hidden = hide_rare(table, [""] * n)
    assert anonymous(left, every) >= 5
    assert left["trait_hat"].ne("").any()
    changed = (left[every] != table[every]).any(axis=1)
    assert hidden == changed.sum() > 0
    assert (left[every][changed].iloc[:, 3:] == "").any(axis=1).all()


def test_many_photos_of_one_subject_are_rare_all_the_same():
    table = pd.DataFrame(
        {"label": "a", "age": "", "race": "", "trait_hat": ["yes"] * 9 + ["no"] * 9}
    )
    known = [f"s{i}" for i in range(18)]
    assert hide_rare(table, known)[1] == 0
    assert hide_rare(table, ["eve"] * 9 + known[9:])[1] == 18
    assert hide_rare(table, ["eve", "ann", "bob"] * 3 + known[9:])[1] == 0


def test_the_accuracy_over_all_does_not_depend_on_the_rule(ruled):
    plain = evaluate_predictions(ruled.drop(columns="answered"))
    for answered in (ruled["detected"], ruled["answered"], ruled["answered"] & False):
        figures = evaluate_predictions(ruled.assign(answered=answered))
        for key in plain.keys() - {"groups", "crossed"}:
            assert figures[key] == plain[key]


def test_a_table_that_does_not_say_what_was_answered_has_the_figures_it_had(ruled):
    figures = evaluate_predictions(ruled.drop(columns="answered"))
    assert list(figures) == [
        "n",
        "detected",
        "accuracy_found",
        "accuracy_all",
        "balanced_accuracy_found",
        "balanced_accuracy_all",
        "interval_all",
        "recall",
        "confusion",
        "ms_per_photo",
        "groups",
        "crossed",
        "by_label",
        "macro_f1",
        "confused_pairs",
    ]
    assert set(figures["groups"]) == {"age", "race"}
    assert "coverage" not in figures["groups"]["age"]["60+"]
    assert all("coverage" not in cell for cell in figures["crossed"])


def test_every_group_has_its_coverage_and_the_labels_are_groups_too(ruled):
    groups = evaluate_predictions(ruled)["groups"]
    assert set(groups) == {"label", "age", "race"}
    for trait, found in groups.items():
        for group, figures in found.items():
            point = answers_at(ruled[ruled[trait].eq(group)], 0.7)
            assert figures["n"] == point.photos
            assert figures["coverage"] == round(point.coverage, 4)
            assert figures["accuracy_answered"] == round(point.accuracy, 4)


def test_the_labels_within_the_groups_are_part_of_the_evaluation(ruled):
    figures = evaluate_predictions(ruled)
    assert figures["crossed"] == crossed_groups(ruled)
    assert {cell["trait"] for cell in figures["crossed"]} == {"age", "race"}
    order = [cell["label"] for cell in evaluate_predictions(ruled, ["b", "a"])["crossed"]]
    assert order[0] == "b"


def test_the_gap_is_between_the_best_and_the_worst_of_large_groups(ruled):
    figures = evaluate_predictions(ruled)
    ages = {group: f["accuracy_all"] for group, f in figures["groups"]["age"].items()}
    best, worst = sorted(("20-39", "60+"), key=ages.get, reverse=True)
    assert figures["gaps"]["age"] == {
        "gap": round(ages[best] - ages[worst], 4),
        "best": best,
        "worst": worst,
    }
    assert "race" not in figures["gaps"]  # y has 30 photos


def test_the_report_tells_how_honest_the_probabilities_are(ruled):
    figures = evaluate_predictions(ruled)
    assert figures["calibration_error"] == round(calibration_error(ruled), 4)
    assert figures["brier_score"] == round(brier_score(ruled), 4)
    rows = pd.DataFrame(figures["reliability"])
    pd.testing.assert_frame_equal(rows, reliability(ruled).round(4))


def test_where_nothing_is_answered_there_is_no_accuracy_of_answers(ruled):
    figures = evaluate_predictions(ruled.assign(answered=False))
    assert figures["coverage"] == 0
    assert figures["accuracy_answered"] is None
    nothing = ruled.assign(answered=False, detected=False, predicted="", p_a=np.nan, p_b=np.nan)
    figures = evaluate_predictions(nothing)
    assert figures["calibration_error"] is None
    assert figures["reliability"] == []
    json.dumps(figures, allow_nan=False)


def test_predictions_keep_the_likeliest_label_and_say_what_was_answered(raw_folder, tiny_model):
    photos = list_photos(raw_folder).iloc[::4]
    free = predict_table(photos, raw_folder, tiny_model)
    assert (free["answered"] == free["detected"]).all()
    scores = free[[f"p_{label}" for label in tiny_model.labels]].max(axis=1)
    rule = AnswerRule(min_confidence=float(scores.median()), max_distance=0.9)
    ruled = predict_table(photos, raw_folder, replace(tiny_model, rule=rule))
    assert (ruled["predicted"] == free["predicted"]).all()
    assert 0 < ruled["answered"].sum() < ruled["detected"].sum()
    assert (ruled["answered"] == (scores >= rule.min_confidence - 1e-6)).all()
    assert ruled[["distance", "score"]].notna().all(axis=1).equals(ruled["detected"])
    assert evaluate_predictions(ruled)["accuracy_all"] == evaluate_predictions(free)["accuracy_all"]


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
    assert evaluate_predictions(table)["accuracy_all"] > 0.8


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
        again = evaluate_predictions(rows.fillna({"age": "", "race": "", "predicted": ""}))
        again = json.loads(json.dumps(again))
        # an evaluation that an older version stored lacks figures that came later
        assert {key: again[key] for key in figures} == figures


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


@pytest.mark.slow
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


@pytest.fixture
def folk() -> pd.DataFrame:
    return pd.DataFrame({"path": ["1.jpg", "2.jpg", "3.jpg"], "label": ["Men", "Women", "Men"]})


def test_a_label_of_another_split_may_be_mapped(folk):
    names = {"Men": "male", "Women": "female", "Pets": ""}
    assert map_labels(folk, ["female", "male"], names, others=["Pets"])["label"].nunique() == 2
    with pytest.raises(DataError, match="no label 'Pets' to map in the photos; there are: Men"):
        map_labels(folk, ["female", "male"], names)


@pytest.mark.parametrize("labels", [["Men"], ["men", "women"], ["Men", "Women", "x"]])
def test_photos_of_unknown_labels_are_left_out_and_counted_with_both_lists(folk, labels):
    left, note = drop_unknown(folk, labels)
    unknown = [label for label in ("Men", "Women") if label not in labels]
    assert set(left["label"]) == set(folk["label"]) - set(unknown)
    assert bool(note) == bool(unknown)
    for label in unknown:
        assert f"{label} ({folk['label'].eq(label).sum()})" in note
    assert not unknown or note.endswith(f"it knows {', '.join(labels)}")


@pytest.mark.parametrize("wrong", ["A", "c", "", "no face"])
def test_predictions_of_a_label_that_the_model_does_not_know_are_refused(ruled, wrong):
    spoilt = ruled.astype({"label": "str"})
    spoilt.loc[spoilt.index[0], "label"] = wrong
    both = ", ".join(sorted({*ruled["label"], wrong})), ", ".join(sorted(set(ruled["label"])))
    with pytest.raises(DataError) as refusal:
        evaluate_predictions(spoilt)
    assert f"photos have {both[0]}, the model {both[1]}" in str(refusal.value)
    left = drop_unknown(spoilt, sorted(set(ruled["label"])))[0]
    assert evaluate_predictions(left)["n"] == len(ruled) - 1


def test_a_label_of_the_test_split_alone_is_told_and_not_counted_as_wrong(
    tmp_path, tiny_grid, artifacts, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    raw = write_raw(tmp_path / "raw", persons=6, split=True)
    (raw / "wide").mkdir()
    lines = (raw / "labels.csv").read_text().splitlines()
    for i in range(3):
        (raw / "wide" / f"{i}.jpg").write_bytes(encode(draw_photo("wide", 50 + i), quality=92))
        lines.append(f"wide/{i}.jpg,wide,w{i},test,,")
    (raw / "labels.csv").write_text("\n".join(lines) + "\n")
    train([raw], "m", recipe="classic", grid=str(tiny_grid))
    told = capsys.readouterr().err
    assert "raw: left out: 3 photos of labels that the model does not know: wide (3)" in told
    assert "it knows round, square" in told
    assert set(read_evaluation("m")["raw"]["confusion"]) == {"round", "square"}


def test_labels_of_a_set_are_called_as_the_model_calls_them(folk):
    mapped = map_labels(folk, ["female", "male"], {"Men": "male", "Women": "female"})
    assert mapped["label"].tolist() == ["male", "female", "male"]


def test_labels_that_the_model_knows_stay(folk):
    assert map_labels(folk, ["Men", "Women"]).equals(folk)


def test_a_label_mapped_to_nothing_leaves_its_photos_out(folk):
    left = map_labels(folk, ["female", "male"], {"Men": "male", "Women": ""})
    assert left["path"].tolist() == ["1.jpg", "3.jpg"]


@pytest.mark.parametrize(
    ("labels", "names", "words"),
    [
        (["female", "male"], {}, "no label Men, Women; the photos have Men, Women, the model"),
        (["men", "women"], {}, "--map 'Men=men,Women=women'"),
        (["Men", "male"], {}, "no label Women"),
        (["female", "male"], {"Men": "mal", "Women": "female"}, "no label mal"),
        (["female", "male"], {"men": "male"}, "no label 'men' to map"),
        (["female", "male"], {"Men": "", "Women": ""}, "no photo is left"),
    ],
)
def test_labels_that_the_model_does_not_know_are_refused_with_both_lists(
    folk, labels, names, words
):
    with pytest.raises(DataError) as refusal:
        map_labels(folk, labels, names)
    assert words in str(refusal.value)


@pytest.mark.parametrize("centres", [0, 30])
def test_further_columns_of_labels_travel_from_the_table_to_the_predictions(
    tmp_path, monkeypatch, tiny_grid, centres
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(tmp_path / "models"))
    raw = write_raw(tmp_path / "raw", persons=8, shots=2, split=True)
    table = pd.read_csv(raw / "labels.csv", dtype=str)
    table["Hat"] = np.where(table.index % 2, "01", "00")
    table["lens"] = [f"lens {i}" for i in range(len(table))]
    moved = table["path"].str.contains("p0[4-7]")  # half of the subjects, into a second data set
    plain = tmp_path / "plain"
    for path in table["path"][moved]:
        (plain / path).parent.mkdir(parents=True, exist_ok=True)
        (raw / path).rename(plain / path)
    table[~moved].to_csv(raw / "labels.csv", index=False)
    table[moved].drop(columns=["Hat", "lens"]).to_csv(plain / "labels.csv", index=False)
    train([raw, plain], "m", recipe="classic", grid=str(tiny_grid), centres=centres)
    stored, figures = read_model_table("predictions", "m"), read_evaluation("m")
    if centres:  # two test photos of a label are too few
        assert "trait_hat" not in stored
        assert "hat" not in figures["raw"]["groups"]
        return
    assert [column for column in stored if column.startswith("trait_")] == ["trait_hat"]
    hats = stored[stored["set"].eq("raw")]["trait_hat"].value_counts()
    assert hats.to_dict() == {"00": 2, "01": 2}
    assert stored[stored["set"].eq("plain")]["trait_hat"].isna().all()
    assert figures["raw"]["groups"]["hat"]["01"]["n"] == 2
    assert "hat" not in figures["plain"]["groups"]
    again = evaluate_predictions(fill_unknown(stored[stored["set"].eq("raw")]))
    assert json.loads(json.dumps(again)) == figures["raw"]
