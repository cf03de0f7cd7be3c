"""Folders for temporary files; those of a killed process are removed when the next one starts."""

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
from facecore.system.holds import hold, let_go

PREFIX, LOCK = "facecore-scratch-", ".lock"
TRIES = 20  # to hold a new lock file, which another process may take for one left behind
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
BLOCK = 2**20  # bytes that are written at once


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Make an empty folder for temporary files and remove it when the block ends.

    This process holds a lock file beside the folder, as `facecore.system.hold` does. It is free
    when the process ends, however it ends. A folder whose lock file is free is therefore no longer
    in use.

    Yields
    ------
    Path
        In the folder that ``TMPDIR`` names, else in the system's own.

    Raises
    ------
    DataError
        No folder for temporary files can be made, or its disk is full.

    Examples
    --------
    >>> with scratch_folder() as folder:
    ...     _ = (folder / "rows.npy").write_bytes(b"")
    >>> folder.exists()
    False
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
            "choose another folder with TMPDIR=FOLDER"
        ) from error
    finally:
        if file is not None:
            _leave(file)


def sweep() -> None:
    """Remove the temporary folders of processes that were killed."""
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*{LOCK}"):
        with suppress(OSError):
            if file := hold(path, left=True):
                _leave(file)


def reserve_array(path: Path, shape: tuple[int, ...], dtype: DTypeLike) -> None:
    """Make a ``.npy`` file of zeros, to be mapped and written, and reserve its space on the disk.

    Without the space, writing to a mapped file on a full disk kills the process.

    Parameters
    ----------
    path : Path
        Of the file, which is replaced if it exists.
    shape : tuple of int
        Of the array.
    dtype : dtype
        Of the array.

    Raises
    ------
    OSError
        The disk is full, or does not take so large a file.

    Examples
    --------
    >>> with scratch_folder() as folder:
    ...     reserve_array(folder / "rows.npy", (2, 3), "uint8")
    ...     np.load(folder / "rows.npy").shape
    (2, 3)
    """
    array = np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=shape)
    array.flush()
    with open(path, "r+b") as file:
        if not _reserve(file, path.stat().st_size):
            _write_zeros(file, array.offset, array.nbytes)


def _reserve(file: IO[bytes], size: int) -> bool:
    """Reserve the space of a file; return whether system and disk can do so."""
    if not hasattr(os, "posix_fallocate"):
        return False
    try:
        os.posix_fallocate(file.fileno(), 0, size)
    except OSError as error:
        if error.errno in FULL:
            raise
        return False
    return True


def _write_zeros(file: IO[bytes], start: int, count: int) -> None:
    file.seek(start)
    for written in range(0, count, BLOCK):
        file.write(bytes(min(BLOCK, count - written)))
    file.flush()
    os.fsync(file.fileno())  # a network disk may say only now that it is full


def _hold() -> IO[bytes]:
    for _ in range(TRIES):
        handle, name = tempfile.mkstemp(prefix=PREFIX, suffix=LOCK)
        os.close(handle)
        path = Path(name)
        try:
            if file := hold(path):
                return file
        except FileNotFoundError:
            continue  # another process took it for one left behind before it was held
        except OSError:
            path.unlink(missing_ok=True)
            raise
        path.unlink(missing_ok=True)
    raise DataError(
        f"cannot lock a file in {tempfile.gettempdir()}; choose another folder with TMPDIR=FOLDER"
    )


def _leave(file: IO[bytes]) -> None:
    """Remove a folder, then the lock file beside it, which this process holds."""
    path = Path(file.name)
    shutil.rmtree(path.with_name(path.name.removesuffix(LOCK)), ignore_errors=True)
    with suppress(OSError):
        path.unlink()
    let_go(file)
    with suppress(OSError):  # Windows does not remove a file that is open
        path.unlink()
