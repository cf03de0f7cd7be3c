import numpy as np
import pytest

from facecore.face.layers import halve, rectify


@pytest.mark.parametrize("side", [2, 5, 8])
def test_halves_are_means_of_four_pixels(side):
    x = np.random.default_rng(side).normal(size=(side, side, 3)).astype(np.float32)
    n = side // 2
    expected = x[: 2 * n, : 2 * n].reshape(n, 2, n, 2, 3).mean(axis=(1, 3))
    assert halve(x).dtype == np.float32
    assert halve(x) == pytest.approx(expected, abs=1e-6)


def test_what_is_below_zero_becomes_zero_in_place():
    x = np.random.default_rng(0).normal(size=(4, 4, 64)).astype(np.float32)
    expected = np.maximum(x, 0)
    rectify(x)
    assert (x == expected).all()
