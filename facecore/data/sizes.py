"""The study of face sizes, on the table of a folder of crops or on that of a stored model."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from facecore.data.crops import ALL
from facecore.face.detect import MIN_SIZE

TEXTS = ("set", "label", "split", "state")
NUMBERS = ("face_size", "photo_width", "photo_height")
PERCENTILES = (1, 5, 25, 50, 75, 95, 99)
BINS_PER_DECADE = 10


def sizes_of(table: pd.DataFrame) -> pd.DataFrame:
    """Return the sizes of a folder of crops, or those of a stored model, as the same table.

    Parameters
    ----------
    table : DataFrame
        As `facecore.data.crops.read_table`, `round_sizes` or this function returns it.

    Returns
    -------
    DataFrame
        One row per photo: set, label, split, state (str, empty where unknown), face_size (width of
        the face box), photo_width, photo_height (float64, pixels, NaN where unknown).
    """
    sizes = table.rename(columns={"w": "face_size"}).reindex(columns=[*TEXTS, *NUMBERS])
    texts = sizes[list(TEXTS)].astype("str").fillna("")
    return pd.concat([texts, sizes[list(NUMBERS)].astype(float)], axis=1)


def face_sizes(table: pd.DataFrame) -> pd.DataFrame:
    """Return the faces that were found, whatever their size.

    Parameters
    ----------
    table : DataFrame
        As `sizes_of` takes it.

    Returns
    -------
    DataFrame
        The rows of `sizes_of` that have a face, without the duplicates.
    """
    sizes = sizes_of(table)
    found = sizes["face_size"].notna() & sizes["state"].ne("duplicate")
    return sizes[found].reset_index(drop=True)


def describe_sizes(table: pd.DataFrame) -> pd.DataFrame:
    """Describe the distribution of face sizes by label.

    Parameters
    ----------
    table : DataFrame
        As `sizes_of` takes it.

    Returns
    -------
    DataFrame
        One row per label and one for all, named `facecore.data.crops.ALL`: faces (count),
        smallest, percentiles (p1 to p99) and largest width of the face box, in pixels; NA where
        there is no face.

    Examples
    --------
    >>> table = pd.DataFrame({"label": ["serious"] * 3, "face_size": [60, 90, 150]})
    >>> describe_sizes(table)[["faces", "smallest", "p50", "largest"]]
             faces  smallest  p50  largest
    serious      3        60   90      150
    all/sum      3        60   90      150
    """
    faces = face_sizes(table)
    groups = [(label, faces[faces["label"].eq(label)]) for label in _labels(table)]
    rows = {}
    for name, group in [*groups, (ALL, faces)]:
        sizes = group["face_size"]
        rows[name] = {
            "faces": len(sizes),
            "smallest": sizes.min(),
            **{f"p{q}": sizes.quantile(q / 100) for q in PERCENTILES},
            "largest": sizes.max(),
        }
    return pd.DataFrame(rows).T.round().astype("Int64")


def effect_of_minimum(
    table: pd.DataFrame, minima: Iterable[int] = (24, 40, MIN_SIZE, 80, 100)
) -> pd.DataFrame:
    """Count the faces that each minimum size would leave.

    Parameters
    ----------
    table : DataFrame
        As `sizes_of` takes it.
    minima : iterable of int
        Least widths of the face box, in pixels.

    Returns
    -------
    DataFrame
        One row per minimum and one column per label, with the sums in a column
        `facecore.data.crops.ALL`: number of faces that are at least so wide.

    Examples
    --------
    >>> labels = ["serious", "serious", "smiling"]
    >>> table = pd.DataFrame({"label": labels, "face_size": [30, 60, 90]})
    >>> effect_of_minimum(table, minima=(24, 54)).loc[54].to_dict()
    {'serious': 1, 'smiling': 1, 'all/sum': 2}
    """
    faces = face_sizes(table)
    rows = {}
    for minimum in minima:
        kept = faces.loc[faces["face_size"] >= minimum, "label"].value_counts()
        rows[minimum] = kept.reindex(_labels(table), fill_value=0)
        rows[minimum][ALL] = kept.sum()
    return pd.DataFrame(rows).T.rename_axis("minimum")


def count_by_size(table: pd.DataFrame, log: bool = False) -> pd.DataFrame:
    """Count the faces by size, in bins whose edges lie between sizes of two digits.

    A stored model has its sizes rounded to two significant digits. With other edges some bins would
    hold more of these sizes than their neighbours, and the histogram would have false peaks.

    Parameters
    ----------
    table : DataFrame
        As `sizes_of` takes it, with at least one face.
    log : bool
        Make bins of equal ratio (ten per decade) up to the largest face; otherwise bins of 10
        pixels up to the 99th percentile.

    Returns
    -------
    DataFrame
        One row per bin (an interval in pixels, closed at the left) and one column per label:
        number of faces.
    """
    faces = face_sizes(table)
    sizes = faces["face_size"]
    if log:
        # Powers of ten in equal steps, from below the smallest face to above the largest, are
        # rounded to sizes that occur. The edges lie half a unit below these, so between sizes. The
        # factor makes a power of ten use the unit of the smaller sizes on its left.
        low = np.floor(np.log10(max(sizes.min(), 1)) * BINS_PER_DECADE)
        high = np.ceil(np.log10(sizes.max() + 1) * BINS_PER_DECADE) + 2
        rounded = _round(10 ** (np.arange(low, high) / BINS_PER_DECADE))
        edges = np.unique(rounded - _unit(rounded * 0.999) / 2)
        edges = edges[: np.searchsorted(edges, sizes.max(), side="right") + 1]
    else:
        edges = np.arange(5, np.percentile(sizes, 99) + 20, 10)
    counts = {
        label: np.histogram(sizes[faces["label"].eq(label)], edges)[0] for label in _labels(table)
    }
    return pd.DataFrame(counts, index=pd.IntervalIndex.from_breaks(edges, closed="left"))


def round_sizes(table: pd.DataFrame) -> pd.DataFrame:
    """Return the part of the table that a model may store: no names, rounded sizes, no order.

    No row can be traced to a photo by its size or by its place.

    Parameters
    ----------
    table : DataFrame
        As `sizes_of` takes it, with a column set.

    Returns
    -------
    DataFrame
        Set, label, split, state, face_size, photo_width, photo_height (pixels, rounded to two
        significant digits), sorted by value.

    Examples
    --------
    >>> row = {"set": "a", "label": "serious", "split": "test", "state": "kept", "w": 123.0}
    >>> round_sizes(pd.DataFrame([row]))["face_size"].tolist()
    [120]
    """
    result = sizes_of(table)
    for name in NUMBERS:
        result[name] = pd.array(_round(result[name].to_numpy()), dtype="Int64")
    return result.sort_values(list(result.columns), ignore_index=True)


def _labels(table: pd.DataFrame) -> list[str]:
    return sorted(table["label"].unique())


def _round(values: np.ndarray) -> np.ndarray:
    """Round to two significant digits."""
    rounded: np.ndarray = np.rint(values / _unit(values)) * _unit(values)
    return rounded


def _unit(values: np.ndarray) -> np.ndarray:
    """Return the worth of the second digit of values: 1 below 100, 10 below 1,000 and so on."""
    unit: np.ndarray = 10.0 ** np.maximum(np.floor(np.log10(np.maximum(values, 1))) - 1, 0)
    return unit
