"""Fixtures of the dashboard's tests."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
from screens import ROOT, open_screen
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from facecore.model.classifier import FaceModel
from facecore.model.rule import AnswerRule
from facecore.model.store import read_evaluation, read_metadata, read_model_table, write_model
from facecore.system.files import sha256, write_json


@pytest.fixture(scope="session")
def textbook(tmp_path_factory, shipped) -> Path:
    """A folder with the textbook model alone; not to be changed."""
    root = tmp_path_factory.mktemp("textbook")
    shutil.copytree(shipped, root / shipped.name)
    return root


@pytest.fixture(autouse=True, scope="session")
def scanned_once() -> Iterator[None]:
    """Let Streamlit look for components in the installed packages once, not for every screen."""
    with pytest.MonkeyPatch.context() as patch:
        scan = cache(manifest_scanner.scan_component_manifests)
        patch.setattr(manifest_scanner, "scan_component_manifests", scan)
        yield


@pytest.fixture(autouse=True)
def in_textbook(textbook, monkeypatch) -> None:
    """Show the textbook model, the simplest, where a test asks for no other."""
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(textbook))


@pytest.fixture
def downloads(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """What a page offers to download, by file name."""
    offered: dict[str, bytes] = {}

    def keep(
        label: str, data: Callable[[], str | bytes], file_name: str, *_: object, **__: object
    ) -> None:
        made = data()
        offered[file_name] = made.encode() if isinstance(made, str) else made

    monkeypatch.setattr("streamlit.download_button", keep)
    return offered


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Open a screen of the dashboard as a visitor would, by its address."""
    monkeypatch.chdir(ROOT)
    return open_screen


@pytest.fixture(scope="session")
def made_aligned(once, shipped, shipped_model, tiny_grid) -> Path:
    """A folder of models: `made`, of the recipe aligned, and the shipped one; not to be changed."""
    from facecore.data.crops import crop_folder, recipe_settings
    from facecore.model.synth import write_photos
    from facecore.training.pipeline import train

    def make(root: Path) -> None:
        write_photos(shipped_model, root / "photos", 60)
        crop_folder(root / "photos", root / "crops", recipe_settings("aligned"))
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("FACECORE_ARTIFACTS", str(root / "models"))
            train([root / "crops"], "made", recipe="aligned", grid=str(tiny_grid))
        shutil.copytree(shipped, root / "models" / shipped.name)

    return once("made faces", make) / "models"


@pytest.fixture
def in_aligned(made_aligned, monkeypatch) -> FaceModel:
    """The model `made` of several members, in use beside the shipped one."""
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(made_aligned))
    return FaceModel.load(made_aligned / "made")


@pytest.fixture
def copy_model(tmp_path, monkeypatch) -> Callable[..., Path]:
    """Copy a model under another name, into a folder of models of the test's own, in use."""
    root = tmp_path / "models"
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(root))

    def copy(source: Path, name: str, **tables: pd.DataFrame | None) -> Path:
        """Give the copy other tables; None leaves one out."""
        shutil.copytree(source, root / name)
        metadata = json.loads((root / name / "metadata.json").read_text(encoding="utf-8"))
        for table, rows in tables.items():
            path = root / name / f"{table}.csv"
            path.unlink(missing_ok=True)
            metadata["sha256"].pop(path.name, None)
            if rows is not None:
                rows.to_csv(path, index=False)
                metadata["sha256"][path.name] = sha256(path)
        write_json(root / name / "metadata.json", metadata)
        return root

    return copy


@pytest.fixture
def ruled(shipped, shipped_model, tmp_path, monkeypatch) -> FaceModel:
    """The shipped model with a rule, under the name `ruled`, alone in use."""
    model = replace(shipped_model, rule=AnswerRule(min_confidence=0.995, max_distance=0.9))
    metadata, evaluation = read_metadata(shipped.name), read_evaluation(shipped.name)
    tables = {"predictions": read_model_table("predictions", shipped.name)}
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(tmp_path / "ruled"))
    write_model("ruled", model, metadata, tables, evaluation)
    return model
