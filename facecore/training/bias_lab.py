"""Bias lab: one training on fair and one on skewed synthetic faces, tried on the same faces."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from facecore.errors import DataError
from facecore.model.classifier import FaceModel
from facecore.model.contributions import draw_eigenface
from facecore.model.drawing import to_image
from facecore.model.eigenface_words import describe_eigenface
from facecore.model.explain import mean_face
from facecore.model.synth import sample_coordinates
from facecore.system.threads import on_one_thread
from facecore.training.estimator import FaceSpaceClassifier
from facecore.training.skews import THIRDS, Portion, Skew, measure_trait, name_trait, share_out

# With these a fair training errs now and then, and class weights make a difference.
SETTINGS: dict[str, Any] = {"n_components": 40, "C": 5.0, "gamma": 0.005, "calibrate": False}
TESTED = 600  # test faces, over all labels
FEWEST = 30  # of a label
FIRST = 6  # eigenfaces that are kept of a training
EXAMPLES = 10  # of its faces
TEST_SEED = 1_000_003  # what is added to the seed for the test faces
MORE = 4  # times as many faces, as a remedy
CHUNK = 200  # faces that are drawn at once

Part = Literal["neglected", "favoured"]


@dataclass(frozen=True)
class LabTraining:
    """What a training on synthetic faces has found.

    Parameters
    ----------
    portions : tuple of Portion
        What it was trained on.
    examples : ndarray of shape (n_examples, side, side), uint8
        Some of its training faces, each label with its share of them.
    example_labels : tuple of str
        Their labels.
    mean : ndarray of shape (side, side), uint8
        Mean face.
    eigenfaces : ndarray of shape (n_eigenfaces, side * side), float32
        What one standard deviation of each of the first eigenfaces adds, in grey levels.
    words : tuple of str
        What they change, as `facecore.model.describe_eigenface` says it.
    shares : ndarray of shape (n_eigenfaces,), float64
        Share of the variance that each explains, in [0, 1].
    right : ndarray of shape (n_test_faces,), bool
        Which of the test faces it labels right.
    """

    portions: tuple[Portion, ...]
    examples: np.ndarray
    example_labels: tuple[str, ...]
    mean: np.ndarray
    eigenfaces: np.ndarray
    words: tuple[str, ...]
    shares: np.ndarray
    right: np.ndarray

    @property
    def faces(self) -> int:
        """Number of its training faces."""
        return sum(portion.count for portion in self.portions)


@dataclass(frozen=True)
class BiasTrial:
    """A fair and a skewed training, tried on the same test faces.

    Parameters
    ----------
    skew : Skew
        How the skewed training's faces were chosen.
    trait : str
        What faces were ordered by, in words.
    labels : tuple of str
        Labels in question.
    fair, skewed : LabTraining
        The two trainings, on equally many faces.
    test_labels : ndarray of shape (n_test_faces,), int
        Position of each test face's label in `labels`.
    test_thirds : ndarray of shape (n_test_faces,), int
        Position in `THIRDS` of the third that each is in, among the test faces of its label.
    """

    skew: Skew
    trait: str
    labels: tuple[str, ...]
    fair: LabTraining
    skewed: LabTraining
    test_labels: np.ndarray
    test_thirds: np.ndarray

    def part(self, part: Part) -> np.ndarray:
        """Return which test faces are like those that the skew favours, or neglects.

        Parameters
        ----------
        part : {"neglected", "favoured"}
            Of a skew of thirds, faces of the middle third are in neither.

        Returns
        -------
        ndarray of shape (n_test_faces,), bool
        """
        skew = self.skew
        low, high = (self.test_thirds == THIRDS.index(third) for third in ("low", "high"))
        own, other = (low, high) if skew.third == "low" else (high, low)
        wanted = own if part == "favoured" else other
        if skew.kind == "only":
            return np.asarray(wanted)
        named = self.test_labels == self.labels.index(skew.label)
        if skew.kind == "few":
            return np.asarray(~named if part == "favoured" else named)
        return np.asarray(np.where(named, wanted, own if part == "neglected" else other))


@on_one_thread
def try_skew(
    model: FaceModel,
    labels: Sequence[str],
    skew: Skew,
    total: int,
    *,
    balanced: bool = False,
    seed: int = 0,
) -> BiasTrial:
    """Train on fair and on skewed synthetic faces, and try both on the same other faces.

    Both trainings are min-max, eigenfaces and an SVM, as `FaceSpaceClassifier` fits them, with the
    same settings. The faces are drawn from the spread of each label in the model's face space; the
    test faces are of all labels and thirds in equal numbers.

    Parameters
    ----------
    model : FaceModel
        A model with eigenfaces that stores the spread of its coordinates.
    labels : sequence of str
        Two or more of its labels.
    skew : Skew
        How the faces of the second training are skewed.
    total : int
        Number of faces of each training, at least `LEAST` per label.
    balanced : bool, default=False
        Whether the second training gives every label the same total weight.
    seed : int, default=0
        Seed of all faces, at least 0.

    Returns
    -------
    BiasTrial
        It depends on the arguments only.

    Raises
    ------
    DataError
        The model stores no spread, or there is no such label, third or eigenface.
    ModelError
        The model has no eigenfaces.

    Examples
    --------
    >>> from facecore.model import load_model
    >>> model = load_model("classic")
    >>> trial = try_skew(model, model.labels, Skew("few", "female", 9), 60)
    >>> [portion.count for portion in trial.skewed.portions], len(trial.test_labels)
    ([6, 54], 600)
    """
    lab = _open_lab(model, labels, skew.trait, seed)
    fair = _train(lab, share_out(labels, total))
    skewed = _train(lab, share_out(labels, total, skew), balanced)
    trait = name_trait(lab.model, skew.trait)
    return BiasTrial(skew, trait, lab.labels, fair, skewed, lab.test_labels, lab.test_thirds)


@on_one_thread
def try_remedies(
    model: FaceModel, labels: Sequence[str], skew: Skew, total: int, *, seed: int = 0
) -> list[tuple[str, BiasTrial]]:
    """Try what could help against a skew, on the test faces of `try_skew`.

    Parameters
    ----------
    model : FaceModel
        As `try_skew` takes it.
    labels : sequence of str
        As `try_skew` takes them.
    skew : Skew
        How the faces are skewed.
    total : int
        Number of faces of the skewed training.
    seed : int, default=0
        Seed of all faces, at least 0.

    Returns
    -------
    list of tuple of (str, BiasTrial)
        What is different and what came of it: the skewed training as it is, with class weights,
        with `MORE` times as many faces of the same skew, and a fair training on half as many faces
        in its place. Each is beside the same fair training.

    Raises
    ------
    DataError
        As of `try_skew`, or there are too few faces for a half.
    ModelError
        The model has no eigenfaces.

    Examples
    --------
    >>> from facecore.model import load_model
    >>> model = load_model("classic")
    >>> found = try_remedies(model, model.labels, Skew("few", "female", 9), 40)
    >>> [trial.skewed.faces for _, trial in found]
    [40, 40, 160, 20]
    """
    lab = _open_lab(model, labels, skew.trait, seed)
    trait, fair = name_trait(lab.model, skew.trait), _train(lab, share_out(labels, total))
    skewed = share_out(labels, total, skew)
    ways = (
        ("as it is", skewed, False),
        ("with class weights", skewed, True),
        (f"{MORE} times as many faces", share_out(labels, MORE * total, skew), False),
        ("fair, half as many faces", share_out(labels, total // 2), False),
    )
    return [
        (
            name,
            BiasTrial(
                skew,
                trait,
                lab.labels,
                fair,
                _train(lab, portions, balanced),
                lab.test_labels,
                lab.test_thirds,
            ),
        )
        for name, portions, balanced in ways
    ]


@dataclass(frozen=True)
class _Lab:
    """A model to draw faces from, and the test faces."""

    model: FaceModel  # of the pixels alone
    labels: tuple[str, ...]
    trait: int | None
    seed: int
    test: np.ndarray  # (n_test_faces, side * side), uint8
    test_labels: np.ndarray
    test_thirds: np.ndarray


def _open_lab(model: FaceModel, labels: Sequence[str], trait: int | None, seed: int) -> _Lab:
    pixels = model.eigenfaces
    if trait is not None and not 0 <= trait < (count := len(pixels.pixels.components)):
        raise DataError(f"there is no eigenface {trait + 1}; the model has {count}")
    each = max(FEWEST, TESTED // len(labels) // len(THIRDS) * len(THIRDS))
    drawn = [_draw(pixels, label, each, seed + TEST_SEED) for label in labels]
    return _Lab(
        pixels,
        tuple(labels),
        trait,
        seed,
        np.concatenate(drawn),
        np.repeat(np.arange(len(labels)), each),
        np.concatenate([_thirds(pixels, rows, trait) for rows in drawn]),
    )


def _train(lab: _Lab, portions: Sequence[Portion], balanced: bool = False) -> LabTraining:
    """Train on portions of faces, and try the result on the test faces."""
    parts = [_pick(lab, portion) for portion in portions]
    y = np.repeat([portion.label for portion in portions], [len(rows) for rows in parts])
    weight = "balanced" if balanced else None
    machine = FaceSpaceClassifier(**SETTINGS, class_weight=weight, random_state=lab.seed)
    machine.fit(np.concatenate(parts), y)
    found = machine.to_model(lab.model.recipe)
    rows = [draw_eigenface(found, i) for i in range(min(FIRST, machine.n_components_))]
    shown = [max(1, round(EXAMPLES * len(part) / len(y))) for part in parts]
    examples = [to_image(row) for part, n in zip(parts, shown, strict=True) for row in part[:n]]
    return LabTraining(
        tuple(portions),
        np.array(examples),
        tuple(np.repeat([portion.label for portion in portions], shown).tolist()),
        mean_face(found),
        np.array(rows),
        tuple(describe_eigenface(row).words for row in rows),
        np.asarray(machine.explained_variance_ratio_[: len(rows)], dtype=np.float64),
        machine.predict(lab.test) == np.array(lab.labels)[lab.test_labels],
    )


def _pick(lab: _Lab, portion: Portion) -> np.ndarray:
    if not portion.third:
        return _draw(lab.model, portion.label, portion.count, lab.seed)
    rows = _draw(lab.model, portion.label, len(THIRDS) * portion.count, lab.seed)
    kept = _thirds(lab.model, rows, lab.trait) == THIRDS.index(portion.third)
    return np.asarray(rows[kept])


def _thirds(model: FaceModel, rows: np.ndarray, trait: int | None) -> np.ndarray:
    """Return which third by the trait each face is in, among these."""
    order = np.argsort(measure_trait(model, rows, trait), kind="stable")
    return np.asarray(np.argsort(order) * len(THIRDS) // len(rows))


def _draw(model: FaceModel, label: str, count: int, seed: int) -> np.ndarray:
    Z = sample_coordinates(model, label, count, seed)
    rows = np.empty((count, len(model.pixels.mean)), dtype=np.uint8)
    for start in range(0, count, CHUNK):  # in floats they would take eight times the memory
        part = slice(start, start + CHUNK)
        rows[part] = np.clip(np.rint(model.pixels.rebuild(Z[part])), 0, 255)
    return rows
