"""The script that makes the shipped models: what it runs, in which order, what a kill leaves."""

import importlib.util
import json
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

REPO = Path(__file__).resolve().parents[2]


@pytest.fixture
def tool(tmp_path, monkeypatch):
    """The script, with folders of the test's own."""
    spec = importlib.util.spec_from_file_location("models", REPO / "tools" / "models.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "ARTIFACTS", tmp_path / "artifacts")
    for name in ("BACKGROUNDS", "SEARCHES", "FINISHED"):
        monkeypatch.setattr(module, name, tmp_path / "crops" / name.lower())
    (tmp_path / "crops" / "backgrounds").mkdir(parents=True)
    return module


@pytest.fixture
def data(tmp_path) -> Path:
    for name in ("lfw", "utkface", "celebrities", "congress", "children"):
        (tmp_path / "data" / name).mkdir(parents=True)
        (tmp_path / "data" / name / "labels.csv").write_text("path,label\n")
    return tmp_path / "data"


def write(root: Path, name: str, sum_: str, minutes: float = 10, grid: str = "fine") -> None:
    """Write what the script reads of a model."""
    (root / name).mkdir(parents=True)
    metadata = {
        "command": f"python -m facecore train lfw --name {name} --grid {grid} --title 'A title'",
        "minutes": minutes,
        "sha256": {"card.md": "0", "model.json": sum_, "model.npz": sum_},
    }
    (root / name / "metadata.json").write_text(json.dumps(metadata))


@pytest.fixture
def runs(monkeypatch):
    """What was run, instead of running it; `killed_at` names the model whose training is killed."""
    state = SimpleNamespace(commands=[], environments=[], killed_at=None)

    def run(command, *, cwd, check, env=None):
        words = [str(word) for word in command]
        state.commands.append(words)
        state.environments.append(env)
        if "train" in words:
            name = words[words.index("--name") + 1]
            if name == state.killed_at:
                raise subprocess.CalledProcessError(-9, command)
            write(Path(env["FACECORE_ARTIFACTS"]), name, f"made {len(state.commands)}")
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)
    return state


def made(runs) -> list[str]:
    """What was made, in order: the names of models, and of scripts."""
    return [
        words[words.index("--name") + 1] if "--name" in words else words[1]
        for words in runs.commands
    ]


def sum_of(tool, name: str) -> str:
    metadata = json.loads((tool.ARTIFACTS / name / "metadata.json").read_text())
    return metadata["sha256"]["model.npz"]


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_each_model_is_made_and_last_all_are_compared(tool, data, runs):
    assert tool.main(data) == 0
    assert made(runs) == ["aligned", "classic", "embedding", "tools/comparisons.py"]
    assert runs.commands[-1][2:] == [str(data)]
    assert runs.environments[-1]["FACECORE_ARTIFACTS"] == str(tool.ARTIFACTS)
    train = runs.commands[1]
    assert train[1:8] == ["-m", "facecore", "train", *(str(data / n) for n in tool.SETS)]
    for option, value in (("--recipe", "classic"), ("--grid", "fine"), ("--centres", "8000")):
        assert train[train.index(option) + 1] == value
    assert names_in(tool.ARTIFACTS) == ["aligned", "classic", "embedding"]


def test_patches_without_a_face_are_cut_once_before_the_first_model(tool, data, runs, monkeypatch):
    tool.BACKGROUNDS.rmdir()
    moved = []
    real = tool.os.replace
    monkeypatch.setattr(
        tool.os,
        "replace",
        lambda a, b: moved.append(b) if b == tool.BACKGROUNDS else real(a, b),
    )
    tool.main(data, ["classic"])
    assert made(runs) == ["tools/backgrounds.py", "classic", "tools/comparisons.py"]
    assert moved == [tool.BACKGROUNDS]


def test_a_new_model_takes_the_place_of_the_old_one(tool, data, runs):
    write(tool.ARTIFACTS, "classic", "old")
    write(tool.ARTIFACTS, "aligned", "other")
    write(tool.ARTIFACTS, ".new-classic", "half")
    tool.main(data, ["classic"])
    assert sum_of(tool, "classic") == "made 1"
    assert sum_of(tool, "aligned") == "other"
    assert names_in(tool.ARTIFACTS) == ["aligned", "classic"]


