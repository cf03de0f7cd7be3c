"""The smallest change of a face that changes the answer: along face space, or pixel by pixel."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from facecore.errors import DataError
from facecore.face.prepare import middle, mirror
from facecore.model.classifier import FaceModel, Member

REACH = 40.0  # standard deviations, and grey levels: how far a change is looked for
SCAN, REFINE = 48, 16  # points of a line that are tried at once: at first, and then more closely
ROUNDS = 24  # at most, of turning the way towards the shortest one
TURNS = (1.0, 0.5, 0.25, 0.1, 0.03)  # of the way towards the gradient where the answer changes
RIVALS = 6  # other labels that are tried first where any other label will do
BEYOND = np.linspace(0, 1, 61) ** 2  # how much farther, until rounded grey levels show it
LEAST = 0.25  # standard deviations that are gone farther, at most; or the way once more


@dataclass(frozen=True)
class Flip:
    """The smallest change that was found to change the answer about a face.

    Parameters
    ----------
    answer : str
        The model's answer before.
    target : str
        Its answer after.
    change : ndarray of shape (side * side,), float64
        What is added to the face, in grey levels; with it, the two labels are equally likely.
    size : float
        Of the change: its length in standard deviations of the training faces.
    factor : float
        At least 1: how many times the change is added until the picture, in whole grey levels from
        0 to 255, gets the other answer.
    """

    answer: str
    target: str
    change: np.ndarray
    size: float
    factor: float


@dataclass(frozen=True)
class Nudge:
    """A change of pixels, as small as can be, that changes the answer about a face.

    Parameters
    ----------
    answer : str
        The model's answer before.
    target : str
        Its answer after.
    picture : ndarray of shape (side, side), uint8
        The changed face.
    most : int
        Largest change of a pixel, in grey levels.
    share : float
        Share of the pixels that were changed, in (0, 1].
    mean : float
        Root mean square of the change over all pixels, in grey levels.
    bound : float
        Largest change of a pixel that would do if grey levels were not whole numbers.
    """

    answer: str
    target: str
    picture: np.ndarray
    most: int
    share: float
    mean: float
    bound: float


def walk_to_flip(model: FaceModel, face: np.ndarray, label: str | None = None) -> Flip | None:
    """Find the shortest way through face space to another answer.

    In standard deviations of the training faces every direction is equally plausible, so the
    shortest way leads to the most plausible face that gets another answer. Its direction is that of
    the gradient at its own end (Hasofer and Lind 1974): the search starts along the gradient at the
    face and turns, as long as that is shorter, towards the gradient where the answer changes, as
    DeepFool does (Moosavi-Dezfooli, Fawzi and Frossard 2016).

    Parameters
    ----------
    model : FaceModel
        Model of pixels alone, as `FaceModel.eigenfaces` is.
    face : ndarray of shape (side, side) or (side * side,)
        Grey levels of a prepared face, from 0 to 255.
    label : str, optional
        The answer to reach; the nearest other one when left out.

    Returns
    -------
    Flip or None
        None where no answer changes within `REACH` standard deviations.

    Raises
    ------
    DataError
        The model reads other features than pixels, has no such label, or answers it already.

    Examples
    --------
    >>> from facecore.model import load_model, sample_faces
    >>> model = load_model("classic")
    >>> face = sample_faces(model, "female", 1, seed=3)[0]
    >>> flip = walk_to_flip(model, face)
    >>> changed = face.ravel() + flip.factor * flip.change
    >>> after = model.predict(np.clip(np.rint(changed), 0, 255)[None])[0]
    >>> str(after) == flip.target != flip.answer
    True
    """
    row, answer = _check(model, face, label)
    member = model.pixels
    unit = np.sqrt(member.variance) / member.deviation  # a standard deviation of each coordinate
    to_pixels = (member.basis * (unit * member.deviation)[:, None]) * member.span
    place = _place(model, row, answer, label, to_pixels)
    found = _shortest(place, _unit_length, lambda direction: float(np.linalg.norm(direction)))
    if found is None:
        return None
    length, direction = found
    change = (length * direction) @ to_pixels.astype(np.float64)
    factors = 1 + max(LEAST / length, 1.0) * BEYOND
    pictures = _round(row + factors[:, None] * change)
    answers = model.predict(pictures)
    flipped = np.flatnonzero(answers == label if label else answers != answer)
    if not len(flipped):
        return None
    first = int(flipped[0])
    return Flip(answer, str(answers[first]), change, length, float(factors[first]))


def nudge_pixels(model: FaceModel, face: np.ndarray, label: str | None = None) -> Nudge | None:
    """Find an adversarial example: a change of pixels, as small as can be, and another answer.

    To change a decision with the smallest largest change of a pixel, every pixel moves by the same
    amount, up or down as the gradient says (Goodfellow, Shlens and Szegedy 2015). The gradient is
    taken again where the answer changes, and the way turned towards it as long as that makes the
    change smaller (Moosavi-Dezfooli, Fawzi and Frossard 2016). Then, in whole grey levels, only as
    many pixels are changed as needed, those that count most first.

    Parameters
    ----------
    model : FaceModel
        Model of pixels alone, as `FaceModel.eigenfaces` is.
    face : ndarray of shape (side, side) or (side * side,)
        Grey levels of a prepared face, from 0 to 255.
    label : str, optional
        The answer to reach; the nearest other one when left out.

    Returns
    -------
    Nudge or None
        None where no answer changes within `REACH` grey levels.

    Raises
    ------
    DataError
        The model reads other features than pixels, has no such label, or answers it already.

    Examples
    --------
    >>> from facecore.model import load_model, sample_faces
    >>> model = load_model("classic")
    >>> face = sample_faces(model, "female", 1, seed=3)[0]
    >>> nudge = nudge_pixels(model, face)
    >>> model.predict(face[None])[0], model.predict(nudge.picture[None])[0]
    (np.str_('female'), np.str_('male'))
    >>> nudge.most < 20
    True
    """
    row, answer = _check(model, face, label)
    place = _place(model, row, answer, label, None)

    def all_alike(gradient: np.ndarray) -> np.ndarray:
        # black does not get darker, nor white brighter
        stuck = ((row <= 0) & (gradient < 0)) | ((row >= 255) & (gradient > 0))
        return np.where(stuck, 0.0, np.sign(gradient))

    found = _shortest(place, all_alike, lambda direction: float(np.abs(direction).max()))
    if found is None:
        return None
    bound, direction = found
    gradient = place.gradient(bound * direction)
    signs, order = all_alike(gradient), np.argsort(-np.abs(gradient), kind="stable")
    for most in range(max(1, int(np.ceil(bound))), int(REACH) + 1):
        picture = _few_pixels(model, row, most * signs, order, answer, label)
        if picture is not None:
            after = str(model.predict(picture[None])[0])
            moved = picture.astype(np.float64) - row
            share, mean = float((moved != 0).mean()), float(np.sqrt((moved**2).mean()))
            side = model.recipe.side
            square = picture.reshape(side, side)
            return Nudge(answer, after, square, int(np.abs(moved).max()), share, mean, bound)
    return None


def carry_over(model: FaceModel, prepared: np.ndarray, change: np.ndarray) -> np.ndarray:
    """Change a prepared face where the member with eigenfaces reads it, for all members to see.

    Parameters
    ----------
    model : FaceModel
        Model of any members, one of which has eigenfaces.
    prepared : ndarray of shape (s, s) or (s, s, 3), uint8
        The prepared face: grey, or RGB where the model reads colours or embeddings.
    change : ndarray of shape (side * side,)
        What is added to the picture that the member reads, in grey levels.

    Returns
    -------
    ndarray of the shape of `prepared`, uint8
        Where the member reads a smaller picture than was prepared, the change is enlarged.

    Raises
    ------
    ModelError
        No member has eigenfaces.

    Examples
    --------
    >>> from facecore.model import load_model
    >>> face = np.full((100, 100), 100, dtype=np.uint8)
    >>> carry_over(load_model("classic"), face, np.full(10_000, 5.4))[0, :3].tolist()
    [105, 105, 105]
    """
    changed = prepared.astype(np.float64)
    part = middle(changed, model.pixels.features.frame)  # a view
    side = round(len(change) ** 0.5)
    square = change.reshape(side, side).astype(np.float64)
    if side != len(part):
        square = cv2.resize(square, part.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    part += square if part.ndim == 2 else square[:, :, None]
    return _round(changed)


def probabilities_along(
    model: FaceModel, face: np.ndarray, change: np.ndarray, factors: np.ndarray
) -> np.ndarray:
    """Return the probabilities of the labels as a change is added to a face step by step.

    Parameters
    ----------
    model : FaceModel
        Model of pixels alone, as `FaceModel.eigenfaces` is.
    face : ndarray of shape (side, side) or (side * side,)
        Grey levels of a prepared face, from 0 to 255.
    change : ndarray of shape (side * side,)
        What is added, in grey levels.
    factors : ndarray of shape (n_steps,)
        How many times it is added.

    Returns
    -------
    ndarray of shape (n_steps, n_labels), float64
        Of the pictures in whole grey levels, from 0 to 255.

    Examples
    --------
    >>> from facecore.model import load_model, sample_faces
    >>> model = load_model("classic")
    >>> face = sample_faces(model, "female", 1)[0]
    >>> probabilities_along(model, face, np.ones(10_000), np.arange(3)).shape
    (3, 2)
    """
    row = np.asarray(face, dtype=np.float64).reshape(-1)
    return model.predict_proba(_round(row + np.asarray(factors)[:, None] * change))


def _check(model: FaceModel, face: np.ndarray, label: str | None) -> tuple[np.ndarray, str]:
    """Return the face as a row, and the model's answer about it."""
    if not model.draws or model.eigenfaces is not model:
        raise DataError("only a model that reads nothing but pixels has a gradient in pixels")
    if label is not None and label not in model.labels:
        raise DataError(f"no label {label!r}; the model has: {', '.join(model.labels)}")
    row = np.asarray(face, dtype=np.float64).reshape(-1)
    answer = str(model.predict(row[None])[0])
    if answer == label:
        raise DataError(f"the model answers {label!r} already; choose another label")
    return row, answer


