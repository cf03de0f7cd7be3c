"""From folders of photos or crops to a model in artifacts/: the pipeline, top to bottom."""

import platform
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd

from facecore.data.crops import check_finished
from facecore.data.faces import gather, load_faces
from facecore.data.sizes import round_sizes
from facecore.data.splits import labels_are_subjects, split_folds, subject_names
from facecore.errors import DataError
from facecore.evaluation.card import write_card
from facecore.evaluation.report import drop_unknown, evaluate_splits
from facecore.face.features import Features
from facecore.face.prepare import mirror
from facecore.face.recipes import DEFAULT_RECIPE, Recipe, find_recipe, for_whole_photos
from facecore.model.classifier import FaceModel, Member
from facecore.model.explain import distance_from_face_space
from facecore.model.store import check_new_name, reserving, write_model
from facecore.system.files import try_folder
from facecore.system.progress import step
from facecore.system.scratch import scratch_folder
from facecore.system.workers import within_memory
from facecore.training.calibrate import Calibration, calibrate_members, cross_calibrate
from facecore.training.doubts import has_photos, tabulate_tests, tabulate_training
from facecore.training.eigenfaces import measure_spread
from facecore.training.estimator import fit_planned
from facecore.training.grids import read_grid
from facecore.training.halving import Final, exact_final, halving_search, take_simplest
from facecore.training.kept_searches import keep_search
from facecore.training.metadata import (
    PACKAGES,
    SearchMetadata,
    VectorsMetadata,
    describe_data,
    describe_search,
    describe_subjects,
    describe_vectors,
    join_tables,
)
from facecore.training.nystroem import (
    choose_solver,
    fit_nystroem,
    nystroem_scores,
)
from facecore.training.options import LESS, TrainingOptions
from facecore.training.other_sets import OtherSetMetadata, choose_sets, decide_sets, describe_sets
from facecore.training.outside import (
    LEAST,
    OutsideMetadata,
    Shown,
    describe_outside,
    learn_outside,
)
from facecore.training.points import tabulate_points
from facecore.training.rules import OutOfFold, RuleMetadata, StrangersMetadata, with_rule
from facecore.training.runs import recording
from facecore.training.search import SearchResult
from facecore.training.strangers import (
    LEAST_LABELS,
    decide_in_turn,
    decide_strangers,
    join_strangers,
)
from facecore.training.streaming import FacesOnDisk, in_chunks

FOLDS = 5  # in which the whole model is calibrated and scored
CENTRES_OF_PERSONS = (
    "cluster centres cannot hide whom the labels name: each label is one person; train without "
    "--centres, and do not share the model without these people's consent"
)
Evaluate = Callable[[FaceModel], tuple[pd.DataFrame, dict[str, Any]]]


