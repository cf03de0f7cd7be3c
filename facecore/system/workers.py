"""Run calls on worker processes; a killed worker or too little memory is one error."""

import re
import warnings
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any

from facecore.errors import ResourceError

NO_MEMORY = "(-4:"  # in errors of OpenCV: cv2.Error.StsNoMem
FEWER = "use fewer worker processes (--jobs 1)"


def in_parallel(
    calls: Iterable[Any],
    jobs: int = 1,
    *,
    ordered: bool = True,
    batch_size: int | str = "auto",
    less: str = "",
) -> Generator[Any, None, None]:
    """Run calls on worker processes, by the engine that `joblib.parallel_config` names.

    Parameters
    ----------
    calls : iterable of tuple
        As `joblib.delayed` makes them.
    jobs : int, default=1
        Worker processes; -1 for one per core.
    ordered : bool, default=True
        Whether the results come in the order of the calls, rather than as they are ready.
    batch_size : int or "auto", default="auto"
        Calls that a worker takes at once.
    less : str, default=""
        What needs less memory, to be told where it is short, such as ``"a smaller --grid"``.

    Yields
    ------
    object
        Results of the calls.

    Raises
    ------
    ResourceError
        A worker process died, or memory is short.

    Examples
    --------
    >>> from joblib import delayed
    >>> list(in_parallel(delayed(pow)(n, 2) for n in range(4)))
    [0, 1, 4, 9]
    """
    import joblib  # one photo, in a web worker or on the command line, needs no joblib

    how = "generator" if ordered else "generator_unordered"
    with within_memory(less):
        results = joblib.Parallel(n_jobs=jobs, batch_size=batch_size, return_as=how)(calls)
        try:
            # `yield from` would close them before the warning is off
            for result in results:  # noqa: UP028
                yield result
        finally:
            with warnings.catch_warnings():  # a caller may stop early without a warning
                warnings.simplefilter("ignore")
                results.close()


@contextmanager
def within_memory(less: str = "") -> Iterator[None]:
    """Turn a lack of memory, or the death of a worker process, into one error of one line.

    Parameters
    ----------
    less : str, default=""
        What needs less memory, to be told, such as ``"a smaller --grid"``.

    Yields
    ------
    None
        While the block runs.

    Raises
    ------
    ResourceError
        A worker process died, or memory is short.

    Examples
    --------
    >>> from facecore.errors import FacecoreError
    >>> try:
    ...     with within_memory("fewer photos"):
    ...         raise MemoryError
    ... except FacecoreError as error:
    ...     print(error)
    memory is short; use fewer worker processes (--jobs 1), or fewer photos
    """
    try:
        yield
    except Exception as error:
        if what := _lack_of(error):
            raise ResourceError(f"{what}; {FEWER}{less and f', or {less}'}") from error
        raise


def _lack_of(error: Exception) -> str | None:
    """Return what was lacking where an error says so."""
    kind = f"{type(error).__module__}.{type(error).__name__}"
    if isinstance(error, MemoryError):
        detail = " ".join(str(error).split()).rstrip(".")
        return f"memory is short ({detail})" if detail else "memory is short"
    if kind == "cv2.error" and NO_MEMORY in str(error):  # its code is lost between processes
        return "memory is short (OpenCV)"
    if kind == "distributed.scheduler.KilledWorker":
        return "workers of the cluster were killed, probably because memory is short"
    if kind == "distributed.client.FutureCancelledError" and "lost dependencies" in str(error):
        return "workers of the cluster died, and the only copies of shared data with them"
    if not isinstance(error, BrokenProcessPool):
        return None
    ends = re.search(r"exit codes of the workers are \{(.*)\}", str(error))
    if ends is None:
        return f"a worker process broke down ({str(error).strip().splitlines()[0]})"
    codes = ", ".join(sorted(set(ends[1].split(", "))))  # of several workers
    cause = ", probably because memory is short" if "SIGKILL" in codes else ""
    return f"a worker process was killed ({codes}){cause}"
