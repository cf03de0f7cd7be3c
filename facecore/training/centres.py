"""Cluster centres of face space, so that a shipped model holds no one's face.

A support vector of a pixel model can be drawn back into the photo that it came from. The mean of
several subjects' faces cannot. The formula and the file stay the same: kernel vectors and
coefficients (reduced set method, Burges 1996).
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.linalg import cho_factor, cho_solve

from facecore.errors import DataError
from facecore.model.classifier import Member
from facecore.training.kernels import mirror_kernel, squared_distances

MIN_FACES = 5
MIN_SUBJECTS = 3
SHARE = 0.6  # upper limit of clusters per face
PENALTY = 0.03  # on the squared norm of the function, where a squared error counts 1
RIDGE = 1e-9  # by the mean of the diagonal
MIXTURES = 16_000  # points between two faces that take part in the fit
BLOCK = 4096  # faces that distances are computed to at once


def put_on_centres(
    member: Member,
    views: Sequence[np.ndarray],
    subjects: np.ndarray,
    count: int,
    seed: int,
) -> Member:
    """Return a member with cluster centres of face space as kernel vectors.

    The coefficients are fitted to the machine's decisions at the training faces and between faces,
    by least squares with a penalty on the norm of the function in the space of the kernel.

    Parameters
    ----------
    member : Member
        Fitted to these faces.
    views : sequence of ndarray of shape (n_faces, n_components), float
        Coordinates of the training faces, one array per view; of several views the mean decision
        is fitted.
    subjects : ndarray of shape (n_faces,)
        Who is in each photo.
    count : int
        About how many centres, as `cluster_faces` takes it.
    seed : int
        Seed of the clusters and of the points between faces.

    Returns
    -------
    Member
        With other kernel vectors, coefficients and intercepts.

    Raises
    ------
    DataError
        There are too few faces or subjects for a cluster.
    """
    Z = views[0]
    stored = mean_faces(Z, cluster_faces(Z, subjects, count, seed))
    centres = [stored.astype(np.float64)]
    rng = np.random.default_rng(seed)
    mixing = rng.integers(0, len(Z), (2, MIXTURES)), rng.random((MIXTURES, 1))
    points = [np.concatenate([view, _mix(view, *mixing)]) for view in views]
    target = np.asarray(sum(member.decide(view) for view in points)) / len(points)
    intercept = target.mean(axis=0)
    K = mirror_kernel([view.astype(np.float64) for view in points], centres, member.gamma)
    gram = K.T @ K + PENALTY * mirror_kernel(centres, centres, member.gamma)
    # Centres that lie close together make the equations nearly singular.
    gram[np.diag_indices_from(gram)] += RIDGE * np.trace(gram) / len(gram)
    coefficients = cho_solve(cho_factor(gram), K.T @ (target - intercept))
    return replace(member, kernel_vectors=stored, coefficients=coefficients, intercept=intercept)


def mean_faces(Z: np.ndarray, clusters: Sequence[np.ndarray]) -> np.ndarray:
    """Return the centre of each cluster.

    Parameters
    ----------
    Z : ndarray of shape (n_faces, n_components), float
        Coordinates of the faces.
    clusters : sequence of ndarray of int
        Rows of each cluster, as `cluster_faces` returns them.

    Returns
    -------
    ndarray of shape (n_clusters, n_components), float16
        In the precision in which they are stored, so that a machine is fitted to what it will have.
    """
    return np.array([Z[rows].mean(axis=0) for rows in clusters], dtype=np.float16)


def cluster_faces(Z: np.ndarray, subjects: np.ndarray, count: int, seed: int) -> list[np.ndarray]:
    """Cut faces into small clusters, each of `MIN_SUBJECTS` subjects or more.

    Faces are halved again and again at the median along the line between two random members
    (a random projection tree, Dasgupta and Freund 2008) down to clusters of `MIN_FACES` to
    ``2 * MIN_FACES - 1`` faces. Several trees cut differently. There are always fewer clusters
    than faces, so that the faces do not follow from the means, not even for someone who knows
    the cluster of every face.

    Parameters
    ----------
    Z : ndarray of shape (n_faces, n_components), float
        Coordinates of the faces.
    subjects : ndarray of shape (n_faces,)
        Who is in each photo.
    count : int
        Trees are added while they bring the number of clusters nearer to this; one is always made.
    seed : int
        Seed of the trees.

    Returns
    -------
    list of ndarray of int
        Rows of each cluster.

    Raises
    ------
    DataError
        There are too few faces or subjects for one cluster.

    Examples
    --------
    >>> Z = np.random.default_rng(0).normal(size=(30, 2))
    >>> clusters = cluster_faces(Z, np.arange(30) // 2, count=3, seed=0)
    >>> sorted(len(rows) for rows in clusters)
    [7, 7, 8, 8]
    """
    codes = pd.factorize(subjects)[0]
    if len(Z) < MIN_FACES or len(np.unique(codes)) < MIN_SUBJECTS:
        raise DataError(
            f"cluster centres need {MIN_FACES} faces of {MIN_SUBJECTS} subjects; "
            "train without --centres"
        )
    rng = np.random.default_rng(seed)
    clusters: list[np.ndarray] = []
    while True:
        tree = _cut(Z, codes, np.arange(len(Z)), rng)
        clusters += tree
        if len(clusters) + len(tree) / 2 > count or len(clusters) + len(tree) > SHARE * len(Z):
            return clusters


def _cut(
    Z: np.ndarray, codes: np.ndarray, rows: np.ndarray, rng: np.random.Generator
) -> list[np.ndarray]:
    """Halve a cluster until its halves would be too small or of too few subjects."""
    if len(rows) < 2 * MIN_FACES:
        return [rows]
    first, second = rng.choice(rows, 2, replace=False)
    order = rows[np.argsort(Z[rows] @ (Z[first] - Z[second]), kind="stable")]
    halves = order[: len(order) // 2], order[len(order) // 2 :]
    if min(len(np.unique(codes[half])) for half in halves) < MIN_SUBJECTS:
        return [rows]
    return [leaf for half in halves for leaf in _cut(Z, codes, half, rng)]


def count_traceable(vectors: np.ndarray, Z: np.ndarray) -> int:
    """Count the kernel vectors that can be traced to one training face.

    A vector can be traced when it lies ten times nearer to a training face than training faces
    typically lie to each other (median distance to the nearest other face).

    Parameters
    ----------
    vectors : ndarray of shape (n_vectors, n_components), float
        Kernel vectors.
    Z : ndarray of shape (n_faces, n_components), float
        Coordinates of the training faces.

    Returns
    -------
    int
        From 0 to n_vectors.

    Examples
    --------
    >>> Z = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    >>> count_traceable(np.array([[0.001, 0.0], [0.4, 0.4]]), Z)
    1
    """
    sample = Z[:: max(1, len(Z) // 1000)]
    between = _nearest(sample, Z, 2)[:, 1] if len(Z) > 1 else np.zeros(1)
    typical = np.median(np.sqrt(between))
    nearest = np.sqrt(_nearest(vectors, Z, 1)[:, 0])
    return int((nearest < 0.1 * typical).sum())


def _nearest(A: np.ndarray, Z: np.ndarray, count: int) -> np.ndarray:
    """Return squared distances to the nearest few of Z, ascending, some of Z at a time."""
    A, best = A.astype(np.float64), np.full((len(A), count), np.inf)
    for start in range(0, len(Z), BLOCK):
        part = Z[start : start + BLOCK].astype(np.float64)
        found = np.hstack([best, squared_distances(A, part)])
        best = np.sort(np.partition(found, count - 1, axis=1)[:, :count], axis=1)
    return best


def _mix(Z: np.ndarray, pairs: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Return points between two faces each, which fill the space among the faces."""
    return np.asarray(share * Z[pairs[0]] + (1 - share) * Z[pairs[1]])
