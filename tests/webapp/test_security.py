"""CSRF, hosts, rates, proxies, headers and cookies."""

import io
import re

import pytest

PATHS = ["/", "/app/gender/", "/models/made", "/missing", "/api/v1/models", "/healthz", "/metrics"]


def token(client) -> str:
    page = client.get("/app/gender/").text
    return re.search(r'name="csrf_token" type="hidden" value="([^"]+)"', page).group(1)


BOOTSTRAP = "/bootstrap/static/css/bootstrap.min.css"


@pytest.mark.parametrize("path", [*PATHS, "/static/photos.js", BOOTSTRAP])
def test_headers(client, path):
    with client.get(path) as response:
        headers = response.headers
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'self'; img-src 'self' data:;")
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cache-Control"] == ("no-cache" if "static" in path else "no-store")


def test_the_style_sheet_is_served_from_here_and_asked_for_again_only_when_it_changed(client):
    assert f'<link rel="stylesheet" href="{BOOTSTRAP}">' in client.get("/").text
    with client.get(BOOTSTRAP) as first:
        assert first.content_type == "text/css; charset=utf-8"
        assert "Bootstrap  v5." in first.text[:100]
        known = {"If-None-Match": first.headers["ETag"]}
    with client.get(BOOTSTRAP, headers=known) as again:
        assert (again.status_code, again.data) == (304, b"")
        assert again.headers["Cache-Control"] == "no-cache"


def test_form_needs_its_token(make_app, photo):
    client = make_app(WTF_CSRF_ENABLED=True).test_client()
    response = client.post("/app/gender/", data={"photo": (io.BytesIO(photo), "a.png")})
    assert response.status_code == 400
    assert "load it again" in response.text


def test_token_holds_in_another_worker(make_app, photo):
    config = {"WTF_CSRF_ENABLED": True, "SECRET_KEY": "shared"}
    first, second = make_app(**config).test_client(), make_app(**config).test_client()
    data = {"csrf_token": token(first), "photo": (io.BytesIO(photo), "a.png")}
    second.set_cookie("session", first.get_cookie("session").value)
    assert second.post("/app/gender/", data=data).status_code == 200


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_cookie_flags(make_app, scheme):
    client = make_app(WTF_CSRF_ENABLED=True).test_client()
    response = client.get("/app/gender/", base_url=f"{scheme}://localhost")
    cookie = response.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert ("Secure" in cookie) == (scheme == "https")
    assert ("Strict-Transport-Security" in response.headers) == (scheme == "https")


@pytest.mark.parametrize("path", PATHS)
def test_foreign_hosts_are_refused(make_app, path):
    client = make_app(TRUSTED_HOSTS=["faces.example"]).test_client()
    assert client.get(path, base_url="http://evil.example").status_code == 400
    wanted = 404 if path == "/missing" else 200
    assert client.get(path, base_url="http://faces.example").status_code == wanted


def send(client, path="/api/v1/predict", **options):
    return client.post(path, data=b"x", content_type="image/png", **options)


def test_rate_limit_counts_page_and_api_together(make_app):
    client = make_app(RATELIMIT_ENABLED=True, RATE="2 per minute").test_client()
    assert send(client).status_code == 415
    data = {"photo": (io.BytesIO(b"x"), "a.png")}
    assert client.post("/app/gender/", data=data).status_code == 415
    response = send(client)
    assert response.status_code == 429
    assert response.content_type == "application/problem+json"
    assert int(response.headers["Retry-After"]) > 0
    data = {"photo": (io.BytesIO(b"x"), "a.png")}
    page = client.post("/app/gender/", data=data)
    assert page.status_code == 429
    assert "the limit is 2 per 1 minute" in page.text
    assert client.get("/app/gender/").status_code == 200


def test_rate_limit_is_per_client(make_app):
    client = make_app(RATELIMIT_ENABLED=True, RATE="1 per minute").test_client()
    assert send(client, environ_base={"REMOTE_ADDR": "192.0.2.1"}).status_code == 415
    assert send(client, environ_base={"REMOTE_ADDR": "192.0.2.2"}).status_code == 415
    assert send(client, environ_base={"REMOTE_ADDR": "192.0.2.1"}).status_code == 429


@pytest.mark.parametrize(("proxies", "status"), [(0, 429), (1, 415)])
def test_client_behind_a_proxy_counts_only_when_told_so(make_app, proxies, status):
    config = {"RATELIMIT_ENABLED": True, "RATE": "1 per minute", "PROXIES": proxies}
    client = make_app(**config).test_client()
    assert send(client, headers={"X-Forwarded-For": "192.0.2.1"}).status_code == 415
    assert send(client, headers={"X-Forwarded-For": "192.0.2.2"}).status_code == status


def test_answers_of_two_people_share_nothing(make_app, photo):
    app = make_app(WTF_CSRF_ENABLED=True)
    one, two = app.test_client(), app.test_client()
    data = {"csrf_token": token(one), "photo": (io.BytesIO(photo), "a.png")}
    response = one.post("/app/gender/", data=data)
    assert "data:image/jpeg" in response.text
    assert "data:image" not in two.get("/app/gender/").text
    assert "data:image" not in one.get("/app/gender/").text
