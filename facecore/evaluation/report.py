"""Evaluation of a model: over faces found and over all photos, with intervals, by group."""

import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import numpy as np
import pandas as pd

from facecore.data.crops import raw_root
from facecore.data.listing import NO_FACE, root_of
from facecore.errors import DataError
from facecore.evaluation.curves import (
    RiskFigures,
    brier_score,
    calibration_error,
    macro_auc,
    reliability,
    risk_figures,
    score_labels,
    top_accuracy,
)
from facecore.evaluation.groups import (
    TRAITS,
    AnswerFigures,
    CrossedGroup,
    GroupFigures,
    answer_figures,
    crossed_groups,
    figures_by_trait,
    group_figures,
    is_right,
    round_share,
)
from facecore.evaluation.intervals import Gap, largest_gap, wilson
from facecore.model.answers import PhotoAnswer
from facecore.model.classifier import FaceModel
from facecore.model.labels import order_labels
from facecore.model.predict import predict_many
from facecore.system.progress import track
from facecore.system.text import TRAIT

UNSURE = "unsure/no label"  # an answer that no label can equal: labels have no slash
LEAST_ALIKE, LEAST_SUBJECTS = 5, 3  # photos and subjects that a row of a shared table may be of
TOPS = (2, 3, 5)  # likeliest labels, of which one must be right
PAIRS = 10  # of labels that are most often confused, in an evaluation
AGE_BANDS = ((0, 12), (13, 19), (20, 39), (40, 59), (60, 200))  # years, both ends included


ReliabilityRow = TypedDict(
    "ReliabilityRow",
    {
        "from": float,  # bin of confidence, in [0, 1]
        "to": float,
        "faces": int,
        "confidence": float,  # mean over the faces of the bin
        "right": float,  # share of the faces, in [0, 1]
        "low": float,  # interval of right
        "high": float,
    },
)


class CalibrationFigures(TypedDict, total=False):
    """What the probabilities of a model are worth, over the faces found."""

    calibration_error: float | None  # expected calibration error, in [0, 1]
    brier_score: float | None  # in [0, 1], 0 at best
    reliability: list[ReliabilityRow]


class LabelFigures(TypedDict):
    """Figures of one label, over all photos. Shares are in [0, 1]."""

    n: int  # photos
    precision: float | None  # right of the answers with this label; None where there is none
    recall: float | None  # answered with this label, of its photos; None where there is none
    f1: float | None  # harmonic mean of precision and recall; None where there is no photo


class ConfusedPair(TypedDict):
    """Photos of one label that are answered with another."""

    label: str
    answered: str
    photos: int
    share: float  # of the photos of the label, in [0, 1]


class Evaluation(GroupFigures, CalibrationFigures):
    """What `evaluate_predictions` returns and ``evaluation.json`` stores by data set.

    Evaluations that were stored by older versions lack the keys that need not be there.
    """

    accuracy_found: float | None  # of the faces found
    balanced_accuracy_found: float | None
    recall: dict[str, float | None]  # by label, over all photos
    confusion: dict[str, dict[str, int]]  # photos by true label and by answer, or "no face"
    ms_per_photo: float | None  # median
    groups: dict[str, dict[str, GroupFigures]]  # by trait (label, age, race, further) and group
    crossed: NotRequired[list[CrossedGroup]]  # by label and group
    gaps: NotRequired[dict[str, Gap]]  # by trait
    by_label: NotRequired[dict[str, LabelFigures]]
    macro_f1: NotRequired[float | None]  # mean over the labels with a photo, in [0, 1]
    confused_pairs: NotRequired[list[ConfusedPair]]  # the most frequent first, at most `PAIRS`
    confusion_answered: NotRequired[dict[str, dict[str, int]]]  # with the answer `UNSURE`
    risk: NotRequired[RiskFigures | None]  # None where no face was found
    macro_auc: NotRequired[float | None]  # over the faces found, in [0, 1]
    top_accuracy: NotRequired[dict[str, float | None]]  # by number of labels, over faces found
    mean_absolute_error: NotRequired[float | None]  # over faces found, in steps of the order


