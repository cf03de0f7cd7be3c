"""What a model sees in a face: its reconstruction, its distance from face space, and reasons."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.polynomial.legendre import leggauss

from facecore.errors import DataError, ModelError
from facecore.face.attribution import compare_embeddings, split_features
from facecore.face.prepare import mirror
from facecore.face.recipes import to_rows
from facecore.model.classifier import FaceModel, Member, in_blocks
from facecore.model.drawing import to_image, to_signed_image

MOST_POINTS = 32  # of a line along which a gradient is summed
PATCHES = 5  # side by side, the patches of an occlusion fill the crop's width
WALK_STEP = 0.25  # of a walk, in standard deviations


def reconstruct(model: FaceModel, X: np.ndarray, n_components: int | None = None) -> np.ndarray:
    """Reconstruct faces from their eigenface coordinates (Sirovich and Kirby 1987).

    Parameters
    ----------
    model : FaceModel
        A model with eigenfaces.
    X : ndarray of shape (n_faces, side * side), uint8
        Grey levels of prepared faces, from 0 to 255.
    n_components : int, optional
        Number of leading eigenfaces to use, at least 0; all by default.

    Returns
    -------
    ndarray of shape (n_faces, s, s), uint8
        Grey levels of the part of the face that the eigenfaces read.

    Raises
    ------
    ModelError
        The model has no eigenfaces.

    Examples
    --------
    >>> from facecore.model import load_model, sample_faces
    >>> model = load_model("classic")
    >>> X = sample_faces(model, "female", 2).reshape(2, -1)
    >>> reconstruct(model, X, n_components=20).shape
    (2, 100, 100)
    """
    member = model.pixels
    Z = member.coordinates(X)[:, :n_components]
    return np.array([to_image(row) for row in member.rebuild(Z)])


def distance_from_face_space(model: FaceModel, X: np.ndarray) -> np.ndarray:
    """Return how far faces are from face space (Turk and Pentland 1991).

    Parameters
    ----------
    model : FaceModel
        Any model.
    X : ndarray of shape (n_faces, side * side), uint8
        Grey levels of prepared faces, from 0 to 255; or embeddings, float32 of shape
        (n_faces, 128), where the model reads these.

    Returns
    -------
    ndarray of shape (n_faces,), float64
        Root mean square of the residual over the features, in units of the min-max scale (1 is
        the whole range of a pixel in the training faces).
    """
    centred, seen = _look(model.leading, X)
    return _length(centred - seen)


def redraw(model: FaceModel, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Reconstruct faces and compute their distance from face space in one projection.

    Parameters
    ----------
    model : FaceModel
        A model with eigenfaces.
    X : ndarray of shape (n_faces, side * side), uint8
        Grey levels of prepared faces, from 0 to 255.

    Returns
    -------
    drawn : ndarray of shape (n_faces, s, s), uint8
        As `reconstruct` returns them.
    distances : ndarray of shape (n_faces,), float64
        As `distance_from_face_space` returns them.

    Raises
    ------
    ModelError
        The model has no eigenfaces.
    """
    member = model.pixels
    centred, seen = _look(member, X)
    drawn = (seen + member.mean) * member.span + member.minimum
    return np.array([to_image(row) for row in drawn]), _length(centred - seen)


