from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from cartoons import noisy
from sigmoids import calibrated_scores
from sklearn.decomposition import PCA
from sklearn.model_selection import ParameterGrid, cross_val_predict
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.svm import SVC

from facecore.data.splits import split_folds
from facecore.errors import DataError
from facecore.face.prepare import mirror
from facecore.face.recipes import Recipe
from facecore.model.classifier import FaceModel
from facecore.model.explain import distance_from_face_space
from facecore.training.calibrate import score_folds, set_borders
from facecore.training.eigenfaces import as_float, fit_pca
from facecore.training.estimator import fit_member
from facecore.training.grids import PARAMETERS, Candidate
from facecore.training.kernels import fit_svm
from facecore.training.options import TrainingOptions
from facecore.training.search import (
    Coordinates,
    Plan,
    grid_search,
    plan_memory,
)
from facecore.training.tables import count_folds, simplest_within_one_error, standard_error

GRID = {
    "n_components": [40, 50],  # of these few faces the PCA is exact
    "C": [0.3, 5.0],
    "gamma": [0.001, 0.02],
    "whiten": [True, False],
    "class_weight": ["balanced", None],
}


@pytest.fixture(scope="module")
def found(faces):
    return grid_search(*noisy(faces), GRID, folds=4)


def plain_decisions(X, y, splits, candidate):
    """What the search must find, one candidate at a time, one fit per fold."""
    decisions = np.zeros((len(y), 1 if len(np.unique(y)) == 2 else 3))
    for train, test in splits:
        scaler = MinMaxScaler().fit(as_float(X[train]))
        scaled = scaler.transform(as_float(X[train]))
        pca = fit_pca(scaled, candidate["n_components"], candidate["whiten"], 0)
        svc = SVC(C=candidate["C"], gamma=candidate["gamma"])
        machine = fit_svm(pca.transform(scaled), y[train], svc, candidate["class_weight"])
        Z = pca.transform(scaler.transform(as_float(X[test])))
        decisions[test] = machine.decision_function(Z).reshape(len(test), -1)
    return decisions


def test_the_scores_are_those_of_a_plain_loop_over_scikit_learn(faces, found):
    X, y, groups = noisy(faces)
    splits = split_folds(y, groups, 4, 0)
    for row in found.table.to_dict(orient="records"):
        candidate = {name: row[f"param_{name}"] for name in PARAMETERS}
        if candidate["class_weight"] == "none":
            candidate["class_weight"] = None
        scores = calibrated_scores(plain_decisions(X, y, splits, candidate), y, splits)
        assert [row[f"split{i}_test_score"] for i in range(4)] == pytest.approx(scores)
    assert found.table["mean_test_score"].nunique() > 3


def test_fisherfaces_are_fitted_to_the_training_faces_of_each_fold(three_faces):
    X, y, groups = noisy(three_faces)
    grid = {"n_components": [10, 20], "C": [1.0], "gamma": [0.01, 0.05]}
    result = grid_search(X, y, groups, grid, folds=3, space="fisherfaces")
    decisions = np.zeros((len(y), 3))
    for train, test in split_folds(y, groups, 3, 0):
        member = fit_member(X[train], None, y[train], result.best, space="fisherfaces")
        decisions[test] = member.decide(member.coordinates(X[test]))
    assert result.decisions == pytest.approx(decisions, abs=2e-3)
    assert len(result.table) == 4


def test_labels_that_say_nothing_are_not_found_in_the_fisherfaces_of_other_faces(faces):
    """They would be, if the validation faces had a part in them."""
    X, *_ = noisy(faces)
    y = np.array(["round", "square"])[np.random.default_rng(1).integers(0, 2, len(X))]
    grid = {"n_components": [30], "C": [1.0], "gamma": [0.01]}
    result = grid_search(X, y, np.arange(len(y)), grid, space="fisherfaces")
    assert result.table["mean_test_score"].max() < 0.65


