from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from facecore.evaluation.curves import calibration_error
from facecore.face.features import Features
from facecore.face.recipes import Recipe
from facecore.model.classifier import FaceModel, Member
from facecore.training.calibrate import (
    Calibration,
    calibrate_members,
    cross_calibrate,
    platt,
    score_folds,
    set_borders,
    temper,
    weigh,
    weigh_sparingly,
)
from facecore.training.kernels import choose_labels


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
    assert found == pytest.approx(slope, rel=0.08)
    assert offset == pytest.approx(0, abs=0.1)


def test_an_offset_moves_the_decision_back():
    values, y = drawn(9000, 9000, 1.5, 0.0)
    _, offset = platt(values - 0.7, y, CLASSES)
    assert offset == pytest.approx(0.7, abs=0.1)


def test_a_rare_label_counts_as_much_as_a_frequent_one():
    balanced = platt(*drawn(9000, 9000, 1.5, 0.0), CLASSES)
    rare = platt(*drawn(9000, 900, 1.5, 0.0), CLASSES)
    assert np.array(rare) == pytest.approx(np.array(balanced), abs=0.2)


def test_unbalanced_a_rare_label_is_less_probable_by_its_share():
    decisions, y = drawn(9000, 900, 1.5, 0.0)
    slope, offset = platt(decisions, y, CLASSES, class_weight=None)
    assert slope * offset == pytest.approx(np.log(0.1), abs=0.2)
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
    assert 0 < slope < 100
    assert offset == pytest.approx(0, abs=0.3)


def test_decisions_that_order_the_labels_wrongly_are_left_as_they_are():
    values, y = drawn(500, 500, 2.0, 0.0)
    slope, offset = platt(-values, y, CLASSES)
    assert (slope, offset) == (1.0, 0.0)


@pytest.mark.parametrize("labels", [2, 3])
def test_a_member_that_knows_more_weighs_more(labels):
    rng = np.random.default_rng(0)
    classes = np.array(list("abc"[:labels]))
    y = rng.choice(classes, 4000)
    told = (y[:, None] == (classes[1:] if labels == 2 else classes)) * 2.0 - 1
    good, weak, none = (told * k + rng.normal(0, 1, told.shape) for k in (1.5, 0.5, 0.0))
    weights = (weigh if labels == 2 else temper)([good, weak, none], y, classes)
    assert weights[0] > weights[1] > weights[2]
    assert weights[2] < 0.05 * weights.sum()
    # of normal values with means k and -k the log odds are 2 k x
    assert weights[0] == pytest.approx(3, rel=0.15)


@pytest.mark.parametrize("labels", [2, 3])
def test_a_light_member_is_left_out_unless_it_shows_that_it_helps(labels):
    rng = np.random.default_rng(0)
    classes = np.array(list("abc"[:labels]))
    y = rng.choice(classes, 4000)
    told = (y[:, None] == (classes[1:] if labels == 2 else classes)) * 2.0 - 1
    good = told * 1.5 + rng.normal(0, 1, told.shape)
    echo = good + rng.normal(0, 3, told.shape)  # knows nothing that `good` does not
    weak = told * 0.3 + rng.normal(0, 1, told.shape)
    fit = weigh if labels == 2 else temper
    weights = weigh_sparingly([good, echo, weak], y, classes)
    assert weights[1] == 0
    assert weights[[0, 2]] == pytest.approx(fit([good, weak], y, classes), rel=1e-3)
    assert (weights[[0, 2]] > 0).all()


def test_a_member_with_a_tenth_of_the_weight_stays_however_little_it_helps():
    y = np.repeat(["a", "b"], 20)
    told = np.repeat([[-1.0], [1.0]], 20, axis=0)
    rng = np.random.default_rng(1)
    members = [told + rng.normal(0, 1, told.shape) for _ in range(3)]
    classes = np.array(["a", "b"])
    assert (weigh_sparingly(members, y, classes) == weigh(members, y, classes)).all()


def test_no_weight_is_below_zero():
    y = np.repeat(["a", "b"], 500)
    told = np.repeat([[-1.0], [1.0]], 500, axis=0)
    good = told + np.random.default_rng(1).normal(0, 1, told.shape)
    weights = weigh([good, -told], y, np.array(["a", "b"]))
    assert weights[0] > 0
    assert weights[1] == 0


def test_members_that_know_nothing_count_equally():
    y = np.repeat(["a", "b"], 50)
    told = np.repeat([[-1.0], [1.0]], 50, axis=0)
    weights = weigh([-told, -2 * told], y, np.array(["a", "b"]))
    assert weights == pytest.approx([0.5, 0.5])


def known_decisions(labels: int, faces: int, seed: int = 0):
    """Decisions that know the label as well as normal values with means 1 and -1 do."""
    rng = np.random.default_rng(seed)
    classes = np.array([f"{i:02}" for i in range(labels)])
    y = classes[rng.integers(0, labels, faces)]
    told = (y[:, None] == classes) * 2.0 - 1
    return told + rng.normal(0, 1 - labels / 100, told.shape), y, classes


def error_of(P: np.ndarray, y: np.ndarray, classes: np.ndarray) -> float:
    table = pd.DataFrame(P, columns=[f"p_{label}" for label in classes])
    predicted = classes[P.argmax(axis=1)]
    return calibration_error(table.assign(label=y, predicted=predicted, detected=True))


