"""Two classifiers on the same photos: is the difference between them more than chance?"""

from typing import TypedDict

import numpy as np

from facecore.evaluation.intervals import wilson


class Comparison(TypedDict):
    """How two classifiers differ on the same photos."""

    difference: float  # accuracy of the first minus that of the second, in [-1, 1]
    interval: list[float]  # 95% interval of the difference: low, high
    only_first: int  # photos that only the first gets right
    only_second: int
    p: float  # of McNemar's exact test, in [0, 1]


def mcnemar(first: np.ndarray, second: np.ndarray) -> float:
    """Compute the p value of McNemar's exact test (McNemar 1947).

    Only the photos count that one classifier gets right and the other wrong. If the two are equally
    good, each of these is the toss of a fair coin.

    Parameters
    ----------
    first, second : ndarray of shape (n_photos,), bool
        Whether each is right, photo by photo.

    Returns
    -------
    float
        Two-sided, in [0, 1]; 1 where the two never differ.

    Examples
    --------
    >>> first, second = np.arange(20) < 19, np.arange(20) < 14  # right on 19 and on 14 of 20
    >>> mcnemar(first, second)
    0.0625
    """
    from scipy.stats import binomtest

    better, worse = _apart(first, second)
    return float(binomtest(better, better + worse).pvalue) if better + worse else 1.0


def difference_interval(
    first: np.ndarray,
    second: np.ndarray,
    subjects: np.ndarray,
    *,
    seed: int = 0,
    draws: int = 5000,
) -> tuple[float, float]:
    """Compute the 95% interval of the difference between two accuracies.

    A percentile bootstrap (Efron 1979) that draws subjects, each with all photos, because several
    photos of one subject are not independent evidence.

    Parameters
    ----------
    first, second : ndarray of shape (n_photos,), bool
        Whether each is right, photo by photo.
    subjects : ndarray of shape (n_photos,), str
        Subject of each photo.
    seed : int
        Of the draws, at least 0.
    draws : int
        Number of bootstrap samples, at least 1.

    Returns
    -------
    low, high : float
        Of the accuracy of `first` minus that of `second`, in [-1, 1]; NaN without a photo.

    Examples
    --------
    >>> first, second = np.arange(100) < 90, np.arange(100) < 80
    >>> low, high = difference_interval(first, second, np.arange(100).astype(str))
    >>> 0 < low < 0.1 < high
    True
    """
    if not len(first):
        return float("nan"), float("nan")
    # A subject enters a sample with its sums alone: photos, and photos by which `first` leads. The
    # number of photos differs from sample to sample, and so the ratio is taken in each.
    _, subject = np.unique(subjects, return_inverse=True)
    gained = np.bincount(subject, first.astype(float) - second.astype(float))
    photos = np.bincount(subject)
    rng, n = np.random.default_rng(seed), len(photos)
    drawn = np.empty(draws)
    for i in range(draws):
        sample = rng.integers(n, size=n)
        drawn[i] = gained[sample].sum() / photos[sample].sum()
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)


def compare_classifiers(
    first: np.ndarray, second: np.ndarray, subjects: np.ndarray, *, seed: int = 0
) -> Comparison:
    """Compare two classifiers on the same photos.

    Parameters
    ----------
    first, second : ndarray of shape (n_photos,), bool
        Whether each is right, photo by photo; at least one photo.
    subjects : ndarray of shape (n_photos,), str
        Subject of each photo.
    seed : int
        Of `difference_interval`, at least 0.

    Returns
    -------
    Comparison
        A dict of numbers, ready for JSON.

    Examples
    --------
    >>> first, second = np.arange(20) < 19, np.arange(20) < 14  # right on 19 and on 14 of 20
    >>> found = compare_classifiers(first, second, np.arange(20).astype(str))
    >>> found["difference"], found["only_first"], found["only_second"], found["p"]
    (0.25, 5, 0, 0.0625)
    """
    better, worse = _apart(first, second)
    return {
        "difference": round(float(first.mean() - second.mean()), 4),
        "interval": [
            round(limit, 4) for limit in difference_interval(first, second, subjects, seed=seed)
        ],
        "only_first": better,
        "only_second": worse,
        "p": float(f"{mcnemar(first, second):.3g}"),
    }


def unpaired_interval(
    first: tuple[int, int], second: tuple[int, int]
) -> tuple[float, float, float]:
    """Compute the difference between two shares of different photos, with its 95% interval.

    The interval is made of the two Wilson intervals (Newcombe 1998, method 10). Where both shares
    are of the same photos, it is wider than it need be: `difference_interval` is for these.

    Parameters
    ----------
    first, second : tuple of int
        Photos that are right, and photos, of each; at least one photo.

    Returns
    -------
    difference, low, high : float
        First share minus second share, in [-1, 1], and the limits of the interval.

    Examples
    --------
    >>> difference, low, high = unpaired_interval((56, 70), (48, 80))  # an example of Newcombe's
    >>> round(difference, 4), round(low, 4), round(high, 4)
    (0.2, 0.0524, 0.3339)
    """
    (p, low, high), (q, least, most) = (
        (right / n, *wilson(right, n)) for right, n in (first, second)
    )
    return (
        p - q,
        p - q - float(np.hypot(p - low, most - q)),
        p - q + float(np.hypot(high - p, q - least)),
    )


def _apart(first: np.ndarray, second: np.ndarray) -> tuple[int, int]:
    return int((first & ~second).sum()), int((second & ~first).sum())
