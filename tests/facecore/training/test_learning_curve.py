"""Learning curve: would more photos help, and of which label?"""

import shutil

import numpy as np
import pandas as pd
import pytest
from cartoons import LABELS, write_raw
from sklearn.base import clone
from sklearn.model_selection import learning_curve as sklearn_curve

from facecore.data.crops import crop_folder, recipe_settings
from facecore.data.splits import split_folds
from facecore.errors import DataError, ModelError
from facecore.model.store import read_metadata, read_model_table, store_table
from facecore.training.estimator import FaceSpaceClassifier
from facecore.training.grids import Candidate
from facecore.training.kernels import choose_labels
from facecore.training.learning_curve import (
    CurveMember,
    Subset,
    decide_subset,
    estimate_seconds,
    measure_curve,
    measure_subsets,
    order_by_share,
    plan_subsets,
    shrink,
    take_subset,
)
from facecore.training.learning_forecast import describe_curve, tabulate_curve

SETTINGS = Candidate(n_components=8, gamma=0.02, C=5.0)


def make(counts, apart: float, seed: int = 0):
    """Faces of 36 numbers; each label is brighter in numbers of its own, by noise of 40."""
    rng = np.random.default_rng(seed)
    y = np.repeat(list(counts), list(counts.values()))
    X = rng.normal(120, 40, (len(y), 36))
    for number, label in enumerate(counts):
        X[y == label, 4 * number : 4 * number + 4] += apart
    return np.clip(X, 0, 255).astype(np.uint8), y, np.arange(len(y)).astype(str)


def curve_of(X, y, subjects, settings=SETTINGS, jobs=1):
    hits = measure_subsets([CurveMember([X], settings)], y, subjects, jobs=jobs)
    return tabulate_curve(hits, y, subjects)


def test_shares_are_nested_keep_the_labels_balance_and_take_a_subject_whole():
    y = np.repeat(["a", "b"], [60, 30])
    subjects = np.repeat(np.arange(30), 3).astype(str)
    below = order_by_share(y, subjects, seed=1)
    for subject in set(subjects):
        assert len(set(below[subjects == subject])) == 1
    for share in (0.25, 0.5, 0.75):
        counts = pd.Series(y[below < share]).value_counts()
        assert counts["a"] / 60 == pytest.approx(share, abs=3 / 60)
        assert counts["b"] / 30 == pytest.approx(share, abs=3 / 30)
        assert set(np.flatnonzero(below < share)) < set(np.flatnonzero(below < share + 0.25))
    assert (below != order_by_share(y, subjects, seed=2)).any()


def test_a_share_of_one_label_leaves_the_others_whole_and_no_tested_face_is_fitted():
    _, y, subjects = make({"a": 40, "b": 40}, 20)
    splits = split_folds(y, subjects, 5, 0)
    taken = take_subset(Subset(0.5, 0, "b"), y, subjects, splits)
    for (train, test), rows in zip(splits, taken, strict=True):
        assert not set(rows) & set(test)
        assert (y[rows] == "a").sum() == (y[train] == "a").sum()
        assert (y[rows] == "b").sum() == (y[train] == "b").sum() / 2


