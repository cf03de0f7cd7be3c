"""Bias lab: trainings on fair and on skewed faces, tried on the same faces."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.svm import SVC

from facecore.errors import DataError
from facecore.model.classifier import FaceModel
from facecore.model.synth import sample_faces
from facecore.training.bias_lab import SETTINGS, TEST_SEED, try_remedies, try_skew
from facecore.training.skews import THIRDS, Skew

FEW = Skew("few", "female", 9)


@pytest.fixture(scope="module")
def model():
    from facecore.model.store import load_model

    return load_model("classic")


@pytest.fixture(scope="module")
def few(model):
    return try_skew(model, model.labels, FEW, 100)


def faces_of(model, counts, seed):
    rows = [
        sample_faces(model, label, count, seed).reshape(count, -1)
        for label, count in counts.items()
    ]
    return np.concatenate(rows), np.repeat(list(counts), list(counts.values()))


def test_both_trainings_have_as_many_faces_and_the_same_test(few):
    assert few.fair.faces == few.skewed.faces == 100
    assert [one.count for one in few.skewed.portions] == [10, 90]
    assert few.test_labels.shape == few.fair.right.shape == few.skewed.right.shape
    counts = np.zeros((2, 3), int)
    np.add.at(counts, (few.test_labels, few.test_thirds), 1)
    assert (counts == 100).all()


def test_the_mean_face_is_that_of_the_training_faces(model, few):
    rows, _ = faces_of(model, {"female": 10, "male": 90}, 0)
    assert few.skewed.mean.reshape(-1) == pytest.approx(rows.mean(axis=0), abs=1)


def test_answers_are_those_of_scikit_learn(model, few):
    X, y = faces_of(model, {"female": 10, "male": 90}, 0)
    test, truth = faces_of(model, {"female": 300, "male": 300}, TEST_SEED)
    pca = PCA(SETTINGS["n_components"], whiten=True, svd_solver="full")
    machine = make_pipeline(MinMaxScaler(), pca, SVC(C=SETTINGS["C"], gamma=SETTINGS["gamma"]))
    right = machine.fit(X, y).predict(test) == truth
    assert np.mean(right == few.skewed.right) > 0.98


def test_the_test_faces_of_the_low_third_are_the_darkest_of_their_label(model, few):
    test, truth = faces_of(model, {"female": 300, "male": 300}, TEST_SEED)
    for label in model.labels:
        grey = test[truth == label].mean(axis=1)
        thirds = few.test_thirds[truth == label]
        ends = [(grey[thirds == i].min(), grey[thirds == i].max()) for i in range(len(THIRDS))]
        assert ends[0][1] <= ends[1][0] and ends[1][1] <= ends[2][0]


def test_only_dark_faces_make_the_mean_face_darker(model):
    trial = try_skew(model, model.labels, Skew("only", third="low"), 60)
    assert trial.skewed.mean.mean() < trial.fair.mean.mean() - 5
    assert trial.skewed.examples.mean() < trial.fair.examples.mean() - 5


def test_the_result_depends_on_the_arguments_only(model, few):
    again = try_skew(model, model.labels, FEW, 100)
    assert (again.skewed.eigenfaces == few.skewed.eigenfaces).all()
    assert (again.skewed.right == few.skewed.right).all()


def test_remedies_stand_beside_the_same_fair_training(model):
    found = dict(try_remedies(model, model.labels, FEW, 60))
    assert [trial.skewed.faces for trial in found.values()] == [60, 60, 240, 30]
    weighted = try_skew(model, model.labels, FEW, 60, balanced=True)
    for trial in found.values():
        assert (trial.fair.right == weighted.fair.right).all()
    assert (found["with class weights"].skewed.right == weighted.skewed.right).all()
    rare = [trial.skewed.right[trial.test_labels == 0].sum() for trial in found.values()]
    assert min(rare[1:]) > rare[0]


@pytest.mark.parametrize("kind", ["few", "tied"])
def test_many_labels_and_few_components_work(many_artifacts, kind):
    model = FaceModel.load(many_artifacts / "many")
    labels = model.labels[:7]
    trial = try_skew(model, labels, Skew(kind, labels[2], 3, trait=1), 70)
    assert set(np.bincount(trial.test_labels)) == {84}
    assert trial.part("neglected").any() and trial.part("favoured").any()
    assert not (trial.part("neglected") & trial.part("favoured")).any()


def test_what_cannot_be_drawn_is_refused(model):
    with pytest.raises(DataError, match="stores no spread"):
        try_skew(replace(model, spread=None), model.labels, FEW, 60)
    with pytest.raises(DataError, match="there is no eigenface 1000; the model has 150"):
        try_skew(model, model.labels, Skew("only", trait=999), 60)
