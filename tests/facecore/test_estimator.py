import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from facecore.estimator import FaceSpaceClassifier, as_float, fit_pca, measure_spread

RECIPE = {"side": 100, "frame": 0.85}


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
