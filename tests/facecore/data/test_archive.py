"""ZIPs come from anywhere: bounded, one line for what is wrong, never out of the target."""

import io
import stat
import struct
import tempfile
import zipfile
from pathlib import Path

import pytest
from cartoons import draw_photo, encode
from hypothesis import given, settings
from hypothesis import strategies as st

from facecore.data.archive import (
    ArchiveLimits,
    Survey,
    count_photos,
    read_photos,
    survey_labels,
    survey_photos,
    unpack_labels,
)
from facecore.data.listing import list_photos
from facecore.errors import DataError

PHOTO = encode(draw_photo("round", 0))


def pack(files: dict[str, bytes] | list[tuple], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Make a ZIP of names (or `ZipInfo`s) and bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in files.items() if isinstance(files, dict) else files:
            archive.writestr(name, data)
    return buffer.getvalue()


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def set_flag(data: bytes, bit: int) -> bytes:
    """Set a flag of every entry, in the local headers and in the list at the end."""
    changed = bytearray(data)
    for start, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.find(start)
        while place >= 0:
            changed[place + offset] |= bit
            place = data.find(start, place + 1)
    return bytes(changed)


def set_method(data: bytes, method: int) -> bytes:
    changed = bytearray(data)
    for start, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        place = data.find(start)
        while place >= 0:
            changed[place + offset : place + offset + 2] = struct.pack("<H", method)
            place = data.find(start, place + 1)
    return bytes(changed)


def claim_size(data: bytes, size: int) -> bytes:
    """Let every header lie about the size after inflating."""
    changed = bytearray(data)
    for start, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        place = data.find(start)
        while place >= 0:
            changed[place + offset : place + offset + 4] = struct.pack("<I", size)
            place = data.find(start, place + 1)
    return bytes(changed)


def files_under(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


# Reading photos for prediction


def test_photos_come_in_the_order_of_the_zip_and_the_rest_is_passed_over():
    data = pack(
        {
            "trip/b.jpg": PHOTO,
            "trip/": b"",
            "a.PNG": b"no photo, but named so",
            "notes.txt": b"hello",
            "__MACOSX/trip/._b.jpg": b"x",
            ".hidden/c.jpg": b"x",
            "trip/.d.jpg": b"x",
            "trip\\e.webp": b"e",
        }
    )
    entries = list(read_photos(data))
    assert [entry.name for entry in entries] == ["trip/b.jpg", "a.PNG", "trip/e.webp"]
    assert [entry.error for entry in entries] == [None] * 3
    assert entries[0].data == PHOTO


def test_photos_are_counted_by_the_list_of_files_alone():
    files = {"a/1.jpg": PHOTO, "notes.txt": b"", ".hidden.jpg": PHOTO, "2.png": b"no photo"}
    assert count_photos(pack(files)) == 2 == len(list(read_photos(pack(files))))
    with pytest.raises(DataError, match="the limit is 1"):
        count_photos(pack(files), ArchiveLimits(max_photos=1))


def test_names_are_relative_printable_and_short_whatever_the_zip_says():
    names = ["/etc/a.jpg", "../../b.jpg", "C:\\c.jpg", "d\x1b[31m\n.jpg", "e" * 999 + ".jpg"]
    shown = [entry.name for entry in read_photos(pack([(name, b"x") for name in names]))]
    assert shown[:4] == ["etc/a.jpg", "b.jpg", "c.jpg", "d?[31m?.jpg"]
    assert len(shown[4]) < 130
    assert shown[4].endswith("ee.jpg")


def test_a_damaged_photo_has_an_error_and_the_others_are_read():
    data = bytearray(pack({"a.jpg": PHOTO, "b.jpg": b"B" * 5000, "c.jpg": PHOTO}, 0))
    data[data.find(b"BBBB") + 100] ^= 0xFF
    good, bad, last = read_photos(bytes(data))
    assert (good.data, last.data) == (PHOTO, PHOTO)
    assert (bad.name, bad.data) == ("b.jpg", b"")
    assert "damaged" in bad.error


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda data: set_flag(data, 1), "encrypted"),
        (lambda data: set_method(data, 14), "compression"),
        (lambda data: set_method(data, 99), "compression"),
    ],
)
def test_what_cannot_be_inflated_is_said_of_each_photo(change, word, tmp_path):
    data = change(pack({"neutral/a.jpg": PHOTO}))
    (entry,) = read_photos(data)
    assert word in entry.error
    with pytest.raises(DataError, match=rf"neutral/a\.jpg: .*{word}"):
        unpack_labels(io.BytesIO(data), tmp_path / "raw")


