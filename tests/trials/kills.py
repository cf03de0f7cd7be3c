"""Kill cropping and training at random moments, run them again, and compare with an unkilled run.

    python tests/trials/kills.py [--kills N] [--seed S] [--json FILE]

`crop` and `train` of the command line, and a training in the background as the page *Your data*
starts it, on drawn photos. Each is killed with SIGKILL, one process or all of them at once, at a
moment drawn over the length of an unkilled run or while it writes, then started again. The table of
photos, the crops and the model must be those of the unkilled run, the old model must load at any
time, and no temporary file may be left.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

REPO = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPO), str(REPO / "tests")]

from cartoons import write_raw  # noqa: E402

from benchmarks.figures import publish  # noqa: E402
from facecore.data.crops import TABLE, crop_folder, recipe_settings  # noqa: E402
from facecore.errors import FacecoreError  # noqa: E402
from facecore.model.store import load_model, read_evaluation, read_metadata  # noqa: E402
from facecore.training.background import clear_job, read_job, start_training  # noqa: E402
from facecore.training.pipeline import train  # noqa: E402

GRID = {"n_components": [10, 20], "C": [1.0, 5.0], "gamma": [0.005], "whiten": [True]}
NAME, LITTER = "mine", ("**/.tmp-*", "**/.new-*", "**/.old-*")
OF_TIME = ("minutes", "created", "sha256", "command")  # what two equal models may differ in


@dataclass(frozen=True)
class Place:
    """Where a trial keeps its photos, crops, grid, models (and the old ones), and the rest."""

    root: Path

    def __truediv__(self, name: str) -> Path:
        return self.root / name


@dataclass(frozen=True)
class Run:
    """Something that runs: the first process of its group, and how to wait for its end.

    Parameters
    ----------
    group : int
    wait : callable
        Returns whether it ended well.
    """

    group: int
    wait: Callable[[], bool]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the trial and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=30, metavar="N", help="in all (30)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    options = parser.parse_args(arguments)
    return publish(lambda: kill_all(options.kills, options.seed), options.json)


def kill_all(kills: int, seed: int) -> dict[str, Any]:
    """Kill every subject its share of times, and print the table.

    Parameters
    ----------
    kills, seed : int

    Returns
    -------
    dict

    Raises
    ------
    FacecoreError
        A promise was not kept.
    """
    figures: dict[str, Any] = {"kills": 0}
    failures: list[str] = []
    print(" " * 10, *(f"{n:>9}" for n in ("kills", "writing", "ended", "new model", "failures")))
    for number, what in enumerate(SUBJECTS):
        share = kills // len(SUBJECTS) + (number < kills % len(SUBJECTS))
        with tempfile.TemporaryDirectory(prefix="trial-kills-") as root, prepared(Path(root)) as p:
            found = kill_often(what, p, share, seed)
        failures += found["failures"]
        found["failures"] = len(found["failures"])
        row = [found[name] for name in ("kills", "writing", "ended", "new_model", "failures")]
        print(f"{what:<10}", *(f"{number:>9}" for number in row), flush=True)
        figures["kills"] += share
        figures |= {f"{what.replace(' ', '_')}_{name}": value for name, value in found.items()}
    figures["failures"] = len(failures)
    if failures:
        print(*failures, sep="\n")
        raise FacecoreError(f"{len(failures)} promises were not kept")
    return figures


@contextmanager
def prepared(root: Path) -> Iterator[Place]:
    """Draw photos, train the old model, and point the library's folders below `root`."""
    place = Place(root)
    (place / "temporary").mkdir(parents=True)
    settings = {
        "FACECORE_ARTIFACTS": str(place / "models"),
        "FACECORE_WORK": str(place / "work"),
        "TMPDIR": str(place / "temporary"),
        "PYTHONPATH": str(REPO),
    }
    before = dict(os.environ)
    os.environ.update(settings)
    tempdir, tempfile.tempdir = tempfile.tempdir, settings["TMPDIR"]
    try:
        write_raw(place / "raw", persons=10, shots=2)
        (place / "grid.json").write_text(json.dumps(GRID), encoding="utf-8")
        crop_folder(place / "raw", place / "crops", recipe_settings("classic"))
        train([place / "crops"], NAME, recipe="classic", grid=str(place / "grid.json"), seed=1)
        shutil.copytree(place / "models", place / "old")
        yield place
    finally:
        tempfile.tempdir = tempdir
        os.environ.clear()
        os.environ.update(before)


