"""Fit min-max scaling and eigenfaces."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from scipy.linalg import qr, svd
from sklearn.decomposition import PCA
from sklearn.preprocessing import MinMaxScaler

SPREAD_COMPONENTS = 100  # coordinates of which the spread per label is stored
BLOCKS = 8  # power iterations of the block Krylov method
CONSTANT = 1e-6  # share of the largest variance: below it there are rounding errors
FEW = 1000  # faces up to which their products with each other are the faster way
Finder = Callable[[np.ndarray, np.ndarray, PCA], tuple[np.ndarray, np.ndarray]]


def fit_space(
    X: np.ndarray,
    mirrored: np.ndarray | None,
    n_components: int | float | None,
    whiten: bool,
    seed: int,
    sample_weight: np.ndarray | None = None,
) -> tuple[MinMaxScaler, PCA]:
    """Fit min-max scaling and eigenfaces to faces, or to faces and their mirror images.

    Parameters
    ----------
    X : ndarray of shape (n_faces, n_features), uint8 or float
        Features of the training faces.
    mirrored : ndarray of shape (n_faces, n_features), or None
        The same features of the mirror images, as further training data.
    n_components : int, float or None
        As `fit_pca` takes it.
    whiten : bool
        Scale coordinates to unit variance.
    seed : int
        Seed of the randomized decomposition.
    sample_weight : ndarray of shape (n_faces,), optional
        Weight of each face, above 0; 1 if None. It does not change the min-max scaling.

    Returns
    -------
    scaler : MinMaxScaler
        Fitted.
    pca : PCA
        Fitted to the scaled faces.
    """
    dtype = as_float(X[:0]).dtype
    scaled = as_float(X) if mirrored is None else np.concatenate([X, mirrored], dtype=dtype)
    if sample_weight is not None and mirrored is not None:
        sample_weight = np.concatenate([sample_weight, sample_weight])
    scaler = MinMaxScaler(copy=False)  # it is a copy already
    scaled = scaler.fit_transform(scaled)
    return scaler, fit_pca(scaled, n_components, whiten, seed, sample_weight)


def project_views(scaler: MinMaxScaler, pca: PCA, views: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Project faces into the space that `fit_space` fitted.

    Parameters
    ----------
    scaler : MinMaxScaler
        As `fit_space` returns it.
    pca : PCA
        As `fit_space` returns it.
    views : sequence of ndarray of shape (n_faces, n_features), uint8 or float
        Features of the faces, one array per view.

    Returns
    -------
    list of ndarray of shape (n_faces, n_components)
        Coordinates, one array per view.
    """
    return [np.asarray(pca.transform(scaler.transform(as_float(view)))) for view in views]


def as_float(X: np.ndarray) -> np.ndarray:
    """Return numbers in the precision in which eigenfaces are computed.

    Parameters
    ----------
    X : ndarray
        uint8, or any other number.

    Returns
    -------
    ndarray of the same shape, float32 for uint8 and float32 input, else float64
        Always a copy.
    """
    return X.astype(np.float32 if X.dtype in (np.uint8, np.float32) else np.float64)


def fit_pca(
    scaled: np.ndarray,
    n_components: int | float | None,
    whiten: bool,
    seed: int,
    sample_weight: np.ndarray | None = None,
) -> PCA:
    """Fit eigenfaces, rounded to the precision of the model file.

    Rounding before the SVM sees the coordinates makes the stored model the fitted one. A few
    eigenfaces of many are computed from the products of the faces with each other for up to 1,000
    faces (Turk and Pentland 1991), otherwise by block Krylov iteration (Musco and Musco 2015); many
    of them, or a share of the variance, by a full singular value decomposition.

    Parameters
    ----------
    scaled : ndarray of shape (n_faces, n_features), float32 or float64
        Faces after min-max scaling.
    n_components : int, float or None
        Number of eigenfaces, 1 or more, of which there are at most min(n_faces - 1, n_features);
        a share in (0, 1) keeps as many as explain more than this share of the variance; None keeps
        all.
    whiten : bool
        Scale coordinates to unit variance.
    seed : int
        Seed of the block Krylov iteration.
    sample_weight : ndarray of shape (n_faces,), optional
        Weight of each face, above 0; 1 if None. A face of weight 2 counts as two equal faces.

    Returns
    -------
    PCA
        Fitted, with components in half precision.

    Examples
    --------
    >>> faces = np.random.default_rng(0).normal(size=(20, 9))
    >>> fit_pca(faces, 4, whiten=True, seed=0).transform(faces).shape
    (20, 4)
    >>> fit_pca(faces, None, whiten=True, seed=0).n_components_
    9
    """
    share = n_components if n_components is not None and n_components < 1 else None
    whole = None if share else n_components
    most = min(scaled.shape[0] - 1, scaled.shape[1])
    most = max(1, most if whole is None else min(int(whole), most))
    pca = PCA(most, whiten=whiten, svd_solver="full", random_state=seed)
    size = most // 3 + 16
    few = len(scaled) <= min(FEW, scaled.shape[1])
    # Both short ways cost more than a full decomposition where they would build most of a basis.
    if (2 * most if few else BLOCKS * size) >= min(scaled.shape):
        if sample_weight is None:
            pca.fit(scaled)
        else:
            _fit_leading(pca, scaled, _find_by_svd, sample_weight)
    elif few:
        _fit_leading(pca, scaled, _find_by_products, sample_weight)
    else:
        _fit_leading(pca, scaled, partial(_find_by_krylov, size=size), sample_weight)
    if share:
        _keep_share(pca, share)
    pca.components_ = pca.components_.astype(np.float16).astype(scaled.dtype)
    if whiten:  # a constant direction would be divided by zero, or show rounding errors
        smallest = CONSTANT * max(pca.explained_variance_[0], 1e-12)
        pca.explained_variance_ = np.maximum(pca.explained_variance_, smallest)
    return pca


