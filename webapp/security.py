"""CSRF, rate limits, response headers, and uploads that stay in memory."""

import io
from typing import IO

from flask import Flask, Request, Response, current_app, request
from flask.sessions import SecureCookieSessionInterface
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_wtf.csrf import CSRFProtect

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# Endpoints of files that are the same for everybody.
STATIC = {"static", "bootstrap.static"}

csrf = CSRFProtect()
limiter = Limiter(key_func=get_remote_address)
# The page and the API share one count.
limit_photos = limiter.shared_limit(
    lambda: current_app.config["RATE"], scope="photos", methods=["POST"]
)


class InMemoryRequest(Request):
    """A request whose uploads never touch the disk, whatever their size."""

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        return io.BytesIO()


class Sessions(SecureCookieSessionInterface):
    """Session cookies for the site's own path, marked secure where it is served over HTTPS."""

    def get_cookie_path(self, app: Flask) -> str:
        """Return the path below which the browser sends the cookie.

        Parameters
        ----------
        app : Flask
            The site.

        Returns
        -------
        str
            The prefix of the proxy in front, so that no other site of the host gets the cookie.
        """
        return request.script_root or super().get_cookie_path(app)

    def get_cookie_secure(self, app: Flask) -> bool:
        """Return whether the browser may send the cookie over HTTPS only.

        Parameters
        ----------
        app : Flask
            The site.

        Returns
        -------
        bool
            True for a request over HTTPS.
        """
        return request.is_secure


def init_app(app: Flask) -> None:
    """Protect the site.

    Parameters
    ----------
    app : Flask
        The site.
    """
    app.request_class = InMemoryRequest
    app.session_interface = Sessions()
    csrf.init_app(app)
    limiter.init_app(app)
    app.after_request(_add_headers)


def _add_headers(response: Response) -> Response:
    response.headers.update(HEADERS)
    if request.endpoint not in STATIC:
        response.headers["Cache-Control"] = "no-store"  # answers hold faces
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    return response
