"""Draw faces, features and answers as pictures."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from facecore.face.features import BINS, PATTERNS, Features, find_patterns
from facecore.face.prepare import flatten
from facecore.model.labels import order_labels

GLYPH = 24  # side of the drawing of a cell, in pixels

Colour = tuple[int, int, int]
WHITE: Colour = (255, 255, 255)

# Okabe and Ito (2008): distinct for colour-blind readers, on light and on dark.
PALETTE = ("#e69f00", "#0072b2", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#7a7a7a")
ABOVE, BELOW = PALETTE[4], PALETTE[1]  # where an eigenface brightens, and where it darkens
MOST_COLOURS = 100
MOST_CHROMA = 0.22  # in OKLab; the most vivid colours of a screen have 0.32
DARK = 0.0056  # relative luminance of the dashboard's dark background, #0e1117
# Ottosson's matrices: linear sRGB to the responses of the cones, and their cube roots to OKLab.
TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
FROM_CONES = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def label_colours(labels: Sequence[str]) -> dict[str, str]:
    """Return the colour of each label, the same everywhere.

    Parameters
    ----------
    labels : sequence of str
        Labels in the model's order.

    Returns
    -------
    dict of str to str
        Hexadecimal colours, such as ``"#0072b2"``: those of `PALETTE` for up to seven labels, else
        colours that are spread as far apart as a contrast of 3:1 against light and dark allows.
        They differ for up to `MOST_COLOURS` labels and then repeat.

    Examples
    --------
    >>> label_colours(["female", "male"])
    {'female': '#e69f00', 'male': '#0072b2'}
    >>> len(set(label_colours([f"s{i}" for i in range(40)]).values()))
    40
    """
    if len(labels) <= len(PALETTE):
        return dict(zip(labels, PALETTE, strict=False))
    # The first colours lie farthest apart: they go to those that are read, and often shown, first.
    spread, place = spread_colours(), {label: i for i, label in enumerate(order_labels(labels))}
    return {label: spread[place[label] % len(spread)] for label in labels}


@cache
def spread_colours() -> tuple[str, ...]:
    """Return colours for many labels: each is as far as can be from all before it.

    Distance is that of OKLab (Ottosson 2020). A colour is used only if its contrast is at least
    3:1 against both white and the dashboard's dark background, and if it is not glaring.

    Returns
    -------
    tuple of str
        `MOST_COLOURS` hexadecimal colours.

    Examples
    --------
    >>> len(spread_colours())
    100
    """
    levels = np.arange(0, 256, 15)
    rgb = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(-1, 3)
    light = luminance(rgb)
    seen = (3 * (light + 0.05) <= 1.05) & (light + 0.05 >= 3 * (DARK + 0.05))
    rgb, places = rgb[seen], to_oklab(rgb[seen])
    calm = np.hypot(places[:, 1], places[:, 2]) <= MOST_CHROMA
    rgb, places = rgb[calm], places[calm]
    blue = to_oklab(np.array([to_rgb(PALETTE[1])]))
    chosen = [int(np.linalg.norm(places - blue, axis=1).argmin())]
    nearest = np.full(len(rgb), np.inf)
    while len(chosen) < MOST_COLOURS:
        nearest = np.minimum(nearest, np.linalg.norm(places - places[chosen[-1]], axis=1))
        chosen.append(int(nearest.argmax()))
    return tuple("#{:02x}{:02x}{:02x}".format(*rgb[i]) for i in chosen)


def luminance(rgb: np.ndarray) -> np.ndarray:
    """Return the relative luminance of colours, of which WCAG 2 makes contrasts.

    Parameters
    ----------
    rgb : ndarray of shape (n_colours, 3)
        sRGB, from 0 to 255.

    Returns
    -------
    ndarray of shape (n_colours,), float64
        From 0 (black) to 1 (white). The contrast of two is (lighter + 0.05) / (darker + 0.05).

    Examples
    --------
    >>> luminance(np.array([[0, 0, 0], [119, 119, 119], [255, 255, 255]])).round(3).tolist()
    [0.0, 0.184, 1.0]
    """
    return np.asarray(_to_linear(rgb) @ (0.2126, 0.7152, 0.0722))


def to_oklab(rgb: np.ndarray) -> np.ndarray:
    """Return colours in OKLab, in which equal distances look alike (Ottosson 2020).

    Parameters
    ----------
    rgb : ndarray of shape (n_colours, 3)
        sRGB, from 0 to 255.

    Returns
    -------
    ndarray of shape (n_colours, 3), float64
        Lightness from 0 to 1, green to red and blue to yellow, both around 0.

    Examples
    --------
    >>> to_oklab(np.array([[255, 255, 255]])).round(3).tolist()
    [[1.0, 0.0, 0.0]]
    """
    cones = np.cbrt(_to_linear(rgb) @ TO_CONES.T)
    return np.asarray(cones @ FROM_CONES.T)


def _to_linear(rgb: np.ndarray) -> np.ndarray:
    share = np.asarray(rgb) / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def to_rgb(colour: str) -> Colour:
    """Return a hexadecimal colour as red, green and blue.

    Parameters
    ----------
    colour : str
        Six hexadecimal digits, such as ``"#0072b2"``.

    Returns
    -------
    tuple of int
        Each from 0 to 255.

    Examples
    --------
    >>> to_rgb("#0072b2")
    (0, 114, 178)
    """
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue


@dataclass(frozen=True)
class Mark:
    """What is drawn on a photo for one face.

    Parameters
    ----------
    box : tuple of float
        x, y, width, height in pixels of the picture.
    colour : tuple of int
        RGB, each from 0 to 255.
    text : str
        Written at the box's upper left corner.
    points : sequence of tuple of float
        Dots, x and y in pixels of the picture.
    dashed : bool
        Whether the box is a dashed line, so that it differs not by colour alone.
    """

    box: tuple[float, float, float, float]
    colour: Colour
    text: str = ""
    points: Sequence[tuple[float, float]] = ()
    dashed: bool = False


def draw_marks(pixels: np.ndarray, marks: Iterable[Mark]) -> np.ndarray:
    """Draw boxes with their texts and dots on a copy of a photo.

    Parameters
    ----------
    pixels : ndarray of shape (height, width, 3), uint8
        RGB photo.
    marks : iterable of Mark
        One per face; later ones are drawn over earlier ones.

    Returns
    -------
    ndarray of shape (height, width, 3), uint8
        The photo with the marks.

    Examples
    --------
    >>> grey = np.full((40, 40, 3), 128, dtype=np.uint8)
    >>> draw_marks(grey, [Mark((10, 10, 20, 20), (255, 0, 0))])[10, 20].tolist()
    [255, 0, 0]
    """
    picture = pixels.copy()
    long_side = max(picture.shape[:2])
    widest, largest = max(2, round(long_side / 250)), max(0.4, long_side / 800)
    for mark in marks:
        x, y, w, h = (round(v) for v in mark.box)
        # what is drawn on a small face must not hide it
        thick = max(1, min(widest, round(min(w, h) / 30)))
        ink = (0, 0, 0) if np.dot(mark.colour, (0.299, 0.587, 0.114)) > 140 else (255, 255, 255)
        places = [(round(px), round(py)) for px, py in mark.points]
        for shade, wider in ((ink, 2), (mark.colour, 0)):  # an edge, to be seen on any photo
            if mark.dashed and not wider:
                for start, end in _dashes(x, y, w, h, 4 * thick):
                    cv2.line(picture, start, end, shade, thick)
            else:
                cv2.rectangle(picture, (x, y), (x + w, y + h), shade, thick + wider)
            for place in places:
                cv2.circle(picture, place, thick + wider // 2, shade, cv2.FILLED, cv2.LINE_AA)
        if not mark.text:
            continue
        font = cv2.FONT_HERSHEY_SIMPLEX
        size = max(0.3, min(largest, min(w, h) / 90))  # letters of 21 pixels have size 1
        (tw, th), base = cv2.getTextSize(mark.text, font, size, thick)
        width = tw + 2 * thick + 2
        left, top = max(0, min(x, picture.shape[1] - width)), max(0, y)
        corner = (left + width, top + th + base + 2)
        cv2.rectangle(picture, (left, top), corner, mark.colour, cv2.FILLED)
        at = (left + thick + 1, top + th + 2)
        cv2.putText(picture, mark.text, at, font, size, ink, thick, cv2.LINE_AA)
    return picture


def _dashes(
    x: int, y: int, w: int, h: int, length: int
) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Yield the ends of the dashes around a box, with gaps as long as they are."""
    for at in range(0, w, 2 * length):
        to = min(at + length, w)
        yield from (((x + at, side), (x + to, side)) for side in (y, y + h))
    for at in range(0, h, 2 * length):
        to = min(at + length, h)
        yield from (((side, y + at), (side, y + to)) for side in (x, x + w))


