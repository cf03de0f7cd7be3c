"""Our recipes against scikit-learn's eigenfaces example, on label folders of any kind.

The example is `StandardScaler`, `PCA` and `SVC` with a grid search. It sees (a) whole photos, grey,
100 x 100 pixels (0.4 of LFW's 250, as there), and (b) our crops at the same size. Both sides search
in the same folds, calibrate their probabilities, and are asked about the same test photos; one in
which no face is found counts as wrong.

    python benchmarks/labels.py [--data DIR] [--tasks NAME ...] [--recipes NAME ...] [--quick]
    python benchmarks/labels.py --folders DIR ... [--grid NAME] [--json FILE]

Every training is a process of its own, with one worker and one thread of linear algebra. Its CPU
seconds and its peak memory are those of the process and its children until the model is fitted;
crops are made before, and counted on their own.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

from benchmarks.figures import publish  # noqa: E402
from facecore.data import (  # noqa: E402
    crop_folder,
    list_photos,
    read_table,
    recipe_settings,
    split_folds,
    subject_names,
)
from facecore.errors import DataError  # noqa: E402
from facecore.evaluation import evaluate_predictions, predict_table  # noqa: E402
from facecore.face import RECIPES, crops_of, decode, find_recipe, lacks, to_grey  # noqa: E402
from facecore.model import load_model  # noqa: E402
from facecore.training import train  # noqa: E402

SIDE = 100
FEW = 20  # photos per label of a quick run
EXAMPLE = {
    "pca__n_components": [50, 150],
    "svc__C": [1.0, 10.0, 100.0, 1000.0],
    "svc__gamma": [0.0005, 0.001, 0.005, 0.01],
}
BANDS = {12: "0-12", 19: "13-19", 39: "20-39", 59: "40-59", 200: "60+"}  # by the last year
COLUMNS = ["path", "label", "subject", "split"]
KEPT = {
    "accuracy": "accuracy_all",
    "balanced": "balanced_accuracy_all",
    "ECE": "calibration_error",
    "answered": "coverage",
    "right of these": "accuracy_answered",
}
Job = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    shared = os.environ.get("FACECORE_DATA") or REPO.parent / "shared" / "data"
    parser.add_argument("--data", type=Path, default=Path(shared), help="folder of data sets")
    parser.add_argument("--tasks", nargs="+", choices=TASKS, metavar="NAME", default=[*TASKS])
    parser.add_argument("--folders", nargs="+", type=Path, help="label folders, instead of tasks")
    usable = [name for name, recipe in RECIPES.items() if not lacks(recipe)]
    parser.add_argument("--recipes", nargs="*", choices=usable, metavar="NAME", default=usable)
    parser.add_argument("--grid", default="tuned", help="of our recipes: a name or a JSON file")
    parser.add_argument("--quick", action="store_true", help=f"{FEW} photos per label")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    parser.add_argument("--job", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.job:
        print(json.dumps(work(json.loads(options.job))))
        return 0
    return publish(lambda: measure(options), options.json)


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Run every task and print its table when it is done.

    Returns
    -------
    dict
        By task: photos of each split, CPU seconds of the crops, and by competitor the figures of
        `KEPT`, found (share of the test photos), cpu (seconds), times (of the example on photos)
        and mb (peak memory).
    """
    if options.folders:
        tables = {folder.name: (lambda f=folder: read_folder(f)) for folder in options.folders}
    else:
        tables = {name: (lambda n=name: TASKS[n](options.data)) for name in options.tasks}
    figures = {}
    for name, make in tables.items():
        photos = split(make(), options.seed)
        if options.quick:
            photos = photos.groupby(["label", "split"]).head(FEW)
        with tempfile.TemporaryDirectory() as place:
            figures[name] = compete(photos, Path(place), options)
        show(name, figures[name])
    return figures


def read_folder(folder: Path) -> pd.DataFrame:
    """Return the photos of a folder of labels, with the whole path of each."""
    photos = list_photos(folder)
    return photos.assign(path=[str(folder / path) for path in photos["path"]])


def ages(data: Path) -> pd.DataFrame:
    """Age bands: adults of one set, children of another."""
    photos = pd.concat([read_folder(data / "utkface"), read_folder(data / "children")])
    photos = photos[photos["age"].ne("")]
    edges = [-1, *BANDS]
    bands = pd.cut(photos["age"].astype(float), edges, labels=list(BANDS.values())).astype(str)
    # the children have no test split, so theirs is drawn by seed
    return photos.assign(label=bands, split=photos["split"].where(bands.ne("0-12"), ""))


