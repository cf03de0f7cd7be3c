from dataclasses import replace

import numpy as np
import pytest

from facecore.model.scaling import draw_scaling, most_scaled, scaling_change
from facecore.model.store import load_model
from facecore.model.synth import sample_faces


@pytest.fixture(scope="module")
def model():
    return load_model("classic")


@pytest.fixture(scope="module")
def face(model):
    return sample_faces(model, "female", 1, seed=15)[0]


def test_the_change_is_that_to_what_grey_levels_over_255_would_be(model, face):
    low, span = (each.reshape(face.shape) for each in (model.pixels.minimum, model.pixels.span))
    expected = 255 * ((face - low) / span - face / 255)
    assert scaling_change(model, face) == pytest.approx(expected, abs=1e-3)


def test_a_pixel_that_goes_from_black_to_white_in_training_is_not_changed(model, face):
    change = scaling_change(model, face).reshape(-1)
    whole = (model.pixels.minimum == 0) & (model.pixels.span == 255)
    assert whole.any()
    assert np.abs(change[whole]).max() < 1e-3
    assert np.abs(change[~whole]).max() > 1


def test_the_pixels_that_change_most_come_first_and_lie_apart(model, face):
    change = np.abs(scaling_change(model, face))
    found = most_scaled(model, face, 4)
    shown = [change[one.row, one.column] for one in found]
    assert shown[0] == change.max()
    assert shown == sorted(shown, reverse=True)
    places = np.array([(one.row, one.column) for one in found])
    apart = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))
    assert apart[np.triu_indices(len(found), 1)].min() >= len(face) / 6
    for one in found:
        assert one.scaled == pytest.approx((one.level - one.low) / (one.high - one.low), abs=1e-4)


def test_where_nothing_changes_no_pixel_is_named(model, face):
    d = face.size
    plain = replace(model.pixels, minimum=np.zeros(d), span=np.full(d, 255.0))
    flat = replace(model, members=(plain,))
    assert most_scaled(flat, face, 4) == []


def test_the_picture_is_white_where_nothing_changes():
    picture = draw_scaling(np.diag([1.0, -1.0, 0, 0]), [])
    assert picture.shape == (600, 600, 3)
    assert (picture[-1, -1] == 255).all()
    assert picture[0, 0].tolist() != picture[200, 200].tolist()


def test_on_a_dark_ground_the_colours_are_the_same_and_the_numbers_light(model, face):
    change, dark = scaling_change(model, face), (30, 30, 30)
    plain = np.diag([1.0, -1.0, 0, 0])
    on_dark = draw_scaling(plain, [], dark)
    assert (on_dark[-1, -1] == 30).all()
    for place in ((0, 0), (200, 200)):  # the full colours
        assert (on_dark[place] == draw_scaling(plain, [])[place]).all()
    found = most_scaled(model, face, 4)
    numbered, bare = draw_scaling(change, found, dark), draw_scaling(change, [], dark)
    drawn = numbered[(numbered != bare).any(axis=2)]
    assert (drawn == 255).all(axis=1).sum() > (drawn == 0).all(axis=1).sum()
