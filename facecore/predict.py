"""A photo goes in, answers come out: the one door of both apps, the API and the command line."""

import hashlib
import os
import pickle
import time
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import cv2
import numpy as np

from facecore.detect import Face, get_detector
from facecore.errors import PhotoError
from facecore.explain import distance_from_face_space, redraw
from facecore.images import DEFAULT_LIMITS, Limits, decode
from facecore.model import FaceModel
from facecore.prepare import cut_face
from facecore.recipes import prepare, to_rows
from facecore.rule import AnswerRule, doubt
from facecore.scratch import scratch_folder

ENOUGH = 1000  # long side in pixels: a face of a tenth of the photo still fills 100 pixels
BATCH = 16  # photos whose faces go through the model together

UNSURE = (122, 122, 122)  # RGB of the box of a face without a label

Source = bytes | str | os.PathLike


@dataclass(frozen=True)
class FaceAnswer:
    """What the model says of one face.

    Parameters
    ----------
    box : tuple of int
        x, y, width, height in pixels of the upright photo at full resolution.
    label : str or None
        None where the rule doubts.
    probability : float
        Of the likeliest label, calibrated, in [0, 1].
    scores : dict of str to float
        Probability of each label.
    detection_score : float
        Confidence of the detector.
    distance : float
        Distance from face space, root mean square in units of the min-max scale.
    crop : ndarray of shape (side, side) or (side, side, 3), uint8
        What the model's leading member reads: the grey crop of the eigenfaces, or the prepared
        face in colour of a network.
    reconstruction : ndarray of shape (side, side), uint8, or None
        What the eigenfaces can draw of the crop; None for a model without eigenfaces.
    prepared : ndarray of shape (side, side) or (side, side, 3), uint8
        The face that all of the model saw: the same crop, or a wider one around it; in colour
        where a network describes it.
    reason : str or None
        Why there is no label, as `facecore.rule.doubt` says it.
    landmarks : tuple of tuple of float, or None
        As `facecore.detect.Face` has them, in pixels of the upright photo at full resolution.
    """

    box: tuple[int, int, int, int]
    label: str | None
    probability: float
    scores: dict[str, float]
    detection_score: float
    distance: float
    crop: np.ndarray
    reconstruction: np.ndarray | None
    prepared: np.ndarray
    reason: str | None
    landmarks: tuple[tuple[float, float], ...] | None = None

    @property
    def likely(self) -> str:
        """The likeliest label, whether or not it is given."""
        return max(self.scores, key=lambda label: self.scores[label])

    @property
    def verdict(self) -> str:
        """The label, or in its place ``"unsure"`` or ``"not a face"``."""
        return self.label or (self.reason or "").partition(": ")[0]

    @property
    def why(self) -> str:
        """The reason without the verdict, empty where there is a label."""
        return (self.reason or "").partition(": ")[2]


