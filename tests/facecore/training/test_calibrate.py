from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from facecore.evaluation.curves import calibration_error
from facecore.face.features import Features
from facecore.face.recipes import RECIPES, Recipe
from facecore.model.classifier import FaceModel, Member
from facecore.model.explain import distance_from_face_space
from facecore.training.calibrate import (
    CONFIDENCES,
    calibrate_members,
    choose_confidence,
    choose_distance,
    choose_score,
    platt,
    weigh,
    with_rule,
)
from facecore.training.estimator import FaceSpaceClassifier

CLASSIC = RECIPES["classic"]


def drawn(n_a: int, n_b: int, slope: float, offset: float, seed: int = 0):
    """Decisions whose true probability, were the labels as frequent, is a sigmoid of them."""
    rng = np.random.default_rng(seed)
    values = rng.uniform(-3, 3, 40_000)
    positive = rng.random(len(values)) < 1 / (1 + np.exp(-slope * (values + offset)))
    a, b = values[~positive][:n_a], values[positive][:n_b]
    y = np.repeat(["a", "b"], [len(a), len(b)])
    return np.concatenate([a, b])[:, None], y


CLASSES = np.array(["a", "b"])


@pytest.mark.parametrize("slope", [0.8, 2.0])
def test_the_slope_that_made_the_labels_is_found(slope):
    found, offset = platt(*drawn(9000, 9000, slope, 0.0), CLASSES)
    assert found == pytest.approx([slope], rel=0.08)
    assert offset == pytest.approx([0], abs=0.1)


def test_an_offset_moves_the_decision_back():
    values, y = drawn(9000, 9000, 1.5, 0.0)
    _, offset = platt(values - 0.7, y, CLASSES)
    assert offset == pytest.approx([0.7], abs=0.1)


def test_a_rare_label_counts_as_much_as_a_frequent_one():
    balanced = platt(*drawn(9000, 9000, 1.5, 0.0), CLASSES)
    rare = platt(*drawn(9000, 900, 1.5, 0.0), CLASSES)
    assert np.array(rare) == pytest.approx(np.array(balanced), abs=0.2)


def test_unbalanced_a_rare_label_is_less_probable_by_its_share():
    decisions, y = drawn(9000, 900, 1.5, 0.0)
    slope, offset = platt(decisions, y, CLASSES, class_weight=None)
    assert slope * offset == pytest.approx([np.log(0.1)], abs=0.2)
    made_up = platt(decisions, y, CLASSES, class_weight={"b": 10.0})
    balanced = platt(decisions, y, CLASSES)
    assert np.array(made_up) == pytest.approx(np.array(balanced), abs=0.01)


@pytest.mark.parametrize("class_weight", ["balanced", None])
def test_a_face_of_weight_two_counts_as_two_faces_in_the_sigmoid(class_weight):
    decisions, y = drawn(60, 40, 1.5, 0.3)
    weights = np.random.default_rng(0).integers(0, 4, len(y))
    weighted = platt(decisions, y, CLASSES, weights.astype(float), class_weight)
    repeated = np.repeat(decisions, weights, axis=0), np.repeat(y, weights)
    plain = platt(*repeated, CLASSES, class_weight=class_weight)
    assert np.array(weighted) == pytest.approx(np.array(plain))


def test_labels_that_are_parted_without_error_still_have_finite_probabilities():
    values = np.array([-2.0, -1, -1.5, 1, 1.2, 2])[:, None]
    slope, offset = platt(values, np.repeat(["a", "b"], 3), CLASSES)
    assert 0 < slope[0] < 100
    assert offset == pytest.approx([0], abs=0.3)


def test_decisions_that_order_the_labels_wrongly_are_left_as_they_are():
    values, y = drawn(500, 500, 2.0, 0.0)
    slope, offset = platt(-values, y, CLASSES)
    assert (slope.tolist(), offset.tolist()) == ([1.0], [0.0])


def test_three_labels_have_a_sigmoid_each():
    rng = np.random.default_rng(0)
    y = np.repeat(["a", "b", "c"], 200)
    values = (y[:, None] == np.array(["a", "b", "c"])) * 1.5 - 0.75 + rng.normal(0, 1, (600, 3))
    slope, offset = platt(values, y, np.array(["a", "b", "c"]))
    assert slope.shape == offset.shape == (3,)
    assert (slope > 0.5).all()


