import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from facecore.errors import DataError
from facecore.face.recipes import RECIPES
from facecore.training.eigenfaces import fit_space, project_views
from facecore.training.estimator import fit_member
from facecore.training.fisherfaces import SHRINKAGE, fit_discriminants
from facecore.training.grids import Candidate
from facecore.training.options import TrainingOptions
from facecore.training.pipeline import Plan

PARAMS = Candidate(n_components=12, gamma=0.02, C=5.0)


@pytest.fixture(scope="module")
def points() -> tuple[np.ndarray, np.ndarray]:
    """Many points of three labels, in four dimensions of which the first tells nothing."""
    rng = np.random.default_rng(0)
    y = np.repeat(["round", "square", "wide"], 400)
    Z = rng.normal(size=(1200, 4)) @ np.array([[9, 1, 0, 0], [0, 1, 0, 0], [0, 1, 1, 0], [0] * 4])
    Z[:, 3] = rng.normal(size=1200)
    Z[y == "square", 1] += 3
    Z[y == "wide", 2] += 4
    return Z, y


def test_many_faces_have_the_discriminants_of_scikit_learn(points):
    Z, y = points
    found = fit_discriminants([Z], y).project([Z])[0]
    lda = LinearDiscriminantAnalysis(solver="eigen").fit(Z, y)
    expected = lda.transform(Z)[:, :2]
    for mine, theirs in zip(found.T, expected.T, strict=True):
        assert abs(np.corrcoef(mine, theirs)[0, 1]) > 0.999
    ratios = fit_discriminants([Z], y).ratios
    assert ratios / ratios.sum() == pytest.approx(lda.explained_variance_ratio_, abs=0.02)


def test_they_are_of_equal_variance_within_labels_but_for_the_share_of_all_faces(points):
    Z, y = points
    found = fit_discriminants([Z], y).project([Z])[0]
    within = sum(np.cov(found[y == label], rowvar=False) for label in np.unique(y)) / 3
    both = (1 - SHRINKAGE) * within + SHRINKAGE * np.cov(found - found.mean(axis=0), rowvar=False)
    assert both / both[0, 0] == pytest.approx(np.eye(2), abs=0.05)
    assert (found**2).sum(axis=1).mean() == pytest.approx(Z.shape[1])


def test_there_is_one_fewer_than_labels_or_one_per_component(points):
    Z, y = points
    assert fit_discriminants([Z], y).axes.shape == (4, 2)
    assert fit_discriminants([Z[:, 1:2]], y).axes.shape == (1, 1)
    two = y != "wide"
    assert fit_discriminants([Z[two]], y[two]).axes.shape == (4, 1)


def test_a_direction_without_variance_within_labels_does_not_outweigh_all_others():
    """Few faces in many dimensions have such directions by chance."""
    rng = np.random.default_rng(0)
    y = np.repeat(["round", "square", "wide"], 10)
    Z = np.column_stack([rng.normal(size=30), np.repeat([0.0, 0.1, 0.0], 10)])
    Z[y == "wide", 0] += 5
    found = fit_discriminants([Z], y)
    assert found.ratios[0] < 1 / SHRINKAGE + 1e-6
    variances = np.var(found.project([Z])[0], axis=0)
    assert variances.max() < 10 * variances.min()


def test_a_face_of_weight_two_counts_as_two_equal_faces(points):
    Z, y = points[0][::20], points[1][::20]
    twice = np.arange(len(Z)) % 3 == 0
    weighted = fit_discriminants([Z], y, np.where(twice, 2.0, 1.0))
    repeated = fit_discriminants([np.concatenate([Z, Z[twice]])], np.concatenate([y, y[twice]]))
    assert weighted.axes == pytest.approx(repeated.axes)
    assert weighted.ratios == pytest.approx(repeated.ratios)


def test_mirror_images_count_as_further_faces_of_the_same_label(points):
    Z, y = points[0][::20], points[1][::20]
    other = Z * [1, 1, 1, -1]
    both = fit_discriminants([np.concatenate([Z, other])], np.concatenate([y, y]))
    assert fit_discriminants([Z, other], y).axes == pytest.approx(both.axes)


@pytest.mark.parametrize("Z", [np.zeros((6, 2)), np.repeat([[0.0, 1.0], [1.0, 0.0]], 3, axis=0)])
def test_equal_faces_are_no_division_by_zero(Z):
    found = fit_discriminants([Z], np.repeat(["round", "square"], 3))
    assert np.isfinite(found.axes).all()
    assert np.isfinite(found.ratios).all()


@pytest.mark.parametrize("whiten", [True, False])
def test_a_member_projects_faces_in_one_step(three_faces, whiten):
    X, y, _ = three_faces
    candidate = Candidate(n_components=12, gamma=0.02, C=5.0, whiten=whiten)
    member = fit_member(X, None, y, candidate, space="fisherfaces")
    scaler, pca = fit_space(X, None, 12, whiten, 0)
    assert isinstance(pca, PCA)
    Z = project_views(scaler, pca, [X])
    expected = fit_discriminants(Z, y).project(Z)[0]
    assert member.space == "fisherfaces"
    assert member.components.shape == (2, X.shape[1])
    assert np.linalg.norm(member.basis, axis=1) == pytest.approx([1, 1], abs=1e-3)
    assert member.coordinates(X) == pytest.approx(expected, abs=2e-2)
    answers = np.unique(y)[member.decide(member.coordinates(X)).argmax(axis=1)]
    assert (answers == y).mean() > 0.95


@pytest.mark.parametrize(
    ("options", "words"),
    [({"solver": "nystroem"}, "--solver exact"), ({"centres": 100}, "without --centres")],
)
def test_what_a_recipe_with_fisherfaces_cannot_do_is_refused_at_once(options, words):
    plan = Plan("mine", RECIPES["fisher"], "quick", TrainingOptions(**options))
    with pytest.raises(DataError, match=words) as error:
        plan.check()
    assert len(str(error.value).splitlines()) == 1
    assert "'fisher'" in str(error.value)
