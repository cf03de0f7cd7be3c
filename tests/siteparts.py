"""Models for the site that are made of cosines, so that no person's photo is in them."""

import numpy as np

from facecore.artifacts import write_model
from facecore.detect import HaarSettings, detector_spec
from facecore.model import FaceModel, Member

SIDE, COMPONENTS = 100, 9
LABELS = ("round", "square & <b>")
FIGURES = {
    "n": 20, "detected": 18, "accuracy_found": 0.9, "accuracy_all": 0.81,
    "balanced_accuracy_found": 0.8, "balanced_accuracy_all": None, "interval_all": [0.58, 0.93],
    "groups": {"age": {"20 to 39": {"n": 20, "accuracy_all": 0.81, "interval_all": [0.58, 0.93]}}},
}  # fmt: skip
METADATA = {
    "name": "made", "recipe": "classic", "labels": list(LABELS), "created": "2026-01-02",
    "command": "python -m facecore train drawings --name made", "note": "Made of cosines.",
    "versions": {"numpy": "2"}, "training_faces": {LABELS[0]: 1200, LABELS[1]: 34},
    "data": {"drawings": {"photos": 1234}},
    "search": {"candidates": 4, "folds": 5, "balanced_accuracy": 0.8, "best": {"C": 1.0}},
    "kernel_vectors": {"kind": "cluster centres", "count": 2},
}  # fmt: skip


def make_model() -> FaceModel:
    """Return a model of two labels whose eigenfaces are two-dimensional cosines."""
    axis = (np.arange(SIDE) + 0.5) * np.pi / SIDE
    waves = [np.outer(np.cos(i * axis), np.cos(j * axis)) for i in range(3) for j in range(3)]
    components = np.array([wave.ravel() / np.linalg.norm(wave) for wave in waves])
    ones = np.ones(SIDE * SIDE, np.float32)
    rng = np.random.default_rng(0)
    member = Member(
        minimum=0 * ones,
        span=255 * ones,
        mean=ones / 2,
        components=components.astype(np.float32),
        deviation=np.ones(COMPONENTS, np.float32),
        variance=np.ones(COMPONENTS, np.float32),
        total_variance=10.0,
        kernel_vectors=rng.normal(0, 10, (2, COMPONENTS)).astype(np.float32),
        coefficients=np.array([[-1.0], [1.0]]),
        intercept=np.zeros(1),
        gamma=0.001,
    )
    recipe = {"detector": detector_spec("haar", HaarSettings()), "side": SIDE, "frame": 0.9}
    return FaceModel(LABELS, (member,), np.array([2.0]), recipe)


def write_made_models() -> None:
    """Write the two models `made` and `other` into the folder of models."""
    write_model("made", make_model(), METADATA, {}, {"drawings": FIGURES})
    write_model("other", make_model(), METADATA | {"name": "other", "note": ""}, {})
