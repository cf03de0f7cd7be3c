import json
import random
import shutil
import time

import numpy as np
import pandas as pd
import pytest
from cartoons import draw_photo, encode, write_raw

from facecore.artifacts import (
    load_model,
    read_evaluation,
    read_metadata,
    read_model_table,
)
from facecore.crops import crop_folder, read_table
from facecore.errors import DataError, ModelError
from facecore.evaluate import report
from facecore.train import RECIPES, gather, hold_out, load_faces, persons, read_grid, train

CLASSIC = RECIPES["classic"]


@pytest.fixture(scope="module")
def split_crops(tmp_path_factory):
    """Crops of a data set with a train and a test split."""
    root = tmp_path_factory.mktemp("split")
    write_raw(root / "raw", persons=6, shots=2, split=True)
    crop_folder(root / "raw", root / "crops")
    return root / "crops"


def test_only_the_train_split_is_fitted_and_the_test_split_is_evaluated(
    split_crops, tiny_grid, artifacts
):
    train([split_crops], "m", grid=str(tiny_grid))
    table = read_table(split_crops)
    kept = table[table["state"].eq("kept")]
    metadata, evaluation = read_metadata("m"), read_evaluation("m")
    fitted = kept.loc[kept["split"].eq("train"), "label"].value_counts().to_dict()
    assert metadata["training_faces"] == fitted
    assert evaluation["crops"]["n"] == table["split"].eq("test").sum()
    assert metadata["data"]["crops"]["photos"] == len(table)
    assert metadata["labels"] == ["round", "square"]


def test_without_a_split_whole_persons_are_held_out():
    table = pd.DataFrame(
        {
            "label": np.repeat(["a", "b"], 30),
            "subject": [f"{i // 3}" for i in range(60)],
            "path": [f"{i}.jpg" for i in range(60)],
        }
    )
    split = hold_out(table, 0)
    assert 8 <= (split == "test").sum() <= 16
    assert set(split) == {"train", "test"}
    assert pd.Series(split).groupby(table["subject"]).nunique().eq(1).all()
    assert set(table["label"][split == "test"]) == {"a", "b"}
    assert (split == hold_out(table, 0)).all()


def test_persons_are_apart_between_data_sets_and_unknown_ones_are_each_their_own():
    table = pd.DataFrame(
        {
            "set": ["x", "y", "x", "x", "x"],
            "subject": ["eve", "eve", "", "", "eve"],
            "path": ["1", "2", "3", "4", "5"],
        }
    )
    who = persons(table)
    assert len(set(who)) == 4
    assert who[0] == who[4]


@pytest.mark.parametrize("jobs", [1, 2])
def test_two_trainings_with_one_seed_give_the_same_bytes(
    jobs, crops_folder, tiny_grid, tiny_artifacts, artifacts
):
    folder = train([crops_folder], "tiny", grid=str(tiny_grid), jobs=jobs)
    for file in ("model.npz", "model.json", "sizes.csv"):
        assert (folder / file).read_bytes() == (tiny_artifacts / "tiny" / file).read_bytes()
    scores = pd.read_csv(folder / "grid_search.csv").filter(regex="score$|param").drop(
        columns=["mean_score_time", "std_score_time"], errors="ignore"
    )  # fmt: skip
    stored = pd.read_csv(tiny_artifacts / "tiny" / "grid_search.csv")
    pd.testing.assert_frame_equal(scores, stored[scores.columns])


def test_another_seed_holds_out_other_persons(crops_folder):
    splits = [tuple(gather([crops_folder], CLASSIC, seed=seed)["split"]) for seed in range(4)]
    assert len(set(splits)) > 1


