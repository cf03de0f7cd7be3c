from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from cartoons import LABELS, draw_face, draw_photo
from hypothesis import given, settings
from hypothesis import strategies as st

from facecore.errors import ModelError
from facecore.face.detect import (
    CASCADES,
    BlazeSettings,
    Face,
    HaarSettings,
    MtcnnSettings,
    WholeSettings,
    get_detector,
    main_face,
    parse_detector,
    smallest_face,
    spec_of,
)
from facecore.model import load_model, make_photo

HAAR = {"name": "haar"}
MTCNN = {"name": "mtcnn"}
BLAZE = {"name": "blazeface"}
SEARCHING = pytest.mark.parametrize("detector", [HAAR, MTCNN, BLAZE], ids=lambda spec: spec["name"])
WITHOUT_RETRIES = {**MTCNN, "border": 0, "most_pixels": 0}


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
    assert found.landmarks is None


@SEARCHING
@pytest.mark.parametrize("factor", [2, 5])
def test_boxes_are_in_pixels_of_the_photo_however_large_it_is(factor, detector):
    photo = draw_photo("square", 2, side=240)
    big = cv2.resize(photo, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    (small_face,), (big_face,) = get_detector(detector)(photo), get_detector(detector)(big)
    assert np.array(big_face.box) / factor == pytest.approx(np.array(small_face.box), abs=8)


@SEARCHING
def test_faces_come_largest_first(detector):
    photo = np.full((300, 480, 3), 150, dtype=np.uint8)
    for left, side in ((10, 90), (120, 160), (310, 120)):
        photo[60 : 60 + side, left : left + side] = draw_face("round", 3, side=side)[:, :, None]
    found = get_detector(detector)(photo)
    areas = [face.box[2] * face.box[3] for face in found]
    assert len(found) == 3
    assert areas == sorted(areas, reverse=True)
    assert found[0].box[0] == pytest.approx(120, abs=25)


def test_a_tight_crop_is_found_on_the_second_try_and_its_box_may_leave_the_photo():
    face = draw_face("round", 1, side=200)
    tight = np.repeat(face[18:195, 26:174, None], 3, axis=2)
    assert get_detector(spec_of(HaarSettings(border=0)))(tight) == []
    (found,) = get_detector(HAAR)(tight)
    x, y, w, h = found.box
    assert min(x, y) < 0 or x + w > tight.shape[1] or y + h > tight.shape[0]
    assert x + w / 2 == pytest.approx(tight.shape[1] / 2, abs=15)


def test_the_networks_give_a_probability_and_landmarks_within_the_box():
    for person in range(5):
        (found,) = get_detector(MTCNN)(draw_photo("square", person))
        x, y, w, h = found.box
        points = np.array(found.landmarks)
        assert 0.7 < found.score <= 1
        assert points.shape == (5, 2)
        assert ((points > [x, y]) & (points < [x + w, y + h])).all()


@pytest.mark.parametrize("edges", [(40, 195, 36, 164), (50, 185, 40, 160)], ids=str)
def test_a_tight_crop_is_found_by_the_networks_with_a_border_around_it(edges):
    top, bottom, left, right = edges
    face = np.repeat(draw_face("round", 1, side=200)[:, :, None], 3, axis=2)
    tight = np.ascontiguousarray(face[top:bottom, left:right])
    assert get_detector(WITHOUT_RETRIES)(tight) == []
    (found,) = get_detector(MTCNN)(tight)
    (whole,) = get_detector(MTCNN)(cv2.copyMakeBorder(face, *[60] * 4, cv2.BORDER_REPLICATE))
    there = np.array(whole.landmarks) - 60 - [left, top]
    assert np.array(found.landmarks) == pytest.approx(there, abs=8)
    assert min(found.box[:2]) < 0


@pytest.mark.parametrize("side", [70, 64])  # found on the third and on the last try
def test_a_small_face_of_a_large_photo_is_found_when_nothing_else_is(side):
    photo = np.full((1500, 2000, 3), 150, dtype=np.uint8)
    photo[700 : 700 + side, 900 : 900 + side] = draw_face("round", 3, side=side)[:, :, None]
    assert get_detector(WITHOUT_RETRIES)(photo) == []
    (found,) = get_detector(MTCNN)(photo)
    x, y, w, h = found.box
    assert (x + w / 2, y + h / 2) == pytest.approx((900 + side / 2, 700 + side / 2), abs=10)
    photo[100:500, 100:500] = draw_face("round", 1, side=400)[:, :, None]
    largest, small = get_detector(MTCNN)(photo)
    assert (small.box[2] < 100) and largest.box[2] > 200


def test_the_networks_never_search_more_than_a_bounded_picture(monkeypatch):
    detector, sizes = get_detector(WITHOUT_RETRIES), []
    search = detector.net.detect

    def watch(pixels, smallest, *rest):
        sizes.append(pixels.shape)
        return search(pixels, smallest, *rest)

    monkeypatch.setattr(detector.net, "detect", watch)
    photo = cv2.resize(draw_photo("square", 2), (4000, 3000), interpolation=cv2.INTER_CUBIC)
    (found,) = detector(photo)
    assert sizes == [(360, 480, 3)]
    same_sizes = get_detector(spec_of(MtcnnSettings(min_pixels=0)))
    (small,) = same_sizes(cv2.resize(photo, (480, 360), interpolation=cv2.INTER_AREA))
    assert np.array(found.box) / (4000 / 480) == pytest.approx(np.array(small.box), abs=2)
    landmarks = np.array(found.landmarks) / (4000 / 480)
    assert landmarks == pytest.approx(np.array(small.landmarks), abs=2)


@SEARCHING
def test_a_small_face_is_found_where_it_is_the_only_one_but_not_beside_a_large_one(detector):
    photo = np.full((240, 300, 3), 150, dtype=np.uint8)
    photo[90:126, 20:56] = draw_face("round", 3, side=36)[:, :, None]
    (alone,) = get_detector(detector)(photo)
    assert alone.box[0] == pytest.approx(20, abs=15)
    photo[40:200, 120:280] = draw_face("round", 3, side=160)[:, :, None]
    (large,) = get_detector(detector)(photo)
    assert large.box[0] == pytest.approx(120, abs=30)
    every_size = {**detector, "min_pixels": 0, "min_face": 0.08}
    assert len(get_detector(every_size)(photo)) == 2


@SEARCHING
def test_nothing_is_found_on_a_plain_wall(detector):
    assert get_detector(detector)(np.full((200, 300, 3), 140, dtype=np.uint8)) == []


@SEARCHING
@pytest.mark.parametrize("shape", [(1, 1), (1, 10000), (10000, 1), (2, 3), (23, 23)])
def test_an_odd_size_is_no_error(shape, detector):
    assert get_detector(detector)(np.full((*shape, 3), 90, dtype=np.uint8)) == []


def test_eight_threads_find_what_one_thread_finds():
    photos = [draw_photo("round", i % 20, i, side=100) for i in range(200)]

    def find(photo):
        return get_detector(HAAR)(photo)

    alone = [find(photo) for photo in photos]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(find, photos))
    assert together == alone
    assert sum(map(bool, alone)) > 190


