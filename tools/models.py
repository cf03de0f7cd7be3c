"""Make the shipped models from raw photos: python tools/models.py DATA [MODEL...]

Needs the extra `embedding` (README).
DATA has one folder per data set: lfw, utkface, celebrities, congress and children. Crops, patches
without a face and finished searches go to crops/; a run that was stopped, begun again, goes on from
there. Says before each model how long it took when it was last made.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
ARTIFACTS = REPO / "artifacts"
TRAINED = ("lfw", "utkface", "celebrities")
SETS = (*TRAINED, "congress")
RECIPES = ("aligned", "classic", "embedding")
CHILDREN = "children"  # shown to the models in order to be refused
LEAST_AGE = 13  # in years: the youngest people in the other sets
BACKGROUNDS = REPO / "crops" / "backgrounds"
SEARCHES = REPO / "crops" / "searches"
NOTE = (
    "Trained on Labeled Faces in the Wild (research), UTKFace (non-commercial research) and a "
    "public collection of celebrity faces without stated terms: for research and education only."
)


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
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [
                sys.executable,
                "-m",
                "facecore",
                "train",
                *(str(data / name) for name in SETS),
                "--name",
                recipe,
                "--recipe",
                recipe,
                "--grid",
                "fine",
                "--searches",
                str(SEARCHES),
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
            ],
            cwd=REPO,
            env={"FACECORE_RUNS": str(ARTIFACTS / "_runs")}
            | os.environ
            | {"FACECORE_ARTIFACTS": folder},
            check=True,
        )
        # train itself replaces no model that ships; a run killed here leaves the old one as .old-*
        new, old = ARTIFACTS / f".new-{recipe}", ARTIFACTS / f".old-{recipe}"
        for litter in (new, old):
            shutil.rmtree(litter, ignore_errors=True)
        shutil.copytree(Path(folder, recipe), new)
        if (ARTIFACTS / recipe).exists():
            os.replace(ARTIFACTS / recipe, old)
        os.replace(new, ARTIFACTS / recipe)
        shutil.rmtree(old, ignore_errors=True)
    return (time.perf_counter() - begun) / 60


def last_minutes(recipe: str) -> str:
    """Say how long a model took when it was last made.

    Parameters
    ----------
    recipe : str

    Returns
    -------
    str
    """
    made = ARTIFACTS / recipe / "metadata.json"
    if not made.exists():
        return "never made before"
    return f"about {json.loads(made.read_text())['minutes']:.0f} minutes when it was last made"


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


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: python tools/models.py DATA [MODEL...]")
    photos = Path(sys.argv[1]).resolve()
    make_backgrounds(photos)
    for recipe in sys.argv[2:] or RECIPES:
        print(f"{recipe}: {last_minutes(recipe)}", flush=True)
        print(f"{recipe}: {make_model(recipe, photos):.1f} minutes", flush=True)
