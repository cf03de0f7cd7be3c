"""How far a share that was counted may be from the true one."""

import numpy as np


def wilson(right: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """Return the Wilson 95 % interval of a share (Wilson 1927).

    Parameters
    ----------
    right : int
        Successes.
    n : int
        Trials.
    z : float
        Standard normal quantile.

    Returns
    -------
    low, high : float
        In [0, 1].
    """
    if n == 0:
        return 0.0, 1.0
    p = right / n
    centre = p + z * z / (2 * n)
    half = z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return max(0.0, float((centre - half) / scale)), min(1.0, float((centre + half) / scale))
