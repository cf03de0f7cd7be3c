"""Corrections: labels that somebody set right, photos left out, and the table that says so."""

import csv
import io
from pathlib import Path

import pandas as pd
import pytest
from cartoons import write_raw
from hypothesis import given, settings
from hypothesis import strategies as st

from facecore.data.corrections import correct, read_corrections
from facecore.data.crops import crop_folder, recipe_settings
from facecore.data.listing import list_photos, photo_at, read_listing
from facecore.errors import DataError

PHOTOS = ("calm/1.jpg", "calm/2.jpg", "calm/3.jpg", "sad/1.jpg", "sad/2.jpg")


@pytest.fixture
def folder(tmp_path) -> Path:
    """Photos of two labels without a table."""
    return write_photos(tmp_path / "photos")


def write_photos(root: Path) -> Path:
    for path in PHOTOS:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()
    return root


def labels_of(folder: Path) -> dict[str, str]:
    photos = list_photos(folder)
    return dict(zip(photos["path"], photos["label"], strict=True))


def test_a_corrected_label_counts_and_is_told(folder):
    correct(folder, "calm/2.jpg", label="sad")
    assert labels_of(folder)["calm/2.jpg"] == "sad"
    assert read_listing(folder).notes == (
        "1 labels are corrected by hand (column corrected of labels.csv)",
    )
    assert (folder / "calm/2.jpg").is_file()  # where it was


def test_a_dropped_photo_is_left_out_and_counted(folder):
    correct(folder, "calm/2.jpg", dropped=True)
    assert "calm/2.jpg" not in labels_of(folder)
    assert read_listing(folder).notes == (
        "1 photos are dropped by hand (column dropped of labels.csv)",
    )
    assert (folder / "calm/2.jpg").is_file()


def test_a_label_found_right_changes_nothing_and_is_remembered(folder):
    before = labels_of(folder)
    correct(folder, "sad/1.jpg", label="sad")
    assert labels_of(folder) == before
    assert read_listing(folder).notes == ()
    assert read_corrections(folder)["path"].tolist() == ["sad/1.jpg"]


def test_a_decision_can_be_changed_and_undone(folder):
    before = labels_of(folder)
    correct(folder, "calm/2.jpg", label="sad")
    correct(folder, "calm/2.jpg", dropped=True)
    (row,) = read_corrections(folder).to_dict("records")
    assert row == {"path": "calm/2.jpg", "label": "calm", "corrected": "", "dropped": True}
    correct(folder, "calm/2.jpg")
    assert read_corrections(folder).empty
    assert labels_of(folder) == before


def test_nothing_is_written_for_nothing(folder):
    correct(folder, "calm/2.jpg")
    assert not (folder / "labels.csv").exists()
    (folder / "labels.csv").write_text("path\ncalm/2.jpg\n")
    correct(folder, "calm/2.jpg")
    assert (folder / "labels.csv").read_text() == "path\ncalm/2.jpg\n"
    assert not (folder / "labels.csv.bak").exists()


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_table_keeps_its_cells_encoding_and_line_ends(folder, codec, separator, end):
    rows = [
        ["File", "Subject", "note"],
        ["calm/1.jpg", "José", f'said "no"{separator} then'],
        ["", "", ""],
        ["calm\\2.JPG", "Zoë", "ÿ"],
        ["gone.jpg", "", ""],
    ]
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=separator, lineterminator=end).writerows(rows)
    original = buffer.getvalue().rstrip("\r\n").encode(codec)  # no end behind the last row
    (folder / "labels.csv").write_bytes(original)
    correct(folder, "calm/2.jpg", label="sad")
    correct(folder, "sad/2.jpg", dropped=True)
    data = (folder / "labels.csv").read_bytes()
    text = data.decode(codec)
    assert data[:2] == original[:2]
    found = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    assert found[0] == [*rows[0], "corrected", "dropped"]
    assert [row[:3] for row in found[1:5]] == rows[1:]
    assert found[3][3:] == ["sad", ""]
    assert found[5] == ["sad/2.jpg", "", "", "", "yes"]
    assert text.count(end) == len(text.splitlines())
    assert (folder / "labels.csv.bak").read_bytes() == original


def test_the_copy_of_the_table_is_of_the_time_before_the_first_correction(folder):
    (folder / "Labels.CSV").write_text("path,subject\ncalm/1.jpg,eve\n")
    for path in PHOTOS[:2]:
        correct(folder, path, label="sad")
    assert (folder / "Labels.CSV.bak").read_text() == "path,subject\ncalm/1.jpg,eve\n"
    assert sorted(path.name for path in folder.iterdir() if path.is_file()) == [
        "Labels.CSV",
        "Labels.CSV.bak",
    ]
    assert not any("not a photo" in note for note in read_listing(folder).notes)


