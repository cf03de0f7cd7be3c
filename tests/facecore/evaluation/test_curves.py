import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    roc_auc_score,
    top_k_accuracy_score,
)

from facecore.evaluation.curves import (
    answers_at,
    brier_score,
    calibration_error,
    coverage_curve,
    macro_auc,
    precision_recall,
    reliability,
    risk_coverage,
    risk_figures,
    roc,
    score_counts,
    score_labels,
    top_accuracy,
)
from facecore.evaluation.intervals import wilson
from facecore.evaluation.report import evaluate_predictions
from facecore.model.store import read_model_table


def predictions(rows, labels=("a", "b")) -> pd.DataFrame:
    """A table of predictions from true labels and scores; None where no face was found."""
    table = pd.DataFrame({"label": [label for label, _ in rows]})
    table["detected"] = [scores is not None for _, scores in rows]
    P = np.array([[np.nan] * len(labels) if s is None else s for _, s in rows], dtype=float)
    best = np.array(labels)[np.nan_to_num(P).argmax(axis=1)]
    table["predicted"] = np.where(table["detected"], best, "")
    return table.assign(**{f"p_{label}": P[:, i] for i, label in enumerate(labels)})


@pytest.fixture
def few() -> pd.DataFrame:
    return predictions(
        [
            ("a", (0.9, 0.1)),
            ("a", (0.6, 0.4)),
            ("a", (0.3, 0.7)),
            ("a", None),
            ("b", (0.2, 0.8)),
            ("b", (0.4, 0.6)),
            ("b", (0.7, 0.3)),
            ("b", None),
        ]
    )


@pytest.fixture(scope="module")
def stored(shipped) -> pd.DataFrame:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACECORE_ARTIFACTS", str(shipped.parent))
        return read_model_table("predictions", shipped.name)


@pytest.fixture
def three() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    y = rng.choice(["x", "y", "z"], 300)
    P = rng.dirichlet([1, 1, 1], 300)
    P[np.arange(300), np.searchsorted(["x", "y", "z"], y)] += 0.7
    P /= P.sum(axis=1, keepdims=True)
    return predictions(list(zip(y, P, strict=True)), ("x", "y", "z"))


def test_the_labels_are_those_with_scores(few, three):
    assert score_labels(few) == ["a", "b"]
    assert score_labels(three) == ["x", "y", "z"]


def test_the_area_under_the_roc_is_the_share_of_pairs_in_the_right_order(few):
    curve = roc(few, "b")
    pairs = [b > a for a in (0.1, 0.4, 0.7) for b in (0.8, 0.6, 0.3)]
    assert curve.area == pytest.approx(sum(pairs) / 9)
    assert (curve.x[0], curve.y[0]) == (0, 0)
    assert (curve.x[-1], curve.y[-1]) == (1, 1)
    assert roc(few, "a").area == pytest.approx(curve.area)  # two labels mirror each other


def test_precision_and_recall_at_a_threshold_are_counted_by_hand(few):
    curve = precision_recall(few, "b")
    (i,) = np.flatnonzero(curve.threshold == 0.6)
    assert curve.x[i] == pytest.approx(2 / 3)  # of 3 faces of b, 2 score 0.6 or more
    assert curve.y[i] == pytest.approx(2 / 3)  # of 3 such faces, 2 are b
    assert curve.x[-1] == 0


@pytest.mark.parametrize("label", ["x", "y", "z"])
def test_three_labels_are_each_held_against_the_rest(three, label):
    truth, score = three["label"].eq(label), three[f"p_{label}"]
    assert roc(three, label).area == pytest.approx(roc_auc_score(truth, score))
    expected = average_precision_score(truth, score)
    assert precision_recall(three, label).area == pytest.approx(expected)


@pytest.mark.parametrize("curve", [roc, precision_recall])
@pytest.mark.parametrize("kept", ["a", "nobody"])
def test_faces_of_one_label_make_no_curve(few, curve, kept):
    empty = curve(few[few["label"].eq(kept)], "a")
    assert len(empty.x) == len(empty.y) == len(empty.threshold) == 0
    assert np.isnan(empty.area)


def test_reliability_counts_every_face_found_once(few, three):
    for table in (few, three):
        rows = reliability(table)
        assert rows["faces"].sum() == table["detected"].sum()
        assert (rows["confidence"].between(rows["from"], rows["to"])).all()
        assert rows["from"].min() >= 1 / len(score_labels(table)) - 1e-12


