"""The files that people send, good, bad and hostile, and what every door says of them."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import ExifTags, Image, ImageCms

NO_PHOTO = "not a photo"
DAMAGED = "damaged or cut off"
PNG = b"\x89PNG\r\n\x1a\n"


def draw_face(side: int = 250) -> np.ndarray:
    """Draw a face that the Haar cascades find, ndarray of shape (side, side, 3), uint8."""
    grey = np.full((250, 250), 150, np.uint8)

    def ellipse(centre, axes, level, start=0):
        cv2.ellipse(grey, centre, axes, 0, start, 360, level, -1)

    ellipse((125, 130), (72, 92), 215)
    ellipse((125, 75), (76, 50), 70, start=180)
    for x in (95, 155):
        ellipse((x, 108), (17, 5), 90)
        ellipse((x, 122), (15, 8), 120)
        ellipse((x, 122), (7, 7), 30)
    ellipse((125, 150), (9, 22), 235)
    ellipse((125, 170), (14, 5), 140)
    ellipse((125, 192), (27, 7), 100)
    grey = cv2.GaussianBlur(grey, (0, 0), 3)
    grey = cv2.resize(grey, (side, side), interpolation=cv2.INTER_CUBIC)
    return np.repeat(grey[:, :, None], 3, axis=2)


def place_face(x: int, y: int, level: int = 120) -> np.ndarray:
    """Draw a face with its corner at x, y of a photo, ndarray of shape (400, 400, 3), uint8."""
    photo = np.full((400, 400, 3), level, np.uint8)
    photo[y : y + 250, x : x + 250] = draw_face()
    return photo


def encode(pixels: np.ndarray | Image.Image, kind: str = "PNG", **options) -> bytes:
    """Write a photo in any format that Pillow writes."""
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def face(kind: str = "PNG", mode: str = "RGB", **options) -> bytes:
    """Write the drawn face."""
    return encode(Image.fromarray(draw_face()).convert(mode), kind, **options)


def plain(width: int, height: int, kind: str = "PNG") -> bytes:
    """Write a photo of one grey level."""
    return encode(Image.new("L", (width, height), 128), kind)


def turned(orientation: int) -> bytes:
    """Write the face lying as a camera held in that way stores it, with its EXIF tag."""
    upright = Image.fromarray(draw_face())
    back = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = upright.transpose(back[orientation]) if orientation > 1 else upright
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return encode(stored, "JPEG", quality=98, subsampling=0, exif=exif)


def sixteen_bit(kind: str = "PNG") -> bytes:
    return encode(Image.fromarray(draw_face()[:, :, 0].astype(np.uint16) * 257), kind)


def pgm(white: int, side: int = 250, comment: str = "") -> bytes:
    """The grey face as PGM with a maximum of its own, of two bytes per pixel above 255."""
    levels = np.rint(draw_face(side)[:, :, 0] * (white / 255)).astype(
        ">u2" if white > 255 else "u1"
    )
    return f"P5\n#{comment}\n{side} {side}\n{white}\n".encode() + levels.tobytes()


def plain_pgm() -> bytes:
    """The grey face as the numbers of a PGM in text."""
    rows = (" ".join(map(str, row)) for row in draw_face()[:, :, 0])
    return ("P2\n250 250\n255\n" + "\n".join(rows)).encode()


def j2k_announcing(side: int, **options) -> bytes:
    """The face as JPEG 2000 whose codestream announces another size, in one tile."""
    data = bytearray(face("JPEG2000", **options))
    start = data.find(b"\xff\x4f\xff\x51")
    for place in (start + 8, start + 24):
        data[place : place + 8] = struct.pack(">II", side, side)
    return bytes(data)


def several_pages(kind: str) -> bytes:
    """The face first, then a page without one."""
    first = Image.fromarray(draw_face())
    return encode(first, kind, save_all=True, append_images=[Image.new("RGB", (250, 250))])


def with_alpha(kind: str = "PNG") -> bytes:
    image = Image.fromarray(draw_face()).convert("RGBA")
    image.putalpha(Image.new("L", image.size, 250))
    return encode(image, kind)


def profile(space: bytes = b"RGB ") -> bytes:
    """An ICC profile: of sRGB, or one whose header names another colour space."""
    made = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return made[:16] + space + made[20:]


def wide_gamut() -> bytes:
    """The profile of sRGB with red, green and blue of Display P3, as phones write it."""
    made = bytearray(profile())
    primaries = {
        b"rXYZ": (0.51512, 0.2412, -0.00105),
        b"gXYZ": (0.29198, 0.69225, 0.04189),
        b"bXYZ": (0.1571, 0.06657, 0.78407),
    }
    for number in range(int.from_bytes(made[128:132], "big")):
        name, place = made[132 + 12 * number :][:4], made[136 + 12 * number :][:4]
        start = int.from_bytes(place, "big") + 8
        if bytes(name) in primaries:
            values = [round(value * 2**16) for value in primaries[bytes(name)]]
            made[start : start + 12] = struct.pack(">iii", *values)
    return bytes(made)


def tagged(orientation: int) -> bytes:
    """Write the face upright with any orientation in its EXIF tag."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return face("JPEG", exif=exif)


