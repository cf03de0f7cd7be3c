"""What a model answers about a photo and its faces."""

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from facecore.face.detect import main_face
from facecore.face.images import to_png
from facecore.face.prepare import shrink
from facecore.model.drawing import Colour, Mark, draw_marks, label_colours, to_rgb
from facecore.model.labels import order_labels
from facecore.model.rule import NO_FACE, AnswerRule, doubt

if TYPE_CHECKING:
    import pandas as pd

UNSURE = (122, 122, 122)  # RGB of the box of a face without a label
DOUBTED = (255, 255, 255)  # RGB of the dashes around what is probably not a face
HTML_SIDE = 96  # of a face in a notebook, in pixels
HTML_SCORES = 5  # of a face in a notebook; with more labels the rest is folded away
NO_FORMULAS = 'class="tex2jax_ignore mathjax_ignore"'  # else a notebook reads $x$ in a name as one


@dataclass(frozen=True)
class FaceAnswer:
    """What the model answers about one face.

    Parameters
    ----------
    box : tuple of int
        x, y, width, height in pixels of the upright photo at full resolution.
    label : str or None
        The likeliest label; None where the rule withholds it.
    probability : float
        Calibrated probability of the likeliest label, in [0, 1].
    scores : dict of str to float
        Probability of each label, in [0, 1]; they sum to 1.
    detection_score : float
        Score of the detector, in its own unit.
    distance : float
        Distance from face space: root mean square in units of the min-max scale.
    crop : ndarray of shape (s, s) or (s, s, 3), uint8
        What the model's leading member reads: the grey crop of the eigenfaces; without them, the
        prepared face in colour that the network turns into an embedding.
    reconstruction : ndarray of shape (s, s), uint8, or None
        The crop reconstructed from the eigenfaces; None where the model has none.
    prepared : ndarray of shape (side, side) or (side, side, 3), uint8
        The face that all members read: the same crop, or a wider one around it; RGB where the
        model reads embeddings.
    reason : str or None
        Why there is no label, such as ``"unsure: confidence below 0.8"``.
    landmarks : tuple of tuple of float, or None
        x and y of eyes, nose and corners of the mouth, in the order of `Face`, in pixels of the
        upright photo at full resolution; None where the detector gives none.
    lead : float
        Of the likeliest label, as `facecore.model.measure_lead` measures it.
    outside : dict of str to float
        For each kind of pictures that the model is not for, the reason that it gives and how far
        the face is beyond its limit.
    no_face : str or None
        Why it is probably not a face by the model's own rule, such as ``"not a face: farther than
        0.14 from face space"``; it holds for a label, too, that another rule gives.
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
    lead: float = math.inf
    outside: dict[str, float] = field(default_factory=dict)
    no_face: str | None = None

    @property
    def likely(self) -> str:
        """The likeliest label, whether or not the rule withholds it."""
        return max(self.scores, key=lambda label: self.scores[label])

    @property
    def verdict(self) -> str:
        """The label, or else ``"unsure"``, ``"unknown"`` or ``"not a face"``."""
        return self.label or (self.reason or "").partition(": ")[0]

    @property
    def why(self) -> str:
        """The reason without the verdict, empty where there is a label."""
        return (self.reason or "").partition(": ")[2]

    @property
    def why_no_face(self) -> str | None:
        """Why it is probably not a face, whatever label it has; None where it looks like one."""
        withheld = self.label is None and self.verdict == NO_FACE
        reason = self.reason if withheld else self.no_face
        return reason.partition(": ")[2] if reason else None

    def __repr__(self) -> str:
        x, y, w, h = self.box
        answer = f"{self.verdict}, {self.likely} {self.probability:.3f}"
        return f"FaceAnswer({answer}, {w} x {h} at {x}, {y})"

    def _repr_html_(self) -> str:
        return f"<table {NO_FORMULAS}><tr>{_html_cells(self)}</tr></table>"


@dataclass(frozen=True)
class PhotoAnswer:
    """What the model answers about one photo.

    A notebook shows it as the photo with numbered boxes and one row per face.

    Parameters
    ----------
    photo : str
        Name of the photo, which may be empty.
    error : str or None
        Why the photo cannot be used, and how to fix it; None where it can.
    faces : tuple of FaceAnswer
        One answer per face, largest face first; empty where no face was found.
    pixels : ndarray of shape (decoded height, decoded width, 3), uint8, or None
        The upright photo in RGB, perhaps at less than full resolution; None where it was not kept.
    width, height : int
        Size of the upright photo at full resolution, in pixels.
    ms : float
        Time from decoding to the answer, in milliseconds.
    reason : str or None
        The kind of the error, as `PhotoError` names it.
    notes : tuple of str
        What was not as it should be with a photo that can be used, one line each.

    Examples
    --------
    >>> PhotoAnswer("a.txt", error="the file is not a photo")
    PhotoAnswer('a.txt', error: the file is not a photo)
    """

    photo: str
    error: str | None = None
    faces: tuple[FaceAnswer, ...] = ()
    pixels: np.ndarray | None = None
    width: int = 0
    height: int = 0
    ms: float = 0.0
    reason: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def main(self) -> FaceAnswer | None:
        """The face that the photo is about, as `facecore.face.main_face` chooses it, if any."""
        if not self.faces:
            return None
        return self.faces[main_face(self.faces, self.width, self.height)]

    def to_dict(self, order: Sequence[str] = ()) -> dict[str, Any]:
        """Return what ``predict --json`` prints.

        Parameters
        ----------
        order : sequence of str
            Labels in the order that the model declares, if it does; see `order_labels`.

        Returns
        -------
        dict
            JSON types only: photo, error, notes, and faces with box, label (None where the rule
            withholds it), probability of the likeliest label, scores by label in the order of
            `order_labels`, and reason (None where there is a label).

        Examples
        --------
        >>> PhotoAnswer("a.jpg").to_dict()
        {'photo': 'a.jpg', 'error': None, 'notes': [], 'faces': []}
        """
        faces = [
            {
                "box": list(face.box),
                "label": face.label,
                "probability": round(face.probability, 4),
                "scores": {
                    label: round(face.scores[label], 4)
                    for label in order_labels(face.scores, order)
                },
                "reason": face.reason,
            }
            for face in self.faces
        ]
        return {
            "photo": self.photo,
            "error": self.error,
            "notes": list(self.notes),
            "faces": faces,
        }

    def to_frame(self) -> "pd.DataFrame":
        """Return the answer as a table; `pandas.concat` joins those of several photos.

        Returns
        -------
        DataFrame
            One row per face: photo, face (from 1), label (missing where it is withheld), likely,
            probability, p_<label> of each label (s2 before s10), reason, distance,
            detection_score, x, y, width, height (pixels of the photo at full resolution),
            error and notes (joined by ``"; "``). A photo that cannot be used, or has no face, gives
            one row, whose face is 0.

        Examples
        --------
        >>> table = PhotoAnswer("a.jpg").to_frame()
        >>> table[["photo", "face", "error"]].to_dict("records")
        [{'photo': 'a.jpg', 'face': 0, 'error': 'no face found'}]
        """
        import pandas as pd  # the upload site answers without pandas

        notes = "; ".join(self.notes)
        rows: list[dict[str, Any]] = [
            {
                "photo": self.photo,
                "face": number,
                "label": face.label,
                "likely": face.likely,
                "probability": face.probability,
                **{f"p_{label}": face.scores[label] for label in order_labels(face.scores)},
                "reason": face.reason,
                "distance": face.distance,
                "detection_score": face.detection_score,
                **dict(zip(("x", "y", "width", "height"), face.box, strict=True)),
                "error": None,
                "notes": notes,
            }
            for number, face in enumerate(self.faces, start=1)
        ]
        error = self.error or "no face found"
        empty = {"photo": self.photo, "face": 0, "error": error, "notes": notes}
        return pd.DataFrame(rows or [empty])

    def __repr__(self) -> str:
        if self.error:
            return f"PhotoAnswer({self.photo!r}, error: {self.error})"
        found = ", ".join(f"{face.verdict} {face.probability:.3f}" for face in self.faces)
        return f"PhotoAnswer({self.photo!r}, {found or 'no face found'})"

    def _repr_html_(self) -> str:
        title = f"<b>{escape(self.photo)}</b>" if self.photo else ""
        if self.error:
            return f"<p {NO_FORMULAS}>{title} error: {escape(self.error)}</p>"
        notes = "".join(f"<br>note: {escape(note)}" for note in self.notes)
        if not self.faces:
            return f"<p {NO_FORMULAS}>{title} no face found{notes}</p>"
        picture = ""
        if self.pixels is not None:
            hexes = label_colours(list(self.faces[0].scores))
            colours = {label: to_rgb(colour) for label, colour in hexes.items()}
            marked = annotate(self, colours, long_side=960)
            picture = _html_image(marked, "the photo with its faces numbered", "max-width:480px")
        rows = "".join(
            f"<tr><td>{number}</td>{_html_cells(face)}</tr>"
            for number, face in enumerate(self.faces, start=1)
        )
        return f"<div {NO_FORMULAS}>{title}{notes}<br>{picture}<table>{rows}</table></div>"


def apply_rule(answer: PhotoAnswer, rule: AnswerRule) -> PhotoAnswer:
    """Return the answer that the same faces get by another rule, without a look at the photo.

    Parameters
    ----------
    answer : PhotoAnswer
        Answer by any rule.
    rule : AnswerRule
        When a face gets a label.

    Returns
    -------
    PhotoAnswer
        The same but for labels and reasons.

    Examples
    --------
    >>> from facecore.model import load_model, make_photo, predict_photo
    >>> model = load_model("classic")
    >>> answer = predict_photo(make_photo(model, "female", seed=1), model)
    >>> apply_rule(answer, AnswerRule(min_confidence=1.0)).faces[0].verdict
    'unsure'
    """
    return replace(answer, faces=tuple(_decide_again(face, rule) for face in answer.faces))


def _decide_again(face: FaceAnswer, rule: AnswerRule) -> FaceAnswer:
    reason = doubt(
        rule, face.probability, face.distance, face.detection_score, face.lead, face.outside
    )
    return replace(face, label=None if reason else face.likely, reason=reason)


def annotate(
    answer: PhotoAnswer,
    colours: Mapping[str, Colour],
    long_side: int | None = None,
    numbers: Sequence[int] | None = None,
) -> np.ndarray:
    """Draw the numbered boxes of an answer on its photo, and dots on the landmarks.

    What is probably not a face has dashes for a box, and says so beside its number.

    Parameters
    ----------
    answer : PhotoAnswer
        An answer that kept its pixels.
    colours : mapping of str to tuple of int
        RGB colour of each label's box, from 0 to 255; faces without a label get a grey box.
    long_side : int, optional
        Of the picture, at most, in pixels; a larger photo is shrunk. Left out, it is not.
    numbers : sequence of int, optional
        Number of each face; from 1, in turn, when left out.

    Returns
    -------
    ndarray of shape (height, width, 3), uint8
        A copy of the photo in RGB, with boxes and dots.

    Raises
    ------
    ValueError
        The answer has no pixels.
    """
    if answer.pixels is None:
        raise ValueError("the answer has no pixels to draw on")
    pixels = shrink(answer.pixels, long_side) if long_side else answer.pixels
    scale = pixels.shape[1] / answer.width
    places = numbers or range(1, len(answer.faces) + 1)
    marks = [
        Mark(
            box=_scaled(face.box, scale),
            colour=_colour_of(face, colours),
            text=f"{number} {NO_FACE}" if face.why_no_face else str(number),
            points=[(x * scale, y * scale) for x, y in face.landmarks or ()],
            dashed=face.why_no_face is not None,
        )
        for number, face in zip(places, answer.faces, strict=True)
    ]
    return draw_marks(pixels, marks)


def _colour_of(face: FaceAnswer, colours: Mapping[str, Colour]) -> Colour:
    if face.why_no_face:
        return DOUBTED
    return colours[face.label] if face.label else UNSURE


def _scaled(box: tuple[int, int, int, int], scale: float) -> tuple[float, float, float, float]:
    x, y, width, height = box
    return x * scale, y * scale, width * scale, height * scale


def _html_cells(face: FaceAnswer) -> str:
    """Return the cells of a face's row: its pictures, the verdict and the scores."""
    drawn = {"what the model saw": face.prepared, "its reconstruction": face.reconstruction}
    size = f"width:{HTML_SIDE}px;height:{HTML_SIDE}px"
    pictures = [
        _html_image(pixels, words, size) for words, pixels in drawn.items() if pixels is not None
    ]
    lines = [
        f"{escape(label)} {score:.3f}"
        for label, score in sorted(face.scores.items(), key=lambda item: -item[1])
    ]
    scores, rest = "<br>".join(lines[:HTML_SCORES]), lines[HTML_SCORES:]
    if rest:
        more = "<br>".join(rest)
        scores += f"<details><summary>{len(rest)} more</summary>{more}</details>"
    verdict = f"<b>{escape(face.verdict)}</b>" + (f"<br>{escape(face.why)}" if face.why else "")
    return "".join(f"<td>{cell}</td>" for cell in (*pictures, verdict, scores))


