import io
import os
import pickle
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from cartoons import draw_photo, encode
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image

from facecore.errors import DataError, PhotoError
from facecore.face.images import (
    DEFAULT_LIMITS,
    HEIC_READABLE,
    Limits,
    Photo,
    decode,
    default_limits,
    to_png,
)


def quarters(width: int = 60, height: int = 40) -> np.ndarray:
    """A picture that differs in every corner: red, green, blue, yellow."""
    picture = np.zeros((height, width, 3), dtype=np.uint8)
    picture[: height // 2, : width // 2] = (220, 30, 30)
    picture[: height // 2, width // 2 :] = (30, 200, 30)
    picture[height // 2 :, : width // 2] = (30, 30, 210)
    picture[height // 2 :, width // 2 :] = (220, 210, 40)
    return picture


def with_orientation(upright: np.ndarray, orientation: int, kind: str, **options) -> bytes:
    """Store a picture turned as the tag says, so that reading must undo it."""
    undo = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }[orientation]
    image = Image.fromarray(np.ascontiguousarray(undo(upright)))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    buffer = io.BytesIO()
    image.save(buffer, kind, exif=exif, **options)
    return buffer.getvalue()


def reason_of(source, **options) -> str:
    with pytest.raises(PhotoError) as caught:
        decode(source, **options)
    assert str(caught.value)
    return caught.value.reason


def near(a: np.ndarray, b: np.ndarray, most: float = 12) -> bool:
    return a.shape == b.shape and np.abs(a.astype(int) - b.astype(int)).mean() < most


LOSSLESS = {
    "PNG": {},
    "WEBP": {"lossless": True},
    "BMP": {},
    "TIFF": {},
    "PPM": {},
    "JPEG2000": {"irreversible": False},
}
LOSSY = {"JPEG": {"quality": 95}, "AVIF": {"quality": 95}}


@pytest.mark.parametrize("kind", LOSSLESS)
def test_a_lossless_photo_decodes_to_the_very_pixels(kind):
    photo = decode(encode(quarters(), kind, **LOSSLESS[kind]))
    assert (photo.pixels == quarters()).all()
    assert (photo.width, photo.height, photo.format, photo.scale) == (60, 40, kind, 1)


@pytest.mark.parametrize("white", [255, 1000, 4095, 65535])
@pytest.mark.parametrize("brightest", [1.0, 0.003])
def test_a_pgm_is_scaled_by_the_maximum_in_its_header(white, brightest):
    levels = np.linspace(0, white * brightest, 64).round().astype(int)
    data = b"P5 8 8 %d\n" % white + levels.astype(">u2" if white > 255 else "u1").tobytes()
    expected = levels.reshape(8, 8) * 255 / white
    assert np.abs(decode(data).pixels[:, :, 0] - expected).max() <= 1


@pytest.mark.parametrize("data", [b"P1\n3 1\n1 0 1", b"P4\n3 1\n\xa0", b"P2 3 1 9\n0\n9 0"])
def test_black_and_white_is_read_from_bits_and_from_text(data):
    assert decode(data).pixels[0, :, 0].tolist() == [0, 255, 0]


def test_an_open_pgm_that_a_caller_has_read_is_decoded_again():
    image = Image.open(io.BytesIO(b"P5 2 1 9\n\x00\x09"))
    image.load()
    assert decode(image).pixels[0, :, 0].tolist() == [0, 255]


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"optimize": True}])
def test_a_jpeg_decodes_whether_progressive_or_not(options):
    photo = decode(encode(quarters(), "JPEG", quality=95, **options))
    assert near(photo.pixels, quarters())
    assert photo.pixels.dtype == np.uint8


def test_an_avif_photo_decodes():
    assert near(decode(encode(quarters(), "AVIF", quality=95)).pixels, quarters())


