"""Express a kernel machine on cluster centres, so that a shipped model holds no person's face.

A support vector of a pixel model can be drawn back into the photo that it came from. The mean of
several persons' faces cannot. The formula and the file stay the same: kernel vectors and
coefficients (reduced set method, Burges 1996).
"""

from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.linalg import cho_factor, cho_solve
from sklearn.cluster import KMeans

from facecore.errors import DataError
from facecore.model import FaceModel, mirror
from facecore.search import rbf

MIN_FACES = 5
MIN_PERSONS = 3
RIDGE = 1e-4


def on_centres(
    model: FaceModel,
    X: np.ndarray,
    groups: np.ndarray,
    *,
    count: int = 2000,
    seed: int = 0,
    mixtures: int = 4000,
) -> FaceModel:
    """Return the model with cluster centres of face space as kernel vectors.

    The coefficients are fitted by ridge regression to the exact machine's decisions at the
    training faces, at their mirror images where the recipe uses them, and between faces.

    Parameters
    ----------
    model : FaceModel
        With one member whose features are pixels.
    X : ndarray of shape (n_faces, side * side), uint8 grey levels
        Training faces.
    groups : ndarray of shape (n_faces,)
        Persons.
    count : int
        Clusters to start from; those with fewer than `MIN_FACES` faces or `MIN_PERSONS`
        persons are dissolved.
    seed : int
    mixtures : int
        Points between two faces that take part in the fit.

    Returns
    -------
    FaceModel
    """
    (member,) = model.members
    Z = member.coordinates(X)
    centres = cluster_centres(Z, groups, count, seed)
    # Where the model averages over a face and its mirror image, that mean is what is fitted.
    views = [Z, member.coordinates(mirror(X))] if model.recipe.get("mirror") else [Z]
    rng = np.random.default_rng(seed)
    mixing = rng.integers(0, len(Z), (2, mixtures)), rng.random((mixtures, 1))
    views = [np.concatenate([view, _mix(view, *mixing)]) for view in views]
    K = np.asarray(sum(rbf(view, centres, member.gamma) for view in views)) / len(views)
    target = np.asarray(sum(member.decide(view) for view in views)) / len(views)
    intercept = target.mean(axis=0)
    gram = K.T @ K
    gram[np.diag_indices_from(gram)] += RIDGE * len(K) / len(centres)
    coefficients = cho_solve(cho_factor(gram), K.T @ (target - intercept))
    small = replace(member, kernel_vectors=centres, coefficients=coefficients, intercept=intercept)
    return replace(model, members=(small,))


def cluster_centres(Z: np.ndarray, groups: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Return k-means centres, each the mean of several faces of several persons.

    Parameters
    ----------
    Z : ndarray of shape (n_faces, n_components)
    groups : ndarray of shape (n_faces,)
        Persons.
    count : int
        At most; clusters that are too small are dissolved and their faces join the nearest
        others.
    seed : int

    Returns
    -------
    ndarray of shape (n_centres, n_components), float32

    Raises
    ------
    DataError
        There are too few faces for even one such cluster.
    """
    codes = pd.factorize(groups)[0]
    if len(Z) < MIN_FACES or len(np.unique(codes)) < MIN_PERSONS:
        raise DataError(
            f"cluster centres need {MIN_FACES} faces of {MIN_PERSONS} persons; "
            "train without --centres"
        )
    start = KMeans(
        min(count, len(Z) // MIN_FACES), init="random", n_init=1, max_iter=20, random_state=seed
    )
    centres = start.fit(Z).cluster_centers_
    while True:
        nearest = _nearest(Z, centres)
        members = pd.DataFrame({"cluster": nearest, "person": codes}).groupby("cluster")["person"]
        sizes = members.agg(["size", "nunique"]).reindex(range(len(centres)), fill_value=0)
        good = ((sizes["size"] >= MIN_FACES) & (sizes["nunique"] >= MIN_PERSONS)).to_numpy()
        if good.all():
            sums = np.zeros((len(centres), Z.shape[1]))
            np.add.at(sums, nearest, Z)
            return (sums / sizes["size"].to_numpy()[:, None]).astype(np.float32)
        # Dissolve the smaller half of the bad ones, then look again who is still too small.
        bad = np.flatnonzero(~good)
        worst = bad[np.argsort(sizes["size"].to_numpy()[bad], kind="stable")]
        drop = worst[: max(1, len(worst) // 2)] if len(bad) < len(centres) else worst[:-1]
        if not len(drop):
            return Z.mean(axis=0, keepdims=True).astype(np.float32)
        centres = np.delete(centres, drop, axis=0)


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
    squares = (Z**2).sum(axis=1)
    between = _squared(sample, Z, squares)
    between.partition(1, axis=1)
    typical = np.median(np.sqrt(np.maximum(between[:, 1], 0)))
    nearest = np.sqrt(np.maximum(_squared(vectors, Z, squares).min(axis=1), 0))
    return int((nearest < 0.1 * typical).sum())


def _nearest(Z: np.ndarray, centres: np.ndarray) -> np.ndarray:
    return _squared(Z, centres, (centres**2).sum(axis=1)).argmin(axis=1)


def _squared(A: np.ndarray, B: np.ndarray, squares: np.ndarray) -> np.ndarray:
    A, B = A.astype(np.float64), B.astype(np.float64)
    return (A**2).sum(axis=1)[:, None] - 2 * A @ B.T + squares


def _mix(Z: np.ndarray, pairs: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Return points between two faces each, which fill the space among the faces."""
    return share * Z[pairs[0]] + (1 - share) * Z[pairs[1]]
