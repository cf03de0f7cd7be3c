"""Curves of an evaluation: ROC, precision-recall, reliability, coverage against accuracy.

A table of predictions is what `facecore.evaluation.predict_table` returns: one row a photo with
label, detected, predicted and p_<label>. A photo in which no face was found has no score: it is
left out of what is said of scores, and not answered in what is said of answers.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from facecore.evaluation.intervals import wilson

BINS = 10


@dataclass(frozen=True)
class Curve:
    """A curve with one figure that sums it up.

    Parameters
    ----------
    x, y : ndarray of shape (n_points,), float64
        In [0, 1]; empty where the table has faces of one kind only.
    threshold : ndarray of shape (n_points,), float64
        Score from which on a face is called positive.
    area : float
        In [0, 1], or NaN.
    """

    x: np.ndarray
    y: np.ndarray
    threshold: np.ndarray
    area: float


@dataclass(frozen=True)
class Answers:
    """What becomes of the photos when the model may say "unsure".

    Parameters
    ----------
    photos, answered, right, unsure, no_face : int
        Counts; answered, unsure and no_face add up to photos.
    coverage : float
        Share of the photos that are answered, in [0, 1].
    accuracy : float
        Share of the answers that are right, in [0, 1]; NaN without an answer.
    interval : tuple of float
        Wilson 95 % interval of the accuracy.
    """

    photos: int
    answered: int
    right: int
    unsure: int
    no_face: int
    coverage: float
    accuracy: float
    interval: tuple[float, float]


def score_labels(table: pd.DataFrame) -> list[str]:
    """Return the labels that a table of predictions has scores for.

    Parameters
    ----------
    table : DataFrame

    Returns
    -------
    list of str
    """
    return [column.removeprefix("p_") for column in table.columns if column.startswith("p_")]


def roc(table: pd.DataFrame, positive: str) -> Curve:
    """Return the receiver operating characteristic of one label against the rest.

    Parameters
    ----------
    table : DataFrame
    positive : str
        The label that counts as positive.

    Returns
    -------
    Curve
        x is the false positive rate, y the true positive rate, area the area under it
        (Hanley and McNeil 1982).
    """
    from sklearn.metrics import auc, roc_curve

    truth, score = _split(table, positive)
    if truth.all() or not truth.any():
        return _no_curve()
    x, y, threshold = roc_curve(truth, score)
    return Curve(x, y, threshold, float(auc(x, y)))


def precision_recall(table: pd.DataFrame, positive: str) -> Curve:
    """Return precision against recall of one label against the rest.

    Parameters
    ----------
    table : DataFrame
    positive : str
        The label that counts as positive.

    Returns
    -------
    Curve
        x is the recall among faces found, falling; y the precision; area the average precision.
    """
    from sklearn.metrics import average_precision_score, precision_recall_curve

    truth, score = _split(table, positive)
    if truth.all() or not truth.any():
        return _no_curve()
    y, x, threshold = precision_recall_curve(truth, score, drop_intermediate=True)
    area = float(average_precision_score(truth, score))
    return Curve(x, y, np.append(threshold, np.inf), area)


def reliability(table: pd.DataFrame, bins: int = BINS) -> pd.DataFrame:
    """Return how often the model is right at each level of its confidence.

    A reliability table (Murphy and Winkler 1977). Confidence is the probability of the predicted
    label; k labels leave it in [1/k, 1].

    Parameters
    ----------
    table : DataFrame
    bins : int
        Of equal width.

    Returns
    -------
    DataFrame
        A row for each bin that holds a face: from, to, faces, confidence (mean), right (share),
        low, high (Wilson 95 %).
    """
    confidence, right = _confidence(table)
    edges = np.linspace(1 / max(len(score_labels(table)), 1), 1, bins + 1)
    which = np.clip(np.searchsorted(edges, confidence, side="right") - 1, 0, bins - 1)
    rows = []
    for i in np.unique(which):
        inside = which == i
        low, high = wilson(int(right[inside].sum()), int(inside.sum()))
        rows.append(
            {
                "from": edges[i], "to": edges[i + 1], "faces": int(inside.sum()),
                "confidence": confidence[inside].mean(), "right": right[inside].mean(),
                "low": low, "high": high,
            }
        )  # fmt: skip
    columns = ["from", "to", "faces", "confidence", "right", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def calibration_error(table: pd.DataFrame, bins: int = BINS) -> float:
    """Return the expected calibration error (Naeini, Cooper and Hauskrecht 2015).

    Parameters
    ----------
    table : DataFrame
    bins : int

    Returns
    -------
    float
        Mean distance between confidence and share right over the bins of `reliability`, weighted
        by their faces; in [0, 1], NaN without a face.
    """
    rows = reliability(table, bins)
    if rows.empty:
        return float("nan")
    return float(np.average((rows["confidence"] - rows["right"]).abs(), weights=rows["faces"]))


def brier_score(table: pd.DataFrame) -> float:
    """Return the Brier score, halved so that it lies in [0, 1] (Brier 1950).

    Parameters
    ----------
    table : DataFrame

    Returns
    -------
    float
        With two labels the mean squared error of the probability; NaN without a face.
    """
    found = table[table["detected"]]
    if found.empty:
        return float("nan")
    labels = score_labels(table)
    P = found[[f"p_{label}" for label in labels]].to_numpy(dtype=float)
    truth = found["label"].to_numpy(dtype=str)[:, None] == np.array(labels)
    return float(((P - truth) ** 2).sum(axis=1).mean() / 2)


def coverage_curve(table: pd.DataFrame) -> pd.DataFrame:
    """Return coverage and accuracy for every confidence that can be asked for (Chow 1970).

    Parameters
    ----------
    table : DataFrame

    Returns
    -------
    DataFrame
        A row for each confidence that occurs, falling: threshold, answered (faces at least so
        sure), coverage (their share of all photos), accuracy (share of them that is right).
    """
    confidence, right = _confidence(table)
    order = np.argsort(-confidence, kind="stable")
    confidence, right = confidence[order], np.cumsum(right[order])
    last = np.append(np.diff(confidence) != 0, True)[: len(confidence)]
    answered = np.flatnonzero(last) + 1
    return pd.DataFrame(
        {
            "threshold": confidence[last],
            "answered": answered,
            "coverage": answered / max(len(table), 1),
            "accuracy": right[last] / answered,
        }
    )


def answers_at(table: pd.DataFrame, threshold: float) -> Answers:
    """Count what is answered, unsure and without a face at one threshold.

    Parameters
    ----------
    table : DataFrame
    threshold : float
        Confidence below which the model says "unsure", in [0, 1].

    Returns
    -------
    Answers
    """
    confidence, right = _confidence(table)
    sure = confidence >= threshold
    answered, hits = int(sure.sum()), int(right[sure].sum())
    return Answers(
        photos=len(table),
        answered=answered,
        right=hits,
        unsure=len(confidence) - answered,
        no_face=len(table) - len(confidence),
        coverage=answered / len(table) if len(table) else float("nan"),
        accuracy=hits / answered if answered else float("nan"),
        interval=wilson(hits, answered),
    )


def score_counts(table: pd.DataFrame, positive: str, bins: int = 25) -> pd.DataFrame:
    """Count the faces of each true label by their probability of one label.

    Parameters
    ----------
    table : DataFrame
    positive : str
        The label whose probability is counted.
    bins : int
        Of equal width over [0, 1].

    Returns
    -------
    DataFrame
        Indexed by the middle of the bin, a column for each true label.
    """
    found = table[table["detected"]]
    edges = np.linspace(0, 1, bins + 1)
    counts = {
        label: np.histogram(rows[f"p_{positive}"], edges)[0]
        for label, rows in found.groupby("label")
    }
    return pd.DataFrame(counts, index=(edges[1:] + edges[:-1]) / 2)


def _split(table: pd.DataFrame, positive: str) -> tuple[np.ndarray, np.ndarray]:
    found = table[table["detected"]]
    return found["label"].eq(positive).to_numpy(), found[f"p_{positive}"].to_numpy(dtype=float)


def _confidence(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return the confidence in each face found, and whether its answer is right."""
    found = table[table["detected"]]
    scores = found[[f"p_{label}" for label in score_labels(table)]]
    right = found["predicted"].eq(found["label"])
    return scores.max(axis=1).to_numpy(dtype=float), right.to_numpy(dtype=bool)


def _no_curve() -> Curve:
    return Curve(np.empty(0), np.empty(0), np.empty(0), float("nan"))