@SEARCHING
def test_each_thread_has_a_detector_of_its_own_and_keeps_it(detector):
    mine = get_detector(detector)
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(get_detector, detector).result()
    assert get_detector(detector) is mine
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
    assert get_detector(HAAR) is get_detector(spec_of(HaarSettings()))
    assert get_detector(MTCNN) is get_detector(spec_of(MtcnnSettings()))
    assert get_detector(BLAZE) is get_detector(spec_of(BlazeSettings()))


@pytest.mark.parametrize("name", ["nose", None, "", 3, ["haar"]])
def test_an_unknown_detector_names_those_there_are(name):
    with pytest.raises(ModelError, match=r"there are: haar, mtcnn, blazeface, whole$"):
        get_detector({"name": name})


@pytest.mark.parametrize("shape", [(48, 48, 3), (112, 92, 3), (1, 7, 3)])
def test_without_a_detector_the_whole_photo_is_one_face(shape):
    (face,) = get_detector({"name": "whole"})(np.zeros(shape, dtype=np.uint8))
    assert face.box == (0, 0, shape[1], shape[0])
    assert (face.score, face.landmarks) == (1, None)
    assert parse_detector(spec_of(WholeSettings())) == WholeSettings()
    with pytest.raises(ModelError, match="'whole' has no setting border"):
        parse_detector({"name": "whole", "border": 0.1})


