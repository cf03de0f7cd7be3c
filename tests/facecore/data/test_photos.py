import os
import sys

import pytest
from cartoons import draw_photo, encode

from facecore.data.photos import describe_skipped, find_photos


@pytest.mark.parametrize(
    "name",
    ["a.jpg", "a.JPG", "a.jfif", "a.jpe", "a.pjpeg", "a.jpg_large", "a.heif", "a.dib", "a.apng"],
)
def test_a_photo_is_known_by_its_name(tmp_path, name):
    (tmp_path / name).write_bytes(b"x")
    assert find_photos(tmp_path).paths == [name]


@pytest.mark.parametrize(
    "kind", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "AVIF", "PPM", "JPEG2000"]
)
@pytest.mark.parametrize("name", ["photo", "photo.dat", "photo.jpg!d"])
def test_a_photo_of_another_name_is_known_by_its_first_bytes(tmp_path, kind, name):
    (tmp_path / name).write_bytes(encode(draw_photo("round", 0, side=40), kind))
    assert find_photos(tmp_path).paths == [name]


def test_what_is_no_photo_is_counted_by_its_reason(tmp_path):
    for name in ("a.txt", "b", "BMP.txt", ".hidden.jpg", "Thumbs.db", "._a.jpg", "c.jpg.zip"):
        (tmp_path / name).write_bytes(b"BMx of no photo")
    for folder in ("__MACOSX", ".git", "@eaDir"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "1.jpg").write_bytes(b"x")
    found = find_photos(tmp_path)
    assert found.paths == []
    assert found.skipped == {"not a photo": 4, "hidden": 6}
    assert describe_skipped(found.skipped) == "passed over: 6 hidden, 4 not a photo"


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights on Windows")
def test_links_are_followed_but_not_in_a_circle(tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "1.jpg").write_bytes(b"x")
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "near").symlink_to(tmp_path / "far")
    (tmp_path / "set" / "2.jpg").symlink_to(tmp_path / "far" / "1.jpg")
    (tmp_path / "far" / "up").symlink_to(tmp_path / "set")
    found = find_photos(tmp_path / "set")
    assert found.paths == ["2.jpg", "near/1.jpg"]
    assert found.skipped == {"linked in a circle": 1}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no such pipes")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert find_photos(tmp_path).skipped == {"not a photo": 1}
