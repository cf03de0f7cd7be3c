"""How every benchmark ends: with its figures in a file, or with one line of error."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from facecore.errors import FacecoreError


def publish(take: Callable[[], dict[str, Any]], file: Path | None) -> int:
    """Run a benchmark and write its figures as JSON.

    Parameters
    ----------
    take : callable
        Print the figures and return them.
    file : Path or None
        File to write; none when None.

    Returns
    -------
    int
        Exit code: 0, or 1 after an error of the project, which is printed in one line.
    """
    try:
        figures = take()
    except FacecoreError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if file:
        file.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 0
