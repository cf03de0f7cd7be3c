"""Corrections by hand: photos with another label than their folder's, and photos left out.

They stand in two columns of a table of labels: ``corrected``, the right label of a photo, and
``dropped``, ``yes`` for a photo that is left out. A photo whose corrected label is the one that it
has was looked at and found right.
"""

import csv
import io
import threading
from pathlib import Path

import pandas as pd

from facecore.data.listing import (
    BACKUPS,
    CORRECTED,
    DROPPED,
    Places,
    is_label,
    name_columns,
    read_all,
    refuse_twins,
    separator_of,
    table_of,
)
from facecore.data.texts import decode_text
from facecore.errors import DataError
from facecore.system.files import write_atomically

_writing = threading.Lock()  # visitors of one dashboard; each correction reads the table anew


def read_corrections(source: Path) -> pd.DataFrame:
    """Return the photos of a data set that somebody looked at, and what was decided.

    Parameters
    ----------
    source : Path
        Data set, as `facecore.data.listing.list_photos` takes it.

    Returns
    -------
    DataFrame
        One row per such photo, sorted by path: path, label (the one without corrections),
        corrected (the right label; empty for a dropped photo) and dropped (bool).

    Raises
    ------
    DataError
        The data set cannot be read.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     for name in ("calm/1.jpg", "calm/2.jpg", "sad/1.jpg"):
    ...         Path(folder, name).parent.mkdir(exist_ok=True)
    ...         Path(folder, name).touch()
    ...     correct(Path(folder), "calm/2.jpg", label="sad")
    ...     read_corrections(Path(folder))
             path label corrected  dropped
    0  calm/2.jpg  calm       sad    False
    """
    table = read_all(source)[0]
    seen = table[table[CORRECTED].ne("") | table[DROPPED]]
    seen = seen.assign(corrected=seen[CORRECTED].mask(seen[DROPPED], ""))
    columns = ["path", "label", CORRECTED, DROPPED]
    return seen.sort_values("path", ignore_index=True).loc[:, columns]


def correct(source: Path, path: str, *, label: str = "", dropped: bool = False) -> None:
    """Write what somebody decided about a photo into the table of labels of its data set.

    The photo stays where it is. The table is ``labels.csv``, made where there is none, or the table
    that the data set is. It is replaced in one step; its other cells, its encoding and its line
    ends stay as they are. Before the first correction, a copy is kept beside it under its name and
    ``.bak``.

    Parameters
    ----------
    source : Path
        Data set, as `facecore.data.listing.list_photos` takes it.
    path : str
        Of the photo, as `facecore.data.listing.list_photos` returns it.
    label : str
        The right label; the label that the photo has already says that somebody found it right.
        Empty for none.
    dropped : bool
        Whether the photo is left out. Without a label and without this, an earlier decision is
        undone.

    Raises
    ------
    DataError
        The data set has no such photo, the label cannot be one, or the table cannot be read or
        written.

    Examples
    --------
    >>> correct(Path("photos"), "calm/2.jpg", dropped=True)  # doctest: +SKIP
    """
    if label and not is_label(label):
        raise DataError(f"{label!r} cannot be a label; labels are names of folders")
    with _writing:
        photos = read_all(source)[0]
        if not photos["path"].eq(path).any():
            raise DataError(f"{source} has no photo {path!r}; was it moved or deleted?")
        given = photos.loc[photos["path"].eq(path), "label"].iloc[0]
        if label:
            refuse_twins({*photos["label"], *photos[CORRECTED], label} - {""}, source)
        file = table_of(source)
        try:
            data = file.read_bytes() if file.is_file() else b""
            changed = _change(data, photos["path"], path, given, label, dropped)
            if changed == data:
                return
            if data and not _has_columns(data):
                write_atomically(file.with_name(f"{file.name}{BACKUPS}"), data)
            write_atomically(file, changed)
        except OSError as error:
            raise DataError(f"cannot write {file}: {error.strerror or error}") from error
        except (csv.Error, UnicodeEncodeError) as error:
            raise DataError(
                f"cannot write {label or path!r} into {file}: {error}; save the table as CSV in "
                "UTF-8 first"
            ) from error


def _has_columns(data: bytes) -> bool:
    header = next((cells for _, cells in _lines(decode_text(data).text) if cells), [])
    return {CORRECTED, DROPPED} <= set(name_columns(header))


def _lines(text: str) -> list[tuple[str, list[str]]]:
    """Return the records of a table, each as it is written and as its cells."""
    separator = separator_of(text)
    lines = list(io.StringIO(text, newline=""))
    reader = csv.reader(lines, delimiter=separator)
    records, begun = [], 0
    for cells in reader:
        records.append(("".join(lines[begun : reader.line_num]), cells))
        begun = reader.line_num
    return records


def _change(
    data: bytes, paths: "pd.Series[str]", path: str, given: str, label: str, dropped: bool
) -> bytes:
    """Return a table with one row changed, added or, without a decision, cleared."""
    found = decode_text(data)
    text = found.text or f"path,label,{CORRECTED},{DROPPED}\n"
    separator, records = separator_of(text), _lines(text)
    while not records[0][1]:  # a blank line
        del records[0]
    end = records[0][0][len(records[0][0].rstrip("\r\n")) :] or "\n"
    names = name_columns(records[0][1])
    extra = [name for name in (CORRECTED, DROPPED) if name not in names]
    if extra and not label and not dropped:  # there is nothing to undo
        return data
    head = records[0][0].rstrip("\r\n") + "".join(separator + name for name in extra)
    names += extra
    cells_of = {CORRECTED: "" if dropped else label, DROPPED: "yes" if dropped else ""}
    places, at = Places(paths), list(paths).index(path)
    written, done = [head + end], False
    for raw, cells in records[1:]:
        if not cells:
            written.append(raw)
            continue
        body = raw.rstrip("\r\n")
        if not done and _at(cells, names, "path") is not None:
            done = places.find(_at(cells, names, "path") or "") == at
            if done:
                full = cells + [""] * (len(names) - len(cells))
                for name, value in cells_of.items():
                    full[names.index(name)] = value
                written.append(_joined(full, separator) + (raw[len(body) :] or end))
                continue
        written.append(body + separator * (len(names) - len(cells)) + (raw[len(body) :] or end))
    if not done:
        if not label and not dropped:
            return data
        own = {"path": path, "label": given, **cells_of}
        written.append(_joined([own.get(name, "") for name in names], separator) + end)
    return found.encode("".join(written))


def _at(cells: list[str], names: list[str], name: str) -> str | None:
    place = names.index(name)
    return cells[place] if place < len(cells) else None


def _joined(cells: list[str], separator: str) -> str:
    buffer = io.StringIO()
    # The writer quotes the letters of its line end: both, in whatever way the table ends lines.
    csv.writer(buffer, delimiter=separator, lineterminator="\r\n").writerow(cells)
    return buffer.getvalue().removesuffix("\r\n")