def pool_confusions(evaluation: Mapping[str, Evaluation]) -> dict[str, dict[str, int]]:
    """Add up the confusions of several test sets.

    Parameters
    ----------
    evaluation : mapping of str to Evaluation
        By data set.

    Returns
    -------
    dict of str to dict of str to int
        Number of photos by true label and answer.

    Examples
    --------
    >>> lfw = {"confusion": {"serious": {"serious": 8, "smiling": 1, "no face": 1}}}
    >>> utkface = {"confusion": {"serious": {"serious": 5, "smiling": 0, "no face": 0}}}
    >>> pool_confusions({"lfw": lfw, "utkface": utkface})
    {'serious': {'serious': 13, 'smiling': 1, 'no face': 1}}
    """
    pooled: dict[str, dict[str, int]] = {}
    for figures in evaluation.values():
        for label, answers in figures["confusion"].items():
            row = pooled.setdefault(label, {})
            for answer, count in answers.items():
                row[answer] = row.get(answer, 0) + count
    return pooled


def pool_answers(evaluation: Mapping[str, Evaluation]) -> AnswerFigures:
    """Put together what a model answers in several test sets.

    Parameters
    ----------
    evaluation : mapping of str to Evaluation
        By data set.

    Returns
    -------
    AnswerFigures
        Empty where one of the evaluations does not say what was answered. The counts come from
        shares of four decimals, so that with more than 5,000 photos the last decimal may differ.

    Examples
    --------
    >>> lfw = {"n": 10, "coverage": 0.8, "accuracy_answered": 1.0}
    >>> pool_answers({"lfw": lfw, "utkface": lfw | {"accuracy_answered": 0.5}})["accuracy_answered"]
    0.75
    """
    photos = answered = right = 0
    for figures in evaluation.values():
        share = figures.get("coverage")
        if share is None:
            return {}
        given = round(share * figures["n"])
        photos, answered = photos + figures["n"], answered + given
        right += round((figures["accuracy_answered"] or 0) * given)
    if not photos:
        return {}
    return {
        "coverage": round(answered / photos, 4),
        "accuracy_answered": round(right / answered, 4) if answered else None,
        "interval_answered": [round(limit, 4) for limit in wilson(right, answered)],
    }


def balanced_accuracy(confusion: Mapping[str, Mapping[str, int]]) -> float:
    """Compute balanced accuracy: the mean of the recalls of the labels (Brodersen et al. 2010).

    Parameters
    ----------
    confusion : mapping of str to mapping of str to int
        Number of photos by true label and answer; the answer "no face" counts as wrong.

    Returns
    -------
    float
        In [0, 1]; NaN without photos.

    Examples
    --------
    >>> balanced_accuracy({"serious": {"serious": 9, "no face": 1}, "smiling": {"smiling": 50}})
    0.95
    """
    recalls = [
        row.get(label, 0) / total
        for label, row in confusion.items()
        if (total := sum(row.values()))
    ]
    return float(np.mean(recalls)) if recalls else float("nan")


def balanced_interval(confusion: Mapping[str, Mapping[str, int]]) -> tuple[float, float]:
    """Compute the 95% interval of balanced accuracy, from the Wilson intervals of the recalls.

    The method is MOVER (Zou and Donner 2008).

    Parameters
    ----------
    confusion : mapping of str to mapping of str to int
        Number of photos by true label and answer, as `evaluate_predictions` returns them; the
        answer "no face" counts as wrong.

    Returns
    -------
    low, high : float
        In [0, 1]; (0, 1) without photos.

    Examples
    --------
    >>> confusion = {"serious": {"serious": 9, "no face": 1}, "smiling": {"smiling": 50}}
    >>> low, high = balanced_interval(confusion)
    >>> round(low, 2), round(high, 2)
    (0.79, 0.99)
    """
    counts = [(row.get(label, 0), sum(row.values())) for label, row in confusion.items()]
    shares = np.array([(right / n, *wilson(right, n)) for right, n in counts if n])
    if not len(shares):
        return 0.0, 1.0
    recall, low, high = shares.T
    # The distance from a recall to its limit is the uncertainty of that recall on that side. The
    # labels are independent, so these distances add up as squares, like standard errors. The mean
    # divides the root of the sum by the number of labels.
    mean, k = recall.mean(), len(recall)
    return (
        float(mean - np.sqrt(((recall - low) ** 2).sum()) / k),
        float(mean + np.sqrt(((high - recall) ** 2).sum()) / k),
    )


