"""Doubts: labels that may be wrong, lonely faces, and the table that a user's own model keeps."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cartoons import LABELS, write_raw
from sklearn.neighbors import NearestNeighbors

from facecore.data.crops import crop_folder, read_table, recipe_settings
from facecore.model.store import find_model, read_local_table, read_model_table
from facecore.training.doubts import (
    LONELY_FROM,
    find_neighbours,
    find_suspects,
    measure_loneliness,
)
from facecore.training.pipeline import train

MOVED = 3  # photos of `round` that lie in the folder of `square`


def make_probabilities(n: int = 300, k: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    given = rng.integers(0, k, n)
    logits = rng.normal(size=(n, k)) + 2 * np.eye(k)[given]
    P = np.exp(logits)
    return P / P.sum(axis=1, keepdims=True), given


def test_suspects_are_those_of_the_definition():
    P, given = make_probabilities()
    least = [P[given == j, j].mean() for j in range(3)]
    expected = []
    for p, own in zip(P, given, strict=True):
        reached = [j for j in range(3) if p[j] >= least[j]]
        expected.append(bool(reached) and max(reached, key=lambda j: p[j]) != own)
    suspected, margin = find_suspects(P, given)
    assert suspected.tolist() == expected
    assert 0 < suspected.sum() < len(P) / 4
    assert (margin[suspected] < 0).mean() > 0.9


def test_a_label_without_a_face_is_no_answer():
    P = np.array([[0.2, 0.1, 0.7], [0.1, 0.2, 0.7]])
    suspected, margin = find_suspects(P, np.array([0, 1]))
    assert not suspected.any()
    assert margin.round(1).tolist() == [-0.5, -0.5]


def test_changed_labels_are_found_before_others():
    P, given = make_probabilities(n=1000)
    changed = np.arange(0, 1000, 20)
    given[changed] = (given[changed] + 1) % 3
    suspected, margin = find_suspects(P, given)
    first = np.argsort(margin)[: len(changed)]
    assert np.isin(first, changed).mean() > 0.7  # by chance: 0.05
    assert suspected[changed].mean() > 0.6 > 0.2 > suspected.mean()


def test_neighbours_are_those_of_scikit_learn_without_the_face_itself():
    Z = np.random.default_rng(1).normal(size=(50, 4))
    numbers, distances = find_neighbours(Z, Z, np.arange(50), 3)
    far, near = NearestNeighbors(n_neighbors=4).fit(Z).kneighbors(Z)
    assert np.array_equal(numbers, near[:, 1:])
    np.testing.assert_allclose(distances, far[:, 1:])
    new, _ = find_neighbours(Z[:2], Z, np.arange(50), 3, new=True)
    assert np.array_equal(new, near[:2, :3])


def test_equal_faces_are_neighbours_but_not_of_themselves():
    numbers, _ = find_neighbours(np.zeros((3, 2)), np.zeros((3, 2)), np.arange(3), 5)
    assert [sorted(row) for row in numbers.tolist()] == [[1, 2], [0, 2], [0, 1]]


def test_a_face_is_lonely_far_from_face_space_or_from_its_label():
    rng = np.random.default_rng(0)
    Z, y = rng.uniform(size=(60, 2)), np.repeat(["calm", "sad"], 30)
    Z[y == "sad"] += 10
    y[0], distances = "sad", np.ones(60) + rng.uniform(size=60) / 10
    distances[59] = 5
    lonely = measure_loneliness(distances, Z, y)
    assert set(np.argsort(-lonely)[:2]) == {0, 59}
    assert lonely[[0, 59]].min() > 3 * LONELY_FROM
    assert (lonely > LONELY_FROM).sum() <= 4


@pytest.fixture(scope="module")
def noisy(once, tiny_grid) -> Path:
    """Photos of three labels, some in a wrong folder, and the model `own` of them."""

    def make(root: Path) -> None:
        raw = write_raw(root / "raw", LABELS, persons=8, table=False)
        for i in range(MOVED):
            (raw / f"round/p0{i}_0.jpg").replace(raw / f"square/moved_{i}.jpg")
        crop_folder(raw, root / "crops", recipe_settings("classic"))
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("FACECORE_ARTIFACTS", str(root / "models"))
            train([root / "crops"], "own", recipe="classic", grid=str(tiny_grid))

    return once("noisy", make)


@pytest.fixture
def table(noisy, monkeypatch) -> pd.DataFrame:
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(noisy / "models"))
    found = read_local_table("photos", "own")
    assert found is not None
    return found


def test_the_table_has_every_face_of_train_and_every_photo_of_test(noisy, table):
    crops = read_table(noisy / "crops")
    predictions = read_model_table("predictions", "own")
    assert table["split"].eq("test").sum() == len(predictions)
    assert set(table["path"]) == set(crops.loc[crops["state"].eq("kept"), "path"])
    assert set(table["source"]) == {str((noisy / "raw").resolve())}
    own = crops.set_index("path").loc[table["path"], ["x", "y", "w", "h"]].to_numpy()
    np.testing.assert_allclose(table[["x", "y", "w", "h"]].to_numpy(), own)


def test_its_test_photos_are_those_of_the_predictions(table):
    tests = table[table["split"].eq("test")].reset_index(drop=True)
    predictions = read_model_table("predictions", "own")
    assert "path" not in predictions
    assert tests["label"].tolist() == predictions["label"].tolist()
    assert tests["answer"].tolist() == predictions["predicted"].tolist()
    np.testing.assert_allclose(
        tests["p_answer"], predictions.filter(regex="^p_").max(axis=1), atol=1e-4
    )


def test_photos_in_the_wrong_folder_are_the_first_suspects(table):
    moved = table["path"].str.contains("moved")
    assert moved.sum() == MOVED
    train = table[table["split"].eq("train")].sort_values("margin")
    there = int(moved[table["split"].eq("train")].sum())
    assert train["path"].head(there).str.contains("moved").all()
    assert train["suspected"].head(there).all()
    assert set(train["answer"].head(there)) == {"round"}


def test_nearest_faces_are_other_training_faces_of_the_right_look(table):
    train = table[table["split"].eq("train")]
    assert train.index.tolist() == list(range(len(train)))
    near = [[int(row) for row in rows.split()] for rows in table["near"]]
    assert all(rows and set(rows) <= set(train.index) for rows in near)
    assert all(number not in rows for number, rows in enumerate(near))
    first = np.array([train["label"].iloc[rows[0]] for rows in near])
    assert (first == table["answer"]).mean() > 0.6  # of three labels


def test_a_model_that_is_safe_to_share_keeps_no_table(
    noisy, tmp_path, monkeypatch, split_crops, tiny_grid
):
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(tmp_path))
    shutil.copytree(noisy / "models" / "own", tmp_path / "own")
    assert read_local_table("photos", "own") is not None
    # the same name: the table of the old model must not stay
    train([split_crops], "own", recipe="classic", grid=str(tiny_grid), centres=4, replace=True)
    assert read_local_table("photos", "own") is None
    assert not (find_model("own") / "local").exists()


def test_without_raw_photos_the_table_has_the_training_faces(
    tmp_path, monkeypatch, noisy, tiny_grid
):
    shutil.copytree(noisy / "crops", tmp_path / "crops")
    settings = (tmp_path / "crops" / "crop.json").read_text()
    (tmp_path / "crops" / "crop.json").write_text(settings.replace("raw", "gone"))
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(tmp_path / "models"))
    train([tmp_path / "crops"], "own", recipe="classic", grid=str(tiny_grid))
    found = read_local_table("photos", "own")
    assert set(found["split"]) == {"train"}
