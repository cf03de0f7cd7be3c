import io
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import islice

import cv2
import numpy as np
import pytest
from cartoons import LABELS, draw_face, draw_photo, encode
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from facecore.data.crops import read_table
from facecore.data.faces import load_faces
from facecore.errors import ModelError
from facecore.face.images import Limits
from facecore.face.prepare import align, to_grey
from facecore.face.recipes import RECIPES, Alignment
from facecore.model import predict
from facecore.model.predict import BATCH, colour_crop, predict_many, predict_photo
from facecore.model.rule import AnswerRule
from facecore.model.store import load_model, read_metadata, write_model

POINTS = ((30.0, 40.0), (70.0, 40.0), (50.0, 60.0), (35.0, 80.0), (65.0, 80.0))
SURE = AnswerRule(min_confidence=1.0)


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
    assert face.label == face.likely == face.verdict == "round"
    assert (face.reason, face.why) == (None, "")
    assert face.probability == face.scores["round"] == max(face.scores.values())
    assert sum(face.scores.values()) == pytest.approx(1)
    assert face.crop.shape == face.reconstruction.shape == (100, 100)
    assert face.distance > 0


def test_a_path_and_its_bytes_have_the_same_answer(photo, tiny_model, tmp_path):
    (tmp_path / "photo.jpg").write_bytes(photo)
    for path in (tmp_path / "photo.jpg", str(tmp_path / "photo.jpg")):
        found = predict_photo(path, tiny_model)
        assert found.photo == "photo.jpg"
        assert same(found, predict_photo(photo, tiny_model, name="photo.jpg"))


def test_pixels_a_picture_and_an_open_file_have_the_answer_of_the_file(tiny_model, tmp_path):
    pixels = draw_photo("square", 5)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    expected = predict_photo(tmp_path / "photo.png", tiny_model, name="")
    assert len(expected.faces) == 1
    picture = Image.open(tmp_path / "photo.png")
    bgr = cv2.imread(str(tmp_path / "photo.png"))
    assert same(expected, predict_photo(pixels, tiny_model))
    assert same(expected, predict_photo(bgr, tiny_model, bgr=True))
    assert same(expected, predict_photo(picture, tiny_model, name=""))
    assert picture.getpixel((0, 0)) == tuple(pixels[0, 0].tolist())  # it stays open
    with open(tmp_path / "photo.png", "rb") as file:
        assert same(replace(expected, photo="photo.png"), predict_photo(file, tiny_model))
    assert same(
        expected, predict_photo(io.BytesIO((tmp_path / "photo.png").read_bytes()), tiny_model)
    )


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        (np.zeros((20, 20)), "type float64 and shape .20, 20. is not a photo; needed is uint8"),
        (np.zeros((20, 20, 2), np.uint8), "shape .20, 20, 2. is not a photo"),
        (np.zeros((0, 20, 3), np.uint8), "is not a photo"),
        (np.zeros(400, np.uint8), "is not a photo"),
        (io.StringIO("photo"), "open as text"),
    ],
    ids=["floats", "two channels", "empty", "a row", "text"],
)
def test_what_is_not_a_photo_is_answered_with_what_is_needed(source, problem, tiny_model):
    answer = predict_photo(source, tiny_model)
    assert re.search(problem, answer.error)
    assert answer.faces == ()


def test_channels_are_swapped_in_arrays_only(photo, tiny_model):
    assert "arrays" in predict_photo(photo, tiny_model, bgr=True).error


@pytest.mark.usefixtures("in_tiny_artifacts")
def test_a_model_is_named_or_left_out_and_loaded_once(photo, tiny_model, monkeypatch):
    expected = predict_photo(photo, tiny_model)
    assert same(expected, predict_photo(photo, "tiny"))
    monkeypatch.setattr("facecore.model.predict.load_model", None)
    assert same(expected, predict_photo(photo, "tiny"))
    with pytest.raises(ModelError, match="no model 'huge'"):
        predict_photo(photo, "huge")


def test_a_model_trained_again_under_its_name_is_loaded_again(photo, tiny_artifacts, artifacts):
    shutil.copytree(tiny_artifacts, artifacts)
    first = predict_photo(photo, "tiny")
    changed = replace(load_model("tiny"), labels=("circle", "square"))
    write_model("tiny", changed, read_metadata("tiny"), {})
    assert predict_photo(photo, "tiny").faces[0].label == "circle" != first.faces[0].label


def test_every_face_of_a_photo_is_answered_largest_first(tiny_model):
    picture = np.full((300, 480, 3), 150, dtype=np.uint8)
    for left, side, label in ((20, 110, "round"), (200, 180, "square")):
        picture[60 : 60 + side, left : left + side] = draw_face(label, 3, side=side)[:, :, None]
    faces = predict_photo(encode(picture, "PNG"), tiny_model).faces
    assert [face.box[2] > 130 for face in faces] == [True, False]


