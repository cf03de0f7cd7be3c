"""The site behind gunicorn with its own worker: slow clients are let go."""

import socket
import time

import pytest

from benchmarks import serve

pytest.importorskip("gunicorn")
from trials import load

BEGINNINGS = {
    "headers": b"POST /api/v1/predict HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
    "body": b"POST /api/v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n"
    b"Content-Type: application/octet-stream\r\n\r\nX",
}


CSS = b"GET /bootstrap/static/css/bootstrap.min.css HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def port():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(load, "RECEIVE", 2)
        with load.serve() as (port, _):
            yield port


@pytest.fixture
def port_of_one_thread(monkeypatch):
    monkeypatch.setattr(load, "RECEIVE", 2)
    monkeypatch.setattr(serve, "WORKERS", 1)
    monkeypatch.setattr(serve, "THREADS", 1)
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


@pytest.mark.slow
def test_a_client_that_does_not_read_its_answers_is_cut_off(port_of_one_thread):
    with socket.create_connection(("127.0.0.1", port_of_one_thread), timeout=60) as link:
        link.sendall(CSS * 100)  # more than lies in the buffers between the two
        time.sleep(0.5)
        outcome = load.attempt(port_of_one_thread, "photo by the API", 1)
    assert (outcome.problem, outcome.lost) == ("", False)
    assert outcome.seconds > 1  # the only thread was held
