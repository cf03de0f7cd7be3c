import numpy as np
import pytest

from facecore.training.calibrate import (
    CONFIDENCES,
    choose_confidence,
    choose_distance,
    choose_score,
    platt,
    weigh,
)


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
