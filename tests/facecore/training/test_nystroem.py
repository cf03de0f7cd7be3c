from dataclasses import replace

import numpy as np
import pytest
from cartoons import LABELS, draw_faces
from conftest import TINY_GRID
from sklearn.metrics import balanced_accuracy_score

from facecore.face.prepare import mirror
from facecore.face.recipes import Recipe
from facecore.model.classifier import FaceModel
from facecore.training import streaming
from facecore.training.centres import count_traceable
from facecore.training.estimator import fit_member
from facecore.training.grids import Candidate
from facecore.training.kernels import choose_labels
from facecore.training.nystroem import (
    EXACT_UP_TO,
    choose_solver,
    fit_nystroem,
    nystroem_search,
)
from facecore.training.options import TrainingOptions
from facecore.training.search import grid_search
from facecore.training.streaming import FacesOnDisk

PARAMS = Candidate(n_components=10, C=5.0, gamma=0.005)
FEW = TrainingOptions(landmarks=40)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Drawn faces of three labels on disk, with labels and persons."""
    X, y, groups = draw_faces(LABELS, persons=12, shots=3)
    path = tmp_path_factory.mktemp("disk") / "faces.npy"
    np.save(path, X.astype(np.uint8))
    return FacesOnDisk(path, mirrored=True), y, groups


def answers(member, X, y):
    values = (
        member.decide(member.coordinates(X)) + member.decide(member.coordinates(mirror(X)))
    ) / 2
    return choose_labels(values, np.unique(y))


def test_the_solver_is_chosen_by_the_number_of_faces_unless_it_is_named():
    assert choose_solver("auto", EXACT_UP_TO) == "exact"
    assert choose_solver("auto", EXACT_UP_TO + 1) == "nystroem"
    assert choose_solver("nystroem", 10) == "nystroem"
    assert choose_solver("exact", 10**6) == "exact"


@pytest.mark.parametrize("labels", [2, 3])
def test_it_answers_as_well_as_the_exact_machine_on_unseen_persons(made, labels):
    faces, y, groups = made
    X = np.load(faces.path)
    known = np.isin(y, LABELS[:labels])
    people = np.unique(groups)
    unseen = np.isin(groups, people[::4]) & known
    rows = np.flatnonzero(known & ~unseen)
    exact = fit_member(X[rows], mirror(X[rows]), y[rows], PARAMS)
    scores = []
    np.save(faces.path.with_name(f"some-{labels}.npy"), X[rows])
    some = FacesOnDisk(faces.path.with_name(f"some-{labels}.npy"), mirrored=True)
    member = fit_nystroem(some, y[rows], groups[rows], PARAMS, options=FEW)
    for fitted in (exact, member):
        scores.append(balanced_accuracy_score(y[unseen], answers(fitted, X[unseen], y[rows])))
    assert scores[1] >= scores[0] - 0.05
    assert len(member.kernel_vectors) == 2 * 40


def test_cluster_centres_as_landmarks_lead_back_to_no_face(made):
    faces, y, groups = made
    member = fit_nystroem(faces, y, groups, PARAMS, options=TrainingOptions(centres=15))
    X = np.load(faces.path)
    Z = np.concatenate([member.coordinates(V) for V in (X, mirror(X))])
    assert count_traceable(member.kernel_vectors, Z) == 0
    assert (answers(member, X, y) == y).mean() > 0.8


@pytest.fixture(scope="module")
def searched(made):
    return nystroem_search(*made, TINY_GRID, options=FEW)


def test_the_search_gives_what_the_exact_search_gives(made, searched):
    faces, y, groups = made
    X = np.load(faces.path)
    exact = grid_search(X, y, groups, TINY_GRID, mirrored=mirror(X))
    assert list(searched.table.columns) == list(exact.table.columns)
    assert searched.decisions.shape == exact.decisions.shape
    best = [s.table["mean_test_score"].max() for s in (searched, exact)]
    assert best[0] >= best[1] - 0.05


def test_the_search_does_not_depend_on_the_number_of_jobs(made, searched):
    again = nystroem_search(*made, TINY_GRID, options=replace(FEW, jobs=2))
    np.testing.assert_array_equal(again.decisions, searched.decisions)
    assert again.best == searched.best


@pytest.mark.parametrize("centres", [0, 15])
def test_one_fit_spread_over_shards_does_not_depend_on_who_reads_them(made, centres, monkeypatch):
    def fit(jobs=1):
        options = TrainingOptions(landmarks=20, centres=centres, jobs=jobs)
        member = fit_nystroem(*made, PARAMS, options=options)
        return member.coordinates(np.load(made[0].path)[::5]), member.kernel_vectors, member

    whole = fit()
    monkeypatch.setattr(streaming, "SHARD", 32)
    alone, together = fit(), fit(jobs=2)
    for mine, others in zip(alone[:2], together[:2], strict=True):
        np.testing.assert_array_equal(mine, others)
    np.testing.assert_array_equal(alone[2].coefficients, together[2].coefficients)
    np.testing.assert_allclose(whole[0], alone[0], atol=0.02)


def test_nothing_stays_beside_the_faces(made, searched):
    faces, y, groups = made
    fit_nystroem(faces, y, groups, PARAMS, options=TrainingOptions(landmarks=10))
    assert not [path for path in faces.path.parent.iterdir() if path.is_dir()]


def test_a_member_is_read_back_as_it_was_fitted(made, tmp_path):
    faces, y, groups = made
    X = np.load(faces.path)
    member = fit_nystroem(faces, y, groups, PARAMS, options=TrainingOptions(landmarks=20))
    recipe = Recipe(mirror=True, side=round(X.shape[1] ** 0.5))
    FaceModel(tuple(LABELS), (member,), np.ones(3), recipe).save(tmp_path)
    loaded = FaceModel.load(tmp_path).members[0]
    np.testing.assert_allclose(
        loaded.decide(loaded.coordinates(X)), member.decide(member.coordinates(X))
    )
