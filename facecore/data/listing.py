"""List the photos of a data set with their labels, from folders or from a table."""

import os
import warnings
from pathlib import Path

import pandas as pd

from facecore.errors import DataError

TRAITS = ("split", "subject", "age", "race")
NO_FACE = "no face"  # stands beside the labels in a confusion table
LABEL_COLUMNS = ("label", "gender")


def list_photos(source: Path) -> pd.DataFrame:
    """List the photos of a data set with their labels.

    Parameters
    ----------
    source : Path
        A folder ``RAW/<label>/*``, perhaps with a ``labels.csv`` beside the label folders; or a
        CSV table with at least the columns ``path`` (relative to the table) and ``label`` or
        ``gender``. Hidden files, and folders whose name ends in ``_crop``, are ignored.

    Returns
    -------
    DataFrame
        One row per photo, sorted by path: path (relative to the data set, with forward
        slashes), label, split, subject, age, race (str, empty where unknown).

    Raises
    ------
    DataError
        The folder or table does not exist, has no photo or cannot be read, or a label cannot be
        the name of a folder.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     for name in ("serious/1.jpg", "smiling/1.jpg", "smiling/2.jpg"):
    ...         Path(folder, name).parent.mkdir(exist_ok=True)
    ...         Path(folder, name).touch()
    ...     list_photos(Path(folder))[["path", "label"]]
                path    label
    0  serious/1.jpg  serious
    1  smiling/1.jpg  smiling
    2  smiling/2.jpg  smiling
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
                f"{source}: {label!r} cannot be a label; labels are names of folders, and "
                f"{NO_FACE!r} stands for photos in which no face is found"
            )
    return table.sort_values("path", ignore_index=True)


def is_label(name: str) -> bool:
    """Return whether a text can be a label, and so the name of a folder.

    Parameters
    ----------
    name : str
        To be checked.

    Returns
    -------
    bool
        False for blank texts, for those with slashes, and for `NO_FACE`.

    Examples
    --------
    >>> is_label("smiling"), is_label("a/b"), is_label("no face")
    (True, False, False)
    """
    return bool(name.strip()) and name not in (".", "..", NO_FACE) and not set(name) & set("/\\\0")


def root_of(source: Path) -> Path:
    """Return the folder that the paths of `list_photos` are relative to.

    Parameters
    ----------
    source : Path
        Data set, as `list_photos` takes it.

    Returns
    -------
    Path
        The data set itself, or the folder of the table.
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
    except UnicodeEncodeError as error:  # tables and messages are in UTF-8
        shown = os.fsencode(file).decode(errors="backslashreplace")
        raise DataError(f"the name of {shown} is not UTF-8; rename it") from error


def _read_table(path: Path) -> pd.DataFrame:
    try:
        with warnings.catch_warnings():  # rows that are longer than the header are an error
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
