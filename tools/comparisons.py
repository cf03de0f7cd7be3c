"""Compare each pair of the shipped models on the same test photos: python tools/comparisons.py DATA

DATA has the folders lfw, utkface and congress. Needs the extra `embedding` (README). Counts and
figures are stored, no row per photo. Where all pairs were compared on these sets, and no model was
trained since, nothing is done.
"""

import sys
from itertools import combinations
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

from facecore.errors import DataError, FacecoreError  # noqa: E402
from facecore.evaluation import (  # noqa: E402
    changed_since,
    compare_models,
    read_comparison,
    write_comparison,
)
from facecore.model import SHIPPED  # noqa: E402
from facecore.system import track  # noqa: E402

TESTS = ("lfw", "utkface", "congress")  # each has photos of a test split


def is_current(first: str, second: str) -> bool:
    """Return whether two models, as they are now, have a stored comparison on all data sets.

    Parameters
    ----------
    first, second : str
        Names of the models.

    Returns
    -------
    bool
    """
    try:
        found = read_comparison(first, second)
    except DataError:  # damaged: to be made again
        return False
    return found is not None and set(found["sets"]) == set(TESTS) and not changed_since(found)


def compare_shipped(data: Path) -> list[Path]:
    """Compare each pair of the shipped models, unless all comparisons are current.

    Parameters
    ----------
    data : Path

    Returns
    -------
    list of Path
        The files that were written.
    """
    if all(is_current(*pair) for pair in combinations(SHIPPED, 2)):
        return []
    found = compare_models(
        SHIPPED,
        [data / name for name in TESTS],
        jobs=-1,
        watch=lambda rows, total, name: track(
            rows, total, f"compare on {name}", "photo", progress=True
        ),
    )
    return [write_comparison(comparison) for comparison in found]


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python tools/comparisons.py DATA")
    try:
        written = compare_shipped(Path(sys.argv[1]).resolve())
    except FacecoreError as error:
        sys.exit(f"error: {error}")
    for file in written:
        print(f"comparison written to {file}")
    if not written:
        print("comparisons: all are current")