@pytest.mark.parametrize(
    ("kind", "columns", "tile", "face"),
    [
        ("JPEG", 6, 250, 110),
        ("PNG", 6, 250, 110),
        pytest.param("JPEG", 16, 250, 75, marks=pytest.mark.slow),
        pytest.param("JPEG", 13, 330, 120, marks=pytest.mark.slow),
        pytest.param("PNG", 16, 250, 75, marks=pytest.mark.slow),
    ],
)
def test_a_group_is_answered_face_by_face_at_full_resolution(kind, columns, tile, face, tiny_model):
    rows = columns * 2 // 3
    picture = np.full((rows * tile, columns * tile, 3), 150, dtype=np.uint8)
    for i in range(rows * columns):
        left, top = i % columns * tile + 40, i // columns * tile + 20
        drawn = draw_face(LABELS[i % 2], i, side=face)
        picture[top : top + face, left : left + face] = drawn[:, :, None]
    answer = predict_photo(encode(picture, kind, quality=90), tiny_model)
    places = {
        ((x + w // 2) // tile, (y + h // 2) // tile)
        for x, y, w, h in (found.box for found in answer.faces)
    }
    assert len(places) >= 0.9 * rows * columns
    assert all(0.5 * face < found.box[2] < 1.3 * face for found in answer.faces)
    if face < 100:  # a face of fewer than 100 pixels is cut from all that the photo has
        assert answer.pixels.shape == picture.shape
    again = predict_photo(io.BytesIO(encode(picture, kind, quality=90)), tiny_model)
    assert same(replace(again, photo=""), replace(answer, photo=""))


def test_of_a_crowd_the_largest_faces_are_answered_and_the_rest_is_counted(tiny_model, monkeypatch):
    monkeypatch.setattr(predict, "MOST_FACES", 5)
    picture = np.full((500, 800, 3), 150, dtype=np.uint8)
    for i in range(8):
        side, left, top = 90 + 10 * i, 200 * (i % 4), 250 * (i // 4)
        drawn = draw_face(LABELS[i % 2], i, side=side)
        picture[top : top + side, left : left + side] = drawn[:, :, None]
    answer = predict_photo(picture, tiny_model)
    assert answer.notes == ("of 8 faces, the 5 largest are answered",)
    assert len(answer.faces) == 5
    assert min(face.box[2] for face in answer.faces) > 90
    again = next(predict_many([("a", picture)], tiny_model))
    assert (again.notes, len(again.faces)) == (answer.notes, 5)


@pytest.mark.parametrize(
    ("size", "most_pixels", "smallest"),
    [
        ((480, 360), 900_000, None),
        ((3000, 2000), 900_000, None),
        ((4000, 3000), 900_000, 80),  # at a quarter, where the cascade sees 20 pixels
        ((3000, 2000), 100_000, 155),
        ((3000, 2000), 0, 300),
        ((480, 360), 0, None),
    ],
)
def test_an_answer_says_when_small_faces_were_not_looked_for(
    size, most_pixels, smallest, tiny_model
):
    data = encode(np.full((*size[::-1], 3), 150, dtype=np.uint8), "JPEG")
    detector = replace(tiny_model.recipe.detector, most_pixels=most_pixels)
    notes = predict_photo(data, tiny_model, detector=detector).notes
    told = (
        [] if smallest is None else [f"faces narrower than {smallest} pixels were not looked for"]
    )
    assert [note.removesuffix(" in this large photo") for note in notes] == told


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
    assert answer.to_dict() == {
        "photo": "bad",
        "error": answer.error,
        "notes": [],
        "faces": [],
    }


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


@pytest.fixture(scope="module")
def many(raw_folder) -> list:
    paths = sorted(raw_folder.glob("*/*.jpg"))[::3]
    return [(p.name, p) for p in paths] + [("bad", b"bad"), ("none", raw_folder / "none.jpg")]


def test_many_photos_are_answered_in_order_whatever_the_number_of_workers(many, tiny_model):
    one = list(predict_many(many, tiny_model, jobs=1))
    two = list(predict_many(many, tiny_model, jobs=2))
    assert [answer.photo for answer in one] == [name for name, _ in many]
    assert all(map(same, one, two))
    assert [a.to_dict() for a in one] == [a.to_dict() for a in two]
    assert [[f.scores for f in a.faces] for a in one] == [[f.scores for f in a.faces] for a in two]
    assert [answer.error is not None for answer in one][-2:] == [True, True]
    assert all(answer.pixels is None for answer in one)


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("name", ["tiny_model", "tiny_aligned"])
def test_photos_in_batches_are_answered_as_each_alone(name, jobs, raw_folder, request):
    model = request.getfixturevalue(name)
    two = np.hstack([draw_photo("round", 3), draw_photo("square", 5)])
    sources = [(path.name, path) for path in sorted(raw_folder.glob("*/*.jpg"))]
    sources[1:1] = [("bad", b"bad"), ("two", encode(two, "PNG")), ("empty", b"")]
    sources[BATCH - 1 : BATCH + 1] = [("none", encode(np.full((90, 90, 3), 9, np.uint8), "PNG"))]
    sources += [(f"bad {i}", b"bad") for i in range(BATCH)]
    together = list(predict_many(iter(sources), model, jobs=jobs))
    alone = [predict_photo(source, model, name=name) for name, source in sources]
    assert all(map(same, alone, together))
    assert len(together) == len(sources) > 3 * BATCH
    assert sum(len(answer.faces) for answer in together) >= 30
    assert all(answer.ms > 0 for answer in together)
    for one, other in zip(alone, together, strict=True):
        for face, again in zip(one.faces, other.faces, strict=True):
            assert (face.prepared == again.prepared).all()
            assert (face.reason, face.landmarks) == (again.reason, again.landmarks)
            assert face.distance == pytest.approx(again.distance, abs=1e-6)


def test_photos_are_taken_a_few_at_a_time(tiny_model, photo):
    taken = []

    def sources():
        for i in range(10 * BATCH):
            taken.append(i)
            yield str(i), photo

    answers = predict_many(sources(), tiny_model)
    assert next(answers).photo == "0"
    assert len(taken) == BATCH


@pytest.mark.parametrize("wanted", [2, None])
def test_workers_leave_no_file_though_not_all_answers_are_taken(
    wanted, photo, tiny_model, tmp_path, monkeypatch
):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    answers = predict_many([(str(i), photo) for i in range(3 * BATCH)], tiny_model, jobs=2)
    taken = list(islice(answers, wanted))
    answers.close()
    assert [answer.photo for answer in taken] == [str(i) for i in range(wanted or 3 * BATCH)]
    assert not list(tmp_path.glob("facecore-*"))


def test_eight_threads_answer_as_one(many, tiny_model):
    def ask(item):
        return predict_photo(item[1], tiny_model, name=item[0])

    alone = [ask(item) for item in many * 2]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(ask, many * 2))
    assert all(map(same, alone, together))


@pytest.mark.parametrize(
    ("crops", "model"), [("crops_folder", "tiny_model"), ("aligned_crops", "tiny_aligned")]
)
def test_prediction_sees_the_very_face_that_training_saw(crops, model, raw_folder, request):
    folder, model = request.getfixturevalue(crops), request.getfixturevalue(model)
    table = read_table(folder).query("state == 'kept'").assign(folder=str(folder))
    rows = table.iloc[::5]
    X = load_faces(rows, model.recipe)
    assert len(X) >= 5
    for path, row in zip(rows["path"], X, strict=True):
        (face,) = predict_photo(raw_folder / path, model).faces
        assert (face.prepared.reshape(-1) == row).all()
        seen = model.pixels.features.extract(row[None])
        assert (face.crop.reshape(-1) == seen).all()


def test_an_aligned_face_is_shown_as_all_of_the_model_saw_it_and_as_the_eigenfaces_did(
    photo, tiny_aligned
):
    (face,) = predict_photo(photo, tiny_aligned, rule=AnswerRule()).faces
    assert face.label == "round"
    assert face.prepared.shape == (160, 160, 3)
    assert face.crop.shape == face.reconstruction.shape == (100, 100)
    grey = to_grey(face.prepared[20:140, 20:140])
    middle = cv2.resize(grey, (100, 100), interpolation=cv2.INTER_AREA)
    assert (face.crop == middle).all()
    assert 0.9 < face.detection_score <= 1
    assert face.scores == pytest.approx(
        dict(
            zip(
                tiny_aligned.labels,
                tiny_aligned.predict_proba(face.prepared.reshape(1, -1))[0],
                strict=True,
            )
        )
    )


def test_a_classic_face_is_the_same_for_all_of_the_model(photo, tiny_model):
    (face,) = predict_photo(photo, tiny_model).faces
    assert (face.prepared == face.crop).all()


@pytest.mark.parametrize("degrees", [-20, 20])
@pytest.mark.parametrize("label", ["round", "square"])
def test_a_photo_that_is_not_level_has_the_same_answer(label, degrees, tiny_aligned):
    level = draw_photo(label, 11, side=240)
    turn = cv2.getRotationMatrix2D((120, 120), degrees, 0.9)
    tilted = cv2.warpAffine(level, turn, (240, 240), borderMode=cv2.BORDER_REPLICATE)
    (one,), (other,) = (
        predict_photo(encode(pixels, "PNG"), tiny_aligned, rule=AnswerRule()).faces
        for pixels in (level, tilted)
    )
    assert one.label == other.label == label
    assert np.abs(one.crop.astype(int) - other.crop.astype(int)).mean() < 10


def test_a_model_that_aligns_needs_a_detector_with_landmarks(photo, tiny_aligned):
    with pytest.raises(ModelError, match="mtcnn and blazeface"):
        predict_photo(photo, tiny_aligned, detector={"name": "haar"})
    wide = {"name": "mtcnn", "long_side": 300}
    (face,) = predict_photo(photo, tiny_aligned, detector=wide).faces
    assert face.likely == "round"


def test_two_threads_align_and_answer_as_one(many, tiny_aligned):
    def ask(item):
        return predict_photo(item[1], tiny_aligned, name=item[0])

    alone = [ask(item) for item in many]
    with ThreadPoolExecutor(2) as pool:
        assert all(map(same, alone, pool.map(ask, many)))
    assert sum(len(answer.faces) for answer in alone) >= 10


def test_another_detector_can_be_asked_for(photo, tiny_model):
    strict = {"name": "haar", "min_neighbors": 900}
    assert predict_photo(photo, tiny_model, detector=strict).faces == ()
    with pytest.raises(ModelError, match="there are: haar"):
        predict_photo(photo, tiny_model, detector={"name": "nose"})


def test_a_face_is_cut_in_colour_as_the_recipe_says(photo, tiny_model):
    answer = predict_photo(photo, tiny_model)
    x, y, w, h = answer.faces[0].box
    assert np.array_equal(colour_crop(answer, 1, tiny_model), answer.pixels[y : y + h, x : x + w])
    aligned = replace(tiny_model, recipe=replace(RECIPES["aligned"], alignment=Alignment(3.5)))
    answer = replace(answer, faces=(replace(answer.faces[0], landmarks=POINTS),))
    assert np.array_equal(colour_crop(answer, 1, aligned), align(answer.pixels, POINTS, 3.5))


@pytest.mark.parametrize(
    ("rule", "verdict", "why"),
    [
        (SURE, "unsure", "confidence below 1"),
        (AnswerRule(min_score=9999), "unsure", "the detector's score is below 9999"),
        (AnswerRule(max_distance=0.001), "not a face", "farther than 0.001 from face space"),
    ],
)
def test_a_face_that_the_rule_doubts_has_a_reason_and_no_label(
    rule, verdict, why, photo, tiny_model
):
    (sure,) = predict_photo(photo, tiny_model).faces
    for answer in (
        predict_photo(photo, tiny_model, rule=rule),
        predict_photo(photo, replace(tiny_model, rule=rule)),
    ):
        (face,) = answer.faces
        assert face.label is None
        assert (face.verdict, face.why) == (verdict, why)
        assert face.reason == f"{verdict}: {why}"
        assert (face.likely, face.probability) == ("round", sure.probability)
        (told,) = answer.to_dict()["faces"]
        assert (told["label"], told["reason"]) == (None, face.reason)
        assert told["probability"] == round(sure.probability, 4)


def test_another_rule_wins_over_the_models(photo, tiny_model):
    strict = replace(tiny_model, rule=SURE)
    (face,) = predict_photo(photo, strict, rule=AnswerRule()).faces
    assert face.label == "round"


def test_many_photos_are_doubted_as_each_alone(many, tiny_model):
    strict = replace(tiny_model, rule=SURE)
    for answers in (
        predict_many(many, strict, jobs=2),
        predict_many(many, tiny_model, jobs=2, rule=SURE),
    ):
        faces = [face for answer in answers for face in answer.faces]
        assert len(faces) > 5
        assert {face.verdict for face in faces} == {"unsure"}
    free = predict_many(many, strict, rule=AnswerRule())
    assert all(face.label for answer in free for face in answer.faces)


def test_of_three_labels_the_likeliest_stays(three_faces, tiny_model):
    from facecore.training.estimator import FaceSpaceClassifier

    model = FaceSpaceClassifier(20).fit(*three_faces[:2]).to_model(tiny_model.recipe)
    for label in ("round", "square", "wide"):
        picture = encode(draw_photo(label, 3), "PNG")
        (face,) = predict_photo(picture, model, rule=SURE).faces
        (sure,) = predict_photo(picture, model).faces
        assert face.label is None
        assert face.likely == sure.label
        assert face.probability == face.scores[face.likely] == max(face.scores.values())
