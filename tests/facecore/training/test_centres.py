import numpy as np
import pytest
from cartoons import LABELS, draw_faces

from facecore.errors import DataError
from facecore.face.prepare import mirror
from facecore.training.centres import (
    MIN_FACES,
    MIN_SUBJECTS,
    cluster_faces,
    count_traceable,
)
from facecore.training.estimator import fit_planned
from facecore.training.grids import Candidate
from facecore.training.kernels import choose_labels
from facecore.training.options import TrainingOptions

BEST = Candidate(n_components=15, gamma=0.01, C=5.0)


@pytest.fixture(scope="module")
def faces():
    """Enough persons for the clusters to be small."""
    return draw_faces(LABELS[:2], persons=60, shots=1)


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "mirror"])
def pair(request, faces):
    """An exact machine, and one on cluster centres."""
    X, y, people = faces
    mirrored = mirror(X) if request.param else None
    return tuple(
        fit_planned(X, mirrored, y, people, BEST, TrainingOptions(centres=count))
        for count in (0, 40)
    )


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
    Z = exact.coordinates(faces[0])
    means = [Z[rows].mean(axis=0) for rows in cluster_faces(Z, faces[2], 40, 0)]
    assert small.kernel_vectors.astype(float) == pytest.approx(np.array(means), abs=2e-3, rel=1e-3)


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
    a, b = (member.decide(member.coordinates(faces[0]))[:, 0] for member in pair)
    assert np.corrcoef(a, b)[0, 1] > 0.97
    assert ((a > 0) == (b > 0)).mean() > 0.97


def test_the_machine_on_centres_has_the_same_face_space(pair):
    exact, small = pair
    assert (small.components == exact.components).all()
    assert small.gamma == exact.gamma


def test_three_labels_can_be_put_on_centres_too():
    X, y, people = draw_faces(LABELS, persons=50, shots=1)
    small = fit_planned(X, None, y, people, BEST, TrainingOptions(centres=40))
    decided = small.decide(small.coordinates(X))
    assert decided.shape[1] == 3
    assert (choose_labels(decided, np.unique(y)) == y).mean() > 0.9


def test_support_vectors_lead_back_to_their_photo_and_centres_do_not(pair, faces):
    exact, small = pair
    Z = np.concatenate([exact.coordinates(V) for V in (faces[0], mirror(faces[0]))])
    assert count_traceable(exact.kernel_vectors, Z) == len(exact.kernel_vectors)
    assert count_traceable(small.kernel_vectors, Z) == 0


def test_a_vector_very_near_to_one_face_leads_back():
    Z, _ = clouds(40, 5)
    assert count_traceable(Z[:3] + 1e-3, Z) == 3
    assert count_traceable(Z.mean(axis=0, keepdims=True) + 50, Z) == 0
