import os
import sys
from pathlib import Path

import pandas as pd
import pytest

from facecore.data.listing import TRAITS, is_label, list_photos, read_listing, root_of, split_of
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
    with pytest.raises(DataError, match=r"path and label.*it has: where, sex"):
        list_photos(write_table(tmp_path, "where,sex\nx,y\n"))


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
def test_names_that_are_not_unicode_are_passed_over_and_counted(raw):
    Path(os.fsdecode(os.fsencode(raw) + b"/Ren\xe9")).mkdir()
    for name in (b"/a/\xff.jpg", b"/b/Ren\xe9.png", b"/Ren\xe9/1.jpg"):
        with open(os.fsencode(raw) + name, "wb"):
            pass
    listing = read_listing(raw)
    assert listing.photos["path"].tolist() == ["a/9.png", "b/1.jpg", "b/2.jpg"]
    assert any("3 with a name that is not UTF-8" in note for note in listing.notes)


def test_every_column_is_text(raw):
    write_table(raw, "path,label,age\nb/1.jpg,b,007\n")
    photos = list_photos(raw)
    assert all(pd.api.types.is_string_dtype(photos[name]) for name in photos)
    assert "007" in photos["age"].tolist()


@pytest.mark.parametrize(
    "written",
    [
        "b\\1.jpg",
        "./b/1.jpg",
        ".\\b\\1.jpg",
        "{set}/b/1.jpg",
        "data/raw/{set}/b/1.jpg",
        "/somewhere/else/b/1.jpg",
        "C:\\photos\\b\\1.jpg",
        "B/1.JPG",
        " b/1.jpg ",
        "1.jpg",
        "1",
        "b/1",
        "b//1.jpg",
    ],
)
def test_a_row_finds_its_photo_however_its_path_is_written(raw, written):
    write_table(raw, f"path,label,split\n{written.format(set=raw.name)},b,test\n")
    photos = list_photos(raw).set_index("path")
    assert photos["split"].to_dict() == {"a/9.png": "", "b/1.jpg": "test", "b/2.jpg": ""}


def test_a_row_whose_file_name_several_photos_have_finds_none_of_them(raw):
    (raw / "a" / "1.jpg").write_bytes(b"x")
    write_table(raw, "path,label,split\n1.jpg,b,test\nb/2.jpg,b,train\n")
    listing = read_listing(raw)
    assert listing.photos["split"].tolist() == ["", "", "", "train"]
    assert "1 rows of labels.csv have no photo: 1.jpg" in listing.notes


def test_composed_and_decomposed_letters_are_one_name(tmp_path):
    (tmp_path / "caf\u00e9").mkdir()
    (tmp_path / "caf\u00e9" / "1.jpg").write_bytes(b"x")
    write_table(tmp_path, "path,label,subject\ncafe\u0301/1.jpg,cafe\u0301,eve\n")
    photos = list_photos(tmp_path)
    assert photos[["label", "subject"]].to_numpy().tolist() == [["caf\u00e9", "eve"]]


@pytest.mark.parametrize("text", ["path,label,split\nx.jpg,b,test\n", "path,label\nc/9.jpg,c\n"])
def test_a_table_of_which_no_row_has_a_photo_is_refused_with_one_of_each(raw, text):
    write_table(raw, text)
    with pytest.raises(DataError, match=r"no row of .*labels\.csv has a photo.*'a/9\.png'"):
        list_photos(raw)


def test_what_table_and_folders_do_not_agree_on_is_told(raw):
    rows = "b/1.jpg,c,eve\nb/1.jpg,b,leo\nb/1.jpg,c,eve\ngone.jpg,b,\n"
    write_table(raw, f"path,label,subject\n{rows}")
    assert read_listing(raw).notes == (
        "passed over: 2 hidden, 1 not a photo",
        "passed over, since crop made them: a_crop",
        "1 rows of labels.csv have no photo: gone.jpg",
        "1 rows of labels.csv repeat a photo: the first counts",
        "2 photos have no row in labels.csv: a/9.png, b/2.jpg",
        "1 labels of labels.csv are not their photo's folder, which counts",
    )


@pytest.mark.parametrize(
    "header",
    [
        "Path,Label,SPLIT",
        " path , label , split ",
        "filename,class,Split",
        "image_path,label,Usage",
    ],
)
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_columns_go_by_many_names(raw, header, separator):
    write_table(raw, f"{header}\nb/1.jpg,b,test\n".replace(",", separator))
    assert list_photos(raw)["split"].tolist() == ["", "test", ""]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "cp1252"])
