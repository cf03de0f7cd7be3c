"""Train on faces that are arrays already, such as those that scikit-learn's loaders return."""

import hashlib
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from facecore.data.crops import COLUMNS
from facecore.data.faces import drop_copies
from facecore.data.listing import refuse_twins
from facecore.data.splits import hold_out
from facecore.errors import DataError
from facecore.evaluation.report import drop_unknown, evaluate_predictions
from facecore.face.recipes import (
    Recipe,
    find_recipe,
    for_whole_photos,
    prepare_crop,
    rows_of,
    to_rows,
)
from facecore.model.classifier import FaceModel
from facecore.model.explain import distance_from_face_space
from facecore.model.rule import doubt
from facecore.model.store import check_new_name, reserving
from facecore.system.scratch import reserve_array
from facecore.system.workers import within_memory
from facecore.training.options import LESS, TrainingOptions
from facecore.training.pipeline import Plan, fit_and_write, to_search
from facecore.training.runs import recording
from facecore.training.streaming import in_chunks


# One keyword per fact about the faces, so that no caller has to build a table of them.
@within_memory(LESS)
def train_arrays(
    X: np.ndarray,
    y: Sequence[Any] | np.ndarray,
    name: str,
    *,
    subjects: Sequence[Any] | np.ndarray | None = None,
    split: Sequence[str] | np.ndarray | None = None,
    recipe: str = "classic",
    grid: str = "quick",
    note: str = "",
    whole_photo: bool = False,
    replace: bool = False,
    **options: Any,
) -> Path:
    """Train a model on arrays of faces and write it to artifacts/, with its evaluation.

    The arrays are taken as crops: the recipe prepares them as it prepares the crops of photos,
    so the model also answers about photos, in which the recipe's detector looks for the faces.

    Parameters
    ----------
    X : ndarray of shape (n_faces, h, w), (n_faces, h, w, 3) or (n_faces, side * side)
        Grey levels or RGB, one face each: uint8, or floats in [0, 1] or [0, 255].
    y : sequence of shape (n_faces,)
        Labels, two or more; numbers become their text.
    name : str
        Name of the model: letters, digits, - and _.
    subjects : sequence of shape (n_faces,), optional
        Who is on each face; one subject's faces stay in one fold and on one side of the split.
        Without it every face counts as a subject of its own.
    split : sequence of shape (n_faces,), optional
        ``"train"``, ``"val"`` or ``"test"`` for each face; without it a fifth of the subjects is
        held out for the test. Faces of the val split help to choose and are never fitted.
    recipe : str
        A key of `facecore.face.RECIPES`. ``"classic"`` suits crops that are the face alone;
        ``"embedding"`` needs colour.
    grid : str
        As `facecore.training.train` takes it.
    note : str
        Terms of the data, stored with the model.
    whole_photo : bool
        Whether the photos that the model will see are such crops themselves, so that it takes each
        of them for a face, without a detector.
    replace : bool
        Whether a model of that name may be replaced; one that ships with facecore never.
    **options : dict
        Seed, jobs, progress, centres, solver and landmarks, as `TrainingOptions` takes them.

    Returns
    -------
    Path
        The model's folder.

    Raises
    ------
    FacecoreError
        The arrays are not faces, the lengths differ, or what `facecore.training.train` refuses.

    Examples
    --------
    Arrays of synthetic faces; `sklearn.datasets.fetch_olivetti_faces` returns such arrays too:

    >>> from facecore.model import load_model, sample_faces
    >>> known = load_model("classic")
    >>> X = np.concatenate([sample_faces(known, label, 30) for label in known.labels])
    >>> folder = train_arrays(X, np.repeat(known.labels, 30), "arrays", seed=1)
    >>> load_model("arrays")
    FaceModel(female / male, recipe 'classic', members: pixels)
    """
    found = for_whole_photos(find_recipe(recipe)) if whole_photo else find_recipe(recipe)
    plan = Plan(check_new_name(name), found, grid, TrainingOptions(**options), note)
    plan.check()
    crops = to_crops(X, colour=plan.recipe.embedding)
    table = drop_copies(_tabulate(crops, y, subjects, split, name, plan.options))

    def load(file: Path) -> np.ndarray:
        return _write_rows([crops[i] for i in to_search(table).index], plan.recipe, file)

    def evaluate(model: FaceModel) -> tuple[pd.DataFrame, dict[str, Any]]:
        tested = table[table["split"].eq("test") & table["state"].eq("kept")]
        tested, note = drop_unknown(tested, model.labels)
        if note:
            print(f"{name}: {note}", file=sys.stderr)
        if tested.empty:
            return pd.DataFrame(), {}
        predictions = _predict(model, [crops[i] for i in tested.index], tested)
        return predictions, {name: evaluate_predictions(predictions, plan.options.order)}

    with reserving(plan.name, replace), recording(plan):
        return fit_and_write(plan, table, load, evaluate)


