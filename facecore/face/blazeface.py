"""BlazeFace, a small network that proposes faces (Bazarevsky et al. 2019, arXiv:1907.05047).

Its weights are in ``blazeface.tflite``, whose source and licence stand in ``blazeface.txt``; they
run in ``cv2.dnn``. The photo is seen once, in a square of 128 pixels, so a search takes the same
time whatever is on the photo, and faces below about an eighth of its long side are missed.
"""

from functools import cache
from pathlib import Path

import cv2
import numpy as np

from facecore.face.mtcnn import suppress

SIDE = 128  # of the square that the network sees, in pixels
GRIDS = ((16, 2), (8, 6))  # places per row, and boxes that are proposed at each place
LIKELY = 0.5  # least probability of a face, in [0, 1]
OVERLAP = 0.3  # boxes that overlap by more than this share of their union are one face


class BlazeFace:
    """The network, for use by one thread only."""

    def __init__(self) -> None:
        weights = Path(__file__).with_suffix(".tflite").read_bytes()
        self.net = cv2.dnn.readNetFromTFLite(np.frombuffer(weights, dtype=np.uint8))

    def propose(self, pixels: np.ndarray, border: float = 0.0) -> np.ndarray:
        """Return where faces may be.

        Parameters
        ----------
        pixels : ndarray of shape (height, width, 3), uint8
            RGB photo.
        border : float
            Share of the long side that is added on every side by repeating the outermost pixels,
            0 or more: a face that fills the photo becomes smaller.

        Returns
        -------
        ndarray of shape (n_boxes, 4), float64
            Left, top, right, bottom, in pixels of the photo, the likeliest first.
        """
        long_side = max(pixels.shape[:2])
        scale = SIDE / (long_side * (1 + 2 * border))
        height, width = (max(round(length * scale), 1) for length in pixels.shape[:2])
        small = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
        left, top = (SIDE - width) // 2, (SIDE - height) // 2
        square = cv2.copyMakeBorder(
            small,
            top,
            SIDE - height - top,
            left,
            SIDE - width - left,
            # what is beside a photo is black, as in the network's training
            borderType=cv2.BORDER_REPLICATE if border else cv2.BORDER_CONSTANT,
        )
        self.net.setInput(square.astype(np.float32).transpose(2, 0, 1)[None] / 127.5 - 1)
        found, places = self.net.forward(["classificators", "regressors"])
        scores = 1 / (1 + np.exp(-np.clip(found[0, :, 0].astype(float), -80, 80)))
        likely = np.flatnonzero(scores >= LIKELY)
        middle, size = np.hsplit(places[0, likely, :4].astype(float), 2)
        middle = middle + _anchors()[likely]
        boxes = np.hstack([middle - size / 2, middle + size / 2])
        boxes = boxes[suppress(boxes, scores[likely], OVERLAP)]
        back = np.array([pixels.shape[1] / width, pixels.shape[0] / height])
        corners: np.ndarray = (boxes.reshape(-1, 2, 2) - (left, top)) * back
        return corners.reshape(-1, 4)


@cache
def _anchors() -> np.ndarray:
    """Return the middles of the places that the network looks at, in pixels of its square."""
    parts = []
    for count, boxes in GRIDS:
        middles = (np.arange(count) + 0.5) * SIDE / count
        x, y = np.meshgrid(middles, middles)
        parts.append(np.repeat(np.column_stack([x.ravel(), y.ravel()]), boxes, axis=0))
    return np.concatenate(parts)
