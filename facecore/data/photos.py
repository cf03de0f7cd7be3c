"""Find the photos below a folder: one rule of what a photo is, and a count of what is not."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from facecore.face.images import SUFFIXES, looks_like_photo
from facecore.system.paths import is_hidden

HEAD = 64  # bytes that tell a photo


@dataclass(frozen=True)
class Found:
    """The photos below a folder.

    Parameters
    ----------
    paths : list of str
        Relative to the folder, with forward slashes, sorted.
    skipped : Counter of str
        Number of files and folders that were passed over, by reason.
    """

    paths: list[str]
    skipped: "Counter[str]" = field(default_factory=Counter)


def find_photos(folder: Path) -> Found:
    """Find the photos in a folder and in all folders below it, links followed.

    A photo is a file whose name ends as photos do, or whose first bytes are those of a photo.
    Hidden files and folders, and those that systems make, are passed over.

    Parameters
    ----------
    folder : Path
        To be searched.

    Returns
    -------
    Found
        Photos, and what was passed over.

    Raises
    ------
    OSError
        A folder cannot be listed.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     for name in ("a/1.jfif", "a/.2.jpg", "notes.txt"):
    ...         Path(folder, name).parent.mkdir(exist_ok=True)
    ...         _ = Path(folder, name).write_bytes(b"...")
    ...     find_photos(Path(folder))
    Found(paths=['a/1.jfif'], skipped=Counter({'hidden': 1, 'not a photo': 1}))
    """
    skipped: Counter[str] = Counter()
    root = Path(folder)
    return Found(sorted(_walk(root, "", {_identity(root)}, skipped)), skipped)


def has_photo_name(name: str) -> bool:
    """Return whether a file's name ends as that of a photo.

    Parameters
    ----------
    name : str
        Of the file.

    Returns
    -------
    bool

    Examples
    --------
    >>> has_photo_name("a.JPE"), has_photo_name("a"), has_photo_name("a.txt")
    (True, False, False)
    """
    return name.lower().endswith(SUFFIXES)


def describe_skipped(skipped: "Counter[str]") -> str:
    """Say what was passed over.

    Parameters
    ----------
    skipped : Counter of str
        As `Found` has it.

    Returns
    -------
    str
        One line; empty where nothing was passed over but what is hidden.

    Examples
    --------
    >>> describe_skipped(Counter({"not a photo": 2, "hidden": 1}))
    'passed over: 1 hidden, 2 not a photo'
    """
    told = {reason: count for reason, count in sorted(skipped.items()) if count}
    if not set(told) - {"hidden"}:
        return ""
    return "passed over: " + ", ".join(f"{count:,} {reason}" for reason, count in told.items())


def _walk(
    folder: Path, inside: str, above: set[tuple[int, int]], skipped: "Counter[str]"
) -> Iterator[str]:
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        path = f"{inside}{entry.name}"
        if is_hidden(entry.name):
            skipped["hidden"] += 1
        elif not is_text(entry.name):
            skipped["with a name that is not UTF-8"] += 1
        elif _is_folder(entry):
            there = Path(entry.path)
            if _identity(there) in above:
                skipped["linked in a circle"] += 1
            else:
                yield from _walk(there, f"{path}/", above | {_identity(there)}, skipped)
        elif has_photo_name(entry.name):
            yield path  # also where it cannot be read: that is counted when it is read
        elif _starts_like_photo(entry.path):
            yield path
        else:
            skipped["not a photo"] += 1


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _identity(folder: Path) -> tuple[int, int]:
    found = folder.stat()
    return found.st_dev, found.st_ino


def is_text(name: str) -> bool:
    r"""Return whether a name can stand in tables and messages, which are in UTF-8.

    Parameters
    ----------
    name : str
        Of a file, as the system gives it.

    Returns
    -------
    bool

    Examples
    --------
    >>> is_text("été.jpg"), is_text("\udcff.jpg")
    (True, False)
    """
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _starts_like_photo(path: str) -> bool:
    try:
        if not Path(path).is_file():  # a named pipe would wait for a writer
            return False
        with open(path, "rb") as file:
            return looks_like_photo(file.read(HEAD))
    except OSError:
        return False
