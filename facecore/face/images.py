"""Decode untrusted bytes into an upright colour photo."""

import io
import os
import warnings
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    ExifTags,
    GifImagePlugin,
    Image,
    Jpeg2KImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from facecore.errors import DataError, PhotoError
from facecore.face.endings import NOTE, add_end, has_end
from facecore.face.levels import WIDE_MODES, is_shallow, raw_mode, to_8_bit, widen

try:
    from pillow_heif import register_heif_opener
except ImportError:
    HEIC_READABLE = False
else:
    register_heif_opener()
    HEIC_READABLE = True

# Pillow warns of damaged metadata; the caller gets the pixels or one error.
warnings.filterwarnings("ignore", module=r"PIL\.")

# Only these decoders see untrusted bytes, however many Pillow has.
PLUGINS = (
    JpegImagePlugin.JpegImageFile,
    PngImagePlugin.PngImageFile,
    WebPImagePlugin.WebPImageFile,
    BmpImagePlugin.BmpImageFile,
    TiffImagePlugin.TiffImageFile,
    GifImagePlugin.GifImageFile,
    AvifImagePlugin.AvifImageFile,
    Jpeg2KImagePlugin.Jpeg2KImageFile,
    PpmImagePlugin.PpmImageFile,
)
FORMATS = [plugin.format for plugin in PLUGINS] + (["HEIF"] if HEIC_READABLE else [])
READABLE = "JPEG, PNG, WebP, AVIF, BMP, TIFF, GIF, JPEG 2000, PGM or PPM"
SUFFIXES = (
    *(".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".avif", ".heic"),
    *(".jp2", ".j2k", ".jpf", ".jpx", ".j2c", ".pgm", ".ppm", ".pbm", ".pnm"),
    *(".jfif", ".jpe", ".pjpeg", ".pjp", ".jpg_large", ".apng", ".dib", ".heif", ".hif"),
)
JPEG_2000 = (b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51")  # with boxes, and bare
NETPBM = (b"P1", b"P2", b"P3", b"P4", b"P5", b"P6")  # Pillow's plugin reads more kinds
HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
UNSHOWABLE = ("LAB",)
STRIP = 2**20  # pixels
DEEP = 0.4  # of the pixel limit, where the low bytes of 16-bit colours are needed, too
REDUCIBLE = 5  # times the limit: a JPEG of so many pixels is read at a half or a quarter


@dataclass(frozen=True)
class Limits:
    """The largest photo that is accepted, checked before any pixel is decoded.

    Parameters
    ----------
    max_bytes : int
        Size of the file, in bytes.
    max_pixels : int
        Most pixels that are decoded. A larger JPEG is decoded at a half or a quarter of its width
        and height, if it announces at most `REDUCIBLE` times as many and is not progressive: such
        a file keeps the numbers of all its pixels in memory while it is read.

    Examples
    --------
    >>> Limits(max_bytes=5 * 2**20).max_pixels
    50000000
    """

    max_bytes: int = 20 * 2**20
    max_pixels: int = 50_000_000


DEFAULT_LIMITS = Limits()


def default_limits() -> Limits:
    """Return the limits that the environment sets, and those of `Limits` for what it leaves out.

    Returns
    -------
    Limits
        ``FACECORE_MAX_MEGAPIXELS`` is the number of pixels in millions, ``FACECORE_MAX_FILE_MB``
        the size of a file in MB, whole numbers from 1.

    Raises
    ------
    DataError
        A variable is something else.

    Examples
    --------
    >>> default_limits().max_bytes // 2**20
    20
    """
    found = {}
    for field, variable, unit in (
        ("max_pixels", "FACECORE_MAX_MEGAPIXELS", 1_000_000),
        ("max_bytes", "FACECORE_MAX_FILE_MB", 2**20),
    ):
        if text := os.environ.get(variable, "").strip():
            if not text.isdecimal() or int(text) < 1:
                raise DataError(f"{variable} must be a whole number from 1; it is {text!r}")
            found[field] = int(text) * unit
    return Limits(**found)


@runtime_checkable
class FileLike(Protocol):
    """An open binary file."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes.

        Parameters
        ----------
        size : int
            Number of bytes, at least 1.

        Returns
        -------
        bytes
            Empty at the end of the file.
        """


FileSource = bytes | bytearray | memoryview | str | os.PathLike[str] | FileLike
Source = FileSource | Image.Image | np.ndarray


@dataclass(frozen=True)
class Photo:
    """An upright photo, perhaps decoded at less than full resolution.

    Parameters
    ----------
    pixels : ndarray of shape (decoded height, decoded width, 3), uint8
        RGB, from 0 to 255.
    width, height : int
        Size of the upright photo at full resolution, in pixels.
    format : str
        Name of the file format in Pillow, such as ``"JPEG"``; ``"unknown"`` for arrays.
    notes : tuple of str
        What was not as it should be, one line each, although the photo can be used.
    """

    pixels: np.ndarray
    width: int
    height: int
    format: str
    notes: tuple[str, ...] = ()

    @property
    def scale(self) -> float:
        """Decoded pixels per pixel of the full photo, in (0, 1]."""
        decoded: int = self.pixels.shape[1]
        return decoded / self.width


def read_bytes(source: FileSource, limits: Limits | None = None) -> bytes:
    """Return the bytes of a file, refusing one that is larger than allowed before reading it.

    Parameters
    ----------
    source : bytes, path or open binary file
        The file or its content; an open file is read from its current position.
    limits : Limits, optional
        Only `max_bytes` is used. Left out, `default_limits`.

    Returns
    -------
    bytes
        The whole file, at least one byte.

    Raises
    ------
    PhotoError
        The file is missing, not readable, opened as text, empty or too large.

    Examples
    --------
    >>> read_bytes(io.BytesIO(b"abc"))
    b'abc'
    """
    limits = limits or default_limits()
    name = "the photo"
    if isinstance(source, (bytes, bytearray, memoryview)):
        data = bytes(source)
    elif isinstance(source, FileLike):
        try:
            data = source.read(limits.max_bytes + 1)
        except (OSError, ValueError) as error:
            raise PhotoError("unreadable", f"cannot read the open file: {error}") from error
        if not isinstance(data, bytes):
            raise PhotoError("unreadable", "the file is open as text; open it with mode 'rb'")
    else:
        path = Path(source)
        name = path.name
        try:
            if path.exists() and not path.is_file():  # a named pipe would wait for a writer
                raise OSError("it is not a file")
            with open(path, "rb") as file:
                data = file.read(limits.max_bytes + 1)
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise PhotoError("unreadable", f"cannot read {name}: {why}") from error
    if len(data) > limits.max_bytes:
        raise PhotoError(
            "too_large", f"{name} is larger than the limit of {limits.max_bytes / 2**20:.3g} MB"
        )
    if not data:
        raise PhotoError("not_an_image", f"{name} is empty (0 bytes)")
    return data


def decode(
    source: Source,
    *,
    enough: int | None = None,
    shrink: int | None = None,
    limits: Limits | None = None,
    bgr: bool = False,
) -> Photo:
    """Decode a photo into upright RGB pixels.

    The format and the number of pixels are read from the header first. EXIF orientation is
    applied, alpha is laid over white, wide levels (16-bit, 32-bit, floats) become 8 bits by the
    range of the data (see `facecore.face.levels.find_range`), CMYK becomes RGB, and of an animation
    or a multi-page file the first frame is taken.

    Parameters
    ----------
    source : bytes, path, open binary file, PIL image or ndarray
        A file or its content, or pixels: uint8 of shape (height, width), (height, width, 3) or,
        with alpha, (height, width, 4).
    enough : int, optional
        Long side that the caller needs, in pixels. A larger photo may be shrunk by a whole factor
        (JPEG: already while decoding), but never below `enough`.
    shrink : int, optional
        Largest such factor, at least 1. Left out, there is none.
    limits : Limits, optional
        Largest number of bytes and pixels. Left out, `default_limits`.
    bgr : bool
        Whether the channels of an array are blue, green, red, as OpenCV reads photos and frames.

    Returns
    -------
    Photo
        Pixels, the size at full resolution, and notes: a JPEG, PNG or BMP that lacks its end is
        read where hardly any of its pixels are missing.

    Raises
    ------
    PhotoError
        The photo cannot be read, is damaged, too large or not supported. The message tells how to
        fix it; no other exception comes from a photo.
    DataError
        A variable of `default_limits` is wrong.

    Examples
    --------
    >>> photo = decode(np.zeros((60, 80), dtype=np.uint8))
    >>> photo.pixels.shape, photo.width
    ((60, 80, 3), 80)
    """
    limits = limits or default_limits()
    if isinstance(source, np.ndarray):
        return _decode_image(_from_array(source, bgr), enough, shrink, limits)
    if bgr:
        raise PhotoError("unsupported", "bgr=True is for arrays; a file names its channels itself")
    if isinstance(source, Image.Image):
        return _decode_image(source, enough, shrink, limits, lent=True)
    data = read_bytes(source, limits)
    try:
        photo = _decode_file(data, enough, shrink, limits)
    except PhotoError as error:
        if error.reason != "truncated":
            raise
        photo, cut = None, PhotoError(error.reason, str(error))
    if photo is None:  # out of the exception, which would keep the pixels in memory
        ended = add_end(data, limits.max_pixels)
        if ended is None:
            raise cut
        return replace(_decode_file(ended, enough, shrink, limits), notes=(NOTE,))
    return photo if has_end(data) else replace(photo, notes=(NOTE,))


def _decode_file(data: bytes, enough: int | None, shrink: int | None, limits: Limits) -> Photo:
    return _decode_image(_open(data), enough, shrink, limits, data)


def _decode_image(
    image: Image.Image,
    enough: int | None,
    shrink: int | None,
    limits: Limits,
    data: bytes = b"",
    lent: bool = False,
) -> Photo:
    """Decode an opened image; one that is `lent` is neither shrunk nor closed."""
    raw = raw_mode(image) if data else ""
    width, height = image.size
    kind = image.format or "unknown"
    most = limits.max_pixels * _share(image)
    factor = 1
    if not lent and _is_reducible(image) and width * height <= REDUCIBLE * most:
        while (width // factor) * (height // factor) > most:
            factor *= 2
    if (width // factor) * (height // factor) > most:
        most *= REDUCIBLE if not lent and _is_reducible(image) else 1
        raise _too_many(width, height, most, kind, limits)
    if enough and shrink:
        enough = max(enough, -(-max(width, height) // shrink))
    rest = max(1, max(width, height) // enough) if enough else 1
    try:
        with nullcontext() if lent else image:
            if rest > factor and not lent and kind in ("JPEG", "MPO"):
                image.draft(None, (-(-width // rest), -(-height // rest)))
            elif factor > 1:
                image.draft(None, (width // factor, height // factor))
            image.load()
            if kind == "TIFF":  # Pillow turns a TIFF upright while loading
                width, height = image.size
            orientation = _orientation(image)
            if image.mode in UNSHOWABLE:
                raise PhotoError(
                    "unsupported",
                    f"photos in the colour space {image.mode} are not supported; save it as JPEG",
                )
            if raw and is_shallow(image):
                if width * height > most * DEEP:
                    raise _too_many(width, height, most * DEEP, kind, limits)
                with _open(data) as again:
                    widen(image, again, raw)
            rest = max(1, max(image.size) // enough) if enough else 1
            flat = _flatten(image, rest)
            if orientation in TURNS:
                flat = flat.transpose(TURNS[orientation])
            if orientation >= 5:
                width, height = height, width
            pixels = np.asarray(flat)
    except PhotoError:
        raise
    except Exception as error:
        # The bytes come from anywhere, and the codecs below Pillow raise whatever they like on
        # damaged ones (OSError, SyntaxError, struct.error, MemoryError, ...).
        raise PhotoError(
            "truncated", "the photo is damaged or cut off; save or send it again"
        ) from error
    return Photo(pixels, width, height, kind)


def _too_many(width: int, height: int, most: float, kind: str, limits: Limits) -> PhotoError:
    return PhotoError(
        "too_large",
        f"the photo has {width} x {height} pixels; the limit is {most / 1e6:.3g} million"
        + (f" for {kind} of this kind" if most != limits.max_pixels else ""),
    )


def _from_array(pixels: np.ndarray, bgr: bool) -> Image.Image:
    fits = pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] in (3, 4))
    if pixels.dtype != np.uint8 or not fits or not pixels.size:
        raise PhotoError(
            "unsupported",
            f"an array of type {pixels.dtype} and shape {pixels.shape} is not a photo; needed is "
            "uint8 of shape (height, width) or (height, width, 3)",
        )
    if bgr and pixels.ndim == 3:
        pixels = pixels[:, :, [2, 1, 0, 3][: pixels.shape[2]]]
    return Image.fromarray(np.ascontiguousarray(pixels))


def _open(data: bytes) -> Image.Image:
    heic = data[4:8] == b"ftyp" and data[8:12] in HEIC_BRANDS and b"avif" not in data[12:64]
    if heic and not HEIC_READABLE:
        raise PhotoError(
            "unsupported",
            "HEIC photos are not supported here; export the photo as JPEG "
            "(or: pip install pillow-heif)",
        )
    # Image.open would also warn of, or refuse, many pixels by a limit of its own.
    for name in FORMATS:
        factory, accepts = Image.OPEN[name]
        if name == "PPM" and data[:2] not in NETPBM:
            continue
        try:
            if accepts is None or accepts(data[:16]) is True:
                return factory(io.BytesIO(data), "")
        except Image.DecompressionBombError as error:
            raise PhotoError("too_large", "the photo announces far too many pixels") from error
        except SyntaxError as error:
            if "unknown pixel mode" in str(error):
                raise PhotoError(
                    "unsupported",
                    "photos with this kind of levels are not supported; save it with 8 or 16 bits "
                    "per colour",
                ) from error
            continue
        except Exception:
            # Damaged headers raise anything; another format may still know these bytes.
            continue
    if _looks_like_image(data):
        raise PhotoError("truncated", "the photo is damaged or cut off; save or send it again")
    raise PhotoError("not_an_image", f"the file is not a photo; send {READABLE}")


def _is_reducible(image: Image.Image) -> bool:
    """Return whether a photo can be decoded at a half or a quarter without holding all of it."""
    return image.format in ("JPEG", "MPO") and not image.info.get("progressive")


def _share(image: Image.Image) -> float:
    """Return the share of the pixel limit for what its decoder holds in memory, in (0, 1]."""
    if any(tile.codec_name.startswith("ppm") for tile in getattr(image, "tile", ())):
        return 0.04  # plain text, and rare maxima: Pillow decodes number by number, in Python
    if image.format == "JPEG2000":  # 32 bits per channel, beside the pixels
        return 0.2
    if image.format in ("WEBP", "AVIF", "HEIF"):  # all of it, more than once
        return 0.3
    if (
        image.format == "TIFF"
        and getattr(image, "tag_v2", {}).get(ExifTags.Base.Orientation) in TURNS
    ):
        return 0.7  # turned while it is loaded
    if image.mode == "CMYK" and image.info.get("progressive"):
        return 0.7
    return 1.0


def _looks_like_image(data: bytes) -> bool:
    starts = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"II*\0", b"MM\0*", *JPEG_2000)
    return data.startswith(starts) or (data[:4] == b"RIFF" and data[8:12] == b"WEBP")


def looks_like_photo(head: bytes) -> bool:
    """Return whether a file begins as one of the formats that are read.

    Parameters
    ----------
    head : bytes
        Its first bytes, at least 16.

    Returns
    -------
    bool
        True says nothing of the rest of the file.

    Examples
    --------
    >>> looks_like_photo(to_png(np.zeros((2, 3), dtype=np.uint8))), looks_like_photo(b"Dear sir")
    (True, False)
    """
    box = head[4:8] == b"ftyp" and head[8:12] in (*HEIC_BRANDS, b"avif", b"avis")
    bitmap = head[:2] == b"BM" and head[6:10] == bytes(4)
    numbers = head[:2] in NETPBM and head[2:3].isspace()
    return _looks_like_image(head) or box or bitmap or numbers


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:
        # A damaged EXIF block says nothing about the pixels, which were read well.
        return 1


def _flatten(image: Image.Image, factor: int = 1) -> Image.Image:
    """Return `image` as 8-bit RGB, transparency over white, shrunk by a whole factor."""
    if image.mode in WIDE_MODES:
        return to_8_bit(image).reduce(factor).convert("RGB")
    if image.mode in ("L", "RGB", "CMYK") and "transparency" not in image.info:
        small = image.reduce(factor) if factor > 1 else image
        return small if small.mode == "RGB" else small.convert("RGB")
    # Strip by strip: a copy of the whole as RGBA would take 200 MB, and there would be three.
    width, height = image.size
    rows = max(1, STRIP // (width * factor)) * factor
    flat = Image.new("RGB", (-(-width // factor), -(-height // factor)))
    for top in range(0, height, rows):
        strip = image.crop((0, top, width, min(top + rows, height)))
        flat.paste(_over_white(strip, factor), (0, top // factor))
    return flat


def _over_white(image: Image.Image, factor: int) -> Image.Image:
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        layer = image.convert("RGBA").reduce(factor)
        white = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(white, layer).convert("RGB")
    return image.convert("RGB").reduce(factor)


def to_png(pixels: np.ndarray) -> bytes:
    """Encode an array as PNG, quickly rather than small.

    Parameters
    ----------
    pixels : ndarray of shape (height, width), (height, width, 3) or (height, width, 4), uint8
        Grey or RGB levels, from 0 to 255, and perhaps the opacity.

    Returns
    -------
    bytes
        The content of a PNG file.

    Examples
    --------
    >>> decode(to_png(np.full((2, 3), 128, dtype=np.uint8))).format
    'PNG'
    """
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
