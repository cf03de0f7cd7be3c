"""List the photos of a data set with their labels, from folders or from a table."""

import io
import unicodedata
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pandas as pd

from facecore.data.photos import describe_skipped, find_photos
from facecore.data.texts import decode_text
from facecore.errors import DataError
from facecore.system.paths import file_key, find_twins
from facecore.system.text import TRAIT

TRAITS = ("split", "subject", "age", "race")
MOST_VALUES = 20  # of a further column of a table that is a trait
CORRECTED, DROPPED = "corrected", "dropped"  # what somebody decided about a photo
BACKUPS = ".bak"  # ending of the copy of a table as it was before the first correction
NO_FACE = "no face"  # stands beside the labels in a confusion table
LABEL_COLUMNS = ("label", "gender")
# Other names of the columns, as tables of public data sets have them.
ALIASES = {
    "path": "file filename file_name filepath file_path image image_path img img_path photo",
    "subject": "person subject_id person_id identity",
    "split": "subset partition usage",
}
NAMING = ("id", "name", "person_name", "celebrity", "full_name", "url")  # no traits: who it is
SPLITS = {  # words for the parts of a data set, without signs and capitals; two of FER-2013
    "train": "train training tr trn fit learn learning",
    "val": "val valid validation validate dev development tune tuning publictest",
    "test": "test testing tst te holdout heldout eval evaluation privatetest",
}
UNKNOWN = ("", "-", "?", "na", "n/a", "nan", "none", "null", "unknown")
INVISIBLE = "\ufeff\u200b\u200e\u200f\u2060"  # marks that text is copied with


@dataclass(frozen=True)
class Listing:
    """The photos of a data set, and what was not taken as it stands.

    Parameters
    ----------
    photos : DataFrame
        As `list_photos` returns it.
    notes : tuple of str
        One line each: what was passed over, and where folders and table do not agree.
    """

    photos: pd.DataFrame
    notes: tuple[str, ...] = ()