def calibrated(n: int, labels: int = 2, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Confidences, and whether the answers are right: as often as the confidence says."""
    rng = np.random.default_rng(seed)
    confidence = 1 - rng.beta(0.5, 2, n) * (1 - 1 / labels)
    return confidence, rng.random(n) < confidence


@pytest.mark.parametrize("labels", [2, 3])
@pytest.mark.parametrize("target", [0.9, 0.95, 0.99])
def test_the_smallest_confidence_is_chosen_at_which_so_many_answers_are_right(target, labels):
    confidence, right = calibrated(5000, labels)
    chosen = choose_confidence(confidence, right, target)
    assert right[confidence >= chosen].mean() >= target
    for lower in CONFIDENCES[chosen > CONFIDENCES]:
        assert right[confidence >= lower].mean() < target


def test_a_model_that_is_right_anyway_need_not_be_sure():
    assert choose_confidence(np.array([0.6, 0.7, 0.9] * 40), np.ones(120, dtype=bool)) == 0


def test_a_few_lucky_answers_prove_nothing():
    confidence = np.append(np.full(200, 0.8), np.full(49, 0.99))
    right = np.append(np.arange(200) % 10 != 0, np.ones(49, dtype=bool))
    assert choose_confidence(confidence, right) == 0  # .95 right from .99 on counts for too little
    one_more = choose_confidence(np.append(confidence, 0.99), np.append(right, True))
    assert 0.8 < one_more <= 0.99


def test_where_the_target_is_out_of_reach_the_best_answers_are_given():
    confidence = np.repeat([0.6, 0.8, 0.9], 100)
    right = np.arange(300) % 100 < np.repeat([60, 90, 85], 100)
    assert 0.6 < choose_confidence(confidence, right) <= 0.8


def test_of_few_faces_half_are_answered_at_least():
    confidence, right = np.linspace(0.5, 0.99, 20), np.arange(20) >= 15
    chosen = choose_confidence(confidence, right)
    assert (confidence >= chosen).sum() >= 10


def test_the_chosen_confidence_does_not_depend_on_the_order():
    confidence, right = calibrated(500)
    order = np.random.default_rng(1).permutation(500)
    assert choose_confidence(confidence[order], right[order]) == choose_confidence(
        confidence, right
    )


def test_training_faces_are_within_the_chosen_distance_but_for_outliers():
    distances = np.append(np.random.default_rng(0).normal(0.1, 0.01, 10_000), 5.0)
    chosen = choose_distance(distances)
    assert chosen == pytest.approx(1.5 * np.quantile(distances, 0.999))
    assert (distances > chosen).sum() == 1


def test_two_training_faces_in_a_thousand_are_below_the_chosen_score():
    scores = np.append(np.random.default_rng(0).uniform(0.9, 1, 998), [0.7, 0.75])
    assert (scores < choose_score(scores)).sum() == 2


def test_few_training_faces_choose_no_score():
    assert choose_score(np.linspace(0.9, 1, 999)) == -np.inf


@pytest.mark.parametrize("labels", [2, 3])
def test_a_member_that_knows_more_weighs_more(labels):
    rng = np.random.default_rng(0)
    classes = np.array(list("abc"[:labels]))
    y = rng.choice(classes, 4000)
    told = (y[:, None] == (classes[1:] if labels == 2 else classes)) * 2.0 - 1
    good, weak, none = (told * k + rng.normal(0, 1, told.shape) for k in (1.5, 0.5, 0.0))
    weights, slope = weigh([good, weak, none], y, classes)
    assert weights.shape == (3, told.shape[1])
    assert weights.sum(axis=0) == pytest.approx(1)
    assert (weights[0] > weights[1]).all()
    assert (weights[1] > weights[2]).all()
    assert (weights[2] < 0.05).all()
    # of normal values with means k and -k the log odds are 2 k x
    assert slope * weights[0] == pytest.approx(3, rel=0.15)


def test_no_weight_is_below_zero():
    y = np.repeat(["a", "b"], 500)
    told = np.repeat([[-1.0], [1.0]], 500, axis=0)
    good = told + np.random.default_rng(1).normal(0, 1, told.shape)
    weights, slope = weigh([good, -told], y, np.array(["a", "b"]))
    assert weights[:, 0] == pytest.approx([1, 0])
    assert slope > 0


def test_members_that_know_nothing_count_equally():
    y = np.repeat(["a", "b"], 50)
    told = np.repeat([[-1.0], [1.0]], 50, axis=0)
    weights, slope = weigh([-told, -2 * told], y, np.array(["a", "b"]))
    assert weights[:, 0] == pytest.approx([0.5, 0.5])
    assert slope == pytest.approx(1)


@pytest.mark.parametrize("data", ["faces", "three_faces"])
def test_the_rule_is_chosen_on_the_training_faces(data, request):
    X, y, _ = request.getfixturevalue(data)
    classifier = FaceSpaceClassifier(20, calibrate=False).fit(X, y)
    model = classifier.to_model(replace(CLASSIC, unsure=0.95))
    rng = np.random.default_rng(0)
    decisions = model.decision_function(X).reshape(len(y), -1)
    decisions = decisions + rng.normal(0, 1.2, decisions.shape)
    scores = np.linspace(1, 0.9, len(y))
    ruled, told = with_rule(model, decisions, X, y, scores)
    P = model.probability_of(decisions)
    right = np.array(model.labels)[P.argmax(axis=1)] == y
    answered = P.max(axis=1) >= ruled.rule.min_confidence
    assert right.mean() < 0.95 <= right[answered].mean()
    assert told["coverage"] == round(answered.mean(), 4) < 1
    assert told["accuracy"] == round(right[answered].mean(), 4)
    assert (distance_from_face_space(model, X) < ruled.rule.max_distance).all()


def straight_member(name: str, weights: np.ndarray, bias: np.ndarray) -> Member:
    """A member whose decisions are sums of four grey levels, each between 0 and 1."""
    outputs = weights.shape[1]
    return Member(
        minimum=np.zeros(4, np.float32),
        span=np.full(4, 255, np.float32),
        mean=np.zeros(4, np.float32),
        components=np.eye(4, dtype=np.float16),
        deviation=np.ones(4, np.float32),
        variance=np.ones(4, np.float32),
        total_variance=4.0,
        kernel_vectors=np.eye(4, dtype=np.float32),
        coefficients=weights,
        intercept=np.broadcast_to(bias, outputs).astype(float),
        gamma=0.0,
        kernel="linear",
        features=Features("pixels", 2) if name == "second" else Features(),
        name=name,
    )


def made_decisions(labels: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Pictures of four grey levels, and labels that depend on them by chance."""
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 256, (6000, 4), dtype=np.uint8)
    if labels == 2:
        odds = 6 * (X / 255 - 0.5) @ [1, 1, -1, 0]
        return X, np.where(rng.random(len(X)) < 1 / (1 + np.exp(-odds)), "b", "a")
    odds = 8 * (X[:, :3] / 255 - 0.5)
    return X, np.array(list("abc"))[(odds + rng.gumbel(size=odds.shape)).argmax(axis=1)]


