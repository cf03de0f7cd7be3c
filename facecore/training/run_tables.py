"""Tables of the experiment log: one row per training, and what differs between some of them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from facecore.errors import FacecoreError
from facecore.model.store import find_model, list_models

COLUMNS = (
    "when",
    "name",
    "state",
    "model",
    "recipe",
    "grid",
    "sets",
    "labels",
    "faces",
    "candidates",
    "score",
    "std",
    "candidate score",
    "test photos",
    "answered",
    "right when answered",
    "forced accuracy",
    "minutes",
    "seed",
    "by",
    "reason",
    "run",
)  # of every table of runs; those of the settings follow
FIGURES = (
    "score",
    "std",
    "candidate score",
    "answered",
    "right when answered",
    "forced accuracy",
    "minutes",
    "state",
)  # that trainings are compared by


def tabulate_runs(runs: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return the experiment log as a table.

    Parameters
    ----------
    runs : sequence of mapping
        As `facecore.training.read_runs` returns them.

    Returns
    -------
    DataFrame
        One row per training in the same order: when (UTC), name, state, model (what became of it),
        recipe, grid, sets, labels, faces (fitted), candidates, score and std (cross-validated
        balanced accuracy of the model), candidate score (that of the best candidate of the leading
        member), test photos, answered, right when answered and forced accuracy (over the photos of
        all test sets), minutes, seed, by, reason, run; then every setting in a column of its own.

    Examples
    --------
    >>> run = {"run": "1", "when": "2026-05-01T10:00:00Z", "name": "mine", "state": "failed"}
    >>> table = tabulate_runs([run])
    >>> table.loc[0, ["name", "state"]].tolist(), str(table.loc[0, "when"].date())
    (['mine', 'failed'], '2026-05-01')
    """
    prints = model_prints()
    rows = [_row(run, prints) | settings_of(run) for run in runs]
    table = pd.DataFrame(rows).reindex(columns=[*COLUMNS, *_extra(rows)])
    for name in ("name", "state", "recipe", "grid", "sets", "labels", "by", "reason"):
        table[name] = table[name].fillna("").astype(str)
    table["when"] = pd.to_datetime(table["when"], utc=True, errors="coerce")
    numbers = ["score", "std", "candidate score", "answered", "right when answered"]
    for name in (*numbers, "forced accuracy", "faces", "candidates", "test photos", "minutes"):
        table[name] = pd.to_numeric(table[name], errors="coerce")
    return table


