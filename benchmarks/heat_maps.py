"""How long heat maps take, against the answer that they explain and against hiding patches.

    python benchmarks/heat_maps.py [--models NAME ...] [--faces N] [--quick] [--json FILE]

A photo shows synthetic faces of the first model, of no real person, side by side. The answer is
that of `predict_photo`, from the file's bytes on: decoding, detector and all faces. The heat maps
are those of all faces by `explain_decisions`. The alternative is `occlusion`, which needs one run
of the model for each patch. Times are of the CPU, on one thread each.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

from benchmarks.figures import publish  # noqa: E402
from facecore.face import to_png  # noqa: E402
from facecore.model import (  # noqa: E402
    FaceModel,
    explain_decisions,
    load_model,
    make_photo,
    occlusion,
    predict_photo,
)

MODELS = ("classic", "aligned", "embedding")
PATCHES = 5  # side by side, for the comparison of two maps


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", metavar="NAME", default=MODELS)
    parser.add_argument("--faces", type=int, metavar="N", default=4, help="on the photo")
    parser.add_argument("--quick", action="store_true", help="fewer repeats")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    options = parser.parse_args(arguments)

    def take() -> dict[str, Any]:
        models = {name: load_model(name) for name in options.models}
        photo, repeats = draw(next(iter(models.values())), options.faces), 3 if options.quick else 9
        cv2.setNumThreads(1)
        with threadpool_limits(1):
            rows = [measure(name, model, photo, repeats) for name, model in models.items()]
        print(pd.DataFrame(rows).to_string(index=False))
        return {"rows": rows}

    return publish(take, options.json)


def draw(model: FaceModel, count: int) -> bytes:
    """Return a photo of a model's synthetic faces in a row."""
    faces = [make_photo(model, model.labels[i % len(model.labels)], i) for i in range(count)]
    return to_png(np.hstack(faces))


def measure(name: str, model: FaceModel, photo: bytes, repeats: int) -> dict[str, Any]:
    """Time a model's answer, its heat maps and the alternative in turn.

    Parameters
    ----------
    name : str
        Name of the model.
    model : FaceModel
        The model.
    photo : bytes
        Content of the file.
    repeats : int
        Timed runs of answer and heat maps; the median counts.

    Returns
    -------
    dict
        model, faces (found), kind (of the heat maps), answer_ms, heat_ms, heat_over_answer,
        occlusion_over_answer, and agreement: the correlation of both maps over patches, mean over
        the faces.
    """
    faces = predict_photo(photo, model).faces
    asked = [face.prepared for face in faces], [face.likely for face in faces]
    maps = explain_decisions(model, *asked)
    begun = time.process_time()
    hidden = [occlusion(model, *each) for each in zip(*asked, strict=True)]
    slow = time.process_time() - begun
    agree = [
        np.corrcoef(by_patch(one.values), by_patch(other.values))[0, 1]
        for one, other in zip(maps, hidden, strict=True)
    ]
    answer = median(clock(lambda: predict_photo(photo, model)) for _ in range(repeats))
    heat = median(clock(lambda: explain_decisions(model, *asked)) for _ in range(repeats))
    return {
        "model": name,
        "faces": len(faces),
        "kind": maps[0].kind,
        "answer_ms": round(1e3 * answer, 1),
        "heat_ms": round(1e3 * heat, 1),
        "heat_over_answer": round(heat / answer, 2),
        "occlusion_over_answer": round(slow / answer, 2),
        "agreement": round(float(np.mean(agree)), 2),
    }


def by_patch(values: np.ndarray) -> np.ndarray:
    """Return the sums of a heat map over patches."""
    side = len(values) // PATCHES * PATCHES
    parts = values[:side, :side].reshape(PATCHES, side // PATCHES, PATCHES, side // PATCHES)
    return parts.sum(axis=(1, 3)).ravel()


def clock(run: Callable[[], Any]) -> float:
    """Return the seconds of the CPU that a call takes."""
    begun = time.process_time()
    run()
    return time.process_time() - begun


if __name__ == "__main__":
    sys.exit(main())
