"""What the tests share: made data, a small trained model, and the command line."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from cartoons import LABELS, draw_face, draw_faces, draw_photo, encode, write_crops, write_raw
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
    "patterns": {"n_components": [10], "C": [5.0], "gamma": [0.01]},
    "convolutions": {"n_components": [10], "C": [5.0], "gamma": [0.01]},
}


MAIN = sys.modules["__main__"]


def pytest_runtest_teardown() -> None:
    """Take back the main module, which a page under test replaces: spawned processes run it."""
    sys.modules["__main__"] = MAIN


@pytest.fixture(scope="session")
def faces():
    """Grey levels, labels and persons of drawn faces of two labels."""
    return draw_faces(LABELS[:2], persons=15, shots=3)


@pytest.fixture(scope="session")
def three_faces():
    """Grey levels, labels and persons of drawn faces of three labels."""
    return draw_faces(LABELS, persons=10, shots=2)


@pytest.fixture(scope="session")
def once(tmp_path_factory) -> Callable[[str, Callable[[Path], object]], Path]:
    """Make a folder once for all worker processes of a run; it is not to be changed."""
    from facecore.system import lock

    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent

    def call(name: str, make: Callable[[Path], object]) -> Path:
        folder, done = root / "shared" / name, root / "shared" / f"{name}.done"
        folder.parent.mkdir(exist_ok=True)
        with open(folder.with_suffix(".lock"), "a+b") as file:
            while not lock(file):
                time.sleep(0.05)
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)  # of a worker that failed
                folder.mkdir()
                make(folder)
                done.touch()
        return folder

    return call


def crop(raw: Path, folder: Path, recipe: str) -> None:
    """Crop a data set below a folder, under its own name."""
    from facecore.data.crops import crop_folder, recipe_settings

    crop_folder(raw, folder / raw.name, recipe_settings(recipe))


def train_tiny(models: Path, crops: Path, recipe: str, grid: Path) -> None:
    """Train the model `tiny` in a folder of models."""
    from facecore.training.pipeline import train

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACECORE_ARTIFACTS", str(models))
        train([crops], "tiny", recipe=recipe, grid=str(grid))


@pytest.fixture(scope="session")
def raw_folder(once) -> Path:
    """A data set of drawn photos with labels.csv but no split; not to be changed."""
    return once("raw", lambda folder: write_raw(folder / "drawn")) / "drawn"


@pytest.fixture(scope="session")
def tiny_grid(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("grid") / "tiny.json"
    path.write_text(json.dumps(TINY_GRID), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def crops_folder(once, raw_folder) -> Path:
    """The crops of `raw_folder` by the recipe `classic`; not to be changed."""
    return once("classic crops", lambda folder: crop(raw_folder, folder, "classic")) / "drawn"


@pytest.fixture(scope="session")
def split_crops(once) -> Path:
    """Crops of a data set with a train and a test split; not to be changed."""

    def make(folder: Path) -> None:
        raw = write_raw(folder / "raw" / "crops", persons=6, shots=2, split=True)
        crop(raw, folder, "classic")

    return once("split crops", make) / "crops"


@pytest.fixture(scope="session")
def photo() -> bytes:
    """A photo with one drawn face."""
    return encode(draw_photo("round", 3), quality=92)


@pytest.fixture(scope="session")
def tiny_artifacts(once, crops_folder, tiny_grid) -> Path:
    """A folder of models with one small model, `tiny`; not to be changed."""
    return once("classic", lambda folder: train_tiny(folder, crops_folder, "classic", tiny_grid))


@pytest.fixture(scope="session")
def tiny_model(tiny_artifacts):
    """A small model that knows drawn faces."""
    from facecore.model.classifier import FaceModel

    return FaceModel.load(tiny_artifacts / "tiny")


@pytest.fixture(scope="session")
def many_artifacts(once, tiny_grid) -> Path:
    """A folder of models with `many`, of twelve labels, s1 to s12; not to be changed."""
    from facecore.training.arrays import train_arrays

    labels = [f"s{i}" for i in range(1, 13) for _ in range(6)]
    faces = np.array([draw_face("round", int(s[1:]), i) for i, s in enumerate(labels)])

    def make(folder: Path) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("FACECORE_ARTIFACTS", str(folder))
            split = ["train", "train", "train", "train", "test", "test"] * 12
            train_arrays(faces, labels, "many", split=split, grid=str(tiny_grid))

    return once("many labels", make)


@pytest.fixture
def in_many(many_artifacts, monkeypatch):
    """The model `many`, in use."""
    from facecore.model.classifier import FaceModel

    monkeypatch.setenv("FACECORE_ARTIFACTS", str(many_artifacts))
    return FaceModel.load(many_artifacts / "many")


@pytest.fixture(scope="session")
def tiny_grids(tmp_path_factory) -> Path:
    """A grid for each member of the recipe `aligned`."""
    path = tmp_path_factory.mktemp("grid") / "aligned.json"
    path.write_text(json.dumps(TINY_GRIDS), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def aligned_crops(once, raw_folder) -> Path:
    """The crops of `raw_folder` by the recipe `aligned`; not to be changed."""
    return once("aligned crops", lambda folder: crop(raw_folder, folder, "aligned")) / "drawn"


@pytest.fixture(scope="session")
def aligned_artifacts(once, aligned_crops, tiny_grids) -> Path:
    """A folder of models with one small model of four members, `tiny`; not to be changed."""
    return once("aligned", lambda folder: train_tiny(folder, aligned_crops, "aligned", tiny_grids))


@pytest.fixture(scope="session")
def tiny_aligned(aligned_artifacts):
    """A small model of four members that knows drawn faces."""
    from facecore.model.classifier import FaceModel

    return FaceModel.load(aligned_artifacts / "tiny")


@pytest.fixture(scope="session")
def small_crops(once) -> Path:
    """A data set of faces of 48 x 48 pixels, cropped already; not to be changed."""
    return once("small crops", lambda folder: write_crops(folder / "small")) / "small"


@pytest.fixture(scope="session")
def whole_artifacts(once, small_crops, tiny_grids) -> Path:
    """A folder of models with one, `tiny`, of four members that take each photo for a face."""

    def make(folder: Path) -> None:
        from facecore.training.pipeline import train

        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("FACECORE_ARTIFACTS", str(folder))
            patch.chdir(folder.parent)
            train([small_crops], "tiny", grid=str(tiny_grids), whole_photo=True)

    return once("whole", make)


@pytest.fixture(scope="session")
def tiny_whole(whole_artifacts):
    """A small model that takes each photo for a face."""
    from facecore.model.classifier import FaceModel

    return FaceModel.load(whole_artifacts / "tiny")


@pytest.fixture(scope="session")
def fisher_artifacts(once, tiny_grid) -> Path:
    """A folder of models with one small model of three labels and Fisherfaces, `tiny`."""

    def make(folder: Path) -> None:
        raw = write_raw(folder / "raw" / "three", LABELS, persons=8)
        crop(raw, folder / "crops", "fisher")
        train_tiny(folder, folder / "crops" / "three", "fisher", tiny_grid)

    return once("fisher", make)


@pytest.fixture(scope="session")
def tiny_fisher(fisher_artifacts):
    """A small model with Fisherfaces that knows drawn faces of three labels."""
    from facecore.model.classifier import FaceModel

    return FaceModel.load(fisher_artifacts / "tiny")


@pytest.fixture(scope="session")
def made_weights(once) -> Path:
    """A file of random weights of the network."""
    return once("weights", lambda folder: write_weights(folder / "made.dat")) / "made.dat"


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
def described_artifacts(once, tmp_path_factory, aligned_crops, made_weights) -> Path:
    """A folder of models with one small model of the recipe `embedding`, `tiny`."""
    grid = tmp_path_factory.mktemp("grid") / "tiny.json"
    grid.write_text(json.dumps({**TINY_GRID, "n_components": [10]}), encoding="utf-8")

    def make(folder: Path) -> None:
        with use_weights(made_weights):
            train_tiny(folder, aligned_crops, "embedding", grid)

    return once("embedding", make)


@pytest.fixture
def two_models(tiny_artifacts, aligned_artifacts, tmp_path, monkeypatch) -> Path:
    """A folder of the test's own with `plain` and `wide`, both trained on `raw_folder`, in use."""
    root = tmp_path / "two-models"
    shutil.copytree(tiny_artifacts / "tiny", root / "plain")
    shutil.copytree(aligned_artifacts / "tiny", root / "wide")
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(root))
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


