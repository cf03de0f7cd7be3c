"""Fixtures of the dashboard's tests."""

from collections.abc import Callable

import pytest
from screens import ROOT
from streamlit.testing.v1 import AppTest


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