# One keyword per choice of the command line, so there are more than seven.
@within_memory(LESS)
def train(
    sources: Sequence[Path | str],
    name: str,
    *,
    recipe: str = DEFAULT_RECIPE,
    grid: str = "quick",
    note: str = "",
    command: str = "",
    min_size: int | None = None,
    whole_photo: bool = False,
    replace: bool = False,
    outside: Mapping[str, Path | str] | None = None,
    no_face: Mapping[str, Path | str] | None = None,
    least_age: int | None = None,
    searches: Path | str | None = None,
    **options: Any,
) -> Path:
    """Train a model on folders of labelled photos and write it to artifacts/.

    Parameters
    ----------
    sources : sequence of path
        Folders made by `crop_folder`, or of raw photos, which are cropped first (into
        ``crops/``). Only photos of the train split are fitted; a folder without splits has a
        fifth of its subjects held out as its test split.
    name : str
        Name of the model: letters, digits, - and _.
    recipe : str
        A key of `facecore.face.RECIPES`.
    grid : str
        ``"quick"``, ``"full"``, ``"fine"``, ``"tuned"`` or a JSON file, as
        `facecore.training.grids.read_grid` takes it.
    note : str
        Terms of the data, stored with the model.
    command : str
        The command that was run, stored with the model.
    min_size : int, optional
        Least width of a face, in pixels: 54 if left out, and none where each photo is the face. Of
        a folder of crops, narrower faces are dropped; if left out, all that `crop` kept are used.
    whole_photo : bool
        Whether each photo is the face already, as in sets of small crops: no detector runs, in
        training as in prediction.
    replace : bool
        Whether a model of that name may be replaced; one that ships with facecore never.
    outside : mapping of str to path, optional
        Folders, as `sources`, of faces that shall get no label, by what they look like, such as
        ``"a child"``. Only photos of their train split are shown to the model.
    no_face : mapping of str to path, optional
        Folders of pictures without a face, by what they look like, such as ``"a background"``.
    least_age : int, optional
        Age in years from which on the model is meant to be used, for its card.
    searches : path, optional
        Folder in which the finished search of each member is kept, so that the same training, begun
        again after it was killed, takes them up. They hold decisions on training faces, face by
        face.
    **options : dict
        Seed, jobs, progress, centres, solver and landmarks, as `TrainingOptions` takes them.

    Returns
    -------
    Path
        The model's folder.

    Raises
    ------
    FacecoreError
        The name, the recipe, the grid, an option or the data cannot be used; there is a model of
        that name already; the model could not be written, which is tried first; another training
        of that name runs, or memory is short.

    Examples
    --------
    >>> from facecore.model import load_model, write_photos
    >>> write_photos(load_model("classic"), Path("photos"), 60)
    60
    >>> folder = train(["photos"], "mine", recipe="classic", seed=1)
    >>> load_model("mine")
    FaceModel(female / male, recipe 'classic', members: pixels)
    """
    chosen = TrainingOptions(**options)
    if both := sorted(set(outside or {}) & set(no_face or {})):
        raise DataError(f"{both[0]!r} cannot be both a kind of faces and no face; rename one")
    found = for_whole_photos(find_recipe(recipe)) if whole_photo else find_recipe(recipe)
    kept = None if searches is None else Path(searches)
    plan = Plan(
        check_new_name(name),
        found,
        grid,
        chosen,
        note,
        command,
        least_age=least_age,
        searches=kept,
    )
    plan.check()
    how: dict[str, Any] = {"jobs": chosen.jobs, "progress": chosen.progress}
    with reserving(plan.name, replace), recording(plan):
        with scratch_folder():  # is there a place for temporary files, before the long work?
            pass
        if kept:
            try_folder(kept)
            kept.mkdir(parents=True, exist_ok=True)
        faces = gather(
            [Path(source) for source in sources],
            plan.recipe,
            seed=chosen.seed,
            identity=chosen.identity,
            min_size=min_size,
            **how,
        )

        shown = {
            kind: _load_shown(Path(source), plan.recipe, chosen)
            for kind, source in (outside or {}).items()
        } | {
            kind: _load_shown(Path(source), plan.recipe, chosen, face=False)
            for kind, source in (no_face or {}).items()
        }

        def load(file: Path) -> np.ndarray:
            rows = load_faces(to_search(faces), plan.recipe, chosen.jobs, file)
            for folder in faces["folder"].unique():  # has anybody changed crops meanwhile?
                check_finished(folder)
            return rows

        return fit_and_write(
            plan,
            faces,
            load,
            lambda model: evaluate_splits(
                faces,
                model,
                order=chosen.order,
                shared=bool(chosen.centres),
                paths=not chosen.centres,
                **how,
            ),
            shown,
        )


def _load_shown(source: Path, recipe: Recipe, options: TrainingOptions, face: bool = True) -> Shown:
    """Load pictures that shall get no label; without a face, they are not searched for one."""
    found = recipe if face else for_whole_photos(recipe)
    how: dict[str, Any] = {"jobs": options.jobs, "progress": options.progress}
    table = to_fit(gather([source], found, held_out=False, **how))
    if len(table) < LEAST:
        raise DataError(
            f"{source} has {len(table)} pictures to learn from; {LEAST} or more are needed"
        )
    rows = load_faces(table, recipe, options.jobs)
    return Shown(rows, table["label"].to_numpy(dtype=str), face)


@dataclass(frozen=True)
class Plan:
    """What is trained, and how.

    Parameters
    ----------
    name : str
        Of the model.
    recipe : Recipe
        With its members.
    grid : str
        As `facecore.training.grids.read_grid` takes it.
    options : TrainingOptions
        Seed, jobs and the like.
    note : str
        Terms of the data, stored with the model.
    command : str
        The command that was run, stored with the model.
    begun : float
        When the work began, in seconds of `time.perf_counter`.
    least_age : int, optional
        Age in years from which on the model is meant to be used.
    searches : Path, optional
        Folder in which finished searches are kept.
    """

    name: str
    recipe: Recipe
    grid: str
    options: TrainingOptions
    note: str = ""
    command: str = ""
    begun: float = field(default_factory=time.perf_counter)
    least_age: int | None = None
    searches: Path | None = None

    def check(self) -> None:
        """Refuse what cannot be used, before the long work.

        Raises
        ------
        DataError
            The grid of a member cannot be read, an option does not suit the recipe, or cluster
            centres shall hide persons whom the labels name.
        """
        _check_space(self.recipe, self.options.solver, self.options.centres)
        self.grids()
        if self.options.identity and self.options.centres:
            raise DataError(CENTRES_OF_PERSONS)

    def grids(self) -> dict[str, dict[str, list[Any]]]:
        """Return the grid of each member.

        Returns
        -------
        dict of str to dict of list
            By the member's name.
        """
        return {member: read_grid(self.grid, self.recipe, member) for member in self.recipe.members}


