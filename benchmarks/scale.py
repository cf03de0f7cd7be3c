"""How time and memory of a training grow with the number of faces.

    python benchmarks/scale.py [--sizes N ...] [--quick] [--crops DIR ...] [--json FILE]

Made faces of two labels are drawn from the face space of the model `classic` straight to disk. Each
size is fitted once (one candidate, no folds), on one thread, in a process of its own. With --crops:
what landmarks cost in balanced accuracy, on one fold by person of the train split of real crops.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import balanced_accuracy_score
from threadpoolctl import threadpool_limits

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

from benchmarks.figures import publish  # noqa: E402
from facecore.data import (  # noqa: E402
    gather,
    load_faces,
    split_folds,
    subject_names,
)
from facecore.errors import DataError  # noqa: E402
from facecore.face import (  # noqa: E402
    Recipe,
    find_recipe,
    mirror,
)
from facecore.model import (  # noqa: E402
    FaceModel,
    Member,
    load_model,
    sample_faces,
)
from facecore.training import (  # noqa: E402
    LANDMARKS,
    Candidate,
    FacesOnDisk,
    TrainingOptions,
    choose_labels,
    fit_member,
    fit_nystroem,
    row_chunks,
)

SIZES, QUICK = (2_000, 8_000, 32_000, 100_000, 200_000), (1_000, 2_000, 4_000)
EXACT_SIZES, QUICK_EXACT = (2_000, 8_000), (1_000,)
BEST = Candidate(n_components=150, gamma=0.006, C=4.0)
QUICK_BEST = replace(BEST, n_components=40)
QUICK_LANDMARKS = 300
CENTRES = 8000  # as the shipped models have them


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", metavar="N")
    parser.add_argument("--exact-sizes", type=int, nargs="+", metavar="N")
    parser.add_argument("--quick", action="store_true", help="small sizes and few landmarks")
    parser.add_argument("--crops", type=Path, nargs="+", metavar="DIR")
    parser.add_argument("--recipe", default="classic", help="of the crops (classic)")
    parser.add_argument("--member", default="pixels", help="of the recipe (pixels)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    parser.add_argument(
        "--one", nargs=3, metavar=("SOLVER", "FACES", "MODE"), help=argparse.SUPPRESS
    )
    options = parser.parse_args(arguments)
    if options.one:
        solver, path, mode = options.one
        print(json.dumps(fit_one(solver, Path(path), mode == "quick", options.seed)))
        return 0
    take = compare if options.crops else measure
    return publish(lambda: take(options), options.json)


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Fit every size, each in a process of its own, and print a line for each.

    Returns
    -------
    dict
        time_exponent of the large-scale path; seconds, peak_mb and solver by size, and those of
        the exact path under exact.
    """
    sizes = sorted(options.sizes or (QUICK if options.quick else SIZES))
    exact_sizes = options.exact_sizes or (QUICK_EXACT if options.quick else EXACT_SIZES)
    mode = "quick" if options.quick else "full"
    found: dict[str, dict[int, Any]] = {"nystroem": {}, "exact": {}}
    print(f"{'faces':>8} {'solver':>9} {'seconds':>9} {'peak MB':>8}")
    with tempfile.TemporaryDirectory(prefix="facecore-scale-") as folder:
        for size in sorted({*sizes, *exact_sizes}):
            path = Path(folder) / "faces.npy"
            draw(path, size, options.seed)
            for solver, wanted in (("nystroem", sizes), ("exact", exact_sizes)):
                if size in wanted:
                    command = [sys.executable, __file__, "--one", solver, path, mode]
                    command += ["--seed", str(options.seed)]
                    said = subprocess.run(command, capture_output=True, text=True, check=False)
                    if said.returncode:
                        raise DataError(f"{solver} of {size} faces: {said.stderr[-300:]}")
                    figures = json.loads(said.stdout)
                    found[solver][size] = figures
                    print(
                        f"{size:8} {solver:>9} {figures['seconds']:9.1f} {figures['peak_mb']:8.0f}",
                        flush=True,
                    )
            path.unlink()
    seconds = [found["nystroem"][size]["seconds"] for size in sizes]
    exponent = float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0]) if len(sizes) > 1 else None
    if exponent is not None:
        print(f"seconds grow with the {exponent:.2f}th power of the number of faces")

    def by_size(solver: str, name: str) -> dict[str, float]:
        return {str(size): figures[name] for size, figures in found[solver].items()}

    names = ("seconds", "peak_mb")
    return {
        "time_exponent": None if exponent is None else round(exponent, 3),
        **{name: by_size("nystroem", name) for name in names},
        "solver": {str(size): "nystroem" for size in sizes},
        "exact": {name: by_size("exact", name) for name in names},
    }


