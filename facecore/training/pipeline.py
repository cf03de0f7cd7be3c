"""From folders of photos or crops to a model in artifacts/: the pipeline, top to bottom."""

import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import joblib
import numpy as np

from facecore.data.faces import gather, load_faces
from facecore.data.sizes import round_sizes
from facecore.data.splits import subject_names
from facecore.evaluation.card import write_card
from facecore.evaluation.report import evaluate_splits
from facecore.face.features import Features
from facecore.face.prepare import mirror
from facecore.face.recipes import DEFAULT_RECIPE, MEMBERS, find_recipe
from facecore.model.classifier import FaceModel, Member
from facecore.model.store import check_name, write_model
from facecore.system.progress import step
from facecore.system.scratch import scratch_folder
from facecore.training.anonymise import anonymise
from facecore.training.calibrate import calibrate_members, with_rule
from facecore.training.eigenfaces import measure_spread
from facecore.training.estimator import fit_member
from facecore.training.grids import read_grid
from facecore.training.metadata import (
    PACKAGES,
    describe_data,
    describe_search,
    describe_vectors,
    join_tables,
)
from facecore.training.nystroem import choose_solver, fit_nystroem, nystroem_search
from facecore.training.options import LANDMARKS, TrainingOptions
from facecore.training.points import tabulate_points
from facecore.training.search import SearchResult, grid_search
from facecore.training.streaming import FacesOnDisk, in_chunks


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
        A key of `facecore.face.recipes.RECIPES`.
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
        ``"auto"``, as `facecore.training.nystroem.choose_solver` takes it.
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
    y, groups = fitted["label"].to_numpy(dtype=str), subject_names(fitted)
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
                model = anonymise(model, X, groups, count=centres, seed=seed)
            advance()
        model, decisions = calibrate_members(model, [s.decisions for s in searches.values()], y)
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
    options = TrainingOptions(seed=seed, jobs=jobs, progress=progress)
    search = grid_search(F, y, groups, grid, mirrored=mirrored, options=options)
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
    options = TrainingOptions(seed, jobs, progress, centres, landmarks)
    search = nystroem_search(faces, y, groups, grid, options=options)
    with step(f"fit {member}", 1, "model", shown=progress) as advance:
        fit = fit_nystroem(faces, y, groups, search.best, options=options)
        advance()
    return fit, search
