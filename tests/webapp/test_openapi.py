"""The description of the API is valid, complete, and survives what schemathesis sends."""

import pytest
import schemathesis
from hypothesis import given, settings
from openapi_spec_validator import validate
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from webapp.openapi import DOCUMENT


def test_document_is_valid_and_served(client):
    validate(DOCUMENT)
    served = client.get("/api/v1/openapi.json").json
    validate(served)
    assert {k: v for k, v in served.items() if k != "info"} == {
        k: v for k, v in DOCUMENT.items() if k != "info"
    }


def test_document_names_the_labels_of_the_model_that_answers(client, make_app, tmp_path):
    told = client.get("/api/v1/openapi.json").json["info"]["description"]
    assert 'round / square & <b>, has the labels "round", "square & <b>".' in told
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACECORE_ARTIFACTS", str(tmp_path))
        assert make_app().test_client().get("/api/v1/openapi.json").json == DOCUMENT


def test_document_names_every_call_of_the_code(app):
    served = {
        (rule.rule, method.lower())
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("api.")
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    described = {(path, method) for path, item in DOCUMENT["paths"].items() for method in item}
    assert described == served


CALLS = [(path, method) for path, item in DOCUMENT["paths"].items() for method in item]


def send_what_is_described(app, path, method, mode):
    operation = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)[path][method]

    @settings(max_examples=30, deadline=None, derandomize=True, database=None)
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case):
        # Bytes that the description allows need not be a photo, so they may be refused.
        case.call_and_validate(excluded_checks=[positive_data_acceptance])

    check()


@pytest.mark.parametrize(("path", "method"), CALLS)
def test_schemathesis_sends_what_is_allowed(app, path, method):
    send_what_is_described(app, path, method, GenerationMode.POSITIVE)


def test_schemathesis_sends_what_is_not_allowed(app):
    send_what_is_described(app, "/api/v1/predict", "post", GenerationMode.NEGATIVE)
