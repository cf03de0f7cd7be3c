"""Cut patches without a face out of photos: python tools/backgrounds.py OUT DATA...

They lie beside the faces of a photo, or are parts of a face that are none by themselves, such as a
cheek. OUT/patch then shows a model what is no face (`train --no-face`). Photos of a test split are
left out.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

from facecore.data import list_photos, root_of  # noqa: E402
from facecore.errors import PhotoError  # noqa: E402
from facecore.face import BlazeSettings, Face, decode, get_detector  # noqa: E402

PHOTOS = 1500  # per data set
TRIES = 40
LEAST = 36  # side of a patch, in pixels
BESIDE = (0.16, 0.42)  # side of a patch beside the faces, as a share of the photo's short side
PART = (0.3, 0.55)  # side of a part of a face, as a share of the face's width


def cut_patches(
    pixels: np.ndarray, faces: list[Face], rng: np.random.Generator
) -> list[np.ndarray]:
    """Return up to two patches beside the faces, and a part of the first face.

    Parameters
    ----------
    pixels : ndarray of shape (height, width, 3), uint8
    faces : list of Face
    rng : Generator

    Returns
    -------
    list of ndarray of shape (side, side, 3), uint8
    """
    height, width = pixels.shape[:2]
    patches: list[np.ndarray] = []
    for _ in range(TRIES):
        side = int(rng.uniform(*BESIDE) * min(height, width))
        left, top = (int(rng.integers(0, length - side + 1)) for length in (width, height))
        if side >= LEAST and not any(_touch(face, left, top, side) for face in faces):
            patches.append(pixels[top : top + side, left : left + side])
        if len(patches) == 2:
            break
    for x, y, w, h in (face.box for face in faces[:1]):
        side = int(rng.uniform(*PART) * w)
        left, top = int(x + rng.uniform(0, w - side)), int(y + rng.uniform(0, h - side))
        inside = 0 <= left <= width - side and 0 <= top <= height - side
        if side >= LEAST and inside:
            patches.append(pixels[top : top + side, left : left + side])
    return patches


def _touch(face: Face, left: int, top: int, side: int) -> bool:
    x, y, w, h = face.box
    return x < left + side and x + w > left and y < top + side and y + h > top


def main(out: Path, sources: list[Path]) -> None:
    """Cut the patches of several data sets and print their number."""
    rng, count = np.random.default_rng(0), 0
    find = get_detector(BlazeSettings())
    (out / "patch").mkdir(parents=True)
    for source in sources:
        table = list_photos(source)
        table = table[table["split"] != "test"]
        chosen = table.sample(min(PHOTOS, len(table)), random_state=0)
        for path in tqdm(chosen["path"], desc=source.name):
            try:
                pixels = decode(root_of(source) / path, enough=1000).pixels
            except PhotoError:
                continue
            for patch in cut_patches(pixels, find(pixels), rng):
                Image.fromarray(patch).save(out / "patch" / f"{count:05d}.png")
                count += 1
    print(f"{count} patches in {out}")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: python tools/backgrounds.py OUT DATA...")
    main(Path(sys.argv[1]), [Path(path) for path in sys.argv[2:]])
