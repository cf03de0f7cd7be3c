from dataclasses import replace

import numpy as np
import pytest
from cartoons import LABELS, draw_faces

from facecore import centres as centres_module
from facecore.centres import MIN_FACES, MIN_PERSONS, cluster_centres, leads_back, on_centres
from facecore.errors import DataError
from facecore.estimator import FaceSpaceClassifier

RECIPE = {"side": 100, "frame": 0.85}


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
    model = replace(exact, recipe={**RECIPE, "mirror": request.param})
    return model, on_centres(model, faces[0], faces[2], count=40)


def clouds(persons: int, shots: int, seed: int = 0):
    rng = np.random.default_rng(seed)
    people = rng.normal(0, 3, (persons, 6))
    Z = np.repeat(people, shots, axis=0) + rng.normal(0, 0.5, (persons * shots, 6))
    return Z.astype(np.float32), np.repeat(np.arange(persons).astype(str), shots)


@pytest.mark.parametrize("count", [1, 7, 60, 5000])
@pytest.mark.parametrize("shape", [(40, 5), (100, 1), (4, 30)])
def test_every_centre_is_the_mean_of_several_faces_of_several_persons(count, shape, monkeypatch):
    assigned = []

    def watch(Z, centres):
        assigned.append(nearest(Z, centres))
        return assigned[-1]

    nearest = centres_module._nearest
    monkeypatch.setattr(centres_module, "_nearest", watch)
    Z, groups = clouds(*shape)
    centres = cluster_centres(Z, groups, count, 0)
    assert len(centres) <= count
    for which, centre in enumerate(centres):
        own = assigned[-1] == which
        assert own.sum() >= MIN_FACES
        assert len(set(groups[own])) >= MIN_PERSONS
        assert centre == pytest.approx(Z[own].mean(axis=0), abs=1e-5)


def test_faces_of_two_persons_have_no_centres():
    with pytest.raises(DataError, match="3 persons"):
        cluster_centres(*clouds(2, 20), 5, 0)


def test_four_faces_have_no_centres():
    with pytest.raises(DataError, match="5 faces"):
        cluster_centres(*clouds(4, 1), 5, 0)


def test_two_runs_with_one_seed_give_the_same_centres():
    first, second = (cluster_centres(*clouds(30, 4), 12, 3) for _ in range(2))
    assert (first == second).all()


def test_the_machine_on_centres_decides_nearly_as_the_exact_one(pair, faces):
    exact, small = pair
    a, b = exact.decision_function(faces[0]), small.decision_function(faces[0])
    assert len(small.members[0].kernel_vectors) < len(exact.members[0].kernel_vectors)
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
    small = on_centres(exact, X, groups, count=40)
    assert small.members[0].coefficients.shape[1] == 3
    assert (small.predict(X) == exact.predict(X)).mean() > 0.9


def test_support_vectors_lead_back_to_their_photo_and_centres_do_not(pair, faces):
    exact, small = pair
    Z = exact.members[0].coordinates(faces[0])
    vectors = exact.members[0].kernel_vectors
    assert leads_back(vectors, Z) == len(vectors)
    assert leads_back(small.members[0].kernel_vectors, Z) == 0


def test_a_vector_very_near_to_one_face_leads_back():
    Z, _ = clouds(40, 5)
    assert leads_back(Z[:3] + 1e-3, Z) == 3
    assert leads_back(Z.mean(axis=0, keepdims=True) + 50, Z) == 0
