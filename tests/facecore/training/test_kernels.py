import numpy as np
import pytest
from cartoons import noisy
from sklearn.svm import SVC
from sklearn.utils.class_weight import compute_sample_weight

from facecore.training.eigenfaces import as_float
from facecore.training.kernels import (
    BAND,
    decide,
    fit_svm,
    is_free,
    kernel_of_bands,
    mean_kernel,
    mirror_kernel,
    rbf,
    squared_distances,
    training_bands,
)


@pytest.mark.slow
@pytest.mark.parametrize("views", [1, 2])
def test_the_kernel_of_bands_of_distances_is_the_kernel_over_views(views):
    rows = list(np.random.default_rng(0).normal(size=(views, 2 * BAND + 9, 3)))
    bands, K = list(training_bands(rows)), np.empty((2 * BAND + 9,) * 2)
    for gamma in (0.1, 0.4):
        kernel_of_bands(bands, gamma, K)
        assert pytest.approx(mirror_kernel(rows, rows, gamma)) == K
        distances = [squared_distances(a[:5], b) for a in rows for b in rows]
        assert mean_kernel(distances, gamma) == pytest.approx(K[:5])


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
def test_a_machine_with_no_coefficient_at_its_bound_is_that_of_every_larger_C(data, request):
    X, y, _ = noisy(request.getfixturevalue(data))
    Z = as_float(X) / 255
    K = rbf(Z, Z, 0.1)
    weights = compute_sample_weight("balanced", y)
    machines = {
        C: fit_svm(K, y, SVC(C=C, kernel="precomputed", tol=1e-6), "balanced")
        for C in (0.1, 100.0, 1e4)
    }
    assert [is_free(machine, C * weights) for C, machine in machines.items()] == [False, True, True]
    one, other = decide(machines[100.0], K), decide(machines[1e4], K)
    assert one == pytest.approx(other, abs=1e-4)
    assert one != pytest.approx(decide(machines[0.1], K), abs=1e-2)


def test_the_kernel_matrix_is_that_of_the_formula():
    rng = np.random.default_rng(0)
    A, B = rng.normal(size=(4, 3)), rng.normal(size=(5, 3))
    plain = np.exp(-0.7 * ((A[:, None] - B) ** 2).sum(axis=2))
    assert rbf(A, B, 0.7) == pytest.approx(plain)
    assert rbf(A, A, 0.7).max() <= 1
