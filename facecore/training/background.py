"""Train in the background: the command line as a process of its own, with its state on disk.

``WORK/training/`` holds the job (``job.json``), its photos and crops, its progress, its log and its
result. Every reader, before or after a restart, finds the same. While a process of the job lives it
holds ``WORK/training.lock``, as `facecore.system.holds` does, so it is free when the job dies.
"""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from facecore.data.archive import unpack_labels
from facecore.errors import DataError
from facecore.model.store import (
    artifacts_dir,
    check_new_name,
    load_model,
    read_metadata,
    refuse_shipped,
)
from facecore.system.files import try_folder, write_json
from facecore.system.holds import hold, is_held, is_here, let_go, note_of, this_process
from facecore.system.paths import expand_home
from facecore.system.scratch import sweep
from facecore.training.runs import RUN, begin_run, end_run, new_run

LOCK = "training.lock"
LOG_BYTES = 2**20  # of the log are kept
TAIL_BYTES = 8_000  # of the log are shown
LINE = 4096  # characters of a line of the log, at most
ERROR = "error: "  # begins the line that says why a command failed
PATIENCE = 30.0  # seconds for a process to start, or to end when asked
PHOTOS = "photos"
_start = threading.Lock()
_started: list[subprocess.Popen[bytes]] = []  # asked for their exit code, so that no zombie stays


@dataclass(frozen=True)
class Job:
    """The training that runs, or the last one.

    Parameters
    ----------
    state : str
        ``"none"``, ``"running"``, ``"done"``, ``"failed"`` or ``"cancelled"``.
    name : str
        Name of the model.
    began : float
        When it began, in seconds since 1970.
    ended : float
        When it ended, in seconds since 1970; 0 while it runs.
    step : str
        Name of the current step, such as ``"crop"``.
    unit : str
        What the step counts, such as ``"photo"``.
    done : int
        Units that are done.
    total : int
        Units of the step.
    best : float or None
        Mean balanced accuracy of the best candidate so far, in [0, 1].
    step_began : float
        When the step began, in seconds since 1970.
    error : str
        One line if the training failed, else empty.
    log : str
        The end of the commands' output.
    crops : Path or None
        Folder with the table of what happened to the photos, once there is one.
    cropped : bool
        Whether the training cropped the photos itself, rather than begin with a folder of crops.
    photos : Path or None
        The photos of a ZIP that wait for another try, since the training failed or dropped many.
    title : str
        Name of the data set, as `start_training` got it.
    curve : bool
        Whether it is no training, but the learning curve of a model.
    note : str
        One line on what failed after the model was stored, else empty.
    """

    state: str
    name: str = ""
    began: float = 0.0
    ended: float = 0.0
    step: str = ""
    unit: str = ""
    done: int = 0
    total: int = 0
    best: float | None = None
    step_began: float = 0.0
    error: str = ""
    log: str = ""
    crops: Path | None = None
    cropped: bool = False
    photos: Path | None = None
    title: str = ""
    curve: bool = False
    note: str = ""


def work_dir() -> Path:
    """Return the folder of jobs: ``FACECORE_WORK``, or ``work`` beside the folder of models.

    Returns
    -------
    Path
        May not exist yet.
    """
    chosen = os.environ.get("FACECORE_WORK")
    return (
        Path(expand_home(chosen)).resolve() if chosen else artifacts_dir().resolve().parent / "work"
    )


def take_photos(file: IO[bytes], mark: str, encoding: str | None = None) -> Path:
    """Unpack a ZIP of label folders for a training, in place of any other one.

    A ZIP that is unpacked already stays as it is. The photos are removed when the training ends
    (see `start_training`), or by `drop_photos`.

    Parameters
    ----------
    file : binary file
        As `facecore.data.archive.unpack_labels` takes it.
    mark : str
        Distinguishes this ZIP from others.
    encoding : str, optional
        Of names that do not say theirs, as `facecore.data.archive.unpack_labels` takes it.

    Returns
    -------
    Path
        A folder of label folders.

    Raises
    ------
    DataError
        The ZIP cannot be used, or a training runs.

    Examples
    --------
    >>> with open("photos.zip", "rb") as file:  # doctest: +SKIP
    ...     start_training("mine", take_photos(file, mark="photos.zip"))
    """
    mark = f"{mark} {encoding}" if encoding else mark
    photos = _folder() / PHOTOS / hashlib.sha256(mark.encode()).hexdigest()[:16]
    with _start:
        _refuse_second()
        if not photos.is_dir():
            _remove(photos.parent)
            unpack_labels(file, photos, encoding=encoding)
    return photos


def drop_photos() -> None:
    """Remove the photos that `take_photos` unpacked, unless a training runs."""
    with _start:
        if not _is_running():
            _remove(_folder() / PHOTOS)


