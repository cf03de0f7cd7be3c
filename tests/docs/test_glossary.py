"""The page Glossary of the documentation is the library's glossary."""

from facecore.model import glossary_page
from tools.glossary import PAGE


def test_the_page_is_the_one_that_the_script_writes():
    assert PAGE.read_text(encoding="utf-8") == glossary_page(), "run python tools/glossary.py"
