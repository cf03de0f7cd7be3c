import numpy as np
import pytest

from facecore.prepare import SIDE, cut, flatten, to_square


def ramp(height: int, width: int) -> np.ndarray:
    return np.arange(height * width, dtype=np.uint8).reshape(height, width)


def test_a_box_inside_the_photo_is_cut_out():
    assert (cut(ramp(10, 10), (2, 3, 4, 5)) == ramp(10, 10)[3:8, 2:6]).all()


def test_a_cut_keeps_the_colours():
    photo = np.dstack([ramp(6, 6)] * 3)
    assert cut(photo, (0.4, 0.6, 3.4, 2)).shape == (2, 3, 3)


@pytest.mark.parametrize("box", [(-3, -2, 8, 8), (7, 8, 6, 5), (-4, -4, 20, 20)])
def test_a_box_beyond_the_border_repeats_the_outermost_pixels(box):
    photo = ramp(10, 10)
    x, y, w, h = box
    wide = np.pad(photo, 20, mode="edge")
    assert (cut(photo, box) == wide[y + 20 : y + 20 + h, x + 20 : x + 20 + w]).all()


def test_a_box_quite_outside_the_photo_gives_its_nearest_pixels():
    assert (cut(ramp(4, 4), (50, 50, 3, 3)) == 15).all()


def test_a_box_without_width_still_gives_a_pixel():
    assert cut(ramp(4, 4), (1, 1, 0.2, 0)).shape == (1, 1)


def test_a_face_becomes_a_grey_square():
    square = to_square(np.full((37, 53, 3), (255, 0, 0), dtype=np.uint8))
    assert square.shape == (SIDE, SIDE) == (100, 100)
    assert square.dtype == np.uint8
    assert (square == 76).all()


def test_shrinking_takes_the_mean_of_the_area():
    checks = np.indices((400, 400)).sum(axis=0) % 2 * 255
    square = to_square(checks.astype(np.uint8))
    assert np.abs(square.astype(int) - 127.5).max() <= 1


def test_a_face_of_the_right_size_is_not_changed():
    face = np.random.default_rng(0).integers(0, 256, (100, 100), dtype=np.uint8)
    assert (to_square(face) == face).all()


def test_enlarging_goes_smoothly_from_grey_to_grey():
    square = to_square(np.array([[0, 200], [0, 200]], dtype=np.uint8))
    assert (np.diff(square[50].astype(int)) >= 0).all()
    assert 90 <= int(square[50, 49]) <= 110


def test_the_frame_takes_the_middle_of_a_crop():
    crop = np.full((100, 80), 50, dtype=np.uint8)
    crop[25:75, 20:60] = 200
    assert (to_square(crop, frame=0.5) == 200).all()
    assert to_square(crop, side=10)[0, 0] == 50


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (2, 2), (3, 200)])
def test_the_smallest_crops_can_be_framed(shape):
    assert to_square(np.full(shape, 7, dtype=np.uint8), frame=0.85).min() == 7


def test_flattening_makes_one_row_line_by_line():
    row = flatten(ramp(3, 3))
    assert row.shape == (1, 9)
    assert row[0].tolist() == list(range(9))
