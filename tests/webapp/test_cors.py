"""Scripts of other sites may call the API where the operator says so, and never the pages."""

import pytest

from webapp import create_app

SITE, OTHER = "https://a.example", "https://b.example:8443"
PREFLIGHT = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "content-type",
}


def cors(response) -> dict[str, str]:
    return {k: v for k, v in response.headers.items() if k.startswith("Access-Control-")}


@pytest.fixture
def client(make_app):
    return make_app(CORS=[SITE, OTHER]).test_client()


@pytest.mark.parametrize("origin", [SITE, OTHER, "null", None])
def test_off_by_default(make_app, origin):
    headers = {"Origin": origin} if origin else {}
    client = make_app().test_client()
    for path in ("/api/v1/models", "/", "/healthz"):
        response = client.get(path, headers=headers)
        assert cors(response) == {}
        assert "Origin" not in response.headers.get("Vary", "")
    assert cors(client.options("/api/v1/predict", headers=headers | PREFLIGHT)) == {}


@pytest.mark.parametrize("origin", [SITE, OTHER])
def test_an_origin_that_is_named_may_read_answers_and_errors(client, photo, origin):
    headers = {"Origin": origin}
    answers = [
        client.get("/api/v1/models", headers=headers),
        client.post("/api/v1/predict", data=photo, content_type="image/png", headers=headers),
        client.post("/api/v1/predict", data=b"x", content_type="image/png", headers=headers),
        client.get("/api/v1/missing", headers=headers),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 415, 404]
    for answer in answers:
        assert cors(answer) == {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Expose-Headers": "Retry-After, X-Request-ID",
        }
        assert "Origin" in answer.headers["Vary"]


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://a.example",
        "https://a.example.evil.example",
        "null",
        "https://a.example:444",
        "https://a.example/",
        "https://sub.a.example",
    ],
)
def test_no_other_origin(client, origin):
    for response in (
        client.get("/api/v1/models", headers={"Origin": origin}),
        client.options("/api/v1/predict", headers={"Origin": origin} | PREFLIGHT),
    ):
        assert cors(response) == {}
        assert "Origin" in response.headers["Vary"]


@pytest.mark.parametrize("path", ["/", "/app/faces/", "/models/made", "/healthz", "/metrics"])
@pytest.mark.parametrize("allowed", [[SITE], ["*"]])
def test_the_pages_stay_closed(make_app, allowed, path):
    client = make_app(CORS=allowed).test_client()
    assert cors(client.get(path, headers={"Origin": SITE})) == {}
    assert cors(client.options(path, headers={"Origin": SITE} | PREFLIGHT)) == {}


def test_the_preflight(client):
    response = client.options("/api/v1/predict", headers={"Origin": SITE} | PREFLIGHT)
    assert response.status_code == 200
    allowed = cors(response)
    assert allowed["Access-Control-Allow-Origin"] == SITE
    assert allowed["Access-Control-Allow-Methods"] == "GET, POST"
    assert "Content-Type" in allowed["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in allowed


def test_all_origins(make_app):
    client = make_app(CORS=["*"]).test_client()
    allowed = cors(client.get("/api/v1/models", headers={"Origin": "https://any.example"}))
    assert allowed["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in allowed
    assert cors(client.get("/api/v1/models")) == {}


@pytest.mark.parametrize(
    ("text", "origins"),
    [
        ("*", ["*"]),
        (
            "https://a.example, http://localhost:3000",
            ["https://a.example", "http://localhost:3000"],
        ),
        ("HTTPS://A.Example:443", ["https://a.example"]),
        ("http://a.example:80,", ["http://a.example"]),
        ("http://[::1]:8000", ["http://[::1]:8000"]),
    ],
)
def test_the_setting(monkeypatch, text, origins):
    monkeypatch.setenv("FACECORE_CORS", text)
    assert create_app({"TESTING": True}).config["CORS"] == origins


@pytest.mark.parametrize(
    "text",
    [
        "a.example",
        "https://a.example/",
        "https://a.example/app",
        "https://*.a.example",
        "null",
        ",",
        "*,https://a.example",
        "ftp://a.example",
        "https://u@a.example",
        "https://",
        "https://a b",
        "https://a.example https://b.example",
        "https://a.example:port",
        "javascript:x",
        "true",
    ],
)
def test_a_wrong_setting_is_refused_at_the_start_in_one_line(monkeypatch, capsys, text):
    monkeypatch.setenv("FACECORE_CORS", text)
    with pytest.raises(SystemExit) as end:
        create_app({"TESTING": True})
    assert end.value.code == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: FACECORE_CORS must be * or origins such as https://a.example")
