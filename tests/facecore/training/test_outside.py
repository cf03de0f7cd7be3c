from dataclasses import replace

import numpy as np
import pytest

from facecore.face.recipes import RECIPES
from facecore.model.classifier import FaceModel
from facecore.training.estimator import FaceSpaceClassifier
from facecore.training.outside import MOST_REFUSED, Shown, describe_outside, learn_outside

SIDE = 12
RECIPE = replace(RECIPES["classic"], side=SIDE, mirror=False)


def draw(kind: str, count: int, seed: int) -> np.ndarray:
    """Squares with a bright half: left, right or, as neither label has it, upper."""
    rng = np.random.default_rng(seed)
    faces = rng.integers(60, 120, (count, SIDE, SIDE))
    faces[:, :6] += rng.integers(0, 20, (count, 1, 1))  # as daylight does
    half = {"left": np.s_[:, :, :6], "right": np.s_[:, :, 6:], "upper": np.s_[:, :6]}[kind]
    faces[half] += rng.integers(30, 90, (count, 1, 1))
    return faces.reshape(count, -1).astype(np.uint8)


@pytest.fixture(scope="module")
def made():
    X = np.vstack([draw("left", 400, 1), draw("right", 400, 2)])
    y, subjects = np.repeat(["left", "right"], 400), np.arange(800).astype(str)
    classifier = FaceSpaceClassifier(10, calibrate=False).fit(X, y)
    fitted = classifier._as_model()
    model = FaceModel(fitted.labels, fitted.members, fitted.slope, RECIPE)
    return model, X, y, subjects


@pytest.mark.parametrize("face", [True, False])
def test_pictures_of_a_kind_that_differs_are_told_and_few_faces_are_taken_for_them(made, face):
    shown = {"upper": Shown(draw("upper", 100, 3), np.full(100, "upper"), face)}
    model, beyond, of_shown = learn_outside(*made, shown)
    assert (of_shown["upper"] > 0).mean() > 0.95
    assert (beyond > 0).mean() <= MOST_REFUSED[face]
    _, new = model.judge(draw("upper", 50, 4))
    assert (new > 0).mean() > 0.95
    (found,) = describe_outside(model, shown, beyond, of_shown)
    assert found["auc"] > 0.99
    assert (found["kind"], found["pictures"], found["right"]) == ("upper", 100, None)
    assert found["answered"] <= found["answered_before"] == 1


def test_pictures_like_the_training_faces_cannot_be_told(made):
    shown = {"more": Shown(draw("left", 100, 5), np.full(100, "left"))}
    model, beyond, of_shown = learn_outside(*made, shown)
    (found,) = describe_outside(model, shown, beyond, of_shown)
    assert found["auc"] == pytest.approx(0.75, abs=0.06)  # those of one label can be told
    assert found["refused"] < 0.2
    assert found["false_reject"] <= MOST_REFUSED[True]
    assert found["right"] > 0.95


def test_kinds_are_learned_one_by_one_and_the_same_for_the_same_seed(made):
    kinds = {
        "upper": Shown(draw("upper", 60, 3), np.full(60, "")),
        "noise": Shown(
            np.random.default_rng(0).integers(0, 256, (60, SIDE**2), dtype=np.uint8),
            np.full(60, ""),
            face=False,
        ),
    }
    both, beyond, _ = learn_outside(*made, kinds)
    again, same, _ = learn_outside(*made, kinds)
    alone, *_ = learn_outside(*made, {"upper": kinds["upper"]})
    assert [kind.name for kind in both.outside] == ["upper", "noise"]
    assert (beyond == same).all()
    assert all(
        (a.weights == b.weights).all() for a, b in zip(both.outside, again.outside, strict=True)
    )
    assert (alone.outside[0].weights == both.outside[0].weights).all()