def test_an_unknown_setting_names_those_there_are():
    with pytest.raises(ModelError, match=r"no setting colour.*scale_factor.*border"):
        get_detector({**HAAR, "colour": 3})


def test_a_setting_of_another_detector_is_unknown():
    with pytest.raises(
        ModelError, match=r"no setting cascade, min_neighbors.*min_face, min_pixels, border"
    ):
        get_detector({**MTCNN, "min_neighbors": 3, "cascade": "frontalface_alt"})


def test_an_unknown_cascade_names_those_there_are():
    with pytest.raises(ModelError, match=r"frontalface_alt, frontalface_alt2"):
        get_detector({**HAAR, "cascade": "../eye"})


@pytest.mark.parametrize(
    "setting",
    [
        {"scale_factor": 1.0},
        {"scale_factor": "wide"},
        {"min_neighbors": -1},
        {"min_neighbors": 2.5},
        {"long_side": 0},
        {"min_face": float("nan")},
        {"border": -0.1},
        {"border": [1]},
        {"cascade": ["frontalface_alt"]},
        {"long_side": True},
    ],
    ids=str,
)
def test_a_setting_that_makes_no_sense_is_refused(setting):
    with pytest.raises(ModelError):
        get_detector({**HAAR, **setting})


@pytest.mark.parametrize(
    "setting",
    [{"long_side": 23}, {"long_side": 480.5}, {"min_face": 1.5}, {"border": 3}, {"border": "no"}],
    ids=str,
)
def test_a_setting_of_the_networks_that_makes_no_sense_is_refused(setting):
    with pytest.raises(ModelError, match=next(iter(setting))):
        get_detector({**MTCNN, **setting})


def test_a_missing_cascade_file_is_an_error_that_says_what_to_install(monkeypatch):
    monkeypatch.setattr("facecore.face.detect.cv2.__file__", "/nowhere/cv2.py")
    with pytest.raises(ModelError, match="pip install"):
        HaarSettings().build()


