"""Fixtures of the dashboard's tests."""

from collections.abc import Callable

import pytest
from screens import ROOT
from streamlit.testing.v1 import AppTest


@pytest.fixture
def downloads(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """What a page offers to download, by file name."""
    offered: dict[str, bytes] = {}

    def keep(label: str, data: Callable[[], str], file_name: str, *_: object, **__: object) -> None:
        offered[file_name] = data().encode()

    monkeypatch.setattr("streamlit.download_button", keep)
    return offered


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], AppTest]:
    """Open a screen of the dashboard as a visitor would, from the entry script."""
    monkeypatch.chdir(ROOT)

    def open_screen(screen: str) -> AppTest:
        app = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=60)
        return app.run() if screen == "dashboard.py" else app.switch_page(screen).run()

    return open_screen
