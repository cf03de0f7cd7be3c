import io
import pickle
from dataclasses import replace

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import parametrize_with_checks

from facecore.data.splits import split_folds
from facecore.face.features import Features
from facecore.face.prepare import mirror
from facecore.face.recipes import Recipe
from facecore.model.classifier import FaceModel
from facecore.training.calibrate import calibrate_members
from facecore.training.estimator import FaceSpaceClassifier, fit_member
from facecore.training.grids import Candidate
from facecore.training.kernels import (
    choose_labels,
    fit_svm,
    mirror_kernel,
    weigh_faces,
)

RECIPE = Recipe(frame=0.85)
PARAMS = Candidate(n_components=15, C=5.0, gamma=0.01)
SMALL = Recipe(side=10)


def test_drawn_faces_are_told_apart(faces):
    X, y, groups = faces
    seen = np.array([int(g.split("-")[1]) % 3 > 0 for g in groups])
    classifier = FaceSpaceClassifier(20).fit(X[seen], y[seen])
    assert classifier.score(X[~seen], y[~seen]) > 0.9


def test_two_labels_have_one_kernel_machine_and_three_have_three(faces, three_faces):
    two = FaceSpaceClassifier(5).fit(*faces[:2]).member_
    three = FaceSpaceClassifier(5).fit(*three_faces[:2]).member_
    assert two.coefficients.shape == (len(two.kernel_vectors), 1)
    assert three.coefficients.shape == (len(three.kernel_vectors), 3)


def test_pixels_that_never_change_are_no_division_by_zero(small):
    X, y, _ = small
    X = X.copy()
    X[:, :5] = 7
    classifier = FaceSpaceClassifier(5).fit(X, y)
    assert (classifier.member_.span[:50] == 1).all()
    assert np.isfinite(classifier.predict_proba(X)).all()


def test_one_label_alone_is_an_error_that_names_it(faces):
    with pytest.raises(ValueError, match=r"one class.*round"):
        FaceSpaceClassifier().fit(faces[0][:5], np.repeat("round", 5))


def test_two_fits_with_one_seed_are_equal(small):
    X, y, _ = small
    first, second = (FaceSpaceClassifier(10, random_state=3).fit(X, y) for _ in range(2))
    for name in ("components", "kernel_vectors", "coefficients", "intercept"):
        assert np.array_equal(getattr(first.member_, name), getattr(second.member_, name))
    for random_state in (None, np.random.RandomState(0)):
        FaceSpaceClassifier(3, calibrate=False, random_state=random_state).fit(X, y)


@pytest.mark.parametrize("data", ["faces", "three_faces"])
def test_a_member_with_mirror_images_is_the_machine_of_the_mean_kernel(data, request):
    X, y, _ = request.getfixturevalue(data)
    seen = np.arange(len(X)) % 3 > 0
    member = fit_member(X[seen], mirror(X[seen]), y[seen], PARAMS)
    labels = tuple(map(str, np.unique(y)))
    model = FaceModel(labels, (member,), np.ones(member.coefficients.shape[1]), Recipe(mirror=True))
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
    model = FaceModel(("round", "square"), tuple(members), np.ones(1), Recipe(mirror=True))
    decided = model.decision_function(tilted)
    assert model.decision_function(mirror(tilted)) == pytest.approx(decided, abs=1e-5)
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


@pytest.fixture(scope="module", params=["faces", "three_faces"], ids=["two labels", "three"])
def small(request):
    """Small and noisy drawn faces: pictures (n, 10, 10), labels, subjects."""
    X, y, subjects = request.getfixturevalue(request.param)
    rng = np.random.default_rng(0)
    X = X.reshape(-1, 10, 10, 10, 10).mean(axis=(2, 4))
    X = np.clip(X + rng.normal(0, 4, X.shape), 0, 255)
    return X.astype(np.uint8), y, subjects


# The SVM is solved to a tolerance. The check of sample weights compares to 1e-7 and more, so it
# needs a smaller tolerance than the default of 1e-3, as that of other estimators does.
@parametrize_with_checks(
    [
        FaceSpaceClassifier(n_components=3, tol=1e-10),
        FaceSpaceClassifier(n_components=3, space="fisherfaces", tol=1e-10),
    ]
)
def test_it_is_a_scikit_learn_classifier_and_transformer(estimator, check):
    check(estimator)


