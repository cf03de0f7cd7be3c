"""From folders of photos or crops to a model in artifacts/: the pipeline, top to bottom."""

import hashlib
import json
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd

from facecore.artifacts import check_name, write_model
from facecore.calibrate import platt
from facecore.centres import MIN_FACES, MIN_PERSONS, leads_back, on_centres
from facecore.crops import (
    ALL,
    TABLE,
    CropSettings,
    count_states,
    crop_folder,
    near_test,
    raw_root,
    read_table,
)
from facecore.detect import HaarSettings, detector_spec
from facecore.errors import DataError, PhotoError
from facecore.estimator import FaceSpaceClassifier
from facecore.evaluate import predict_table, report
from facecore.images import decode
from facecore.model import FaceModel
from facecore.points import tabulate_points
from facecore.prepare import SIDE, flatten, to_square
from facecore.progress import step, track
from facecore.search import (
    GRIDS,
    SearchResult,
    count_folds,
    grid_search,
    parse_grid,
    split_folds,
)
from facecore.sizes import round_sizes

RECIPES: dict[str, dict[str, Any]] = {
    "classic": {
        "name": "classic",
        "detector": detector_spec("haar", HaarSettings()),
        "alignment": None,
        "features": ["pixels"],
        "side": SIDE,
        "frame": 0.86,
        "mirror": True,
    },
}
PACKAGES = ("numpy", "scikit-learn", "opencv-python-headless", "pillow")
CROPS = Path("crops")


def train(
    sources: Sequence[Path],
    name: str,
    *,
    recipe: str = "classic",
    grid: str = "quick",
    jobs: int = 1,
    seed: int = 0,
    centres: int = 0,
    note: str = "",
    command: str = "",
    progress: bool = False,
) -> Path:
    """Train a model and write it to artifacts/.

    Parameters
    ----------
    sources : sequence of Path
        Folders made by crop, or raw ones, which are cropped first (into ``crops/``). Only
        photos of the train split are fitted; a folder without splits has a fifth of its
        persons held out as its test split.
    name : str
        Name of the model.
    recipe : str
        A key of `RECIPES`.
    grid : str
        A key of `facecore.search.GRIDS`, or a JSON file.
    jobs : int
        Worker processes; -1 for one a core.
    seed : int
    centres : int
        Express the machine on at most so many cluster centres, for a model that is given away;
        0 keeps the support vectors.
    note : str
        Terms of the data, stored with the model.
    command : str
        Stored with the model.
    progress : bool

    Returns
    -------
    Path
        The model's folder.

    Raises
    ------
    FacecoreError
    """
    check_name(name)
    if recipe not in RECIPES:
        raise DataError(f"no recipe {recipe!r}; there are: {', '.join(RECIPES)}")
    values = read_grid(grid)
    begun = time.perf_counter()
    faces = gather(sources, RECIPES[recipe], jobs=jobs, seed=seed, progress=progress)
    fitted = faces[faces["split"].eq("train") & faces["state"].eq("kept")]
    X = load_faces(fitted, RECIPES[recipe], jobs)
    y, groups = fitted["label"].to_numpy(dtype=str), persons(fitted)
    search = grid_search(
        X, y, groups, values, seed=seed, jobs=jobs, progress=progress,
        mirrored=RECIPES[recipe]["mirror"],
    )  # fmt: skip
    with step("fit", 1, "model", shown=progress) as advance:
        classifier = FaceSpaceClassifier(**search.best, random_state=seed).fit(X, y)
        model = classifier.to_model(RECIPES[recipe], X, y)
        if centres:
            model = on_centres(model, X, groups, count=centres, seed=seed)
        advance()
    model = model.calibrated(*platt(search.decisions, y, np.array(model.labels)))
    predictions, evaluation = evaluate_splits(faces, model, jobs=jobs, progress=progress)
    metadata = {
        "name": name,
        "recipe": recipe,
        "labels": list(model.labels),
        "created": datetime.now(UTC).strftime("%Y-%m-%d"),
        "command": command,
        "seed": seed,
        "note": note,
        "minutes": round((time.perf_counter() - begun) / 60, 1),
        "versions": {"python": platform.python_version()} | {p: version(p) for p in PACKAGES},
        "data": describe_data(faces),
        "training_faces": {str(k): int(v) for k, v in fitted["label"].value_counts().items()},
        "search": describe_search(search, values),
        "kernel_vectors": describe_vectors(model, X, bool(centres)),
    }
    tables = {"sizes": round_sizes(faces), "grid_search": search.table}
    if not centres:
        tables["coordinates"] = tabulate_points(model.pixels.coordinates(X), y, groups, seed=seed)
    if evaluation:
        tables["predictions"] = predictions
    return write_model(name, model, metadata, tables, evaluation or None)