def label_figures(confusion: Mapping[str, Mapping[str, int]]) -> dict[str, LabelFigures]:
    """Compute precision, recall and F1 of each label.

    Parameters
    ----------
    confusion : mapping of str to mapping of str to int
        Number of photos by true label and answer, as `evaluate_predictions` returns them; the
        answer "no face" counts as wrong.

    Returns
    -------
    dict of str to LabelFigures
        By true label, in the order of `confusion`.

    Examples
    --------
    >>> confusion = {"serious": {"serious": 9, "no face": 1}, "smiling": {"smiling": 50}}
    >>> confusion["smiling"]["serious"] = 3
    >>> label_figures(confusion)["serious"]
    {'n': 10, 'precision': 0.75, 'recall': 0.9, 'f1': 0.8182}
    """
    found: dict[str, LabelFigures] = {}
    for label, row in confusion.items():
        right, n = row.get(label, 0), sum(row.values())
        answered = sum(other.get(label, 0) for other in confusion.values())
        found[label] = {
            "n": n,
            "precision": round(right / answered, 4) if answered else None,
            "recall": round(right / n, 4) if n else None,
            "f1": round(2 * right / (n + answered), 4) if n else None,
        }
    return found


def confused_pairs(
    confusion: Mapping[str, Mapping[str, int]], most: int = PAIRS
) -> list[ConfusedPair]:
    """List the pairs of labels that are most often confused.

    Parameters
    ----------
    confusion : mapping of str to mapping of str to int
        Number of photos by true label and answer, as `evaluate_predictions` returns them. Photos
        without a face or an answer are photos of their label, and no pair.
    most : int
        Length of the list at most.

    Returns
    -------
    list of ConfusedPair
        By number of photos, then by their share, falling. Pairs without a photo are left out.

    Examples
    --------
    >>> confusion = {"serious": {"serious": 6, "smiling": 2}, "smiling": {"smiling": 9}}
    >>> confused_pairs(confusion)
    [{'label': 'serious', 'answered': 'smiling', 'photos': 2, 'share': 0.25}]
    """
    pairs: list[ConfusedPair] = [
        {
            "label": label,
            "answered": answer,
            "photos": photos,
            "share": round(photos / sum(row.values()), 4),
        }
        for label, row in confusion.items()
        for answer, photos in row.items()
        if photos and answer not in (label, NO_FACE, UNSURE)
    ]
    return sorted(pairs, key=lambda pair: (-pair["photos"], -pair["share"]))[:most]


def age_band(age: str) -> str:
    """Return the age band of an age.

    Parameters
    ----------
    age : str
        In years; anything else is an unknown age.

    Returns
    -------
    str
        Such as ``"20-39"`` or ``"60+"``; empty where the age is unknown.

    Examples
    --------
    >>> age_band("12.5"), age_band("61"), age_band("")
    ('0-12', '60+', '')
    """
    try:
        years = float(age)
    except ValueError:
        return ""
    for low, high in AGE_BANDS:
        if low <= years < high + 1:
            return f"{low}+" if high == AGE_BANDS[-1][1] else f"{low}-{high}"
    return ""


def map_labels(
    photos: pd.DataFrame,
    labels: Sequence[str],
    names: Mapping[str, str] | None = None,
    *,
    others: Collection[str] = (),
) -> pd.DataFrame:
    """Return photos with the labels of a model in place of those of their data set.

    Parameters
    ----------
    photos : DataFrame
        As `facecore.data.list_photos` returns it.
    labels : sequence of str
        Of the model.
    names : mapping of str to str, optional
        Label of the model by label of the data set; empty to leave its photos out.
    others : collection of str
        Further labels of the data set, of which these photos, such as those of one split, may have
        none. They may be in `names`.

    Returns
    -------
    DataFrame
        The photos that are left, in their order.

    Raises
    ------
    DataError
        A label is not one of the model, or a name is not one of the data set, or no photo is left.

    Examples
    --------
    >>> photos = pd.DataFrame({"path": ["1.jpg", "2.jpg"], "label": ["Men", "Pets"]})
    >>> map_labels(photos, ["female", "male"], {"Men": "male", "Pets": ""})
        path label
    0  1.jpg  male
    """
    names = dict(names or {})
    there = sorted(photos["label"].unique())
    if strange := sorted(set(names) - {*there, *others}):
        known = _some(sorted({*there, *others}))
        raise DataError(f"no label {strange[0]!r} to map in the photos; there are: {known}")
    mapped = photos["label"].map(lambda label: names.get(label, label))
    unknown = sorted(set(mapped) - set(labels) - {""})
    if unknown:
        folded = {label.strip().casefold(): label for label in labels}
        guess = [f"{label}={folded.get(label.strip().casefold(), '...')}" for label in unknown]
        raise DataError(
            f"the model has no label {_some(unknown)}; the photos have {_some(there)}, the model "
            f"{_some(sorted(labels))}; say which is which with --map "
            f"'{','.join(guess[:5])}', or leave photos out with --map '{unknown[0]}='"
        )
    kept = photos.assign(label=mapped.astype("str"))[mapped.ne("")]
    if kept.empty:
        raise DataError(f"no photo is left: all labels ({_some(there)}) are mapped to nothing")
    return kept