@dataclass(frozen=True)
class Fitted:
    """A model that was fitted, with what its metadata and tables say about the fit.

    Parameters
    ----------
    model : FaceModel
        Calibrated, with its rule.
    solver : str
        ``"exact"`` or ``"nystroem"``.
    search : dict
        As `facecore.training.metadata.describe_search` returns it.
    candidates : DataFrame
        Of all members.
    vectors : dict
        As `facecore.training.metadata.describe_vectors` returns it.
    rule : dict or None
        As `facecore.training.rules.with_rule` describes it; None without one.
    strangers : dict or None
        As `facecore.training.rules.with_rule` describes them.
    other_sets : list of dict
        As `facecore.training.other_sets.describe_sets` returns it; empty where it was not measured.
    typical_distance : float
        Median distance of the training faces from face space, out of fold.
    points : DataFrame, optional
        A sample of training faces in face space, unless the model is safe to share.
    outside : list of dict
        As `facecore.training.outside.describe_outside` returns it; empty where nothing was shown.
    photos : DataFrame, optional
        As `facecore.training.doubts.tabulate_training` returns it, unless the model is safe to
        share, or its faces came as arrays.
    coordinates : ndarray of shape (n_faces, k), float64, optional
        Of the training faces in face space, where there are photos.
    saved : float
        Seconds that earlier runs took for searches that were kept.
    """

    model: FaceModel
    solver: str
    search: SearchMetadata
    candidates: pd.DataFrame
    vectors: VectorsMetadata
    rule: RuleMetadata | None
    strangers: StrangersMetadata | None
    other_sets: list[OtherSetMetadata]
    typical_distance: float
    points: pd.DataFrame | None
    outside: list[OutsideMetadata]
    photos: pd.DataFrame | None = None
    coordinates: np.ndarray | None = None
    saved: float = 0.0


