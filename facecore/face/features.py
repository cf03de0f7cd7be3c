"""What a model reads from a prepared face: from grey levels to the numbers of a network."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np

from facecore.face import convolutions
from facecore.face.prepare import middle, to_grey, to_pictures

KINDS = ("pixels", "hog", "lbp", "convolutions", "network")

# What each kind reads, in a few words for people who meet a member's name.
READS = {
    "pixels": "grey levels",
    "hog": "directions of edges",
    "lbp": "fine texture",
    "convolutions": "shapes that a small network looks for",
    "network": "the embedding by a deep network",
}

DESCRIBED = 128  # numbers of an embedding

BINS, BLOCK = 18, 2  # directions of a histogram, and cells along the side of a block

# Rows down and columns to the right of a pixel's eight neighbours, in turn around it.
CIRCLE = ((0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1))


@dataclass(frozen=True)
class Features:
    """How rows of prepared faces become rows of features.

    Parameters
    ----------
    kind : str
        ``"pixels"``: grey levels. ``"hog"``: histograms of oriented gradients of the square root
        of grey, in blocks of 2 x 2 cells (Dalal and Triggs 2005); 18 directions around the circle
        distinguish dark above bright from bright above dark; see docs/decisions. ``"lbp"``:
        square roots of the shares of each local binary pattern in a cell, the 58 uniform ones and
        the rest (Ojala, Pietikainen and Maenpaa 2002). ``"convolutions"``: what a small network
        finds in 32 x 32 pixels, in colour where the faces are; see
        `facecore.face.convolutions`. ``"network"``: the embedding, which is computed when a face
        is prepared, and read as it is.
    side : int
        Width and height of the picture that is read, from 1 to 1,000 pixels; 0 for the grey
        levels of the prepared face, or the embedding, as they are.
    frame : float
        Share of the prepared face's width and height that is read, around its middle, in (0, 1].
    cell : int
        Side of a cell of the histograms, in pixels, at least 1; not used for the other kinds.

    Raises
    ------
    ValueError
        The kind is unknown, a value is out of range, or the values contradict each other.

    Examples
    --------
    >>> features = Features("hog", side=96, cell=12)
    >>> faces = np.zeros((2, 160 * 160), dtype=np.uint8)
    >>> features.extract(faces).shape, features.count(160)
    ((2, 3528), 3528)
    """

    kind: str = "pixels"
    side: int = 0
    frame: float = 1.0
    cell: int = 0

    def __post_init__(self) -> None:
        good = (
            self.kind in KINDS
            and isinstance(self.side, int)
            and 0 <= self.side <= 1000
            and 0 < self.frame <= 1
            and (self.side > 0 or (self.kind in ("pixels", "network") and self.frame == 1))
        )
        if good and self.kind == "network":
            good = self.side == 0
        elif good and self.kind == "convolutions":
            good = self.side == convolutions.SIDE
        elif good and self.kind != "pixels":
            most = self.side // BLOCK if self.kind == "hog" else self.side - 2
            good = isinstance(self.cell, int) and 1 <= self.cell <= most
        if not good:
            raise ValueError(f"{self}: a value is out of range, or values contradict each other")

    def count(self, side: int) -> int:
        """Return the number of features of a prepared face.

        Parameters
        ----------
        side : int
            Width and height of the prepared face, in pixels.

        Returns
        -------
        int
            Numbers per face, the columns of `extract`.
        """
        if self.kind == "pixels":
            return (self.side or side) ** 2
        if self.kind == "network":
            return DESCRIBED
        if self.kind == "convolutions":
            return convolutions.COUNT
        if self.kind == "lbp":
            return ((self.side - 2) // self.cell) ** 2 * PATTERNS
        return (self.side // self.cell - BLOCK + 1) ** 2 * BLOCK**2 * BINS

    def extract(self, X: np.ndarray) -> np.ndarray:
        """Return the features of prepared faces.

        Parameters
        ----------
        X : ndarray of shape (n_faces, s * s) or (n_faces, s * s * 3)
            Levels of grey squares, or of RGB squares, from 0 to 255; or embeddings, of shape
            (n_faces, 128), or (n_faces, 4224) where convolutions follow them.

        Returns
        -------
        ndarray of shape (n_faces, count)
            In the dtype of `X` for pixels and embeddings, float32 for what is computed from them.
        """
        if self.kind == "network":
            return X[:, :DESCRIBED]
        if self.side == 0:
            return X
        if self.kind == "convolutions" and X.shape[1] == DESCRIBED + convolutions.COUNT:
            return X[:, DESCRIBED:]  # they follow an embedding
        pictures = to_pictures(X)
        describe: dict[str, Callable[[], Any]] = {
            "pixels": lambda: np.ravel,
            "hog": self._gradients,
            "lbp": self._patterns,
            "convolutions": lambda: _convolutions,
        }
        describe_face = describe[self.kind]()
        dtype = X.dtype if self.kind == "pixels" else np.float32
        rows = np.empty((len(X), self.count(pictures.shape[1])), dtype=dtype)
        for row, face in zip(rows, pictures, strict=True):
            row[:] = describe_face(self.read(face))
        return rows

    def read(self, face: np.ndarray) -> np.ndarray:
        """Return the part of a prepared face that is read, resized to `side`.

        Parameters
        ----------
        face : ndarray of shape (s, s) or (s, s, 3)
            Grey or RGB levels, from 0 to 255.

        Returns
        -------
        ndarray of shape (side, side) or (side, side, 3)
            Levels in the dtype of `face`; RGB for convolutions of a face in colour, else grey.
        """
        side = self.side or len(face)
        part = np.ascontiguousarray(middle(face, self.frame))
        if self.kind != "convolutions":
            part = to_grey(part if part.ndim == 2 else _bytes(part))
        if len(part) == side:
            return part
        method = cv2.INTER_AREA if len(part) > side else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(part, (side, side), interpolation=method))

    def cells(self, row: np.ndarray) -> np.ndarray:
        """Return the histogram of each cell, averaged over the blocks that contain it.

        Parameters
        ----------
        row : ndarray of shape (count,)
            Histograms of gradients of one face, as `extract` returns them.

        Returns
        -------
        ndarray of shape (n, n, 18), float64
            By row and column of cells. Bin b counts gradients at (b + 1/2) * 20 degrees from the
            x axis towards the y axis, which points down.
        """
        n = self.side // self.cell
        # OpenCV goes through blocks, and through the cells of a block, column by column
        blocks = row.reshape(n - BLOCK + 1, n - BLOCK + 1, BLOCK, BLOCK, BINS)
        total, seen = np.zeros((n, n, BINS)), np.zeros((n, n, 1))
        for x in range(BLOCK):
            for y in range(BLOCK):
                place = slice(y, y + n - BLOCK + 1), slice(x, x + n - BLOCK + 1)
                total[place] += blocks[:, :, x, y].transpose(1, 0, 2)
                seen[place] += 1
        return total / seen

    def _gradients(self) -> Any:
        """Return a function from a grey square to its histograms, for one thread."""
        cells = self.side // self.cell
        used, edge = cells * self.cell, (self.side - cells * self.cell) // 2
        cell, block = (self.cell, self.cell), (BLOCK * self.cell, BLOCK * self.cell)
        descriptor = cv2.HOGDescriptor(
            (used, used), block, cell, cell, BINS, _gammaCorrection=True, _signedGradient=True
        )

        def describe(face: np.ndarray) -> np.ndarray:
            part = np.ascontiguousarray(_bytes(face)[edge : edge + used, edge : edge + used])
            return np.asarray(descriptor.compute(part)).ravel()

        return describe

    def _patterns(self) -> Any:
        """Return a function from a grey square to the roots of the shares of its patterns."""
        cells = (self.side - 2) // self.cell
        used, edge = cells * self.cell, (self.side - 2 - cells * self.cell) // 2
        place = np.arange(used) // self.cell
        # Pattern p of cell c is counted at c * PATTERNS + p: one bincount fills all histograms.
        first = (place[:, None] * cells + place) * PATTERNS

        def describe(face: np.ndarray) -> np.ndarray:
            found = find_patterns(face)[edge : edge + used, edge : edge + used]
            counts = np.bincount((first + found).ravel(), minlength=cells**2 * PATTERNS)
            # after the root, Euclidean distances compare histograms well (Hellinger)
            return np.sqrt(counts / self.cell**2)

        return describe

    def to_dict(self) -> dict[str, Any]:
        """Return the features as a model file stores them.

        Returns
        -------
        dict
            JSON types only: kind, side, frame and cell.
        """
        return asdict(self)


def find_patterns(face: np.ndarray) -> np.ndarray:
    """Return the local binary pattern of each pixel that has eight neighbours.

    Parameters
    ----------
    face : ndarray of shape (side, side)
        Grey levels, from 0 to 255.

    Returns
    -------
    ndarray of shape (side - 2, side - 2), int64
        From 0 to 58. Uniform patterns are numbered by how many neighbours are as bright as the
        pixel or brighter, then by direction; `PATTERNS` - 1 stands for all others.
    """
    grey = _bytes(face)
    middle = grey[1:-1, 1:-1]
    height, width = middle.shape
    code, flag = np.zeros(middle.shape, dtype=np.uint8), np.empty(middle.shape, dtype=bool)
    for down, right in reversed(CIRCLE):  # the first neighbour is the lowest bit
        beside = grey[1 + down : 1 + down + height, 1 + right : 1 + right + width]
        np.greater_equal(beside, middle, out=flag)
        code += code
        code |= flag.view(np.uint8)
    return np.asarray(_NUMBERS[code])


def _convolutions(face: np.ndarray) -> np.ndarray:
    return convolutions.describe(_bytes(face))


def _bytes(face: np.ndarray) -> np.ndarray:
    if face.dtype == np.uint8:
        return face
    return np.asarray(np.clip(np.rint(face), 0, 255).astype(np.uint8))


def _number_patterns() -> np.ndarray:
    """Number the circles of eight bits that change at most twice, and give the rest one number."""
    codes = np.arange(256)
    bits = (codes[:, None] >> np.arange(8)) & 1
    # edges, lines' ends and corners change at most twice around the circle; the rest is noise
    uniform = (bits != np.roll(bits, 1, axis=1)).sum(axis=1) <= 2
    order = np.lexsort((codes, bits.sum(axis=1)))
    numbers = np.full(256, int(uniform.sum()))
    numbers[order[uniform[order]]] = np.arange(uniform.sum())
    return numbers


_NUMBERS = _number_patterns()
PATTERNS = int(_NUMBERS.max()) + 1
WHOLE = Features()


def read_features(value: Any) -> Features:
    """Return the features that a model file stores, checked.

    Parameters
    ----------
    value : mapping or str
        As `Features.to_dict` returns it, or ``"pixels"`` in older files.

    Returns
    -------
    Features
        The same settings.

    Raises
    ------
    ValueError
        The value has other keys, or its settings are refused by `Features`.
    """
    if value == "pixels":
        return WHOLE
    if not isinstance(value, Mapping) or set(value) != {"kind", "side", "frame", "cell"}:
        raise ValueError(f"features {value!r} are unknown")
    return Features(**value)
