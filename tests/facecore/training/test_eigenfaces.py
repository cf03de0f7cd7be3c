import numpy as np
import pytest
from sklearn.decomposition import PCA

from facecore.face.prepare import mirror
from facecore.training import eigenfaces
from facecore.training.eigenfaces import as_float, fit_pca, fit_space, measure_spread


def test_eigenfaces_are_fitted_as_they_are_stored(faces):
    pca = fit_pca(as_float(faces[0]) / 255, 8, False, 0)
    assert (pca.components_ == pca.components_.astype(np.float16)).all()
    assert pca.components_ @ pca.components_.T == pytest.approx(np.eye(8), abs=2e-3)
    assert (np.diff(pca.explained_variance_) <= 0).all()


def decaying(faces, features, rank):
    """Rows whose spread falls along random directions, as that of faces does."""
    rng = np.random.default_rng(1)
    spread = 10 / np.arange(1, rank + 1)
    rows = rng.normal(size=(faces, rank)) * spread @ rng.normal(size=(rank, features))
    return (rows + 3).astype(np.float32)


@pytest.fixture(params=[0, 1000], ids=["by iteration", "by products"])
def each_way(request, monkeypatch):
    """Both ways to a few eigenfaces of many, whatever the number of faces."""
    monkeypatch.setattr(eigenfaces, "FEW", request.param)


@pytest.mark.usefixtures("each_way")
@pytest.mark.parametrize("shape", [(400, 500), (500, 400)])
def test_a_few_eigenfaces_of_many_are_those_of_a_full_decomposition(shape):
    X = decaying(*shape, 400)
    pca, full = fit_pca(X, 20, True, 0), PCA(20, whiten=True, svd_solver="full").fit(X)
    assert pca.components_ == pytest.approx(full.components_, abs=5e-3)
    assert pca.explained_variance_ == pytest.approx(full.explained_variance_, rel=1e-3)
    assert pca.explained_variance_ratio_ == pytest.approx(full.explained_variance_ratio_, rel=1e-3)
    assert pca.transform(X) == pytest.approx(full.transform(X), abs=2e-2)
    again = fit_pca(X, 20, True, 0)
    assert np.array_equal(pca.components_, again.components_)


@pytest.mark.usefixtures("each_way")
def test_faces_with_fewer_directions_than_eigenfaces_have_finite_orthogonal_ones():
    pca = fit_pca(decaying(400, 500, 12), 20, False, 0)
    assert pca.components_ @ pca.components_.T == pytest.approx(np.eye(20), abs=5e-3)
    assert (pca.explained_variance_[:12] > 1e-2).all()
    assert pca.explained_variance_[12:] == pytest.approx(np.zeros(8), abs=1e-2)


@pytest.mark.usefixtures("each_way")
def test_equal_faces_have_finite_coordinates():
    X = np.full((300, 300), 0.5, dtype=np.float32)
    assert np.isfinite(fit_pca(X, 5, True, 0).transform(X)).all()


def test_grey_levels_are_computed_in_single_precision_and_other_numbers_in_double():
    assert as_float(np.zeros(1, np.uint8)).dtype == np.float32
    assert as_float(np.zeros(1, np.int64)).dtype == np.float64


def test_the_spread_of_a_label_is_its_mean_and_covariance():
    rng = np.random.default_rng(0)
    Z, y = rng.normal(size=(60, 4)), np.repeat(["a", "b"], 30)
    mean, factor = measure_spread(Z, y, np.array(["a", "b"]))
    assert mean[1] == pytest.approx(Z[30:].mean(axis=0), abs=1e-5)
    assert factor[1] @ factor[1].T == pytest.approx(np.cov(Z[30:].T), abs=1e-5)


def test_a_label_with_one_face_spreads_not_at_all():
    _, factor = measure_spread(np.ones((1, 3)), np.array(["a"]), np.array(["a"]))
    assert (factor == 0).all()


def test_the_space_of_faces_and_mirror_images_is_that_of_both_together(faces):
    X = faces[0][::3]
    scaler, pca = fit_space(X, mirror(X), 8, True, 0)
    both_scaler, both_pca = fit_space(np.concatenate([X, mirror(X)]), None, 8, True, 0)
    assert (scaler.data_min_ == both_scaler.data_min_).all()
    assert (scaler.data_max_ == both_scaler.data_max_).all()
    assert np.array_equal(pca.components_, both_pca.components_)
    assert mirror(scaler.data_max_[None]) == pytest.approx(scaler.data_max_[None])


def test_directions_that_do_not_vary_are_no_noise_after_whitening():
    """Blown up to the spread of the others, rounding errors gave every face one label."""
    rng = np.random.default_rng(0)
    X = np.zeros((300, 128), dtype=np.float32)
    X[:, :3] = rng.normal(size=(300, 3))
    X += 1e-4 * rng.normal(size=X.shape).astype(np.float32)
    pca = fit_pca(X, 20, True, 0)
    spread = pca.transform(X).std(axis=0)
    assert spread[:3] == pytest.approx(np.ones(3), rel=0.01)
    assert (spread[3:] < 0.25).all()


@pytest.mark.parametrize("shape", [(300, 400), (400, 300)], ids=["products", "iteration"])
def test_weights_count_in_every_way_to_the_eigenfaces(shape, monkeypatch):
    monkeypatch.setattr(eigenfaces, "FEW", 350)
    X = decaying(*shape, 300).astype(float)
    weights = np.random.default_rng(0).integers(1, 4, len(X))
    weighted = fit_pca(X, 5, True, 0, weights)
    plain = PCA(5, svd_solver="full", whiten=True).fit(np.repeat(X, weights, axis=0))
    assert weighted.components_ == pytest.approx(plain.components_, abs=2e-3)
    assert weighted.explained_variance_ == pytest.approx(plain.explained_variance_, rel=1e-3)
    assert weighted.explained_variance_ratio_ == pytest.approx(
        plain.explained_variance_ratio_, rel=1e-3
    )
    assert weighted.mean_ == pytest.approx(plain.mean_)
