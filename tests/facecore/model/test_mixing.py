import numpy as np
import pytest
from cartoons import draw_face

from facecore.errors import DataError
from facecore.model.drawing import to_image
from facecore.model.mixing import average_faces, judge_pictures, mix_faces
from facecore.model.store import load_model
from facecore.model.synth import sample_faces


@pytest.fixture(scope="module")
def pair() -> tuple[np.ndarray, np.ndarray]:
    return draw_face("round", 1), draw_face("square", 2)


def test_the_ends_of_a_morph_are_the_faces_and_its_middle_is_their_average(pair):
    rows = mix_faces(*pair, np.array([0, 0.5, 1]))
    assert (to_image(rows[0]) == pair[0]).all()
    assert (to_image(rows[2]) == pair[1]).all()
    assert rows[1] == pytest.approx(average_faces(np.array(pair)).reshape(-1))


def test_a_caricature_doubles_the_difference_from_the_mean_and_an_anti_face_turns_it(pair):
    mean, face = (one.reshape(-1).astype(float) for one in pair)
    twice, anti = mix_faces(*pair, np.array([2, -1]))
    assert twice - mean == pytest.approx(2 * (face - mean))
    assert anti - mean == pytest.approx(mean - face)


def test_faces_of_different_sizes_are_not_mixed(pair):
    with pytest.raises(DataError, match="10,000 and 4 pixels"):
        mix_faces(pair[0], np.zeros((2, 2)), np.array([0.5]))


def test_the_average_is_not_rounded_to_whole_grey_levels():
    faces = np.array([[[0]], [[1]], [[0]]], np.uint8)
    assert average_faces(faces)[0, 0] == pytest.approx(1 / 3)


def test_a_picture_is_judged_as_it_is_seen():
    model = load_model("classic").eigenfaces
    face = sample_faces(model, model.labels[0], 1)[0]
    seen = model.predict_proba(face.reshape(1, -1))
    assert judge_pictures(model, face.reshape(1, -1) + 0.3) == pytest.approx(seen)
    too_bright = np.full((1, 10_000), 900.0)
    white = np.full((1, 10_000), 255)
    assert judge_pictures(model, too_bright) == pytest.approx(model.predict_proba(white))
