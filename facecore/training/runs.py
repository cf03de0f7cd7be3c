"""Experiment log: one line of JSON per training in a file beside the models.

A training writes two lines with one number: one when it begins, and one with its scores or with the
reason why there are none. So a training that was killed is known, too. Lines are appended under a
lock; a line that is damaged costs that line only. Trouble with the log never stops a training.
"""

import json
import os
import platform
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facecore.errors import DataError
from facecore.model.store import artifacts_dir, read_evaluation, read_metadata, read_model_table
from facecore.system.files import write_atomically
from facecore.system.holds import hold, is_here, let_go, lives, this_process
from facecore.system.paths import expand_home

if TYPE_CHECKING:
    from facecore.training.pipeline import Plan

RUNS_FOLDER = "_runs"  # beside the models; none of them can have this name
RUN = "FACECORE_RUN"  # number of the run, where a job has begun it
MOST_BYTES = 4 * 2**20  # of the log; then its older half is dropped
MOST_LINE = 2**16  # bytes of a line; longer ones leave out what is long
PATIENCE = 10.0  # seconds for another process to write its line
LONG = ("training_faces", "labels", "data", "test", "best")  # in the order of leaving out
OWN = ("seed", "jobs", "progress")  # options that have a place of their own, or change no result
NAMES = re.compile(r"[/\\]|\.(?:jpe?g|png|webp|heic|bmp|tiff?|gif|zip)\b", re.IGNORECASE)
FINAL = ("done", "failed", "cancelled")


@dataclass(frozen=True)
class RunLog:
    """What the experiment log holds.

    Parameters
    ----------
    runs : list of dict
        One per training, the newest first: ``run`` (its number), ``when`` (UTC), ``state``
        (``"running"``, ``"done"``, ``"failed"``, ``"cancelled"`` or ``"killed"``), ``name``,
        settings, and scores or ``reason``.
    damaged : int
        Lines that could not be read.
    """

    runs: list[dict[str, Any]]
    damaged: int = 0


def runs_file() -> Path:
    """Return the file of the experiment log.

    Returns
    -------
    Path
        In the folder that ``FACECORE_RUNS`` names, or else in ``_runs`` beside the models. It may
        not exist yet.

    Examples
    --------
    >>> runs_file().name
    'runs.jsonl'
    """
    chosen = os.environ.get("FACECORE_RUNS")
    return (Path(expand_home(chosen)) if chosen else artifacts_dir() / RUNS_FOLDER) / "runs.jsonl"


def new_run() -> str:
    """Return a number for a run that no other run has.

    Returns
    -------
    str
        16 hexadecimal digits.
    """
    return secrets.token_hex(8)


@contextmanager
def recording(plan: "Plan") -> Iterator[None]:
    """Record the training that the block does, however it ends.

    Parameters
    ----------
    plan : Plan
        What is trained, and how.

    Yields
    ------
    None
        While the training runs.
    """
    run = os.environ.get(RUN) or new_run()
    begin_run(run, plan.name, _describe_plan(plan))

    def end(state: str, **facts: Any) -> None:
        minutes = round((time.perf_counter() - plan.begun) / 60, 2)
        log_run({"run": run, "state": state, "minutes": minutes, **facts})

    try:
        yield
    except KeyboardInterrupt:
        end("cancelled", reason="stopped by its user")
        raise
    except BaseException as error:
        end("failed", reason=without_names(str(error)) or type(error).__name__)
        raise
    try:
        found = describe_model(plan.name)
    except Exception as error:  # the model is written; a log must not make it a failure
        found = {"reason": f"its scores could not be read: {without_names(str(error))}"}
    end("done", **found)


def begin_run(run: str, name: str, facts: Mapping[str, Any]) -> None:
    """Record that a training begins.

    Parameters
    ----------
    run : str
        Its number.
    name : str
        Name of the model.
    facts : mapping of str to object
        Settings, JSON types only.
    """
    when = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    about = {"run": run, "state": "running", "when": when, "name": name}
    log_run({**about, "process": this_process(), **facts})