@pytest.mark.parametrize("angle", [90, -90, 180])
@pytest.mark.parametrize("seed", range(3))
def test_a_face_is_found_turned_where_nobody_is_upright(seed, angle):
    upright = make_photo(load_model("aligned"), "female", seed=seed)
    turn = cv2.getRotationMatrix2D((125, 125), angle, 1)
    photo = cv2.warpAffine(upright, turn, (250, 250), borderMode=cv2.BORDER_REPLICATE)
    (there,), (found,) = get_detector(BLAZE)(upright), get_detector(BLAZE)(photo)
    expected = np.array(there.landmarks) @ turn[:, :2].T + turn[:, 2]
    assert np.array(found.landmarks) == pytest.approx(expected, abs=5)
    assert found.box[2:] == pytest.approx(there.box[2:], rel=0.1)
    large = cv2.resize(photo, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    assert np.array(get_detector(BLAZE)(large)[0].landmarks) / 4 == pytest.approx(expected, abs=5)


def test_a_face_that_fills_the_photo_is_found_by_a_border():
    tight = draw_face("round", 2, side=200)[25:175, 35:165]
    photo = np.repeat(tight[:, :, None], 3, axis=2)
    (found,) = get_detector(BLAZE)(photo)
    x, _, w, _ = found.box
    assert x + w / 2 == pytest.approx(65, abs=15)
    assert w > 80


def test_small_photos_are_searched_once_by_the_small_network(monkeypatch):
    detector, searches = get_detector(BLAZE), []
    monkeypatch.setattr(detector.cascaded.net, "detect", searches.append)
    assert len(detector(draw_photo("square", 2, side=250))) == 1
    assert not searches


def draw_group(columns, rows, face, tile):
    """A photo of drawn faces in rows, and the middles of the faces."""
    photo = np.full((rows * tile, columns * tile), 150, dtype=np.uint8)
    middles = []
    for i in range(columns * rows):
        left, top = (i % columns) * tile + (tile - face) // 2, i // columns * tile + 3
        photo[top : top + face, left : left + face] = draw_face(LABELS[i % 2], i, side=face)
        middles.append((left + face / 2, top + face * 0.55))
    return np.repeat(photo[:, :, None], 3, axis=2), np.array(middles)


def count_found(faces, middles, face):
    places = np.array([(f.box[0] + f.box[2] / 2, f.box[1] + f.box[3] / 2) for f in faces])
    apart = np.linalg.norm(middles[:, None] - places.reshape(-1, 2)[None], axis=2)
    return int((apart.min(axis=1, initial=np.inf) < face / 3).sum())


@SEARCHING
@pytest.mark.parametrize(
    "group",
    [(6, 4, 110, 250), (10, 7, 130, 250), (12, 8, 80, 150), (12, 8, 200, 330), (3, 1, 70, 700)],
    ids=str,
)
def test_every_face_of_a_group_is_found_once(detector, group):
    columns, rows, face, _ = group
    photo, middles = draw_group(*group)
    faces = get_detector(detector)(photo)
    assert count_found(faces, middles, face) >= 0.95 * columns * rows
    assert len(faces) <= 1.05 * columns * rows
    areas = [found.box[2] * found.box[3] for found in faces]
    assert areas == sorted(areas, reverse=True)
    if detector is not HAAR:
        eyes = np.array([(found.landmarks[0], found.landmarks[1]) for found in faces])
        assert (0.1 * face < eyes[:, 1, 0] - eyes[:, 0, 0]).all()


@SEARCHING
def test_where_one_face_is_needed_a_group_costs_no_further_search(detector):
    photo, _ = draw_group(6, 4, 110, 250)
    photo[100:700, 100:700] = draw_face("round", 1, side=600)[:, :, None]
    every, first = get_detector(detector)(photo), get_detector(detector)(photo, every=False)
    assert len(every) > 10
    assert first == get_detector({**detector, "most_pixels": 0})(photo)
    assert every[0] == first[0]
    small, _ = draw_group(1, 1, 70, 1200)
    found = get_detector(detector)(
        small, every=False
    )  # nothing larger, so the small one is the one
    assert [round(face.box[2], -1) < 100 for face in found] == [True]


@pytest.mark.parametrize(
    ("detector", "size", "scale", "smallest"),
    [
        (HaarSettings(), (480, 320), 1, 48),  # a tenth, and nothing else is needed
        (HaarSettings(), (250, 250), 1, 25),
        (HaarSettings(), (3000, 2000), 1, 54),
        (HaarSettings(), (6000, 4000), 1, 103),
        (HaarSettings(), (1500, 1000), 0.5, 27),
        (HaarSettings(), (1000, 750), 0.25, 20),  # no smaller than the cascade sees
        (HaarSettings(most_pixels=0), (6000, 4000), 1, 600),
        (MtcnnSettings(), (480, 320), 1, 40),
        (MtcnnSettings(), (6000, 4000), 1, 54),
        (MtcnnSettings(), (12000, 9000), 1, 100),
        (MtcnnSettings(), (1000, 750), 0.25, 13.5),
        (MtcnnSettings(), (1000, 750), 0.125, 9.6),
        (MtcnnSettings(min_pixels=100), (6000, 4000), 1, 100),
        (BlazeSettings(), (400, 300), 1, 48),
        (BlazeSettings(), (480, 320), 1, 54),
        (BlazeSettings(), (12000, 9000), 1, 100),
        (WholeSettings(), (6000, 4000), 1, 0),
    ],
    ids=str,
)
def test_the_smallest_face_that_is_looked_for_depends_on_the_photo(detector, size, scale, smallest):
    assert smallest_face(detector, *size, scale) == pytest.approx(smallest, abs=0.6)


class Watched:
    """The first network, which tells how many pixels it saw."""

    def __init__(self, net):
        self.net, self.pixels = net, 0

    def setInput(self, blob):
        self.pixels += blob.shape[1] * blob.shape[2]
        self.net.setInput(blob)

    def forward(self, layer):
        return self.net.forward(layer)


@pytest.fixture
def watched(monkeypatch):
    detector = get_detector({**MTCNN, "most_pixels": 50_000, "border": 0})
    first = Watched(detector.net.nets[0])
    monkeypatch.setattr(detector.net, "nets", [first, *detector.net.nets[1:]])
    return detector, first


def test_the_search_for_small_faces_is_bounded(watched):
    detector, first = watched
    noise = np.random.default_rng(0).integers(0, 256, (240, 360, 3), dtype=np.uint8)
    detector(cv2.resize(noise, (3600, 2400), interpolation=cv2.INTER_CUBIC))
    assert 60_000 < first.pixels < 120_000  # all levels, which overlap by a few pixels


def test_what_is_flat_is_not_searched_for_small_faces(watched):
    detector, first = watched
    photo = np.full((2400, 3600, 3), 90, dtype=np.uint8)
    detector(photo)
    plain = first.pixels
    assert plain < 30_000  # of the search for large ones
    photo[300:500, 400:600] = draw_face("round", 1, side=200)[:, :, None]
    (face,) = detector(photo)
    assert face.box[0] + face.box[2] / 2 == pytest.approx(500, abs=20)
    assert first.pixels < 2 * plain + 20_000


def test_faces_are_found_wherever_the_parts_of_a_large_photo_meet():
    detector = get_detector({**MTCNN, "border": 0})
    for left in range(400, 1100, 77):
        photo = np.full((1500, 2000, 3), 150, dtype=np.uint8)
        photo[left : left + 90, left : left + 90] = draw_face("round", 3, side=90)[:, :, None]
        (face,) = detector(photo)
        assert np.array(face.box[:2]) + face.box[2] / 2 == pytest.approx(left + 45, abs=15)


@SEARCHING
@settings(max_examples=40, deadline=None)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(0, 255), st.integers(0, 2**32 - 1))
def test_any_pixels_give_faces_with_finite_places_largest_first(
    detector, height, width, spread, seed
):
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, spread + 1, (height, width, 3)).astype(np.uint8)
    faces = get_detector(detector)(pixels)
    areas = [face.box[2] * face.box[3] for face in faces]
    assert areas == sorted(areas, reverse=True)
    for face in faces:
        assert np.isfinite([*face.box, face.score]).all()
        assert min(face.box[2:]) > 0
        assert face.landmarks is None or np.isfinite(face.landmarks).all()


