"""Fit min-max scaling and eigenfaces."""

from collections.abc import Callable
from functools import partial

import numpy as np
from scipy.linalg import qr
from sklearn.decomposition import PCA
from sklearn.preprocessing import MinMaxScaler

SPREAD_COMPONENTS = 100


BLOCKS = 8  # of power iterations


CONSTANT = 1e-6  # share of the largest variance: below it there are rounding errors


FEW = 1000  # faces up to which their products with each other are the faster way


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