def drop_unknown(table: pd.DataFrame, labels: Sequence[str]) -> tuple[pd.DataFrame, str]:
    """Leave out the photos whose labels a model does not know: it could never be right.

    Parameters
    ----------
    table : DataFrame
        Photos or predictions, with a column label.
    labels : sequence of str
        Of the model.

    Returns
    -------
    table : DataFrame
        The photos that are left, in their order.
    note : str
        What was left out, with both lists of labels; empty where all labels are known.

    Examples
    --------
    >>> photos = pd.DataFrame({"path": ["1.jpg", "2.jpg"], "label": ["calm", "sad"]})
    >>> drop_unknown(photos, ["angry", "calm"])[1]
    'left out: 1 photo of a label that the model does not know: sad (1); it knows angry, calm'
    """
    unknown = ~table["label"].isin(list(labels))
    if not unknown.any():
        return table, ""
    what = "photo of a label" if unknown.sum() == 1 else "photos of labels"
    return table[~unknown], (
        f"left out: {unknown.sum():,} {what} that the model does not know: "
        f"{count_labels(table[unknown])}; it knows {_some(sorted(labels))}"
    )


def count_labels(table: pd.DataFrame) -> str:
    """Return the labels of photos with the number of each, in words.

    Parameters
    ----------
    table : DataFrame
        With a column label.

    Returns
    -------
    str
        The first ten labels, sorted.

    Examples
    --------
    >>> count_labels(pd.DataFrame({"label": ["sad", "calm", "sad"]}))
    'calm (1), sad (2)'
    """
    counts = table["label"].value_counts().sort_index()
    return _some([f"{label} ({count:,})" for label, count in counts.items()])


def _some(labels: Sequence[str]) -> str:
    more = f" and {len(labels) - 10} more" if len(labels) > 10 else ""
    return ", ".join(labels[:10]) + more


def predict_table(
    photos: pd.DataFrame,
    source: Path,
    model: FaceModel,
    *,
    name: str = "",
    jobs: int = 1,
    progress: Callable[[Iterable[PhotoAnswer]], Iterable[PhotoAnswer]] | None = None,
) -> pd.DataFrame:
    """Predict every photo of a data set and keep the answer for its main face.

    Parameters
    ----------
    photos : DataFrame
        As `facecore.data.listing.list_photos` returns it.
    source : Path
        The data set that `photos` was listed from.
    model : FaceModel
        To be evaluated.
    name : str
        Of the data set.
    jobs : int
        Worker processes; -1 for one per core. The answers do not depend on it.
    progress : callable, optional
        Wraps the iterator over the answers, as `facecore.system.progress.track` does.

    Returns
    -------
    DataFrame
        One row per photo, in the order of `photos`: set, label, detected (bool), predicted (the
        likeliest label, also where the model is unsure; empty where no face was found),
        p_<label> per label (probability, in [0, 1]), distance (from face space, root mean square
        in units of the min-max scale), score (of the detector), answered (bool: the model gives
        the label under its rule), error (str), ms (milliseconds), age (band), race, and the
        further traits of `photos` (trait_<name>).
        Probabilities, distance and score are NaN where no face was found.
    """
    root = root_of(source).absolute()  # workers may have another working directory
    answers: Iterable[PhotoAnswer] = predict_many(
        [(p, root / p) for p in photos["path"]], model, jobs=jobs
    )
    rows = [
        answer_row(answer, model.labels) for answer in (progress(answers) if progress else answers)
    ]
    return tabulate_answers(rows, photos, name)


