"""The README says what the artifacts and the project's settings say."""

import re
import tomllib

import pytest
from PIL import Image
from screens import ROOT

from facecore.face import PHRASES
from facecore.model import SHIPPED, load_model, make_photo
from tools import figures

README = (ROOT / "README.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_table_of_models_is_that_of_the_artifacts():
    assert f"<!-- models -->\n{figures.table()}\n<!-- models -->" in README


def test_a_model_that_ships_is_described_as_in_the_dashboard():
    assert all(PHRASES[name] in README for name in SHIPPED)


def test_the_readme_has_the_two_commands_of_the_set_up():
    lines = README.splitlines()
    assert "    pip install -r requirements.txt && streamlit run dashboard.py" in lines
    assert "    pip install -r requirements-dev.txt && pytest" in lines


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "SECURITY.md"])
def test_every_link_to_a_file_of_the_project_leads_to_one(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", text)
    files = [link for link in links if not link.startswith(("http", "../../"))]
    assert files
    assert [link for link in files if not (ROOT / link).exists()] == []


def test_the_badges_say_what_the_project_says():
    badge = {path.stem: path.read_text("utf-8") for path in (ROOT / "docs/badges").iterdir()}
    assert f">{PROJECT['requires-python'].removeprefix('>=')} or later<" in badge["python"]
    assert f">{PROJECT['license']}<" in badge["licence"]
    assert all(f"docs/badges/{name}.svg" in README for name in badge)


def test_the_python_of_the_readme_answers_with_a_table(tmp_path, monkeypatch, capsys):
    photo = make_photo(load_model("classic"), "male", seed=3)
    Image.fromarray(photo).save(tmp_path / "photo.jpg")
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    exec(compile(code, "README.md", "exec"), {"__name__": "readme"})
    assert "male" in capsys.readouterr().out
