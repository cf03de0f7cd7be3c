"""A lock file is held by one process, on disks with locks and without."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from disks import NO_LOCKS, break_call

from facecore.system.holds import hold, is_held, is_here, let_go, note_of, this_process

REPO = Path(__file__).resolve().parents[3]
HOLD = """
import sys
from pathlib import Path
from facecore.system.holds import hold
file = hold(Path(sys.argv[1]))
print(file is not None, flush=True)
sys.stdin.read()
"""


@pytest.fixture(params=[None, errno.ENOSYS, errno.ENOLCK], ids=["locks", "ENOSYS", "ENOLCK"])
def path(request, tmp_path, monkeypatch) -> Path:
    """A lock file, on a disk with locks and on some without."""
    if request.param is not None:
        break_call(monkeypatch, tmp_path / "start", "fcntl.flock", request.param)
    (tmp_path / "lock").touch()
    return tmp_path / "lock"


@pytest.fixture
def without(path, monkeypatch):
    """The same lock file without locks."""
    break_call(monkeypatch, path.parent / "start", "fcntl.flock", errno.ENOLCK)
    return path


@pytest.fixture
def other(path):
    """Another process that holds the file."""
    paths = filter(None, [os.environ.get("PYTHONPATH"), str(REPO)])
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
    )
    assert process.stdout.readline().strip() == "True"
    yield process
    process.kill()
    process.communicate()


def note(path: Path, **changed) -> None:
    note_of(path).write_text(json.dumps(this_process() | changed))


def test_one_holds_it_until_it_lets_go(path):
    assert not is_held(path)
    mine = hold(path)
    assert is_held(path)
    assert hold(path) is None
    assert hold(path, patience=0.1) is None
    let_go(mine)
    assert not is_held(path)
    again = hold(path)
    assert again is not None
    let_go(again)
    assert not note_of(path).exists()


@pytest.mark.parametrize("number", NO_LOCKS)
def test_any_error_of_the_system_is_a_disk_without_locks(number, tmp_path, monkeypatch):
    break_call(monkeypatch, tmp_path / "start", "fcntl.flock", number)
    (tmp_path / "lock").touch()
    mine = hold(tmp_path / "lock")
    assert is_held(tmp_path / "lock")
    assert hold(tmp_path / "lock") is None
    let_go(mine)
    assert not is_held(tmp_path / "lock")


def test_what_another_process_holds_is_free_when_it_is_killed(path, other):
    assert is_held(path)
    assert hold(path) is None
    other.kill()
    other.wait()
    assert not is_held(path)
    mine = hold(path)
    assert mine is not None
    let_go(mine)


@pytest.mark.skipif(not hasattr(os, "waitid"), reason="only POSIX has such processes")
def test_a_killed_process_that_nobody_has_collected_holds_nothing(path, other):
    other.kill()
    os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)
    assert not is_held(path)


def test_a_file_that_is_missing_is_not_held_and_cannot_be(path):
    path.unlink()
    assert not is_held(path)
    with pytest.raises(FileNotFoundError):
        hold(path)
    assert not note_of(path).exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says when a process began")
def test_the_number_of_a_process_that_is_gone_may_be_that_of_another(without):
    note(without, born="1")
    assert not is_held(without)
    let_go(hold(without))


def test_a_process_of_another_computer_counts_until_its_note_is_removed(without):
    note(without, host="elsewhere")
    assert is_held(without)
    assert hold(without) is None
    assert json.loads(note_of(without).read_text())["host"] == "elsewhere"
    note_of(without).unlink()
    let_go(hold(without))


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"host": 1, "pid": "x"}'])
def test_a_note_that_cannot_be_read_counts(without, text):
    note_of(without).write_text(text)
    assert is_held(without)
    assert hold(without) is None
    assert note_of(without).read_text() == text


def test_who_got_no_lock_counts_also_for_those_who_get_one(tmp_path, monkeypatch):
    path = tmp_path / "lock"
    path.touch()
    with monkeypatch.context() as patch:
        break_call(patch, tmp_path / "start", "fcntl.flock", errno.ENOLCK)
        mine = hold(path)
    assert is_held(path)
    assert hold(path) is None
    let_go(mine)
    let_go(hold(path))


def test_the_note_of_another_is_not_removed(without):
    mine = hold(without)
    note(without, host="elsewhere")
    let_go(mine)
    assert is_held(without)


@pytest.mark.skipif(os.name != "posix", reason="a process that lost its parent")
def test_a_process_without_a_leader_counts_as_long_as_its_group_lives(without):
    code = "import subprocess, sys; c = subprocess.Popen(['sleep', '60']); print(c.pid, flush=True)"
    leader = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    child = int(leader.stdout.readline())
    leader.wait()
    try:
        note(without, pid=leader.pid, born="1")
        assert is_held(without)
    finally:
        os.kill(child, 9)
        leader.stdout.close()


def test_a_process_says_where_it_runs():
    assert is_here(this_process())
    assert not is_here(this_process() | {"host": "elsewhere"})
    assert not is_here({})
    json.dumps(this_process())
