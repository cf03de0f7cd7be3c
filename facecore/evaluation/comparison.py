"""Two models on the same photos: figures and counts of a comparison, and where it is stored.

A comparison holds counts and figures only. It has no row per photo, so that nothing in it leads
back to a photo, and it can go with models that are shared.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import pandas as pd

from facecore.data.splits import subject_names
from facecore.errors import DataError
from facecore.evaluation.groups import TRAITS, is_right
from facecore.evaluation.intervals import LEAST_PHOTOS
from facecore.evaluation.paired import compare_classifiers
from facecore.evaluation.together import Together, Watch, predict_together
from facecore.model.labels import order_labels
from facecore.model.store import (
    CORE,
    artifact_folders,
    artifacts_dir,
    find_model,
    load_model,
    read_metadata,
)
from facecore.system.files import write_json

FORMAT = 1
COMPARISONS_FOLDER = "_comparisons"  # beside the models; none of them can have this name
BETWEEN = "+"  # the names in the name of a file; no model has it in its own
NO_TEST = {"interval": None, "p": None}  # of fewer than `LEAST_PHOTOS` photos
WEIGHTS = "the weights of the embedding (100 MB)"


class PairedFigures(TypedDict):
    """How often two models are right on the same photos."""

    n: int  # photos
    both: int  # photos that both have right
    only_first: int
    only_second: int
    neither: int
    difference: float  # share of the first minus share of the second, in [-1, 1]
    interval: list[float] | None  # 95% interval of it; None for a group of few photos
    p: float | None  # of McNemar's exact test; None for a group of few photos


class Kind(TypedDict):
    """A kind of photos, and how often two models are right on it."""

    label: str  # true label; empty for any
    trait: str  # such as age; empty where only the label is given
    group: str  # of the trait
    right: PairedFigures
    answered: PairedFigures


class SetComparison(TypedDict):
    """Two models on the test photos of a data set."""

    subjects: int  # known ones; a photo of an unknown subject stands for itself
    right: PairedFigures  # every face gets its likeliest label; no face found counts as wrong
    answered: PairedFigures  # answered under the model's rule, and right
    coverage: list[float]  # share of the photos that each model answers, in [0, 1]
    kinds: list[Kind]
    ms: list[float]  # median time per photo of each model, in milliseconds, on one thread
    ratio: float  # median over the photos of the time of the first by that of the second
    notes: list[str]


class ModelComparison(TypedDict):
    """Two models compared on the test photos of data sets."""

    format: int
    models: list[str]
    sha256: list[dict[str, str]]  # of each model's files, to notice that it was trained again
    megabytes: list[float]  # of each model's folder
    needs: list[str]  # what has to be installed beside facecore; empty for nothing
    created: str  # date
    seed: int
    sets: dict[str, SetComparison]


def compare_models(
    models: Sequence[str],
    sources: Sequence[Path],
    *,
    limit: int | None = None,
    seed: int = 0,
    jobs: int = 1,
    watch: Watch | None = None,
) -> list[ModelComparison]:
    """Compare each pair of several models on the same test photos.

    Parameters
    ----------
    models : sequence of str
        Names of at least two models of the same labels.
    sources : sequence of Path
        Data sets, as `facecore.evaluation.predict_together` takes them.
    limit : int, optional
        A random sample of at most this many photos of each data set.
    seed : int
        Of the sample and the intervals, at least 0.
    jobs : int
        Worker processes; -1 for one per core.
    watch : callable, optional
        As `facecore.evaluation.predict_together` takes it.

    Returns
    -------
    list of ModelComparison
        One per pair, each in the order of `models`.

    Raises
    ------
    DataError, ModelError
        As `facecore.evaluation.predict_together` raises them.
    """
    tests = predict_together(models, sources, limit=limit, seed=seed, jobs=jobs, watch=watch)
    return [
        compare_pair(first, second, tests, seed=seed) for first, second in combinations(models, 2)
    ]


def compare_pair(
    first: str, second: str, tests: Sequence[Together], *, seed: int = 0
) -> ModelComparison:
    """Compare two models by their answers for the same photos.

    Parameters
    ----------
    first, second : str
        Names of the models.
    tests : sequence of Together
        With predictions of both models.
    seed : int
        Of the intervals, at least 0.

    Returns
    -------
    ModelComparison
        Ready for JSON.

    Raises
    ------
    ModelError
        A model is missing or damaged.
    """
    names = (first, second)
    return {
        "format": FORMAT,
        "models": list(names),
        "sha256": [_sums(name) for name in names],
        "megabytes": [_megabytes(name) for name in names],
        "needs": [_needs(name) for name in names],
        "created": datetime.now(UTC).strftime("%Y-%m-%d"),
        "seed": seed,
        "sets": {test.name: compare_tests(first, second, test, seed=seed) for test in tests},
    }


def compare_tests(first: str, second: str, test: Together, *, seed: int = 0) -> SetComparison:
    """Compare two models on the test photos of one data set.

    Parameters
    ----------
    first, second : str
        Names of the models.
    test : Together
        With predictions of both models.
    seed : int
        Of the intervals, at least 0.

    Returns
    -------
    SetComparison
        Counts of all photos and of each kind; intervals are drawn by subject where subjects are
        known (Efron 1979), and tests are McNemar's (McNemar 1947).
    """
    one, other = (test.tables[name].reset_index(drop=True) for name in (first, second))
    known = test.photos["subject"][test.photos["subject"].ne("")]
    subjects = subject_names(test.photos.assign(set=test.name))
    right = {
        "right": (is_right(one).to_numpy(), is_right(other).to_numpy()),
        "answered": (_is_answered_right(one), _is_answered_right(other)),
    }

    def figures(what: str, photos: np.ndarray, *, tested: bool = True) -> PairedFigures:
        a, b = right[what]
        return pair_figures(a[photos], b[photos], subjects[photos], tested=tested, seed=seed)

    kinds: list[Kind] = []
    for (label, trait, group), photos in _kinds_of(one):
        tested = int(photos.sum()) >= LEAST_PHOTOS
        kinds.append(
            {
                "label": label,
                "trait": trait,
                "group": group,
                "right": figures("right", photos, tested=tested),
                "answered": figures("answered", photos, tested=tested),
            }
        )
    whole = np.ones(len(one), dtype=bool)
    return {
        "subjects": int(known.nunique()),
        "right": figures("right", whole),
        "answered": figures("answered", whole),
        "coverage": [round(float(table["answered"].mean()), 4) for table in (one, other)],
        "kinds": kinds,
        "ms": [round(float(table["ms"].median()), 2) for table in (one, other)],
        "ratio": round(float((one["ms"] / other["ms"]).median()), 3),
        "notes": list(test.notes),
    }


def _is_answered_right(table: pd.DataFrame) -> np.ndarray:
    return np.asarray(is_right(table) & table["answered"])


def _kinds_of(table: pd.DataFrame) -> Iterator[tuple[tuple[str, str, str], np.ndarray]]:
    """Yield label, trait and group of each kind of photos, and which photos are of it."""
    labels = order_labels(table["label"].unique())
    for label in labels:
        yield (label, "", ""), table["label"].eq(label).to_numpy()
    for trait in TRAITS:
        known = table[trait].notna() & table[trait].ne("")
        groups = order_labels(table.loc[known, trait].unique())
        for label in ("", *labels):
            for group in groups:
                photos = table[trait].eq(group).to_numpy()
                if label:
                    photos = photos & table["label"].eq(label).to_numpy()
                if photos.any():
                    yield (label, trait, group), photos


def pair_figures(
    first: np.ndarray,
    second: np.ndarray,
    subjects: np.ndarray,
    *,
    tested: bool = True,
    seed: int = 0,
) -> PairedFigures:
    """Count on how many photos two models are right, and compare them.

    Parameters
    ----------
    first, second : ndarray of shape (n_photos,), bool
        Whether each is right, photo by photo; at least one photo.
    subjects : ndarray of shape (n_photos,), str
        Subject of each photo.
    tested : bool
        Whether to compute interval and p value, which few photos are not worth.
    seed : int
        Of the interval, at least 0.

    Returns
    -------
    PairedFigures

    Examples
    --------
    >>> first, second = np.arange(20) < 19, np.arange(20) < 14  # right on 19 and on 14 of 20
    >>> found = pair_figures(first, second, np.arange(20).astype(str), tested=False)
    >>> found["both"], found["only_first"], found["neither"], found["difference"], found["p"]
    (14, 5, 1, 0.25, None)
    """
    found: Mapping[str, Any]
    if tested:
        found = compare_classifiers(first, second, subjects, seed=seed)
    else:
        found = {"difference": round(float(first.mean() - second.mean()), 4), **NO_TEST}
    return {
        "n": len(first),
        "both": int((first & second).sum()),
        "only_first": int((first & ~second).sum()),
        "only_second": int((second & ~first).sum()),
        "neither": int((~first & ~second).sum()),
        "difference": found["difference"],
        "interval": found["interval"],
        "p": found["p"],
    }


def comparison_file(first: str, second: str) -> Path:
    """Return the file that a comparison of two models is written to.

    Parameters
    ----------
    first, second : str
        Names of the models, in any order.

    Returns
    -------
    Path
        In the folder of models. It may not exist.

    Examples
    --------
    >>> comparison_file("mine", "classic").name
    'classic+mine.json'
    """
    return artifacts_dir() / COMPARISONS_FOLDER / _file_name(first, second)


def _file_name(first: str, second: str) -> str:
    return f"{BETWEEN.join(sorted((first, second)))}.json"


def write_comparison(comparison: ModelComparison, file: Path | None = None) -> Path:
    """Write a comparison to a file.

    Parameters
    ----------
    comparison : ModelComparison
        As `compare_pair` returns it.
    file : Path, optional
        Its folder must exist; that of `comparison_file` when left out.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    DataError
        The file cannot be written.
    """
    path = file or comparison_file(*comparison["models"])
    try:
        if file is None:
            path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, comparison)
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror or error}") from error
    return path


def read_comparison(first: str, second: str) -> ModelComparison | None:
    """Read the stored comparison of two models.

    Parameters
    ----------
    first, second : str
        Names of the models.

    Returns
    -------
    ModelComparison or None
        With `first` as the first, whichever it was when it was stored; None where there is none.

    Raises
    ------
    DataError
        The file is damaged, or of a newer format.
    """
    files = [root / COMPARISONS_FOLDER / _file_name(first, second) for root in artifact_folders()]
    file = next((file for file in files if file.is_file()), None)
    if file is None:
        return None
    try:
        found: ModelComparison = json.loads(file.read_text(encoding="utf-8"))
        if found["format"] != FORMAT:
            raise ValueError(f"it has format {found['format']!r}, this version reads {FORMAT}")
        if sorted(found["models"]) != sorted((first, second)):
            raise ValueError(f"it is of {' and '.join(found['models'])}")
        turned = found if found["models"] == [first, second] else turn_round(found)
        tabulate_kinds(turned)
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise DataError(
            f"the comparison {file} is damaged: {error}; make it again with: "
            f"python -m facecore compare {first} {second} PHOTOS"
        ) from error
    return turned


def turn_round(comparison: ModelComparison) -> ModelComparison:
    """Return a comparison with the second model as the first.

    Parameters
    ----------
    comparison : ModelComparison
        As `compare_pair` returns it.

    Returns
    -------
    ModelComparison
        With the same counts, and differences of the opposite sign.
    """
    turned: Any = {
        **comparison,
        **{key: comparison[key][::-1] for key in ("models", "sha256", "megabytes", "needs")},
        "sets": {
            name: {
                **found,
                "right": _turn(found["right"]),
                "answered": _turn(found["answered"]),
                "coverage": found["coverage"][::-1],
                "kinds": [
                    {**kind, "right": _turn(kind["right"]), "answered": _turn(kind["answered"])}
                    for kind in found["kinds"]
                ],
                "ms": found["ms"][::-1],
                "ratio": round(1 / found["ratio"], 3),
            }
            for name, found in comparison["sets"].items()
        },
    }
    return turned  # type: ignore[no-any-return]


def _turn(figures: PairedFigures) -> PairedFigures:
    interval = figures["interval"]
    return {
        **figures,
        "only_first": figures["only_second"],
        "only_second": figures["only_first"],
        "difference": -figures["difference"] or 0.0,
        "interval": interval and [-limit or 0.0 for limit in reversed(interval)],
    }


def changed_since(comparison: ModelComparison) -> list[str]:
    """Return which models of a comparison were trained again since it was made.

    Parameters
    ----------
    comparison : ModelComparison
        As `read_comparison` returns it.

    Returns
    -------
    list of str
        Names of the models whose files have other checksums now.

    Raises
    ------
    ModelError
        A model is missing or damaged.
    """
    pairs = zip(comparison["models"], comparison["sha256"], strict=True)
    return [name for name, sums in pairs if _sums(name) != sums]


def tabulate_kinds(comparison: ModelComparison, measure: str = "right") -> pd.DataFrame:
    """Return the counts of a comparison as a table.

    Parameters
    ----------
    comparison : ModelComparison
        As `read_comparison` returns it.
    measure : {"right", "answered"}
        Whether every face counts with its likeliest label, or only answers under the model's rule.

    Returns
    -------
    DataFrame
        One row per data set, and below it one per kind of photos: set, label, trait, group, photos,
        both right, only the first right, only the second right, both wrong, difference (accuracy of
        the first minus that of the second), low, high (95% interval), p (of McNemar's test).
    """
    first, second = comparison["models"]
    rows = []
    for name, found in comparison["sets"].items():
        whole: Any = {"label": "", "trait": "", "group": "", **found}
        for kind in (whole, *found["kinds"]):
            figures = kind[measure]
            low, high = figures["interval"] or (None, None)
            # The stored difference is rounded; rounded again, it may end in another digit.
            difference = (figures["only_first"] - figures["only_second"]) / max(figures["n"], 1)
            rows.append(
                {
                    "set": name,
                    **{key: kind[key] for key in ("label", "trait", "group")},
                    "photos": figures["n"],
                    "both right": figures["both"],
                    f"only {first} right": figures["only_first"],
                    f"only {second} right": figures["only_second"],
                    "both wrong": figures["neither"],
                    "difference": difference,
                    "low": low,
                    "high": high,
                    "p": figures["p"],
                }
            )
    return pd.DataFrame(rows).astype({"low": float, "high": float, "p": float})


def _sums(name: str) -> dict[str, str]:
    sums = read_metadata(name)["sha256"]
    return {file: sums[file] for file in CORE}


def _megabytes(name: str) -> float:
    files = find_model(name).iterdir()
    return round(sum(file.stat().st_size for file in files if file.is_file()) / 1e6, 2)


def _needs(name: str) -> str:
    return WEIGHTS if load_model(name).recipe.embedding else ""
