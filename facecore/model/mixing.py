"""Faces between two faces and beyond them: morphs, averages and caricatures."""

import numpy as np

from facecore.errors import DataError
from facecore.model.classifier import FaceModel
from facecore.model.drawing import to_image


def mix_faces(first: np.ndarray, second: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Return the faces on the straight line through two faces.

    Between a person and a mean face this is the caricature (Brennan 1985) in grey levels: a
    share above 1 exaggerates what is special about the face, one below 0 turns it around.

    Parameters
    ----------
    first, second : ndarray of shape (side, side) or (side * side,)
        Grey levels of two prepared faces, of any number type.
    shares : ndarray of shape (n_shares,), float
        Of the second face; 0 is the first face and 1 the second.

    Returns
    -------
    ndarray of shape (n_shares, side * side), float64
        Grey levels, which may leave [0, 255].

    Raises
    ------
    DataError
        The faces have different sizes.

    Examples
    --------
    >>> black, white = np.zeros((1, 1)), np.full((1, 1), 200)
    >>> mix_faces(black, white, np.array([-0.5, 0, 0.25, 1])).ravel().tolist()
    [-100.0, 0.0, 50.0, 200.0]
    """
    if first.size != second.size:
        raise DataError(
            f"faces of {first.size:,} and {second.size:,} pixels cannot be mixed; prepare both by "
            "the same model"
        )
    start = first.astype(np.float64).reshape(-1)
    return np.asarray(start + np.outer(shares, second.reshape(-1) - start))


def average_faces(faces: np.ndarray) -> np.ndarray:
    """Return the average of faces, pixel by pixel (Galton 1878).

    Parameters
    ----------
    faces : ndarray of shape (n_faces, side, side), uint8
        Grey levels of prepared faces, from 0 to 255; at least one.

    Returns
    -------
    ndarray of shape (side, side), float64
        Grey levels.

    Examples
    --------
    >>> average_faces(np.array([[[0, 10]], [[100, 20]]], np.uint8)).tolist()
    [[50.0, 15.0]]
    """
    return np.asarray(faces.mean(axis=0, dtype=np.float64))


def judge_pictures(model: FaceModel, rows: np.ndarray) -> np.ndarray:
    """Return the probability of each label for pictures as they are seen.

    Parameters
    ----------
    model : FaceModel
        Model of pixels alone, as `FaceModel.eigenfaces` is.
    rows : ndarray of shape (n_faces, side * side), float
        Grey levels, which are rounded and clipped to [0, 255] first.

    Returns
    -------
    ndarray of shape (n_faces, n_labels), float64
        In [0, 1], in the order of the model's labels; each row sums to 1.

    Examples
    --------
    >>> from facecore.model import load_model
    >>> judge_pictures(load_model("classic"), np.full((3, 10_000), 120.0)).shape
    (3, 2)
    """
    return model.predict_proba(np.array([to_image(row).reshape(-1) for row in rows]))
