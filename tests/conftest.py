"""What the tests share: made data, a small trained model, and the command line."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cartoons import LABELS, draw_faces, write_raw
from hypothesis import settings
from weights import use_weights, write_weights

# The same examples on every machine; HYPOTHESIS_PROFILE=explore looks for new ones.
settings.register_profile("same", derandomize=True)
settings.register_profile("explore", print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

REPO = Path(__file__).resolve().parents[1]
TINY_GRID = {"n_components": [10, 20], "C": [1.0, 5.0], "gamma": [0.005], "whiten": [True]}
TINY_GRIDS = {
    "pixels": {"n_components": [10], "C": [1.0, 5.0], "gamma": [0.005]},
    "hog tight": {"n_components": [8, 12], "C": [5.0], "gamma": [0.005]},
    "hog wide": {"n_components": [10], "C": [5.0], "gamma": [0.01]},
    "patterns": {"n_components": [10], "C": [5.0], "gamma": [0.01]},
}


@pytest.fixture(scope="session")
def faces():
    """Grey levels, labels and persons of drawn faces of two labels."""
    return draw_faces(LABELS[:2], persons=15, shots=3)


@pytest.fixture(scope="session")
def three_faces():
    """Grey levels, labels and persons of drawn faces of three labels."""
    return draw_faces(LABELS, persons=10, shots=2)


@pytest.fixture(scope="session")
def raw_folder(tmp_path_factory) -> Path:
    """A data set of drawn photos with labels.csv but no split; not to be changed."""
    return write_raw(tmp_path_factory.mktemp("data") / "drawn")


@pytest.fixture(scope="session")
def tiny_grid(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("grid") / "tiny.json"
    path.write_text(json.dumps(TINY_GRID), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def crops_folder(tmp_path_factory, raw_folder) -> Path:
    """The crops of `raw_folder` by the recipe `classic`; not to be changed."""
    from facecore.data.crops import crop_folder, recipe_settings

    out = tmp_path_factory.mktemp("crops") / "drawn"
    crop_folder(raw_folder, out, recipe_settings("classic"))
    return out


@pytest.fixture(scope="session")
def tiny_artifacts(tmp_path_factory, crops_folder, tiny_grid) -> Path:
    """A folder of models with one small model, `tiny`; not to be changed."""
    from facecore.training.pipeline import train

    root = tmp_path_factory.mktemp("models") / "artifacts"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACECORE_ARTIFACTS", str(root))
        train([crops_folder], "tiny", recipe="classic", grid=str(tiny_grid))
    return root


@pytest.fixture(scope="session")
def tiny_model(tiny_artifacts):
    """A small model that knows drawn faces."""
    from facecore.model.classifier import FaceModel

    return FaceModel.load(tiny_artifacts / "tiny")


@pytest.fixture(scope="session")
def tiny_grids(tmp_path_factory) -> Path:
    """A grid for each member of the recipe `aligned`."""
    path = tmp_path_factory.mktemp("grid") / "aligned.json"
    path.write_text(json.dumps(TINY_GRIDS), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def aligned_crops(tmp_path_factory, raw_folder) -> Path:
    """The crops of `raw_folder` by the recipe `aligned`; not to be changed."""
    from facecore.data.crops import crop_folder, recipe_settings

    out = tmp_path_factory.mktemp("crops") / "drawn"
    crop_folder(raw_folder, out, recipe_settings("aligned"))
    return out


@pytest.fixture(scope="session")
def aligned_artifacts(tmp_path_factory, aligned_crops, tiny_grids) -> Path:
    """A folder of models with one small model of three members, `tiny`; not to be changed."""
    from facecore.training.pipeline import train

    root = tmp_path_factory.mktemp("models") / "artifacts"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACECORE_ARTIFACTS", str(root))
        train([aligned_crops], "tiny", recipe="aligned", grid=str(tiny_grids))
    return root


@pytest.fixture(scope="session")
def tiny_aligned(aligned_artifacts):
    """A small model of four members that knows drawn faces."""
    from facecore.model.classifier import FaceModel

    return FaceModel.load(aligned_artifacts / "tiny")


@pytest.fixture(scope="session")
def made_weights(tmp_path_factory) -> Path:
    """A file of random weights of the network."""
    return write_weights(tmp_path_factory.mktemp("weights") / "made.dat")


@pytest.fixture
def with_weights(made_weights) -> Iterator[None]:
    """Let the network have random weights, whether or not the true ones are installed."""
    with use_weights(made_weights):
        yield


@pytest.fixture
def no_weights() -> Iterator[None]:
    """Let the network's weights be missing, whether or not they are installed."""
    with use_weights(None):
        yield


