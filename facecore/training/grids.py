"""Grids of hyperparameters: by name, from a file, checked."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from facecore.errors import DataError

PARAMETERS = ("n_components", "whiten", "gamma", "C", "class_weight")
DEFAULTS = {"whiten": True, "class_weight": "balanced"}
GRIDS: dict[str, dict[str, list[Any]]] = {
    "quick": {"n_components": [50, 100], "C": [1.0, 5.0], "gamma": [0.003, 0.006]},
    "full": {
        "n_components": [100, 150, 200, 300],
        "C": [1.0, 2.0, 4.0, 8.0],
        "gamma": [0.0015, 0.0025, 0.004, 0.006],
        "class_weight": ["balanced", None],
    },
}
# Small grids around what wider searches on the shared training photos found best.
_TEXTURES: dict[str, list[Any]] = {
    "n_components": [300], "C": [5.0, 10.0], "gamma": [0.0017, 0.0027],
}  # fmt: skip
# Small grids by recipe and member, around what wider searches found best.
TUNED: dict[str, dict[str, dict[str, list[Any]]]] = {
    "classic": {
        "pixels": {
            "n_components": [150, 200],
            "C": [4.0, 8.0, 16.0],
            "gamma": [0.004, 0.006, 0.009],
        }
    },
    "aligned": {
        "pixels": {"n_components": [200], "C": [5.0, 10.0], "gamma": [0.0017, 0.0025]},
        "hog tight": _TEXTURES,
        "hog wide": _TEXTURES,
        "patterns": _TEXTURES,
    },
    "embedding": {
        "network": {"n_components": [64, 78], "C": [2.0, 5.0, 10.0], "gamma": [0.004, 0.008]}
    },
}
GAMMAS = (1.0, 1.5)  # times the number of components, of tuned grids (benchmarks/README.md)


def parse_grid(grid: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Check a grid and fill in what it leaves out.

    Parameters
    ----------
    grid : mapping
        Lists of values for n_components, C, gamma, and perhaps whiten and class_weight.

    Returns
    -------
    dict of list

    Raises
    ------
    DataError
    """
    unknown = set(grid) - set(PARAMETERS)
    missing = {"n_components", "C", "gamma"} - set(grid)
    if unknown or missing:
        raise DataError(
            f"a grid has lists for {', '.join(PARAMETERS)}; "
            f"unknown: {sorted(unknown) or 'none'}, missing: {sorted(missing) or 'none'}"
        )
    full = {name: [DEFAULTS[name]] for name in DEFAULTS} | dict(grid)
    for name, values in full.items():
        good = isinstance(values, list) and values and all(_fits(name, value) for value in values)
        if not good:
            raise DataError(f"the grid's {name} is no list of usable values: {values!r}")
    return {name: list(dict.fromkeys(full[name])) for name in PARAMETERS}


def _fits(name: str, value: Any) -> bool:
    if name == "whiten":
        return isinstance(value, bool)
    if name == "class_weight":
        return value in ("balanced", None)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0:
        return False
    return isinstance(value, int) if name == "n_components" else value < 1e100


def read_grid(grid: str, recipe: str, member: str, solver: str = "exact") -> dict[str, list[Any]]:
    """Return a member's grid by name or from a JSON file.

    Parameters
    ----------
    grid : str
        A key of `GRIDS`, ``"tuned"`` (a small one around what earlier searches
        found best for the recipe), or a JSON file: one grid, or one for each member by its name.
    recipe, member : str
    solver : str
        ``"exact"`` or ``"nystroem"``, which wants narrower kernels: in a tuned grid their gammas
        are `facecore.training.grids.GAMMAS` by the least number of components.

    Returns
    -------
    dict of list

    Raises
    ------
    DataError
    """
    if grid in GRIDS:
        return parse_grid(GRIDS[grid])
    if grid == "tuned":
        tuned = TUNED[recipe][member]
        if solver == "nystroem":
            fewest = min(tuned["n_components"])
            tuned = tuned | {"gamma": [round(gamma / fewest, 6) for gamma in GAMMAS]}
        return parse_grid(tuned)
    if not Path(grid).is_file():
        names = ", ".join([*GRIDS, "tuned"])
        raise DataError(f"no grid {grid!r}; there are: {names}, or name a JSON file")
    try:
        values = json.loads(Path(grid).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"cannot read the grid {grid}: {error}") from error
    if not isinstance(values, dict):
        raise DataError(f"the grid {grid} is no JSON object of lists")
    return parse_grid(values.get(member, values))
