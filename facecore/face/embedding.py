"""Embeddings: 128 numbers per face, computed by a deep network (He et al. 2016; King 2017).

The weights are those of dlib's face recognition network, in the public domain, as the package
``face-recognition-models`` ships them. Neither that package's code nor dlib is run: the file is
read here, and the network is computed as matrix products.
"""

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from facecore.errors import ModelError
from facecore.face.features import DESCRIBED
from facecore.face.layers import Layer, centre, convolve, edge, halve, rectify

SIDE = 150  # of a face, in pixels
FILE = "dlib_face_recognition_resnet_model_v1.dat"
INSTALL = 'pip install "face-recognition-models>=0.3,<0.4"'
# Number of channels, and of residual blocks with two convolutions each. The first block of each
# entry but the first halves the picture.
BLOCKS = ((32, 3), (64, 4), (128, 3), (256, 3), (256, 1))


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


def _run(face: np.ndarray) -> np.ndarray:
    layers, last = _read()
    rest = iter(layers)
    x = convolve(centre(face), next(rest), 2)
    rectify(x)
    # maximum over windows of 3 x 3 pixels, every second pixel: 72 pixels become 35
    x = np.max([x[i : i + 69 : 2, j : j + 69 : 2] for i in range(3) for j in range(3)], axis=0)
    for number, (_, blocks) in enumerate(BLOCKS):
        for block in range(blocks):
            halves = number > 0 and block == 0
            # A residual block adds its input to its output, so each block learns a correction. A
            # convolution that halves the picture has no border of zeros around it.
            y = convolve(x, next(rest), 2) if halves else convolve(edge(x), next(rest))
            rectify(y)
            y = convolve(edge(y), next(rest))
            x = _add(halve(x), y) if halves else x + y
            rectify(x)
    return np.asarray(x.mean(axis=(0, 1)) @ last)


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
