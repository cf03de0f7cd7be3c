from dataclasses import replace

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import parametrize_with_checks

from facecore.face.features import Features
from facecore.face.prepare import mirror
from facecore.model.classifier import FaceModel
from facecore.training import eigenfaces
from facecore.training.eigenfaces import as_float, fit_pca, fit_space, measure_spread
from facecore.training.estimator import FaceSpaceClassifier, fit_member
from facecore.training.kernels import (
    BAND,
    fit_svm,
    kernel_of_bands,
    mean_kernel,
    mirror_kernel,
    rbf,
    squared_distances,
    training_bands,
)

RECIPE = {"side": 100, "frame": 0.85}
PARAMS = {
    "n_components": 15, "whiten": True, "C": 5.0, "gamma": 0.01, "class_weight": "balanced",
}  # fmt: skip


@parametrize_with_checks([FaceSpaceClassifier(n_components=3)])
def test_it_is_a_scikit_learn_classifier(estimator, check):
    check(estimator)


@pytest.mark.parametrize("whiten", [True, False])
@pytest.mark.parametrize("class_weight", ["balanced", None])
@pytest.mark.parametrize("data", ["faces", "three_faces"])
def test_the_model_decides_as_the_fitted_pipeline(whiten, class_weight, data, request):
    X, y, groups = request.getfixturevalue(data)
    seen = ~np.char.endswith(groups, "1")
    classifier = FaceSpaceClassifier(
        20, whiten=whiten, class_weight=class_weight, gamma="scale" if whiten else 0.01
    )
    model = classifier.fit(X[seen], y[seen]).to_model(RECIPE)
    noise = np.random.default_rng(0).integers(0, 256, (20, X.shape[1]), dtype=np.uint8)
    for rows in (X, noise):
        difference = model.decision_function(rows) - classifier.decision_function(rows)
        assert np.abs(difference).max() < 1e-4
    assert (model.predict(X) == classifier.predict(X)).all()
    assert model.labels == tuple(np.unique(y))


def test_drawn_faces_are_told_apart(faces):
    X, y, groups = faces
    seen = np.array([int(g.split("-")[1]) % 3 > 0 for g in groups])
    classifier = FaceSpaceClassifier(20).fit(X[seen], y[seen])
    assert classifier.score(X[~seen], y[~seen]) > 0.9


def test_two_labels_have_one_kernel_machine_and_three_have_three(faces, three_faces):
    two = FaceSpaceClassifier(5).fit(*faces[:2]).to_model(RECIPE).members[0]
    three = FaceSpaceClassifier(5).fit(*three_faces[:2]).to_model(RECIPE).members[0]
    assert two.coefficients.shape == (len(two.kernel_vectors), 1)
    assert three.coefficients.shape == (len(three.kernel_vectors), 3)
    assert ((three.coefficients != 0).sum(axis=1) == 1).all()


def test_pixels_that_never_change_are_no_division_by_zero(faces):
    X, y, _ = faces
    X = X.copy()
    X[:, :50] = 7
    model = FaceSpaceClassifier(5).fit(X, y).to_model(RECIPE)
    assert (model.members[0].span[:50] == 1).all()
    assert np.isfinite(model.decision_function(X)).all()


def test_one_label_alone_is_an_error_that_names_it(faces):
    with pytest.raises(ValueError, match=r"one class.*round"):
        FaceSpaceClassifier().fit(faces[0][:5], np.repeat("round", 5))


def test_asking_for_more_eigenfaces_than_there_are_gives_those_there_are(faces):
    X, y, _ = faces
    rows = np.r_[0:6, 45:51]
    model = FaceSpaceClassifier(500).fit(X[rows], y[rows]).to_model(RECIPE)
    assert len(model.members[0].components) == 11


def test_two_fits_with_one_seed_are_equal(faces):
    models = [FaceSpaceClassifier(10).fit(*faces[:2]).to_model(RECIPE) for _ in range(2)]
    for name in ("components", "kernel_vectors", "coefficients"):
        first, second = (getattr(model.members[0], name) for model in models)
        assert np.array_equal(first, second)


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


@pytest.mark.parametrize("views", [1, 2])
def test_the_kernel_of_bands_of_distances_is_the_kernel_over_views(views):
    rows = list(np.random.default_rng(0).normal(size=(views, 2 * BAND + 9, 3)))
    bands, K = list(training_bands(rows)), np.empty((2 * BAND + 9,) * 2)
    for gamma in (0.1, 0.4):
        kernel_of_bands(bands, gamma, K)
        assert pytest.approx(mirror_kernel(rows, rows, gamma)) == K
        distances = [squared_distances(a[:5], b) for a in rows for b in rows]
        assert mean_kernel(distances, gamma) == pytest.approx(K[:5])


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


