"""The long table of every group's figures, held against scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, precision_score, recall_score

from facecore.evaluation.curves import calibration_error
from facecore.evaluation.frame import COLUMNS, metric_frame
from facecore.evaluation.gaps import ACCURACY, ANSWERED, RECALL, trait_gaps
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


def test_groups_and_their_gaps_are_what_fairlearn_says(table):
    fairlearn = pytest.importorskip("fairlearn.metrics", reason="see requirements-dev.txt")
    table = table[table["set"].eq("x")]
    frame, labels = metric_frame(table), sorted(table["label"].unique())
    gaps = {
        (gap["trait"], gap["figure"], gap["label"]): gap["sets"][0]["gap"]
        for gap in trait_gaps(table, least=1)
    }
    for trait, column in {"age": "age", "hat": "trait_hat"}.items():
        photos = table[table[column].ne("")]
        truth, said, groups = photos["label"], photos["predicted"], photos[column]
        mine = frame[frame["trait"].eq(trait)].set_index("group")
        for name, gap, theirs in (
            ("accuracy", ACCURACY, (accuracy_score, truth, said)),
            ("answered", ANSWERED, (fairlearn.selection_rate, *[photos["answered"]] * 2)),
        ):
            metric, y_true, y_pred = theirs
            found = fairlearn.MetricFrame(
                metrics=metric, y_true=y_true, y_pred=y_pred, sensitive_features=groups
            )
            whole = mine.loc[mine["label"].eq(""), name]
            assert whole.to_dict() == pytest.approx(found.by_group.to_dict())
            assert gaps[trait, gap, ""] == pytest.approx(found.difference(), abs=1e-4)
        for label in labels:
            is_it, called = truth.eq(label).astype(int), said.eq(label).astype(int)
            metrics = {
                "recall": fairlearn.true_positive_rate,
                "selection_rate": fairlearn.selection_rate,
                "false_positive_rate": fairlearn.false_positive_rate,
            }
            found = fairlearn.MetricFrame(
                metrics=metrics, y_true=is_it, y_pred=called, sensitive_features=groups
            )
            within = mine.loc[mine["label"].eq(label), list(metrics)]
            for name in metrics:
                expected = found.by_group[name].to_dict()
                assert within[name].to_dict() == pytest.approx(expected)
            opportunity = fairlearn.equal_opportunity_difference(
                is_it, called, sensitive_features=groups
            )
            assert gaps[trait, RECALL, label] == pytest.approx(opportunity, abs=1e-4)