@pytest.mark.parametrize("data", ["faces", "three_faces"])
def test_the_decisions_are_out_of_fold_and_of_the_best_candidate(data, request):
    X, y, groups = noisy(request.getfixturevalue(data))
    grid = {name: values[:1] for name, values in GRID.items()}
    result = grid_search(X, y, groups, grid, folds=3)
    decisions = plain_decisions(X, y, split_folds(y, groups, 3, 0), asdict(result.best))
    assert result.decisions == pytest.approx(decisions, abs=1e-3)


def test_the_table_has_a_row_a_candidate_in_the_shape_of_scikit_learn(found):
    table = found.table
    assert len(table) == len(ParameterGrid(GRID)) == 32
    assert {f"param_{name}" for name in PARAMETERS} < set(table)
    folds = [f"split{i}_test_score" for i in range(4)]
    assert {
        *folds,
        "std_test_score",
        "mean_fit_time",
        "std_fit_time",
        "mean_score_time",
        "std_score_time",
    } < set(table)
    assert table[folds].mean(axis=1).to_numpy() == pytest.approx(table["mean_test_score"])
    assert sorted(table["rank_test_score"]) == list(range(1, 33))
    assert not table.drop(columns="param_class_weight").isna().any(axis=None)


def test_the_best_candidate_has_the_best_mean_score(found):
    best = found.table.loc[found.table["rank_test_score"].idxmin()]
    assert best["mean_test_score"] == found.table["mean_test_score"].max()
    assert {name: best[f"param_{name}"] for name in ("n_components", "C", "gamma")} == {
        name: getattr(found.best, name) for name in ("n_components", "C", "gamma")
    }


def test_the_val_split_is_one_more_fold_that_no_machine_is_fitted_to(faces):
    X, y, subjects = noisy(faces)
    chooses = np.isin(subjects, np.unique(subjects)[::4])
    with_val = grid_search(X, y, subjects, GRID, folds=3, chooses=chooses)
    alone = grid_search(X[~chooses], y[~chooses], subjects[~chooses], GRID, folds=3)
    scores = [f"split{i}_test_score" for i in range(3)]
    assert count_folds(with_val.table.columns) == 4
    pd.testing.assert_frame_equal(with_val.table[scores], alone.table[scores])
    val = np.flatnonzero(~chooses), np.flatnonzero(chooses)
    expected = plain_decisions(X, y, [val], asdict(with_val.best))
    assert with_val.decisions[chooses] == pytest.approx(expected[chooses], abs=1e-3)
    best = with_val.table.loc[with_val.table["rank_test_score"].idxmin()]
    scores = calibrated_scores(with_val.decisions, y, [val])
    assert best["split3_test_score"] == pytest.approx(scores[0])


def test_the_val_split_takes_part_in_choosing(faces):
    X, y, subjects = noisy(faces)
    chooses = np.isin(subjects, np.unique(subjects)[::4])
    grid = {"n_components": [2, 40], "C": [5.0], "gamma": [0.02]}
    found = grid_search(X, y, subjects, grid, folds=3, chooses=chooses)
    means = found.table[[f"split{i}_test_score" for i in range(4)]].mean(axis=1)
    np.testing.assert_allclose(means, found.table["mean_test_score"])


def test_of_equal_candidates_the_simpler_wins(faces):
    grid = {"n_components": [20, 10], "C": [9.0, 3.0], "gamma": [0.005]}
    result = grid_search(*faces, grid, folds=3)
    assert set(result.table["mean_test_score"]) == {1.0}
    assert result.best.n_components == 10
    assert result.best.C == 3


