"""From folders of photos or crops to a model in artifacts/: the pipeline, top to bottom."""

import hashlib
import json
import platform
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from sklearn.metrics import balanced_accuracy_score
from threadpoolctl import threadpool_limits

from facecore.artifacts import check_name, write_model
from facecore.calibrate import choose_confidence, choose_distance, choose_score, platt, weigh
from facecore.card import write_card
from facecore.centres import MIN_FACES, MIN_PERSONS, leads_back, on_centres
from facecore.crops import (
    ALL,
    TABLE,
    check_recipe,
    count_states,
    crop_folder,
    near_test,
    raw_root,
    read_table,
    recipe_settings,
)
from facecore.errors import DataError, PhotoError
from facecore.estimator import fit_member, measure_spread
from facecore.evaluate import predict_table, report
from facecore.explain import distance_from_face_space
from facecore.features import Features
from facecore.images import decode
from facecore.model import FaceModel, Member, mirror
from facecore.nystroem import GAMMAS, LANDMARKS, choose_solver, fit_nystroem, nystroem_search
from facecore.points import tabulate_points
from facecore.progress import step, track
from facecore.recipes import (
    DEFAULT_RECIPE,
    MEMBERS,
    crops_of,
    find_recipe,
    prepare,
    rows_of,
    to_rows,
)
from facecore.rule import AnswerRule
from facecore.scratch import reserve_array, scratch_folder
from facecore.search import (
    GRIDS,
    TUNED,
    SearchResult,
    choose,
    count_folds,
    grid_search,
    parse_grid,
    split_folds,
)
from facecore.sizes import round_sizes
from facecore.streaming import CHUNK, FacesOnDisk

PACKAGES = ("numpy", "scikit-learn", "opencv-python-headless", "pillow")
CROPS = Path("crops")