# One parameter per field of the form that starts a training, so there are more than seven.
def start_training(
    name: str,
    source: Path | None,
    *,
    title: str = "",
    made: int = 0,
    made_by: str | None = None,
    grid: str = "quick",
    recipe: str = "aligned",
    min_size: int | None = None,
    whole_photo: bool = False,
    identity: bool = False,
    seed: int = 0,
    keep: bool = False,
    curve: bool = False,
) -> None:
    """Start a training in the background, in place of the last one.

    The photos of `take_photos`, synthetic photos, and all crops of the job are removed when it
    ends. If it failed, or many of the photos of a ZIP had no face or too small a one, these photos
    stay for another try, until `clear_job`, `drop_photos` or another training on other photos.

    Parameters
    ----------
    name : str
        Name of the model; one of that name is replaced.
    source : Path or None
        A folder of crops (from ``facecore crop``) or of labelled photos; None trains on synthetic
        photos.
    title : str, default=""
        Name of the data set; that of the folder if empty.
    made : int, default=0
        Number of synthetic photos if there is no source.
    made_by : str, optional
        Name of the model that draws them; the default model if None.
    grid : str, default="quick"
        As `facecore.training.grids.read_grid` takes it.
    recipe : str, default="aligned"
        A key of `facecore.face.recipes.RECIPES`.
    min_size : int, optional
        A face whose box is narrower is left out, in pixels: as `facecore.data.recipe_settings`
        takes it. A folder of crops has its own limit.
    whole_photo : bool, default=False
        Whether each photo is the face already, so that no detector runs.
    identity : bool, default=False
        Whether each label is one person. Otherwise it is so if the data set names one subject per
        label.
    seed : int, default=0
        Seed of everything random.
    keep : bool, default=False
        Whether the photos of a ZIP stay in any case, so that their labels can be corrected.
    curve : bool, default=False
        Measure the learning curve of the model after the training, while its photos are there.

    Raises
    ------
    FacecoreError
        The name or the folder cannot be used, the model ships with facecore, or another training
        runs.

    Examples
    --------
    >>> start_training("mine", Path("photos"), grid="quick")  # doctest: +SKIP
    >>> read_job().state  # doctest: +SKIP
    'running'
    """
    refuse_shipped(check_new_name(name))
    try_folder(artifacts_dir())
    folder = _folder()
    raw = folder / PHOTOS / "made" if source is None else Path(source).resolve()
    called = title or ("made-faces" if source is None else raw.name)
    commands: list[list[Any]] = []
    if source is None:
        by = ["--model", made_by] if made_by else []
        commands.append(["synth", "--out", raw, "--count", made, "--seed", seed, *by])
    crops = raw if _has_account(raw) else _crops_of(called)
    if crops != raw:
        commands.append(_cut(raw, crops, recipe, min_size, whole_photo))
    how = ["--name", name, "--grid", grid, "--recipe", recipe, "--seed", seed]
    how += ["--whole-photo"] * whole_photo + ["--identity"] * identity + ["--replace"]
    commands.append(["train", crops, *how, *_watched()])
    then = [["learning-curve", crops, "--model", name, *_watched()]] if curve else []
    facts = {"by": "page", "recipe": recipe, "grid": Path(grid).name, "seed": seed}
    job: dict[str, Any] = {"run": new_run(), "facts": facts, "keep": keep}
    job["then"] = [list(map(str, one)) for one in then]
    _start_job(name, source, raw, crops, called, commands, job)


def start_curve(name: str, source: Path) -> None:
    """Start to measure the learning curve of a model in the background, in place of the last job.

    Parameters
    ----------
    name : str
        Name of the model, which is one's own.
    source : Path
        The folder of crops or of photos that it was trained on.

    Raises
    ------
    FacecoreError
        The model or the folder cannot be used, or another job runs.

    Examples
    --------
    >>> start_curve("mine", Path("photos"))  # doctest: +SKIP
    """
    from facecore.face.detect import WholeSettings  # see `_has_account`
    from facecore.training.learning_curve import refuse_curve

    refuse_curve(name)
    metadata, recipe = read_metadata(name), load_model(name).recipe
    raw = Path(source).resolve()
    kept = bool(_read(_folder() / "job.json").get("keep"))  # its photos wait for corrections
    sets = list(metadata["data"])
    called = sets[0] if len(sets) == 1 else raw.name  # folds follow from the name of the set
    commands: list[list[Any]] = []
    crops = raw if _has_account(raw) else _crops_of(called)
    if crops != raw:
        least = metadata["data"][called].get("min_size") if called in sets else None
        whole = isinstance(recipe.detector, WholeSettings)
        commands.append(_cut(raw, crops, metadata["recipe"], None if whole else least, whole))
    commands.append(["learning-curve", crops, "--model", name, *_watched()])
    _start_job(name, source, raw, crops, called, commands, {"curve": True, "keep": kept})


