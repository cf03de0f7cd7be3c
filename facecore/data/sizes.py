"""The study of face sizes, on the table that cropping leaves or on the one that a model ships."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from facecore.data.crops import ALL
from facecore.face.detect import MIN_SIZE

TEXTS = ("set", "label", "split", "state")
NUMBERS = ("face_size", "photo_width", "photo_height")
PERCENTILES = (1, 5, 25, 50, 75, 95, 99)
BINS_A_DECADE = 10


def sizes_of(table: pd.DataFrame) -> pd.DataFrame:
    """Return the sizes of a folder of crops and those of a model in one shape.

    Parameters
    ----------
    table : DataFrame
        As `facecore.data.crops.read_table` or `round_sizes` returns it, or this function.

    Returns
    -------
    DataFrame
        One row a photo: set, label, split, state (str, empty where unknown), face_size (width of
        the face box), photo_width, photo_height (float64, pixels, NaN where unknown).
    """
    sizes = table.rename(columns={"w": "face_size"}).reindex(columns=[*TEXTS, *NUMBERS])
    texts = sizes[list(TEXTS)].astype("str").fillna("")
    return pd.concat([texts, sizes[list(NUMBERS)].astype(float)], axis=1)


def face_sizes(table: pd.DataFrame) -> pd.DataFrame:
    """Return the faces found, whatever their size.

    Parameters
    ----------
    table : DataFrame
        As `sizes_of` takes it.

    Returns
    -------
    DataFrame
        The rows of `sizes_of` with a face, duplicates left out.
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
        One row a label, and `facecore.data.crops.ALL` for all: faces, smallest, percentiles (p1 to
        p99), largest, in pixels; empty where there is no face.
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
    """Say how many faces each minimum size would leave.

    Parameters
    ----------
    table : DataFrame
        As `sizes_of` takes it.
    minima : iterable of int
        In pixels.

    Returns
    -------
    DataFrame
        One row a minimum: faces kept of each label, and of `facecore.data.crops.ALL`.
    """
    faces = face_sizes(table)
    rows = {}
    for minimum in minima:
        kept = faces.loc[faces["face_size"] >= minimum, "label"].value_counts()
        rows[minimum] = kept.reindex(_labels(table), fill_value=0)
        rows[minimum][ALL] = kept.sum()
    return pd.DataFrame(rows).T.rename_axis("minimum")


def count_by_size(table: pd.DataFrame, log: bool = False) -> pd.DataFrame:
    """Count the faces by size, in bins whose edges lie between sizes of two figures.

    A model ships its sizes rounded to two figures: other edges would give bins that hold more of
    these figures than their neighbours do, so peaks that no photo made.

    Parameters
    ----------
    table : DataFrame
        As `sizes_of` takes it, with at least one face.
    log : bool
        Bins of equal ratio (ten a decade) up to the largest face; else bins of 10 pixels up to
        the 99th percentile.

    Returns
    -------
    DataFrame
        One row a bin (an interval in pixels, closed at the left), one column a label: faces.
    """
    faces = face_sizes(table)
    sizes = faces["face_size"]
    if log:
        low = np.floor(np.log10(max(sizes.min(), 1)) * BINS_A_DECADE)
        high = np.ceil(np.log10(sizes.max() + 1) * BINS_A_DECADE) + 2
        figures = _round(10 ** (np.arange(low, high) / BINS_A_DECADE))
        edges = np.unique(figures - _unit(figures * 0.999) / 2)
        edges = edges[: np.searchsorted(edges, sizes.max(), side="right") + 1]
    else:
        edges = np.arange(5, np.percentile(sizes, 99) + 20, 10)
    counts = {
        label: np.histogram(sizes[faces["label"].eq(label)], edges)[0] for label in _labels(table)
    }
    return pd.DataFrame(counts, index=pd.IntervalIndex.from_breaks(edges, closed="left"))


def round_sizes(table: pd.DataFrame) -> pd.DataFrame:
    """Return what a model may ship of the table: no names, sizes rounded, rows in no order.

    Parameters
    ----------
    table : DataFrame
        With a column set.

    Returns
    -------
    DataFrame
        set, label, split, state, face_size, photo_width, photo_height (pixels, rounded to two
        figures), sorted by value.
    """
    result = sizes_of(table)
    for name in NUMBERS:
        result[name] = pd.array(_round(result[name].to_numpy()), dtype="Int64")
    return result.sort_values(list(result.columns), ignore_index=True)


def _labels(table: pd.DataFrame) -> list[str]:
    return sorted(table["label"].unique())


def _round(values: np.ndarray) -> np.ndarray:
    return np.rint(values / _unit(values)) * _unit(values)


def _unit(values: np.ndarray) -> np.ndarray:
    """Return the size of the second figure of values; 1 for those under 10."""
    unit: np.ndarray = 10.0 ** np.maximum(np.floor(np.log10(np.maximum(values, 1))) - 1, 0)
    return unit
