"""Keep finished searches in a folder, so that a training that was killed takes them up again."""

import hashlib
import io
import json
import time
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from facecore.errors import DataError
from facecore.system.files import write_atomically
from facecore.training.grids import candidate_of
from facecore.training.options import TrainingOptions
from facecore.training.search import SearchResult
from facecore.training.streaming import FacesOnDisk

FORMAT = 3  # to be raised when a search comes to other results


def keep_search(
    folder: Path | None,
    make: Callable[[], SearchResult],
    faces: FacesOnDisk,
    arrays: Mapping[str, np.ndarray],
    grid: Mapping[str, Any],
    options: TrainingOptions,
    how: str,
) -> SearchResult:
    """Return a finished search of the same faces, grid and options, or make and keep it.

    Parameters
    ----------
    folder : Path, optional
        Where searches are kept; it must exist. None keeps nothing.
    make : callable
        Makes the search.
    faces : FacesOnDisk
        What is searched: all their bytes count.
    arrays : mapping of str to ndarray
        What else the search reads, such as the labels.
    grid : mapping of str to list
        As `facecore.training.grids.parse_grid` returns it.
    options : TrainingOptions
        Its seed and landmarks count.
    how : str
        What else tells searches apart, such as the solver.

    Returns
    -------
    SearchResult
        One that was kept tells how long it took.

    Raises
    ------
    DataError
        A kept search is damaged.
    """
    if folder is None:
        return make()
    said = {
        "format": FORMAT,
        "features": repr(faces.features),
        "mirrored": faces.mirrored,
        "grid": grid,
        "seed": options.seed,
        "landmarks": options.landmarks,
        "how": how,
    }
    digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode())
    with open(faces.path, "rb") as file:
        while block := file.read(1 << 24):
            digest.update(block)
    for name, values in sorted(arrays.items()):
        digest.update(f"{name} {values.dtype.str} {values.shape}".encode())
        digest.update(np.ascontiguousarray(values).tobytes())
    kept = folder / f"{digest.hexdigest()[:32]}.npz"
    if kept.exists():
        return _read(kept)
    begun = time.perf_counter()
    found = make()
    stored: dict[str, Any] = {
        "seconds": time.perf_counter() - begun,
        # JSON keeps every digit: equal scores are told apart by the order of the candidates.
        "table": json.dumps(found.table.to_dict(orient="list")),
        "decisions": found.decisions,
        **({} if found.distances is None else {"distances": found.distances}),
    }
    content = io.BytesIO()
    np.savez_compressed(content, **stored)
    write_atomically(kept, content.getvalue())
    return found


def _read(path: Path) -> SearchResult:
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = dict(stored)
        table = pd.DataFrame(json.loads(str(arrays["table"])))
        best = table.to_dict(orient="records")[int(table["rank_test_score"].argmin())]
        return SearchResult(
            table,
            candidate_of(best),
            arrays["decisions"],
            arrays.get("distances"),
            float(arrays["seconds"]),
        )
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"the kept search {path} is damaged: {error}; delete it") from error
