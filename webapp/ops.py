"""For the operator of the site: is it up, is it ready, how is it doing."""

from flask import Blueprint, Response, current_app, jsonify

from webapp import metrics

blueprint = Blueprint("ops", __name__)


@blueprint.get("/healthz")
def healthz() -> Response:
    """Report that the process is up.

    Returns
    -------
    Response
        JSON with ``status``.
    """
    return jsonify(status="ok")


@blueprint.get("/readyz")
def readyz() -> Response:
    """Report the model that is loaded.

    Returns
    -------
    Response
        JSON with ``status``, ``model`` and ``labels``.

    Raises
    ------
    ServiceUnavailable
        No model is loaded; the text is the reason.
    """
    service = current_app.extensions["facecore"]
    labels = service.model.labels
    return jsonify(status="ok", model=service.name, labels=labels)


@blueprint.get("/metrics")
def show_metrics() -> Response:
    """Return the Prometheus metrics.

    Returns
    -------
    Response
        As `webapp.metrics.render` returns it.
    """
    return metrics.render()
