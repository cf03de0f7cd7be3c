"""Say how far a step is: a bar for a person, and a small file for a program that watches."""

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tqdm import tqdm

from facecore.errors import DataError

PAUSE = 0.25
Item = TypeVar("Item")


@dataclass
class _Watch:
    file: Path
    best: float | None = None  # of the grid search, also told in the steps after it
    written: float = 0.0


_watch: ContextVar[_Watch | None] = ContextVar("watch", default=None)


@contextmanager
def progress_to(file: Path) -> Iterator[None]:
    """Write the progress of the steps inside the block to a file.

    The file is replaced as a whole, at most four times a second: step, done, total, unit, best
    (mean balanced accuracy of the best candidate so far, or null), started (of the step) and
    updated (seconds since 1970).

    Parameters
    ----------
    file : Path

    Raises
    ------
    DataError
        There is no such folder.
    """
    if not file.parent.is_dir():
        raise DataError(f"cannot write the progress to {file}: no folder {file.parent}")
    token = _watch.set(_Watch(file))
    try:
        yield
    finally:
        _watch.reset(token)


@contextmanager
def step(name: str, total: int, unit: str, *, shown: bool) -> Iterator[Callable[..., None]]:
    """Announce a step of known length.

    Parameters
    ----------
    name : str
        Such as ``"crop"``.
    total : int
        Units of work.
    unit : str
        What is counted, such as ``"photo"``.
    shown : bool
        Show a bar on standard error.

    Yields
    ------
    callable
        ``advance(count=1, best=None)``, to be called as work is done.
    """
    watch, done, started = _watch.get(), 0, time.time()

    def advance(count: int = 1, best: float | None = None) -> None:
        nonlocal done
        done += count
        bar.update(count)
        if best is not None:
            bar.set_postfix(best=f"{best:.3f}", refresh=False)
        if watch is None:
            return
        watch.best = best or watch.best
        if count == 0 or done >= total or time.monotonic() - watch.written > PAUSE:
            watch.written = time.monotonic()
            report = {
                "step": name, "done": done, "total": total, "unit": unit, "best": watch.best,
                "started": started, "updated": time.time(),
            }  # fmt: skip
            _write(watch.file, report)

    with tqdm(total=total, desc=name, unit=unit, disable=not shown) as bar:
        advance(0)
        yield advance


def track(
    items: Iterable[Item], total: int, name: str, unit: str, *, shown: bool
) -> Iterator[Item]:
    """Yield items, each one unit of a step.

    Parameters
    ----------
    items : iterable
    total, name, unit, shown
        As `step` takes them.

    Yields
    ------
    object
        The items.
    """
    with step(name, total, unit, shown=shown) as advance:
        for item in items:
            yield item
            advance()


def _write(file: Path, report: dict[str, Any]) -> None:
    beside = file.with_name(f".{file.name}.new")
    # Whoever watches may hold the file (Windows), or the disk be full: the work goes on.
    with suppress(OSError):
        beside.write_text(json.dumps(report), encoding="utf-8")
        os.replace(beside, file)