def answer_row(answer: PhotoAnswer, labels: Sequence[str]) -> dict[str, Any]:
    """Return what a table of predictions keeps of an answer: that for the main face.

    Parameters
    ----------
    answer : PhotoAnswer
        Of one photo.
    labels : sequence of str
        Of the model.

    Returns
    -------
    dict
        The columns of `predict_table` that do not depend on the data set.
    """
    face = answer.main
    scores = face.scores if face else dict.fromkeys(labels, np.nan)
    return {
        "detected": face is not None,
        "predicted": face.likely if face else "",
        **{f"p_{label}": round(score, 6) for label, score in scores.items()},
        "distance": round(face.distance, 4) if face else np.nan,
        "score": round(face.detection_score, 4) if face else np.nan,
        "answered": face is not None and face.label is not None,
        "error": answer.error or "",
        "ms": answer.ms,
    }


def tabulate_answers(
    rows: Sequence[Mapping[str, Any]], photos: pd.DataFrame, name: str = ""
) -> pd.DataFrame:
    """Return answers beside what is known of their photos.

    Parameters
    ----------
    rows : sequence of mapping
        As `answer_row` returns them, one per photo.
    photos : DataFrame
        The photos, in the same order, as `facecore.data.listing.list_photos` returns them.
    name : str
        Of the data set.

    Returns
    -------
    DataFrame
        As `predict_table` returns it.
    """
    table = pd.DataFrame(rows)
    table.insert(0, "set", name)
    table.insert(1, "label", photos["label"].to_numpy())
    table["age"] = [age_band(age) for age in photos["age"]]
    table["race"] = photos["race"].to_numpy()
    for column in photos.columns[photos.columns.str.startswith(TRAIT)]:
        table[column] = photos[column].to_numpy()
    return table


def evaluate_predictions(table: pd.DataFrame, order: Sequence[str] = ()) -> Evaluation:
    """Compute every figure of an evaluation from predictions.

    A photo in which no face was found counts as wrong in every figure whose name ends in ``_all``.
    Intervals are 95% intervals (Wilson 1927).

    Parameters
    ----------
    table : DataFrame
        Columns label, detected, predicted, age, race and perhaps ms, as `predict_table` returns
        them. Figures about answers and about the calibration need the columns answered and
        p_<label> as well.
    order : sequence of str
        The labels in the order that the model declares, such as age bands. With two labels or more
        there is a ``mean_absolute_error`` in steps of this order, over the faces found whose true
        and predicted labels are in it.

    Returns
    -------
    Evaluation
        A dict of numbers and texts, ready for JSON.

    Raises
    ------
    DataError
        The table has p_<label> columns, but none for one of its labels: the model does not know
        it. `map_labels` and `drop_unknown` help.

    Examples
    --------
    >>> table = pd.DataFrame({"label": ["smiling", "smiling", "serious", "serious"]})
    >>> table["detected"] = [True, True, True, False]
    >>> table["predicted"] = ["smiling", "serious", "serious", ""]
    >>> figures = evaluate_predictions(table.assign(age="", race=""))
    >>> figures["accuracy_all"], figures["accuracy_found"], figures["recall"]
    (0.5, 0.6667, {'serious': 0.5, 'smiling': 0.5})
    """
    known = score_labels(table)
    if unknown := sorted(set(table["label"]) - set(known)) if known else []:
        raise DataError(
            f"the model has no label {_some(unknown)}; the photos have "
            f"{_some(sorted(table['label'].unique()))}, the model {_some(sorted(known))}; call "
            "them as the model does with map_labels, or leave them out with drop_unknown"
        )
    whole, found = group_figures(table), table["detected"]
    right = is_right(table)
    recall = right.groupby(table["label"]).mean()
    timed = "ms" in table and len(table)
    confusion = _confusion(table, order)
    by_label = label_figures(confusion)
    f1 = [figures["f1"] for figures in by_label.values() if figures["f1"] is not None]
    evaluation: Evaluation = {
        "n": whole["n"],
        "detected": whole["detected"],
        "accuracy_found": round_share(right[found].mean()),
        "accuracy_all": whole["accuracy_all"],
        "balanced_accuracy_found": round_share(
            right[found].groupby(table["label"][found]).mean().mean()
        ),
        "balanced_accuracy_all": whole["balanced_accuracy_all"],
        "interval_all": whole["interval_all"],
        "recall": {label: round_share(recall[label]) for label in confusion},
        "confusion": confusion,
        "ms_per_photo": round(float(table["ms"].median()), 2) if timed else None,
        "groups": figures_by_trait(table, order),
        "crossed": crossed_groups(table, order),
        "by_label": by_label,
        "macro_f1": round_share(float(np.mean(f1))) if f1 else None,
        "confused_pairs": confused_pairs(confusion),
    }
    if len(order) > 1:
        evaluation["mean_absolute_error"] = round_share(_steps_off(table, order))
    if "answered" not in table:
        return evaluation
    gaps = {trait: largest_gap(found) for trait, found in evaluation["groups"].items()}
    return {
        **evaluation,
        **answer_figures(table),
        "confusion_answered": _confusion_answered(table, order),
        "risk": _round_risk(risk_figures(table)),
        "gaps": {trait: gap for trait, gap in gaps.items() if gap},
        "calibration_error": round_share(calibration_error(table)),
        "brier_score": round_share(brier_score(table)),
        "reliability": reliability(table).round(4).to_dict("records"),
        "macro_auc": round_share(macro_auc(table)),
        "top_accuracy": {
            str(k): round_share(top_accuracy(table, k))
            for k in TOPS
            if k < len(score_labels(table))
        },
    }


