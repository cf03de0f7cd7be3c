"""The study of face sizes on the table that cropping leaves."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from facecore.crops import MIN_SIZE

PERCENTILES = (1, 5, 25, 50, 75, 95, 99)


def face_sizes(table: pd.DataFrame) -> pd.DataFrame:
    """Return the faces found, whatever their size.

    Parameters
    ----------
    table : DataFrame
        As `facecore.crops.read_table` returns it.

    Returns
    -------
    DataFrame
        label (str) and size (width of the face box, pixels), duplicates left out.
    """
    found = table[table["w"].notna() & table["state"].ne("duplicate")]
    return found[["label", "w"]].rename(columns={"w": "size"}).reset_index(drop=True)


def describe_sizes(table: pd.DataFrame) -> pd.DataFrame:
    """Describe the distribution of face sizes by label.

    Parameters
    ----------
    table : DataFrame

    Returns
    -------
    DataFrame
        One row a label and one for all: faces, smallest, percentiles (p1 to p99), largest, in
        pixels.
    """
    faces = face_sizes(table)
    rows = {}
    for label, sizes in [*faces.groupby("label")["size"], ("all", faces["size"])]:
        quantiles = {f"p{q}": np.percentile(sizes, q) for q in PERCENTILES} if len(sizes) else {}
        rows[label] = {
            "faces": len(sizes), "smallest": sizes.min(), **quantiles, "largest": sizes.max(),
        }  # fmt: skip
    return pd.DataFrame(rows).T.round().astype("Int64")


def effect_of_minimum(
    table: pd.DataFrame, minima: Iterable[int] = (24, 40, MIN_SIZE, 80, 100)
) -> pd.DataFrame:
    """Say what each minimum size would leave.

    Parameters
    ----------
    table : DataFrame
    minima : iterable of int
        In pixels.

    Returns
    -------
    DataFrame
        One row a minimum: kept and dropped faces, and the faces kept of each label.
    """
    faces = face_sizes(table)
    labels = sorted(faces["label"].unique())
    rows = {}
    for minimum in minima:
        kept = faces[faces["size"] >= minimum]
        rows[minimum] = {
            "kept": len(kept),
            "dropped": len(faces) - len(kept),
            **{label: int(kept["label"].eq(label).sum()) for label in labels},
        }
    return pd.DataFrame(rows).T.rename_axis("minimum")


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
    columns = {"w": "face_size", "photo_width": "photo_width", "photo_height": "photo_height"}
    result = table[["set", "label", "split", "state"]].copy()
    for source, name in columns.items():
        result[name] = _two_figures(table[source].to_numpy(dtype=float))
    return result.sort_values(list(result.columns), ignore_index=True)


def _two_figures(values: np.ndarray) -> pd.api.extensions.ExtensionArray:
    unit = 10.0 ** np.maximum(np.floor(np.log10(np.maximum(values, 1))) - 1, 0)
    return pd.array(np.rint(values / unit) * unit, dtype="Int64")