def train(
    sources: Sequence[Path],
    name: str,
    *,
    recipe: str = DEFAULT_RECIPE,
    grid: str = "quick",
    jobs: int = 1,
    seed: int = 0,
    centres: int = 0,
    solver: str = "auto",
    landmarks: int = LANDMARKS,
    note: str = "",
    command: str = "",
    progress: bool = False,
) -> Path:
    """Train a model and write it to artifacts/.

    Parameters
    ----------
    sources : sequence of Path
        Folders made by crop, or raw ones, which are cropped first (into ``crops/``). Only
        photos of the train split are fitted; a folder without splits has a fifth of its
        persons held out as its test split.
    name : str
        Name of the model.
    recipe : str
        A key of `facecore.recipes.RECIPES`.
    grid : str
        As `read_grid` takes it.
    jobs : int
        Worker processes; -1 for one a core.
    seed : int
    centres : int
        Express the machine on at most so many cluster centres, for a model that is given away;
        0 keeps the support vectors.
    solver : str
        ``"exact"``, ``"nystroem"`` (memory does not grow with the square of the faces), or
        ``"auto"``, as `facecore.nystroem.choose_solver` takes it.
    landmarks : int
        Faces that ``"nystroem"`` takes as landmarks: more are nearer to the exact machine, in time
        and memory that grow with their square.
    note : str
        Terms of the data, stored with the model.
    command : str
        Stored with the model.
    progress : bool

    Returns
    -------
    Path
        The model's folder.

    Raises
    ------
    FacecoreError
    """
    check_name(name)
    chosen = find_recipe(recipe)
    for member in MEMBERS[recipe]:
        read_grid(grid, recipe, member)  # a bad one is told before the long work
    begun = time.perf_counter()
    faces = gather(sources, chosen, jobs=jobs, seed=seed, progress=progress)
    fitted = faces[faces["split"].eq("train") & faces["state"].eq("kept")]
    solver = choose_solver(solver, len(fitted))
    grids = {member: read_grid(grid, recipe, member, solver) for member in MEMBERS[recipe]}
    y, groups = fitted["label"].to_numpy(dtype=str), persons(fitted)
    members, searches = [], {}
    # The faces of a training wait on disk, not in memory.
    with scratch_folder() as work, joblib.parallel_config(temp_folder=str(work)):
        X = load_faces(fitted, chosen, jobs, work / "faces.npy")
        for member, features in MEMBERS[recipe].items():
            on_landmarks = partial(_fit_nystroem, landmarks=landmarks)
            fit_one = _fit_exact if solver == "exact" else on_landmarks
            fit, searches[member] = fit_one(
                X, y, groups, grids[member], features, member=member, recipe=chosen,
                centres=centres, seed=seed, jobs=jobs, progress=progress,
            )  # fmt: skip
            members.append(replace(fit, features=features, name=member))
        labels = tuple(str(label) for label in np.unique(y))
        slope = np.ones(members[0].coefficients.shape[1])
        model = FaceModel(labels, tuple(members), slope, chosen)
        if model.draws:
            Z = in_chunks(model.pixels.coordinates, X)
            model = replace(model, spread=measure_spread(Z, y, np.array(labels)))
        with step("reduce", 1, "model", shown=progress) as advance:
            if centres and solver == "exact":
                model = on_centres(model, X, groups, count=centres, seed=seed)
            advance()
        model, decisions = calibrate(model, [s.decisions for s in searches.values()], y)
        scores = fitted["score"].to_numpy(dtype=float)
        model, rule = with_rule(model, decisions, X, y, scores)
        with step("look for faces in the model", 1, "model", shown=progress) as advance:
            vectors = describe_vectors(model, X, bool(centres), solver)
            advance()
        points = None
        if not centres:
            Z = in_chunks(model.leading.coordinates, X)
            points = tabulate_points(Z, y, groups, seed=seed)
    predictions, evaluation = evaluate_splits(faces, model, jobs=jobs, progress=progress)
    metadata = {
        "name": name,
        "recipe": recipe,
        "solver": solver,
        "labels": list(model.labels),
        "created": datetime.now(UTC).strftime("%Y-%m-%d"),
        "command": command,
        "seed": seed,
        "note": note,
        "minutes": round((time.perf_counter() - begun) / 60, 1),
        "versions": {"python": platform.python_version()} | {p: version(p) for p in PACKAGES},
        "data": describe_data(faces),
        "training_faces": {str(k): int(v) for k, v in fitted["label"].value_counts().items()},
        "search": describe_search(searches, grids, decisions, y, groups, seed),
        "kernel_vectors": vectors,
        **({"rule": rule} if rule else {}),
    }
    tables = {"sizes": round_sizes(faces), "grid_search": join_tables(searches)}
    if points is not None:
        tables["coordinates"] = points
    if evaluation:
        tables["predictions"] = predictions
    card = write_card(model, metadata, evaluation, predictions)
    return write_model(name, model, metadata, tables, evaluation or None, card)


def _fit_exact(
    X: np.ndarray, y: np.ndarray, groups: np.ndarray, grid: Mapping[str, Any], features: Features,
    *, member: str, recipe: Mapping[str, Any], centres: int, seed: int, jobs: int, progress: bool,
) -> tuple[Member, SearchResult]:  # fmt: skip
    F = features.extract(X)
    mirrored = features.extract(mirror(X)) if recipe["mirror"] else None
    search = grid_search(
        F, y, groups, grid, seed=seed, jobs=jobs, progress=progress, mirrored=mirrored
    )
    with step(f"fit {member}", 1, "model", shown=progress) as advance:
        fit = fit_member(F, mirrored, y, search.best, seed)
        advance()
    return fit, search


