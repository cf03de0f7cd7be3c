"""Names in ZIPs of any system: never other characters than those that were meant."""

import struct
import unicodedata
import zipfile
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facecore.data.names import ENCODINGS, read_names
from facecore.errors import DataError

LABELS = {
    "cp932": [
        "男性 女性",
        "男 女",
        "笑顔 真顔",
        "スマイル",
        "喜び 驚き 恐れ",
        "表情 予定",
        "山田 中村",
    ],
    "gbk": [
        "男 女",
        "微笑 中性",
        "男人 女人",
        "高兴 悲伤 愤怒",
        "老人 儿童",
        "胡须 无须",
        "爸爸 妈妈",
    ],
    "cp950": ["男 女", "高興 悲傷 憤怒", "老人 兒童", "戴眼鏡 沒戴眼鏡", "側臉 正臉", "功能 許可"],
    "cp949": [
        "남자 여자",
        "남 여",
        "웃음 무표정",
        "행복 슬픔 분노",
        "수염 민수염",
        "김철수 이영희",
    ],
    "cp1251": ["мужчины женщины", "МУЖЧИНЫ ЖЕНЩИНЫ", "Иван Пётр", "м ж", "улыбка", "чоловіки"],
    "cp866": ["мужчины женщины", "Мужчины Женщины", "радость грусть", "кот пёс", "борода"],
    "cp1252": ["männer frauen", "garçon fille", "niños niñas", "été", "São Paulo", "Ärger Freude"],
    "cp437": ["männer frauen", "garçon fille", "größe", "élève", "señor"],
    "euc_jp": ["男性 女性", "笑顔 真顔"],
    "cp1253": ["άνδρες γυναίκες", "χαρά λύπη"],
    "cp1256": ["رجال نساء"],
    "cp874": ["ชาย หญิง"],
    "cp1250": ["mężczyźni kobiety", "šťastný smutný"],
}
CASES = [(encoding, words.split()) for encoding, lists in LABELS.items() for words in lists]


def entry(name: str, encoding: str, extra: bytes = b"") -> zipfile.ZipInfo:
    """An entry as zipfile reads it whose maker did not say the encoding."""
    info = zipfile.ZipInfo(name.encode(encoding).decode("cp437"))
    info.extra = extra
    return info


def marked(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.flag_bits = 0x800
    return info


def unicode_path(name: str, stored: bytes) -> bytes:
    body = b"\1" + struct.pack("<I", zlib.crc32(stored)) + name.encode()
    return struct.pack("<HH", 0x7075, len(body)) + body


@pytest.mark.parametrize(("encoding", "labels"), CASES, ids=lambda value: " ".join(value))
@pytest.mark.parametrize("form", ["{}/1.jpg", "set/{}/IMG_0001.jpg", "{}/a/b c.jpg"])
def test_labels_of_any_system_are_read_and_the_guess_is_told(encoding, labels, form):
    names = [form.format(label) for label in labels]
    found = read_names([entry(name, encoding) for name in names])
    assert found.texts == names
    assert found.guessed in ENCODINGS
    assert f"read as {found.guessed} ({ENCODINGS[found.guessed]})" in found.note


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize(
    "words", ["männer frauen", "мужчины й", "男 女", "남자 여자", "が ぎ", "é"]
)
def test_utf_8_without_its_mark_is_no_guess(form, words):
    names = [f"{word}/1.jpg" for word in words.split()]
    entries = [entry(unicodedata.normalize(form, name), "utf-8") for name in names]
    assert (read_names(entries).texts, read_names(entries).note) == (names, "")


def test_plain_and_marked_names_are_what_they_say():
    names = ["calm/1.jpg", "ruhig, still/2.jpg", "怒り/3.jpg"]
    assert read_names([marked(name) for name in names]).texts == names
    assert read_names([marked("cafe\u0301")]).texts == ["café"]
    assert read_names([zipfile.ZipInfo("calm/1.jpg")]).note == ""


def test_all_names_together_tell_the_encoding():
    # the first alone would be Chinese
    names = ["ж/1.jpg", "мужчины/1.jpg", "женщины/1.jpg"]
    assert read_names([entry(name, "cp1251") for name in names]).texts == names


def test_a_mark_on_some_names_says_nothing_of_the_others():
    found = read_names([marked("怒り/1.jpg"), entry("männer/1.jpg", "cp1252")])
    assert found.texts == ["怒り/1.jpg", "männer/1.jpg"]


@pytest.mark.parametrize("stored", ["?/1.jpg", "_/1.jpg", "männer/1.jpg"])
def test_the_unicode_path_counts_where_it_belongs_to_the_name(stored):
    raw = stored.encode("cp437")
    other = struct.pack("<HH", 0x5455, 5) + bytes(5)
    right = entry(stored, "cp437", other + unicode_path("男/1.jpg", raw))
    assert read_names([right]).texts == ["男/1.jpg"]
    assert read_names([right], "cp866").texts == ["男/1.jpg"]
    stale = entry(stored, "cp437", unicode_path("男/1.jpg", b"before it was renamed"))
    assert read_names([stale]).texts == [stored]


@pytest.mark.parametrize("extra", [b"\x75\x70", b"\x75\x70\xff\xff\1", b"\x75\x70\1\0\2", bytes(3)])
def test_a_damaged_extra_field_is_passed_over(extra):
    assert read_names([entry("calm/1.jpg", "cp437", extra)]).texts == ["calm/1.jpg"]


def test_an_encoding_that_is_given_counts():
    entries = [entry("мужчины/1.jpg", "cp866")]
    assert read_names(entries, "cp866").texts == ["мужчины/1.jpg"]
    assert read_names(entries, "cp866").note == ""
    assert read_names(entries, "cp850").texts != ["мужчины/1.jpg"]


@pytest.mark.parametrize(
    ("encoding", "words"), [("utf-8", "not in utf-8"), ("ascii", "not in"), ("klingon", "cp932")]
)
def test_an_encoding_that_does_not_fit_is_refused(encoding, words):
    with pytest.raises(DataError, match=words):
        read_names([entry("männer/1.jpg", "cp1252")], encoding)


def test_a_second_byte_that_looks_like_a_slash_splits_no_name():
    found = read_names([entry(name, "cp932") for name in ("表情/1.jpg", "予定ソ/1.jpg")])
    assert [text.split("/")[0] for text in found.texts] == ["表情", "予定ソ"]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=12), max_size=6))
def test_any_bytes_are_names(stored):
    names = read_names([zipfile.ZipInfo(name.decode("cp437")) for name in stored]).texts
    assert len(names) == len(stored)
