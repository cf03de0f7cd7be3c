"""A deep network that describes a face with 128 numbers (He et al. 2016; King 2017).

Its weights are those of dlib's face recognition network, in the public domain, as the package
``face-recognition-models`` brings them. Neither that package's code nor dlib is run: the file is
read here, and the network is matrix products. On one core that takes an eighth of dlib's own time.
"""

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import as_strided

from facecore.errors import ModelError
from facecore.face.features import DESCRIBED

SIDE = 150  # of a face, in pixels
FILE = "dlib_face_recognition_resnet_model_v1.dat"
INSTALL = 'pip install "face-recognition-models>=0.3,<0.4"'
COLOUR = np.array([122.782, 117.001, 104.298], dtype=np.float32)  # mean of the network's photos
# Blocks of two convolutions by their number of channels; the first of a row halves the picture.
BLOCKS = ((32, 3), (64, 4), (128, 3), (256, 3), (256, 1))

Layer = tuple[np.ndarray, np.ndarray]  # rows of a window to channels, and what is added


def missing() -> str | None:
    """Say why the network cannot be used, and which command mends it.

    Returns
    -------
    str or None
        None where its weights are installed.
    """
    if _find() is not None:
        return None
    return f"it needs the weights of a network (100 MB), which are not installed: {INSTALL}"


def describe(faces: np.ndarray) -> np.ndarray:
    """Describe faces, each by the mean of its description and its mirror image's.

    A face's numbers depend on no other face.

    Parameters
    ----------
    faces : ndarray of shape (n_faces, 150, 150, 3), uint8
        RGB; upright, the eyes 0.35 of the width apart.

    Returns
    -------
    ndarray of shape (n_faces, 128), float32
        Faces of one person lie nearer than 0.6 to each other.

    Raises
    ------
    ModelError
        The weights are not installed, or damaged.
    """
    rows = np.empty((len(faces), DESCRIBED), dtype=np.float32)
    for row, face in zip(rows, faces, strict=True):
        row[:] = (_run(face) + _run(face[:, ::-1])) / 2
    return rows


def _run(face: np.ndarray) -> np.ndarray:
    layers, last = _read()
    rest = iter(layers)
    x = _convolve((face - COLOUR) / np.float32(256), next(rest), 2)
    np.maximum(x, 0, out=x)
    x = np.max([x[i : i + 69 : 2, j : j + 69 : 2] for i in range(3) for j in range(3)], axis=0)
    for number, (_, blocks) in enumerate(BLOCKS):
        for block in range(blocks):
            halves = number > 0 and block == 0
            y = _convolve(x, next(rest), 2) if halves else _convolve(_edge(x), next(rest))
            y = _convolve(_edge(np.maximum(y, 0, out=y)), next(rest))
            x = np.maximum(_add(_halve(x), y) if halves else x + y, 0)
    return np.asarray(x.mean(axis=(0, 1)) @ last)


def _convolve(x: np.ndarray, layer: Layer, stride: int = 1) -> np.ndarray:
    weights, bias = layer
    channels = x.shape[2]
    side = round((len(weights) / channels) ** 0.5)
    n = (len(x) - side) // stride + 1
    down, right, one = x.strides
    # the pixels of a row of a window lie side by side, with all their channels
    windows = as_strided(
        x, (n, n, side, side * channels), (down * stride, right * stride, down, one)
    )
    y = windows.reshape(n * n, -1) @ weights
    y += bias
    return np.asarray(y.reshape(n, n, -1))


def _edge(x: np.ndarray) -> np.ndarray:
    """Put a border of zeros around a picture."""
    wide = np.zeros((len(x) + 2, len(x) + 2, x.shape[2]), dtype=np.float32)
    wide[1:-1, 1:-1] = x
    return wide


def _halve(x: np.ndarray) -> np.ndarray:
    n = len(x) // 2
    return np.asarray(x[: 2 * n, : 2 * n].reshape(n, 2, n, 2, -1).mean(axis=(1, 3)))


def _add(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Add pictures of which one has more pixels and the other more channels."""
    total = np.zeros((len(x), len(x), y.shape[2]), dtype=np.float32)
    total[:, :, : x.shape[2]] = x
    total[: len(y), : len(y)] += y
    return total


def _find() -> Path | None:
    # the package itself is not imported: it needs pkg_resources, which is no more
    spec = find_spec("face_recognition_models")
    for folder in (spec and spec.submodule_search_locations) or ():
        if (file := Path(folder) / "models" / FILE).is_file():
            return file
    return None


@cache
def _read() -> tuple[list[Layer], np.ndarray]:
    """Read the weights: convolutions with what follows each, and the last matrix."""
    file = _find()
    if file is None:
        raise ModelError(f"the network cannot be used: {missing()}")
    data = file.read_bytes()
    names = list(re.finditer(rb"con_4|affine_|fc_2", data))
    try:
        tensors = [_tensor(data, name.end(), name.group() == b"fc_2") for name in names]
        layers, channels = [], 3
        for weights, affine in zip(tensors[:-1:2], tensors[1:-1:2], strict=True):
            scale, shift = np.split(affine, 2)
            kernels, bias = np.split(weights, [-len(scale)])
            side = round((len(kernels) / len(scale) / channels) ** 0.5)
            kernels = kernels.reshape(len(scale), channels, side, side) * scale[:, None, None, None]
            rows = kernels.transpose(2, 3, 1, 0).reshape(-1, len(scale))
            layers.append((np.ascontiguousarray(rows), bias * scale + shift))
            channels = len(scale)
        if len(layers) != 1 + 2 * sum(blocks for _, blocks in BLOCKS):
            raise ValueError(f"{len(layers)} layers")
        return layers, tensors[-1].reshape(-1, DESCRIBED)
    except (ValueError, IndexError) as error:
        raise ModelError(f"the network's weights {file.name} are damaged: {INSTALL}") from error


def _tensor(data: bytes, at: int, sizes_first: bool) -> np.ndarray:
    """Read numbers after a layer's name: a version, four sizes, and as many floats."""
    for _ in range(1 + 2 * sizes_first):
        _, at = _integer(data, at)
    count = 1
    for _ in range(4):
        size, at = _integer(data, at)
        count *= size
    return np.frombuffer(data, dtype="<f4", count=count, offset=at)


def _integer(data: bytes, at: int) -> tuple[int, int]:
    """Read a whole number of as many bytes as the byte before says, and where the next begins."""
    end = at + 1 + data[at]
    return int.from_bytes(data[at + 1 : end], "little"), end
