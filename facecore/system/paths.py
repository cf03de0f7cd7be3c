"""Paths as people type them: with `~` and patterns such as `*.png`, as a shell would read them."""

import os
from collections.abc import Iterable
from glob import glob, has_magic
from pathlib import Path

from facecore.errors import DataError


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
