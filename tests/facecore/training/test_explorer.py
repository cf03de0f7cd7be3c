import numpy as np
import pytest
from sklearn.svm import SVC

from facecore.data.crops import read_table
from facecore.data.splits import split_folds
from facecore.errors import DataError
from facecore.face.images import decode
from facecore.face.prepare import flatten, to_square
from facecore.training.explorer import measure_margins, project_crops, refit
from facecore.training.kernels import rbf
from facecore.training.points import CROPS, REAL, FacePoints

PARAMS = {"n_components": 2, "C": 2.0, "gamma": 0.3, "class_weight": "balanced"}


def clouds(labels: str = "ab", n: int = 60, spread: float = 1.0, seed: int = 0) -> FacePoints:
    """Points of each label around a centre of its own, two of each person."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(0, 2, (len(labels), 4))
    Z = np.concatenate([c + spread * rng.normal(size=(n, 4)) for c in centres])
    y = np.repeat(list(labels), n)
    return FacePoints(Z, y, np.array([f"{i // 2}" for i in range(len(y))]), REAL)


@pytest.mark.parametrize("labels", ["ab", "abc"])
def test_the_scores_are_those_of_scikit_learns_own_machine(labels):
    points = clouds(labels)
    found = refit(points, PARAMS, folds=3, seed=1)
    splits = split_folds(points.y, points.subjects, 3, 1)
    assert len(found.scores) == len(splits) == 3
    for score, (train, test) in zip(found.scores, splits, strict=True):
        Z = points.Z[:, :2]
        if labels == "ab":
            plain = SVC(C=2.0, gamma=0.3, class_weight="balanced").fit(Z[train], points.y[train])
            right = plain.predict(Z[test]) == points.y[test]
            expected = np.mean([right[points.y[test] == label].mean() for label in labels])
            assert score == pytest.approx(expected)
        assert 0.5 < score <= 1
    assert found.mean == pytest.approx(found.scores.mean())
    assert found.std == pytest.approx(found.scores.std())


@pytest.mark.parametrize("labels", ["ab", "abc"])
def test_a_face_is_right_exactly_where_its_margin_is_above_0(labels):
    points = clouds(labels)
    found = refit(points, PARAMS, seed=1)
    assert found.margins.shape == points.y.shape
    for score, (_, test) in zip(
        found.scores, split_folds(points.y, points.subjects, 3, 1), strict=True
    ):
        right = found.margins[test] > 0
        recalls = [right[points.y[test] == label].mean() for label in labels]
        assert score == pytest.approx(np.mean(recalls))


def test_margins_point_to_the_true_label():
    two = measure_margins(np.array([[0.5], [-2.0]]), np.array(["a", "a"]), np.array(["a", "b"]))
    assert two.tolist() == [-0.5, 2.0]
    three = measure_margins(
        np.array([[1.0, 0.2, -1.0], [1.0, 0.2, -1.0]]), np.array(["a", "c"]), np.array(list("abc"))
    )
    assert three == pytest.approx([0.8, -2.0])


def test_support_vectors_are_counted_among_the_training_faces():
    points = clouds(spread=3.0)
    found = refit(points, PARAMS)
    train, _ = split_folds(points.y, points.subjects, 3, 0)[0]
    K = rbf(points.Z[train, :2], points.Z[train, :2], 0.3)
    plain = SVC(C=2.0, kernel="precomputed", class_weight="balanced").fit(K, points.y[train])
    assert found.support_vectors[0] == len(plain.support_)
    assert found.training_faces[0] == len(train)
    expected = found.support_vectors.sum() / found.training_faces.sum()
    assert found.support_share == pytest.approx(expected)


def test_a_face_that_supports_two_machines_counts_once():
    points = clouds("abc", spread=5.0)
    found = refit(points, PARAMS)
    assert (found.support_vectors <= found.training_faces).all()


def test_only_the_leading_coordinates_are_used():
    points = clouds()
    noise = points.Z.copy()
    noise[:, 2:] = np.random.default_rng(9).normal(0, 50, noise[:, 2:].shape)
    other = FacePoints(noise, points.y, points.subjects, REAL)
    assert refit(points, PARAMS).scores.tolist() == refit(other, PARAMS).scores.tolist()
    full = {**PARAMS, "n_components": 4}
    more = {**PARAMS, "n_components": 900}
    assert refit(points, full).scores.tolist() == refit(points, more).scores.tolist()


def test_the_same_seed_finds_the_same_and_progress_can_be_watched():
    seen = []
    first = refit(clouds(), PARAMS, seed=4, on_fold=lambda *news: seen.append(news))
    again = refit(clouds(), PARAMS, seed=4)
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert np.array_equal(first.margins, again.margins)


def test_points_of_one_label_cannot_be_refitted():
    with pytest.raises(DataError, match="two labels"):
        refit(clouds("a"), PARAMS)


def test_crops_become_the_points_that_the_model_sees(crops_folder, tiny_model):
    table = read_table(crops_folder)
    points = project_crops(crops_folder, table, tiny_model)
    kept = table[table["state"].eq("kept")]
    assert points.kind == CROPS
    assert len(points.y) == len(kept)
    assert set(points.y) == set(kept["label"])
    assert len(set(points.subjects)) == kept["subject"].nunique()
    face = decode(crops_folder / kept["crop"].iloc[0]).pixels
    row = flatten(to_square(face, tiny_model.recipe.side, tiny_model.recipe.frame))
    Z = tiny_model.pixels.coordinates(row)
    assert np.abs(points.Z - Z).max(axis=1).min() < 1e-4
    assert refit(points, {**PARAMS, "n_components": 20, "gamma": 0.005}).mean > 0.6


def test_a_sample_of_crops_is_bounded_and_its_progress_is_told(crops_folder, tiny_model):
    seen = []
    points = project_crops(
        crops_folder,
        read_table(crops_folder),
        tiny_model,
        count=10,
        seed=3,
        on_progress=lambda *news: seen.append(news),
    )
    assert len(points.y) == 10
    assert seen == [(10, 10)]


def test_only_training_photos_are_used_where_there_is_a_split(crops_folder, tiny_model):
    table = read_table(crops_folder)
    table["split"] = ["train" if i % 2 else "test" for i in range(len(table))]
    points = project_crops(crops_folder, table, tiny_model)
    assert len(points.y) == (table["split"].eq("train") & table["state"].eq("kept")).sum()


def test_a_folder_without_a_kept_face_is_an_error(crops_folder, tiny_model):
    table = read_table(crops_folder).assign(state="no_face")
    with pytest.raises(DataError, match="no face was kept"):
        project_crops(crops_folder, table, tiny_model)


def test_a_missing_crop_is_an_error_that_names_it(crops_folder, tiny_model):
    table = read_table(crops_folder)
    table["crop"] = table["crop"].str.replace(".png", "-gone.png")
    with pytest.raises(DataError, match="gone"):
        project_crops(crops_folder, table, tiny_model)
