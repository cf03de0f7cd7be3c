import numpy as np
import pytest

from facecore.estimator import FaceSpaceClassifier
from facecore.explain import (
    distance_from_face_space,
    eigenface_images,
    mean_face,
    reconstruct,
    to_image,
)


@pytest.fixture(scope="module")
def drawn(faces):
    return faces[0][::9]


@pytest.fixture(scope="module")
def model(faces):
    return FaceSpaceClassifier(20).fit(*faces[:2]).to_model({"side": 100})


def test_a_row_becomes_a_picture_with_grey_levels_cut_to_their_range():
    assert to_image(np.array([-5, 0.6, 254.4, 999])).tolist() == [[0, 1], [254, 255]]


def test_more_eigenfaces_draw_a_face_more_truly(model, drawn):
    errors = [
        np.abs(reconstruct(model, drawn, k).reshape(len(drawn), -1) - drawn.astype(float))
        .mean() for k in (0, 3, None)
    ]  # fmt: skip
    assert errors[0] > errors[1] > errors[2]


def test_a_face_of_face_space_is_drawn_again_as_it_is(model):
    Z = np.random.default_rng(0).normal(0, 0.5, (3, len(model.pixels.deviation)))
    rows = np.clip(np.rint(model.pixels.rebuild(Z)), 0, 255).astype(np.uint8)
    again = reconstruct(model, rows).reshape(3, -1)
    assert np.abs(again.astype(int) - rows).mean() < 1
    assert distance_from_face_space(model, rows).max() < 0.03


def test_what_is_no_face_is_farther_from_face_space(model, drawn):
    noise = np.random.default_rng(0).integers(0, 256, drawn.shape, dtype=np.uint8)
    faces, others = (distance_from_face_space(model, X) for X in (drawn, noise))
    assert faces.shape == (len(drawn),)
    assert others.min() > 2 * faces.max()


def test_the_distance_is_the_root_mean_square_of_what_is_left(model, drawn):
    member = model.pixels
    rebuilt = (member.rebuild(member.coordinates(drawn)) - member.minimum) / member.span
    plain = np.sqrt(((member.scale(drawn) - rebuilt) ** 2).mean(axis=1))
    assert distance_from_face_space(model, drawn) == pytest.approx(plain, rel=1e-2)


def test_each_eigenface_uses_the_whole_scale_around_grey(model):
    images = eigenface_images(model, 5)
    assert images.shape == (5, 100, 100)
    assert images.dtype == np.uint8
    far = np.abs(images.astype(int) - 128).reshape(5, -1).max(axis=1)
    assert (far >= 127).all()


def test_the_mean_face_is_the_mean_of_the_training_faces(model, faces):
    assert np.abs(mean_face(model).reshape(-1) - faces[0].mean(axis=0)).max() <= 1
