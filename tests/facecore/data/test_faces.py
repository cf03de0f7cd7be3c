import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from cartoons import draw_photo, encode, write_raw

from facecore.data.crops import crop_folder, read_table, recipe_settings
from facecore.data.faces import gather, load_faces
from facecore.errors import DataError
from facecore.face.recipes import RECIPES, for_whole_photos

CLASSIC, ALIGNED = RECIPES["classic"], RECIPES["aligned"]


def test_another_seed_holds_out_other_persons(crops_folder):
    splits = [tuple(gather([crops_folder], CLASSIC, seed=seed)["split"]) for seed in range(4)]
    assert len(set(splits)) > 1


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
        crop_folder(raw, tmp_path / f"{name}-crops", recipe_settings("classic"))
    faces = gather([tmp_path / "one-crops", tmp_path / "two-crops"], CLASSIC)
    copies = faces[faces["path"].eq("round/same.jpg")].set_index("set")["state"]
    assert copies.to_dict() == {"one-crops": "duplicate", "two-crops": "kept"}


def test_data_sets_of_one_name_are_told_apart(split_crops, tmp_path):
    other = tmp_path / "crops"
    shutil.copytree(split_crops, other)
    faces = gather([split_crops, other], CLASSIC)
    assert set(faces["set"]) == {"crops-1", "crops-2"}
    assert faces.query("state == 'kept'")["sha256"].is_unique


@pytest.mark.parametrize("cropped", [False, True])
def test_labels_of_two_data_sets_that_differ_only_in_capitals_are_refused(
    cropped, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    for name, label in (("one", "round"), ("two", "Round")):
        raw = write_raw(tmp_path / name, persons=2, shots=1)
        (raw / "labels.csv").unlink()
        (raw / "round").rename(raw / label)
        if cropped:
            crop_folder(raw, tmp_path / f"{name}-crops", recipe_settings("classic"))
    names = [f"{name}-crops" if cropped else name for name in ("one", "two")]
    with pytest.raises(DataError, match=r"one.* and two.*'Round' and 'round' differ only in"):
        gather([Path(name) for name in names], CLASSIC)


def test_a_crop_that_is_missing_names_the_command_that_makes_it(split_crops, tmp_path):
    shutil.copytree(split_crops, tmp_path / "copy")
    table = read_table(tmp_path / "copy").query("state == 'kept'")
    table = table.assign(folder=str(tmp_path / "copy"))
    (tmp_path / "copy" / table["crop"].iloc[0]).unlink()
    with pytest.raises(DataError, match="facecore crop RAW"):
        load_faces(table, CLASSIC)


def test_each_recipe_has_crops_of_its_own(raw_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    classic, aligned = (set(gather([raw_folder], r)["folder"]) for r in (CLASSIC, ALIGNED))
    assert len(classic | aligned) == 2
    assert (gather([raw_folder], ALIGNED)["state"] == "kept").all()


def test_a_higher_minimum_than_that_of_a_folder_of_crops_drops_its_narrower_faces(split_crops):
    kept = gather([split_crops], CLASSIC).query("state == 'kept'")["w"]
    faces = gather([split_crops], CLASSIC, min_size=100)
    assert faces["min_size"].eq(100).all()
    assert faces.query("state == 'kept'")["w"].tolist() == kept[kept >= 100].tolist()
    dropped = faces.query("state == 'too_small'")
    assert len(dropped) == (kept < 100).sum() > 0
    assert dropped["crop"].eq("").all()


def test_a_lower_minimum_than_that_of_a_folder_of_crops_is_refused_with_the_command(
    raw_folder, tmp_path
):
    crop_folder(raw_folder, tmp_path / "out", recipe_settings("classic", 100))
    with pytest.raises(
        DataError, match=r"at least 80 pixels wide.*crop RAW --out .* --min-size 80"
    ):
        gather([tmp_path / "out"], CLASSIC, min_size=80)
    gather([tmp_path / "out"], CLASSIC, min_size=100)


def test_why_no_face_is_left_is_said_of_the_train_split_of_each_data_set(small_crops, tmp_path):
    crop_folder(small_crops, tmp_path / "out", recipe_settings(min_size=60, whole_photo=True))
    with pytest.raises(DataError) as caught:
        gather([tmp_path / "out"], for_whole_photos(CLASSIC))
    said = r"no face to train on: out: (\d\d) of \1 faces are smaller than 60 pixels; "
    assert re.fullmatch(said + "use --min-size 48", str(caught.value))


def test_whole_photos_and_crops_of_them_are_kept_apart(small_crops, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    whole = gather([small_crops], for_whole_photos(ALIGNED))
    assert whole["state"].eq("kept").all()
    with pytest.raises(DataError, match=r"smaller than 54 pixels.*--whole-photo"):
        gather([small_crops], CLASSIC)
    assert len(list((tmp_path / "crops").iterdir())) == 2


def test_where_many_photos_are_dropped_it_is_said_beside_the_progress(
    split_crops, small_crops, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    gather([split_crops, small_crops], CLASSIC, progress=True)
    lines = [line for line in capsys.readouterr().err.splitlines() if "pixels" in line]
    assert len(lines) == 1 and lines[0].startswith("small: 32 of 32 faces are smaller than 54 pix")
    gather([split_crops, small_crops], CLASSIC)
    assert capsys.readouterr().err == ""
