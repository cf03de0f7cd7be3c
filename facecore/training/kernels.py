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
    """Compute the mean RBF kernel over the views of two sets of faces.

    With a face and its mirror image as its two views, the kernel does not tell a face from its
    mirror image: a machine learns from both at the cost of one. This is invariance by averaging
    over the group (Haasdonk and Burkhardt 2007).

    Parameters
    ----------
    A : sequence of ndarray of shape (n, k), float32 or float64
        Coordinates of the faces, one array per view.
    B : sequence of ndarray of shape (m, k), float32 or float64
        Coordinates of the other faces, one array per view.
    gamma : float
        Width of the RBF kernel, above 0.

    Returns
    -------
    ndarray of shape (n, m), in [0, 1]
        In the precision of the views.

    Examples
    --------
    >>> faces, mirrored = np.array([[0.0], [1.0]]), np.array([[1.0], [0.0]])
    >>> mirror_kernel([faces, mirrored], [faces, mirrored], gamma=0.5).round(3)
    array([[0.803, 0.803],
           [0.803, 0.803]])
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
        Coordinates of the faces, one array per view.

    Yields
    ------
    list of ndarray of shape (rows, n - first row)
        One array per pair of views.
    """
    for start in range(0, len(views[0]), BAND):
        rows = slice(start, start + BAND)
        yield [squared_distances(a[rows], b[start:]) for a in views for b in views]


def kernel_of_bands(bands: Iterable[list[np.ndarray]], gamma: float, K: np.ndarray) -> None:
    """Fill a matrix with the mean RBF kernel over the views of faces.

    The result is `mirror_kernel` of the views with themselves, from distances that several values
    of gamma share.

    Parameters
    ----------
    bands : iterable of list of ndarray
        As `training_bands` yields them.
    gamma : float
        Width of the RBF kernel, above 0.
    K : ndarray of shape (n, n), float64
        Receives the kernel.
    """
    start = 0
    for band in bands:
        part = mean_kernel(band, gamma)
        # Distances of the upper triangle are enough: the kernel of faces with themselves, averaged
        # over all pairs of views, is symmetric.
        K[start : start + len(part), start:] = part
        K[start:, start : start + len(part)] = part.T
        start += len(part)


def mean_kernel(distances: Sequence[np.ndarray], gamma: float) -> np.ndarray:
    """Compute the mean RBF kernel of several matrices of squared distances.

    Parameters
    ----------
    distances : sequence of ndarray of shape (n, m)
        Squared Euclidean distances, one array per pair of views.
    gamma : float
        Width of the RBF kernel, above 0.

    Returns
    -------
    ndarray of shape (n, m), in [0, 1]
        In the precision of the distances.
    """
    total = np.zeros_like(distances[0])
    for D in distances:
        K = D * -gamma
        total += np.exp(K, out=K)
    total /= len(distances)
    return total


def machines_of(svm: SVC | OneVsRestClassifier) -> list[SVC]:
    """Return the binary machines that a fitted one consists of.

    Parameters
    ----------
    svm : SVC or OneVsRestClassifier
        As `fit_svm` returns it.

    Returns
    -------
    list of SVC
        One machine for two labels, otherwise one per label.
    """
    return list(svm.estimators_) if isinstance(svm, OneVsRestClassifier) else [svm]


def rbf(A: np.ndarray, B: np.ndarray, gamma: float) -> np.ndarray:
    """Compute the RBF kernel matrix ``exp(-gamma * |a - b|^2)``.

    Parameters
    ----------
    A : ndarray of shape (n, k), float32 or float64
        Points, one per row.
    B : ndarray of shape (m, k), float32 or float64
        Points, one per row.
    gamma : float
        Width of the kernel, above 0.

    Returns
    -------
    ndarray of shape (n, m), in [0, 1]
        In the precision of A and B; float32 takes about half the time of float64.
    """
    K = squared_distances(A, B)
    K *= -gamma
    return np.asarray(np.exp(K, out=K))