@settings(max_examples=40, deadline=None)
@given(
    st.fixed_dictionaries(
        {"name": st.sampled_from(["haar", "mtcnn", "blazeface", "other", None, 3])},
        optional={
            name: st.one_of(
                st.none(), st.booleans(), st.text(max_size=3), st.floats(), st.integers()
            )
            for name in ("scale_factor", "min_neighbors", "long_side", "min_face", "border", "more")
        },
    )
)
def test_any_description_is_a_detector_or_a_model_error(spec):
    try:
        get_detector(spec)
    except ModelError as error:
        assert str(error)


@pytest.mark.parametrize(
    ("boxes", "main"),
    [
        ([(40, 20, 60, 60)], 0),
        ([(0, 0, 60, 60), (70, 40, 50, 50)], 1),  # a neighbour at the border is a little larger
        ([(0, 0, 80, 80), (80, 60, 30, 30)], 0),  # a passer-by behind the person
        ([(20, 50, 40, 40), (140, 50, 40, 40)], 0),  # two of the same worth
        ([(-30, -30, 90, 90), (75, 50, 45, 45)], 1),  # a face that the border cuts
        ([(190, 140, 20, 20), (-10, -10, 20, 20)], 0),  # nobody is in the middle
    ],
    ids=str,
)
def test_the_main_face_is_large_and_near_the_middle(boxes, main):
    assert main_face([Face(box, score=1.0) for box in boxes], 200, 150) == main


@given(
    boxes=st.lists(st.tuples(*[st.floats(0, 90)] * 2, *[st.floats(1, 60)] * 2), min_size=1),
    factor=st.sampled_from([0.25, 2.0, 8.0]),
)
def test_the_main_face_does_not_depend_on_the_size_of_the_photo(boxes, factor):
    small = [Face(box, score=1.0) for box in boxes]
    large = [Face(tuple(factor * v for v in box), score=1.0) for box in boxes]
    assert main_face(small, 120, 90) == main_face(large, 120 * factor, 90 * factor)
