"""Read photos from untrusted ZIPs, within limits and without leaving the target folder."""

import io
import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from facecore.data.listing import clean, is_label, refuse_twins
from facecore.data.photos import has_photo_name
from facecore.errors import DataError
from facecore.face.images import DEFAULT_LIMITS, SUFFIXES
from facecore.system.paths import RESERVED, file_key, is_hidden

METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
UNREADABLE = (  # what zipfile raises on an entry whose bytes are damaged
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    ValueError,
    RuntimeError,
    OSError,
    DataError,
)
TABLE = "labels.csv"
DIRECTORY_BYTES = 512  # of the list at the end of a ZIP, per entry that is allowed
CHUNK = 2**16
LONGEST = 120  # letters in a name: a letter takes up to 4 bytes, and a file name at most 255
FORBIDDEN = set('<>:"|?*')


@dataclass(frozen=True)
class ArchiveLimits:
    """How much a ZIP may hold, counted while it is inflated, since its headers may be false.

    Parameters
    ----------
    max_photos : int
        Most photos.
    max_photo_bytes : int
        Largest size of one photo, or of the table of labels, in bytes.
    max_bytes : int
        Largest size of all photos together, in bytes.
    """

    max_photos: int = 500
    max_photo_bytes: int = DEFAULT_LIMITS.max_bytes
    max_bytes: int = 500 * 2**20


PREDICTION_LIMITS = ArchiveLimits()
TRAINING_LIMITS = ArchiveLimits(max_photos=20_000, max_bytes=2 * 2**30)


@dataclass(frozen=True)
class Entry:
    """One photo of a ZIP.

    Parameters
    ----------
    name : str
        Path in the ZIP, as a text that is safe to display.
    data : bytes
        Content of the photo; empty where it cannot be read.
    error : str, optional
        Why the photo cannot be read.
    """

    name: str
    data: bytes
    error: str | None = None


class _Refused(Exception):
    """One entry cannot be read."""


def read_photos(data: bytes, limits: ArchiveLimits = PREDICTION_LIMITS) -> Iterator[Entry]:
    """Read the photos of a ZIP in memory, one at a time, in the order of the ZIP.

    Folders, hidden files and files whose name does not end like that of a photo are ignored.

    Parameters
    ----------
    data : bytes
        The ZIP.
    limits : ArchiveLimits
        How much it may hold.

    Returns
    -------
    iterator of Entry
        One per photo. A damaged or encrypted photo has an error and does not affect the others.
        Where all together become too large, the last entry has that error.

    Raises
    ------
    DataError
        The bytes are not a ZIP, the ZIP is damaged, or it holds no photo or too many. It is raised
        by the call, not by the first entry.

    Examples
    --------
    >>> import io, zipfile
    >>> buffer = io.BytesIO()
    >>> with zipfile.ZipFile(buffer, "w") as archive:
    ...     archive.writestr("holiday/a.jpg", b"...")
    ...     archive.writestr("notes.txt", "not a photo")
    >>> list(read_photos(buffer.getvalue()))
    [Entry(name='holiday/a.jpg', data=b'...', error=None)]
    """
    archive = _open(io.BytesIO(data), limits)
    photos = [(info, parts) for info, parts in _files(archive) if _is_photo(parts[-1])]
    _check_count(len(photos), limits)
    return _read_each(archive, photos, limits)


def count_photos(data: bytes, limits: ArchiveLimits = PREDICTION_LIMITS) -> int:
    """Count the photos of a ZIP by its list of files, without inflating any of them.

    Parameters
    ----------
    data : bytes
        The ZIP.
    limits : ArchiveLimits
        How much it may hold.

    Returns
    -------
    int
        Number of photos: `read_photos` yields no more.

    Raises
    ------
    DataError
        The bytes are not a ZIP, the ZIP is damaged, or it holds no photo or too many.
    """
    count = sum(_is_photo(parts[-1]) for _, parts in _files(_open(io.BytesIO(data), limits)))
    _check_count(count, limits)
    return count