def _round_risk(figures: RiskFigures | None) -> RiskFigures | None:
    if figures is None:
        return None
    aurc, random, ideal = (round(figures[key], 4) for key in ("aurc", "random", "ideal"))
    return {"aurc": aurc, "random": random, "ideal": ideal, "excess": round(aurc - ideal, 4)}


def _steps_off(table: pd.DataFrame, order: Sequence[str]) -> float:
    """Return the mean distance between true and predicted label, in steps of an order."""
    place = {label: i for i, label in enumerate(order)}
    found = table[table["detected"]]
    return float((found["predicted"].map(place) - found["label"].map(place)).abs().mean())


def _confusion(table: pd.DataFrame, order: Sequence[str]) -> dict[str, dict[str, int]]:
    labels = order_labels(map(str, table["label"].unique()), order)
    answers = _answers(table, order)
    return {
        label: {
            other: int((table["label"].eq(label) & table["predicted"].eq(other)).sum())
            for other in answers
        }
        | {NO_FACE: int((table["label"].eq(label) & ~table["detected"]).sum())}
        for label in labels
    }


def _answers(table: pd.DataFrame, order: Sequence[str]) -> list[str]:
    """Return the labels of photos and answers; a data set may lack labels that are answered."""
    found = set(table.loc[table["detected"], "predicted"])
    return order_labels({*map(str, table["label"].unique()), *found}, order)


def _confusion_answered(table: pd.DataFrame, order: Sequence[str]) -> dict[str, dict[str, int]]:
    """Count what the model answers under its rule."""
    unsure = table["detected"] & ~table["answered"]
    counted = _confusion(table.assign(predicted=table["predicted"].mask(unsure, UNSURE)), order)
    # All labels stay, also those that were never given, and the unsure follow them.
    answers = (*_answers(table, order), UNSURE, NO_FACE)
    return {
        label: {answer: row.get(answer, 0) for answer in answers} for label, row in counted.items()
    }


