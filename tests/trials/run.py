"""Run every long trial and write its figures into docs/limits.md.

    python tests/trials/run.py [NAME ...] [--quick]

Each trial is a script of its own beside this one and tells with --help what it does. The full ones
take about an hour and a half on two cores; --quick is the share that the gate runs, and writes
nothing.
"""

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPO))

from tools.marks import replace_between  # noqa: E402

LIMITS = REPO / "docs" / "limits.md"
PACKAGES = ("numpy", "opencv-python-headless", "pillow", "scikit-learn", "streamlit", "flask")

FULL: dict[str, list[str]] = {
    "fuzz": ["--minutes", "10"],
    "kills": ["--kills", "300"],
    "load": ["--requests", "10000", "--clients", "50"],
    "sessions": ["--sessions", "20"],
}
QUICK: dict[str, list[str]] = {
    "fuzz": ["--seconds", "15"],
    "kills": ["--kills", "30"],
    "load": ["--requests", "1000", "--clients", "20"],
    "sessions": ["--sessions", "4"],
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the trials that are named, all when none is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(FULL))
    parser.add_argument("--quick", action="store_true", help="small counts; writes nothing")
    options = parser.parse_args(arguments)
    if unknown := sorted(set(options.names) - set(FULL)):
        parser.error(f"no trial {', '.join(unknown)}; there are: {', '.join(FULL)}")
    failed = []
    for name in options.names or FULL:
        command = (QUICK if options.quick else FULL)[name]
        print(f"== {name}.py {' '.join(command)}", flush=True)
        with tempfile.TemporaryDirectory(prefix="facecore-trial-") as folder:
            file = Path(folder) / "figures.json"
            script = Path(__file__).with_name(f"{name}.py")
            done = subprocess.run([sys.executable, script, *command, "--json", file], check=False)
            if done.returncode:
                failed.append(name)
            elif not options.quick:
                table = as_table(json.loads(file.read_text(encoding="utf-8")), name, command)
                page = LIMITS.read_text(encoding="utf-8")
                LIMITS.write_text(replace_between(page, f"trial: {name}", table), encoding="utf-8")
    if failed:
        print(f"error: failed: {', '.join(failed)}", file=sys.stderr)
    return bool(failed)


def as_table(figures: Mapping[str, Any], name: str, command: Sequence[str]) -> str:
    """Return the figures of a trial as Markdown.

    Parameters
    ----------
    figures : mapping of str to number or str
    name : str
    command : sequence of str
        What it was started with.

    Returns
    -------
    str
    """
    when = datetime.datetime.now(datetime.UTC).date().isoformat()
    versions = ", ".join(f"{package} {version(package)}" for package in PACKAGES)
    lines = [
        f"`python tests/trials/{name}.py {' '.join(command)}`, {when}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, {versions}:",
        "",
        "| figure | value |",
        "|---|---|",
    ]
    for key, value in figures.items():
        told = f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else value
        lines.append(f"| {key.replace('_', ' ')} | {told} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
