from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import cv2
import numpy as np
import pytest
from cartoons import draw_face, draw_photo, encode
from hypothesis import given, settings
from hypothesis import strategies as st

from facecore.crops import read_table
from facecore.errors import ModelError
from facecore.images import Limits
from facecore.predict import annotate, predict_many, predict_photo, same_faces
from facecore.train import load_faces


@pytest.fixture(scope="module")
def photo() -> bytes:
    return encode(draw_photo("round", 3), quality=92)


def same(a, b) -> bool:
    """Whether two answers agree in all but time."""
    return (
        (a.photo, a.error, a.width, a.height, len(a.faces))
        == (b.photo, b.error, b.width, b.height, len(b.faces))
    ) and all(
        (f.box, f.label, f.detection_score) == (g.box, g.label, g.detection_score)
        and f.scores == pytest.approx(g.scores, abs=1e-6)
        and (f.crop == g.crop).all()
        for f, g in zip(a.faces, b.faces, strict=True)
    )


def test_a_photo_with_a_face_has_an_answer(photo, tiny_model):
    answer = predict_photo(photo, tiny_model, name="me.jpg")
    assert (answer.photo, answer.error) == ("me.jpg", None)
    assert (answer.width, answer.height) == (200, 200)
    assert answer.ms > 0
    (face,) = answer.faces
    assert face.label == "round"
    assert face.probability == face.scores["round"] == max(face.scores.values())
    assert sum(face.scores.values()) == pytest.approx(1)
    assert face.crop.shape == face.reconstruction.shape == (100, 100)
    assert face.distance > 0


def test_a_path_and_its_bytes_have_the_same_answer(photo, tiny_model, tmp_path):
    (tmp_path / "photo.jpg").write_bytes(photo)
    for path in (tmp_path / "photo.jpg", str(tmp_path / "photo.jpg")):
        assert same(predict_photo(path, tiny_model), predict_photo(photo, tiny_model))


def test_every_face_of_a_photo_is_answered_largest_first(tiny_model):
    picture = np.full((300, 480, 3), 150, dtype=np.uint8)
    for left, side, label in ((20, 110, "round"), (200, 180, "square")):
        picture[60 : 60 + side, left : left + side] = draw_face(label, 3, side=side)[:, :, None]
    faces = predict_photo(encode(picture, "PNG"), tiny_model).faces
    assert [face.box[2] > 130 for face in faces] == [True, False]


@pytest.mark.parametrize("factor", [6, 11])
def test_boxes_are_in_pixels_of_the_full_photo_though_it_is_decoded_smaller(factor, tiny_model):
    small = draw_photo("round", 3)
    large = cv2.resize(small, None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR)
    one = predict_photo(encode(small, "PNG"), tiny_model)
    many = predict_photo(encode(large, quality=95), tiny_model)
    assert (many.width, many.height) == (200 * factor, 200 * factor)
    assert many.pixels.shape[0] < 2000
    assert np.array(many.faces[0].box) / factor == pytest.approx(one.faces[0].box, abs=8)


@pytest.mark.parametrize("data", [b"", b"text", b"\xff\xd8\xff\xe0", b"%PDF"])
def test_bad_bytes_give_an_answer_with_an_error(data, tiny_model):
    answer = predict_photo(data, tiny_model, name="bad")
    assert answer.error
    assert answer.faces == ()
    assert answer.to_dict() == {"photo": "bad", "error": answer.error, "faces": []}


def test_a_missing_file_gives_an_answer_with_an_error(tiny_model, tmp_path):
    assert "cannot read" in predict_photo(tmp_path / "no.jpg", tiny_model).error


def test_a_photo_beyond_the_limits_gives_an_answer_with_an_error(photo, tiny_model):
    assert "limit" in predict_photo(photo, tiny_model, limits=Limits(max_pixels=10)).error


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 4000), st.integers(0, 255), st.integers(0, 4000))
def test_a_damaged_photo_never_raises(photo, tiny_model, place, value, cut):
    data = bytearray(photo)
    data[place % len(data)] = value
    answer = predict_photo(bytes(data[: len(data) - cut % len(data)]), tiny_model)
    assert (answer.error is None) == (answer.pixels is not None)


