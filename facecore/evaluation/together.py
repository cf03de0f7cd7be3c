"""Several models on the same test photos, which none of them was trained on, and their times."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import pandas as pd
from threadpoolctl import threadpool_limits

from facecore.data.crops import TABLE, raw_root, read_table
from facecore.data.listing import read_listing, root_of
from facecore.data.splits import hold_out
from facecore.errors import DataError
from facecore.evaluation.report import answer_row, drop_unknown, tabulate_answers
from facecore.model.classifier import FaceModel
from facecore.model.predict import predict_photo
from facecore.model.store import find_model, load_model, read_metadata
from facecore.system.workers import in_parallel

BATCH = 16  # photos that a worker takes at once
MOST_MODELS = 8  # that a worker keeps in memory

# Answers for one photo: what `facecore.evaluation.report.answer_row` returns, model by model.
Rows = list[dict[str, Any]]
Watch = Callable[[Iterable[Rows], int, str], Iterable[Rows]]


@dataclass(frozen=True)
class Together:
    """The answers of several models for the same test photos of a data set.

    Parameters
    ----------
    name : str
        Of the data set.
    root : Path
        The folder that the paths of the photos are relative to.
    photos : DataFrame
        The test photos, as `facecore.data.list_photos` returns them.
    tables : dict of str to DataFrame
        By model, predictions as `facecore.evaluation.predict_table` returns them, in the order of
        `photos`. Each time is that of one photo on one thread.
    notes : tuple of str
        One line each: how the photos were chosen, and what was left out.
    """

    name: str
    root: Path
    photos: pd.DataFrame
    tables: dict[str, pd.DataFrame]
    notes: tuple[str, ...] = ()


def predict_together(
    models: Sequence[str],
    sources: Sequence[Path],
    *,
    limit: int | None = None,
    seed: int = 0,
    jobs: int = 1,
    watch: Watch | None = None,
) -> list[Together]:
    """Predict test photos with several models, one photo after the other with all of them.

    The models take turns in being first, so that a computer that is busy for a moment slows all of
    them alike.

    Parameters
    ----------
    models : sequence of str
        Names of at least two models of the same labels.
    sources : sequence of Path
        Data sets, as `list_tests` takes them.
    limit : int, optional
        A random sample of at most this many photos of each data set.
    seed : int
        Of the sample, at least 0.
    jobs : int
        Worker processes; -1 for one per core.
    watch : callable, optional
        Takes the iterator over the photos, their number and the name of the data set, and returns
        an iterator over the same; to show progress, or to stop early by an error.

    Returns
    -------
    list of Together
        One per data set.

    Raises
    ------
    DataError
        The models do not have the same labels, a data set cannot be used, or a name repeats.
    ModelError
        A model is missing or cannot be used.
    """
    if len(set(models)) < len(models) or len(models) < 2:
        raise DataError("a comparison needs two different models")
    loaded = {name: load_model(name) for name in models}
    first = models[0]
    for name, model in loaded.items():
        if set(model.labels) != set(loaded[first].labels):
            raise DataError(
                f"the models do not have the same labels: {first} has "
                f"{', '.join(sorted(loaded[first].labels)[:10])}, {name} "
                f"{', '.join(sorted(model.labels)[:10])}"
            )
    metadata = {name: read_metadata(name) for name in models}
    names = [_name_of(Path(source)) for source in sources]
    if again := [name for name in names if names.count(name) > 1]:
        raise DataError(f"two data sets are called {again[0]!r}; rename one of the folders")
    found = []
    for name, source in zip(names, sources, strict=True):
        photos, root, notes = list_tests(Path(source), metadata)
        photos, note = drop_unknown(photos, loaded[first].labels)
        if photos.empty:
            raise DataError(f"{name}: {note}")
        if limit and limit < len(photos):
            notes.append(f"a random sample of {limit:,} of {len(photos):,} test photos")
            photos = photos.sample(limit, random_state=seed).sort_index()
        rows = _answer_all([root / path for path in photos["path"]], models, jobs)
        watched = list(watch(rows, len(photos), name) if watch else rows)
        tables = {
            model: tabulate_answers([row[i] for row in watched], photos, name)
            for i, model in enumerate(models)
        }
        notes += [note] if note else []
        photos = photos.reset_index(drop=True)
        found.append(Together(name, root, photos, tables, tuple(notes)))
    return found


def list_tests(
    source: Path, metadata: Mapping[str, Mapping[str, Any]]
) -> tuple[pd.DataFrame, Path, list[str]]:
    """List the photos of a data set that none of several models was trained on.

    Parameters
    ----------
    source : Path
        A data set as `facecore.data.list_photos` takes it, or a folder of crops whose raw photos
        are still where they were.
    metadata : mapping of str to mapping
        Of each model by its name, as `facecore.model.read_metadata` returns it.

    Returns
    -------
    photos : DataFrame
        Those of the split test where the data set declares one; else those that each of the
        trainings held out, and all of a data set that no model was trained on.
    root : Path
        The folder that the paths are relative to.
    notes : list of str
        How the photos were chosen where the data set does not say so.

    Raises
    ------
    DataError
        The data set cannot be used, or has no photo that all models have not seen.
    """
    photos, root = _read(source)
    name, again = _name_of(source), photos["state"].eq("duplicate")
    if photos["split"].ne("").any():
        tests = photos[photos["split"].eq("test") & ~again]
        if tests.empty:
            raise DataError(f"no photo of {source} is in the split test")
        return tests.reset_index(drop=True), root, []
    unseen, notes = pd.Series(True, index=photos.index), []
    for model, found in metadata.items():
        part = _part_of(found, name, source)
        if part is None:
            notes.append(f"{model} was not trained on a data set {name}: all photos count as new")
            continue
        held = hold_out(photos, int(found["seed"]), bool(found.get("identity"))) == "test"
        if part["photos"] != len(photos) or part["test"] != held.sum():
            raise DataError(
                f"{source} is not what {model} was trained on: it has {len(photos):,} photos, and "
                f"{name} had {part['photos']:,}; which of them {model} has not seen is not known. "
                "Say it in a column split of labels.csv"
            )
        unseen &= held
    if not unseen.any():
        raise DataError(f"no photo of {source} was held out by all of: {', '.join(metadata)}")
    return photos[unseen & ~again].reset_index(drop=True), root, notes


def _read(source: Path) -> tuple[pd.DataFrame, Path]:
    """Return the photos of a data set, with a column state, and the folder that they are in."""
    if not (source / TABLE).is_file():
        return read_listing(source).photos.assign(state=""), root_of(source)
    root = raw_root(source)
    if root is None:
        raise DataError(f"the raw photos of {source} have moved; name the folder that they are in")
    return read_table(source), root


def _name_of(source: Path) -> str:
    """Return the name of a data set; of crops, that of the raw photos."""
    root = raw_root(source) if (source / TABLE).is_file() else None
    return (root or source).resolve().name


def _part_of(metadata: Mapping[str, Any], name: str, source: Path) -> Mapping[str, Any] | None:
    """Return what a model was trained on of a data set; None where it was not."""
    root = raw_root(source) if (source / TABLE).is_file() else None
    called = {name, root.resolve().name} if root else {name}
    parts: Mapping[str, Mapping[str, Any]] = metadata["data"]
    for known, part in parts.items():
        # of two folders of one name, training numbers the data sets
        if known in called or re.sub(r"-\d+$", "", known) in called:
            return part if part["test"] < part["photos"] else None
    return None


def _answer_all(paths: Sequence[Path], models: Sequence[str], jobs: int) -> Iterator[Rows]:
    """Yield the answers for each photo, model by model."""
    from joblib import delayed

    folders = [find_model(name).absolute() for name in models]
    written = [(folder / "metadata.json").stat().st_mtime_ns for folder in folders]
    lent = list(zip(map(str, folders), written, strict=True))
    batches = [paths[i : i + BATCH] for i in range(0, len(paths), BATCH)]
    calls = (delayed(_answer)([str(path.absolute()) for path in batch], lent) for batch in batches)
    for rows in in_parallel(calls, jobs, batch_size=1):
        yield from rows


def _answer(paths: list[str], folders: list[tuple[str, int]]) -> list[Rows]:
    models = [_load(*folder) for folder in folders]
    cv2.setNumThreads(1)
    found = []
    with threadpool_limits(1):
        for number, path in enumerate(paths):
            rows: list[dict[str, Any]] = [{}] * len(models)
            for turn in range(len(models)):
                which = (number + turn) % len(models)
                answer = predict_photo(path, models[which])
                rows[which] = answer_row(answer, models[which].labels)
            found.append(rows)
    return found


@lru_cache(maxsize=MOST_MODELS)
def _load(folder: str, written: int) -> FaceModel:
    # `written` is part of the key: a model that was trained again is loaded again
    return FaceModel.load(Path(folder))
