"""How fast one photo is answered, beside the textbook way and another package; and many photos.

The textbook way decodes the photo at full size, searches it with OpenCV's default Haar cascade, and
asks a scikit-learn pipeline (min-max, PCA, SVC) of a shipped model's size, fitted on made faces.
Every side has one thread. The photos are made and contain no person, or are out of a train split.

    python benchmarks/predict.py [--data DIR] [--other] [--quick] [--json FILE]
"""

import argparse
import io
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from accuracy import CACHE, OTHER, others, prepare
from PIL import Image
from sklearn.decomposition import PCA
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

from benchmarks.figures import publish  # noqa: E402
from facecore.data import list_photos  # noqa: E402
from facecore.errors import DataError  # noqa: E402
from facecore.model import (  # noqa: E402
    FaceModel,
    load_model,
    make_photo,
    paste,
    predict_many,
    predict_photo,
    sample_faces,
)

SIZES = {0.06: (250, 250), 0.26: (512, 512), 1: (1152, 864), 4: (2304, 1728), 12: (4000, 3000),
         48: (8000, 6000)}  # fmt: skip
RECIPES = ("classic", "aligned")
HEAVY = ("numpy", "cv2", "PIL", "joblib", "tqdm", "scipy", "sklearn", "pandas", "streamlit")
SEED = 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="photos of its train split in place of made ones"
        " in the smallest size",
    )  # fmt: skip
    parser.add_argument("--models", nargs="+", metavar="NAME", default=RECIPES)
    parser.add_argument("--other", action="store_true", help=f"ask {OTHER}, too")
    parser.add_argument(
        "--env", type=Path, default=CACHE / OTHER, metavar="DIR", help=f"environment of {OTHER}"
    )
    parser.add_argument("--quick", action="store_true", help="fewer photos, sizes and faces")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    options = parser.parse_args(arguments)

    def take() -> dict[str, Any]:
        models = {name: load_model(name) for name in options.models}
        python = prepare(options.env) if options.other else None
        with tempfile.TemporaryDirectory() as work:
            return measure(models, options.data, python, Path(work), options.quick)

    return publish(take, options.json)


def measure(
    models: dict[str, FaceModel], data: Path | None, python: Path | None, work: Path, quick: bool
) -> dict[str, Any]:
    """Take all the figures and print each table when it is done.

    Parameters
    ----------
    models : dict of str to FaceModel
        Ours, by name; faces are sampled from the first.
    data : Path or None
        As `facecore.data.listing.list_photos` takes it.
    python : Path or None
        Of the environment with the other package.
    work : Path
        An empty folder for photos.
    quick : bool

    Returns
    -------
    dict
        support_vectors (of the textbook pipeline), rows (megapixels, recipe, ours_ms,
        textbook_ms, other_ms, textbook_over_ours, and the shares of photos with a face found),
        start_s and imported, bulk (by model: photos a second by number of worker processes).
    """
    source = next(iter(models.values()))
    textbook = fit_textbook(source, 1500 if quick else 3000)
    count = len(textbook[-1].support_)
    print(f"textbook pipeline: {textbook[1].n_components_} eigenfaces, {count} support vectors")
    figures: dict[str, Any] = {"support_vectors": count, "rows": []}
    sizes = [0.06, 1, 12] if quick else list(SIZES)
    for megapixels in sizes:
        photos = write_photos(source, megapixels, 3 if quick else 8, work)
        if data and megapixels == min(SIZES):
            photos = train_photos(data, 12 if quick else 100)
        rows = [
            {"megapixels": megapixels, **row} for row in compare(photos, models, textbook, python)
        ]
        figures["rows"] += rows
        print(pd.DataFrame(rows).to_string(index=False), flush=True)

    small = write_photos(source, min(SIZES), 320 if quick else 960, work)
    figures |= start(small[0], 3 if quick else 9)
    print(f"process to answer: {figures['start_s']} s, imports {', '.join(figures['imported'])}")
    figures["bulk"] = {name: bulk(small, model) for name, model in models.items()}
    for name, found in figures["bulk"].items():
        print(f"bulk, {name}: " + ", ".join(f"{v} photos/s at {k} jobs" for k, v in found.items()))
    return figures