def test_a_link_is_not_followed(tmp_path):
    data = pack([(link("neutral/a.jpg"), b"/etc/passwd")])
    (entry,) = read_photos(data)
    assert "link" in entry.error
    with pytest.raises(DataError, match="link"):
        unpack_labels(io.BytesIO(data), tmp_path / "raw")
    assert not (tmp_path / "raw").exists()


def test_a_zip_inside_a_zip_is_not_opened(tmp_path):
    inner = pack({"neutral/a.jpg": PHOTO})
    data = pack({"inner.zip": inner, "neutral/renamed.jpg": inner})
    assert [entry.data for entry in read_photos(data)] == [inner]
    with pytest.raises(DataError, match="no photo"):
        read_photos(pack({"inner.zip": inner}))


@pytest.mark.parametrize("data", [b"", b"PK", b"no ZIP", PHOTO, pack({"a.jpg": PHOTO})[:-30]])
def test_bytes_that_are_no_zip_are_refused_at_once(data, tmp_path):
    with pytest.raises(DataError, match="not a ZIP or is damaged"):
        read_photos(data)
    with pytest.raises(DataError, match="not a ZIP or is damaged"):
        unpack_labels(io.BytesIO(data), tmp_path / "raw")


def test_too_many_photos_are_refused_at_once():
    data = pack({f"{i}.jpg": b"x" for i in range(4)})
    assert len(list(read_photos(data, ArchiveLimits(max_photos=4)))) == 4
    with pytest.raises(DataError, match="4 photos; the limit is 3"):
        read_photos(data, ArchiveLimits(max_photos=3))


def test_a_list_of_far_too_many_files_is_not_even_read():
    data = pack({f"{i:0300}.txt": b"" for i in range(500)})
    with pytest.raises(DataError, match="far too many"):
        read_photos(data, ArchiveLimits(max_photos=1))


def test_a_bomb_is_not_inflated_beyond_the_limit(tmp_path):
    bomb = pack({"neutral/a.jpg": bytes(50_000_000), "neutral/b.jpg": PHOTO})
    assert len(bomb) < 100_000
    small = ArchiveLimits(max_photo_bytes=1_000_000)
    first, second = read_photos(bomb, small)
    assert "larger than the limit" in first.error
    assert second.data == PHOTO
    with pytest.raises(DataError, match=r"neutral/a\.jpg: it is larger"):
        unpack_labels(io.BytesIO(bomb), tmp_path / "raw", small)


@pytest.mark.parametrize("size", [0, 10])
def test_a_photo_that_is_larger_than_its_header_says_is_damaged(size):
    (entry,) = read_photos(claim_size(pack({"a.jpg": bytes(3_000_000)}), size))
    assert "damaged" in entry.error
    assert entry.data == b""


def test_a_size_in_a_header_refuses_nothing_by_itself():
    (entry,) = read_photos(claim_size(pack({"a.jpg": bytes(3_000_000)}), 2**32 - 2))
    assert (entry.error, len(entry.data)) == (None, 3_000_000)


def test_all_photos_together_have_a_limit(tmp_path):
    data = pack({f"neutral/{i}.jpg": bytes([i]) * 1000 for i in range(5)})
    entries = list(read_photos(data, ArchiveLimits(max_bytes=2500)))
    assert [entry.error is None for entry in entries] == [True, True, False]
    assert "left out, as are all after it" in entries[-1].error
    with pytest.raises(DataError, match="split it"):
        unpack_labels(io.BytesIO(data), tmp_path / "raw", ArchiveLimits(max_bytes=2500))
    assert not (tmp_path / "raw").exists()


# Unpacking label folders