@pytest.mark.parametrize("views", [1, 2, 3])
def test_the_kernel_over_views_is_the_mean_over_all_pairs_of_views(views):
    rng = np.random.default_rng(views)
    A, B = rng.normal(size=(views, 6, 4)), rng.normal(size=(2, 5, 4))
    plain = np.zeros((6, 5))
    for i in range(6):
        for j in range(5):
            pairs = [np.exp(-0.3 * ((a[i] - b[j]) ** 2).sum()) for a in A for b in B]
            plain[i, j] = np.mean(pairs)
    assert mirror_kernel(list(A), list(B), 0.3) == pytest.approx(plain)


def test_the_kernel_over_views_is_symmetric_and_leaves_its_input_alone():
    views = list(np.random.default_rng(0).normal(size=(2, 7, 3)).astype(np.float32))
    before = [view.copy() for view in views]
    K = mirror_kernel(views, views, 0.2)
    assert pytest.approx(K.T) == K
    assert np.linalg.eigvalsh(K).min() > -1e-9
    assert pytest.approx(mirror_kernel(views[::-1], views, 0.2)) == K
    assert all((a == b).all() for a, b in zip(before, views, strict=True))
    assert mirror_kernel(views[:1], views[:1], 0.2) == pytest.approx(rbf(views[0], views[0], 0.2))


@pytest.mark.parametrize("data", ["faces", "three_faces"])
@pytest.mark.parametrize("whiten", [True, False])
def test_a_member_without_mirror_images_decides_as_the_classifier(data, whiten, request):
    X, y, _ = request.getfixturevalue(data)
    X = np.ascontiguousarray(X[:, ::9])
    params = {**PARAMS, "whiten": whiten, "gamma": 0.01 if whiten else 0.001}
    classifier = FaceSpaceClassifier(**params).fit(X, y)
    member = fit_member(X, None, y, params)
    values = member.decide(member.coordinates(X))
    plain = classifier.decision_function(X).reshape(len(X), -1)
    assert values == pytest.approx(plain, abs=2e-3)


@pytest.mark.parametrize("data", ["faces", "three_faces"])
def test_a_member_with_mirror_images_is_the_machine_of_the_mean_kernel(data, request):
    X, y, _ = request.getfixturevalue(data)
    seen = np.arange(len(X)) % 3 > 0
    member = fit_member(X[seen], mirror(X[seen]), y[seen], PARAMS)
    labels = tuple(map(str, np.unique(y)))
    model = FaceModel(labels, (member,), np.ones(member.coefficients.shape[1]),
                      {"side": 100, "mirror": True})  # fmt: skip
    known, views = (
        [member.coordinates(view) for view in (rows, mirror(rows))] for rows in (X[seen], X)
    )
    K, K_all = (mirror_kernel(rows, known, 0.01) for rows in (known, views))
    machine = fit_svm(K, y[seen], SVC(C=5.0, kernel="precomputed"), "balanced")
    assert model.decision_function(X) == pytest.approx(machine.decision_function(K_all), abs=5e-3)
    assert (model.predict(X[~seen]) == y[~seen]).mean() > 0.9


def test_a_face_and_its_mirror_image_have_one_decision(faces):
    X, y, _ = faces
    tilted = X.reshape(-1, 100, 100).copy()
    tilted[:, :, :50] //= 2  # light from one side
    tilted = tilted.reshape(X.shape)
    features = Features("hog", 96, 0.9, cell=12)
    members = []
    for name, read in (("pixels", Features()), ("hog", features)):
        F, mirrored = read.extract(X), read.extract(mirror(X))
        fit = fit_member(F, mirrored, y, PARAMS)
        members.append(replace(fit, features=read, name=name))
    model = FaceModel(("round", "square"), tuple(members), np.ones(1),
                      {"side": 100, "mirror": True})  # fmt: skip
    assert model.decision_function(mirror(tilted)) == pytest.approx(model.decision_function(tilted))
    assert (model.predict(X) == y).mean() > 0.95
    one_view = replace(model, recipe={"side": 100})
    assert one_view.decision_function(mirror(tilted)) != pytest.approx(
        one_view.decision_function(tilted)
    )


def test_each_support_vector_of_a_member_is_there_with_its_mirror_image(faces):
    X, y, _ = faces
    member = fit_member(X, mirror(X), y, PARAMS)
    first, second = np.split(member.kernel_vectors, 2)
    Z, seen = member.coordinates(X), member.coordinates(mirror(X))
    rows = [int(((Z - vector) ** 2).sum(axis=1).argmin()) for vector in first]
    assert first == pytest.approx(Z[rows], abs=1e-3)
    assert second == pytest.approx(seen[rows], abs=1e-3)
    assert len(set(rows)) == len(rows) < len(X)
    assert np.array_equal(*np.split(member.coefficients, 2))


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
