"""Gather data sets as one table of faces, and load faces as rows of numbers."""

import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from facecore.data.crops import (
    TABLE,
    check_finished,
    check_recipe,
    crop_folder,
    find_copies,
    minimum_of,
    read_table,
    recipe_settings,
)
from facecore.data.listing import refuse_twins
from facecore.data.losses import NONE_LEFT, describe_losses
from facecore.data.splits import hold_out
from facecore.errors import DataError, PhotoError
from facecore.face.images import decode
from facecore.face.recipes import (
    Recipe,
    crops_of,
    prepare_crop,
    rows_of,
    to_rows,
)
from facecore.system.scratch import reserve_array
from facecore.system.text import TRAIT
from facecore.system.workers import in_parallel

CROPS = Path("crops")  # in the working directory: crops of the raw folders that are trained on


def gather(
    sources: Sequence[Path],
    recipe: Recipe,
    *,
    jobs: int = 1,
    seed: int = 0,
    progress: bool = False,
    identity: bool | None = None,
    min_size: int | None = None,
    held_out: bool = True,
) -> pd.DataFrame:
    """Gather several data sets as one table of faces, with every photo in one split.

    Raw folders are cropped first, into ``crops/``. A data set without splits has about a fifth of
    its photos held out as its test split. Duplicates and near-duplicates are dropped as
    `facecore.data.crops.crop_folder` drops them, here over all data sets.

    Parameters
    ----------
    sources : sequence of Path
        Folders of crops, or raw data sets as `facecore.data.listing.list_photos` takes them.
    recipe : Recipe
        Of the model to be trained.
    jobs : int
        Worker processes for cropping; -1 for one per core.
    seed : int
        Of the test splits that are held out, at least 0.
    progress : bool
        Show a progress bar on standard error, and there say why where many photos are dropped.
    identity : bool, optional
        Whether each label is one person, as `facecore.data.splits.subject_names` takes it.
    min_size : int, optional
        Least width of a face, in pixels, as `facecore.data.recipe_settings` takes it. Of a folder
        of crops, narrower faces are dropped; where it is left out, all that `crop` kept stay.
    held_out : bool
        Whether a test split is held out of a data set without splits; if not, all its photos are
        of the train split.

    Returns
    -------
    DataFrame
        The columns of `facecore.data.crops.read_table`, and set (name of the data set), folder
        (of its crops) and min_size (least width of a face in it; NaN where it is unknown).

    Raises
    ------
    DataError
        A data set cannot be used, its crops are not complete or do not suit the recipe or the
        minimum, labels differ only in capitals, or no face is left to train on.
    """
    settings = recipe_settings(recipe, min_size)
    tables, losses = [], []
    for name, source in zip(_set_names(sources), map(Path, sources), strict=True):
        folder = source
        check_finished(folder)
        if not (source / TABLE).is_file():
            digest = hashlib.sha256(str(source.resolve()).encode()).hexdigest()[:8]
            folder = CROPS / f"{source.resolve().name}-{crops_of(recipe)}-{digest}"
            crop_folder(source, folder, settings, jobs=jobs, progress=progress)
        check_recipe(folder, recipe)
        table, least = read_table(folder), minimum_of(folder)
        if min_size is not None:
            table, least = _drop_smaller(table, folder, min_size), min_size
        if table["split"].eq("").all():
            table["split"] = hold_out(table, seed, identity) if held_out else "train"
        losses += [f"{name}: {line}" for line in describe_losses(table, least)]
        tables.append(
            table.assign(set=name, folder=str(folder), min_size=np.nan if least is None else least)
        )
    faces = pd.concat(tables, ignore_index=True)
    # data sets differ in their further traits
    further = faces.columns[faces.columns.str.startswith(TRAIT)]
    faces[further] = faces[further].fillna("")
    refuse_twins(faces["label"], " and ".join(map(str, sources)))
    faces = drop_copies(faces)  # or one error that says the same
    if progress and losses:
        print(*losses, sep="\n", file=sys.stderr)
    return faces


