"""How fast the upload site answers, what a worker weighs, and that nobody gets another's answer.

It starts gunicorn with two workers on loopback and sends photos of synthetic faces:

    python benchmarks/serve.py [--quick] [--model NAME] [--json FILE]
"""

import argparse
import http.client
import io
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from threadpoolctl import threadpool_limits

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

from benchmarks.figures import publish  # noqa: E402
from facecore.errors import FacecoreError  # noqa: E402
from facecore.face import to_png  # noqa: E402
from facecore.model import (  # noqa: E402
    FaceModel,
    load_model,
    make_photo,
    predict_photo,
)

WORKERS, THREADS, CONNECTIONS, CONCURRENT = 2, 16, 8, 500
PATIENCE = 300  # seconds


def main() -> int:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer requests of each kind")
    parser.add_argument("--model", help="the default model when left out")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    options = parser.parse_args()
    return publish(lambda: measure(options.model, options.quick), options.json)


def measure(name: str | None, quick: bool) -> dict[str, Any]:
    """Measure everything and print it.

    Parameters
    ----------
    name : str or None
        Name of the model; the default model when None.
    quick : bool
        Whether to send fewer requests.

    Returns
    -------
    dict
        Figures by name.

    Raises
    ------
    FacecoreError
        The site does not start, or an answer went to the wrong photo.
    """
    model = load_model(name)
    small, large = (50, 12) if quick else (400, 80)
    settings = {"FACECORE_PATIENCE": str(PATIENCE), "FACECORE_MODEL": name or ""}
    with serve(settings) as (port, process, seconds):
        figures: dict[str, Any] = {"seconds_to_ready": round(seconds, 2)}
        figures["memory_idle_mb"] = memory(process.pid)
        photos = [to_png(made(model, seed)) for seed in range(CONCURRENT)]
        figures["250 x 250"] = load(port, [photos[i % len(photos)] for i in range(small)])
        figures["12 megapixels"] = load(port, [enlarge(made(model, i)) for i in range(4)], large)
        figures["own_answers"] = own_answers(port, model, photos)
        figures["memory_after_mb"] = memory(process.pid)
    show(figures)
    return figures


def made(model: FaceModel, seed: int) -> np.ndarray:
    """Return a photo of 250 x 250 pixels with a synthetic face."""
    return make_photo(model, model.labels[seed % len(model.labels)], seed)


def enlarge(pixels: np.ndarray) -> bytes:
    """Return a photo as a JPEG of 4000 x 3000 pixels."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).resize((4000, 3000)).save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


@contextmanager
def serve(settings: Mapping[str, str]) -> Iterator[tuple[int, subprocess.Popen, float]]:
    """Run the site as docs/web.md says, but with a rate limit that nobody reaches.

    Parameters
    ----------
    settings : mapping of str to str
        Environment variables to set in addition to the present ones.

    Yields
    ------
    port : int
        Port of the site.
    process : Popen
        First process of gunicorn.
    seconds : float
        Time until the site was ready.

    Raises
    ------
    FacecoreError
        It did not start.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = {"FACECORE_SECRET_KEY": secrets.token_hex(), "FACECORE_RATE": "1000000 per second"}
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "webapp:create_app()",
        "--bind",
        f"127.0.0.1:{port}",
        "--workers",
        str(WORKERS),
        "--threads",
        str(THREADS),
        "--log-level",
        "warning",
        "--worker-class",
        "webapp.worker.Worker",
    ]
    start = time.perf_counter()
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command, cwd=REPO, env=os.environ | own | settings, stdout=log, stderr=log
        )
        try:
            while not is_ready(port):
                if process.poll() is not None or time.perf_counter() > start + 60:
                    log.seek(0)
                    said = log.read().decode(errors="replace")[-2000:]
                    raise FacecoreError(f"the site did not start within a minute: {said}")
                time.sleep(0.02)
            yield port, process, time.perf_counter() - start
        finally:
            process.terminate()
            process.wait(60)


def is_ready(port: int) -> bool:
    """Return whether ``/readyz`` answers that the site is ready."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def workers(pid: int) -> list[int]:
    """Return the process numbers of gunicorn's workers."""
    return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def ask(connection: http.client.HTTPConnection, photo: bytes) -> dict[str, Any]:
    """Send a photo and return the answer."""
    kind = {"Content-Type": "application/octet-stream"}
    connection.request("POST", "/api/v1/predict", photo, kind)
    response = connection.getresponse()
    body = response.read()
    if response.status != 200:
        raise FacecoreError(f"status {response.status}: {body.decode(errors='replace')}")
    answer: dict[str, Any] = json.loads(body)["photos"][0]
    return answer


