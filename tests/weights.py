"""Made weights of the network: right in form, so that what is around it can be tested."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from facecore.face import embedding as network
from facecore.face.embedding import BLOCKS


def write_weights(path: Path, seed: int = 0) -> Path:
    """Write random weights in the format of the file that is installed."""
    rng = np.random.default_rng(seed)
    shapes = [(32, 3, 7)]
    before = 32
    for channels, blocks in BLOCKS:
        for _ in range(blocks):
            shapes += [(channels, before, 3), (channels, channels, 3)]
            before = channels
    parts = [b"\x01\x01\x01\x0dloss_metric_2"]
    for channels, inputs, side in shapes:
        kernels = rng.normal(0, (2 / (inputs * side**2)) ** 0.5, channels * inputs * side**2)
        parts += [b"\x01\x05con_4", tensor([*kernels, *np.zeros(channels)])]
        affine = [*np.full(channels, 0.6), *np.zeros(channels)]
        parts += [b"\x01\x07affine_", tensor(affine)]
    last = rng.normal(0, 0.2, 256 * 128)
    parts += [b"\x01\x04fc_2", integer(128), integer(256), tensor(last)]
    path.write_bytes(b"".join(parts))
    return path


def tensor(values: list[float] | np.ndarray) -> bytes:
    """A version, four sizes, and the numbers."""
    sizes = b"".join(map(integer, (2, len(values), 1, 1, 1)))
    return sizes + np.asarray(values, dtype="<f4").tobytes()


def integer(value: int) -> bytes:
    """How many bytes, and these, the lowest first."""
    data = value.to_bytes(max(1, (value.bit_length() + 7) // 8), "little")
    return bytes([len(data)]) + data


@contextmanager
def use_weights(file: Path | None) -> Iterator[None]:
    """Let the network read this file, or find none, whatever is installed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network, "_find", lambda: file)
        network._read.cache_clear()
        yield
    network._read.cache_clear()