@dataclass(frozen=True)
class PhotoAnswer:
    """What the model says of one photo.

    Parameters
    ----------
    photo : str
        Name given by the caller.
    error : str or None
        Why the photo cannot be used.
    faces : tuple of FaceAnswer
        Largest first; empty when no face was found.
    pixels : ndarray of shape (height, width, 3), uint8, or None
        The upright photo, perhaps smaller than at full resolution.
    width, height : int
        Of the upright photo at full resolution, in pixels.
    ms : float
        Decode to answer, in milliseconds.
    reason : str or None
        The kind of the error, as `PhotoError` names it.
    """

    photo: str
    error: str | None = None
    faces: tuple[FaceAnswer, ...] = ()
    pixels: np.ndarray | None = None
    width: int = 0
    height: int = 0
    ms: float = 0.0
    reason: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return what ``predict --json`` prints.

        Returns
        -------
        dict
            photo, error, and faces with box, label (None where the rule doubts), probability of
            the likeliest label, scores and reason (None where there is a label).
        """
        faces = [
            {
                "box": list(face.box),
                "label": face.label,
                "probability": round(face.probability, 4),
                "scores": {label: round(score, 4) for label, score in face.scores.items()},
                "reason": face.reason,
            }
            for face in self.faces
        ]
        return {"photo": self.photo, "error": self.error, "faces": faces}


def predict_photo(
    source: Source,
    model: FaceModel,
    *,
    name: str = "",
    limits: Limits = DEFAULT_LIMITS,
    detector: dict[str, Any] | None = None,
    rule: AnswerRule | None = None,
) -> PhotoAnswer:
    """Find and classify every face of a photo.

    Parameters
    ----------
    source : bytes or path
    model : FaceModel
    name : str
        What the answer calls the photo.
    limits : Limits
    detector : dict, optional
        Another detector than the recipe's, as `facecore.detect.detector_spec` returns it.
    rule : AnswerRule, optional
        Another rule than the model's.

    Returns
    -------
    PhotoAnswer
        A photo that cannot be used gives an answer with an error; nothing is raised for it.
    """
    start = time.perf_counter()
    answer, found, crops = _search(source, model, name, limits, detector)
    faces = classify(crops, model, found, rule=rule) if crops else ()
    return replace(answer, faces=faces, ms=(time.perf_counter() - start) * 1e3)


def _search(
    source: Source,
    model: FaceModel,
    name: str,
    limits: Limits,
    detector: dict[str, Any] | None = None,
) -> tuple[PhotoAnswer, list[Face], list[np.ndarray]]:
    """Return an answer without faces, the faces in pixels of the full photo, and their crops."""
    try:
        photo = decode(source, enough=ENOUGH, limits=limits)
    except PhotoError as error:
        return PhotoAnswer(name, str(error), reason=error.reason), [], []
    faces = get_detector(detector or model.recipe["detector"])(photo.pixels)
    crops = [prepare_face(photo.pixels, face, model) for face in faces]
    answer = PhotoAnswer(name, None, (), photo.pixels, photo.width, photo.height)
    return answer, [_enlarge(face, photo.scale) for face in faces], crops


def _enlarge(face: Face, scale: float) -> Face:
    x, y, w, h = (float(v) / scale for v in face.box)
    points = face.landmarks and tuple((px / scale, py / scale) for px, py in face.landmarks)
    return replace(face, box=(x, y, w, h), landmarks=points)


def prepare_face(pixels: np.ndarray, face: Face, model: FaceModel) -> np.ndarray:
    """Cut and resize a face, grey or in colour, as the model's recipe says.

    Parameters
    ----------
    pixels : ndarray of shape (height, width, 3), uint8
    face : Face
        In pixels of `pixels`.
    model : FaceModel

    Returns
    -------
    ndarray of shape (side, side) or (side, side, 3), uint8
    """
    return prepare(cut_face(pixels, face, model.recipe.get("alignment")), model.recipe)


def classify(
    crops: list[np.ndarray],
    model: FaceModel,
    found: list[Face],
    rule: AnswerRule | None = None,
) -> tuple[FaceAnswer, ...]:
    """Classify prepared faces.

    Parameters
    ----------
    crops : list of ndarray of shape (side, side) or (side, side, 3), uint8
    model : FaceModel
    found : list of Face
        Where each crop comes from, in pixels of the upright photo at full resolution.
    rule : AnswerRule, optional
        Another rule than the model's.

    Returns
    -------
    tuple of FaceAnswer
    """
    X = to_rows(crops, model.recipe)
    probabilities = model.predict_proba(X)
    seen: Sequence[np.ndarray]
    drawn: Sequence[np.ndarray | None]
    if model.draws:
        pictures, distances = redraw(model, X)
        seen = list(model.pixels.features.extract(X).reshape(pictures.shape))
        drawn = list(pictures)
    else:
        seen, drawn = crops, [None] * len(crops)
        distances = distance_from_face_space(model, X)
    answers = []
    for prepared, crop, face, p, image, distance in zip(
        crops, seen, found, probabilities, drawn, distances, strict=True
    ):
        best = int(p.argmax())
        reason = doubt(rule or model.rule, float(p[best]), float(distance), face.score)
        x, y, w, h = (round(v) for v in face.box)
        answers.append(
            FaceAnswer(
                box=(x, y, w, h),
                label=None if reason else model.labels[best],
                probability=float(p[best]),
                scores=dict(zip(model.labels, map(float, p), strict=True)),
                detection_score=face.score,
                distance=float(distance),
                crop=crop,
                reconstruction=image,
                prepared=prepared,
                reason=reason,
                landmarks=face.landmarks,
            )
        )
    return tuple(answers)


def predict_many(
    sources: Iterable[tuple[str, Source]],
    model: FaceModel,
    *,
    jobs: int = 1,
    limits: Limits = DEFAULT_LIMITS,
    rule: AnswerRule | None = None,
) -> Iterator[PhotoAnswer]:
    """Classify many photos in order, without keeping their pixels.

    The faces of `BATCH` photos are decided together: one face waits for the model's arrays to
    come out of memory, and more wait hardly longer.

    Parameters
    ----------
    sources : iterable of (str, bytes or path)
        Name and photo.
    model : FaceModel
    jobs : int
        Worker processes; -1 for one a core. The answers do not depend on it.
    limits : Limits
    rule : AnswerRule, optional
        Another rule than the model's.

    Yields
    ------
    PhotoAnswer
        Its time is that of its search and its faces' share of the time of deciding.
    """
    batches = _batches(sources)
    if jobs == 1:
        for batch in batches:
            yield from _predict_batch(batch, model, limits, rule)
        return
    import joblib  # one photo, in a web worker or on the command line, needs no joblib

    for member in model.members:
        member.unpack()
    with _lend(model) as lent:
        parallel = joblib.Parallel(n_jobs=jobs, return_as="generator")
        results = parallel(
            joblib.delayed(_predict_lent)(batch, *lent, limits, rule) for batch in batches
        )
        try:
            for answers in results:
                yield from answers
        finally:
            with warnings.catch_warnings():  # a reader who has seen enough is no cause for one
                warnings.simplefilter("ignore")
                results.close()


@contextmanager
def _lend(model: FaceModel) -> Iterator[tuple[str, np.ndarray | None]]:
    """Yield how workers get the model once: a file on this computer, or its bytes on a cluster.

    As an argument it would be unpickled, and on this computer mapped, again for each batch.
    """
    import joblib
    from joblib.parallel import LokyBackend, get_active_backend

    if not isinstance(get_active_backend()[0], LokyBackend):
        packed = pickle.dumps(model)
        # an array, as Dask's engine for joblib sends large arrays once
        yield hashlib.sha256(packed).hexdigest(), np.frombuffer(packed, dtype=np.uint8)
        return
    with scratch_folder() as folder:
        stored = str(folder / "model")
        joblib.dump(model, stored)
        yield stored, None


_lent: dict[str, FaceModel] = {}


def _predict_lent(
    batch: list[tuple[str, Source]],
    name: str,
    packed: np.ndarray | None,
    limits: Limits,
    rule: AnswerRule | None,
) -> list[PhotoAnswer]:
    if name not in _lent:
        import joblib

        _lent.clear()
        _lent[name] = (
            joblib.load(name, mmap_mode="r") if packed is None else pickle.loads(packed.tobytes())
        )
    return _predict_batch(batch, _lent[name], limits, rule)


def _batches(sources: Iterable[tuple[str, Source]]) -> Iterator[list[tuple[str, Source]]]:
    rest = iter(sources)
    while batch := list(islice(rest, BATCH)):
        yield batch


def _predict_batch(
    batch: list[tuple[str, Source]], model: FaceModel, limits: Limits, rule: AnswerRule | None
) -> list[PhotoAnswer]:
    cv2.setNumThreads(1)
    answers, counts, found, crops = [], [], [], []
    for name, source in batch:
        start = time.perf_counter()
        answer, faces, prepared = _search(source, model, name, limits)
        ms = (time.perf_counter() - start) * 1e3
        answers.append(replace(answer, pixels=None, ms=ms))
        counts.append(len(faces))
        found += faces
        crops += prepared
    if not crops:
        return answers
    from threadpoolctl import threadpool_limits  # one photo needs none

    start = time.perf_counter()
    with threadpool_limits(1):  # in a process of many, too; sums of threads differ in last digits
        decided = iter(classify(crops, model, found, rule))
    share = (time.perf_counter() - start) * 1e3 / len(crops)
    return [
        replace(answer, faces=tuple(islice(decided, count)), ms=answer.ms + count * share)
        for answer, count in zip(answers, counts, strict=True)
    ]


def colour_crop(answer: PhotoAnswer, number: int, model: FaceModel) -> np.ndarray:
    """Cut one face out of its photo as the model's recipe says, in colour.

    Parameters
    ----------
    answer : PhotoAnswer
        With pixels.
    number : int
        Of the face, from 1.
    model : FaceModel
        That answered.

    Returns
    -------
    ndarray of shape (height, width, 3), uint8
        As `facecore.prepare.cut_face` cuts it, from the answer's pixels.

    Raises
    ------
    ValueError
        The answer has no pixels.
    """
    if answer.pixels is None:
        raise ValueError("the answer has no pixels to cut from")
    scale, found = answer.pixels.shape[1] / answer.width, answer.faces[number - 1]
    x, y, w, h = (v * scale for v in found.box)
    points = found.landmarks and tuple((px * scale, py * scale) for px, py in found.landmarks)
    face = Face((x, y, w, h), found.detection_score, points)
    return cut_face(answer.pixels, face, model.recipe.get("alignment"))


def same_faces(first: PhotoAnswer, second: PhotoAnswer) -> list[tuple[int, int]]:
    """Pair the faces that two answers to one photo found in the same place.

    Parameters
    ----------
    first, second : PhotoAnswer

    Returns
    -------
    list of (int, int)
        Positions in the faces of `first` and of `second`; boxes of which more than half of the
        union overlaps, each in one pair, the best pairs first.
    """
    overlaps = [
        (overlap, i, j)
        for i, one in enumerate(first.faces)
        for j, other in enumerate(second.faces)
        if (overlap := _overlap(one.box, other.box)) > 0.5
    ]
    pairs: dict[int, int] = {}
    for _, i, j in sorted(overlaps, key=lambda item: -item[0]):
        if i not in pairs and j not in pairs.values():
            pairs[i] = j
    return list(pairs.items())


def _overlap(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """Return the share of two boxes' union that lies in both."""
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    shared = max(width, 0) * max(height, 0)
    return shared / (one[2] * one[3] + other[2] * other[3] - shared)


