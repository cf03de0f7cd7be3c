"""How long a grid search over face space takes: ours against scikit-learn's as it is written.

The others are `GridSearchCV` over `Pipeline(MinMaxScaler, PCA, SVC)`, and the same with
`Pipeline(memory=...)`. Faces, folds, grid, score and worker processes are the same.

    python benchmarks/grid_search.py --quick [--json FILE]
    python benchmarks/grid_search.py --crops DIR [DIR ...] [--faces N] [--folds K] [--estimate]
    python benchmarks/grid_search.py --data DIR [--faces N] [--folds K] [--estimate]

Only faces of the train split are read. `--quick` needs no photos: its faces are drawn from the
face space of the model `classic`. Each side runs in processes of its own on one thread of linear
algebra each, which have started and imported all before the clock starts. Scores are judged on
fewer faces, against `PCA(svd_solver="full")`: scikit-learn's default is randomized there.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV, ParameterGrid, cross_val_predict
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.svm import SVC

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
from facecore.face import find_recipe  # noqa: E402
from facecore.model import (  # noqa: E402
    load_model,
    sample_faces,
)
from facecore.training import (  # noqa: E402
    MEMORY_MB,
    TrainingOptions,
    grid_search,
    score_folds,
    set_borders,
)

SIDES = {
    "ours": "ours",
    "plain": "GridSearchCV",
    "cached": "GridSearchCV, Pipeline(memory=...)",
}
GRID = {
    "n_components": [100, 150, 200, 300],
    "C": [1.0, 2.0, 4.0, 8.0],
    "gamma": [0.0015, 0.0025, 0.004, 0.006],
}
QUICK = {"n_components": [50, 100], "C": [1.0, 4.0, 16.0], "gamma": [0.0025, 0.005, 0.01]}
PREFIX = {"n_components": "pca__", "C": "svm__", "gamma": "svm__"}
CLOSE = 0.003
PACKAGES = ("numpy", "scipy", "scikit-learn", "joblib")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--quick", action="store_true", help="made faces, small grid")
    source.add_argument("--crops", type=Path, nargs="+", metavar="DIR", help="made by crop")
    source.add_argument("--data", type=Path, metavar="DIR", help="its lfw is cropped first")
    source.add_argument("--side", choices=[*SIDES, "full"], help=argparse.SUPPRESS)
    parser.add_argument("--task", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--faces", type=int, metavar="N", help="5,000; quick: 560")
    parser.add_argument("--folds", type=int, metavar="K", help="5; quick: 3")
    parser.add_argument("--equal-faces", type=int, metavar="N", help="1,500; quick: 360")
    parser.add_argument(
        "--estimate",
        action="store_true",
        help="time scikit-learn on one fold, without memory on a quarter of it, and scale",
    )
    parser.add_argument("--jobs", type=int, default=joblib.cpu_count())
    parser.add_argument("--memory-mb", type=float, default=MEMORY_MB, help="for ours")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    options = parser.parse_args(arguments)
    if options.side:
        run_side(options.side, options.task)
        return 0

    def take() -> dict[str, Any]:
        figures = measure(options)
        show(figures)
        return figures

    return publish(take, options.json)


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Time every side on the same faces, and compare scores on fewer of them.

    Returns
    -------
    dict
        Ratios of wall time, agreement of scores, peak memory (MB, with worker processes), sizes,
        versions, hardware.
    """
    quick = options.quick
    grid = QUICK if quick else GRID
    count, folds = options.faces or (560 if quick else 5000), options.folds or (3 if quick else 5)
    X, y, groups = made_faces(count, options.seed) if quick else real_faces(options, count)
    common = {
        "grid": grid,
        "folds": folds,
        "jobs": options.jobs,
        "seed": options.seed,
        "memory_mb": options.memory_mb,
    }
    runs = {}
    for side in SIDES:
        part = "all" if side == "ours" or not options.estimate else side
        runs[side] = run = run_apart(side, X, y, groups, {**common, "part": part})
        took = f"{run['seconds']:.1f} s, {run['cpu_seconds']:.1f} s of CPU"
        print(f"{SIDES[side]}: {run['fits']} fits in {took}, {run['peak_mb']} MB", flush=True)
    fewer = options.equal_faces or min(count, 360 if quick else 1500)
    some = np.sort(np.random.default_rng(options.seed).permutation(len(X))[:fewer])
    ours, full = (
        run_apart(side, X[some], y[some], groups[some], {**common, "part": "all"})["scores"]
        for side in ("ours", "full")
    )
    ours_mean, full_mean = np.mean(ours, axis=1), np.mean(full, axis=1)
    seconds = {side: run["seconds"] * run["scale"] for side, run in runs.items()}
    return {
        "plain_over_ours": round(seconds["plain"] / seconds["ours"], 2),
        "cached_over_ours": round(seconds["cached"] / seconds["ours"], 2),
        "same_best": bool(full_mean[ours_mean.argmax()] >= full_mean.max() - CLOSE),
        "max_score_difference": round(float(np.abs(ours_mean - full_mean).max()), 5),
        **{f"{side}_seconds": round(seconds[side], 1) for side in SIDES},
        **{
            f"{side}_cpu_seconds": round(run["cpu_seconds"] * run["scale"], 1)
            for side, run in runs.items()
        },
        **{f"{side}_peak_mb": run["peak_mb"] for side, run in runs.items()},
        **{f"{side}_fits": run["fits"] for side, run in runs.items()},
        **{f"{side}_estimated": runs[side]["scale"] > 1 for side in ("plain", "cached")},
        "ours_machines_seconds": runs["ours"]["machines_seconds"],
        "faces": len(X),
        "features": X.shape[1],
        "equality_faces": fewer,
        "data": "made" if quick else "crops",
        **{key: common[key] for key in ("grid", "folds", "jobs", "memory_mb", "seed")},
        "candidates": len(ParameterGrid(grid)),
        "versions": {"python": platform.python_version()} | {p: version(p) for p in PACKAGES},
        "hardware": {
            "processor": processor(),
            "cores": joblib.cpu_count(),
            "platform": platform.platform(),
        },
    }


