from dataclasses import replace

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from facecore.errors import DataError
from facecore.model.store import load_model, read_model_table
from facecore.training.points import (
    MADE,
    REAL,
    make_points,
    nearest_points,
    read_points,
    tabulate_points,
)


def test_made_points_come_in_equal_numbers_and_spread_as_the_training_faces(shipped_model):
    points = make_points(shipped_model, 4000, seed=1)
    assert points.kind == MADE
    labels, counts = np.unique(points.y, return_counts=True)
    assert (labels.tolist(), counts.tolist()) == (list(shipped_model.labels), [2000, 2000])
    assert len(set(points.subjects)) == 4000
    for i, label in enumerate(shipped_model.labels):
        rows = points.Z[points.y == label]
        mean, factor = shipped_model.spread[0][i], shipped_model.spread[1][i]
        deviation = np.sqrt((factor**2).sum(axis=1))
        assert np.abs(rows.mean(axis=0) - mean).max() < 5 * deviation.max() / np.sqrt(2000)
        assert rows.std(axis=0) == pytest.approx(deviation, rel=0.1)


def test_the_same_seed_makes_the_same_points(shipped_model):
    first, again = (make_points(shipped_model, 10, seed=3).Z for _ in range(2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, make_points(shipped_model, 10, seed=4).Z)


def test_a_model_without_spread_makes_no_points(shipped_model):
    with pytest.raises(DataError, match="no spread"):
        make_points(replace(shipped_model, spread=None))


def test_a_table_of_points_keeps_coordinates_labels_and_persons():
    Z = np.arange(20.0).reshape(10, 2) / 7
    y = np.array(["a", "b"] * 5)
    groups = np.array([f"person {i // 2}" for i in range(10)])
    table = tabulate_points(Z, y, groups, count=8)
    points = read_points(table)
    assert points.kind == REAL
    assert points.Z.shape == (8, 2)
    assert not table.astype(str).apply(lambda column: column.str.contains("person")).any().any()
    for row, label, person in zip(points.Z, points.y, points.subjects, strict=True):
        (i,) = np.flatnonzero(np.abs(Z - row).max(axis=1) < 0.001)
        assert y[i] == label
        together = points.subjects == person
        assert len({int(np.abs(Z - z).max(axis=1).argmin()) // 2 for z in points.Z[together]}) == 1


def test_a_trained_model_stores_points_and_one_on_centres_does_not(in_tiny_artifacts, shipped):
    points = read_points(read_model_table("coordinates", "tiny"))
    model = load_model("tiny")
    assert set(points.y) == set(model.labels)
    assert points.Z.shape[1] == len(model.pixels.components)
    assert not (shipped / "coordinates.csv").exists()


def test_the_nearest_points_are_those_of_a_search_in_standard_deviations():
    rng = np.random.default_rng(0)
    Z, place, unit = rng.normal(0, 3, (50, 4)), rng.normal(0, 3, 4), np.array([1, 2, 5, 0.1])
    search = NearestNeighbors(n_neighbors=6).fit(Z / unit)
    assert (
        nearest_points(Z, place, unit, 6).tolist()
        == search.kneighbors([place / unit], return_distance=False)[0].tolist()
    )
    assert len(nearest_points(Z, place, unit, 99)) == 50