@pytest.mark.slow
@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize(
    "grid",
    [
        {"n_components": [4, 8], "C": [1.0, 5.0], "gamma": [0.01, 0.05, 0.1]},
        {"n_components": [6], "C": [1.0, 500.0], "gamma": [0.01, 0.05], "class_weight": [None]},
    ],
    ids=["more spaces than workers", "fewer"],
)
def test_the_result_depends_neither_on_workers_nor_on_memory(three_faces, grid, mirrored):
    X, y, groups = noisy(three_faces)
    views = mirror(X) if mirrored else None
    first, *others = (
        grid_search(
            X,
            y,
            groups,
            grid,
            folds=3,
            mirrored=views,
            options=TrainingOptions(jobs=jobs, memory_mb=memory),
        )
        for jobs, memory in ((1, 4000), (2, 4000), (1, 0.001), (2, 0.001))
    )
    scores = [c for c in first.table if "time" not in c]
    for other in others:
        assert first.table[scores].equals(other.table[scores])
        assert first.best == other.best
        assert (first.decisions == other.decisions).all()


def test_the_scores_are_those_of_scikit_learns_cross_validation_with_a_full_pca(faces):
    X, y, groups = noisy(faces)
    X = X.astype(float)
    grid = {"n_components": [5, 20], "C": [0.3, 5.0, 50.0], "gamma": [0.001, 0.02, 0.1]}
    found = grid_search(X, y, groups, grid, folds=4).table
    pipeline = Pipeline(
        [
            ("minmax", MinMaxScaler()),
            ("pca", PCA(whiten=True, svd_solver="full")),
            ("svm", SVC(class_weight="balanced")),
        ]
    )
    names = {"n_components": "pca__n_components", "C": "svm__C", "gamma": "svm__gamma"}
    splits = split_folds(y, groups, 4, 0)
    for row in found.to_dict(orient="records"):
        pipeline.set_params(**{names[name]: row[f"param_{name}"] for name in grid})
        decisions = cross_val_predict(pipeline, X, y, cv=splits, method="decision_function")
        scores = calibrated_scores(decisions[:, None], y, splits)
        assert [row[f"split{i}_test_score"] for i in range(4)] == pytest.approx(scores)
    assert found["mean_test_score"].nunique() > 3


def total_mb(plan: Plan, n: int, views: int) -> float:
    """Memory of all scorers of `n` training and n / 4 validation faces, in MB."""
    kernels = 8 * n**2 + 12 * n**2 / 4
    distances = 4 * views**2 * (n**2 / 2 + n**2 / 4) if plan.keep else 0
    return plan.scorers * ((kernels + distances) / 1e6 + plan.cache_mb)