def test_it_decides_along_fisherfaces_as_the_member_that_training_fits(three_faces):
    X, y, _ = three_faces
    candidate = replace(PARAMS, n_components=8)
    member = fit_member(X, None, y, candidate, space="fisherfaces")
    options = {"n_components": 8, "gamma": 0.01, "space": "fisherfaces"}
    classifier = FaceSpaceClassifier(calibrate=False, **options).fit(X, y)
    decisions = classifier.decision_function(X)
    assert decisions == pytest.approx(member.decide(member.coordinates(X)), abs=1e-5)
    assert classifier.n_components_ == 2
    assert classifier.eigenfaces_.shape == (2, 100, 100)
    assert classifier.explained_variance_ratio_.sum() == pytest.approx(1)
    assert classifier.mean_face_ == pytest.approx(X.mean(axis=0).reshape(100, 100), abs=0.5)


def test_fisherfaces_draw_no_faces(three_faces):
    X, y, _ = three_faces
    classifier = FaceSpaceClassifier(8, space="fisherfaces", calibrate=False).fit(X, y)
    with pytest.raises(ValueError, match="space='eigenfaces'"):
        classifier.inverse_transform(classifier.transform(X))
    with pytest.raises(ValueError, match="recipe='fisher'"):
        classifier.to_model(RECIPE)


def test_it_decides_as_the_member_that_training_fits(small):
    """One fit path: uncalibrated it is `fit_member`, calibrated what `calibrate_members` makes."""
    X, y, subjects = small
    rows, candidate = X.reshape(len(X), -1), replace(PARAMS, n_components=8)
    folds = split_folds(y, subjects, 4, 0)
    options = {"n_components": 8, "gamma": 0.01, "cv": folds}
    member = fit_member(rows, None, y, candidate)
    plain = FaceSpaceClassifier(calibrate=False, **options).fit(X, y)
    for name in ("components", "kernel_vectors", "coefficients", "intercept"):
        assert np.array_equal(getattr(plain.member_, name), getattr(member, name))
    out = member.decide(member.coordinates(rows))
    for train, test in folds:
        fold = fit_member(rows[train], None, y[train], candidate)
        out[test] = fold.decide(fold.coordinates(rows[test]))
    model = FaceModel(tuple(np.unique(y)), (member,), np.ones(out.shape[1]))
    model, _ = calibrate_members(model, [out], y)
    classifier = FaceSpaceClassifier(**options).fit(X, y)
    assert classifier.member_.coefficients == pytest.approx(model.members[0].coefficients, rel=1e-3)
    assert classifier.member_.intercept == pytest.approx(model.members[0].intercept, rel=1e-3)


@pytest.mark.parametrize("whiten", [True, False])
@pytest.mark.parametrize("class_weight", ["balanced", None])
def test_it_decides_as_a_pipeline_of_scikit_learns_own_steps(small, whiten, class_weight):
    X, y, _ = small
    rows = X.reshape(len(X), -1).astype(float)
    pipeline = make_pipeline(MinMaxScaler(), PCA(20, whiten=whiten, svd_solver="full"), SVC(C=5.0))
    Z = pipeline[:2].fit_transform(rows)
    machine = fit_svm(Z, y, pipeline[2], class_weight)
    classifier = FaceSpaceClassifier(
        20, whiten=whiten, class_weight=class_weight, calibrate=False
    ).fit(rows, y)
    assert classifier.decision_function(rows) == pytest.approx(
        machine.decision_function(Z), abs=0.02
    )
    assert (classifier.predict(rows) == machine.predict(Z)).mean() > 0.97


def test_faces_of_three_labels_are_told_apart(three_faces):
    X, y, groups = three_faces
    seen = np.array([int(g.split("-")[1]) % 3 > 0 for g in groups])
    classifier = FaceSpaceClassifier(20).fit(X[seen], y[seen])
    assert classifier.score(X[~seen], y[~seen]) > 0.6
    assert classifier.classes_.tolist() == ["round", "square", "wide"]


