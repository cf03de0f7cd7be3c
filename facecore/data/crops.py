"""Crop the main face out of every raw photo, and record what happened to every photo.

``RAW/<label>/*`` becomes ``OUT/<label>_crop/*`` at native size. ``OUT/faces.csv`` has one row per
raw photo, whatever happened to it; ``OUT/crop.json`` has the settings.
"""

import errno
import hashlib
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import joblib
import numpy as np
import pandas as pd

from facecore.data.listing import TRAITS, is_label, normal_splits, read_listing, root_of
from facecore.errors import DataError, PhotoError
from facecore.face.detect import (
    MIN_SIZE,
    Settings,
    WholeSettings,
    get_detector,
    main_face,
    spec_of,
)
from facecore.face.images import Limits, decode, default_limits, read_bytes
from facecore.face.prepare import to_grey
from facecore.face.recipes import (
    DEFAULT_RECIPE,
    RECIPES,
    Alignment,
    Recipe,
    cut_face,
    find_recipe,
    for_whole_photos,
    takes_whole_photos,
)
from facecore.system.files import LITTER, try_folder, write_atomically, write_json
from facecore.system.holds import holding, is_held
from facecore.system.paths import file_key
from facecore.system.progress import track
from facecore.system.text import TRAIT
from facecore.system.workers import in_parallel, within_memory

STATES = ("kept", "no_face", "too_small", "unreadable", "duplicate")
ALL = "all/sum"  # beside labels: no folder, so no label, can have this name
NEAR_BITS = 10  # of 256: near-duplicates differ in no more
TABLE = "faces.csv"
SETTINGS = "crop.json"
JOURNAL = ".faces.jsonl"
LOCK = ".crop.lock"  # held while crops are written
NAME_BYTES = 200  # of a photo's name in the name of its crop
LESS = "smaller photos (--max-megapixels)"  # than what needs too much memory
BATCH = 8  # photos that a worker takes at once: a fifth of a second
NUMBERS = ("x", "y", "w", "h", "photo_width", "photo_height", "score")
FOUND = (*NUMBERS, "sha256", "hash")
COLUMNS = ("path", "label", "state", "reason", "crop", *FOUND, *TRAITS)


@dataclass(frozen=True)
class CropSettings:
    """How faces are cropped.

    Parameters
    ----------
    detector : HaarSettings, MtcnnSettings, BlazeSettings or WholeSettings
        What finds the faces; with the last, each photo is a face.
    min_size : int
        Least width of a face box, in pixels. A narrower face is too small.
    limits : Limits
        What a photo may cost to decode; `facecore.face.default_limits` where left out.
    alignment : Alignment, optional
        As `facecore.face.cut_face` takes it. None crops the box.
    """

    detector: Settings
    min_size: int = MIN_SIZE
    limits: Limits = field(default_factory=default_limits)
    alignment: Alignment | None = None


def recipe_settings(
    recipe: str | Recipe = DEFAULT_RECIPE,
    min_size: int | None = None,
    whole_photo: bool = False,
) -> CropSettings:
    """Return the crop settings of a recipe.

    Parameters
    ----------
    recipe : str or Recipe
        A key of `facecore.face.recipes.RECIPES`, or the recipe itself.
    min_size : int, optional
        Least width of a face box, in pixels, at least 1. Left out, it is 54, and 1 where each photo
        is a face: there, small photos are meant.
    whole_photo : bool
        Whether each photo is a face already, so that no detector runs.

    Returns
    -------
    CropSettings
        For `crop_folder`.

    Raises
    ------
    DataError
        There is no such recipe, or the minimum is not a whole number of at least 1.

    Examples
    --------
    >>> recipe_settings("classic", min_size=80).min_size
    80
    >>> recipe_settings("classic", whole_photo=True)
    CropSettings(detector=WholeSettings(), min_size=1, limits=Limits(...), alignment=None)
    """
    chosen = find_recipe(recipe) if isinstance(recipe, str) else recipe
    chosen = for_whole_photos(chosen) if whole_photo else chosen
    if min_size is None:
        min_size = 1 if takes_whole_photos(chosen) else MIN_SIZE
    if type(min_size) is not int or min_size < 1:
        raise DataError(f"min_size {min_size!r} is not a whole number of pixels, at least 1")
    return CropSettings(chosen.detector, min_size, alignment=chosen.alignment)


