"""The upload site: choose a photo, and see how a face-space model labels its faces."""

from collections.abc import Mapping
from typing import Any

import cv2
from flask import Flask
from flask_bootstrap import Bootstrap5
from threadpoolctl import threadpool_limits

from webapp import api, cors, errors, logs, metrics, ops, pages, pictures, proxies, security
from webapp.service import Service
from webapp.settings import DEFAULTS, check_secret_key, read_environment


def create_app(test_config: Mapping[str, Any] | None = None) -> Flask:
    """Build the site.

    Parameters
    ----------
    test_config : mapping of str to object, optional
        Configuration that overrides the defaults and the environment.

    Returns
    -------
    Flask
        Ready to be served; its model is loaded, where there is one.

    Raises
    ------
    SystemExit
        A variable of the environment has a wrong value, or there is no secret key; the reason is
        one line on standard error.

    Examples
    --------
    >>> site = create_app({"TESTING": True}).test_client()
    >>> site.get("/healthz").json
    {'status': 'ok'}
    """
    app = Flask(__name__)
    app.config.from_mapping(DEFAULTS)
    app.config.from_mapping(read_environment())
    app.config.from_mapping(test_config)
    check_secret_key(app)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    # requests run side by side; each takes one core
    cv2.setNumThreads(1)
    threadpool_limits(1, "blas")

    app.extensions["facecore"] = Service(
        app.config["MODEL"],
        max_file=app.config["MAX_FILE_SIZE"],
        max_pixels=app.config["MAX_PIXELS"],
        decodes=app.config["DECODES"],
        patience=app.config["PATIENCE"],
        unsure=app.config["UNSURE"],
        ruled=app.config["RULE"],
    )
    for part in (logs, metrics, proxies, security, cors, errors, pictures):
        part.init_app(app)
    Bootstrap5(app)  # serves the style sheet of its package under /bootstrap/static
    for blueprint in (pages.blueprint, api.blueprint, ops.blueprint):
        app.register_blueprint(blueprint)
    security.csrf.exempt(api.blueprint)  # no cookie gives an API call any right
    return app
