"""Show what a model sees in a face: its reconstruction and its distance from face space."""

import numpy as np

from facecore.model import FaceModel


def to_image(row: np.ndarray) -> np.ndarray:
    """Return a row of grey levels as a square picture.

    Parameters
    ----------
    row : ndarray of shape (side * side,)
        Grey levels; what leaves [0, 255] is clipped.

    Returns
    -------
    ndarray of shape (side, side), uint8
    """
    side = round(len(row) ** 0.5)
    return np.clip(np.rint(row), 0, 255).astype(np.uint8).reshape(side, side)


def reconstruct(model: FaceModel, X: np.ndarray, n_components: int | None = None) -> np.ndarray:
    """Draw faces again from their eigenface coordinates (Sirovich and Kirby 1987).

    Parameters
    ----------
    model : FaceModel
    X : ndarray of shape (n_faces, side * side), uint8 grey levels
    n_components : int, optional
        Leading components to use; all by default.

    Returns
    -------
    ndarray of shape (n_faces, side, side), uint8
    """
    member = model.pixels
    Z = member.coordinates(X)[:, :n_components]
    return np.array([to_image(row) for row in member.rebuild(Z)])


def distance_from_face_space(model: FaceModel, X: np.ndarray) -> np.ndarray:
    """Return how far faces are from what the eigenfaces can draw (Turk and Pentland 1991).

    Parameters
    ----------
    model : FaceModel
    X : ndarray of shape (n_faces, side * side), uint8 grey levels

    Returns
    -------
    ndarray of shape (n_faces,), float64
        Root mean square of the residual over the pixels, in units of the min-max scale (1 is
        the whole range of a pixel).
    """
    member = model.pixels
    centred = member.scale(X) - member.mean
    rest = centred - (centred @ member.basis.T) @ member.basis
    return np.sqrt((rest.astype(np.float64) ** 2).mean(axis=1))


def eigenface_images(model: FaceModel, count: int) -> np.ndarray:
    """Draw the leading eigenfaces, each rescaled on a symmetric scale of its own.

    Parameters
    ----------
    model : FaceModel
    count : int

    Returns
    -------
    ndarray of shape (count, side, side), uint8
        128 is zero.
    """
    rows = model.pixels.basis[:count]
    top = np.maximum(np.abs(rows).max(axis=1, keepdims=True), 1e-12)
    return np.array([to_image(row) for row in 127.5 + 127.5 * rows / top])


def mean_face(model: FaceModel) -> np.ndarray:
    """Draw the mean of the training faces.

    Parameters
    ----------
    model : FaceModel

    Returns
    -------
    ndarray of shape (side, side), uint8
    """
    member = model.pixels
    return to_image(member.rebuild(np.zeros((1, len(member.deviation))))[0])