@within_memory(LESS)
def crop_folder(
    source: Path,
    out: Path,
    settings: CropSettings | None = None,
    *,
    jobs: int = 1,
    progress: bool = False,
) -> pd.DataFrame:
    """Crop a data set; after a stop, the same call does only what is missing.

    Of photos with the same bytes under one label, one is kept; under two labels, none is. A photo
    of the train split that is a near-duplicate of a photo of the test split is dropped (see
    `near_test`). The result depends neither on `jobs` nor on stops.

    Parameters
    ----------
    source : Path
        Data set, as `facecore.data.listing.list_photos` takes it.
    out : Path
        Folder for the crops and the table, made where it is missing.
    settings : CropSettings, optional
        Those of the default recipe where left out.
    jobs : int
        Worker processes; -1 for one per core.
    progress : bool
        Show a progress bar on standard error.

    Returns
    -------
    DataFrame
        The table that is also in ``faces.csv``, one row per photo, sorted by path: path, label,
        state (one of `STATES`), reason (why it was not kept, or what was not as it should be with
        one that was), crop (path of the crop in `out`, empty unless kept), x, y,
        w, h (the face box, in pixels of the upright photo), photo_width, photo_height (pixels),
        score (of the detector; empty without one), sha256, hash (see `difference_hash`), split,
        subject, age, race, and the further traits of the listing (trait_<name>).

    Raises
    ------
    DataError
        The data set or the output folder cannot be used, another process crops into it, or memory
        is short.

    Examples
    --------
    >>> from facecore.model import load_model, write_photos
    >>> write_photos(load_model("classic"), Path("photos"), 6)
    6
    >>> table = crop_folder(Path("photos"), Path("crops"), recipe_settings("classic"))
    >>> len(table), sorted(table["label"].unique())
    (6, ['female', 'male'])
    """
    settings = settings or recipe_settings()
    source, out = Path(source), Path(out)
    try_folder(out)
    listing = read_listing(source)
    photos = listing.photos
    if progress and listing.notes:
        print(*listing.notes, sep="\n", file=sys.stderr)
    root = root_of(source)
    photos["crop"] = _crop_names(photos["path"], photos["label"])
    how = _describe(source, settings)
    try:
        out.mkdir(parents=True, exist_ok=True)
        with holding(out / LOCK, _busy(out)):
            folders = {out / f"{label}_crop" for label in photos["label"]}
            _refuse_foreign(out, folders)
            known, earlier = _known(out)
            for folder in folders:
                folder.mkdir(exist_ok=True)
            folders |= {out / folder for folder in earlier if (out / folder).is_dir()}
            for folder in (out, *folders):
                for litter in folder.glob(f"{LITTER}*"):
                    litter.unlink(missing_ok=True)
            stored = _settings_of(out)
            if stored is None or stored | {"min_size": 0} != how | {"min_size": 0}:
                known = {}  # another minimum alone changes nothing that was found
                for stale in (TABLE, JOURNAL):
                    (out / stale).unlink(missing_ok=True)
            if stored != how:
                write_json(out / SETTINGS, how)
            rows = _run(photos, root, out, settings, known, jobs, progress)
            table = photos.merge(pd.DataFrame(map(asdict, rows)), on="path", validate="one_to_one")
            table = _settle(table.astype(dict.fromkeys(NUMBERS, float)), settings.min_size)
            _remove_dropped(table, out, folders)
            further = [column for column in table.columns if column.startswith(TRAIT)]
            table = table.loc[:, [*COLUMNS, *further]]
            write_atomically(out / TABLE, table.to_csv(index=False))
            for line in describe_notes(table) if progress else ():
                print(line, file=sys.stderr)
            (out / JOURNAL).unlink(missing_ok=True)
    except OSError as error:
        raise DataError(
            f"cannot write to {error.filename or out}: {error.strerror or error}"
        ) from error
    return table


def read_table(folder: Path) -> pd.DataFrame:
    """Read the table of a folder of crops.

    Parameters
    ----------
    folder : Path
        Made by `crop_folder`.

    Returns
    -------
    DataFrame
        As `crop_folder` returns it.

    Raises
    ------
    DataError
        The folder has no such table, or it is damaged.
    """
    path = Path(folder) / TABLE
    if not path.is_file():
        raise DataError(
            f"no {TABLE} in {folder}; make it with: python -m facecore crop RAW --out {folder}"
        )
    try:
        table = pd.read_csv(
            path,
            dtype=defaultdict(lambda: "str", dict.fromkeys(NUMBERS, "float")),
            keep_default_na=False,
            na_values={name: [""] for name in NUMBERS},
        )
    except (OSError, ValueError) as error:
        raise DataError(f"cannot read {path}: {error}") from error
    missing = set(COLUMNS) - set(table.columns)
    if missing or not table["state"].isin(STATES).all():
        raise DataError(f"{path} was not made by crop: missing {sorted(missing) or 'states'}")
    table["split"] = normal_splits(table["split"], path)
    return table


