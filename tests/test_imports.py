"""What `lint-imports` cannot see: scripts import rooms, and the library not its own public list."""

import ast
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[1]
ROOMS = {path.parent.name for path in REPO.glob("facecore/*/__init__.py")}
PUBLIC = {"facecore", "facecore.errors", "facecore.__main__"} | {f"facecore.{r}" for r in ROOMS}
SCRIPTS = sorted(
    path
    for folder in (".", "pages", "benchmarks", "tools")
    for path in (REPO / folder).glob("*.py")
)
LIBRARY = sorted(REPO.glob("facecore/**/*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(REPO).as_posix()


def imports_of(source: str) -> set[tuple[str, str]]:
    """Modules that a source imports, each with the name that it takes from it."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and not node.level:
            found |= {(node.module or "", alias.name) for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {(alias.name, "") for alias in node.names}
    return found


def inner(source: str) -> list[str]:
    """Modules inside rooms that a source imports."""
    modules = {
        path.relative_to(REPO).with_suffix("").as_posix().replace("/", ".") for path in LIBRARY
    }
    found = []
    for module, name in sorted(imports_of(source)):
        if module.partition(".")[0] == "facecore":
            found += [full for full in (module, f"{module}.{name}") if full in modules - PUBLIC]
    return found


def test_there_are_scripts_and_rooms():
    assert sorted(ROOMS) == ["data", "evaluation", "face", "model", "system", "training"]
    assert {"dashboard.py", "pages/5_Live_prediction.py", "benchmarks/crop.py"} <= {
        name_of(path) for path in SCRIPTS
    }


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from facecore.model import load_model", []),
        ("import facecore\nfrom facecore import train\nfrom facecore.errors import DataError", []),
        ("from facecore.model.store import load_model", ["facecore.model.store"]),
        ("def f():\n    import facecore.data.crops as c", ["facecore.data.crops"]),
        ("from facecore.model import predict", ["facecore.model.predict"]),
    ],
)
def test_modules_inside_rooms_are_found_in_a_source(source, found):
    assert inner(source) == found


@pytest.mark.parametrize("path", SCRIPTS, ids=name_of)
def test_a_script_imports_rooms_and_not_the_modules_inside_them(path):
    assert inner(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", LIBRARY, ids=name_of)
def test_the_library_imports_modules_and_not_its_own_public_list(path):
    taken = [name for module, name in imports_of(path.read_text("utf-8")) if module == "facecore"]
    assert set(taken) <= {"__version__"}