def _crops_of(title: str) -> Path:
    plain = re.sub(r"[^\w-]+", "-", title).strip("-")[:64] or "photos"
    return _folder() / "crops" / plain


def _cut(raw: Path, crops: Path, recipe: str, min_size: int | None, whole: bool) -> list[Any]:
    how: list[Any] = ["--recipe", recipe, *["--whole-photo"] * whole]
    how += ["--min-size", min_size] if min_size else []
    return ["crop", raw, "--out", crops, *how, *_watched()]


def _start_job(
    name: str,
    source: Path | None,
    raw: Path,
    crops: Path,
    title: str,
    commands: Sequence[Sequence[Any]],
    more: Mapping[str, Any],
) -> None:
    folder = _folder()
    job = {
        "name": name,
        "began": time.time(),
        "crops": str(crops),
        "photos": str(raw) if source is not None and folder / PHOTOS in raw.parents else "",
        "title": title,
        "commands": [list(map(str, command)) for command in commands],
        **more,
    }
    with _start:
        _refuse_second()
        if source is not None and not raw.is_dir():
            raise DataError(f"no folder at {raw}")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for path in folder.iterdir():
                if source is None or path not in raw.parents:
                    _remove(path)
            write_json(folder / "job.json", job)
            _spawn(folder)
        except OSError as error:
            raise DataError(f"cannot write to {folder}: {error.strerror}") from error


def read_job() -> Job:
    """Read the state of the training that runs, or of the last one.

    Returns
    -------
    Job
        Of state ``"none"`` where there was no training.
    """
    folder = _folder()
    running = _is_running()  # asked first: a training that ends now has written its result
    job, result, progress = (
        _read(folder / f"{part}.json") for part in ("job", "result", "progress")
    )
    if "name" not in job:
        return Job("none")
    error = ""
    if running:
        state = "running"
    elif result.get("code") == 0:
        state = "done"
    elif (folder / "cancelled").exists():
        state = "cancelled"
    else:
        state = "failed"
        error = result.get("error") or "it ended without a message: killed, or the disk is full"
    steps = ("step", "unit", "done", "total", "best")
    return Job(
        state,
        job["name"],
        job["began"],
        0.0 if running else _ended(folder),
        **{key: progress[key] for key in steps if key in progress},
        step_began=progress.get("started", 0.0),
        error=error,
        log=_tail(folder / "log.txt"),
        crops=Path(job["crops"]) if _has_account(Path(job["crops"])) else None,
        cropped=any(command[0] == "crop" for command in job["commands"]),
        photos=_waiting(job) if not running else None,
        title=job.get("title", ""),
        curve=bool(job.get("curve")),
        note=result.get("note", ""),
    )


def _waiting(job: Mapping[str, Any]) -> Path | None:
    """Return the photos of a ZIP that are still there after a training on them."""
    photos = Path(job.get("photos") or "no photos")
    return photos if photos.is_dir() else None


def cancel_job() -> None:
    """Stop the running training with all its processes; a model of that name stays as it was.

    Raises
    ------
    DataError
        The training did not end, or runs on another computer.
    """
    folder = _folder()
    with _start:
        if not _is_running():
            return
        # While the lock is held a process of the job lives, so no other process has its number.
        process = _read(folder / "pid.json")
        if not process:
            raise DataError("the training is only just starting; try again in a moment")
        if not is_here(process):
            note = note_of(work_dir() / LOCK)
            raise DataError(
                f"the training runs on another computer, {process.get('host')}; cancel it there"
                + (f", or remove {note} if it runs no more" if note.exists() else "")
            )
        (folder / "cancelled").touch()
        for how in ("SIGTERM", "SIGKILL"):
            _kill(process["pid"], how)
            patience = time.monotonic() + PATIENCE / 3
            while time.monotonic() < patience:
                if not _is_running():
                    _tidy(folder)
                    if run := _read(folder / "job.json").get("run"):
                        end_run(run, "cancelled", "stopped on the page")
                    return
                time.sleep(0.05)
    raise DataError("the training did not end")


def clear_job() -> None:
    """Remove everything of the last training: photos, crops, log and state.

    Raises
    ------
    DataError
        The training still runs.
    """
    with _start:
        _refuse_second()
        _remove(_folder())


def _folder() -> Path:
    return work_dir() / "training"


def _has_account(crops: Path) -> bool:
    from facecore.data.crops import TABLE  # the first process of a job lives long, without pandas

    return (crops / TABLE).is_file()


def _watched() -> list[Any]:
    """Return the options of a command whose progress is watched, and that leaves a core free."""
    jobs = max(1, (os.cpu_count() or 1) - 1)
    return ["--jobs", jobs, "--progress", _folder() / "progress.json"]


