"""Make the shipped models from raw photos: python tools/models.py DATA [MODEL...]

Needs the extra `embedding` (README).
DATA has one folder per data set: lfw, utkface, celebrities, congress and children. Crops, patches
without a face, finished searches and notes of finished models go to crops/; a run that was stopped,
begun again, goes on from there. Says first how long all models took when they were last made, and
before each model how long that took. At the end each pair is compared (tools/comparisons.py).
"""

import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parents[1]
ARTIFACTS = REPO / "artifacts"
TRAINED = ("lfw", "utkface", "celebrities")
SETS = (*TRAINED, "congress")
RECIPES = ("aligned", "classic", "embedding")
GRID = "fine"
SIMPLEST = ("aligned",)  # the default answers every visitor: docs/decisions/simplest.md
CHILDREN = "children"  # shown to the models in order to be refused
LEAST_AGE = 13  # in years: the youngest people in the other sets
BACKGROUNDS = REPO / "crops" / "backgrounds"
SEARCHES = REPO / "crops" / "searches"
FINISHED = REPO / "crops" / "finished"  # a note per model that a run made
TABLES = ("labels.csv", "faces.csv")  # what tells that a data set, raw or cropped, was changed
NOTE = (
    "Trained on Labeled Faces in the Wild (research), UTKFace (non-commercial research) and a "
    "public collection of celebrity faces without stated terms: for research and education only."
)


def arguments_of(recipe: str, data: Path) -> list[str]:
    """Return the command that trains a model, without the name of the program.

    Parameters
    ----------
    recipe : str
        Its name is the model's, too.
    data : Path

    Returns
    -------
    list of str
    """
    return [
        "train",
        *(str(data / name) for name in SETS),
        "--name",
        recipe,
        "--recipe",
        recipe,
        "--grid",
        GRID,
        "--searches",
        str(SEARCHES),
        *(["--simplest"] if recipe in SIMPLEST else []),
        "--centres",
        "8000",
        "--outside",
        f"a child={data / CHILDREN}",
        "--no-face",
        f"a background or part of a face={BACKGROUNDS}",
        "--least-age",
        str(LEAST_AGE),
        "--title",
        "Gender",
        "--note",
        NOTE,
    ]


def make_model(recipe: str, data: Path) -> float:
    """Train one model in a separate process, and return the minutes that it took.

    Parameters
    ----------
    recipe : str
        Its name is the model's, too.
    data : Path

    Returns
    -------
    float
    """
    begun = time.perf_counter()
    asked = describe_run(recipe, data)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [sys.executable, "-m", "facecore", *asked["command"]],
            cwd=REPO,
            env={"FACECORE_RUNS": str(ARTIFACTS / "_runs")}
            | os.environ
            | {"FACECORE_ARTIFACTS": folder},
            check=True,
        )
        # train itself replaces no model that ships; a run killed here leaves the old one as .old-*
        new, old = ARTIFACTS / f".new-{recipe}", ARTIFACTS / f".old-{recipe}"
        shutil.rmtree(new, ignore_errors=True)
        shutil.copytree(Path(folder, recipe), new)
        if (ARTIFACTS / recipe).exists():
            shutil.rmtree(old, ignore_errors=True)
            os.replace(ARTIFACTS / recipe, old)
        os.replace(new, ARTIFACTS / recipe)
        shutil.rmtree(old, ignore_errors=True)
    FINISHED.mkdir(parents=True, exist_ok=True)
    note = json.dumps(asked | {"model": checksums(recipe)})
    (FINISHED / f"{recipe}.json").write_text(note, encoding="utf-8")
    return (time.perf_counter() - begun) / 60


def describe_run(recipe: str, data: Path) -> dict[str, Any]:
    """Return the command that trains a model, and checksums of the tables of its data sets.

    Parameters
    ----------
    recipe : str
    data : Path

    Returns
    -------
    dict
    """
    tables = [data / name / table for name in (*SETS, CHILDREN) for table in TABLES]
    sums = {str(table): _sha256(table) for table in tables if table.is_file()}
    return {"command": arguments_of(recipe, data), "data": sums}


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def checksums(recipe: str) -> dict[str, str]:
    """Return the checksums of a model's files, without those of its papers.

    Parameters
    ----------
    recipe : str

    Returns
    -------
    dict of str to str
        Empty where there is no model.
    """
    sums = (_read_metadata(recipe) or {"sha256": {}})["sha256"]
    return {file: sums[file] for file in sorted(sums) if file.startswith("model.")}


