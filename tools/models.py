"""Make the shipped models from raw photos: python tools/models.py DATA

Needs the extra `embedding` (README).
DATA has one folder per data set: lfw, utkface, celebrities and congress. Crops go to crops/; a run
that was stopped continues where it was. Prints the minutes of each model.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
ARTIFACTS = REPO / "artifacts"
SETS = ("lfw", "utkface", "celebrities", "congress")
RECIPES = ("aligned", "classic", "embedding")
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
                "tuned",
                "--centres",
                "8000",
                "--title",
                "Gender",
                "--note",
                NOTE,
            ],
            cwd=REPO,
            env=os.environ | {"FACECORE_ARTIFACTS": folder},
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


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python tools/models.py DATA")
    for recipe in RECIPES:
        print(f"{recipe}: {make_model(recipe, Path(sys.argv[1]).resolve()):.1f} minutes")
