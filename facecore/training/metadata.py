"""What a model stores about how it was made."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, NotRequired, TypedDict

import numpy as np
import pandas as pd

from facecore.data.crops import ALL, count_states
from facecore.face.prepare import mirror
from facecore.model.classifier import FaceModel, Member
from facecore.training.calibrate import score_folds
from facecore.training.centres import MIN_FACES, MIN_SUBJECTS, count_traceable
from facecore.training.grids import FACTOR
from facecore.training.other_sets import OtherSetMetadata
from facecore.training.rules import RuleMetadata, StrangersMetadata
from facecore.training.search import SearchResult
from facecore.training.streaming import in_chunks
from facecore.training.tables import count_compared, count_folds

PACKAGES = ("numpy", "scikit-learn", "opencv-python-headless", "pillow")


class DataSetMetadata(TypedDict):
    """Photos of one data set: all, by split, and by state; least width of a face, in pixels."""

    photos: int
    train: int
    test: int
    states: dict[str, int]
    min_size: NotRequired[int]


class SubjectsMetadata(TypedDict):
    """Whose faces a label was trained on: known subjects, and the largest share of one of them."""

    known: int
    largest: float


class SearchMetadata(TypedDict):
    """Grid searches of a model; `balanced_accuracy` and `std` are over folds, of all members.

    `val` is the number of faces of the val split, which were one more fold of the choice. `border`
    says where candidates of two labels decided: at the border of calibration or, where it is
    missing, at 0, as in earlier versions. `best` and `members` are the candidates that the model is
    made of: the best ones or, where `chosen` says so, the simplest within one standard error.
    """

    grid: dict[str, Any]
    candidates: int
    folds: int
    border: NotRequired[str]
    val: NotRequired[int]
    chosen: NotRequired[str]
    best: dict[str, Any]
    members: NotRequired[dict[str, dict[str, Any]]]
    balanced_accuracy: float
    std: float


class VectorsMetadata(TypedDict):
    """Kernel vectors: what they are, how many, and how many can be traced to one photo."""

    kind: str
    count: int
    lead_back_to_a_photo: int
    least_faces: NotRequired[int]
    least_persons: NotRequired[int]


class Metadata(TypedDict):
    """What training stores in ``metadata.json``; the store adds its format and checksums."""

    name: str
    recipe: str
    solver: str
    labels: list[str]
    created: str
    command: str
    seed: int
    note: str
    minutes: float
    versions: dict[str, str]
    data: dict[str, DataSetMetadata]
    training_faces: dict[str, int]
    subjects: dict[str, SubjectsMetadata]
    title: NotRequired[str]
    order: NotRequired[list[str]]
    identity: NotRequired[bool]
    search: SearchMetadata
    kernel_vectors: VectorsMetadata
    rule: NotRequired[RuleMetadata]
    strangers: NotRequired[StrangersMetadata]
    other_sets: NotRequired[list[OtherSetMetadata]]  # of two or more large data sets
    typical_distance: NotRequired[float]  # from face space, of the training faces out of fold


def describe_data(faces: pd.DataFrame) -> dict[str, DataSetMetadata]:
    """Count the photos of each data set.

    Parameters
    ----------
    faces : DataFrame
        One row per photo, as `facecore.data.faces.gather` returns it.

    Returns
    -------
    dict of str to dict
        By data set: photos, train, test, the states, and min_size where it is known.
    """
    described: dict[str, DataSetMetadata] = {}
    for name, rows in faces.groupby("set", sort=False):
        described[str(name)] = {
            "photos": len(rows),
            "train": int(rows["split"].eq("train").sum()),
            "test": int(rows["split"].eq("test").sum()),
            "states": {k: int(v) for k, v in count_states(rows)[ALL].drop(ALL).items()},
        }
        if "min_size" in rows and rows["min_size"].notna().all():
            described[str(name)]["min_size"] = int(rows["min_size"].iloc[0])
    return described


def describe_subjects(faces: pd.DataFrame) -> dict[str, SubjectsMetadata]:
    """Count the subjects of each label.

    Parameters
    ----------
    faces : DataFrame
        The training faces, one row each: label, set and subject (empty where unknown).

    Returns
    -------
    dict of str to dict
        By label: ``known``, the number of known subjects, and ``largest``, the largest share of
        the label's faces that is of one known subject, in [0, 1].

    Examples
    --------
    >>> faces = pd.DataFrame({"label": ["calm", "calm", "sad"], "subject": ["eve", "eve", ""]})
    >>> describe_subjects(faces.assign(set="mine"))
    {'calm': {'known': 1, 'largest': 1.0}, 'sad': {'known': 0, 'largest': 0.0}}
    """
    described: dict[str, SubjectsMetadata] = {}
    for label, rows in faces.groupby("label"):
        known = rows[rows["subject"].ne("")]
        counts = known.groupby(["set", "subject"]).size()
        largest = float(counts.max()) / len(rows) if len(counts) else 0.0
        described[str(label)] = {"known": len(counts), "largest": round(largest, 4)}
    return described


def join_tables(searches: Mapping[str, SearchResult]) -> pd.DataFrame:
    """Join the candidates of all members in one table.

    Parameters
    ----------
    searches : mapping of str to SearchResult
        By member.

    Returns
    -------
    DataFrame
        One row per candidate, with a column param_member where there are several members; ranks
        are within a member.
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
    splits: Sequence[tuple[np.ndarray, np.ndarray]],
    val: int = 0,
    simplest: bool = False,
) -> SearchMetadata:
    """Describe the grid searches of a model.

    Parameters
    ----------
    searches : mapping of str to SearchResult
        By member, that of the eigenfaces first.
    grids : mapping of str to mapping
        The grid of each member.
    decisions : ndarray of shape (n_faces, n_outputs), float
        Out of fold, of the whole model, as `facecore.training.calibrate.cross_calibrate` returns
        them.
    y : ndarray of shape (n_faces,)
        Labels of the training faces.
    splits : sequence of tuple of ndarray
        Per fold, the indices of the other faces and of its own.
    val : int
        Number of faces that were never fitted and took part in the choice.
    simplest : bool, default=False
        Whether the simplest candidate within one standard error was chosen in place of the best.

    Returns
    -------
    dict
        `balanced_accuracy` (in [0, 1]) and `std` are over the folds, of the whole model; `best` is
        what was chosen for the first member, `members` has all where there are several.
    """
    first = next(iter(searches.values()))
    scores = score_folds(decisions, y, np.unique(y), splits)
    several = len(searches) > 1
    searched = {name: _searched(search.table, grids[name]) for name, search in searches.items()}
    described: SearchMetadata = {
        "grid": searched if several else next(iter(searched.values())),
        "candidates": sum(count_compared(search.table) for search in searches.values()),
        "folds": count_folds(first.table.columns) - bool(val),
        "border": "calibrated",
        "best": asdict(first.best),
        "balanced_accuracy": round(float(np.mean(scores)), 4),
        "std": round(float(np.std(scores)), 4),
    }
    if val:
        described["val"] = val
    if simplest:
        described["chosen"] = "simplest"
    if several:
        described["members"] = {name: asdict(search.best) for name, search in searches.items()}
    return described


