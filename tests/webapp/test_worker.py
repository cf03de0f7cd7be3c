"""The site behind gunicorn with its own worker: slow clients are let go."""

import socket

import pytest

pytest.importorskip("gunicorn")
from trials import load

BEGINNINGS = {
    "headers": b"POST /api/v1/predict HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
    "body": b"POST /api/v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n"
            b"Content-Type: application/octet-stream\r\n\r\nX",
}  # fmt: skip


@pytest.fixture(scope="module")
def port():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(load, "RECEIVE", 2)
        with load.serve() as (port, _):
            yield port


@pytest.mark.parametrize("part", BEGINNINGS)
def test_a_request_that_never_ends_is_ended(part, port):
    with socket.create_connection(("127.0.0.1", port), timeout=60) as link:
        link.sendall(BEGINNINGS[part])
        answer = b"".join(iter(lambda: link.recv(4096), b""))
    assert not answer or answer.startswith(b"HTTP/1.1 4")


def test_others_are_answered_meanwhile(port):
    slow = [socket.create_connection(("127.0.0.1", port), timeout=60) for _ in range(8)]
    for link in slow:
        link.sendall(BEGINNINGS["headers"])
    outcome = load.attempt(port, "photo by the API", 1)
    assert (outcome.problem, outcome.lost) == ("", False)
    for link in slow:
        link.close()