@pytest.mark.parametrize("shape", [(1, 1), (1, 10000), (10000, 1), (300, 300)])
def test_a_photo_without_a_face_has_an_answer_without_faces(shape, tiny_model):
    answer = predict_photo(encode(np.full((*shape, 3), 120, np.uint8), "PNG"), tiny_model)
    assert (answer.error, answer.faces) == (None, ())
    assert (answer.height, answer.width) == shape


def test_what_json_shows_is_rounded_and_plain(photo, tiny_model):
    told = predict_photo(photo, tiny_model, name="p").to_dict()
    assert set(told) == {"photo", "error", "faces"}
    (face,) = told["faces"]
    assert set(face) == {"box", "label", "probability", "scores"}
    assert all(type(v) is int for v in face["box"])
    assert set(face["scores"]) == set(tiny_model.labels)
    assert face["probability"] == round(face["probability"], 4)


@pytest.fixture(scope="module")
def many(raw_folder) -> list:
    paths = sorted(raw_folder.glob("*/*.jpg"))[::3]
    return [(p.name, p) for p in paths] + [("bad", b"bad"), ("none", raw_folder / "none.jpg")]


def test_many_photos_are_answered_in_order_whatever_the_number_of_workers(many, tiny_model):
    one = list(predict_many(many, tiny_model, jobs=1))
    two = list(predict_many(many, tiny_model, jobs=2))
    assert [answer.photo for answer in one] == [name for name, _ in many]
    assert all(map(same, one, two))
    assert [answer.error is not None for answer in one][-2:] == [True, True]
    assert all(answer.pixels is None for answer in one)


def test_eight_threads_answer_as_one(many, tiny_model):
    def ask(item):
        return predict_photo(item[1], tiny_model, name=item[0])

    alone = [ask(item) for item in many * 2]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(ask, many * 2))
    assert all(map(same, alone, together))


def test_prediction_sees_the_very_crop_that_training_saw(raw_folder, crops_folder, tiny_model):
    table = read_table(crops_folder).query("state == 'kept'").assign(folder=str(crops_folder))
    rows = table.iloc[::5]
    X = load_faces(rows, tiny_model.recipe)
    assert len(X) >= 5
    for path, row in zip(rows["path"], X, strict=True):
        (face,) = predict_photo(raw_folder / path, tiny_model).faces
        assert (face.crop.reshape(-1) == row).all()


def test_another_detector_can_be_asked_for(photo, tiny_model):
    strict = {"name": "haar", "min_neighbors": 900}
    assert predict_photo(photo, tiny_model, detector=strict).faces == ()
    with pytest.raises(ModelError, match="there are: haar"):
        predict_photo(photo, tiny_model, detector={"name": "nose"})


def test_faces_in_the_same_place_are_paired_whatever_their_order(photo, tiny_model):
    answer = predict_photo(photo, tiny_model)
    (face,) = answer.faces
    x, y, w, h = face.box
    near = replace(face, box=(x + w // 10, y, w, h))
    nearer = replace(face, box=(x + w // 20, y, w, h))
    elsewhere = replace(face, box=(x + w, y, w, h))
    other = replace(answer, faces=(elsewhere, near, nearer))
    assert same_faces(answer, answer) == [(0, 0)]
    assert same_faces(answer, other) == [(0, 2)]
    assert same_faces(answer, replace(answer, faces=(elsewhere,))) == []


def test_boxes_are_drawn_in_the_colour_of_their_label(photo, tiny_model):
    answer = predict_photo(photo, tiny_model)
    before = answer.pixels.copy()
    colours = {"round": (0, 0, 255), "square": (255, 128, 0)}
    picture = annotate(answer, colours)
    x, y, w, h = answer.faces[0].box
    assert picture[y + h, x + w // 2].tolist() == [0, 0, 255]
    assert (answer.pixels == before).all()
    assert (picture != before).any(axis=2).mean() < 0.2


def test_boxes_beyond_the_photo_can_be_drawn(photo, tiny_model):
    answer = predict_photo(photo, tiny_model)
    face = replace(answer.faces[0], box=(-40, -30, 280, 300))
    picture = annotate(replace(answer, faces=(face,)), dict.fromkeys(tiny_model.labels, (1, 2, 3)))
    assert picture.shape == answer.pixels.shape


def test_an_answer_without_pixels_cannot_be_drawn(tiny_model):
    with pytest.raises(ValueError, match="no pixels"):
        annotate(predict_photo(b"bad", tiny_model), {})
