"""A face as a sum of pictures: the mean face, and so much of each eigenface."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from facecore.model.classifier import FaceSpace
from facecore.model.eigenface_words import describe_eigenface


@dataclass(frozen=True)
class Contribution:
    """How much of one eigenface a face has.

    Parameters
    ----------
    eigenface : int
        Its number, from 0.
    weight : float
        In standard deviations of the training faces.
    share : float
        Share of the squared difference between the face and the mean face that it explains, in
        [0, 1].
    words : str
        What the eigenface changes, as `describe_eigenface` says it.
    """

    eigenface: int
    weight: float
    share: float
    words: str


def strongest_eigenfaces(model: FaceSpace, X: np.ndarray, count: int) -> list[Contribution]:
    """Return the eigenfaces that explain most of what makes a face differ from the mean face.

    Parameters
    ----------
    model : FaceSpace
        A model with eigenfaces, or the space of a few faces.
    X : ndarray of shape (1, side * side), uint8
        Grey levels of a prepared face, from 0 to 255.
    count : int
        How many, at least 0; all where the model has fewer.

    Returns
    -------
    list of Contribution
        The strongest first.

    Raises
    ------
    ModelError
        The model has no eigenfaces.

    Examples
    --------
    >>> from facecore.model import load_model, sample_faces
    >>> model = load_model("classic")
    >>> face = sample_faces(model, "female", 1).reshape(1, -1)
    >>> found = strongest_eigenfaces(model, face, 8)
    >>> len(found), found[0].share > found[-1].share
    (8, True)
    """
    member = model.pixels
    shares, order = _shares(model, X)
    weights = member.coordinates(X)[0] * member.deviation / np.sqrt(member.variance)
    return [
        Contribution(
            int(i),
            float(weights[i]),
            float(shares[i]),
            describe_eigenface(draw_eigenface(model, int(i))).words,
        )
        for i in order[:count]
    ]


def draw_eigenface(model: FaceSpace, number: int) -> np.ndarray:
    """Return what one standard deviation of an eigenface adds to a face.

    Parameters
    ----------
    model : FaceSpace
        A model with eigenfaces, or the space of a few faces.
    number : int
        Of the eigenface, from 0.

    Returns
    -------
    ndarray of shape (side * side,), float32
        In grey levels.

    Raises
    ------
    ModelError
        The model has no eigenfaces.
    """
    member = model.pixels
    Z = np.zeros((2, number + 1))
    Z[1, number] = np.sqrt(member.variance[number]) / member.deviation[number]
    mean, moved = member.rebuild(Z)
    return np.asarray(moved - mean)


def sums_of(
    model: FaceSpace, X: np.ndarray, counts: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Add up a face's strongest eigenfaces: so many of them, and more, and more.

    Parameters
    ----------
    model : FaceSpace
        A model with eigenfaces, which reads the pixels of the whole crop, or the space of a few
        faces.
    X : ndarray of shape (1, side * side), uint8
        Grey levels of a prepared face, from 0 to 255.
    counts : sequence of int
        How many eigenfaces, at least 0 each; all where the model has fewer.

    Returns
    -------
    sums : ndarray of shape (n_counts, side * side), float32
        The mean face plus so many eigenfaces, in grey levels.
    shares : ndarray of shape (n_counts,), float64
        Share of the squared difference between face and mean face that they explain, in [0, 1].

    Raises
    ------
    ModelError
        The model has no eigenfaces.

    Examples
    --------
    >>> from facecore.model import load_model, sample_faces
    >>> model = load_model("classic")
    >>> face = sample_faces(model, "female", 1).reshape(1, -1)
    >>> sums, shares = sums_of(model, face, [0, 8, 1000])
    >>> sums.shape, bool(shares[0] == 0), bool(shares[1] < shares[2])
    ((3, 10000), True, True)
    """
    shares, order = _shares(model, X)
    z, Z = model.pixels.coordinates(X)[0], np.zeros((len(counts), len(shares)))
    for k, count in enumerate(counts):
        Z[k, order[:count]] = z[order[:count]]
    return model.pixels.rebuild(Z), np.array([shares[order[:count]].sum() for count in counts])


def _shares(model: FaceSpace, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what each eigenface explains of a face, and the eigenfaces, the strongest first."""
    member = model.pixels
    centred = (member.scale(X) - member.mean).astype(np.float64)[0]
    each = (member.basis.astype(np.float64) @ centred) ** 2
    return each / (float((centred**2).sum()) or 1.0), np.argsort(-each, kind="stable")