def _searched(table: pd.DataFrame, grid: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a grid; of one that was searched in rounds, those of the first."""
    if FACTOR not in grid:
        return dict(grid)
    first = table[table["iter"].eq(0)]
    counts = sorted({int(count) for count in first["param_n_components"]})
    return {**grid, "n_components": counts}


def describe_vectors(
    model: FaceModel, X: np.ndarray, centres: bool, solver: str = "exact"
) -> VectorsMetadata:
    """Describe the kernel vectors, and count those that can be traced to one photo.

    Parameters
    ----------
    model : FaceModel
        Trained on these faces.
    X : ndarray of shape (n_faces, side * side), uint8
        Grey levels of the training faces, from 0 to 255.
    centres : bool
        Whether the vectors are cluster centres.
    solver : {"exact", "nystroem"}, default="exact"
        The solver that fitted the machines.

    Returns
    -------
    dict
        `kind`, `count`, `lead_back_to_a_photo` (those that can be traced), and of cluster centres
        `least_faces` and `least_persons` of each.
    """
    faces = "support vectors" if solver == "exact" else "landmark faces"
    mirrored = model.recipe.mirror
    described: VectorsMetadata = {
        "kind": "cluster centres" if centres else faces,
        "count": sum(len(member.kernel_vectors) for member in model.members),
        "lead_back_to_a_photo": sum(
            count_traceable(member.kernel_vectors, _project_all(member, X, mirrored))
            for member in model.members
        ),
    }
    if centres:
        described |= {"least_faces": MIN_FACES, "least_persons": MIN_SUBJECTS}
    return described


def _project_all(member: Member, X: np.ndarray, mirrored: bool) -> np.ndarray:
    """Return the coordinates of faces, and below them those of their mirror images."""
    Z = in_chunks(member.coordinates, X)
    if not mirrored:
        return Z
    return np.concatenate([Z, in_chunks(lambda rows: member.coordinates(mirror(rows)), X)])