@pytest.mark.parametrize("kind", [*LOSSY, "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_gives_the_same_upright_pixels(kind, orientation):
    options = {**LOSSY, **LOSSLESS}[kind]
    photo = decode(with_orientation(quarters(), orientation, kind, **options))
    assert near(photo.pixels, quarters())
    assert (photo.width, photo.height) == (60, 40)


@pytest.mark.parametrize("kind", [*LOSSY, "PNG", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_decoded_smaller_is_upright_too_and_tells_its_full_size(kind, orientation):
    options = {**LOSSY, **LOSSLESS}[kind]
    data = with_orientation(quarters(960, 640), orientation, kind, **options)
    photo = decode(data, enough=100)
    assert (photo.width, photo.height) == (960, 640)
    assert 100 <= photo.pixels.shape[1] < 300
    assert photo.pixels.shape[1] / photo.pixels.shape[0] == pytest.approx(1.5, rel=0.02)
    assert photo.scale == photo.pixels.shape[1] / 960
    corners = photo.pixels[[5, 5, -5, -5], [5, -5, 5, -5]]
    assert near(corners[None], quarters()[[5, 5, -5, -5], [5, -5, 5, -5]][None], 15)


@pytest.mark.parametrize("size", [(999, 700), (1000, 700), (1500, 1999)])
def test_a_photo_is_never_decoded_smaller_than_is_enough(size):
    photo = decode(encode(quarters(*size)), enough=1000)
    assert photo.pixels.shape[:2] == size[::-1]


def test_a_corrupt_exif_block_does_not_harm_the_pixels():
    data = encode(quarters(), "JPEG", quality=95)
    block = b"Exif\0\0II*\0\xff\xff\xff\xff" + b"\x99" * 40
    marker = b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block
    assert near(decode(data[:2] + marker + data[2:]).pixels, quarters())


def test_an_orientation_that_does_not_exist_is_passed_over():
    image, exif, buffer = Image.fromarray(quarters()), Image.Exif(), io.BytesIO()
    exif[ExifTags.Base.Orientation] = 77
    image.save(buffer, "PNG", exif=exif)
    assert (decode(buffer.getvalue()).pixels == quarters()).all()


def test_alpha_is_laid_over_white():
    layer = np.dstack([np.full((8, 8, 3), 100, dtype=np.uint8), np.zeros((8, 8), dtype=np.uint8)])
    layer[:4, :, 3] = 255
    layer[4:6, :, 3] = 128
    pixels = decode(encode(layer, "PNG")).pixels
    assert (pixels[:4] == 100).all()
    assert np.abs(pixels[4:6].astype(int) - 177).max() <= 1
    assert (pixels[6:] == 255).all()


def test_grey_with_alpha_is_laid_over_white():
    layer = np.zeros((4, 4, 2), dtype=np.uint8)
    layer[:, :2] = (90, 255)
    pixels = decode(encode(layer, "PNG")).pixels
    assert (pixels[:, :2] == 90).all()
    assert (pixels[:, 2:] == 255).all()


def test_a_palette_decodes_to_its_colours():
    buffer = io.BytesIO()
    Image.fromarray(quarters()).quantize(4).save(buffer, "PNG")
    assert near(decode(buffer.getvalue()).pixels, quarters(), 3)


def test_a_transparent_palette_colour_becomes_white():
    image = Image.fromarray(quarters()).quantize(4)
    transparent = image.getpixel((0, 0))
    buffer = io.BytesIO()
    image.save(buffer, "PNG", transparency=transparent)
    pixels = decode(buffer.getvalue()).pixels
    assert (pixels[:20, :30] == 255).all()
    assert near(pixels[20:], quarters()[20:], 3)


def test_a_bilevel_photo_becomes_black_and_white():
    values = np.zeros((6, 6), dtype=bool)
    values[:3] = True
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, "PNG")
    pixels = decode(buffer.getvalue()).pixels
    assert (pixels[:3] == 255).all()
    assert (pixels[3:] == 0).all()


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize(
    ("top", "white"),
    [(65535, 65535), (40000, 65535), (16383, 16383), (4000, 4095), (1023, 1023), (200, 255)],
)
def test_sixteen_bit_grey_is_shown_by_the_fewest_bits_that_hold_it(kind, top, white):
    ramp = np.linspace(0, top, 256).astype(np.uint16)[None].repeat(4, axis=0)
    pixels = decode(encode(ramp, kind)).pixels
    assert np.abs(pixels[0, :, 0] - ramp[0] * (255 / white)).max() <= 1


@pytest.mark.parametrize(
    ("dtype", "low", "high", "white"),
    [
        (np.float32, 0, 1, 1),
        (np.float32, 0, 0.02, 1),
        (np.float32, 0, 255, 255),
        (np.float32, 0, 4080, 4095),
        (np.float32, 0, 65535, 65535),
        (np.float32, 0, 1e6, 1e6),
        (np.float32, -1, 1, None),
        (np.float32, -1000, 3000, None),
        (np.int32, 0, 255, 255),
        (np.int32, 0, 4095, 4095),
        (np.int32, 0, 100_000, 100_000),
        (np.int32, -1024, 3071, None),
        (np.int16, -500, 500, None),
    ],
)
def test_a_tiff_of_any_numbers_is_shown_by_its_range(dtype, low, high, white):
    ramp = np.linspace(low, high, 256).astype(dtype)[None].repeat(4, axis=0)
    pixels = decode(tiff(ramp)).pixels
    black, white = (0, white) if white else (low, high)
    assert np.abs(pixels[0, :, 0] - (ramp[0] - black) * (255 / (white - black))).max() <= 1


def test_whole_numbers_without_sign_keep_their_highest_bit():
    ramp = np.linspace(0, 2**32 - 1, 256).astype(np.uint32)[None].repeat(4, axis=0)
    assert np.abs(decode(tiff(ramp)).pixels[0, :, 0] - np.arange(256.0)).max() <= 1


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "TIFF packed"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA"])
@pytest.mark.parametrize("white", [255, 1023, 4095, 16383, 65535])
def test_colours_of_sixteen_bits_are_shown_by_the_fewest_bits_that_hold_them(kind, mode, white):
    if mode == "LA" and kind != "PNG":
        pytest.skip("Pillow reads no such TIFF")
    colours = quarters().astype(float)
    if mode == "LA":
        colours = colours[:, :, :1].repeat(3, axis=2)
    levels = np.rint(colours / 255 * white).astype(np.uint16)
    stored = {"LA": levels[:, :, :1], "RGB": levels}.get(mode, levels)
    if mode != "RGB":  # the upper half is opaque
        alpha = np.zeros((40, 60, 1), np.uint16)
        alpha[:20] = 65535 if white > 255 else 255
        stored = np.dstack([stored, alpha])
        colours[20:] = 255
    data = png16(stored) if kind == "PNG" else tiff(stored, packed="packed" in kind)
    assert np.abs(decode(data).pixels - colours).max() <= 1


def test_deep_colours_have_a_lower_limit_of_pixels():
    levels = np.full((40, 60, 3), 1000, np.uint16)
    assert decode(png16(levels), limits=Limits(max_pixels=6000)).width == 60
    assert reason_of(png16(levels), limits=Limits(max_pixels=5999)) == "too_large"
    assert decode(png16(levels * 60), limits=Limits(max_pixels=2400)).width == 60


def test_a_cmyk_jpeg_keeps_its_colours():
    buffer = io.BytesIO()
    Image.fromarray(quarters()).convert("CMYK").save(buffer, "JPEG", quality=95)
    assert near(decode(buffer.getvalue()).pixels, quarters())


def test_a_grey_jpeg_becomes_three_equal_channels():
    pixels = decode(encode(np.full((9, 7), 80, dtype=np.uint8))).pixels
    assert pixels.shape == (9, 7, 3)
    assert np.abs(pixels.astype(int) - 80).max() <= 1


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "WEBP", "PNG"])
def test_the_first_frame_stands_for_an_animation_or_many_pages(kind):
    first, second = Image.new("RGB", (8, 8), (200, 0, 0)), Image.new("RGB", (8, 8), (0, 0, 200))
    options = {"WEBP": {"lossless": True}}.get(kind, {})
    buffer = io.BytesIO()
    first.save(buffer, kind, save_all=True, append_images=[second], **options)
    assert (decode(buffer.getvalue()).pixels == (200, 0, 0)).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 10000), (10000, 1)])
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_the_narrowest_photos_decode(size, kind):
    data = encode(np.full((*size[::-1], 3), 90, dtype=np.uint8), kind)
    for enough in (None, 1000):
        photo = decode(data, enough=enough)
        assert (photo.width, photo.height) == size
        assert max(photo.pixels.shape) >= min(1000, *[max(size)])