def read_grid(grid: str) -> dict[str, list[Any]]:
    """Return a grid by name or from a JSON file.

    Parameters
    ----------
    grid : str

    Returns
    -------
    dict of list

    Raises
    ------
    DataError
    """
    if grid in GRIDS:
        return parse_grid(GRIDS[grid])
    if not Path(grid).is_file():
        raise DataError(f"no grid {grid!r}; there are: {', '.join(GRIDS)}, or name a JSON file")
    try:
        values = json.loads(Path(grid).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"cannot read the grid {grid}: {error}") from error
    if not isinstance(values, dict):
        raise DataError(f"the grid {grid} is no JSON object of lists")
    return parse_grid(values)


def gather(
    sources: Sequence[Path],
    recipe: Mapping[str, Any],
    *,
    jobs: int = 1,
    seed: int = 0,
    progress: bool = False,
) -> pd.DataFrame:
    """Bring several data sets into one table of faces, every photo in one split.

    Parameters
    ----------
    sources : sequence of Path
    recipe : mapping
    jobs, seed : int
    progress : bool

    Returns
    -------
    DataFrame
        Columns of `facecore.crops.read_table`, and set (name of the data set) and folder (of
        its crops).

    Raises
    ------
    DataError
    """
    tables = []
    for name, source in zip(_set_names(sources), map(Path, sources), strict=True):
        folder = source
        if not (source / TABLE).is_file():
            digest = hashlib.sha256(str(source.resolve()).encode()).hexdigest()[:8]
            folder = CROPS / f"{source.resolve().name}-{digest}"
            settings = CropSettings(recipe["detector"])
            crop_folder(source, folder, settings, jobs=jobs, progress=progress)
        table = read_table(folder)
        if not table["split"].isin(["train", "test"]).any():
            table["split"] = hold_out(table, seed)
        tables.append(table.assign(set=name, folder=str(folder)))
    faces = pd.concat(tables, ignore_index=True)
    kept = faces["state"].eq("kept")
    near = kept & near_test(faces)
    again = faces["sha256"].where(kept & ~near).duplicated() & kept & ~near
    faces.loc[near | again, ["state", "crop"]] = ["duplicate", ""]
    if not (faces["split"].eq("train") & faces["state"].eq("kept")).any():
        raise DataError("no face to train on: no photo of the train split was kept")
    return faces


def hold_out(table: pd.DataFrame, seed: int) -> np.ndarray:
    """Split a data set by person: about a fifth of the photos for the test.

    Parameters
    ----------
    table : DataFrame
        With label, subject, path.
    seed : int

    Returns
    -------
    ndarray of shape (n_rows,), str
        ``"train"`` or ``"test"``.
    """
    _, test = split_folds(
        table["label"].to_numpy(dtype=str), persons(table.assign(set="")), 5, seed
    )[0]
    split = np.full(len(table), "train", dtype=object)
    split[test] = "test"
    return split


def persons(table: pd.DataFrame) -> np.ndarray:
    """Return who is in each photo; where unknown each photo is a person of its own.

    Parameters
    ----------
    table : DataFrame
        With set, subject, path.

    Returns
    -------
    ndarray of shape (n_rows,), str
    """
    known = table["subject"].ne("")
    who = table["subject"].where(known, table["path"])
    return (table["set"] + np.where(known, "/person/", "/photo/") + who).to_numpy(dtype=str)


def load_faces(table: pd.DataFrame, recipe: Mapping[str, Any], jobs: int = 1) -> np.ndarray:
    """Load crops as rows of grey levels.

    Parameters
    ----------
    table : DataFrame
        With folder and crop.
    recipe : mapping
    jobs : int

    Returns
    -------
    ndarray of shape (n_faces, side * side), uint8

    Raises
    ------
    DataError
        A crop is missing or damaged.
    """
    paths = [
        Path(folder) / crop for folder, crop in zip(table["folder"], table["crop"], strict=True)
    ]
    rows = joblib.Parallel(n_jobs=jobs, batch_size=64)(
        joblib.delayed(_load_face)(path, recipe["side"], recipe["frame"]) for path in paths
    )
    return np.vstack(rows)


