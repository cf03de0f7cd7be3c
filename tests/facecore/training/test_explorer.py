from dataclasses import replace

import numpy as np
import pytest
from sigmoids import calibrated_scores
from sklearn.model_selection import cross_val_predict
from sklearn.svm import SVC

from facecore.data.crops import read_table
from facecore.data.faces import load_faces
from facecore.data.splits import split_folds, subject_names
from facecore.errors import DataError
from facecore.face.prepare import mirror
from facecore.training.explorer import fold_crops, fold_points, measure_margins, refit
from facecore.training.kernels import rbf
from facecore.training.points import CROPS, REAL, FacePoints, with_mirror_images
from facecore.training.search import grid_search
from facecore.training.tables import fold_scores

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
    found = refit(fold_points(points, folds=3, seed=1), PARAMS)
    splits = split_folds(points.y, points.subjects, 3, 1)
    assert len(found.scores) == len(splits) == 3
    if labels == "ab":
        plain = SVC(C=2.0, gamma=0.3, class_weight="balanced")
        decisions = cross_val_predict(
            plain, points.Z[:, :2], points.y, cv=splits, method="decision_function"
        )
        expected = calibrated_scores(decisions[:, None], points.y, splits)
        assert found.scores == pytest.approx(expected)
    assert ((found.scores > 0.5) & (found.scores <= 1)).all()
    assert found.mean == pytest.approx(found.scores.mean())
    assert found.std == pytest.approx(found.scores.std())


@pytest.mark.parametrize("labels", ["ab", "abc"])
def test_a_face_is_right_exactly_where_its_margin_is_above_0(labels):
    points = clouds(labels)
    found = refit(fold_points(points, folds=3, seed=1), PARAMS)
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
    found = refit(fold_points(points), PARAMS)
    train, _ = split_folds(points.y, points.subjects, 5, 0)[0]
    K = rbf(points.Z[train, :2], points.Z[train, :2], 0.3)
    plain = SVC(C=2.0, kernel="precomputed", class_weight="balanced").fit(K, points.y[train])
    assert found.support_vectors[0] == len(plain.support_)
    assert found.training_faces[0] == len(train)
    expected = found.support_vectors.sum() / found.training_faces.sum()
    assert found.support_share == pytest.approx(expected)


def test_a_face_that_supports_two_machines_counts_once():
    points = clouds("abc", spread=5.0)
    found = refit(fold_points(points), PARAMS)
    assert (found.support_vectors <= found.training_faces).all()


def test_only_the_leading_coordinates_are_used():
    points = clouds()
    noise = points.Z.copy()
    noise[:, 2:] = np.random.default_rng(9).normal(0, 50, noise[:, 2:].shape)
    other = FacePoints(noise, points.y, points.subjects, REAL)
    mine, noisy = fold_points(points), fold_points(other)
    assert refit(mine, PARAMS).scores.tolist() == refit(noisy, PARAMS).scores.tolist()
    full = {**PARAMS, "n_components": 4}
    more = {**PARAMS, "n_components": 900}
    assert refit(mine, full).scores.tolist() == refit(mine, more).scores.tolist()


def test_the_same_seed_finds_the_same_and_progress_can_be_watched():
    seen = []
    faces = fold_points(clouds(), folds=3, seed=4)
    first = refit(faces, PARAMS, on_fold=lambda *news: seen.append(news))
    again = refit(fold_points(clouds(), folds=3, seed=4), PARAMS)
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert np.array_equal(first.margins, again.margins)


def test_points_of_one_label_cannot_be_refitted():
    with pytest.raises(DataError, match="two labels"):
        fold_points(clouds("a"))


@pytest.mark.parametrize("member", ["pixels", "hog tight"])
def test_crops_are_refitted_as_the_search_fits_them(aligned_crops, tiny_aligned, member):
    table = read_table(aligned_crops)
    faces = fold_crops(aligned_crops, table, tiny_aligned, member=member, most=30)
    assert faces.kind == CROPS
    assert faces.inside
    assert faces.mirrored
    kept = table[table["state"].eq("kept")]
    rows = load_faces(kept.assign(folder=str(aligned_crops)), tiny_aligned.recipe)
    features = next(m.features for m in tiny_aligned.members if m.name == member)
    X, mirrored = features.extract(rows), features.extract(mirror(rows))
    y, subjects = kept["label"].to_numpy(dtype=str), subject_names(kept.assign(set=""))
    for whiten in (True, False):
        params = {"n_components": 12, "C": 5.0, "gamma": 0.005, "class_weight": None}
        params["whiten"] = whiten
        grid = {name: [value] for name, value in params.items()}
        # The same eigenfaces are searched for at once, as the larger search of the explorer does.
        search = grid_search(X, y, subjects, grid | {"n_components": [12, 30]}, mirrored=mirrored)
        row = search.table[search.table["param_n_components"].eq(12)].iloc[0]
        assert refit(faces, params).scores == pytest.approx(fold_scores(row), abs=1e-9)