def test_tables_of_spreadsheets_are_read_in_their_encoding(raw, encoding):
    (raw / "Labels.CSV").write_bytes("path,label,subject\nb/1.jpg,b,Zoë\n".encode(encoding))
    assert "Zoë" in list_photos(raw)["subject"].tolist()


@pytest.mark.parametrize(
    ("word", "split"),
    [
        *((word, "train") for word in ("train", "TRAIN", "Training", " training ", "fit")),
        *((word, "val") for word in ("val", "Validation", "valid", "DEV", "development")),
        *(
            (word, "test")
            for word in ("test", "Testing", "TEST ", "holdout", "hold-out", "Held out")
        ),
        *((word, "") for word in ("", "None", "n/a", "NaN")),
        *((word, None) for word in ("fold 1", "0", "private", "tests and trains")),
    ],
)
def test_the_usual_words_name_a_split(word, split):
    assert split_of(word) == split


def test_splits_are_normalised_and_what_is_left_out_is_told(raw):
    write_table(raw, "path,label,split\nb/1.jpg,b,Testing\nb/2.jpg,b,Validation\n")
    listing = read_listing(raw)
    assert listing.photos["split"].tolist() == ["", "test", "val"]
    assert any("1 photos have no split where others have one" in note for note in listing.notes)
    assert any("1 photos of the split val help to choose" in note for note in listing.notes)


def test_a_split_that_nobody_knows_is_refused_by_its_word(raw):
    write_table(raw, "path,label,split\nb/1.jpg,b,tset\n")
    with pytest.raises(DataError, match=r"'tset' in the column split.*train, val or test"):
        list_photos(raw)


@pytest.mark.parametrize("spaced", ["smiling ", " smiling", "smiling\u00a0", "\ufeffsmiling"])
def test_labels_that_differ_only_in_space_are_one_label(tmp_path, spaced):
    table = write_table(tmp_path, f"path,label\n1.jpg,smiling\n2.jpg,{spaced}\n")
    assert set(list_photos(table)["label"]) == {"smiling"}


def test_folders_that_differ_only_in_space_are_one_label(tmp_path):
    for folder in ("calm", "calm "):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "1.jpg").write_bytes(b"x")
    photos = list_photos(tmp_path)
    assert photos["label"].tolist() == ["calm", "calm"]
    assert photos["path"].tolist() == ["calm /1.jpg", "calm/1.jpg"]


TWINS = [("Calm", "calm"), ("\xc9mu", "\xe9mu"), ("CAF\xc9", "cafe\u0301"), ("ANNA", " anna")]


@pytest.mark.parametrize("twins", TWINS)
def test_labels_of_a_table_that_differ_only_in_capitals_are_refused(twins, tmp_path):
    rows = "".join(f"{i}.jpg,{label}\n" for i, label in enumerate(twins))
    table = write_table(tmp_path, f"path,label\n9.jpg,sad\n{rows}")
    with pytest.raises(DataError, match=r"'.*' and '.*' differ only in capitals.*rename one"):
        read_listing(table)


@pytest.mark.parametrize("part", ["", "train/"])
@pytest.mark.parametrize("twins", TWINS)
def test_folders_that_differ_only_in_capitals_are_refused(twins, part, tmp_path):
    for label in ("sad", *twins):
        folder = tmp_path / part / label
        folder.mkdir(parents=True)
        (folder / "1.jpg").write_bytes(b"x")
    with pytest.raises(DataError, match="differ only in capitals"):
        list_photos(tmp_path)


def test_the_folder_of_a_photo_may_be_written_in_capitals_in_a_table(tmp_path):
    for label in ("calm", "sad"):
        (tmp_path / label).mkdir()
        (tmp_path / label / "1.jpg").write_bytes(b"x")
    write_table(tmp_path, "path,subject\nCALM/1.JPG,eve\nSad/1.jpg,leo\n")
    assert list_photos(tmp_path)["subject"].tolist() == ["eve", "leo"]


@pytest.mark.parametrize(
    "names", [("train", "test"), ("Training", "Testing"), ("TRAIN", "holdout")]
)
def test_folders_of_splits_above_the_labels_are_splits(tmp_path, names):
    for name in names:
        for label in ("calm", "sad"):
            (tmp_path / name / label).mkdir(parents=True)
            (tmp_path / name / label / "1.jpg").write_bytes(b"x")
    photos = list_photos(tmp_path)
    assert set(photos["label"]) == {"calm", "sad"}
    assert photos.groupby("split").size().to_dict() == {"train": 2, "test": 2}