@dataclass(frozen=True)
class _Place:
    """A face, and how it and its mirror image move through face space as it is changed.

    A change is a vector of n numbers: standard deviations, or grey levels.
    """

    member: Member
    slope: np.ndarray
    answer: int
    target: int | None
    starts: tuple[np.ndarray, ...]  # coordinates of each view, (n_components,)
    ways: tuple[np.ndarray, ...]  # coordinates per number of a change, (n_components, n)

    def points(self, direction: np.ndarray, lengths: np.ndarray) -> list[np.ndarray]:
        return [
            start + lengths[:, None] * (way @ direction)
            for start, way in zip(self.starts, self.ways, strict=True)
        ]

    def scores(self, points: list[np.ndarray]) -> np.ndarray:
        """Return numbers in the order of the labels' probabilities, shape (n, n_labels)."""
        values = np.mean([self.member.decide(Z) for Z in points], axis=0) * self.slope
        return np.hstack([-values, values]) / 2 if values.shape[1] == 1 else np.asarray(values)

    def margin(self, direction: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Return by how much the wanted label leads, above 0 where the answer has changed."""
        scores = self.scores(self.points(direction, lengths))
        kept = self.answer if self.target is None else self.target
        others = np.delete(scores, kept, axis=1).max(axis=1)
        lead = others - scores[:, kept]
        return np.asarray(lead if self.target is None else -lead)

    def gradient(self, change: np.ndarray, rival: int | None = None) -> np.ndarray:
        """Return the gradient of the margin, towards the target or a rival of the answer."""
        points = self.points(change, np.ones(1))
        scores = self.scores(points)[0]
        kept = self.answer if self.target is None else self.target
        if rival is None:
            rival = int(np.argmax(np.where(np.arange(len(scores)) == kept, -np.inf, scores)))
        up, down = (rival, kept) if self.target is None else (kept, rival)
        weights = np.zeros(len(scores))
        weights[up], weights[down] = 1, -1
        if len(self.slope) == 1:
            weights = weights[1:]  # the only value speaks for the second label
        weights = weights * self.slope
        seen = [
            self.member.gradient(Z, weights)[0] @ way
            for Z, way in zip(points, self.ways, strict=True)
        ]
        return np.asarray(np.mean(seen, axis=0))

    def crossing(self, direction: np.ndarray, reach: float) -> float:
        """Return the length at which the answer changes first, infinity if not within reach."""
        low, high = 0.0, reach
        for count in (SCAN, REFINE, REFINE, REFINE):
            lengths = np.linspace(low, high, count + 1)
            over = np.flatnonzero(self.margin(direction, lengths[1:]) > 0)
            if not len(over):
                return float("inf") if count == SCAN else high
            low, high = float(lengths[over[0]]), float(lengths[over[0] + 1])
        return high


def _place(
    model: FaceModel, row: np.ndarray, answer: str, label: str | None, to_pixels: np.ndarray | None
) -> _Place:
    """Return a face with its ways; a change of pixels is their own where `to_pixels` is None."""
    member = model.pixels
    # coordinates are ((X - minimum) / span - mean) times basis, over deviation
    through = member.basis / (member.deviation[:, None] * member.span)
    turned = mirror(through)  # reading a mirrored face is reading the face through these
    views = [(row, through)] + ([(mirror(row[None])[0], turned)] if model.recipe.mirror else [])
    return _Place(
        member,
        model.slope,
        model.labels.index(answer),
        None if label is None else model.labels.index(label),
        tuple(member.coordinates(view[None])[0].astype(np.float64) for view, _ in views),
        tuple(way if to_pixels is None else way @ to_pixels.T for _, way in views),
    )


def _shortest(
    place: _Place,
    steer: Callable[[np.ndarray], np.ndarray],
    measure: Callable[[np.ndarray], float],
) -> tuple[float, np.ndarray] | None:
    """Return the length and the direction, of size 1, of the shortest change that was found."""
    still = np.zeros(place.ways[0].shape[1])
    kept = place.answer if place.target is None else place.target
    scores = place.scores(place.points(still, np.ones(1)))[0]
    rivals = [int(i) for i in np.argsort(-scores) if i != kept][:RIVALS]
    starts = [steer(place.gradient(still, rival)) for rival in rivals]
    starts.append(_climb(place, steer, measure))
    starts = [start / measure(start) for start in starts if measure(start) > 0]
    lengths = [place.crossing(start, REACH) for start in starts]
    if not lengths or not np.isfinite(min(lengths)):
        return None
    length, direction = min(lengths), starts[int(np.argmin(lengths))]
    for _ in range(ROUNDS):
        aim = steer(place.gradient(length * direction))
        for turn in TURNS:
            trial = (1 - turn) * direction + turn * aim
            if measure(trial) == 0:
                continue
            trial = trial / measure(trial)
            crossing = place.crossing(trial, length)
            if crossing < length * (1 - 1e-5):
                length, direction = crossing, trial
                break
        else:
            break
    return length, direction


def _climb(
    place: _Place,
    steer: Callable[[np.ndarray], np.ndarray],
    measure: Callable[[np.ndarray], float],
) -> np.ndarray:
    """Return where steps along the gradient lead, which turns on the way."""
    change = np.zeros(place.ways[0].shape[1])
    for _ in range(SCAN):
        step = steer(place.gradient(change))
        change = change + REACH / 4 / SCAN * step / max(measure(step), 1e-300)
        if place.margin(change, np.ones(1))[0] > 0:
            break
    return change


def _unit_length(gradient: np.ndarray) -> np.ndarray:
    return np.asarray(gradient / max(float(np.linalg.norm(gradient)), 1e-300))


def _round(levels: np.ndarray) -> np.ndarray:
    return np.asarray(np.clip(np.rint(levels), 0, 255).astype(np.uint8))


def _few_pixels(
    model: FaceModel,
    row: np.ndarray,
    change: np.ndarray,
    order: np.ndarray,
    answer: str,
    label: str | None,
) -> np.ndarray | None:
    """Return the face with as many pixels changed as it takes, or None if all do not suffice."""
    low, high = 0, len(row)
    place = np.empty(len(row), dtype=int)
    place[order] = np.arange(len(row))  # of each pixel in the order
    picture = None
    while high - low > 1:
        counts = np.unique(np.linspace(low, high, REFINE + 1).round().astype(int))[1:]
        pictures = _round(row + change * (place < counts[:, None]))
        answers = model.predict(pictures)
        flipped = np.flatnonzero(answers == label if label else answers != answer)
        if not len(flipped):
            return picture
        first = int(flipped[0])
        picture = pictures[first]
        low, high = low if first == 0 else int(counts[first - 1]), int(counts[first])
    return picture
