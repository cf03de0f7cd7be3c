"""The scikit-learn side: fit min-max, PCA and SVM, and hand over a `FaceModel`."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Self

import numpy as np
import sklearn
from scipy.linalg import qr
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.decomposition import PCA
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.svm import SVC
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from facecore.model import FaceModel, Member

SPREAD_COMPONENTS = 100
BLOCKS = 8  # of power iterations
CONSTANT = 1e-6  # share of the largest variance: below it there are rounding errors
FEW = 1000  # faces up to which their products with each other are the faster way
BAND = 256  # rows of a kernel matrix that are computed at once


class FaceSpaceClassifier(ClassifierMixin, BaseEstimator):
    """Per-pixel min-max, PCA (eigenfaces) and an SVM with an RBF kernel.

    Two labels are told apart by one SVM, more by one SVM a label against the rest.

    Parameters
    ----------
    n_components : int, default=150
        Eigenfaces kept; fewer where the data have fewer.
    whiten : bool, default=True
        Divide each coordinate by its standard deviation.
    C : float, default=5.0
        Penalty of the SVM.
    gamma : float or "scale", default="scale"
        Width of the RBF kernel, as scikit-learn's `SVC` takes it.
    class_weight : "balanced" or None, default="balanced"
    random_state : int, default=0
        Seed of the randomized PCA (Halko, Martinsson and Tropp 2011).

    Attributes
    ----------
    pipeline_ : Pipeline
        The fitted MinMaxScaler, PCA and SVC.
    classes_ : ndarray of shape (n_classes,)
    n_features_in_ : int
    """

    def __init__(
        self,
        n_components: int = 150,
        *,
        whiten: bool = True,
        C: float = 5.0,
        gamma: float | str = "scale",
        class_weight: str | None = "balanced",
        random_state: int = 0,
    ) -> None:
        self.n_components = n_components
        self.whiten = whiten
        self.C = C
        self.gamma = gamma
        self.class_weight = class_weight
        self.random_state = random_state

    def fit(self, X: np.ndarray, y: np.ndarray) -> Self:
        """Fit the three steps.

        Parameters
        ----------
        X : ndarray of shape (n_faces, n_features)
            Grey levels, one face a row.
        y : ndarray of shape (n_faces,)

        Returns
        -------
        FaceSpaceClassifier
        """
        X, y = validate_data(self, X, y, ensure_min_samples=2)
        check_classification_targets(y)
        self.classes_ = np.unique(y)
        if len(self.classes_) < 2:
            raise ValueError(
                f"the classifier needs 2 classes or more; there is one class: {self.classes_[0]!r}"
            )
        scaler = MinMaxScaler()
        scaled = scaler.fit_transform(as_float(X))
        pca = fit_pca(scaled, self.n_components, self.whiten, self.random_state)
        svm = fit_svm(
            pca.transform(scaled),
            y,
            SVC(C=self.C, gamma=self.gamma, cache_size=1000),
            self.class_weight,
        )
        self.pipeline_ = Pipeline([("minmax", scaler), ("pca", pca), ("svm", svm)])
        return self

    def decision_function(self, X: np.ndarray) -> np.ndarray:
        """Return the fitted pipeline's decision values.

        Parameters
        ----------
        X : ndarray of shape (n_faces, n_features)

        Returns
        -------
        ndarray of shape (n_faces,) for two labels, else (n_faces, n_labels)
        """
        check_is_fitted(self)
        X = validate_data(self, X, reset=False)
        return np.asarray(self.pipeline_.decision_function(as_float(X)))

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the label of each face.

        Parameters
        ----------
        X : ndarray of shape (n_faces, n_features)

        Returns
        -------
        ndarray of shape (n_faces,)
        """
        values = self.decision_function(X)
        index = (values > 0).astype(int) if values.ndim == 1 else values.argmax(axis=1)
        return np.asarray(self.classes_[index])

    def to_model(
        self, recipe: Mapping[str, Any], X: np.ndarray | None = None, y: np.ndarray | None = None
    ) -> FaceModel:
        """Return the fitted machine as a `FaceModel` with an identity calibration.

        Parameters
        ----------
        recipe : mapping
            Stored with the model.
        X, y : ndarray, optional
            Training faces and labels; given, the model also learns how the coordinates of each
            label spread, which made faces are drawn from.

        Returns
        -------
        FaceModel
        """
        check_is_fitted(self)
        scaler, pca, svm = (step for _, step in self.pipeline_.steps)
        machines = machines_of(svm)
        vectors = np.concatenate([m.support_vectors_ for m in machines])
        member = _build_member(scaler, pca, vectors, _stack_coefficients(machines), machines)
        member = replace(member, gamma=float(machines[0]._gamma))
        model = FaceModel(
            labels=tuple(str(label) for label in self.classes_),
            members=(member,),
            slope=np.ones(len(machines)),
            recipe=dict(recipe),
        )
        if X is None or y is None:
            return model
        spread = measure_spread(member.coordinates(X), np.asarray(y), self.classes_)
        return FaceModel(model.labels, model.members, model.slope, model.recipe, spread)