def kill_often(what: str, place: Place, kills: int, seed: int) -> dict[str, Any]:
    """Kill one subject many times.

    Parameters
    ----------
    what : str
        A key of `SUBJECTS`.
    place : Place
    kills, seed : int

    Returns
    -------
    dict
        kills; how many met it writing, how many came after its end, after how many the new model
        was there; failures, a list of str.
    """
    begin, outcome, written = SUBJECTS[what]
    reset(place)
    started = time.monotonic()
    if not begin(place, 1).wait():
        return {
            "kills": 0,
            "writing": 0,
            "ended": 0,
            "new_model": 0,
            "failures": [f"{what}: fails without being killed"],
        }
    length, wanted = time.monotonic() - started, outcome(place)
    found: dict[str, Any] = {"kills": kills, "writing": 0, "ended": 0, "new_model": 0}
    failures: list[str] = []
    for number in range(kills):
        chance = random.Random(f"{what} {seed} {number}")
        jobs, whole, writing = chance.choice([1, 2]), chance.random() < 0.5, number % 3 == 2
        moment = chance.uniform(0, 0.03) if writing else chance.uniform(0, length)
        name = f"{what}, kill {number} of seed {seed}"
        reset(place)
        run = begin(place, jobs)
        met = not writing or _until(lambda: _matches(place.root, written), run.group)
        time.sleep(moment)
        alive = _lives(run.group)
        with suppress(ProcessLookupError):
            (os.killpg if whole else os.kill)(run.group, signal.SIGKILL)
        run.wait()
        found["writing"] += writing and met and alive
        found["ended"] += not alive
        problems = _old_model_is_lost()
        failures += [f"{name}: {problem}" for problem in problems]
        found["new_model"] += not problems and read_metadata(NAME)["seed"] == 0
        if not begin(place, jobs).wait():
            failures.append(f"{name}: does not run again")
        elif outcome(place) != wanted:
            failures.append(f"{name}: the result is another one")
        left = [str(p.relative_to(place.root)) for glob in LITTER for p in place.root.glob(glob)]
        left += [str(path) for path in (place / "temporary").iterdir()]
        left += [str(path) for path in (place / "work").glob("training/**/*.png")]
        failures += [f"{name}: left {', '.join(left)}"] if left else []
    return {**found, "failures": failures}


def reset(place: Place) -> None:
    """Put everything back to where it was before the first run."""
    clear_job()
    for name in ("out", "models"):
        shutil.rmtree(place / name, ignore_errors=True)
    shutil.copytree(place / "old", place / "models")


def _old_model_is_lost() -> list[str]:
    try:
        load_model(NAME)
        seed = read_metadata(NAME)["seed"]
    except Exception as error:  # whatever it is, it is a failure
        return [f"the model does not load: {error!r}"]
    return [] if seed in (0, 1) else [f"a model of seed {seed}"]


def _command(place: Place, jobs: int, *, arguments: Callable[[Place], list[Any]]) -> Run:
    process = subprocess.Popen(
        [sys.executable, "-m", "facecore", *map(str, arguments(place)), "--jobs", str(jobs)],
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return Run(process.pid, lambda: process.wait() == 0)


def _crop(place: Place) -> list[Any]:
    return ["crop", place / "raw", "--out", place / "out", "--recipe", "classic"]


def _train(place: Place) -> list[Any]:
    how = [
        "--replace",
        "--name",
        NAME,
        "--recipe",
        "classic",
        "--grid",
        place / "grid.json",
        "--seed",
        0,
    ]
    return ["train", place / "crops", *how]


def _your_data(place: Place, jobs: int) -> Run:
    start_training(NAME, place / "raw", recipe="classic", grid=str(place / "grid.json"), seed=0)
    group = json.loads((place / "work" / "training" / "pid.json").read_text())["pid"]
    return Run(group, _job_ends_well)


def _job_ends_well() -> bool:
    while (job := read_job()).state == "running":
        time.sleep(0.02)
    return job.state == "done"


def _tree(place: Place) -> dict[str, bytes]:
    out = place / "out"
    return {str(p.relative_to(out)): p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()}


def _model(place: Place) -> dict[str, Any]:
    """Return all of the model but its times."""
    folder = place / "models" / NAME
    found = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    files: dict[str, Any] = {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in found
    }
    for name in ("grid_search.csv", "predictions.csv"):
        table = pd.read_csv(folder / name)
        files[name] = table[[c for c in table if "_time" not in c and c != "ms"]].to_csv()
    metadata, evaluation = read_metadata(NAME), read_evaluation(NAME) or {}
    files["metadata.json"] = {k: v for k, v in metadata.items() if k not in OF_TIME}
    files["evaluation.json"] = {
        data: {key: value for key, value in figures.items() if key != "ms_per_photo"}
        for data, figures in evaluation.items()
    }
    files.pop("card.md")  # tells how long it took
    return files


def _model_and_table(place: Place) -> dict[str, Any]:
    table = place / "work" / "training" / "crops" / "raw" / TABLE
    return _model(place) | {TABLE: table.read_bytes()}


def _matches(root: Path, pattern: str) -> bool:
    """Return whether a file matches, while others make and remove folders."""
    try:
        return any(root.glob(pattern))
    except FileNotFoundError:
        return False


def _until(happened: Callable[[], bool], group: int) -> bool:
    while not happened():
        if not _lives(group):
            return False
        time.sleep(0.001)
    return True


def _lives(process: int) -> bool:
    """Return whether a process runs; one that ended and was not asked for its code does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


Subject = tuple[Callable[[Place, int], Run], Callable[[Place], dict[str, Any]], str]
SUBJECTS: dict[str, Subject] = {
    "crop": (partial(_command, arguments=_crop), _tree, "out/**/.tmp-*"),
    "train": (partial(_command, arguments=_train), _model, "models/.new-*"),
    "your data": (_your_data, _model_and_table, "models/.new-*"),
}


if __name__ == "__main__":
    sys.exit(main())