def environment(models: Path) -> dict[str, str]:
    """Return the environment of a process that finds this checkout and some models."""
    return {
        **os.environ,
        "PYTHONPATH": str(REPO),
        "FACECORE_ARTIFACTS": str(models),
        "LOKY_MAX_CPU_COUNT": "2",
    }


@pytest.fixture
def run(tmp_path, monkeypatch, capfd) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the command line in this process, in a folder of the test's own."""
    from facecore.__main__ import main

    def call(*arguments, models: Path | None = None) -> subprocess.CompletedProcess[str]:
        command = [str(argument) for argument in arguments]
        with monkeypatch.context() as patch:
            patch.chdir(tmp_path)
            # never the checkout's own, so that no test leaves a model there
            patch.setenv("FACECORE_ARTIFACTS", str(models or tmp_path / "no-models"))
            capfd.readouterr()
            try:
                code = main(command)
            except SystemExit as end:
                code = end.code
            told = capfd.readouterr()
        return subprocess.CompletedProcess(command, code, told.out, told.err)

    return call


@pytest.fixture
def run_apart(tmp_path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `python -m facecore` as a process of its own, in a folder of the test's own."""

    def call(*arguments, models: Path | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "facecore", *map(str, arguments)],
            cwd=tmp_path,
            env=environment(models or tmp_path / "no-models"),
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=600,
            check=False,
        )

    return call


@pytest.fixture
def start(tmp_path) -> Callable[..., subprocess.Popen]:
    """Start `python -m facecore` with arguments, for a test that stops it."""
    begun: list[subprocess.Popen] = []

    def call(*arguments, models: Path | None = None) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, "-m", "facecore", *map(str, arguments)],
            cwd=tmp_path,
            env=environment(models or tmp_path / "no-models"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        begun.append(process)
        return process

    yield call
    for process in begun:
        process.kill()
        process.wait()


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("numprocesses", None):  # these share the cores; threads would only wait
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            os.environ.setdefault(name, "1")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    from facecore.face.embedding import missing

    if why := missing():
        for item in items:
            if item.get_closest_marker("network"):
                item.add_marker(pytest.mark.skip(reason=why))
