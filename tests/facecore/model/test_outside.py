import json
from dataclasses import replace

import numpy as np
import pytest

from facecore.errors import ModelError
from facecore.model.classifier import FaceModel
from facecore.model.outside import Outside
from facecore.model.predict import predict_photo
from facecore.model.rule import AnswerRule, doubt

OLD, PLANT = (
    Outside("a child", "pixels", np.array([1.0, 0.0]), 0.5),
    Outside("a plant", "pixels", np.array([0.0, 2.0]), 1.0, face=False),
)
BEYOND = AnswerRule(max_outside=0.0)


def with_kind(model, limit, face=True):
    member = model.members[0]
    weights = np.linspace(-1, 1, len(member.components))
    kind = Outside("mice", member.name, weights, limit, face)
    return replace(model, outside=(kind,), rule=replace(model.rule, max_outside=0.0))


def test_a_picture_is_beyond_the_limit_of_its_kind():
    Z = np.array([[0.5, 0.5], [0.6, 0.4], [0.0, 0.6]])
    assert OLD.measure(Z).tolist() == pytest.approx([0.0, 0.1, -0.5])
    assert PLANT.measure(Z).tolist() == pytest.approx([0.0, -0.2, 0.2])


def test_the_kind_that_a_picture_is_most_like_gives_the_reason():
    ask = {"confidence": 1.0, "distance": 0.0, "score": 1.0}
    assert doubt(BEYOND, **ask, outside={OLD.reason: 0.0, PLANT.reason: -1.0}) is None
    assert doubt(BEYOND, **ask, outside={OLD.reason: 0.1, PLANT.reason: -1.0}) == OLD.reason
    assert doubt(BEYOND, **ask, outside={OLD.reason: 0.1, PLANT.reason: 0.2}) == PLANT.reason
    assert doubt(AnswerRule(), **ask, outside={OLD.reason: 9.0}) is None
    assert (OLD.reason, PLANT.reason) == (
        "unsure: looks like a child, which the model is not for",
        "not a face: looks like a plant",
    )


@pytest.mark.parametrize("face", [True, False])
def test_a_face_like_a_kind_gets_no_label_and_is_told_why(photo, tiny_model, face):
    refuses, answers = (with_kind(tiny_model, limit, face) for limit in (-1e6, 1e6))
    (refused,), (answered,) = (predict_photo(photo, m).faces for m in (refuses, answers))
    assert refused.label is None
    assert refused.reason == refuses.outside[0].reason
    (before,) = predict_photo(photo, tiny_model).faces
    assert (answered.label, answered.probability) == (before.label, before.probability)
    (whatever,) = predict_photo(photo, refuses, rule=AnswerRule()).faces
    assert whatever.label


def test_a_face_and_its_mirror_image_are_measured_together(tiny_model):
    model = with_kind(tiny_model, 0.0)
    side = model.recipe.side
    faces = np.random.default_rng(0).integers(0, 256, (3, side, side), dtype=np.uint8)
    decisions, beyond = model.judge(faces)
    assert beyond.shape == (3, 1)
    assert model.judge(faces[:, :, ::-1])[1] == pytest.approx(beyond, abs=1e-5)
    assert (decisions == tiny_model.decision_function(faces)).all()


def test_the_kinds_are_stored_with_the_model(tiny_model, tmp_path):
    model = with_kind(tiny_model, 0.25)
    model.save(tmp_path)
    again = FaceModel.load(tmp_path)
    assert again.outside[0].to_dict() == model.outside[0].to_dict()
    assert (again.outside[0].weights == model.outside[0].weights).all()
    assert again.rule == model.rule


@pytest.mark.parametrize(
    "change",
    [
        {"limit": float("nan")},
        {"limit": "0"},
        {"limit": True},
        {"name": ""},
        {"member": "ears"},
        {"face": 1},
        {"more": 1},
    ],
    ids=str,
)
def test_a_kind_that_makes_no_sense_is_a_damaged_model(tiny_model, tmp_path, change):
    with_kind(tiny_model, 0.25).save(tmp_path)
    document = json.loads((tmp_path / "model.json").read_text())
    document["outside"][0] |= change
    (tmp_path / "model.json").write_text(json.dumps(document))
    with pytest.raises(ModelError, match="damaged"):
        FaceModel.load(tmp_path)


def test_weights_of_another_length_are_a_damaged_model(tiny_model, tmp_path):
    kind = replace(with_kind(tiny_model, 0.25).outside[0], weights=np.ones(2))
    replace(tiny_model, outside=(kind,)).save(tmp_path)
    with pytest.raises(ModelError, match="do not fit a member"):
        FaceModel.load(tmp_path)
