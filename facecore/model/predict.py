"""Photos in, answers out: what both apps, the API and the command line call."""

import hashlib
import math
import os
import pickle
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from facecore.errors import PhotoError
from facecore.face.detect import (
    MIN_SIZE,
    Face,
    Settings,
    WholeSettings,
    get_detector,
    parse_detector,
    smallest_face,
)
from facecore.face.images import Limits, Photo, Source, decode, read_bytes
from facecore.face.recipes import cut_face, prepare_crop, to_rows
from facecore.model.answers import FaceAnswer, PhotoAnswer
from facecore.model.classifier import FaceModel
from facecore.model.explain import distance_from_face_space, redraw
from facecore.model.rule import AnswerRule, doubt, doubt_face, measure_lead
from facecore.model.store import find_model, load_model
from facecore.system.scratch import scratch_folder
from facecore.system.workers import in_parallel

ENOUGH = 1000  # long side in pixels: a face of a tenth of the photo still fills 100 pixels
FINE = 100  # width of a face in pixels: with fewer, more of the photo is decoded
MOST_PIXELS = 24_000_000  # that are decoded for small faces: they bound the memory
MOST_FACES = 250  # that are answered, the largest first: they bound the time
SHRINK = 5  # a face of 54 pixels still fills 11, which is enough to find it
BATCH = 16  # photos whose faces go through the model together


def predict_photo(
    source: Source,
    model: FaceModel | str | None = None,
    *,
    name: str | None = None,
    bgr: bool = False,
    limits: Limits | None = None,
    detector: Settings | Mapping[str, Any] | None = None,
    rule: AnswerRule | None = None,
) -> PhotoAnswer:
    """Find and classify every face of a photo.

    Parameters
    ----------
    source : path, bytes, open binary file, PIL image or ndarray
        A file or its content, or pixels as `facecore.face.decode` takes them: uint8 of shape
        (height, width, 3) in RGB order, or (height, width).
    model : FaceModel or str, optional
        The model, or its name; the default model when left out. A named model is loaded once per
        process, and again after it is trained anew.
    name : str, optional
        Name of the photo in the answer; when left out, the file's name, or empty.
    bgr : bool
        Whether the channels of an array are blue, green, red, as OpenCV reads photos and frames.
    limits : Limits, optional
        Largest number of bytes and pixels; `facecore.face.default_limits` if left out.
    detector : HaarSettings, MtcnnSettings, BlazeSettings or mapping, optional
        Detector to use in place of the recipe's.
    rule : AnswerRule, optional
        Rule to use in place of the model's.

    Returns
    -------
    PhotoAnswer
        One answer per face. A photo that cannot be used gives an answer with an error; no
        exception is raised for it.

    Raises
    ------
    ModelError
        There is no model of that name, it is damaged, or its detector cannot be used.

    Examples
    --------
    >>> from facecore.model import load_model, make_photo
    >>> photo = make_photo(load_model("classic"), "female", seed=1)
    >>> answer = predict_photo(photo, "classic")
    >>> len(answer.faces), answer.faces[0].crop.shape
    (1, (100, 100))
    """
    start = time.perf_counter()
    model = model if isinstance(model, FaceModel) else _load_once(model)
    name = _name_of(source) if name is None else name
    answer, found, crops = _search(source, model, name, limits, detector, bgr=bgr)
    faces = classify(crops, model, found, rule=rule) if crops else ()
    return replace(answer, faces=faces, ms=(time.perf_counter() - start) * 1e3)


def _name_of(source: Source) -> str:
    """Return the name of a file; empty where the source has none."""
    path = source if isinstance(source, (str, os.PathLike)) else getattr(source, "name", "")
    return Path(path).name if isinstance(path, (str, os.PathLike)) else ""


