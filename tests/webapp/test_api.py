"""The API, and its description held to the code."""

import io
import json

import jsonschema
import pytest

from facecore.model.rule import AnswerRule
from webapp.openapi import DOCUMENT


def holds(value, schema: str) -> None:
    reference = {"$ref": f"#/components/schemas/{schema}", "components": DOCUMENT["components"]}
    jsonschema.Draft202012Validator(reference).validate(value)


def test_raw_body(client, photo):
    response = client.post("/api/v1/predict", data=photo, content_type="image/png")
    assert response.status_code == 200
    holds(response.json, "Answers")
    assert response.json["model"] == "made"
    (answer,) = response.json["photos"]
    (face,) = answer["faces"]
    assert sum(face["scores"].values()) == pytest.approx(1, abs=1e-3)
    assert face["scores"][face["label"]] == face["probability"]
    assert face["reason"] is None


def test_unsure_is_null_with_a_reason(make_app, photo):
    client = make_app(UNSURE=1.0).test_client()
    response = client.post("/api/v1/predict", data=photo, content_type="image/png")
    holds(response.json, "Answers")
    (face,) = response.json["photos"][0]["faces"]
    assert (face["label"], face["reason"]) == (None, "unsure: confidence below 1")
    assert face["probability"] == max(face["scores"].values())


def test_the_rule_can_be_switched_off_for_the_whole_site(make_app, photo):
    served = make_app(RULE=False).extensions["facecore"].model
    assert served.rule == AnswerRule()
    both = make_app(RULE=False, UNSURE=1.0).extensions["facecore"].model
    assert both.rule == AnswerRule(min_confidence=1.0)


def test_answer_is_what_the_command_line_prints(client, photo, tmp_path, capsys):
    from facecore.__main__ import main

    path = tmp_path / "photo.png"
    path.write_bytes(photo)
    assert main(["predict", "--json", str(path)]) == 0
    printed = json.loads(capsys.readouterr().out)
    (answer,) = client.post("/api/v1/predict", data=photo, content_type="image/png").json["photos"]
    assert list(answer) == list(printed)
    assert answer["faces"] == printed["faces"]


def test_many_photos_each_with_its_own_error(client, photo):
    files = [(io.BytesIO(photo), "good.png"), (io.BytesIO(b"x"), "bad.png")]
    response = client.post("/api/v1/predict", data={"photo": files})
    assert response.status_code == 200
    holds(response.json, "Answers")
    good, bad = response.json["photos"]
    assert (good["photo"], bad["photo"]) == ("good.png", "bad.png")
    assert good["error"] is None
    assert "not a photo" in bad["error"]
    assert bad["faces"] == []


def test_problem_when_no_photo_can_be_used(client):
    files = [(io.BytesIO(b"x"), "a.png"), (io.BytesIO(b"y"), "b.png")]
    response = client.post("/api/v1/predict", data={"photo": files})
    assert response.status_code == 415
    holds(response.json, "Problem")
    assert response.json["reason"] == "not_an_image"


@pytest.mark.parametrize(
    ("data", "kind", "status", "words"),
    [
        ({}, "multipart/form-data", 400, "field 'photo'"),
        (b"x", "text/plain", 415, "Content-Type: image/jpeg"),
        (b"x", "application/x-www-form-urlencoded", 415, "Content-Type: image/jpeg"),
        (b"", "image/jpeg", 415, "empty"),
        (bytes(33 * 2**20), "image/jpeg", 413, "larger than this site accepts"),
    ],
)
def test_wrong_request(client, data, kind, status, words):
    response = client.post("/api/v1/predict", data=data, content_type=kind)
    assert response.status_code == status
    holds(response.json, "Problem")
    assert words in response.json["detail"]


def test_models(client):
    response = client.get("/api/v1/models")
    holds(response.json, "Models")
    made, other = response.json["models"]
    assert (made["name"], made["served"], other["served"]) == ("made", True, False)
    assert made["accuracy"] == {"drawings": 0.81}
    assert made["answered"] == {"drawings": 0.9}
    assert made["right_when_answered"] == {"drawings": 0.8667}
    assert (other["answered"], other["right_when_answered"]) == ({}, {})
    assert made["lacks"] is None
    assert made["warnings"] == []


def test_without_a_model(make_app, monkeypatch, tmp_path, photo):
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(tmp_path))
    client = make_app().test_client()
    response = client.post("/api/v1/predict", data=photo, content_type="image/png")
    assert response.status_code == 503
    holds(response.json, "Problem")
    assert client.get("/api/v1/models").json == {"models": []}


def test_api_needs_no_csrf_token(make_app, photo):
    client = make_app(WTF_CSRF_ENABLED=True).test_client()
    response = client.post("/api/v1/predict", data=photo, content_type="image/png")
    assert response.status_code == 200
