import cv2
import numpy as np
import pytest
from cartoons import drawn_face

from facecore.face.prepare import (
    EYES_AND_MOUTH,
    LEAST,
    MOST,
    PLACES,
    SIDE,
    align,
    cut,
    flatten,
    mirror,
    to_colour,
    to_grey,
    to_pictures,
    to_square,
)

WIDTH = 3.52  # of a crop, in distances of the eyes


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
    for frame in (0.85, 0.2, 1e-9):
        assert to_square(np.full(shape, 7, dtype=np.uint8), frame=frame).min() == 7


def test_flattening_makes_one_row_line_by_line():
    row = flatten(ramp(3, 3))
    assert row.shape == (1, 9)
    assert row[0].tolist() == list(range(9))


def landmarks_at(distance: float, degrees: float = 0.0, middle: float = 0.0) -> np.ndarray:
    """Five landmarks in the shape of `PLACES`, turned, around a point of the photo's diagonal."""
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    shape = np.insert(PLACES, 2, (0.0, 0.1), axis=0)
    return distance * shape @ turn + middle


def dots(points: np.ndarray, side: int, spread: float) -> np.ndarray:
    """A picture with one channel a point, which holds a soft dot there."""
    x, y = (np.exp(-((np.arange(side) - p[:, None]) ** 2) / (2 * spread**2)) for p in points.T)
    return np.rint(255 * np.einsum("py,px->yxp", y, x)).astype(np.uint8)


def centres(picture: np.ndarray) -> np.ndarray:
    """Where the dot of each channel is, x and y of pixels that count from 0."""
    weights = picture.reshape(len(picture), -1, picture.shape[-1]).astype(float)
    y, x = np.indices(weights.shape[:2])
    mass = weights.sum(axis=(0, 1))
    return np.column_stack([(weights * axis[..., None]).sum(axis=(0, 1)) / mass for axis in (x, y)])


def wanted(side: int) -> np.ndarray:
    """Where eyes and corners of the mouth belong in a crop: `PLACES` around its middle."""
    return PLACES * side / WIDTH + (side - 1) / 2


@pytest.mark.parametrize("degrees", range(0, 360, 30))
@pytest.mark.parametrize("distance", [25.0, 90.0, 260.0])
def test_eyes_and_mouth_land_where_they_must_at_any_rotation_size_and_place(degrees, distance):
    side = round(8 * distance)
    landmarks = landmarks_at(distance, degrees, 0.5 * side + 0.06 * degrees)
    photo = dots(landmarks[EYES_AND_MOUTH], side, max(2, distance / 20))
    crop = align(photo, landmarks, WIDTH)
    assert crop.shape[:2] == (np.clip(round(WIDTH * distance), LEAST, MOST),) * 2
    assert centres(crop) == pytest.approx(wanted(len(crop)), abs=0.5)
    planes = [np.ascontiguousarray(crop[:, :, i]) for i in range(4)]
    final = np.dstack([to_square(plane, side=160) for plane in planes])
    assert centres(final) == pytest.approx(wanted(160), abs=0.5)


@pytest.mark.parametrize("seed", range(5))
def test_a_face_of_another_shape_lands_as_near_as_a_similarity_brings_it(seed):
    rng = np.random.default_rng(seed)
    landmarks = landmarks_at(80, 360 * rng.random(), 300) + rng.normal(0, 6, (5, 2))
    points = landmarks[EYES_AND_MOUTH]
    # a turn and scale (a, b) and a shift are linear unknowns of the places of the points
    x, y = points.T
    one, no = np.ones(4), np.zeros(4)
    equations = np.block(
        [
            [x[:, None], -y[:, None], one[:, None], no[:, None]],
            [y[:, None], x[:, None], no[:, None], one[:, None]],
        ]
    )
    a, b, shift_x, shift_y = np.linalg.lstsq(equations, PLACES.T.ravel(), rcond=None)[0]
    nearest = np.column_stack([a * x - b * y + shift_x, b * x + a * y + shift_y])
    crop = align(dots(points, 600, 4), landmarks, WIDTH)
    # the crop's middle is the middle of `PLACES`, its unit the distance of the eyes
    assert centres(crop) == pytest.approx(
        nearest * len(crop) / WIDTH + (len(crop) - 1) / 2, abs=0.5
    )


def difference(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a.astype(int) - b.astype(int)).mean())


def test_a_photo_upside_down_gives_the_same_crop():
    photo, landmarks = drawn_face()
    turned = np.ascontiguousarray(photo[::-1, ::-1])
    there = np.array([photo.shape[1] - 1, photo.shape[0] - 1]) - landmarks
    assert difference(align(turned, there, WIDTH), align(photo, landmarks, WIDTH)) < 0.5