@pytest.mark.parametrize("top", ["", "photos/", "my photos\\"])
def test_label_folders_are_written_with_or_without_a_folder_around_them(top, tmp_path):
    names = ["smiling/1.jpg", "neutral/1.jpg", "neutral/2.jpg"]
    files = {top + name: PHOTO + name.encode() for name in names}
    files |= {f"{top}readme.txt": b"hello", f"{top}neutral/.DS_Store": b"x"}
    counts = unpack_labels(io.BytesIO(pack(files)), tmp_path / "raw")
    assert list(counts.items()) == [("neutral", 2), ("smiling", 1)]
    assert files_under(tmp_path / "raw") == sorted(names)
    assert (tmp_path / "raw/neutral/2.jpg").read_bytes() == PHOTO + b"neutral/2.jpg"


@pytest.mark.parametrize("top", ["", "photos/"])
def test_a_table_beside_the_label_folders_says_who_is_on_a_photo(top, tmp_path):
    table = b"path,label,subject,split\nneutral/a.jpg,neutral,tom,test\n"
    data = pack(
        {f"{top}neutral/a.jpg": PHOTO, f"{top}smiling/b.jpg": PHOTO, f"{top}labels.csv": table}
    )
    unpack_labels(io.BytesIO(data), tmp_path / "raw")
    photos = list_photos(tmp_path / "raw")
    assert photos["subject"].tolist() == ["tom", ""]
    assert photos["split"].tolist() == ["test", ""]


@pytest.mark.parametrize(
    "name",
    [
        "../neutral/a.jpg",
        "neutral/../a.jpg",
        "/neutral/a.jpg",
        "//host/neutral/a.jpg",
        "C:/neutral/a.jpg",
        "C:neutral/a.jpg",
        "..\\neutral\\a.jpg",
        "\\neutral\\a.jpg",
        "./neutral/a.jpg",
        "neutral//a.jpg",
    ],
)
def test_a_path_that_leads_elsewhere_is_refused(name, tmp_path):
    with pytest.raises(DataError, match="path out of its folder"):
        unpack_labels(io.BytesIO(pack([(name, PHOTO)])), tmp_path / "raw")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "label", ["CON", "nul.x", "neutral.", " ", "a\tb", "a?b", "x" * 300, "neutral_crop"]
)
def test_a_label_that_is_no_folder_everywhere_is_refused(label, tmp_path):
    with pytest.raises(DataError, match="cannot be a label"):
        unpack_labels(io.BytesIO(pack([(f"{label}/a.jpg", PHOTO)])), tmp_path / "raw")


def test_labels_that_differ_only_in_space_or_form_are_one(tmp_path):
    labels = ("caf\xe9", "cafe\u0301", " caf\xe9 ", "b")
    data = pack({f"{label}/{i}.jpg": PHOTO for i, label in enumerate(labels)})
    assert unpack_labels(io.BytesIO(data), tmp_path / "raw") == {"b": 1, "caf\xe9": 3}


@pytest.mark.parametrize("twins", [("Neutral", "neutral"), ("Caf\xe9", "cafe\u0301")])
def test_labels_that_would_be_one_folder_are_refused(twins, tmp_path):
    data = pack({f"{label}/a.jpg": PHOTO for label in twins})
    with pytest.raises(DataError, match="would share a folder"):
        unpack_labels(io.BytesIO(data), tmp_path / "raw")


@pytest.mark.parametrize("top", ["", "photos/", "my/photos/"])
def test_a_photo_outside_the_label_folders_is_passed_over_and_counted(top, tmp_path):
    names = ["neutral/b.jpg", "neutral/c.jpg", "smiling/1/2/3/a.jpg", "smiling/b.jpg"]
    data = pack({f"{top}{name}": PHOTO for name in [*names, "a.jpg"]} | {"cover.jpg": PHOTO})
    assert unpack_labels(io.BytesIO(data), tmp_path / "raw") == {"neutral": 2, "smiling": 2}
    assert files_under(tmp_path / "raw") == names
    survey = survey_labels(io.BytesIO(data))
    assert survey.photos == 4
    assert survey.notes == ("passed over: 2 photos outside of label folders",)