def _html_image(pixels: np.ndarray, words: str, style: str) -> str:
    data = base64.b64encode(to_png(pixels)).decode()
    return f'<img src="data:image/png;base64,{data}" alt="{words}" title="{words}" style="{style}">'


def same_faces(first: PhotoAnswer, second: PhotoAnswer) -> list[tuple[int, int]]:
    """Pair the faces that two answers to one photo found in the same place.

    Parameters
    ----------
    first, second : PhotoAnswer
        Answers of two models or detectors.

    Returns
    -------
    list of (int, int)
        Indices in the faces of `first` and of `second`, the best pairs first. The boxes of a pair
        share more than half of their union, and each face is in at most one pair.

    Examples
    --------
    >>> same_faces(PhotoAnswer("a.jpg"), PhotoAnswer("a.jpg"))
    []
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


def pair_faces(first: PhotoAnswer, second: PhotoAnswer) -> list[tuple[int | None, int | None]]:
    """List the places of a photo in which one of two answers, or both, found a face.

    Parameters
    ----------
    first, second : PhotoAnswer
        Answers of two models or detectors to one photo.

    Returns
    -------
    list of (int or None, int or None)
        Indices in the faces of `first` and of `second`; None where that one found no face. The
        faces of `first` come in their order, then those that only `second` found.

    Examples
    --------
    >>> pair_faces(PhotoAnswer("a.jpg"), PhotoAnswer("a.jpg"))
    []
    """
    found = dict(same_faces(first, second))
    alone = sorted(set(range(len(second.faces))) - set(found.values()))
    return [(i, found.get(i)) for i in range(len(first.faces))] + [(None, j) for j in alone]


def _overlap(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """Return the share of two boxes' union that lies in both."""
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    shared = max(width, 0) * max(height, 0)
    return shared / (one[2] * one[3] + other[2] * other[3] - shared)
