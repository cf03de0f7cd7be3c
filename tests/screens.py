"""The dashboard's screens, as files, and how a visitor opens one."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "pages").glob("*.py"))
TEXTS = ["pages/12_Glossary.py", "pages/13_Tutorial.py"]  # the same with any model or none
SCREENS = ["dashboard.py", *(page for page in PAGES if page not in TEXTS)]


def open_screen(screen: str, **address: str) -> "AppTest":
    """Open a screen by its address; the working folder must be the checkout."""
    from streamlit.testing.v1 import AppTest

    app = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=60)
    if screen != "dashboard.py":
        app.switch_page(screen)
    for key, value in address.items():
        app.query_params[key] = value
    return app.run()