def test_a_bin_holds_the_mean_confidence_the_share_right_and_its_interval(few):
    rows = reliability(few, bins=5).set_index("faces")
    top = rows.loc[[1]].iloc[-1]  # 0.9, right
    assert (top["confidence"], top["right"]) == (0.9, 1.0)
    assert (top["low"], top["high"]) == wilson(1, 1)
    middle = reliability(few, bins=1).iloc[0]
    assert middle["faces"] == 6
    assert middle["confidence"] == pytest.approx((0.9 + 0.6 + 0.7 + 0.8 + 0.6 + 0.7) / 6)
    assert middle["right"] == pytest.approx(4 / 6)
    assert (middle["low"], middle["high"]) == wilson(4, 6)


def test_a_sure_answer_is_in_the_last_bin():
    assert reliability(predictions([("a", (1.0, 0.0))]))["to"].tolist() == [1.0]


def test_the_calibration_error_is_the_distance_from_what_the_model_says(few):
    assert calibration_error(few, bins=1) == pytest.approx(4.3 / 6 - 4 / 6)
    honest = predictions([("a", (0.8, 0.2))] * 4 + [("b", (0.8, 0.2))])
    assert calibration_error(honest) == pytest.approx(0)
    boasting = predictions([("b", (1.0, 0.0))] * 3)
    assert calibration_error(boasting) == 1


def test_the_brier_score_of_two_labels_is_that_of_scikit_learn(stored, few):
    for table, label in ((few, "b"), (stored, "male")):
        found = table[table["detected"]]
        expected = brier_score_loss(found["label"].eq(label), found[f"p_{label}"])
        assert brier_score(table) == pytest.approx(expected, abs=1e-6)


def test_the_brier_score_of_three_labels_lies_between_0_and_1():
    sure = np.eye(3)
    rows = [("x", sure[0]), ("y", sure[1]), ("z", sure[2])]
    assert brier_score(predictions(rows, ("x", "y", "z"))) == 0
    wrong = [("x", sure[1]), ("y", sure[2]), ("z", sure[0])]
    assert brier_score(predictions(wrong, ("x", "y", "z"))) == 1


def test_asking_for_more_confidence_answers_fewer_photos(stored):
    curve = coverage_curve(stored)
    assert curve["threshold"].is_monotonic_decreasing
    assert curve["answered"].is_monotonic_increasing
    assert curve["answered"].iloc[-1] == stored["detected"].sum()
    right = stored["detected"] & stored["predicted"].eq(stored["label"])
    assert curve["accuracy"].iloc[-1] == pytest.approx(right.sum() / stored["detected"].sum())


