import numpy as np
import pytest

from facecore.model.eigenface_words import describe_eigenface

SIDE = 40
PLACE = np.linspace(-1, 1, SIDE)
X, Y = np.meshgrid(PLACE, PLACE)


def patch(left, top, right, bottom, of=None):
    picture = np.zeros((SIDE, SIDE))
    rows, columns = (
        slice(int(top * SIDE), int(bottom * SIDE)),
        slice(int(left * SIDE), int(right * SIDE)),
    )
    picture[rows, columns] = 1 if of is None else of[rows, columns]
    return picture


SIDES = patch(0, 0, 0.1, 1, np.cos(20 * Y)) + patch(0.9, 0, 1, 1, np.cos(20 * Y))
LOPSIDED = "left to right: sides and eyes"


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        (np.full((SIDE, SIDE), -0.3), "brightness"),
        (X, "light from the side"),
        (-Y, "light from above"),
        (X**2 + Y**2 - 0.6, "middle against rim"),
        (patch(0.3, 0.75, 0.7, 0.95) - patch(0.3, 0.05, 0.7, 0.1), "mouth and chin"),
        (patch(0.3, 0.3, 0.7, 0.45, np.cos(20 * Y)), "eyes and brows"),
        (SIDES, "sides"),
        (SIDES + 0.6 * patch(0.3, 0.75, 0.7, 0.95), "sides and mouth"),
        (SIDES + 0.3 * patch(0.3, 0.75, 0.7, 0.95), "sides"),
        (SIDES * np.sign(X) + 0.6 * patch(0.3, 0.3, 0.7, 0.45, np.sign(X)), LOPSIDED),
        (patch(0.3, 0.75, 0.7, 0.95, np.sin(12 * X)), "left to right: mouth and chin"),
    ],
)
def test_an_eigenface_is_named_for_what_it_changes(picture, words):
    assert describe_eigenface(picture.ravel()).words == words


def test_the_sign_and_the_unit_of_an_eigenface_do_not_matter():
    rng = np.random.default_rng(0)
    for picture in rng.normal(size=(20, SIDE * SIDE)):
        assert describe_eigenface(picture) == describe_eigenface(-1000 * picture)


def test_the_share_is_what_the_words_explain():
    assert describe_eigenface(np.ones(100)).share == 1
    half = describe_eigenface((X + np.sign(np.sin(9 * Y)) * np.sqrt((X**2).mean())).ravel())
    assert half.words == "light from the side"
    assert half.share == pytest.approx(0.5, abs=0.02)


def test_an_eigenface_that_changes_nothing_has_no_share():
    assert describe_eigenface(np.zeros(100)).share == 0
