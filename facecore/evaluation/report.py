"""Honest evaluation: over faces found and over all photos, with intervals, for every group."""

import sys
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from facecore.data.crops import (
    raw_root,
)
from facecore.data.listing import NO_FACE, root_of
from facecore.evaluation.curves import brier_score, calibration_error, reliability
from facecore.evaluation.intervals import wilson
from facecore.model.classifier import FaceModel
from facecore.model.predict import predict_many
from facecore.system.progress import track

AGE_BANDS = ((0, 12), (13, 19), (20, 39), (40, 59), (60, 200))
LEAST_PHOTOS = 50  # photos of a group that is held against another
OF_GROUPS = (
    "n", "detected", "accuracy_all", "balanced_accuracy_all", "interval_all", "coverage",
    "accuracy_answered", "interval_answered",
)  # fmt: skip
PREDICTION_COLUMNS = ("set", "label", "detected", "predicted", "age", "race")


def pool_confusions(evaluation: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    """Add up the confusions of several test sets.

    Parameters
    ----------
    evaluation : mapping
        By data set what `evaluate_predictions` returns.

    Returns
    -------
    dict
        Counts by true label and answer.
    """
    pooled: dict[str, dict[str, int]] = {}
    for figures in evaluation.values():
        for label, answers in figures["confusion"].items():
            row = pooled.setdefault(label, {})
            for answer, count in answers.items():
                row[answer] = row.get(answer, 0) + count
    return pooled


def balanced_accuracy(confusion: Mapping[str, Mapping[str, int]]) -> float:
    """Return the mean of the labels' recalls.

    Parameters
    ----------
    confusion : mapping of str to mapping of str to int
        Counts by true label and answer; "no face" counts as wrong.

    Returns
    -------
    float
        In [0, 1]; NaN without counts.
    """
    recalls = [
        row.get(label, 0) / total
        for label, row in confusion.items()
        if (total := sum(row.values()))
    ]
    return float(np.mean(recalls)) if recalls else float("nan")


def balanced_interval(confusion: Mapping[str, Mapping[str, int]]) -> tuple[float, float]:
    """Return the 95 % interval of balanced accuracy, from the Wilson intervals of the recalls.

    The method is MOVER (Zou and Donner 2008): for the mean of independent shares, the distances
    to their limits add up as squares.

    Parameters
    ----------
    confusion : mapping of str to mapping of str to int
        Counts by true label and answer, as `evaluate_predictions` returns them; every count of a
        label is in its recall, "no face" as well.

    Returns
    -------
    low, high : float
        In [0, 1].
    """
    counts = [(row.get(label, 0), sum(row.values())) for label, row in confusion.items()]
    shares = np.array([(right / n, *wilson(right, n)) for right, n in counts if n])
    if not len(shares):
        return 0.0, 1.0
    recall, low, high = shares.T
    mean, k = recall.mean(), len(recall)
    return (
        float(mean - np.sqrt(((recall - low) ** 2).sum()) / k),
        float(mean + np.sqrt(((high - recall) ** 2).sum()) / k),
    )


def age_band(age: str) -> str:
    """Return the age band of an age in years, or "" where unknown.

    Parameters
    ----------
    age : str

    Returns
    -------
    str
        Such as ``"20-39"`` or ``"60+"``.
    """
    try:
        years = float(age)
    except ValueError:
        return ""
    for low, high in AGE_BANDS:
        if low <= years < high + 1:
            return f"{low}+" if high == AGE_BANDS[-1][1] else f"{low}-{high}"
    return ""


def predict_table(
    photos: pd.DataFrame,
    source: Path,
    model: FaceModel,
    *,
    name: str = "",
    jobs: int = 1,
    progress: Any = None,
) -> pd.DataFrame:
    """Predict every photo of a data set and keep the answer for its largest face.

    Parameters
    ----------
    photos : DataFrame
        As `facecore.data.listing.list_photos` returns it.
    source : Path
        The data set.
    model : FaceModel
    name : str
        Name of the data set.
    jobs : int
        Worker processes; the answers do not depend on it.
    progress : callable, optional
        Wraps the iterator over answers, as `facecore.system.progress.track` does.

    Returns
    -------
    DataFrame
        One row a photo, in the order of `photos`: set, label, detected (bool), predicted (the
        likeliest label, whether or not the model is sure of it; empty where no face was found),
        p_<label> for each label, distance (from face space) and score (of the detector; all NaN
        where no face was found), answered (bool: the model's rule gives the label), error (str),
        ms, age (band), race.
    """
    root = root_of(source).absolute()  # workers may stand elsewhere
    answers: Iterable = predict_many([(p, root / p) for p in photos["path"]], model, jobs=jobs)
    rows = []
    for answer in progress(answers) if progress else answers:
        face = answer.faces[0] if answer.faces else None
        scores = face.scores if face else dict.fromkeys(model.labels, np.nan)
        rows.append(
            {
                "detected": face is not None,
                "predicted": face.likely if face else "",
                **{f"p_{label}": round(score, 6) for label, score in scores.items()},
                "distance": round(face.distance, 4) if face else np.nan,
                "score": round(face.detection_score, 4) if face else np.nan,
                "answered": face is not None and face.label is not None,
                "error": answer.error or "",
                "ms": answer.ms,
            }
        )
    table = pd.DataFrame(rows)
    table.insert(0, "set", name)
    table.insert(1, "label", photos["label"].to_numpy())
    table["age"] = [age_band(age) for age in photos["age"]]
    table["race"] = photos["race"].to_numpy()
    return table


def evaluate_predictions(table: pd.DataFrame) -> dict[str, Any]:
    """Compute every figure of an evaluation from predictions.

    A photo in which no face was found counts as wrong in whatever is "over all".

    Parameters
    ----------
    table : DataFrame
        With the columns label, detected, predicted, age, race and perhaps ms, as
        `predict_table` returns it.

    Returns
    -------
    dict
        n, detected (counts), accuracy_found, accuracy_all, balanced_accuracy_found,
        balanced_accuracy_all (in [0, 1] or None), interval_all (Wilson 95 %), recall (by label,
        over all), confusion (true label to predicted label or "no face"), ms_per_photo (median
        or None), groups (trait to group to n, detected, accuracy_all, balanced_accuracy_all,
        interval_all). Of a table with the column answered also coverage (answered of all
        photos), accuracy_answered and interval_answered (Wilson 95 %), all three in the groups
        too, to which the labels come; gaps (trait to the largest difference of accuracy_all
        between groups of 50 photos or more, and the best and the worst of them);
        calibration_error, brier_score and reliability (rows), over faces found.
    """
    figures = _figures(table)
    labels = sorted(table["label"].unique())
    seen = sorted(set(labels) | set(table.loc[table["detected"], "predicted"]))
    confusion = {
        label: {
            other: int((table["label"].eq(label) & table["predicted"].eq(other)).sum())
            for other in seen
        }
        | {NO_FACE: int((table["label"].eq(label) & ~table["detected"]).sum())}
        for label in labels
    }
    timed = "ms" in table and len(table)
    ruled = "answered" in table
    groups = {
        trait: {
            group: {key: value for key, value in _figures(rows).items() if key in OF_GROUPS}
            for group, rows in table[table[trait].ne("")].groupby(trait)
        }
        for trait in (("label", "age", "race") if ruled else ("age", "race"))
    }
    groups = {trait: found for trait, found in groups.items() if found}
    return {
        **figures,
        "confusion": confusion,
        "ms_per_photo": round(float(table["ms"].median()), 2) if timed else None,
        "groups": groups,
        **({"gaps": _gaps(groups), **_calibration(table)} if ruled else {}),
    }


def _gaps(groups: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    gaps = {}
    for trait, found in groups.items():
        large = [(f["accuracy_all"], group) for group, f in found.items() if f["n"] >= LEAST_PHOTOS]
        if len(large) > 1:
            (high, best), (low, worst) = max(large), min(large)
            gaps[trait] = {"gap": round(high - low, 4), "best": best, "worst": worst}
    return gaps


def _calibration(table: pd.DataFrame) -> dict[str, Any]:
    return {
        "calibration_error": _share(calibration_error(table)),
        "brier_score": _share(brier_score(table)),
        "reliability": reliability(table).round(4).to_dict("records"),
    }


def _figures(table: pd.DataFrame) -> dict[str, Any]:
    right = table["detected"] & table["predicted"].eq(table["label"])
    found = table["detected"]
    recall_all = right.groupby(table["label"]).mean()
    recall_found = right[found].groupby(table["label"][found]).mean()
    low, high = wilson(int(right.sum()), len(table))
    return {
        "n": len(table),
        "detected": int(found.sum()),
        "accuracy_found": _share(right[found].mean()),
        "accuracy_all": _share(right.mean()),
        "balanced_accuracy_found": _share(recall_found.mean()),
        "balanced_accuracy_all": _share(recall_all.mean()),
        "interval_all": [round(low, 4), round(high, 4)],
        "recall": {str(label): _share(value) for label, value in recall_all.items()},
        **_answered(table, right),
    }


def _answered(table: pd.DataFrame, right: pd.Series) -> dict[str, Any]:
    if "answered" not in table:
        return {}
    answered = table["answered"]
    low, high = wilson(int((right & answered).sum()), int(answered.sum()))
    return {
        "coverage": _share(answered.mean()),
        "accuracy_answered": _share(right[answered].mean()),
        "interval_answered": [round(low, 4), round(high, 4)],
    }


def _share(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 4)


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
        By data set what `evaluate_predictions` returns; sets without a test split, or whose
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
        evaluation[name] = evaluate_predictions(table)
        tables.append(table.sort_values(["label", "detected", f"p_{model.labels[0]}", "ms"]))
    return (pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()), evaluation
