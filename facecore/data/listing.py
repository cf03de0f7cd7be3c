"""Read a folder of label folders, or a table of labels, as one list of photos."""

import os
import warnings
from pathlib import Path

import pandas as pd

from facecore.errors import DataError

TRAITS = ("split", "subject", "age", "race")
NO_FACE = "no face"  # beside the labels in a table of answers
LABEL_COLUMNS = ("label", "gender")


def list_photos(source: Path) -> pd.DataFrame:
    """List the photos of a data set with their labels.

    Parameters
    ----------
    source : Path
        A folder ``RAW/<label>/*``, with a ``labels.csv`` beside the label folders or without;
        or a table with at least ``path`` and ``label`` (or ``gender``) columns, whose paths are
        relative to it. Hidden files, and folders ending in ``_crop``, are passed over.

    Returns
    -------
    DataFrame
        One row a photo, sorted by path: path (relative to the data set, with forward
        slashes), label, split, subject, age, race (str, empty where unknown).

    Raises
    ------
    DataError
        No such folder or table, no photo in it, or a table that cannot be read.
    """
    source = Path(source)
    if source.is_file():
        table = _read_table(source)
    elif source.is_dir():
        table = _read_folders(source)
    else:
        raise DataError(f"no folder or table at {source}; expected {source}/<label>/<photo>")
    if table.empty:
        raise DataError(f"no photo in {source}; expected {source}/<label>/<photo>")
    for label in table["label"].unique():
        if not is_label(label):
            raise DataError(
                f"{source}: {label!r} cannot be a label, which names a folder; {NO_FACE!r} is what "
                "tables call a photo without a face"
            )
    return table.sort_values("path", ignore_index=True)


def is_label(name: str) -> bool:
    """Return whether a label can be the name of a folder.

    Parameters
    ----------
    name : str

    Returns
    -------
    bool
    """
    return bool(name.strip()) and name not in (".", "..", NO_FACE) and not set(name) & set("/\\\0")


def root_of(source: Path) -> Path:
    """Return the folder that the paths of `list_photos` are relative to.

    Parameters
    ----------
    source : Path

    Returns
    -------
    Path
    """
    source = Path(source)
    return source.parent if source.is_file() else source


def _read_folders(root: Path) -> pd.DataFrame:
    rows = []
    try:
        for folder in sorted(root.iterdir()):
            if not folder.is_dir() or folder.name.startswith(".") or folder.name.endswith("_crop"):
                continue
            for file in sorted(folder.iterdir()):
                if not file.name.startswith(".") and not file.is_dir():
                    _check_name(file)
                    rows.append((f"{folder.name}/{file.name}", folder.name))
    except OSError as error:
        raise DataError(f"cannot list {error.filename}: {error.strerror}") from error
    table = pd.DataFrame(rows, columns=["path", "label"], dtype="str")
    traits = pd.DataFrame(columns=["path", *TRAITS], dtype="str")
    if (root / "labels.csv").is_file():
        traits = _read_table(root / "labels.csv").drop(columns="label")
    return table.merge(traits, on="path", how="left").fillna("")


def _check_name(file: Path) -> None:
    try:
        str(file).encode()
    except UnicodeEncodeError as error:  # tables and messages are UTF-8
        shown = os.fsencode(file).decode(errors="backslashreplace")
        raise DataError(f"the name of {shown} is not UTF-8; rename it") from error


def _read_table(path: Path) -> pd.DataFrame:
    try:
        with warnings.catch_warnings():  # of rows that are longer than the header
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table = pd.read_csv(
                path, dtype="str", keep_default_na=False, encoding="utf-8-sig", index_col=False
            )
    except (OSError, ValueError, pd.errors.ParserWarning) as error:
        raise DataError(f"cannot read the table {path}: {error}") from error
    label = next((name for name in LABEL_COLUMNS if name in table), None)
    if "path" not in table or label is None:
        raise DataError(
            f"{path} needs the columns path and label (or gender); "
            f"it has: {', '.join(map(str, table.columns))}"
        )
    table = table.rename(columns={label: "label"}).drop_duplicates("path")
    for name in TRAITS:
        if name not in table:
            table[name] = ""
    return table.loc[:, ["path", "label", *TRAITS]]
