"""What a threshold per group would change: a what-if, which no model of this library uses."""

from typing import TYPE_CHECKING

import numpy as np

from facecore.evaluation.curves import score_labels
from facecore.evaluation.intervals import LEAST_PHOTOS

if TYPE_CHECKING:
    import pandas as pd


def equal_recall(
    table: "pd.DataFrame",
    column: str,
    positive: str,
    threshold: float = 0.5,
    least: int = LEAST_PHOTOS,
) -> "pd.DataFrame":
    """Give each group the threshold at which as many of a label are recognised as in all groups.

    Equal opportunity by a threshold per group (Hardt, Price and Srebro 2016). Such a model has to
    know the group of a face before it decides.

    Parameters
    ----------
    table : DataFrame
        Predictions as `facecore.evaluation.predict_table` returns them.
    column : str
        Column that names the groups; empty or NaN where unknown.
    positive : str
        Label. A face is called so where its probability is at least the threshold.
    threshold : float
        The one that all groups share today, in [0, 1].
    least : int
        Groups with fewer photos of the label are left out.

    Returns
    -------
    DataFrame
        One row per group: group, photos, of label (count), threshold (of the group; 0 where no
        threshold is low enough, since faces were not found), and with the common threshold and
        with the group's own: recall (of the label), false positives (share of the photos of other
        labels that are called so), accuracy (share of the photos rightly called so or not). The
        thresholds are chosen on the photos that the shares are taken of, which flatters them.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"label": ["sad"] * 4 + ["calm"] * 4, "detected": True})
    >>> table = table.assign(age=["60+", "60+", "13-19", "13-19"] * 2)
    >>> table["p_sad"] = [0.9, 0.8, 0.7, 0.3, 0.2, 0.1, 0.4, 0.2]
    >>> equal_recall(table, "age", "sad", least=1)[["group", "recall", "threshold", "own recall"]]
       group  recall  threshold  own recall
    0  13-19     0.5        0.3         1.0
    1    60+     1.0        0.8         1.0
    """
    score = table[f"p_{positive}"].where(table["detected"], -1).to_numpy(dtype=float)
    truth = table["label"].eq(positive).to_numpy(dtype=bool)
    inside = _groups(table, column, truth, least)
    if not inside:
        return _table([])
    every = np.logical_or.reduce(list(inside.values()))
    target = (score[every & truth] >= threshold).mean()
    rows = []
    for group, rows_of in inside.items():
        own = _lowest(score[rows_of & truth], target)
        row = {"group": group, "photos": rows_of.sum(), "of label": (rows_of & truth).sum()}
        for words, limit in (("", threshold), ("own ", own)):
            called = score[rows_of] >= limit
            is_it = truth[rows_of]
            row[f"{words}recall"] = called[is_it].mean()
            row[f"{words}false positives"] = called[~is_it].mean() if (~is_it).any() else np.nan
            row[f"{words}accuracy"] = (called == is_it).mean()
        rows.append(row | {"threshold": own})
    return _table(rows)


def equal_coverage(
    table: "pd.DataFrame", column: str, threshold: float, least: int = LEAST_PHOTOS
) -> "pd.DataFrame":
    """Give each group the threshold of "unsure" at which it is answered as often as all are.

    Parameters
    ----------
    table : DataFrame
        Predictions as `facecore.evaluation.predict_table` returns them.
    column : str
        Column that names the groups; empty or NaN where unknown.
    threshold : float
        Confidence below which an answer is "unsure" in all groups today, in [0, 1].
    least : int
        Groups of fewer photos are left out.

    Returns
    -------
    DataFrame
        One row per group: group, photos, threshold (of the group; 0 where no threshold is low
        enough, since faces were not found), and with the common threshold and with the group's own:
        answered (share of the photos), right when answered (NaN without an answer). The thresholds
        are chosen on the photos that the shares are taken of.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"label": ["sad", "sad", "calm", "calm"], "detected": True})
    >>> table = table.assign(predicted="sad", age=["60+", "60+", "13-19", "13-19"])
    >>> table["p_sad"], table["p_calm"] = [0.9, 0.8, 0.7, 0.6], [0.1, 0.2, 0.3, 0.4]
    >>> found = equal_coverage(table, "age", 0.75, least=1)
    >>> found[["group", "answered", "threshold", "own answered"]]
       group  answered  threshold  own answered
    0  13-19       0.0        0.7           0.5
    1    60+       1.0        0.9           0.5
    """
    scores = table[[f"p_{label}" for label in score_labels(table)]].max(axis=1)
    score = scores.where(table["detected"], -1).to_numpy(dtype=float)
    right = (table["detected"] & table["predicted"].eq(table["label"])).to_numpy(dtype=bool)
    inside = _groups(table, column, np.ones(len(table), dtype=bool), least)
    if not inside:
        return _table([])
    every = np.logical_or.reduce(list(inside.values()))
    target = (score[every] >= threshold).mean()
    rows = []
    for group, rows_of in inside.items():
        own = _lowest(score[rows_of], target)
        row = {"group": group, "photos": rows_of.sum()}
        for words, limit in (("", threshold), ("own ", own)):
            given = rows_of & (score >= limit)
            row[f"{words}answered"] = given.sum() / rows_of.sum()
            row[f"{words}right when answered"] = right[given].mean() if given.any() else np.nan
        rows.append(row | {"threshold": own})
    return _table(rows)


def _groups(
    table: "pd.DataFrame", column: str, counted: np.ndarray, least: int
) -> dict[str, np.ndarray]:
    """Return the rows of each group that has enough of the photos that are counted."""
    known = table[column].notna() & table[column].ne("")
    inside = {
        str(group): (known & table[column].eq(group)).to_numpy(dtype=bool)
        for group in sorted(table.loc[known, column].unique())
    }
    return {g: rows for g, rows in inside.items() if (rows & counted).sum() >= max(least, 1)}


def _lowest(scores: np.ndarray, share: float) -> float:
    """Return the highest threshold that at least a share of some scores reach."""
    count = int(np.ceil(share * len(scores) - 1e-9))
    if count == 0:
        return 1.0 if scores.max() < 1 else float(np.nextafter(1, 2))
    return max(0.0, float(np.sort(scores)[::-1][count - 1]))


def _table(rows: list[dict[str, object]]) -> "pd.DataFrame":
    import pandas as pd

    return pd.DataFrame(rows)