def end_run(run: str, state: str, reason: str) -> None:
    """Record how a training ended, unless it has said so itself.

    Parameters
    ----------
    run : str
        Its number.
    state : {"failed", "cancelled"}
        How it ended.
    reason : str
        One line.
    """
    known = [found for found in read_runs().runs if found["run"] == run]
    if known and known[0]["state"] not in FINAL:
        log_run({"run": run, "state": state, "reason": without_names(reason)})


def log_run(record: Mapping[str, Any]) -> None:
    """Append one line to the log; say so on standard error where that is not possible.

    Parameters
    ----------
    record : mapping of str to object
        JSON types only, with the number of its run.
    """
    path = runs_file()
    try:
        line = _encode(record)
        path.parent.mkdir(parents=True, exist_ok=True)
        # Without the lock after a while: one short write to the end of a file rarely mixes.
        held = hold(path.with_name("lock"), PATIENCE, make=True)
        try:
            _bound(path)
            whole = not path.exists() or path.read_bytes()[-1:] in (b"", b"\n")
            with open(path, "ab") as file:
                file.write((b"" if whole else b"\n") + line)
        finally:
            if held is not None:
                let_go(held)
    except (OSError, ValueError, TypeError) as error:
        print(f"the experiment log {path} cannot be written: {error}", file=sys.stderr)


def read_runs() -> RunLog:
    """Read the experiment log.

    Returns
    -------
    RunLog
        Empty where nothing was trained yet.

    Raises
    ------
    DataError
        The file cannot be read.
    """
    path = runs_file()
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return RunLog([])
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error
    runs: dict[str, dict[str, Any]] = {}
    damaged = 0
    for line in filter(None, map(bytes.strip, lines)):
        try:
            record = dict(json.loads(line))
            number, _ = str(record["run"]), str(record["state"])
        except (ValueError, TypeError, KeyError, RecursionError):
            damaged += 1
            continue
        runs[number] = runs.pop(number, {}) | record
    for number in [n for n, found in runs.items() if not {"when", "name"} <= set(found)]:
        del runs[number]  # its first line was dropped or is damaged
        damaged += 1
    for found in runs.values():
        process = found.get("process")
        if found["state"] == "running" and process and is_here(process) and not lives(process):
            found |= {"state": "killed", "reason": "it ended without a word; is memory short?"}
    newest = sorted(runs.values(), key=lambda found: str(found["when"]))[::-1]
    return RunLog(newest, damaged)


def delete_runs() -> None:
    """Delete the experiment log; models stay.

    Raises
    ------
    DataError
        It cannot be deleted.
    """
    path = runs_file()
    try:
        path.unlink(missing_ok=True)
        for rest in (path.with_name("lock"), path.parent):
            with suppress(OSError):
                rest.rmdir() if rest.is_dir() else rest.unlink()
    except OSError as error:
        raise DataError(f"cannot delete {path}: {error.strerror}") from error


