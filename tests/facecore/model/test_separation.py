"""How far apart eigenfaces keep the labels, against faces that are counted."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import roc_auc_score

from facecore.errors import DataError
from facecore.model.separation import best_pair, separate_labels
from facecore.model.synth import sample_coordinates


def test_an_eigenface_separates_labels_as_the_roc_curve_of_many_faces_says(shipped_model):
    first, second = (sample_coordinates(shipped_model, y, 20_000, 1, 1) for y in ("female", "male"))
    found = separate_labels(shipped_model)
    truth = np.repeat([0, 1], 20_000)
    for k in (0, 2, 3, 19):
        area = roc_auc_score(truth, np.concatenate([first[:, k], second[:, k]]))
        assert found[k].best == found[k].mean == pytest.approx(max(area, 1 - area), abs=0.01)
        assert found[k].more == ("male" if area > 0.5 else "female")


def spread_of(means, factors):
    return np.array(means, dtype=float), np.array(factors, dtype=float)


def test_with_several_labels_the_mean_is_over_all_pairs(shipped_model):
    spread = spread_of([[0.0], [0.0], [50.0]], [[[1.0]]] * 3)
    model = replace(shipped_model, labels=("a", "b", "c"), spread=spread)
    (one,) = separate_labels(model)
    assert (one.best, one.more) == (1.0, "c")
    assert one.mean == pytest.approx((0.5 + 1 + 1) / 3)


def test_the_best_pair_is_the_one_that_discriminant_analysis_sorts_best(shipped_model):
    rng = np.random.default_rng(5)
    means = rng.normal(0, 1, (3, 6))
    factors = [np.linalg.cholesky(0.2 * np.eye(6) + np.cov(rng.normal(0, 1, (6, 9))))] * 3
    model = replace(shipped_model, labels=("a", "b", "c"), spread=spread_of(means, factors))
    X = np.concatenate([sample_coordinates(model, y, 30_000, 2, 1) for y in model.labels])
    y = np.repeat(model.labels, 30_000)
    traces = {}
    for i in range(6):
        for j in range(i + 1, 6):
            fisher = LinearDiscriminantAnalysis(solver="eigen", store_covariance=True)
            fisher.fit(X[:, [i, j]], y)
            away = fisher.means_ - fisher.means_.mean(axis=0)
            traces[i, j] = np.trace(np.linalg.solve(fisher.covariance_, away.T @ away))
    assert best_pair(model, 6) == max(traces, key=traces.__getitem__)
    assert max(best_pair(model, 3)) < 3


def test_without_a_spread_nothing_is_said(shipped_model):
    bare = replace(shipped_model, spread=None)
    for ask in (separate_labels, lambda model: best_pair(model, 5)):
        with pytest.raises(DataError, match="no spread"):
            ask(bare)
    with pytest.raises(DataError, match="fewer than two"):
        best_pair(shipped_model, 1)