cells = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\ufeff"), max_size=8)


@settings(max_examples=25, deadline=None)
@given(notes=st.lists(st.tuples(cells, cells), min_size=2, max_size=2), end=st.booleans())
def test_no_cell_of_any_table_is_lost(notes, end, tmp_path_factory):
    folder = write_photos(tmp_path_factory.mktemp("any"))
    table = folder / "labels.csv"
    rows = [["path", "a", "b"], *([p, *n] for p, n in zip(PHOTOS[:2], notes, strict=True))]
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    table.write_bytes(buffer.getvalue().rstrip("\n" if end else "").encode())
    correct(folder, "sad/2.jpg", label="calm")
    correct(folder, "calm/2.jpg", dropped=True)
    correct(folder, "calm/2.jpg")
    with open(table, encoding="utf-8", newline="") as file:
        found = [row for row in csv.reader(file) if row]
    assert [row[:3] for row in found[:3]] == rows
    assert found[3][0] == "sad/2.jpg"
    assert labels_of(folder)["sad/2.jpg"] == "calm"


def test_a_data_set_that_is_a_table_is_corrected_itself(folder):
    table = folder / "mine.csv"
    table.write_text("path,label\ncalm/1.jpg,calm\nsad/1.jpg,sad\n")
    correct(table, "sad/1.jpg", label="calm")
    assert table.read_text() == (
        "path,label,corrected,dropped\ncalm/1.jpg,calm,,\nsad/1.jpg,sad,calm,\n"
    )
    assert labels_of(table) == {"calm/1.jpg": "calm", "sad/1.jpg": "calm"}


def test_where_labels_are_persons_a_corrected_photo_shows_the_other_person(folder):
    rows = "".join(f"{path},{path.split('/')[0]}\n" for path in PHOTOS)
    (folder / "labels.csv").write_text(f"path,subject\n{rows}")
    correct(folder, "calm/2.jpg", label="sad")
    photos = list_photos(folder).set_index("path")
    assert photos.loc["calm/2.jpg", "subject"] == "sad"


@pytest.mark.parametrize(
    ("path", "label", "said"),
    [
        ("calm/9.jpg", "sad", "no photo"),
        ("../calm/1.jpg", "sad", "no photo"),
        ("calm/1.jpg", "a/b", "cannot be a label"),
        ("calm/1.jpg", "no face", "cannot be a label"),
        ("calm/1.jpg", "SAD", "capitals"),
    ],
)
def test_what_cannot_be_written_is_refused_and_nothing_changes(folder, path, label, said):
    with pytest.raises(DataError, match=said):
        correct(folder, path, label=label)
    assert not (folder / "labels.csv").exists()


def test_letters_that_the_table_cannot_hold_are_refused(folder):
    (folder / "labels.csv").write_bytes("path,subject\ncalm/1.jpg,José\n".encode("cp1252"))
    before = (folder / "labels.csv").read_bytes()
    with pytest.raises(DataError, match="UTF-8"):
        correct(folder, "calm/1.jpg", label="微笑")
    assert (folder / "labels.csv").read_bytes() == before


def test_crops_follow_a_correction(tmp_path):
    raw = write_raw(tmp_path / "raw", persons=3)
    first = crop_folder(raw, tmp_path / "crops", recipe_settings("classic"))
    correct(raw, "round/p00_0.jpg", label="square")
    correct(raw, "round/p01_0.jpg", dropped=True)
    table = crop_folder(raw, tmp_path / "crops", recipe_settings("classic"))
    assert len(table) == len(first) - 1
    row = table.set_index("path").loc["round/p00_0.jpg"]
    assert (row["label"], row["state"]) == ("square", "kept")
    crops = {p.relative_to(tmp_path / "crops").as_posix() for p in tmp_path.glob("crops/*/*.png")}
    assert crops == set(table.loc[table["state"].eq("kept"), "crop"])
    assert pd.read_csv(raw / "labels.csv")["subject"].notna().all()


def test_a_path_never_leads_out_of_its_data_set(folder, tmp_path):
    (tmp_path / "secret.jpg").touch()
    (folder / "calm" / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    assert photo_at(folder, "calm/1.jpg") == folder / "calm/1.jpg"
    for path in ("../secret.jpg", str(tmp_path / "secret.jpg"), "calm/link.jpg", "a\0b"):
        with pytest.raises(DataError, match="is not inside"):
            photo_at(folder, path)
