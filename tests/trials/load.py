"""Send the upload site good, bad, huge and slow requests from many clients at once.

    python tests/trials/load.py [--requests N] [--clients C] [--seed S] [--json FILE]

gunicorn with two workers, as docs/web.md says, on loopback. Four tenths of the requests warm it up,
then its memory is read; the last tenth comes while a worker is killed. Every answer must have the
status that its request deserves (503 where the site says that it is full), every photo gets the
answer that the library gives of it here, and memory stays within 5% of what it was. At the end
more clients than there are threads send a byte now and then; the site must answer others again.
"""

import argparse
import http.client
import io
import json
import os
import random
import re
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

REPO = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPO), str(REPO / "tests")]

from corpus import SAMPLES, draw_face, encode, place_face  # noqa: E402
from trials.report import calmed, told  # noqa: E402

from benchmarks import serve as benchmark  # noqa: E402
from benchmarks.figures import publish  # noqa: E402
from facecore.model.predict import predict_photo  # noqa: E402
from facecore.model.store import load_model  # noqa: E402
from webapp import create_app  # noqa: E402
from webapp.errors import STATUS  # noqa: E402

MODEL, RECEIVE = "classic", 6
PICTURE = re.compile(rb"data:image/\w+;base64,[\w+/=]+")
GONE = (ConnectionError, http.client.BadStatusLine, http.client.IncompleteRead)