def load(port: int, photos: list[bytes], count: int | None = None) -> dict[str, float]:
    """Send photos over a few connections at once.

    Parameters
    ----------
    port : int
        Port of the site.
    photos : list of bytes
        Encoded photos.
    count : int, optional
        Number of requests, the photos in turn; one per photo when left out.

    Returns
    -------
    dict
        requests, requests_per_second, p50_ms, p99_ms, faces_found.
    """
    turns = [photos[i % len(photos)] for i in range(count or len(photos))]
    shares = [turns[i::CONNECTIONS] for i in range(CONNECTIONS)]

    def work(share: list[bytes]) -> list[tuple[float, int]]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        results = []
        for photo in share:
            start = time.perf_counter()
            answer = ask(connection, photo)
            results.append((time.perf_counter() - start, len(answer["faces"])))
        connection.close()
        return results

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(work, [share[:1] for share in shares]))  # each thread builds its detector
        start = time.perf_counter()
        results = [pair for part in pool.map(work, shares) for pair in part]
        seconds = time.perf_counter() - start
    times = np.array([pair[0] for pair in results]) * 1e3
    return {
        "requests": len(results),
        "requests_per_second": round(len(results) / seconds, 1),
        "p50_ms": round(float(np.percentile(times, 50)), 1),
        "p99_ms": round(float(np.percentile(times, 99)), 1),
        "faces_found": sum(pair[1] for pair in results),
    }


def own_answers(port: int, model: FaceModel, photos: list[bytes]) -> dict[str, float]:
    """Send all photos at the same moment, and compare each answer with the one computed here.

    Parameters
    ----------
    port : int
        Port of the site.
    model : FaceModel
        Model that the site uses.
    photos : list of bytes
        Encoded photos, all different.

    Returns
    -------
    dict
        requests, different_answers, right, seconds.
    """
    with threadpool_limits(1):  # as the site: more threads add up in another order
        expected = [predict_photo(photo, model).to_dict() for photo in photos]
    answers: list[dict[str, Any] | None] = [None] * len(photos)
    gate = threading.Barrier(len(photos) + 1)

    def work(i: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        connection.connect()
        gate.wait()
        answers[i] = ask(connection, photos[i])
        connection.close()

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(photos))]
    for thread in threads:
        thread.start()
    gate.wait()
    start = time.perf_counter()
    for thread in threads:
        thread.join()
    return {
        "requests": len(photos),
        "different_answers": len({json.dumps(answer) for answer in answers}),
        "right": sum(a == b for a, b in zip(answers, expected, strict=True)),
        "seconds": round(time.perf_counter() - start, 1),
    }


def memory(pid: int) -> dict[str, list[float]]:
    """Return the resident memory of each worker in MB, now and at its peak."""
    found: dict[str, list[float]] = {"now": [], "peak": []}
    for worker in workers(pid):
        lines = Path(f"/proc/{worker}/status").read_text().splitlines()
        status = dict(line.split(":", 1) for line in lines)
        for key, name in (("now", "VmRSS"), ("peak", "VmHWM")):
            found[key].append(round(int(status[name].split()[0]) / 1024, 1))
    return found


def show(figures: dict[str, Any]) -> None:
    """Print the table."""
    print(f"{WORKERS} workers of {THREADS} threads, {CONNECTIONS} connections")
    print(f"ready after {figures['seconds_to_ready']} s")
    for kind in ("250 x 250", "12 megapixels"):
        f = figures[kind]
        print(
            f"{kind:>13}: {f['requests']} requests, {f['requests_per_second']} per second, "
            f"p50 {f['p50_ms']} ms, p99 {f['p99_ms']} ms, {f['faces_found']} faces found"
        )
    for when in ("idle", "after"):
        m = figures[f"memory_{when}_mb"]
        print(f"memory per worker, {when}: {m['now']} MB, peak {m['peak']} MB")
    own = figures["own_answers"]
    print(
        f"{own['requests']} photos at the same moment: {own['right']} got their own answer "
        f"({own['different_answers']} different ones) in {own['seconds']} s"
    )
    if own["right"] != own["requests"]:
        raise FacecoreError("an answer went to the wrong photo")


if __name__ == "__main__":
    sys.exit(main())
