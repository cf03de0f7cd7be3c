"""Write the shipped model's figures into README.md: python docs/figures.py"""

import re
from pathlib import Path

from facecore.artifacts import find_model, read_evaluation, read_metadata

README = Path(__file__).resolve().parent.parent / "README.md"
MARK = "<!-- figures: classic -->"


def figures_text(name: str = "classic") -> str:
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
        f"{search['best']['n_components']} eigenfaces, {vectors['count']:,} {vectors['kind']} "
        f"({vectors['lead_back_to_a_photo']} lead back to a photo), {size:.1f} MB. Chosen among "
        f"{search['candidates']} candidates in {search['folds']} folds by person: balanced "
        f"accuracy {search['balanced_accuracy']:.3f} (standard deviation {search['std']:.3f}). "
        "Read once on photos that it never saw:",
        "",
        "| test set | photos | face found | accuracy / balanced, faces found "
        "| accuracy / balanced, all photos (no face = wrong) | 95 % interval, all |",
        "|---|---|---|---|---|---|",
    ]
    for data, f in evaluation.items():
        low, high = f["interval_all"]
        lines.append(
            f"| {data} | {f['n']:,} | {f['detected'] / f['n']:.3f} "
            f"| {f['accuracy_found']:.3f} / {f['balanced_accuracy_found']:.3f} "
            f"| {f['accuracy_all']:.3f} / {f['balanced_accuracy_all']:.3f} "
            f"| {low:.3f} to {high:.3f} |"
        )
    lines += ["", "The command that made it:", "", f"    {metadata['command']}"]
    return "\n".join(lines)


def replace_figures(text: str, figures: str) -> str:
    """Return the README's text with the figures between their marks replaced.

    Parameters
    ----------
    text, figures : str

    Returns
    -------
    str
    """
    block = f"{MARK}\n{figures}\n{MARK}"
    return re.sub(f"{MARK}(.*{MARK})?", lambda _: block, text, count=1, flags=re.DOTALL)


if __name__ == "__main__":
    README.write_text(replace_figures(README.read_text("utf-8"), figures_text()), "utf-8")
