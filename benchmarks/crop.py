"""How fast a folder of photos is cropped, what a second worker brings, and what memory it takes.

The textbook loop reads each photo, searches it at full size with OpenCV's default Haar cascade and
writes each face it finds; it has one thread, as each worker has. The photos are made and contain no
person, or are a data set's.

    python benchmarks/crop.py [--data DIR] [--recipe NAME] [--quick] [--json FILE]
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

from benchmarks.figures import publish  # noqa: E402
from facecore.data import (  # noqa: E402
    crop_folder,
    list_photos,
    recipe_settings,
)
from facecore.face import DEFAULT_RECIPE  # noqa: E402
from facecore.model import (  # noqa: E402
    load_model,
    write_photos,
)

SOURCE = "classic"  # the model whose made faces are cropped
# In a process of its own, whose peak is that of the crops and of nothing before them.
PEAK = """
import resource, sys
from pathlib import Path
from joblib.externals.loky import get_reusable_executor
from facecore.data.crops import crop_folder, recipe_settings
source, out, recipe, jobs = sys.argv[1:]
crop_folder(Path(source), Path(out), recipe_settings(recipe), jobs=int(jobs))
get_reusable_executor().shutdown()
for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
    print(resource.getrusage(who).ru_maxrss / 1024)
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, metavar="DIR", help="a data set, not made photos")
    parser.add_argument("--recipe", default=DEFAULT_RECIPE)
    parser.add_argument("--count", type=int, metavar="N", help="made photos (2,400; quick: 1,000)")
    parser.add_argument("--quick", action="store_true", help="fewer photos")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    options = parser.parse_args(arguments)
    count = options.count or (1000 if options.quick else 2400)

    def take() -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as work:
            figures = measure(Path(work), options.data, options.recipe, count)
        show(figures)
        return figures

    return publish(take, options.json)


def measure(work: Path, data: Path | None, recipe: str, count: int) -> dict[str, Any]:
    """Crop the same photos by the textbook loop, with one worker and with two.

    Parameters
    ----------
    work : Path
        An empty folder.
    data : Path or None
        As `facecore.data.listing.list_photos` takes it; made photos when None.
    recipe : str
    count : int
        Of made photos.

    Returns
    -------
    dict
        recipe, photos, textbook, ours_1, ours_2 (photos a second, with the start of workers),
        efficiency_2 (`ours_2` over twice `ours_1`), faces and textbook_faces (crops made), and
        peak_mb (by number of photos that of the main process and of the larger worker).
    """
    model = load_model(SOURCE)
    source = data or work / "photos"
    if data is None:
        write_photos(model, source, count)
    total = len(list_photos(source))
    figures: dict[str, Any] = {"recipe": recipe, "photos": total}
    begun = time.perf_counter()
    figures["textbook_faces"] = crop_by_textbook(source, work / "textbook")
    figures["textbook"] = round(total / (time.perf_counter() - begun), 1)
    settings = recipe_settings(recipe)
    for jobs in (1, 2):
        begun = time.perf_counter()
        table = crop_folder(source, work / f"crops {jobs}", settings, jobs=jobs)
        figures[f"ours_{jobs}"] = round(total / (time.perf_counter() - begun), 1)
        figures["faces"] = int(table["state"].eq("kept").sum())
        shutil.rmtree(work / f"crops {jobs}")
    figures["efficiency_2"] = round(figures["ours_2"] / (2 * figures["ours_1"]), 3)
    figures["peak_mb"] = {}
    for number in (count // 8, count // 2):
        made = work / f"{number} photos"
        write_photos(model, made, number)
        figures["peak_mb"][str(number)] = peak(made, work / f"{number} crops", recipe)
    return figures


def crop_by_textbook(source: Path, out: Path) -> int:
    """Crop every photo of a data set in one loop; returns the number of faces."""
    cascade = cv2.CascadeClassifier(
        str(Path(cv2.data.haarcascades) / "haarcascade_frontalface_default.xml")
    )
    photos, faces = list_photos(source), 0
    for label in photos["label"].unique():
        (out / label).mkdir(parents=True)
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    for number, (path, label) in enumerate(zip(photos["path"], photos["label"], strict=True)):
        pixels = cv2.imread(str(source / path))
        if pixels is None:
            continue
        boxes = cascade.detectMultiScale(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), 1.5, 3)
        for face, (x, y, w, h) in enumerate(boxes):
            cv2.imwrite(str(out / label / f"{number}-{face}.png"), pixels[y : y + h, x : x + w])
        faces += len(boxes)
    cv2.setNumThreads(threads)
    return faces


def peak(source: Path, out: Path, recipe: str) -> list[float]:
    """Return the peaks of resident memory in MB where two workers crop: main process, worker."""
    command = [sys.executable, "-c", PEAK, str(source), str(out), recipe, "2"]
    done = subprocess.run(command, cwd=REPO, check=True, capture_output=True, text=True)
    return [round(float(megabytes), 1) for megabytes in done.stdout.split()[-2:]]


def show(figures: dict[str, Any]) -> None:
    """Print the figures."""
    print(f"{figures['photos']} photos, recipe {figures['recipe']}")
    print(f"textbook loop: {figures['textbook']} photos/s, {figures['textbook_faces']} faces")
    for jobs in (1, 2):
        print(f"{jobs} worker(s): {figures[f'ours_{jobs}']} photos/s, {figures['faces']} faces")
    print(f"efficiency of two workers: {figures['efficiency_2']}")
    for number, (main_process, worker) in figures["peak_mb"].items():
        print(f"peak of memory at {number} photos: {main_process} MB, a worker {worker} MB")


if __name__ == "__main__":
    sys.exit(main())