def _extra(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    names = dict.fromkeys(name for row in rows for name in row)
    return [name for name in names if name not in COLUMNS]


def _row(run: Mapping[str, Any], prints: Mapping[str, str]) -> dict[str, Any]:
    scores = run.get("candidate_scores") or {}
    faces = run.get("training_faces") or {}
    return {
        **{name: run.get(name) for name in COLUMNS},
        "model": fate_of(run, prints),
        "sets": ", ".join(run.get("data") or {}),
        "labels": ", ".join(run.get("labels") or {}),
        "faces": sum(faces.values()) if faces else None,
        "candidate score": next(iter(scores.values()), None),
        **_pool_tests(run.get("test") or {}),
    }


def _pool_tests(tests: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the shares over the photos of all test sets."""
    found = [test for test in tests.values() if test.get("photos")]
    photos = sum(test["photos"] for test in found)
    if not photos:
        return {}
    answered = sum(test["photos"] * (test["answered"] or 0) for test in found)
    right = sum(test["photos"] * (test["answered"] or 0) * (test["right"] or 0) for test in found)
    forced = sum(test["photos"] * (test["forced"] or 0) for test in found)
    return {
        "test photos": photos,
        "answered": round(answered / photos, 4),
        "right when answered": round(right / answered, 4) if answered else None,
        "forced accuracy": round(forced / photos, 4),
    }


def settings_of(run: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a training, one value each.

    Parameters
    ----------
    run : mapping of str to object
        As `facecore.training.read_runs` returns it.

    Returns
    -------
    dict of str to object
        Recipe, grid, seed, options, solver, least width of a face, faces by set and label, the
        best settings of each member, versions and commit.

    Examples
    --------
    >>> settings_of({"recipe": "classic", "best": {"": {"C": 5.0}}, "options": {"centres": 8}})
    {'recipe': 'classic', 'centres': 8, 'C': 5.0}
    """
    found = {name: run[name] for name in ("recipe", "grid", "seed", "solver") if name in run}
    found |= {name: _plain(value) for name, value in (run.get("options") or {}).items()}
    for name, counts in (run.get("data") or {}).items():
        found[f"{name}: train"], found[f"{name}: test"] = counts.get("train"), counts.get("test")
        if "min_size" in counts:
            found[f"{name}: least width"] = counts["min_size"]
    found |= {f"faces of {label}": n for label, n in (run.get("training_faces") or {}).items()}
    for member, best in (run.get("best") or {}).items():
        found |= {f"{member} {key}".strip(): _plain(value) for key, value in best.items()}
    for name in ("facecore", "commit"):
        if name in run:
            found[name] = run[name]
    return found | dict(run.get("versions") or {})


def compare_runs(runs: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return the settings and scores of some trainings side by side.

    Parameters
    ----------
    runs : sequence of mapping
        Two or more, as `facecore.training.read_runs` returns them.

    Returns
    -------
    DataFrame
        One row per setting or score: what, one column per training (its name and time, texts) and
        differs (bool). Rows that differ come first.

    Examples
    --------
    >>> first = {"run": "1", "when": "2026-05-01T10:00:00Z", "name": "a", "recipe": "classic"}
    >>> compare_runs([first, first | {"run": "2", "recipe": "aligned"}])["differs"].tolist()
    [True]
    """
    columns = []
    for run in runs:
        figures = {name: value for name, value in _row(run, {}).items() if name in FIGURES}
        columns.append({k: v for k, v in figures.items() if v is not None} | settings_of(run))
    names = list(dict.fromkeys(name for column in columns for name in column))
    rows = []
    for name in names:
        values = ["-" if column.get(name) is None else str(column[name]) for column in columns]
        rows.append([name, *values, len(set(values)) > 1])
    heads = [f"{run['name']}, {str(run['when'])[:16].replace('T', ' ')}" for run in runs]
    again = [f"{head} ({i})" if heads.count(head) > 1 else head for i, head in enumerate(heads, 1)]
    table = pd.DataFrame(rows, columns=["what", *again, "differs"])
    return table.sort_values("differs", ascending=False, kind="stable", ignore_index=True)


def fate_of(run: Mapping[str, Any], prints: Mapping[str, str]) -> str:
    """Return what became of the model of a training.

    Parameters
    ----------
    run : mapping of str to object
        As `facecore.training.read_runs` returns it.
    prints : mapping of str to str
        As `model_prints` returns them.

    Returns
    -------
    str
        ``"there"``, ``"renamed to NAME"``, ``"replaced since"`` or ``"deleted since"``; empty
        where the training left no model.

    Examples
    --------
    >>> fate_of({"state": "done", "name": "a", "checksum": "12"}, {"a": "34", "b": "12"})
    'renamed to b'
    """
    if run.get("state") != "done":
        return ""
    name, checksum = run.get("name"), run.get("checksum")
    if prints.get(str(name)) == checksum:
        return "there"
    renamed = [other for other, found in prints.items() if found == checksum]
    if renamed:
        return f"renamed to {renamed[0]}"
    return "replaced since" if name in prints else "deleted since"


def model_prints() -> dict[str, str]:
    """Return the checksums of the arrays of all models.

    Returns
    -------
    dict of str to str
        By name; models whose metadata cannot be read are left out.
    """
    found = {}
    for name in list_models():
        try:
            text = (find_model(name) / "metadata.json").read_text(encoding="utf-8")
            found[name] = str(json.loads(text)["sha256"]["model.npz"])
        except (FacecoreError, OSError, ValueError, LookupError, TypeError):
            continue
    return found


def _plain(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, (dict, list, tuple)) or value is None else value
