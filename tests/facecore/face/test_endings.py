"""Photos that lack their end are read, those that lack a part of the picture are not."""

import numpy as np
import pytest
from cartoons import draw_photo
from corpus import encode
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from facecore.errors import PhotoError
from facecore.face.endings import END, NOTE, add_end
from facecore.face.images import decode

WAYS = {
    "baseline": {},
    "optimised": {"optimize": True},
    "progressive": {"progressive": True},
    "full colour": {"subsampling": 0},
    "restarts per row": {"restart_marker_rows": 1},
    "restarts per block": {"restart_marker_blocks": 1},
    "progressive with restarts": {"progressive": True, "restart_marker_blocks": 5},
    "fine": {"quality": 98},
}


def pictures() -> dict[str, Image.Image]:
    """A drawing, and the same before backgrounds that a missing part could be taken for."""
    drawn = draw_photo("round", 0)
    grain = np.random.default_rng(0).normal(0, 12, drawn.shape)
    made = {"drawing": drawn, "grain": np.clip(drawn + grain, 0, 255).astype(np.uint8)}
    for level in (0, 128, 255):
        made[f"on {level}"] = np.full((400, 300, 3), level, np.uint8)
        made[f"on {level}"][20:220, 50:250] = drawn
    images = {name: Image.fromarray(pixels) for name, pixels in made.items()}
    return images | {
        "grey": images["grain"].convert("L"),
        "CMYK": images["drawing"].convert("CMYK"),
    }


PICTURES = pictures()


def jpeg(name: str, way: str) -> bytes:
    return encode(PICTURES[name], "JPEG", **WAYS[way])


def reason_of(data: bytes) -> str:
    with pytest.raises(PhotoError) as caught:
        decode(data)
    return caught.value.reason


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("way", WAYS)
def test_a_jpeg_that_lacks_only_its_end_mark_is_read_with_a_note(name, way):
    whole = jpeg(name, way)
    for data in (whole[:-2], whole[:-1], whole[:-2] + bytes(500)):
        photo = decode(data)
        assert (photo.pixels == decode(whole).pixels).all()
        assert photo.notes == (NOTE,)
    for data in (whole, whole + b"<video>" * 99, whole + bytes(99)):
        assert decode(data).notes == ()


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("way", ["baseline", "full colour", "restarts per row", "fine"])
def test_a_jpeg_that_lacks_its_last_bytes_is_read_but_for_its_last_blocks(name, way):
    whole = jpeg(name, way)
    photo = decode(whole[:-5])
    assert photo.notes == (NOTE,)
    differs = (photo.pixels != decode(whole).pixels).any(axis=2)
    assert differs.mean() < 0.03
    assert not differs[:-20].any()


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("share", [0.2, 0.35, 0.5, 0.65])
def test_a_jpeg_that_lacks_a_part_of_the_picture_is_damaged(name, way, share):
    whole = jpeg(name, way)
    start = whole.find(b"\xff\xda")
    assert reason_of(whole[: start + 14 + int((len(whole) - start) * share)]) == "truncated"


@pytest.mark.parametrize("enough", [None, 60, 1000])
def test_a_jpeg_is_ended_at_any_size(enough):
    whole = encode(PICTURES["drawing"].resize((1600, 1200)), "JPEG")
    photo = decode(whole[:-2], enough=enough)
    assert (photo.width, photo.height, photo.notes) == (1600, 1200, (NOTE,))
    assert (photo.pixels == decode(whole, enough=enough).pixels).all()


@pytest.mark.parametrize("lost", [8, 12, 16])
def test_a_png_that_lacks_its_end_is_read_with_a_note(lost):
    whole = encode(PICTURES["drawing"])
    photo = decode(whole[:-lost])
    assert (photo.pixels == decode(whole).pixels).all()
    assert photo.notes == (NOTE,)
    assert decode(whole).notes == ()


@pytest.mark.parametrize("kind", ["PNG", "BMP"])
@pytest.mark.parametrize("name", ["drawing", "grain", "on 255", "grey"])
def test_a_png_or_bmp_that_lacks_a_little_is_read_and_one_that_lacks_more_is_not(kind, name):
    whole = encode(PICTURES[name], kind)
    for lost in (20, 30):
        photo = decode(whole[:-lost])
        assert photo.notes == (NOTE,)
        assert (photo.pixels != decode(whole).pixels).any(axis=2).mean() < 0.03
    for share in (0.3, 0.6, 0.9):
        assert reason_of(whole[: int(len(whole) * share)]) == "truncated"


@pytest.mark.parametrize("pixels", [99, 40_000])
def test_a_png_is_not_unpacked_beyond_the_limit(pixels):
    ended = add_end(encode(PICTURES["drawing"])[:-20], pixels)
    assert (ended is None) == (pixels == 99)


def test_a_png_that_unpacks_to_more_than_it_announces_is_not_ended():
    whole = encode(Image.new("L", (2000, 2000)))
    small = whole[:16] + (9).to_bytes(4, "big") * 2 + whole[24:-20]
    assert add_end(small, 10**9) is None


@pytest.mark.parametrize("data", [b"", b"\xff", b"\xff\xd8", b"\xff\xd8\xff\xda\0\x02", b"GIF89a"])
def test_what_is_no_photo_is_not_ended(data):
    assert add_end(data, 10**9) is None


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(list(WAYS)),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=5),
    st.floats(0.02, 1),
)
def test_damaged_bytes_are_ended_or_refused(way, changes, keep):
    damaged = bytearray(jpeg("drawing", way))
    for place, value in changes:
        damaged[int(place * (len(damaged) - 1))] = value
    data = bytes(damaged[: int(len(damaged) * keep)])
    ended = add_end(data, 10**9)
    assert ended is None or ended == data.rstrip(b"\xff") + END
