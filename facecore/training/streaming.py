"""Min-max and eigenfaces of faces that stay on disk, from statistics of shards that add up.

Every pass over the faces is a sum: each shard gives its statistics, `merge` joins two of them, and
neither the cuts between shards nor the place where a shard was read matter.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import joblib
import numpy as np

from facecore.errors import DataError
from facecore.face.features import WHOLE, Features
from facecore.face.prepare import mirror
from facecore.model.classifier import Member
from facecore.system.threads import on_one_thread
from facecore.system.workers import in_parallel
from facecore.training.eigenfaces import CONSTANT, as_float

CHUNK = 1024  # faces that are in memory at once
SHARD = 16 * CHUNK  # faces in a shard, at least
MOST_SHARDS = 256
OVERSAMPLES = 30  # directions that the range finder carries beyond the eigenfaces wanted
SAMPLE = 4096  # faces that the first steps of the range finder read
SAMPLE_STEPS, FULL_STEPS = 3, 2  # steps on the sample, then on all faces


@dataclass(frozen=True)
class Moments:
    """Statistics of each feature of a shard.

    Parameters
    ----------
    count : int
        Number of faces, 1 or more.
    minimum : ndarray of shape (n_features,)
        Smallest value of each feature, of the features' type.
    maximum : ndarray of shape (n_features,)
        Largest value of each feature, of the features' type.
    mean : ndarray of shape (n_features,), float64
        Mean of each feature.
    squares : ndarray of shape (n_features,), float64
        Sum of squared differences from the mean.
    """

    count: int
    minimum: np.ndarray
    maximum: np.ndarray
    mean: np.ndarray
    squares: np.ndarray


@dataclass(frozen=True)
class FacesOnDisk:
    """Prepared faces in a file, as one member of a model reads them.

    The file is mapped again for each chunk, so that pages already read do not stay in memory.

    Parameters
    ----------
    path : Path
        A ``.npy`` file of shape (n_faces, side * side), uint8.
    features : Features, optional
        What the member reads of a face; all pixels by default.
    mirrored : bool, default=False
        Mirror images count as further faces.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     np.save(f"{folder}/faces.npy", np.zeros((3, 16), dtype=np.uint8))
    ...     FacesOnDisk(Path(folder) / "faces.npy").read(np.array([0, 2])).shape
    (2, 16)
    """

    path: Path
    features: Features = WHOLE
    mirrored: bool = False

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Read the grey levels of some faces.

        Parameters
        ----------
        rows : ndarray of int
            Row numbers in the file.

        Returns
        -------
        ndarray of shape (n_rows, side * side), uint8
            Grey levels from 0 to 255.
        """
        return np.array(np.load(self.path, mmap_mode="r")[rows])

    def views(self, rows: np.ndarray) -> list[np.ndarray]:
        """Read the grey levels of some faces, and of their mirror images if these count.

        Parameters
        ----------
        rows : ndarray of int
            Row numbers in the file.

        Returns
        -------
        list of ndarray of shape (n_rows, side * side), uint8
            One array per view.
        """
        X = self.read(rows)
        return [X, mirror(X)] if self.mirrored else [X]