def to_crops(X: np.ndarray, *, colour: bool = False) -> np.ndarray:
    """Return arrays of faces as crops.

    Parameters
    ----------
    X : ndarray of shape (n_faces, h, w), (n_faces, h, w, 3) or (n_faces, side * side)
        As `train_arrays` takes them.
    colour : bool
        Faces must have colours.

    Returns
    -------
    ndarray of shape (n_faces, h, w) or (n_faces, h, w, 3), uint8
        One crop per face.

    Raises
    ------
    DataError
        The shape or the type is not that of faces, or the numbers leave their range.

    Examples
    --------
    >>> to_crops(np.full((2, 4), 0.5)).tolist()
    [[[128, 128], [128, 128]], [[128, 128], [128, 128]]]
    """
    X = np.asarray(X)
    if X.ndim == 2:
        side = round(X.shape[1] ** 0.5)
        if side * side != X.shape[1]:
            raise DataError(f"rows of {X.shape[1]} pixels are not squares; give (n, height, width)")
        X = X.reshape(-1, side, side)
    if X.ndim not in (3, 4) or (X.ndim == 4 and X.shape[3] != 3) or not X.size:
        raise DataError(f"an array of shape {X.shape} is not faces; give (n, height, width)")
    if colour and X.ndim == 3:
        raise DataError("this recipe needs faces in colour; give (n, height, width, 3)")
    if X.dtype == np.uint8:
        return X
    if X.dtype.kind not in "uif":
        raise DataError(f"faces of type {X.dtype}; give grey levels as uint8 or floats")
    least, most = float(X.min()), float(X.max())
    if not (np.isfinite([least, most]).all() and least >= 0 and most <= 255):
        raise DataError(f"grey levels from {least:g} to {most:g}; give [0, 1] or [0, 255]")
    scale = 255 if X.dtype.kind == "f" and most <= 1 else 1
    return np.asarray(np.rint(X * scale), dtype=np.uint8)


def _tabulate(
    crops: np.ndarray, y: Any, subjects: Any, split: Any, name: str, options: TrainingOptions
) -> pd.DataFrame:
    """Return crops as a table of faces like that of a folder of crops, indexed by row of X."""
    count, (height, width) = len(crops), crops.shape[1:3]
    table = pd.DataFrame("", index=range(count), columns=list(COLUMNS), dtype="str")
    table["path"] = [f"face {i}" for i in range(count)]
    table["label"] = _texts(y, count, "labels")
    refuse_twins(table["label"], "y")
    table["subject"] = "" if subjects is None else _texts(subjects, count, "subjects")
    table["state"] = "kept"
    sizes = {"x": 0.0, "y": 0.0, "w": width, "h": height}
    sizes |= {"photo_width": width, "photo_height": height, "score": np.nan}
    table = table.astype(dict.fromkeys(sizes, "object")).assign(**sizes)
    # Copies are told by their bytes alone: crops of one subject may nearly equal each other.
    table["sha256"] = [hashlib.sha256(crop.tobytes()).hexdigest() for crop in crops]
    if split is None:
        table["split"] = hold_out(table, options.seed, options.identity)
    else:
        table["split"] = _texts(split, count, "split")
        if unknown := sorted(set(table["split"]) - {"train", "val", "test"}):
            raise DataError(f"split {unknown[0]!r} is unknown; give train, val or test per face")
    return table.assign(set=name, folder="")


def _texts(values: Any, count: int, what: str) -> list[str]:
    texts = [str(value) for value in np.asarray(values).ravel().tolist()]
    if len(texts) != count:
        raise DataError(f"{len(texts)} {what} for {count} faces; give one per face")
    if "" in texts:
        raise DataError(f"one of the {what} is empty; give a text or number per face")
    return texts


def _write_rows(crops: Sequence[np.ndarray], recipe: Recipe, file: Path) -> np.ndarray:
    """Write the rows of crops to a file and map it."""
    reserve_array(file, *rows_of(len(crops), recipe))
    X = np.load(file, mmap_mode="r+")
    for place, crop in zip(X, crops, strict=True):
        place[:] = to_rows([prepare_crop(crop, recipe)], recipe)[0]
    X.flush()
    mapped: np.ndarray = np.load(file, mmap_mode="r")
    return mapped


def _predict(model: FaceModel, crops: Sequence[np.ndarray], table: pd.DataFrame) -> pd.DataFrame:
    """Return the predictions of crops as `facecore.evaluation.predict_table` does of photos."""
    begun = time.perf_counter()
    X = np.vstack([to_rows([prepare_crop(crop, model.recipe)], model.recipe) for crop in crops])
    P = in_chunks(model.predict_proba, X)
    ms = (time.perf_counter() - begun) * 1e3 / len(crops)
    distances = in_chunks(lambda rows: distance_from_face_space(model, rows), X)
    best, columns = P.argmax(axis=1), [f"p_{label}" for label in model.labels]
    predictions = pd.DataFrame(np.round(P, 6), columns=columns)
    predictions.insert(0, "set", table["set"].iloc[0])
    predictions.insert(1, "label", table["label"].to_numpy())
    predictions.insert(2, "detected", True)
    predictions.insert(3, "predicted", np.array(model.labels)[best])
    return predictions.assign(
        distance=np.round(distances, 4),
        score=np.nan,  # no detector looked for these faces
        answered=[
            doubt(model.rule, confidence, distance, np.inf) is None
            for confidence, distance in zip(P.max(axis=1), distances, strict=True)
        ],
        ms=round(ms, 2),
        age="",
        race="",
    ).sort_values(["label", columns[0]], ignore_index=True)
