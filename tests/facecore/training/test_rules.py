from dataclasses import replace

import numpy as np
import pytest

from facecore.face.recipes import RECIPES
from facecore.model.classifier import FaceModel
from facecore.model.rule import measure_lead
from facecore.training.estimator import FaceSpaceClassifier
from facecore.training.options import TrainingOptions
from facecore.training.rules import (
    CONFIDENCES,
    FALSE_ACCEPTS,
    OutOfFold,
    choose_confidence,
    choose_distance,
    choose_score,
    choose_target,
    measure_auc,
    with_rule,
)

CLASSIC = replace(RECIPES["classic"], unsure=None)
UNSURE = replace(CLASSIC, unsure=0.99)


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


@pytest.mark.parametrize(
    ("right", "target"), [(0.995, 0.99), (0.93, 0.9), (0.56, 0.55), (0.2, None)]
)
def test_the_default_target_is_one_that_leaves_most_faces_an_answer(right, target):
    confidence = np.full(1000, 0.7)  # says nothing about which answers are right
    assert choose_target(confidence, np.arange(1000) < right * 1000, wanted=0.99) == target


def test_a_target_is_not_above_the_wanted_one():
    confidence, right = calibrated(2000)
    assert choose_target(confidence, right, wanted=0.6) == 0.6


def test_strangers_that_look_like_the_labels_are_not_told_apart():
    values = np.random.default_rng(0).normal(size=(2, 500))
    assert measure_auc(*values) == pytest.approx(0.5, abs=0.05)
    assert measure_auc(values[0] + 9, values[1]) == 1


def made(labels: int, right: float = 0.9, faces: int = 400, recipe=UNSURE):
    """A model, and what is known out of fold about faces of which a share is answered rightly."""
    rng = np.random.default_rng(0)
    names = [f"l{i}" for i in range(labels)]
    y = np.repeat(names, faces // labels)
    X = rng.integers(0, 256, (len(y), 9), dtype=np.uint8)
    classifier = FaceSpaceClassifier(3, calibrate=False).fit(X, y)
    model = FaceModel(
        classifier._as_model().labels,
        (classifier.member_,),
        np.ones(1 if labels == 2 else labels),
        replace(recipe, side=3),
        link="sigmoid" if labels == 2 else "softmax",
    )
    margin = np.where(rng.random(len(y)) < right, rng.gamma(8, 1, len(y)), -rng.gamma(2, 1, len(y)))
    true = y[:, None] == np.array(names)
    # where the margin is below 0 another label is likelier by as much
    other = np.roll(true, 1, axis=1)
    logits = np.where(true, np.maximum(margin, 0)[:, None], 0.0)
    logits += np.where(other, np.maximum(-margin, 0)[:, None], 0.0)
    if labels == 2:
        logits = (margin * np.where(true[:, 1], 1, -1))[:, None]
    distances = rng.uniform(0.05, 0.1, len(y))
    return model, OutOfFold(logits, distances, np.full(len(y), np.nan)), y


@pytest.mark.parametrize("labels", [2, 3, 10])
def test_a_rule_is_chosen_so_that_a_wanted_share_of_the_answers_is_right(labels):
    model, found, y = made(labels)
    ruled, told, strangers = with_rule(model, found, y, TrainingOptions(right=0.95))
    answered = told["coverage"] * len(y)
    assert told["target"] == 0.95 <= told["accuracy"]
    assert 0 < answered < len(y)
    assert told["min_confidence"] == ruled.rule.min_confidence > 0
    assert strangers is None


def test_without_a_wanted_share_the_target_is_one_that_can_be_reached():
    model, found, y = made(5, right=0.6)
    told = with_rule(model, found, y, TrainingOptions())[1]
    assert told["target"] < 0.9
    assert told["coverage"] >= 0.7


def test_a_recipe_without_a_rule_gets_one_when_a_share_is_wanted():
    model, found, y = made(3, recipe=CLASSIC)
    assert with_rule(model, found, y, TrainingOptions())[1] is None
    ruled, told, _ = with_rule(model, found, y, TrainingOptions(right=0.95))
    assert set(ruled.rule.to_dict()) == {"min_confidence"}
    assert told["accuracy"] >= 0.95


def test_faces_like_what_the_model_is_not_for_get_no_answer():
    model, found, y = made(2)
    beyond = np.where(np.arange(len(y))[:, None] % 10 == 0, 1.0, -1.0)
    ruled, told, _ = with_rule(model, replace(found, beyond=beyond), y, TrainingOptions())
    before = with_rule(model, found, y, TrainingOptions())[1]
    assert ruled.rule.max_outside == told["max_outside"] == 0
    assert told["coverage"] == pytest.approx(0.9 * before["coverage"], abs=0.03)


def test_the_rule_can_be_switched_off_and_its_distance_set():
    model, found, y = made(3)
    assert with_rule(model, found, y, TrainingOptions(rule=False)) == (model, None, None)
    ruled = with_rule(model, found, y, TrainingOptions(max_distance=0.06))[0]
    assert ruled.rule.max_distance == 0.06
    assert with_rule(model, found, y, TrainingOptions())[0].rule.max_distance > 0.1


def with_strangers(parted: bool):
    """Faces of labels that are held out: less like the others than their own faces, or as much."""
    model, found, y = made(4, right=1.0)
    values = np.random.default_rng(1).gamma(8, 1, (len(y), 4)) * (0.2 if parted else 1)
    values[np.arange(len(y)), np.arange(len(y)) % 4] = -np.inf
    return model, replace(found, strangers=values), y


def test_strangers_are_unknown_where_they_can_be_told_from_the_labels():
    model, found, y = with_strangers(parted=True)
    ruled, told, strangers = with_rule(model, found, y, TrainingOptions())
    leads = measure_lead(found.strangers)
    assert (leads >= ruled.rule.min_lead).mean() == pytest.approx(FALSE_ACCEPTS, abs=0.01)
    assert told["min_lead"] == ruled.rule.min_lead
    assert strangers["faces"] == len(y)
    assert strangers["auc"] > 0.9
    assert strangers["false_accept"] <= FALSE_ACCEPTS + 0.01
    lowest = measure_lead(found.logits) < ruled.rule.min_lead
    assert strangers["false_reject"] == round(lowest.mean(), 4) < 0.3


def test_labels_whose_strangers_look_like_them_call_nobody_unknown_unless_labels_are_persons():
    model, found, y = with_strangers(parted=False)
    ruled, _, strangers = with_rule(model, found, y, TrainingOptions())
    assert strangers["auc"] < 0.9
    assert "min_lead" not in ruled.rule.to_dict()
    # told apart, but at the price of many of the labels' own faces
    halved = replace(found, logits=found.logits * np.where(np.arange(len(y)) % 8, 1, 0.01)[:, None])
    dear = replace(halved, strangers=np.where(np.isinf(found.strangers), -np.inf, 0.0))
    dear.strangers[:, 0] = np.where(np.isinf(dear.strangers[:, 0]), -np.inf, 0.5)
    ruled, _, strangers = with_rule(model, dear, y, TrainingOptions())
    assert strangers["auc"] >= 0.9
    assert "min_lead" not in ruled.rule.to_dict()
    persons, told, strangers = with_rule(model, found, y, TrainingOptions(identity=True))
    assert "min_lead" in persons.rule.to_dict()
    assert strangers["false_reject"] <= 0.3  # most people of the labels still get an answer
    assert told["coverage"] >= 0.4