def test_a_photo_in_a_mirror_gives_the_crop_in_a_mirror():
    photo, landmarks = drawn_face()
    there = landmarks * [-1, 1] + [photo.shape[1] - 1, 0]
    seen = align(np.ascontiguousarray(photo[:, ::-1]), there[[1, 0, 2, 4, 3]], WIDTH)
    assert difference(seen[:, ::-1], align(photo, landmarks, WIDTH)) < 0.5


@pytest.mark.parametrize("factor", [2, 4, 12])
def test_a_photo_of_another_size_gives_the_same_face(factor):
    photo, landmarks = drawn_face()
    large = cv2.resize(photo, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    there = (landmarks + 0.5) * factor - 0.5
    small_face, large_face = (
        to_square(align(pixels, points, WIDTH), side=100)
        for pixels, points in ((photo, landmarks), (large, there))
    )
    assert small_face.std() > 20
    assert difference(small_face, large_face) < 1


@pytest.mark.parametrize("degrees", [0, 33])
@pytest.mark.parametrize("distance", [450, 1200])
def test_a_face_larger_than_the_crop_is_averaged(degrees, distance):
    checks = (np.indices((2000, 2000)).sum(axis=0) % 2 * 255).astype(np.uint8)
    crop = align(checks, landmarks_at(distance, degrees, 1000), WIDTH)
    assert len(crop) == MOST
    inside = crop[200:-200, 200:-200].astype(int)
    assert np.abs(inside - 127.5).max() < 30


@pytest.mark.parametrize(
    ("middle", "grey"), [((-5000, 50), 10), ((5000, 50), 200), ((50, -900), 10), ((-9, -9), 10)]
)
def test_landmarks_outside_the_photo_give_its_nearest_pixels(middle, grey):
    photo = np.full((100, 300, 3), 10, dtype=np.uint8)
    photo[:, 150:] = 200
    crop = align(photo, landmarks_at(20, 0, 0) + middle, WIDTH)
    assert (crop == grey).all()


@pytest.mark.parametrize(
    "landmarks",
    [
        [(50, 50)] * 5,
        [(50, 50)] * 3 + [(50, 50.001)] * 2,
        [(80, 40), (40, 40), (60, 60), (78, 82), (42, 82)],
        [(40, 40), (50, 40), (60, 40), (70, 40), (80, 40)],
        [(1e7, 40), (50, 40), (60, 40), (70, 40), (80, 40)],
    ],
    ids=["one point", "nearly one point", "sides swapped", "on a line", "far away"],
)
def test_landmarks_that_are_no_face_still_give_a_crop(landmarks):
    photo = np.random.default_rng(0).integers(0, 256, (100, 120, 3), dtype=np.uint8)
    crop = align(photo, landmarks, WIDTH)
    assert LEAST <= len(crop) == crop.shape[1] <= MOST
    assert to_square(crop, side=160).shape == (160, 160)


def test_a_wider_crop_has_the_same_face_smaller():
    photo, landmarks = drawn_face()
    narrow, wide = (align(photo, landmarks, width) for width in (WIDTH, 1.6 * WIDTH))
    assert len(wide) == pytest.approx(1.6 * len(narrow), abs=1)
    assert difference(to_square(narrow), to_square(wide, frame=1 / 1.6)) < 2


def test_grey_weighs_red_green_and_blue():
    colours = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], dtype=np.uint8)
    assert to_grey(colours).tolist() == [[76, 150, 29]]
    assert (to_grey(to_grey(colours)) == to_grey(colours)).all()


@pytest.mark.parametrize("shape", [(2, 5, 5), (2, 5, 5, 3), (0, 4, 4), (1, 1, 1, 3)])
def test_rows_become_pictures_again_grey_or_in_colour(shape):
    pictures = np.arange(np.prod(shape)).reshape(shape)
    assert (to_pictures(pictures.reshape(shape[0], np.prod(shape[1:]))) == pictures).all()


@pytest.mark.parametrize("width", [2, 5, 10, 50, 128])
def test_rows_that_are_no_square_are_refused(width):
    with pytest.raises(ValueError, match="reshape"):
        to_pictures(np.zeros((2, width)))


def test_a_mirror_swaps_left_and_right_and_no_colours():
    face = np.random.default_rng(0).integers(0, 256, (1, 6, 6, 3))
    assert (mirror(face.reshape(1, -1)).reshape(face.shape) == face[:, :, ::-1]).all()


def test_grey_colours_are_grey_again():
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert (to_grey(to_colour(grey)) == grey).all()
    assert to_colour(to_colour(grey)).shape == (3, 4, 3)
