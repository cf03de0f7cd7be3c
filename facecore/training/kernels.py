"""RBF kernels between faces, and support vector machines on them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import sklearn
from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import SVC
from sklearn.utils.class_weight import compute_sample_weight

BAND = 256  # rows of a kernel matrix that are computed at once


def mirror_kernel(A: Sequence[np.ndarray], B: Sequence[np.ndarray], gamma: float) -> np.ndarray:
    """Return the mean RBF kernel over the views of two sets of faces.

    With a face and its mirror image as its two views, the kernel does not tell a face from its
    mirror image: a machine learns from both at the cost of one (invariance by averaging over
    the group, Haasdonk and Burkhardt 2007).

    Parameters
    ----------
    A : sequence of ndarray of shape (n, k)
        One array a view.
    B : sequence of ndarray of shape (m, k)
    gamma : float

    Returns
    -------
    ndarray of shape (n, m), in (0, 1]
        In the precision of the views.
    """
    total: np.ndarray | None = None
    for a in A:
        for b in B:
            K = rbf(a, b, gamma)
            total = K if total is None else np.add(total, K, out=total)
    assert total is not None
    total /= len(A) * len(B)
    return total


def training_bands(views: Sequence[np.ndarray]) -> Iterator[list[np.ndarray]]:
    """Yield the squared distances among faces, `BAND` rows of the upper triangle at a time.

    Parameters
    ----------
    views : sequence of ndarray of shape (n, k)
        One array a view.

    Yields
    ------
    list of ndarray of shape (rows, n - first row)
        One array a pair of views.
    """
    for start in range(0, len(views[0]), BAND):
        rows = slice(start, start + BAND)
        yield [squared_distances(a[rows], b[start:]) for a in views for b in views]


def kernel_of_bands(bands: Iterable[list[np.ndarray]], gamma: float, K: np.ndarray) -> None:
    """Fill a matrix with the mean RBF kernel over the views of faces.

    It is `mirror_kernel` of the views with themselves, of distances that several gamma share.

    Parameters
    ----------
    bands : iterable of list of ndarray
        As `training_bands` yields them.
    gamma : float
    K : ndarray of shape (n, n), float64
        Is overwritten.
    """
    start = 0
    for band in bands:
        part = mean_kernel(band, gamma)
        K[start : start + len(part), start:] = part
        K[start:, start : start + len(part)] = part.T
        start += len(part)


def mean_kernel(distances: Sequence[np.ndarray], gamma: float) -> np.ndarray:
    """Return the mean RBF kernel of several matrices of squared distances.

    Parameters
    ----------
    distances : sequence of ndarray of shape (n, m)
    gamma : float

    Returns
    -------
    ndarray of shape (n, m), in (0, 1]
        In the precision of the distances.
    """
    total = np.zeros_like(distances[0])
    for D in distances:
        K = D * -gamma
        total += np.exp(K, out=K)
    total /= len(distances)
    return total


def machines_of(svm: SVC | OneVsRestClassifier) -> list[SVC]:
    """Return the machines that a fitted one consists of.

    Parameters
    ----------
    svm : SVC or OneVsRestClassifier

    Returns
    -------
    list of SVC
        One for two labels, one a label for more.
    """
    return list(svm.estimators_) if isinstance(svm, OneVsRestClassifier) else [svm]


def rbf(A: np.ndarray, B: np.ndarray, gamma: float) -> np.ndarray:
    """Return the RBF kernel matrix ``exp(-gamma * |a - b|^2)``.

    Parameters
    ----------
    A : ndarray of shape (n, k), float32 or float64
    B : ndarray of shape (m, k), float32 or float64
    gamma : float

    Returns
    -------
    ndarray of shape (n, m), in (0, 1]
        In the precision of A and B; in float32 a kernel is made in about half the time.
    """
    K = squared_distances(A, B)
    K *= -gamma
    return np.exp(K, out=K)


def squared_distances(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """Return the squared Euclidean distance of every row of A to every row of B.

    Parameters
    ----------
    A : ndarray of shape (n, k), float32 or float64
    B : ndarray of shape (m, k), float32 or float64

    Returns
    -------
    ndarray of shape (n, m), 0 or more
        In the precision of A and B.
    """
    D = A @ B.T
    D *= -2
    D += (A**2).sum(axis=1)[:, None]
    D += (B**2).sum(axis=1)
    return np.maximum(D, 0, out=D)


def fit_svm(
    Z: np.ndarray, y: np.ndarray, svc: SVC, class_weight: str | Mapping[Any, float] | None
) -> SVC | OneVsRestClassifier:
    """Fit one SVM for two labels, one a label against the rest for more.

    Parameters
    ----------
    Z : ndarray of shape (n_faces, n_components), or (n_faces, n_faces) for a precomputed kernel
    y : ndarray of shape (n_faces,)
    svc : SVC
        Unfitted.
    class_weight : "balanced", mapping or None

    Returns
    -------
    SVC or OneVsRestClassifier
    """
    if len(np.unique(y)) == 2:
        return svc.set_params(class_weight=class_weight).fit(Z, y)
    # In one label against the rest a weight by label must travel with each face.
    weights = compute_sample_weight(class_weight, y)
    with sklearn.config_context(enable_metadata_routing=True):
        machine = OneVsRestClassifier(svc.set_fit_request(sample_weight=True))
        return machine.fit(Z, y, sample_weight=weights)


def is_free(machine: SVC | OneVsRestClassifier, bounds: np.ndarray) -> bool:
    """Say whether no coefficient of a machine is at its bound.

    Such a machine is the solution for every larger C as well.

    Parameters
    ----------
    machine : SVC or OneVsRestClassifier
    bounds : ndarray of shape (n_training_faces,)
        C times the weight of each face.

    Returns
    -------
    bool
    """
    return all(
        bool((np.abs(m.dual_coef_[0]) < bounds[m.support_] * (1 - 1e-9)).all())
        for m in machines_of(machine)
    )


def decide(machine: SVC | OneVsRestClassifier, K: np.ndarray) -> np.ndarray:
    """Return the decision values of a machine that was fitted on a kernel matrix.

    Parameters
    ----------
    machine : SVC or OneVsRestClassifier
    K : ndarray of shape (n, n_training_faces)
        Kernel of the faces with the training faces.

    Returns
    -------
    ndarray of shape (n, n_outputs), float64
    """
    machines = machines_of(machine)
    coefficients = np.zeros((K.shape[1], len(machines)))
    for column, m in enumerate(machines):
        coefficients[m.support_, column] = m.dual_coef_[0]
    return np.asarray(K @ coefficients + [m.intercept_[0] for m in machines])


def choose_labels(decisions: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return the label that each row of decision values stands for.

    Parameters
    ----------
    decisions : ndarray of shape (n, n_outputs)
    classes : ndarray of shape (n_labels,)

    Returns
    -------
    ndarray of shape (n,)
    """
    one = decisions.shape[1] == 1
    return classes[(decisions[:, 0] > 0).astype(int) if one else decisions.argmax(axis=1)]
