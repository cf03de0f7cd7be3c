"""Grids of hyperparameters and their candidates: by name, from a file, checked."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from math import prod
from numbers import Integral
from pathlib import Path
from typing import Any

from sklearn.model_selection import ParameterGrid

from facecore.errors import DataError
from facecore.face.recipes import Recipe
from facecore.training.options import is_number


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """Hyperparameters of one member of a model.

    Parameters
    ----------
    n_components : int
        Number of eigenfaces, 1 or more; fewer where the data have fewer.
    whiten : bool, default=True
        Scale coordinates to unit variance.
    gamma : float
        Width of the RBF kernel, above 0.
    C : float
        Penalty of the SVM, above 0.
    class_weight : {"balanced"}, mapping of label to float, or None, default="balanced"
        Weight of each label; None counts every face the same.

    Raises
    ------
    DataError
        A value is of another type or out of its range.

    Examples
    --------
    >>> Candidate(n_components=50, gamma=0.006, C=5.0).class_weight
    'balanced'
    """

    n_components: int
    whiten: bool = True
    gamma: float
    C: float
    class_weight: str | Mapping[Any, float] | None = "balanced"

    def __post_init__(self) -> None:
        for name in PARAMETERS:
            value = getattr(self, name)
            by_label = name == "class_weight" and isinstance(value, Mapping)
            if not (by_label or _fits(name, value)):
                raise DataError(f"{name} {value!r} is not a usable value")


PARAMETERS = tuple(field.name for field in fields(Candidate))


def candidate_of(row: Mapping[str, Any]) -> Candidate:
    """Return the candidate of a row of a search's table.

    Parameters
    ----------
    row : mapping of str to object
        ``param_n_components`` and the others of `PARAMETERS`, as `SearchResult` holds them.

    Returns
    -------
    Candidate

    Examples
    --------
    >>> row = {"param_n_components": 50, "param_whiten": True, "param_gamma": 0.01, "param_C": 2.0}
    >>> candidate_of({**row, "param_class_weight": "none"}).class_weight is None
    True
    """
    values = {name: row[f"param_{name}"] for name in PARAMETERS}
    values["n_components"] = int(values["n_components"])
    values["whiten"] = bool(values["whiten"])
    return Candidate(
        **{**values, "class_weight": None if values["class_weight"] == "none" else "balanced"}
    )


FACTOR = "gamma_factor"  # in a grid, instead of gamma
DEFAULTS = {"whiten": True, "class_weight": "balanced"}
GRIDS: dict[str, dict[str, list[Any]]] = {
    "quick": {"n_components": [50, 100], "C": [1.0, 5.0], "gamma": [0.003, 0.006]},
    "full": {
        "n_components": [100, 150, 200, 300],
        "C": [1.0, 2.0, 4.0, 8.0],
        "gamma": [0.0015, 0.0025, 0.004, 0.006],
        "class_weight": ["balanced", None],
    },
    # searched by `facecore.training.halving`
    "fine": {
        "n_components": [10, 22, 48, 100, 230, 500],
        "C": [0.3, 1.0, 3.0, 10.0, 30.0, 100.0],
        "gamma_factor": [0.05, 0.1, 0.2, 0.5, 1.0, 2.0],
        "class_weight": ["balanced", None],
        "whiten": [True, False],
    },
}


def parse_grid(grid: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Check a grid and fill in what it leaves out.

    Parameters
    ----------
    grid : mapping of str to list
        Values of n_components (int, 1 or more), C and gamma (above 0), and perhaps of whiten (bool)
        and class_weight ("balanced" or None). Instead of gamma, gamma_factor gives it in units of
        1 / (total variance of the coordinates), and the grid is searched in rounds.

    Returns
    -------
    dict of str to list
        Values of every hyperparameter, each once, in the order of `Candidate`.

    Raises
    ------
    DataError
        A list is missing, unknown, empty, or has a value that cannot be used.

    Examples
    --------
    >>> parse_grid({"n_components": [50, 50], "C": [1.0], "gamma": [0.1]})["n_components"]
    [50]
    """
    gamma = FACTOR if FACTOR in grid else "gamma"
    names = [gamma if name == "gamma" else name for name in PARAMETERS]
    unknown = set(grid) - set(names)
    missing = {"n_components", "C", gamma} - set(grid)
    if unknown or missing:
        raise DataError(
            f"a grid has lists for {', '.join(names)}; "
            f"unknown: {sorted(unknown) or 'none'}, missing: {sorted(missing) or 'none'}"
        )
    full = {name: [DEFAULTS[name]] for name in DEFAULTS} | dict(grid)
    for name, values in full.items():
        good = isinstance(values, list) and values and all(_fits(name, value) for value in values)
        if not good:
            raise DataError(f"the grid's {name} is not a list of usable values: {values!r}")
    return {name: list(dict.fromkeys(full[name])) for name in names}


def count_candidates(grid: str) -> int:
    """Count the candidates of a grid that is known by name, before any round drops some.

    Parameters
    ----------
    grid : str
        A key of `GRIDS`.

    Returns
    -------
    int
        1 or more.

    Examples
    --------
    >>> count_candidates("quick")
    8
    """
    return prod(len(values) for values in GRIDS[grid].values())


def expand_grid(grid: Mapping[str, Any]) -> list[Candidate]:
    """Return the candidates of a grid: every combination of its values.

    Parameters
    ----------
    grid : mapping of str to list
        As `parse_grid` takes it.

    Returns
    -------
    list of Candidate
        In the order of scikit-learn's `ParameterGrid`.

    Raises
    ------
    DataError
        The grid cannot be used, or gives gamma_factor: such a grid has no candidates before the
        coordinates are known.

    Examples
    --------
    >>> len(expand_grid({"n_components": [50, 100], "C": [1.0, 5.0], "gamma": [0.003]}))
    4
    """
    if FACTOR in grid:
        raise DataError(f"a grid with {FACTOR} is searched in rounds only; give gamma instead")
    return [Candidate(**point) for point in ParameterGrid(parse_grid(grid))]


def _fits(name: str, value: Any) -> bool:
    if name == "whiten":
        return isinstance(value, bool)
    if name == "class_weight":
        return value in ("balanced", None)
    if not is_number(value) or not value > 0:
        return False
    return isinstance(value, Integral) if name == "n_components" else bool(value < 1e100)


def read_grid(grid: str, recipe: Recipe, member: str) -> dict[str, list[Any]]:
    """Return a member's grid by name or from a JSON file.

    Parameters
    ----------
    grid : str
        A key of `GRIDS`, ``"tuned"`` (the recipe's own small grid for the member), or a JSON file:
        one grid for all members, or one for each by its name.
    recipe : Recipe
        With its members.
    member : str
        Name of one of them.

    Returns
    -------
    dict of str to list
        As `parse_grid` returns it.

    Raises
    ------
    DataError
        No grid has this name, or the file cannot be read or used.
    """
    if grid in GRIDS:
        return parse_grid(GRIDS[grid])
    if grid == "tuned":
        return parse_grid(recipe.members[member].tuned)
    if not Path(grid).is_file():
        names = ", ".join([*GRIDS, "tuned"])
        raise DataError(f"no grid {grid!r}; there are: {names}, or name a JSON file")
    try:
        values = json.loads(Path(grid).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"cannot read the grid {grid}: {error}") from error
    if not isinstance(values, dict):
        raise DataError(f"the grid {grid} is not a JSON object of lists")
    return parse_grid(values.get(member, values))