def cut(kind: str, tenths: int) -> bytes:
    """Write the face and keep some tenths of the file."""
    data = face(kind)
    return data[: len(data) * tenths // 10]


def flipped(data: bytes, place: int) -> bytes:
    """Turn one bit of a file."""
    return data[:place] + bytes([data[place] ^ 16]) + data[place + 1 :]


def gif_bomb() -> bytes:
    """A GIF of 65,535 x 65,535 pixels in a few bytes."""
    data = bytearray(face("GIF"))
    data[6:10] = b"\xff" * 4
    return bytes(data)


def drawing() -> bytes:
    picture = np.full((300, 300, 3), 255, np.uint8)
    cv2.rectangle(picture, (40, 120), (200, 260), (30, 90, 160), 3)
    cv2.line(picture, (40, 120), (120, 40), (160, 40, 40), 3)
    cv2.line(picture, (200, 120), (120, 40), (160, 40, 40), 3)
    return encode(picture)


def noise() -> bytes:
    return encode(np.random.default_rng(0).integers(0, 256, (300, 300, 3)).astype(np.uint8))


def chunk(kind: bytes, body: bytes) -> bytes:
    """Write one chunk of a PNG."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_bomb() -> bytes:
    """A valid PNG of 20,000 x 20,000 pixels in half a megabyte."""
    side = 20_000
    packer = zlib.compressobj(1)
    row = b"\0" * (side + 1)
    data = b"".join(packer.compress(row * 100) for _ in range(side // 100)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return PNG + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def webp_bomb() -> bytes:
    """A valid WebP of 16,384 x 16,384 pixels of one colour in 34 bytes."""
    size = (1 << 14) - 1
    bits = size | size << 14  # width, height; no alpha, no transforms
    place = 34
    for _ in range(5):  # a code of one symbol takes no bits for each pixel
        bits |= 1 << place
        place += 4
    body = b"\x2f" + bits.to_bytes(9, "little")
    chunk = b"VP8L" + len(body).to_bytes(4, "little") + body
    return b"RIFF" + (4 + len(chunk)).to_bytes(4, "little") + b"WEBP" + chunk


def tiff_bomb() -> bytes:
    """The face as compressed TIFF whose directory announces 60,000 x 60,000 pixels."""
    data = bytearray(face("TIFF", compression="tiff_lzw"))
    start = int.from_bytes(data[4:8], "little")
    count = int.from_bytes(data[start : start + 2], "little")
    for entry in range(start + 2, start + 2 + 12 * count, 12):
        if int.from_bytes(data[entry : entry + 2], "little") in (256, 257):  # width, length
            data[entry + 2 : entry + 4] = (4).to_bytes(2, "little")  # as 32 bits
            data[entry + 8 : entry + 12] = (60_000).to_bytes(4, "little")
    return bytes(data)


def jpeg_announcing(width: int, height: int, **options) -> bytes:
    """The face as JPEG whose header announces another size."""
    data = bytearray(face("JPEG", **options))
    start = data.find(b"\xff\xc2" if options.get("progressive") else b"\xff\xc0")
    data[start + 5 : start + 9] = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    return bytes(data)


def with_chunk(kind: bytes, body: bytes) -> bytes:
    """The face as PNG with a further chunk behind its header."""
    data = face()
    return data[:33] + chunk(kind, body) + data[33:]


def announcing(width: int, height: int) -> bytes:
    """The face as PNG whose header announces another size."""
    data = face()
    body = struct.pack(">II", width, height) + data[24:29]
    return data[:8] + chunk(b"IHDR", body) + data[33:]


def many_frames(kind: str, count: int) -> bytes:
    """The face, then many frames of one colour."""
    frames = [Image.new("P", (250, 250), i % 256) for i in range(count)]
    first = Image.fromarray(draw_face()).convert("P")
    return encode(first, kind, save_all=True, append_images=frames)


def floats(white: float, hole: float | None = None) -> bytes:
    """The face as TIFF of 32-bit floats, with one value of its own."""
    values = draw_face()[:, :, 0].astype(np.float32) * (white / 255)
    if hole is not None:
        values[0, 0] = hole
    return encode(Image.fromarray(values), "TIFF")


def signed() -> bytes:
    """The face as TIFF of 32-bit floats from -1 to 1."""
    return encode(Image.fromarray(draw_face()[:, :, 0].astype(np.float32) / 127.5 - 1), "TIFF")


def deep(white: int, kind: str = "PNG", dtype: type = np.uint16) -> bytes:
    """The grey face in whole numbers up to a white that its file does not name."""
    levels = np.rint(draw_face()[:, :, 0] * (white / 255))
    return encode(Image.fromarray(levels.astype(dtype)), kind)


def deep_colours(levels: np.ndarray) -> bytes:
    """A PNG of 16 bits per colour."""
    packer = zlib.compressobj(1)
    data = b"".join(packer.compress(b"\0" + row.astype(">u2").tobytes()) for row in levels)
    header = struct.pack(">IIBBBBB", *levels.shape[1::-1], 16, 2, 0, 0, 0)
    body = chunk(b"IDAT", data + packer.flush())
    return PNG + chunk(b"IHDR", header) + body + chunk(b"IEND", b"")


def pickled() -> bytes:
    """A pickle that would print a word, were it ever read."""
    return b"cbuiltins\nprint\n(S'read'\ntR."


def packed() -> bytes:
    """A ZIP with the face in it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("neutral/face.png", face())
    return buffer.getvalue()


def stored_array() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, draw_face())
    return buffer.getvalue()


