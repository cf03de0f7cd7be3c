"""Health, readiness and metrics."""

import io

import pytest


def value(client, name: str) -> float:
    for line in client.get("/metrics").text.splitlines():
        if line.startswith(f"{name} "):
            return float(line.split()[-1])
    return 0.0


def test_health(client):
    assert client.get("/healthz").json == {"status": "ok"}


def test_ready(client):
    assert client.get("/readyz").json["model"] == "made"


def test_not_ready_without_a_model(make_app, monkeypatch, tmp_path):
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(tmp_path))
    client = make_app().test_client()
    assert client.get("/healthz").status_code == 200
    response = client.get("/readyz")
    assert response.status_code == 503
    assert "train one with" in response.text


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("facecore_faces_total", None),
        ("facecore_no_face_total", "blank"),
        ('facecore_rejected_total{reason="not_an_image"}', b"x"),
        ("facecore_photos_total", b"x"),
    ],
)
def test_photos_are_counted(client, photo, name, data):
    from corpus import plain

    data = photo if data is None else plain(50, 50) if data == "blank" else data
    before = value(client, name)
    client.post("/app/gender/", data={"photo": (io.BytesIO(data), "a.png")})
    assert value(client, name) == before + 1


def test_requests_are_counted_and_timed(client):
    name = 'facecore_requests_total{endpoint="pages.home",method="GET",status="200"}'
    seconds = 'facecore_request_seconds_count{endpoint="pages.home"}'
    before = value(client, name), value(client, seconds)
    client.get("/")
    assert (value(client, name), value(client, seconds)) == (before[0] + 1, before[1] + 1)


def test_invented_methods_and_paths_make_no_new_series(client):
    client.open("/", method="INVENTED")
    client.get("/invented/path")
    text = client.get("/metrics").text
    assert "INVENTED" not in text
    assert "invented" not in text
    assert 'endpoint="none",method="GET",status="404"' in text


def test_metrics_of_all_workers(client, monkeypatch, tmp_path):
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    response = client.get("/metrics")
    assert response.status_code == 200
    assert "facecore_requests_total{" not in response.text  # nothing in the folder yet
