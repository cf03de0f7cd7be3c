"""How far a share that was counted may be from the true one, and how far groups are apart."""

from collections.abc import Mapping
from typing import Any, TypedDict

import numpy as np

LEAST_PHOTOS = 50  # a group with fewer photos is not compared with others


class Gap(TypedDict):
    """The largest difference in accuracy between two groups of photos."""

    gap: float  # best minus worst, in [0, 1]
    best: str  # name of the group
    worst: str


def wilson(right: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """Return the Wilson 95% interval of a share (Wilson 1927).

    Parameters
    ----------
    right : int
        Successes, at least 0.
    n : int
        Trials, at least `right`.
    z : float
        Quantile of the standard normal distribution; the default gives 95%.

    Returns
    -------
    low, high : float
        In [0, 1]; (0, 1) without a trial.

    Examples
    --------
    >>> low, high = wilson(90, 100)
    >>> round(low, 3), round(high, 3)
    (0.826, 0.945)
    """
    if n == 0:
        return 0.0, 1.0
    p = right / n
    # The shares whose own spread, z standard errors, just reaches p: the two roots of a quadratic
    # equation. Unlike p plus or minus z standard errors they stay in [0, 1], and 0 errors among
    # few photos do not give an interval of width 0.
    centre = p + z * z / (2 * n)
    half = z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return max(0.0, float((centre - half) / scale)), min(1.0, float((centre + half) / scale))


def newcombe(first: tuple[int, int], second: tuple[int, int]) -> tuple[float, float]:
    """Return the 95% interval of the difference between two shares (Newcombe 1998).

    Parameters
    ----------
    first, second : tuple of int
        Successes and trials of two independent groups.

    Returns
    -------
    low, high : float
        Of the first share minus the second, in [-1, 1]; (-1, 1) without a trial in one of them.

    Examples
    --------
    >>> low, high = newcombe((56, 70), (48, 80))
    >>> round(low, 4), round(high, 4)
    (0.0524, 0.3339)
    """
    if not first[1] or not second[1]:
        return -1.0, 1.0
    p, q = first[0] / first[1], second[0] / second[1]
    (low_p, high_p), (low_q, high_q) = wilson(*first), wilson(*second)
    # The differences add up as squares, as in `balanced_interval`: down to the lower limit of the
    # one and up to the upper limit of the other.
    return (
        p - q - float(np.hypot(p - low_p, high_q - q)),
        p - q + float(np.hypot(high_p - p, q - low_q)),
    )


def largest_gap(groups: Mapping[str, Mapping[str, Any]]) -> Gap | None:
    """Find the two groups whose accuracies over all photos differ most.

    Parameters
    ----------
    groups : mapping of str to mapping
        By name of the group, n (number of its photos) and accuracy_all (in [0, 1]). Groups of fewer
        than `LEAST_PHOTOS` photos are ignored.

    Returns
    -------
    Gap or None
        None where fewer than two groups are left.

    Examples
    --------
    >>> groups = {"20-39": {"n": 80, "accuracy_all": 0.9}, "60+": {"n": 70, "accuracy_all": 0.75}}
    >>> largest_gap(groups)
    {'gap': 0.15, 'best': '20-39', 'worst': '60+'}
    """
    large = [(f["accuracy_all"], name) for name, f in groups.items() if f["n"] >= LEAST_PHOTOS]
    if len(large) < 2:
        return None
    (high, best), (low, worst) = max(large), min(large)
    return {"gap": round(high - low, 4), "best": best, "worst": worst}