def _refuse_second() -> None:
    if _is_running():
        raise DataError("a training is already running; wait until it ends, or cancel it")


def _is_running() -> bool:
    path = work_dir() / LOCK
    _started[:] = [process for process in _started if process.poll() is None]
    try:
        return is_held(path)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error


def _spawn(folder: Path) -> None:
    checkout = str(Path(__file__).resolve().parents[2])
    paths = [checkout, *filter(None, [os.environ.get("PYTHONPATH")])]
    settings = {
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONSAFEPATH": "1",
        "FACECORE_ARTIFACTS": str(artifacts_dir().resolve()),
        "FACECORE_WORK": str(work_dir()),
        "PYTHONIOENCODING": "utf-8",
    }
    with open(folder / "log.txt", "ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "facecore.training.background"],
            cwd=folder,
            env=os.environ | settings,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    _started.append(process)
    patience = time.monotonic() + PATIENCE
    while process.poll() is None and not (folder / "pid.json").exists():
        if time.monotonic() > patience:
            raise DataError("the training did not start")
        time.sleep(0.02)


def run_job() -> None:
    """Run the commands of the job one after the other, in the background process."""
    folder = _folder()
    path = work_dir() / LOCK
    held = hold(path, PATIENCE / 3, make=True)  # a reader tries it for a moment
    if held is None:
        sys.exit(f"error: another training holds {path}")
    write_json(folder / "pid.json", this_process())
    if sys.platform != "win32":
        with suppress(OSError):  # a container may forbid it
            os.nice(5)
    job = _read(folder / "job.json")
    run = job.get("run", "")
    if run:
        begin_run(run, job["name"], job["facts"])
        os.environ[RUN] = run
    code, error = _run_all(job["commands"], folder, held)
    if code and run:  # what `train` itself has said counts
        end_run(run, "failed", error)
    result = {"code": code, "error": error}
    if not code and job.get("then"):
        write_json(folder / "result.json", result)  # the model is stored, whatever follows
        _, result["note"] = _run_all(job["then"], folder, held)
    stay = code or job.get("keep") or _dropped_many(Path(job["crops"]))
    _tidy(folder, keep=_waiting(job) if stay else None)
    write_json(folder / "result.json", result)
    let_go(held)


def _run_all(commands: Sequence[Sequence[str]], folder: Path, held: IO[bytes]) -> tuple[int, str]:
    """Run commands until one fails, and return its code and its error."""
    for arguments in commands:
        code, last = _run(arguments, folder / "log.txt", held)
        if code:
            error = last.removeprefix(ERROR) if code > 0 else "it was killed; is memory short?"
            return code, error
    return 0, ""


def _run(arguments: Sequence[str], log: Path, held: IO[bytes]) -> tuple[int, str]:
    """Run one command, keep the beginning of what it prints, return its code and its error.

    Without an error it is the last line. What comes behind an error, such as warnings of worker
    processes that end, does not say why.
    """
    # Its command inherits the lock, so a job whose first process was killed still counts as alive.
    kept = () if sys.platform == "win32" else (held.fileno(),)
    last = ""
    with (
        open(log, "a", encoding="utf-8") as file,
        subprocess.Popen(
            [sys.executable, "-m", "facecore", *arguments],
            pass_fds=kept,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        ) as process,
    ):
        output = process.stdout
        assert output is not None
        while line := output.readline(LINE):
            if not last.startswith(ERROR) or line.startswith(ERROR):
                last = line.strip() or last
            if file.tell() < LOG_BYTES:
                file.write(line)
                file.flush()
    return process.returncode, last


def _kill(process: int, how: str) -> None:
    if sys.platform == "win32":
        subprocess.run(["taskkill", "/F", "/T", "/PID", str(process)], check=False)
    else:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process, getattr(signal, how))


def _dropped_many(crops: Path) -> bool:
    """Return whether other settings may find many more faces."""
    from facecore.data.crops import read_table  # at the job's end, see `_has_account`
    from facecore.data.losses import find_losses

    try:
        losses = find_losses(read_table(crops))
    except DataError:
        return False
    return any(loss.state in ("no_face", "too_small") for loss in losses)


def _tidy(folder: Path, keep: Path | None = None) -> None:
    """Remove photos, crops and temporary files of the job; the table of the photos stays."""
    if keep is None:
        _remove(folder / PHOTOS)
    for crops in folder.glob("crops/*/*_crop"):
        _remove(crops)
    sweep()


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _ended(folder: Path) -> float:
    for name in ("result.json", "cancelled", "log.txt"):
        with suppress(OSError):
            return (folder / name).stat().st_mtime
    return 0.0


def _tail(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            file.seek(max(0, path.stat().st_size - TAIL_BYTES))
            return file.read().decode(errors="replace")
    except OSError:
        return ""


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}


if __name__ == "__main__":
    run_job()