def _read_metadata(recipe: str) -> dict[str, Any] | None:
    file = ARTIFACTS / recipe / "metadata.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None


def is_finished(recipe: str, data: Path) -> bool:
    """Return whether the model is the one that a run with the same command and data made.

    Parameters
    ----------
    recipe : str
    data : Path

    Returns
    -------
    bool
    """
    try:
        note = json.loads((FINISHED / f"{recipe}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(note == describe_run(recipe, data) | {"model": checksums(recipe)})


def last_made(recipe: str) -> tuple[float, str] | None:
    """Return the minutes that a model took when it was last made, and its grid.

    Parameters
    ----------
    recipe : str

    Returns
    -------
    tuple of float and str, or None
        None for a model that was never made.
    """
    metadata = _read_metadata(recipe)
    if metadata is None:
        return None
    words = shlex.split(metadata["command"])
    grid = words[words.index("--grid") + 1] if "--grid" in words else "of its time"
    return metadata["minutes"], grid


def foretell(recipe: str) -> str:
    """Say how long a model took when it was last made, and whether by another grid.

    Parameters
    ----------
    recipe : str

    Returns
    -------
    str
    """
    last = last_made(recipe)
    if last is None:
        return "never made before"
    minutes, grid = last
    other = "" if grid == GRID else f", by another grid ({grid})"
    return f"about {minutes:.0f} minutes when it was last made{other}"


def foretell_all(recipes: Sequence[str]) -> str:
    """Say how long several models took when they were last made.

    Parameters
    ----------
    recipes : sequence of str

    Returns
    -------
    str
    """
    made = {recipe: last for recipe in recipes if (last := last_made(recipe))}
    never = [recipe for recipe in recipes if recipe not in made]
    others = [recipe for recipe, (_, grid) in made.items() if grid != GRID]
    total = sum(minutes for minutes, _ in made.values())
    return "; ".join(
        [f"about {total:.0f} minutes in all when they were last made"] * bool(made)
        + [f"made by another grid: {', '.join(others)}"] * bool(others)
        + [f"never made before: {', '.join(never)}"] * bool(never)
    )


def make_backgrounds(data: Path) -> None:
    """Cut the patches without a face, unless they are there."""
    if BACKGROUNDS.is_dir():
        return
    BACKGROUNDS.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BACKGROUNDS.parent) as folder:
        new = Path(folder, "new")
        sets = [str(data / name) for name in TRAINED]
        subprocess.run([sys.executable, "tools/backgrounds.py", new, *sets], cwd=REPO, check=True)
        os.replace(new, BACKGROUNDS)


def main(data: Path, recipes: Sequence[str] = RECIPES) -> int:
    """Make the models that no run has finished, compare all, and return the exit code of that.

    Parameters
    ----------
    data : Path
    recipes : sequence of str

    Returns
    -------
    int
    """
    todo = [recipe for recipe in recipes if not is_finished(recipe, data)]
    for recipe in recipes:
        if recipe not in todo:
            note = FINISHED / f"{recipe}.json"
            print(f"{recipe}: finished by an earlier run; to make it again, delete {note}")
    if todo:
        print(foretell_all(todo), flush=True)
        make_backgrounds(data)
    for recipe in todo:
        print(f"{recipe}: {foretell(recipe)}", flush=True)
        print(f"{recipe}: {make_model(recipe, data):.1f} minutes", flush=True)
    return subprocess.run(
        [sys.executable, "tools/comparisons.py", str(data)],
        cwd=REPO,
        env=os.environ | {"FACECORE_ARTIFACTS": str(ARTIFACTS)},
        check=False,
    ).returncode


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: python tools/models.py DATA [MODEL...]")
    sys.exit(main(Path(sys.argv[1]).resolve(), sys.argv[2:] or RECIPES))