def draw(path: Path, count: int, seed: int) -> None:
    """Write made faces, the two labels in turn, chunk by chunk."""
    model = load_model("classic")
    side = round(len(model.pixels.mean) ** 0.5)
    shape = (count, side * side)
    np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape).flush()
    for i, rows in enumerate(row_chunks(np.arange(count))):
        table = np.load(path, mmap_mode="r+")
        for place, label in enumerate(model.labels[:2]):
            mine = rows[rows % 2 == place]
            faces = sample_faces(model, label, len(mine), seed * 100_003 + i, spread=1.0)
            table[mine] = faces.reshape(len(mine), -1)


def fit_one(solver: str, path: Path, quick: bool, seed: int) -> dict[str, float]:
    """Fit one machine in this process; returns seconds and peak_mb (of resident memory)."""
    candidate, landmarks = (QUICK_BEST, QUICK_LANDMARKS) if quick else (BEST, LANDMARKS)
    count = len(np.load(path, mmap_mode="r"))
    y, subjects = np.array(["a", "b"])[np.arange(count) % 2], np.arange(count)
    start = time.perf_counter()
    with threadpool_limits(1):
        if solver == "exact":
            X = np.load(path)
            fit_member(X, mirror(X), y, candidate, seed)
        else:
            faces = FacesOnDisk(path, mirrored=True)
            options = TrainingOptions(seed=seed, landmarks=landmarks)
            fit_nystroem(faces, y, subjects, candidate, options=options)
    seconds = time.perf_counter() - start
    unit = 2**20 if sys.platform == "darwin" else 2**10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    return {"seconds": round(seconds, 2), "peak_mb": round(peak, 1)}


def compare(options: argparse.Namespace) -> dict[str, Any]:
    """Score both machines on one fold of real crops, the same candidate for both."""
    recipe = find_recipe(options.recipe)
    features = recipe.members[options.member].features
    table = gather(options.crops, recipe, seed=options.seed)
    table = table[table["split"].eq("train") & table["state"].eq("kept")]
    y, subjects = table["label"].to_numpy(dtype=str), subject_names(table)
    train, test = split_folds(y, subjects, 5, options.seed)[0]
    scores, seconds = {}, {}
    with tempfile.TemporaryDirectory(prefix="facecore-scale-") as folder, threadpool_limits(1):
        path = Path(folder) / "faces.npy"
        X = load_faces(table, recipe, file=path)
        faces = FacesOnDisk(path, features, mirrored=True)
        best = Candidate(**recipe.members[options.member].best)
        for solver, centres in (("nystroem", 0), ("centres", CENTRES), ("exact", 0)):
            start = time.perf_counter()
            if solver == "exact":
                F = features.extract(np.array(X[train]))
                member = fit_member(F, features.extract(mirror(X[train])), y[train], best)
            else:
                how = TrainingOptions(seed=options.seed, centres=centres)
                member = fit_nystroem(faces, y, subjects, best, rows=train, options=how)
            seconds[solver] = round(time.perf_counter() - start, 1)
            fitted = replace(member, features=features)
            scores[solver] = score(fitted, replace(recipe, mirror=True), X[test], y[test])
            print(f"{solver}: {scores[solver]:.4f}, {seconds[solver]} s", flush=True)
    loss = {solver: round(scores["exact"] - scores[solver], 4) for solver in scores}
    print(f"loss in balanced accuracy: {loss} ({len(train)} faces fitted, {len(test)} unseen)")
    return {"faces": len(train), "balanced_accuracy": scores, "seconds": seconds, "loss": loss}


def score(member: Member, recipe: Recipe, X: np.ndarray, y: np.ndarray) -> float:
    """Return the balanced accuracy of a member alone."""
    labels = np.unique(y)
    outputs = member.coefficients.shape[1]
    model = FaceModel(tuple(labels), (member,), np.ones(outputs), recipe)
    values = [model.decision_function(X[rows]) for rows in row_chunks(np.arange(len(X)))]
    decisions = np.concatenate(values).reshape(len(X), -1)
    return float(balanced_accuracy_score(y, choose_labels(decisions, labels)))


if __name__ == "__main__":
    sys.exit(main())
