"""What the trials have in common: how one ends, and when memory is read."""

import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from facecore.errors import FacecoreError


def told(figures: Mapping[str, Any], problems: Sequence[str]) -> dict[str, Any]:
    """Print what a trial found.

    Parameters
    ----------
    figures : mapping of str to number or str
    problems : sequence of str

    Returns
    -------
    dict
        The figures.

    Raises
    ------
    FacecoreError
        There are problems.
    """
    for name, value in figures.items():
        print(f"{name.replace('_', ' '):<50} {value}")
    for problem, count in Counter(problems).most_common(20):
        print(f"{count} times: {problem}", file=sys.stderr)
    if problems:
        raise FacecoreError(f"{len(problems)} promises were not kept")
    return dict(figures)


def calmed(read: Callable[[], Any], size: Callable[[Any], float]) -> Any:
    """Return the smallest of some readings over three seconds, as memory goes back late.

    Parameters
    ----------
    read : callable
    size : callable
        What to compare readings by.

    Returns
    -------
    object
        A reading.
    """
    found = [read()]
    for _ in range(5):
        time.sleep(0.5)
        found.append(read())
    return min(found, key=size)