def squared_distances(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """Compute the squared Euclidean distance of every row of A to every row of B.

    Parameters
    ----------
    A : ndarray of shape (n, k), float32 or float64
        Points, one per row.
    B : ndarray of shape (m, k), float32 or float64
        Points, one per row.

    Returns
    -------
    ndarray of shape (n, m), 0 or more
        In the precision of A and B.
    """
    # |a|^2 - 2ab + |b|^2 is one matrix product; rounding may leave it slightly below 0.
    D = A @ B.T
    D *= -2
    D += (A**2).sum(axis=1)[:, None]
    D += (B**2).sum(axis=1)
    return np.asarray(np.maximum(D, 0, out=D))


def scale_gamma(views: Sequence[np.ndarray], sample_weight: np.ndarray | None = None) -> float:
    """Compute the width that scikit-learn's `SVC` calls "scale": 1 / (n_components * variance).

    Parameters
    ----------
    views : sequence of ndarray of shape (n, n_components)
        Coordinates of the training faces, one array per view.
    sample_weight : ndarray of shape (n,), optional
        Weight of each face, above 0; equal weights if None.

    Returns
    -------
    float
        1.0 where the coordinates do not vary.
    """
    weights = np.ones(len(views[0])) if sample_weight is None else sample_weight
    # Two passes, because the mean of squares minus the square of the mean loses digits.
    means = [np.average(view, axis=0, weights=weights) for view in views]
    mean = float(np.mean(means))
    squares = [np.average((view - mean) ** 2, axis=0, weights=weights) for view in views]
    variance = float(np.mean(squares))
    return 1.0 / (views[0].shape[1] * variance) if variance > 0 else 1.0


def weigh_faces(
    class_weight: str | Mapping[Any, float] | None,
    y: np.ndarray,
    sample_weight: np.ndarray | None = None,
) -> np.ndarray:
    """Return what each face counts: the weight of its label times its own.

    Parameters
    ----------
    class_weight : {"balanced"}, mapping of label to float, or None
        ``"balanced"`` gives every label the same total weight; labels that a mapping leaves out,
        and all labels if None, have weight 1.
    y : ndarray of shape (n_faces,)
        Labels.
    sample_weight : ndarray of shape (n_faces,), optional
        Weight of each face, above 0; 1 if None.

    Returns
    -------
    ndarray of shape (n_faces,), float64
        A face of weight 2 counts as two equal faces, also where weights are balanced.
    """
    if sample_weight is None:
        return np.asarray(compute_sample_weight(class_weight, y))
    if class_weight != "balanced":
        return np.asarray(compute_sample_weight(class_weight, y) * sample_weight)
    codes = np.unique(y, return_inverse=True)[1]
    totals = np.bincount(codes, weights=sample_weight)
    return np.asarray(sample_weight * (totals.sum() / (len(totals) * totals))[codes])


def fit_svm(
    Z: np.ndarray,
    y: np.ndarray,
    svc: SVC,
    class_weight: str | Mapping[Any, float] | None,
    sample_weight: np.ndarray | None = None,
) -> SVC | OneVsRestClassifier:
    """Fit an SVM (Cortes and Vapnik 1995) for two labels, or a one-vs-rest SVM per label for more.

    Parameters
    ----------
    Z : ndarray of shape (n_faces, n_components), or (n_faces, n_faces) for a precomputed kernel
        Coordinates, or the kernel of the faces with themselves.
    y : ndarray of shape (n_faces,)
        Labels, two or more.
    svc : SVC
        Unfitted; its kernel, C and tolerance are used.
    class_weight : {"balanced"}, mapping of label to float, or None
        As `weigh_faces` takes it.
    sample_weight : ndarray of shape (n_faces,), optional
        Weight of each face, above 0; 1 if None.

    Returns
    -------
    SVC or OneVsRestClassifier
        The fitted machine.
    """
    two = len(np.unique(y)) == 2
    if two and sample_weight is None:
        return svc.set_params(class_weight=class_weight).fit(Z, y)
    # In one-vs-rest a weight by label must travel with each face: the rest has several labels.
    weights = weigh_faces(class_weight, y, sample_weight)
    if two:
        return svc.fit(Z, y, sample_weight=weights)
    with sklearn.config_context(enable_metadata_routing=True):
        machine = OneVsRestClassifier(svc.set_fit_request(sample_weight=True))
        return machine.fit(Z, y, sample_weight=weights)


def is_free(machine: SVC | OneVsRestClassifier, bounds: np.ndarray) -> bool:
    """Return whether no coefficient of a machine is at its bound.

    Such a machine is the solution for every larger C as well: the bounds are all that C changes in
    the dual problem, and none of them is active.

    Parameters
    ----------
    machine : SVC or OneVsRestClassifier
        As `fit_svm` returns it.
    bounds : ndarray of shape (n_training_faces,)
        C times the weight of each face.

    Returns
    -------
    bool
        True if all coefficients of all labels are free.
    """
    return all(
        bool((np.abs(m.dual_coef_[0]) < bounds[m.support_] * (1 - 1e-9)).all())
        for m in machines_of(machine)
    )


def decide(machine: SVC | OneVsRestClassifier, K: np.ndarray) -> np.ndarray:
    """Compute the decision values of a machine that was fitted on a kernel matrix.

    Parameters
    ----------
    machine : SVC or OneVsRestClassifier
        As `fit_svm` returns it.
    K : ndarray of shape (n, n_training_faces)
        Kernel of the faces with the training faces.

    Returns
    -------
    ndarray of shape (n, n_outputs), float64
        One output for two labels, otherwise one per label.
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
    decisions : ndarray of shape (n, n_outputs), float
        One output for two labels, otherwise one per label.
    classes : ndarray of shape (n_labels,)
        Labels in the order of the outputs; with one output a positive value means the second.

    Returns
    -------
    ndarray of shape (n,)
        Of the type of `classes`.

    Examples
    --------
    >>> choose_labels(np.array([[0.3], [-2.0]]), np.array(["round", "square"]))
    array(['square', 'round'], dtype='<U6')
    >>> choose_labels(np.array([[0.3, -1.0, 0.5]]), np.array(["round", "square", "wide"]))
    array(['wide'], dtype='<U6')
    """
    one = decisions.shape[1] == 1
    index = (decisions[:, 0] > 0).astype(int) if one else decisions.argmax(axis=1)
    return np.asarray(classes[index])