def _keep_share(pca: PCA, share: float) -> None:
    """Keep the leading eigenfaces that explain more than a share of the variance."""
    reached = np.cumsum(pca.explained_variance_ratio_, dtype=np.float64)
    count = min(int(np.searchsorted(reached, share, side="right")) + 1, len(reached))
    for name in ("components_", "explained_variance_", "explained_variance_ratio_"):
        setattr(pca, name, getattr(pca, name)[:count])
    pca.n_components_ = count


def _fit_leading(
    pca: PCA, scaled: np.ndarray, find: Finder, sample_weight: np.ndarray | None
) -> None:
    """Fit the leading eigenfaces that a method finds, with the signs and figures of `PCA`."""
    rows: np.ndarray
    if sample_weight is None:
        count: float = len(scaled)
        exact = scaled.mean(axis=0, dtype=np.float64)
        rows, offset = scaled, exact
    else:
        # Repeating a face w times adds w times its outer product to the scatter matrix, as one row
        # that is sqrt(w) times as long does. Such rows must be centred before they are weighted.
        count = float(sample_weight.sum())
        exact = sample_weight @ scaled / count
        rows = ((scaled - exact) * np.sqrt(sample_weight)[:, None]).astype(scaled.dtype)
        offset = np.zeros_like(exact)
    freedom = max(count - 1, count / 2)  # weights may sum to less than two faces
    values, components = find(rows, offset.astype(scaled.dtype), pca)
    peaks = np.abs(components).argmax(axis=1)[:, None]
    variance = np.maximum(values, 0).astype(scaled.dtype)
    pca.components_ = components * np.sign(np.take_along_axis(components, peaks, axis=1))
    pca.explained_variance_ = variance / freedom
    squares = np.einsum("ij,ij->", rows, rows, dtype=np.float64)
    total = (squares - count * offset @ offset) / freedom
    pca.explained_variance_ratio_ = pca.explained_variance_ / max(total, 1e-12)
    pca.mean_ = exact.astype(scaled.dtype)
    pca.n_components_, pca.n_features_in_ = pca.n_components, scaled.shape[1]


def _find_by_svd(scaled: np.ndarray, mean: np.ndarray, pca: PCA) -> tuple[np.ndarray, np.ndarray]:
    """Return sums of squares along the leading eigenfaces, and these."""
    _, values, components = svd(scaled - mean, full_matrices=False)
    return values[: pca.n_components] ** 2, components[: pca.n_components]


def _find_by_products(
    scaled: np.ndarray, mean: np.ndarray, pca: PCA
) -> tuple[np.ndarray, np.ndarray]:
    """Return the same from the products of the faces with each other (Turk and Pentland 1991)."""
    centred, most = scaled - mean, pca.n_components
    values, vectors = np.linalg.eigh((centred @ centred.T).astype(np.float64))
    # An eigenvector v of A A' gives the eigenvector A'v of A'A; eigh sorts them ascending.
    leading = vectors[:, : -most - 1 : -1].astype(centred.dtype)
    return values[: -most - 1 : -1], np.linalg.qr(centred.T @ leading)[0].T


def _find_by_krylov(
    scaled: np.ndarray, mean: np.ndarray, pca: PCA, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the same for the best eigenfaces in the span of a few power iterations.

    The basis is a random block and its images under repeated products with the scatter matrix.
    Randomized decomposition (Halko, Martinsson and Tropp 2011) keeps the last image only; the span
    of all of them contains better eigenfaces at the same number of passes over the faces.
    """
    n_faces, n_features = scaled.shape
    rng = np.random.default_rng(pca.random_state)
    block = rng.standard_normal((n_features, size)).astype(scaled.dtype)
    basis = np.empty((n_features, BLOCKS * size), dtype=scaled.dtype, order="F")
    image = np.empty((n_faces, BLOCKS * size), dtype=scaled.dtype, order="F")
    for start in range(0, BLOCKS * size, size):
        known, new = basis[:, :start], slice(start, start + size)
        # After the first iterations a block lies almost within the known span, so that one
        # projection leaves mostly rounding errors: they are projected and normalised again.
        for _ in range(3):
            block -= known @ (known.T @ block)
            block = qr(block, mode="economic", overwrite_a=True, check_finite=False)[0]
        # Faces are centred in the products, so that no copy of them is made.
        basis[:, new], image[:, new] = block, scaled @ block - mean @ block
        block = scaled.T @ image[:, new] - np.outer(mean, image[:, new].sum(axis=0))
    # Rayleigh-Ritz: within the span, the scatter matrix is that of the faces' coordinates.
    values, vectors = np.linalg.eigh((image.T @ image).astype(np.float64))
    leading = vectors[:, : -pca.n_components - 1 : -1].astype(scaled.dtype)
    return values[: -pca.n_components - 1 : -1], (basis @ leading).T


def measure_spread(
    Z: np.ndarray, y: np.ndarray, classes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Measure how the leading coordinates of each label spread.

    Parameters
    ----------
    Z : ndarray of shape (n_faces, n_components), float
        Coordinates of the training faces.
    y : ndarray of shape (n_faces,)
        Labels.
    classes : ndarray of shape (n_labels,)
        Labels in the order of the result.

    Returns
    -------
    mean : ndarray of shape (n_labels, k), float32
        Mean coordinates; k is at most `SPREAD_COMPONENTS`.
    factor : ndarray of shape (n_labels, k, k), float32
        ``factor @ factor.T`` is the covariance matrix.
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
