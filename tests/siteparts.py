"""Models for the site that are made of cosines, so that no person's photo is in them."""

import numpy as np

from facecore.face.recipes import Recipe
from facecore.model.classifier import FaceModel, Member
from facecore.model.store import write_model

SIDE, COMPONENTS = 100, 9
LABELS = ("round", "square & <b>")
FIGURES = {
    "n": 100,
    "detected": 98,
    "accuracy_found": 0.8265,
    "accuracy_all": 0.81,
    "balanced_accuracy_found": 0.83,
    "balanced_accuracy_all": None,
    "interval_all": [0.722, 0.875],
    "coverage": 0.9,
    "accuracy_answered": 0.8667,
    "interval_answered": [0.7813, 0.9217],
    "confusion": {
        LABELS[0]: {LABELS[0]: 40, LABELS[1]: 9, "no face": 1},
        LABELS[1]: {LABELS[0]: 8, LABELS[1]: 41, "no face": 1},
    },
    "groups": {
        "age": {
            "20-39": {"n": 40, "accuracy_all": 0.85, "interval_all": [0.709, 0.929]},
            "40-59": {"n": 60, "accuracy_all": 0.7833, "interval_all": [0.664, 0.869]},
        }
    },
}
METADATA = {
    "name": "made",
    "recipe": "classic",
    "labels": list(LABELS),
    "created": "2026-01-02",
    "command": "python -m facecore train drawings --name made",
    "seed": 7,
    "minutes": 3.2,
    "note": "Made of cosines.",
    "versions": {"numpy": "2"},
    "training_faces": {LABELS[0]: 1200, LABELS[1]: 34},
    "data": {"drawings": {"photos": 1400, "train": 1300, "test": 100, "states": {"kept": 1334}}},
    "search": {
        "candidates": 4,
        "folds": 5,
        "balanced_accuracy": 0.8,
        "std": 0.02,
        "best": {"C": 1.0},
    },
    "kernel_vectors": {"kind": "cluster centres", "count": 2, "lead_back_to_a_photo": 0},
}


def make_model(labels: tuple[str, ...] = LABELS) -> FaceModel:
    """Return a model whose eigenfaces are two-dimensional cosines, one vector per label."""
    axis = (np.arange(SIDE) + 0.5) * np.pi / SIDE
    waves = [np.outer(np.cos(i * axis), np.cos(j * axis)) for i in range(3) for j in range(3)]
    components = np.array([wave.ravel() / np.linalg.norm(wave) for wave in waves])
    ones = np.ones(SIDE * SIDE, np.float32)
    rng = np.random.default_rng(0)
    outputs = 1 if len(labels) == 2 else len(labels)
    coefficients = np.array([[-1.0], [1.0]]) if outputs == 1 else 2 * np.eye(outputs) - 1
    member = Member(
        minimum=0 * ones,
        span=255 * ones,
        mean=ones / 2,
        components=components.astype(np.float32),
        deviation=np.ones(COMPONENTS, np.float32),
        variance=np.ones(COMPONENTS, np.float32),
        total_variance=10.0,
        kernel_vectors=rng.normal(0, 10, (len(labels), COMPONENTS)).astype(np.float32),
        coefficients=coefficients,
        intercept=np.zeros(outputs),
        gamma=0.001,
    )
    recipe = Recipe(side=SIDE, frame=0.9)
    return FaceModel(labels, (member,), np.full(outputs, 2.0), recipe)


def write_made_models() -> None:
    """Write the two models `made` and `other` into the folder of models."""
    write_model("made", make_model(), METADATA, {}, {"drawings": FIGURES})
    write_model("other", make_model(), METADATA | {"name": "other", "note": ""}, {})