def _fit_nystroem(
    X: np.ndarray, y: np.ndarray, groups: np.ndarray, grid: Mapping[str, Any], features: Features,
    *, member: str, recipe: Mapping[str, Any], centres: int, seed: int, jobs: int, progress: bool,
    landmarks: int,
) -> tuple[Member, SearchResult]:  # fmt: skip
    assert isinstance(X, np.memmap)
    faces = FacesOnDisk(Path(str(X.filename)), features, bool(recipe["mirror"]))
    search = nystroem_search(
        faces, y, groups, grid, landmarks=landmarks, seed=seed, jobs=jobs, progress=progress
    )
    with step(f"fit {member}", 1, "model", shown=progress) as advance:
        fit = fit_nystroem(
            faces,
            y,
            groups,
            search.best,
            landmarks=landmarks,
            centres=centres,
            seed=seed,
            jobs=jobs,
        )
        advance()
    return fit, search


def in_chunks(function: Callable[[np.ndarray], np.ndarray], X: np.ndarray) -> np.ndarray:
    """Apply a function of faces to some of them at a time.

    Parameters
    ----------
    function : callable
        From rows of faces to rows of results.
    X : ndarray of shape (n_faces, n_features)

    Returns
    -------
    ndarray of shape (n_faces, ...)
    """
    return np.concatenate([function(X[i : i + CHUNK]) for i in range(0, len(X), CHUNK)])


def calibrate(
    model: FaceModel, decisions: Sequence[np.ndarray], y: np.ndarray
) -> tuple[FaceModel, np.ndarray]:
    """Calibrate each member on its own, then weigh several of them into one decision.

    A calibrated member decides in log odds.

    Parameters
    ----------
    model : FaceModel
    decisions : sequence of ndarray of shape (n_faces, n_outputs)
        Out-of-fold decision values of each member.
    y : ndarray of shape (n_faces,)

    Returns
    -------
    model : FaceModel
    decisions : ndarray of shape (n_faces, n_outputs)
        Out of fold, of the calibrated model.
    """
    classes, members, odds = np.array(model.labels), [], []
    for member, values in zip(model.members, decisions, strict=True):
        slope, offset = platt(values, y, classes)
        intercept = (member.intercept + offset) * slope
        members.append(
            replace(member, coefficients=member.coefficients * slope, intercept=intercept)
        )
        odds.append((values + offset) * slope)
    model = replace(model, members=tuple(members), slope=np.ones_like(slope))
    if len(members) == 1:
        return model, odds[0]
    weights, slope = weigh(odds, y, classes)
    joint = np.einsum("mo,mno->no", weights, odds)
    return replace(model, weights=weights, slope=slope), joint


def read_grid(grid: str, recipe: str, member: str, solver: str = "exact") -> dict[str, list[Any]]:
    """Return a member's grid by name or from a JSON file.

    Parameters
    ----------
    grid : str
        A key of `facecore.search.GRIDS`, ``"tuned"`` (a small one around what earlier searches
        found best for the recipe), or a JSON file: one grid, or one for each member by its name.
    recipe, member : str
    solver : str
        ``"exact"`` or ``"nystroem"``, which wants narrower kernels: in a tuned grid their gammas
        are `facecore.nystroem.GAMMAS` by the least number of components.

    Returns
    -------
    dict of list

    Raises
    ------
    DataError
    """
    if grid in GRIDS:
        return parse_grid(GRIDS[grid])
    if grid == "tuned":
        tuned = TUNED[recipe][member]
        if solver == "nystroem":
            fewest = min(tuned["n_components"])
            tuned = tuned | {"gamma": [round(gamma / fewest, 6) for gamma in GAMMAS]}
        return parse_grid(tuned)
    if not Path(grid).is_file():
        names = ", ".join([*GRIDS, "tuned"])
        raise DataError(f"no grid {grid!r}; there are: {names}, or name a JSON file")
    try:
        values = json.loads(Path(grid).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"cannot read the grid {grid}: {error}") from error
    if not isinstance(values, dict):
        raise DataError(f"the grid {grid} is no JSON object of lists")
    return parse_grid(values.get(member, values))


