"""The frame: every page is in the menu, and the chosen model goes along."""

import shutil
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from screens import PAGES, ROOT, SCREENS, TEXTS

from facecore.face.recipes import PHRASES
from facecore.model.glossary import GLOSSARY
from facecore.model.store import read_metadata, write_model
from ui import menu
from ui.picker import line_of

TITLES = ("title", "header", "subheader")


@pytest.fixture(scope="module")
def both(tmp_path_factory, shipped) -> Path:
    """A folder with the shipped model, and a copy of it called `mine`; not to be changed."""
    root = tmp_path_factory.mktemp("both")
    for name in ("mine", shipped.name):
        shutil.copytree(shipped, root / name)
    return root


@pytest.fixture
def two_models(both, monkeypatch) -> None:
    """The shipped model and `mine`, in use."""
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(both))


def warnings(app) -> str:
    return "\n".join(warning.value for warning in app.warning)


def test_every_page_is_in_the_menu_exactly_once():
    listed = [entry.path for entries in menu.full_menu().values() for entry in entries]
    assert sorted(listed) == PAGES


def test_a_page_without_a_line_of_its_own_is_in_a_last_group(tmp_path, monkeypatch):
    shutil.copytree(ROOT / "pages", tmp_path / "pages", ignore=shutil.ignore_patterns("__*"))
    (tmp_path / "pages" / "9_New_thing.py").touch()
    monkeypatch.setattr(menu, "PAGES", tmp_path / "pages")
    *_, (group, entries) = menu.full_menu().items()
    assert (group, [entry.path for entry in entries]) == (menu.REST, ["pages/9_New_thing.py"])
    assert entries[0].title == "New thing"


@pytest.mark.parametrize("page", PAGES)
def test_a_page_begins_by_entering_its_frame(page):
    lines = (ROOT / page).read_text(encoding="utf-8").splitlines()
    calls = [line for line in lines if line.startswith(("st.", "enter_page("))]
    assert calls[0] == "enter_page()"


def test_the_chosen_model_goes_along_to_every_page(open_page, two_models):
    app = open_page("dashboard.py", model="mine")
    assert app.sidebar.selectbox[0].value == "mine"
    for screen in SCREENS[1:]:
        app.switch_page(screen).run()
        assert not app.exception, screen
        assert app.sidebar.selectbox[0].value == "mine", screen


def test_a_line_says_what_the_chosen_model_is(open_page, two_models):
    metadata = read_metadata("mine")
    app = open_page("dashboard.py", model="mine")
    line = app.sidebar.caption[0].value
    assert all(label in line for label in metadata["labels"])
    assert metadata["title"] in line
    assert f"recipe {metadata['recipe']} ({PHRASES[metadata['recipe']]})" in line
    assert metadata["created"] in line
    app.sidebar.selectbox[0].set_value("classic").run()
    assert "ships with facecore" in app.sidebar.caption[0].value
    listed = "\n".join(each.value for each in app.sidebar.markdown)
    assert "**mine**: " in listed
    assert "**classic**: " in listed


def test_the_line_of_a_model_of_another_recipe_names_it_alone(shipped, copy_model, shipped_model):
    recipe = replace(shipped_model.recipe, frame=0.7)
    copy_model(shipped, shipped.name)
    write_model("old", replace(shipped_model, recipe=recipe), read_metadata("classic"), {}, None)
    assert "; recipe classic; trained " in line_of("old")


@pytest.mark.parametrize("screen", SCREENS)
def test_an_address_of_a_model_that_is_gone_says_so(open_page, two_models, screen):
    app = open_page(screen, model="lost")
    assert not app.exception
    assert "There is no model lost here" in warnings(app)
    assert "shows the model classic" in warnings(app)
    assert "lost" in warnings(app.run())
    assert "lost" not in warnings(app.sidebar.selectbox[0].set_value("mine").run())


def test_a_model_that_goes_while_it_is_chosen_is_named(open_page, shipped, copy_model):
    root = copy_model(shipped, "mine")
    copy_model(shipped, "other")
    app = open_page("dashboard.py", model="other")
    shutil.rmtree(root / "other")
    app.run()
    assert not app.exception
    assert "There is no model other here" in warnings(app)


@pytest.mark.parametrize("screen", SCREENS)
def test_a_page_leaves_out_no_level_of_headings_and_explains_its_words(open_page, screen):
    app = open_page(screen)
    levels = [int(each.proto.tag[1]) for each in app.main if each.type in TITLES]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    said = [each.value for each in app.markdown]
    explained = [term for term, text in GLOSSARY.items() if f"**{term}**: {text}" in said]
    assert len(explained) >= 3
    links = [link.proto.page for link in app.main.get("page_link")]
    assert "Tutorial" in links and "Glossary" in links


@pytest.mark.parametrize("page", TEXTS)
def test_a_page_of_text_opens_with_a_model_and_without_one(open_page, page, tmp_path, monkeypatch):
    texts = []
    for _ in range(2):
        app = open_page(page)
        assert not app.exception
        texts.append(app.main.markdown[0].value)
        monkeypatch.setenv("FACECORE_ARTIFACTS", str(tmp_path))
    assert "eigenfaces" in texts[0]
    assert texts[0] == texts[1]
