import errno
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from disks import NO_LOCKS, break_call

from facecore.errors import DataError
from facecore.system.scratch import reserve_array, scratch_folder, sweep

REPO = Path(__file__).resolve().parents[3]
HOLD = """
import sys
from facecore.system.scratch import scratch_folder
with scratch_folder() as folder:
    (folder / "part.npy").write_bytes(b"x" * 1000)
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(
    autouse=True, params=[None, errno.ENOSYS, errno.ENOLCK], ids=["locks", "ENOSYS", "ENOLCK"]
)
def place(request, tmp_path, monkeypatch) -> Path:
    """The folder for temporary files, on a disk with locks and on some without."""
    if request.param is not None:
        break_call(monkeypatch, tmp_path / "start", "fcntl.flock", request.param)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    return tmp_path / "tmp"


@pytest.fixture
def other(place):
    """Another process in a block with a scratch folder of its own."""
    paths = filter(None, [os.environ.get("PYTHONPATH"), str(REPO)])
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(place), "PYTHONPATH": os.pathsep.join(paths)},
    )
    assert process.stdout is not None
    folder = Path(process.stdout.readline().strip())
    yield process, folder
    process.kill()
    process.communicate()


def test_nothing_is_left_after_the_block_also_after_an_error(place):
    with scratch_folder() as folder:
        assert list(folder.iterdir()) == []
        (folder / "deep").mkdir()
    with pytest.raises(ValueError, match="mine"), scratch_folder():
        raise ValueError("mine")
    assert list(place.iterdir()) == []


def test_each_block_has_a_folder_of_its_own_that_only_its_user_reads(place):
    with scratch_folder() as first, scratch_folder() as second:
        assert first != second
        assert first.parent == second.parent == place
        if os.name == "posix":
            assert first.stat().st_mode & 0o077 == 0


def test_what_a_killed_process_left_goes_when_the_next_begins(place, other):
    process, folder = other
    assert (folder / "part.npy").exists()
    process.kill()
    process.wait()
    assert folder.exists()
    with scratch_folder():
        assert not folder.exists()
    assert list(place.iterdir()) == []


def test_the_folder_of_a_process_that_lives_stays(place, other):
    process, folder = other
    sweep()
    with scratch_folder():
        assert (folder / "part.npy").exists()
    process.communicate("")
    assert process.returncode == 0
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("number", NO_LOCKS)
def test_a_system_that_has_run_out_of_locks_takes_no_folder_for_one_left_behind(
    place, other, tmp_path, monkeypatch, number
):
    _, folder = other
    break_call(monkeypatch, tmp_path / "later", "fcntl.flock", number)
    sweep()
    with scratch_folder():
        assert (folder / "part.npy").exists()
    assert (folder / "part.npy").exists()


@pytest.mark.parametrize("number", [*NO_LOCKS, errno.EACCES])
def test_no_error_of_the_system_makes_more_than_a_few_files(place, tmp_path, monkeypatch, number):
    break_call(monkeypatch, tmp_path / "start", "fcntl.flock", number)
    if number == errno.EACCES:  # somebody holds each new file
        with pytest.raises(DataError, match=r"cannot lock.*TMPDIR=FOLDER"), scratch_folder():
            pass
    else:
        with scratch_folder() as folder:
            assert len(list(place.iterdir())) <= 3
            assert folder.is_dir()
    assert list(place.iterdir()) == []


def test_files_of_others_stay(place):
    mine = place / "facecore-scratch-notes"
    mine.write_text("mine")
    sweep()
    assert mine.read_text() == "mine"


def test_no_place_is_one_error_that_names_the_way_out(place, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(place / "none"))
    with pytest.raises(DataError, match="TMPDIR=FOLDER"), scratch_folder():
        pass


def test_a_full_disk_is_such_an_error_and_others_are_not(place):
    with pytest.raises(DataError, match=r"No space left.*TMPDIR=FOLDER"), scratch_folder():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with pytest.raises(FileNotFoundError), scratch_folder():
        Path("none/at/all").read_bytes()
    assert list(place.iterdir()) == []


@pytest.mark.parametrize(
    "number", [errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS, errno.EPERM, None]
)
@pytest.mark.parametrize("shape", [(300, 10_000), (7,), (0, 5)])
def test_a_disk_that_cannot_reserve_space_gets_zeros(place, tmp_path, monkeypatch, number, shape):
    if number is None:  # as macOS and Windows
        monkeypatch.delattr(os, "posix_fallocate", raising=False)
    else:
        break_call(monkeypatch, tmp_path / "start", "os.posix_fallocate", number)
    reserve_array(place / "a.npy", shape, np.uint8)
    array = np.load(place / "a.npy")
    assert (array.shape, array.dtype, array.any()) == (shape, np.uint8, False)
    if os.name == "posix":
        assert (place / "a.npy").stat().st_blocks * 512 >= array.nbytes


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_disk_without_the_space_is_an_error(place, tmp_path, monkeypatch, number):
    break_call(monkeypatch, tmp_path / "start", "os.posix_fallocate", number)
    with pytest.raises(DataError, match="TMPDIR=FOLDER"), scratch_folder() as folder:
        reserve_array(folder / "a.npy", (10,), np.uint8)


def test_a_reserved_array_is_zeros_with_a_place_on_the_disk(place):
    reserve_array(place / "a.npy", (50, 1000), np.float32)
    array = np.load(place / "a.npy", mmap_mode="r+")
    assert array.shape == (50, 1000)
    assert (array.dtype, array.any()) == (np.float32, False)
    if hasattr(os, "posix_fallocate"):
        assert (place / "a.npy").stat().st_blocks * 512 >= array.nbytes
