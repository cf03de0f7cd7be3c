import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from facecore.face import blazeface, get_detector
from facecore.face.blazeface import BlazeFace
from facecore.model import load_model, make_photo


@pytest.fixture(scope="module")
def photo():
    return make_photo(load_model("aligned"), "female", seed=3)


def test_the_weights_are_those_whose_source_and_licence_are_told():
    folder = Path(blazeface.__file__).parent
    digest = hashlib.sha256((folder / "blazeface.tflite").read_bytes()).hexdigest()
    told = (folder / "blazeface.txt").read_text(encoding="utf-8")
    assert digest in told
    assert "Apache 2.0" in told
    assert "Version 2.0, January 2004" in (folder / "blazeface.LICENSE.txt").read_text()


def test_one_face_is_proposed_where_it_is(photo):
    (box,) = BlazeFace().propose(photo)
    (face,) = get_detector({"name": "mtcnn"})(photo)
    x, y, w, h = face.box
    assert (box[:2] + box[2:]) / 2 == pytest.approx([x + w / 2, y + h / 2], abs=0.3 * w)
    assert box[2] - box[0] == pytest.approx(w, rel=0.4)


@pytest.mark.parametrize("border", [0.25, 0.6, 1.0])
def test_a_border_makes_a_face_smaller_but_leaves_it_where_it_is(photo, border):
    net = BlazeFace()
    (plain,), (framed,) = net.propose(photo), net.propose(photo, border)
    assert framed == pytest.approx(plain, abs=30)


@pytest.mark.parametrize("rows", [40, 120])
def test_a_wide_or_high_photo_is_seen_whole(photo, rows):
    net = BlazeFace()
    wide = np.pad(photo, ((0, 0), (rows, rows), (0, 0)), mode="edge")
    high = np.pad(photo, ((rows, rows), (0, 0), (0, 0)), mode="edge")
    (plain,) = net.propose(photo)
    assert net.propose(wide)[0] == pytest.approx(plain + np.array([rows, 0, rows, 0]), abs=20)
    assert net.propose(high)[0] == pytest.approx(plain + np.array([0, rows, 0, rows]), abs=20)


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (20, 20), (128, 128)])
def test_nothing_is_proposed_on_a_plain_wall_of_any_size(shape):
    boxes = BlazeFace().propose(np.full((*shape, 3), 120, dtype=np.uint8))
    assert boxes.shape == (0, 4)


def test_two_networks_in_two_threads_propose_the_same(photo):
    def propose(_):
        return BlazeFace().propose(photo)

    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(propose, range(2))
    assert (one == two).all()