def row_chunks(rows: np.ndarray, size: int = CHUNK) -> Iterator[np.ndarray]:
    """Cut row numbers into chunks.

    Parameters
    ----------
    rows : ndarray of int
        Row numbers.
    size : int, optional
        Rows in a chunk, at most; `CHUNK` by default.

    Yields
    ------
    ndarray of int
        The next rows.

    Examples
    --------
    >>> [len(part) for part in row_chunks(np.arange(10), size=4)]
    [4, 4, 2]
    """
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def over_shards(
    function: Callable[..., Any], rows: np.ndarray, *per_row: np.ndarray, jobs: int = 1
) -> Iterator[Any]:
    """Call a function for every shard of the faces, on several worker processes.

    The cuts follow from the number of faces and the results come in their order, so sums of them do
    not depend on the workers.

    Parameters
    ----------
    function : callable
        Takes the rows of a shard, then its part of each array in `per_row`; can be pickled.
    rows : ndarray of int
        Row numbers of the faces.
    *per_row : ndarray of shape (n_rows, ...)
        What the function gets for each face.
    jobs : int, default=1
        Worker processes; -1 for one per core.

    Yields
    ------
    object
        Results of `function`, shard by shard.
    """
    size = max(SHARD, -(-len(rows) // MOST_SHARDS))
    tasks = (
        joblib.delayed(function)(rows[part], *(values[part] for values in per_row))
        for part in row_chunks(np.arange(len(rows)), size)
    )
    yield from in_parallel(tasks, jobs)


def moments(X: np.ndarray) -> Moments:
    """Compute the statistics of one shard.

    Parameters
    ----------
    X : ndarray of shape (n_faces, n_features), uint8 or float
        Features of the faces, one or more.

    Returns
    -------
    Moments
        Its sums are in double precision.
    """
    mean = X.mean(axis=0, dtype=np.float64)
    gaps = as_float(X) - mean.astype(np.float32)
    squares = np.einsum("ij,ij->j", gaps, gaps, dtype=np.float64)
    return Moments(len(X), X.min(axis=0), X.max(axis=0), mean, squares)


def merge(a: Moments, b: Moments) -> Moments:
    """Join the statistics of two shards (Chan, Golub and LeVeque 1983).

    Parameters
    ----------
    a : Moments
        Of one shard.
    b : Moments
        Of the other.

    Returns
    -------
    Moments
        As if both had been one shard.
    """
    count, gap = a.count + b.count, b.mean - a.mean
    return Moments(
        count,
        np.minimum(a.minimum, b.minimum),
        np.maximum(a.maximum, b.maximum),
        a.mean + gap * (b.count / count),
        a.squares + b.squares + gap**2 * (a.count * b.count / count),
    )


def merge_all(parts: Iterable[Moments]) -> Moments:
    """Join the statistics of any number of shards.

    Parameters
    ----------
    parts : iterable of Moments
        One per shard.

    Returns
    -------
    Moments
        Of all shards together.

    Raises
    ------
    DataError
        There is no shard.
    """
    total: Moments | None = None
    for part in parts:
        total = part if total is None else merge(total, part)
    if total is None:
        raise DataError("no face to measure")
    return total


def measure(faces: FacesOnDisk, rows: np.ndarray, jobs: int = 1) -> Moments:
    """Measure the features of faces, shard by shard.

    Parameters
    ----------
    faces : FacesOnDisk
        Where the faces are, and what is read of them.
    rows : ndarray of int
        Row numbers of the faces to measure.
    jobs : int, default=1
        Worker processes; -1 for one per core.

    Returns
    -------
    Moments
        Of these faces, and of their mirror images if these count.

    Raises
    ------
    DataError
        There is no face.
    """
    return merge_all(over_shards(partial(_measure_shard, faces), rows, jobs=jobs))


@on_one_thread
def _measure_shard(faces: FacesOnDisk, rows: np.ndarray) -> Moments:
    return merge_all(
        moments(faces.features.extract(view))
        for part in row_chunks(rows)
        for view in faces.views(part)
    )


def spread_along(scaled: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """Compute a shard's share of the product of the scatter matrix with a basis.

    The shares of several shards add up. The matrix itself, of 800 MB for 10,000 features, is never
    made.

    Parameters
    ----------
    scaled : ndarray of shape (n_faces, n_features), float
        Faces after min-max scaling, minus their mean.
    basis : ndarray of shape (n_features, k), float
        Directions, one per column.

    Returns
    -------
    ndarray of shape (n_features, k)
        In the precision of the faces and the basis.
    """
    return np.asarray(scaled.T @ (scaled @ basis))


def fit_eigenfaces(
    faces: FacesOnDisk,
    rows: np.ndarray,
    total: Moments,
    n_components: int,
    whiten: bool,
    seed: int = 0,
    jobs: int = 1,
) -> Member:
    """Fit eigenfaces in a few passes over the faces (Halko, Martinsson and Tropp 2011).

    Subspace iteration: it starts on a sample of the faces and ends on all of them.

    Parameters
    ----------
    faces : FacesOnDisk
        Where the faces are, and what is read of them.
    rows : ndarray of int
        Row numbers of the training faces.
    total : Moments
        Of those faces, as `measure` returns them.
    n_components : int
        Number of eigenfaces, 1 or more; fewer where the data have fewer.
    whiten : bool
        Scale coordinates to unit variance.
    seed : int, default=0
        Seed of the sample and of the first directions.
    jobs : int, default=1
        Worker processes; -1 for one per core. The result does not depend on it.

    Returns
    -------
    Member
        A face space without a machine: it has no kernel vector.
    """
    span = np.where(total.maximum > total.minimum, total.maximum - total.minimum.astype(float), 1)
    features, count = len(span), total.count
    most = max(1, min(n_components, count - 1, features))
    width = min(most + OVERSAMPLES, features)
    rng = np.random.default_rng(seed)
    space = Member(
        minimum=total.minimum.astype(np.float32),
        span=span.astype(np.float32),
        mean=((total.mean - total.minimum) / span).astype(np.float32),
        components=np.zeros((0, features), dtype=np.float16),
        deviation=np.ones(0, dtype=np.float32),
        variance=np.ones(0, dtype=np.float32),
        total_variance=float((total.squares / span**2).sum() / (count - 1)),
        kernel_vectors=np.zeros((0, most), dtype=np.float32),
        coefficients=np.zeros((0, 1)),
        intercept=np.zeros(1),
        gamma=1.0,
        features=faces.features,
    )
    # Each step multiplies the directions by the scatter matrix, which turns them towards the
    # eigenfaces. The first steps read a sample only: they turn random directions most of the way.
    basis = rng.standard_normal((features, width)).astype(np.float32)
    sample = np.sort(rng.choice(rows, min(SAMPLE, len(rows)), replace=False))
    for step in range(SAMPLE_STEPS + FULL_STEPS):
        basis = np.linalg.qr(basis)[0]
        spread = partial(_spread_shard, faces, space, basis)
        product = np.zeros(basis.shape)
        for share in over_shards(spread, sample if step < SAMPLE_STEPS else rows, jobs=jobs):
            product += share
        last, basis = basis, product.astype(np.float32)
    # Rayleigh-Ritz: turn the last directions to the eigenvectors of the scatter matrix within their
    # span. `product` is the scatter matrix times them, so turned it is one more step for free.
    values, turn = np.linalg.eigh(last.T.astype(np.float64) @ product)
    values, turn = values[::-1][:most], turn[:, ::-1][:, :most]
    components = np.linalg.qr(product @ turn)[0].T
    components *= np.sign(components[np.arange(most), np.abs(components).argmax(axis=1)])[:, None]
    smallest = CONSTANT * max(values[0], 1e-12) / (count - 1)
    variance = np.maximum(values / (count - 1), smallest)
    return replace(
        space,
        components=components.astype(np.float16),
        deviation=np.sqrt(variance if whiten else np.ones(most)).astype(np.float32),
        variance=variance.astype(np.float32),
    )


@on_one_thread
def _spread_shard(
    faces: FacesOnDisk, space: Member, basis: np.ndarray, rows: np.ndarray
) -> np.ndarray:
    product = np.zeros(basis.shape)
    for part in row_chunks(rows):
        for view in faces.views(part):
            product += spread_along(space.scale(view) - space.mean, basis)
    return product


def in_chunks(function: Callable[[np.ndarray], np.ndarray], X: np.ndarray) -> np.ndarray:
    """Apply a function of faces to some of them at a time, so that results of all fit in memory.

    Parameters
    ----------
    function : callable
        From rows of faces to rows of results.
    X : ndarray of shape (n_faces, n_features)
        Faces, one or more, in memory or mapped from a file.

    Returns
    -------
    ndarray of shape (n_faces, ...)
        Results of all faces.

    Examples
    --------
    >>> in_chunks(lambda rows: rows.sum(axis=1), np.ones((3, 4)))
    array([4., 4., 4.])
    """
    return np.concatenate([function(X[i : i + CHUNK]) for i in range(0, len(X), CHUNK)])
