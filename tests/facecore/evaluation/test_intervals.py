import pytest

from facecore.evaluation.intervals import wilson


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