def fit_textbook(model: FaceModel, count: int) -> Pipeline:
    """Fit min-max, PCA and SVC on made faces, so noisy that most become support vectors."""
    rng = np.random.default_rng(SEED)
    share = count // len(model.labels)
    faces = np.concatenate([sample_faces(model, label, share) for label in model.labels])
    X = np.array([cv2.resize(face, (100, 100)) for face in faces], dtype=np.float32)
    X = (X + 8 * rng.standard_normal(X.shape, dtype=np.float32)).reshape(len(X), -1)
    pca = PCA(150, whiten=True, svd_solver="randomized", random_state=SEED)
    pipeline = make_pipeline(MinMaxScaler(), pca, SVC(C=5, gamma=0.05))
    return pipeline.fit(X, np.repeat(model.labels, share))


def write_photos(model: FaceModel, megapixels: float, count: int, folder: Path) -> list[Path]:
    """Write made photos of a size as JPEG; on the large ones a face is a quarter of the height."""
    width, height = SIZES[megapixels]
    background = texture(width, height) if megapixels > 0.5 else None
    paths = []
    for seed in range(count):
        label = model.labels[seed % len(model.labels)]
        if background is None:
            pixels = cv2.resize(make_photo(model, label, seed), (width, height))
        else:
            half = paste(sample_faces(model, label, 1, seed)[0], seed, height // 2)
            top, left = height // 4, (width - height // 2) // 2
            pixels = np.repeat(background[:, :, None], 3, axis=2)
            pixels[top : top + len(half), left : left + len(half)] = half
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "JPEG", quality=90)
        paths.append(folder / f"{width}x{height}-{seed}.jpg")
        paths[-1].write_bytes(buffer.getvalue())
    return paths


