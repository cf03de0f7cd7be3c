import json

import numpy as np
import pytest

from facecore.errors import DataError, ModelError
from facecore.model.predict import predict_photo
from facecore.model.store import (
    list_models,
    load_model,
    read_card,
    read_evaluation,
    read_metadata,
    read_model_table,
)
from facecore.training.arrays import to_crops, train_arrays
from facecore.training.tables import count_folds


@pytest.fixture(scope="module")
def small(faces) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pictures of drawn faces, their labels and subjects."""
    X, y, subjects = faces
    return X.reshape(-1, 100, 100), y, subjects


def train_small(small, name="arrays", **options):
    X, y, subjects = small
    return train_arrays(X, y, name, **{"subjects": subjects} | options)


@pytest.fixture
def grid(tiny_grid) -> str:
    return str(tiny_grid)


def test_arrays_become_a_model_with_an_evaluation_and_every_table(small, grid, artifacts):
    folder = train_small(small, grid=grid, note="drawn", seed=2)
    assert folder == artifacts / "arrays"
    model, metadata = load_model("arrays"), read_metadata("arrays")
    assert model.labels == ("round", "square")
    assert (metadata["recipe"], metadata["seed"], metadata["note"]) == ("classic", 2, "drawn")
    counts = metadata["data"]["arrays"]
    assert counts["train"] + counts["test"] == counts["photos"] == len(small[0])
    assert counts["test"] == pytest.approx(len(small[0]) / 5, abs=4)
    figures = read_evaluation("arrays")["arrays"]
    assert figures["n"] == figures["detected"] == counts["test"]
    assert figures["accuracy_all"] > 0.8
    assert len(read_model_table("predictions", "arrays")) == counts["test"]
    assert len(read_model_table("sizes", "arrays")) == len(small[0])
    assert len(read_model_table("grid_search", "arrays")) == 4
    assert len(read_model_table("coordinates", "arrays")) == counts["train"]


def test_a_model_of_arrays_answers_about_photos(small, grid, artifacts, raw_folder):
    train_small(small, grid=grid)
    photo = next(raw_folder.glob("round/*"))
    (face,) = predict_photo(photo, "arrays").faces
    assert set(face.scores) == {"round", "square"}


def test_a_model_of_arrays_may_take_photos_as_it_takes_arrays(small, grid, artifacts):
    train_small(small, grid=grid, whole_photo=True)
    X, y, _ = small
    (face,) = predict_photo(X[0], "arrays").faces
    assert (face.box, face.label) == ((0, 0, 100, 100), y[0])
    assert (face.crop == X[0]).all()  # all of it is read
    assert read_metadata("arrays")["recipe"] == "classic"


@pytest.mark.slow
@pytest.mark.parametrize("form", ["rows", "floats to 1", "floats to 255", "colour"])
def test_every_form_of_the_same_faces_gives_the_same_model(form, small, grid, artifacts):
    X, y, subjects = small
    forms = {
        "rows": X.reshape(len(X), -1),
        "floats to 1": X / 255,
        "floats to 255": X.astype(np.float32),
        "colour": np.repeat(X[..., None], 3, axis=3),
    }
    first = train_small(small, "first", grid=grid)
    second = train_arrays(forms[form], y, "second", subjects=subjects, grid=grid)
    assert (first / "model.npz").read_bytes() == (second / "model.npz").read_bytes()


def test_a_model_of_that_name_is_replaced_only_when_asked_to(small, grid, artifacts):
    train_small(small, grid=grid, seed=1)
    with pytest.raises(ModelError, match=r"'arrays' already.*--replace.*replace=True"):
        train_small(small, grid=grid, seed=2)
    assert read_metadata("arrays")["seed"] == 1
    train_small(small, grid=grid, seed=3, replace=True)
    assert read_metadata("arrays")["seed"] == 3


def test_faces_declared_test_are_not_trained_on(small, grid, artifacts):
    subjects = small[2]
    split = np.where(np.isin(subjects, np.unique(subjects)[::3]), "test", "train")
    train_small(small, split=split, grid=grid)
    metadata = read_metadata("arrays")
    assert sum(metadata["training_faces"].values()) == (split == "train").sum()
    assert read_evaluation("arrays")["arrays"]["n"] == (split == "test").sum()


@pytest.mark.parametrize(
    ("solver", "recipe"),
    [
        ("exact", "classic"),
        ("nystroem", "classic"),
        pytest.param("exact", "aligned", marks=pytest.mark.slow),
    ],
)
def test_faces_of_the_val_split_help_to_choose_and_are_never_fitted(
    solver, recipe, small, tmp_path, artifacts
):
    X, y, subjects = small
    grid = tmp_path / "one.json"
    grid.write_text(json.dumps({"n_components": [8], "C": [1.0], "gamma": [0.01]}))
    place = np.unique(subjects, return_inverse=True)[1] % 5
    split = np.array(["val", "test", "train", "train", "train"])[place]
    how = {"grid": str(grid), "solver": solver, "landmarks": 20, "recipe": recipe}
    train_arrays(X, y, "with", subjects=subjects, split=split, **how)
    rest = split != "val"
    train_arrays(X[rest], y[rest], "without", subjects=subjects[rest], split=split[rest], **how)
    with_val, without = (load_model(name) for name in ("with", "without"))
    # matrices with more rows round otherwise, where coordinates wait on disk
    near = 1e-3 if solver == "nystroem" else 0
    for one, other in zip(with_val.members, without.members, strict=True):
        np.testing.assert_allclose(one.coefficients, other.coefficients, rtol=near)
        np.testing.assert_allclose(one.components, other.components, rtol=near, atol=near)
    np.testing.assert_allclose(with_val.slope, without.slope, rtol=near)
    metadata = read_metadata("with")
    assert metadata["training_faces"] == read_metadata("without")["training_faces"]
    assert metadata["search"]["val"] == (split == "val").sum()
    assert metadata["search"]["folds"] == read_metadata("without")["search"]["folds"]
    assert read_evaluation("with")["with"]["n"] == (split == "test").sum()
    assert "photos of the val split were one more fold" in read_card("with")
    table = read_model_table("grid_search", "with")
    assert count_folds(table.columns) == metadata["search"]["folds"] + 1


def test_a_label_of_the_test_split_alone_is_told_and_not_counted_as_wrong(
    small, grid, artifacts, capsys
):
    X, y, _ = (np.concatenate([part, part[:7]]) for part in small)
    X[-7:] = 255 - X[-7:]  # no copies
    y = np.concatenate([small[1], np.repeat("other", 7)])
    split = ["train"] * 80 + ["test"] * 17
    train_arrays(X, y, "arrays", split=split, grid=grid)
    assert "arrays: left out: 7 photos" in (told := capsys.readouterr().err)
    assert "other (7); it knows round, square" in told
    assert read_evaluation("arrays")["arrays"]["n"] == 10


def test_a_label_of_the_val_split_alone_is_told_and_chooses_nothing(small, grid, artifacts, capsys):
    X, y, _ = (np.concatenate([part, part[:7]]) for part in small)
    X[-7:] = 255 - X[-7:]  # no copies
    y = np.concatenate([small[1], np.repeat("other", 7)])
    train_arrays(X, y, "arrays", split=["train"] * 80 + ["test"] * 10 + ["val"] * 7, grid=grid)
    told = capsys.readouterr().err
    assert "val: left out: 7 photos of labels that the model does not know: other (7)" in told
    assert load_model("arrays").labels == ("round", "square")
    assert "val" not in read_metadata("arrays")["search"]


def test_without_a_test_split_there_is_no_evaluation(small, grid, artifacts):
    train_small(small, split=["train"] * len(small[0]), grid=grid)
    assert read_evaluation("arrays") is None


def test_a_face_of_the_test_split_is_not_trained_on_as_its_copy(small, grid, artifacts):
    X, y, _ = (np.concatenate([part, part[:10]]) for part in small)
    split = ["train"] * len(small[0]) + ["test"] * 10
    train_arrays(X, y, "arrays", split=split, grid=grid)
    states = read_metadata("arrays")["data"]["arrays"]["states"]
    assert states["duplicate"] >= 10
    assert read_evaluation("arrays")["arrays"]["n"] == 10


def test_faces_that_are_not_square_and_numbers_as_labels_are_taken(small, grid, artifacts):
    X, y, subjects = small
    numbers = (y == "square").astype(int)
    train_arrays(X[:, :, 12:88], numbers, "arrays", subjects=subjects, grid=grid)
    assert load_model("arrays").labels == ("0", "1")


@pytest.mark.parametrize("recipe", ["aligned"])
def test_other_recipes_take_arrays_too(recipe, small, tiny_grids, artifacts):
    train_small(small, recipe=recipe, grid=str(tiny_grids))
    model = load_model("arrays")
    assert len(model.members) == 4
    assert model.rule.min_score == -np.inf


@pytest.mark.parametrize(
    ("X", "problem"),
    [
        (np.zeros((4, 10), np.uint8), "rows of 10 pixels are not squares"),
        (np.zeros((4,), np.uint8), "shape .4,. is not faces"),
        (np.zeros((4, 9, 9, 2), np.uint8), "shape .4, 9, 9, 2. is not faces"),
        (np.zeros((0, 9, 9), np.uint8), "is not faces"),
        (np.full((4, 9, 9), 300.0), "grey levels from 300 to 300"),
        (np.full((4, 9, 9), -1), "grey levels from -1 to -1"),
        (np.full((4, 9, 9), np.nan), "grey levels from nan"),
        (np.full((4, 9, 9), "x"), "faces of type <U1"),
    ],
    ids=["rows", "one axis", "two channels", "empty", "bright", "negative", "nan", "texts"],
)
def test_what_is_not_faces_is_refused_in_one_line(X, problem):
    with pytest.raises(DataError, match=problem) as caught:
        to_crops(X)
    assert "\n" not in str(caught.value)


def test_a_recipe_of_colours_refuses_grey_faces():
    with pytest.raises(DataError, match="faces in colour"):
        to_crops(np.zeros((2, 9, 9), np.uint8), colour=True)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"y": ["a", "b"]}, "2 labels for 90 faces"),
        ({"subjects": [1]}, "1 subjects for 90 faces"),
        ({"split": ["train"] * 89 + ["dev"]}, "split 'dev' is unknown"),
        ({"y": ["a"] * 90}, "at least two labels"),
        ({"y": ["a", "A"] * 45}, "'A' and 'a' differ only in capitals"),
        ({"name": "../x"}, "cannot name a model"),
        ({"name": "Aligned"}, "'Aligned' differs from 'aligned' only in capitals"),
        ({"recipe": "cake"}, "no recipe 'cake'"),
        ({"grid": "huge"}, "no grid 'huge'"),
        ({"jobs": 0}, "jobs must be 1 or more"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_what_cannot_be_trained_is_refused_before_the_long_work(change, problem, small, artifacts):
    X, y, subjects = small
    given = {"X": X, "y": y, "name": "arrays", "subjects": subjects} | change
    with pytest.raises((DataError, ModelError), match=problem):
        train_arrays(**given)
    assert list_models() == []


def test_the_declared_order_of_labels_gives_an_error_in_steps(artifacts, three_faces, tiny_grid):
    X, y, _ = three_faces
    order = ("wide", "square", "round")
    how = {"split": ["train", "test"] * (len(y) // 2), "grid": str(tiny_grid), "order": order}
    folder = train_arrays(X, y, "ordered", **how)
    rows = read_model_table("predictions", folder.name)
    steps = (rows["predicted"].map(order.index) - rows["label"].map(order.index)).abs()
    (figures,) = read_evaluation(folder.name).values()
    assert figures["mean_absolute_error"] == pytest.approx(steps.mean(), abs=1e-4)