def races(data: Path) -> pd.DataFrame:
    """What the data set calls race."""
    photos = read_folder(data / "utkface")
    return photos[photos["race"].ne("")].assign(label=lambda table: table["race"])


def persons(data: Path, least: int = 0, shots: int | None = None) -> pd.DataFrame:
    """Persons with more than some photos, perhaps with a few training photos each."""
    photos = read_folder(data / "persons").assign(subject="")
    photos = photos[photos.groupby("label")["path"].transform("size") > least]
    if shots is None:
        return photos
    trained = photos[photos["split"].eq("train")].groupby("label").head(shots)
    return pd.concat([trained, photos[photos["split"].eq("test")]])


def five_photos(data: Path) -> pd.DataFrame:
    """Fifty persons with five photos each."""
    photos = read_folder(data / "lfw")
    counts = photos["subject"].value_counts()
    chosen = sorted(counts[counts.eq(5)].index.drop("", errors="ignore"))[:50]
    photos = photos[photos["subject"].isin(chosen)]
    names = {subject: f"person {i:02d}" for i, subject in enumerate(chosen)}
    return photos.assign(label=photos["subject"].map(names), subject="", split="")


TASKS: dict[str, Callable[[Path], pd.DataFrame]] = {
    "age": ages,
    "race": races,
    "7 persons": lambda data: persons(data, 70),
    "34 persons": persons,
    "50 persons of 5 photos": five_photos,
    "7 persons, 10 photos each": lambda data: persons(data, 70, 10),
}


def split(photos: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Hold out a fifth of the photos that are in no split, subjects together."""
    photos = photos.reset_index(drop=True)
    loose = photos[photos["split"].eq("")]
    if loose.empty:
        return photos[COLUMNS]
    who = subject_names(loose.assign(set=""))
    if len(loose["label"].unique()) > 1:
        held = split_folds(loose["label"].to_numpy(str), who, 5, seed)[0][1]
    else:  # of one label nothing has to be stratified
        names = np.random.default_rng(seed).permutation(np.unique(who))
        held = np.flatnonzero(np.isin(who, names[: max(1, len(names) // 5)]))
    photos.loc[loose.index, "split"] = "train"
    photos.loc[loose.index[held], "split"] = "test"
    return photos[COLUMNS]


def compete(photos: pd.DataFrame, place: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Let all recipes and the example learn the same photos, each in a process of its own."""
    for part, rows in photos.groupby("split"):
        write_photos(rows, place / "raw" / str(part))
    cuts = list(dict.fromkeys(crops_of(find_recipe(name)) for name in options.recipes))
    crops = {cut: start({"do": "crop", "place": str(place), "recipe": cut}) for cut in cuts}
    shared: Job = {"place": str(place), "seed": options.seed, "grid": options.grid}
    jobs = {"example, photos": {"do": "example", "crops": ""}}
    if cuts:
        cut = "aligned" if "aligned" in cuts else cuts[0]
        jobs["example, our crops"] = {"do": "example", "crops": cut}
    jobs |= {name: {"do": "train", "recipe": name} for name in options.recipes}
    answers = {name: start(shared | job) for name, job in jobs.items()}
    base = answers["example, photos"]["cpu"]
    return {
        "photos": {str(k): int(v) for k, v in photos["split"].value_counts().items()},
        "labels": int(photos["label"].nunique()),
        "crops_cpu": {cut: found["cpu"] for cut, found in crops.items()},
        "answers": {
            name: found | {"times": round(found["cpu"] / base, 2)}
            for name, found in answers.items()
        },
    }


def write_photos(photos: pd.DataFrame, folder: Path) -> None:
    """Copy photos into label folders, with their table and without their names."""
    names = []
    for i, (path, label) in enumerate(zip(photos["path"], photos["label"], strict=True)):
        names.append(f"{label}/{i}{Path(path).suffix}")
        (folder / label).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / names[-1])
    photos.assign(path=names).to_csv(folder / "labels.csv", index=False)