def gather(
    sources: Sequence[Path],
    recipe: Mapping[str, Any],
    *,
    jobs: int = 1,
    seed: int = 0,
    progress: bool = False,
) -> pd.DataFrame:
    """Bring several data sets into one table of faces, every photo in one split.

    Parameters
    ----------
    sources : sequence of Path
    recipe : mapping
    jobs, seed : int
    progress : bool

    Returns
    -------
    DataFrame
        Columns of `facecore.crops.read_table`, and set (name of the data set) and folder (of
        its crops).

    Raises
    ------
    DataError
    """
    tables = []
    for name, source in zip(_set_names(sources), map(Path, sources), strict=True):
        folder = source
        if not (source / TABLE).is_file():
            digest = hashlib.sha256(str(source.resolve()).encode()).hexdigest()[:8]
            cut_by = crops_of(recipe)
            folder = CROPS / f"{source.resolve().name}-{cut_by}-{digest}"
            settings = recipe_settings(cut_by)
            crop_folder(source, folder, settings, jobs=jobs, progress=progress)
        check_recipe(folder, recipe)
        table = read_table(folder)
        if not table["split"].isin(["train", "test"]).any():
            table["split"] = hold_out(table, seed)
        tables.append(table.assign(set=name, folder=str(folder)))
    faces = pd.concat(tables, ignore_index=True)
    kept = faces["state"].eq("kept")
    near = kept & near_test(faces)
    again = faces["sha256"].where(kept & ~near).duplicated() & kept & ~near
    faces.loc[near | again, ["state", "crop"]] = ["duplicate", ""]
    if not (faces["split"].eq("train") & faces["state"].eq("kept")).any():
        raise DataError("no face to train on: no photo of the train split was kept")
    return faces


def hold_out(table: pd.DataFrame, seed: int) -> np.ndarray:
    """Split a data set by person: about a fifth of the photos for the test.

    Parameters
    ----------
    table : DataFrame
        With label, subject, path.
    seed : int

    Returns
    -------
    ndarray of shape (n_rows,), str
        ``"train"`` or ``"test"``.
    """
    _, test = split_folds(
        table["label"].to_numpy(dtype=str), persons(table.assign(set="")), 5, seed
    )[0]
    split = np.full(len(table), "train", dtype=object)
    split[test] = "test"
    return split


def persons(table: pd.DataFrame) -> np.ndarray:
    """Return who is in each photo; where unknown each photo is a person of its own.

    Parameters
    ----------
    table : DataFrame
        With set, subject, path.

    Returns
    -------
    ndarray of shape (n_rows,), str
    """
    known = table["subject"].ne("")
    who = table["subject"].where(known, table["path"])
    return (table["set"] + np.where(known, "/person/", "/photo/") + who).to_numpy(dtype=str)


def load_faces(
    table: pd.DataFrame, recipe: Mapping[str, Any], jobs: int = 1, file: Path | None = None
) -> np.ndarray:
    """Load crops as rows of numbers, as the recipe says.

    Parameters
    ----------
    table : DataFrame
        With folder and crop.
    recipe : mapping
    jobs : int
    file : Path, optional
        Write them to this ``.npy`` chunk by chunk and map it, instead of holding them in memory.

    Returns
    -------
    ndarray of shape (n_faces, n_numbers)
        As `facecore.recipes.to_rows` makes them.

    Raises
    ------
    DataError
        A crop is missing or damaged.
    """
    paths = [
        Path(folder).absolute() / crop  # workers may stand elsewhere
        for folder, crop in zip(table["folder"], table["crop"], strict=True)
    ]
    rows = joblib.Parallel(n_jobs=jobs, batch_size=64, return_as="generator")(
        joblib.delayed(_load_face)(path, recipe) for path in paths
    )
    shape, dtype = rows_of(len(paths), recipe)
    if file is None:
        X = np.empty(shape, dtype=dtype)
    else:
        reserve_array(file, shape, dtype)
        X = np.load(file, mmap_mode="r+")
    with threadpool_limits(1):  # the products of one face are too small to be shared
        for place, row in zip(X, rows, strict=True):
            place[:] = row.ravel()
    if file is None:
        return X
    assert isinstance(X, np.memmap)
    X.flush()  # other machines may read it
    return np.load(file, mmap_mode="r")