def annotate(answer: PhotoAnswer, colours: dict[str, tuple[int, int, int]]) -> np.ndarray:
    """Draw the numbered boxes of an answer on its photo, and dots on the landmarks.

    Parameters
    ----------
    answer : PhotoAnswer
        With pixels.
    colours : dict of str to tuple of int
        RGB colour of each label's box; a face without a label has a grey one.

    Returns
    -------
    ndarray of shape (height, width, 3), uint8

    Raises
    ------
    ValueError
        The answer has no pixels.
    """
    if answer.pixels is None:
        raise ValueError("the answer has no pixels to draw on")
    picture = answer.pixels.copy()
    scale = picture.shape[1] / answer.width
    thick = max(2, round(max(picture.shape[:2]) / 250))
    for number, face in enumerate(answer.faces, start=1):
        x, y, w, h = (round(v * scale) for v in face.box)
        colour = colours[face.label] if face.label else UNSURE
        ink = (0, 0, 0) if np.dot(colour, (0.299, 0.587, 0.114)) > 140 else (255, 255, 255)
        places = [(round(px * scale), round(py * scale)) for px, py in face.landmarks or ()]
        for shade, wider in ((ink, 2), (colour, 0)):  # an edge, to be seen on any photo
            cv2.rectangle(picture, (x, y), (x + w, y + h), shade, thick + wider)
            for place in places:
                cv2.circle(picture, place, thick + wider // 2, shade, cv2.FILLED, cv2.LINE_AA)
        size = max(0.4, max(picture.shape[:2]) / 800)
        (tw, th), base = cv2.getTextSize(str(number), cv2.FONT_HERSHEY_SIMPLEX, size, thick)
        left, top = max(0, x), max(0, y)
        corner = (left + tw + 2 * thick + 2, top + th + base + 2)
        cv2.rectangle(picture, (left, top), corner, colour, cv2.FILLED)
        cv2.putText(
            picture, str(number), (left + thick + 1, top + th + 2),
            cv2.FONT_HERSHEY_SIMPLEX, size, ink, thick, cv2.LINE_AA,
        )  # fmt: skip
    return picture
