import numpy as np
import pytest
from sklearn.decomposition import PCA

from facecore.errors import DataError
from facecore.model.contributions import draw_eigenface, strongest_eigenfaces, sums_of
from facecore.model.drawing import to_image
from facecore.model.explain import reconstruct
from facecore.model.lesson import (
    add_spot,
    compare_pixels,
    draw_crowd,
    map_faces,
    separating_components,
)
from facecore.model.store import load_model
from facecore.model.synth import sample_faces


@pytest.fixture(scope="module")
def model():
    return load_model("classic")


@pytest.fixture(scope="module")
def crowd(model):
    return draw_crowd(model, ["female", "male"], 40, seed=3)


def test_a_crowd_has_the_faces_of_its_labels_in_turn(model):
    faces, drawn = draw_crowd(model, ["male", "female"], 5, seed=2)
    assert drawn == ["male", "female", "male", "female", "male"]
    assert (faces[::2] == sample_faces(model, "male", 3, 2, 1.0)).all()
    assert (faces[1::2] == sample_faces(model, "female", 3, 2, 1.0)[:2]).all()


def test_two_pixels_spread_most_along_their_first_principal_component(crowd):
    pair = compare_pixels(crowd[0], (62, 28), (62, 72))
    pca = PCA(2).fit(pair.values)
    assert abs(pca.components_[0] @ pair.direction) == pytest.approx(1)
    assert pair.spread == pytest.approx(pca.explained_variance_[0] ** 0.5)
    assert pair.share == pytest.approx(pca.explained_variance_ratio_[0])
    assert pair.direction[np.abs(pair.direction).argmax()] > 0


@pytest.mark.parametrize("way, angle", [((1, 0), 0), ((0, 1), 90), ((1, 1), 45), ((1, -1), -45)])
def test_the_angle_of_two_pixels_is_that_of_their_line(way, angle):
    faces = np.zeros((5, 2, 2), dtype=np.uint8) + 100
    for i, pixel in enumerate(((0, 0), (1, 1))):
        faces[:, pixel[0], pixel[1]] = 100 + way[i] * 10 * np.arange(5)
    assert compare_pixels(faces, (0, 0), (1, 1)).angle == pytest.approx(angle)


def test_pixels_that_do_not_differ_have_no_spread():
    pair = compare_pixels(np.full((4, 3, 3), 7, dtype=np.uint8), (0, 0), (1, 1))
    assert (pair.spread, pair.share) == (0, 1)


def test_one_face_has_nothing_to_differ_from(crowd):
    with pytest.raises(DataError, match="at least 2"):
        compare_pixels(crowd[0][:1], (0, 0), (1, 1))


def test_a_spot_is_dark_and_small(crowd):
    face = crowd[0][0]
    spotted = add_spot(face, 66, 30)
    changed = np.argwhere(spotted != face)
    assert 20 < len(changed) < 60
    assert np.hypot(*(changed - (66, 30)).T).max() <= 3.5
    assert (spotted <= face).all()


def test_sums_lead_from_the_mean_face_to_the_reconstruction(model, crowd):
    X = crowd[0][:1].reshape(1, -1)
    every = len(model.pixels.components)
    sums, shares = sums_of(model, X, [0, 3, every])
    found = strongest_eigenfaces(model, X, 3)
    by_hand = sums[0] + sum(one.weight * draw_eigenface(model, one.eigenface) for one in found)
    assert sums[1] == pytest.approx(by_hand, abs=0.1)
    assert np.abs(to_image(sums[2]).astype(int) - reconstruct(model, X)[0]).max() <= 1
    assert shares[0] == 0
    assert shares[1] == pytest.approx(sum(one.share for one in found), abs=1e-6)


def test_a_spot_is_what_a_reconstruction_leaves_out(model, crowd):
    face = crowd[0][1]
    spotted = add_spot(face, 66, 30)
    sums, _ = sums_of(model, spotted.reshape(1, -1), [len(model.pixels.components)])
    missing = spotted - sums[0].reshape(face.shape)
    assert np.hypot(*(np.argwhere(missing < missing.min() / 2) - (66, 30)).T).max() <= 4


def test_the_separating_components_have_the_largest_share_of_variance_between_labels(model):
    first, second = separating_components(model, ["female", "male"])
    mean, factor = model.spread
    covariance = factor @ factor.transpose(0, 2, 1)
    ratios = [((mean[0, j] - mean[1, j]) / 2) ** 2 / covariance[:, j, j].mean() for j in range(20)]
    assert [first, second] == list(np.argsort(ratios)[::-1][:2])


def test_a_map_answers_what_the_model_answers_about_the_picture_at_each_place(model, crowd):
    faces, moved = crowd[0][1:9], crowd[0][0]
    found = map_faces(model, faces, moved, (1, 4), steps=3)
    assert (found.answers == model.predict(faces.reshape(8, -1))).all()
    assert found.chances == pytest.approx(model.predict_proba(moved.reshape(1, -1))[0])
    change = sum(
        (found.grid[at] - found.at[k]) * draw_eigenface(model, axis)
        for k, (axis, at) in enumerate(((1, 2), (4, 0)))
    )
    picture = to_image(moved.reshape(-1) + change).reshape(1, -1)
    assert found.places[0, 2] == pytest.approx(model.predict_proba(picture)[0], abs=0.01)


def test_the_weights_on_a_map_and_the_rest_are_the_distance_of_two_recipes(model, crowd):
    faces, moved = crowd[0][1:], crowd[0][0]
    found = map_faces(model, faces, moved, (0, 2), steps=2)
    W = model.transform(crowd[0].reshape(len(crowd[0]), -1))  # whitened
    assert found.points == pytest.approx(W[1:, [0, 2]], abs=1e-3)
    squared = ((found.points - found.at) ** 2).sum(axis=1) + found.rest
    assert squared == pytest.approx(((W[1:] - W[0]) ** 2).sum(axis=1), rel=1e-3)
    assert found.grid[-1] >= np.abs(found.points).max()
