"""The README says what the artifacts say."""

import runpy

import pytest
from screens import ROOT

from facecore.model.store import SHIPPED


@pytest.mark.parametrize("name", SHIPPED)
def test_the_figures_in_the_readme_are_those_of_the_shipped_models(name):
    figures = runpy.run_path(str(ROOT / "tools" / "figures.py"))
    assert figures["figures_text"](name) in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_readme_has_the_two_commands_of_the_set_up():
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert "    pip install -r requirements.txt && streamlit run dashboard.py" in lines
    assert "    pip install -r requirements-dev.txt && pytest" in lines
