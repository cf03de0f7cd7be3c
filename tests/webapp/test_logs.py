"""The log: one JSON line per request, without photos, names or addresses."""

import io
import json
import logging
import sys

import pytest

from webapp.logs import JsonLines


def test_a_request_is_one_line_of_json(client, photo, caplog):
    caplog.set_level(logging.INFO, "webapp")
    response = client.post(
        "/app/gender/?who=alice", data={"photo": (io.BytesIO(photo), "alice.png")}
    )
    (record,) = caplog.records
    text = JsonLines().format(record)
    line = json.loads(text)
    assert line["id"] == response.headers["X-Request-ID"]
    assert (line["endpoint"], line["status"], line["method"]) == ("pages.photos", 200, "POST")
    assert line["ms"] > 0
    assert "alice" not in text
    assert "127.0.0.1" not in text


@pytest.mark.parametrize(
    ("given", "kept"),
    [("abc-123", True), ("a" * 65, False), ("<b>", False), ("a\u00e9", False), ("", False)],
)
def test_request_id_is_taken_over_when_it_is_harmless(client, given, kept):
    response = client.get("/healthz", headers={"X-Request-ID": given})
    assert (response.headers["X-Request-ID"] == given) == kept
    assert response.headers["X-Request-ID"]


def test_errors_are_logged_with_their_traceback():
    try:
        raise ValueError("wrong")
    except ValueError:
        record = logging.getLogger("webapp").makeRecord(
            "webapp", logging.ERROR, __file__, 1, "failed", (), sys.exc_info()
        )
    line = json.loads(JsonLines().format(record))
    assert line["level"] == "error"
    assert "ValueError: wrong" in line["error"]