def start(job: Job) -> dict[str, Any]:
    """Do a job in a process of its own, and return what it found."""
    # Threads of linear algebra that wait for each other would count as CPU seconds.
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    models = str(Path(job["place"]) / "models")
    environment = {**os.environ, **threads, "FACECORE_ARTIFACTS": models}
    command = [sys.executable, str(Path(__file__).resolve()), "--job", json.dumps(job)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip() or "it said nothing").splitlines()[-1]
        raise DataError(f"{job['do']} {job.get('recipe', '')} failed: {said}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def work(job: Job) -> dict[str, Any]:
    """Crop, or learn and answer about the test photos; measure all but the answers."""
    return {"crop": crop, "train": ours, "example": example}[job["do"]](job)


def usage() -> dict[str, float]:
    """Return CPU seconds and peak memory of this process and its children, until now."""
    parts = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    unit = 2**20 if sys.platform == "darwin" else 2**10  # macOS counts bytes, Linux kilobytes
    cpu = sum(part.ru_utime + part.ru_stime for part in parts)
    return {"cpu": round(cpu, 1), "mb": round(max(part.ru_maxrss for part in parts) / unit)}


def crop(job: Job) -> dict[str, Any]:
    """Crop both splits as a recipe cuts faces."""
    for part in ("train", "test"):
        source, out = Path(job["place"], "raw", part), Path(job["place"], job["recipe"], part)
        crop_folder(source, out, recipe_settings(job["recipe"]))
    return usage()


def ours(job: Job) -> dict[str, Any]:
    """Train a recipe on crops, and answer about photos."""
    crops = Path(job["place"], crops_of(find_recipe(job["recipe"])), "train")
    how = {name: job[name] for name in ("recipe", "grid", "seed")}
    train([crops], "mine", **how, replace=True)
    used = usage()
    source = Path(job["place"], "raw", "test")
    return judge(predict_table(list_photos(source), source, load_model("mine"))) | used


def example(job: Job) -> dict[str, Any]:
    """Train the example on photos or on crops, and answer about the same."""
    X, y, who = read_pixels(job, "train")
    folds = split_folds(y, who, 5, job["seed"])
    most = min(len(part) for part, _ in folds)
    components = sorted({min(n, most) for n in EXAMPLE["pca__n_components"]})
    pca = PCA(svd_solver="randomized", whiten=True, random_state=job["seed"])
    svc = SVC(kernel="rbf", class_weight="balanced")
    pipeline = Pipeline([("scale", StandardScaler()), ("pca", pca), ("svc", svc)])
    grid = EXAMPLE | {"pca__n_components": components}
    search = GridSearchCV(pipeline, grid, cv=folds, scoring="balanced_accuracy").fit(X, y)
    best = CalibratedClassifierCV(search.best_estimator_, cv=folds, ensemble=False).fit(X, y)
    used = usage()
    X, y, _ = read_pixels(job, "test")
    table = pd.DataFrame(best.predict_proba(X), columns=[f"p_{label}" for label in best.classes_])
    table = table.assign(label=y, detected=True, answered=True, predicted=search.predict(X))
    truth = list_photos(Path(job["place"], "raw", "test"))["label"]
    for label, count in (truth.value_counts() - pd.Series(y).value_counts()).items():
        unseen = {"label": label, "detected": False, "answered": False, "predicted": ""}
        table = pd.concat([table, pd.DataFrame([unseen] * int(count))], ignore_index=True)
    table = table.astype({"detected": bool, "answered": bool})
    return judge(table.assign(age="", race="")) | used


def read_pixels(job: Job, part: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return grey levels, labels and subjects of photos, or of their crops."""
    if job["crops"]:
        folder = Path(job["place"], job["crops"], part)
        table = read_table(folder)
        table = table[table["state"].eq("kept")]
        files = [folder / name for name in table["crop"]]
    else:
        folder = Path(job["place"], "raw", part)
        table = list_photos(folder)
        files = [folder / name for name in table["path"]]
    X = np.empty((len(files), SIDE * SIDE), dtype=np.float32)
    for row, file in zip(X, files, strict=True):
        grey = to_grey(decode(file).pixels)
        row[:] = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA).ravel()
    return X, table["label"].to_numpy(str), subject_names(table.assign(set=""))


def judge(table: pd.DataFrame) -> dict[str, Any]:
    """Return the figures of predictions."""
    found = evaluate_predictions(table)
    return {"found": round(found["detected"] / found["n"], 4)} | {
        name: found[key] for name, key in KEPT.items()
    }


def show(name: str, figures: dict[str, Any]) -> None:
    """Print the table of a task."""
    photos = figures["photos"]
    print(
        f"\n{name}: {figures['labels']} labels, {photos['train']} photos to train, "
        f"{photos['test']} to test"
    )
    print(pd.DataFrame(figures["answers"]).T.to_string(float_format="{:.3f}".format))
    spent = ", ".join(f"{cut} {cpu:.0f} s" for cut, cpu in figures["crops_cpu"].items())
    print(f"crops, CPU: {spent or 'none'}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