def check_finished(folder: Path) -> None:
    """Refuse a folder of crops that is being written, or whose cropping was stopped.

    Parameters
    ----------
    folder : Path
        Made by `crop_folder`, or any other folder.

    Raises
    ------
    DataError
        The crops are not complete.
    """
    folder = Path(folder)
    try:
        running = is_held(folder / LOCK)
    except OSError as error:
        raise DataError(f"cannot read {folder / LOCK}: {error.strerror}") from error
    if running:
        raise DataError(f"another process crops into {folder}; wait until it ends")
    begun = "detector" in _made_how(folder) and not (folder / TABLE).is_file()
    if begun or (folder / JOURNAL).is_file():
        raise DataError(
            f"the crops in {folder} are not complete, since crop was stopped; it goes on with: "
            f"python -m facecore crop RAW --out {folder}"
        )


def raw_root(folder: Path) -> Path | None:
    """Return the folder of the raw photos that crops were made from.

    Parameters
    ----------
    folder : Path
        Made by `crop_folder`.

    Returns
    -------
    Path or None
        The folder that the column path is relative to; None where it is unknown or gone.
    """
    source = source_of(folder)
    return root_of(source) if source is not None and source.exists() else None


def source_of(folder: Path) -> Path | None:
    """Return the data set that crops were made from.

    Parameters
    ----------
    folder : Path
        Made by `crop_folder`.

    Returns
    -------
    Path or None
        As `crop_folder` took it, made absolute; it may be gone. None where it is unknown.
    """
    try:
        return Path(_read_json(Path(folder) / SETTINGS)["source"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def minimum_of(folder: Path) -> int | None:
    """Return the least width of a face that was kept in a folder of crops.

    Parameters
    ----------
    folder : Path
        Made by `crop_folder`.

    Returns
    -------
    int or None
        In pixels; None where the folder does not say so.
    """
    found = _made_how(folder).get("min_size")
    return found if type(found) is int else None


def has_whole_photos(folder: Path) -> bool:
    """Return whether the crops of a folder are whole photos, which no detector searched.

    Parameters
    ----------
    folder : Path
        Made by `crop_folder`.

    Returns
    -------
    bool
        False also for a folder that does not say how it was made.
    """
    return bool(_made_how(folder).get("detector") == spec_of(WholeSettings()))


def check_recipe(folder: Path, recipe: Recipe) -> None:
    """Refuse crops that were cut in another way than a recipe cuts them.

    Parameters
    ----------
    folder : Path
        Made by `crop_folder`.
    recipe : Recipe
        Of the model to be trained.

    Raises
    ------
    DataError
        The crops were aligned and the recipe does not align, or the other way round, or their
        alignment differs; or they are whole photos and the recipe finds faces, or the reverse.
    """
    whole = takes_whole_photos(recipe)
    again = f"python -m facecore crop RAW --out OTHER --recipe {recipe.name}"
    if has_whole_photos(folder) and not whole:
        raise DataError(
            f"the crops in {folder} are whole photos, but the recipe {recipe.name!r} looks for "
            f"faces; add --whole-photo, or crop again: {again}"
        )
    if has_whole_photos(folder) != whole or _alignment_of(folder) != _stored(recipe.alignment):
        raise DataError(
            f"the crops in {folder} were cut in another way than the recipe {recipe.name!r} "
            f"does; crop again: {again}{' --whole-photo' if whole else ''}"
        )


def recipes_for(folder: Path) -> list[str]:
    """Return the names of the recipes that a folder of crops can be trained with.

    Parameters
    ----------
    folder : Path
        Made by `crop_folder`.

    Returns
    -------
    list of str
        Keys of `facecore.face.recipes.RECIPES`, of those recipes that cut faces in the same way;
        all of them for whole photos.
    """
    if has_whole_photos(folder):
        return list(RECIPES)
    alignment = _alignment_of(folder)
    return [name for name, recipe in RECIPES.items() if _stored(recipe.alignment) == alignment]


def count_states(table: pd.DataFrame) -> pd.DataFrame:
    """Count what happened to the photos.

    Parameters
    ----------
    table : DataFrame
        As `crop_folder` returns it: label and state.

    Returns
    -------
    DataFrame
        One row per state and one column per label, with the sums in a row and a column `ALL`.

    Examples
    --------
    >>> labels, states = ["smiling", "serious", "smiling"], ["kept", "kept", "no_face"]
    >>> count_states(pd.DataFrame({"label": labels, "state": states}))
                serious  smiling  all/sum
    kept              1        1        2
    no_face           0        1        1
    too_small         0        0        0
    unreadable        0        0        0
    duplicate         0        0        0
    all/sum           1        2        3
    """
    counts = pd.crosstab(table["state"], table["label"]).reindex(list(STATES), fill_value=0)
    counts[ALL] = counts.sum(axis=1)
    counts.loc[ALL] = counts.sum()
    return counts.rename_axis(index=None, columns=None)


def describe_notes(table: pd.DataFrame) -> list[str]:
    """Count the photos that were used although something was not as it should be.

    Parameters
    ----------
    table : DataFrame
        As `crop_folder` returns it: state and reason.

    Returns
    -------
    list of str
        One line per note; empty where there are none.

    Examples
    --------
    >>> table = pd.DataFrame({"state": ["kept", "kept"], "reason": ["", "the end is missing"]})
    >>> describe_notes(table)
    ['1 of 2 photos were used, although the end is missing']
    """
    kept = table[table["state"].eq("kept")]
    counts = kept.loc[kept["reason"].ne(""), "reason"].value_counts()
    return [
        f"{count:,} of {len(kept):,} photos were used, although {note}"
        for note, count in counts.items()
    ]


def difference_hash(pixels: np.ndarray) -> str:
    """Compute a perceptual hash: is each of 16 x 16 cells brighter than its left neighbour?

    The difference hash (Krawetz 2013), with 256 bits in place of 64.

    Parameters
    ----------
    pixels : ndarray of shape (height, width, 3), uint8
        RGB.

    Returns
    -------
    str
        64 hexadecimal digits. The hash of a photo that was saved again or scaled differs in few
        bits.

    Examples
    --------
    >>> brighter = np.arange(0, 255, 15, dtype=np.uint8)  # from left to right
    >>> difference_hash(np.broadcast_to(brighter[:, None], (17, 17, 3))) == "f" * 64
    True
    """
    small = cv2.resize(to_grey(pixels), (17, 16), interpolation=cv2.INTER_AREA)
    return np.packbits(small[:, 1:] > small[:, :-1]).tobytes().hex()


def near_test(table: pd.DataFrame, bits: int = NEAR_BITS) -> np.ndarray:
    """Find photos of the train split that are near-duplicates of one of the test or val split.

    Parameters
    ----------
    table : DataFrame
        Columns split and hash, as `difference_hash` returns it (empty where the photo could not be
        read).
    bits : int
        Near-duplicates differ in at most so many of the 256 bits.

    Returns
    -------
    ndarray of shape (n_rows,), bool
        True for a photo of the train split that has a near-duplicate in the test or val split.

    Examples
    --------
    >>> hashes = ["0" * 64, "0" * 63 + "1", "f" * 64]
    >>> near_test(pd.DataFrame({"split": ["test", "train", "train"], "hash": hashes})).tolist()
    [False, True, False]
    """
    near = np.zeros(len(table), dtype=bool)
    usable = table["hash"].str.len().eq(64).to_numpy()
    train = np.flatnonzero(usable & table["split"].eq("train").to_numpy())
    test = np.flatnonzero(usable & table["split"].isin(["test", "val"]).to_numpy())
    if len(train) and len(test):
        # 256 bits are four words of 64. XOR leaves the bits in which two hashes differ.
        words = np.zeros((len(table), 4), dtype=np.uint64)
        words[usable] = [
            np.frombuffer(bytes.fromhex(h), dtype=np.uint64) for h in table["hash"][usable]
        ]
        # Every photo of one split is held against every photo of the other, 256 at a time: the
        # array of all pairs would not fit into memory.
        for start in range(0, len(train), 256):
            part = train[start : start + 256]
            differ = np.bitwise_count(words[part][:, None] ^ words[test]).sum(axis=2)
            near[part] = (differ <= bits).any(axis=1)
    return near


def find_copies(table: pd.DataFrame, usable: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Find the photos that must be dropped because others equal or nearly equal them.

    Parameters
    ----------
    table : DataFrame
        Columns split, sha256 and hash.
    usable : Series of bool
        Rows among which copies are looked for.

    Returns
    -------
    near : Series of bool
        Photos of the train split that are near-duplicates of one of the test split.
    again : Series of bool
        Photos with the same bytes as an earlier one, the former left out of account. Otherwise the
        copy in the train split could be kept as the first, and then be dropped as a near-duplicate,
        and the test split would lose its own.
    """
    near = usable & near_test(table)
    rest = usable & ~near
    # The test split keeps its copy also where there are no hashes to tell near-duplicates by.
    order = table["split"].map({"test": 0, "val": 1}).fillna(2)
    tests_first = order.sort_values(kind="stable").index
    repeated = table["sha256"].where(rest)[tests_first].duplicated().reindex(table.index)
    return near, repeated & rest


@dataclass(frozen=True)
class _Found:
    """What a worker found in one photo, before photos are compared with each other.

    Box, photo size and score are None where they are unknown, in the journal as well.
    """

    path: str
    problem: str = ""  # why the photo cannot be read
    note: str = ""  # what was not as it should be with one that can be read
    x: float | None = None
    y: float | None = None
    w: float | None = None
    h: float | None = None
    photo_width: float | None = None
    photo_height: float | None = None
    score: float | None = None
    sha256: str = ""
    hash: str = ""


def _run(
    photos: pd.DataFrame,
    root: Path,
    out: Path,
    settings: CropSettings,
    known: Mapping[str, _Found],
    jobs: int,
    progress: bool,
) -> list[_Found]:
    root, out = root.absolute(), out.absolute()  # workers may have another working directory
    tasks = (
        joblib.delayed(_crop_one)(root, out, path, crop, settings, known.get(path))
        for path, crop in zip(photos["path"], photos["crop"], strict=True)
    )
    batch = 1 if jobs == 1 else BATCH
    results = in_parallel(tasks, jobs, ordered=False, batch_size=batch, less=LESS)
    rows = []
    crops = dict(zip(photos["path"], photos["crop"], strict=True))
    # The journal lets a stopped run be continued. A line that was cut off is ignored, and the
    # empty line keeps it apart from what follows.
    with open(out / JOURNAL, "a", encoding="utf-8") as journal:
        journal.write("\n")
        for row in track(results, len(photos), "crop", "photo", progress=progress):
            rows.append(row)
            journal.write(json.dumps({"crop": crops[row.path], **asdict(row)}) + "\n")
            journal.flush()
    return rows


def _crop_one(
    root: Path,
    out: Path,
    path: str,
    crop: str,
    settings: CropSettings,
    known: _Found | None,
) -> _Found:
    cv2.setNumThreads(1)
    found = _Found(path)
    try:
        data = read_bytes(root / path, settings.limits)
        found = replace(found, sha256=hashlib.sha256(data).hexdigest())
        same = known is not None and known.sha256 == found.sha256 and not known.problem
        if known is not None and same and _complete(out / crop, known, settings):
            return known
        photo = decode(data, limits=settings.limits)
    except PhotoError as error:
        return replace(found, problem=str(error))
    found = replace(
        found,
        photo_width=photo.width,
        photo_height=photo.height,
        note="; ".join(photo.notes),
        hash=difference_hash(photo.pixels),
    )
    faces = get_detector(settings.detector)(photo.pixels, scale=photo.scale, every=False)
    if not faces:
        return found
    height, width = photo.pixels.shape[:2]
    face = faces[main_face(faces, width, height)]
    # the box is in pixels of the full photo; a huge one was decoded at less
    x, y, w, h = (round(float(value) / photo.scale, 2) for value in face.box)
    if w >= settings.min_size:
        _write_crop(out / crop, cut_face(photo.pixels, face, settings.alignment))
    looked_for = not isinstance(settings.detector, WholeSettings)
    return replace(found, x=x, y=y, w=w, h=h, score=face.score if looked_for else None)


def _complete(crop: Path, found: _Found, settings: CropSettings) -> bool:
    return found.w is None or found.w < settings.min_size or crop.is_file()


def _write_crop(path: Path, pixels: np.ndarray) -> None:
    good, data = cv2.imencode(
        ".png", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, 1]
    )
    if not good:
        raise OSError(errno.EIO, f"cannot encode the crop {path.name}")
    write_atomically(path, data.tobytes())


def _crop_names(paths: pd.Series, labels: pd.Series) -> list[str]:
    """Return a path for each crop; photos whose crops would share one get a checksum added."""
    names = [Path(path).stem.encode()[:NAME_BYTES].decode(errors="ignore") for path in paths]
    stems = [f"{label}_crop/{name}" for name, label in zip(names, labels, strict=True)]
    twins = pd.Series(map(file_key, stems), dtype="str").duplicated(keep=False)
    return [
        f"{stem}-{hashlib.sha256(path.encode()).hexdigest()[:8]}.png" if twin else f"{stem}.png"
        for stem, path, twin in zip(stems, paths, twins, strict=True)
    ]


def _settle(table: pd.DataFrame, min_size: int) -> pd.DataFrame:
    """Give every photo its state, from the whole table alone, so that stops change nothing."""
    table = table.sort_values("path", ignore_index=True)
    width = table["w"].astype(float)
    table["state"] = np.select(
        [table["problem"].ne(""), width.isna(), width < min_size],
        ["unreadable", "no_face", "too_small"],
        "kept",
    )
    table["reason"] = table["problem"].where(table["problem"].ne(""), table["note"])
    readable = table["sha256"].ne("") & table["problem"].eq("")
    same = table[readable].groupby("sha256")
    torn = same["label"].transform("nunique").gt(1).reindex(table.index, fill_value=False)
    near, again = find_copies(table, readable)
    for rows, reason in (
        (near, "nearly equals a photo of the test split"),
        (again, "same bytes as another photo of the label"),
        (torn, "same bytes under two labels"),
    ):
        table.loc[rows, ["state", "reason"]] = ["duplicate", reason]
    table.loc[table["state"].ne("kept"), "crop"] = ""
    return table


def _remove_dropped(table: pd.DataFrame, out: Path, folders: Iterable[Path]) -> None:
    """Remove crops that the table does not keep, also those of photos and labels that are gone."""
    kept = set(table["crop"])
    labels = {f"{label}_crop" for label in table["label"]}
    for folder in folders:
        for file in folder.glob("*.png"):
            if f"{folder.name}/{file.name}" not in kept:
                file.unlink()
        if folder.name not in labels and not any(folder.iterdir()):
            folder.rmdir()


def _busy(out: Path) -> str:
    return (
        f"another process crops into {out}; wait until it ends and run the same command again, or "
        "choose another folder"
    )


def _refuse_foreign(out: Path, folders: Iterable[Path]) -> None:
    """Refuse a folder of pictures that crop did not make, since crop removes pictures."""
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
        "detector": spec_of(settings.detector),
        "limits": asdict(settings.limits),
        "min_size": settings.min_size,
        "face": "main",  # of several in a photo; before, it was the largest
    }
    return how | ({"alignment": _stored(settings.alignment)} if settings.alignment else {})


def _stored(alignment: Alignment | None) -> dict[str, float] | None:
    return None if alignment is None else asdict(alignment)


def _alignment_of(folder: Path) -> Any:
    return _made_how(folder).get("alignment")  # crops without settings are boxes


def _made_how(folder: Path) -> dict[str, Any]:
    try:
        return _settings_of(Path(folder)) or {}
    except OSError:
        return {}


def _settings_of(out: Path) -> dict[str, Any] | None:
    try:
        found = _read_json(out / SETTINGS)
    except (FileNotFoundError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _known(out: Path) -> tuple[dict[str, _Found], set[str]]:
    """Return what earlier runs found, by path, and the names of their folders of crops."""
    known, folders = {}, set()
    try:
        table = read_table(out)
        unreadable = table["state"].eq("unreadable")
        table["problem"] = table["reason"].where(unreadable, "")
        table["note"] = table["reason"].mask(unreadable | table["state"].eq("duplicate"), "")
        rows = table[["path", "problem", "note", *FOUND]].astype(object)
        records = rows.where(rows.notna(), None).to_dict(orient="records")
        known = {row["path"]: _Found(**row) for row in records}
        folders = {f"{label}_crop" for label in table["label"]}
    except DataError:  # no table yet, or a damaged one: the photos are read again
        pass
    if (out / JOURNAL).is_file():
        for line in (out / JOURNAL).read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                row = json.loads(line)
                folders.add(row["crop"].split("/")[0])
                known_of_it = {key: row[key] for key in ("path", "problem", *FOUND)}
                found = _Found(**known_of_it, note=row.get("note", ""))
                known[found.path] = found
            except (ValueError, KeyError, TypeError, AttributeError):
                continue
    return known, {name for name in folders if is_label(name)}


def _read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
