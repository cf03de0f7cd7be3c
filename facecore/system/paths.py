"""Paths as people type them, and names as the disks of other systems read them."""

import os
import unicodedata
from collections.abc import Iterable
from glob import glob, has_magic
from pathlib import Path

from facecore.errors import DataError

# Names of devices on Windows, with any ending: no file or folder can have one.
RESERVED = {"CON", "PRN", "AUX", "NUL"} | {f"{d}{i}" for d in ("COM", "LPT") for i in range(1, 10)}

MADE_BY_SYSTEMS = (  # files and folders, without capitals
    "__macosx",
    "@eadir",
    "$recycle.bin",
    "desktop.ini",
    "ehthumbs.db",
    "icon\r",
    "lost+found",
    "system volume information",
    "thumbs.db",
)


def expand_home(path: str) -> str:
    """Return a path with the user's home folder in place of a leading ``~``.

    Shells do that, but not behind ``--out=``, not between quotes, and not on Windows.

    Parameters
    ----------
    path : str
        As it was typed.

    Returns
    -------
    str
        Unchanged where there is no such user.

    Examples
    --------
    >>> expand_home("photos/~backup")
    'photos/~backup'
    """
    return os.path.expanduser(path)  # noqa: PTH111, pathlib would raise


def expand_patterns(paths: Iterable[str]) -> list[str]:
    """Return the files and folders that paths and patterns name.

    Parameters
    ----------
    paths : iterable of str
        Paths, or patterns with ``*``, ``?``, ``[...]`` or ``**``. What exists under its own name is
        no pattern.

    Returns
    -------
    list of str
        In the order in which they were given, the matches of a pattern sorted. A pattern that
        nothing matches stays, so that whoever opens it says that there is no such file.

    Examples
    --------
    >>> expand_patterns(["a.jpg", "b.jpg"])
    ['a.jpg', 'b.jpg']
    """
    found = []
    for given in paths:
        path = expand_home(given)
        if not has_magic(path) or os.path.lexists(path):
            found.append(path)
        else:
            found += sorted(glob(path, recursive=True)) or [path]  # noqa: PTH207, absolute, too
    return found


def expand_one(path: str) -> Path:
    """Return the one file or folder that a path or pattern names.

    Parameters
    ----------
    path : str
        As `expand_patterns` takes them.

    Returns
    -------
    Path

    Raises
    ------
    DataError
        More than one matches a pattern.

    Examples
    --------
    >>> expand_one("photos").name
    'photos'
    """
    first, *more = expand_patterns([path])
    if more:
        raise DataError(f"{len(more) + 1} files match {path}; give one, such as {first}")
    return Path(first)


def file_key(name: str) -> str:
    """Return a text that two names share if they name one file on some system.

    Parameters
    ----------
    name : str
        Of a file or folder, or a path.

    Returns
    -------
    str
        Without capitals, composed (Unicode NFC).

    Examples
    --------
    >>> file_key("Anna") == file_key("anna"), file_key("Anna") == file_key("Ana")
    (True, False)
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def find_twins(names: Iterable[str]) -> tuple[str, str] | None:
    """Find two different names that are one folder where capitals do not count.

    Such are the disks of Windows and macOS.

    Parameters
    ----------
    names : iterable of str
        Of folders; a name may occur more than once.

    Returns
    -------
    tuple of str or None
        The first two such names, sorted; None where there are none.

    Examples
    --------
    >>> find_twins(["anna", "bea", "Anna", "anna"])
    ('Anna', 'anna')
    >>> find_twins(["anna", "bea"]) is None
    True
    """
    known: dict[str, str] = {}
    for name in sorted(set(names)):
        other = known.setdefault(file_key(name), name)
        if other != name:
            return other, name
    return None


def is_hidden(name: str) -> bool:
    """Return whether a file or folder is hidden or made by a system, by its name.

    Parameters
    ----------
    name : str
        Of the file or folder, without its path.

    Returns
    -------
    bool

    Examples
    --------
    >>> is_hidden(".git"), is_hidden("Thumbs.db"), is_hidden("a.jpg")
    (True, True, False)
    """
    plain = name.casefold()
    # Windows marks what was downloaded; on other disks the mark is a file of its own.
    return plain.startswith(".") or plain in MADE_BY_SYSTEMS or plain.endswith(":zone.identifier")
