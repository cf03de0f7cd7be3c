"""Curves of an evaluation: ROC, precision-recall, reliability, coverage against risk.

A table of predictions is what `facecore.evaluation.predict_table` returns: one row per photo with
label (str), detected (bool), predicted (str) and p_<label> (float, in [0, 1]). A photo in which no
face was found has no score. It is left out of figures about scores, and counts as not answered in
figures about answers.
"""

from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import pandas as pd

from facecore.evaluation.intervals import wilson

BINS = 10


@dataclass(frozen=True)
class Curve:
    """A curve and the area under it.

    Parameters
    ----------
    x, y : ndarray of shape (n_points,), float64
        Coordinates of the points, in [0, 1]; empty where all faces, or none, are positive.
    threshold : ndarray of shape (n_points,), float64
        Least score of a face that is called positive, for each point.
    area : float
        In [0, 1]; NaN for an empty curve.
    """

    x: np.ndarray
    y: np.ndarray
    threshold: np.ndarray
    area: float


@dataclass(frozen=True)
class Answers:
    """What happens to the photos when the model may say "unsure".

    Parameters
    ----------
    photos : int
        Photos in all: the sum of answered, unsure and no_face.
    answered : int
        Photos whose face gets a label.
    right : int
        Photos whose face gets the true label.
    unsure : int
        Photos whose face gets no label.
    no_face : int
        Photos in which no face was found.
    coverage : float
        Share of the photos that are answered, in [0, 1].
    accuracy : float
        Share of the answers that are right, in [0, 1]; NaN without an answer.
    interval : tuple of float
        95% interval of the accuracy (Wilson 1927): low, high.
    """

    photos: int
    answered: int
    right: int
    unsure: int
    no_face: int
    coverage: float
    accuracy: float
    interval: tuple[float, float]


class RiskFigures(TypedDict):
    """How well the confidence sorts right answers before wrong ones; risks are in [0, 1]."""

    aurc: float  # area under the risk-coverage curve: the mean risk over all coverages
    random: float  # the same, expected where faces are answered in a random order
    ideal: float  # the same, where every right answer comes before every wrong one
    excess: float  # aurc minus ideal


def score_labels(table: pd.DataFrame) -> list[str]:
    """Return the labels that a table of predictions has scores for.

    Parameters
    ----------
    table : DataFrame
        Predictions, as described above.

    Returns
    -------
    list of str
        In the order of the columns.

    Examples
    --------
    >>> score_labels(pd.DataFrame(columns=["label", "p_serious", "p_smiling"]))
    ['serious', 'smiling']
    """
    return [column.removeprefix("p_") for column in table.columns if column.startswith("p_")]


def roc(table: pd.DataFrame, positive: str) -> Curve:
    """Compute the receiver operating characteristic of one label against the rest.

    Parameters
    ----------
    table : DataFrame
        Predictions, as described above.
    positive : str
        The label that counts as positive.

    Returns
    -------
    Curve
        x is the false positive rate, y the true positive rate. The area is the probability that a
        face of the label scores higher than another face (Hanley and McNeil 1982).

    Examples
    --------
    >>> table = pd.DataFrame({"label": ["smiling", "smiling", "serious"], "detected": True})
    >>> table["predicted"] = ["smiling", "serious", "serious"]
    >>> table["p_smiling"], table["p_serious"] = [0.9, 0.4, 0.2], [0.1, 0.6, 0.8]
    >>> roc(table, "smiling").area
    1.0
    """
    from sklearn.metrics import auc, roc_curve

    truth, score = _split(table, positive)
    if truth.all() or not truth.any():
        return _no_curve()
    x, y, threshold = roc_curve(truth, score)
    return Curve(x, y, threshold, float(auc(x, y)))


def macro_auc(table: pd.DataFrame) -> float:
    """Compute the mean area under the ROC curves, each of one label against the rest.

    Parameters
    ----------
    table : DataFrame
        Predictions, as described above.

    Returns
    -------
    float
        In [0, 1]; every label counts the same, however many faces it has. Labels of no face, or of
        all faces, are left out; NaN where none is left.

    Examples
    --------
    >>> table = pd.DataFrame({"label": ["smiling", "smiling", "serious"], "detected": True})
    >>> table["predicted"] = ["smiling", "serious", "serious"]
    >>> table["p_smiling"], table["p_serious"] = [0.9, 0.4, 0.2], [0.1, 0.6, 0.8]
    >>> macro_auc(table)
    1.0
    """
    areas = [roc(table, label).area for label in score_labels(table)]
    known = [area for area in areas if not np.isnan(area)]
    return float(np.mean(known)) if known else float("nan")


