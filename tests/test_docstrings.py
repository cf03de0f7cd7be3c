"""Every public function, class and method says what it takes, and its examples are true."""

import ast
import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest
from numpydoc.validate import validate

import facecore

REPO = Path(__file__).resolve().parents[1]
FILES = sorted(path for app in ("facecore", "ui", "webapp") for path in (REPO / app).rglob("*.py"))
# GL08 no docstring, PR01-PR10 parameters that are missing, unknown, in another order, without type
# or description, or badly written, YD01 nothing about what is yielded.
CODES = {"GL08", "PR01", "PR02", "PR03", "PR04", "PR07", "PR10", "YD01"}
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def module_of(path: Path) -> str:
    parts = path.relative_to(REPO).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def public_names(path: Path) -> list[str]:
    """Full names of the functions, classes and methods without an underscore."""
    found = []

    def look(body: list[ast.stmt], place: str) -> None:
        for node in body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                if node.name.startswith("_"):
                    continue
                found.append(f"{place}.{node.name}")
                if isinstance(node, ast.ClassDef):
                    look(node.body, found[-1])

    look(ast.parse(path.read_text(encoding="utf-8")).body, module_of(path))
    return found


def test_functions_classes_and_methods_are_looked_at():
    names = [name for path in FILES for name in public_names(path)]
    assert len(names) > 300
    assert {"facecore.model.predict.predict_photo", "webapp.create_app"} < set(names)
    assert "facecore.model.classifier.FaceModel.predict_proba" in names
    assert not [name for name in names if name.rpartition(".")[2].startswith("_")]


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_every_module_says_what_it_is_for(path):
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


def faults(name: str) -> list[str]:
    """What the docstring of a name lacks."""
    thing = pkgutil.resolve_name(name)
    # what a class of Flask or gunicorn takes is described there, unless the class changes it
    inherited = isinstance(thing, type) and (
        "__init__" not in vars(thing) or getattr(thing, "_is_protocol", False)
    )
    codes = CODES - {"PR01"} if inherited else CODES
    return [f"{name}: {text}" for code, text in validate(name)["errors"] if code in codes]


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_the_docstrings_of_a_module_describe_every_parameter(path):
    found = [fault for name in public_names(path) for fault in faults(name)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_the_examples_of_a_module_are_true(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "artifacts").mkdir()
    for model in (REPO / "artifacts").iterdir():  # examples may add models of their own
        (tmp_path / "artifacts" / model.name).symlink_to(model)
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(tmp_path / "artifacts"))
    monkeypatch.setenv("FACECORE_RUNS", str(tmp_path / "runs"))
    module = importlib.import_module(module_of(path))
    assert doctest.testmod(module, optionflags=FLAGS).failed == 0


@pytest.mark.parametrize("name", facecore.__all__)
def test_what_the_public_list_names_has_an_example(name):
    thing = getattr(facecore, name)
    if isinstance(thing, type) or callable(thing):
        tests = doctest.DocTestFinder(recurse=False).find(thing, name)
        assert "Examples" in (thing.__doc__ or "")
        assert sum(len(test.examples) for test in tests) > 0
