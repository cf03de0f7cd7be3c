"""Files are written whole or not at all."""

import errno
import hashlib
import json
import os
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from disks import NO_LOCKS, break_call

from facecore.errors import DataError
from facecore.system.files import (
    NoLocksError,
    lock,
    sha256,
    try_file,
    try_folder,
    write_atomically,
    write_json,
)


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


@pytest.fixture
def locking(tmp_path, monkeypatch):
    """Whether a file could be locked, by the number of the system's error."""

    def call(system: str, number: int) -> bool:
        def fail(*given):
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(sys, "platform", system)
        calls = SimpleNamespace(
            LOCK_SH=1, LOCK_EX=2, LOCK_NB=4, LK_NBLCK=2, flock=fail, locking=fail
        )
        monkeypatch.setitem(sys.modules, "msvcrt" if system == "win32" else "fcntl", calls)
        with open(tmp_path / "lock", "a+b") as file:
            return lock(file)

    return call


HELD = [("linux", errno.EWOULDBLOCK), ("darwin", errno.EAGAIN), ("linux", errno.EACCES)]
HELD += [("win32", errno.EACCES), ("win32", errno.EDEADLOCK)]


@pytest.mark.parametrize(("system", "number"), HELD)
def test_that_somebody_holds_a_lock_is_no_error(locking, system, number):
    assert locking(system, number) is False


@pytest.mark.parametrize("system", ["linux", "darwin", "win32"])
@pytest.mark.parametrize("number", NO_LOCKS)
def test_a_disk_without_locks_is_not_taken_for_somebody_who_holds_one(locking, system, number):
    with pytest.raises(NoLocksError, match="no file locks") as error:
        locking(system, number)
    assert error.value.errno == number


@pytest.mark.parametrize("content", ["naïve\r\ntext\n", b"\x00\xff", ""])
def test_what_is_written_is_what_is_read_and_nothing_else_is_left(tmp_path, content):
    file = tmp_path / "a"
    file.write_text("old")
    write_atomically(file, content)
    data = content.encode() if isinstance(content, str) else content
    assert file.read_bytes() == data
    assert sha256(file) == hashlib.sha256(data).hexdigest()
    assert list(tmp_path.iterdir()) == [file]


def test_a_write_that_fails_keeps_the_old_file_and_leaves_no_litter(tmp_path, monkeypatch):
    file = tmp_path / "a"
    file.write_text("old")

    def fail(*paths):
        raise PermissionError("a reader holds it")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(PermissionError):
        write_atomically(file, "new")
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EBUSY])
def test_a_file_that_a_reader_holds_for_a_moment_is_replaced_after_it(
    tmp_path, monkeypatch, number
):
    replace, left = os.replace, [3]

    def fail(*paths):
        if left[0]:
            left[0] -= 1
            raise OSError(number, os.strerror(number))
        replace(*paths)

    monkeypatch.setattr(os, "replace", fail)
    write_atomically(tmp_path / "a", "new")
    assert (tmp_path / "a").read_text() == "new"
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]


@pytest.mark.parametrize("place", ["", "new", "new/deep/er"])
def test_a_folder_is_tried_and_nothing_is_left(tmp_path, place):
    try_folder(tmp_path / place)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_tried_by_many_at_once_while_it_comes_into_being(tmp_path):
    place = tmp_path / "new" / "deep"
    with ThreadPoolExecutor(8) as threads:
        trials = [threads.submit(try_folder, place) for _ in range(200)]
        threads.submit(place.mkdir, parents=True).result()
        for trial in trials:
            trial.result()
    assert place.is_dir()
    assert list(place.iterdir()) == []
    assert list(tmp_path.iterdir()) == [tmp_path / "new"]


@pytest.mark.parametrize("place", ["file", "file/new", "n" * 300, "new/" + "n" * 300])
def test_a_folder_that_cannot_be_made_is_named(tmp_path, place):
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="cannot write to .*" + place):
        try_folder(tmp_path / place)
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.ENOSPC, errno.EDQUOT])
def test_a_folder_that_takes_no_files_is_named_with_the_reason(tmp_path, monkeypatch, number):
    break_call(monkeypatch, tmp_path / "start", "pathlib.Path.write_bytes", number)
    with pytest.raises(DataError, match=os.strerror(number)):
        try_folder(tmp_path / "new")
    with pytest.raises(DataError, match=r"a\.json.*" + os.strerror(number)):
        try_file(tmp_path / "a.json")
    assert not (tmp_path / "new").exists()


def test_a_file_is_tried_and_stays_as_it_is(tmp_path):
    (tmp_path / "old.json").write_text("old")
    (tmp_path / "link.json").symlink_to("old.json")
    for name in ("old.json", "link.json", "new.json"):
        try_file(tmp_path / name)
    assert (tmp_path / "old.json").read_text() == "old"
    assert not (tmp_path / "new.json").exists()
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        try_file(tmp_path / "pipe")  # without waiting for a reader
        try_file(Path(os.devnull))


@pytest.mark.parametrize("place", ["", "none/a.json", "file/a.json", "n" * 300])
def test_a_file_that_cannot_be_written_is_named(tmp_path, place):
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="cannot write .*" + place):
        try_file(tmp_path / place)
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_a_name_may_be_as_long_as_names_can_be(tmp_path):
    write_atomically(tmp_path / ("n" * 250), "long")
    assert (tmp_path / ("n" * 250)).read_text() == "long"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask for files")
@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_the_permissions_follow_the_umask(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        write_atomically(tmp_path / "a", "text")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == mode


def test_a_link_stays_a_link_and_its_file_is_replaced(tmp_path):
    (tmp_path / "target").write_text("old")
    (tmp_path / "link").symlink_to("target")
    write_atomically(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "new"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no named pipes")
def test_a_pipe_is_written_to_and_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_atomically(tmp_path / "pipe", "to whoever reads")
        assert os.read(reader, 100) == b"to whoever reads"
    finally:
        os.close(reader)
    assert (tmp_path / "pipe").is_fifo()


def test_json_is_readable_and_has_no_infinite_numbers(tmp_path):
    write_json(tmp_path / "a.json", {"a": [1, None, "ü"]})
    assert json.loads((tmp_path / "a.json").read_text()) == {"a": [1, None, "ü"]}
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "b.json", {"a": float("nan")})
    assert not (tmp_path / "b.json").exists()