def unpack_labels(
    file: IO[bytes], target: Path, limits: ArchiveLimits = TRAINING_LIMITS
) -> dict[str, int]:
    """Write the photos of a ZIP of label folders to ``TARGET/<label>/<photo>``.

    The ZIP holds ``<label>/<photo>`` or ``<folder>/<label>/<photo>``, and perhaps a
    ``labels.csv`` beside the label folders, which is kept. A photo gets another name where its own
    would not be valid or unique on every system. On failure, nothing is left behind.

    Parameters
    ----------
    file : binary file
        The ZIP, open for reading, at any position.
    target : Path
        A folder that is missing or empty.
    limits : ArchiveLimits
        How much it may hold.

    Returns
    -------
    dict of str to int
        Number of photos by label, sorted by label.

    Raises
    ------
    DataError
        The file is not a ZIP, or the ZIP is damaged, encrypted or too large, or it has a link, a
        path out of the folder or no label folders; or the target cannot be written.
    """
    archive = _open(file, limits)
    plan, table = _plan(archive, limits)
    target = Path(target)
    try:
        target.mkdir(parents=True, exist_ok=True)
        if any(target.iterdir()):
            raise DataError(f"{target} is not empty")
    except OSError as error:
        raise DataError(f"cannot write to {target}: {error.strerror}") from error
    try:
        _write(archive, plan, table, target, limits)
    except OSError as error:
        shutil.rmtree(target, ignore_errors=True)
        raise DataError(f"cannot write to {target}: {error.strerror}") from error
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise
    counts: dict[str, int] = {}
    for _, label, _ in plan:
        counts[label] = counts.get(label, 0) + 1
    return dict(sorted(counts.items()))


class _Guarded:
    """A file that refuses to read more at once than allowed, since zipfile reads its list whole."""

    def __init__(self, file: IO[bytes], most: int) -> None:
        self.file, self.most = file, most

    def read(self, count: int = -1) -> bytes:
        if count > self.most:
            raise DataError("the ZIP lists far too many files")
        return self.file.read(count)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)


def _open(file: IO[bytes], limits: ArchiveLimits) -> zipfile.ZipFile:
    most = 2 * CHUNK + DIRECTORY_BYTES * limits.max_photos
    try:
        return zipfile.ZipFile(_Guarded(file, most))
    except DataError:
        raise
    except Exception as error:
        # The bytes are untrusted, and zipfile raises many kinds of errors on damaged ones
        # (BadZipFile, NotImplementedError, struct.error, UnicodeDecodeError, OSError, ...).
        raise DataError("the file is not a ZIP or is damaged; make the ZIP again") from error


def _files(archive: zipfile.ZipFile) -> Iterator[tuple[zipfile.ZipInfo, list[str]]]:
    """Yield the entries that are files and not hidden, with the parts of their paths."""
    for info in archive.infolist():
        parts = info.filename.replace("\\", "/").split("/")  # some Windows tools write backslashes
        hidden = any(is_hidden(part) and part not in (".", "..") for part in parts)
        if parts[-1] and not hidden:
            yield info, parts


def _is_photo(name: str) -> bool:
    return has_photo_name(name)


def _check_count(count: int, limits: ArchiveLimits) -> None:
    if not count:
        raise DataError(f"no photo in the ZIP; photos end in {', '.join(SUFFIXES)}")
    if count > limits.max_photos:
        raise DataError(
            f"the ZIP holds {count:,} photos; the limit is {limits.max_photos:,}, so split it"
        )


def _shown(parts: list[str]) -> str:
    """Return a path as a text that is safe to display: relative, printable, not too long."""
    inside = [part for part in parts if part not in ("", ".", "..") and not part.endswith(":")]
    text = "".join(letter if letter.isprintable() else "?" for letter in "/".join(inside))
    return text if len(text) <= LONGEST else f"...{text[-LONGEST:]}"


def _read_each(
    archive: zipfile.ZipFile,
    photos: list[tuple[zipfile.ZipInfo, list[str]]],
    limits: ArchiveLimits,
) -> Iterator[Entry]:
    left = limits.max_bytes
    for info, parts in photos:
        name = _shown(parts)
        try:
            data = _inflate(archive, info, min(left, limits.max_photo_bytes))
        except _Refused as error:
            yield Entry(name, b"", str(error))
            continue
        if len(data) > left:
            yield Entry(name, b"", f"{_too_large(limits)}; it is left out, as are all after it")
            return
        if len(data) > limits.max_photo_bytes:
            left -= limits.max_photo_bytes
            yield Entry(name, b"", _photo_too_large(limits))
        else:
            left -= len(data)
            yield Entry(name, data)