def list_photos(source: Path) -> pd.DataFrame:
    """List the photos of a data set with their labels.

    Parameters
    ----------
    source : Path
        As `read_listing` takes it.

    Returns
    -------
    DataFrame
        One row per photo, sorted by path: path (relative to the data set, with forward
        slashes), label, split (train, val, test), subject, age, race, and trait_<name> for each
        further trait (str, empty where unknown).

    Raises
    ------
    DataError
        As `read_listing` raises it.

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
    return read_listing(source).photos


def read_listing(source: Path) -> Listing:
    """List the photos of a data set with their labels, and say what was passed over.

    A photo's label is the top folder that it is in, however deep. Folders ``train``, ``test`` and
    the like (see `split_of`) that hold label folders, or stand in one, say the split instead.
    Spaces around a label do not count.

    Parameters
    ----------
    source : Path
        A folder ``RAW/<label>/*``, perhaps with a ``labels.csv`` beside the label folders; or a
        CSV table with at least the columns ``path`` (relative to the table) and ``label`` or
        ``gender``. What is hidden, folders that `crop` made and folders whose name ends in
        ``_crop`` are passed over. Rows of a ``labels.csv`` find their photos whatever slashes,
        capitals or folders in front their paths are written with. Further columns are traits if
        they have 2 to `MOST_VALUES` values, which two photos or more have on average.

    Returns
    -------
    Listing
        The photos, and notes.

    Raises
    ------
    DataError
        The folder or table does not exist, has no photo or cannot be read; no row of the table has
        a photo; a split is unknown; or a label cannot be the name of a folder, or differs from
        another only in capitals.
    """
    source = Path(source)
    table, notes = read_all(source)
    table, decided = _apply_corrections(table, table_of(source).name)
    notes += decided
    if table.empty:
        told = f" ({'; '.join(notes)})" if notes else ""
        raise DataError(f"no photo in {source}{told}; expected {source}/<label>/<photo>")
    for label in table["label"].unique():
        if not is_label(label):
            raise DataError(
                f"{source}: {label!r} cannot be a label; labels are names of folders, and "
                f"{NO_FACE!r} stands for photos in which no face is found"
            )
    refuse_twins(table["label"], source)
    table["split"] = normal_splits(table["split"], source)
    notes += _doubts(table)
    table, unfit = _keep_traits(table)
    notes += [unfit] if unfit else []
    return Listing(table.sort_values("path", ignore_index=True), tuple(notes))


def read_all(source: Path) -> tuple[pd.DataFrame, list[str]]:
    """List the photos of a data set as if nothing had been corrected, with the corrections.

    Parameters
    ----------
    source : Path
        As `read_listing` takes it.

    Returns
    -------
    table : DataFrame
        One row per photo: path, label, `TRAITS` as they are written, corrected (a label, or empty)
        and dropped (bool).
    notes : list of str
        As `Listing` has them.

    Raises
    ------
    DataError
        The folder or table does not exist or cannot be read, or no row of it has a photo.
    """
    source = Path(source)
    if source.is_file():
        return _read_alone(source), []
    if source.is_dir():
        return _read_folders(source)
    raise DataError(f"no folder or table at {source}; expected {source}/<label>/<photo>")


def table_of(source: Path) -> Path:
    """Return the table of labels of a data set.

    Parameters
    ----------
    source : Path
        As `read_listing` takes it.

    Returns
    -------
    Path
        The data set itself where it is a table, or its ``labels.csv``, which may be missing.
    """
    source = Path(source)
    if source.is_file():
        return source
    beside = (path for path in source.glob("*") if path.name.lower() == "labels.csv")
    return next(beside, source / "labels.csv")


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
    return (
        bool(clean(name))
        and clean(name) not in (".", "..", NO_FACE)
        and not set(name) & set("/\\\0")
    )


def refuse_twins(labels: Iterable[str], source: Path | str) -> None:
    """Refuse labels that differ only in capitals.

    Mostly one label was meant. Where not, the folders of their photos, crops and synthetic faces
    would be one folder on Windows and macOS, and each would overwrite the other.

    Parameters
    ----------
    labels : iterable of str
        Of photos or faces; a label may occur more than once.
    source : Path or str
        Where they are from, for the error.

    Raises
    ------
    DataError
        Two labels differ only in capitals.

    Examples
    --------
    >>> refuse_twins(["anna", "bea", "anna"], "labels.csv")
    """
    if twins := find_twins(labels):
        raise DataError(
            f"{source}: the labels {twins[0]!r} and {twins[1]!r} differ only in capitals, so that "
            "on Windows and macOS they would share a folder; write them alike, or rename one"
        )


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


def photo_at(source: Path, path: str) -> Path:
    """Return the file of a photo, if it is inside its data set.

    Parameters
    ----------
    source : Path
        Data set, as `list_photos` takes it.
    path : str
        Of the photo, as `list_photos` returns it.

    Returns
    -------
    Path
        May be missing.

    Raises
    ------
    DataError
        The path, or a link in it, leads out of the folder.

    Examples
    --------
    >>> photo_at(Path("photos"), "../secret.jpg")
    Traceback (most recent call last):
    ...
    facecore.errors.DataError: '../secret.jpg' is not inside photos
    """
    root = root_of(source)
    try:
        inside = (root / path).resolve().is_relative_to(root.resolve())
    except (OSError, ValueError, RuntimeError):  # a link to itself, or a NUL in the path
        inside = False
    if not inside:
        raise DataError(f"{path!r} is not inside {root}")
    return root / path


def clean(text: str) -> str:
    """Return a label or another word of a table without what cannot be seen in it.

    Parameters
    ----------
    text : str
        As it stands in a table, or names a folder.

    Returns
    -------
    str
        Composed (Unicode NFC), without spaces and invisible marks at its ends.

    Examples
    --------
    >>> clean("\\u00a0smiling ")
    'smiling'
    """
    return unicodedata.normalize("NFC", text).strip(INVISIBLE + " \t\r\n\u00a0").strip()


def split_of(word: str) -> str | None:
    """Return which part of a data set a word names.

    Parameters
    ----------
    word : str
        Such as ``"Training"``, ``"hold-out"`` or ``"dev"``.

    Returns
    -------
    str or None
        ``"train"``, ``"val"`` or ``"test"``; empty for a word such as ``"none"``; None for others.

    Examples
    --------
    >>> split_of("Training"), split_of(" hold-out"), split_of("NA"), split_of("fold 3")
    ('train', 'test', '', None)
    """
    plain = clean(word).casefold()
    if plain in UNKNOWN:
        return ""
    letters = "".join(letter for letter in plain if letter.isalnum())
    return next((split for split, words in SPLITS.items() if letters in words.split()), None)


def normal_splits(splits: "pd.Series[str]", source: Path) -> "pd.Series[str]":
    """Return a column of splits in the words of this library.

    Parameters
    ----------
    splits : Series of str
        As tables have them, such as ``"Training"``.
    source : Path
        The table or data set, for the error.

    Returns
    -------
    Series of str
        ``"train"``, ``"val"``, ``"test"``, or empty where it is unknown.

    Raises
    ------
    DataError
        A word names no split.

    Examples
    --------
    >>> normal_splits(pd.Series(["TRAIN", "Testing", ""]), Path("labels.csv")).tolist()
    ['train', 'test', '']
    """
    known = {word: split_of(word) for word in splits.unique()}
    if strange := sorted(word for word, split in known.items() if split is None):
        raise DataError(
            f"{source}: {_few(map(repr, strange))} in the column split names no part of a data "
            "set; write train, val or test, or leave it empty"
        )
    return splits.map(known).astype("str")


def _few(items: Iterable[str]) -> str:
    """Return the first three, and how many more there are."""
    shown = list(items)
    more = f" and {len(shown) - 3:,} more" if len(shown) > 3 else ""
    return ", ".join(shown[:3]) + more


def _further(table: pd.DataFrame) -> list[str]:
    return [str(column) for column in table.columns if str(column).startswith(TRAIT)]


def _keep_traits(table: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Drop the further columns that cannot group photos; return what was dropped, in words."""
    unfit = {}
    for column in _further(table):
        known = table.loc[table[column].ne(""), column]
        values = known.nunique()
        if not 2 <= values <= min(MOST_VALUES, len(known) // 2):
            name = column.removeprefix(TRAIT)
            unfit[column] = f"{name} ({values:,} value{'' if values == 1 else 's'})"
    words = (
        f"no trait, since it has one value, more than {MOST_VALUES}, or hardly two photos per "
        f"value: {_few(unfit.values())}"
    )
    return table.drop(columns=list(unfit)), words if unfit else ""


def _doubts(table: pd.DataFrame) -> list[str]:
    """Say what is probably meant otherwise."""
    notes = []
    declared = table["split"].ne("")
    if 0 < (without := int((~declared).sum())) < len(table):
        notes.append(f"{without:,} photos have no split where others have one: they are left out")
    if held := int(table["split"].eq("val").sum()):
        notes.append(
            f"{held:,} photos of the split val help to choose, and are neither fitted nor tested on"
        )
    return notes


def _read_folders(root: Path) -> tuple[pd.DataFrame, list[str]]:
    try:
        found = find_photos(root)
        tops = sorted(path.name for path in root.iterdir() if path.is_dir())
    except OSError as error:
        raise DataError(f"cannot list {error.filename}: {error.strerror}") from error
    made = [top for top in tops if top.endswith("_crop") or (root / top / "crop.json").is_file()]
    below: dict[str, list[str]] = defaultdict(list)
    for path in found.paths:
        top, inside, rest = path.partition("/")
        if not inside:
            found.skipped["outside of label folders"] += 1
        elif top not in made:
            below[top].append(rest)
    rows = [row for top, paths in below.items() for row in place(top, paths)]
    table = pd.DataFrame(rows, columns=["path", "label", "split"], dtype="str")
    beside = table_of(root)
    for own in (beside, beside.with_name(beside.name + BACKUPS)):
        found.skipped["not a photo"] -= own.is_file()
    notes = [line] if (line := describe_skipped(found.skipped)) else []
    if made:
        notes.append(f"passed over, since crop made them: {_few(made)}")
    traits = pd.DataFrame("", index=table.index, columns=list(TRAITS), dtype="str")
    traits["split"] = table["split"]
    table = pd.concat([table[["path", "label"]], traits], axis=1)
    table[CORRECTED], table[DROPPED] = "", False
    if beside.is_file():
        notes += _add_traits(table, beside)
    return table, notes


def place(top: str, paths: list[str]) -> Iterator[tuple[str, str, str]]:
    """Yield path, label and split of the photos below a top folder.

    Parameters
    ----------
    top : str
        Name of the folder.
    paths : list of str
        Of the photos, relative to the folder.

    Yields
    ------
    tuple of str
        Path with the folder, label and split, in the order of `paths`.

    Examples
    --------
    >>> list(place("train", ["calm/1.jpg"])), list(place("calm", ["test/1.jpg"]))
    ([('train/calm/1.jpg', 'calm', 'train')], [('calm/test/1.jpg', 'calm', 'test')])
    """
    parts = [path.split("/") for path in paths]
    whole, below = split_of(top) or "", {names[0] for names in parts}
    nested = bool(parts) and all(len(names) > 1 for names in parts)
    inner = nested and all(split_of(name) for name in below)
    for path, names in zip(paths, parts, strict=True):
        if whole and nested:  # train/<label>/<photo>
            yield f"{top}/{path}", clean(names[0]), whole
        else:  # <label>/<photo>, or <label>/train/<photo>
            yield f"{top}/{path}", clean(top), (split_of(names[0]) or "") if inner else ""


def _read_alone(path: Path) -> pd.DataFrame:
    table = _read_table(path)
    if "label" not in table:
        raise _lacks_columns(path, table)
    table["label"] = table["label"].map(clean)
    table["path"] = table["path"].map(lambda text: text.replace("\\", "/").removeprefix("./"))
    columns = ["path", "label", *TRAITS, CORRECTED, DROPPED]
    return table.drop_duplicates("path").loc[:, [*columns, *_further(table)]]


def _apply_corrections(table: pd.DataFrame, name: str) -> tuple[pd.DataFrame, list[str]]:
    """Return photos with the labels that somebody corrected, without those that were dropped."""
    dropped = table[DROPPED].astype(bool)
    wrong = table[CORRECTED].ne("") & table[CORRECTED].ne(table["label"]) & ~dropped
    if wrong.any() and _one_subject_each(table):  # who the label says is in the photo, is
        of_label = table.drop_duplicates("label").set_index("label")["subject"]
        subjects = table[CORRECTED].map(of_label).fillna(table[CORRECTED])
        table = table.assign(subject=table["subject"].mask(wrong, subjects))
    table = table.assign(label=table["label"].mask(wrong, table[CORRECTED]))
    notes = []
    if count := int(wrong.sum()):
        notes.append(f"{count:,} labels are corrected by hand (column {CORRECTED} of {name})")
    if count := int(dropped.sum()):
        notes.append(f"{count:,} photos are dropped by hand (column {DROPPED} of {name})")
    kept = table.loc[~dropped].reset_index(drop=True)
    return kept.drop(columns=[CORRECTED, DROPPED]), notes


def _one_subject_each(table: pd.DataFrame) -> bool:
    from facecore.data.splits import labels_are_subjects  # scikit-learn is slow to import

    return labels_are_subjects(table)


def _add_traits(table: pd.DataFrame, path: Path) -> list[str]:
    """Write what a table says of the photos beside it into a listing; return what does not fit."""
    rows = _read_table(path)
    columns = rows.attrs["columns"]
    places = Places(table["path"])
    found = rows["path"].map(places.find)
    lost = rows.loc[found.isna(), "path"].tolist()
    if len(lost) == len(rows) and len(rows):
        raise DataError(
            f"no row of {path} has a photo: the first names {lost[0]!r}, and the first photo is "
            f"{table['path'].iloc[0] if len(table) else 'missing'!r}; write paths relative to "
            f"{path.parent}"
        )
    rows = rows.assign(place=found).dropna(subset="place")
    again = rows.duplicated("place")
    further = _further(rows)
    unlike = again & ~rows.duplicated(["place", *TRAITS, CORRECTED, DROPPED, *further])
    rows = rows[~again]
    at = rows["place"].astype(int).to_numpy()
    for name in (*TRAITS, *further):
        given = rows[name].to_numpy()
        known = table[name] if name in table else pd.Series("", index=table.index)
        kept = known.to_numpy(dtype=object)
        kept[at] = [new or old for new, old in zip(given, kept[at], strict=True)]
        table[name] = kept.astype(str)
    for name in (CORRECTED, DROPPED):
        table.loc[table.index[at], name] = rows[name].to_numpy()
    notes = []
    if lost:
        notes.append(f"{len(lost):,} rows of {path.name} have no photo: {_few(lost)}")
    if unlike.any():
        notes.append(f"{int(unlike.sum()):,} rows of {path.name} repeat a photo: the first counts")
    # A table that holds corrections alone has a row for these photos only.
    alone = set(name_columns(columns)) <= {"path", "label", CORRECTED, DROPPED}
    missing = sorted(set(table["path"]) - set(table["path"].iloc[at]))
    if missing and not alone:
        notes.append(f"{len(missing):,} photos have no row in {path.name}: {_few(missing)}")
    if "label" in rows:
        other = rows["label"].map(clean).to_numpy() != table["label"].to_numpy()[at]
        if count := int(other.sum()):
            notes.append(
                f"{count:,} labels of {path.name} are not their photo's folder, which counts"
            )
    return notes


class Places:
    """Where each photo stands in a listing, by all ways to write its path.

    Parameters
    ----------
    paths : iterable of str
        Of the photos, relative to their folder, with forward slashes.

    Examples
    --------
    >>> places = Places(["calm/1.jpg", "sad/2.jpg"])
    >>> places.find("photos\\\\SAD\\\\2.jpg"), places.find("3.jpg")
    (1, None)
    """

    def __init__(self, paths: Iterable[str]) -> None:
        self.exact: dict[str, int] = {}
        self.tails: dict[str, set[int]] = defaultdict(set)
        for number, path in enumerate(paths):
            self.exact[path] = number
            parts = PurePosixPath(_folded(path)).parts
            for start in range(len(parts)):
                tail = "/".join(parts[start:])
                self.tails[tail].add(number)
                self.tails[tail.rpartition(".")[0] or tail].add(number)
        self.whole = {_folded(path): number for path, number in self.exact.items()}

    def find(self, path: str) -> int | None:
        """Return the photo that a row of a table means, if just one can be meant.

        Parameters
        ----------
        path : str
            As it stands in the table.

        Returns
        -------
        int or None
            Its number in the listing.
        """
        if path in self.exact:
            return self.exact[path]
        parts = [
            part for part in _folded(path).replace("\\", "/").split("/") if part not in ("", ".")
        ]
        # the longest end of the row's path that is the end of one photo's path
        for start in range(len(parts)):
            tail = "/".join(parts[start:])
            if tail in self.whole:
                return self.whole[tail]
            if tail in self.tails:
                places = self.tails[tail]
                return next(iter(places)) if len(places) == 1 else None
        return None


def separator_of(text: str) -> str:
    """Return the separator of a table's cells, by its header.

    Parameters
    ----------
    text : str
        The table.

    Returns
    -------
    str
        A comma, a semicolon or a tab.

    Examples
    --------
    >>> separator_of("path;label")
    ';'
    """
    return max(",;\t", key=text.partition("\n")[0].count)


def name_columns(header: Iterable[str]) -> list[str]:
    """Return what the columns of a table are called here.

    Parameters
    ----------
    header : iterable of str
        The names as they are written, in any capitals.

    Returns
    -------
    list of str
        Such as ``"path"``; in lower case where a name stands for no other column.

    Examples
    --------
    >>> name_columns(["Filename", "gender", "Colour"])
    ['path', 'label', 'colour']
    """
    names = [clean(name).casefold() for name in header]
    for name, others in {"label": "gender class", **ALIASES}.items():
        if name not in names and (given := next((n for n in others.split() if n in names), None)):
            names[names.index(given)] = name
    return names


def _folded(path: str) -> str:
    return file_key(clean(path))


def _lacks_columns(path: Path, table: pd.DataFrame) -> DataError:
    return DataError(
        f"{path} needs the columns path and label (or gender); "
        f"it has: {', '.join(map(str, table.attrs['columns']))}"
    )


def _read_table(path: Path) -> pd.DataFrame:
    """Read a table of labels: path, TRAITS, further traits and perhaps label, all as text."""
    try:
        data = path.read_bytes()
        text = decode_text(data).plain
        with warnings.catch_warnings():  # rows that are longer than the header are an error
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table = pd.read_csv(
                io.StringIO(text),
                dtype="str",
                keep_default_na=False,
                index_col=False,
                sep=separator_of(text),
            )
    except (OSError, ValueError, pd.errors.ParserWarning) as error:
        raise DataError(f"cannot read the table {path}: {error}") from error
    columns = [str(name) for name in table.columns]
    table.columns = pd.Index(name_columns(columns))
    table = table.loc[:, ~table.columns.duplicated()]
    table.attrs["columns"] = columns
    if "path" not in table:
        raise _lacks_columns(path, table)
    for name in TRAITS:
        table[name] = table[name].map(clean) if name in table else ""
    table[CORRECTED] = table[CORRECTED].fillna("").map(clean) if CORRECTED in table else ""
    words = table[DROPPED].fillna("").map(clean) if DROPPED in table else pd.Series("", table.index)
    table[DROPPED] = ~words.str.casefold().isin([*UNKNOWN, "no", "0", "false"])
    # A name says who somebody is, as do the other names of known columns; a column without a name
    # holds the numbers of rows.
    known = {
        "path",
        "label",
        *TRAITS,
        CORRECTED,
        DROPPED,
        *NAMING,
        *" ".join(ALIASES.values()).split(),
    }
    further = [str(name) for name in table.columns if name and name not in known]
    further = [name for name in further if not name.startswith("unnamed:")]
    traits = {f"{TRAIT}{name}": table[name].map(_trait) for name in further}
    return table.drop(columns=further).assign(**traits)


def _trait(text: str) -> str:
    """Return the value of a further trait; empty for words that stand for unknown."""
    plain = clean(text)
    return "" if plain.casefold() in UNKNOWN else plain