def evaluate_splits(
    faces: pd.DataFrame,
    model: FaceModel,
    *,
    order: Sequence[str] = (),
    jobs: int = 1,
    progress: bool = False,
    shared: bool = False,
    paths: bool = False,
) -> tuple[pd.DataFrame, dict[str, Evaluation]]:
    """Evaluate a model on the test split of every data set, from the raw photos.

    Parameters
    ----------
    faces : DataFrame
        As `facecore.data.faces.gather` returns it.
    model : FaceModel
        To be evaluated.
    order : sequence of str
        As `evaluate_predictions` takes it.
    jobs : int
        Worker processes; -1 for one per core.
    progress : bool
        Show progress bars on standard error.
    shared : bool
        Whether others will get the model: its predictions then keep only traits that many photos
        share, as `hide_rare` leaves them.
    paths : bool
        Whether the predictions have a column path, for what never leaves this computer.

    Returns
    -------
    predictions : DataFrame
        As `predict_table` returns them, without error, sorted by value so that no row can be
        traced to a photo.
    evaluation : dict of str to Evaluation
        By data set. Data sets without a test split are left out, and, with a line on standard
        error, those whose raw photos have moved and photos whose label the model does not know.
    """
    tables, evaluation = [], dict[str, Evaluation]()
    tests = faces[faces["split"].eq("test") & faces["state"].ne("duplicate")]
    for (name, folder), photos in tests.groupby(["set", "folder"], sort=False):
        root = raw_root(Path(folder))
        if root is None or not (root / photos["path"].iloc[0]).is_file():
            print(
                f"the raw photos of {folder} have moved, so it is not evaluated; run: "
                "python -m facecore evaluate PHOTOS --split test",
                file=sys.stderr,
            )
            continue
        photos, note = drop_unknown(photos, model.labels)
        if note:
            print(f"{name}: {note}", file=sys.stderr)
        if photos.empty:
            continue
        bar = partial(
            track, total=len(photos), name=f"evaluate {name}", unit="photo", progress=progress
        )
        table = predict_table(photos, root, model, name=name, jobs=jobs, progress=bar)
        table = table.drop(columns="error").assign(ms=table["ms"].round(2))
        if shared:
            table, hidden = hide_rare(table, photos["subject"].tolist())
            if hidden:
                print(
                    f"{name}: traits of {hidden:,} of {len(table):,} photos are not stored, since "
                    "too few others have the same",
                    file=sys.stderr,
                )
        evaluation[name] = evaluate_predictions(table, order)
        if paths:
            table["path"] = photos["path"].to_numpy()
        tables.append(table.sort_values(["label", "detected", f"p_{model.labels[0]}", "ms"]))
    if not tables:
        return pd.DataFrame(), evaluation
    predictions = pd.concat(tables, ignore_index=True)
    further = predictions.columns[predictions.columns.str.startswith(TRAIT)]
    predictions[further] = predictions[further].fillna("")
    empty = [column for column in further if predictions[column].eq("").all()]
    return predictions.drop(columns=empty), evaluation


def hide_rare(table: pd.DataFrame, subjects: Sequence[str]) -> tuple[pd.DataFrame, int]:
    """Leave out further traits of photos that could be told from all others by them.

    Who knows a data set could find the row of a photo in stored predictions if few others had the
    same label, age, race and further traits. By what is left, each row equals at least four others,
    of three subjects or more (k-anonymity, Sweeney 2002).

    Parameters
    ----------
    table : DataFrame
        As `predict_table` returns it.
    subjects : sequence of str
        Subject of each photo; a photo of an unknown subject (empty) is one of its own.

    Returns
    -------
    table : DataFrame
        The same. A further trait is empty for all photos of one label, age and race where one of
        its values would be rare among them, as a value that alone is missing can be guessed. Bands
        of age and races stay.
    hidden : int
        Photos of which a trait was left out.

    Examples
    --------
    >>> table = pd.DataFrame({"label": ["calm"] * 11 + ["sad"] * 11, "age": "", "race": ""})
    >>> table["trait_hat"] = ["yes"] * 9 + ["no"] * 2 + ["yes"] * 6 + ["no"] * 5
    >>> left, hidden = hide_rare(table, [""] * 22)
    >>> left.groupby("label")["trait_hat"].unique().map(list).to_dict(), hidden
    ({'calm': [''], 'sad': ['yes', 'no']}, 11)
    """
    left, kept = table.copy(), ["label", *TRAITS]
    further = [column for column in table.columns if column.startswith(TRAIT)]
    owner = pd.Series(
        [subject or f"/{place}" for place, subject in enumerate(subjects)], index=table.index
    )
    for column in further:
        alike = owner.groupby([left[name] for name in (*kept, column)])
        few = alike.transform("size") < LEAST_ALIKE
        few |= alike.transform("nunique") < LEAST_SUBJECTS
        cell = few.groupby([left[name] for name in ("label", *TRAITS)]).transform("any")
        left.loc[cell, column] = ""
        kept.append(column)
    return left, int((left[further] != table[further]).any(axis=1).sum())