def made_faces(count: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw noisy faces of `classic`, each of a person of its own."""
    model = load_model("classic")
    labels = np.array(model.labels)[np.arange(count) % len(model.labels)]
    X = np.empty((count, model.pixels.minimum.size), dtype=np.uint8)
    rng = np.random.default_rng(seed)
    for label in model.labels:
        rows = labels == label
        faces = sample_faces(model, label, int(rows.sum()), seed, spread=1.0)
        noisy = faces.reshape(len(faces), -1) + rng.normal(0, 12, (len(faces), X.shape[1]))
        X[rows] = np.clip(np.rint(noisy), 0, 255)
    return X, labels, np.arange(count).astype(str)


def real_faces(
    options: argparse.Namespace, count: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Load a random sample of the faces of train splits, prepared as for `classic`."""
    recipe = find_recipe("classic")
    table = gather(options.crops or [options.data / "lfw"], recipe, jobs=options.jobs)
    table = table[table["split"].eq("train") & table["state"].eq("kept")]
    if len(table) < count:
        raise DataError(f"{count} faces are wanted and there are {len(table)}; use --faces")
    table = table.sample(count, random_state=options.seed).sort_index()
    return load_faces(table, recipe), table["label"].to_numpy(dtype=str), subject_names(table)


def run_apart(
    side: str, X: np.ndarray, y: np.ndarray, groups: np.ndarray, task: dict[str, Any]
) -> dict[str, Any]:
    """Run a side in a process of its own, and watch its memory.

    Returns
    -------
    dict
        As `run_side` writes it, and peak_mb: the largest sum of proportional set sizes of the
        process and its workers seen, None where the system does not tell.
    """
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder) / "faces.npz", X=X, y=y, groups=groups)
        (Path(folder) / "task.json").write_text(json.dumps(task), encoding="utf-8")
        command = [sys.executable, __file__, "--side", side, "--task", folder]
        with subprocess.Popen(command, env=environment) as process:
            peak = 0.0
            while process.poll() is None:
                peak = max(peak, tree_memory(process.pid))
                time.sleep(0.1)
        if process.returncode:
            raise DataError(f"{side} ended with code {process.returncode}")
        result: dict[str, Any] = json.loads((Path(folder) / "result.json").read_text())
    return result | {"peak_mb": round(peak) or None}


def tree(pid: int) -> list[Path]:
    """Return the folders in /proc of a process and all below it."""
    found, waiting = [], [pid]
    while waiting:
        folder = Path(f"/proc/{waiting.pop()}")
        with suppress(OSError):  # it may end meanwhile
            for thread in (folder / "task").iterdir():
                waiting += map(int, (thread / "children").read_text().split())
            found.append(folder)
    return found


def tree_memory(pid: int) -> float:
    """Return the proportional set size of a process and all below it in MB, 0 if unknown."""
    total = 0.0
    for folder in tree(pid):
        with suppress(OSError, StopIteration):
            lines = (folder / "smaps_rollup").read_text().splitlines()
            total += int(next(line for line in lines if line.startswith("Pss:")).split()[1]) / 1024
    return total


