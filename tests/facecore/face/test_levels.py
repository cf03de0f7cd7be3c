"""Which levels are white: from the data, whatever one pixel says."""

import numpy as np
import pytest

from facecore.face.levels import Range, find_range


def shades(top: float, dtype=np.uint16, low: float = 0, size: int = 20_000) -> np.ndarray:
    return np.random.default_rng(0).uniform(low, top, size).astype(dtype)


@pytest.mark.parametrize(
    ("top", "white"),
    [(90, 255), (255, 255), (300, 1023), (1000, 1023), (4095, 4095), (9000, 16383), (65535, 65535)],
)
@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.float32])
def test_white_is_the_largest_number_of_the_fewest_bits(top, white, dtype):
    assert find_range(shades(top, dtype)) == Range(0, white)


@pytest.mark.parametrize(("top", "white"), [(0.01, 1), (0.5, 1), (1, 1), (1.5, 1.5), (200, 255)])
def test_white_of_fractions_is_one(top, white):
    black, found = find_range(shades(top, np.float32))
    assert black == 0
    assert found == pytest.approx(white, rel=0.01)


@pytest.mark.parametrize("top", [70_000, 1e6, 2e9])
def test_beyond_sixteen_bits_the_largest_level_is_white(top):
    black, white = find_range(shades(top, np.float64))
    assert (black, white) == (0, pytest.approx(top, rel=0.01))


@pytest.mark.parametrize("hot", [65535, 1e9, np.inf, -np.inf, np.nan, -1e9])
@pytest.mark.parametrize(("top", "white"), [(1, 1), (250, 255), (4000, 4095)])
def test_single_pixels_do_not_count(hot, top, white):
    levels = shades(top, np.float32)
    levels[:9] = hot
    assert find_range(levels) == Range(0, white)


def test_black_of_signed_data_is_their_smallest_level():
    assert find_range(np.array([-1.0, 0.5, 1.0])) == Range(-1, 1)
    assert find_range(np.array([-1000, 0, 3000])) == Range(-1000, 3000)


@pytest.mark.parametrize("step", [256, 257])
def test_a_dark_photo_of_stretched_bits_stays_dark(step):
    assert find_range(shades(40) * step) == Range(0, 65535)


@pytest.mark.parametrize("level", [0, 1, 7, 255, 3000, 0.0, 0.3, -5, -0.2])
def test_one_level_with_a_little_noise_does_not_become_noise(level):
    noise = shades(3, np.int64) if isinstance(level, int) else shades(0.01, np.float64)
    shown = find_range(level + noise).apply(level + noise)
    assert np.ptp(shown.astype(int)) <= 3


def test_no_number_is_no_range():
    empty = np.array([np.nan, np.inf])
    assert find_range(empty).apply(empty).tolist() == [0, 255]


def test_levels_outside_of_the_range_are_black_or_white():
    levels = np.array([-np.inf, -5, 0, 20, 100, 105, np.inf, np.nan])
    assert Range(0, 100).apply(levels).tolist() == [0, 0, 0, 51, 255, 255, 255, 0]
