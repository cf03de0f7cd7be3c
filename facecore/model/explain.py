"""Show what a model sees in a face: reconstruction, distance from face space, reasons."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from facecore.errors import DataError
from facecore.face.prepare import mirror
from facecore.face.recipes import to_rows
from facecore.model.classifier import FaceModel, Member
from facecore.model.drawing import to_image, to_signed_image

PATH_STEPS = 32


PATCHES = 5  # patches that an occlusion hides fill the crop's width


WALK_STEP = 0.25  # of a walk, in standard deviations


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
    centred, seen = _look(model.leading, X)
    return _length(centred - seen)


def redraw(model: FaceModel, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Draw faces from all their eigenfaces, and measure what these leave over, in one projection.

    Parameters
    ----------
    model : FaceModel
    X : ndarray of shape (n_faces, side * side), uint8 grey levels

    Returns
    -------
    drawn : ndarray of shape (n_faces, side, side), uint8
        As `reconstruct` draws them.
    distances : ndarray of shape (n_faces,), float64
        As `distance_from_face_space` measures them.
    """
    member = model.pixels
    centred, seen = _look(member, X)
    drawn = (seen + member.mean) * member.span + member.minimum
    return np.array([to_image(row) for row in drawn]), _length(centred - seen)


def _look(member: Member, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return scaled faces without the mean face, and what the eigenfaces keep of them."""
    centred = member.scale(X) - member.mean
    return centred, (member.basis @ centred.T).T @ member.basis


def _length(rest: np.ndarray) -> np.ndarray:
    return np.sqrt((rest.astype(np.float64) ** 2).mean(axis=1))


def typical_distance(model: FaceModel) -> float:
    """Return how far the training faces are from face space: what their eigenfaces leave over.

    Measured with the shipped model, 120 photos each of LFW, UTKFace and portraits of congress:
    half of the faces lie within 0.9 to 1.2 times of it and 95 % within 1.4 to 1.8 times. Smooth
    patches without a face lie within it too: a large distance speaks against a face, a small one
    does not prove one.

    Parameters
    ----------
    model : FaceModel

    Returns
    -------
    float
        Root mean square, in the unit of `distance_from_face_space`.
    """
    member = model.leading
    rest = member.total_variance - float(member.variance.sum(dtype=np.float64))
    return float(np.sqrt(max(rest, 0.0) / len(member.mean)))


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
    return np.array([to_signed_image(row) for row in model.pixels.basis[:count]])


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


def label_means(model: FaceModel) -> np.ndarray:
    """Draw the mean face of each label.

    Parameters
    ----------
    model : FaceModel

    Returns
    -------
    ndarray of shape (n_labels, side * side), float32
        Grey levels, from the leading coordinates whose spread the model stores.

    Raises
    ------
    DataError
        The model stores none.
    """
    if model.spread is None:
        raise DataError("this model stores no spread of its coordinates to draw means from")
    return model.pixels.rebuild(model.spread[0])


def reconstruction_errors(model: FaceModel, X: np.ndarray) -> np.ndarray:
    """Return how far from its face a reconstruction with 0, 1, ... n eigenfaces is.

    Parameters
    ----------
    model : FaceModel
    X : ndarray of shape (n_faces, side * side), uint8 grey levels

    Returns
    -------
    ndarray of shape (n_faces, n_components + 1), float64
        Root mean square over the pixels, in units of the min-max scale; the last column is the
        distance from face space.
    """
    member = model.pixels
    centred = (member.scale(X) - member.mean).astype(np.float64)
    rest = np.empty((len(X), len(member.components) + 1))
    rest[:, 0] = (centred**2).mean(axis=1)
    gained = (centred @ member.basis.T.astype(np.float64)) ** 2 / centred.shape[1]
    rest[:, 1:] = rest[:, :1] - gained.cumsum(axis=1)
    return np.sqrt(np.maximum(rest, 0))


def decision_for(model: FaceModel, X: np.ndarray, label: str) -> np.ndarray:
    """Return the decision values in favour of one label.

    Parameters
    ----------
    model : FaceModel
    X : ndarray of shape (n_faces, side * side)
        Grey levels.
    label : str

    Returns
    -------
    ndarray of shape (n_faces,), float64
        Above 0 the machine says the label.
    """
    values = model.decision_function(X).reshape(len(X), -1)
    return values @ _weights(model, label)


def decision_gradient(model: FaceModel, X: np.ndarray, label: str) -> np.ndarray:
    """Return how each grey level of a face moves the decision for a label (exact gradient).

    Parameters
    ----------
    model : FaceModel
        All of whose features are pixels.
    X : ndarray of shape (n_faces, side * side)
        Grey levels.
    label : str

    Returns
    -------
    ndarray of shape (n_faces, side * side), float64
        Change of the decision value a grey level.

    Raises
    ------
    DataError
        The model has other features, which have no gradient in pixels here.
    """
    if not _is_pixels(model):
        raise DataError("only a model whose features are pixels has a gradient in pixels")
    weights = _weights(model, label)
    total = np.zeros(X.shape)
    for member, share in zip(model.members, model.shares, strict=True):
        through = member.basis / (member.deviation[:, None] * member.span)
        total += member.gradient(member.coordinates(X), share * weights) @ through
        if model.recipe.get("mirror"):
            seen = member.gradient(member.coordinates(mirror(X)), share * weights) @ through
            total += mirror(seen)
    return total / (2 if model.recipe.get("mirror") else 1)


@dataclass(frozen=True)
class Heat:
    """What in a face moved the decision.

    Parameters
    ----------
    kind : str
        ``"gradient"``: the exact gradient, summed along the way from the mean face to this one
        (integrated gradients, Sundararajan, Taly and Yan 2017); its sum is the change of the
        decision. ``"occlusion"``: the change when a patch is hidden under plain grey (Zeiler and
        Fergus 2014).
    label : str
        Values above 0 speak for it.
    values : ndarray of shape (side, side), float64
        In units of the decision value.
    """

    kind: str
    label: str
    values: np.ndarray


def explain_decision(model: FaceModel, crop: np.ndarray, label: str | None = None) -> Heat:
    """Say what in a face moved the decision: by gradient where the features are pixels.

    Parameters
    ----------
    model : FaceModel
    crop : ndarray of shape (side, side) or (side, side, 3), uint8
        As the model saw it.
    label : str, optional
        The label that the model answers when left out.

    Returns
    -------
    Heat
    """
    if label is None:
        label = str(model.predict(to_rows([crop], model.recipe))[0])
    explain = _along_path if _is_pixels(model) else occlusion
    return explain(model, crop, label)


def _along_path(model: FaceModel, crop: np.ndarray, label: str) -> Heat:
    mean = model.pixels.rebuild(np.zeros((1, 1)))[0].astype(np.float64)
    way = crop.reshape(-1) - mean
    shares = (np.arange(PATH_STEPS) + 0.5) / PATH_STEPS
    gradient = decision_gradient(model, mean + shares[:, None] * way, label).mean(axis=0)
    return Heat("gradient", label, (gradient * way).reshape(crop.shape))


def occlusion(model: FaceModel, crop: np.ndarray, label: str) -> Heat:
    """Hide patch after patch under plain grey and see how the decision changes.

    Parameters
    ----------
    model : FaceModel
    crop : ndarray of shape (side, side) or (side, side, 3), uint8
    label : str

    Returns
    -------
    Heat
        Where hiding lowers the decision for the label, the value is above 0.
    """
    side = crop.shape[0]
    size = max(2, side // PATCHES)
    # a network takes its time: patches that do not overlap are a quarter of them
    step = size if model.recipe.get("network") else size // 2
    # a plain cover: the mean face is not known where it is wider than the eigenfaces
    cover = np.rint(crop.mean(axis=(0, 1))).astype(np.uint8)
    corners = range(0, side - size // 2, step)
    patches = [(slice(y, y + size), slice(x, x + size)) for y in corners for x in corners]
    hidden = np.repeat(crop[None], len(patches) + 1, axis=0)
    for picture, patch in zip(hidden, patches, strict=False):  # the last stays whole
        picture[patch] = cover
    decisions = decision_for(model, to_rows(hidden, model.recipe), label)
    values, counts = np.zeros(crop.shape[:2]), np.zeros(crop.shape[:2])
    for decision, patch in zip(decisions[:-1], patches, strict=True):
        values[patch] += decisions[-1] - decision
        counts[patch] += 1
    return Heat("occlusion", label, values / counts)


def overlay(
    crop: np.ndarray, heat: Heat, towards: Sequence[int], away: Sequence[int]
) -> np.ndarray:
    """Lay a heat map over the crop.

    Parameters
    ----------
    crop : ndarray of shape (side, side) or (side, side, 3), uint8
    heat : Heat
    towards, away : sequence of int
        RGB colours of what speaks for the label and against it, in [0, 255].

    Returns
    -------
    ndarray of shape (side, side, 3), uint8
        The stronger the colour, the more the place moved the decision, against the strongest place.
    """
    smooth = cv2.GaussianBlur(heat.values, (0, 0), crop.shape[0] / 40)
    strength = np.clip(np.abs(smooth) / max(np.percentile(np.abs(smooth), 99), 1e-12), 0, 1)
    colour = np.where(smooth[:, :, None] > 0, np.array(towards), np.array(away))
    alpha = 0.8 * strength[:, :, None]
    mixed = (1 - alpha) * np.atleast_3d(crop) + alpha * colour
    return np.clip(np.rint(mixed), 0, 255).astype(np.uint8)


def walk(model: FaceModel, start: np.ndarray, label: str, steps: int) -> np.ndarray:
    """Move a point of face space along the direction that changes the decision fastest.

    Parameters
    ----------
    model : FaceModel
        All of whose features are pixels.
    start : ndarray of shape (n_components,)
        Coordinates.
    label : str
    steps : int
        Of `WALK_STEP` standard deviations each; below 0 away from the label.

    Returns
    -------
    ndarray of shape (abs(steps) + 1, n_components), float64
        The way, with its start.

    Raises
    ------
    DataError
        The model has features without a gradient.
    """
    member = model.pixels
    unit = np.sqrt(member.variance) / member.deviation  # a standard deviation of each coordinate
    to_pixels = (member.basis * member.deviation[:, None]) * member.span
    way = [np.asarray(start, dtype=np.float64)]
    for _ in range(abs(steps)):
        gradient = decision_gradient(model, member.rebuild(way[-1][None]), label) @ to_pixels.T
        uphill = gradient[0] * unit
        length = max(float(np.linalg.norm(uphill)), 1e-300)
        way.append(way[-1] + np.sign(steps) * WALK_STEP * unit * uphill / length)
    return np.array(way)


def _is_pixels(model: FaceModel) -> bool:
    return model.draws and model.eigenfaces is model


def _weights(model: FaceModel, label: str) -> np.ndarray:
    """Return what turns the machine's values into the decision for a label."""
    which = model.labels.index(label)
    return (
        np.array([2.0 * which - 1]) if len(model.labels) == 2 else np.eye(len(model.labels))[which]
    )