def made_model(labels: int) -> FaceModel:
    """Two members, each of which sees a part of what the labels depend on, in its own unit."""
    if labels == 2:
        first, second = np.array([[1.0, 0, -1, 0]]).T, 400 * np.array([[0.5, 1, -0.5, 0]]).T
        biases = np.array([0.3]), np.array([-100.0])
    else:
        first, second = 0.1 * np.eye(4, 3), 30 * np.eye(4, 3)
        biases = np.array([0.0, 0.2, -0.1]), np.array([-15.0, -10, -20])
    members = (
        straight_member("first", first, biases[0]),
        straight_member("second", second, biases[1]),
    )
    return FaceModel(tuple("abc"[:labels]), members, np.ones(len(biases[0])), Recipe(side=2))


def calibrated_model(
    model: FaceModel, X: np.ndarray, y: np.ndarray
) -> tuple[FaceModel, np.ndarray]:
    return calibrate_members(model, [m.decide(m.coordinates(X)) for m in model.members], y)


def test_the_probabilities_of_two_members_together_are_as_often_right_as_they_say():
    X, y = made_decisions(2, 1)
    errors = []
    for model in (made_model(2), calibrated_model(made_model(2), *made_decisions(2, 0))[0]):
        table = pd.DataFrame(model.predict_proba(X), columns=["p_a", "p_b"])
        table = table.assign(label=y, predicted=model.predict(X), detected=True)
        errors.append(calibration_error(table))
    assert errors[0] > 0.1
    assert errors[1] < 0.02
    assert 0.8 < (table["predicted"] == y).mean() < 0.9


@pytest.mark.parametrize("labels", [2, 3])
def test_the_decisions_that_calibration_returns_are_those_of_the_model(labels):
    X, y = made_decisions(labels, 0)
    model, decisions = calibrated_model(made_model(labels), X, y)
    assert decisions.reshape(-1) == pytest.approx(model.decision_function(X).reshape(-1), abs=1e-4)


def test_the_unit_of_a_members_decisions_does_not_matter():
    X, y = made_decisions(2, 0)
    model = made_model(2)
    first, second = model.members
    scaled = replace(
        second, coefficients=second.coefficients * 1000, intercept=second.intercept * 1000
    )
    one, other = (
        calibrated_model(replace(model, members=(first, member)), X, y)[0]
        for member in (second, scaled)
    )
    assert other.predict_proba(X) == pytest.approx(one.predict_proba(X), abs=1e-3)


def test_calibration_keeps_the_order_of_the_decisions_of_a_member_alone():
    X, y = made_decisions(2, 0)
    model = replace(made_model(2), members=made_model(2).members[:1])
    before = model.decision_function(X)
    after = calibrated_model(model, X, y)[0].predict_proba(X)[:, 1]
    order = np.argsort(before, kind="stable")
    assert (np.diff(after[order]) >= -1e-9).all()
    assert (np.diff(after[order]) > 0).any()