def tree_cpu(pid: int) -> float:
    """Return the CPU seconds of a process and all below it, 0 if unknown."""
    total = 0.0
    for folder in tree(pid):
        with suppress(OSError):
            fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
            total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def run_side(side: str, folder: Path) -> None:
    """Run one side's search and write seconds, fits, scale and scores (at calibrated borders)."""
    task = json.loads((folder / "task.json").read_text())
    with np.load(folder / "faces.npz") as data:
        X, y, groups = data["X"], data["y"], data["groups"]
    grid, jobs, seed = task["grid"], task["jobs"], task["seed"]
    joblib.Parallel(n_jobs=jobs)(joblib.delayed(time.sleep)(0.5) for _ in range(jobs))
    joblib.Parallel(n_jobs=jobs)(joblib.delayed(warm)() for _ in range(2 * jobs))
    start, used = time.perf_counter(), tree_cpu(os.getpid())
    if side == "ours":
        table = grid_search(
            X,
            y,
            groups,
            grid,
            folds=task["folds"],
            options=TrainingOptions(seed=seed, jobs=jobs, memory_mb=task["memory_mb"]),
        ).table
        seconds, scale = time.perf_counter() - start, 1.0
        found = {tuple(row[f"param_{name}"] for name in grid): row for _, row in table.iterrows()}
        splits = [f"split{i}_test_score" for i in range(task["folds"])]
        rows = [found[tuple(c[name] for name in grid)] for c in ParameterGrid(grid)]
        times = table[["mean_fit_time", "mean_score_time"]].to_numpy().sum() * len(splits)
        result = {"fits": len(table) * len(splits), "machines_seconds": round(times, 1)}
        scores = [[float(row[split]) for split in splits] for row in rows]
    elif side == "full":
        splits = split_folds(y, groups, task["folds"], seed)
        pipeline = make_pipeline("full", seed, folder / "memory")
        scores = []
        for candidate in ParameterGrid(grid):
            pipeline.set_params(**{PREFIX[name] + name: candidate[name] for name in grid})
            how = {"cv": splits, "n_jobs": jobs, "method": "decision_function"}
            decisions = cross_val_predict(pipeline, X, y, **how)[:, None]
            moved = set_borders(decisions, y, np.unique(y), splits)
            scores.append(score_folds(moved, y, np.unique(y), splits))
        seconds, scale, result = time.perf_counter() - start, 1.0, {"fits": len(scores)}
    else:
        search, scale = make_search(side, task, split_folds(y, groups, task["folds"], seed), folder)
        search.fit(X, y)
        seconds = time.perf_counter() - start
        # GridSearchCV scores at a decision of 0, so its scores are others than ours.
        scores, result = [], {"fits": len(search.cv_results_["params"]) * search.n_splits_}
    cpu = tree_cpu(os.getpid()) - used
    result |= {"seconds": seconds, "cpu_seconds": cpu, "scale": scale, "scores": scores}
    (folder / "result.json").write_text(json.dumps(result), encoding="utf-8")


def make_search(
    side: str, task: dict[str, Any], splits: list[tuple[np.ndarray, np.ndarray]], folder: Path
) -> tuple[GridSearchCV, float]:
    """Return scikit-learn's search, and by what its time is to be multiplied."""
    grid, scale = task["grid"], 1.0
    chosen = list(ParameterGrid(grid))
    if task["part"] != "all":
        splits, scale = splits[:1], float(len(splits))
    if task["part"] == "plain":  # every value, and every pair of values, equally often
        places = [sum(grid[name].index(c[name]) for name in grid) for c in chosen]
        chosen = [c for c, place in zip(chosen, places, strict=True) if place % 4 == 0]
        scale *= len(ParameterGrid(grid)) / len(chosen)
    pipeline = make_pipeline("auto", task["seed"], folder / "memory" if side == "cached" else None)
    candidates = [{PREFIX[name] + name: [c[name]] for name in grid} for c in chosen]
    search = GridSearchCV(
        pipeline,
        candidates,
        scoring="balanced_accuracy",
        cv=splits,
        n_jobs=task["jobs"],
        refit=False,
    )
    return search, scale


def make_pipeline(solver: str, seed: int, memory: Path | None) -> Pipeline:
    """Return min-max, PCA and SVM as scikit-learn has them."""
    steps = [
        ("minmax", MinMaxScaler()),
        ("pca", PCA(whiten=True, svd_solver=solver, random_state=seed)),
        ("svm", SVC(class_weight="balanced")),
    ]
    return Pipeline(steps, memory=None if memory is None else str(memory))


def warm() -> None:
    """Import and run everything once in a worker."""
    X, y = np.random.default_rng(0).random((40, 20)), np.arange(40) % 2
    grid_search(X, y, np.arange(40), {"n_components": [2], "C": [1.0], "gamma": [0.1]}, folds=2)


def processor() -> str:
    """Return the name of the processor."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor()


def show(figures: dict[str, Any]) -> None:
    """Print the table."""
    print(
        f"\n{figures['faces']} {figures['data']} faces of {figures['features']} pixels, "
        f"{figures['candidates']} candidates, {figures['folds']} folds, {figures['jobs']} workers"
    )
    rows = {
        name: {
            "wall s": figures[f"{side}_seconds"],
            "over ours": round(figures[f"{side}_seconds"] / figures["ours_seconds"], 1),
            "CPU s": figures[f"{side}_cpu_seconds"],
            "peak MB": figures[f"{side}_peak_mb"],
            "fits timed": figures[f"{side}_fits"],
            "": "estimated from these" if figures.get(f"{side}_estimated") else "",
        }
        for side, name in SIDES.items()
    }
    print(pd.DataFrame(rows).T.to_string())
    print(
        f"against PCA(svd_solver='full') on {figures['equality_faces']} faces: "
        f"{'the same' if figures['same_best'] else 'ANOTHER'} best (within {CLOSE}), "
        f"mean scores differ by at most {figures['max_score_difference']}"
    )


if __name__ == "__main__":
    sys.exit(main())
