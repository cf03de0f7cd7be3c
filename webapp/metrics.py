"""What Prometheus may know: counts and times, nothing of a photo."""

import os
import time

from flask import Flask, Response, g, request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
    multiprocess,
)

from facecore.model import PhotoAnswer

METHODS = ("GET", "HEAD", "POST", "OPTIONS")

REQUESTS = Counter("facecore_requests_total", "Requests answered", ["endpoint", "method", "status"])
SECONDS = Histogram("facecore_request_seconds", "Time to answer a request", ["endpoint"])
PHOTOS = Counter("facecore_photos_total", "Photos looked at")
FACES = Counter("facecore_faces_total", "Faces found")
NO_FACE = Counter("facecore_no_face_total", "Photos without a face")
REJECTED = Counter("facecore_rejected_total", "Photos refused", ["reason"])


def init_app(app: Flask) -> None:
    """Count and time every request.

    Parameters
    ----------
    app : Flask
    """
    app.after_request(_observe)


def _observe(response: Response) -> Response:
    endpoint = request.endpoint or "none"
    method = request.method if request.method in METHODS else "other"
    REQUESTS.labels(endpoint, method, response.status_code).inc()
    SECONDS.labels(endpoint).observe(time.perf_counter() - g.started)
    return response


def count(answer: PhotoAnswer) -> None:
    """Count the outcome of a photo.

    Parameters
    ----------
    answer : PhotoAnswer
    """
    PHOTOS.inc()
    if answer.reason:
        REJECTED.labels(answer.reason).inc()
    elif answer.faces:
        FACES.inc(len(answer.faces))
    else:
        NO_FACE.inc()


def render() -> Response:
    """Return the metrics of this process, or of all workers.

    Returns
    -------
    Response
        Of all workers where ``PROMETHEUS_MULTIPROC_DIR`` names the folder they share.
    """
    registry = REGISTRY
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
