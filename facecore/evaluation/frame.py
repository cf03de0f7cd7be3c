"""Every figure of every group in one long table, to be downloaded."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from facecore.evaluation.curves import calibration_error
from facecore.evaluation.groups import is_right, trait_columns
from facecore.evaluation.intervals import wilson
from facecore.model.labels import order_labels

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "set",
    "trait",
    "group",
    "label",
    "photos",
    "faces",
    "accuracy",
    "accuracy_low",
    "accuracy_high",
    "balanced_accuracy",
    "recall",
    "precision",
    "selection_rate",
    "false_positive_rate",
    "answered",
    "right_when_answered",
    "right_low",
    "right_high",
    "calibration_error",
)


def metric_frame(table: "pd.DataFrame", order: Sequence[str] = ()) -> "pd.DataFrame":
    """Compute the figures of every group and of every label within it, as one long table.

    Parameters
    ----------
    table : DataFrame
        Predictions of one test set or more, as `predict_table` returns them. Without a column
        answered, the figures about answers are NaN; without p_<label>, the calibration error is.
    order : sequence of str
        The labels in the order that the model declares.

    Returns
    -------
    DataFrame
        One row per set, trait, group and label that has a photo. Trait and group are empty in the
        rows of a whole set, label in those of all labels of a group. Columns: photos, faces (counts
        of the row's photos, and of those in which a face was found); accuracy (share of the row's
        photos whose likeliest label is the true one, so the recall in the row of a label) and its
        95% interval (Wilson 1927), with a photo without a face as wrong; balanced_accuracy (rows
        of all labels only); in the rows of a label only, one label against the rest among the
        group's photos: recall, precision, selection_rate (share of the group's photos for which
        the label is the likeliest), false_positive_rate (the same of the photos of other labels);
        answered (share of the row's photos that get a label under the rule), right_when_answered
        and its interval; calibration_error (rows of all labels only). Shares are in [0, 1]; NaN
        stands for the share of nothing.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"set": "x", "label": ["calm", "sad"], "detected": True})
    >>> table = table.assign(predicted="calm", age=["60+", "60+"])
    >>> frame = metric_frame(table)
    >>> frame[["trait", "group", "label", "photos", "accuracy", "selection_rate"]]
      trait group label  photos  accuracy  selection_rate
    0                         2       0.5             NaN
    1              calm       1       1.0             1.0
    2               sad       1       0.0             0.0
    3   age   60+             2       0.5             NaN
    4   age   60+  calm       1       1.0             1.0
    5   age   60+   sad       1       0.0             0.0
    """
    import pandas as pd

    counted = table.assign(right=is_right(table))
    rows: list[dict[str, Any]] = []
    for name in table["set"].unique():
        photos = counted[counted["set"].eq(name)]
        rows += ({"set": name, "trait": "", "group": ""} | row for row in _rows(photos, order))
        for trait, column in trait_columns(table).items():
            known = photos[photos[column].notna() & photos[column].ne("")]
            groups = {str(group): found for group, found in known.groupby(column)}
            for group in order_labels(groups):
                where = {"set": name, "trait": trait, "group": group}
                rows += (where | row for row in _rows(groups[group], order))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _rows(photos: "pd.DataFrame", order: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield the figures of a group, and those of each label within it."""
    called = photos["predicted"].where(photos["detected"], "")
    of_label, answers = photos["label"].value_counts(), called.value_counts()
    by_label = {str(label): found for label, found in photos.groupby("label")}
    recalls = {label: found["right"].mean() for label, found in by_label.items()}
    scored = any(column.startswith("p_") for column in photos)
    yield {
        "label": "",
        **_shares(photos),
        "balanced_accuracy": float(np.mean(list(recalls.values()))),
        "calibration_error": calibration_error(photos) if scored else np.nan,
    }
    for label in order_labels(by_label, order):
        n, chosen = int(of_label[label]), int(answers.get(label, 0))
        right = int(by_label[label]["right"].sum())
        others = len(photos) - n
        yield {
            "label": label,
            **_shares(by_label[label]),
            "recall": recalls[label],
            "precision": right / chosen if chosen else np.nan,
            "selection_rate": chosen / len(photos),
            "false_positive_rate": (chosen - right) / others if others else np.nan,
        }


def _shares(photos: "pd.DataFrame") -> dict[str, Any]:
    low, high = wilson(int(photos["right"].sum()), len(photos))
    figures = {
        "photos": len(photos),
        "faces": int(photos["detected"].sum()),
        "accuracy": photos["right"].mean(),
        "accuracy_low": low,
        "accuracy_high": high,
    }
    if "answered" not in photos:
        return figures
    given = photos.loc[photos["answered"], "right"]
    low, high = wilson(int(given.sum()), len(given))
    return figures | {
        "answered": photos["answered"].mean(),
        "right_when_answered": given.mean(),
        "right_low": low,
        "right_high": high,
    }
