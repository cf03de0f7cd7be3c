import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from facecore.__main__ import main
from facecore.errors import DataError
from facecore.system import apps
from facecore.system.apps import apps_dir, start_dashboard, start_site

REPO = Path(__file__).resolve().parents[3]


@pytest.fixture
def started(monkeypatch):
    """What would be run, and with which environment."""
    calls = []

    def run(command, *, env, check):
        calls.append((command[1:], env))
        return subprocess.CompletedProcess(command, 7)

    def become(program, command, env):
        run(command, env=env, check=False)
        raise SystemExit(7)  # nothing after it runs

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(os, "execve", become)
    monkeypatch.setattr(apps, "find_spec", lambda name: object())
    return calls


def test_in_a_checkout_the_apps_are_at_its_top():
    assert apps_dir() == REPO


def test_installed_the_apps_are_inside_the_library(tmp_path, monkeypatch):
    module = tmp_path / "facecore" / "system" / "apps.py"
    monkeypatch.setattr(apps, "__file__", str(module))
    with pytest.raises(DataError, match="install facecore again"):
        apps_dir()
    carried = tmp_path / "facecore" / "_apps"
    carried.mkdir(parents=True)
    (carried / "dashboard.py").touch()
    assert apps_dir() == carried


@pytest.mark.parametrize("system", ["linux", "win32"])
def test_the_dashboard_is_run_by_streamlit_and_its_exit_code_passed_on(
    system, started, monkeypatch
):
    monkeypatch.setattr(sys, "platform", system)
    with pytest.raises(SystemExit) as end:
        sys.exit(main(["dashboard", "--port", "8601"]))
    assert end.value.code == 7
    command, _ = started[0]
    assert command == [
        *("-m", "streamlit", "run", str(REPO / "dashboard.py"), "--server.port", "8601")
    ]


def test_the_site_is_run_by_gunicorn_with_a_key_of_its_own(started, monkeypatch, capfd):
    monkeypatch.delenv("FACECORE_SECRET_KEY", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(SystemExit):
        main(["serve", "--port", "8602"])
    command, env = started[0]
    assert command[:3] == ["-m", "gunicorn", "--bind=127.0.0.1:8602"]
    assert command[-1] == "webapp:create_app()"
    assert env["PYTHONPATH"].startswith(str(REPO))
    assert len(env["FACECORE_SECRET_KEY"]) == 64
    assert "http://127.0.0.1:8602/" in capfd.readouterr().err


def test_a_key_that_is_set_stays(started, monkeypatch, capfd):
    monkeypatch.setenv("FACECORE_SECRET_KEY", "k" * 40)
    with pytest.raises(SystemExit):
        start_site()
    assert started[0][1]["FACECORE_SECRET_KEY"] == "k" * 40
    assert "FACECORE_SECRET_KEY" not in capfd.readouterr().err


def test_on_windows_waitress_serves_and_an_address_of_version_6_is_bracketed(started, monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    assert start_site("::1", 80) == 7
    assert started[0][0][:3] == ["-m", "waitress", "--listen=[::1]:80"]
    # waitress would drop what FACECORE_PROXIES trusts
    assert "--no-clear-untrusted-proxy-headers" in started[0][0]


@pytest.mark.parametrize("start", [start_dashboard, start_site])
def test_a_package_that_is_missing_is_named_with_the_command(start, monkeypatch):
    monkeypatch.setattr(apps, "find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"is not installed; .*pip install '\.\[(dashboard|web)\]'"):
        start()


@pytest.mark.parametrize("port", ["0", "65536", "http"])
def test_a_port_that_is_none_is_refused(port, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["serve", "--port", port])
    assert stop.value.code == 2
    assert "port" in capsys.readouterr().err


def test_the_wheel_carries_the_apps_every_model_that_ships_and_what_was_found_about_them():
    from facecore.model import SHIPPED

    project = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))
    carried = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert all((REPO / place).exists() for place in carried)
    assert {"dashboard.py", "pages", "ui", "webapp", ".streamlit"} <= set(carried)
    tables = {"_comparisons", "_ladder"}
    assert {f"artifacts/{name}" for name in {*SHIPPED, *tables}} <= set(carried)
    assert all(carried[f"artifacts/{name}"] == f"facecore/_artifacts/{name}" for name in tables)
