"""Models and tests under the oldest versions that pyproject.toml promises, beside those installed.

    python tests/trials/versions.py [--tests] [--keep FOLDER] [--json FILE]

Makes a virtual environment with the lowest version of every package that the library needs. The
shipped models must answer made photos there as they do here, a model trained there must load here
and the other way round, and with --tests a part of the library's tests runs there.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parents[2]
CLOSE = 1e-6
TESTS = ["images", "features", "model", "estimator", "calibrate"]
PROBE = """
import importlib.metadata, json, os, sys
from pathlib import Path

shipped, name, models, packages = sys.argv[1:]
shipped, models = shipped.split(","), Path(models)
sys.path.insert(0, "tests")
from cartoons import draw_photo, write_raw
from facecore.artifacts import load_model
from facecore.crops import crop_folder, recipe_settings
from facecore.images import to_png
from facecore.predict import predict_photo
from facecore.synth import make_photo
from facecore.train import train

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
train([crops], name, recipe="classic", grid=str(grid))
for model in sorted(path.name for path in models.iterdir()):
    ask(model, [to_png(draw_photo(label, 30)) for label in ("round", "square")])
versions = {p: importlib.metadata.version(p) for p in packages.split(",")}
print(json.dumps({"answers": answers, "versions": versions}))
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the trial and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tests", action="store_true", help="a part of the tests, too")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="environment to use again")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    options = parser.parse_args(arguments)
    lowest = lower_bounds()
    with tempfile.TemporaryDirectory(prefix="trial-versions-") as folder:
        place = Path(folder)
        python = make_environment(options.keep or place / "oldest", lowest)
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
        print(f"{len(new['answers'])} photos answered by both, at most {apart:.1e} apart")
        failed = apart > CLOSE
        if options.tests:
            files = [f"tests/facecore/test_{name}.py" for name in TESTS]
            command = [python, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *files]
            # scikit-learn 1.9.0 uses what pytest 9 warns of
            command += ["-W", "ignore::pytest.PytestRemovedIn10Warning"]
            failed |= bool(subprocess.run(command, cwd=REPO, check=False).returncode)
    if options.json:
        figures = {"largest_difference": apart, "photos": len(new["answers"])}
        figures |= {f"oldest_{name}": version for name, version in old["versions"].items()}
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    if failed:
        print("error: the oldest versions do not do what the installed ones do", file=sys.stderr)
    return int(failed)


def lower_bounds() -> dict[str, str]:
    """Return the lowest version of each package that the library needs, as it is promised."""
    project = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = {}
    for requirement in project["dependencies"]:
        package, version = re.fullmatch(r"([\w-]+)>=([\d.]+)(?:,<[\d.]+)?", requirement).groups()
        found[package] = ".".join([*version.split("."), "0", "0"][:3])
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
    done = subprocess.run(
        [python, "-c", PROBE, "classic,aligned", name, models, ",".join(lowest)],
        cwd=REPO, env=os.environ | {"FACECORE_ARTIFACTS": str(REPO / "artifacts")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"error: under the {name} versions:\n{done.stderr[-2000:]}")
    print(f"{name}: {time.perf_counter() - begun:.0f} s", flush=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
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
