"""Hold a lock file: by a lock of the system or, on a disk without locks, by a note of its owner.

The system releases a lock when its process ends, however it ends. A note stays. It names computer,
process and time, so that on the same computer the note of a process that is gone counts for
nothing. The note of another computer counts until it is removed.
"""

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import IO, Any

from facecore.errors import DataError
from facecore.system.files import NoLocksError, lock

PAUSE = 0.02  # seconds between two tries
MOST = 20  # times that a file is removed by whoever held it before
ENDED = "ZX"  # states of a process that has ended and was not collected by its parent
NOTE = ".owner"  # ends the name of the note beside a lock file


def hold(
    path: Path, patience: float = 0.0, make: bool = False, left: bool = False
) -> IO[bytes] | None:
    """Hold a lock file, unless another process does.

    Parameters
    ----------
    path : Path
        Of the lock file.
    patience : float, default=0.0
        Seconds to wait for it; it is tried once at least.
    make : bool, default=False
        Make the file where it is missing.
    left : bool, default=False
        Hold it only if its owner is known to be gone. Where the system has no locks, perhaps for
        a moment, a file without a note may be one that somebody has locked.

    Returns
    -------
    binary file or None
        To be given to `let_go`. None where another process holds it.

    Raises
    ------
    OSError
        The file is missing or cannot be written, or the note beside it cannot.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "lock"
    ...     mine = hold(path, make=True)
    ...     print(is_held(path))
    ...     let_go(mine)
    ...     print(is_held(path))
    True
    False
    """
    until = time.monotonic() + patience
    for tried in count():
        file = open(path, "a+b" if make else "r+b")  # noqa: SIM115, held by whoever called
        taken = False
        try:
            taken = _take(file, path, left)
        finally:
            if not taken:
                file.close()
        if taken and (tried > MOST or not _is_removed(file, path)):
            return file
        if taken:  # whoever held it before has removed it
            let_go(file)
        elif time.monotonic() >= until:
            return None
        else:
            time.sleep(PAUSE)
    return None  # count has no end


@contextmanager
def holding(path: Path, busy: str) -> Iterator[None]:
    """Hold a lock file while the block runs, and remove it then.

    Parameters
    ----------
    path : Path
        Of the lock file, which is made.
    busy : str
        Message of the error where another process holds it.

    Yields
    ------
    None
        While this process holds the file.

    Raises
    ------
    DataError
        Another process holds it.
    OSError
        The file cannot be written.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "lock"
    ...     with holding(path, "somebody works here"):
    ...         print(is_held(path))
    ...     print(path.exists())
    True
    False
    """
    file = hold(path, make=True)
    if file is None:
        note, other = note_of(path), _read(note_of(path))
        if other and not is_here(other):
            busy += f" (on {other['host']}; remove {note} if nothing runs there)"
        raise DataError(busy)
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink()
        let_go(file)
        with suppress(OSError):  # Windows does not remove a file that is open
            path.unlink(missing_ok=True)


def let_go(file: IO[bytes]) -> None:
    """Release a lock file.

    Parameters
    ----------
    file : binary file
        As `hold` returned it.
    """
    note = note_of(Path(file.name))
    if _read(note) == this_process():
        with suppress(OSError):
            note.unlink()
    file.close()


def is_held(path: Path) -> bool:
    """Return whether a process holds a lock file.

    Parameters
    ----------
    path : Path
        Of the lock file, which may be missing.

    Returns
    -------
    bool
        True also where the file is held by this process.

    Raises
    ------
    OSError
        The file cannot be read.
    """
    try:
        with open(path, "rb") as file, suppress(NoLocksError):
            if not lock(file, shared=True):
                return True
    except FileNotFoundError:
        return False
    return _counts(note_of(path))


def note_of(path: Path) -> Path:
    """Return where the owner of a lock file is noted on a disk without locks.

    Parameters
    ----------
    path : Path
        Of the lock file.

    Returns
    -------
    Path
        Beside it. The file exists only while the lock file is held.
    """
    return path.with_name(path.name + NOTE)


def this_process() -> dict[str, Any]:
    """Describe this process, so that others can tell whether it lives.

    Returns
    -------
    dict of str to object
        JSON types: host, pid and born (None where the system does not say when it began).
    """
    return {"host": _host(), "pid": os.getpid(), "born": _birth(os.getpid())}


def is_here(process: dict[str, Any]) -> bool:
    """Return whether a process runs, or ran, on this computer.

    Parameters
    ----------
    process : dict of str to object
        As `this_process` describes it.

    Returns
    -------
    bool
        False also for a process of another container, whose numbers mean others here.
    """
    return process.get("host") == _host()


def _take(file: IO[bytes], path: Path, left: bool) -> bool:
    note = note_of(path)
    try:
        # of a process that got no lock, as when the system had run out of them
        return lock(file) and not _counts(note)
    except NoLocksError:
        pass
    if left and not note.exists():
        return False
    if note.exists() and not _counts(note):
        note.unlink(missing_ok=True)
    try:
        with open(note, "x", encoding="utf-8") as mine:
            json.dump(this_process(), mine)
    except FileExistsError:
        return False
    except OSError:
        note.unlink(missing_ok=True)
        raise
    return True


def _is_removed(file: IO[bytes], path: Path) -> bool:
    found = os.fstat(file.fileno())
    if found.st_nlink:
        return False
    try:
        return not os.path.samestat(found, path.stat())  # some disks count no links
    except FileNotFoundError:
        return True


def _counts(note: Path) -> bool:
    """Return whether a note is there and its process may live."""
    process = _read(note)
    if process is None:
        return note.exists()  # it is being written, or not ours to judge
    return not is_here(process) or lives(process)


def lives(process: dict[str, Any]) -> bool:
    """Return whether a process of this computer lives, or one of the group that it leads.

    Parameters
    ----------
    process : dict of str to object
        As `this_process` describes it, and `is_here`.

    Returns
    -------
    bool

    Examples
    --------
    >>> lives(this_process())
    True
    """
    pid = process["pid"]
    if sys.platform == "win32":
        # os.kill would end it
        command = ["tasklist", "/FI", f"PID eq {pid}", "/NH", "/FO", "CSV"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return f'"{pid}"' in done.stdout
    if Path("/proc/self/stat").exists():
        if born := _birth(pid):
            return bool(born == process["born"])  # another process may have got the number
        stats = map(_stat, Path("/proc").glob("[0-9]*/stat"))
        return any(stat[2] == str(pid) and stat[0] not in ENDED for stat in stats if stat)
    for ask in (os.kill, os.killpg):
        try:
            ask(pid, 0)
        except ProcessLookupError:
            continue
        except OSError:  # it lives, and belongs to another user
            pass
        return True
    return False


def _birth(pid: int) -> str | None:
    """Return when a process began, in a clock of its system; None where it is not known."""
    stat = _stat(Path(f"/proc/{pid}/stat"))
    return stat[19] if stat and stat[0] not in ENDED else None


def _stat(path: Path) -> list[str]:
    """Return what Linux tells of a process behind its name: state, parent, group, ..."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()  # the name may have spaces


def _host() -> str:
    """Return a name of this computer; of a container, one that no other container has."""
    try:
        return f"{platform.node()} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return platform.node()


def _read(note: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(note.read_text(encoding="utf-8"))
        return {"host": str(found["host"]), "pid": int(found["pid"]), "born": found["born"]}
    except (OSError, ValueError, TypeError, KeyError):
        return None
