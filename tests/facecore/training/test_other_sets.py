import numpy as np
import pytest

from facecore.evaluation.intervals import wilson
from facecore.training import other_sets
from facecore.training.estimator import fit_member
from facecore.training.grids import Candidate
from facecore.training.options import TrainingOptions
from facecore.training.other_sets import LEAST_FACES, choose_sets, decide_sets, describe_sets
from facecore.training.search import grid_search

GRID = {"n_components": [6], "gamma": [0.05], "C": [5.0]}
BEST = Candidate(n_components=6, gamma=0.05, C=5.0)


def made_faces(labels: int = 2, faces: int = 200, shift: float = 0.0, seed: int = 0):
    """Return faces of the sets x and y; in y the labels lie elsewhere by `shift`."""
    rng = np.random.default_rng(seed)
    places, away = rng.normal(0, 2, (labels, 8)), rng.normal(0, 2, (labels, 8))
    kinds = np.tile(np.arange(labels), -(-2 * faces // labels))[: 2 * faces]
    sets = np.repeat(np.array(["x", "y"], dtype="<U9"), faces)
    X = places[kinds] + np.where(sets == "y", shift, 0.0)[:, None] * away[kinds]
    return X + rng.normal(size=X.shape), np.array([f"l{kind}" for kind in kinds]), sets


@pytest.mark.parametrize(
    ("sizes", "chosen"),
    [
        ({"x": LEAST_FACES, "y": LEAST_FACES}, ["x", "y"]),
        ({"y": 300, "x": 250, "small": 30}, ["x", "y"]),
        ({"x": LEAST_FACES, "y": LEAST_FACES - 1}, []),
        ({"x": 900}, []),
    ],
)
def test_two_or_more_large_sets_are_left_out_in_turn(sizes, chosen):
    sets = np.repeat(list(sizes), list(sizes.values()))
    assert choose_sets(sets, np.where(np.arange(len(sets)) % 2, "a", "b")) == chosen


def test_a_set_without_some_label_is_not_left_out():
    sets = np.repeat(["x", "y", "z"], 200)
    y = np.where(np.arange(600) % 2, "a", "b")
    y[sets == "z"] = "a"
    assert choose_sets(sets, y) == ["x", "y"]
    y[sets == "x"] = "a"
    assert choose_sets(sets, y) == []


@pytest.mark.parametrize("labels", [2, 3])
@pytest.mark.parametrize("mirrors", [False, True])
def test_each_set_is_decided_by_the_machine_of_the_others_alone(labels, mirrors):
    X, y, sets = made_faces(labels)
    mirrored = X[:, ::-1].copy() if mirrors else None
    values = decide_sets(X, mirrored, y, np.arange(len(y)), sets, BEST, TrainingOptions(seed=4))
    assert values.shape == (400, 1 if labels == 2 else labels)
    own = sets == "x"
    views = [X, mirrored] if mirrors else [X]
    first, *more = [view[~own] for view in views]
    member = fit_member(first, more[0] if more else None, y[~own], BEST, 4)
    expected = np.mean([member.decide(member.coordinates(view[own])) for view in views], axis=0)
    np.testing.assert_allclose(values[own], expected, rtol=1e-5, atol=1e-6)


def test_nothing_of_a_set_reaches_the_machine_that_decides_on_it():
    X, y, sets = made_faces()
    values = decide_sets(X, None, y, np.arange(len(y)), sets, BEST, TrainingOptions())
    # Other faces of x, and other labels of all but one: min-max, components and machine would move.
    changed, others = X.copy(), y.copy()
    changed[1:200] *= 50
    others[2:200] = np.roll(y[2:200], 1)
    again = decide_sets(
        changed, None, others, np.arange(len(others)), sets, BEST, TrainingOptions()
    )
    np.testing.assert_allclose(again[0], values[0], rtol=1e-6)
    assert not np.allclose(again[sets == "y"], values[sets == "y"])


def test_one_large_set_is_not_left_out():
    X, y, sets = made_faces()
    sets[:20] = "y"
    values = decide_sets(X, None, y, np.arange(len(y)), sets, BEST, TrainingOptions())
    assert values.shape == (400, 1)
    assert np.isnan(values).all()
    assert describe_sets(values, values, y, sets) == []


def test_a_small_set_is_fitted_and_not_decided():
    X, y, sets = made_faces(faces=220)
    sets[-20:] = "small"
    values = decide_sets(X, None, y, np.arange(len(y)), sets, BEST, TrainingOptions())
    assert (np.isnan(values[:, 0]) == (sets == "small")).all()
    assert [row["set"] for row in describe_sets(values, values, y, sets)] == ["x", "y"]
    rest = sets != "small"
    without = decide_sets(
        X[rest], None, y[rest], np.arange(len(y[rest])), sets[rest], BEST, TrainingOptions()
    )
    assert not np.allclose(values[rest], without)


def test_the_decisions_do_not_depend_on_the_workers():
    X, y, sets = made_faces(3)
    one, two = (
        decide_sets(X, None, y, np.arange(len(y)), sets, BEST, TrainingOptions(jobs=j))
        for j in (1, 2)
    )
    assert (one == two).all()


def test_accuracy_falls_where_the_sets_differ_and_not_where_they_are_alike():
    for shift, falls in ((0.0, False), (2.0, True)):
        X, y, sets = made_faces(shift=shift)
        values = decide_sets(X, None, y, np.arange(len(y)), sets, BEST, TrainingOptions())
        within = grid_search(X, y, np.arange(len(y)), GRID, options=TrainingOptions()).decisions
        found = describe_sets(values, within, y, sets)
        lost = [row["within"] - row["accuracy"] for row in found]
        assert (max(lost) > 0.1) == falls
        assert all(row["within"] > 0.9 for row in found)


def test_shares_and_intervals_are_those_of_the_counts_and_no_face_is_told():
    y = np.array(["a"] * 6 + ["b"] * 4 + ["a"] * 5 + ["b"] * 5)
    sets = np.repeat(["y", "x"], 10)
    right = np.where(y == "b", 1.0, -1.0)[:, None]
    joint = right.copy()
    joint[[0, 1, 2]] *= -1
    first, second = describe_sets(joint, right, y, sets)
    low, high = wilson(7, 10)
    assert second == {
        "set": "y",
        "faces": 10,
        "accuracy": 0.7,
        "interval": (round(low, 4), round(high, 4)),
        "balanced_accuracy": 0.75,
        "within": 1.0,
        "interval_within": tuple(round(end, 4) for end in wilson(10, 10)),
        "balanced_within": 1.0,
    }
    assert (first["set"], first["accuracy"]) == ("x", 1.0)


def test_a_step_is_announced(capfd, monkeypatch):
    monkeypatch.setattr(other_sets, "LEAST_FACES", 20)
    X, y, sets = made_faces(faces=20)
    decide_sets(X, None, y, np.arange(len(y)), sets, BEST, TrainingOptions(progress=True))
    assert "leave data sets out: 100% (2 of 2 sets)" in capfd.readouterr().err
