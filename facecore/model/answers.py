"""What a model answers about a photo and its faces."""

from dataclasses import dataclass
from typing import Any

import numpy as np


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
    crop : ndarray of shape (side, side), uint8
        The grey crop that the eigenfaces saw; of a model without them, the prepared face in grey.
    reconstruction : ndarray of shape (side, side), uint8, or None
        What the eigenfaces can draw of the crop; None where the model has none.
    prepared : ndarray of shape (side, side) or (side, side, 3), uint8
        The face that all of the model saw: the same crop, or a wider one around it; in colour
        where a network describes it.
    reason : str or None
        Why there is no label, as `facecore.model.rule.doubt` says it.
    landmarks : tuple of tuple of float, or None
        As `facecore.face.detect.Face` has them, in pixels of the upright photo at full resolution.
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
