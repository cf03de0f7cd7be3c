"""What the one who runs the site asks: is it up, is it ready, how is it doing."""

from flask import Blueprint, Response, current_app, jsonify

from webapp import metrics

blueprint = Blueprint("ops", __name__)


@blueprint.get("/healthz")
def healthz() -> Response:
    """Say that the process is up."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def readyz() -> Response:
    """Say whether the model is loaded; 503 with the reason while it is not."""
    service = current_app.extensions["facecore"]
    labels = service.model.labels
    return jsonify(status="ok", model=service.name, labels=labels)


@blueprint.get("/metrics")
def show_metrics() -> Response:
    """Return the Prometheus metrics."""
    return metrics.render()
