from dataclasses import replace

import numpy as np
import pytest

from facecore.face.detect import Face
from facecore.face.features import Features
from facecore.model.drawing import annotate, draw_features, to_image
from facecore.model.predict import classify, predict_photo
from facecore.model.rule import AnswerRule

POINTS = ((30.0, 40.0), (70.0, 40.0), (50.0, 60.0), (35.0, 80.0), (65.0, 80.0))
SURE = AnswerRule(min_confidence=1.0)


@pytest.fixture(scope="module")
def drawn(faces):
    return faces[0][::9]


def test_boxes_are_drawn_in_the_colour_of_their_label(photo, tiny_model):
    answer = predict_photo(photo, tiny_model)
    before = answer.pixels.copy()
    colours = {"round": (0, 0, 255), "square": (255, 128, 0)}
    picture = annotate(answer, colours)
    x, y, w, h = answer.faces[0].box
    assert picture[y + h, x + w // 2].tolist() == [0, 0, 255]
    assert (answer.pixels == before).all()
    assert (picture != before).any(axis=2).mean() < 0.2


def test_landmarks_are_in_pixels_of_the_full_photo_and_drawn_as_dots(photo, tiny_model):
    answer = predict_photo(photo, tiny_model)
    assert answer.faces[0].landmarks is None
    twice = tuple((2 * x, 2 * y) for x, y in POINTS)
    found = Face(tuple(2 * v for v in answer.faces[0].box), 1.0, twice)
    (face,) = classify([answer.faces[0].prepared], tiny_model, [found])
    assert face.landmarks == twice
    whole = replace(answer, width=2 * answer.width, height=2 * answer.height, faces=(face,))
    picture = annotate(whole, dict.fromkeys(tiny_model.labels, (0, 0, 255)))
    assert all(picture[int(y), int(x)].tolist() == [0, 0, 255] for x, y in POINTS)


def test_an_unsure_face_has_a_box_of_no_labels_colour(photo, tiny_model):
    answer = predict_photo(photo, tiny_model, rule=SURE)
    picture = annotate(answer, {"round": (0, 0, 255), "square": (255, 128, 0)})
    x, y, w, h = answer.faces[0].box
    red, green, blue = picture[y + h, x + w // 2].tolist()
    assert red == green == blue


def test_boxes_beyond_the_photo_can_be_drawn(photo, tiny_model):
    answer = predict_photo(photo, tiny_model)
    face = replace(answer.faces[0], box=(-40, -30, 280, 300))
    picture = annotate(replace(answer, faces=(face,)), dict.fromkeys(tiny_model.labels, (1, 2, 3)))
    assert picture.shape == answer.pixels.shape


def test_an_answer_without_pixels_cannot_be_drawn(tiny_model):
    with pytest.raises(ValueError, match="no pixels"):
        annotate(predict_photo(b"bad", tiny_model), {})


def test_a_row_becomes_a_picture_with_grey_levels_cut_to_their_range():
    assert to_image(np.array([-5, 0.6, 254.4, 999])).tolist() == [[0, 1], [254, 255]]


@pytest.mark.parametrize("across", ["x", "y"])
def test_a_cell_is_drawn_as_strokes_along_its_edges(across):
    face = np.full((64, 64), 60, dtype=np.uint8)
    face[:, 36:] = 200  # one edge, from top to bottom, in the fifth column of cells
    if across == "y":
        face = face.T
    picture = draw_features(Features("hog", 64, 1.0, cell=8), face).astype(float)
    if across == "y":
        picture = picture.T
    size = len(picture) // 8
    cells = picture.reshape(8, size, 8, size)
    light = cells.mean(axis=(1, 3))
    assert (light.argmax(axis=1) == 4).all()
    assert light[:, :3].max() < 0.1 * light[:, 4].min()
    star = cells[3, :, 4]
    middle = slice(size // 2 - 2, size // 2 + 2)
    assert star[:, middle].mean() > 2 * star[middle].mean()


def test_pixels_are_drawn_as_they_are(drawn):
    features = Features("pixels", 50, 0.5)
    seen = draw_features(features, drawn[0].reshape(100, 100))
    assert np.array_equal(seen, drawn[0].reshape(100, 100)[25:75, 25:75])