def fit_space(
    X: np.ndarray, mirrored: np.ndarray | None, n_components: int, whiten: bool, seed: int
) -> tuple[MinMaxScaler, PCA]:
    """Fit min-max and eigenfaces, to faces or to faces and their mirror images.

    Parameters
    ----------
    X : ndarray of shape (n_faces, n_features)
    mirrored : ndarray of shape (n_faces, n_features), or None
        The same features of the mirror images.
    n_components : int
    whiten : bool
    seed : int

    Returns
    -------
    scaler : MinMaxScaler
    pca : PCA
    """
    dtype = as_float(X[:0]).dtype
    scaled = as_float(X) if mirrored is None else np.concatenate([X, mirrored], dtype=dtype)
    scaler = MinMaxScaler(copy=False)  # it is a copy already
    scaled = scaler.fit_transform(scaled)
    return scaler, fit_pca(scaled, n_components, whiten, seed)


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


def fit_member(
    X: np.ndarray,
    mirrored: np.ndarray | None,
    y: np.ndarray,
    params: Mapping[str, Any],
    seed: int = 0,
) -> Member:
    """Fit min-max, eigenfaces and SVM to features, and return them as a member of a model.

    Parameters
    ----------
    X : ndarray of shape (n_faces, n_features)
    mirrored : ndarray of shape (n_faces, n_features), or None
        Features of the mirror images, as further training data.
    y : ndarray of shape (n_faces,)
    params : mapping
        n_components, whiten, C, gamma, class_weight.
    seed : int

    Returns
    -------
    Member
        Whose features and name are the defaults.
    """
    scaler, pca = fit_space(X, mirrored, params["n_components"], params["whiten"], seed)
    views = [
        np.asarray(pca.transform(scaler.transform(as_float(view))))
        for view in ([X] if mirrored is None else [X, mirrored])
    ]
    K = mirror_kernel(views, views, params["gamma"])
    svc = SVC(C=params["C"], kernel="precomputed", cache_size=500)
    machines = machines_of(fit_svm(K, y, svc, params["class_weight"]))
    support = np.unique(np.concatenate([m.support_ for m in machines]))
    coefficients = np.zeros((len(support), len(machines)))
    for column, machine in enumerate(machines):
        coefficients[np.searchsorted(support, machine.support_), column] = machine.dual_coef_[0]
    vectors = np.concatenate([view[support] for view in views])
    shares = np.concatenate([coefficients / len(views)] * len(views))
    member = _build_member(scaler, pca, vectors, shares, machines)
    return replace(member, gamma=float(params["gamma"]))


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


