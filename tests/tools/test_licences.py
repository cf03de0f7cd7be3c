"""Every package that the project needs is listed with a licence that it can live with."""

import runpy
from email.message import Message
from importlib import metadata
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
LICENCES = runpy.run_path(str(REPO / "tools" / "licences.py"))
PAGE = (REPO / "docs" / "licences.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", LICENCES["everything"]())
def test_a_package_has_a_licence_that_is_allowed(name):
    assert LICENCES["is_allowed"](name), LICENCES["licence_of"](name)


def test_the_page_lists_every_package_of_the_requirement_files_with_its_versions():
    for name, versions in LICENCES["direct"]().items():
        assert f"| {name} | {versions} | {LICENCES['licence_of'](name)} | " in PAGE


def test_the_page_begins_as_the_script_writes_it():
    start = LICENCES["page"]().split("| numpy")[0]
    assert PAGE.startswith(start)


@pytest.mark.parametrize(
    ("licence", "allowed"),
    [
        ("AGPL-3.0-only", False),
        ("AGPL-3.0-only AND MIT", False),
        ("MIT, GNU General Public License v3", False),
        ("LIMITED use only", False),
        ("Proprietary, DISCLAIMER: none", False),
        ("GPL-3.0-only OR MIT", True),
        ("BSD-3-Clause AND 0BSD AND MIT", True),
        ("Apache Software License", True),
    ],
)
def test_terms_of_its_own_are_found_whatever_stands_beside_them(licence, allowed, monkeypatch):
    about = Message()
    about["License-Expression"] = licence
    monkeypatch.setattr(metadata, "metadata", lambda name: about)
    assert LICENCES["is_allowed"]("numpy") is allowed
