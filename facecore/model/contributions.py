"""A face as a sum of pictures: the mean face, and so much of each eigenface."""

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
    centred = (member.scale(X) - member.mean).astype(np.float64)[0]
    shares = (member.basis.astype(np.float64) @ centred) ** 2
    total = float((centred**2).sum())
    weights = member.coordinates(X)[0] * member.deviation / np.sqrt(member.variance)
    order = np.argsort(-shares, kind="stable")[:count]
    return [
        Contribution(
            int(i),
            float(weights[i]),
            float(shares[i] / total) if total else 0.0,
            describe_eigenface(draw_eigenface(model, int(i))).words,
        )
        for i in order
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


def running_sums(model: FaceSpace, X: np.ndarray, eigenfaces: list[int]) -> np.ndarray:
    """Return the mean face, and what it becomes as one eigenface after the other is added.

    Parameters
    ----------
    model : FaceSpace
        A model with eigenfaces, or the space of a few faces.
    X : ndarray of shape (1, side * side), uint8
        Grey levels of a prepared face, from 0 to 255, that says how much of each.
    eigenfaces : list of int
        Their numbers, from 0, in the order in which they are added.

    Returns
    -------
    ndarray of shape (n_eigenfaces + 1, side * side), float32
        In grey levels, the mean face first.

    Raises
    ------
    ModelError
        The model has no eigenfaces.

    Examples
    --------
    >>> from facecore.model import load_model, sample_faces
    >>> model = load_model("classic")
    >>> face = sample_faces(model, "female", 1).reshape(1, -1)
    >>> running_sums(model, face, [0, 1]).shape
    (3, 10000)
    """
    z = model.pixels.coordinates(X)[0]
    Z = np.zeros((len(eigenfaces) + 1, len(z)))
    for k, i in enumerate(eigenfaces, start=1):
        Z[k] = Z[k - 1]
        Z[k, i] = z[i]
    return model.pixels.rebuild(Z)
