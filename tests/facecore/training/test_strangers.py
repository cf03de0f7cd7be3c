import numpy as np
import pytest

from facecore.training.calibrate import Calibration
from facecore.training.grids import Candidate
from facecore.training.options import TrainingOptions
from facecore.training.search import grid_search
from facecore.training.strangers import decide_strangers, group_labels, join_strangers

GRID = {"n_components": [7], "gamma": [0.05], "C": [5.0]}
BEST = Candidate(n_components=7, gamma=0.05, C=5.0)


@pytest.mark.parametrize("labels", [3, 5, 12])
def test_labels_are_held_out_in_groups_that_leave_two_or_more(labels):
    y = np.repeat([f"p{i}" for i in range(labels)], 4)
    groups = group_labels(y, seed=0)
    assert all(len(set(groups[y == label])) == 1 for label in set(y))
    assert min(len(set(y[groups != group])) for group in set(groups)) >= 2


def made_faces(labels: int, seed: int = 0):
    rng = np.random.default_rng(seed)
    places = rng.normal(0, 3, (labels, 8))
    y = np.repeat([f"p{i}" for i in range(labels)], 20)
    return places[np.arange(len(y)) // 20] + rng.normal(size=(len(y), 8)), y


@pytest.mark.parametrize("labels", [3, 8])
def test_no_machine_has_seen_the_label_that_it_decides_on(labels):
    X, y = made_faces(labels)
    values = decide_strangers(X, None, y, np.arange(len(y)), BEST, TrainingOptions())
    own = y[:, None] == np.unique(y)
    assert (values[own] == -np.inf).all()
    assert (np.isfinite(values).sum(axis=1) >= 2).all()


def test_faces_of_unseen_labels_are_decided_lower_than_faces_of_the_labels():
    X, y = made_faces(8)
    options = TrainingOptions()
    strangers = decide_strangers(X, None, y, np.arange(len(y)), BEST, options).max(axis=1)
    known = grid_search(X, y, np.arange(len(y)), GRID, options=options).decisions
    assert np.median(strangers) < np.median(known.max(axis=1)) - 0.5


def test_the_decisions_do_not_depend_on_the_workers():
    X, y = made_faces(4)
    one, two = (
        decide_strangers(X, None, y, np.arange(len(y)), BEST, TrainingOptions(jobs=jobs))
        for jobs in (1, 2)
    )
    assert (one == two).all()


def test_members_are_joined_as_the_model_joins_them_and_unknown_labels_stay_unknown():
    known = np.array([[True, True, False]])
    first, second = (np.where(known, row, -np.inf) for row in ([1.0, 2.0, 0], [3.0, -1.0, 0]))
    calibration = Calibration(np.array([2.0, 1.0]), np.zeros(2), np.array([0.25, 0.75]), 1.0)
    joint = join_strangers(calibration, [first, second])
    assert joint.tolist() == [[0.25 * 2 + 0.75 * 3, 0.25 * 4 - 0.75, -np.inf]]
    alone = Calibration(np.ones(2), np.zeros(2), np.array([1.0, 0.0]), 1.0)
    assert join_strangers(alone, [first, second]).tolist() == first.tolist()
