"""Show pictures of more than 8 bits per level as 8 bits, by the range of their data."""

import sys
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

SIXTEEN_BIT = ("I;16", "I;16B", "I;16L", "I;16N")
WIDE_MODES = ("I", "F", *SIXTEEN_BIT)
WHITES = tuple(2**bits - 1 for bits in (8, 10, 12, 14, 16))  # what cameras and scanners write
OVERSHOOT = 2.0  # largest level of a scale that ends at 1: filters and lights go beyond
OUTLIERS = 0.001  # share of the levels that may lie outside: dead pixels, reflections
STRETCHED = (256, 257)  # 8 bits in 16 are multiples of one of these
STRIP = 2**20  # pixels
SAMPLE = 2**20  # levels
SHALLOW = 64  # high byte that 14 bits do not reach
LOW = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}  # byte orders


class Range(NamedTuple):
    """The levels that are shown as black and as white.

    Parameters
    ----------
    black, white : float
        In the unit of the data; black is below white.
    """

    black: float
    white: float

    def apply(self, levels: np.ndarray) -> np.ndarray:
        """Return levels as 8 bits.

        Parameters
        ----------
        levels : ndarray of any shape, of numbers
            What is no number becomes black, what lies outside becomes black or white.

        Returns
        -------
        ndarray of the same shape, uint8
        """
        black, white = self
        inside = np.clip(np.nan_to_num(levels.astype(np.float64), nan=black), black, white)
        shown: np.ndarray = ((inside - black) * (255 / (white - black)) + 0.5).astype(np.uint8)
        return shown


def find_range(levels: np.ndarray, stretched: Sequence[int] = STRETCHED) -> Range:
    """Find which levels of a picture are black and white.

    White is the smallest usual white that holds the data: 1 for fractions, else the largest number
    of 8, 10, 12, 14 or 16 bits, and beyond these the largest level. A file of 16 bits does not say
    how many of them are used, so a dark picture of true 16 bits becomes brighter. That does less
    harm than a picture of 12 bits that is shown as black. No picture becomes brighter than its
    data would be in the fewest bits that hold them, so one that is nearly black stays so. Levels
    of 8 bits that were stretched to 16 are known by their steps, and shown as they were. Where
    there are levels below zero, the smallest is black and the largest is white.

    Parameters
    ----------
    levels : ndarray of any shape, of numbers
        Levels of the picture, or a fair sample of them. One in a thousand may lie outside of the
        range; infinities and what is no number do not count.
    stretched : sequence of int
        Steps of levels that were stretched to 16 bits.

    Returns
    -------
    Range

    Examples
    --------
    >>> find_range(np.array([0, 90, 3000])), find_range(np.array([0.0, 0.4, np.inf]))
    (Range(black=0.0, white=4095.0), Range(black=0.0, white=1.0))
    >>> find_range(np.array([-1.0, 0.5, 1.0])), find_range(np.array([0, 257, 514]))
    (Range(black=-1.0, white=1.0), Range(black=0.0, white=65535.0))
    """
    fractions = levels.dtype.kind == "f"
    levels = levels[np.isfinite(levels)].astype(np.float64)
    if not levels.size:
        return Range(0.0, 1.0)
    outside = int(levels.size * OUTLIERS)
    places = [outside, levels.size - 1 - outside]
    low, high = (float(level) for level in np.partition(levels, places)[places])
    whole = not fractions or bool((levels == np.rint(levels)).all())
    if low < 0:  # at least so wide that what hardly differs does not become noise
        return Range(low, max(high, low + (WHITES[0] if whole else 1.0)))
    if fractions and high <= (1.0 if whole else OVERSHOOT):
        return Range(0.0, max(high, 1.0))
    if WHITES[0] < high <= WHITES[-1] and any(not (levels % step).any() for step in stretched):
        return Range(0.0, float(WHITES[-1]))
    return Range(0.0, float(next((white for white in WHITES if high <= white), high)))