@pytest.mark.parametrize(
    ("scoring", "least"),
    [("balanced_accuracy", 0.75), ("neg_log_loss", -0.6), ("roc_auc_ovr", 0.9)],
)
def test_cross_validation_scores_answers_and_probabilities(small, scoring, least):
    """By chance they are 1/2 or 1/3, -0.69 or -1.10, and 1/2."""
    X, y, subjects = small
    scores = cross_val_score(
        FaceSpaceClassifier(10), X, y, scoring=scoring, cv=StratifiedGroupKFold(3), groups=subjects
    )
    assert len(scores) == 3
    assert np.isfinite(scores).all()
    assert scores.mean() > least


def test_probabilities_are_those_of_faces_that_were_not_seen(small):
    """Decisions on the training faces themselves are further from 0 than those on new ones."""
    X, y, _ = small
    fitted, unseen = slice(None, None, 2), slice(1, None, 2)
    classifier = FaceSpaceClassifier(20).fit(X[fitted], y[fitted])
    P = classifier.predict_proba(X[unseen])
    assert P.shape == (len(X[unseen]), len(classifier.classes_))
    assert P.dtype == np.float64
    assert pytest.approx(1) == P.sum(axis=1)
    chance = np.log(len(classifier.classes_))
    assert log_loss(y[unseen], P) < 0.7 * chance
    best = classifier.classes_[P.argmax(axis=1)]
    assert (best == classifier.predict(X[unseen])).all()


def test_without_calibration_there_are_no_probabilities(small):
    X, y, _ = small
    classifier = FaceSpaceClassifier(5, calibrate=False).fit(X, y)
    assert not hasattr(classifier, "predict_proba")
    with pytest.raises(AttributeError, match="predict_proba"):
        classifier.predict_proba(X)
    values = classifier.decision_function(X).reshape(len(X), -1)
    assert (choose_labels(values, classifier.classes_) == classifier.predict(X)).all()


def test_the_calibration_keeps_a_subject_in_one_fold_if_it_is_told_to(small):
    X, y, subjects = small
    folds = split_folds(y, subjects, 3, 0)
    first = FaceSpaceClassifier(5, cv=folds).fit(X, y)
    same = FaceSpaceClassifier(5, cv=iter(folds)).fit(X, y)
    other = FaceSpaceClassifier(5, cv=3).fit(X, y)
    assert np.array_equal(first.predict_proba(X), same.predict_proba(X))
    assert not np.array_equal(first.predict_proba(X), other.predict_proba(X))


def test_a_label_with_few_faces_has_fewer_folds(small):
    X, y, _ = small
    rows = np.flatnonzero((y != "square") | (np.cumsum(y == "square") <= 2))
    classifier = FaceSpaceClassifier(5).fit(X[rows], y[rows])
    assert np.isfinite(classifier.predict_proba(X)).all()
    assert (y[rows] == "square").sum() == 2


def test_a_grid_search_of_scikit_learn_finds_its_best_settings(small):
    X, y, _ = small
    grid = {"n_components": [1, 0.9], "mirror": [False]}
    search = GridSearchCV(FaceSpaceClassifier(), grid, scoring="neg_log_loss", cv=3).fit(X, y)
    assert search.best_params_["n_components"] == 0.9
    assert search.best_estimator_.predict_proba(X).shape == (len(X), len(np.unique(y)))