def test_photos_without_any_label_folder_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"must be <label>/<photo>; found 'a\.jpg'"):
        unpack_labels(io.BytesIO(pack({"a.jpg": PHOTO, "b.jpg": PHOTO})), tmp_path / "raw")


SPLITS = {
    "parts, then labels": "{split}/{label}/{n}.jpg",
    "labels, then parts": "{label}/{split}/{n}.jpg",
    "in a folder": "set/{split}/{label}/{n}.jpg",
    "in folders": "a/b/{label}/{split}/{n}.jpg",
    "deeper": "set/{split}/{label}/more/{n}.jpg",
}


@pytest.mark.parametrize("form", SPLITS.values(), ids=SPLITS)
@pytest.mark.parametrize("words", [("train", "test"), ("Training", "Validation", "Testing")])
def test_parts_of_a_data_set_may_be_folders(form, words, tmp_path):
    names = [
        form.format(split=split, label=label, n=n)
        for split in words
        for label in ("calm", "glad")
        for n in range(2)
    ]
    counts = unpack_labels(io.BytesIO(pack(dict.fromkeys(names, PHOTO))), tmp_path / "raw")
    assert counts == dict.fromkeys(("calm", "glad"), 2 * len(words))
    listed = list_photos(tmp_path / "raw")
    assert listed["label"].value_counts().to_dict() == counts
    known = {"train": "train", "test": "test", "Training": "train", "Validation": "val"}
    expected = sorted(known.get(word, "test") for word in words)
    assert sorted(listed["split"].unique()) == expected
    assert survey_labels(io.BytesIO(pack(dict.fromkeys(names, PHOTO)))).notes == ()


def test_a_photo_is_known_by_its_first_bytes_and_what_is_not_one_is_counted(tmp_path):
    files = {
        "neutral/1": PHOTO,
        "neutral/2.dat": encode(draw_photo("round", 1), "PNG"),
        "neutral/3.jfif": PHOTO,
        "neutral/notes.txt": b"hello",
        "neutral/.DS_Store": b"x",
        "__MACOSX/neutral/._1": PHOTO,
        "readme": b"",
    }
    data = pack(files)
    assert unpack_labels(io.BytesIO(data), tmp_path / "raw") == {"neutral": 3}
    told = "passed over: 2 hidden, 2 not a photo"
    assert survey_labels(io.BytesIO(data)).notes == (told,)
    assert survey_photos(data) == Survey(3, (told,))
    assert [entry.name for entry in read_photos(data)] == list(files)[:3]


@pytest.mark.parametrize(
    ("encoding", "labels"),
    [
        ("cp932", ("男性", "女性")),
        ("gbk", ("微笑", "中性")),
        ("cp949", ("남자", "여자")),
        ("cp866", ("мужчины", "женщины")),
        ("cp1252", ("männer", "frauen")),
        ("utf-8", ("männer", "frauen")),
    ],
)
def test_labels_are_read_whatever_encoding_the_zip_has(encoding, labels, tmp_path):
    class Info(zipfile.ZipInfo):
        def _encodeFilenameFlags(self):
            return self.filename.encode(encoding), self.flag_bits & ~0x800

    names = [f"{label}/{i}.jpg" for label in labels for i in range(2)]
    data = pack([(Info(name), PHOTO) for name in names])
    assert unpack_labels(io.BytesIO(data), tmp_path / "raw") == dict.fromkeys(sorted(labels), 2)
    assert [entry.name for entry in read_photos(data)] == names
    guessed = "" if encoding == "utf-8" else encoding
    assert survey_photos(data).guessed == survey_labels(io.BytesIO(data)).guessed == guessed
    assert len(survey_photos(data).notes) == bool(guessed)
    other = unpack_labels(io.BytesIO(data), tmp_path / "other", encoding="cp850")
    assert sorted(other) != sorted(labels)
    with pytest.raises(DataError, match="not in ascii"):
        unpack_labels(io.BytesIO(data), tmp_path / "ascii", encoding="ascii")