def png(chunks: list[tuple[bytes, bytes]]) -> bytes:
    parts = [b"\x89PNG\r\n\x1a\n"]
    for name, body in [*chunks, (b"IEND", b"")]:
        crc = struct.pack(">I", zlib.crc32(name + body))
        parts += [struct.pack(">I", len(body)), name, body, crc]
    return b"".join(parts)


def png16(levels: np.ndarray) -> bytes:
    """A PNG of 16 bits, grey or colour, with or without alpha."""
    height, width, channels = levels.shape
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    raw = b"".join(b"\0" + row.astype(">u2").tobytes() for row in levels)
    header = struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)
    return png([(b"IHDR", header), (b"IDAT", zlib.compress(raw))])


def tiff(levels: np.ndarray, packed: bool = False) -> bytes:
    """A TIFF of any numbers, of one strip, as another program than Pillow may write it."""
    height, width, channels = (*levels.shape, 1)[:3]
    bits, form = levels.dtype.itemsize * 8, "uif".index(levels.dtype.kind) + 1
    data = levels.astype(levels.dtype.newbyteorder("<")).tobytes()
    if packed:
        data = zlib.compress(data)
    tags = {
        256: (3, [width]),
        257: (3, [height]),
        258: (3, [bits] * channels),
        259: (3, [8 if packed else 1]),
        262: (3, [2 if channels > 1 else 1]),
        273: (4, [8]),
        277: (3, [channels]),
        278: (3, [height]),
        279: (4, [len(data)]),
        **({338: (3, [2])} if channels == 4 else {}),
        339: (3, [form] * channels),
    }
    place = 8 + len(data) + len(data) % 2
    entries, extra = b"", b""
    behind = place + 2 + 12 * len(tags) + 4
    for tag, (kind, values) in sorted(tags.items()):
        body = struct.pack(f"<{len(values)}{'HI'[kind == 4]}", *values)
        if len(body) > 4:
            entries += struct.pack("<HHII", tag, kind, len(values), behind + len(extra))
            extra += body
        else:
            entries += struct.pack("<HHI", tag, kind, len(values)) + body.ljust(4, b"\0")
    head = struct.pack("<2sHI", b"II", 42, place)
    return (
        head
        + data
        + bytes(len(data) % 2)
        + struct.pack("<H", len(tags))
        + entries
        + bytes(4)
        + extra
    )