def to_8_bit(image: Image.Image) -> Image.Image:
    """Return a picture of wide grey levels as one of 8 bits.

    Parameters
    ----------
    image : Image
        Loaded, of one of `WIDE_MODES`.

    Returns
    -------
    Image
        Of mode ``"L"``. Nothing else of the picture's size is kept in memory.
    """
    # Pillow reads whole numbers of 32 bits as signed.
    tags = getattr(image, "tag_v2", {})
    unsigned = image.mode == "I" and tags.get(258) == (32,) and tags.get(339, (1,)) == (1,)
    if image.format == "PPM":  # its header names its white, which Pillow has made 65,535
        shown = Range(0.0, float(WHITES[-1]))
    else:
        # a JPEG 2000 declares its bits, and Pillow stretches them to 16
        stretched = (2,) if image.format == "JPEG2000" else STRETCHED
        shown = find_range(_sample(_strips(image, unsigned), image.size), stretched)
    levels = np.empty(image.size[::-1], dtype=np.uint8)
    for top, part in _strips(image, unsigned):
        levels[top : top + len(part)] = shown.apply(part)
    return Image.fromarray(levels)


def raw_mode(image: Image.Image) -> str:
    """Return how the file of a colour picture of 16 bits stores them.

    Parameters
    ----------
    image : Image
        Opened, not yet loaded.

    Returns
    -------
    str
        Raw mode of Pillow; empty for other pictures.
    """
    tiles = getattr(image, "tile", ())
    found = {_raw_mode_of(tile.args) for tile in tiles} if image.mode in ("RGB", "RGBA") else set()
    raw = found.pop() if len(found) == 1 else ""
    return raw if raw.partition(";")[2] in ("16B", "16L", "16N") else ""


def is_shallow(image: Image.Image) -> bool:
    """Return whether the high bytes of a picture are so small that its low bytes are needed.

    Parameters
    ----------
    image : Image
        Colour picture of 16 bits, as Pillow loads it: the high bytes alone.

    Returns
    -------
    bool
    """
    levels = _sample(((top, part[..., :3]) for top, part in _strips(image)), image.size)
    return bool(np.quantile(levels, 1 - OUTLIERS) < SHALLOW)


def widen(image: Image.Image, again: Any, raw: str) -> None:
    """Show a colour picture of 16 bits by the range of its data.

    Parameters
    ----------
    image : Image
        As Pillow loads it: the high bytes alone. It is changed in place.
    again : Image
        The same file, opened and not yet loaded.
    raw : str
        As `raw_mode` returned it.
    """
    grey = raw.startswith("LA")
    other = "RGBA" if grey else raw[:-1] + LOW[raw[-1]]  # two levels of two bytes are four
    again.tile = [tile._replace(args=_with_raw_mode(tile.args, other)) for tile in again.tile]
    again.load()

    def strips() -> Iterator[tuple[int, np.ndarray]]:
        for (top, high), (_, low) in zip(_strips(image), _strips(again), strict=True):
            if grey:
                high, low = low[..., [0, 0, 0, 2]], low[..., [1, 1, 1, 3]]
            yield top, high.astype(np.uint16) << 8 | low

    def range_of(channels: slice) -> Range:
        parts = ((top, part[..., channels]) for top, part in strips())
        return find_range(_sample(parts, image.size))

    colour = range_of(slice(3))
    opaque = range_of(slice(3, 4)) if image.mode == "RGBA" else None
    for top, part in strips():
        levels = colour.apply(part)
        if opaque:
            levels[..., 3] = opaque.apply(part[..., 3])
        image.paste(Image.fromarray(levels), (0, top))


def _strips(image: Image.Image, unsigned: bool = False) -> Iterator[tuple[int, np.ndarray]]:
    """Yield a picture in parts: all of it as float64 would take 400 MB."""
    width, height = image.size
    rows = max(1, STRIP // max(width, 1))
    for top in range(0, height, rows):
        part = np.asarray(image.crop((0, top, width, min(top + rows, height))))
        yield top, part.view(np.uint32) if unsigned else part


def _sample(strips: Iterator[tuple[int, np.ndarray]], size: tuple[int, int]) -> np.ndarray:
    """Return the levels of a picture, or of one in so many of its pixels, in one row."""
    every = -(-size[0] * size[1] // SAMPLE)
    parts = [part.reshape(-1, *part.shape[2:])[::every].ravel() for _, part in strips]
    return np.concatenate(parts)


def _raw_mode_of(args: Any) -> str:
    first = args[0] if isinstance(args, tuple) and args else args
    return first if isinstance(first, str) else ""


def _with_raw_mode(args: Any, raw: str) -> Any:
    return (raw, *args[1:]) if isinstance(args, tuple) else raw