def to_image(row: np.ndarray) -> np.ndarray:
    """Return a row of grey levels as a square picture.

    Parameters
    ----------
    row : ndarray of shape (side * side,)
        Grey levels of any dtype; values outside [0, 255] are clipped.

    Returns
    -------
    ndarray of shape (side, side), uint8
        Rounded grey levels.

    Examples
    --------
    >>> to_image(np.array([-3.0, 0.7, 128.2, 300.0]))
    array([[  0,   1],
           [128, 255]], dtype=uint8)
    """
    side = round(len(row) ** 0.5)
    picture = np.clip(np.rint(row), 0, 255).astype(np.uint8)
    return np.asarray(picture.reshape(side, side))


def to_signed_image(row: np.ndarray) -> np.ndarray:
    """Return values around zero as a square picture, rescaled on a symmetric scale of its own.

    Parameters
    ----------
    row : ndarray of shape (side * side,)
        Values around zero, in any unit.

    Returns
    -------
    ndarray of shape (side, side), uint8
        Grey levels; 128 is zero, and the largest absolute value is 0 or 255.

    Examples
    --------
    >>> to_signed_image(np.array([-2.0, 0.0, 0.0, 1.0]))
    array([[  0, 128],
           [128, 191]], dtype=uint8)
    """
    return to_image(127.5 + 127.5 * row / max(float(np.abs(row).max()), 1e-12))


