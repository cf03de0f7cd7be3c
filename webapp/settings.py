"""The settings: a default for each, overridden by environment variables named FACECORE_..."""

import os
import re
import secrets
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from flask import Flask

MB = 2**20
# As browsers send it: no path, no default port, no user, and no `*` inside.
ORIGIN = re.compile(r"https?://(\[[0-9a-f:]+\]|[a-z0-9.-]*[a-z0-9])(:\d{1,5})?", re.ASCII)
DEFAULT_PORTS = re.compile(r"^(https://[^/]+):443$|^(http://[^/]+):80$")

DEFAULTS: dict[str, Any] = {
    "MODEL": None,
    "MAX_FILE_SIZE": 20 * MB,
    "MAX_CONTENT_LENGTH": 32 * MB,
    # Text of the form. The parser's buffer counts too: 64 KB and the start of the next part.
    "MAX_FORM_MEMORY_SIZE": 128 * 1024,
    "MAX_FORM_PARTS": 20,
    "MAX_PIXELS": 50_000_000,
    "DECODES": 2,
    "PATIENCE": 20.0,
    "RECEIVE": 60.0,
    "UNSURE": None,
    "RULE": True,
    "PROXIES": 0,
    "TRUSTED_HOSTS": None,
    "CORS": [],
    "RATE": "120 per minute",
    "RATELIMIT_STORAGE_URI": "memory://",
    "RATELIMIT_HEADERS_ENABLED": True,
    "BOOTSTRAP_SERVE_LOCAL": True,  # the content security policy allows no other host
    "SESSION_COOKIE_HTTPONLY": True,
    "SESSION_COOKIE_SAMESITE": "Lax",
    "WTF_CSRF_TIME_LIMIT": None,  # as long as the session: a page may stay open for a day
}


def _megabytes(text: str) -> int:
    return _whole(text) * MB


def _millions(text: str) -> int:
    return _whole(text) * 1_000_000


def _whole(text: str) -> int:
    if (value := int(text)) < 1:
        raise ValueError
    return value


def _count(text: str) -> int:
    if (value := int(text)) < 0:
        raise ValueError
    return value


def _seconds(text: str) -> float:
    if not 0 <= (value := float(text)) < 3600:
        raise ValueError
    return value


def _some_seconds(text: str) -> float:
    if (value := _seconds(text)) < 1:
        raise ValueError
    return value


def _share(text: str) -> float:
    if not 0 <= (value := float(text)) <= 1:
        raise ValueError
    return value


def _switch(text: str) -> bool:
    if text.strip().lower() not in ("on", "off"):
        raise ValueError
    return text.strip().lower() == "on"


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _origins(text: str) -> list[str]:
    origins = [origin.lower() for origin in _names(text)]
    if origins == ["*"]:
        return origins
    if not origins or not all(map(ORIGIN.fullmatch, origins)):
        raise ValueError
    return [DEFAULT_PORTS.sub(r"\1\2", origin) for origin in origins]


# By variable, without FACECORE_: the key of the configuration, how to read it, what it must be.
ENVIRONMENT: dict[str, tuple[str, Callable[[str], Any], str]] = {
    "SECRET_KEY": ("SECRET_KEY", str, "text"),
    "MODEL": ("MODEL", str, "the name of a model"),
    "MAX_FILE_MB": ("MAX_FILE_SIZE", _megabytes, "a whole number from 1"),
    "MAX_BODY_MB": ("MAX_CONTENT_LENGTH", _megabytes, "a whole number from 1"),
    "MAX_PARTS": ("MAX_FORM_PARTS", _whole, "a whole number from 1"),
    "MAX_MEGAPIXELS": ("MAX_PIXELS", _millions, "a whole number from 1"),
    "DECODES": ("DECODES", _whole, "a whole number from 1"),
    "PATIENCE": ("PATIENCE", _seconds, "seconds, below 3600"),
    "RECEIVE": ("RECEIVE", _some_seconds, "seconds, from 1 to below 3600"),
    "UNSURE": ("UNSURE", _share, "a number from 0 to 1"),
    "RULE": ("RULE", _switch, "on or off"),
    "PROXIES": ("PROXIES", _count, "a whole number from 0"),
    "TRUSTED_HOSTS": ("TRUSTED_HOSTS", _names, "host names separated by commas"),
    "CORS": ("CORS", _origins, "* or origins such as https://a.example, separated by commas"),
    "RATE": ("RATE", str, "a limit such as '120 per minute'"),
}


def read_environment() -> dict[str, Any]:
    """Read the settings from the environment; an empty variable counts as not set.

    Returns
    -------
    dict of str to object
        Keys as in `DEFAULTS`.

    Raises
    ------
    SystemExit
        A variable has a wrong value.
    """
    found = {}
    for variable, (key, read, must) in ENVIRONMENT.items():
        if text := os.environ.get(f"FACECORE_{variable}"):
            try:
                found[key] = read(text)
            except ValueError:
                refuse(f"FACECORE_{variable} must be {must}")
    return found


def check_secret_key(app: Flask) -> None:
    """Refuse to start without a secret key; debug mode and tests get a random one.

    Parameters
    ----------
    app : Flask
        Its configuration is complete but for the key.

    Raises
    ------
    SystemExit
        There is no key.
    """
    if app.config["SECRET_KEY"]:
        return
    if not (app.debug or app.testing):
        refuse(
            "FACECORE_SECRET_KEY is not set; set it to a long random string, the same for every "
            'worker: export FACECORE_SECRET_KEY="$(python -c '
            "'import secrets; print(secrets.token_hex())')\""
        )
    app.config["SECRET_KEY"] = secrets.token_hex()


def refuse(message: str) -> NoReturn:
    """End the process with one line on standard error.

    Parameters
    ----------
    message : str
        What is wrong, and the command that fixes it.

    Raises
    ------
    SystemExit
        Always, with status 3.
    """
    print(f"error: {message}", file=sys.stderr)
    raise SystemExit(
        3
    )  # gunicorn's "worker failed to boot": it stops instead of trying again for ever