def top_accuracy(table: pd.DataFrame, k: int) -> float:
    """Compute the share of the faces found whose true label is among the k likeliest.

    Parameters
    ----------
    table : DataFrame
        Predictions, as described above.
    k : int
        Number of labels, at least 1.

    Returns
    -------
    float
        In [0, 1]; NaN without a face. A true label that the table has no scores for counts as
        wrong; of equal scores the first columns count.

    Examples
    --------
    >>> table = pd.DataFrame({"label": ["happy", "sad"], "detected": True})
    >>> table["p_calm"], table["p_happy"], table["p_sad"] = [0.5, 0.5], [0.3, 0.4], [0.2, 0.1]
    >>> top_accuracy(table, 1), top_accuracy(table, 2), top_accuracy(table, 3)
    (0.0, 0.5, 1.0)
    """
    found = table[table["detected"]]
    if found.empty:
        return float("nan")
    labels = np.array(score_labels(table))
    P = found[[f"p_{label}" for label in labels]].to_numpy(dtype=float)
    best = labels[np.argsort(-P, axis=1, kind="stable")[:, :k]]
    return float((best == found["label"].to_numpy(dtype=str)[:, None]).any(axis=1).mean())


def precision_recall(table: pd.DataFrame, positive: str) -> Curve:
    """Compute the precision-recall curve of one label against the rest (Davis and Goadrich 2006).

    Parameters
    ----------
    table : DataFrame
        Predictions, as described above.
    positive : str
        The label that counts as positive.

    Returns
    -------
    Curve
        x is the recall among faces found, falling; y is the precision. The area is the average
        precision.

    Examples
    --------
    >>> table = pd.DataFrame({"label": ["smiling", "smiling", "serious"], "detected": True})
    >>> table["predicted"] = ["smiling", "serious", "serious"]
    >>> table["p_smiling"], table["p_serious"] = [0.9, 0.4, 0.2], [0.1, 0.6, 0.8]
    >>> precision_recall(table, "smiling").area
    1.0
    """
    from sklearn.metrics import average_precision_score, precision_recall_curve

    truth, score = _split(table, positive)
    if truth.all() or not truth.any():
        return _no_curve()
    y, x, threshold = precision_recall_curve(truth, score, drop_intermediate=True)
    area = float(average_precision_score(truth, score))
    return Curve(x, y, np.append(threshold, np.inf), area)


