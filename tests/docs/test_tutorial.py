"""The tutorial is executed as it stands, in its order."""

import contextlib
import io
import os
import re
import shlex
import sys
from pathlib import Path

import pytest

from facecore.__main__ import main

REPO = Path(__file__).resolve().parents[2]
TEXT = (REPO / "docs" / "tutorial.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(console|python|output)\n(.*?)```", TEXT, re.DOTALL)


@pytest.fixture
def models(tmp_path, monkeypatch) -> Path:
    """A folder of models with the textbook model, that a training may write to."""
    root = tmp_path / "models"
    root.mkdir()
    (root / "classic").symlink_to(REPO / "artifacts" / "classic", target_is_directory=True)
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(root))
    return root


@pytest.mark.slow
def test_every_command_and_every_line_does_what_it_says(models, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict = {"__name__": "tutorial"}
    said = ""
    ran = {"console": 0, "python": 0, "output": 0}
    for kind, text in BLOCKS:
        ran[kind] += 1
        if kind == "output":
            assert said == text
            continue
        with contextlib.redirect_stdout(io.StringIO()) as out, open(os.devnull, "w") as silent:
            if kind == "python":
                exec(compile(text, "tutorial.md", "exec"), names)
            else:
                with contextlib.redirect_stderr(silent):
                    for line in text.splitlines():
                        start, *arguments = shlex.split(line.removeprefix("python -m "))
                        assert start == "facecore"
                        assert main(arguments) == 0, line
        said = out.getvalue()
    assert min(ran.values()) >= 6
    assert "facecore" in sys.modules
