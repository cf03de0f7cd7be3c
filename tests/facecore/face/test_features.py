import json

import cv2
import numpy as np
import pytest
from cartoons import draw_face

from facecore.face.features import KINDS, WHOLE, Features, find_patterns, read_features
from facecore.face.prepare import to_grey

SIDE = 160
PIXELS = Features("pixels", 100, 0.75)
TIGHT = Features("hog", 96, 0.625, cell=8)
WIDE = Features("hog", 96, 1.0, cell=12)
PATTERN = Features("lbp", 122, 1.0, cell=12)
SHAPES = Features("convolutions", 32, 0.75)


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    """Prepared faces."""
    return np.array([draw_face("round", i, side=SIDE).reshape(-1) for i in range(4)])


@pytest.mark.parametrize(
    ("features", "count"),
    [
        (WHOLE, 160 * 160),
        (PIXELS, 100 * 100),
        (TIGHT, 11 * 11 * 4 * 18),
        (WIDE, 7 * 7 * 4 * 18),
        (Features("hog", 100, 1.0, cell=8), 11 * 11 * 4 * 18),  # a rest of 4 pixels is left out
        (Features("hog", 16, 0.5, cell=8), 4 * 18),
        (PATTERN, 10 * 10 * 59),
        (Features("lbp", 100, 1.0, cell=12), 8 * 8 * 59),
        (SHAPES, 8 * 8 * 64),
    ],
    ids=str,
)
def test_a_face_has_as_many_features_as_are_counted(features, count, rows):
    assert features.count(SIDE) == count
    assert features.extract(rows).shape == (4, count)


def test_by_default_the_prepared_face_is_read_as_it_is(rows):
    assert WHOLE.extract(rows) is rows
    assert WHOLE.count(7) == 49


@pytest.mark.parametrize("features", [PIXELS, TIGHT, WIDE, PATTERN, SHAPES], ids=str)
def test_many_faces_are_read_as_each_alone_and_stay_as_they_are(features, rows):
    before = rows.copy()
    together = features.extract(rows)
    assert (together == np.vstack([features.extract(row[None]) for row in rows])).all()
    assert (rows == before).all()
    assert features.extract(rows[:0]).shape == (0, features.count(SIDE))


def test_pixels_keep_the_type_of_the_grey_levels_and_histograms_are_single_precision(rows):
    assert PIXELS.extract(rows).dtype == np.uint8
    assert PIXELS.extract(rows.astype(np.float64)).dtype == np.float64
    assert TIGHT.extract(rows).dtype == TIGHT.extract(rows.astype(float)).dtype == np.float32


