"""Write files whole or not at all, try whether they can be written, compute checksums, lock."""

import errno
import hashlib
import json
import os
import secrets
import sys
import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

from facecore.errors import DataError

LITTER = ".tmp-"  # how the name of an unfinished file begins
BUSY = (errno.EACCES, errno.EPERM, errno.EBUSY)  # of a file that another program has open
WAITS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8)  # seconds between the tries to rename it


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a file so that a reader, or a killed process, leaves the old one or the new one.

    The content goes to a new file in the same folder, which then takes the place of the old one.
    A link stays a link; a pipe or a device is written to directly. The permissions of the new file
    follow the umask.

    Parameters
    ----------
    path : Path
        Of the file. Its folder must exist.
    content : str or bytes
        Text is stored as UTF-8, with its line ends as they are, so that it has the same checksum
        on every system.

    Raises
    ------
    OSError
        The file cannot be written. The old one is as it was, and no unfinished one is left.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_atomically(Path(folder) / "note.txt", "new\\n")
    ...     [(path.name, path.read_bytes()) for path in Path(folder).iterdir()]
    [('note.txt', b'new\\n')]
    """
    data = content.encode() if isinstance(content, str) else content
    if path.exists() and not path.is_file():
        path.write_bytes(data)
        return
    path = Path(os.path.realpath(path))
    # The name is short, since that of the file may be as long as names can be. It is unique, since
    # a worker of a killed run may still be writing the same file. tempfile.mkstemp would ignore
    # the umask.
    unfinished = path.with_name(f"{LITTER}{secrets.token_hex(8)}")
    try:
        with open(unfinished, "xb") as file:
            file.write(data)
        rename(unfinished, path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def rename(source: Path, target: Path) -> None:
    """Rename a file or folder; try again for a second or two where another program has it open.

    On Windows and on network disks a virus scanner or a reader may have it open for a moment.

    Parameters
    ----------
    source : Path
        Of a file, or of a folder.
    target : Path
        On the same disk. A file there is replaced.

    Raises
    ------
    OSError
        It cannot be renamed.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     (Path(folder) / "old").touch()
    ...     rename(Path(folder) / "old", Path(folder) / "new")
    ...     [path.name for path in Path(folder).iterdir()]
    ['new']
    """
    for wait in WAITS:
        try:
            os.replace(source, target)
            return
        except OSError as error:
            if error.errno not in BUSY:
                raise
            time.sleep(wait)
    os.replace(source, target)


def try_folder(folder: Path) -> None:
    """Try, before long work, whether files can be written to a folder; nothing is left of it.

    Parameters
    ----------
    folder : Path
        May be missing, as may the folders above it.

    Raises
    ------
    DataError
        The folder cannot be made, or not be written to, or its disk is full.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     try_folder(Path(folder) / "a" / "b")
    ...     list(Path(folder).iterdir())
    []
    """
    # Missing folders are tried under a name of this call's own: another process that tries the same
    # folder, or begins to write to it, neither meets them nor loses its own.
    trial = f"{LITTER}{secrets.token_hex(8)}"
    try:
        if folder.exists():
            _try_to_write(folder / trial)
            return
        above = next((path for path in folder.parents if path.exists()), Path(folder.anchor))
        with TemporaryDirectory(prefix=".try-", dir=above) as place:
            made = place / folder.relative_to(above)
            made.mkdir(parents=True, exist_ok=True)
            _try_to_write(made / trial)
    except OSError as error:
        raise DataError(f"cannot write to {folder}: {error.strerror}") from error


def _try_to_write(path: Path) -> None:
    try:
        path.write_bytes(b"x")
    finally:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def try_file(path: Path) -> None:
    """Try, before long work, whether `write_atomically` can write a file; it stays as it is.

    Parameters
    ----------
    path : Path
        Of the file, which may be missing. Its folder must exist.

    Raises
    ------
    DataError
        The folder is missing or cannot be written to, or the path cannot name a file.
    """
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if path.exists() and not path.is_file():
            return  # a pipe or a device is written to directly
        real = Path(os.path.realpath(path))
        if not real.parent.is_dir():
            raise FileNotFoundError(errno.ENOENT, f"no folder {real.parent}")
        if sys.platform == "win32" and real.exists() and not os.access(real, os.W_OK):
            raise PermissionError(errno.EACCES, "the file is read-only")
        if not real.exists():  # its name may be too long
            real.open("xb").close()
            real.unlink()
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror}") from error
    try:
        try_folder(real.parent)
    except DataError as error:
        raise DataError(f"cannot write {path}: {error}") from error


def write_json(path: Path, value: Any) -> None:
    """Write a value as JSON, as `write_atomically` does.

    Parameters
    ----------
    path : Path
        Of the file. Its folder must exist.
    value : object
        Of dicts with text keys, lists, texts, numbers, booleans and None.

    Raises
    ------
    OSError
        The file cannot be written.
    ValueError
        A number is infinite or not a number, for which JSON has no notation.
    """
    write_atomically(path, json.dumps(value, indent=1, allow_nan=False) + "\n")


def sha256(path: Path) -> str:
    """Compute the SHA-256 checksum of a file (NIST, FIPS 180-4, 2015).

    Parameters
    ----------
    path : Path
        Of the file, which may be larger than memory.

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    OSError
        The file cannot be read.
    """
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class NoLocksError(OSError):
    """The disk of a file has no locks, or does not give any now."""


def lock(file: IO[bytes], shared: bool = False) -> bool:
    """Lock an open file, unless another process holds it.

    The system releases the lock when the file is closed or the process ends.

    Parameters
    ----------
    file : binary file
        Open for writing, or for reading where the lock is shared.
    shared : bool
        Take a lock that other processes may share. Windows has exclusive locks only.

    Returns
    -------
    bool
        True where this process now holds the lock.

    Raises
    ------
    NoLocksError
        The system refuses for another reason than that somebody holds the lock, as network disks
        without locks do. `facecore.system.hold` has a way without them.
    """
    held = {errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES}
    try:
        if sys.platform == "win32":
            import msvcrt

            held |= {errno.EDEADLOCK}
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in held:
            return False
        raise NoLocksError(error.errno, f"{error.strerror} (no file locks)", file.name) from error
    return True
