"""Write files so that a reader, or a kill, meets the old one or the new one; checksums; locks."""

import hashlib
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    pass


def lock(file: IO[bytes], shared: bool = False) -> bool:
    """Lock an open file, for as long as it is open, if no other process holds it.

    Parameters
    ----------
    file : binary file
    shared : bool
        Bear with others that hold it so.

    Returns
    -------
    bool
        Whether it is locked now.
    """
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file.

    Parameters
    ----------
    path : Path

    Returns
    -------
    str
        In hexadecimal.
    """
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_json(path: Path, value: Any) -> None:
    """Write a value as JSON.

    Parameters
    ----------
    path : Path
    value : object
    """
    path.write_text(json.dumps(value, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")  # one checksum on every system


def write_atomically(path: Path, text: str) -> None:
    """Write a text file so that a reader, or a kill, sees the old one or the new one.

    Parameters
    ----------
    path : Path
    text : str
    """
    handle, name = tempfile.mkstemp(prefix=".tmp-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink()
        raise
