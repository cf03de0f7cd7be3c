"""The public lists of the library and its rooms: the same objects on every way to them."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

REPO = Path(__file__).resolve().parents[2]
ROOMS = sorted(path.parent.name for path in REPO.glob("facecore/*/__init__.py"))
LISTS = ["facecore", *(f"facecore.{room}" for room in ROOMS)]
# What a fresh interpreter sees: each list by attribute, by import and by star; then once more, when
# every module of the library was imported, whose names must not hide what a list has.
LOOK = """
import importlib, json, pkgutil, sys, facecore
places = {name: importlib.import_module(name) for name in sys.argv[1:]}
first = {name: {n: getattr(place, n) for n in place.__all__} for name, place in places.items()}
modules = [m.name for m in pkgutil.walk_packages(facecore.__path__, "facecore.")]
for module in modules:
    if not module.endswith("__main__"):
        importlib.import_module(module)
seen = {}
for name, place in places.items():
    star, one = {}, {}
    exec(f"from {name} import *", star)
    exec(f"from {name} import {', '.join(place.__all__)}", one)
    again = {n: getattr(place, n) for n in place.__all__}
    seen[name] = {
        "names": place.__all__,
        "star": sorted(set(star) - {"__builtins__"}),
        "differ": [n for n, v in first[name].items() if not v is star[n] is one[n] is again[n]],
        "modules": [n for n, v in again.items() if isinstance(v, type(sys))],
        "hidden": [n for n in place.__all__ if f"{name}.{n}" in modules],
        "unlisted": sorted(set(place.__all__) - set(dir(place))),
    }
print(json.dumps(seen))
"""


def fresh(code: str, *arguments: object, models: Path | None = None) -> str:
    """Run code in an interpreter of its own."""
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=os.environ
        | {"PYTHONPATH": str(REPO)}
        | ({"FACECORE_ARTIFACTS": str(models)} if models else {}),
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def heavy(code: str, *arguments: object, models: Path | None = None) -> set[str]:
    """Run code in an interpreter of its own and return the large packages that it imported."""
    tail = "\nimport sys\nprint(*{name.partition('.')[0] for name in sys.modules})"
    found = fresh(code + tail, *arguments, models=models).splitlines()[-1].split()
    return {"numpy", "cv2", "scipy", "pandas", "sklearn", "joblib", "PIL"} & set(found)


def test_every_room_has_a_list():
    assert len(ROOMS) >= 6
    assert all(importlib.import_module(name).__all__ for name in LISTS)


@pytest.fixture(scope="module")
def seen(once) -> dict:
    folder = once("lists", lambda folder: (folder / "seen").write_text(fresh(LOOK, *LISTS)))
    return json.loads((folder / "seen").read_text())


@pytest.mark.parametrize("place", LISTS)
def test_every_name_is_the_same_object_on_every_way_and_no_module(place, seen):
    found = seen[place]
    assert found["differ"] == found["modules"] == found["unlisted"] == []
    assert found["star"] == sorted(found["names"])
    assert len(set(found["names"])) == len(found["names"]) > 3


@pytest.mark.parametrize("place", LISTS)
def test_no_module_has_a_name_that_its_package_lists(place, seen):
    assert seen[place]["hidden"] == []


@pytest.mark.parametrize("place", LISTS)
def test_a_name_that_is_not_in_the_list_is_no_attribute(place):
    with pytest.raises(AttributeError, match="nothing"):
        importlib.import_module(place).nothing  # noqa: B018


@pytest.mark.parametrize("place", LISTS)
def test_what_a_list_names_is_in_no_other_room_another_thing(place):
    module = importlib.import_module(place)
    for other in map(importlib.import_module, LISTS):
        for name in set(module.__all__) & set(other.__all__):
            assert getattr(module, name) is getattr(other, name), name
            assert not isinstance(getattr(module, name), ModuleType)


@pytest.mark.parametrize("place", LISTS)
def test_importing_a_list_imports_nothing_large(place):
    assert heavy(f"import {place}") == set()


def test_loading_and_asking_a_model_imports_neither_pandas_nor_scikit_learn(
    tiny_artifacts, raw_folder
):
    code = (
        "import sys\nfrom facecore import list_models, load_model, predict_photo\n"
        "assert list_models() == ['tiny']\n"
        "assert predict_photo(sys.argv[1], load_model('tiny')).faces"
    )
    photo = next(raw_folder.glob("*/*.jpg"))
    assert heavy(code, photo, models=tiny_artifacts) <= {"numpy", "cv2", "PIL"}


@pytest.mark.parametrize("place", ["face", "model", "system"])
def test_every_name_of_a_light_room_comes_without_pandas_and_scikit_learn(place):
    code = f"import facecore.{place} as room\nfor name in room.__all__: getattr(room, name)"
    assert not {"pandas", "sklearn"} & heavy(code)
