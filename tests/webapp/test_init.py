"""The factory: it starts fast, in any order, and only with a secret key."""

import logging
import re
import subprocess
import sys
from pathlib import Path

import cv2
import pytest
from flask.cli import FlaskGroup
from threadpoolctl import threadpool_info
from waitress.adjustments import Adjustments

from webapp import create_app

REPO = Path(__file__).resolve().parents[2]
MANUAL = REPO / "docs" / "web.md"
HEAVY = {"sklearn", "scipy", "pandas", "joblib", "tqdm", "streamlit", "plotly"}


@pytest.fixture
def no_key(monkeypatch, made_artifacts):
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(made_artifacts))
    monkeypatch.delenv("FACECORE_SECRET_KEY", raising=False)
    monkeypatch.delenv("FLASK_DEBUG", raising=False)
    monkeypatch.setattr(logging.getLogger("webapp"), "handlers", [])
    monkeypatch.setattr(logging.getLogger("webapp"), "propagate", True)


def test_refuses_to_start_without_a_secret_key_in_one_line(no_key, capsys):
    with pytest.raises(SystemExit) as stop:
        create_app()
    assert stop.value.code == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: FACECORE_SECRET_KEY is not set")
    assert "export FACECORE_SECRET_KEY=" in line


def test_starts_with_a_secret_key_and_without_debug(no_key, monkeypatch):
    monkeypatch.setenv("FACECORE_SECRET_KEY", "long and random")
    app = create_app()
    assert app.secret_key == "long and random"
    assert not app.debug


def test_debug_makes_a_key_for_the_occasion(no_key, monkeypatch):
    monkeypatch.setenv("FLASK_DEBUG", "1")
    assert create_app().secret_key


def test_test_config_wins_over_the_environment(no_key, monkeypatch):
    monkeypatch.setenv("FACECORE_MODEL", "made")
    assert create_app({"TESTING": True, "MODEL": "other"}).extensions["facecore"].name == "other"


def test_site_needs_no_training_libraries(made_artifacts):
    code = (
        "import sys, webapp; webapp.create_app({'TESTING': True}).test_client().get('/'); "
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPO,
        env={"FACECORE_ARTIFACTS": str(made_artifacts)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert not HEAVY & set(done.stdout.split())


def test_requests_run_side_by_side_so_each_computes_on_one_thread(app):
    assert cv2.getNumThreads() == 1
    blas = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    assert {pool["num_threads"] for pool in blas} <= {1}


def test_command_line_of_flask_knows_the_pages(app, runner):
    listing = runner.invoke(FlaskGroup(create_app=lambda: app), ["routes"]).output
    assert "/app/faces/" in listing
    assert "/app/gender/" in listing
    assert "/api/v1/predict" in listing


def test_waitress_of_the_manual_keeps_photos_in_memory(app):
    (command,) = re.findall(r"waitress-serve (.*)", MANUAL.read_text(encoding="utf-8"))
    options, (factory,) = Adjustments.parse_args(command.split())
    assert factory == "webapp:create_app"
    largest = app.config["MAX_CONTENT_LENGTH"]
    assert int(options["max_request_body_size"]) >= largest
    assert int(options["inbuf_overflow"]) > largest
    assert int(options["outbuf_overflow"]) > largest