def test_a_raw_folder_is_cropped_first(raw_folder, tiny_grid, artifacts, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    train([raw_folder], "m", grid=str(tiny_grid))
    (crops,) = (tmp_path / "crops").iterdir()
    assert len(read_table(crops)) == 32
    assert load_model("m").labels == ("round", "square")
    assert set(read_evaluation("m")) == {"drawn"}


def test_a_model_tells_no_path_no_file_and_no_person(tiny_artifacts, raw_folder, crops_folder):
    names = [p.stem for p in raw_folder.glob("*/*.jpg")] + ["s-round", "s-square", "p00_"]
    places = [str(raw_folder), str(crops_folder), "/tmp", "/home", "C:\\"]
    for file in (tiny_artifacts / "tiny").iterdir():
        if file.suffix != ".npz":
            text = file.read_text(encoding="utf-8")
            assert not [word for word in names + places if word in text], file.name


def test_a_model_tells_how_it_was_made(tiny_artifacts, tiny_grid):
    metadata = json.loads((tiny_artifacts / "tiny" / "metadata.json").read_text())
    assert metadata["name"] == "tiny"
    assert metadata["recipe"] == "classic"
    assert metadata["search"]["candidates"] == 4
    assert metadata["search"]["folds"] == 5
    assert set(metadata["search"]["best"]) >= {"n_components", "C", "gamma"}
    assert 0.5 < metadata["search"]["balanced_accuracy"] <= 1
    assert {"python", "numpy", "scikit-learn", "opencv-python-headless"} <= set(
        metadata["versions"]
    )
    counts = metadata["data"]["drawn"]
    assert counts["photos"] == counts["train"] + counts["test"] == sum(counts["states"].values())
    vectors = metadata["kernel_vectors"]
    assert vectors["kind"] == "support vectors"
    assert vectors["count"] == vectors["lead_back_to_a_photo"] > 0


def test_a_model_for_giving_away_has_no_vector_that_leads_back(crops_folder, tiny_grid, artifacts):
    train([crops_folder], "m", grid=str(tiny_grid), centres=30)
    vectors = read_metadata("m")["kernel_vectors"]
    assert vectors["kind"] == "cluster centres"
    assert vectors["lead_back_to_a_photo"] == 0
    assert 1 <= vectors["count"] <= 30


def test_the_stored_tables_fit_the_model(in_tiny_artifacts):
    predictions = read_model_table("predictions", "tiny")
    assert report(predictions.fillna(""))["n"] == read_metadata("tiny")["data"]["drawn"]["test"]
    assert len(read_model_table("grid_search", "tiny")) == 4
    assert len(read_model_table("sizes", "tiny")) == 32


def test_of_copies_in_two_data_sets_the_test_copy_stays(tmp_path):
    shared = encode(draw_photo("round", 20), quality=95)
    for name, split in (("one", "train"), ("two", "test")):
        raw = write_raw(tmp_path / name, persons=2, shots=1)
        table = pd.read_csv(raw / "labels.csv", keep_default_na=False)
        # The photos of the second data set differ from those of the first but for one.
        for person, path in enumerate(table["path"]):
            label = path.split("/")[0]
            pixels = draw_photo(label, person + (40 if name == "two" else 30))
            (raw / path).write_bytes(encode(pixels, quality=95))
        (raw / "round" / "same.jpg").write_bytes(shared)
        table.loc[len(table)] = {"path": "round/same.jpg", "label": "round", "subject": "s"}
        table.assign(split=split).to_csv(raw / "labels.csv", index=False)
        crop_folder(raw, tmp_path / f"{name}-crops")
    faces = gather([tmp_path / "one-crops", tmp_path / "two-crops"], CLASSIC)
    copies = faces[faces["path"].eq("round/same.jpg")].set_index("set")["state"]
    assert copies.to_dict() == {"one-crops": "duplicate", "two-crops": "kept"}


def test_data_sets_of_one_name_are_told_apart(split_crops, tmp_path):
    other = tmp_path / "crops"
    shutil.copytree(split_crops, other)
    faces = gather([split_crops, other], CLASSIC)
    assert set(faces["set"]) == {"crops-1", "crops-2"}
    assert faces.query("state == 'kept'")["sha256"].is_unique


def test_a_crop_that_is_missing_names_the_command_that_makes_it(split_crops, tmp_path):
    shutil.copytree(split_crops, tmp_path / "copy")
    table = read_table(tmp_path / "copy").query("state == 'kept'")
    table = table.assign(folder=str(tmp_path / "copy"))
    (tmp_path / "copy" / table["crop"].iloc[0]).unlink()
    with pytest.raises(DataError, match="facecore crop RAW"):
        load_faces(table, CLASSIC)


@pytest.mark.parametrize(
    "text", ["", "[]", "3", '{"C": [1]}', '{"C": [1], "gamma": [1], "n_components": "many"}', "{"]
)
def test_a_grid_file_that_makes_no_sense_is_an_error(text, tmp_path):
    (tmp_path / "grid.json").write_text(text)
    with pytest.raises(DataError, match="grid"):
        read_grid(str(tmp_path / "grid.json"))


def test_an_unknown_grid_names_those_there_are():
    with pytest.raises(DataError, match="there are: quick, full"):
        read_grid("huge")


def test_an_unknown_recipe_names_those_there_are(split_crops, artifacts):
    with pytest.raises(DataError, match="there are: classic"):
        train([split_crops], "m", recipe="cake")


def test_a_bad_name_is_refused_before_any_work(artifacts, tmp_path):
    with pytest.raises(ModelError, match="cannot name a model"):
        train([tmp_path / "nowhere"], "../m")


def test_one_label_is_an_error(tmp_path, artifacts, tiny_grid, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_raw(tmp_path / "raw", labels=("round",), persons=3, shots=1)
    with pytest.raises(DataError, match="two labels"):
        train([tmp_path / "raw"], "m", grid=str(tiny_grid))


def test_photos_without_a_face_are_an_error(tmp_path, artifacts, tiny_grid, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for i in range(8):
        path = tmp_path / "raw" / "ab"[i % 2] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode(np.full((60, 60 + i, 3), 9 * i, dtype=np.uint8), "PNG"))
    with pytest.raises(DataError, match="no face to train on"):
        train([tmp_path / "raw"], "m", grid=str(tiny_grid))


@pytest.mark.parametrize("moment", range(3))
def test_a_training_that_is_killed_leaves_the_old_model(
    moment, tiny_artifacts, crops_folder, tiny_grid, tmp_path, start, monkeypatch
):
    root = tmp_path / "models"
    shutil.copytree(tiny_artifacts, root)
    chance = random.Random(moment)
    arguments = ("--name", "tiny", "--grid", tiny_grid, "--jobs", 1, "--seed", 1)
    process = start("train", crops_folder, *arguments, models=root)
    if moment:
        while not list(root.glob(".new-*")) and process.poll() is None:
            time.sleep(0.001)
        time.sleep(chance.uniform(0, 0.02))
    else:
        time.sleep(chance.uniform(0.5, 2.5))
    process.kill()
    process.wait()
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(root))
    assert read_metadata("tiny")["seed"] in (0, 1)
    assert load_model("tiny").labels == ("round", "square")
    train([crops_folder], "tiny", grid=str(tiny_grid), seed=2)
    assert {path.name for path in root.iterdir()} == {"tiny"}
    assert read_metadata("tiny")["seed"] == 2