def to_fit(faces: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a table of faces that a model is fitted to.

    Parameters
    ----------
    faces : DataFrame
        As `facecore.data.gather` returns it.

    Returns
    -------
    DataFrame
        The faces of the train split that were kept.
    """
    return faces[faces["split"].eq("train") & faces["state"].eq("kept")]


def to_choose(faces: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Return the rows of a table of faces that help to choose hyperparameters, and are not fitted.

    Parameters
    ----------
    faces : DataFrame
        As `facecore.data.gather` returns it.

    Returns
    -------
    faces : DataFrame
        The faces of the val split that were kept, of labels that the train split has.
    note : str
        What was left out for its label, as `facecore.evaluation.drop_unknown` tells it.
    """
    kept = faces[faces["split"].eq("val") & faces["state"].eq("kept")]
    return drop_unknown(kept, sorted(to_fit(faces)["label"].unique()))


def to_search(faces: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a table of faces that a search reads: `to_fit`, then `to_choose`.

    Parameters
    ----------
    faces : DataFrame
        As `facecore.data.gather` returns it.

    Returns
    -------
    DataFrame
        In this order.
    """
    return pd.concat([to_fit(faces), to_choose(faces)[0]])


def fit_and_write(
    plan: Plan,
    faces: pd.DataFrame,
    load: Callable[[Path], np.ndarray],
    evaluate: Evaluate,
    shown: Mapping[str, Shown] | None = None,
) -> Path:
    """Fit a model to a table of faces, evaluate it and write it to artifacts/.

    Parameters
    ----------
    plan : Plan
        What is trained, and how.
    faces : DataFrame
        As `facecore.data.gather` returns it: every photo in one split.
    load : callable
        Takes a path ending in ``.npy``; writes the rows of the faces of `to_search` to it,
        and returns them mapped.
    evaluate : callable
        Takes the model; returns the table of predictions and the evaluation by data set, both
        empty where there is nothing to test on.
    shown : mapping of str to Shown, optional
        Pictures that shall get no label, by kind.

    Returns
    -------
    Path
        The model's folder.

    Raises
    ------
    FacecoreError
        The faces cannot be split into folds, or the model cannot be written.
    """
    identity = plan.options.identity
    if identity is None:
        identity = labels_are_subjects(to_fit(faces))
    plan = replace(plan, options=replace(plan.options, identity=identity))
    plan.check()
    labels = set(to_fit(faces)["label"])
    if plan.options.order and (odd := sorted(labels ^ set(plan.options.order))):
        raise DataError(
            f"the order must name each label once; {odd[0]!r} is in the "
            + ("order only" if odd[0] in plan.options.order else "data only")
        )
    if note := to_choose(faces)[1]:
        print(f"val: {note}", file=sys.stderr)
    # The faces of a training wait on disk, not in memory.
    with scratch_folder() as work, joblib.parallel_config(temp_folder=str(work)):
        fitted = fit_model(plan, load(work / "faces.npy"), to_search(faces), shown)
    predictions, evaluation = evaluate(fitted.model)
    local = {}
    if fitted.photos is not None:
        local["photos"] = _join_photos(plan, fitted, faces, predictions)
    predictions = predictions.drop(columns="path", errors="ignore")
    metadata = {
        "name": plan.name,
        "recipe": plan.recipe.name,
        "solver": fitted.solver,
        "labels": list(fitted.model.labels),
        "created": datetime.now(UTC).strftime("%Y-%m-%d"),
        "command": plan.command,
        "seed": plan.options.seed,
        "note": plan.note,
        "minutes": round((time.perf_counter() - plan.begun + fitted.saved) / 60, 1),
        "versions": {"python": platform.python_version()} | {p: version(p) for p in PACKAGES},
        "data": describe_data(faces),
        "training_faces": {
            str(label): int(count) for label, count in to_fit(faces)["label"].value_counts().items()
        },
        **({"identity": True} if identity else {}),
        "subjects": describe_subjects(to_fit(faces)),
        **({"title": plan.options.title} if plan.options.title else {}),
        **({"order": list(plan.options.order)} if plan.options.order else {}),
        "search": fitted.search,
        "kernel_vectors": fitted.vectors,
        **({"rule": fitted.rule} if fitted.rule else {}),
        **({"strangers": fitted.strangers} if fitted.strangers else {}),
        **({"outside": fitted.outside} if fitted.outside else {}),
        **({"least_age": plan.least_age} if plan.least_age else {}),
        **({"other_sets": fitted.other_sets} if fitted.other_sets else {}),
        "typical_distance": fitted.typical_distance,
    }
    tables = {"sizes": round_sizes(faces), "grid_search": fitted.candidates}
    if fitted.points is not None:
        tables["coordinates"] = fitted.points
    if evaluation:
        tables["predictions"] = predictions
    card = write_card(fitted.model, metadata, evaluation, predictions)
    return write_model(
        plan.name, fitted.model, metadata, tables, evaluation or None, card, local=local
    )


def _join_photos(
    plan: Plan, fitted: Fitted, faces: pd.DataFrame, predictions: pd.DataFrame
) -> pd.DataFrame:
    """Return the training photos and, below them, the test photos with their paths."""
    assert fitted.photos is not None and fitted.coordinates is not None
    if "path" not in predictions:  # nothing was tested, or the photos are not known by path
        return fitted.photos
    tests = tabulate_tests(predictions, faces, fitted.model, fitted.coordinates, plan.options.jobs)
    return pd.concat([fitted.photos, tests], ignore_index=True)


def fit_model(
    plan: Plan, X: np.ndarray, table: pd.DataFrame, shown: Mapping[str, Shown] | None = None
) -> Fitted:
    """Search, fit and calibrate a model.

    Parameters
    ----------
    plan : Plan
        What is trained, and how.
    X : memmap of shape (n_faces, n_numbers)
        Rows of the prepared faces, as `facecore.face.to_rows` makes them, in a ``.npy``.
    table : DataFrame
        One row per face: label, set, subject, path, split and score (of the detector, NaN where
        none looked for the face). Faces of the val split come last.
    shown : mapping of str to Shown, optional
        Pictures that shall get no label, by kind.

    Returns
    -------
    Fitted
        The model and what is told about it.

    Raises
    ------
    DataError
        The faces cannot be split into folds, or are too few for cluster centres.
    """
    options, recipe = plan.options, plan.recipe
    solver = choose_solver(options.solver, len(table))
    _check_space(recipe, solver, options.centres)
    grids = plan.grids()
    chooses = table["split"].eq("val").to_numpy(dtype=bool)
    count = len(table) - int(chooses.sum())
    y = table["label"].to_numpy(dtype=str)
    subjects = subject_names(table, options.identity)
    members, searches = [], {}
    strangers: list[np.ndarray] = []  # of every member, or of none
    for name, planned in recipe.members.items():
        faces = FacesOnDisk(_file_of(X), planned.features, recipe.mirror)
        fit = partial(_fit_exact, space=planned.space) if solver == "exact" else _fit_nystroem
        member, search, decided = fit(
            name, faces, y, subjects, chooses, grids[name], options, plan.searches
        )
        searches[name] = search.first(count)
        strangers += [] if decided is None else [decided]
        members.append(replace(member, features=planned.features, name=name))
    X, y, subjects, table = X[:count], y[:count], subjects[:count], table[:count]
    sets = table["set"].to_numpy(dtype=str)
    labels = tuple(str(label) for label in np.unique(y))
    slope = np.ones(members[0].coefficients.shape[1])
    model = FaceModel(labels, tuple(members), slope, recipe)
    if model.draws:
        Z = in_chunks(model.pixels.coordinates, X)
        model = replace(model, spread=measure_spread(Z, y, np.array(labels)))
    decisions = [search.decisions for search in searches.values()]
    model, calibration = calibrate_members(model, decisions, y)
    splits = split_folds(y, subjects, FOLDS, options.seed)
    logits = cross_calibrate(decisions, y, np.array(labels), splits)
    left_out: list[OtherSetMetadata] = []
    if solver == "exact" and choose_sets(sets, y):
        left_out = describe_sets(
            _decide_other_sets(plan, X, y, subjects, sets, searches, calibration), logits, y, sets
        )
    leading = searches[model.leading.name].distances
    beyond: np.ndarray | None = None
    of_shown: dict[str, np.ndarray] = {}
    if shown and options.rule:
        model, beyond, of_shown = learn_outside(model, X, y, subjects, shown, options.seed)
    found = OutOfFold(
        logits,
        in_chunks(partial(distance_from_face_space, model), X) if leading is None else leading,
        table["score"].to_numpy(dtype=float),
        join_strangers(calibration, strangers) if strangers else None,
        beyond,
    )
    model, rule, parted = with_rule(model, found, y, options)
    with step("look for faces in the model", 1, "model", progress=options.progress) as advance:
        vectors = describe_vectors(model, X, bool(options.centres), solver)
        advance()
    points: pd.DataFrame | None = None
    photos: pd.DataFrame | None = None
    coordinates: np.ndarray | None = None
    if not options.centres:
        coordinates = in_chunks(model.leading.coordinates, X)
        points = tabulate_points(coordinates, y, subjects, seed=options.seed)
        if has_photos(table):
            photos = tabulate_training(table, model, found, coordinates)
    return Fitted(
        model=model,
        solver=solver,
        search=describe_search(
            searches, grids, logits, y, splits, int(chooses.sum()), options.simplest
        ),
        candidates=join_tables(searches),
        vectors=vectors,
        rule=rule,
        strangers=parted,
        other_sets=left_out,
        typical_distance=round(float(np.median(found.distances)), 6),
        points=points,
        outside=[] if beyond is None else describe_outside(model, shown or {}, beyond, of_shown),
        photos=photos,
        coordinates=None if photos is None else coordinates,
        saved=sum(search.saved for search in searches.values()),
    )


def _fit_exact(
    name: str,
    faces: FacesOnDisk,
    y: np.ndarray,
    subjects: np.ndarray,
    chooses: np.ndarray,
    grid: Mapping[str, Any],
    options: TrainingOptions,
    searches: Path | None,
    *,
    space: str,
) -> tuple[Member, SearchResult, np.ndarray | None]:
    X = np.load(faces.path, mmap_mode="r")
    F, mirrored = _describe(X, faces.features, faces.mirrored)
    how: dict[str, Any] = {"chooses": chooses, "space": space, "options": options}
    final = partial(exact_final, F, y, subjects, mirrored=mirrored, **how)
    look = partial(
        halving_search,
        lambda rows: (F[rows], None if mirrored is None else mirrored[rows]),
        y,
        subjects,
        grid,
        final,
        **how,
    )
    arrays = {"y": y, "subjects": subjects, "chooses": chooses}
    search = keep_search(searches, look, faces, arrays, grid, options, f"exact {space}")
    if options.simplest:
        search = take_simplest(search, final)
    count = len(y) - int(chooses.sum())
    F, y, subjects, search = F[:count], y[:count], subjects[:count], search.first(count)
    mirrored = None if mirrored is None else mirrored[:count]
    if options.centres:
        # The search's machines stand on faces; those of the folds decide as the model's will.
        parts = [test for _, test in split_folds(y, subjects, FOLDS, options.seed)]
        held = [np.isin(np.arange(count), part) for part in parts]
        words = "decide on centres", "fold"
        turns = decide_in_turn(F, mirrored, y, subjects, held, search.best, options, space, words)
        decisions = np.empty_like(search.decisions)
        for part, decided in turns:
            decisions[part] = decided
        search = replace(search, decisions=decisions)
    with step(f"fit {name}", 1, "model", progress=options.progress) as advance:
        fit = fit_planned(F, mirrored, y, subjects, search.best, options, space)
        advance()
    strangers = None
    if options.rule and len(np.unique(y)) >= LEAST_LABELS:
        strangers = decide_strangers(F, mirrored, y, subjects, search.best, options, space)
    return fit, search, strangers


def _describe(
    X: np.ndarray, features: Features, mirrored: bool
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the features of faces, and those of their mirror images where these are trained on."""
    F = in_chunks(features.extract, X)
    return F, in_chunks(lambda rows: features.extract(mirror(rows)), X) if mirrored else None


def _decide_other_sets(
    plan: Plan,
    X: np.ndarray,
    y: np.ndarray,
    subjects: np.ndarray,
    sets: np.ndarray,
    searches: Mapping[str, SearchResult],
    calibration: Calibration,
) -> np.ndarray:
    """Return the joint decisions on data sets left out, by the members that have weight."""
    decisions = []
    for (name, planned), weight in zip(
        plan.recipe.members.items(), calibration.weights, strict=True
    ):
        if weight:
            F, mirrored = _describe(X, planned.features, plan.recipe.mirror)
            best, space = searches[name].best, planned.space
            how = sets, best, plan.options, space
            decisions.append(decide_sets(F, mirrored, y, subjects, *how))
        else:
            decisions.append(np.zeros_like(searches[name].decisions))
    return calibration.join(decisions)


def _fit_nystroem(
    name: str,
    faces: FacesOnDisk,
    y: np.ndarray,
    subjects: np.ndarray,
    chooses: np.ndarray,
    grid: Mapping[str, Any],
    options: TrainingOptions,
    searches: Path | None,
) -> tuple[Member, SearchResult, np.ndarray | None]:
    how: dict[str, Any] = {"chooses": chooses, "options": replace(options, centres=0)}

    def final(*_: Any) -> Final:
        return partial(nystroem_scores, faces, y, subjects, **how)

    look = partial(
        halving_search,
        lambda rows: _describe(faces.read(rows), faces.features, faces.mirrored),
        y,
        subjects,
        grid,
        final,
        **how,
    )
    arrays = {"y": y, "subjects": subjects, "chooses": chooses}
    search = keep_search(searches, look, faces, arrays, grid, options, "nystroem")
    if options.simplest:
        search = take_simplest(search, final)
    if options.centres:
        how = {"chooses": chooses, "options": options}
        again = nystroem_scores(faces, y, subjects, [search.best], **how)
        search = replace(search, decisions=again.decisions)
    rows = np.flatnonzero(~chooses)
    with step(f"fit {name}", 1, "model", progress=options.progress) as advance:
        fit = fit_nystroem(faces, y, subjects, search.best, rows=rows, options=options)
        advance()
    return fit, search, None


def _check_space(recipe: Recipe, solver: str, centres: int) -> None:
    """Refuse what a recipe with Fisherfaces cannot do."""
    if all(planned.space == "eigenfaces" for planned in recipe.members.values()):
        return
    if solver == "nystroem":
        raise DataError(
            f"the recipe {recipe.name!r} has Fisherfaces, which need all faces in memory; "
            "train with --solver exact, or with another --recipe"
        )
    if centres:
        raise DataError(
            f"the recipe {recipe.name!r} has Fisherfaces: they have too few coordinates to tell "
            "whether a cluster centre can be traced to a photo; train without --centres, or with "
            "another --recipe"
        )


def _file_of(X: np.ndarray) -> Path:
    assert isinstance(X, np.memmap)
    return Path(str(X.filename))
