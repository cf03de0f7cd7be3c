import hashlib
import json

import pytest

from facecore.system import files
from facecore.system.files import lock, sha256, write_atomically, write_json


def test_a_lock_is_held_once_until_its_file_is_closed(tmp_path):
    path = tmp_path / "lock"
    with open(path, "a+b") as first, open(path, "r+b") as second:
        assert lock(first)
        assert not lock(second)
        first.close()
        assert lock(second)


def test_a_shared_lock_is_held_by_many_but_not_beside_one_of_its_own(tmp_path):
    path = tmp_path / "lock"
    with open(path, "a+b") as first, open(path, "r+b") as second, open(path, "r+b") as third:
        assert lock(first, shared=True)
        assert lock(second, shared=True)
        assert not lock(third)
        first.close()
        second.close()
        assert lock(third)


def test_the_checksum_is_that_of_the_bytes(tmp_path):
    (tmp_path / "file").write_bytes(b"faces")
    assert sha256(tmp_path / "file") == hashlib.sha256(b"faces").hexdigest()


def test_json_is_read_again_and_has_no_numbers_that_json_does_not_know(tmp_path):
    value = {"name": "Zo\u00eb", "scores": [0.5, 1], "rule": None}
    write_json(tmp_path / "file.json", value)
    assert json.loads((tmp_path / "file.json").read_text(encoding="utf-8")) == value
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "file.json", float("nan"))


def test_a_text_replaces_the_one_before_as_it_is(tmp_path):
    path = tmp_path / "file.csv"
    write_atomically(path, "old")
    write_atomically(path, "\u00e9 new\r\nline\n")
    assert path.read_bytes() == "\u00e9 new\r\nline\n".encode()
    assert list(tmp_path.iterdir()) == [path]


def test_a_text_that_cannot_be_written_leaves_the_one_before_and_no_litter(tmp_path, monkeypatch):
    path = tmp_path / "file.csv"
    write_atomically(path, "old")

    def fail(*arguments):
        raise OSError("full")

    monkeypatch.setattr(files.os, "replace", fail)
    with pytest.raises(OSError, match="full"):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
