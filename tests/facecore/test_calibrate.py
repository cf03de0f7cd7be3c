import numpy as np
import pytest

from facecore.calibrate import platt


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