def test_folders_of_splits_below_the_labels_are_splits(tmp_path):
    for place in ("calm/train/1.jpg", "calm/test/2.jpg", "sad/train/x/3.jpg", "sad/test/4.jpg"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_bytes(b"x")
    photos = list_photos(tmp_path)
    assert photos["label"].tolist() == ["calm", "calm", "sad", "sad"]
    assert photos["split"].tolist() == ["test", "train", "test", "train"]


def test_labels_may_be_called_train_and_test(tmp_path):
    for label in ("train", "tram"):
        (tmp_path / label).mkdir()
        (tmp_path / label / "1.jpg").write_bytes(b"x")
    photos = list_photos(tmp_path)
    assert photos["label"].tolist() == ["train", "tram"]
    assert set(photos["split"]) == {""}


def test_what_crop_made_is_no_label(raw):
    (raw / "out" / "a_crop").mkdir(parents=True)
    (raw / "out" / "crop.json").write_text("{}")
    (raw / "out" / "a_crop" / "9.png").write_bytes(b"x")
    listing = read_listing(raw)
    assert set(listing.photos["label"]) == {"a", "b"}
    assert "passed over, since crop made them: a_crop, out" in listing.notes


def test_photos_below_a_label_at_any_depth_have_its_label(raw):
    for place in ("a/eve/1.jpg", "a/leo/2020/2.jpeg"):
        (raw / place).parent.mkdir(parents=True)
        (raw / place).write_bytes(b"x")
    photos = list_photos(raw)
    assert photos.loc[photos["label"].eq("a"), "path"].tolist() == [
        "a/9.png",
        "a/eve/1.jpg",
        "a/leo/2020/2.jpeg",
    ]


def list_with(tmp_path, **columns: list[str]):
    """Return the listing of a table with further columns."""
    rows = pd.DataFrame({"path": [f"{i:02d}.jpg" for i in range(60)], "label": ["a", "b"] * 30})
    rows.assign(**columns).to_csv(tmp_path / "table.csv", index=False)
    return read_listing(tmp_path / "table.csv")


def test_further_columns_of_few_values_are_traits(tmp_path):
    hats = [" Straw hat", "none", "cap"] * 20
    listing = list_with(tmp_path, Hat=hats, gender=["0", "1"] * 30)
    assert listing.notes == ()
    photos = listing.photos
    assert [column for column in photos if column.startswith("trait_")] == [
        "trait_hat",
        "trait_gender",
    ]
    assert photos["trait_hat"].tolist()[:3] == ["Straw hat", "", "cap"]
    assert photos["trait_gender"].tolist()[:2] == ["0", "1"]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (["x"] * 60, "camera (1 value)"),
        ([str(i) for i in range(60)], "camera (60 values)"),
        ([str(i % 21) for i in range(60)], "camera (21 values)"),
        (["1", "2", "3", *[""] * 57], "camera (3 values)"),
        ([""] * 60, "camera (0 values)"),
    ],
)
def test_other_further_columns_are_no_traits_and_said_to_be_none(tmp_path, values, words):
    listing = list_with(tmp_path, camera=values)
    assert "trait_camera" not in listing.photos
    (note,) = listing.notes
    assert note.startswith("no trait, since ") and note.endswith(words)


@pytest.mark.parametrize("column", ["name", "ID", "person", "filename", "usage", "Unnamed: 0"])
def test_columns_that_name_a_photo_or_a_person_are_no_traits(tmp_path, column):
    listing = list_with(tmp_path, **{column: ["train", "test"] * 30})
    assert not [name for name in listing.photos if name.startswith("trait_")]
    assert not [note for note in listing.notes if note.startswith("no trait")]


def test_further_columns_beside_folders_reach_their_photos(tmp_path):
    for i in range(8):
        (tmp_path / "ab"[i % 2]).mkdir(exist_ok=True)
        (tmp_path / "ab"[i % 2] / f"{i}.jpg").write_bytes(b"x")
    rows = [f"{'ab'[i % 2]}/{i}.jpg,{'day' if i < 4 else 'night'}" for i in range(7)]
    write_table(tmp_path, "path,light\n" + "\n".join(rows) + "\n")
    photos = list_photos(tmp_path).set_index("path")
    assert photos.loc["a/2.jpg", "trait_light"] == "day"
    assert photos.loc["a/4.jpg", "trait_light"] == "night"
    assert photos.loc["b/7.jpg", "trait_light"] == ""