def texture(width: int, height: int) -> np.ndarray:
    """Return a grey background that is as hard for a cascade as real photos are.

    Noise of many scales, the finer the weaker. So made, OpenCV's default cascade takes about 100 ms
    a megapixel; on the twelve largest photos of a train split (2 to 7 megapixels) it took 35 to
    208, median 94.
    """
    rng = np.random.default_rng(SEED)
    picture = np.full((height, width), 128, dtype=np.float32)
    rows, contrast = height * 2 // 3, 1.7
    while rows >= 4:
        noise = rng.normal(0, contrast, (rows, rows * width // height)).astype(np.float32)
        picture += cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
        rows, contrast = rows // 2, min(contrast / 0.7, 30)
    grain = rng.normal(0, 3, (1024, 1024)).astype(np.float32)
    tiles = np.tile(grain, (height // 1024 + 1, width // 1024 + 1))[:height, :width]
    return np.clip(picture + tiles, 0, 255).astype(np.uint8)


def train_photos(data: Path, count: int) -> list[Path]:
    """Return a random sample of the photos of a data set's train split."""
    photos = list_photos(data)
    photos = photos[photos["split"].eq("train")]
    if photos.empty:
        raise DataError(f"no photo of the train split in {data}")
    photos = photos.sample(min(count, len(photos)), random_state=SEED)
    return [data / path for path in photos["path"]]


def compare(
    photos: list[Path], models: dict[str, FaceModel], textbook: Pipeline, python: Path | None
) -> list[dict[str, Any]]:
    """Let every side answer the same photos, each on one thread.

    Parameters
    ----------
    photos : list of Path
        Of one size.
    models : dict of str to FaceModel
    textbook : Pipeline
    python : Path or None

    Returns
    -------
    list of dict
        The rows of `measure` for each of our models; times are medians of CPU milliseconds.
    """
    cascade = cv2.CascadeClassifier(
        str(Path(cv2.data.haarcascades) / "haarcascade_frontalface_default.xml")
    )
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    with threadpool_limits(1):
        theirs = clock(photos, lambda path: answer_by_textbook(path, cascade, textbook))
        ours = {
            name: clock(photos, lambda path, model=model: len(predict_photo(path, model).faces))
            for name, model in models.items()
        }
    cv2.setNumThreads(threads)
    rows = []
    for name, (ms, found) in ours.items():
        row = {"recipe": name, "ours_ms": round(ms, 1), "textbook_ms": round(theirs[0], 1)}
        row |= {"textbook_over_ours": round(theirs[0] / ms, 2)}
        row |= {"ours_found": found, "textbook_found": theirs[1]}
        rows.append(row)
    if python:
        answers = others(map(str, [photos[0], *photos]), python).iloc[1:]
        for row in rows:
            row["other_ms"] = round(float(answers["ms"].median()), 1)
            row["other_found"] = round(float(answers["predicted"].ne("").mean()), 3)
    return rows


def answer_by_textbook(path: Path, cascade: cv2.CascadeClassifier, pipeline: Pipeline) -> int:
    """Classify every face of a photo the textbook way; returns how many it found.

    Where it finds none, the middle of the photo is classified: it always does the work of one.
    """
    grey = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2GRAY)
    boxes = cascade.detectMultiScale(grey, 1.5, 3)
    middle = [(*(length // 4 for length in grey.shape[::-1]), 100, 100)]
    for x, y, w, h in boxes if len(boxes) else middle:
        face = cv2.resize(grey[y : y + h, x : x + w], (100, 100))
        pipeline.predict(face.reshape(1, -1))
    return len(boxes)


def clock(photos: Iterable[Path], answer: Callable[[Path], int]) -> tuple[float, float]:
    """Return the median CPU time of a photo in ms, and the share of photos with a face."""
    photos = list(photos)
    answer(photos[0])  # detectors and models are made ready at first use
    times, found = [], []
    for path in photos:
        start = time.process_time()
        found.append(answer(path) > 0)
        times.append((time.process_time() - start) * 1e3)
    return float(np.median(times)), round(float(np.mean(found)), 3)


def start(photo: Path, repeats: int) -> dict[str, Any]:
    """Time ``predict`` of the command line from the start of its process to its end.

    Parameters
    ----------
    photo : Path
    repeats : int

    Returns
    -------
    dict
        start_s, the median in seconds, and imported, which of the modules of `HEAVY` it needs.
    """
    command = [sys.executable, "-m", "facecore", "predict", str(photo)]
    seconds = []
    for _ in range(repeats + 1):  # the first one reads files
        begun = time.perf_counter()
        subprocess.run(command, cwd=REPO, check=True, capture_output=True)
        seconds.append(time.perf_counter() - begun)
    code = (
        "import sys; from facecore.__main__ import main; main(sys.argv[1:]); "
        f"print(*[m for m in {HEAVY!r} if m in sys.modules])"
    )
    command = [sys.executable, "-c", code, "predict", str(photo)]
    done = subprocess.run(command, cwd=REPO, check=True, capture_output=True, text=True)
    imported = done.stdout.splitlines()[-1].split()
    return {"start_s": round(float(np.median(seconds[1:])), 2), "imported": imported}


def bulk(photos: list[Path], model: FaceModel) -> dict[str, float]:
    """Return photos a second of `predict_many`, by number of worker processes that have started."""
    sources = [(path.name, path) for path in photos]
    found = {}
    for jobs in dict.fromkeys((1, 2, os.cpu_count() or 1)):
        list(predict_many(sources[: 16 * jobs], model, jobs=jobs))
        begun = time.perf_counter()
        list(predict_many(sources, model, jobs=jobs))
        found[str(jobs)] = round(len(sources) / (time.perf_counter() - begun), 1)
    return found


if __name__ == "__main__":
    sys.exit(main())