@dataclass(frozen=True)
class Outcome:
    """What became of a request.

    Parameters
    ----------
    kind : str
    seconds : float
    problem : str
        Empty where all is well.
    busy, lost : bool
        The site was full; the connection broke.
    began, ended : float
        Seconds of the monotonic clock.
    """

    kind: str
    seconds: float
    problem: str = ""
    busy: bool = False
    lost: bool = False
    began: float = 0.0
    ended: float = 0.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the trial and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=1000, metavar="N", help="in all (1,000)")
    parser.add_argument("--clients", type=int, default=20, metavar="C", help="at once (20)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    options = parser.parse_args(arguments)
    return publish(
        lambda: told(*run(options.requests, options.clients, options.seed)), options.json
    )


def run(requests: int, clients: int, seed: int) -> tuple[dict[str, Any], list[str]]:
    """Send the requests.

    Parameters
    ----------
    requests, clients, seed : int

    Returns
    -------
    figures : dict
    problems : list of str
        Empty when every promise was kept.
    """
    chance = random.Random(seed)
    kinds = chance.choices([*KINDS], [weight for _, weight in KINDS.values()], k=requests)
    tasks = [(kind, chance.randrange(2**32)) for kind in kinds]
    first, last = requests * 4 // 10, requests - requests // 10
    for data, _ in photos():  # made before the clock runs
        pictures(data)
    bad(), twelve_megapixels()
    with serve() as (port, process), ThreadPoolExecutor(clients) as pool:

        def send(part: Sequence[tuple[str, int]]) -> list[Outcome]:
            return list(pool.map(lambda task: attempt(port, *task), part))

        for kind in KINDS:  # each path of the code once in each worker, whatever was drawn
            send([(kind, i) for i in range(2 * clients)] if kind != "never sends all" else [])
        warm = send(tasks[:first])
        before = memory(process.pid)
        begun = time.perf_counter()
        measured = send(tasks[first:last])
        seconds = time.perf_counter() - begun
        after = memory(process.pid)
        victim = benchmark.workers(process.pid)[0]
        killer = threading.Timer(0.3, os.kill, [victim, signal.SIGKILL])
        killer.start()
        killed = send(tasks[last:])
        killer.join()
        moments = [outcome.ended for outcome in killed if outcome.lost]
        recovered = attempt(port, "photo by the API", 1)
        again = succeeded(process.pid, victim)
        attack, waited = besiege(port, chance)
    outcomes = warm + measured + killed
    problems = [f"{o.kind}: {o.problem}" for o in [*outcomes, recovered] if o.problem]
    problems += [f"{o.kind}: the connection broke" for o in warm + measured if o.lost]
    if moments and max(moments) - min(moments) > 2:
        problems.append("connections broke long after the worker was killed")
    grown = after / before - 1
    if grown > 0.05:
        problems.append(f"memory grew by {grown:.1%}")
    if recovered.lost or not again:
        problems.append("the worker that was killed has no successor that answers")
    problems += attack
    by_kind = defaultdict(list)
    for outcome in measured:
        by_kind[outcome.kind].append(outcome.seconds * 1e3)
    figures: dict[str, Any] = {
        "requests": len(outcomes),
        "clients": clients,
        "requests_per_second": round(len(measured) / seconds, 1),
        "wrong_answers": len(problems),
        "full_503": sum(o.busy for o in outcomes),
        "memory_before_mb": round(before),
        "memory_after_mb": round(after),
        "memory_growth_percent": round(100 * grown, 1),
        "broken_when_a_worker_was_killed": sum(o.lost for o in killed),
        "seconds_until_answered_when_every_thread_is_held": round(waited, 1),
    }
    for kind, times in sorted(by_kind.items()):
        p50, p99 = np.percentile(times, [50, 99])
        figures[f"{kind.replace(' ', '_')}"] = (
            f"{len(times)} requests, p50 {p50:.0f} ms, p99 {p99:.0f} ms"
        )
    return figures, problems


@contextmanager
def serve() -> Iterator[tuple[int, subprocess.Popen]]:
    """Run the site; yields its port and gunicorn's first process."""
    settings = {
        "FACECORE_MODEL": MODEL,
        "FACECORE_ARTIFACTS": str(REPO / "artifacts"),
        "FACECORE_RECEIVE": str(RECEIVE),
        "MALLOC_ARENA_MAX": "2",
    }
    with benchmark.serve(settings) as (port, process, _):
        yield port, process


def memory(pid: int) -> float:
    """Return the resident memory of all workers in MB, when it has calmed down."""
    return calmed(lambda: sum(benchmark.memory(pid)["now"]), float)


def succeeded(pid: int, victim: int) -> bool:
    """Return whether a new worker stands in the place of one that was killed, within a while."""
    for _ in range(100):
        present = benchmark.workers(pid)
        if victim not in present and len(present) == benchmark.WORKERS:
            return True
        time.sleep(0.1)
    return False


def attempt(port: int, kind: str, seed: int) -> Outcome:
    """Send one request of a kind, and judge its answer."""
    begun = time.monotonic()
    problem, busy, lost = "", False, False
    try:
        problem = KINDS[kind][0](port, random.Random(seed))
        busy = problem == "busy"
    except GONE:
        lost = True
    except OSError as error:
        problem = repr(error)
    ended = time.monotonic()
    return Outcome(kind, ended - begun, "" if busy else problem, busy, lost, begun, ended)


def talk(
    port: int, parts: Sequence[bytes], wait: float = 0.0, half: bool = False, method: str = "GET"
) -> tuple[int, http.client.HTTPMessage, bytes]:
    """Send the parts of a request with pauses between; returns status, headers and body."""
    with socket.create_connection(("127.0.0.1", port), timeout=90) as link:
        for i, part in enumerate(parts):
            time.sleep(wait if i else 0)
            link.sendall(part)
        if half:
            link.shutdown(socket.SHUT_WR)
        response = http.client.HTTPResponse(link, method=method)
        response.begin()
        return response.status, response.headers, response.read()


def api(data: bytes, length: int | None = None) -> list[bytes]:
    """Write a request for the API: its head and its body."""
    head = (
        "POST /api/v1/predict HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        f"Content-Type: application/octet-stream\r\nContent-Length: {length or len(data)}\r\n\r\n"
    )
    return [head.encode(), data]


@cache
def photos() -> list[tuple[bytes, Any]]:
    """Return photos whose faces are all at other places, and what the library says of each."""
    model = load_model(MODEL)
    found = []
    for i in range(64):
        data = encode(place_face(18 * (i % 8), 18 * (i // 8), 100 + i))
        answer = predict_photo(data, model).to_dict()
        assert len(answer["faces"]) == 1
        found.append((data, answer["faces"]))
    assert len({json.dumps(faces) for _, faces in found}) == len(found)
    return found


@cache
def pictures(data: bytes) -> list[bytes]:
    """Return the pictures of faces that the page shows for a photo, when asked here."""
    app = create_app({"TESTING": True, "MODEL": MODEL, "WTF_CSRF_ENABLED": False})
    form = {"photo": (io.BytesIO(data), "a.png")}
    found = PICTURE.findall(app.test_client().post("/app/gender/", data=form).data)
    assert len(found) >= 3
    return found


@cache
def bad() -> list[tuple[bytes, int]]:
    """Return the small files of the corpus, and the status that each deserves."""
    made = [(sample.make(), STATUS[sample.reason or None]) for sample in SAMPLES]
    return [(data, status) for data, status in made if 0 < len(data) < 200_000]


@cache
def twelve_megapixels() -> tuple[bytes, Any]:
    buffer = io.BytesIO()
    Image.fromarray(draw_face(400)).resize((4000, 3000)).save(buffer, "JPEG", quality=90)
    return buffer.getvalue(), predict_photo(buffer.getvalue(), load_model(MODEL)).to_dict()["faces"]


def judge(answer: tuple[int, Any, bytes], status: int, faces: Any = None) -> str:
    """Return what is wrong with an answer, "busy" if the site is full."""
    if answer[0] == 503 and answer[1]["Retry-After"]:
        return "busy"
    if answer[0] != status:
        return f"status {answer[0]}, not {status}"
    if faces is not None and json.loads(answer[2])["photos"][0]["faces"] != faces:
        return "the answer of another photo"
    return ""


def send_photo(port: int, chance: random.Random) -> str:
    data, faces = chance.choice(photos())
    return judge(talk(port, [b"".join(api(data))]), 200, faces)


def send_large(port: int, chance: random.Random) -> str:
    data, faces = twelve_megapixels()
    return judge(talk(port, [b"".join(api(data))]), 200, faces)


def send_bad(port: int, chance: random.Random) -> str:
    data, status = chance.choice(bad())
    return judge(talk(port, [b"".join(api(data))]), status)


def send_form(port: int, chance: random.Random) -> str:
    """Open the page, send its form as a browser does, and look for the photo's own face."""
    page = talk(
        port, [b"GET /app/gender/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"]
    )
    if page[0] != 200:
        return judge(page, 200)
    token = re.search(rb'name="csrf_token"[^>]*value="([^"]+)"', page[2])[1]
    cookie = page[1]["Set-Cookie"].split(";")[0]
    data, _ = chance.choice(photos())
    edge = secrets.token_hex(8)
    body = (
        f'--{edge}\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n'.encode()
        + token
        + f'\r\n--{edge}\r\nContent-Disposition: form-data; name="photo"; filename="a.png"\r\n'
        "Content-Type: image/png\r\n\r\n".encode()
        + data
        + f"\r\n--{edge}--\r\n".encode()
    )
    head = (
        "POST /app/gender/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        f"Cookie: {cookie}\r\nContent-Type: multipart/form-data; boundary={edge}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    answer = talk(port, [head.encode() + body])
    if problem := judge(answer, 200):
        return problem
    same = PICTURE.findall(answer[2]) == pictures(data)
    return "" if same else "the pictures of another photo"


def send_above_the_limit(port: int, chance: random.Random) -> str:
    return judge(talk(port, api(bytes(1000), 40 * 2**20)), 413)


def send_slowly(port: int, chance: random.Random) -> str:
    data, faces = chance.choice(photos())
    head, body = api(data)
    third = len(body) // 3
    parts = [head[:40], head[40:] + body[:third], body[third : 2 * third], body[2 * third :]]
    return judge(talk(port, parts, wait=0.4), 200, faces)


def never_send_all(port: int, chance: random.Random) -> str:
    """Begin and go silent; the site must end it, without an answer or with one of ours."""
    head, body = api(chance.choice(photos())[0])
    start = head[:50] if chance.random() < 0.5 else head + body[:500]
    begun = time.monotonic()
    try:
        status = talk(port, [start])[0]
    except GONE:
        status = 0
    late = time.monotonic() - begun > RECEIVE + 20
    return "held for long" if late else "" if status in (0, 400, 408, 422) else f"status {status}"


def go_away(port: int, chance: random.Random) -> str:
    head, body = api(chance.choice(photos())[0])
    with socket.create_connection(("127.0.0.1", port), timeout=90) as link:
        link.sendall(head + body[: chance.randrange(len(body) + 1)])
    return ""


def send_two_at_once(port: int, chance: random.Random) -> str:
    with socket.create_connection(("127.0.0.1", port), timeout=90) as link:
        link.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2)
        received = b""
        while received.count(b'"status"') < 2:
            if not (part := link.recv(4096)):
                raise ConnectionResetError
            received += part
    return "" if received.count(b"HTTP/1.1 200") == 2 else "not two answers"


def send_and_close_half(port: int, chance: random.Random) -> str:
    data, faces = chance.choice(photos())
    return judge(talk(port, [b"".join(api(data))], half=True), 200, faces)


def open_a_page(port: int, chance: random.Random) -> str:
    path, status = chance.choice(
        [
            ("/", 200),
            ("/api/v1/models", 200),
            ("/healthz", 200),
            ("/missing", 404),
            ("/static/none.css", 404),
        ]
    )
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    return judge(talk(port, [request.encode()]), status)


def send_no_http(port: int, chance: random.Random) -> str:
    try:
        status = talk(port, [random.Random(chance.random()).randbytes(200) + b"\r\n\r\n"])[0]
    except GONE:
        return ""
    return "" if status == 400 else f"status {status}"


KINDS: dict[str, tuple[Callable[[int, random.Random], str], int]] = {
    "photo by the API": (send_photo, 34),
    "photo by the page": (send_form, 10),
    "12 megapixels": (send_large, 3),
    "file of the corpus": (send_bad, 20),
    "above the limit": (send_above_the_limit, 2),
    "sent slowly": (send_slowly, 5),
    "never sends all": (never_send_all, 2),
    "client gone": (go_away, 5),
    "two at once": (send_two_at_once, 3),
    "half closed": (send_and_close_half, 4),
    "a page": (open_a_page, 10),
    "no HTTP": (send_no_http, 2),
}


def besiege(port: int, chance: random.Random) -> tuple[list[str], float]:
    """Hold every thread with a byte now and then; returns problems, and seconds to an answer."""
    links = [
        socket.create_connection(("127.0.0.1", port))
        for _ in range(2 * benchmark.WORKERS * benchmark.THREADS)
    ]
    stop = threading.Event()

    def trickle() -> None:
        rest = links
        while rest and not stop.wait(0.5):
            rest = [link for link in rest if _sends(link, b"X")]

    for link in links:
        link.sendall(b"POST /api/v1/predict HTTP/1.1\r\nX-Slow: ")
    thread = threading.Thread(target=trickle)
    thread.start()
    time.sleep(1)
    begun = time.monotonic()
    outcome = attempt(port, "photo by the API", chance.randrange(100))
    waited = time.monotonic() - begun
    stop.set()
    thread.join()
    for link in links:
        link.close()
    problem = outcome.problem or "broke" * outcome.lost or "waited long" * (waited > 4 * RECEIVE)
    return ([f"while every thread is held: {problem}"] if problem else []), waited


def _sends(link: socket.socket, data: bytes) -> bool:
    try:
        link.sendall(data)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
