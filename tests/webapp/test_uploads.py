"""Every kind of file that people send: status, message, and nothing on the disk."""

import io
import os
import re
import sys
import tempfile

import pytest
from corpus import HEIC, NAMED, SAMPLES, turned

from facecore.face.images import HEIC_READABLE
from webapp.errors import STATUS

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
written: list[str] = []
watching = False


def _watch(event: str, args: tuple) -> None:
    if watching and event == "open" and args[2] & WRITES:
        written.append(str(args[0]))


sys.addaudithook(_watch)


@pytest.fixture(autouse=True)
def nothing_on_disk(tmp_path, monkeypatch):
    """Fail a test in which anything opens a file for writing or leaves one."""
    global watching
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    written.clear()
    watching = True
    yield
    watching = False
    assert written == []
    assert list(tmp_path.iterdir()) == []


def send(client, data: bytes, filename: str):
    # Written out as browsers do: the test client itself would spool a large form to the disk.
    name = filename.replace('"', "%22")
    head = f'--edge\r\nContent-Disposition: form-data; name="photo"; filename="{name}"\r\n\r\n'
    body = head.encode() + data + b"\r\n--edge--\r\n"
    return client.post("/app/gender/", data=body, content_type="multipart/form-data; boundary=edge")


@pytest.mark.slow
@pytest.mark.parametrize("sample", [*SAMPLES, *NAMED], ids=lambda sample: sample.kind)
def test_page_answers_every_kind_of_file(client, sample):
    response = send(client, sample.make(), sample.filename)
    assert response.status_code == STATUS[sample.reason or None]
    found = {0: "No face was found", 1: "One face found"}.get(sample.faces, f"{sample.faces} faces")
    assert (sample.message or found) in re.sub(r"\s+", " ", response.text)
    assert "<script>alert" not in response.text
    assert response.text.count('role="note"') == bool(sample.note)
    assert sample.note.capitalize() in response.text


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.kind)
def test_api_answers_every_kind_of_file(client, sample):
    response = client.post(
        "/api/v1/predict", data=sample.make(), content_type="application/octet-stream"
    )
    assert response.status_code == STATUS[sample.reason or None]
    if sample.reason:
        assert response.content_type == "application/problem+json"
        assert sample.message in response.json["detail"]
    else:
        (answer,) = response.json["photos"]
        assert answer["error"] is None
        assert len(answer["faces"]) == sample.faces
        assert len(answer["notes"]) == bool(sample.note)


@pytest.mark.skipif(HEIC_READABLE, reason="pillow-heif is installed and reads HEIC")
def test_heic_is_told_what_to_send(client):
    response = send(client, HEIC.make(), HEIC.filename)
    assert response.status_code == 415
    assert "export the photo as JPEG" in response.text


@pytest.mark.parametrize("data", [{}, {"photo": ""}, {"photo": (io.BytesIO(), "")}, {"other": "1"}])
def test_nothing_chosen(client, data):
    response = client.post("/app/gender/", data=data, content_type="multipart/form-data")
    assert response.status_code == 400
    assert "No photo was chosen" in response.text


def test_field_that_is_text_and_no_file(client):
    response = client.post("/app/gender/", data={"photo": "me.jpg"})
    assert response.status_code == 400
    assert "No photo was chosen" in response.text


def test_body_above_the_limit(client):
    response = send(client, bytes(33 * 2**20), "a.jpg")
    assert response.status_code == 413
    assert "larger than this site accepts" in response.text


def test_too_many_parts(client):
    data = {"photo": [(io.BytesIO(b"x"), f"{i}.jpg") for i in range(30)]}
    response = client.post("/app/gender/", data=data)
    assert response.status_code == 413


def test_all_orientations_give_the_same_answer(client):
    answers = [
        client.post("/api/v1/predict", data=turned(i), content_type="image/jpeg").json["photos"][0]
        for i in range(1, 9)
    ]
    (upright,) = answers[0]["faces"]
    for answer in answers:
        (face,) = answer["faces"]
        assert face["label"] == upright["label"]
        assert face["probability"] == pytest.approx(upright["probability"], abs=0.02)
        assert face["box"] == pytest.approx(upright["box"], abs=4)


def test_one_bad_file_does_not_spoil_the_others(client, photo):
    data = {"photo": [(io.BytesIO(photo), "good.png"), (io.BytesIO(b"x"), "bad.png")]}
    response = client.post("/app/gender/", data=data)
    assert response.status_code == 200
    assert "One face found" in response.text
    assert "not a photo" in response.text
