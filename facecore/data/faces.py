"""Bring data sets into one table of faces, and faces into rows of numbers."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from facecore.data.crops import (
    TABLE,
    check_recipe,
    crop_folder,
    near_test,
    read_table,
    recipe_settings,
)
from facecore.data.splits import hold_out
from facecore.errors import DataError, PhotoError
from facecore.face.images import decode
from facecore.face.recipes import (
    crops_of,
    prepare_crop,
    rows_of,
    to_rows,
)
from facecore.system.scratch import reserve_array

CROPS = Path("crops")


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
        Columns of `facecore.data.crops.read_table`, and set (name of the data set) and folder (of
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
            cut_by = crops_of(recipe)
            folder = CROPS / f"{source.resolve().name}-{cut_by}-{digest}"
            settings = recipe_settings(cut_by)
            crop_folder(source, folder, settings, jobs=jobs, progress=progress)
        check_recipe(folder, recipe)
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


def load_faces(
    table: pd.DataFrame, recipe: Mapping[str, Any], jobs: int = 1, file: Path | None = None
) -> np.ndarray:
    """Load crops as rows of numbers, as the recipe says.

    Parameters
    ----------
    table : DataFrame
        With folder and crop.
    recipe : mapping
    jobs : int
    file : Path, optional
        Write them to this ``.npy`` chunk by chunk and map it, instead of holding them in memory.

    Returns
    -------
    ndarray of shape (n_faces, n_numbers)
        As `facecore.face.recipes.to_rows` makes them.

    Raises
    ------
    DataError
        A crop is missing or damaged.
    """
    paths = [
        Path(folder).absolute() / crop  # workers may stand elsewhere
        for folder, crop in zip(table["folder"], table["crop"], strict=True)
    ]
    rows = joblib.Parallel(n_jobs=jobs, batch_size=64, return_as="generator")(
        joblib.delayed(_load_face)(path, recipe) for path in paths
    )
    shape, dtype = rows_of(len(paths), recipe)
    if file is None:
        X = np.empty(shape, dtype=dtype)
    else:
        reserve_array(file, shape, dtype)
        X = np.load(file, mmap_mode="r+")
    with threadpool_limits(1):  # the products of one face are too small to be shared
        for place, row in zip(X, rows, strict=True):
            place[:] = row.ravel()
    if file is None:
        return X
    assert isinstance(X, np.memmap)
    X.flush()  # other machines may read it
    return np.load(file, mmap_mode="r")


def _load_face(path: Path, recipe: Mapping[str, Any]) -> np.ndarray:
    try:
        return to_rows([prepare_crop(decode(path).pixels, recipe)], recipe)
    except PhotoError as error:
        raise DataError(
            f"crop {path}: {error}; delete it and run: python -m facecore crop RAW --out "
            f"{path.parent.parent}"
        ) from error


def _set_names(sources: Sequence[Path]) -> list[str]:
    names = [Path(source).resolve().name for source in sources]
    return [f"{n}-{i}" if names.count(n) > 1 else n for i, n in enumerate(names, start=1)]
