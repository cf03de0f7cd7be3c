"""A proxy in front: the client's address, and the host, scheme and prefix of the site's links."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask, abort, request
from werkzeug.middleware.proxy_fix import ProxyFix

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LONGEST = 200  # characters of a prefix
# Of a path on this host: `//host`, a scheme, a backslash or a control character would lead a
# browser elsewhere, and `.` or `..` to another site of the host.
PREFIX = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~@+-]+)+", re.ASCII)


def init_app(app: Flask) -> None:
    """Trust the headers of as many proxies as the setting ``PROXIES`` says; by default of none.

    Parameters
    ----------
    app : Flask
        The site.
    """
    if proxies := app.config["PROXIES"]:
        trusted = dict.fromkeys(("x_for", "x_proto", "x_host", "x_prefix"), proxies)
        app.wsgi_app = ProxyFix(_Prefix(app.wsgi_app), **trusted)  # type: ignore[method-assign]
        app.before_request(_refuse)


def check_prefix(prefix: str) -> str:
    """Return a prefix without its closing slash.

    Parameters
    ----------
    prefix : str
        Path below which a proxy shows the site, as ``X-Forwarded-Prefix`` has it.

    Returns
    -------
    str
        As the prefix of a link: empty for the top of the host.

    Raises
    ------
    ValueError
        It is not a plain path on this host.

    Examples
    --------
    >>> check_prefix("/faces/"), check_prefix("/")
    ('/faces', '')
    """
    plain = prefix.removesuffix("/")
    if plain and (len(plain) > LONGEST or not PREFIX.fullmatch(plain)):
        raise ValueError("not a plain path on this host")
    return plain


class _Prefix:
    """Hand on the prefix that is checked; one that is refused is reported by the site itself."""

    def __init__(self, site: WSGIApplication) -> None:
        self._site = site

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            environ["SCRIPT_NAME"] = check_prefix(environ.get("SCRIPT_NAME", ""))
        except ValueError:
            environ["SCRIPT_NAME"], environ["facecore.prefix_refused"] = "", True
        return self._site(environ, start_response)


def _refuse() -> None:
    if request.environ.get("facecore.prefix_refused"):
        abort(
            400,
            "The header X-Forwarded-Prefix must be a plain path such as /faces; let the proxy in "
            "front set it.",
        )
