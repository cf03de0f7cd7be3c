"""The OpenAPI description of the API; the tests hold it to the code."""

from collections.abc import Sequence
from typing import Any

import facecore


def _problem(*codes: int) -> dict[str, Any]:
    return {str(code): {"$ref": "#/components/responses/Problem"} for code in codes}


def _json(schema: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}


TEXT = {"type": "string"}
SHARE = {"type": "number", "minimum": 0, "maximum": 1}
BINARY = {"schema": {"type": "string", "format": "binary"}}


def _by_set(what: str) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": SHARE,
        "description": f"{what}, by data set; empty when not measured",
    }


def describe(title: str = "", labels: Sequence[str] = (), prefix: str = "") -> dict[str, Any]:
    """Return the description of the API in the words of the model that answers.

    Parameters
    ----------
    title : str
        What the model is called; empty where there is none.
    labels : sequence of str
        Its labels, in the order in which people read them.
    prefix : str
        Path below which a proxy shows the site; empty for the top of the host.

    Returns
    -------
    dict
        An OpenAPI document.

    Examples
    --------
    >>> describe("Expression", ["neutral", "smiling"])["info"]["description"][-72:]
    'The model that answers, Expression, has the labels "neutral", "smiling".'
    """
    document = DOCUMENT | {"servers": [{"url": prefix or "/"}]}
    if not labels:
        return document
    words = ", ".join(f'"{label}"' for label in labels)
    served = f" The model that answers, {title}, has the labels {words}."
    info = DOCUMENT["info"]
    return document | {"info": info | {"description": info["description"] + served}}


DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {
        "title": "Face space",
        "version": facecore.__version__,
        "description": (
            "Finds the faces in photos, and gives each the label of the training data that it "
            "looks most like. Labels are what people wrote in a data set: they are no proof of who "
            "or what somebody is, and not for decisions about a person. Photos stay in memory "
            "while they are analysed, and are never stored. Answers hold no pictures, so they have "
            "the same members for every model, with or without eigenfaces. Scripts of other sites "
            "may call it from a browser where the operator allows their origin (CORS), without "
            "cookies."
        ),
        "license": {"name": "MIT", "identifier": "MIT"},
    },
    "servers": [{"url": "/"}],
    "paths": {
        "/api/v1/predict": {
            "post": {
                "operationId": "predict",
                "summary": "Find and classify the faces of one or more photos",
                "description": (
                    "Each photo has its own error. The whole answer is an error only when no "
                    "photo of the request can be used."
                ),
                "requestBody": {
                    "required": True,
                    "content": {
                        "multipart/form-data": {
                            "schema": _object(
                                photo={
                                    "type": "array",
                                    "minItems": 1,
                                    "items": {"type": "string", "format": "binary"},
                                }
                            )
                        },
                        "application/octet-stream": BINARY,
                        "image/*": BINARY,
                    },
                },
                "responses": {
                    "200": {"description": "One answer per photo", "content": _json("Answers")},
                    **_problem(400, 413, 415, 422, 429, 503),
                },
            }
        },
        "/api/v1/models": {
            "get": {
                "operationId": "models",
                "summary": "List the models",
                "responses": {
                    "200": {
                        "description": "All models, the default one first",
                        "content": _json("Models"),
                    },
                    **_problem(503),
                },
            }
        },
        "/api/v1/openapi.json": {
            "get": {
                "operationId": "openapi",
                "summary": "This document",
                "responses": {
                    "200": {
                        "description": "OpenAPI 3.1",
                        "content": {"application/json": {"schema": {"type": "object"}}},
                    }
                },
            }
        },
    },
    "components": {
        "schemas": {
            "Answers": _object(
                model=TEXT,
                photos={"type": "array", "items": {"$ref": "#/components/schemas/Photo"}},
            ),
            "Photo": _object(
                photo={
                    **TEXT,
                    "description": "The file name; empty for a photo sent as the body",
                },
                error={
                    "type": ["string", "null"],
                    "description": "Why the photo cannot be used; null when it can",
                },
                notes={
                    "type": "array",
                    "items": TEXT,
                    "description": "What was not as it should be with a photo that can be used",
                },
                faces={
                    "type": "array",
                    "items": {"$ref": "#/components/schemas/Face"},
                    "description": "Largest first; empty when no face was found",
                },
            ),
            "Face": _object(
                box={
                    "type": "array",
                    "items": {"type": "integer"},
                    "minItems": 4,
                    "maxItems": 4,
                    "description": "x, y, width, height in pixels of the upright photo",
                },
                label={
                    "type": ["string", "null"],
                    "description": "null where the model gives no label; reason says why",
                },
                probability={**SHARE, "description": "Of the most likely label, calibrated"},
                scores={
                    "type": "object",
                    "additionalProperties": SHARE,
                    "description": "Probability of each label, in the order of the model's labels",
                },
                reason={
                    "type": ["string", "null"],
                    "description": "Why there is no label, after 'unsure: ', "
                    "'unknown: ' or 'not a face: '; "
                    "null when there is a label",
                },
            ),
            "Models": _object(
                models={"type": "array", "items": {"$ref": "#/components/schemas/Model"}}
            ),
            "Model": _object(
                name=TEXT,
                served={"type": "boolean", "description": "Whether predict uses this model"},
                title={**TEXT, "description": "What the model is called on a page"},
                labels={"type": "array", "items": TEXT},
                created={"type": "string", "format": "date"},
                note={**TEXT, "description": "From whoever trained the model; may be empty"},
                answered=_by_set("Share of the test photos whose face gets a label"),
                right_when_answered=_by_set("Share of these labels that are right"),
                accuracy=_by_set(
                    "Forced accuracy: share of all test photos that are right if every face gets "
                    "its likeliest label; a photo without a face counts as wrong"
                ),
                lacks={
                    "type": ["string", "null"],
                    "description": "What the model needs that is not installed here, and the "
                    "command that installs it; null when nothing is missing",
                },
                warnings={
                    "type": "array",
                    "items": TEXT,
                    "description": "Papers of the model (card, tables, evaluation) that are "
                    "missing, changed or cannot be read, one line each; it answers without them",
                },
            ),
            "Problem": {
                **_object(
                    type=TEXT,
                    title=TEXT,
                    status={"type": "integer"},
                    detail=TEXT,
                    request_id=TEXT,
                ),
                "description": "Problem details (RFC 9457)",
            },
        },
        "responses": {
            "Problem": {
                "description": "What is wrong",
                "content": {
                    "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
                },
            }
        },
    },
}
