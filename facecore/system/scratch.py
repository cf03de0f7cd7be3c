"""Folders for temporary files; what a killed process left goes when the next one begins."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import DTypeLike

from facecore.errors import DataError
from facecore.system.files import lock

PREFIX, LOCK = "facecore-scratch-", ".lock"


FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Yield an empty folder for temporary files, which is removed when the block ends.

    Beside it lies a file on which this process holds a lock. The system lets go of the lock when
    the process dies, however it dies, so a folder whose lock is free is nobody's any more.

    Yields
    ------
    Path
        In the folder that ``TMPDIR`` names, else in the system's.

    Raises
    ------
    DataError
        There is no place for temporary files.
    """
    file = None
    try:
        sweep()
        file = _hold()
        folder = Path(file.name.removesuffix(LOCK))
        folder.mkdir(mode=0o700)
        yield folder
    except OSError as error:
        if file is not None and error.errno not in FULL:
            raise
        place = os.environ.get("TMPDIR") or "the system's folder"
        raise DataError(
            f"no place for temporary files in {place}: {error.strerror or error}; "
            "TMPDIR=FOLDER names another one"
        ) from error
    finally:
        if file is not None:
            _remove(Path(file.name))
            file.close()


def sweep() -> None:
    """Remove the temporary files of processes that were killed."""
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*{LOCK}"):
        with suppress(OSError), open(path, "r+b") as file:
            if lock(file):
                _remove(path)


def reserve_array(path: Path, shape: tuple[int, ...], dtype: DTypeLike) -> None:
    """Make a ``.npy`` of zeros to be mapped and written, with its place on the disk.

    Without the place, writing to a mapped file on a full disk kills the process.

    Parameters
    ----------
    path : Path
    shape : tuple of int
    dtype : dtype

    Raises
    ------
    OSError
        The disk is full.
    """
    np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=shape).flush()
    if hasattr(os, "posix_fallocate"):
        with open(path, "r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)


def _hold() -> IO[bytes]:
    while True:
        handle, name = tempfile.mkstemp(prefix=PREFIX, suffix=LOCK)
        os.close(handle)
        file = open(name, "r+b")  # noqa: SIM115, held to the end of the block
        if lock(file) and Path(name).exists():
            return file
        file.close()  # another process took it for a dead one's before it was locked


def _remove(path: Path) -> None:
    """Remove a folder, then the file that tells whose it is."""
    shutil.rmtree(path.with_name(path.name.removesuffix(LOCK)), ignore_errors=True)
    with suppress(OSError):
        path.unlink()