def test_folders_in_a_label_keep_their_photos_apart(tmp_path):
    names = ["calm/s1/1.jpg", "calm/s2/1.jpg", "calm/S2/1.jpg", "calm/1.jpg/2.jpg", "calm/1.jpg"]
    names += ["calm/a?/1.jpg", "glad/" + "deep/" * 60 + "1.jpg"]
    data = pack([(name, name.encode()) for name in names])
    assert unpack_labels(io.BytesIO(data), tmp_path / "raw") == {"calm": 6, "glad": 1}
    written = files_under(tmp_path / "raw")
    assert {"calm/s1/1.jpg", "calm/s2/1.jpg"} < set(written)
    assert {(tmp_path / "raw" / name).read_text() for name in written} == set(names)
    assert survey_labels(io.BytesIO(data)).notes == (
        "4 photos got other names, since theirs are not valid and unique on every system",
    )


def test_photos_whose_names_collide_or_are_no_files_are_kept_under_other_names(tmp_path):
    names = ["a.jpg", "A.jpg", "a.JPG", "CON.png", "q?.gif", "x" * 300 + ".bmp", "photo-3.jpg"]
    data = pack([(f"neutral/{name}", name.encode()) for name in names])
    assert unpack_labels(io.BytesIO(data), tmp_path / "raw") == {"neutral": len(names)}
    written = files_under(tmp_path / "raw")
    assert len({name.lower() for name in written}) == len(names)
    assert {(tmp_path / "raw" / name).read_bytes().decode() for name in written} == set(names)


def test_a_failure_leaves_nothing_behind_and_a_full_folder_alone(tmp_path):
    data = bytearray(pack({"neutral/a.jpg": PHOTO, "neutral/b.jpg": b"B" * 5000}, 0))
    data[data.find(b"BBBB") + 9] ^= 0xFF
    with pytest.raises(DataError, match=r"neutral/b\.jpg: it is damaged"):
        unpack_labels(io.BytesIO(bytes(data)), tmp_path / "raw")
    assert not (tmp_path / "raw").exists()
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(DataError, match="not empty"):
        unpack_labels(io.BytesIO(pack({"neutral/a.jpg": PHOTO})), tmp_path)
    assert files_under(tmp_path) == ["mine.txt"]


def test_a_target_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(DataError, match="cannot write to"):
        unpack_labels(io.BytesIO(pack({"neutral/a.jpg": PHOTO})), tmp_path / "file" / "raw")


# Whatever the bytes

PARTS = st.one_of(
    st.sampled_from(
        [
            "..",
            ".",
            "",
            "/",
            "\\",
            "C:",
            "neutral",
            "NEUTRAL",
            "a.jpg",
            "CON.jpg",
            "a.jpg.",
            "labels.csv",
        ]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
)
NAMES = st.lists(PARTS, min_size=1, max_size=4).map(lambda p: "/".join(p) + ".jpg")


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(NAMES, PARTS.map("neutral/{}.jpg".format)), min_size=1, max_size=6))
def test_no_name_writes_outside_the_target(names):
    with tempfile.TemporaryDirectory() as folder:
        cut = [zipfile.ZipInfo(name).filename for name in names]  # at a NUL, perhaps to nothing
        stored = dict.fromkeys(filter(None, cut))
        data = pack([(name, str(i).encode()) for i, name in enumerate(stored)])
        root = Path(folder, "deep", "er")
        try:
            counts = unpack_labels(io.BytesIO(data), root / "raw")
        except DataError:
            assert files_under(Path(folder)) == []
        else:
            written = files_under(Path(folder))
            assert len([n for n in written if n.endswith(".jpg")]) == sum(counts.values())
            assert all(name.startswith("deep/er/raw/") for name in written)


VALID = pack(
    {"neutral/a.jpg": PHOTO[:400], "smiling/b.jpg": b"B" * 300, "labels.csv": b"path,label"}
)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.integers(0, len(VALID)), st.integers(0, 40))
def test_damaged_bytes_raise_nothing_but_our_errors(noise, place, gap):
    data = VALID[:place] + noise + VALID[place + gap :]
    try:
        for entry in read_photos(data):
            assert entry.error is None or entry.data == b""
        with tempfile.TemporaryDirectory() as folder:
            unpack_labels(io.BytesIO(data), Path(folder, "raw"))
    except DataError:
        pass