def _load_face(path: Path, side: int, frame: float) -> np.ndarray:
    try:
        return flatten(to_square(decode(path).pixels, side, frame))
    except PhotoError as error:
        raise DataError(
            f"crop {path}: {error}; delete it and run: python -m facecore crop RAW --out "
            f"{path.parent.parent}"
        ) from error


def evaluate_splits(
    faces: pd.DataFrame, model: FaceModel, *, jobs: int = 1, progress: bool = False
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Read every test split once, from the raw photos.

    Parameters
    ----------
    faces : DataFrame
        As `gather` returns it.
    model : FaceModel
    jobs : int
    progress : bool

    Returns
    -------
    predictions : DataFrame
        Without names, in no order of photos.
    evaluation : dict
        By data set what `facecore.evaluate.report` returns; sets without a test split, or whose
        raw photos have moved, are left out.
    """
    tables, evaluation = [], {}
    tests = faces[faces["split"].eq("test") & faces["state"].ne("duplicate")]
    for (name, folder), photos in tests.groupby(["set", "folder"], sort=False):
        root = raw_root(Path(folder))
        if root is None or not (root / photos["path"].iloc[0]).is_file():
            print(
                f"the raw photos of {folder} have moved: not evaluated; run: "
                "python -m facecore evaluate PHOTOS --split test",
                file=sys.stderr,
            )
            continue
        bar = partial(
            track, total=len(photos), name=f"evaluate {name}", unit="photo", shown=progress
        )
        table = predict_table(photos, root, model, name=name, jobs=jobs, progress=bar)
        table = table.drop(columns="error").assign(ms=table["ms"].round(2))
        evaluation[name] = report(table)
        tables.append(table.sort_values(["label", "detected", f"p_{model.labels[0]}", "ms"]))
    return (pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()), evaluation


def describe_data(faces: pd.DataFrame) -> dict[str, Any]:
    """Count the photos of each data set.

    Parameters
    ----------
    faces : DataFrame
        As `gather` returns it.

    Returns
    -------
    dict
        By data set: photos, train, test, and the states.
    """
    return {
        name: {
            "photos": len(rows),
            "train": int(rows["split"].eq("train").sum()),
            "test": int(rows["split"].eq("test").sum()),
            "states": {k: int(v) for k, v in count_states(rows)[ALL].drop(ALL).items()},
        }
        for name, rows in faces.groupby("set", sort=False)
    }


def describe_search(search: SearchResult, grid: Mapping[str, Any]) -> dict[str, Any]:
    """Describe a grid search for the metadata.

    Parameters
    ----------
    search : SearchResult
    grid : mapping

    Returns
    -------
    dict
    """
    best = search.table.sort_values("rank_test_score").iloc[0]
    return {
        "grid": dict(grid),
        "candidates": len(search.table),
        "folds": count_folds(search.table.columns),
        "best": search.best,
        "balanced_accuracy": round(float(best["mean_test_score"]), 4),
        "std": round(float(best["std_test_score"]), 4),
    }


def describe_vectors(model: FaceModel, X: np.ndarray, centres: bool) -> dict[str, Any]:
    """Say what the kernel vectors are and how many lead back to a photo.

    Parameters
    ----------
    model : FaceModel
    X : ndarray of shape (n_faces, n_features), uint8
        Training faces.
    centres : bool

    Returns
    -------
    dict
    """
    member = model.pixels
    return {
        "kind": "cluster centres" if centres else "support vectors",
        "count": len(member.kernel_vectors),
        "lead_back_to_a_photo": leads_back(member.kernel_vectors, member.coordinates(X)),
        **({"least_faces": MIN_FACES, "least_persons": MIN_PERSONS} if centres else {}),
    }


def _set_names(sources: Sequence[Path]) -> list[str]:
    names = [Path(source).resolve().name for source in sources]
    return [f"{n}-{i}" if names.count(n) > 1 else n for i, n in enumerate(names, start=1)]
