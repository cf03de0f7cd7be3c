"""One JSON line per request, with an id and without photos, file names or addresses."""

import json
import logging
import re
import time
import uuid

from flask import Flask, Response, g, request

REQUEST_ID = re.compile(r"[A-Za-z0-9-]{1,64}")

log = logging.getLogger("webapp.requests")


class JsonLines(logging.Formatter):
    """Format a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line.

        Parameters
        ----------
        record : LogRecord
            What is logged. Its attribute ``fields``, a dict, is merged into the line.

        Returns
        -------
        str
            A JSON object without line breaks.
        """
        line = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line)


def init_app(app: Flask) -> None:
    """Give every request an id, and log it when it is answered.

    Parameters
    ----------
    app : Flask
        The site.
    """
    logger = logging.getLogger("webapp")
    if not logger.handlers and not app.testing:
        handler = logging.StreamHandler()
        handler.setFormatter(JsonLines())
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False  # a server may print again what reaches the root logger
    app.before_request(_begin)
    app.after_request(_finish)


def _begin() -> None:
    g.started = time.perf_counter()
    given = request.headers.get("X-Request-ID", "")
    g.request_id = given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


def _finish(response: Response) -> Response:
    response.headers["X-Request-ID"] = g.request_id
    fields = {
        "id": g.request_id,
        "method": request.method,
        "endpoint": request.endpoint,
        "status": response.status_code,
        "ms": round((time.perf_counter() - g.started) * 1e3, 1),
    }
    log.info("request", extra={"fields": fields})
    return response