@pytest.mark.parametrize("views", [1, 2])
@pytest.mark.parametrize("n", [100, 4000, 12000])
@pytest.mark.parametrize("memory_mb", [2000, 4000, 16000])
@pytest.mark.parametrize("jobs", [1, 2, 32])
def test_the_matrices_of_all_workers_together_keep_to_the_memory(jobs, memory_mb, n, views):
    plan = plan_memory(n, n // 4, 10_000, views, 4, jobs=jobs, memory_mb=memory_mb)
    assert 1 <= plan.scorers <= jobs
    assert total_mb(plan, n, views) <= memory_mb or plan.scorers == 1


def test_with_little_memory_fewer_work_and_with_more_distances_are_kept():
    plans = [plan_memory(4000, 1000, 10_000, 1, 4, jobs=4, memory_mb=mb) for mb in (1, 560, 8000)]
    assert [plan.scorers for plan in plans] == [1, 3, 4]
    assert [plan.keep for plan in plans] == [False, False, True]
    assert [plan.fitters for plan in plans] == [1, 1, 4]


@pytest.mark.parametrize("data", ["faces", "three_faces"])
def test_with_mirror_images_the_decisions_are_those_of_a_member_fitted_without_the_fold(
    data, request
):
    X, y, groups = noisy(request.getfixturevalue(data))
    grid = {"n_components": [8, 12], "C": [2.0], "gamma": [0.01], "whiten": [False, True]}
    result = grid_search(X, y, groups, grid, folds=3, mirrored=mirror(X))
    labels = tuple(map(str, np.unique(y)))
    decisions = np.empty_like(result.decisions)
    splits = split_folds(y, groups, 3, 0)
    for train, test in splits:
        member = fit_member(X[train], mirror(X[train]), y[train], result.best)
        slope = np.ones(member.coefficients.shape[1])
        model = FaceModel(labels, (member,), slope, Recipe(side=10, mirror=True))
        decisions[test] = model.decision_function(X[test]).reshape(len(test), -1)
    assert result.decisions == pytest.approx(decisions, abs=0.02)
    classes = np.unique(y)
    expected = score_folds(set_borders(decisions, y, classes, splits), y, classes, splits)
    row = result.table.loc[result.table["rank_test_score"].idxmin()]
    scores = [row[f"split{i}_test_score"] for i in range(3)]
    assert scores == pytest.approx(expected, abs=0.06)


def test_with_mirror_images_the_mirrored_faces_find_the_same(faces):
    X, y, groups = noisy(faces)
    grid = {"n_components": [8], "C": [2.0], "gamma": [0.01]}
    one = grid_search(X, y, groups, grid, folds=3, mirrored=mirror(X))
    other = grid_search(mirror(X), y, groups, grid, folds=3, mirrored=X)
    assert one.decisions == pytest.approx(other.decisions, abs=1e-2)
    alone = grid_search(X, y, groups, grid, folds=3)
    assert one.decisions != pytest.approx(alone.decisions, abs=1e-2)


def test_the_simplest_of_a_search_is_within_one_standard_error(found):
    best = found.table.loc[found.table["rank_test_score"].idxmin()]
    simple = found.table.loc[simplest_within_one_error(found.table)]
    assert simple["mean_test_score"] >= best["mean_test_score"] - standard_error(best)
    assert simple["param_n_components"] <= best["param_n_components"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_components", 0),
        ("n_components", 2.5),
        ("n_components", True),
        ("n_components", None),
        ("whiten", 1),
        ("gamma", "scale"),
        ("gamma", 0.0),
        ("C", -1.0),
        ("C", float("nan")),
        ("class_weight", "heavy"),
    ],
)
def test_a_candidate_that_makes_no_sense_is_an_error_that_names_its_value(name, value):
    good = {"n_components": 5, "gamma": 0.1, "C": 1.0}
    assert Candidate(**good) == Candidate(**good, whiten=True, class_weight="balanced")
    with pytest.raises(DataError, match=f"^{name} .* is not a usable value"):
        Candidate(**{**good, name: value})


def test_whitened_coordinates_are_divided_by_their_deviations():
    train, test = np.full((3, 4), 6.0), np.full((2, 4), 3.0)
    deviation = np.array([1.0, 2.0, 3.0, 4.0])
    space = Coordinates([train, train], [test, test], deviation, np.full(2, 36.0))
    for whiten, expected in ((False, [6, 6, 6]), (True, [6, 3, 2])):
        known, unseen = space.leading(3, whiten)
        assert [view.shape for view in (*known, *unseen)] == [(3, 3), (3, 3), (2, 3), (2, 3)]
        assert known[0][0].tolist() == expected
        assert (unseen[1] == known[1][:2] / 2).all()


@pytest.mark.parametrize("mirrored", [False, True])
def test_the_distances_from_face_space_are_out_of_fold(faces, mirrored):
    X, y, subjects = faces
    grid = {"n_components": [3, 8], "gamma": [0.01], "C": [1.0]}
    views = X.reshape(-1, 20, 20)[:, :, ::-1].reshape(X.shape) if mirrored else None
    result = grid_search(X, y, subjects, grid, mirrored=views)
    expected = np.empty(len(y))
    for train, test in split_folds(y, subjects, 5, 0):
        more = None if views is None else views[train]
        member = fit_member(X[train], more, y[train], result.best)
        model = FaceModel(("a", "b"), (member,), np.ones(1))
        expected[test] = distance_from_face_space(model, X[test])
    assert result.distances == pytest.approx(expected, rel=1e-3)
