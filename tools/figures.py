"""Write the table of the shipped models into README.md: python tools/figures.py"""

import sys
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

from facecore.evaluation import pool_answers, pool_confusions  # noqa: E402
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
        Per model: the share of all test photos that it answers, how many of these answers are
        right, its accuracy where it must answer every photo (all, and each test set), the median
        milliseconds per photo, and the megabytes of its folder.
    """
    heads = ["answered", "right when answered", "forced accuracy", *SETS.values()]
    lines = [
        f"| model | {' | '.join(heads)} | ms per photo | MB |",
        "|---|" + "---:|" * (len(heads) + 2),
    ]
    return "\n".join([*lines, *(_row(name) for name in SHIPPED)])


def _row(name: str) -> str:
    evaluation = read_evaluation(name) or {}
    answers, confusion = pool_answers(evaluation), pool_confusions(evaluation)
    right = sum(row[label] for label, row in confusion.items())
    photos = sum(sum(row.values()) for row in confusion.values())
    size = sum(path.stat().st_size for path in find_model(name).iterdir()) / 1e6
    cells = [
        f"`{name}`, the default" if name == DEFAULT_MODEL else f"`{name}`",
        *(f"{answers[key]:.3f}" for key in ("coverage", "accuracy_answered")),
        f"{right / photos:.3f}",
        *(f"{evaluation[data]['accuracy_all']:.3f}" for data in SETS),
        f"{evaluation[TIMED]['ms_per_photo']:.0f}",
        f"{size:.1f}",
    ]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    README.write_text(replace_between(README.read_text("utf-8"), "models", table()), "utf-8")