def _inflate(archive: zipfile.ZipFile, info: zipfile.ZipInfo, most: int) -> bytes:
    """Return the bytes of an entry; of one larger than `most`, only the first, more than `most`."""
    if info.flag_bits & 1:
        raise _Refused("it is encrypted; make the ZIP without a password")
    if info.compress_type not in METHODS:
        raise _Refused("its compression is not supported; make the ZIP with deflate")
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
        raise _Refused("it is a link or a device, not a file")
    parts, size = [], 0
    try:
        with archive.open(info) as file:
            while size <= most and (part := file.read(CHUNK)):
                parts.append(part)
                size += len(part)
    except UNREADABLE as error:
        raise _Refused("it is damaged in the ZIP") from error
    return b"".join(parts)


def _too_large(limits: ArchiveLimits) -> str:
    return f"the photos of the ZIP are larger than the limit of {limits.max_bytes / 2**20:.3g} MB"


def _photo_too_large(limits: ArchiveLimits) -> str:
    return f"it is larger than the limit of {limits.max_photo_bytes / 2**20:.3g} MB"


def _plan(
    archive: zipfile.ZipFile, limits: ArchiveLimits
) -> tuple[list[tuple[zipfile.ZipInfo, str, str]], zipfile.ZipInfo | None]:
    """Return each photo with its label and file name, and the table of labels if there is one."""
    files = list(_files(archive))
    photos = [(info, parts) for info, parts in files if _is_photo(parts[-1])]
    _check_count(len(photos), limits)
    for _, parts in photos:
        if any(part in ("", ".", "..") or ":" in part for part in parts[:-1]):
            raise DataError(f"the ZIP has a path out of its folder: {'/'.join(parts)!r}")
    tops = {parts[0] for _, parts in photos}
    top = list(tops) if len(tops) == 1 and all(len(parts) == 3 for _, parts in photos) else []
    plan, taken = [], set()
    for number, (info, parts) in enumerate(photos, start=1):
        label, *names = parts[len(top) :]
        label = clean(label)
        if len(names) != 1:
            raise DataError(
                f"every photo of the ZIP must be <label>/<photo>; found {_shown(parts)!r}"
            )
        if not _is_safe(label) or not is_label(label) or label.endswith("_crop"):
            raise DataError(
                f"{label!r} in the ZIP cannot be a label; labels are names of folders, valid on "
                "every system, and do not end in _crop"
            )
        name = names[0]
        if not _is_safe(name) or (label, file_key(name)) in taken:
            name = f"photo-{number}{Path(name).suffix.lower()}"
            while (label, file_key(name)) in taken:
                name = f"photo-{name}"
        taken.add((label, file_key(name)))
        plan.append((info, label, name))
    refuse_twins((label for _, label, _ in plan), "the ZIP")
    tables = [info for info, parts in files if parts == [*top, TABLE]]
    return plan, tables[0] if tables else None


def _is_safe(name: str) -> bool:
    """Return whether a name is valid, and names the same file, on every system."""
    return (
        name.isprintable()
        and len(name) <= LONGEST
        and not set(name) & FORBIDDEN
        and name == name.strip().rstrip(".")
        and name.split(".")[0].strip().upper() not in RESERVED
    )


def _write(
    archive: zipfile.ZipFile,
    plan: list[tuple[zipfile.ZipInfo, str, str]],
    table: zipfile.ZipInfo | None,
    target: Path,
    limits: ArchiveLimits,
) -> None:
    left = limits.max_bytes
    entries = [(info, target / label / name) for info, label, name in plan]
    for info, path in entries + ([(table, target / TABLE)] if table else []):
        name = _shown(info.filename.replace("\\", "/").split("/"))
        try:
            data = _inflate(archive, info, min(left, limits.max_photo_bytes))
        except _Refused as error:
            raise DataError(f"{name}: {error}") from error
        if len(data) > limits.max_photo_bytes:
            raise DataError(f"{name}: {_photo_too_large(limits)}")
        left -= len(data)
        if left < 0:
            raise DataError(f"{_too_large(limits)}; split it")
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
