"""Report progress: a bar for people, and a small file for programs that watch."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from tqdm import tqdm

from facecore.errors import DataError
from facecore.system.files import write_json

PAUSE = 0.25  # seconds between two writes of the file
LINES, LINE_PAUSE = 4, 10.0  # at most so many lines per step, seconds between two of them
Item = TypeVar("Item")


@dataclass
class _Watch:
    file: Path
    best: float | None = None  # of the grid search, repeated in the steps after it
    written: float = 0.0  # by time.monotonic


@dataclass
class _Lines:
    """Progress where no bar can move: a line per quarter, and not too often."""

    name: str
    total: int
    unit: str
    quarter: int = 0
    told: float = field(default_factory=lambda: time.monotonic())

    def tell(self, done: int) -> None:
        quarter = LINES * done // max(self.total, 1)
        soon = time.monotonic() - self.told < LINE_PAUSE
        if quarter <= self.quarter or (soon and done < self.total):
            return
        self.quarter, self.told = quarter, time.monotonic()
        units = self.unit if self.total == 1 else f"{self.unit}s"
        share = f"{done / self.total:.0%} ({done:,} of {self.total:,} {units})"
        print(f"{self.name}: {share}", file=sys.stderr, flush=True)


_watch: ContextVar[_Watch | None] = ContextVar("watch", default=None)


@contextmanager
def progress_to(file: Path) -> Iterator[None]:
    """Write the progress of the steps inside the block to a file.

    The file is replaced as a whole, at most four times per second. It holds one JSON object: step,
    done, total, unit, best (mean balanced accuracy of the best candidate so far, or null), started
    (of the step) and updated (both in seconds since 1970).

    Parameters
    ----------
    file : Path
        To be written. Its folder must exist.

    Yields
    ------
    None
        While the block runs, and is followed.

    Raises
    ------
    DataError
        The folder does not exist.

    Examples
    --------
    >>> import json
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "progress.json"
    ...     with progress_to(file):
    ...         photos = list(track(["a.jpg", "b.jpg"], 2, "crop", "photo", progress=False))
    ...     report = json.loads(file.read_text())
    >>> report["step"], report["done"], report["total"]
    ('crop', 2, 2)
    """
    if not file.parent.is_dir():
        raise DataError(f"cannot write the progress to {file}: no folder {file.parent}")
    token = _watch.set(_Watch(file))
    try:
        yield
    finally:
        _watch.reset(token)


@contextmanager
def step(name: str, total: int, unit: str, *, progress: bool) -> Iterator[Callable[..., None]]:
    """Announce a step of known length.

    Parameters
    ----------
    name : str
        Of the step, such as ``"crop"``.
    total : int
        Units of work.
    unit : str
        What is counted, such as ``"photo"``.
    progress : bool
        Show a bar on standard error; in a log file or a pipe, a few lines.

    Yields
    ------
    callable
        ``advance(count=1, best=None)``, to be called as work is done: count is the number of units,
        best the mean balanced accuracy of the best candidate so far, in [0, 1].
    """
    watch, done, started = _watch.get(), 0, time.time()
    on_screen = sys.stderr is not None and sys.stderr.isatty()
    lines = _Lines(name, total, unit) if progress and sys.stderr and not on_screen else None

    def _advance(count: int = 1, best: float | None = None) -> None:
        nonlocal done
        done += count
        bar.update(count)
        if best is not None:
            bar.set_postfix(best=f"{best:.3f}", refresh=False)
        if lines:
            lines.tell(done)
        if watch is None:
            return
        watch.best = watch.best if best is None else best
        if count == 0 or done >= total or time.monotonic() - watch.written > PAUSE:
            watch.written = time.monotonic()
            report = {
                "step": name,
                "done": done,
                "total": total,
                "unit": unit,
                "best": watch.best,
                "started": started,
                "updated": time.time(),
            }
            _write(watch.file, report)

    with tqdm(total=total, desc=name, unit=unit, disable=not (progress and on_screen)) as bar:
        _advance(0)
        yield _advance


def track(
    items: Iterable[Item], total: int, name: str, unit: str, *, progress: bool
) -> Iterator[Item]:
    """Yield items, each of them one unit of a step.

    Parameters
    ----------
    items : iterable
        To be yielded.
    total : int
        Number of the items.
    name : str
        Of the step, such as ``"crop"``.
    unit : str
        What an item is, such as ``"photo"``.
    progress : bool
        Show a bar on standard error; in a log file or a pipe, a few lines.

    Yields
    ------
    object
        The items, in their order.
    """
    with step(name, total, unit, progress=progress) as advance:
        for item in items:
            yield item
            advance()


def _write(file: Path, report: dict[str, Any]) -> None:
    # A program that watches may hold the file (Windows), or the disk be full: the work goes on.
    with suppress(OSError):
        write_json(file, report)