@pytest.mark.parametrize("features", [PIXELS, TIGHT, WIDE, PATTERN], ids=str)
def test_of_faces_in_colour_the_grey_levels_are_read(features, rows):
    grey = rows.reshape(-1, SIDE, SIDE)
    tinted = np.stack([grey, grey // 2, grey // 3], axis=3)
    weighed = np.array([to_grey(face) for face in tinted]).reshape(rows.shape)
    found = features.extract(tinted.reshape(len(rows), -1))
    assert found.shape == (len(rows), features.count(SIDE))
    assert (found == features.extract(weighed)).all()


def test_convolutions_see_colours_and_take_grey_for_colours_that_are_grey(rows):
    grey = rows.reshape(-1, SIDE, SIDE)
    same = np.stack([grey] * 3, axis=3).reshape(len(rows), -1)
    tinted = np.stack([grey, grey // 2, grey // 3], axis=3).reshape(len(rows), -1)
    assert (SHAPES.extract(same) == SHAPES.extract(rows)).all()
    assert np.abs(SHAPES.extract(tinted) - SHAPES.extract(rows)).max() > 0.1


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "network"])
def test_the_frame_takes_the_middle(kind, rows):
    faces = rows.reshape(-1, SIDE, SIDE)
    middle = np.ascontiguousarray(faces[:, 40:120, 40:120]).reshape(len(rows), -1)
    side, cell = {"pixels": (80, 0), "convolutions": (32, 0)}.get(kind, (80, 8))
    framed = Features(kind, side, 0.5, cell).extract(rows)
    assert (framed == Features(kind, side, 1.0, cell).extract(middle)).all()
    outside = faces.copy()
    outside[:, :40] = 0
    outside[:, :, 120:] = 255
    assert (Features(kind, side, 0.5, cell).extract(outside.reshape(rows.shape)) == framed).all()


@pytest.mark.parametrize("side", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("frame", [1e-9, 0.2, 0.5, 1.0])
def test_a_frame_holds_a_pixel_at_least(side, frame):
    face = np.full((1, side * side), 7, dtype=np.uint8)
    assert (Features("pixels", 4, frame).extract(face) == 7).all()


def test_pixels_are_averaged_down_and_smoothly_enlarged():
    checks = (np.indices((SIDE, SIDE)).sum(axis=0) % 2 * 255).astype(np.uint8).reshape(1, -1)
    assert np.abs(Features("pixels", 40).extract(checks).astype(int) - 127.5).max() <= 1
    step = np.repeat([[0, 200]], 2, axis=0).astype(np.uint8).reshape(1, -1)
    large = Features("pixels", 100).extract(step).reshape(100, 100)[50].astype(int)
    assert (np.diff(large) >= 0).all()
    assert 90 <= large[49] <= 110


def test_histograms_are_those_of_opencv(rows):
    face = rows[0].reshape(SIDE, SIDE)[30:130, 30:130]
    small = cv2.resize(np.ascontiguousarray(face), (96, 96), interpolation=cv2.INTER_AREA)
    opencv = cv2.HOGDescriptor(
        (96, 96), (16, 16), (8, 8), (8, 8), 18, _gammaCorrection=True, _signedGradient=True
    )
    opencv = opencv.compute(small).ravel()
    assert TIGHT.extract(rows[:1])[0] == pytest.approx(opencv)
    assert opencv.std() > 0.05


def test_patterns_hardly_change_with_the_light(rows):
    grey = rows // 3 + 20
    for brighter in (2 * grey, grey + 60):
        assert PATTERN.extract(brighter) == pytest.approx(PATTERN.extract(grey), abs=0.35)
        assert (PIXELS.extract(brighter) != PIXELS.extract(grey)).all()


def test_histograms_tell_the_direction_of_an_edge_and_its_bright_side():
    upright = np.zeros((32, 32), dtype=np.uint8)
    upright[:, 16:] = 200
    edges = np.stack([upright, upright.T, upright[:, ::-1], upright.T[::-1]]).reshape(4, -1)
    features = Features("hog", 32, 1.0, cell=8)
    seen = features.extract(edges).reshape(4, -1, 18).sum(axis=1)
    # eighteen directions around the circle, brighter to the right, below, to the left, above
    for histogram, (one, other) in zip(seen, [(0, 17), (4, 4), (8, 9), (13, 13)], strict=True):
        assert set(np.argsort(histogram)[-2:]) >= {one, other}


def test_patterns_are_uniform_where_a_circle_changes_at_most_twice():
    ring = np.array([[1, 2, 3], [8, 0, 4], [7, 6, 5]])
    seen = set()
    for code in range(256):
        face = np.full((3, 3), 50.0)
        face[ring > 0] = [150.0 if code >> (bit - 1) & 1 else 0.0 for bit in ring[ring > 0]]
        bits = [code >> bit & 1 for bit in range(8)]
        changes = sum(bits[i] != bits[i - 1] for i in range(8))
        pattern = int(find_patterns(face)[0, 0])
        assert (pattern == 58) == (changes > 2)
        seen.add(pattern)
    assert seen == set(range(59))


def test_a_cell_holds_the_roots_of_the_shares_of_its_patterns(rows):
    cells = PATTERN.extract(rows).reshape(4, 100, 59)
    assert (cells**2).sum(axis=2) == pytest.approx(1)
    codes = find_patterns(PATTERN.read(rows[0].reshape(SIDE, SIDE)))
    assert codes.shape == (120, 120)
    shares = np.bincount(codes[12:24, :12].ravel(), minlength=59) / 144
    assert cells[0, 10] == pytest.approx(np.sqrt(shares))


def test_grey_levels_with_a_fraction_give_nearly_the_features_of_whole_ones(rows):
    noise = np.random.default_rng(0).uniform(-0.4, 0.4, rows.shape)
    exact = rows.astype(np.float32)
    assert PIXELS.extract(exact) == pytest.approx(PIXELS.extract(rows).astype(float), abs=0.51)
    assert PIXELS.extract(exact + noise) == pytest.approx(PIXELS.extract(exact), abs=0.5)
    for features in (TIGHT, WIDE):
        difference = features.extract(exact + noise) - features.extract(rows)
        assert np.abs(difference).mean() < 0.01


def test_grey_levels_out_of_range_are_cut_before_the_histograms(rows):
    wild = rows.astype(float)
    wild[0, :SIDE] = [-400.0] * SIDE
    wild[1] += 300
    tame = np.clip(wild, 0, 255)
    plain = Features("hog", SIDE, 1.0, cell=16)
    assert (plain.extract(wild) == plain.extract(tame)).all()


@pytest.mark.parametrize(
    "values",
    [
        ("nose",),
        ("hog",),
        ("hog", 96),
        ("hog", 96, 1.0, 0),
        ("hog", 96, 1.0, 49),
        ("hog", 96, 1.0, 8.0),
        ("hog", 0, 1.0, 8),
        ("lbp", 50),
        ("lbp", 50, 1.0, 49),
        ("convolutions",),
        ("convolutions", 48),
        ("pixels", -1),
        ("pixels", 1001),
        ("pixels", 50.0),
        ("pixels", 50, 0.0),
        ("pixels", 50, 1.1),
        ("pixels", 50, -0.5),
        ("pixels", 0, 0.5),
        ("pixels", 50, float("nan")),
    ],
    ids=str,
)
def test_features_that_make_no_sense_are_refused(values):
    with pytest.raises(ValueError, match="contradict each other"):
        Features(*values)


@pytest.mark.parametrize("features", [WHOLE, PIXELS, TIGHT, WIDE, PATTERN, SHAPES], ids=str)
def test_features_are_stored_as_json_and_read_again(features):
    assert read_features(json.loads(json.dumps(features.to_dict()))) == features


def test_older_files_say_pixels_in_one_word():
    assert read_features("pixels") == WHOLE


@pytest.mark.parametrize(
    "value",
    [
        "hog",
        "",
        None,
        3,
        [],
        {},
        {"kind": "pixels"},
        {**PIXELS.to_dict(), "colour": 1},
        {**PIXELS.to_dict(), "side": 0},
    ],
    ids=str,
)
def test_features_that_are_unknown_are_refused(value):
    with pytest.raises(ValueError, match=r"unknown|contradict each other"):
        read_features(value)


@pytest.mark.parametrize("key", ["kind", "side", "frame", "cell"])
@pytest.mark.parametrize("value", ["wide", None, [1], {"a": 1}], ids=str)
def test_features_of_wrong_types_are_refused(key, value):
    with pytest.raises((ValueError, TypeError)):
        read_features({**TIGHT.to_dict(), key: value})


@pytest.mark.parametrize(("degrees", "strongest"), [(10, 0), (50, 2), (130, 6)])
def test_the_histogram_of_a_cell_is_that_of_its_gradients(degrees, strongest):
    features = Features("hog", 64, 1.0, cell=8)
    y, x = np.mgrid[:64, :64] - 32
    slope = 128 + 2 * (np.cos(np.radians(degrees)) * x + np.sin(np.radians(degrees)) * y)
    row = features.extract(np.rint(slope).astype(np.uint8).reshape(1, -1))[0]
    cells = features.cells(row)
    assert cells.shape == (8, 8, 18)
    assert (cells.argmax(axis=2) == strongest).all()
