"""Write docs/glossary.md from the words of the library: python tools/glossary.py"""

import sys
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

from facecore.model import glossary_page  # noqa: E402

PAGE = REPO / "docs" / "glossary.md"

if __name__ == "__main__":
    PAGE.write_text(glossary_page(), encoding="utf-8")
