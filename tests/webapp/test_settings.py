"""Settings from the environment."""

import re
from pathlib import Path

import pytest

from webapp.settings import DEFAULTS, ENVIRONMENT, read_environment

MANUAL = Path(__file__).resolve().parents[2] / "docs" / "web.md"


@pytest.mark.parametrize(
    ("variable", "text", "key", "value"),
    [
        ("MAX_FILE_MB", "5", "MAX_FILE_SIZE", 5 * 2**20),
        ("MAX_BODY_MB", "64", "MAX_CONTENT_LENGTH", 64 * 2**20),
        ("MAX_MEGAPIXELS", "12", "MAX_PIXELS", 12_000_000),
        ("PROXIES", "1", "PROXIES", 1),
        ("PATIENCE", "0.5", "PATIENCE", 0.5),
        ("UNSURE", "0.9", "UNSURE", 0.9),
        ("UNSURE", "0", "UNSURE", 0.0),
        ("RULE", "off", "RULE", False),
        ("RULE", "ON", "RULE", True),
        ("TRUSTED_HOSTS", "a.example, .b.example", "TRUSTED_HOSTS", ["a.example", ".b.example"]),
        ("RATE", "5 per hour", "RATE", "5 per hour"),
    ],
)
def test_variable_sets_key(monkeypatch, variable, text, key, value):
    monkeypatch.setenv(f"FACECORE_{variable}", text)
    assert read_environment()[key] == value


def test_empty_variable_counts_as_not_set(monkeypatch):
    monkeypatch.setenv("FACECORE_MODEL", "")
    assert "MODEL" not in read_environment()


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("MAX_FILE_MB", "big"),
        ("DECODES", "0"),
        ("PROXIES", "-1"),
        ("PATIENCE", "-1"),
        ("UNSURE", "1.1"),
        ("UNSURE", "nan"),
        ("UNSURE", "never"),
        ("RULE", "no"),
    ],
)
def test_wrong_value_ends_with_one_line(monkeypatch, capsys, variable, text):
    monkeypatch.setenv(f"FACECORE_{variable}", text)
    with pytest.raises(SystemExit):
        read_environment()
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: FACECORE_{variable} must be ")


def test_every_variable_has_a_default_and_is_in_the_manual():
    manual = MANUAL.read_text(encoding="utf-8")
    for variable, (key, _, _) in ENVIRONMENT.items():
        assert re.search(rf"^\| `FACECORE_{variable}` \|", manual, re.MULTILINE), variable
        assert key in DEFAULTS or key == "SECRET_KEY"