def _load_face(path: Path, recipe: Mapping[str, Any]) -> np.ndarray:
    try:
        return to_rows([prepare(decode(path).pixels, recipe)], recipe)
    except PhotoError as error:
        raise DataError(
            f"crop {path}: {error}; delete it and run: python -m facecore crop RAW --out "
            f"{path.parent.parent}"
        ) from error


def evaluate_splits(
    faces: pd.DataFrame, model: FaceModel, *, jobs: int = 1, progress: bool = False
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Read every test split once, from the raw photos.

    Parameters
    ----------
    faces : DataFrame
        As `gather` returns it.
    model : FaceModel
    jobs : int
    progress : bool

    Returns
    -------
    predictions : DataFrame
        Without names, in no order of photos.
    evaluation : dict
        By data set what `facecore.evaluate.report` returns; sets without a test split, or whose
        raw photos have moved, are left out.
    """
    tables, evaluation = [], {}
    tests = faces[faces["split"].eq("test") & faces["state"].ne("duplicate")]
    for (name, folder), photos in tests.groupby(["set", "folder"], sort=False):
        root = raw_root(Path(folder))
        if root is None or not (root / photos["path"].iloc[0]).is_file():
            print(
                f"the raw photos of {folder} have moved: not evaluated; run: "
                "python -m facecore evaluate PHOTOS --split test",
                file=sys.stderr,
            )
            continue
        bar = partial(
            track, total=len(photos), name=f"evaluate {name}", unit="photo", shown=progress
        )
        table = predict_table(photos, root, model, name=name, jobs=jobs, progress=bar)
        table = table.drop(columns="error").assign(ms=table["ms"].round(2))
        evaluation[name] = report(table)
        tables.append(table.sort_values(["label", "detected", f"p_{model.labels[0]}", "ms"]))
    return (pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()), evaluation


def describe_data(faces: pd.DataFrame) -> dict[str, Any]:
    """Count the photos of each data set.

    Parameters
    ----------
    faces : DataFrame
        As `gather` returns it.

    Returns
    -------
    dict
        By data set: photos, train, test, and the states.
    """
    return {
        name: {
            "photos": len(rows),
            "train": int(rows["split"].eq("train").sum()),
            "test": int(rows["split"].eq("test").sum()),
            "states": {k: int(v) for k, v in count_states(rows)[ALL].drop(ALL).items()},
        }
        for name, rows in faces.groupby("set", sort=False)
    }


def join_tables(searches: Mapping[str, SearchResult]) -> pd.DataFrame:
    """Return the candidates of all members as one table.

    Parameters
    ----------
    searches : mapping of str to SearchResult
        By member.

    Returns
    -------
    DataFrame
        With a column param_member where there are several; ranks are within a member.
    """
    if len(searches) == 1:
        return next(iter(searches.values())).table
    tables = [
        search.table.assign(param_member=member).loc[:, ["param_member", *search.table.columns]]
        for member, search in searches.items()
    ]
    return pd.concat(tables, ignore_index=True)


def describe_search(
    searches: Mapping[str, SearchResult],
    grids: Mapping[str, Mapping[str, Any]],
    decisions: np.ndarray,
    y: np.ndarray,
    groups: np.ndarray,
    seed: int,
) -> dict[str, Any]:
    """Describe the grid searches for the metadata.

    Parameters
    ----------
    searches : mapping of str to SearchResult
        By member, the eigenfaces' first.
    grids : mapping of str to mapping
    decisions : ndarray of shape (n_faces, n_outputs)
        Out of fold, of the whole model.
    y, groups : ndarray of shape (n_faces,)
    seed : int

    Returns
    -------
    dict
        balanced_accuracy and std are over the folds, of the whole model; best is that of the
        eigenfaces, members has all.
    """
    first = next(iter(searches.values()))
    folds = count_folds(first.table.columns)
    answers = choose(decisions, np.unique(y))
    scores = [
        balanced_accuracy_score(y[test], answers[test])
        for _, test in split_folds(y, groups, 5, seed)
    ]
    several = len(searches) > 1
    return {
        "grid": dict(grids) if several else dict(next(iter(grids.values()))),
        "candidates": sum(len(search.table) for search in searches.values()),
        "folds": folds,
        "best": first.best,
        **({"members": {name: s.best for name, s in searches.items()}} if several else {}),
        "balanced_accuracy": round(float(np.mean(scores)), 4),
        "std": round(float(np.std(scores)), 4),
    }


def with_rule(
    model: FaceModel, decisions: np.ndarray, X: np.ndarray, y: np.ndarray, scores: np.ndarray
) -> tuple[FaceModel, dict[str, float]]:
    """Give a model the rule that its recipe asks for, chosen on the training faces.

    Parameters
    ----------
    model : FaceModel
        Whose recipe may have ``unsure``, the share of the answers that shall be right.
    decisions : ndarray of shape (n_faces, n_outputs)
        Out of fold, calibrated.
    X : ndarray of shape (n_faces, n_features), uint8
    y : ndarray of shape (n_faces,)
    scores : ndarray of shape (n_faces,)
        Of the detector.

    Returns
    -------
    model : FaceModel
    described : dict of str to float
        The rule with its target, and coverage and accuracy of the answers out of fold; empty
        where the recipe asks for no rule.
    """
    target = model.recipe.get("unsure")
    if target is None:
        return model, {}
    P = model.probability_of(decisions)
    confidence, right = P.max(axis=1), np.array(model.labels)[P.argmax(axis=1)] == y
    distances = in_chunks(partial(distance_from_face_space, model), X)
    rule = AnswerRule(
        min_confidence=choose_confidence(confidence, right, target),
        max_distance=round(choose_distance(distances), 4),
        min_score=choose_score(scores),
    )
    answered = (
        (confidence >= rule.min_confidence)
        & (distances <= rule.max_distance)
        & (scores >= rule.min_score)
    )
    described = {
        "target": target,
        "min_confidence": rule.min_confidence,
        **rule.to_dict(),
        "coverage": round(float(answered.mean()), 4),
        "accuracy": round(float(right[answered].mean()), 4),
    }
    return replace(model, rule=rule), described


def describe_vectors(
    model: FaceModel, X: np.ndarray, centres: bool, solver: str = "exact"
) -> dict[str, Any]:
    """Say what the kernel vectors are and how many lead back to a photo.

    Parameters
    ----------
    model : FaceModel
    X : ndarray of shape (n_faces, n_features), uint8
        Training faces.
    centres : bool
    solver : str
        ``"exact"`` or ``"nystroem"``.

    Returns
    -------
    dict
    """
    faces = "support vectors" if solver == "exact" else "landmark faces"
    mirrored = bool(model.recipe.get("mirror"))
    return {
        "kind": "cluster centres" if centres else faces,
        "count": sum(len(member.kernel_vectors) for member in model.members),
        "lead_back_to_a_photo": sum(
            leads_back(member.kernel_vectors, _project_all(member, X, mirrored))
            for member in model.members
        ),
        **({"least_faces": MIN_FACES, "least_persons": MIN_PERSONS} if centres else {}),
    }


def _project_all(member: Member, X: np.ndarray, mirrored: bool) -> np.ndarray:
    """Return the coordinates of faces, and below them those of their mirror images."""
    Z = in_chunks(member.coordinates, X)
    if not mirrored:
        return Z
    return np.concatenate([Z, in_chunks(lambda rows: member.coordinates(mirror(rows)), X)])


def _set_names(sources: Sequence[Path]) -> list[str]:
    names = [Path(source).resolve().name for source in sources]
    return [f"{n}-{i}" if names.count(n) > 1 else n for i, n in enumerate(names, start=1)]