@pytest.mark.parametrize(
    ("asked", "kept"),
    [(1, 1), (7, 7), (np.int64(7), 7), (500, 38), (None, 38)],
)
def test_a_number_of_eigenfaces_is_kept_as_far_as_there_are_so_many(small, asked, kept):
    X, y, _ = small
    rows = np.r_[: len(X) : len(X) // 39][:39]
    classifier = FaceSpaceClassifier(asked, calibrate=False).fit(X[rows], y[rows])
    assert classifier.n_components_ == kept == len(classifier.components_)


@pytest.mark.parametrize("share", [0.7, 0.9, 0.97, np.float32(0.8)])
def test_a_share_keeps_the_fewest_eigenfaces_that_explain_more(small, share):
    X, y, _ = small
    rows = X.reshape(len(X), -1).astype(float)
    classifier = FaceSpaceClassifier(share, calibrate=False).fit(rows, y)
    plain = PCA(float(share), svd_solver="full").fit(MinMaxScaler().fit_transform(rows))
    assert classifier.n_components_ == plain.n_components_ > 1
    ratio = classifier.explained_variance_ratio_
    assert ratio == pytest.approx(plain.explained_variance_ratio_, rel=1e-3)
    assert ratio[:-1].sum() <= share < ratio.sum()


@pytest.mark.parametrize("value", [0, -3, 1.5, 1.0, 0.0, -0.5, np.nan, True, "x", "mle", [3]])
def test_any_other_number_of_eigenfaces_is_an_error(small, value):
    with pytest.raises(ValueError, match="n_components must be an int, 1 or more, a float in"):
        FaceSpaceClassifier(value).fit(*small[:2])


def test_eigenfaces_and_mean_face_are_pictures(small):
    X, y, _ = small
    tall = np.repeat(X, 2, axis=1)  # 20 x 10 pixels
    classifier = FaceSpaceClassifier(6, calibrate=False).fit(tall, y)
    assert classifier.face_shape_ == (20, 10)
    assert classifier.eigenfaces_.shape == (6, 20, 10)
    assert classifier.eigenfaces_.dtype == np.float32
    assert np.array_equal(classifier.eigenfaces_.reshape(6, -1), classifier.components_)
    products = classifier.components_ @ classifier.components_.T
    assert products == pytest.approx(np.eye(6), abs=2e-3)
    assert classifier.mean_face_ == pytest.approx(tall.mean(axis=0), abs=0.01)
    ratio = classifier.explained_variance_ratio_
    assert (np.diff(ratio) <= 0).all()
    assert 0 < ratio.sum() < 1


def test_rows_are_square_pictures_where_that_is_possible(small):
    X, y, _ = small
    rows = X.reshape(len(X), -1)
    square = FaceSpaceClassifier(6, calibrate=False).fit(rows, y)
    assert square.eigenfaces_.shape == (6, 10, 10)
    other = FaceSpaceClassifier(6, calibrate=False).fit(rows[:, 1:], y)
    assert other.eigenfaces_.shape == (6, 1, 99)
    assert other.mean_face_.shape == (1, 99)


def test_pictures_and_their_rows_are_the_same_faces(small):
    X, y, _ = small
    rows = X.reshape(len(X), -1)
    pictures, flat = FaceSpaceClassifier(6).fit(X, y), FaceSpaceClassifier(6).fit(rows, y)
    assert pictures.n_features_in_ == flat.n_features_in_ == 100
    for faces in (X, rows):
        assert np.array_equal(pictures.predict_proba(faces), flat.predict_proba(faces))
        assert np.array_equal(pictures.transform(faces), flat.transform(faces))
    listed = FaceSpaceClassifier(6).fit(list(X.astype(float)), list(y))
    assert listed.face_shape_ == (10, 10)


def test_faces_of_another_shape_are_an_error(small):
    X, y, _ = small
    classifier = FaceSpaceClassifier(6, calibrate=False).fit(np.repeat(X, 2, axis=1), y)
    with pytest.raises(ValueError, match=r"faces of 10 x 20 pixels; .* fitted to 20 x 10"):
        classifier.predict(np.repeat(X, 2, axis=2))
    with pytest.raises(ValueError, match="199 features"):
        classifier.predict(np.zeros((2, 199)))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("scale", [1, 1 / 255, 100])
def test_answers_do_not_depend_on_type_or_range_of_the_pixels(small, dtype, scale):
    X, y, _ = small
    if scale != 1 and np.dtype(dtype).kind != "f":
        pytest.skip("integers hold whole grey levels")
    plain = FaceSpaceClassifier(8).fit(X, y)
    values = (X * np.float64(scale)).astype(dtype)
    other = FaceSpaceClassifier(8).fit(values, y)
    assert other.predict_proba(values) == pytest.approx(plain.predict_proba(X), abs=0.02)
    assert other.transform(values).dtype == np.float32


@pytest.mark.parametrize("whiten", [True, False])
def test_coordinates_in_all_eigenfaces_give_the_training_faces_back(small, whiten):
    X, y, _ = small
    classifier = FaceSpaceClassifier(None, whiten=whiten, calibrate=False).fit(X, y)
    Z = classifier.transform(X)
    assert Z.shape == (len(X), classifier.n_components_)
    again = classifier.inverse_transform(Z)
    assert again.shape == X.shape
    assert again.dtype == np.float32
    assert again == pytest.approx(X.astype(float), abs=1)
    rows = FaceSpaceClassifier(None, whiten=whiten, calibrate=False).fit(X.reshape(len(X), -1), y)
    assert rows.inverse_transform(Z).shape == (len(X), 100)


def test_the_leading_coordinates_give_a_rougher_face_back(small):
    X, y, _ = small
    classifier = FaceSpaceClassifier(30, calibrate=False).fit(X, y)
    Z = classifier.transform(X)
    errors = [np.abs(classifier.inverse_transform(Z[:, :k]) - X).mean() for k in (1, 5, 15, 30)]
    assert errors == sorted(errors, reverse=True)
    assert len(set(errors)) == 4
    with pytest.raises(ValueError, match="31 coordinates; the classifier has 30 eigenfaces"):
        classifier.inverse_transform(np.zeros((1, 31)))


def test_coordinates_are_in_standard_deviations_if_whitened(small):
    X, y, _ = small
    Z = FaceSpaceClassifier(5).fit_transform(X, y)
    assert Z.std(axis=0) == pytest.approx(np.ones(5), rel=0.03)
    assert Z.mean(axis=0) == pytest.approx(np.zeros(5), abs=1e-3)


def test_coordinates_can_be_a_table_with_names(small):
    X, y, _ = small
    classifier = FaceSpaceClassifier(3).set_output(transform="pandas").fit(X, y)
    names = [f"facespaceclassifier{i}" for i in range(3)]
    assert classifier.get_feature_names_out().tolist() == names
    assert classifier.transform(X).columns.tolist() == names


def test_a_table_of_pixels_is_answered_by_its_column_names(small):
    X, y, _ = small
    table = pd.DataFrame(X.reshape(len(X), -1)).add_prefix("pixel")
    classifier = FaceSpaceClassifier(5).fit(table, pd.Series(y))
    assert classifier.feature_names_in_.tolist() == table.columns.tolist()
    assert (classifier.predict(table) == classifier.predict(table.copy())).all()
    with pytest.raises(ValueError, match="feature names"):
        classifier.predict(table[table.columns[::-1]])


def test_with_mirror_images_a_face_and_its_mirror_image_have_one_answer(small):
    X, y, _ = small
    tall = np.repeat(X, 2, axis=1)
    for faces in (X, tall):
        classifier = FaceSpaceClassifier(8, mirror=True).fit(faces, y)
        mirrored = faces[:, :, ::-1]
        assert classifier.predict_proba(mirrored) == pytest.approx(classifier.predict_proba(faces))
    plain = FaceSpaceClassifier(8).fit(X, y)
    assert plain.predict_proba(X[:, :, ::-1]) != pytest.approx(plain.predict_proba(X))


def test_with_mirror_images_it_decides_as_the_member_that_training_fits(small):
    X, y, _ = small
    rows = X.reshape(len(X), -1)
    classifier = FaceSpaceClassifier(15, gamma=0.01, mirror=True, calibrate=False).fit(rows, y)
    member = fit_member(rows, mirror(rows), y, PARAMS)
    assert np.array_equal(classifier.member_.coefficients, member.coefficients)
    assert np.array_equal(classifier.member_.kernel_vectors, member.kernel_vectors)


def test_rows_that_are_no_squares_have_no_mirror_images(small):
    X, y, _ = small
    rows = X.reshape(len(X), -1)[:, 1:]
    with pytest.raises(ValueError, match=r"99 pixels are not a square; pass faces of shape \(n, h"):
        FaceSpaceClassifier(5, mirror=True).fit(rows, y)


@pytest.mark.parametrize("calibrate", [False, True])
@pytest.mark.parametrize("class_weight", ["balanced", None])
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_face_of_weight_two_counts_as_two_faces(small, calibrate, class_weight, mirrored):
    X, y, subjects = small
    weights = np.random.default_rng(0).integers(0, 4, len(X))
    repeated = np.repeat(np.arange(len(X)), weights)
    fold = pd.factorize(subjects)[0] % 3
    options = {
        "class_weight": class_weight,
        "calibrate": calibrate,
        "mirror": mirrored,
        "tol": 1e-9,
    }
    weighted, plain = (
        FaceSpaceClassifier(
            6, **options, cv=[(np.flatnonzero(f != i), np.flatnonzero(f == i)) for i in range(3)]
        )
        for f in (fold, fold[repeated])
    )
    weighted.fit(X.astype(float), y, sample_weight=weights)
    plain.fit(X[repeated].astype(float), y[repeated])
    # of a face and its mirror image, the sign of an eigenface may be either
    assert np.abs(weighted.transform(X)) == pytest.approx(np.abs(plain.transform(X)), abs=1e-5)
    assert weighted.decision_function(X) == pytest.approx(plain.decision_function(X), abs=1e-5)
    ratios = [each.explained_variance_ratio_ for each in (weighted, plain)]
    assert ratios[0] == pytest.approx(ratios[1])


def test_equal_weights_of_one_change_nothing(small):
    X, y, _ = small
    plain = FaceSpaceClassifier(5).fit(X, y)
    weighted = FaceSpaceClassifier(5).fit(X, y, sample_weight=np.ones(len(X)))
    assert np.array_equal(plain.predict_proba(X), weighted.predict_proba(X))


def test_faces_of_weight_zero_are_left_out(small):
    X, y, _ = small
    kept = y != "square"
    wrong = np.where(kept, y, "wide" if "wide" in y else "round")
    if len(np.unique(y[kept])) == 1:
        with pytest.raises(ValueError, match=r"one class: .*round"):
            FaceSpaceClassifier(5).fit(X, y, sample_weight=kept)
        return
    plain = FaceSpaceClassifier(5).fit(X[kept], y[kept])
    for labels in (y, wrong):
        weighted = FaceSpaceClassifier(5).fit(X, labels, sample_weight=kept)
        assert weighted.classes_.tolist() == plain.classes_.tolist()
        assert weighted.predict_proba(X) == pytest.approx(plain.predict_proba(X), abs=5e-3)


@pytest.mark.parametrize(
    ("weights", "problem"),
    [
        (np.ones(3), "has shape"),
        (-1, "negative"),
        (0, "not zero"),
        (np.nan, "NaN"),
        ("heavy", "could not convert"),
    ],
)
def test_weights_that_cannot_be_used_are_an_error(small, weights, problem):
    X, y, _ = small
    weights = weights if np.ndim(weights) else np.repeat(weights, len(X))
    with pytest.raises(ValueError, match=problem):
        FaceSpaceClassifier(5).fit(X, y, sample_weight=weights)


def test_a_label_of_more_weight_is_answered_more_often(small):
    X, y, _ = small
    shares = [
        (FaceSpaceClassifier(3, class_weight=weight).fit(X, y).predict(X) == "round").mean()
        for weight in ({"round": 0.02}, {"round": 1.0}, {"round": 50.0})
    ]
    assert shares[0] < shares[1] < shares[2]


def test_balanced_weights_give_every_label_the_same_weight():
    y, heavy = np.array(list("aaab")), np.array([1.0, 1.0, 2.0, 1.0])
    for sample_weight in (None, heavy):
        weights = weigh_faces("balanced", y, sample_weight)
        assert weights[y == "a"].sum() == pytest.approx(weights[y == "b"].sum())
    assert weigh_faces({"a": 3.0}, y, heavy).tolist() == [3, 3, 6, 1]
    assert weigh_faces(None, y, heavy).tolist() == heavy.tolist()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("whiten", 1),
        ("mirror", "yes"),
        ("calibrate", None),
        ("C", 0),
        ("C", -1.0),
        ("C", "5"),
        ("C", np.inf),
        ("gamma", "auto"),
        ("gamma", 0.0),
        ("gamma", np.nan),
        ("class_weight", "heavy"),
        ("class_weight", 2),
        ("tol", 0),
    ],
)
def test_a_setting_that_cannot_be_used_is_an_error_that_names_it(small, name, value):
    with pytest.raises(ValueError, match=f"^{name} must be .*; it is ") as caught:
        FaceSpaceClassifier(**{name: value}).fit(*small[:2])
    assert repr(value) in str(caught.value)


