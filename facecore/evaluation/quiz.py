"""A few faces to judge by eye: a visitor's guesses and a model's answers, measured alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from facecore.errors import DataError
from facecore.face.prepare import cut, shrink
from facecore.model.answers import FaceAnswer, PhotoAnswer
from facecore.model.classifier import FaceModel
from facecore.model.predict import predict_photo
from facecore.model.synth import make_photo

TRIES = 10  # photos drawn per face that is wanted, at most
LONG_SIDE = 500  # of a photo that is kept, in pixels
AROUND = 1.25  # side of the cut around a face, in sides of its box


@dataclass(frozen=True)
class QuizFace:
    """A photo with a face to judge.

    Parameters
    ----------
    photo : ndarray of shape (height, width, 3), uint8
        RGB.
    label : str
        The true label: of a synthetic face the one from whose spread it was drawn.
    scores : dict of str to float
        Probability of each label, as the model answers about the photo.
    box : tuple of float, optional
        x, y, width, height of the face in pixels of `photo`; the whole photo when None.
    """

    photo: np.ndarray
    label: str
    scores: dict[str, float]
    box: tuple[float, float, float, float] | None = None

    @property
    def close(self) -> np.ndarray:
        """A square of the photo around the face; near the border it is moved inwards."""
        if self.box is None:
            return self.photo
        (height, width), (x, y, w, h) = self.photo.shape[:2], self.box
        side = min(AROUND * max(w, h), height, width)
        left = min(max(x + (w - side) / 2, 0), width - side)
        top = min(max(y + (h - side) / 2, 0), height - side)
        return cut(self.photo, (left, top, side, side))


def draw_quiz(model: FaceModel, seed: int = 0, count: int = 10) -> tuple[list[QuizFace], int]:
    """Draw photos with synthetic faces, each label equally likely, and the model's answers.

    Parameters
    ----------
    model : FaceModel
        A model with eigenfaces that stores the spread of its coordinates.
    seed : int
        Seed of the labels and faces, at least 0.
    count : int
        Number of photos, at least 1.

    Returns
    -------
    faces : list of QuizFace
        In the order in which they are shown.
    skipped : int
        Photos that were drawn and left out, as the model found no face in them.

    Raises
    ------
    DataError
        The model stores no spread, or finds hardly any face.
    ModelError
        The model has no eigenfaces.

    Examples
    --------
    >>> from facecore.model import load_model
    >>> faces, _ = draw_quiz(load_model("classic"), seed=1, count=2)
    >>> len(faces), round(sum(faces[0].scores.values()), 6)
    (2, 1.0)
    """
    rng = np.random.default_rng([seed, 23])
    faces: list[QuizFace] = []
    for tried in range(TRIES * count):
        if len(faces) == count:
            return faces, tried - count
        label = model.labels[int(rng.integers(len(model.labels)))]
        photo = make_photo(model, label, int(rng.integers(2**31)))
        answer = predict_photo(photo, model, name="")
        if answer.main:
            faces.append(_quiz_face(photo, label, answer, answer.main))
    if len(faces) == count:
        return faces, TRIES * count - count
    raise DataError(f"the model found a face in {len(faces)} of {TRIES * count} synthetic photos")


def pick_quiz(
    model: FaceModel, photos: Sequence[tuple[Path, str]], seed: int = 0, count: int = 10
) -> tuple[list[QuizFace], int]:
    """Pick photos at random from labelled ones, and the model's answers about their main faces.

    Parameters
    ----------
    model : FaceModel
        Any model.
    photos : sequence of (Path, str)
        Files and their true labels; those of other labels than the model's are not picked.
    seed : int
        Seed of the choice, at least 0.
    count : int
        Number of photos, at least 1; all are picked where there are fewer.

    Returns
    -------
    faces : list of QuizFace
        In the order in which they are shown.
    skipped : int
        Photos that were picked and left out: they cannot be read, or the model found no face.

    Examples
    --------
    >>> from facecore.model import load_model
    >>> pick_quiz(load_model("classic"), [(Path("gone.png"), "female")])
    ([], 1)
    """
    known = [(path, label) for path, label in photos if label in model.labels]
    faces: list[QuizFace] = []
    order = np.random.default_rng([seed, 29]).permutation(len(known))
    for tried, i in enumerate(order):
        if len(faces) == count:
            return faces, tried - count
        path, label = known[int(i)]
        answer = predict_photo(path, model, name="")
        if answer.main and answer.pixels is not None:
            photo = shrink(answer.pixels, LONG_SIDE)
            faces.append(_quiz_face(photo, label, answer, answer.main))
    return faces, len(known) - len(faces)


def _quiz_face(photo: np.ndarray, label: str, answer: PhotoAnswer, face: FaceAnswer) -> QuizFace:
    scale = photo.shape[1] / answer.width
    x, y, w, h = (scale * side for side in face.box)
    return QuizFace(photo, label, face.scores, (x, y, w, h))


def tabulate_answers(faces: Sequence[QuizFace]) -> pd.DataFrame:
    """Return a model's answers as the table of predictions that curves are computed from.

    Parameters
    ----------
    faces : sequence of QuizFace
        At least one.

    Returns
    -------
    DataFrame
        One row per face: label, detected, predicted, p_<label>.

    Examples
    --------
    >>> face = QuizFace(np.zeros((1, 1, 3)), "round", {"round": 0.25, "square": 0.75})
    >>> tabulate_answers([face])[["label", "predicted", "p_square"]].values.tolist()
    [['round', 'square', 0.75]]
    """
    return _tabulate(faces, [face.scores for face in faces])


def tabulate_guesses(
    faces: Sequence[QuizFace], guesses: Sequence[tuple[str, float]]
) -> pd.DataFrame:
    """Return a visitor's guesses as the table of predictions that curves are computed from.

    Parameters
    ----------
    faces : sequence of QuizFace
        At least one.
    guesses : sequence of (str, float)
        For each face a label and how sure the visitor is, from 1 / n_labels to 1. What is left of
        1 is shared by the other labels alike.

    Returns
    -------
    DataFrame
        One row per face: label, detected, predicted, p_<label>.

    Raises
    ------
    DataError
        There are not as many guesses as faces, or one is of an unknown label.

    Examples
    --------
    >>> face = QuizFace(np.zeros((1, 1, 3)), "round", {"round": 0.25, "square": 0.75})
    >>> tabulate_guesses([face], [("round", 0.9)])[["predicted", "p_round"]].values.tolist()
    [['round', 0.9]]
    """
    if len(guesses) != len(faces):
        raise DataError(f"{len(guesses)} guesses for {len(faces)} faces")
    rows = []
    for face, (label, sure) in zip(faces, guesses, strict=True):
        if label not in face.scores:
            raise DataError(f"no label {label!r}; the faces have: {', '.join(face.scores)}")
        rest = (1 - sure) / (len(face.scores) - 1)
        rows.append({other: sure if other == label else rest for other in face.scores})
    table = _tabulate(faces, rows)
    table["predicted"] = [label for label, _ in guesses]  # where all labels are equally likely
    return table


def _tabulate(faces: Sequence[QuizFace], rows: Sequence[dict[str, float]]) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "label": [face.label for face in faces],
            "detected": True,
            "predicted": [max(row, key=row.__getitem__) for row in rows],
        }
    )
    for label in faces[0].scores:
        table[f"p_{label}"] = [row[label] for row in rows]
    return table