def softmax(values: np.ndarray) -> np.ndarray:
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("labels", [3, 10, 40])
@pytest.mark.parametrize("unit", [0.1, 50.0])
def test_probabilities_of_many_labels_are_as_often_right_as_they_say(labels, unit):
    decisions, y, classes = known_decisions(labels, 2000)
    (weight,) = temper([decisions * unit], y, classes)
    fresh, truth, _ = known_decisions(labels, 4000, seed=1)
    P = softmax(weight * unit * fresh)
    assert 0.5 < (classes[P.argmax(axis=1)] == truth).mean() < 0.97
    assert error_of(P, truth, classes) < 0.03


def test_few_faces_of_many_labels_are_not_overtrusted():
    decisions, y, classes = known_decisions(40, 200)
    (weight,) = temper([decisions], y, classes)
    fresh, truth, _ = known_decisions(40, 4000, seed=1)
    assert error_of(softmax(weight * fresh), truth, classes) < 0.05


def test_labels_that_are_parted_without_error_have_no_probability_of_one():
    classes = np.array(["a", "b", "c"])
    y = np.repeat(classes, 5)
    decisions = np.where(y[:, None] == classes, 1.0, -1.0)
    (weight,) = temper([decisions], y, classes)
    assert 0.9 < softmax(weight * decisions).max() < 0.99


def test_a_member_has_one_weight_for_all_labels_whatever_they_are():
    decisions, y, classes = known_decisions(5, 400)
    renamed = np.array(["e", "c", "a", "b", "d"])[np.searchsorted(classes, y)]
    before = temper([decisions, -decisions], y, classes)
    after = temper(
        [values[:, np.argsort(["e", "c", "a", "b", "d"])] for values in (decisions, -decisions)],
        renamed,
        np.array(list("abcde")),
    )
    assert after == pytest.approx(before, rel=1e-3)
    assert before[1] == 0


@pytest.mark.parametrize("class_weight", ["balanced", None])
def test_a_face_of_weight_two_counts_as_two_faces_in_the_softmax(class_weight):
    decisions, y, classes = known_decisions(3, 60)
    weights = np.random.default_rng(0).integers(0, 4, len(y))
    weighted = temper([decisions], y, classes, weights.astype(float), class_weight)
    repeated = np.repeat(decisions, weights, axis=0), np.repeat(y, weights)
    plain = temper([repeated[0]], repeated[1], classes, class_weight=class_weight)
    assert weighted == pytest.approx(plain, rel=1e-3)


@pytest.mark.parametrize("labels", [2, 4])
def test_no_fold_is_calibrated_on_its_own_faces(labels):
    decisions, y, classes = known_decisions(labels, 300)
    decisions = decisions[:, 1:] - decisions[:, :1] if labels == 2 else decisions
    folds = np.arange(300) % 5
    splits = [(np.flatnonzero(folds != k), np.flatnonzero(folds == k)) for k in range(5)]
    before = cross_calibrate([decisions], y, classes, splits)
    torn = y.copy()
    torn[splits[0][1]] = np.roll(torn[splits[0][1]], 1)
    after = cross_calibrate([decisions], torn, classes, splits)
    own, others = splits[0][1], splits[0][0]
    assert (after[own] == before[own]).all()
    assert (after[others] != before[others]).any()


@pytest.mark.parametrize("labels", [2, 4])
def test_a_border_that_is_set_is_that_of_a_calibration_in_the_unit_of_the_machine(labels):
    decisions, y, classes = known_decisions(labels, 300)
    if labels == 2:
        decisions = decisions[:, 1:] - decisions[:, :1] + 0.7  # a machine that prefers one
    folds = np.arange(300) % 5
    splits = [(np.flatnonzero(folds != k), np.flatnonzero(folds == k)) for k in range(5)]
    moved = set_borders(decisions, y, classes, splits)
    calibrated = cross_calibrate([decisions], y, classes, splits)
    assert (choose_labels(moved, classes) == choose_labels(calibrated, classes)).all()
    for _, own in splits:
        assert np.ptp(moved[own] - decisions[own]) == pytest.approx(0, abs=1e-12)
    assert ((moved - decisions).mean() < -0.3) == (labels == 2)


def test_a_fold_is_scored_by_balanced_accuracy():
    decisions, y = np.array([[-1.0], [-1.0], [2.0], [2.0]]), np.array(["a", "b", "b", "a"])
    rows = np.arange(4)
    splits = [(rows[2:], rows[:2]), (rows[:2], rows[2:]), (rows[:0], rows[[0, 2, 3]])]
    assert score_folds(decisions, y, CLASSES, splits) == [0.5, 0.5, 0.75]


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
) -> tuple[FaceModel, Calibration]:
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
def test_a_calibration_joins_decisions_as_the_model_does(labels):
    X, y = made_decisions(labels, 0)
    raw = made_model(labels)
    model, calibration = calibrated_model(raw, X, y)
    joint = calibration.join([m.decide(m.coordinates(X)) for m in raw.members])
    assert joint.reshape(-1) == pytest.approx(model.decision_function(X).reshape(-1), abs=1e-4)
    assert model.slope == pytest.approx(calibration.slope)
    assert model.link == ("sigmoid" if labels == 2 else "softmax")


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
