"""The dashboard's screens, as files."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "pages").glob("*.py"))
SCREENS = ["dashboard.py", *PAGES]
