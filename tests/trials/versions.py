"""Models, apps and tests under the oldest versions that are promised, beside those installed.

    python tests/trials/versions.py [--tests] [--keep FOLDER] [--json FILE]

Makes a virtual environment with the lowest version of every package that the two requirement files
name. The shipped models must answer made photos there as they do here, a model trained there must
load here and the other way round, every page of the dashboard and of the site must open, and with
--tests a part of the library's tests runs there.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPO))

from benchmarks.figures import publish  # noqa: E402
from facecore.errors import FacecoreError  # noqa: E402

FILES = ("requirements.txt", "requirements-web.txt")
CLOSE = 1e-6
TESTS = (
    "face/test_images",
    "face/test_features",
    "model/test_classifier",
    "training/test_kernels",
    "training/test_eigenfaces",
    "training/test_estimator",
    "training/test_calibrate",
)
PROBE = """
import importlib.metadata, json, os, sys
from pathlib import Path

shipped, name, models, packages = sys.argv[1:]
shipped, models = shipped.split(","), Path(models)
sys.path.insert(0, "tests")
from cartoons import draw_photo, write_raw
from facecore.model.store import load_model
from facecore.data.crops import crop_folder, recipe_settings
from facecore.face.images import to_png
from facecore.model.predict import predict_photo
from facecore.model.synth import make_photo
from facecore.training.pipeline import train

answers = {}

def ask(model, photos):
    for i, photo in enumerate(photos):
        found = predict_photo(photo, load_model(model)).faces
        answers[f"{model} {i}"] = [face.scores for face in found]

made = load_model("classic")
for model in shipped:
    ask(model, [to_png(make_photo(made, made.labels[i % 2], i)) for i in range(8)])
os.environ["FACECORE_ARTIFACTS"] = str(models)
place = models.parent
raw, crops, grid = place / f"raw-{name}", place / f"crops-{name}", place / "grid.json"
write_raw(raw, persons=8, shots=2)
crop_folder(raw, crops, recipe_settings("classic"))
grid.write_text('{"n_components": [10], "C": [5.0], "gamma": [0.005], "whiten": [true]}')
train([crops], name, recipe="classic", grid=str(grid), replace=True)
for model in sorted(path.parent.name for path in models.glob("*/metadata.json")):
    ask(model, [to_png(draw_photo(label, 30)) for label in ("round", "square")])
versions = {p: importlib.metadata.version(p) for p in packages.split(",")}
print(json.dumps({"answers": answers, "versions": versions}))
"""
APPS = """
import io, sys
from pathlib import Path
from streamlit.testing.v1 import AppTest
from facecore.model.store import load_model
from facecore.face.images import to_png
from facecore.model.synth import make_photo
from webapp import create_app

for page in ["dashboard.py", *sorted(str(path) for path in Path("pages").glob("*.py"))]:
    app = AppTest.from_file("dashboard.py", default_timeout=120)
    if page != "dashboard.py":
        app.switch_page(page)
    problems = [error.message for error in app.run().exception]
    if problems or not app.title:
        sys.exit(f"{page}: {problems or 'is empty'}")

model = load_model("classic")
photo = to_png(make_photo(model, model.labels[0], 0))
site = create_app({"TESTING": True, "WTF_CSRF_ENABLED": False}).test_client()
paths = ["/", "/app/gender/", "/models/classic", "/metrics", "/api/v1/models"]
answers = {path: site.get(path) for path in paths}
form = {"photo": (io.BytesIO(photo), "a.png")}
answers["an upload"] = site.post("/app/gender/", data=form)
answers["the API"] = site.post("/api/v1/predict", data=photo, content_type="image/png")
if wrong := {name: answer.status for name, answer in answers.items() if answer.status_code != 200}:
    sys.exit(f"the site: {wrong}")