def describe_model(name: str) -> dict[str, Any]:
    """Return what a run records of the model that it wrote.

    Parameters
    ----------
    name : str
        Name of the model.

    Returns
    -------
    dict of str to object
        JSON types: data sets with counts, the best settings by member, cross-validated scores of
        the candidates and of the model, test figures by data set, and the checksum of the model.

    Raises
    ------
    FacecoreError
        The model is missing or damaged.

    Examples
    --------
    >>> found = describe_model("classic")
    >>> found["score"] == read_metadata("classic")["search"]["balanced_accuracy"]
    True
    """
    import pandas as pd  # a job's first process lives long, without it

    metadata, evaluation = read_metadata(name), read_evaluation(name) or {}
    search, rule = metadata["search"], metadata.get("rule") or {}
    members = search.get("members") or {"": search["best"]}
    table = read_model_table("grid_search", name)
    candidates: dict[str, float] = {}
    if table is not None:
        several = table.get("param_member", pd.Series("", index=table.index))
        best = table.loc[table["rank_test_score"].groupby(several, sort=False).idxmin()]
        candidates = {
            str(member): round(float(score), 4)
            for member, score in zip(several[best.index], best["mean_test_score"], strict=True)
        }
    return {
        "solver": metadata["solver"],
        "labels": metadata["labels"],
        "data": {
            label: {
                "photos": found["photos"],
                "train": found["train"],
                "test": found["test"],
                "kept": found["states"].get("kept", 0),
                **({"min_size": found["min_size"]} if "min_size" in found else {}),
            }
            for label, found in metadata["data"].items()
        },
        "training_faces": metadata["training_faces"],
        "candidates": search["candidates"],
        "best": members,
        "candidate_scores": candidates,
        "score": search["balanced_accuracy"],
        "std": search["std"],
        "answered_folds": rule.get("coverage"),
        "right_folds": rule.get("accuracy"),
        "test": {
            label: {
                "photos": found["n"],
                "answered": found.get("coverage"),
                "right": found.get("accuracy_answered"),
                "forced": found.get("accuracy_all"),
                "balanced": found.get("balanced_accuracy_all"),
            }
            for label, found in evaluation.items()
        },
        "checksum": metadata["sha256"]["model.npz"],
    }


def without_names(reason: str) -> str:
    """Return the reason of an error without paths and names of photos.

    Parameters
    ----------
    reason : str
        Message of an error.

    Returns
    -------
    str
        The parts between colons and semicolons that name no file.

    Examples
    --------
    >>> without_names("crop /home/eve/mine/round_crop/eve.png: damaged or cut off")
    'damaged or cut off'
    """
    parts = re.split(r"(?<=[:;])\s+", " ".join(reason.split()))
    kept = [part for part in parts if not NAMES.search(part)]
    return " ".join(kept).rstrip(":; ")


def _describe_plan(plan: "Plan") -> dict[str, Any]:
    from facecore import __version__
    from facecore.training.metadata import PACKAGES  # it needs pandas, too
    from facecore.training.options import DEFAULT_OPTIONS

    options = {
        field.name: getattr(plan.options, field.name)
        for field in fields(plan.options)
        if field.name not in OWN
        and getattr(plan.options, field.name) != getattr(DEFAULT_OPTIONS, field.name)
    }
    by = "page" if os.environ.get(RUN) else "command line" if plan.command else "Python"
    return {
        "by": by,
        "recipe": plan.recipe.name,
        "members": list(plan.recipe.members),
        "grid": Path(plan.grid).name,
        "seed": plan.options.seed,
        "jobs": plan.options.jobs,
        "options": options,
        "command": plan.command,
        "versions": {"python": platform.python_version()} | {p: version(p) for p in PACKAGES},
        "facecore": __version__,
        **_commit(),
    }


def _commit() -> dict[str, str]:
    """Return the commit of the checkout that trains, with its mark where files were changed."""
    checkout = Path(__file__).resolve().parents[2]
    if not (checkout / ".git").exists():
        return {}
    command = ["git", "-C", str(checkout), "describe", "--always", "--dirty", "--exclude=*"]
    with suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True)
        return {"commit": done.stdout.strip()}
    return {}


def _encode(record: Mapping[str, Any]) -> bytes:
    whole = dict(record)
    for key in ("", *LONG):
        if key and key in whole:
            del whole[key]
            whole["left_out"] = [*whole.get("left_out", []), key]
        line = json.dumps(whole, allow_nan=False).encode() + b"\n"
        if len(line) <= MOST_LINE:
            break
    return line


def _bound(path: Path) -> None:
    if path.exists() and path.stat().st_size > MOST_BYTES:
        lines = path.read_bytes().splitlines(keepends=True)
        write_atomically(path, b"".join(lines[len(lines) // 2 :]))
