"""Crop the largest face out of every raw photo, and keep an account of every photo.

``RAW/<label>/*`` becomes ``OUT/<label>_crop/*`` at native size, with ``OUT/faces.csv``: one row
for every raw photo, whatever happened to it, and ``OUT/crop.json``: how it was made.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import joblib
import numpy as np
import pandas as pd

from facecore.data.listing import TRAITS, is_label, list_photos, root_of
from facecore.errors import DataError, PhotoError
from facecore.face.detect import MIN_SIZE, get_detector
from facecore.face.images import DEFAULT_LIMITS, Limits, decode, read_bytes
from facecore.face.prepare import to_grey
from facecore.face.recipes import DEFAULT_RECIPE, RECIPES, cut_face, find_recipe
from facecore.system.files import write_atomically
from facecore.system.progress import track

STATES = ("kept", "no_face", "too_small", "unreadable", "duplicate")


ALL = "all/sum"  # beside labels: no folder, so no label, can have this name


NEAR_BITS = 10


TABLE = "faces.csv"


SETTINGS = "crop.json"


JOURNAL = ".faces.jsonl"


NAME_BYTES = 200  # of a photo's name in that of its crop


BATCH = 8  # photos that a worker takes at once: a fifth of a second


FOUND = ("x", "y", "w", "h", "photo_width", "photo_height", "score", "sha256", "hash")


NUMBERS = ("x", "y", "w", "h", "photo_width", "photo_height", "score")


COLUMNS = ("path", "label", "state", "reason", "crop", *FOUND, *TRAITS)


@dataclass(frozen=True)
class CropSettings:
    """How faces are cropped.

    Parameters
    ----------
    detector : mapping
        As `facecore.face.detect.detector_spec` returns it.
    min_size : int
        A face whose box is narrower is too small, in pixels.
    limits : Limits
    alignment : mapping, optional
        As `facecore.face.recipes.cut_face` takes it.
    """

    detector: Mapping[str, Any]
    min_size: int = MIN_SIZE
    limits: Limits = DEFAULT_LIMITS
    alignment: Mapping[str, Any] | None = None


def recipe_settings(recipe: str = DEFAULT_RECIPE, min_size: int = MIN_SIZE) -> CropSettings:
    """Return the settings of a recipe.

    Parameters
    ----------
    recipe : str
        A key of `facecore.face.recipes.RECIPES`.
    min_size : int
        In pixels.

    Returns
    -------
    CropSettings

    Raises
    ------
    DataError
    """
    chosen = find_recipe(recipe)
    return CropSettings(chosen["detector"], min_size, alignment=chosen["alignment"])


def crop_folder(
    source: Path,
    out: Path,
    settings: CropSettings | None = None,
    *,
    jobs: int = 1,
    progress: bool = False,
) -> pd.DataFrame:
    """Crop a data set; run again after a stop, it does only what is missing.

    The same bytes twice under one label count once; under two labels both are dropped. A photo
    of the train split that nearly equals one of the test split (difference hash of at most
    `NEAR_BITS` of 256 bits) is dropped. The result does not depend on `jobs`, nor on stops.

    Parameters
    ----------
    source : Path
        As `facecore.data.listing.list_photos` takes it.
    out : Path
        Folder for the crops and the table; made when missing.
    settings : CropSettings, optional
    jobs : int
        Worker processes; -1 for one a core.
    progress : bool
        Show a progress bar on standard error.

    Returns
    -------
    DataFrame
        The table that is also in ``faces.csv``: path, label, state, reason, crop, x, y, w, h
        (pixels of the upright photo), photo_width, photo_height, score, sha256, hash, split,
        subject, age, race.

    Raises
    ------
    DataError
        The data set or the output folder cannot be used.
    """
    settings = settings or recipe_settings()
    source, out = Path(source), Path(out)
    photos = list_photos(source)
    root = root_of(source)
    photos["crop"] = _crop_names(photos["path"], photos["label"])
    how = _describe(source, settings)
    try:
        out.mkdir(parents=True, exist_ok=True)
        folders = {out / f"{label}_crop" for label in photos["label"]}
        _refuse_foreign(out, folders)
        known, earlier = _known(out)
        for folder in folders:
            folder.mkdir(exist_ok=True)
        folders |= {out / folder for folder in earlier if (out / folder).is_dir()}
        for folder in (out, *folders):
            for litter in folder.glob(".tmp-*"):
                litter.unlink()
        if _settings_of(out) != how:
            known = {}
            for stale in (TABLE, JOURNAL):
                (out / stale).unlink(missing_ok=True)
            write_atomically(out / SETTINGS, json.dumps(how, indent=1))
        rows = _run(photos, root, out, settings, known, jobs, progress)
        table = photos.merge(pd.DataFrame(rows), on="path", validate="one_to_one")
        table = _settle(table.astype(dict.fromkeys(NUMBERS, float)), settings.min_size)
        _remove_dropped(table, out, folders)
        table = table.loc[:, list(COLUMNS)]
        write_atomically(out / TABLE, table.to_csv(index=False))
        (out / JOURNAL).unlink(missing_ok=True)
    except OSError as error:
        raise DataError(f"cannot write to {error.filename or out}: {error.strerror}") from error
    return table


def read_table(folder: Path) -> pd.DataFrame:
    """Read the table of a folder made by `crop_folder`.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    DataFrame
        As `crop_folder` returns it.

    Raises
    ------
    DataError
        The folder has none, or it is damaged.
    """
    path = Path(folder) / TABLE
    if not path.is_file():
        raise DataError(
            f"no {TABLE} in {folder}; make it with: python -m facecore crop RAW --out {folder}"
        )
    try:
        table = pd.read_csv(
            path, dtype={name: "float" if name in NUMBERS else "str" for name in COLUMNS},
            keep_default_na=False, na_values={name: [""] for name in NUMBERS},
        )  # fmt: skip
    except (OSError, ValueError) as error:
        raise DataError(f"cannot read {path}: {error}") from error
    missing = set(COLUMNS) - set(table.columns)
    if missing or not table["state"].isin(STATES).all():
        raise DataError(f"{path} was not made by crop: missing {sorted(missing) or 'states'}")
    return table


def raw_root(folder: Path) -> Path | None:
    """Return where the raw photos of a folder of crops are, or None if they are gone.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    Path or None
    """
    try:
        source = Path(_read_json(Path(folder) / SETTINGS)["source"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return root_of(source) if source.exists() else None


def check_recipe(folder: Path, recipe: Mapping[str, Any]) -> None:
    """Refuse crops that were cut in another way than a recipe cuts them.

    Parameters
    ----------
    folder : Path
        Made by `crop_folder`.
    recipe : mapping

    Raises
    ------
    DataError
    """
    if _alignment_of(folder) != recipe.get("alignment"):
        raise DataError(
            f"the crops in {folder} were cut in another way than the recipe {recipe['name']!r} "
            f"does; crop again: python -m facecore crop RAW --out OTHER --recipe {recipe['name']}"
        )


def recipes_for(folder: Path) -> list[str]:
    """Return the names of the recipes that cut faces as the crops of a folder were cut.

    Parameters
    ----------
    folder : Path
        Made by `crop_folder`.

    Returns
    -------
    list of str
    """
    alignment = _alignment_of(folder)
    return [name for name, recipe in RECIPES.items() if recipe["alignment"] == alignment]


def count_states(table: pd.DataFrame) -> pd.DataFrame:
    """Count what happened to the photos.

    Parameters
    ----------
    table : DataFrame
        As `crop_folder` returns it.

    Returns
    -------
    DataFrame
        One row a state and one column a label, with the sums in a row and a column `ALL`.
    """
    counts = pd.crosstab(table["state"], table["label"]).reindex(list(STATES), fill_value=0)
    counts[ALL] = counts.sum(axis=1)
    counts.loc[ALL] = counts.sum()
    return counts.rename_axis(index=None, columns=None)


def difference_hash(pixels: np.ndarray) -> str:
    """Return a perceptual hash: is each of 16 x 16 cells brighter than its left neighbour?

    Parameters
    ----------
    pixels : ndarray of shape (height, width, 3), uint8

    Returns
    -------
    str
        256 bits in hexadecimal. A photo saved again or scaled differs in few of them.
    """
    small = cv2.resize(to_grey(pixels), (17, 16), interpolation=cv2.INTER_AREA)
    return np.packbits(small[:, 1:] > small[:, :-1]).tobytes().hex()


def near_test(table: pd.DataFrame, bits: int = NEAR_BITS) -> np.ndarray:
    """Find photos of the train split that nearly equal one of the test split.

    Parameters
    ----------
    table : DataFrame
        With the columns split and hash (empty where the photo could not be read).
    bits : int
        Most bits, of 256, in which near-duplicates differ.

    Returns
    -------
    ndarray of shape (n_rows,), bool
    """
    near = np.zeros(len(table), dtype=bool)
    usable = table["hash"].str.len().eq(64).to_numpy()
    train = np.flatnonzero(usable & table["split"].eq("train").to_numpy())
    test = np.flatnonzero(usable & table["split"].eq("test").to_numpy())
    if len(train) and len(test):
        words = np.zeros((len(table), 4), dtype=np.uint64)
        words[usable] = [
            np.frombuffer(bytes.fromhex(h), dtype=np.uint64) for h in table["hash"][usable]
        ]
        for start in range(0, len(train), 256):
            part = train[start : start + 256]
            differ = np.bitwise_count(words[part][:, None] ^ words[test]).sum(axis=2)
            near[part] = (differ <= bits).any(axis=1)
    return near


def _run(
    photos: pd.DataFrame,
    root: Path,
    out: Path,
    settings: CropSettings,
    known: Mapping[str, Mapping[str, Any]],
    jobs: int,
    progress: bool,
) -> list[dict[str, Any]]:
    root, out = root.absolute(), out.absolute()  # workers may stand elsewhere
    tasks = (
        joblib.delayed(_crop_one)(root, out, path, crop, settings, known.get(path))
        for path, crop in zip(photos["path"], photos["crop"], strict=True)
    )
    batch = 1 if jobs == 1 else BATCH
    parallel = joblib.Parallel(n_jobs=jobs, batch_size=batch, return_as="generator_unordered")
    rows = []
    crops = dict(zip(photos["path"], photos["crop"], strict=True))
    # The journal is what a stopped run leaves behind; a line that was cut off is passed over.
    with open(out / JOURNAL, "a", encoding="utf-8") as journal:
        journal.write("\n")
        for row in track(parallel(tasks), len(photos), "crop", "photo", shown=progress):
            rows.append(row)
            journal.write(json.dumps({"crop": crops[row["path"]], **row}) + "\n")
            journal.flush()
    return rows


def _crop_one(
    root: Path,
    out: Path,
    path: str,
    crop: str,
    settings: CropSettings,
    known: Mapping[str, Any] | None,
) -> dict[str, Any]:
    cv2.setNumThreads(1)
    row: dict[str, Any] = {"path": path, "problem": ""} | dict.fromkeys(FOUND)
    row["sha256"] = row["hash"] = ""
    try:
        data = read_bytes(root / path, settings.limits)
        row["sha256"] = hashlib.sha256(data).hexdigest()
        same = known is not None and known["sha256"] == row["sha256"] and not known["problem"]
        if known is not None and same and _complete(out / crop, known, settings):
            return dict(known)
        photo = decode(data, limits=settings.limits)
    except PhotoError as error:
        return row | {"problem": str(error)}
    row["photo_width"], row["photo_height"] = photo.width, photo.height
    row["hash"] = difference_hash(photo.pixels)
    faces = get_detector(settings.detector)(photo.pixels)
    if faces:
        row["score"] = faces[0].score
        row["x"], row["y"], row["w"], row["h"] = (round(float(v), 2) for v in faces[0].box)
        if row["w"] >= settings.min_size:
            _write_crop(out / crop, cut_face(photo.pixels, faces[0], settings.alignment))
    return row


def _complete(crop: Path, row: Mapping[str, Any], settings: CropSettings) -> bool:
    return row["w"] is None or row["w"] < settings.min_size or crop.is_file()


def _write_crop(path: Path, pixels: np.ndarray) -> None:
    good, data = cv2.imencode(
        ".png", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, 1]
    )
    if not good:
        raise OSError(f"cannot encode the crop {path.name}")
    # Its own name may be as long as names can be, and a worker of a killed run may still write it.
    short = hashlib.sha256(path.name.encode()).hexdigest()[:16]
    temporary = path.with_name(f".tmp-{os.getpid()}-{short}")
    temporary.write_bytes(data.tobytes())
    os.replace(temporary, path)


def _crop_names(paths: pd.Series, labels: pd.Series) -> list[str]:
    names = [Path(path).stem.encode()[:NAME_BYTES].decode(errors="ignore") for path in paths]
    stems = [f"{label}_crop/{name}" for name, label in zip(names, labels, strict=True)]
    twins = pd.Series(stems).str.casefold().duplicated(keep=False)
    return [
        f"{stem}-{hashlib.sha256(path.encode()).hexdigest()[:8]}.png" if twin else f"{stem}.png"
        for stem, path, twin in zip(stems, paths, twins, strict=True)
    ]


def _settle(table: pd.DataFrame, min_size: int) -> pd.DataFrame:
    """Say for every photo what became of it; depends on the whole table, not on its history."""
    table = table.sort_values("path", ignore_index=True)
    width = table["w"].astype(float)
    table["state"] = np.select(
        [table["problem"].ne(""), width.isna(), width < min_size],
        ["unreadable", "no_face", "too_small"],
        "kept",
    )
    table["reason"] = table["problem"]
    readable = table["sha256"].ne("") & table["problem"].eq("")
    same = table[readable].groupby("sha256")
    torn = same["label"].transform("nunique").gt(1).reindex(table.index, fill_value=False)
    near = near_test(table)
    # A copy in the train split gives way to the test split's, so it is not the one that stays.
    rest = readable & ~near
    again = table["sha256"].where(rest).duplicated() & rest
    for rows, reason in (
        (near, "nearly equals a photo of the test split"),
        (again, "same bytes as another photo of the label"),
        (torn, "same bytes under two labels"),
    ):
        table.loc[rows, ["state", "reason"]] = ["duplicate", reason]
    table.loc[table["state"].ne("kept"), "crop"] = ""
    return table


def _remove_dropped(table: pd.DataFrame, out: Path, folders: Iterable[Path]) -> None:
    """Remove crops that the table does not keep, also of photos and labels that went away."""
    kept = set(table["crop"])
    labels = {f"{label}_crop" for label in table["label"]}
    for folder in folders:
        for file in folder.glob("*.png"):
            if f"{folder.name}/{file.name}" not in kept:
                file.unlink()
        if folder.name not in labels and not any(folder.iterdir()):
            folder.rmdir()


def _refuse_foreign(out: Path, folders: Iterable[Path]) -> None:
    """Refuse to clear up a folder of pictures that was not made here."""
    if not (out / SETTINGS).exists():
        for folder in sorted(folders):
            if any(folder.glob("*.png")):
                raise DataError(
                    f"{folder} has pictures that crop did not make (no {SETTINGS} in {out}); "
                    "choose another folder"
                )


def _describe(source: Path, settings: CropSettings) -> dict[str, Any]:
    how = {
        "source": str(source.resolve()),
        "detector": dict(settings.detector),
        "limits": asdict(settings.limits),
    }
    return how | ({"alignment": dict(settings.alignment)} if settings.alignment else {})


def _alignment_of(folder: Path) -> Any:
    try:
        return _read_json(Path(folder) / SETTINGS).get("alignment")
    except (OSError, ValueError, AttributeError):  # crops without their paper are boxes
        return None


def _settings_of(out: Path) -> Any:
    try:
        return _read_json(out / SETTINGS)
    except (FileNotFoundError, ValueError, RecursionError):
        return None


def _known(out: Path) -> tuple[dict[str, dict[str, Any]], set[str]]:
    """Return what earlier runs found, by path, and the names of their folders of crops."""
    known, folders = {}, set()
    try:
        table = read_table(out)
        table["problem"] = np.where(table["state"].eq("unreadable"), table["reason"], "")
        rows = table[["path", "problem", *FOUND]].astype(object)
        known = {
            row["path"]: row for row in rows.where(rows.notna(), None).to_dict(orient="records")
        }
        folders = {f"{label}_crop" for label in table["label"]}
    except DataError:  # none yet, or damaged: the photos are read again
        pass
    if (out / JOURNAL).is_file():
        for line in (out / JOURNAL).read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                row = json.loads(line)
                folders.add(row["crop"].split("/")[0])
                known[row["path"]] = {key: row[key] for key in ("path", "problem", *FOUND)}
            except (ValueError, KeyError, TypeError, AttributeError):
                continue
    return known, {name for name in folders if is_label(name)}


def _read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