def test_a_label_with_one_face_cannot_be_calibrated(small):
    X, y, _ = small
    rows = np.flatnonzero((y != "square") | (np.cumsum(y == "square") == 1))
    with pytest.raises(ValueError, match=r"class .*square.* has 1 face.*calibrate=False"):
        FaceSpaceClassifier(5).fit(X[rows], y[rows])
    classifier = FaceSpaceClassifier(5, calibrate=False).fit(X[rows], y[rows])
    assert "square" in classifier.classes_


def test_a_fold_without_a_label_is_an_error(small):
    X, y, _ = small
    train = np.flatnonzero(y != "square")
    if len(np.unique(y[train])) == 1:
        train = train[:0]
    with pytest.raises(ValueError, match="no training face of some class"):
        FaceSpaceClassifier(5, cv=[(train, np.flatnonzero(y == "square"))]).fit(X, y)


def test_equal_faces_are_an_error():
    with pytest.raises(ValueError, match="all faces are equal"):
        FaceSpaceClassifier().fit(np.full((6, 4), 7), list("aaabbb"))


def test_a_clone_has_the_settings_and_nothing_that_was_learned(small):
    classifier = FaceSpaceClassifier(4, class_weight={"round": 2.0}, gamma=0.1).fit(*small[:2])
    copy = clone(classifier)
    assert copy.get_params() == classifier.get_params()
    assert not hasattr(copy, "member_")
    assert not hasattr(copy, "n_components_")
    assert copy.set_params(C=1.0, n_components=None).n_components is None