def bomb(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return png([(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 1000))])


@pytest.mark.parametrize("size", [(8000, 7000), (10000, 10000), (20000, 20000), (2**31 - 1,) * 2])
def test_a_header_that_announces_too_many_pixels_is_refused_without_decoding(size, monkeypatch):
    def explode(self):
        raise AssertionError("the pixels were decoded")

    monkeypatch.setattr(Image.Image, "load", explode)
    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", explode)
    assert reason_of(bomb(*size)) == "too_large"


def test_a_refused_bomb_says_nothing_but_its_error(tmp_path):
    path = tmp_path / "bomb.png"
    path.write_bytes(bomb(10000, 10000))
    code = (
        "import sys; from facecore import decode, FacecoreError\n"
        "try: decode(sys.argv[1])\nexcept FacecoreError as e: print(e)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, path],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        check=True,
    )
    assert "10000 x 10000 pixels" in done.stdout
    assert done.stderr == ""


def test_the_pixel_limit_is_a_setting():
    data = encode(quarters(60, 40), "PNG")
    assert decode(data, limits=Limits(max_pixels=2400)).width == 60
    assert reason_of(data, limits=Limits(max_pixels=2399)) == "too_large"


@pytest.mark.parametrize(("most", "width"), [(2400, 60), (2399, 30), (700, 30), (599, 15)])
def test_a_jpeg_above_the_limit_is_decoded_at_a_half_or_a_quarter(most, width):
    photo = decode(encode(quarters(60, 40), "JPEG"), limits=Limits(max_pixels=most))
    assert photo.pixels.shape[1] == width
    assert (photo.width, photo.height, photo.scale) == (60, 40, width / 60)
    middles = np.ix_(*(np.array([1, 3]) * side // 4 for side in photo.pixels.shape[:2]))
    expected = quarters(60, 40)[np.ix_([10, 30], [15, 45])]
    assert np.abs(photo.pixels[middles].astype(int) - expected).max() < 40


def test_a_jpeg_far_above_the_limit_is_refused_with_the_limit_that_counts():
    with pytest.raises(PhotoError, match=r"60 x 40 pixels; the limit is 0\.00239 million for JPEG"):
        decode(encode(quarters(60, 40), "JPEG"), limits=Limits(max_pixels=478))


@pytest.mark.parametrize("options", [{"kind": "JPEG", "progressive": True}, {"kind": "PNG"}])
def test_what_cannot_be_read_at_less_than_full_size_is_refused_above_the_limit(options):
    data = encode(quarters(60, 40), **options)
    assert decode(data, limits=Limits(max_pixels=2400)).width == 60
    assert reason_of(data, limits=Limits(max_pixels=2399)) == "too_large"


def test_an_image_that_is_lent_stays_as_large_as_it_is():
    image = Image.open(io.BytesIO(encode(quarters(60, 40), "JPEG")))
    assert reason_of(image, limits=Limits(max_pixels=2399)) == "too_large"
    assert image.size == (60, 40)


def test_the_environment_sets_the_limits(monkeypatch):
    assert default_limits() == Limits() == DEFAULT_LIMITS
    monkeypatch.setenv("FACECORE_MAX_MEGAPIXELS", "200")
    monkeypatch.setenv("FACECORE_MAX_FILE_MB", " 64 ")
    assert default_limits() == Limits(max_bytes=64 * 2**20, max_pixels=200_000_000)
    monkeypatch.setenv("FACECORE_MAX_MEGAPIXELS", "")
    assert default_limits().max_pixels == 50_000_000


@pytest.mark.parametrize("value", ["0", "-1", "many", "1.5"])
def test_a_limit_that_is_no_whole_number_is_refused(value, monkeypatch):
    monkeypatch.setenv("FACECORE_MAX_MEGAPIXELS", value)
    with pytest.raises(DataError, match="FACECORE_MAX_MEGAPIXELS must be a whole number from 1"):
        decode(encode(quarters(), "PNG"))


def test_the_pixel_limit_can_be_raised_far(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    data = encode(quarters(60, 40), "PNG")
    assert (decode(data, limits=Limits(max_pixels=2400)).pixels == quarters()).all()


def test_the_byte_limit_is_a_setting_for_bytes_and_files(tmp_path):
    data = encode(quarters(), "PNG")
    path = tmp_path / "photo.png"
    path.write_bytes(data)
    for source in (data, path):
        assert decode(source, limits=Limits(max_bytes=len(data))).width == 60
        assert reason_of(source, limits=Limits(max_bytes=len(data) - 1)) == "too_large"


def test_a_file_beyond_the_default_limit_is_refused(tmp_path):
    path = tmp_path / "huge.jpg"
    with open(path, "wb") as file:
        file.truncate(DEFAULT_LIMITS.max_bytes + 1)
    assert reason_of(path) == "too_large"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "GIF"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_truncated_photo_says_so(kind, share):
    data = encode(draw_photo("round", 0), kind)
    assert reason_of(data[: int(len(data) * share)]) == "truncated"


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_photo_cut_off_in_its_header_says_so(kind):
    assert reason_of(encode(quarters(), kind)[:20]) == "truncated"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello, I am a text\n",
        b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n",
        b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
        b"<!doctype html><html><body>404</body></html>",
        b"\0" * 500,
        b"PK\x03\x04" + b"\0" * 60,
    ],
    ids=["empty", "text", "pdf", "svg", "html", "zeros", "zip"],
)
def test_what_is_no_image_says_so_whatever_its_name(data, tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(data)
    assert reason_of(path) == "not_an_image"
    assert reason_of(data) == "not_an_image"


@pytest.mark.parametrize("kind", ["ICO", "TGA", "PCX", "EPS"])
def test_formats_that_are_not_listed_are_not_even_tried(kind):
    assert reason_of(encode(quarters(), kind)) == "not_an_image"


@pytest.mark.skipif(HEIC_READABLE, reason="pillow-heif is installed")
@pytest.mark.parametrize("brand", [b"heic", b"heix", b"mif1", b"msf1"])
def test_heic_without_its_extra_is_unsupported_and_names_jpeg(brand):
    data = b"\0\0\0\x18ftyp" + brand + b"\0\0\0\0mif1heic" + b"\0" * 100
    with pytest.raises(PhotoError, match="JPEG") as caught:
        decode(data)
    assert caught.value.reason == "unsupported"


def test_an_avif_photo_of_any_brand_is_not_taken_for_heic():
    data = bytearray(encode(quarters(), "AVIF", quality=95))
    assert data[8:12] == b"avif"
    data[8:12] = b"mif1"
    assert near(decode(bytes(data)).pixels, quarters())


def test_a_colour_space_that_cannot_be_shown_is_unsupported():
    buffer = io.BytesIO()
    Image.new("LAB", (8, 8)).save(buffer, "TIFF")
    assert reason_of(buffer.getvalue()) == "unsupported"


@pytest.mark.parametrize("dtype", [np.float32, np.uint32])
def test_colours_of_32_bits_are_unsupported_and_not_called_damaged(dtype):
    with pytest.raises(PhotoError, match="save it with 8 or 16 bits") as caught:
        decode(tiff(quarters().astype(dtype)))
    assert caught.value.reason == "unsupported"


@pytest.mark.parametrize("name", ["missing.jpg", "folder", "a\0b.jpg", "x" * 5000])
def test_a_file_that_cannot_be_opened_is_unreadable(name, tmp_path):
    (tmp_path / "folder").mkdir()
    assert reason_of(f"{tmp_path}/{name}") == "unreadable"


def test_a_symlink_that_loops_is_unreadable(tmp_path):
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    assert reason_of(tmp_path / "loop.jpg") == "unreadable"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_named_pipe_is_unreadable_and_does_not_block(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    assert reason_of(tmp_path / "pipe.jpg") == "unreadable"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read all")
def test_a_file_without_permission_is_unreadable(tmp_path):
    path = tmp_path / "secret.jpg"
    path.write_bytes(encode(quarters()))
    path.chmod(0)
    assert reason_of(path) == "unreadable"


def test_an_error_survives_the_way_from_a_worker_process():
    error = pickle.loads(pickle.dumps(PhotoError("truncated", "cut off")))
    assert (type(error), error.reason, str(error)) == (PhotoError, "truncated", "cut off")


def test_pixels_encoded_as_png_come_back():
    assert (decode(to_png(quarters())).pixels == quarters()).all()
    assert (decode(to_png(quarters()[:, :, 0])).pixels[:, :, 1] == quarters()[:, :, 0]).all()


def check_photo_or_error(data: bytes) -> None:
    limits = Limits(max_pixels=4_000_000)
    for enough in (None, 16):
        try:
            photo = decode(data, enough=enough, limits=limits)
        except PhotoError:
            continue
        assert isinstance(photo, Photo)
        assert photo.pixels.dtype == np.uint8
        assert photo.pixels.ndim == 3
        assert photo.pixels.shape[2] == 3
        assert 0 < photo.scale <= 1


STARTS = [
    b"",
    b"\xff\xd8\xff\xe0",
    b"\x89PNG\r\n\x1a\n",
    b"GIF89a",
    b"II*\0",
    b"MM\0*",
    b"BM",
    b"RIFF\x40\0\0\0WEBPVP8 ",
    b"\0\0\0\x20ftypavif",
]
SEEDS = [
    encode(quarters(24, 16), kind, **options)
    for kind, options in {**LOSSLESS, **LOSSY, "GIF": {}}.items()
] + [with_orientation(quarters(24, 16), 6, "JPEG"), encode(quarters(), progressive=True)]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(STARTS), st.binary(max_size=300))
def test_any_bytes_give_a_photo_or_a_photo_error(start, rest):
    check_photo_or_error(start + rest)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=8),
    st.floats(0.5, 1.2),
)
def test_a_damaged_file_gives_a_photo_or_a_photo_error(data, changes, keep):
    damaged = bytearray(data)
    for place, value in changes:
        damaged[int(place * (len(damaged) - 1))] = value
    check_photo_or_error(bytes(damaged[: int(len(damaged) * keep)]))
