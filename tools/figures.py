"""Write the table of the shipped models into README.md: python tools/figures.py"""

import sys
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

from facecore.model import (  # noqa: E402
    DEFAULT_MODEL,
    SHIPPED,
    find_model,
    read_evaluation,
)
from tools.marks import replace_between  # noqa: E402

README = REPO / "README.md"
SETS = {"lfw": "LFW", "utkface": "UTKFace", "congress": "congress"}
TIMED = "lfw"  # photos of 250 x 250 pixels


def table() -> str:
    """Return the shipped models as a Markdown table.

    Returns
    -------
    str
        Per model: accuracy over all photos of each test set, the share of all photos on which it
        is unsure, the median milliseconds per photo, and the megabytes of its folder.
    """
    heads = [f"accuracy, {name}" for name in SETS.values()]
    lines = [
        f'| model | {" | ".join(heads)} | "unsure" | ms per photo | MB |',
        "|---|" + "---:|" * (len(heads) + 3),
    ]
    return "\n".join([*lines, *(_row(name) for name in SHIPPED)])


def _row(name: str) -> str:
    evaluation = read_evaluation(name) or {}
    photos = sum(figures["n"] for figures in evaluation.values())
    found = sum(figures["detected"] for figures in evaluation.values())
    answered = sum(figures["coverage"] * figures["n"] for figures in evaluation.values())
    size = sum(path.stat().st_size for path in find_model(name).iterdir()) / 1e6
    cells = [
        f"`{name}`, the default" if name == DEFAULT_MODEL else f"`{name}`",
        *(f"{evaluation[data]['accuracy_all']:.3f}" for data in SETS),
        f"{100 * max(found - answered, 0) / photos:.0f} %",
        f"{evaluation[TIMED]['ms_per_photo']:.0f}",
        f"{size:.1f}",
    ]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    README.write_text(replace_between(README.read_text("utf-8"), "models", table()), "utf-8")