def test_the_point_at_a_threshold_lies_on_the_curve(stored, three):
    for table in (stored, three):
        curve = coverage_curve(table)
        for row in curve.iloc[:: len(curve) // 7].itertuples():
            point = answers_at(table, row.threshold)
            assert point.answered == row.answered
            assert point.coverage == pytest.approx(row.coverage)
            assert point.accuracy == pytest.approx(row.accuracy)


def test_answers_unsure_and_no_face_are_counted_by_hand(few):
    point = answers_at(few, 0.7)
    assert (point.photos, point.answered, point.unsure, point.no_face) == (8, 4, 2, 2)
    assert (point.right, point.accuracy, point.coverage) == (2, 0.5, 0.5)
    assert point.interval == wilson(2, 4)


def test_without_a_threshold_all_faces_found_are_answered(stored):
    assert (
        round(answers_at(stored, 0).accuracy, 4) == evaluate_predictions(stored)["accuracy_found"]
    )


def test_a_threshold_that_no_face_reaches_answers_nothing(few):
    point = answers_at(few, 0.95)
    assert (point.answered, point.coverage) == (0, 0)
    assert np.isnan(point.accuracy)


def test_scores_are_counted_by_true_label(few):
    counts = score_counts(few, "b", bins=2)
    assert counts.index.tolist() == [0.25, 0.75]
    assert counts.to_dict("list") == {"a": [2, 1], "b": [1, 2]}


def test_photos_without_a_face_have_no_curves():
    nothing = predictions([("a", None), ("b", None)])
    assert np.isnan(roc(nothing, "a").area)
    assert reliability(nothing).empty
    assert np.isnan(calibration_error(nothing))
    assert np.isnan(brier_score(nothing))
    assert coverage_curve(nothing).empty
    assert answers_at(nothing, 0.5).no_face == 2
    assert score_counts(nothing, "a").empty


@pytest.fixture(scope="module")
def many() -> pd.DataFrame:
    """Random predictions for six labels, the last of which no face has."""
    rng = np.random.default_rng(0)
    labels = tuple("abcdef")
    truth = rng.choice(list("abcde"), 200)
    P = rng.dirichlet(np.ones(6), 200) + 0.2 * (truth[:, None] == np.array(labels))
    rows = list(zip(truth, P / P.sum(axis=1, keepdims=True), strict=True))
    return predictions([*rows, ("a", None)], labels)


def test_the_macro_auc_is_that_of_scikit_learn_and_leaves_out_a_label_without_faces(many):
    found = many[many["detected"]]
    areas = [roc_auc_score(found["label"].eq(label), found[f"p_{label}"]) for label in "abcde"]
    assert macro_auc(many) == pytest.approx(np.mean(areas))
    assert np.isnan(macro_auc(many[many["label"].eq("a")]))


@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_top_k_accuracy_is_that_of_scikit_learn(many, k):
    found = many[many["detected"]]
    P = found[[f"p_{label}" for label in "abcdef"]]
    assert top_accuracy(many, k) == pytest.approx(
        top_k_accuracy_score(found["label"], P, k=k, labels=list("abcdef"))
    )


def test_the_top_of_no_face_is_unknown(many):
    assert np.isnan(top_accuracy(many[~many["detected"]], 2))


def test_curves_of_many_labels_are_those_of_one_label_against_the_rest(many):
    found = many[many["detected"]]
    for label in "abc":
        truth, score = found["label"].eq(label), found[f"p_{label}"]
        assert roc(many, label).area == pytest.approx(roc_auc_score(truth, score))
        assert precision_recall(many, label).area == pytest.approx(
            average_precision_score(truth, score)
        )
    bins = reliability(many)
    assert bins["from"].iloc[0] >= 1 / 6  # the likeliest of six has at least a sixth
    assert bins["faces"].sum() == len(found)
    assert coverage_curve(many)["coverage"].iloc[-1] == pytest.approx(len(found) / len(many))


def sorted_faces(right: list[int], confidence: list[float] | None = None) -> pd.DataFrame:
    """Return predictions of which the surest come first, right where there is a 1."""
    sure = confidence or np.linspace(0.99, 0.6, len(right)).tolist()
    return predictions(
        [("a" if hit else "b", (p, 1 - p)) for hit, p in zip(right, sure, strict=True)]
    )


def test_the_area_under_the_risk_coverage_curve_is_counted_by_hand():
    figures = risk_figures(sorted_faces([1, 0, 1, 1, 0]))
    assert figures["aurc"] == pytest.approx(np.mean([0, 1 / 2, 1 / 3, 1 / 4, 2 / 5]))
    assert figures["ideal"] == pytest.approx(np.mean([0, 0, 0, 1 / 4, 2 / 5]))
    assert figures["random"] == pytest.approx(2 / 5)
    assert figures["excess"] == pytest.approx(figures["aurc"] - figures["ideal"])


def test_an_ideal_order_has_no_excess():
    assert risk_figures(sorted_faces([1, 1, 1, 0, 0]))["excess"] == pytest.approx(0)
    assert risk_figures(sorted_faces([1, 1, 1]))["aurc"] == 0
    assert risk_figures(sorted_faces([0, 0]))["aurc"] == 1


def test_in_a_random_order_the_area_is_the_error():
    rng = np.random.default_rng(0)
    areas = [
        risk_figures(sorted_faces(rng.permutation([1] * 70 + [0] * 30).tolist()))["aurc"]
        for _ in range(300)
    ]
    assert np.mean(areas) == pytest.approx(0.3, abs=0.02)


def test_faces_of_the_same_confidence_count_as_if_in_any_order():
    equal = risk_figures(sorted_faces([1, 1, 0, 1], [0.8] * 4))
    assert equal["aurc"] == pytest.approx(1 / 4)
    assert risk_figures(sorted_faces([0, 1, 1, 1], [0.8] * 4)) == equal
    mixed = risk_figures(sorted_faces([1, 0, 1], [0.9, 0.7, 0.7]))
    assert mixed["aurc"] == pytest.approx(np.mean([0, 0.5 / 2, 1 / 3]))


def test_the_risk_is_one_minus_the_accuracy_and_never_below_the_ideal(stored):
    curve = risk_coverage(stored)
    assert (curve["risk"] + curve["accuracy"]).to_numpy() == pytest.approx(1)
    assert (curve["ideal"] <= curve["risk"] + 1e-12).all()
    last = curve.iloc[-1]
    assert last["risk"] == pytest.approx(last["ideal"])


def test_photos_without_a_face_have_no_risk(few):
    assert risk_figures(few) == risk_figures(few[few["detected"]])
    assert risk_figures(few.assign(detected=False)) is None
