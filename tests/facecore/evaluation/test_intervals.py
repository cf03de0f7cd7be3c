import pytest

from facecore.evaluation.intervals import newcombe, wilson


# Reference: statsmodels.stats.proportion.proportion_confint(..., method="wilson")
@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [
        (0, 10, 0.0, 0.2775328),
        (10, 10, 0.7224672, 1.0),
        (5, 10, 0.2365931, 0.7634069),
        (81, 263, 0.2552736, 0.3662083),
        (1, 1, 0.2065493, 1.0),
    ],
)
def test_wilson_intervals_are_the_known_ones(right, n, low, high):
    assert wilson(right, n) == pytest.approx((low, high), abs=1e-4)


def test_nothing_tried_says_nothing():
    assert wilson(0, 0) == (0.0, 1.0)


# Reference: Newcombe 1998, table II, method 10
@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_intervals_of_differences_are_the_known_ones(first, second, low, high):
    assert newcombe(first, second) == pytest.approx((low, high), abs=6e-5)
    assert newcombe(second, first) == pytest.approx((-high, -low), abs=6e-5)


def test_a_difference_from_nothing_tried_says_nothing():
    assert newcombe((0, 0), (3, 9)) == (-1.0, 1.0)