def _load_once(name: str | None) -> FaceModel:
    folder = find_model(name)
    return _load_unchanged(name, folder, (folder / "metadata.json").stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _load_unchanged(name: str | None, folder: Path, changed: int) -> FaceModel:
    """Load a model; the time of writing is in the cache's key, so that a new one is noticed."""
    return load_model(name)


def _search(
    source: Source,
    model: FaceModel,
    name: str,
    limits: Limits | None,
    detector: Settings | Mapping[str, Any] | None = None,
    bgr: bool = False,
) -> tuple[PhotoAnswer, list[Face], list[np.ndarray]]:
    """Return an answer without faces, the faces in pixels of the full photo, and their crops."""
    settings = detector or model.recipe.detector
    settings = parse_detector(settings) if isinstance(settings, Mapping) else settings
    find = get_detector(settings)
    try:
        if not isinstance(source, (np.ndarray, Image.Image)):
            source = read_bytes(source, limits)
        photo = decode(source, enough=ENOUGH, shrink=SHRINK, limits=limits, bgr=bgr)
        faces = find(photo.pixels, scale=photo.scale)
        narrowest = min((face.box[2] for face in faces), default=FINE)
        enough = _enough(photo, narrowest)
        if narrowest < FINE and photo.scale < 1 and enough > max(photo.pixels.shape[:2]):
            photo = decode(source, enough=enough, limits=limits, bgr=bgr)
            faces = find(photo.pixels, scale=photo.scale)
    except PhotoError as error:
        return PhotoAnswer(name, str(error), reason=error.reason), [], []
    notes = photo.notes + _of_small_faces(settings, photo)
    if len(faces) > MOST_FACES:
        notes += (f"of {len(faces):,} faces, the {MOST_FACES} largest are answered",)
        faces = faces[:MOST_FACES]
    crops = [prepare_face(photo.pixels, face, model) for face in faces]
    answer = PhotoAnswer(name, None, (), photo.pixels, photo.width, photo.height, notes=notes)
    return answer, [_enlarge(face, photo.scale) for face in faces], crops


def _enough(photo: Photo, narrowest: float) -> int:
    """Return the long side at which the narrowest face has enough pixels, within the memory."""
    long_side: int = max(photo.width, photo.height)
    shrink = 1
    while photo.width * photo.height > MOST_PIXELS * shrink**2:
        shrink *= 2
    wanted: int = math.ceil(max(photo.pixels.shape[:2]) * FINE / narrowest)
    return min(wanted, long_side // shrink)


def _of_small_faces(settings: Settings, photo: Photo) -> tuple[str, ...]:
    """Say where faces that a model could judge were not looked for."""
    height, width = photo.pixels.shape[:2]
    smallest = round(smallest_face(settings, width, height, photo.scale) / photo.scale)
    least = MIN_SIZE if isinstance(settings, WholeSettings) else settings.min_pixels
    if smallest <= max(least, MIN_SIZE) or min(photo.width, photo.height) < MIN_SIZE:
        return ()
    return (f"faces narrower than {smallest} pixels were not looked for in this large photo",)


def _enlarge(face: Face, scale: float) -> Face:
    x, y, w, h = (float(v) / scale for v in face.box)
    points = face.landmarks and tuple((px / scale, py / scale) for px, py in face.landmarks)
    return replace(face, box=(x, y, w, h), landmarks=points)


def prepare_face(pixels: np.ndarray, face: Face, model: FaceModel) -> np.ndarray:
    """Cut and resize a face by the model's recipe.

    Parameters
    ----------
    pixels : ndarray of shape (height, width, 3), uint8
        RGB photo.
    face : Face
        A detected face, in pixels of `pixels`.
    model : FaceModel
        The model whose recipe is used.

    Returns
    -------
    ndarray of shape (side, side) or (side, side, 3), uint8
        The prepared face: grey, or RGB where the model reads colours or embeddings.

    Raises
    ------
    ModelError
        The recipe aligns faces, but the face has no landmarks.
    """
    return prepare_crop(cut_face(pixels, face, model.recipe.alignment), model.recipe)


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
        Prepared faces, at least one: grey, or RGB where the model reads colours or embeddings.
    model : FaceModel
        The model that answers.
    found : list of Face
        The detected face of each crop, in pixels of the upright photo at full resolution.
    rule : AnswerRule, optional
        Rule to use in place of the model's.

    Returns
    -------
    tuple of FaceAnswer
        One answer per crop, in the same order.

    Raises
    ------
    ModelError
        The model reads embeddings, whose weights are not installed.
    """
    X = to_rows(crops, model.recipe)
    decisions, beyond = model.judge(X)
    probabilities, leads = model.probability_of(decisions), measure_lead(decisions)
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
    for prepared, crop, face, p, lead, image, distance, outside in zip(
        crops, seen, found, probabilities, leads, drawn, distances, beyond, strict=True
    ):
        best = int(p.argmax())
        kinds = {kind.reason: float(v) for kind, v in zip(model.outside, outside, strict=True)}
        reason = doubt(
            rule or model.rule, float(p[best]), float(distance), face.score, float(lead), kinds
        )
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
                lead=float(lead),
                outside=kinds,
                no_face=doubt_face(model.rule, float(distance), kinds),
            )
        )
    return tuple(answers)


def predict_many(
    sources: Iterable[tuple[str, Source]],
    model: FaceModel,
    *,
    jobs: int = 1,
    limits: Limits | None = None,
    rule: AnswerRule | None = None,
) -> Iterator[PhotoAnswer]:
    """Classify many photos in order, without keeping their pixels.

    The faces of `BATCH` photos are classified together: most of the time goes into reading the
    model's arrays from memory, which takes hardly longer for many faces than for one.

    Parameters
    ----------
    sources : iterable of (str, source)
        Name and photo; a photo is anything that `predict_photo` takes.
    model : FaceModel
        The model that answers.
    jobs : int
        Number of worker processes; -1 for one per core. The answers do not depend on it.
    limits : Limits, optional
        Largest number of bytes and pixels per photo; `facecore.face.default_limits` if left out.
    rule : AnswerRule, optional
        Rule to use in place of the model's.

    Yields
    ------
    PhotoAnswer
        One answer per photo, without pixels. Its time is that of its own search, plus its faces'
        share of the time of classifying.

    Raises
    ------
    ModelError
        The model's detector or its embedding cannot be used.
    ResourceError
        A worker process died, or memory is short.

    Examples
    --------
    >>> from facecore.model import load_model, make_photo
    >>> model = load_model("classic")
    >>> photos = [("a", make_photo(model, "female", seed=1)), ("b", b"not a photo")]
    >>> [(answer.photo, answer.reason) for answer in predict_many(photos, model)]
    [('a', None), ('b', 'not_an_image')]
    """
    batches = _batches(sources)
    if jobs == 1:
        for batch in batches:
            yield from _predict_batch(batch, model, limits, rule)
        return
    from joblib import delayed  # one photo, in a web worker or on the command line, needs no joblib

    for member in model.members:
        member.unpack()
    with _lend(model) as lent:
        calls = (delayed(_predict_lent)(batch, *lent, limits, rule) for batch in batches)
        results = in_parallel(calls, jobs)
        try:
            for answers in results:
                yield from answers
        finally:
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
    limits: Limits | None,
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
    batch: list[tuple[str, Source]],
    model: FaceModel,
    limits: Limits | None,
    rule: AnswerRule | None,
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
    from threadpoolctl import threadpool_limits  # not needed for one photo

    start = time.perf_counter()
    # one thread also where there is one process: sums over threads differ in their last digits
    with threadpool_limits(1):
        decided = iter(classify(crops, model, found, rule))
    share = (time.perf_counter() - start) * 1e3 / len(crops)
    return [
        replace(answer, faces=tuple(islice(decided, count)), ms=answer.ms + count * share)
        for answer, count in zip(answers, counts, strict=True)
    ]


def colour_crop(answer: PhotoAnswer, number: int, model: FaceModel) -> np.ndarray:
    """Cut one face out of its photo by the model's recipe, in colour.

    Parameters
    ----------
    answer : PhotoAnswer
        An answer that kept its pixels.
    number : int
        Number of the face, from 1.
    model : FaceModel
        The model that answered.

    Returns
    -------
    ndarray of shape (crop height, crop width, 3), uint8
        RGB crop from the answer's pixels, as `facecore.face.cut_face` cuts it.

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
    return cut_face(answer.pixels, face, model.recipe.alignment)
