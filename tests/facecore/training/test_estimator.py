from dataclasses import replace

import numpy as np
import pytest
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import parametrize_with_checks

from facecore.face.features import Features
from facecore.face.prepare import mirror
from facecore.face.recipes import Recipe
from facecore.model.classifier import FaceModel
from facecore.training.estimator import FaceSpaceClassifier, fit_member
from facecore.training.kernels import (
    fit_svm,
    mirror_kernel,
)

RECIPE = Recipe(frame=0.85)
PARAMS = {
    "n_components": 15,
    "whiten": True,
    "C": 5.0,
    "gamma": 0.01,
    "class_weight": "balanced",
}


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
    model = FaceModel(
        labels, (member,), np.ones(member.coefficients.shape[1]), {"side": 100, "mirror": True}
    )
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
    model = FaceModel(
        ("round", "square"), tuple(members), np.ones(1), {"side": 100, "mirror": True}
    )
    assert model.decision_function(mirror(tilted)) == pytest.approx(model.decision_function(tilted))
    assert (model.predict(X) == y).mean() > 0.95
    one_view = replace(model, recipe=Recipe())
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
