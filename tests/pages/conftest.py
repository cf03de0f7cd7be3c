"""Fixtures of the dashboard's tests."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from screens import ROOT
from streamlit.testing.v1 import AppTest

from facecore.artifacts import write_json
from facecore.model import sha256


@pytest.fixture
def downloads(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """What a page offers to download, by file name."""
    offered: dict[str, bytes] = {}

    def keep(label: str, data: Callable[[], str], file_name: str, *_: object, **__: object) -> None:
        offered[file_name] = data().encode()

    monkeypatch.setattr("streamlit.download_button", keep)
    return offered


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Open a screen of the dashboard as a visitor would, by its address."""
    monkeypatch.chdir(ROOT)

    def open_screen(screen: str, **address: str) -> AppTest:
        app = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=60)
        if screen != "dashboard.py":
            app.switch_page(screen)
        for key, value in address.items():
            app.query_params[key] = value
        return app.run()

    return open_screen


@pytest.fixture
def copy_model(tmp_path, monkeypatch) -> Callable[..., Path]:
    """Copy a model under another name, into a folder of models of the test's own, in use."""
    root = tmp_path / "models"
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(root))

    def copy(source: Path, name: str, **tables: pd.DataFrame | None) -> Path:
        """Give the copy other tables; None leaves one out."""
        shutil.copytree(source, root / name)
        metadata = json.loads((root / name / "metadata.json").read_text(encoding="utf-8"))
        for table, rows in tables.items():
            path = root / name / f"{table}.csv"
            path.unlink(missing_ok=True)
            metadata["sha256"].pop(path.name, None)
            if rows is not None:
                rows.to_csv(path, index=False)
                metadata["sha256"][path.name] = sha256(path)
        write_json(root / name / "metadata.json", metadata)
        return root

    return copy