def paint_signed(row: np.ndarray, most: float | None = None, ground: Colour = WHITE) -> np.ndarray:
    """Return values around zero as a square picture in two colours.

    Parameters
    ----------
    row : ndarray of shape (side * side,)
        Values around zero, in any unit.
    most : float, optional
        Absolute value of the full colour, for pictures that are compared; the largest one in the
        picture when left out.
    ground : tuple of int, default=(255, 255, 255)
        RGB colour of zero, each from 0 to 255.

    Returns
    -------
    ndarray of shape (side, side, 3), uint8
        `ground` is zero; `most` is `ABOVE`, and its negative `BELOW`.

    Examples
    --------
    >>> paint_signed(np.array([0.0, 2.0, -2.0, 1.0]))[0].tolist()
    [[255, 255, 255], [213, 94, 0]]
    """
    side = round(len(row) ** 0.5)
    most = float(np.abs(row).max()) if most is None else most
    shares = np.clip(row / max(most, 1e-12), -1, 1).reshape(side, side, 1)
    colours = np.where(shares > 0, to_rgb(ABOVE), to_rgb(BELOW))
    zero = np.array(ground)
    return np.asarray(np.rint(zero + (colours - zero) * np.abs(shares)).astype(np.uint8))


def paint_answers(probabilities: np.ndarray, colours: Sequence[str]) -> np.ndarray:
    """Return a picture of answers: the colour of the likeliest label, the paler the less sure.

    Parameters
    ----------
    probabilities : ndarray of shape (height, width, n_labels)
        In [0, 1].
    colours : sequence of str
        Hexadecimal colour of each label.

    Returns
    -------
    ndarray of shape (height, width, 4), uint8
        RGB and opacity: 0 where all labels are equally likely, 255 where one is certain.

    Examples
    --------
    >>> paint_answers(np.array([[[0.5, 0.5], [0.0, 1.0]]]), ["#e69f00", "#0072b2"])[0].tolist()
    [[230, 159, 0, 0], [0, 114, 178, 255]]
    """
    best, least = probabilities.argmax(axis=2), 1 / probabilities.shape[2]
    sure = (probabilities.max(axis=2) - least) / (1 - least)
    colour = np.array([to_rgb(each) for each in colours])[best]
    opacity = np.rint(255 * np.clip(sure, 0, 1))[:, :, None]
    return np.concatenate([colour, opacity], axis=2).astype(np.uint8)


def draw_features(features: Features, face: np.ndarray) -> np.ndarray:
    """Draw what features keep of a prepared face: pixels, a star of edges per cell, or patterns.

    Parameters
    ----------
    features : Features
        What a member reads of it.
    face : ndarray of shape (side, side) or (side, side, 3), uint8
        Grey or RGB levels of the prepared face, from 0 to 255.

    Returns
    -------
    ndarray of shape (n, n) or (n, n, 3), uint8
        Grey levels. For histograms of gradients, the stronger a gradient, the brighter the stroke
        across it, which runs along the edge (Dalal and Triggs 2005). For local patterns, the more
        neighbours are as bright as the pixel, the brighter it is; white is no uniform pattern. For
        convolutions and embeddings, the picture that the network reads, RGB where the face is.

    Examples
    --------
    >>> draw_features(Features("hog", side=96, cell=12), np.eye(96, dtype=np.uint8)).shape
    (192, 192)
    """
    if features.kind == "network":
        return face
    if features.kind in ("pixels", "convolutions"):
        return features.read(face)
    if features.kind == "lbp":
        patterns = find_patterns(features.read(face))
        return (255 * patterns / (PATTERNS - 1)).astype(np.uint8)
    row = features.extract(flatten(face))[0]
    angles = (np.arange(BINS) + 0.5) * 2 * np.pi / BINS
    y, x = np.mgrid[:GLYPH, :GLYPH] - (GLYPH - 1) / 2
    # distance of each pixel of a glyph from the line at right angles to the gradient
    across = [np.abs(x * np.cos(angle) + y * np.sin(angle)) for angle in angles]
    strokes = np.clip(1.2 - np.array(across), 0, 1) * (np.hypot(x, y) < GLYPH / 2)
    stars = np.tensordot(features.cells(row), strokes, 1)  # (row, column, y, x)
    picture = stars.transpose(0, 2, 1, 3).reshape(2 * (GLYPH * len(stars),))
    return to_image(255 * picture.ravel() / max(float(np.percentile(picture, 99.5)), 1e-12))
