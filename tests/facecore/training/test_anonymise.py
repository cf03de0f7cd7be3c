from dataclasses import replace

import numpy as np
import pytest
from cartoons import LABELS, draw_faces

from facecore.errors import DataError
from facecore.face.recipes import Recipe
from facecore.training.anonymise import (
    MIN_FACES,
    MIN_SUBJECTS,
    anonymise,
    cluster_faces,
    count_traceable,
)
from facecore.training.estimator import FaceSpaceClassifier

RECIPE = Recipe(frame=0.85)


@pytest.fixture(scope="module")
def faces():
    """Enough persons for the clusters to be small."""
    return draw_faces(LABELS[:2], persons=60, shots=1)


@pytest.fixture(scope="module")
def exact(faces):
    X, y, _ = faces
    return FaceSpaceClassifier(15, gamma=0.01).fit(X, y).to_model(RECIPE, X, y)


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "mirror"])
def pair(request, exact, faces):
    """An exact machine, and the same on cluster centres."""
    model = replace(exact, recipe=replace(RECIPE, mirror=request.param))
    return model, anonymise(model, faces[0], faces[2], count=40)


def clouds(persons: int, shots: int, seed: int = 0):
    rng = np.random.default_rng(seed)
    people = rng.normal(0, 3, (persons, 6))
    Z = np.repeat(people, shots, axis=0) + rng.normal(0, 0.5, (persons * shots, 6))
    return Z.astype(np.float32), np.repeat(np.arange(persons).astype(str), shots)


@pytest.mark.parametrize("count", [1, 7, 60, 5000])
@pytest.mark.parametrize("shape", [(40, 5), (100, 1), (4, 30)])
def test_every_cluster_has_several_faces_of_several_persons(count, shape):
    Z, groups = clouds(*shape)
    for rows in cluster_faces(Z, groups, count, 0):
        assert len(set(rows)) == len(rows) >= MIN_FACES
        assert len(set(groups[rows])) >= MIN_SUBJECTS


def test_every_face_is_in_one_cluster_of_each_tree():
    Z, groups = clouds(80, 2)
    clusters = cluster_faces(Z, groups, 50, 0)
    times = np.bincount(np.concatenate(clusters), minlength=len(Z))
    assert len(set(times)) == 1
    assert times[0] >= 2


def test_there_are_always_fewer_clusters_than_faces():
    Z, groups = clouds(80, 2)
    assert len(cluster_faces(Z, groups, 100_000, 0)) < 0.7 * len(Z)


def test_every_kernel_vector_is_the_mean_of_a_cluster(pair, faces):
    exact, small = pair
    Z = exact.members[0].coordinates(faces[0])
    means = [Z[rows].mean(axis=0) for rows in cluster_faces(Z, faces[2], 40, 0)]
    stored = small.members[0].kernel_vectors.astype(float)
    assert stored == pytest.approx(np.array(means), abs=2e-3, rel=1e-3)


def test_faces_of_two_persons_have_no_centres():
    with pytest.raises(DataError, match="3 subjects"):
        cluster_faces(*clouds(2, 20), 5, 0)


def test_four_faces_have_no_centres():
    with pytest.raises(DataError, match="5 faces"):
        cluster_faces(*clouds(4, 1), 5, 0)


def test_two_runs_with_one_seed_give_the_same_clusters():
    first, second = (cluster_faces(*clouds(30, 4), 12, 3) for _ in range(2))
    assert [list(rows) for rows in first] == [list(rows) for rows in second]


def test_the_machine_on_centres_decides_nearly_as_the_exact_one(pair, faces):
    exact, small = pair
    a, b = exact.decision_function(faces[0]), small.decision_function(faces[0])
    assert np.corrcoef(a, b)[0, 1] > 0.97
    assert ((a > 0) == (b > 0)).mean() > 0.97


def test_the_machine_on_centres_keeps_everything_but_its_vectors(pair):
    exact, small = pair
    assert small.labels == exact.labels
    assert small.recipe == exact.recipe
    assert (small.members[0].components == exact.members[0].components).all()
    assert small.members[0].gamma == exact.members[0].gamma


def test_three_labels_can_be_put_on_centres_too():
    X, y, groups = draw_faces(LABELS, persons=50, shots=1)
    exact = FaceSpaceClassifier(15, gamma=0.01).fit(X, y).to_model(RECIPE, X, y)
    small = anonymise(exact, X, groups, count=40)
    assert small.members[0].coefficients.shape[1] == 3
    assert (small.predict(X) == exact.predict(X)).mean() > 0.9


def test_support_vectors_lead_back_to_their_photo_and_centres_do_not(pair, faces):
    exact, small = pair
    Z = exact.members[0].coordinates(faces[0])
    vectors = exact.members[0].kernel_vectors
    assert count_traceable(vectors, Z) == len(vectors)
    assert count_traceable(small.members[0].kernel_vectors, Z) == 0


def test_a_vector_very_near_to_one_face_leads_back():
    Z, _ = clouds(40, 5)
    assert count_traceable(Z[:3] + 1e-3, Z) == 3
    assert count_traceable(Z.mean(axis=0, keepdims=True) + 50, Z) == 0
