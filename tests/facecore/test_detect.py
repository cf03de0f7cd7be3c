from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from cartoons import draw_face, draw_photo

from facecore.detect import (
    CASCADES,
    HaarSettings,
    detector_spec,
    get_detector,
    to_grey,
)
from facecore.errors import ModelError

HAAR = {"name": "haar"}


def test_a_face_is_found_where_it_was_drawn():
    side, face, left, top = 240, 120, 70, 50
    photo = np.full((side, side, 3), 150, dtype=np.uint8)
    photo[top : top + face, left : left + face] = draw_face("round", 1, side=face)[:, :, None]
    (found,) = get_detector(HAAR)(photo)
    x, y, w, h = found.box
    assert x + w / 2 == pytest.approx(left + face / 2, abs=8)
    assert y + h / 2 == pytest.approx(top + face / 2, abs=12)
    assert 0.75 * face < w < 1.15 * face
    assert found.score > 0
    assert found.eyes is None


@pytest.mark.parametrize("factor", [2, 5])
def test_boxes_are_in_pixels_of_the_photo_however_large_it_is(factor):
    photo = draw_photo("square", 2, side=240)
    big = cv2.resize(photo, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    (small_face,), (big_face,) = get_detector(HAAR)(photo), get_detector(HAAR)(big)
    assert np.array(big_face.box) / factor == pytest.approx(np.array(small_face.box), abs=8)


def test_faces_come_largest_first():
    photo = np.full((300, 480, 3), 150, dtype=np.uint8)
    for left, side in ((10, 90), (120, 160), (310, 120)):
        photo[60 : 60 + side, left : left + side] = draw_face("round", 3, side=side)[:, :, None]
    found = get_detector(HAAR)(photo)
    areas = [face.box[2] * face.box[3] for face in found]
    assert len(found) == 3
    assert areas == sorted(areas, reverse=True)
    assert found[0].box[0] == pytest.approx(120, abs=25)


def test_a_tight_crop_is_found_on_the_second_try_and_its_box_may_leave_the_photo():
    face = draw_face("round", 1, side=200)
    tight = np.repeat(face[18:195, 26:174, None], 3, axis=2)
    assert get_detector(detector_spec("haar", HaarSettings(border=0)))(tight) == []
    (found,) = get_detector(HAAR)(tight)
    x, y, w, h = found.box
    assert min(x, y) < 0 or x + w > tight.shape[1] or y + h > tight.shape[0]
    assert x + w / 2 == pytest.approx(tight.shape[1] / 2, abs=15)


def test_nothing_is_found_on_a_plain_wall():
    assert get_detector(HAAR)(np.full((200, 300, 3), 140, dtype=np.uint8)) == []


@pytest.mark.parametrize("shape", [(1, 1), (1, 10000), (10000, 1), (2, 3), (23, 23)])
def test_an_odd_size_is_no_error(shape):
    assert get_detector(HAAR)(np.full((*shape, 3), 90, dtype=np.uint8)) == []


def test_eight_threads_find_what_one_thread_finds():
    photos = [draw_photo("round", i % 20, i, side=100) for i in range(200)]

    def find(photo):
        return get_detector(HAAR)(photo)

    alone = [find(photo) for photo in photos]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(find, photos))
    assert together == alone
    assert sum(map(bool, alone)) > 190


def test_each_thread_has_a_detector_of_its_own_and_keeps_it():
    mine = get_detector(HAAR)
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(get_detector, HAAR).result()
    assert get_detector(HAAR) is mine
    assert other is not mine


def test_many_settings_do_not_pile_up_detectors():
    first = get_detector({**HAAR, "min_neighbors": 1})
    for n in range(2, 12):
        get_detector({**HAAR, "min_neighbors": n})
    assert get_detector({**HAAR, "min_neighbors": 1}) is not first


@pytest.mark.parametrize("cascade", CASCADES)
def test_every_named_cascade_can_be_built(cascade):
    assert get_detector({**HAAR, "cascade": cascade})(draw_photo("round", 0)) is not None


def test_a_recipe_with_defaults_left_out_means_the_defaults():
    assert get_detector(HAAR) is get_detector(detector_spec("haar", HaarSettings()))


@pytest.mark.parametrize("name", ["nose", None, "", 3, ["haar"]])
def test_an_unknown_detector_names_those_there_are(name):
    with pytest.raises(ModelError, match=r"there are: haar"):
        get_detector({"name": name})


def test_an_unknown_setting_names_those_there_are():
    with pytest.raises(ModelError, match=r"no setting colour.*scale_factor.*border"):
        get_detector({**HAAR, "colour": 3})


def test_an_unknown_cascade_names_those_there_are():
    with pytest.raises(ModelError, match=r"frontalface_alt, frontalface_alt2"):
        get_detector({**HAAR, "cascade": "../eye"})


@pytest.mark.parametrize(
    "setting",
    [
        {"scale_factor": 1.0}, {"scale_factor": "wide"}, {"min_neighbors": -1},
        {"min_neighbors": 2.5}, {"long_side": 0}, {"min_face": float("nan")}, {"border": -0.1},
        {"border": [1]}, {"cascade": ["frontalface_alt"]}, {"long_side": True},
    ],
    ids=str,
)  # fmt: skip
def test_a_setting_that_makes_no_sense_is_refused(setting):
    with pytest.raises(ModelError):
        get_detector({**HAAR, **setting})


def test_a_missing_cascade_file_is_an_error_that_says_what_to_install(monkeypatch):
    monkeypatch.setattr("facecore.detect.cv2.__file__", "/nowhere/cv2.py")
    with pytest.raises(ModelError, match="pip install"):
        HaarSettings().build()


def test_grey_weighs_red_green_and_blue():
    colours = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], dtype=np.uint8)
    assert to_grey(colours).tolist() == [[76, 150, 29]]
    assert (to_grey(to_grey(colours)) == to_grey(colours)).all()
