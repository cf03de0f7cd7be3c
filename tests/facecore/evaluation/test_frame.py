"""The long table of every group's figures, held against scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, precision_score, recall_score

from facecore.evaluation.curves import calibration_error
from facecore.evaluation.frame import COLUMNS, metric_frame
from facecore.evaluation.intervals import wilson

LABELS = [f"s{i}" for i in range(1, 8)]


@pytest.fixture(params=[2, 7])
def table(request) -> pd.DataFrame:
    """Predictions of two test sets, with two labels and with seven, some photos without a face."""
    rng, n, labels = np.random.default_rng(0), 800, LABELS[: request.param]
    P = rng.dirichlet([0.7] * len(labels), n)
    best = np.array(labels)[P.argmax(axis=1)]
    table = pd.DataFrame(P, columns=[f"p_{label}" for label in labels])
    table["label"] = np.where(rng.random(n) < 0.7, best, rng.choice(labels, n))
    table["detected"] = rng.random(n) < 0.95
    table["predicted"] = np.where(table["detected"], best, "")
    table["answered"] = table["detected"] & (P.max(axis=1) > 0.6)
    table["set"] = rng.choice(["x", "y"], n)
    table["age"] = rng.choice(["13-19", "60+", ""], n)
    return table.assign(race="", trait_hat=rng.choice(["yes", "no"], n))


def test_every_row_is_what_scikit_learn_says_of_its_photos(table):
    frame = metric_frame(table)
    assert tuple(frame) == COLUMNS
    columns = {"age": "age", "hat": "trait_hat"}
    for row in frame.to_dict("records"):
        photos = table[table["set"].eq(row["set"])]
        if row["trait"]:
            photos = photos[photos[columns[row["trait"]]].eq(row["group"])]
        truth, said = photos["label"], photos["predicted"]
        if not row["label"]:
            assert row["photos"] == len(photos)
            assert row["accuracy"] == pytest.approx(accuracy_score(truth, said))
            with pytest.warns(UserWarning, match="y_pred contains"):  # "" for no face
                balanced = balanced_accuracy_score(truth, said)
            assert row["balanced_accuracy"] == pytest.approx(balanced)
            assert row["answered"] == pytest.approx(photos["answered"].mean())
            given = photos[photos["answered"]]
            right = accuracy_score(given["label"], given["predicted"])
            assert row["right_when_answered"] == pytest.approx(right)
            hits = int(given["label"].eq(given["predicted"]).sum())
            assert (row["right_low"], row["right_high"]) == wilson(hits, len(given))
            assert row["calibration_error"] == pytest.approx(calibration_error(photos))
            assert np.isnan(row["recall"])
        else:
            is_it, called = truth.eq(row["label"]), said.eq(row["label"])
            assert row["photos"] == is_it.sum()
            assert row["recall"] == row["accuracy"] == pytest.approx(recall_score(is_it, called))
            assert row["precision"] == pytest.approx(precision_score(is_it, called))
            assert row["selection_rate"] == pytest.approx(called.mean())
            assert row["false_positive_rate"] == pytest.approx(
                1 - recall_score(is_it, called, pos_label=False)
            )


def test_there_is_a_row_for_every_set_group_and_label_that_has_a_photo(table):
    frame = metric_frame(table)
    rows = 1 + table["label"].nunique()
    assert len(frame) == 2 * rows * (1 + 2 + 2)
    assert not frame.duplicated(["set", "trait", "group", "label"]).any()
    counts = frame[frame["label"].ne("") & frame["trait"].eq("")].groupby("set")["photos"].sum()
    assert counts.to_dict() == table["set"].value_counts().to_dict()


def test_an_older_table_has_the_figures_it_can_have(table):
    bare = table[["set", "label", "detected", "predicted"]]
    frame = metric_frame(bare)
    unknown = ["answered", "right_when_answered", "calibration_error"]
    assert frame[unknown].isna().all(axis=None)
    assert frame["accuracy"].notna().all()
    assert set(frame["trait"]) == {""}


def test_labels_come_in_the_declared_order(table):
    order = sorted(table["label"].unique(), reverse=True)
    frame = metric_frame(table, order)
    assert frame["label"].tolist()[1 : 1 + len(order)] == order
