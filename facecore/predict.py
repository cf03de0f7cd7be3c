"""A photo goes in, answers come out: the one door of both apps, the API and the command line."""

import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np

from facecore.detect import Face, get_detector
from facecore.errors import PhotoError
from facecore.explain import distance_from_face_space, reconstruct
from facecore.images import DEFAULT_LIMITS, Limits, decode
from facecore.model import FaceModel
from facecore.prepare import cut, flatten, to_square

ENOUGH = 1000  # long side in pixels: a face of a tenth of the photo still fills 100 pixels

Source = bytes | str | os.PathLike


@dataclass(frozen=True)
class FaceAnswer:
    """What the model says of one face.

    Parameters
    ----------
    box : tuple of int
        x, y, width, height in pixels of the upright photo at full resolution.
    label : str
    probability : float
        Of the label, calibrated, in [0, 1].
    scores : dict of str to float
        Probability of each label.
    detection_score : float
        Confidence of the detector.
    distance : float
        Distance from face space, root mean square in units of the min-max scale.
    crop, reconstruction : ndarray of shape (side, side), uint8
        The grey crop that the model saw, and what its eigenfaces can draw of it.
    """

    box: tuple[int, int, int, int]
    label: str
    probability: float
    scores: dict[str, float]
    detection_score: float
    distance: float
    crop: np.ndarray
    reconstruction: np.ndarray


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
            photo, error, and faces with box, label, probability and scores.
        """
        faces = [
            {
                "box": list(face.box),
                "label": face.label,
                "probability": round(face.probability, 4),
                "scores": {label: round(score, 4) for label, score in face.scores.items()},
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

    Returns
    -------
    PhotoAnswer
        A photo that cannot be used gives an answer with an error; nothing is raised for it.
    """
    start = time.perf_counter()
    try:
        photo = decode(source, enough=ENOUGH, limits=limits)
    except PhotoError as error:
        ms = (time.perf_counter() - start) * 1e3
        return PhotoAnswer(name, str(error), ms=ms, reason=error.reason)
    found = get_detector(detector or model.recipe["detector"])(photo.pixels)
    crops = [prepare_face(photo.pixels, face, model) for face in found]
    faces = classify(crops, model, found, photo.scale) if crops else ()
    ms = (time.perf_counter() - start) * 1e3
    return PhotoAnswer(name, None, faces, photo.pixels, photo.width, photo.height, ms)


def prepare_face(pixels: np.ndarray, face: Face, model: FaceModel) -> np.ndarray:
    """Cut, grey and resize a face as the model's recipe says.

    Parameters
    ----------
    pixels : ndarray of shape (height, width, 3), uint8
    face : Face
        In pixels of `pixels`.
    model : FaceModel

    Returns
    -------
    ndarray of shape (side, side), uint8
    """
    recipe = model.recipe
    return to_square(cut(pixels, face.box), int(recipe["side"]), float(recipe["frame"]))


def classify(
    crops: list[np.ndarray], model: FaceModel, found: list[Face], scale: float = 1.0
) -> tuple[FaceAnswer, ...]:
    """Classify prepared faces.

    Parameters
    ----------
    crops : list of ndarray of shape (side, side), uint8
    model : FaceModel
    found : list of Face
        Where each crop comes from, in pixels of the decoded photo.
    scale : float
        Pixels of the decoded photo for one of the full photo.

    Returns
    -------
    tuple of FaceAnswer
    """
    X = np.vstack([flatten(crop) for crop in crops])
    probabilities = model.predict_proba(X)
    drawn = reconstruct(model, X)
    distances = distance_from_face_space(model, X)
    answers = []
    for crop, face, p, image, distance in zip(
        crops, found, probabilities, drawn, distances, strict=True
    ):
        best = int(p.argmax())
        x, y, w, h = (round(float(v) / scale) for v in face.box)
        answers.append(
            FaceAnswer(
                box=(x, y, w, h),
                label=model.labels[best],
                probability=float(p[best]),
                scores=dict(zip(model.labels, map(float, p), strict=True)),
                detection_score=face.score,
                distance=float(distance),
                crop=crop,
                reconstruction=image,
            )
        )
    return tuple(answers)


def predict_many(
    sources: Iterable[tuple[str, Source]],
    model: FaceModel,
    *,
    jobs: int = 1,
    limits: Limits = DEFAULT_LIMITS,
) -> Iterator[PhotoAnswer]:
    """Classify many photos in order, without keeping their pixels.

    Parameters
    ----------
    sources : iterable of (str, bytes or path)
        Name and photo.
    model : FaceModel
    jobs : int
        Worker processes; -1 for one a core. The answers do not depend on it.
    limits : Limits

    Yields
    ------
    PhotoAnswer
    """
    import joblib  # one photo, in a web worker or on the command line, needs no joblib

    parallel = joblib.Parallel(n_jobs=jobs, return_as="generator")
    yield from parallel(
        joblib.delayed(_predict_one)(name, source, model, limits) for name, source in sources
    )


def _predict_one(name: str, source: Source, model: FaceModel, limits: Limits) -> PhotoAnswer:
    cv2.setNumThreads(1)
    answer = predict_photo(source, model, name=name, limits=limits)
    return replace(answer, pixels=None)


def colour_crop(answer: PhotoAnswer, number: int) -> np.ndarray:
    """Cut one face out of its photo, in colour.

    Parameters
    ----------
    answer : PhotoAnswer
        With pixels.
    number : int
        Of the face, from 1.

    Returns
    -------
    ndarray of shape (height, width, 3), uint8
        The box of the detector, at the resolution of the answer's pixels.

    Raises
    ------
    ValueError
        The answer has no pixels.
    """
    if answer.pixels is None:
        raise ValueError("the answer has no pixels to cut from")
    scale = answer.pixels.shape[1] / answer.width
    return cut(answer.pixels, tuple(v * scale for v in answer.faces[number - 1].box))


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
    """Draw the numbered boxes of an answer on its photo.

    Parameters
    ----------
    answer : PhotoAnswer
        With pixels.
    colours : dict of str to tuple of int
        RGB colour of each label's box.

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
    thick = max(1, round(max(picture.shape[:2]) / 250))
    for number, face in enumerate(answer.faces, start=1):
        x, y, w, h = (round(v * scale) for v in face.box)
        colour = colours[face.label]
        ink = (0, 0, 0) if np.dot(colour, (0.299, 0.587, 0.114)) > 140 else (255, 255, 255)
        cv2.rectangle(picture, (x, y), (x + w, y + h), colour, thick)
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
