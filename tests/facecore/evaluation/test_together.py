"""Several models on the same test photos, none of which they were trained on."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from facecore.data.listing import list_photos
from facecore.errors import DataError
from facecore.evaluation.report import predict_table
from facecore.evaluation.together import list_tests, predict_together
from facecore.model.store import load_model, read_metadata, read_model_table

BOTH = ["plain", "wide"]


def metadata(names=BOTH) -> dict:
    return {name: read_metadata(name) for name in names}


def split_table(raw: Path, folder: Path, splits: dict[int, str]) -> Path:
    """Copy a data set with a column split; photo i has splits[i], and the rest train."""
    shutil.copytree(raw, folder)
    table = pd.read_csv(folder / "labels.csv", dtype=str)
    table["split"] = [splits.get(i, "train") for i in range(len(table))]
    table.to_csv(folder / "labels.csv", index=False)
    return folder


def test_the_photos_that_the_trainings_held_out_are_found_again(two_models, raw_folder):
    photos, root, notes = list_tests(raw_folder, metadata())
    assert root == raw_folder
    assert notes == []
    for name in BOTH:
        stored = read_model_table("predictions", name)
        assert photos["label"].value_counts().to_dict() == stored["label"].value_counts().to_dict()
        assert sorted(photos["race"]) == sorted(stored["race"])


def test_crops_lead_to_the_same_photos(two_models, raw_folder, crops_folder):
    photos, root, _ = list_tests(crops_folder, metadata())
    assert root == raw_folder
    assert photos["path"].tolist() == list_tests(raw_folder, metadata())[0]["path"].tolist()


def test_a_declared_test_split_is_taken(two_models, raw_folder, tmp_path):
    folder = split_table(raw_folder, tmp_path / "drawn", {0: "test", 3: "test", 5: "val"})
    photos, _, _ = list_tests(folder, metadata())
    assert photos["split"].tolist() == ["test", "test"]
    with pytest.raises(DataError, match=r"no photo of .* is in the split test"):
        list_tests(split_table(raw_folder, tmp_path / "none" / "drawn", {}), metadata())


def test_duplicates_that_cropping_found_are_left_out(two_models, raw_folder, split_crops, tmp_path):
    folder = tmp_path / "crops"
    shutil.copytree(split_crops, folder)
    tests = list_tests(folder, metadata())[0]
    table = pd.read_csv(folder / "faces.csv", dtype=str, keep_default_na=False)
    first = table.index[table["split"].eq("test")][0]
    table.loc[first, "state"] = "duplicate"
    table.to_csv(folder / "faces.csv", index=False)
    left = list_tests(folder, metadata())[0]
    assert len(tests) > 1
    assert left["path"].tolist() == [p for p in tests["path"] if p != table.loc[first, "path"]]


def test_all_photos_of_a_data_set_that_no_model_was_trained_on_count_and_that_is_told(
    two_models, raw_folder, tmp_path
):
    shutil.copytree(raw_folder, tmp_path / "foreign")
    photos, _, notes = list_tests(tmp_path / "foreign", metadata())
    assert len(photos) == len(list_photos(raw_folder))
    assert [note.split()[0] for note in notes] == BOTH


@pytest.mark.parametrize("name", ["drawn", "drawn-2"])
def test_photos_that_changed_since_the_training_are_refused(name, two_models, raw_folder, tmp_path):
    folder = tmp_path / "drawn"
    shutil.copytree(raw_folder, folder)
    next(folder.glob("*/*.jpg")).unlink()
    found = metadata()
    for model in found.values():
        model["data"] = {name: model["data"]["drawn"]}
    with pytest.raises(DataError, match="not what plain was trained on"):
        list_tests(folder, found)


def test_each_model_answers_as_it_does_alone(two_models, raw_folder):
    (test,) = predict_together(BOTH, [raw_folder])
    assert test.name == "drawn"
    for name in BOTH:
        alone = predict_table(test.photos, raw_folder, load_model(name), name="drawn")
        pd.testing.assert_frame_equal(
            test.tables[name].drop(columns="ms"), alone.drop(columns="ms"), atol=1e-4
        )
        assert test.tables[name]["ms"].gt(0).all()


def test_answers_do_not_depend_on_the_number_of_processes(two_models, raw_folder):
    first, second = (predict_together(BOTH, [raw_folder], jobs=jobs)[0] for jobs in (1, 2))
    for name in BOTH:
        pd.testing.assert_frame_equal(
            first.tables[name].drop(columns="ms"), second.tables[name].drop(columns="ms")
        )


def test_a_sample_has_a_seed_and_is_told(two_models, raw_folder):
    first, again, other = (
        predict_together(BOTH, [raw_folder], limit=3, seed=seed)[0] for seed in (1, 1, 2)
    )
    assert len(first.photos) == len(first.tables["wide"]) == 3
    assert first.photos["path"].tolist() == again.photos["path"].tolist()
    assert first.photos["path"].tolist() != other.photos["path"].tolist()
    assert "a random sample of 3 of" in first.notes[-1]


def test_photos_are_watched_one_by_one(two_models, raw_folder):
    seen = []

    def watch(rows, total, name):
        for row in rows:
            seen.append((len(row), total, name))
            yield row

    (test,) = predict_together(BOTH, [raw_folder], watch=watch)
    assert seen == [(2, len(test.photos), "drawn")] * len(test.photos)


def test_two_different_models_of_the_same_labels_are_needed(
    two_models, raw_folder, fisher_artifacts
):
    with pytest.raises(DataError, match="two different models"):
        predict_together(["plain", "plain"], [raw_folder])
    shutil.copytree(fisher_artifacts / "tiny", two_models / "three")
    with pytest.raises(DataError, match="do not have the same labels: plain has round, square"):
        predict_together(["plain", "three"], [raw_folder])


def test_data_sets_of_one_name_are_refused(two_models, raw_folder):
    with pytest.raises(DataError, match="two data sets are called 'drawn'"):
        predict_together(BOTH, [raw_folder, raw_folder])