def test_the_curve_is_that_of_scikit_learn_on_the_same_splits():
    X, y, subjects = make({"a": 60, "b": 40}, 22)
    splits, sizes = split_folds(y, subjects, 5, 0), [16, 40, 80]
    ordered = [
        (train[np.argsort(order_by_share(y[train], subjects[train], 3), kind="stable")], test)
        for train, test in splits
    ]
    ours = np.empty((3, 5))
    for i, size in enumerate(sizes):
        taken = [train[:size] for train, _ in ordered]
        # in the settings of these sizes, which is what scikit-learn would be asked for
        (decisions,) = decide_subset([CurveMember([X], SETTINGS)], y, splits, taken)
        answers = choose_labels(decisions, np.unique(y))
        for fold, (_, test) in enumerate(splits):
            recalls = [(answers[test] == y[test])[y[test] == label].mean() for label in "ab"]
            ours[i, fold] = np.mean(recalls)
    classifier = FaceSpaceClassifier(8, gamma=0.02, C=5.0, calibrate=False)
    for i, size in enumerate(sizes):
        # the space shrinks with the faces, as `decide_subset` says, and is whole with all
        count = min(8, max(size // 2, round(8 * size / 80)))
        settings = shrink(SETTINGS, count)
        machine = clone(classifier).set_params(n_components=count, gamma=settings.gamma)
        found, _, theirs = sklearn_curve(
            machine, X, y, train_sizes=[size], cv=ordered, scoring="balanced_accuracy"
        )
        assert found.tolist() == [size]
        assert ours[i] == pytest.approx(theirs[0])


def test_with_few_photos_of_one_label_more_of_that_label_help_most():
    # each label is told by numbers of its own, of which 40 photos show too little
    table = curve_of(*make({"often": 300, "rare": 40}, 40, seed=1))
    gains = table[table["kind"].eq("gain") & table["label"].notna()].set_index("label")
    assert gains["score"].idxmax() == "rare"
    assert gains.loc["rare", "low"] > 0
    assert gains.loc["often", "score"] < gains.loc["rare", "score"] / 2


def test_a_saturated_task_gains_nothing():
    table = curve_of(*make({"a": 100, "b": 100}, 120))
    gain = table[table["kind"].eq("gain") & table["label"].isna()].iloc[0]
    assert abs(gain["score"]) < 0.01
    assert gain["high"] < 0.01
    ahead = table[table["kind"].eq("forecast gain") & table["label"].isna()].iloc[0]
    assert ahead["high"] < 0.01


@pytest.mark.slow
def test_the_result_depends_neither_on_workers_nor_on_chance():
    data = make({"a": 20, "b": 20, "c": 20}, 30)
    first = curve_of(*data)
    pd.testing.assert_frame_equal(first, curve_of(*data, jobs=2))
    assert set(first["label"].dropna()) == {"a", "b", "c"}


def test_too_few_faces_of_a_label_are_named():
    X, y, subjects = make({"a": 30, "b": 6}, 30)
    with pytest.raises(DataError, match="8 faces or more of each label"):
        measure_subsets([CurveMember([X], SETTINGS)], y, subjects)


def test_of_many_labels_only_the_rarest_are_varied_alone():
    counts = {f"s{i:02d}": 20 + i for i in range(15)}
    _, y, subjects = make(counts, 0)
    planned = plan_subsets(y, split_folds(y, subjects, 5, 0))
    assert {one.label for one in planned} - {None} == set(list(counts)[:12])
    assert planned[-1].share == 1.0


@pytest.fixture
def own(tmp_path, monkeypatch, tiny_artifacts):
    """A folder of models of the test's own with the model `tiny`."""
    shutil.copytree(tiny_artifacts / "tiny", tmp_path / "models" / "tiny")
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(tmp_path / "models"))
    return tmp_path / "models"


def test_in_the_folds_of_the_training_it_ends_at_the_score_of_the_model(own, crops_folder):
    table = measure_curve([crops_folder], "tiny", seed=read_metadata("tiny")["seed"], repeats=1)
    whole = table[table["kind"].eq("curve") & table["share"].eq(1.0)].iloc[0]
    assert whole["score"] == pytest.approx(
        read_metadata("tiny")["search"]["balanced_accuracy"], abs=1e-4
    )
    table = measure_curve([crops_folder], "tiny")
    store_table("tiny", "learning_curve", table)
    pd.testing.assert_frame_equal(read_model_table("learning_curve", "tiny"), table)
    assert estimate_seconds("tiny") > 0


def test_it_is_measured_on_members_and_on_whole_photos_too(
    tmp_path, monkeypatch, whole_artifacts, small_crops
):
    shutil.copytree(whole_artifacts / "tiny", tmp_path / "models" / "tiny")
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(tmp_path / "models"))
    monkeypatch.chdir(tmp_path)
    table = measure_curve([small_crops], "tiny", seed=read_metadata("tiny")["seed"], repeats=1)
    whole = table[table["kind"].eq("curve") & table["share"].eq(1.0)].iloc[0]
    assert whole["score"] == pytest.approx(
        read_metadata("tiny")["search"]["balanced_accuracy"], abs=1e-4
    )


def test_photos_of_other_labels_are_refused(own, tmp_path):

    raw = write_raw(tmp_path / "other", LABELS[1:], persons=4)
    crop_folder(raw, tmp_path / "crops", recipe_settings("classic"))
    with pytest.raises(DataError, match="'round' is in the model only"):
        measure_curve([tmp_path / "crops"], "tiny")


def test_a_model_that_ships_has_no_photos_to_measure_on(shipped, monkeypatch):
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(shipped.parent))
    with pytest.raises(ModelError, match="ships without the photos"):
        measure_curve([shipped], "classic")
    with pytest.raises(ModelError, match="ships with facecore"):
        store_table("classic", "learning_curve", pd.DataFrame())


def test_the_command_line_says_how_long_what_it_found_and_stores_the_table(own, crops_folder, run):
    done = run("learning-curve", crops_folder, "--model", "tiny", "--jobs", 1, models=own)
    assert done.returncode == 0
    assert done.stderr.startswith("about ")
    table = read_model_table("learning_curve", "tiny")
    assert describe_curve(table)[0] in done.stdout
    shutil.copytree(own / "tiny", own / "classic")
    done = run("learning-curve", crops_folder, "--model", "classic", models=own)
    assert done.returncode == 1
    assert "ships without the photos" in done.stderr
