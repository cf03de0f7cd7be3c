"""A percent sign follows its number without a space wherever people read it."""

import ast
import re
from collections.abc import Iterator

import pytest
from screens import ROOT

# After a brace comes a value that a template puts in; "%}" and "%{" are marks of Jinja and plotly.
SPACED = re.compile(r"[\d}](?:\s|&\w+;)%(?![{}])")
CODE = ("facecore", "pages", "ui", "webapp", "tools", "benchmarks")
PROSE = ("*.md", "docs/**/*.md", "docs/**/*.ipynb", "ui/*.js", "ui/*.css", "webapp/**/*.html")


def texts_of(code: str) -> Iterator[str]:
    """Yield the strings of Python code, which leaves out its operator for the remainder."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield "".join(p.value if isinstance(p, ast.Constant) else "{}" for p in node.values)


@pytest.mark.parametrize("code", ["'95 %'", "f'{100 * x:.0f} %'", "'{} %'", "'1\\u00a0%'"])
def test_a_space_is_found_in_a_string(code):
    assert any(map(SPACED.search, texts_of(code)))


@pytest.mark.parametrize(
    "code", ["f'{x:.0%}'", "10 % 3", "f'{10 % 3}'", "f'{x} %{{y}}'", "b'8 %d'"]
)
def test_other_percent_signs_are_none(code):
    assert not any(map(SPACED.search, texts_of(code)))


def test_no_text_has_a_space_before_its_percent_sign():
    code = [ROOT / "dashboard.py", *(p for room in CODE for p in (ROOT / room).rglob("*.py"))]
    prose = [path for pattern in PROSE for path in ROOT.glob(pattern)]
    texts = [(path, text) for path in code for text in texts_of(path.read_text("utf-8"))]
    texts += [(path, path.read_text("utf-8")) for path in prose]
    found = [
        f"{path.relative_to(ROOT)}: {text[max(0, spaced.start() - 40) : spaced.end()]}"
        for path, text in texts
        for spaced in SPACED.finditer(text)
    ]
    assert len(code) > 100 and len(prose) > 30
    assert found == []