@pytest.fixture(scope="session")
def described_artifacts(tmp_path_factory, aligned_crops, made_weights) -> Path:
    """A folder of models with one small model of the recipe `embedding`, `tiny`."""
    from facecore.training.pipeline import train

    root = tmp_path_factory.mktemp("models") / "artifacts"
    grid = tmp_path_factory.mktemp("grid") / "tiny.json"
    grid.write_text(json.dumps({**TINY_GRID, "n_components": [10]}), encoding="utf-8")
    with use_weights(made_weights), pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACECORE_ARTIFACTS", str(root))
        train([aligned_crops], "tiny", recipe="embedding", grid=str(grid))
    return root


@pytest.fixture
def artifacts(tmp_path, monkeypatch) -> Path:
    """An empty folder of models of the test's own, in use."""
    root = tmp_path / "artifacts"
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(root))
    return root


@pytest.fixture
def in_tiny_artifacts(tiny_artifacts, monkeypatch) -> Path:
    """The folder with the model `tiny`, in use."""
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(tiny_artifacts))
    return tiny_artifacts


@pytest.fixture(scope="session")
def shipped() -> Path:
    """The folder of the textbook model that ships."""
    folder = REPO / "artifacts" / "classic"
    if not (folder / "metadata.json").is_file():
        pytest.skip("the model that ships, artifacts/classic, is not there yet")
    return folder


@pytest.fixture(scope="session")
def shipped_model(shipped):
    from facecore.model.classifier import FaceModel

    return FaceModel.load(shipped)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real photos with labels, where a developer has them."""
    folder = Path(os.environ.get("FACECORE_DATA", REPO.parent / "shared" / "data"))
    if not (folder / "congress" / "labels.csv").is_file():
        pytest.skip(f"no photos in {folder}; set FACECORE_DATA")
    return folder


def environment(models: Path | None) -> dict[str, str]:
    """Return the environment of a process that finds this checkout and some models."""
    return {
        **os.environ,
        "PYTHONPATH": str(REPO),
        "FACECORE_ARTIFACTS": str(models or REPO / "no-models"),
        "LOKY_MAX_CPU_COUNT": "2",
    }


@pytest.fixture
def run(tmp_path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `python -m facecore` with arguments, in a folder of the test's own."""

    def call(*arguments, models: Path | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "facecore", *map(str, arguments)],
            cwd=tmp_path, env=environment(models), capture_output=True, text=True,
            encoding="utf-8", timeout=600, check=False,
        )  # fmt: skip

    return call


@pytest.fixture
def start(tmp_path) -> Callable[..., subprocess.Popen]:
    """Start `python -m facecore` with arguments, for a test that stops it."""
    begun: list[subprocess.Popen] = []

    def call(*arguments, models: Path | None = None) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, "-m", "facecore", *map(str, arguments)],
            cwd=tmp_path, env=environment(models),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        begun.append(process)
        return process

    yield call
    for process in begun:
        process.kill()
        process.wait()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    from facecore.face.embedding import missing

    if why := missing():
        for item in items:
            if item.get_closest_marker("network"):
                item.add_marker(pytest.mark.skip(reason=why))
