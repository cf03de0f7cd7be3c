"""Two classifiers on the same photos: is the difference between them more than chance?"""

import numpy as np


def mcnemar(first: np.ndarray, second: np.ndarray) -> float:
    """Return the p value of McNemar's exact test (McNemar 1947).

    Only photos that one of the two has right and the other wrong count; under the hypothesis that
    the two are equally good, each of these is the toss of a fair coin.

    Parameters
    ----------
    first, second : ndarray of shape (n_photos,), bool
        Whether each is right, photo by photo.

    Returns
    -------
    float
        Two-sided, in [0, 1]; 1 where they never differ.
    """
    from scipy.stats import binomtest

    better, worse = _apart(first, second)
    return float(binomtest(better, better + worse).pvalue) if better + worse else 1.0


def difference_interval(
    first: np.ndarray,
    second: np.ndarray,
    persons: np.ndarray,
    *,
    seed: int = 0,
    draws: int = 5000,
) -> tuple[float, float]:
    """Return the 95 % interval of the difference between two accuracies.

    A percentile bootstrap (Efron 1979) that draws persons, with all their photos, because several
    photos of one person are no independent evidence.

    Parameters
    ----------
    first, second : ndarray of shape (n_photos,), bool
        Whether each is right, photo by photo.
    persons : ndarray of shape (n_photos,), str
        Who is in each photo.
    seed : int
    draws : int

    Returns
    -------
    low, high : float
        Of accuracy of `first` minus accuracy of `second`, in [-1, 1]; NaN without a photo.
    """
    if not len(first):
        return float("nan"), float("nan")
    _, who = np.unique(persons, return_inverse=True)
    gained = np.bincount(who, first.astype(float) - second.astype(float))
    photos = np.bincount(who)
    rng, n = np.random.default_rng(seed), len(photos)
    drawn = np.empty(draws)
    for i in range(draws):
        sample = rng.integers(n, size=n)
        drawn[i] = gained[sample].sum() / photos[sample].sum()
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)


def compare_classifiers(
    first: np.ndarray, second: np.ndarray, persons: np.ndarray, *, seed: int = 0
) -> dict[str, float | int | list[float]]:
    """Compare two classifiers on the same photos.

    Parameters
    ----------
    first, second : ndarray of shape (n_photos,), bool
        Whether each is right, photo by photo; at least one photo.
    persons : ndarray of shape (n_photos,), str
        Who is in each photo.
    seed : int

    Returns
    -------
    dict
        difference (accuracy of `first` minus accuracy of `second`), interval (its 95 % interval),
        only_first, only_second (photos that one alone has right), p (`mcnemar`).
    """
    better, worse = _apart(first, second)
    return {
        "difference": round(float(first.mean() - second.mean()), 4),
        "interval": [
            round(limit, 4) for limit in difference_interval(first, second, persons, seed=seed)
        ],
        "only_first": better,
        "only_second": worse,
        "p": float(f"{mcnemar(first, second):.3g}"),
    }


def _apart(first: np.ndarray, second: np.ndarray) -> tuple[int, int]:
    return int((first & ~second).sum()), int((second & ~first).sum())