def large(mode: str, kind: str, size=(7900, 6320), **options) -> Callable[[], bytes]:
    """A photo without a face, of 49.9 megapixels or another size."""
    return lambda: encode(
        Image.new(mode, size, "#404040" if len(mode) == 4 else 0), kind, **options
    )


@dataclass(frozen=True)
class Sample:
    """A file, and what is said of it everywhere.

    Parameters
    ----------
    kind : str
    make : callable
        Returns its bytes.
    faces : int
        How many the Haar cascade finds in it.
    reason : str
        Of the `PhotoError` that refuses it; empty where it is a photo.
    message : str
        Words of that error.
    filename : str
        As whom sends it calls it.
    note : str
        Words of the note that its answer has; empty where it has none.
    """

    kind: str
    make: Callable[[], bytes]
    faces: int = 0
    reason: str = ""
    message: str = ""
    filename: str = "photo.jpg"
    note: str = ""


def _refused(kind: str, make: Callable[[], bytes], filename: str = "photo.jpg") -> Sample:
    return Sample(kind, make, 0, "not_an_image", NO_PHOTO, filename)


def _damaged(kind: str, make: Callable[[], bytes], filename: str = "photo.jpg") -> Sample:
    return Sample(kind, make, 0, "truncated", DAMAGED, filename)


def _ended(kind: str, make: Callable[[], bytes]) -> Sample:
    return Sample(kind, make, 1, note="the end of the file is missing")


def _too_large(kind: str, make: Callable[[], bytes], message: str) -> Sample:
    return Sample(kind, make, 0, "too_large", message)