def test_a_training_that_is_killed_leaves_the_old_model(tool, data, runs):
    write(tool.ARTIFACTS, "classic", "old")
    runs.killed_at = "classic"
    with pytest.raises(subprocess.CalledProcessError):
        tool.main(data, ["classic", "embedding"])
    assert made(runs) == ["classic"]
    assert sum_of(tool, "classic") == "old"
    assert names_in(tool.ARTIFACTS) == ["classic"]


def test_a_kill_between_the_two_renames_leaves_a_model_that_is_found(tool, data, runs, monkeypatch):
    from facecore.model.store import find_model

    write(tool.ARTIFACTS, "classic", "old")
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(tool.ARTIFACTS))
    real = tool.os.replace

    def replace(source, target):
        if Path(source).name == ".new-classic":
            raise KeyboardInterrupt
        real(source, target)

    for _ in range(2):  # the second run is killed at the same point
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(tool.os, "replace", replace)
            tool.main(data, ["classic"])
        metadata = json.loads((find_model("classic") / "metadata.json").read_text())
        assert metadata["sha256"]["model.npz"] == "old"
        assert not tool.is_finished("classic", data)
    tool.main(data, ["classic"])
    assert sum_of(tool, "classic") == "made 3"
    assert names_in(tool.ARTIFACTS) == ["classic"]


def test_what_it_takes_is_said_before_the_first_model_and_before_each(tool, data, runs, capsys):
    write(tool.ARTIFACTS, "aligned", "old", minutes=20.8, grid="tuned")
    write(tool.ARTIFACTS, "classic", "old", minutes=44.3)
    tool.main(data)
    said = capsys.readouterr().out.splitlines()
    assert said[0] == (
        "about 65 minutes in all when they were last made; made by another grid: aligned; "
        "never made before: embedding"
    )
    assert said[1] == "aligned: about 21 minutes when it was last made, by another grid (tuned)"
    assert said[2].startswith("aligned: 0.")
    assert said[3] == "classic: about 44 minutes when it was last made"
    assert said[5] == "embedding: never made before"


def test_a_run_begun_again_skips_what_is_finished(tool, data, runs, capsys):
    runs.killed_at = "embedding"
    with pytest.raises(subprocess.CalledProcessError):
        tool.main(data)
    runs.killed_at = None
    runs.commands.clear()
    capsys.readouterr()
    tool.main(data)
    assert made(runs) == ["embedding", "tools/comparisons.py"]
    note = tool.FINISHED / "aligned.json"
    said = capsys.readouterr().out.splitlines()
    assert said[0] == f"aligned: finished by an earlier run; to make it again, delete {note}"
    assert said[2] == "never made before: embedding"
    note.unlink()
    runs.commands.clear()
    tool.main(data)
    assert made(runs) == ["aligned", "tools/comparisons.py"]


@pytest.mark.parametrize("changed", ["model", "data", "command", "note"])
def test_a_model_is_made_again_where_its_note_does_not_fit(tool, data, runs, monkeypatch, changed):
    tool.main(data, ["classic"])
    assert tool.is_finished("classic", data)
    if changed == "model":
        file = tool.ARTIFACTS / "classic" / "metadata.json"
        file.write_text(file.read_text().replace("made 1", "another"))
    elif changed == "data":
        (data / "utkface" / "labels.csv").write_text("path,label\n1.jpg,male\n")
    elif changed == "command":
        monkeypatch.setattr(tool, "GRID", "quick")
    else:
        (tool.FINISHED / "classic.json").write_text('{"command"')
    tool.main(data, ["classic"])
    assert made(runs)[2:] == ["classic", "tools/comparisons.py"]


def test_a_paper_written_anew_does_not_make_a_model_another(tool, data, runs):
    tool.main(data, ["classic"])
    file = tool.ARTIFACTS / "classic" / "metadata.json"
    file.write_text(file.read_text().replace('"card.md": "0"', '"card.md": "1"'))
    assert tool.is_finished("classic", data)
