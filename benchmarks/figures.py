"""How every benchmark ends: its figures in a file, or one line of error."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from facecore.errors import FacecoreError


def publish(take: Callable[[], dict[str, Any]], file: Path | None) -> int:
    """Take the figures of a benchmark and write them as JSON.

    Parameters
    ----------
    take : callable
        Prints the figures and returns them.
    file : Path or None
        Where to write; nowhere when None.

    Returns
    -------
    int
        Exit code: 0, or 1 after an error of the project, which is told in one line.
    """
    try:
        figures = take()
    except FacecoreError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if file:
        file.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 0
