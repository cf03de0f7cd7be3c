"""Write the shipped models' figures into README.md: python tools/figures.py"""

import sys
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

from facecore.face import MEMBERS, RECIPES, crops_of  # noqa: E402
from facecore.model import SHIPPED, find_model, read_evaluation, read_metadata  # noqa: E402

README = REPO / "README.md"


def figures_text(name: str) -> str:
    """Return the figures of a model as Markdown.

    Parameters
    ----------
    name : str

    Returns
    -------
    str
    """
    metadata, evaluation = read_metadata(name), read_evaluation(name) or {}
    size = sum(path.stat().st_size for path in find_model(name).iterdir()) / 1e6
    vectors, search = metadata["kernel_vectors"], metadata["search"]
    lines = [
        f"`{name}`: {sum(metadata['training_faces'].values()):,} training faces, "
        f"{_components(metadata)}, {vectors['count']:,} {vectors['kind']} "
        f"({vectors['lead_back_to_a_photo']} lead back to a photo), {size:.1f} MB. Chosen among "
        f"{search['candidates']} candidates in {search['folds']} folds by person: balanced "
        f"accuracy {search['balanced_accuracy']:.3f} (standard deviation {search['std']:.3f}), "
        f"made in {metadata['minutes']:.0f} minutes from {_begun(metadata['recipe'])}. "
        "On photos that it never saw:",
        "",
        "| test set | photos | face found | accuracy / balanced, faces found "
        "| accuracy / balanced, all photos (no face = wrong) | 95 % interval, all "
        "| calibration error | answered / right of these |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for data, f in evaluation.items():
        low, high = f["interval_all"]
        lines.append(
            f"| {data} | {f['n']:,} | {f['detected'] / f['n']:.3f} "
            f"| {f['accuracy_found']:.3f} / {f['balanced_accuracy_found']:.3f} "
            f"| {f['accuracy_all']:.3f} / {f['balanced_accuracy_all']:.3f} "
            f"| {low:.3f} to {high:.3f} | {f['calibration_error']:.3f} "
            f"| {f['coverage']:.3f} / {f['accuracy_answered']:.3f} |"
        )
    lines += ["", "The command that made it:", "", f"    {metadata['command']}"]
    return "\n".join(lines)


def _begun(recipe: str) -> str:
    cut_by = crops_of(RECIPES[recipe])
    return "the raw photos" if cut_by == recipe else f"the crops of `{cut_by}`"


def _components(metadata: dict[str, Any]) -> str:
    search = metadata["search"]
    counts = {name: best["n_components"] for name, best in search.get("members", {}).items()}
    if not counts:
        drawn = "pixels" in MEMBERS[metadata["recipe"]]
        count = search["best"]["n_components"]
        return f"{count} eigenfaces" if drawn else f"{count} components of the network's numbers"
    return ", ".join(f"{count} components of {name}" for name, count in counts.items())


def replace_figures(text: str, name: str, figures: str, kind: str = "figures") -> str:
    """Return a page with the figures between two marks replaced.

    Parameters
    ----------
    text, name, figures : str
    kind : str
        The marks are ``<!-- kind: name -->``; after a lone one the other is set.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        The page has no such mark.
    """
    mark = f"<!-- {kind}: {name} -->"
    before, found, rest = text.partition(mark)
    if not found:
        raise ValueError(f"the page needs the mark {mark} around the figures")
    return f"{before}{mark}\n{figures}\n{mark}{rest.rpartition(mark)[2]}"


if __name__ == "__main__":
    text = README.read_text("utf-8")
    for name in SHIPPED:
        text = replace_figures(text, name, figures_text(name))
    README.write_text(text, "utf-8")