def test_fisherfaces_are_fitted_inside_the_folds(fisher_artifacts, tiny_fisher):
    crops = fisher_artifacts / "crops" / "three"
    member = tiny_fisher.fisherfaces.name
    faces = fold_crops(crops, read_table(crops), tiny_fisher, member=member, most=20)
    known, _ = faces.spaces[0].leading(12, True)
    assert known[0].shape[1] == 2  # three labels have two Fisherfaces
    assert 0 < refit(faces, {**PARAMS, "n_components": 12}).mean <= 1


def test_mirror_images_of_points_are_those_of_the_faces(crops_folder, tiny_model):
    table = read_table(crops_folder)
    kept = table[table["state"].eq("kept")].assign(folder=str(crops_folder))
    rows = load_faces(kept, tiny_model.recipe)
    Z = tiny_model.pixels.coordinates(rows).astype(float)
    true = tiny_model.pixels.coordinates(mirror(rows))
    y = kept["label"].to_numpy(dtype=str)
    points = with_mirror_images(FacePoints(Z, y, np.arange(len(y)).astype(str), REAL), tiny_model)
    # What the point lacks of the face is not in the mirror image either.
    error = np.linalg.norm(points.mirrored - true) / np.linalg.norm(true)
    unlike = np.linalg.norm(Z - true) / np.linalg.norm(true)
    assert error < 0.05 < unlike
    again = with_mirror_images(FacePoints(points.mirrored, y, y, REAL), tiny_model)
    assert np.abs(again.mirrored - Z).max() < 0.1 * np.abs(Z).max()


def test_with_mirror_images_the_machine_averages_over_both():
    points = clouds(spread=2.5)
    faces = fold_points(replace(points, mirrored=points.Z[:, ::-1].copy()))
    assert faces.mirrored
    assert not fold_points(points).mirrored
    found = refit(faces, {**PARAMS, "n_components": 4})
    views = points.Z, points.Z[:, ::-1]
    K = sum(rbf(a, b, 0.3) for a in views for b in views) / 4
    plain = SVC(C=2.0, kernel="precomputed", class_weight="balanced")
    decisions = cross_val_predict(plain, K, points.y, cv=faces.splits, method="decision_function")
    expected = calibrated_scores(decisions[:, None], points.y, faces.splits)
    assert found.scores == pytest.approx(expected)


def test_a_sample_of_crops_is_bounded_and_its_progress_is_told(crops_folder, tiny_model):
    seen = []
    faces = fold_crops(
        crops_folder,
        read_table(crops_folder),
        tiny_model,
        count=30,
        most=5,
        folds=2,
        seed=3,
        on_progress=lambda *news: seen.append(news),
    )
    assert len(faces.y) == 30
    assert faces.most == 5
    assert seen == [("Crop", 30, 30), ("Fold", 1, 2), ("Fold", 2, 2)]


def test_only_training_photos_are_used_where_there_is_a_split(crops_folder, tiny_model):
    table = read_table(crops_folder)
    table["split"] = ["train" if i % 2 else "test" for i in range(len(table))]
    faces = fold_crops(crops_folder, table, tiny_model, folds=2)
    assert len(faces.y) == (table["split"].eq("train") & table["state"].eq("kept")).sum()


def test_a_folder_without_a_kept_face_is_an_error(crops_folder, tiny_model):
    table = read_table(crops_folder).assign(state="no_face")
    with pytest.raises(DataError, match="no face was kept"):
        fold_crops(crops_folder, table, tiny_model)


def test_a_missing_crop_is_an_error_that_names_it(crops_folder, tiny_model):
    table = read_table(crops_folder)
    table["crop"] = table["crop"].str.replace(".png", "-gone.png")
    with pytest.raises(DataError, match="gone"):
        fold_crops(crops_folder, table, tiny_model)