def _drop_smaller(table: pd.DataFrame, folder: Path, min_size: int) -> pd.DataFrame:
    """Drop the faces of a folder of crops that are narrower than a minimum of its reader."""
    missing = int((table["state"].eq("too_small") & table["w"].ge(min_size)).sum())
    if missing:
        raise DataError(
            f"{missing} faces of {folder} are at least {min_size} pixels wide, but were not "
            f"kept; crop again: python -m facecore crop RAW --out {folder} --min-size {min_size}"
        )
    narrow = table["state"].eq("kept") & table["w"].lt(min_size)
    table.loc[narrow, ["state", "crop"]] = ["too_small", ""]
    return table


def drop_copies(faces: pd.DataFrame) -> pd.DataFrame:
    """Mark copies of photos that stand in several places of a table as duplicates.

    A photo of the train split that equals or nearly equals one of the test split gives way to it.

    Parameters
    ----------
    faces : DataFrame
        With the columns of `facecore.data.read_table`, a row per photo; changed in place.

    Returns
    -------
    DataFrame
        The same table.

    Raises
    ------
    DataError
        No face of the train split is left.
    """
    near, again = find_copies(faces, faces["state"].eq("kept"))
    faces.loc[near | again, ["state", "crop"]] = ["duplicate", ""]
    train = faces[faces["split"].eq("train")]
    if not train["state"].eq("kept").any():
        raise DataError(f"{NONE_LEFT[1]}: {_why_none(train)}")
    return faces


def _why_none(train: pd.DataFrame) -> str:
    """Return why no photo of the train split was kept, data set by data set."""
    lines = []
    for name, photos in train.groupby("set", sort=False):
        known = photos["min_size"].dropna().astype(int).tolist() if "min_size" in photos else []
        found = describe_losses(photos, known[0] if known else None, share=0)
        lines += [f"{name}: {line}" for line in found]
    return "; ".join(lines) or "no photo is in the train split"


def load_faces(
    table: pd.DataFrame, recipe: Recipe, jobs: int = 1, file: Path | None = None
) -> np.ndarray:
    """Load crops as rows of numbers, prepared as a recipe says.

    Parameters
    ----------
    table : DataFrame
        Columns folder and crop, one row per face, as `gather` returns them.
    recipe : Recipe
        Of the model.
    jobs : int
        Worker processes; -1 for one per core.
    file : Path, optional
        Write the rows to this ``.npy`` file and map it, instead of holding them in memory.

    Returns
    -------
    ndarray of shape (n_faces, n_numbers), uint8 or float32
        As `facecore.face.recipes.to_rows` returns them.

    Raises
    ------
    DataError
        A crop is missing or damaged.
    OSError
        The disk has no space for the file.
    """
    paths = [
        Path(folder).absolute() / crop  # workers may have another working directory
        for folder, crop in zip(table["folder"], table["crop"], strict=True)
    ]
    tasks = (joblib.delayed(_load_face)(path, recipe) for path in paths)
    rows = in_parallel(tasks, jobs, batch_size=64)
    shape, dtype = rows_of(len(paths), recipe)
    if file is None:
        X: np.ndarray = np.empty(shape, dtype=dtype)
    else:
        reserve_array(file, shape, dtype)
        X = np.load(file, mmap_mode="r+")
    with threadpool_limits(1):  # the products of one face are too small to be shared
        for place, row in zip(X, rows, strict=True):
            place[:] = row.ravel()
    if file is None:
        return X
    assert isinstance(X, np.memmap)
    X.flush()  # workers on other machines may read it
    mapped: np.ndarray = np.load(file, mmap_mode="r")
    return mapped


def _load_face(path: Path, recipe: Recipe) -> np.ndarray:
    try:
        return to_rows([prepare_crop(decode(path).pixels, recipe)], recipe)
    except PhotoError as error:
        raise DataError(
            f"crop {path}: {error}; delete it and run: python -m facecore crop RAW --out "
            f"{path.parent.parent}"
        ) from error


def _set_names(sources: Sequence[Path]) -> list[str]:
    """Return the names of the folders, with a number where two have the same name."""
    names = [Path(source).resolve().name for source in sources]
    return [f"{n}-{i}" if names.count(n) > 1 else n for i, n in enumerate(names, start=1)]
