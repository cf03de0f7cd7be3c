"""The files that people send to a site, good and bad, all made in code."""

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import ExifTags, Image, ImageCms

NO_PHOTO = "not a photo"
DAMAGED = "damaged or cut off"
NO_FACE = "No face was found"
ONE_FACE = "One face found"


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


def png_bomb() -> bytes:
    """A valid PNG of 20,000 x 20,000 pixels in half a megabyte."""
    side = 20_000
    packer = zlib.compressobj(1)
    row = b"\0" * (side + 1)
    data = b"".join(packer.compress(row * 100) for _ in range(side // 100)) + packer.flush()

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    parts = [chunk(b"IHDR", header), chunk(b"IDAT", data), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def sixteen_bit() -> bytes:
    return encode(Image.fromarray(draw_face()[:, :, 0].astype(np.uint16) * 257))


def several_pages(kind: str) -> bytes:
    """The face first, then a page without one."""
    first = Image.fromarray(draw_face())
    return encode(first, kind, save_all=True, append_images=[Image.new("RGB", (250, 250))])


def with_alpha() -> bytes:
    image = Image.fromarray(draw_face()).convert("RGBA")
    image.putalpha(Image.new("L", image.size, 250))
    return encode(image)


def with_profile() -> bytes:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    return face("JPEG", icc_profile=profile.tobytes())


def drawing() -> bytes:
    picture = np.full((300, 300, 3), 255, np.uint8)
    cv2.rectangle(picture, (40, 120), (200, 260), (30, 90, 160), 3)
    cv2.line(picture, (40, 120), (120, 40), (160, 40, 40), 3)
    cv2.line(picture, (200, 120), (120, 40), (160, 40, 40), 3)
    return encode(picture)


def noise() -> bytes:
    return encode(np.random.default_rng(0).integers(0, 256, (300, 300, 3)).astype(np.uint8))


@dataclass(frozen=True)
class Upload:
    """A file, and what the site answers: the status, and words of its message."""

    kind: str
    make: Callable[[], bytes]
    status: int
    message: str
    filename: str = "photo.jpg"


UPLOADS = [
    Upload("empty file", lambda: b"", 415, "empty (0 bytes)"),
    Upload("text", lambda: b"Dear sir or madam", 415, NO_PHOTO, "letter.txt"),
    Upload("PDF", lambda: b"%PDF-1.7\n1 0 obj << >> endobj\n%%EOF", 415, NO_PHOTO, "a.pdf"),
    Upload("HTML named .jpg", lambda: b"<!doctype html><script>alert(1)</script>", 415, NO_PHOTO),
    Upload(
        "SVG", lambda: b'<svg xmlns="http://www.w3.org/2000/svg"></svg>', 415, NO_PHOTO, "a.svg"
    ),
    Upload("GIF still", lambda: face("GIF"), 200, ONE_FACE, "a.gif"),
    Upload("GIF animated", lambda: several_pages("GIF"), 200, ONE_FACE, "a.gif"),
    Upload("truncated JPEG", lambda: face("JPEG")[:2000], 422, DAMAGED),
    Upload("truncated PNG", lambda: face()[:2000], 422, DAMAGED, "a.png"),
    Upload("PNG bomb", png_bomb, 413, "far too many pixels", "a.png"),
    Upload("50.4 megapixels", lambda: plain(8000, 6300, "JPEG"), 413, "the limit is 50 million"),
    Upload("file above the limit", lambda: face("JPEG") + bytes(20 * 2**20), 413, "limit of 20 MB"),
    Upload("1 x 1", lambda: plain(1, 1), 200, NO_FACE),
    Upload("1 x 10,000", lambda: plain(1, 10_000), 200, NO_FACE),
    Upload("10,000 x 1", lambda: plain(10_000, 1), 200, NO_FACE),
    Upload("grey", lambda: face("JPEG", "L"), 200, ONE_FACE),
    Upload("alpha", with_alpha, 200, ONE_FACE, "a.png"),
    Upload("palette", lambda: face("PNG", "P"), 200, ONE_FACE, "a.png"),
    Upload("1-bit", lambda: encode(Image.new("1", (64, 64))), 200, NO_FACE, "a.png"),
    Upload("16-bit", sixteen_bit, 200, ONE_FACE, "a.png"),
    Upload("CMYK", lambda: face("JPEG", "CMYK"), 200, ONE_FACE),
    Upload("progressive", lambda: face("JPEG", progressive=True), 200, ONE_FACE),
    Upload("WebP", lambda: face("WEBP"), 200, ONE_FACE, "a.webp"),
    Upload("AVIF", lambda: face("AVIF"), 200, ONE_FACE, "a.avif"),
    Upload("BMP", lambda: face("BMP"), 200, ONE_FACE, "a.bmp"),
    Upload("TIFF multi-page", lambda: several_pages("TIFF"), 200, ONE_FACE, "a.tif"),
    Upload("corrupt EXIF", lambda: face("JPEG", exif=b"Exif\0\0II*\0\xff\xff"), 200, ONE_FACE),
    Upload("ICC profile", with_profile, 200, ONE_FACE),
    Upload("large JPEG", lambda: encode(draw_face(3000), "JPEG"), 200, ONE_FACE),
    Upload("several faces", lambda: encode(np.hstack([draw_face()] * 2)), 200, "2 faces found"),
    Upload("no face", lambda: plain(250, 250), 200, NO_FACE),
    Upload("drawing", drawing, 200, NO_FACE),
    Upload("noise", noise, 200, NO_FACE),
    *(
        Upload(f"EXIF orientation {i}", lambda i=i: turned(i), 200, ONE_FACE)  # type: ignore[misc]
        for i in range(1, 9)
    ),
    *(
        Upload(f"named {kind}", face, 200, ONE_FACE, name)
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
    ),
]
HEIC = Upload("HEIC", lambda: b"\0\0\0\x18ftypheic" + bytes(100), 415, "JPEG", "IMG_1.HEIC")
