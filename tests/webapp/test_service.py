"""The model is loaded once and photos wait for their turn."""

import threading
from dataclasses import replace

import numpy as np
import pytest
from corpus import encode, place_face
from werkzeug.exceptions import ServiceUnavailable

from facecore.model.answers import PhotoAnswer
from facecore.model.rule import AnswerRule
from webapp import service as module
from webapp.service import Service

LIMITS = {"max_file": 2**20, "max_pixels": 10**6, "decodes": 1, "patience": 0.05}


@pytest.fixture
def service(made_artifacts, monkeypatch):
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(made_artifacts))
    return Service(None, **LIMITS)


def test_model_is_loaded_once(service, monkeypatch):
    monkeypatch.setattr(module, "load_model", lambda name: pytest.fail("loaded again"))
    monkeypatch.setattr(module, "read_metadata", lambda name: pytest.fail("read again"))
    assert service.model is service.model
    assert service.served.title == "round / square & <b>"
    assert service.name == "made"


def test_without_a_model_it_waits_for_one(made_artifacts, monkeypatch, tmp_path):
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(tmp_path))
    service = Service(None, **LIMITS)
    assert service.name is None
    with pytest.raises(ServiceUnavailable, match="train one with"):
        _ = service.model
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(made_artifacts))
    assert service.model.labels
    assert service.name == "made"


def test_the_models_own_rule_holds_unless_the_site_asks_for_another_confidence(
    service, monkeypatch, photo
):
    rule = AnswerRule(min_confidence=1.0, max_distance=9.0)
    strict = replace(service.model, rule=rule)
    monkeypatch.setattr(module, "load_model", lambda name: strict)
    (face,) = Service(None, **LIMITS).answer(photo).faces
    assert face.label is None
    free = Service(None, **LIMITS, unsure=0.0)
    assert free.model.rule == replace(rule, min_confidence=0.0)
    (face,) = free.answer(photo).faces
    assert face.label == face.likely


def test_limits_hold(service):
    assert service.answer(bytes(2**20 + 1)).reason == "too_large"
    assert service.answer(encode(np.zeros((1001, 1000), np.uint8))).reason == "too_large"


def test_full_service_says_so(service, monkeypatch, photo):
    inside, leave = threading.Event(), threading.Event()

    def slow(*args, **kwargs):
        inside.set()
        leave.wait(5)
        return PhotoAnswer("")

    monkeypatch.setattr(module, "predict_photo", slow)
    worker = threading.Thread(target=service.answer, args=(photo,))
    worker.start()
    inside.wait(5)
    with pytest.raises(ServiceUnavailable, match="busy") as stop:
        service.answer(photo)
    assert ("Retry-After", "5") in stop.value.get_headers()
    leave.set()
    worker.join()


def test_turn_is_given_back_after_a_failure(service, monkeypatch, photo):
    monkeypatch.setattr(module, "predict_photo", lambda *a, **k: 1 / 0)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            service.answer(photo)


def test_threads_get_their_own_answers(made_artifacts, monkeypatch):
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(made_artifacts))
    service = Service(None, **LIMITS | {"decodes": 4, "patience": 60})
    places = [(x, y) for x in (0, 50, 100, 150) for y in (0, 75, 150)]
    found = {}

    def ask(place):
        (face,) = service.answer(encode(place_face(*place))).faces
        found[place] = face.box[:2]

    threads = [threading.Thread(target=ask, args=(place,)) for place in places]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first = np.array(found[places[0]])
    for place in places:
        assert np.abs(found[place] - first - place).max() <= 10
