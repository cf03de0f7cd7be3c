"""The notebook is executed as it stands, and what it shows is stored with it."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

REPO = Path(__file__).resolve().parents[2]
PATH = REPO / "docs" / "notebooks" / "own-labels.ipynb"


@pytest.fixture
def notebook() -> nbformat.NotebookNode:
    return nbformat.read(PATH, as_version=4)


# The kernel is a process of its own: its server warns of plain sockets, on this machine alone.
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_model_of_own_labels_is_made_and_asked_about_a_photo(notebook, tmp_path, monkeypatch):
    (tmp_path / "classic").symlink_to(REPO / "artifacts" / "classic", target_is_directory=True)
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(REPO))
    place = {"metadata": {"path": str(tmp_path)}}
    ran = NotebookClient(notebook, timeout=120, kernel_name="python3", resources=place).execute()
    *_, photo = (cell for cell in ran.cells if cell.cell_type == "code")
    assert "plain" in photo.outputs[-1].data["text/plain"]
    assert (tmp_path / "own-labels" / "evaluation.json").is_file()


def test_what_it_shows_is_stored_with_it_and_small(notebook):
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs for cell in code)
    assert not [o for cell in code for o in cell.outputs if o.output_type in ("error", "stream")]
    assert PATH.stat().st_size < 300_000
    text = PATH.read_text(encoding="utf-8")
    assert str(REPO) not in text
    assert str(Path.home()) not in text
