"""Errors: a page for people, problem details (RFC 9457) for programs."""

from collections.abc import Sequence
from typing import Any

from flask import Flask, Response, g, json, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge, SecurityError

from facecore.model import PhotoAnswer

API = "/api/"
# By the reason that facecore gives when a photo cannot be used.
STATUS: dict[str | None, int] = {
    None: 200,
    "not_an_image": 415,
    "unsupported": 415,
    "truncated": 422,
    "unreadable": 422,
    "too_large": 413,
}


def init_app(app: Flask) -> None:
    """Answer every error in the form that was asked for.

    Parameters
    ----------
    app : Flask
    """
    app.register_error_handler(HTTPException, _handle)


def status_of(answers: Sequence[PhotoAnswer]) -> int:
    """Return the status for the photos of a request: an error only when none can be used.

    Parameters
    ----------
    answers : sequence of PhotoAnswer

    Returns
    -------
    int
    """
    reasons = [answer.reason for answer in answers]
    return STATUS[None if None in reasons else reasons[0]]


def problem(status: int, title: str, detail: str | None, **more: Any) -> Response:
    """Return problem details.

    Parameters
    ----------
    status : int
    title : str
    detail : str or None
    **more
        Further members.

    Returns
    -------
    Response
    """
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
    body["request_id"] = g.request_id
    return Response(json.dumps(body), status, content_type="application/problem+json")


def _handle(error: HTTPException) -> Response:
    status = error.code or 500
    detail = error.description or ""
    if isinstance(error, RequestEntityTooLarge):
        detail = "What was sent is larger than this site takes; send fewer or smaller photos."
    elif isinstance(error, CSRFError):
        detail = "This page is no longer valid; load it again and send the photo once more."
    elif status == 429:
        detail = f"No more than {detail} please; wait a moment and send it again."
    if request.path.startswith(API):
        response = problem(status, error.name, detail)
    elif isinstance(error, SecurityError):  # of a foreign host: no page has an address there
        response = Response(f"{error.name}: {detail}\n", status, content_type="text/plain")
    else:
        page = render_template("error.html", name=error.name, status=status, detail=detail)
        response = Response(page, status)
    for header, value in error.get_headers():
        if header not in ("Content-Type", "Content-Length"):
            response.headers[header] = value
    return response