def reliability(table: pd.DataFrame, bins: int = BINS) -> pd.DataFrame:
    """Compute how often the model is right at each level of its confidence.

    A reliability table (Murphy and Winkler 1977). Confidence is the probability of the predicted
    label. With k labels it is in [1/k, 1].

    Parameters
    ----------
    table : DataFrame
        Predictions, as described above.
    bins : int
        Number of bins of equal width over [1/k, 1], at least 1.

    Returns
    -------
    DataFrame
        One row per bin that holds a face: from, to (edges, in [0, 1]), faces (count), confidence
        (mean), right (share of the faces), low, high (95% interval of that share, Wilson 1927).

    Examples
    --------
    >>> table = pd.DataFrame({"label": ["smiling", "smiling", "serious"], "detected": True})
    >>> table["predicted"] = ["smiling", "serious", "serious"]
    >>> table["p_smiling"], table["p_serious"] = [0.9, 0.4, 0.2], [0.1, 0.6, 0.8]
    >>> reliability(table, bins=2)[["from", "to", "faces", "right"]]
       from    to  faces  right
    0  0.50  0.75      1    0.0
    1  0.75  1.00      2    1.0
    """
    confidence, right = _confidence(table)
    edges = np.linspace(1 / max(len(score_labels(table)), 1), 1, bins + 1)
    # A bin holds its lower edge. The clip puts a confidence of 1 into the last bin, and one that
    # rounding left below 1/k into the first.
    which = np.clip(np.searchsorted(edges, confidence, side="right") - 1, 0, bins - 1)
    rows = []
    for i in np.unique(which):
        inside = which == i
        low, high = wilson(int(right[inside].sum()), int(inside.sum()))
        rows.append(
            {
                "from": edges[i],
                "to": edges[i + 1],
                "faces": int(inside.sum()),
                "confidence": confidence[inside].mean(),
                "right": right[inside].mean(),
                "low": low,
                "high": high,
            }
        )
    columns = ["from", "to", "faces", "confidence", "right", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def calibration_error(table: pd.DataFrame, bins: int = BINS) -> float:
    """Compute the expected calibration error (Naeini, Cooper and Hauskrecht 2015).

    Parameters
    ----------
    table : DataFrame
        Predictions, as described above.
    bins : int
        Of `reliability`, at least 1.

    Returns
    -------
    float
        Mean distance between confidence and share of right answers over the bins of `reliability`,
        weighted by their faces; in [0, 1], 0 at best, NaN without a face.

    Examples
    --------
    >>> table = pd.DataFrame({"label": ["smiling", "smiling", "serious"], "detected": True})
    >>> table["predicted"] = ["smiling", "serious", "serious"]
    >>> table["p_smiling"], table["p_serious"] = [0.9, 0.4, 0.2], [0.1, 0.6, 0.8]
    >>> round(calibration_error(table, bins=2), 3)  # a third of 0.6 - 0, two thirds of 1 - 0.85
    0.3
    """
    rows = reliability(table, bins)
    if rows.empty:
        return float("nan")
    return float(np.average((rows["confidence"] - rows["right"]).abs(), weights=rows["faces"]))


def brier_score(table: pd.DataFrame) -> float:
    """Compute the Brier score, halved so that it lies in [0, 1] (Brier 1950).

    Parameters
    ----------
    table : DataFrame
        Predictions, as described above.

    Returns
    -------
    float
        Half the sum over the labels of the mean squared error of the probability; with two labels
        the mean squared error of either. In [0, 1], 0 at best, NaN without a face.

    Examples
    --------
    >>> table = pd.DataFrame({"label": ["smiling", "smiling", "serious"], "detected": True})
    >>> table["predicted"] = ["smiling", "serious", "serious"]
    >>> table["p_smiling"], table["p_serious"] = [0.9, 0.4, 0.2], [0.1, 0.6, 0.8]
    >>> round(brier_score(table), 4)  # the mean of 0.1, 0.6 and 0.2, each squared
    0.1367
    """
    found = table[table["detected"]]
    if found.empty:
        return float("nan")
    labels = score_labels(table)
    P = found[[f"p_{label}" for label in labels]].to_numpy(dtype=float)
    truth = found["label"].to_numpy(dtype=str)[:, None] == np.array(labels)
    return float(((P - truth) ** 2).sum(axis=1).mean() / 2)


def coverage_curve(table: pd.DataFrame) -> pd.DataFrame:
    """Compute coverage and accuracy at every threshold of the confidence (Chow 1970).

    Parameters
    ----------
    table : DataFrame
        Predictions, as described above.

    Returns
    -------
    DataFrame
        One row per confidence that occurs, falling: threshold (in [0, 1]), answered (number of
        faces with at least this confidence), coverage (their share of all photos), accuracy (share
        of them that is right).

    Examples
    --------
    >>> table = pd.DataFrame({"label": ["smiling", "smiling", "serious"], "detected": True})
    >>> table["predicted"] = ["smiling", "serious", "serious"]
    >>> table["p_smiling"], table["p_serious"] = [0.9, 0.4, 0.2], [0.1, 0.6, 0.8]
    >>> coverage_curve(table)[["threshold", "answered", "accuracy"]].round(3)
       threshold  answered  accuracy
    0        0.9         1     1.000
    1        0.8         2     1.000
    2        0.6         3     0.667
    """
    confidence, right = _confidence(table)
    order = np.argsort(-confidence, kind="stable")
    # From the surest face down: at each face, how many so far are right. Faces of the same
    # confidence are answered together, so only the last of them is a point of the curve.
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


def risk_coverage(table: pd.DataFrame) -> pd.DataFrame:
    """Compute the risk-coverage curve, and that of an ideal order (Geifman and El-Yaniv 2017).

    The risk is the share of the answers that are wrong, when the surest faces are answered first.

    Parameters
    ----------
    table : DataFrame
        Predictions, as described above.

    Returns
    -------
    DataFrame
        As `coverage_curve` returns it, with risk (one minus accuracy) and ideal (the risk at the
        same coverage if every right answer were surer than every wrong one), in [0, 1].

    Examples
    --------
    >>> table = pd.DataFrame({"label": ["smiling", "smiling", "serious"], "detected": True})
    >>> table["predicted"] = ["smiling", "serious", "serious"]
    >>> table["p_smiling"], table["p_serious"] = [0.9, 0.2, 0.4], [0.1, 0.8, 0.6]
    >>> risk_coverage(table)[["threshold", "risk", "ideal"]].round(3)
       threshold   risk  ideal
    0        0.9  0.000  0.000
    1        0.8  0.500  0.000
    2        0.6  0.333  0.333
    """
    curve = coverage_curve(table)
    answered = curve["answered"].to_numpy()
    _, right = _confidence(table)
    return curve.assign(
        risk=1 - curve["accuracy"], ideal=np.maximum(answered - right.sum(), 0) / answered
    )


def risk_figures(table: pd.DataFrame) -> RiskFigures | None:
    """Compute the area under the risk-coverage curve (Geifman, Uziel and El-Yaniv 2019).

    It is the mean, over the faces found from the surest down, of the risk when all faces up to this
    one are answered. Faces of the same confidence come in every order alike: the errors among them
    are spread evenly.

    Parameters
    ----------
    table : DataFrame
        Predictions, as described above.

    Returns
    -------
    RiskFigures or None
        None without a face.

    Examples
    --------
    >>> table = pd.DataFrame({"label": ["smiling", "smiling", "serious"], "detected": True})
    >>> table["predicted"] = ["smiling", "serious", "serious"]
    >>> table["p_smiling"], table["p_serious"] = [0.9, 0.2, 0.4], [0.1, 0.8, 0.6]
    >>> figures = risk_figures(table)  # risks 0, 1/2 and 1/3; at best 0, 0 and 1/3
    >>> round(figures["aurc"], 4), round(figures["random"], 4), round(figures["ideal"], 4)
    (0.2778, 0.3333, 0.1111)
    """
    curve = risk_coverage(table)
    if curve.empty:
        return None
    answered = curve["answered"].to_numpy()
    count = np.arange(1, answered[-1] + 1)
    # errors so far, which grow evenly between two points of the curve
    wrong = np.interp(count, np.append(0, answered), np.append(0, curve["risk"] * answered))
    errors = round(float(wrong[-1]))
    aurc = float((wrong / count).mean())
    ideal = float((np.maximum(count - (len(count) - errors), 0) / count).mean())
    return {
        "aurc": aurc,
        "random": errors / len(count),
        "ideal": ideal,
        "excess": aurc - ideal,
    }


def answers_at(table: pd.DataFrame, threshold: float) -> Answers:
    """Count the photos that are answered, unsure and without a face at one threshold.

    Parameters
    ----------
    table : DataFrame
        Predictions, as described above.
    threshold : float
        Confidence below which the model says "unsure", in [0, 1].

    Returns
    -------
    Answers
        Counts and shares.

    Examples
    --------
    >>> table = pd.DataFrame({"label": ["smiling", "smiling", "serious"], "detected": True})
    >>> table["predicted"] = ["smiling", "serious", "serious"]
    >>> table["p_smiling"], table["p_serious"] = [0.9, 0.4, 0.2], [0.1, 0.6, 0.8]
    >>> point = answers_at(table, threshold=0.7)
    >>> point.answered, point.right, point.unsure
    (2, 2, 1)
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
        Predictions, as described above.
    positive : str
        The label whose probability is counted.
    bins : int
        Number of bins of equal width over [0, 1], at least 1.

    Returns
    -------
    DataFrame
        One row per bin, indexed by its middle, and one column per true label: number of faces.
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