def _look(member: Member, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return scaled faces without the mean face, and what the eigenfaces keep of them."""
    centred = member.scale(X) - member.mean
    seen = np.zeros_like(centred)
    for block in in_blocks(member.rows):  # each is read from memory once for both products
        seen += (block @ centred.T).T @ block
    return centred, seen


def _length(rest: np.ndarray) -> np.ndarray:
    """Return the root mean square of each row."""
    return np.asarray(np.sqrt((rest.astype(np.float64) ** 2).mean(axis=1)))


def typical_distance(model: FaceModel) -> float:
    """Return the distance of the training faces from face space: what the eigenfaces leave over.

    A large distance is evidence against a face. A small one does not prove a face, since smooth
    patches are close to face space too; see docs/decisions.

    Parameters
    ----------
    model : FaceModel
        Any model.

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
        A model with eigenfaces.
    count : int
        Number of eigenfaces, at least 0; a model with fewer returns all of them.

    Returns
    -------
    ndarray of shape (count, s, s), uint8
        Grey levels; 128 is zero.

    Raises
    ------
    ModelError
        The model has no eigenfaces.
    """
    return np.array([to_signed_image(row) for row in model.pixels.rows[:count].astype(np.float32)])


def fisherface_images(model: FaceModel) -> np.ndarray:
    """Draw the Fisherfaces, each rescaled on a symmetric scale of its own.

    Parameters
    ----------
    model : FaceModel
        Any model.

    Returns
    -------
    ndarray of shape (n_fisherfaces, s, s), uint8
        Grey levels; 128 is zero. Empty where the model has no Fisherfaces.
    """
    member = model.fisherfaces
    return np.array([to_signed_image(row) for row in member.basis] if member else [])


def to_fisherfaces(model: FaceModel, Z: np.ndarray) -> np.ndarray:
    """Return the coordinates along the Fisherfaces of points in the space of the eigenfaces.

    Parameters
    ----------
    model : FaceModel
        A model with Fisherfaces of what its eigenfaces read.
    Z : ndarray of shape (n_faces, k), k <= n_components
        Leading coordinates, as `FaceModel.transform` returns them; the rest count as 0.

    Returns
    -------
    ndarray of shape (n_faces, n_fisherfaces), float64
        Coordinates of the faces that are reconstructed from these points.

    Raises
    ------
    ModelError
        The model has no Fisherfaces, or they read other pixels than its eigenfaces do.
    """
    member, pixels = model.fisherfaces, model.pixels
    if member is None or member.features != pixels.features:
        raise ModelError("this model has no Fisherfaces of the pixels that its eigenfaces read")
    k = Z.shape[1]
    # Both members scale pixels alike and start from the mean face, so that two projections remain.
    way = (pixels.basis[:k] * pixels.deviation[:k, None]) @ member.basis.T / member.deviation
    return np.asarray(Z @ way.astype(np.float64))


def mean_face(model: FaceModel) -> np.ndarray:
    """Draw the mean of the training faces.

    Parameters
    ----------
    model : FaceModel
        A model with eigenfaces.

    Returns
    -------
    ndarray of shape (s, s), uint8
        Grey levels of the part of the face that the eigenfaces read.

    Raises
    ------
    ModelError
        The model has no eigenfaces.
    """
    member = model.pixels
    return to_image(member.rebuild(np.zeros((1, len(member.deviation))))[0])


def label_means(model: FaceModel) -> np.ndarray:
    """Draw the mean face of each label.

    Parameters
    ----------
    model : FaceModel
        A model with eigenfaces that stores the spread of its coordinates.

    Returns
    -------
    ndarray of shape (n_labels, s * s), float32
        Grey levels, computed from the leading coordinates whose spread the model stores.

    Raises
    ------
    DataError
        The model stores no spread.
    ModelError
        The model has no eigenfaces.
    """
    if model.spread is None:
        raise DataError("this model stores no spread of its coordinates, so it has no means")
    return model.pixels.rebuild(model.spread[0])


def reconstruction_errors(model: FaceModel, X: np.ndarray) -> np.ndarray:
    """Return the error of reconstructions with 0, 1, ... n eigenfaces.

    Parameters
    ----------
    model : FaceModel
        A model with eigenfaces.
    X : ndarray of shape (n_faces, side * side), uint8
        Grey levels of prepared faces, from 0 to 255.

    Returns
    -------
    ndarray of shape (n_faces, n_components + 1), float64
        Root mean square over the pixels, in units of the min-max scale; the last column is the
        distance from face space.

    Raises
    ------
    ModelError
        The model has no eigenfaces.
    """
    member = model.pixels
    centred = (member.scale(X) - member.mean).astype(np.float64)
    rest = np.empty((len(X), len(member.components) + 1))
    rest[:, 0] = (centred**2).mean(axis=1)
    # Eigenfaces are orthonormal: each one takes its squared coordinate from the squared error, so
    # no reconstruction has to be drawn.
    gained = (centred @ member.basis.T.astype(np.float64)) ** 2 / centred.shape[1]
    rest[:, 1:] = rest[:, :1] - gained.cumsum(axis=1)
    return np.sqrt(np.maximum(rest, 0))


def decision_for(model: FaceModel, X: np.ndarray, label: str) -> np.ndarray:
    """Return the decision values in favour of one label.

    Parameters
    ----------
    model : FaceModel
        Any model.
    X : ndarray of shape (n_faces, side * side)
        Grey levels of prepared faces, from 0 to 255; or embeddings, of shape (n_faces, 128).
    label : str
        One of the model's labels.

    Returns
    -------
    ndarray of shape (n_faces,), float64
        Above 0 the kernel machine decides for the label.
    """
    values = model.decision_function(X).reshape(len(X), -1)
    return np.asarray(values @ _weights(model, label))


def decision_gradient(model: FaceModel, X: np.ndarray, label: str) -> np.ndarray:
    """Return the exact gradient of the decision for a label in the grey levels of a face.

    Parameters
    ----------
    model : FaceModel
        A model that reads nothing but the pixels of the whole prepared face.
    X : ndarray of shape (n_faces, side * side)
        Grey levels, from 0 to 255.
    label : str
        One of the model's labels.

    Returns
    -------
    ndarray of shape (n_faces, side * side), float64
        Change of the decision value per grey level.

    Raises
    ------
    DataError
        The model reads other features, which have no gradient in pixels here.
    """
    if not _is_pixels(model):
        raise DataError("only a model that reads nothing but pixels has a gradient in pixels")
    weights = _weights(model, label)
    total = np.zeros(X.shape)
    for member, share in zip(model.members, model.shares, strict=True):
        # chain rule: coordinates are (X - minimum) / span - mean, times basis, over deviation
        through = member.basis / (member.deviation[:, None] * member.span)
        total += member.gradient(member.coordinates(X), share * weights) @ through
        if model.recipe.mirror:
            seen = member.gradient(member.coordinates(mirror(X)), share * weights) @ through
            total += mirror(seen)  # back to the pixels of the face that was mirrored
    return total / (2 if model.recipe.mirror else 1)


@dataclass(frozen=True)
class Heat:
    """How much each place of a face moved the decision.

    Parameters
    ----------
    kind : str
        ``"gradient"``: the exact gradient, summed along the straight line from the mean face to
        this one (integrated gradients, Sundararajan, Taly and Yan 2017); the values sum to the
        change of the decision, up to the error of the summation. ``"differences"``: the change of
        the decision from a plain square of the face's mean colour to the face, split among the
        pixels (see `split_differences`); the values sum to it, up to the same error.
        ``"occlusion"``: the change when a patch is hidden under the mean level (Zeiler and Fergus
        2014).
    label : str
        The label that values above 0 speak for.
    values : ndarray of shape (side, side), float64
        In units of the decision value.
    """

    kind: str
    label: str
    values: np.ndarray


def explain_decision(model: FaceModel, crop: np.ndarray, label: str | None = None) -> Heat:
    """Explain a decision: by integrated gradients if the features are pixels, else by differences.

    Parameters
    ----------
    model : FaceModel
        Any model.
    crop : ndarray of shape (side, side) or (side, side, 3), uint8
        The prepared face: grey, or RGB where the model reads colours or embeddings.
    label : str, optional
        The label to explain; the model's own answer when left out.

    Returns
    -------
    Heat
        How much each place of the face moved the decision.

    Examples
    --------
    >>> from facecore.model import load_model, sample_faces
    >>> model = load_model("classic")
    >>> heat = explain_decision(model, sample_faces(model, "female", 1)[0], "female")
    >>> heat.kind, heat.values.shape
    ('gradient', (100, 100))
    """
    if label is None:
        label = str(model.predict(to_rows([crop], model.recipe))[0])
    return explain_decisions(model, [crop], [label])[0]


def explain_decisions(
    model: FaceModel, crops: Sequence[np.ndarray], labels: Sequence[str]
) -> list[Heat]:
    """Explain the decisions about several faces, which takes less time than one after the other.

    Parameters
    ----------
    model : FaceModel
        Any model.
    crops : sequence of ndarray of shape (side, side) or (side, side, 3), uint8
        The prepared faces.
    labels : sequence of str
        The label to explain, for each face.

    Returns
    -------
    list of Heat
        For each face, as `explain_decision` returns it.

    Raises
    ------
    ModelError
        The model reads embeddings, whose weights are not installed.
    """
    if not crops:
        return []
    from threadpoolctl import threadpool_limits  # not needed for an answer

    explain = _along_path if heat_kind(model) == "gradient" else split_differences
    with threadpool_limits(1):  # the products are small: on a busy machine threads wait for others
        return explain(model, crops, labels)


def heat_kind(model: FaceModel) -> str:
    """Return how the decisions of a model are explained.

    Parameters
    ----------
    model : FaceModel
        Any model.

    Returns
    -------
    str
        ``"gradient"`` or ``"differences"``, as `Heat` describes them.

    Examples
    --------
    >>> from facecore.model import load_model
    >>> heat_kind(load_model("classic"))
    'gradient'
    """
    return "gradient" if _is_pixels(model) else "differences"


def _along_path(model: FaceModel, crops: Sequence[np.ndarray], labels: Sequence[str]) -> list[Heat]:
    member, side = model.pixels, model.recipe.side
    faces, mean = to_rows(crops, model.recipe), member.rebuild(np.zeros((1, 1)))
    values = np.zeros((len(crops), side, side))
    turns = (1, -1) if model.recipe.mirror else (1,)
    shares = np.array([_weights(model, label) for label in labels]) / len(turns)
    for turn in turns:
        rows = np.vstack([faces, mean]) if turn == 1 else mirror(np.vstack([faces, mean]))
        pulls = _along_numbers(member, rows, shares)
        parts = pulls * (rows[:-1] - rows[-1].astype(np.float64))
        values += parts.reshape(-1, side, side)[:, :, ::turn]
    return [Heat("gradient", label, each) for label, each in zip(labels, values, strict=True)]


def split_differences(
    model: FaceModel, crops: Sequence[np.ndarray], labels: Sequence[str]
) -> list[Heat]:
    """Split the change of the decision from a plain square to each face among the pixels.

    The square has the mean colour of the face, under which `occlusion` hides patches. The change is
    split among the numbers that each member reads, by integrated gradients (Sundararajan, Taly and
    Yan 2017), and these parts among pixels, as `facecore.face.attribution` does it. That takes as
    long as a few answers, where `occlusion` needs one for each patch.

    Parameters
    ----------
    model : FaceModel
        Any model.
    crops : sequence of ndarray of shape (side, side) or (side, side, 3), uint8
        The prepared faces: grey, or RGB where the model reads colours or embeddings.
    labels : sequence of str
        The label to explain, for each face.

    Returns
    -------
    list of Heat
        Above 0 where a face speaks for its label.

    Raises
    ------
    ModelError
        The model reads embeddings, whose weights are not installed.
    """
    covers = [_mean_colour(crop) for crop in crops]
    shares = np.array([_weights(model, label) for label in labels])
    members = list(zip(model.members, model.shares, strict=True))
    values = [np.zeros(crop.shape[:2]) for crop in crops]
    if model.recipe.embedding:
        found = [
            compare_embeddings(crop, cover, model.recipe)
            for crop, cover in zip(crops, covers, strict=True)
        ]
        both = np.stack([rows for rows, _ in found], axis=1)
        total = np.zeros(both.shape[1:])
        for member, share in members:
            numbers = member.features.extract(np.arange(both.shape[2])[None])[0]  # that it reads
            total[:, numbers] += _along_numbers(member, np.concatenate(both), share * shares)
        values = [split(weights) for (_, split), weights in zip(found, total, strict=True)]
    else:
        plains = [np.full_like(crop, cover) for crop, cover in zip(crops, covers, strict=True)]
        turns = (1, -1) if model.recipe.mirror else (1,)
        views = [np.ascontiguousarray(crop[:, ::turn]) for turn in turns for crop in crops]
        rows = to_rows([*views, *plains], model.recipe)
        each = np.concatenate([shares] * len(turns)) / len(turns)
        for member, share in members:
            for i, pull in enumerate(_along_numbers(member, rows, share * each)):
                face = i % len(crops)
                parts = split_features(member.features, views[i], plains[face], pull)
                values[face] += parts[:, :: turns[i // len(crops)]]
    return [Heat("differences", label, each) for label, each in zip(labels, values, strict=True)]


def _along_numbers(member: Member, rows: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Return weights of features that turn a difference of rows into one of decisions.

    They are the mean gradient along the straight line to each row that has shares, from one of the
    rows after these, which are taken in turn.
    """
    count = len(shares)
    Z = member.coordinates(rows).astype(np.float64)
    start = np.tile(Z[count:], (count // (len(Z) - count), 1))
    way = Z[:count] - start
    # The integral of the gradient along a straight line is the change of the decision. Kernels that
    # are narrow for its length need more points (Gauss and Legendre).
    reach = member.gamma * float((way**2).sum(axis=1).max()) if member.kernel == "rbf" else 0.0
    points, parts = leggauss(min(MOST_POINTS, 4 + round(reach**0.5)))
    places = start + (points[:, None, None] + 1) / 2 * way
    each = np.broadcast_to(shares, (len(points), *shares.shape)).reshape(-1, shares.shape[1])
    gradients = member.gradient(places.reshape(-1, Z.shape[1]), each).reshape(places.shape)
    mean = np.tensordot(parts / 2, gradients, 1)
    pull, first = (mean / member.deviation).astype(np.float32), 0
    total = np.zeros((count, member.rows.shape[1]))
    for block in in_blocks(member.rows):  # coordinates are linear in the features
        total += pull[:, first : first + len(block)] @ block
        first += len(block)
    return np.asarray(total / member.span)


def occlusion(model: FaceModel, crop: np.ndarray, label: str) -> Heat:
    """Hide patch after patch under the mean level and measure how the decision changes.

    The method is that of Zeiler and Fergus (2014).

    Parameters
    ----------
    model : FaceModel
        Any model.
    crop : ndarray of shape (side, side) or (side, side, 3), uint8
        The prepared face: grey, or RGB where the model reads colours or embeddings.
    label : str
        One of the model's labels.

    Returns
    -------
    Heat
        Above 0 where hiding lowers the decision for the label.
    """
    side = crop.shape[0]
    size = max(2, side // PATCHES)
    # embeddings are slow: patches that do not overlap are a quarter of them
    step = size if model.recipe.embedding else size // 2
    # a plain cover: the eigenfaces give no mean for what lies outside of their part of the face
    cover = _mean_colour(crop)
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
    """Blend a heat map with the crop that it explains.

    Parameters
    ----------
    crop : ndarray of shape (side, side) or (side, side, 3), uint8
        Grey or RGB levels, from 0 to 255.
    heat : Heat
        As `explain_decision` returns it for this crop.
    towards, away : sequence of int
        RGB colours of what speaks for the label and against it, from 0 to 255.

    Returns
    -------
    ndarray of shape (side, side, 3), uint8
        RGB. The stronger the colour, the more the place moved the decision, relative to the
        strongest place.
    """
    # neighbouring pixels of a network speak for and against: only their sum can be seen
    wide = 20 if heat.kind == "differences" else 40
    smooth = cv2.GaussianBlur(heat.values, (0, 0), crop.shape[0] / wide)
    strength = np.clip(np.abs(smooth) / max(np.percentile(np.abs(smooth), 99), 1e-12), 0, 1)
    colour = np.where(smooth[:, :, None] > 0, np.array(towards), np.array(away))
    alpha = 0.8 * strength[:, :, None]
    mixed = (1 - alpha) * np.atleast_3d(crop) + alpha * colour
    return np.asarray(np.clip(np.rint(mixed), 0, 255).astype(np.uint8))


def walk(model: FaceModel, start: np.ndarray, label: str, steps: int) -> np.ndarray:
    """Move a point of face space along the direction that changes the decision fastest.

    Parameters
    ----------
    model : FaceModel
        A model that reads nothing but the pixels of the whole prepared face.
    start : ndarray of shape (n_components,)
        Coordinates of the first point, as `FaceModel.transform` returns them.
    label : str
        One of the model's labels.
    steps : int
        Number of steps of `WALK_STEP` standard deviations each; below 0 away from the label.

    Returns
    -------
    ndarray of shape (abs(steps) + 1, n_components), float64
        Coordinates of the points in turn, the first one included.

    Raises
    ------
    DataError
        The model reads other features, which have no gradient in pixels here.
    ModelError
        The model has no eigenfaces.
    """
    member = model.pixels
    unit = np.sqrt(member.variance) / member.deviation  # a standard deviation of each coordinate
    # grey levels per unit of each coordinate: the derivative of `rebuild`
    to_pixels = (member.basis * member.deviation[:, None]) * member.span
    way = [np.asarray(start, dtype=np.float64)]
    for _ in range(abs(steps)):
        gradient = decision_gradient(model, member.rebuild(way[-1][None]), label) @ to_pixels.T
        # Measured in standard deviations, every direction is equally plausible among the training
        # faces; without that the walk would leave them along coordinates that hardly vary.
        uphill = gradient[0] * unit
        length = max(float(np.linalg.norm(uphill)), 1e-300)
        way.append(way[-1] + np.sign(steps) * WALK_STEP * unit * uphill / length)
    return np.array(way)


def map_probabilities(
    model: FaceModel, axes: tuple[int, int], x: np.ndarray, y: np.ndarray
) -> np.ndarray:
    """Return what a model answers about faces on a plane through the mean face.

    Parameters
    ----------
    model : FaceModel
        Model of pixels alone, as `FaceModel.eigenfaces` is.
    axes : tuple of int
        Numbers of the two eigenfaces that span the plane, from 0.
    x, y : ndarray of shape (n_columns,) and (n_rows,)
        Coordinates along them; all other coordinates are 0.

    Returns
    -------
    ndarray of shape (n_rows, n_columns, n_labels), float64
        Probability of each label for the picture of the face there.

    Raises
    ------
    ModelError
        The model has no eigenfaces.

    Examples
    --------
    >>> from facecore.model import load_model
    >>> p = map_probabilities(load_model("classic"), (2, 3), np.array([-1, 0, 1]), np.array([0, 1]))
    >>> p.shape
    (2, 3, 2)
    """
    Z = np.zeros((len(y), len(x), max(axes) + 1))
    Z[:, :, axes[0]], Z[:, :, axes[1]] = x[None], y[:, None]
    # one row of the map after the other: all of its pictures at once would fill the memory
    rows = (np.clip(np.rint(model.pixels.rebuild(part)), 0, 255).astype(np.uint8) for part in Z)
    return np.array([model.predict_proba(pictures) for pictures in rows])


def _mean_colour(crop: np.ndarray) -> np.ndarray:
    return np.asarray(np.rint(crop.mean(axis=(0, 1))).astype(np.uint8))


def _is_pixels(model: FaceModel) -> bool:
    return model.draws and model.eigenfaces is model


def _weights(model: FaceModel, label: str) -> np.ndarray:
    """Return the weights that turn the machine's values into the decision for a label."""
    which = model.labels.index(label)
    # with two labels there is one value, which is above 0 for the second label
    return (
        np.array([2.0 * which - 1]) if len(model.labels) == 2 else np.eye(len(model.labels))[which]
    )