def _build_member(
    scaler: MinMaxScaler,
    pca: PCA,
    vectors: np.ndarray,
    coefficients: np.ndarray,
    machines: Sequence[SVC],
) -> Member:
    spans = scaler.data_max_ - scaler.data_min_
    deviation = np.sqrt(pca.explained_variance_) if pca.whiten else np.ones(pca.n_components_)
    total = float(np.sum(pca.explained_variance_) / np.sum(pca.explained_variance_ratio_))
    return Member(
        minimum=scaler.data_min_.astype(np.float32),
        span=np.where(spans == 0, 1, spans).astype(np.float32),
        mean=pca.mean_.astype(np.float32),
        components=pca.components_.astype(np.float16),
        deviation=deviation.astype(np.float32),
        variance=pca.explained_variance_.astype(np.float32),
        total_variance=total,
        kernel_vectors=vectors.astype(np.float32),
        coefficients=coefficients,
        intercept=np.array([m.intercept_[0] for m in machines], dtype=np.float64),
        gamma=1.0,
    )


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


def as_float(X: np.ndarray) -> np.ndarray:
    """Return grey levels in the precision that the three steps compute in.

    Parameters
    ----------
    X : ndarray
        uint8, or any number.

    Returns
    -------
    ndarray, float32 for uint8 and float32 input, else float64
    """
    return X.astype(np.float32 if X.dtype in (np.uint8, np.float32) else np.float64)


def fit_pca(scaled: np.ndarray, n_components: int, whiten: bool, seed: int) -> PCA:
    """Fit eigenfaces, rounded to what the model file stores.

    Rounding before the SVM sees the coordinates makes the stored model the fitted one. A few
    eigenfaces of many are found from the faces' products with each other (up to 1,000 faces) or by
    block Krylov iteration (Musco and Musco 2015), the others by a full singular value
    decomposition. On one thread, 300 eigenfaces of 4,000 faces of 10,000 pixels take 2.7 s by the
    iteration and their variances are right to 0.001 %; scikit-learn's randomized one takes 3.6 s
    and misses up to 5 %.

    Parameters
    ----------
    scaled : ndarray of shape (n_faces, n_features)
        After min-max.
    n_components : int
        At most; fewer where the data have fewer.
    whiten : bool
    seed : int

    Returns
    -------
    PCA
    """
    most = max(1, min(n_components, scaled.shape[0] - 1, scaled.shape[1]))
    pca = PCA(most, whiten=whiten, svd_solver="full", random_state=seed)
    size = most // 3 + 16
    few = len(scaled) <= min(FEW, scaled.shape[1])
    if (2 * most if few else BLOCKS * size) >= min(scaled.shape):
        pca.fit(scaled)
    elif few:
        _fit_leading(pca, scaled, _find_by_products)
    else:
        _fit_leading(pca, scaled, partial(_find_by_krylov, size=size))
    pca.components_ = pca.components_.astype(np.float16).astype(scaled.dtype)
    if whiten:  # a constant direction would be divided by zero, or show rounding errors
        smallest = CONSTANT * max(pca.explained_variance_[0], 1e-12)
        pca.explained_variance_ = np.maximum(pca.explained_variance_, smallest)
    return pca


def _fit_leading(
    pca: PCA,
    scaled: np.ndarray,
    find: Callable[[np.ndarray, np.ndarray, PCA], tuple[np.ndarray, np.ndarray]],
) -> None:
    """Fit the leading eigenfaces that a method finds, with the signs and figures of `PCA`."""
    exact = scaled.mean(axis=0, dtype=np.float64)
    mean = exact.astype(scaled.dtype)
    count = len(scaled)
    values, components = find(scaled, mean, pca)
    peaks = np.abs(components).argmax(axis=1)[:, None]
    variance = np.maximum(values, 0).astype(scaled.dtype)
    pca.components_ = components * np.sign(np.take_along_axis(components, peaks, axis=1))
    pca.explained_variance_ = variance / (count - 1)
    squares = np.einsum("ij,ij->", scaled, scaled, dtype=np.float64)
    total = (squares - count * exact @ exact) / (count - 1)
    pca.explained_variance_ratio_ = pca.explained_variance_ / max(total, 1e-12)
    pca.mean_, pca.n_components_, pca.n_features_in_ = mean, pca.n_components, scaled.shape[1]


