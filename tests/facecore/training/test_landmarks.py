from functools import partial

import numpy as np
import pytest
from sklearn.svm import LinearSVC

from facecore.training import landmarks
from facecore.training.kernels import mirror_kernel
from facecore.training.landmarks import choose_points, fit_machines, machines_at_once
from facecore.training.options import TrainingOptions


def faces_of(count=80, seed=0):
    """Points of two labels with their mirror images."""
    Z = np.random.default_rng(seed).normal(size=(count, 4)).astype(np.float32)
    views = [Z, Z * np.array([-1, 1, 1, 1], dtype=np.float32)]
    return views, np.where(Z[:, 1] + 0.5 * Z[:, 2] ** 2 > 0.3, "b", "a")


def read(views, rows):
    return [view[rows] for view in views]


def fit(views, y, points, gamma, penalties):
    rows = np.arange(len(y))
    return fit_machines(partial(read, views), rows, points, gamma, y, penalties)


def test_with_every_face_a_landmark_it_is_the_exact_kernel_machine(C=2.0, gamma=0.1):
    """The primal optimum in the span of all faces is the optimum of the whole kernel space."""
    views, y = faces_of()
    (machine,) = fit(views, y, views, gamma, [(C, None)])
    views = [view.astype(float) for view in views]
    K = mirror_kernel(views, views, gamma)
    signs = np.where(y == "b", 1, -1)
    values = K @ machine.coefficients[:, 0] + machine.intercept[0]
    # In kernel space the optimum's dual coefficients are 2 C times the violations.
    violations = 2 * C * signs * np.maximum(0, 1 - signs * values)
    np.testing.assert_allclose(K @ violations, K @ machine.coefficients[:, 0], atol=0.02)
    assert abs(violations.sum()) < 0.02


def test_landmarks_that_nearly_coincide_are_not_smoothed_away():
    """What tells labels apart may be a small difference of large sums, lost in few digits."""
    rng = np.random.default_rng(1)
    Z = rng.normal(0, 0.02, (400, 3))
    y = np.where(Z[:, 0] > 0, "b", "a")
    (machine,) = fit([Z], y, [Z], 0.05, [(1e6, None)])
    values = mirror_kernel([Z], [Z], 0.05) @ machine.coefficients + machine.intercept
    assert ((values[:, 0] > 0) == (y == "b")).mean() > 0.98


@pytest.mark.parametrize("kind", [None, "balanced"])
@pytest.mark.parametrize("C", [0.3, 30.0])
def test_it_is_the_squared_hinge_machine_of_another_solver(C, kind):
    """In features whose products are the kernel of the landmarks, it is a linear machine."""
    views, y = faces_of(200, seed=2)
    Z, points = views[0].astype(float), views[0][:40].astype(float)
    y[:150][y[:150] == "b"] = "a"  # so that the labels are not level
    L = np.linalg.cholesky(mirror_kernel([points], [points], 0.2) + 1e-9 * np.eye(40))
    features = np.linalg.solve(L, mirror_kernel([points], [Z], 0.2)).T
    linear = LinearSVC(
        C=C, dual=False, class_weight=kind, tol=1e-8, intercept_scaling=1e3, max_iter=10_000
    )
    expected = linear.fit(features, y).decision_function(features)
    (machine,) = fit([Z], y, [points], 0.2, [(C, kind)])
    values = mirror_kernel([Z], [points], 0.2) @ machine.coefficients + machine.intercept
    np.testing.assert_allclose(values[:, 0], expected, atol=0.01)


def test_several_penalties_and_labels_at_once_are_each_the_same_as_alone(monkeypatch):
    views, _ = faces_of(120)
    y = np.digitize(views[0][:, 1], [-0.5, 0.5]).astype(str)
    penalties = [(0.5, None), (20.0, "balanced"), (20.0, None)]
    together = fit(views, y, [views[0][:30]], 0.2, penalties)
    monkeypatch.setattr(landmarks, "SUMS_BYTES", 1)
    assert machines_at_once(30) == 1
    for penalty, machine in zip(penalties, together, strict=True):
        (alone,) = fit(views, y, [views[0][:30]], 0.2, [penalty])
        assert machine.coefficients.shape == (30, 3)
        np.testing.assert_allclose(alone.coefficients, machine.coefficients, atol=1e-6)
        np.testing.assert_allclose(alone.intercept, machine.intercept, atol=1e-6)


def test_centres_are_means_of_several_faces_and_landmarks_are_faces():
    views, y = faces_of()
    people, rows = np.arange(len(y)) // 2, np.arange(len(y))
    how = partial(choose_points, partial(read, views), rows, people)
    points, stored = how(TrainingOptions(centres=10))
    assert [point.shape for point in points] == [stored.shape] == [(16, 4)]
    drawn, kept = how(TrainingOptions(landmarks=10))
    assert [view.shape for view in drawn] == [(10, 4)] * 2
    assert len(kept) == 20
    assert all((kept[:10] == row).all(axis=1).any() for row in drawn[0])
