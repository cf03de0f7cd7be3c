"""Every screen opens with the shipped model, with none, and with a damaged one."""

import shutil

import pytest
from screens import ROOT, SCREENS

from facecore.model.store import artifacts_dir, read_evaluation, read_metadata


def words(app) -> str:
    """Return everything that a screen says, as one text."""
    groups = (app.markdown, app.caption, app.info, app.warning, app.error, app.title, app.code)
    return "\n".join(str(element.value) for group in groups for element in group)


@pytest.mark.parametrize("screen", SCREENS)
def test_a_screen_opens_with_the_shipped_model(open_page, screen):
    app = open_page(screen)
    assert not app.exception
    assert not app.error
    assert app.title[0].value
    assert app.sidebar.selectbox[0].value == "classic"


@pytest.mark.parametrize("screen", SCREENS)
def test_without_a_model_a_screen_names_the_command_that_trains_one(
    open_page, screen, tmp_path, monkeypatch
):
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(tmp_path))
    app = open_page(screen)
    assert not app.exception
    assert app.code[0].value.startswith("python -m facecore train")


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("file", ["model.npz", "metadata.json"])
def test_a_damaged_model_is_an_error_in_words(open_page, screen, file, tmp_path, monkeypatch):
    shutil.copytree(artifacts_dir() / "classic", tmp_path / "broken")
    damaged = bytearray((tmp_path / "broken" / file).read_bytes())
    damaged[len(damaged) // 2] ^= 0xFF
    (tmp_path / "broken" / file).write_bytes(damaged)
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(tmp_path))
    app = open_page(screen)
    assert not app.exception
    assert "broken" in app.error[0].value


@pytest.mark.parametrize("file", ["model.npz", "evaluation.json", "sizes.csv"])
@pytest.mark.filterwarnings("ignore::facecore.errors.ModelWarning")
def test_a_file_that_is_damaged_after_it_was_shown_is_named(open_page, file, tmp_path, monkeypatch):
    shutil.copytree(artifacts_dir() / "classic", tmp_path / "shown")
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(tmp_path))
    assert not open_page("dashboard.py").error
    with open(tmp_path / "shown" / file, "ab") as stored:
        stored.write(b" ")
    app = open_page("dashboard.py")
    assert not app.exception
    assert file in " ".join(message.value for message in (*app.error, *app.warning))


@pytest.mark.filterwarnings("ignore::facecore.errors.ModelWarning")
@pytest.mark.parametrize("screen", SCREENS)
def test_a_damaged_paper_is_named_and_the_rest_is_shown(open_page, screen, tmp_path, monkeypatch):
    shutil.copytree(artifacts_dir() / "classic", tmp_path / "broken")
    for file in ("evaluation.json", "sizes.csv"):
        with open(tmp_path / "broken" / file, "ab") as paper:
            paper.write(b" ")
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(tmp_path))
    app = open_page(screen)
    assert not app.exception
    assert not app.error
    told = " ".join(warning.value for warning in app.warning)
    assert "evaluation.json does not match" in told
    assert "sizes.csv does not match" in told


def test_the_card_shows_the_figures_of_the_artifacts(open_page):
    app = open_page("dashboard.py", model_card="true")
    metadata, evaluation = read_metadata("classic"), read_evaluation("classic")
    (table,) = (e.proto.body for e in app.get("html") if "<table>" in e.proto.body)
    assert table.count('<th scope="row">') == len(evaluation)
    for name, figures in evaluation.items():
        (row,) = (row for row in table.split("<tr>") if f'"row">{name}<' in row)
        assert f"<td>{figures['accuracy_all']:.3f}</td>" in row
    assert metadata["command"] in words(app)


def test_no_screen_is_longer_than_it_may_be():
    for screen in SCREENS:
        assert len((ROOT / screen).read_text().splitlines()) <= 120, screen
