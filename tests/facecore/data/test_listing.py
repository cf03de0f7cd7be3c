import os
import sys

import pandas as pd
import pytest

from facecore.data.listing import TRAITS, is_label, list_photos, root_of
from facecore.errors import DataError


@pytest.fixture
def raw(tmp_path):
    for path in ("b/2.jpg", "b/1.jpg", "a/9.png", ".git/x", "a/.hidden.jpg", "a_crop/old.png"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(b"x")
    (tmp_path / "notes.txt").write_text("no photo")
    (tmp_path / "a" / "folder").mkdir()
    return tmp_path


def write_table(folder, text: str):
    (folder / "labels.csv").write_text(text, encoding="utf-8")
    return folder / "labels.csv"


def test_the_folders_are_the_labels_and_photos_are_sorted_by_path(raw):
    photos = list_photos(raw)
    assert photos["path"].tolist() == ["a/9.png", "b/1.jpg", "b/2.jpg"]
    assert photos["label"].tolist() == ["a", "b", "b"]
    assert (photos[list(TRAITS)] == "").all(axis=None)


def test_a_table_beside_the_folders_brings_what_is_known_of_each_photo(raw):
    write_table(raw, "path,label,subject,split,age,race,extra\nb/1.jpg,b,eve,test,33,x,?\n")
    photos = list_photos(raw).set_index("path")
    assert photos.loc["b/1.jpg", list(TRAITS)].tolist() == ["test", "eve", "33", "x"]
    assert photos.loc["b/2.jpg", list(TRAITS)].tolist() == [""] * 4
    assert len(photos) == 3


def test_the_folder_wins_over_the_label_in_the_table(raw):
    write_table(raw, "path,label\nb/1.jpg,z\n")
    assert list_photos(raw)["label"].tolist() == ["a", "b", "b"]


@pytest.mark.parametrize("column", ["label", "gender"])
def test_a_table_alone_is_a_data_set_with_paths_relative_to_it(raw, column):
    table = write_table(raw, f"\ufeffpath,{column}\nb/2.jpg,smiling\nmissing.jpg,neutral\n")
    photos = list_photos(table)
    assert photos["path"].tolist() == ["b/2.jpg", "missing.jpg"]
    assert photos["label"].tolist() == ["smiling", "neutral"]
    assert root_of(table) == root_of(raw) == raw


def test_words_that_look_like_missing_values_are_labels(tmp_path):
    table = write_table(tmp_path, "path,label,subject\n1.jpg,NA,null\n2.jpg,None,\n")
    assert list_photos(table)["label"].tolist() == ["NA", "None"]
    assert list_photos(table)["subject"].tolist() == ["null", ""]


def test_a_path_that_is_listed_twice_counts_once(tmp_path):
    assert len(list_photos(write_table(tmp_path, "path,label\n1.jpg,a\n1.jpg,b\n"))) == 1


@pytest.mark.parametrize("text", ["path,subject\nx,y\n", "label\na\n", "", "\0\0\0", '"'])
def test_a_table_without_its_columns_is_an_error(tmp_path, text):
    with pytest.raises(DataError, match=r"labels\.csv"):
        list_photos(write_table(tmp_path, text))


def test_the_error_names_the_columns_that_are_there(tmp_path):
    with pytest.raises(DataError, match=r"path and label.*it has: file, sex"):
        list_photos(write_table(tmp_path, "file,sex\nx,y\n"))


def test_a_broken_table_beside_the_folders_is_an_error_too(raw):
    with pytest.raises(DataError, match="path and label"):
        list_photos(write_table(raw, "subject\nx\n").parent)


@pytest.mark.parametrize("label", ["", " ", "..", "../up", "a/b", "a\\b"])
def test_a_label_that_cannot_be_a_folder_is_an_error(tmp_path, label):
    assert not is_label(label)
    with pytest.raises(DataError, match="label"):
        list_photos(write_table(tmp_path, f"path,label\n1.jpg,{label}\n"))


@pytest.mark.parametrize("label", ["a b", "v1.2", "女", "été", "-x", "a,b"])
def test_labels_may_have_spaces_dots_and_any_letters(tmp_path, label):
    (tmp_path / label).mkdir()
    (tmp_path / label / "1.jpg").write_bytes(b"x")
    assert list_photos(tmp_path)["label"].tolist() == [label]


@pytest.mark.parametrize("name", ["nowhere", "empty", "."])
def test_a_place_without_photos_is_an_error_that_shows_what_is_expected(tmp_path, name):
    (tmp_path / "empty" / "label").mkdir(parents=True)
    with pytest.raises(DataError, match="<label>/<photo>"):
        list_photos(tmp_path / name)


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights on Windows")
def test_a_loop_of_links_does_not_loop(raw):
    (raw / "loop").symlink_to(raw / "loop")
    (raw / "a" / "up").symlink_to(raw)
    (raw / "a" / "self.jpg").symlink_to("self.jpg")
    assert list_photos(raw)["path"].tolist() == ["a/9.png", "a/self.jpg", "b/1.jpg", "b/2.jpg"]


@pytest.mark.skipif(sys.platform != "linux", reason="such names exist on Linux only")
def test_a_name_that_is_not_unicode_is_an_error_that_shows_it(raw):
    with open(os.fsencode(raw / "a") + b"/\xff.jpg", "wb"):
        pass
    with pytest.raises(DataError, match=r"\\xff\.jpg.*rename"):
        list_photos(raw)


def test_every_column_is_text(raw):
    write_table(raw, "path,label,age\nb/1.jpg,b,007\n")
    photos = list_photos(raw)
    assert all(pd.api.types.is_string_dtype(photos[name]) for name in photos)
    assert "007" in photos["age"].tolist()
