"""Paths as a shell would read them, where no shell did, and names as other disks read them."""

from pathlib import Path

import pytest

from facecore.errors import DataError
from facecore.system.paths import (
    RESERVED,
    expand_home,
    expand_one,
    expand_patterns,
    file_key,
    find_twins,
)


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    for name in ("b.png", "a.png", "c.jpg", "a[1].png", "a1.png", ".hidden.png", "sub/d.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (["*.png"], ["a1.png", "a[1].png", "a.png", "b.png"]),
        (["?.png"], ["a.png", "b.png"]),
        (["[bc].*"], ["b.png", "c.jpg"]),
        (["**/*.png"], ["a1.png", "a[1].png", "a.png", "b.png", "sub/d.png"]),
        (["s*"], ["sub"]),
        (["c.jpg", "?.png", "missing.png"], ["c.jpg", "a.png", "b.png", "missing.png"]),
        (["*.gif"], ["*.gif"]),
        (["a[1].png"], ["a[1].png"]),
        (["./a[1].png"], ["./a[1].png"]),
        (["sub/*"], ["sub/d.png"]),
        ([], []),
    ],
)
def test_patterns(folder, given, found):
    paths = [path.replace("\\", "/") for path in expand_patterns(given)]
    assert sorted(paths) == sorted(found)
    if len(given) == 1:
        assert paths == sorted(paths)


def test_a_pattern_that_a_file_has_as_its_name_is_that_file(folder):
    (folder / "a[1].png").unlink()
    assert expand_patterns(["a[1].png"]) == ["a1.png"]


def test_patterns_with_whole_paths_and_behind_the_home_folder(folder, monkeypatch):
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(folder))
    assert expand_patterns([str(folder / "?.png")]) == [
        str(folder / "a.png"),
        str(folder / "b.png"),
    ]
    assert [Path(path) for path in expand_patterns(["~/s*/d.*"])] == [folder / "sub" / "d.png"]


@pytest.mark.parametrize("path", ["~", "~/photos", "~nobody-here/photos", "a/~/b", "x~", ""])
def test_home(monkeypatch, path):
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, "/home/anna")
    begins = path == "~" or path.startswith("~/")
    assert expand_home(path) == ("/home/anna" + path[1:] if begins else path)


def test_one_of_several_is_refused_with_an_example(folder):
    assert expand_one("c.*") == Path("c.jpg")
    with pytest.raises(DataError, match=r"2 files match \?\.png; give one, such as a\.png"):
        expand_one("?.png")


@pytest.mark.parametrize(
    ("names", "twins"),
    [
        ([], None),
        (["anna", "anna"], None),
        (["anna", "bea", "Anna"], ("Anna", "anna")),
        (["\xc9mu", "\xe9mu"], ("\xc9mu", "\xe9mu")),
        (["caf\xe9", "cafe\u0301"], ("cafe\u0301", "caf\xe9")),
        (["a b", "ab"], None),
    ],
)
def test_twins_are_names_of_one_folder_where_capitals_do_not_count(names, twins):
    assert find_twins(names) == twins
    if twins:
        assert file_key(twins[0]) == file_key(twins[1])


def test_devices_of_windows_are_known():
    assert {"CON", "PRN", "AUX", "NUL", "COM1", "LPT9"} <= RESERVED
