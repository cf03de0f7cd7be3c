"""Embeddings: 128 numbers per face, computed by a deep network (He et al. 2016; King 2017).

The weights are those of dlib's face recognition network, in the public domain, as the package
``face-recognition-models`` ships them. Neither that package's code nor dlib is run: the file is
read here, and the network is computed as matrix products.
"""

import re
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from facecore.errors import ModelError
from facecore.face.features import DESCRIBED
from facecore.face.layers import (
    NOTHING,
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

SIDE = 150  # of a face, in pixels
FILE = "dlib_face_recognition_resnet_model_v1.dat"
INSTALL = 'pip install "face-recognition-models>=0.3,<0.4"'
# Number of channels, and of residual blocks with two convolutions each. The first block of each
# entry but the first halves the picture.
BLOCKS = ((32, 3), (64, 4), (128, 3), (256, 3), (256, 1))
POOLED = (35, 35, 32)  # height, width and channels of what goes into the first block


def missing() -> str | None:
    """Return why embeddings cannot be computed, and the command that helps.

    Returns
    -------
    str or None
        None where the weights are installed.
    """
    if _find() is not None:
        return None
    return f"it needs the weights of the embedding (100 MB), which are not installed: {INSTALL}"


def describe(faces: np.ndarray) -> np.ndarray:
    """Compute embeddings of faces, the mean over each face and its mirror image.

    The embedding of a face does not depend on the other faces.

    Parameters
    ----------
    faces : ndarray of shape (n_faces, 150, 150, 3), uint8
        RGB; upright, the eyes 0.35 of the width apart.

    Returns
    -------
    ndarray of shape (n_faces, 128), float32
        Two faces of one subject are typically less than 0.6 apart (Euclidean distance; King 2017).

    Raises
    ------
    ModelError
        The weights are not installed or are damaged.
    """
    rows = np.empty((len(faces), DESCRIBED), dtype=np.float32)
    for row, face in zip(rows, faces, strict=True):
        row[:] = (_run(face) + _run(face[:, ::-1])) / 2
    return rows


def compare(
    face: np.ndarray, colour: np.ndarray
) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    """Compute the embeddings of a face and of a plain square, and explain their difference.

    Parameters
    ----------
    face : ndarray of shape (150, 150, 3), uint8
        RGB; as `describe` takes it.
    colour : ndarray of shape (3,), uint8
        RGB of the square.

    Returns
    -------
    embeddings : ndarray of shape (2, 128), float32
        Of the face and of the square.
    explain : callable
        Takes weights of the embedding, float32 of shape (128,), and returns multipliers of shape
        (150, 150, 3), float32: the weighted difference of the embeddings is the sum of multipliers
        times differences of levels (DeepLIFT, rescale rule; Shrikumar, Greenside and Kundaje 2017).

    Raises
    ------
    ModelError
        The weights are not installed or are damaged.
    """
    # the square is its own mirror image
    views: list[list[np.ndarray]] = [[], [], []]
    found = [
        _run(picture, view)
        for picture, view in zip(
            (face, face[:, ::-1], np.full(face.shape, colour)), views, strict=True
        )
    ]

    def explain(weights: np.ndarray) -> np.ndarray:
        straight, mirrored = (_explain(view, views[2], weights) for view in views[:2])
        return np.asarray((straight + mirrored[:, ::-1]) / np.float32(2 * RANGE))

    return np.stack([(found[0] + found[1]) / 2, found[2]]), explain


def _run(face: np.ndarray, kept: list[np.ndarray] | None = None) -> np.ndarray:
    """Return the embedding of one view; keep what goes into each rectifier, if asked to."""
    layers, last = _read()
    rest = iter(layers)

    def rectified(x: np.ndarray) -> np.ndarray:
        if kept is not None:
            kept.append(x.copy())
        rectify(x)
        return x

    x = rectified(convolve(centre(face), next(rest), 2))
    # maximum over windows of 3 x 3 pixels, every second pixel: 72 pixels become 35
    x = np.max(_windows(x), axis=0)
    for number, (_, blocks) in enumerate(BLOCKS):
        for block in range(blocks):
            halves = number > 0 and block == 0
            # A residual block adds its input to its output, so each block learns a correction. A
            # convolution that halves the picture has no border of zeros around it.
            y = convolve(x, next(rest), 2) if halves else convolve(edge(x), next(rest))
            y = convolve(edge(rectified(y)), next(rest))
            x = rectified(_add(halve(x), y) if halves else x + y)
    return np.asarray(x.mean(axis=(0, 1)) @ last)


def _explain(seen: list[np.ndarray], before: list[np.ndarray], weights: np.ndarray) -> np.ndarray:
    """Return the multipliers of one view's pixels, by going through the network backwards."""
    layers, last = _read()
    end = seen[-1].shape
    x = np.broadcast_to((last @ weights / (end[0] * end[1])).astype(np.float32), end)
    step = len(seen) - 1  # the rectifier at the end of the block
    for number, (_, blocks) in reversed(list(enumerate(BLOCKS))):
        for block in reversed(range(blocks)):
            x = rectify_back(x, seen[step], before[step])
            into = seen[step - 2].shape if step > 2 else POOLED
            inner = seen[step - 1].shape
            y = x[: inner[0], : inner[1]]
            y = _back(y, layers[step], inner)
            y = rectify_back(y, seen[step - 1], before[step - 1])
            if number > 0 and block == 0:  # it halves
                half = into[0] // 2
                x = halve_back(x[:half, :half, : into[2]], into[0])
                x = x + convolve_back(y, layers[step - 1], into, 2)
            else:
                x = x + _back(y, layers[step - 1], into)
            step -= 2
    x = rectify_back(_pool_back(x, seen[0], before[0]), seen[0], before[0])
    return convolve_back(x, layers[0], (SIDE, SIDE, 3), 2)


def _pool_back(multipliers: np.ndarray, x: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the multipliers of what went into the maximum, after its rectifier.

    A larger maximum is put down to the pixel that is the largest now, and a smaller one to the
    pixel that was.
    """
    now, then = (_windows(np.maximum(each, 0)) for each in (x, other))
    (most, place), (least, before) = _largest(now), _largest(then)
    place = np.where(most > least, place, before)
    apart = np.choose(place, now) - np.choose(place, then)
    share = np.ones_like(most)
    np.divide(most - least, apart, out=share, where=np.abs(apart) > NOTHING)
    share *= multipliers
    total = np.zeros_like(x)
    for number, into in enumerate(_windows(total)):
        into += share * (place == number)
    return total


def _largest(windows: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return the largest of the nine pixels of each window, and which one it is."""
    most, place = windows[0].copy(), np.zeros(windows[0].shape, dtype=np.int8)
    for number, each in enumerate(windows[1:], start=1):
        place[each > most] = number
        np.maximum(most, each, out=most)
    return most, place


def _windows(x: np.ndarray) -> list[np.ndarray]:
    """Return views of the nine pixels of each window of the maximum."""
    return [x[i : i + 69 : 2, j : j + 69 : 2] for i in range(3) for j in range(3)]


def _back(multipliers: np.ndarray, layer: Layer, shape: tuple[int, ...]) -> np.ndarray:
    """Go back through a convolution whose input had a border of zeros."""
    wide = shape[0] + 2, shape[1] + 2, shape[2]
    return convolve_back(multipliers, layer, wide)[1:-1, 1:-1]


def _add(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Add pictures of which one has more pixels and the other more channels.

    What one of them lacks counts as zero, as in dlib.
    """
    total = np.zeros((len(x), len(x), y.shape[2]), dtype=np.float32)
    total[:, :, : x.shape[2]] = x
    total[: len(y), : len(y)] += y
    return total


def _find() -> Path | None:
    # the package itself is not imported: it needs pkg_resources, which setuptools dropped
    spec = find_spec("face_recognition_models")
    for folder in (spec and spec.submodule_search_locations) or ():
        if (file := Path(folder) / "models" / FILE).is_file():
            return file
    return None


@cache
def _read() -> tuple[list[Layer], np.ndarray]:
    """Read the weights: the convolutions, and the last matrix."""
    file = _find()
    if file is None:
        raise ModelError(f"the embedding cannot be used: {missing()}")
    data = file.read_bytes()
    names = list(re.finditer(rb"con_4|affine_|fc_2", data))
    try:
        tensors = [_tensor(data, name.end(), name.group() == b"fc_2") for name in names]
        layers, channels = [], 3
        for weights, affine in zip(tensors[:-1:2], tensors[1:-1:2], strict=True):
            # A scale and a shift per channel follow each convolution; both are linear, so they
            # are folded into its weights and bias.
            scale, shift = np.split(affine, 2)
            kernels, bias = np.split(weights, [-len(scale)])
            side = round((len(kernels) / len(scale) / channels) ** 0.5)
            kernels = kernels.reshape(len(scale), channels, side, side) * scale[:, None, None, None]
            # by row, column and channel of the window, the order in which _convolve reads pixels
            rows = kernels.transpose(2, 3, 1, 0).reshape(-1, len(scale))
            layers.append((np.ascontiguousarray(rows), bias * scale + shift))
            channels = len(scale)
        if len(layers) != 1 + 2 * sum(blocks for _, blocks in BLOCKS):
            raise ValueError(f"{len(layers)} layers")
        return layers, tensors[-1].reshape(-1, DESCRIBED)
    except (ValueError, IndexError) as error:
        raise ModelError(f"the embedding's weights {file.name} are damaged: {INSTALL}") from error


def _tensor(data: bytes, at: int, sizes_first: bool) -> np.ndarray:
    """Read the numbers after a layer's name: a version, four sizes, and the floats."""
    for _ in range(1 + 2 * sizes_first):
        _, at = _integer(data, at)
    count = 1
    for _ in range(4):
        size, at = _integer(data, at)
        count *= size
    return np.frombuffer(data, dtype="<f4", count=count, offset=at)


def _integer(data: bytes, at: int) -> tuple[int, int]:
    """Return a whole number and where the next one begins; its first byte counts the others."""
    end = at + 1 + data[at]
    return int.from_bytes(data[at + 1 : end], "little"), end