SAMPLES = [
    Sample("empty file", lambda: b"", 0, "not_an_image", "empty (0 bytes)"),
    _refused("one byte", lambda: b"\xff"),
    _refused("text", lambda: b"Dear sir or madam", "letter.txt"),
    _refused("PDF", lambda: b"%PDF-1.7\n1 0 obj << >> endobj\n%%EOF", "a.pdf"),
    _refused("HTML named .jpg", lambda: b"<!doctype html><script>alert(1)</script>"),
    _refused("SVG", lambda: b'<svg xmlns="http://www.w3.org/2000/svg"></svg>', "a.svg"),
    _refused("PDF with a photo in it", lambda: b"%PDF-1.7\nstream\n" + face("JPEG"), "a.pdf"),
    _refused("ZIP named .png", packed, "a.png"),
    _refused("pickle", pickled),
    _refused("NumPy array", stored_array),
    _refused("zeros", lambda: bytes(4096)),
    _refused("noise of bytes", lambda: np.random.default_rng(1).bytes(4096)),
    _refused("PFM, which is not read", lambda: b"Pf\n2 2\n-1.0\n" + bytes(16), "a.pfm"),
    _refused("only the start of a PGM", lambda: b"P5\n250", "a.pgm"),
    _damaged("PGM cut at half", lambda: cut("PPM", 5), "a.ppm"),
    _damaged("JPEG 2000 cut in its header", lambda: face("JPEG2000")[:90], "a.jp2"),
    _damaged("JPEG 2000 whose headers disagree", lambda: j2k_announcing(60_000), "a.jp2"),
    _damaged("PGM of words", lambda: b"P2\n2 2\n255\none two 3 4", "a.pgm"),
    _damaged("only the start of a JPEG", lambda: b"\xff\xd8\xff\xe0"),
    _damaged("only the signature of a PNG", lambda: PNG),
    _damaged("only the header of a WebP", lambda: b"RIFF\x24\0\0\0WEBPVP8 "),
    _damaged("only the start of a TIFF", lambda: b"II*\0\xff\xff\xff\xff"),
    _damaged("truncated JPEG", lambda: face("JPEG")[:2000]),
    _damaged("truncated PNG", lambda: face()[:2000], "a.png"),
    *(
        _damaged(f"{kind} cut at {tenth} tenths", lambda kind=kind, tenth=tenth: cut(kind, tenth))
        for kind in ("JPEG", "PNG", "WEBP")
        for tenth in range(1, 10)
    ),
    _damaged("TIFF whose directory points into itself", lambda: b"II*\0\x08\0\0\0" + bytes(9)),
    _damaged("PNG with a bit of its data turned", lambda: flipped(face(), 900)),
    _damaged(
        "PNG with 100 MB of compressed text",
        lambda: with_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(100 * 2**20))),
    ),
    _too_large("PNG bomb", png_bomb, "pixels; the limit is 50 million"),
    _too_large("WebP bomb", webp_bomb, "far too many pixels"),
    _too_large("TIFF bomb", tiff_bomb, "60000 x 60000 pixels; the limit is 50 million"),
    _too_large("50.4 megapixels", lambda: plain(8000, 6300), "the limit is 50 million"),
    _too_large(
        "JPEG that announces 65,535 x 65,535",
        lambda: jpeg_announcing(65_535, 65_535),
        "the limit is 250 million",
    ),
    _too_large(
        "progressive JPEG that announces 108 megapixels",
        lambda: jpeg_announcing(12_000, 9_000, progressive=True),
        "the limit is 50 million",
    ),
    _too_large(
        "PNG that announces 2 billion pixels a side",
        lambda: announcing(2**31 - 1, 2**31 - 1),
        "pixels",
    ),
    _too_large("GIF that announces 65,535 x 65,535", lambda: gif_bomb(), "pixels"),
    _too_large(
        "PGM that announces 60,000 x 60,000", lambda: b"P5 60000 60000 255\n" + bytes(99), "pixels"
    ),
    _too_large(
        "PGM of a rare maximum, 4 megapixels", lambda: pgm(254, 2000), "2 million for PPM of this"
    ),
    _too_large(
        "JPEG 2000 that announces 60,000 x 60,000",
        lambda: j2k_announcing(60_000, no_jp2=True),
        "pixels",
    ),
    _too_large("file above the limit", lambda: face("JPEG") + bytes(20 * 2**20), "limit of 20 MB"),
    Sample("JPEG with a ZIP behind it", lambda: face("JPEG") + packed(), 1),
    Sample("JPEG with HTML behind it", lambda: face("JPEG") + b"<script>alert(1)</script>", 1),
    Sample("PNG named .jpg", face, 1),
    Sample("PNG with a text chunk", lambda: with_chunk(b"tEXt", b"Comment\0<script>"), 1),
    Sample(
        "JPEG with a comment as markup",
        lambda: face("JPEG", comment=b"<script>alert(1)</script>"),
        1,
    ),
    Sample("GIF still", lambda: face("GIF"), 1, filename="a.gif"),
    Sample("GIF animated", lambda: several_pages("GIF"), 1, filename="a.gif"),
    Sample("GIF of 2,000 frames", lambda: many_frames("GIF", 2000), 1, filename="a.gif"),
    Sample("WebP animated", lambda: several_pages("WEBP"), 1, filename="a.webp"),
    Sample("PNG animated", lambda: several_pages("PNG"), 1, filename="a.png"),
    Sample("1 x 1", lambda: plain(1, 1)),
    Sample("1 x 10,000", lambda: plain(1, 10_000)),
    Sample("10,000 x 1", lambda: plain(10_000, 1)),
    Sample("1 x 65,000 as JPEG", lambda: plain(1, 65_000, "JPEG")),
    Sample("grey", lambda: face("JPEG", "L"), 1),
    Sample("alpha", with_alpha, 1, filename="a.png"),
    Sample("grey with alpha", lambda: face("PNG", "LA"), 1, filename="a.png"),
    Sample("palette", lambda: face("PNG", "P"), 1, filename="a.png"),
    Sample("palette with a transparent colour", lambda: face("PNG", "P", transparency=3), 1),
    Sample("wholly transparent", lambda: encode(Image.new("RGBA", (250, 250)))),
    Sample("1-bit", lambda: encode(Image.new("1", (64, 64))), filename="a.png"),
    Sample("16-bit", sixteen_bit, 1, filename="a.png"),
    Sample("TIFF of floats to 1", lambda: floats(1.0), 1, filename="a.tif"),
    Sample("TIFF of floats to 255", lambda: floats(255.0), 1, filename="a.tif"),
    Sample("TIFF with a hole that is no number", lambda: floats(1.0, np.nan), 1, filename="a.tif"),
    *(
        Sample(f"PNG of 16 bits, {bits} used", lambda b=bits: deep(2**b - 1), 1, filename="a.png")  # type: ignore[misc]
        for bits in (8, 10, 12, 14)
    ),
    Sample(
        "PNG of 16-bit colours, 12 used",
        lambda: deep_colours(draw_face().astype(np.uint16) * 16),
        1,
        filename="a.png",
    ),
    Sample("TIFF of 16 bits, 12 used", lambda: deep(4095, "TIFF"), 1, filename="a.tif"),
    Sample("TIFF of 32 bits, 12 used", lambda: deep(4095, "TIFF", np.int32), 1, filename="a.tif"),
    Sample(
        "TIFF of 32 bits, 20 used", lambda: deep(2**20 - 1, "TIFF", np.int32), 1, filename="a.tif"
    ),
    Sample("TIFF of floats to 4,095", lambda: floats(4095.0), 1, filename="a.tif"),
    Sample("TIFF of floats with infinity", lambda: floats(1.0, np.inf), 1, filename="a.tif"),
    Sample("TIFF of floats around 0", lambda: signed(), 1, filename="a.tif"),
    Sample("CMYK", lambda: face("JPEG", "CMYK"), 1),
    Sample("progressive", lambda: face("JPEG", progressive=True), 1),
    _ended("JPEG without its end mark", lambda: face("JPEG")[:-2]),
    _ended("JPEG with half of its end mark", lambda: face("JPEG")[:-1]),
    _ended("JPEG without its last bytes", lambda: face("JPEG")[:-8]),
    _ended("progressive JPEG without its end mark", lambda: face("JPEG", progressive=True)[:-2]),
    _ended(
        "JPEG with restarts without its end mark",
        lambda: face("JPEG", restart_marker_blocks=4)[:-2],
    ),
    _ended("CMYK JPEG without its end mark", lambda: face("JPEG", "CMYK")[:-2]),
    _damaged("progressive JPEG cut at half", lambda: face("JPEG", progressive=True)[:1400]),
    _damaged(
        "JPEG with restarts cut at half", lambda: face("JPEG", restart_marker_blocks=4)[:1800]
    ),
    _ended("PNG without its end", lambda: face()[:-12]),
    _ended("BMP without its last bytes", lambda: face("BMP")[:-40]),
    _ended("PNG without its last bytes", lambda: face()[:-30]),
    Sample("GIF without its end mark", lambda: face("GIF")[:-1], 1, filename="a.gif"),
    Sample("WebP", lambda: face("WEBP"), 1, filename="a.webp"),
    Sample("AVIF", lambda: face("AVIF"), 1, filename="a.avif"),
    Sample("BMP", lambda: face("BMP"), 1, filename="a.bmp"),
    Sample("PGM", lambda: face("PPM", "L"), 1, filename="a.pgm"),
    Sample("PPM", lambda: face("PPM"), 1, filename="a.ppm"),
    Sample("PBM", lambda: face("PPM", "1"), 0, filename="a.pbm"),
    Sample("PGM of 16 bits", lambda: pgm(65535), 1, filename="a.pgm"),
    Sample("PGM of 12 bits", lambda: pgm(4095), 1, filename="a.pgm"),
    Sample("PGM as text", lambda: plain_pgm(), 1, filename="a.pgm"),
    Sample("PGM with a comment as markup", lambda: pgm(255, comment="<script>"), 1),
    Sample("JPEG 2000", lambda: face("JPEG2000"), 1, filename="a.jp2"),
    Sample("JPEG 2000, bare", lambda: face("JPEG2000", no_jp2=True), 1, filename="a.j2k"),
    Sample("JPEG 2000 of 16 bits", lambda: sixteen_bit("JPEG2000"), 1, filename="a.jp2"),
    Sample("JPEG 2000 with alpha", lambda: with_alpha("JPEG2000"), 1, filename="a.jp2"),
    Sample("TIFF multi-page", lambda: several_pages("TIFF"), 1, filename="a.tif"),
    Sample("corrupt EXIF", lambda: face("JPEG", exif=b"Exif\0\0II*\0\xff\xff"), 1),
    Sample("EXIF of an orientation that is none", lambda: tagged(9), 1),
    Sample("ICC profile", lambda: face("JPEG", icc_profile=profile()), 1),
    Sample("ICC profile of a wide gamut", lambda: face("JPEG", icc_profile=wide_gamut()), 1),
    Sample("PNG with an ICC profile of a wide gamut", lambda: face(icc_profile=wide_gamut()), 1),
    Sample("ICC profile of grey", lambda: face("JPEG", "L", icc_profile=profile(b"GRAY")), 1),
    Sample("ICC profile of CMYK", lambda: face("JPEG", "CMYK", icc_profile=profile(b"CMYK")), 1),
    Sample("ICC profile of noise", lambda: face("JPEG", icc_profile=bytes(range(256)) * 40), 1),
    Sample("large JPEG", lambda: encode(draw_face(2400), "JPEG"), 1),
    Sample("PNG that announces more rows than it has", lambda: announcing(250, 4000), 1),
    Sample("several faces", lambda: encode(np.hstack([draw_face()] * 2)), 2),
    Sample("no face", lambda: plain(250, 250)),
    Sample("drawing", drawing),
    Sample("noise", noise),
    *(
        Sample(f"EXIF orientation {i}", lambda i=i: turned(i), 1)  # type: ignore[misc]
        for i in range(1, 9)
    ),
]
NAMED = [
    Sample(f"named {kind}", face, 1, filename=name)
    for kind, name in {
        "with ../": "../../etc/passwd.png",
        "absolutely": "/etc/passwd",
        "with a drive": "C:\\Windows\\a.png",
        "with NUL": "a\0b.png",
        "300 characters": "a" * 296 + ".png",
        "with #": "#1.png",
        "with quotes": "a\"b'c.png",
        "as markup": "<script>alert(1)</script>.png",
        "non-Latin": "фото 写真.png",
        "without extension": "photo",
        ".exe": "photo.exe",
    }.items()
]
FEWER = "of this kind"
LARGE = [
    Sample("50 megapixels, JPEG", large("RGB", "JPEG")),
    Sample("108 megapixels, JPEG", large("RGB", "JPEG", (12_000, 9_000))),
    Sample("200 megapixels, grey JPEG", large("L", "JPEG", (16_320, 12_240))),
    Sample("50 megapixels, progressive JPEG", large("L", "JPEG", progressive=True)),
    Sample("50 megapixels, CMYK JPEG", large("CMYK", "JPEG")),
    *(
        Sample(f"50 megapixels, {kind} JPEG without its end mark", lambda make=make: make()[:-2])  # type: ignore[misc]
        for kind, make in {
            "baseline": large("RGB", "JPEG"),
            "progressive": large("L", "JPEG", progressive=True),
        }.items()
    ),
    Sample("50 megapixels, PNG", large("RGB", "PNG", compress_level=1)),
    Sample("50 megapixels, PNG with alpha", large("RGBA", "PNG", compress_level=1)),
    Sample("50 megapixels, grey PNG with alpha", large("LA", "PNG", compress_level=1)),
    Sample("50 megapixels, palette PNG", large("P", "PNG", compress_level=1, transparency=3)),
    Sample("50 megapixels, 16-bit PNG", large("I;16", "PNG", compress_level=1)),
    *(
        Sample(
            f"{side**2 / 1e6:.1f} megapixels, PNG of 16-bit colours, 12 used",
            lambda side=side: deep_colours(np.broadcast_to(np.uint16(900), (side, side, 3))),  # type: ignore[misc]
            0,
            reason,
            FEWER if reason else "",
        )
        for side, reason in ((4470, ""), (7000, "too_large"))
    ),
    Sample("50 megapixels, GIF", large("P", "GIF")),
    Sample("50 megapixels, 1-bit TIFF", large("1", "TIFF", compression="tiff_lzw")),
    Sample("50 megapixels, TIFF with alpha", large("RGBA", "TIFF", compression="tiff_lzw")),
    Sample("50 megapixels, 16-bit TIFF", large("I;16", "TIFF", compression="tiff_lzw")),
    Sample("50 megapixels, TIFF of floats", large("F", "TIFF", compression="tiff_lzw")),
    Sample(
        "50 megapixels, turned TIFF",
        large("RGB", "TIFF", compression="tiff_lzw", tiffinfo={274: 6}),
        0,
        "too_large",
        FEWER,
    ),
    Sample(
        "50 megapixels, progressive CMYK JPEG",
        large("CMYK", "JPEG", progressive=True),
        0,
        "too_large",
        FEWER,
    ),
    Sample("50 megapixels, WebP", large("RGB", "WEBP", quality=1, method=0), 0, "too_large", FEWER),
    Sample("50 megapixels, PBM", large("1", "PPM")),
    Sample("20 megapixels, PGM", large("L", "PPM", (5000, 4000))),
    Sample("50 megapixels, JPEG 2000", large("L", "JPEG2000"), 0, "too_large", FEWER),
    Sample("9.9 megapixels, JPEG 2000 with alpha", large("RGBA", "JPEG2000", (3600, 2750))),
    Sample(
        "14 megapixels, lossless WebP with alpha",
        large("RGBA", "WEBP", (4000, 3600), lossless=True, method=0),
    ),
    Sample("14 megapixels, AVIF with alpha", large("RGBA", "AVIF", (4000, 3600), speed=10)),
    Sample(
        "34 megapixels, turned TIFF",
        large("RGB", "TIFF", (7900, 4400), compression="tiff_lzw", tiffinfo={274: 6}),
    ),
    Sample(
        "34 megapixels, progressive CMYK JPEG",
        large("CMYK", "JPEG", (7900, 4400), progressive=True),
    ),
]
HEIC = Sample(
    "HEIC", lambda: b"\0\0\0\x18ftypheic" + bytes(100), 0, "unsupported", "JPEG", "IMG_1.HEIC"
)
