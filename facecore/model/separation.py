"""How far apart an eigenface, or two of them, keep the labels: from the stored spread."""

from dataclasses import dataclass
from math import erf, sqrt

import numpy as np

from facecore.errors import DataError
from facecore.model.classifier import FaceModel


@dataclass(frozen=True)
class Separation:
    """How well one eigenface tells labels apart.

    Parameters
    ----------
    mean : float
        Mean over all pairs of labels of the probability that a face of the one label has more of
        the eigenface than a face of the other, taken the way round that makes it at least 1/2.
    best : float
        The same for the pair of labels that it tells apart best.
    more, less : str
        That pair: the label whose faces mostly have more of the eigenface, and the other.
    """

    mean: float
    best: float
    more: str
    less: str


def separate_labels(model: FaceModel) -> list[Separation]:
    """Return how well each eigenface alone tells the labels apart.

    It is the area under the ROC curve of the coordinate, computed from the mean and the variance
    of each label's coordinates as if these were normally distributed: ``Phi(|difference of the
    means| / sqrt(sum of the variances))``. With more than two labels it is averaged over all pairs
    (Hand and Till 2001).

    Parameters
    ----------
    model : FaceModel
        A model with eigenfaces that stores the spread of its coordinates.

    Returns
    -------
    list of Separation
        One per eigenface whose spread is stored, in order.

    Raises
    ------
    DataError
        The model stores no spread.

    Examples
    --------
    >>> from facecore.model import load_model
    >>> found = separate_labels(load_model("classic"))
    >>> len(found), all(0.5 <= one.mean <= one.best <= 1 for one in found)
    (100, True)
    """
    means, factors = _spread(model)
    variances = (factors**2).sum(axis=2)
    i, j = np.triu_indices(len(model.labels), 1)
    scale = np.sqrt(np.maximum(variances[i] + variances[j], 1e-300))
    apart = (means[i] - means[j]) / scale  # (n_pairs, k)
    areas = np.vectorize(_below)(np.abs(apart))
    found = []
    for k in range(means.shape[1]):
        pair = int(areas[:, k].argmax())
        first, second = model.labels[i[pair]], model.labels[j[pair]]
        more, less = (first, second) if apart[pair, k] >= 0 else (second, first)
        found.append(Separation(float(areas[:, k].mean()), float(areas[pair, k]), more, less))
    return found


def best_pair(model: FaceModel, count: int) -> tuple[int, int]:
    """Return the two eigenfaces that together tell the labels apart best.

    Best is the pair with the largest variance between the labels in units of that within a label:
    the trace of ``W^-1 B``, as for Fisherfaces (Belhumeur, Hespanha and Kriegman 1997).

    Parameters
    ----------
    model : FaceModel
        A model with eigenfaces that stores the spread of its coordinates.
    count : int
        Number of leading eigenfaces to choose from, at least 2.

    Returns
    -------
    tuple of int
        Their numbers, from 0; the smaller first.

    Raises
    ------
    DataError
        The model stores no spread, or that of fewer than two coordinates.

    Examples
    --------
    >>> from facecore.model import load_model
    >>> first, second = best_pair(load_model("classic"), 30)
    >>> 0 <= first < second < 30
    True
    """
    means, factors = _spread(model)
    count = min(count, means.shape[1])
    if count < 2:
        raise DataError("this model stores the spread of fewer than two coordinates")
    within = np.mean([factor @ factor.T for factor in factors], axis=0)[:count, :count]
    away = (means - means.mean(axis=0))[:, :count]
    between = away.T @ away / len(means)
    i, j = np.triu_indices(count, 1)
    # the trace of the inverse of a 2 x 2 matrix times another, written out for all pairs
    determinant = within[i, i] * within[j, j] - within[i, j] ** 2
    crossed = 2 * within[i, j] * between[i, j]
    trace = within[j, j] * between[i, i] + within[i, i] * between[j, j] - crossed
    best = int(np.argmax(trace / np.maximum(determinant, 1e-300)))
    return int(i[best]), int(j[best])


def _spread(model: FaceModel) -> tuple[np.ndarray, np.ndarray]:
    if model.spread is None:
        raise DataError("this model stores no spread of its coordinates, so it has no variances")
    means, factors = model.spread
    return means.astype(np.float64), factors.astype(np.float64)


def _below(z: float) -> float:
    """Return the share of a standard normal distribution below a value."""
    return (1 + erf(z / sqrt(2))) / 2
