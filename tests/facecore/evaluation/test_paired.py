"""The difference between two classifiers on the same photos."""

import numpy as np
import pytest

from facecore.evaluation.paired import (
    compare_classifiers,
    difference_interval,
    mcnemar,
    unpaired_interval,
)


def answers(both: int, first: int, second: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    """Return who is right on which photo: both, only the first, only the second, neither."""
    counts = [both, first, second, neither]
    return np.repeat([1, 1, 0, 0], counts) == 1, np.repeat([1, 0, 1, 0], counts) == 1


# By hand: twice the binomial tail, such as 2 * (1 + 10) / 2**10 for 1 against 9.
@pytest.mark.parametrize(
    ("only_first", "only_second", "p"),
    [(0, 0, 1.0), (5, 5, 1.0), (0, 5, 0.0625), (1, 9, 0.021484375), (9, 1, 0.021484375), (0, 1, 1)],
)
def test_the_exact_test_gives_the_known_p_values(only_first, only_second, p):
    assert mcnemar(*answers(50, only_first, only_second, 4)) == pytest.approx(p)


def test_photos_that_both_have_right_or_wrong_do_not_count():
    assert mcnemar(*answers(1, 2, 12, 0)) == mcnemar(*answers(900, 2, 12, 70))


def test_the_interval_holds_the_difference_and_is_as_wide_as_theory_says():
    first, second = answers(700, 120, 60, 120)
    low, high = difference_interval(first, second, np.arange(1000).astype(str))
    n, b, c = 1000, 120, 60
    half = 1.96 * np.sqrt(b + c - (b - c) ** 2 / n) / n  # Wald, for a difference of paired shares
    assert low == pytest.approx(0.06 - half, abs=0.003)
    assert high == pytest.approx(0.06 + half, abs=0.003)


def test_photos_of_one_person_are_one_piece_of_evidence():
    first, second = answers(70, 12, 6, 12)
    alone = difference_interval(first, second, np.arange(100).astype(str))
    five_each = np.repeat(np.arange(100), 5).astype(str)
    together = difference_interval(np.repeat(first, 5), np.repeat(second, 5), five_each)
    assert together == pytest.approx(alone, abs=0.01)


def test_the_same_seed_gives_the_same_interval():
    case = (*answers(70, 12, 6, 12), np.arange(100).astype(str))
    first, again, other = (difference_interval(*case, seed=s, draws=20) for s in (1, 1, 2))
    assert first == again != other


def test_two_that_never_differ_have_no_difference():
    right = np.array([True, False, True])
    same = compare_classifiers(right, right, np.array(["a", "b", "c"]))
    assert same == {
        "difference": 0.0,
        "interval": [0.0, 0.0],
        "only_first": 0,
        "only_second": 0,
        "p": 1.0,
    }


def test_a_comparison_tells_who_is_better_and_by_how_many_photos():
    found = compare_classifiers(*answers(70, 2, 12, 16), np.arange(100).astype(str))
    assert found["difference"] == -0.1
    assert found["interval"][0] < -0.1 < found["interval"][1] < 0
    assert (found["only_first"], found["only_second"]) == (2, 12)
    assert found["p"] == pytest.approx(0.0129, abs=1e-4)


def test_no_photo_says_nothing():
    nothing = np.array([], dtype=bool)
    assert np.isnan(difference_interval(nothing, nothing, np.array([], dtype=str))).all()


# The published examples of method 10, by Newcombe (1998), table II.
@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_the_unpaired_interval_is_the_published_one(first, second, low, high):
    difference, least, most = unpaired_interval(first, second)
    assert difference == pytest.approx(first[0] / first[1] - second[0] / second[1])
    assert (least, most) == pytest.approx((low, high), abs=5e-5)
    assert unpaired_interval(second, first) == pytest.approx((-difference, -most, -least))


def test_the_unpaired_interval_is_wider_where_the_same_photos_are_alike_for_both():
    first, second = answers(700, 60, 20, 220)
    paired = difference_interval(first, second, np.arange(1000).astype(str))
    _, low, high = unpaired_interval((760, 1000), (720, 1000))
    assert high - low > 1.5 * (paired[1] - paired[0])
