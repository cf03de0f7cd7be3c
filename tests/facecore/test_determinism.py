"""The same photos, seed and versions give the same model, whatever the surroundings."""

import shutil

import pytest
from cartoons import write_raw


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A data set, and the place for its twin."""
    return write_raw(tmp_path_factory.mktemp("first") / "raw", persons=8, shots=2)


@pytest.mark.slow
def test_neither_environment_nor_order_of_files_nor_workers_matter(
    first, run_apart, tiny_grid, tmp_path, monkeypatch
):
    twin = tmp_path / "twin" / "raw"
    twin.mkdir(parents=True)
    for path in sorted(first.rglob("*"), reverse=True):  # made in another order
        if path.is_file():
            target = twin / path.relative_to(first)
            target.parent.mkdir(exist_ok=True)
            shutil.copy(path, target)
    surroundings = [
        {"PYTHONHASHSEED": "1", "TZ": "UTC", "LC_ALL": "C"},
        {"PYTHONHASHSEED": "2", "TZ": "Asia/Tokyo", "LC_ALL": "C.UTF-8", "PYTHONOPTIMIZE": "1"}
        | {"PYTHONPYCACHEPREFIX": str(tmp_path / "compiled"), "PYTHONDONTWRITEBYTECODE": ""},
    ]
    files = []
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # sums of more threads differ in last digits
    for number, (raw, around) in enumerate(zip((first, twin), surroundings, strict=True)):
        for name, value in around.items():
            monkeypatch.setenv(name, value)
        models = tmp_path / f"models-{number}"
        how = ["--recipe", "classic", "--grid", tiny_grid, "--seed", 5, "--jobs", 1 + number]
        done = run_apart("train", raw, "--name", "m", *how, models=models)
        assert done.returncode == 0, done.stderr
        files.append([(models / "m" / name).read_bytes() for name in ("model.npz", "model.json")])
        shutil.rmtree(tmp_path / "crops")
    assert files[0] == files[1]


def test_another_seed_gives_another_model(first, run, tiny_grid, tmp_path):
    """So the test above can fail."""
    found = set()
    for seed in (1, 2):
        how = ["--recipe", "classic", "--grid", tiny_grid, "--seed", seed, "--jobs", 1]
        done = run("train", first, "--name", "m", *how, models=tmp_path / str(seed))
        assert done.returncode == 0, done.stderr
        found.add((tmp_path / str(seed) / "m" / "model.npz").read_bytes())
    assert len(found) == 2
