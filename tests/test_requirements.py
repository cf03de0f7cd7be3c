"""The requirement files promise what pyproject.toml promises."""

import re
import tomllib
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[1]


def bounds(lines):
    stated = [re.match(r"([\w-]+)(\S*?)(?:;.*)?$", line) for line in lines]
    return {match[1]: match[2] for match in stated if match}


@pytest.fixture(scope="module")
def promised():
    project = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    return bounds([*project["dependencies"], *(line for extra in extras for line in extra)])


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-web.txt"])
def test_a_requirement_file_has_the_bounds_of_the_project(file, promised):
    stated = bounds((REPO / file).read_text(encoding="utf-8").splitlines())
    assert len(stated) >= 10
    assert stated == {name: promised[name] for name in stated}


def test_the_dashboard_needs_all_that_the_library_needs():
    project = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    stated = bounds((REPO / "requirements.txt").read_text(encoding="utf-8").splitlines())
    assert bounds(project["dependencies"]).items() <= stated.items()
