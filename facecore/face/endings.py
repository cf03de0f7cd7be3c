"""Photos that lack their end: it is added where hardly more is missing, as in every browser."""

import io
import random
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from PIL import JpegImagePlugin

MISSING = 0.03  # largest share of the pixels that the missing end may change: a row of blocks
NOTE = f"the end of the file is missing: up to {MISSING:.0%} of the photo may be missing, too"
PNG, CHANNELS = b"\x89PNG\r\n\x1a\n", {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by the kind of colours
UNPACKED = (0, 3)  # kinds of BMP that have each pixel as it is
STEP = 2**20  # bytes
START, END = b"\xff\xd8", b"\xff\xd9"
RESTARTS = range(0xD0, 0xD8)
NO_LENGTH = (
    0x00,
    0x01,
    *RESTARTS,
    START[1],
    END[1],
)  # second bytes of what is no segment with a length
FRAMES, DEFINE_RESTARTS, START_OF_SCAN = (0xC0, 0xC1, 0xC2), 0xDD, 0xDA
BLOCK = 8  # pixels: width and height
SHRUNK = 4  # the photo is compared at a quarter of its size
VISIBLE = 1  # grey level that is no rounding


class _Segment(NamedTuple):
    kind: int
    body: bytes
    end: int  # place in the file


def add_end(data: bytes, max_pixels: int) -> bytes | None:
    """Return a photo with an end, if hardly anything else of it is missing.

    A decoder of JPEGs draws what is missing in grey, whatever share of the photo it is. So the
    photo is drawn with two endings: the mark alone, and data that are made up. Where both agree,
    the picture is in the file. PNG and BMP have a known number of bytes per row.

    Parameters
    ----------
    data : bytes
        Any bytes.
    max_pixels : int
        Most pixels of a PNG that are unpacked.

    Returns
    -------
    bytes or None
        None for other formats, for what is damaged otherwise, and where more than `MISSING` of the
        pixels are missing, or a whole scan of a JPEG.
    """
    try:
        if data.startswith(START):
            return _end_jpeg(data.rstrip(b"\xff"))  # half of a mark
        if data.startswith(PNG):
            return _end_png(data, max_pixels)
        if data.startswith(b"BM") and int.from_bytes(data[30:34], "little") in UNPACKED:
            return data + bytes(int(len(data) * MISSING))
    except Exception:
        pass  # damaged elsewhere, too: codecs raise whatever they like
    return None


def _end_jpeg(data: bytes) -> bytes | None:
    segments = list(_segments(data))
    if not _has_all_scans(segments) or not _has_all_intervals(segments, data):
        return None
    made_up = random.Random(0).randbytes(len(data)).replace(b"\xff", b"")
    ended, other = _draw(data + END), _draw(data + made_up + END)
    changed = np.abs(ended.astype(np.int16) - other) > VISIBLE
    if changed.reshape(*changed.shape[:2], -1).any(axis=2).mean() > MISSING:
        return None
    return data + END


def _end_png(data: bytes, max_pixels: int) -> bytes | None:
    """Pack the pixels anew and fill them up: what is cut off cannot be unpacked to its end."""
    place, parts, packed = len(PNG), [PNG], []
    while place < len(data):
        size, kind = int.from_bytes(data[place : place + 4], "big"), data[place + 4 : place + 8]
        if kind == b"IDAT":
            packed.append(data[place + 8 : place + 8 + size])
        elif kind == b"IEND" or packed:
            break
        else:
            parts.append(data[place : place + 12 + size])
        place += 12 + size
    width, height, bits, colour, *_, interlaced = struct.unpack(">IIBBBBB", parts[1][8:21])
    if interlaced or width * height > max_pixels:
        return None
    wanted = height * (1 + -(-width * bits * CHANNELS[colour] // 8))
    unpacker, packer = zlib.decompressobj(), zlib.compressobj(1)
    pixels, found = [], 0
    for part in packed:
        while part and found <= wanted:
            rows = unpacker.decompress(part, STEP)
            found += len(rows)
            pixels.append(packer.compress(rows))
            part = unpacker.unconsumed_tail
    if unpacker.eof or not wanted * (1 - MISSING) <= found <= wanted:
        return None
    body = b"".join(pixels) + packer.compress(bytes(wanted - found)) + packer.flush()
    return b"".join([*parts, _chunk(b"IDAT", body), _chunk(b"IEND", b"")])


def _chunk(kind: bytes, body: bytes) -> bytes:
    checksum = zlib.crc32(kind + body).to_bytes(4, "big")
    return len(body).to_bytes(4, "big") + kind + body + checksum


def has_end(data: bytes) -> bool:
    """Return whether a JPEG or PNG has its end.

    Parameters
    ----------
    data : bytes
        A photo that was read.

    Returns
    -------
    bool
        True also for the other formats, whose decoders refuse what lacks its end.
    """
    if data.startswith(START):
        return data.endswith(END) or any(kind == END[1] for kind, _, _ in _segments(data))
    return not data.startswith(PNG) or b"IEND" in data


def _segments(data: bytes) -> Iterator[_Segment]:
    """Yield the segments and the end mark; what is between them is coded pixels."""
    place = data.find(b"\xff")
    while 0 <= place < len(data) - 1:
        kind = data[place + 1]
        if kind == 0xFF:  # fill byte
            place += 1
            continue
        size = 0 if kind in NO_LENGTH else int.from_bytes(data[place + 2 : place + 4], "big")
        if size or kind == END[1]:
            yield _Segment(kind, data[place + 4 : place + 2 + size], place + 2 + size)
        place = data.find(b"\xff", place + 2 + size)


def _has_all_scans(segments: list[_Segment]) -> bool:
    """Return whether a scan was begun for the last bit of every coefficient."""
    missing = {(part, k) for part in _sampling(segments) for k in range(BLOCK * BLOCK)}
    for kind, body, _ in segments:
        if kind == START_OF_SCAN and not body[-1] & 15:
            parts = body[1 : 1 + 2 * body[0] : 2]
            missing -= {(part, k) for part in parts for k in range(body[-3], body[-2] + 1)}
    return not missing


def _has_all_intervals(segments: list[_Segment], data: bytes) -> bool:
    """Return whether a scan with restarts has nearly as many as its pixels need.

    Behind a missing restart, both endings are grey.
    """
    every = [int.from_bytes(body, "big") for kind, body, _ in segments if kind == DEFINE_RESTARTS]
    if not every or not every[-1]:
        return True
    scan = [segment for segment in segments if segment.kind == START_OF_SCAN][-1]
    frame = next(body for kind, body, _ in segments if kind in FRAMES)
    size = int.from_bytes(frame[3:5], "big"), int.from_bytes(frame[1:3], "big")
    sampling = _sampling(segments)
    units = 1
    for axis, pixels in enumerate(size):
        most = max(factors[axis] for factors in sampling.values())
        own = sampling[scan.body[1]][axis] if scan.body[0] == 1 else most
        # of a scan of one component, a unit is a block; of several, the smallest whole of all
        covered = BLOCK * most if scan.body[0] > 1 else BLOCK * most / own
        units *= -int(-pixels // covered)
    begun = 1 + sum(data.count(bytes((0xFF, mark)), scan.end) for mark in RESTARTS)
    return begun * every[-1] >= units * (1 - MISSING)


def _sampling(segments: list[_Segment]) -> dict[int, tuple[int, int]]:
    """Return the horizontal and vertical sampling factor of each component."""
    frame = next(body for kind, body, _ in segments if kind in FRAMES)
    return {
        part: divmod(factors, 16) for part, factors in zip(frame[6::3], frame[7::3], strict=True)
    }


def _draw(data: bytes) -> np.ndarray:
    with JpegImagePlugin.JpegImageFile(io.BytesIO(data)) as image:
        image.draft(None, (max(1, image.width // SHRUNK), max(1, image.height // SHRUNK)))
        return np.asarray(image)
