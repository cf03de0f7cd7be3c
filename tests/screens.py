"""The dashboard's screens, as files, and how a visitor opens one."""

from base64 import b64decode
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "pages").glob("*.py"))
SEARCH_TABS = (
    "Candidates",
    "Heat maps",
    "Components",
    "Time",
    "Importance",
    "Parallel coordinates",
    "Two searches",
    "Explorer",
)
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


def recipe_sums(data: dict[str, Any]) -> np.ndarray:
    """What the browser adds up of a recipe that a screen sends to it, in grey levels."""
    sums = [np.frombuffer(b64decode(data["mean"]), "<i2") / data["fine"]]
    for one in [*data["eigenfaces"], *data["further"]]:
        change = np.frombuffer(b64decode(one["pixels"]), np.int8) * one["scale"] / 127
        sums.append(sums[-1] + one.get("weight", 1) * change)
    return np.array(sums)
