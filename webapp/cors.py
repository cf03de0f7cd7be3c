"""Which other sites may call the API from a browser: by default none."""

from flask import Flask, Response, current_app, request

from webapp.errors import API

ANY = ["*"]
READABLE = (
    "Retry-After, X-Request-ID"  # headers of an answer that a script of another site may read
)
PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Content-Type, X-Request-ID",
    "Access-Control-Max-Age": "3600",
}


def init_app(app: Flask) -> None:
    """Let the origins of the setting ``CORS`` call the API, without cookies.

    Parameters
    ----------
    app : Flask
        The site.
    """
    if app.config["CORS"]:
        app.after_request(_allow)


def _allow(response: Response) -> Response:
    if not request.path.startswith(API):
        return response
    origin, allowed = request.headers.get("Origin", ""), current_app.config["CORS"]
    if allowed != ANY:
        response.vary.add("Origin")  # a cache must not hand one site's answer to another
    if origin and (allowed == ANY or origin.lower() in allowed):
        response.headers["Access-Control-Allow-Origin"] = "*" if allowed == ANY else origin
        response.headers["Access-Control-Expose-Headers"] = READABLE
        if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            response.headers.update(PREFLIGHT)
    return response
