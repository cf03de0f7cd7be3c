"""The ladder: the same min-max, PCA and SVM on better and better descriptions of a face."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from sklearn.metrics import balanced_accuracy_score
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from facecore.data.crops import raw_root
from facecore.data.faces import gather, load_faces
from facecore.data.losses import NONE_LEFT
from facecore.data.splits import split_folds, subject_names
from facecore.errors import DataError
from facecore.evaluation.intervals import wilson
from facecore.face.prepare import mirror
from facecore.face.recipes import RECIPES, Recipe, lacks, to_rows
from facecore.model.classifier import FaceModel, Member
from facecore.model.predict import predict_photo
from facecore.model.store import artifact_folders, artifacts_dir
from facecore.system.files import write_atomically, write_json
from facecore.system.progress import step
from facecore.system.scratch import scratch_folder
from facecore.system.workers import within_memory
from facecore.training.calibrate import cross_calibrate
from facecore.training.estimator import fit_member
from facecore.training.grids import Candidate
from facecore.training.kernels import choose_labels, decide, fit_svm, mirror_kernel
from facecore.training.learning_curve import shrink
from facecore.training.streaming import in_chunks

LADDER_FOLDER = "_ladder"  # beside the models; none of them can have this name
NETWORK_MB = 22.5  # weights of the embedding network, which a model that uses it does not store
RUNGS: dict[str, tuple[str, tuple[str, ...]]] = {
    "pixels": ("classic", ("pixels",)),
    "aligned pixels": ("aligned", ("pixels",)),
    "gradients": ("aligned", ("hog tight",)),
    "both": ("aligned", ("pixels", "hog tight")),
    "convolutions": ("aligned", ("convolutions",)),
    "fused": ("aligned", tuple(RECIPES["aligned"].members)),
    "embedding": ("embedding", ("network",)),
}
FOLDS = 5  # of which `climb` holds out some
COMPONENTS = (2, 5, 10, 20, 40, 80, 150, 200, 300)
SIZES = (30, 60, 125, 250, 500, 1000, 2000, 4000, 8000)


@dataclass(frozen=True)
class Ladder:
    """Accuracy of the rungs on the same folds, and their price.

    Parameters
    ----------
    rungs : DataFrame
        One row per rung: rung, recipe, members, training_faces, test_faces, accuracy, low, high
        (95% interval), balanced (accuracy), components (of all members), kernel_vectors,
        megabytes, ms_face (CPU, from a prepared face to the decision), ms_photo (CPU, from a photo
        to the answer).
    curves : DataFrame
        One row per rung and number of training faces: rung, training_faces, test_faces, accuracy,
        low, high, balanced.
    components : DataFrame
        One row per rung with one member and number of components: rung, components, test_faces,
        accuracy, low, high, balanced.
    about : dict of str to object
        created, command, seed, folds, sets (photos of each that every rung can use), labels, and
        left_out (rungs and the reason).
    """

    rungs: pd.DataFrame
    curves: pd.DataFrame
    components: pd.DataFrame
    about: dict[str, Any]


@dataclass(frozen=True)
class _Data:
    tables: dict[str, pd.DataFrame]  # by recipe, of the same photos in the same order
    y: np.ndarray
    subjects: np.ndarray
    splits: list[tuple[np.ndarray, np.ndarray]]
    sizes: tuple[int, ...]
    seed: int

    @property
    def tested(self) -> np.ndarray:
        """Rows of the faces that are tested, fold by fold."""
        return np.concatenate([test for _, test in self.splits])


@dataclass(frozen=True)
class _Climb:
    """Result of one member."""

    member: Member  # of the first fold, with its features
    decisions: dict[int, np.ndarray]  # by number of training faces, of the tested faces
    components: dict[int, np.ndarray]


@within_memory("--quick")
def climb(
    sources: Sequence[Path],
    *,
    folds: int = 1,
    quick: bool = False,
    jobs: int = 1,
    seed: int = 0,
    command: str = "",
    progress: bool = False,
) -> Ladder:
    """Train every rung on the same folds of the train split, and measure it on the held-out faces.

    A rung of several members weighs them by one half of the held-out subjects and is measured on
    the other half, and the other way round. Only photos count in which both detectors found a face
    that is large enough. The test split is not read.

    Parameters
    ----------
    sources : sequence of Path
        Raw folders of labelled photos; cropped into ``crops/`` first.
    folds : int, default=1
        How many of five folds are held out, one after the other, from 1 to 5.
    quick : bool, default=False
        Use 1,000 faces at most, and fewer points on the curves.
    jobs : int, default=1
        Worker processes that crop and read faces; -1 for one per core.
    seed : int, default=0
        Seed of the folds, the samples and the eigenfaces.
    command : str, default=""
        Stored with the result.
    progress : bool, default=False
        Show progress bars on standard error.

    Returns
    -------
    Ladder
        Of all rungs whose recipes can be used here.

    Raises
    ------
    FacecoreError
        A folder or its photos cannot be used, or the faces cannot be split into folds.
    """
    left_out = {rung: why for rung, (name, _) in RUNGS.items() if (why := lacks(RECIPES[name]))}
    rungs = {rung: place for rung, place in RUNGS.items() if rung not in left_out}
    data = _gather(sources, folds, 1000 if quick else None, jobs, seed, progress)
    counts = COMPONENTS[1:5:2] if quick else COMPONENTS
    climbs: dict[tuple[str, str], _Climb] = {}
    for name in dict.fromkeys(recipe for recipe, _ in rungs.values()):
        with scratch_folder() as work:
            X = load_faces(data.tables[name], RECIPES[name], jobs, work / "faces.npy")
            for member in RECIPES[name].members:
                climbs[name, member] = _climb_one(X, data, name, member, counts, progress)
            del X
    rows, curves, components = [], [], []
    for rung, (name, members) in rungs.items():
        found = [climbs[name, member] for member in members]
        for size in data.sizes:
            values = _join([one.decisions[size] for one in found], data)
            curves.append({"rung": rung, "training_faces": size} | _score(values, data))
        if len(found) == 1:
            components += [
                {"rung": rung, "components": count} | _score(values, data)
                for count, values in found[0].components.items()
            ]
        model = _assemble(name, found, data)
        network = NETWORK_MB if RECIPES[name].embedding else 0.0
        rows.append(
            {
                "rung": rung,
                "recipe": name,
                "members": ", ".join(members),
                **{k: v for k, v in curves[-1].items() if k != "rung"},
                "components": sum(len(one.member.components) for one in found),
                "kernel_vectors": sum(len(one.member.kernel_vectors) for one in found),
                "megabytes": round(network + sum(_megabytes(one.member) for one in found), 1),
                **_time(model, data, 5 if quick else 40),
            }
        )
    table = data.tables["aligned"]
    about = {
        "created": datetime.now(UTC).strftime("%Y-%m-%d"),
        "command": command,
        "seed": seed,
        "folds": len(data.splits),
        "sets": {str(k): int(v) for k, v in table["set"].value_counts(sort=False).items()},
        "labels": {str(k): int(v) for k, v in table["label"].value_counts().items()},
        "left_out": left_out,
    }
    return Ladder(pd.DataFrame(rows), pd.DataFrame(curves), pd.DataFrame(components), about)


def write_ladder(ladder: Ladder, folder: Path | None = None) -> Path:
    """Write a ladder as tables, from which no photo can be traced.

    Parameters
    ----------
    ladder : Ladder
        To be written.
    folder : Path, optional
        Where to; beside the models if None.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    DataError
        The folder cannot be written to.
    """
    folder = folder or artifacts_dir() / LADDER_FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("rungs", "curves", "components"):
            write_atomically(folder / f"{name}.csv", getattr(ladder, name).to_csv(index=False))
        write_json(folder / "ladder.json", ladder.about)
    except OSError as error:
        raise DataError(f"cannot write {error.filename or folder}: {error.strerror}") from error
    return folder


def ladder_folder() -> Path:
    """Return the folder of the tables that `read_ladder` reads.

    Returns
    -------
    Path
        Beside the models. Of an installed library, the tables that it carries until `write_ladder`
        wrote one's own.
    """
    folders = [folder / LADDER_FOLDER for folder in artifact_folders()]
    return next((folder for folder in folders if (folder / "ladder.json").is_file()), folders[0])


def read_ladder(folder: Path | None = None) -> Ladder | None:
    """Read the tables that `write_ladder` wrote.

    Parameters
    ----------
    folder : Path, optional
        Where the tables are; beside the models if None.

    Returns
    -------
    Ladder or None
        None where there are no tables.

    Raises
    ------
    DataError
        The tables are damaged.

    Examples
    --------
    >>> ladder = read_ladder()
    >>> ladder.rungs["rung"].tolist()[:2]
    ['pixels', 'aligned pixels']
    """
    folder = folder or ladder_folder()
    if not (folder / "ladder.json").is_file():
        return None
    try:
        rungs, curves, components = (
            pd.read_csv(folder / f"{name}.csv") for name in ("rungs", "curves", "components")
        )
        about = json.loads((folder / "ladder.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"the tables in {folder} are damaged: {error}; make them again") from error
    return Ladder(rungs, curves, components, about)


def rungs_of(models: Mapping[str, FaceModel]) -> dict[str, FaceModel]:
    """Build the rungs whose members trained models have.

    Parameters
    ----------
    models : mapping of str to FaceModel
        By recipe.

    Returns
    -------
    dict of str to FaceModel
        A model of these members by rung, from the lowest.

    Examples
    --------
    >>> from facecore.model import load_model
    >>> list(rungs_of({"classic": load_model("classic")}))
    ['pixels']
    """
    found = {}
    for rung, (recipe, names) in RUNGS.items():
        if recipe not in models:
            continue
        model = models[recipe]
        places = [i for i, member in enumerate(model.members) if member.name in names]
        if len(places) < len(names):
            continue
        weights, slope = model.shares[places], model.slope
        if not weights.any():  # they have no part in the model, but decide on their own
            weights = np.ones_like(weights)
        if len(places) == 1 and len(model.members) > 1:
            slope = np.ones_like(slope)  # a member decides in log odds of its own
        members = tuple(model.members[i] for i in places)
        total = np.maximum(weights.sum(axis=0), 1e-12)
        read = _recipe_for(model.recipe, members)
        found[rung] = replace(
            model, members=members, weights=weights / total, slope=slope, recipe=read
        )
    return found


def _gather(
    sources: Sequence[Path], folds: int, most: int | None, jobs: int, seed: int, progress: bool
) -> _Data:
    tables = {}
    for name in ("classic", "aligned"):
        try:
            table = gather(sources, RECIPES[name], jobs=jobs, seed=seed, progress=progress)
        except DataError as error:
            if str(error).startswith(NONE_LEFT):
                raise DataError(f"{error} (options of train; the ladder has none)") from error
            raise
        kept = table["state"].eq("kept") & table["split"].eq("train")
        tables[name] = table[kept].set_index(["set", "path"], drop=False)
    both = tables["classic"].index.intersection(tables["aligned"].index)
    if most and len(both) > most:
        both = both[np.sort(np.random.default_rng(seed).choice(len(both), most, replace=False))]
    tables = {name: table.loc[both].reset_index(drop=True) for name, table in tables.items()}
    tables["embedding"] = tables["aligned"]  # its crops are the same
    table = tables["aligned"]
    y, subjects = table["label"].to_numpy(dtype=str), subject_names(table)
    splits = split_folds(y, subjects, FOLDS, seed)[:folds]
    least = min(len(train) for train, _ in splits)
    sizes = (*(size for size in SIZES if size < 0.9 * least), least)
    return _Data(tables, y, subjects, splits, sizes[-3:] if most else sizes, seed)


def _climb_one(
    X: np.ndarray, data: _Data, recipe: str, name: str, counts: Sequence[int], progress: bool
) -> _Climb:
    planned = RECIPES[recipe].members[name]
    features, best = planned.features, planned.best
    views = [in_chunks(features.extract, X)]
    if RECIPES[recipe].mirror:
        views.append(in_chunks(lambda rows: features.extract(mirror(rows)), X))
    decisions: dict[int, list[np.ndarray]] = {size: [] for size in data.sizes}
    parts: dict[int, list[np.ndarray]] = {}
    members = []
    work = len(data.splits) * sum(data.sizes)
    with step(f"climb {recipe} {name}", work, "face", progress=progress) as advance:
        for train, test in data.splits:
            order = np.random.default_rng(data.seed).permutation(train)
            for size in data.sizes:
                rows = order[:size]
                least = min(best["n_components"], size // 2, views[0].shape[1])
                mirrored = views[1][rows] if len(views) > 1 else None
                candidate = _shrink(best, least)
                fit = fit_member(views[0][rows], mirrored, data.y[rows], candidate, data.seed)
                Z = [in_chunks(fit.coordinates, view[test]) for view in views]
                decisions[size].append(np.mean([fit.decide(z) for z in Z], axis=0))
                advance(size)
            members.append(fit)
            known = [in_chunks(fit.coordinates, view[rows]) for view in views]
            own = len(fit.components)  # the rung's own number ends its curve
            for count in (*(count for count in counts if count < own), own):
                # The leading coordinates of the largest space are the smaller space.
                candidate = _shrink(best, count)
                A, B = ([z[:, :count] for z in side] for side in (known, Z))
                svc = SVC(C=candidate.C, kernel="precomputed", cache_size=500)
                K = mirror_kernel(A, A, candidate.gamma)
                machine = fit_svm(K, data.y[rows], svc, candidate.class_weight)
                values = decide(machine, mirror_kernel(B, A, candidate.gamma))
                parts.setdefault(count, []).append(values)
    return _Climb(
        replace(members[0], features=features, name=name),
        {size: np.concatenate(values) for size, values in decisions.items()},
        {count: np.concatenate(values) for count, values in parts.items()},
    )


def _shrink(best: Mapping[str, Any], count: int) -> Candidate:
    names = "n_components", "gamma", "C"
    return shrink(Candidate(**{name: best[name] for name in names}), count)


def _join(decisions: list[np.ndarray], data: _Data) -> np.ndarray:
    """Weigh members by half of the tested subjects for the other half, and the other way round."""
    if len(decisions) == 1:
        return decisions[0]
    y, tested, classes = data.y[data.tested], data.subjects[data.tested], np.unique(data.y)
    names = np.unique(tested)
    first = np.isin(tested, np.random.default_rng(data.seed).permutation(names)[: len(names) // 2])
    halves = np.flatnonzero(first), np.flatnonzero(~first)
    return cross_calibrate(decisions, y, classes, [halves, halves[::-1]])


def _score(decisions: np.ndarray, data: _Data) -> dict[str, Any]:
    y = data.y[data.tested]
    answers = choose_labels(decisions, np.unique(data.y))
    right = int((answers == y).sum())
    low, high = wilson(right, len(y))
    return {
        "test_faces": len(y),
        "accuracy": round(right / len(y), 4),
        "low": round(low, 4),
        "high": round(high, 4),
        "balanced": round(float(balanced_accuracy_score(y, answers)), 4),
    }


def _assemble(recipe: str, climbs: Sequence[_Climb], data: _Data) -> FaceModel:
    members = tuple(climb.member for climb in climbs)
    slope = np.ones(members[0].coefficients.shape[1])
    labels = tuple(str(label) for label in np.unique(data.y))
    return FaceModel(labels, members, slope, _recipe_for(RECIPES[recipe], members))


def _recipe_for(recipe: Recipe, members: Sequence[Member]) -> Recipe:
    """Return a recipe that computes no more than these members read."""
    kinds = {member.features.kind for member in members}
    return replace(recipe, colour=recipe.colour and "convolutions" in kinds)


def _megabytes(member: Member) -> float:
    vectors = member.kernel_vectors, member.coefficients
    arrays = *vectors, member.components, member.minimum, member.span, member.mean
    return sum(array.nbytes for array in arrays) / 1e6


def _time(model: FaceModel, data: _Data, count: int) -> dict[str, float | None]:
    """Measure CPU time on one thread, on faces that are held out."""
    name = model.recipe.name
    table = data.tables[name].iloc[data.splits[0][1][:count]]
    answers = []
    for folder, path in zip(table["folder"], table["path"], strict=True):
        root = raw_root(Path(folder))
        if root is not None and (root / path).is_file():
            answers.append(partial(predict_photo, root / path, model))
    cv2.setNumThreads(1)
    with threadpool_limits(1):
        for answer in answers[:1]:  # arrays are unpacked, and a network is read, at the first face
            answer()
        found, photo = _clock(answers)
        faces = [answer.main.prepared for answer in found if answer.main]
        _, ms = _clock([partial(_decide, model, face) for face in faces])
    return {"ms_face": ms, "ms_photo": photo}


def _decide(model: FaceModel, face: np.ndarray) -> np.ndarray:
    return model.decision_function(to_rows([face], model.recipe))


def _clock(calls: Sequence[Any]) -> tuple[list[Any], float | None]:
    start = time.process_time()
    results = [call() for call in calls]
    if not results:
        return results, None
    return results, round((time.process_time() - start) * 1e3 / len(results), 2)
