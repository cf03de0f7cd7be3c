"""Every error has a page for people and problem details for programs."""

import pytest
from validity import check_html
from werkzeug.exceptions import HTTPException, default_exceptions

from webapp.errors import STATUS

CODES = sorted(set(default_exceptions) - {412, 416, 451})


@pytest.fixture
def failing(make_app):
    """A site with a page and an API call for every error."""
    app = make_app(PROPAGATE_EXCEPTIONS=False)

    @app.get("/fail/<int:code>", defaults={"api": False})
    @app.get("/api/v1/fail/<int:code>", defaults={"api": True})
    def fail(code, api):
        raise default_exceptions[code]() if code else ZeroDivisionError("secret detail")

    return app.test_client()


@pytest.mark.parametrize("code", CODES)
def test_error_page(failing, code):
    response = failing.get(f"/fail/{code}")
    assert response.status_code == code
    check_html(response.text)
    assert f"Status {code}, request {response.headers['X-Request-ID']}" in response.text


@pytest.mark.parametrize("code", CODES)
def test_problem_details(failing, code):
    response = failing.get(f"/api/v1/fail/{code}")
    assert response.status_code == code
    assert response.content_type == "application/problem+json"
    assert response.json["type"] == "about:blank"
    assert response.json["status"] == code
    assert response.json["title"]
    assert response.json["detail"]
    assert response.json["request_id"] == response.headers["X-Request-ID"]


@pytest.mark.parametrize("path", ["/fail/0", "/api/v1/fail/0"])
def test_bug_shows_no_detail(failing, path):
    response = failing.get(path)
    assert response.status_code == 500
    assert "secret" not in response.text


@pytest.mark.parametrize("path", ["/nothing", "/api/v1/nothing", "/static/nothing"])
def test_missing(client, path):
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/", "/api/v1/predict", "/api/v1/models"])
def test_wrong_method_names_the_right_ones(client, path):
    response = client.delete(path)
    assert response.status_code == 405
    assert "GET" in response.headers["Allow"] or "POST" in response.headers["Allow"]


def test_every_reason_has_a_client_error():
    reasons = {"not_an_image", "truncated", "too_large", "unsupported", "unreadable"}
    assert reasons == set(STATUS) - {None}
    assert all(400 <= STATUS[reason] < 500 for reason in reasons)


def test_all_named_errors_are_http():
    assert all(issubclass(default_exceptions[code], HTTPException) for code in CODES)
