import numpy as np
import pytest
from cartoons import draw_face
from scipy.spatial.distance import cdist
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier

from facecore.model.class_space import face_distances, fit_class_space, recognise_left_out
from facecore.model.contributions import draw_eigenface, strongest_eigenfaces, sums_of

WHITE = 255


@pytest.fixture(scope="module")
def faces() -> np.ndarray:
    """Ten drawn people."""
    return np.array([draw_face("round", person) for person in range(10)])


def flat(faces: np.ndarray) -> np.ndarray:
    return faces.reshape(len(faces), -1).astype(np.float64)


def test_mean_eigenfaces_and_variance_are_those_of_scikit_learn(faces):
    member, pca = fit_class_space(faces).pixels, PCA(9).fit(flat(faces) / WHITE)
    assert member.mean == pytest.approx(pca.mean_, abs=1e-6)
    assert member.variance == pytest.approx(pca.explained_variance_, rel=1e-5)
    assert member.total_variance == pytest.approx(pca.explained_variance_.sum())
    alike = np.abs((member.components * pca.components_).sum(axis=1))  # signs are a choice
    assert alike == pytest.approx(np.ones(9), abs=1e-5)
    peaks = np.abs(member.components).argmax(axis=1)
    assert (member.components[np.arange(9), peaks] > 0).all()


def test_eigenfaces_are_orthonormal(faces):
    components = fit_class_space(faces).pixels.components
    assert components @ components.T == pytest.approx(np.eye(9), abs=1e-5)


@pytest.mark.parametrize("count", [2, 3, 7, 10])
def test_n_faces_have_n_minus_1_eigenfaces_that_draw_each_of_them(faces, count):
    some = faces[:count]
    member = fit_class_space(some).pixels
    assert len(member.components) == count - 1
    drawn = member.rebuild(member.coordinates(flat(some)))
    assert drawn == pytest.approx(flat(some), abs=0.01)


def test_equal_faces_give_no_eigenface_of_their_own(faces):
    twice = np.concatenate([faces[:4], faces[:2]])
    assert len(fit_class_space(twice).pixels.components) == 3
    assert len(fit_class_space(np.repeat(faces[:1], 3, axis=0)).pixels.components) == 0


def test_one_face_is_its_own_mean_and_has_no_eigenface(faces):
    member = fit_class_space(faces[:1]).pixels
    assert member.components.shape == (0, 10_000)
    assert member.rebuild(np.zeros((1, 0)))[0] == pytest.approx(flat(faces[:1])[0], abs=1e-3)


def test_a_recipe_of_a_face_of_the_class_adds_up_to_the_face(faces):
    space, row = fit_class_space(faces), faces[3].reshape(1, -1)
    found = strongest_eigenfaces(space, row, 9)
    assert sum(one.share for one in found) == pytest.approx(1, abs=1e-4)
    sums = sums_of(space, row, range(len(found) + 1))[0]
    assert sums[-1] == pytest.approx(row[0].astype(float), abs=0.01)
    by_hand = sums[0] + sum(one.weight * draw_eigenface(space, one.eigenface) for one in found)
    assert by_hand == pytest.approx(sums[-1], abs=0.05)


def test_distances_are_root_mean_squares_of_grey_levels(faces):
    expected = cdist(flat(faces), flat(faces)) / 100
    assert face_distances(faces) == pytest.approx(expected, abs=1e-4)


def test_with_all_eigenfaces_the_distance_is_that_of_pixels_and_with_few_that_of_the_first(faces):
    assert face_distances(faces, 9) == pytest.approx(face_distances(faces), abs=1e-6)
    Z = PCA(3).fit_transform(flat(faces))
    assert face_distances(faces, 3) == pytest.approx(cdist(Z, Z) / 100, abs=1e-4)
    assert (face_distances(faces, 3) <= face_distances(faces) + 1e-9).all()


def test_a_face_is_left_out_of_the_eigenfaces_that_recognise_it():
    names = [f"p{person}" for person in range(6) for _ in range(2)]
    faces = np.array([draw_face("round", int(n[1:]), i) for i, n in enumerate(names)])
    for used in (2, 5):
        found = recognise_left_out(faces, names, used)
        assert [one.face for one in found] == list(range(12))
        for one in found:
            rest = [i for i in range(12) if i != one.face]
            pca = PCA(used).fit(flat(faces[rest]))
            nearest = KNeighborsClassifier(1).fit(pca.transform(flat(faces[rest])), rest)
            assert one.nearest == nearest.predict(pca.transform(flat(faces[[one.face]])))[0]
            assert one.right == (names[one.nearest] == names[one.face])
            assert one.chance == pytest.approx(1 / 11)


def test_faces_without_a_name_take_no_part_and_single_ones_are_only_answers(faces):
    names = ["Ann", "", "Ann", "Bo", *[""] * 6]
    found = recognise_left_out(faces, names)
    assert [one.face for one in found] == [0, 2]
    assert {one.nearest for one in found} <= {0, 2, 3}
    assert [one.chance for one in found] == [0.5, 0.5]


def test_nobody_is_recognised_where_every_name_is_the_only_one(faces):
    assert recognise_left_out(faces, list("abcdefghij")) == []
    assert recognise_left_out(faces, [""] * 10) == []