def test_it_is_read_back_as_it_was_stored(small):
    X, y, _ = small
    classifier = FaceSpaceClassifier(5, mirror=True).fit(X, y)
    file = io.BytesIO()
    joblib.dump(classifier, file)
    file.seek(0)
    for copy in (pickle.loads(pickle.dumps(classifier)), joblib.load(file)):
        assert np.array_equal(copy.predict_proba(X), classifier.predict_proba(X))


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("calibrate", [False, True])
def test_the_model_answers_as_the_classifier(small, mirrored, calibrate):
    X, y, _ = small
    rows = X.reshape(len(X), -1)
    classifier = FaceSpaceClassifier(8, mirror=mirrored, calibrate=calibrate).fit(X, y)
    model = classifier.to_model(SMALL)
    noise = np.random.default_rng(0).integers(0, 256, (20, 100), dtype=np.uint8)
    for faces in (rows, noise):
        found, expected = model.decision_function(faces), classifier.decision_function(faces)
        assert found == pytest.approx(expected, abs=1e-4)
        if calibrate:
            P = classifier.predict_proba(faces)
            assert model.predict_proba(faces) == pytest.approx(P, abs=1e-4)
        assert (model.predict(faces) == classifier.predict(faces)).all()
    assert model.labels == tuple(np.unique(y))
    assert model.spread is None


def test_a_model_with_the_training_faces_knows_their_spread(small):
    X, y, _ = small
    model = FaceSpaceClassifier(8).fit(X, y).to_model(SMALL, X, y)
    mean, factor = model.spread
    assert mean.shape == (len(model.labels), 8)
    assert factor.shape == (len(model.labels), 8, 8)
    Z = model.members[0].coordinates(X.reshape(len(X), -1)[y == model.labels[0]])
    assert mean[0] == pytest.approx(Z.mean(axis=0), abs=1e-4)


def test_numbers_as_labels_become_strings_in_a_model(small):
    X, y, _ = small
    codes = np.unique(y, return_inverse=True)[1] * 10
    classifier = FaceSpaceClassifier(8).fit(X, codes)
    assert set(classifier.predict(X)) <= {0, 10, 20}
    assert classifier.to_model(SMALL).labels == ("0", "10", "20")[: len(np.unique(y))]


def test_faces_that_are_not_square_make_no_model(small):
    X, y, _ = small
    classifier = FaceSpaceClassifier(5, calibrate=False).fit(X[:, :8], y)
    with pytest.raises(ValueError, match="8 x 10 pixels"):
        classifier.to_model(SMALL)
