"""Read photos from untrusted ZIPs, within limits and without leaving the target folder."""

import io
import shutil
import stat
import zipfile
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from facecore.data.listing import clean, is_label, place, refuse_twins, split_of
from facecore.data.names import read_names
from facecore.data.photos import HEAD, describe_skipped, has_photo_name
from facecore.errors import DataError
from facecore.face.images import DEFAULT_LIMITS, SUFFIXES, looks_like_photo
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
PATH = 200  # letters in a path below the target: Windows allows 259 in all
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


@dataclass(frozen=True)
class Survey:
    """What a ZIP holds, by its list of files.

    Parameters
    ----------
    photos : int
        Number of photos that are taken.
    notes : tuple of str
        One line each: what is passed over, and what the ZIP does not say itself.
    guessed : str
        The encoding of its names, if it had to be guessed; otherwise empty.
    """

    photos: int
    notes: tuple[str, ...] = ()
    guessed: str = ""


class _Refused(Exception):
    """One entry cannot be read."""


def read_photos(
    data: bytes, limits: ArchiveLimits = PREDICTION_LIMITS, encoding: str | None = None
) -> Iterator[Entry]:
    """Read the photos of a ZIP in memory, one at a time, in the order of the ZIP.

    A photo is a file whose name ends as photos do, or whose first bytes are those of a photo.
    Folders, hidden files and other files are passed over; `survey_photos` counts them.

    Parameters
    ----------
    data : bytes
        The ZIP.
    limits : ArchiveLimits
        How much it may hold.
    encoding : str, optional
        Of names that do not say theirs; see `facecore.data.names.read_names`.

    Returns
    -------
    iterator of Entry
        One per photo. A damaged or encrypted photo has an error and does not affect the others.
        Where all together become too large, the last entry has that error.

    Raises
    ------
    DataError
        The bytes are not a ZIP, the ZIP is damaged, it holds no photo or too many, or its names
        are not in the encoding. It is raised by the call, not by the first entry.

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
    return _read_each(archive, _list(archive, limits, encoding).photos, limits)


def survey_photos(
    data: bytes, limits: ArchiveLimits = PREDICTION_LIMITS, encoding: str | None = None
) -> Survey:
    """Count the photos of a ZIP by its list of files, and say what is passed over.

    Parameters
    ----------
    data : bytes
        The ZIP.
    limits : ArchiveLimits
        How much it may hold.
    encoding : str, optional
        Of names that do not say theirs; see `facecore.data.names.read_names`.

    Returns
    -------
    Survey
        `read_photos` yields no more photos than it counts.

    Raises
    ------
    DataError
        As `read_photos` raises it.
    """
    found = _list(_open(io.BytesIO(data), limits), limits, encoding)
    return Survey(len(found.photos), tuple(found.notes()), found.guessed)


def count_photos(
    data: bytes, limits: ArchiveLimits = PREDICTION_LIMITS, encoding: str | None = None
) -> int:
    """Count the photos of a ZIP by its list of files.

    Parameters
    ----------
    data : bytes
        The ZIP.
    limits : ArchiveLimits
        How much it may hold.
    encoding : str, optional
        Of names that do not say theirs; see `facecore.data.names.read_names`.

    Returns
    -------
    int
        As `survey_photos` counts them.

    Raises
    ------
    DataError
        As `read_photos` raises it.
    """
    return survey_photos(data, limits, encoding).photos


def survey_labels(
    file: IO[bytes], limits: ArchiveLimits = TRAINING_LIMITS, encoding: str | None = None
) -> Survey:
    """Count the photos that `unpack_labels` would write, and say what it passes over.

    Parameters
    ----------
    file : binary file
        The ZIP, open for reading, at any position.
    limits : ArchiveLimits
        How much it may hold.
    encoding : str, optional
        Of names that do not say theirs; see `facecore.data.names.read_names`.

    Returns
    -------
    Survey

    Raises
    ------
    DataError
        As `unpack_labels` raises it, but for what is found while writing.
    """
    found = _list(_open(file, limits), limits, encoding)
    plan = _plan(found)
    return Survey(len(plan.photos), tuple(found.notes() + plan.notes()), found.guessed)


def unpack_labels(
    file: IO[bytes],
    target: Path,
    limits: ArchiveLimits = TRAINING_LIMITS,
    encoding: str | None = None,
) -> dict[str, int]:
    """Write the photos of a ZIP of label folders below a folder, for `read_listing`.

    Labels and splits are found as `facecore.data.listing.read_listing` finds them, and so are
    photos; a folder around the whole set is left out. A ``labels.csv`` beside the label folders is
    kept. A photo gets another name where its own would not be valid or unique on every system. On
    failure, nothing is left behind.

    Parameters
    ----------
    file : binary file
        The ZIP, open for reading, at any position.
    target : Path
        A folder that is missing or empty.
    limits : ArchiveLimits
        How much it may hold.
    encoding : str, optional
        Of names that do not say theirs; see `facecore.data.names.read_names`.

    Returns
    -------
    dict of str to int
        Number of photos by label, sorted by label. `survey_labels` says what was passed over.

    Raises
    ------
    DataError
        The file is not a ZIP, or the ZIP is damaged, encrypted or too large, or it has a link, a
        path out of the folder or no label folders; or its names are not in the encoding, or the
        target cannot be written.
    """
    archive = _open(file, limits)
    plan = _plan(_list(archive, limits, encoding))
    target = Path(target)
    try:
        target.mkdir(parents=True, exist_ok=True)
        if any(target.iterdir()):
            raise DataError(f"{target} is not empty")
    except OSError as error:
        raise DataError(f"cannot write to {target}: {error.strerror}") from error
    try:
        _write(archive, plan, target, limits)
    except OSError as error:
        shutil.rmtree(target, ignore_errors=True)
        raise DataError(f"cannot write to {target}: {error.strerror}") from error
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise
    return dict(sorted(Counter(label for _, label, _ in plan.photos).items()))


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


@dataclass(frozen=True)
class _Found:
    """The photos and tables of a ZIP, each with the parts of its path, and what is left."""

    photos: list[tuple[zipfile.ZipInfo, list[str]]]
    tables: list[tuple[zipfile.ZipInfo, list[str]]]
    skipped: "Counter[str]"
    guessed: str
    encoding_note: str

    def notes(self) -> list[str]:
        return [note for note in (self.encoding_note, describe_skipped(self.skipped)) if note]


def _list(archive: zipfile.ZipFile, limits: ArchiveLimits, encoding: str | None) -> _Found:
    """Sort the entries of a ZIP by the rules of `facecore.data.photos`."""
    entries = archive.infolist()
    names = read_names(entries, encoding)
    found = _Found([], [], Counter(), names.guessed, names.note)
    for info, name in zip(entries, names.texts, strict=True):
        parts = name.replace("\\", "/").split("/")  # some Windows tools write backslashes
        if not parts[-1]:
            continue  # a folder
        if any(is_hidden(part) and part not in (".", "..") for part in parts):
            found.skipped["hidden"] += 1
        elif has_photo_name(parts[-1]) or _starts_like_photo(archive, info):
            found.photos.append((info, parts))
        elif parts[-1].lower() == TABLE:
            found.tables.append((info, parts))
        else:
            found.skipped["not a photo"] += 1
    _check_count(len(found.photos), limits)
    return found


def _starts_like_photo(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bool:
    try:
        return looks_like_photo(_inflate(archive, info, HEAD, HEAD)[:HEAD])
    except _Refused:
        return False


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


def _inflate(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, most: int, at_once: int = CHUNK
) -> bytes:
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
            while size <= most and (part := file.read(at_once)):
                parts.append(part)
                size += len(part)
    except UNREADABLE as error:
        raise _Refused("it is damaged in the ZIP") from error
    return b"".join(parts)


def _too_large(limits: ArchiveLimits) -> str:
    return f"the photos of the ZIP are larger than the limit of {limits.max_bytes / 2**20:.3g} MB"


def _photo_too_large(limits: ArchiveLimits) -> str:
    return f"it is larger than the limit of {limits.max_photo_bytes / 2**20:.3g} MB"


@dataclass(frozen=True)
class _Plan:
    """Each photo with its label and its path below the target, and the table of labels."""

    photos: list[tuple[zipfile.ZipInfo, str, PurePosixPath]]
    table: zipfile.ZipInfo | None
    outside: int = 0
    renamed: int = 0

    def notes(self) -> list[str]:
        notes = []
        if self.outside:
            notes.append(f"passed over: {self.outside:,} photos outside of label folders")
        if self.renamed:
            notes.append(
                f"{self.renamed:,} photos got other names, since theirs are not valid and unique "
                "on every system"
            )
        return notes


def _plan(found: _Found) -> _Plan:
    for _, parts in found.photos:
        if any(part in ("", ".", "..") or ":" in part for part in parts[:-1]):
            raise DataError(f"the ZIP has a path out of its folder: {'/'.join(parts)!r}")
    outer = _outer_folders([parts for _, parts in found.photos])
    below: dict[str, list[tuple[zipfile.ZipInfo, list[str]]]] = defaultdict(list)
    for info, parts in found.photos:
        if parts[: len(outer)] == outer and len(parts) > len(outer) + 1:
            below[parts[len(outer)]].append((info, parts[len(outer) :]))
    if not below:
        raise DataError(
            f"every photo of the ZIP must be <label>/<photo>; found {_shown(found.photos[0][1])!r}"
        )
    photos: list[tuple[zipfile.ZipInfo, str, PurePosixPath]] = []
    paths, renamed = _Paths(), 0
    for top, inside in below.items():
        rows = place(top, ["/".join(parts[1:]) for _, parts in inside])
        for (info, parts), (_, label, split) in zip(inside, rows, strict=True):
            _check_label(label)
            depth = 2 if split else 1  # the label's folder, and that of the split
            folder = [clean(part) for part in parts[:depth]]
            path = paths.add(folder, parts[depth:], len(photos) + 1)
            renamed += path.name != parts[-1]
            photos.append((info, label, path))
    refuse_twins((label for _, label, _ in photos), "the ZIP")
    tables = [info for info, parts in found.tables if parts[:-1] == outer]
    outside = len(found.photos) - len(photos)
    return _Plan(photos, tables[0] if tables else None, outside, renamed)


def _outer_folders(paths: list[list[str]]) -> list[str]:
    """Return the folders around the whole set: most photos are two folders or more below them."""
    outer: list[str] = []
    while True:
        inside = [parts[len(outer) :] for parts in paths if parts[: len(outer)] == outer]
        tops = {parts[0] for parts in inside if len(parts) > 1}
        deeper = [parts for parts in inside if len(parts) > 2]
        if len(tops) != 1 or 2 * len(deeper) <= len(inside) or _is_split(deeper):
            return outer
        outer += tops


def _is_split(paths: list[list[str]]) -> bool:
    """Return whether paths are ``train/<label>/...`` or ``<label>/train/<photo>``."""
    inner = all(split_of(parts[1]) and len(parts) == 3 for parts in paths)
    return bool(split_of(paths[0][0])) or inner


def _check_label(label: str) -> None:
    if not _is_safe(label) or not is_label(label) or label.endswith("_crop"):
        raise DataError(
            f"{label!r} in the ZIP cannot be a label; labels are names of folders, valid on "
            "every system, and do not end in _crop"
        )


class _Paths:
    """Paths that are valid and unique on every system."""

    def __init__(self) -> None:
        self.files: set[str] = set()
        self.folders: set[str] = set()

    def add(self, folder: list[str], parts: list[str], number: int) -> PurePosixPath:
        """Return a path in a folder, the given one where it is possible."""
        path = PurePosixPath(*folder, *parts)
        if not all(map(_is_safe, parts)) or len(str(path)) > PATH or self._is_taken(path):
            path = PurePosixPath(*folder, f"photo-{number}{path.suffix.lower()}")
            while self._is_taken(path):
                path = path.with_name(f"photo-{path.name}")
        self.files.add(file_key(str(path)))
        self.folders |= {file_key(str(above)) for above in path.parents}
        return path

    def _is_taken(self, path: PurePosixPath) -> bool:
        key = file_key(str(path))
        if key in self.files or key in self.folders:
            return True
        return any(file_key(str(folder)) in self.files for folder in path.parents)


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
    plan: _Plan,
    target: Path,
    limits: ArchiveLimits,
) -> None:
    left = limits.max_bytes
    entries = [(info, path) for info, _, path in plan.photos]
    if plan.table:
        entries.append((plan.table, PurePosixPath(TABLE)))
    for info, inside in entries:
        name = _shown(list(inside.parts))
        try:
            data = _inflate(archive, info, min(left, limits.max_photo_bytes))
        except _Refused as error:
            raise DataError(f"{name}: {error}") from error
        if len(data) > limits.max_photo_bytes:
            raise DataError(f"{name}: {_photo_too_large(limits)}")
        left -= len(data)
        if left < 0:
            raise DataError(f"{_too_large(limits)}; split it")
        path = target / inside
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