"""
SERVER = ["--check-config", "--worker-class", "webapp.worker.Worker", "webapp:create_app()"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the trial and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tests", action="store_true", help="a part of the tests, too")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="environment to use again")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="trial-versions-") as folder:
        python = make_environment(options.keep or Path(folder) / "oldest", lower_bounds())
        return publish(lambda: compare(python, Path(folder), options.tests), options.json)


def compare(python: Path, place: Path, tests: bool) -> dict[str, Any]:
    """Do all of the trial beside what runs here.

    Parameters
    ----------
    python : Path
        Of the environment with the lowest versions.
    place : Path
        Folder for what is made on the way.
    tests : bool
        Run a part of the tests there.

    Returns
    -------
    dict

    Raises
    ------
    FacecoreError
        Something does otherwise there than here.
    """
    lowest = lower_bounds()
    models = place / "models"
    models.mkdir()
    # Each trains a model; the one that comes second answers by both, the first is asked again.
    old = probe(python, "oldest", models, lowest)
    new = probe(Path(sys.executable), "installed", models, lowest)
    old |= {"answers": old["answers"] | probe(python, "oldest", models, lowest)["answers"]}
    print(f"{'package':<26} {'oldest':>10} {'installed':>10}")
    for package in lowest:
        print(f"{package:<26} {old['versions'][package]:>10} {new['versions'][package]:>10}")
    apart = difference(old["answers"], new["answers"])
    print(f"{len(new['answers'])} photos answered by both, at most {apart:.1e} apart", flush=True)
    if apart > CLOSE:
        raise FacecoreError(f"probabilities are {apart:.1e} apart under the oldest versions")
    run([python, "-c", APPS], "the apps")
    if os.name != "nt":
        run([python.with_name("gunicorn"), *SERVER], "the server's configuration")
    print("every page of the dashboard and the site opens, and gunicorn takes the worker")
    if tests:
        files = [f"tests/facecore/{name}.py" for name in TESTS]
        # scikit-learn 1.9.0 uses what pytest 9 warns of
        quiet = ["-W", "ignore::pytest.PytestRemovedIn10Warning"]
        alone = ["-o", "addopts=--import-mode=importlib"]
        pytest = [python, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *alone]
        done = run([*pytest, *quiet, *files], "the tests")
        print(done.splitlines()[-1])
    oldest = {f"oldest_{name}": version for name, version in old["versions"].items()}
    return {"largest_difference": apart, "photos": len(new["answers"])} | oldest


def run(command: Sequence[Path | str], what: str) -> str:
    """Run a command in the project's folder; returns what it printed.

    Raises
    ------
    FacecoreError
        It failed.
    """
    settings = {"FACECORE_ARTIFACTS": str(REPO / "artifacts"), "FACECORE_SECRET_KEY": "a key"}
    done = subprocess.run(
        command, cwd=REPO, env=os.environ | settings, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise FacecoreError(f"{what}, by {command[0]}:\n{(done.stdout + done.stderr)[-2000:]}")
    return done.stdout


def lower_bounds() -> dict[str, str]:
    """Return the lowest version of each package that the requirement files name."""
    found = {}
    for file in FILES:
        for line in (REPO / file).read_text(encoding="utf-8").splitlines():
            if stated := re.match(r"([\w-]+)>=([\d.]+)", line):
                found[stated[1]] = ".".join([*stated[2].split("."), "0", "0"][:3])
    return found


def make_environment(folder: Path, lowest: dict[str, str]) -> Path:
    """Make a virtual environment with the lowest versions; returns its Python."""
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pins = [f"{package}=={version}.*" for package, version in lowest.items()]
        pip = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*pip, *pins, "pytest", "hypothesis"], check=True)
    return python


def probe(python: Path, name: str, models: Path, lowest: dict[str, str]) -> dict[str, Any]:
    """Ask the shipped models and train one, under one Python."""
    begun = time.perf_counter()
    arguments = ["classic,aligned", name, models, ",".join(lowest)]
    printed = run([python, "-c", PROBE, *arguments], f"the {name} versions")
    print(f"{name}: {time.perf_counter() - begun:.0f} s", flush=True)
    found: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return found


def difference(old: dict[str, Any], new: dict[str, Any]) -> float:
    """Return the largest difference of a probability; infinite where faces are others, or none."""
    if old.keys() != new.keys():
        return float("inf")
    largest = 0.0
    for photo, faces in new.items():
        if not faces or len(faces) != len(old[photo]):
            return float("inf")
        for mine, others in zip(faces, old[photo], strict=True):
            largest = max(largest, *(abs(mine[label] - others[label]) for label in mine))
    return largest


if __name__ == "__main__":
    sys.exit(main())
