import numpy as np
import pytest
from charts import contrast

from facecore.face.features import Features
from facecore.model.drawing import (
    ABOVE,
    MOST_COLOURS,
    PALETTE,
    Mark,
    draw_features,
    draw_marks,
    label_colours,
    paint_answers,
    paint_signed,
    to_image,
    to_oklab,
    to_rgb,
)
from facecore.model.rule import AnswerRule

POINTS = ((30.0, 40.0), (70.0, 40.0), (50.0, 60.0), (35.0, 80.0), (65.0, 80.0))
SURE = AnswerRule(min_confidence=1.0)


@pytest.fixture(scope="module")
def drawn(faces):
    return faces[0][::9]


def test_a_row_becomes_a_picture_with_grey_levels_cut_to_their_range():
    assert to_image(np.array([-5, 0.6, 254.4, 999])).tolist() == [[0, 1], [254, 255]]


def test_up_to_seven_labels_have_the_colours_of_the_palette():
    assert list(label_colours("abcdefg").values()) == list(PALETTE)


def test_forty_labels_have_forty_colours_that_lie_apart():
    colours = list(label_colours([f"s{i}" for i in range(40)]).values())
    places = to_oklab(np.array([to_rgb(colour) for colour in colours]))
    apart = np.linalg.norm(places[:, None] - places, axis=2) + np.eye(40)
    assert apart.min() > 0.07  # a just noticeable difference is about 0.02


@pytest.mark.parametrize("background", ["#ffffff", "#0e1117"])
def test_colours_of_many_labels_stand_out_from_light_and_dark(background):
    for colour in label_colours([str(i) for i in range(MOST_COLOURS)]).values():
        assert contrast(colour, background) >= 3


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


@pytest.mark.parametrize("side", [40, 60, 100, 400])
def test_the_number_of_a_face_does_not_hide_it(side):
    grey = np.full((1600, 2400, 3), 128, dtype=np.uint8)
    picture = draw_marks(grey, [Mark((500, 500, side, side), (255, 0, 0), "96")])
    inside = picture[502 : 500 + side - 2, 502 : 500 + side - 2]
    assert 0.05 < (inside != 128).any(axis=2).mean() < 0.5


def test_pixels_are_drawn_as_they_are(drawn):
    features = Features("pixels", 50, 0.5)
    seen = draw_features(features, drawn[0].reshape(100, 100))
    assert np.array_equal(seen, drawn[0].reshape(100, 100)[25:75, 25:75])


def test_pictures_that_are_compared_have_one_scale():
    weak, strong = np.array([1.0, 0, 0, 0]), np.array([2.0, 0, 0, 9.0])
    half = paint_signed(weak, most=2)[0, 0].astype(int)
    assert (half == np.rint((255 + paint_signed(strong, most=2)[0, 0].astype(int)) / 2)).all()
    assert (paint_signed(strong, most=2)[1, 1] == to_rgb(ABOVE)).all()


def test_answers_are_painted_in_the_colour_of_the_likeliest_label_and_pale_where_unsure():
    p = np.array([[[1 / 3, 1 / 3, 1 / 3], [0.1, 0.8, 0.1]], [[0, 0, 1], [0.5, 0.4, 0.1]]])
    picture = paint_answers(p, PALETTE[:3])
    assert picture.shape == (2, 2, 4)
    assert picture[0, 0, 3] == 0
    assert tuple(picture[0, 1, :3]) == to_rgb(PALETTE[1])
    assert tuple(picture[1, 0]) == (*to_rgb(PALETTE[2]), 255)
    assert 0 < picture[1, 1, 3] < picture[0, 1, 3] < 255
