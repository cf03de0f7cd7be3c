"""Errors: a page for people, problem details (RFC 9457) for programs."""

from collections.abc import Sequence
from typing import Any

from flask import Flask, Response, g, json, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge, SecurityError

from facecore.model import PhotoAnswer

API = "/api/"
# HTTP status by `PhotoAnswer.reason`, the kind of error of a photo that cannot be used.
STATUS: dict[str | None, int] = {
    None: 200,
    "not_an_image": 415,
    "unsupported": 415,
    "truncated": 422,
    "unreadable": 422,
    "too_large": 413,
}


def init_app(app: Flask) -> None:
    """Answer every error as a page, or as problem details below ``/api/``.

    Parameters
    ----------
    app : Flask
        The site.
    """
    app.register_error_handler(HTTPException, _handle)


def status_of(answers: Sequence[PhotoAnswer]) -> int:
    """Return the HTTP status of a request: an error only when none of its photos can be used.

    Parameters
    ----------
    answers : sequence of PhotoAnswer
        One per photo; at least one.

    Returns
    -------
    int
        200, or the status of the first photo's error.
    """
    reasons = [answer.reason for answer in answers]
    return STATUS[None if None in reasons else reasons[0]]


def problem(status: int, title: str, detail: str | None, **more: Any) -> Response:
    """Return problem details (RFC 9457).

    Parameters
    ----------
    status : int
        HTTP status.
    title : str
        Name of the status.
    detail : str or None
        What is wrong with this request, and how to fix it.
    **more : object
        Further members of the JSON object.

    Returns
    -------
    Response
        With the content type ``application/problem+json``.
    """
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
    body["request_id"] = g.request_id
    return Response(json.dumps(body), status, content_type="application/problem+json")


def _handle(error: HTTPException) -> Response:
    status = error.code or 500
    detail = error.description or ""
    if isinstance(error, RequestEntityTooLarge):
        detail = "The upload is larger than this site accepts; send fewer or smaller photos."
    elif isinstance(error, CSRFError):
        detail = "This page has expired; load it again, then send the photo again."
    elif status == 429:
        detail = f"Too many photos were sent: the limit is {detail}; wait a moment, then try again."
    if request.path.startswith(API):
        response = problem(status, error.name, detail)
    elif isinstance(
        error, SecurityError
    ):  # of a foreign host, where no link of a page would lead back here
        response = Response(f"{error.name}: {detail}\n", status, content_type="text/plain")
    else:
        page = render_template("error.html", name=error.name, status=status, detail=detail)
        response = Response(page, status)
    for header, value in error.get_headers():
        if header not in ("Content-Type", "Content-Length"):
            response.headers[header] = value
    return response
