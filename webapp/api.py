"""The API: photos in, JSON out."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, abort, current_app, jsonify, request
from werkzeug.exceptions import BadRequest, UnsupportedMediaType
from werkzeug.http import HTTP_STATUS_CODES

from facecore.errors import ModelError
from facecore.model import (
    damaged_papers,
    lacks_of,
    list_models,
    order_labels,
    read_evaluation,
    read_metadata,
    title_of,
)
from webapp.errors import problem, status_of
from webapp.openapi import describe
from webapp.security import limit_photos

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")


@blueprint.post("/predict")
@limit_photos
def predict() -> Response:
    """Find and classify the faces of one or more photos.

    Each photo has its own error. The whole answer is an error only when no photo can be used.

    Returns
    -------
    Response
        JSON as the schema ``Answers`` describes it, or problem details.

    Raises
    ------
    HTTPException
        400 or 415 where the request has no photo, 503 where there is no model or no time.
    """
    service = current_app.extensions["facecore"]
    answers = [service.answer(data, name) for name, data in _photos()]
    status, first = status_of(answers), answers[0]
    if status != 200:
        return problem(status, HTTP_STATUS_CODES[status], first.error, reason=first.reason)
    labels = service.served.labels
    return jsonify(model=service.name, photos=[answer.to_dict(labels) for answer in answers])


def _photos() -> list[tuple[str, bytes]]:
    kind = request.mimetype
    if kind == "multipart/form-data":
        files = request.files.getlist("photo")
        if not files:
            raise BadRequest("There is no file in the field 'photo'; send one or more.")
        return [(file.filename or "", file.read()) for file in files]
    if kind.startswith("image/") or kind == "application/octet-stream":
        return [("", request.get_data(cache=False))]
    raise UnsupportedMediaType(
        "Send a form (multipart/form-data) with files in the field 'photo', or one photo as the "
        "body with the header Content-Type: image/jpeg or application/octet-stream."
    )


@blueprint.get("/models")
def models() -> Response:
    """List the models with their labels, and how often they answer and are right.

    Returns
    -------
    Response
        JSON as the schema ``Models`` describes it.

    Raises
    ------
    HTTPException
        503 where a model is damaged.
    """
    served = current_app.extensions["facecore"].name
    return jsonify(models=[_describe(name, served) for name in list_models()])


def _describe(name: str, served: str | None) -> dict[str, Any]:
    try:
        warnings = damaged_papers(name)
        metadata, evaluation = read_metadata(name), read_evaluation(name) or {}
    except ModelError as error:
        abort(503, str(error))
    return {
        "name": name,
        "served": name == served,
        "title": title_of(metadata),
        "labels": order_labels(metadata["labels"], metadata.get("order", ())),
        "created": metadata["created"],
        "note": metadata["note"],
        "answered": _shares(evaluation, "coverage"),
        "right_when_answered": _shares(evaluation, "accuracy_answered"),
        "accuracy": _shares(evaluation, "accuracy_all"),
        "lacks": lacks_of(name),
        "warnings": warnings,
    }


def _shares(evaluation: Mapping[str, Mapping[str, Any]], name: str) -> dict[str, float]:
    """Return a figure by data set, without the sets for which it was not measured."""
    shares = {data: figures.get(name) for data, figures in evaluation.items()}
    return {data: share for data, share in shares.items() if share is not None}


@blueprint.get("/openapi.json")
def openapi() -> Response:
    """Return the description of this API.

    Returns
    -------
    Response
        An OpenAPI document as JSON.
    """
    loaded = current_app.extensions["facecore"].loaded
    title, labels = (loaded.title, loaded.labels) if loaded else ("", ())
    return jsonify(describe(title, labels, request.script_root))
