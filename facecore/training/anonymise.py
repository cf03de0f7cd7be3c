"""Express a kernel machine on cluster centres, so that a shipped model holds no person's face.

A support vector of a pixel model can be drawn back into the photo that it came from. The mean of
several persons' faces cannot. The formula and the file stay the same: kernel vectors and
coefficients (reduced set method, Burges 1996).
"""

from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.linalg import cho_factor, cho_solve

from facecore.errors import DataError
from facecore.face.prepare import mirror
from facecore.model.classifier import FaceModel, Member
from facecore.training.kernels import mirror_kernel

MIN_FACES = 5
MIN_PERSONS = 3
SHARE = 0.6  # of the number of faces: no more clusters than that
RIDGE = 1e-6
BLOCK = 4096


def on_centres(
    model: FaceModel,
    X: np.ndarray,
    groups: np.ndarray,
    *,
    count: int = 8000,
    seed: int = 0,
    mixtures: int = 16000,
) -> FaceModel:
    """Return the model with cluster centres of face space as kernel vectors.

    The coefficients are fitted by ridge regression to the exact machine's decisions at the
    training faces, at their mirror images where the recipe uses them, and between faces.

    Parameters
    ----------
    model : FaceModel
    X : ndarray of shape (n_faces, side * side), uint8 grey levels
        Training faces.
    groups : ndarray of shape (n_faces,)
        Persons.
    count : int
        About how many, as `cluster_faces` takes it.
    seed : int
    mixtures : int
        Points between two faces that take part in the fit.

    Returns
    -------
    FaceModel
    """
    views = [X, mirror(X)] if model.recipe.get("mirror") else [X]
    members = tuple(
        _reduce(member, [member.coordinates(view) for view in views], groups, count, seed, mixtures)
        for member in model.members
    )
    return replace(model, members=members)


def _reduce(
    member: Member,
    views: list[np.ndarray],
    groups: np.ndarray,
    count: int,
    seed: int,
    mixtures: int,
) -> Member:
    Z = views[0]
    clusters = cluster_faces(Z, groups, count, seed)
    # stored in half precision, so fitted in it as well
    centres = np.array([Z[rows].mean(axis=0) for rows in clusters], dtype=np.float16)
    # Where the model averages over a face and its mirror image, that mean is what is fitted.
    rng = np.random.default_rng(seed)
    mixing = rng.integers(0, len(Z), (2, mixtures)), rng.random((mixtures, 1))
    views = [np.concatenate([view, _mix(view, *mixing)]) for view in views]
    K = mirror_kernel(
        [view.astype(np.float64) for view in views], [centres.astype(np.float64)], member.gamma
    )
    target = np.asarray(sum(member.decide(view) for view in views)) / len(views)
    intercept = target.mean(axis=0)
    gram = K.T @ K
    gram[np.diag_indices_from(gram)] += RIDGE * len(K) / len(centres)
    coefficients = cho_solve(cho_factor(gram), K.T @ (target - intercept))
    return replace(member, kernel_vectors=centres, coefficients=coefficients, intercept=intercept)


def cluster_faces(Z: np.ndarray, groups: np.ndarray, count: int, seed: int) -> list[np.ndarray]:
    """Cut faces into small clusters, none of them of one or two persons only.

    Faces are halved again and again at the median along the line between two random members
    (a random projection tree, Dasgupta and Freund 2008) down to clusters of `MIN_FACES` to
    ``2 * MIN_FACES - 1`` faces. Several trees cut differently. There are always fewer clusters
    than faces, so that the faces do not follow from the means, not even for someone who knows
    which face is in which cluster.

    Parameters
    ----------
    Z : ndarray of shape (n_faces, n_components)
    groups : ndarray of shape (n_faces,)
        Persons.
    count : int
        Trees are added while they bring the clusters nearer to this number; one is always made.
    seed : int

    Returns
    -------
    list of ndarray of int
        Rows of each cluster.

    Raises
    ------
    DataError
        There are too few faces or persons for even one such cluster.
    """
    codes = pd.factorize(groups)[0]
    if len(Z) < MIN_FACES or len(np.unique(codes)) < MIN_PERSONS:
        raise DataError(
            f"cluster centres need {MIN_FACES} faces of {MIN_PERSONS} persons; "
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
    """Halve a cluster until its halves would be too small or of too few persons."""
    if len(rows) < 2 * MIN_FACES:
        return [rows]
    first, second = rng.choice(rows, 2, replace=False)
    order = rows[np.argsort(Z[rows] @ (Z[first] - Z[second]), kind="stable")]
    halves = order[: len(order) // 2], order[len(order) // 2 :]
    if min(len(np.unique(codes[half])) for half in halves) < MIN_PERSONS:
        return [rows]
    return [leaf for half in halves for leaf in _cut(Z, codes, half, rng)]


def leads_back(vectors: np.ndarray, Z: np.ndarray) -> int:
    """Count kernel vectors that lead back to one training face.

    A vector leads back when it lies ten times nearer to a training face than training faces
    typically lie to each other (median distance to the nearest other face).

    Parameters
    ----------
    vectors : ndarray of shape (n_vectors, n_components)
    Z : ndarray of shape (n_faces, n_components)
        Training faces.

    Returns
    -------
    int
    """
    sample = Z[:: max(1, len(Z) // 1000)]
    between = _nearest(sample, Z, 2)[:, 1] if len(Z) > 1 else np.zeros(1)
    typical = np.median(np.sqrt(np.maximum(between, 0)))
    nearest = np.sqrt(np.maximum(_nearest(vectors, Z, 1)[:, 0], 0))
    return int((nearest < 0.1 * typical).sum())


def _nearest(A: np.ndarray, Z: np.ndarray, count: int) -> np.ndarray:
    """Return squared distances to the nearest few of Z, ascending, some of Z at a time."""
    best = np.full((len(A), count), np.inf)
    for start in range(0, len(Z), BLOCK):
        part = Z[start : start + BLOCK]
        found = np.hstack([best, _squared(A, part, (part**2).sum(axis=1))])
        best = np.sort(np.partition(found, count - 1, axis=1)[:, :count], axis=1)
    return best


def _squared(A: np.ndarray, B: np.ndarray, squares: np.ndarray) -> np.ndarray:
    A, B = A.astype(np.float64), B.astype(np.float64)
    return (A**2).sum(axis=1)[:, None] - 2 * A @ B.T + squares


def _mix(Z: np.ndarray, pairs: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Return points between two faces each, which fill the space among the faces."""
    return share * Z[pairs[0]] + (1 - share) * Z[pairs[1]]
