"""A photo goes in, answers come out: the one door of both apps, the API and the command line."""

import hashlib
import os
import pickle
import time
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from typing import Any

import cv2
import numpy as np

from facecore.errors import PhotoError
from facecore.face.detect import Face, get_detector
from facecore.face.images import DEFAULT_LIMITS, Limits, decode
from facecore.face.prepare import to_grey
from facecore.face.recipes import cut_face, prepare_crop, to_rows
from facecore.model.answers import FaceAnswer, PhotoAnswer
from facecore.model.classifier import FaceModel
from facecore.model.explain import distance_from_face_space, redraw
from facecore.model.rule import AnswerRule, doubt
from facecore.system.scratch import scratch_folder

ENOUGH = 1000  # long side in pixels: a face of a tenth of the photo still fills 100 pixels


BATCH = 16  # photos whose faces go through the model together


Source = bytes | str | os.PathLike


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
        Another detector than the recipe's, as `facecore.face.detect.detector_spec` returns it.
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
    return prepare_crop(cut_face(pixels, face, model.recipe.get("alignment")), model.recipe)


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
    drawn: Sequence[np.ndarray | None]
    if model.draws:
        pictures, distances = redraw(model, X)
        seen, drawn = model.pixels.features.extract(X).reshape(pictures.shape), list(pictures)
    else:
        seen, drawn = np.array([to_grey(crop) for crop in crops]), [None] * len(crops)
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
        As `facecore.face.recipes.cut_face` cuts it, from the answer's pixels.

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
