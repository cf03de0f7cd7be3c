"""The targets themselves; the gate fuzzes them where atheris can be installed."""

import pytest
from trials.fuzz import SPLIT, TARGETS, models, read_model

from facecore.model.classifier import FaceModel


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_bears_with_every_file_it_starts_from(name, tmp_path):
    check, seeds = TARGETS[name]
    for i, data in enumerate(seeds()):
        (tmp_path / str(i)).mkdir()
        check(data, tmp_path / str(i))


def test_the_models_it_starts_from_are_loaded(tmp_path, monkeypatch):
    loaded = []
    load = FaceModel.load
    monkeypatch.setattr(FaceModel, "load", lambda folder: loaded.append(load(folder)) or loaded[-1])
    for data in models():
        read_model(data, tmp_path)
    assert {model.labels for model in loaded} == {("a", "b"), ("a", "b", "c")}


def test_a_finding_is_an_exception_that_is_not_of_the_library(tmp_path, monkeypatch):
    def fail(folder):
        raise ZeroDivisionError("found")

    monkeypatch.setattr(FaceModel, "load", fail)
    with pytest.raises(ZeroDivisionError, match="found"):
        read_model(b"{}" + SPLIT, tmp_path)