def _find_by_products(
    scaled: np.ndarray, mean: np.ndarray, pca: PCA
) -> tuple[np.ndarray, np.ndarray]:
    """Return sums of squares along the leading eigenfaces, and these (Turk and Pentland 1991)."""
    centred, most = scaled - mean, pca.n_components
    values, vectors = np.linalg.eigh((centred @ centred.T).astype(np.float64))
    leading = vectors[:, : -most - 1 : -1].astype(centred.dtype)
    return values[: -most - 1 : -1], np.linalg.qr(centred.T @ leading)[0].T


def _find_by_krylov(
    scaled: np.ndarray, mean: np.ndarray, pca: PCA, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the same for the best eigenfaces in the span of a few power iterations."""
    n_faces, n_features = scaled.shape
    rng = np.random.default_rng(pca.random_state)
    block = rng.standard_normal((n_features, size)).astype(scaled.dtype)
    basis = np.empty((n_features, BLOCKS * size), dtype=scaled.dtype, order="F")
    image = np.empty((n_faces, BLOCKS * size), dtype=scaled.dtype, order="F")
    for start in range(0, BLOCKS * size, size):
        known, new = basis[:, :start], slice(start, start + size)
        for _ in range(3):  # rounding errors are all that may be left of the block
            block -= known @ (known.T @ block)
            block = qr(block, mode="economic", overwrite_a=True, check_finite=False)[0]
        # Faces are centred in the products, so that no copy of them is made.
        basis[:, new], image[:, new] = block, scaled @ block - mean @ block
        block = scaled.T @ image[:, new] - np.outer(mean, image[:, new].sum(axis=0))
    values, vectors = np.linalg.eigh((image.T @ image).astype(np.float64))
    leading = vectors[:, : -pca.n_components - 1 : -1].astype(scaled.dtype)
    return values[: -pca.n_components - 1 : -1], (basis @ leading).T


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


def measure_spread(
    Z: np.ndarray, y: np.ndarray, classes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Measure how the leading coordinates of each label spread.

    Parameters
    ----------
    Z : ndarray of shape (n_faces, n_components)
    y : ndarray of shape (n_faces,)
    classes : ndarray of shape (n_labels,)

    Returns
    -------
    mean : ndarray of shape (n_labels, k), float32
        k is at most `SPREAD_COMPONENTS`.
    factor : ndarray of shape (n_labels, k, k), float32
        ``factor @ factor.T`` is the covariance.
    """
    k = min(SPREAD_COMPONENTS, Z.shape[1])
    means, factors = [], []
    for label in classes:
        rows = Z[y == label][:, :k].astype(np.float64)
        means.append(rows.mean(axis=0))
        covariance = (
            np.atleast_2d(np.cov(rows, rowvar=False)) if len(rows) > 1 else np.zeros((k, k))
        )
        values, vectors = np.linalg.eigh(covariance)
        factors.append(vectors * np.sqrt(np.maximum(values, 0)))
    return np.array(means, dtype=np.float32), np.array(factors, dtype=np.float32)


def _stack_coefficients(machines: list[SVC]) -> np.ndarray:
    """Return one column of coefficients for each machine over all their vectors, stacked."""
    sizes = [len(m.support_vectors_) for m in machines]
    table = np.zeros((sum(sizes), len(machines)))
    start = 0
    for column, (machine, size) in enumerate(zip(machines, sizes, strict=True)):
        table[start : start + size, column] = machine.dual_coef_[0]
        start += size
    return table
