"""Learning curve of a trained model: fitted again to growing shares of the subjects, in folds.

The settings stay those that the training chose. The folds are others than those on which it chose
them: the best of many candidates is flattered by its own folds, and only with all faces, so a curve
on them would end in a step that more photos do not explain. In the folds of the training, the
figures with all faces are the model's cross-validated score.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from facecore.data.faces import gather, load_faces
from facecore.data.splits import split_folds, subject_names
from facecore.errors import DataError, ModelError
from facecore.face.features import Features
from facecore.face.prepare import mirror
from facecore.face.recipes import rows_of
from facecore.model.classifier import FaceModel
from facecore.model.store import SHIPPED, load_model, read_metadata
from facecore.system.progress import step
from facecore.system.scratch import scratch_folder
from facecore.system.threads import on_one_thread
from facecore.system.workers import in_parallel, within_memory
from facecore.training.calibrate import cross_calibrate
from facecore.training.estimator import fit_member
from facecore.training.grids import Candidate
from facecore.training.kernels import choose_labels
from facecore.training.learning_forecast import Hits, tabulate_curve
from facecore.training.options import MAX_SEED
from facecore.training.pipeline import FOLDS, to_fit
from facecore.training.streaming import in_chunks

SHARES = (0.125, 0.177, 0.25, 0.354, 0.5, 0.707, 1.0)  # of the subjects, by factors of root two
LABEL_SHARES = (0.25, 0.5)  # of one label, while the others keep all their faces
LEAST = 4  # faces of the rarest label that the smallest share leaves
MOST_LABELS = 12  # of which each is varied alone; those with the fewest faces where there are more
REPEATS, MANY_FACES = 3, 2000  # splits into folds, each with its order of the subjects; else one
PILOTS, MOST_PILOT = (0.25, 0.5), 600  # shares of the faces, or of so many, whose fits are timed
TESTED = 20  # faces on which they decide
Split = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class CurveMember:
    """What a member of a model reads of the training faces, and how it is fitted.

    Parameters
    ----------
    views : list of ndarray of shape (n_faces, n_features)
        Features of the faces and, where the recipe says so, of their mirror images.
    candidate : Candidate
        Settings that the training chose.
    space : {"eigenfaces", "fisherfaces"}, default="eigenfaces"
        As `facecore.training.fit_member` takes it.
    """

    views: list[np.ndarray]
    candidate: Candidate
    space: str = "eigenfaces"


@dataclass(frozen=True)
class Subset:
    """A share of the training faces.

    Parameters
    ----------
    share : float
        Of the faces, in (0, 1].
    repeat : int
        Number of the split into folds, and of the order in which subjects are taken.
    label : str, optional
        The only label of which a share is taken; all labels if None.
    """

    share: float
    repeat: int
    label: str | None = None


def order_by_share(y: np.ndarray, subjects: np.ndarray, seed: int | Sequence[int]) -> np.ndarray:
    """Return from which share of the faces on each face is taken.

    The faces below a share are nested in those below a larger one, have each label in about that
    share, and take a subject's faces of a label together.

    Parameters
    ----------
    y : ndarray of shape (n_faces,), str
        Labels.
    subjects : ndarray of shape (n_faces,)
        Subject of each face.
    seed : int or sequence of int
        Of the order of the subjects.

    Returns
    -------
    ndarray of shape (n_faces,), float64
        In [0, 1): a share takes the faces whose value is below it, at least one subject per label.

    Examples
    --------
    >>> y = np.repeat(["round", "square"], [8, 4])
    >>> from_share = order_by_share(y, np.arange(12), seed=0)
    >>> np.unique(y[from_share < 0.5], return_counts=True)[1].tolist()
    [4, 2]
    """
    names, codes = np.unique(subjects, return_inverse=True)
    ranks = np.random.default_rng(seed).permutation(len(names))[codes]
    found = np.empty(len(y))
    for label in np.unique(y):
        rows = np.flatnonzero(y == label)
        own, counts = np.unique(ranks[rows], return_counts=True)
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
        found[rows] = starts[np.searchsorted(own, ranks[rows])] / len(rows)
    return found


def shrink(candidate: Candidate, count: int) -> Candidate:
    """Return settings for fewer components, as fewer faces or a smaller space need them.

    Parameters
    ----------
    candidate : Candidate
        Settings of the larger space.
    count : int
        Number of components, from 1 to that of the candidate.

    Returns
    -------
    Candidate
        Whitened, squared distances grow with the number of components, so gamma grows as these
        become fewer.

    Examples
    --------
    >>> shrink(Candidate(n_components=100, gamma=0.004, C=5.0), 50).gamma
    0.008
    """
    factor = candidate.n_components / count if candidate.whiten else 1.0
    return replace(candidate, n_components=count, gamma=candidate.gamma * factor)


def decide_subset(
    members: Sequence[CurveMember],
    y: np.ndarray,
    splits: Sequence[Split],
    taken: Sequence[np.ndarray],
    seed: int = 0,
) -> list[np.ndarray]:
    """Fit members to a part of each fold's training faces, and decide on its held-out faces.

    Parameters
    ----------
    members : sequence of CurveMember
        One or more.
    y : ndarray of shape (n_faces,), str
        Labels.
    splits : sequence of tuple of ndarray
        Per fold, the rows of its training faces and of its held-out faces.
    taken : sequence of ndarray
        Per fold, the rows of the training faces to fit to, with every label among them.
    seed : int, default=0
        Seed of the eigenfaces.

    Returns
    -------
    list of ndarray of shape (n_faces, n_outputs), float64
        Decision values per member, uncalibrated; each face is decided by the fold that holds it
        out.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.integers(0, 100, (40, 25), dtype=np.uint8)
    >>> X[20:, :9] += 60  # squares are brighter there
    >>> y, rows = np.repeat(["round", "square"], 20), np.arange(40)
    >>> splits = [(rows[::2], rows[1::2]), (rows[1::2], rows[::2])]
    >>> member = CurveMember([X], Candidate(n_components=5, gamma=0.1, C=1.0))
    >>> (found,) = decide_subset([member], y, splits, [train[::2] for train, _ in splits])
    >>> bool(((found[:, 0] > 0) == (y == "square")).mean() > 0.9)
    True
    """
    outputs = len(np.unique(y))
    found = []
    for member in members:
        decisions = np.empty((len(y), 1 if outputs == 2 else outputs))
        for (train, test), rows in zip(splits, taken, strict=True):
            decisions[test] = _decide(member, y, rows, test, len(train), seed)
        found.append(decisions)
    return found


def _decide(
    member: CurveMember, y: np.ndarray, rows: np.ndarray, test: np.ndarray, whole: int, seed: int
) -> np.ndarray:
    views = [view[rows] for view in member.views]
    # With all faces the settings are those of the training; with fewer, the space keeps its number
    # of components as long as there are two faces for each, or its share of what there can be.
    most = min(
        member.candidate.n_components, len(member.views) * whole - 1, member.views[0].shape[1]
    )
    count = min(most, max(1, len(rows) // 2, round(most * len(rows) / whole)))
    candidate = shrink(replace(member.candidate, n_components=most), count)
    mirrored = views[1] if len(views) > 1 else None
    fit = fit_member(views[0], mirrored, y[rows], candidate, seed, member.space)
    return np.asarray(
        np.mean([fit.decide(fit.coordinates(view[test])) for view in member.views], axis=0)
    )


def plan_subsets(
    y: np.ndarray, splits: Sequence[Split], repeats: int | None = None
) -> list[Subset]:
    """Choose the shares that are fitted: of all labels together, and of each label alone.

    Parameters
    ----------
    y : ndarray of shape (n_faces,), str
        Labels.
    splits : sequence of tuple of ndarray
        Per fold, the rows of its training faces and of its held-out faces.
    repeats : int, optional
        Splits into folds, 1 or more; `REPEATS` of up to `MANY_FACES` faces, otherwise 1, if None.

    Returns
    -------
    list of Subset
        The whole last. Shares that leave the rarest label fewer than `LEAST` faces are left out.

    Examples
    --------
    >>> y, rows = np.repeat(["round", "square"], 40), np.arange(80)
    >>> subsets = plan_subsets(y, [(rows[::2], rows[1::2]), (rows[1::2], rows[::2])])
    >>> sorted({subset.share for subset in subsets if subset.label is None})
    [0.25, 0.354, 0.5, 0.707, 1.0]
    """
    labels, counts = np.unique(y, return_counts=True)
    fewest = {
        str(label): min(int((y[train] == label).sum()) for train, _ in splits) for label in labels
    }
    rarest = min(fewest.values())
    each = range(repeats or (REPEATS if len(y) <= MANY_FACES else 1))
    shares = [share for share in SHARES[:-1] if share * rarest >= LEAST]
    planned = [Subset(share, repeat) for share in shares for repeat in each]
    for label in [str(labels[i]) for i in np.argsort(counts, kind="stable")[:MOST_LABELS]]:
        planned += [
            Subset(share, repeat, label)
            for share in LABEL_SHARES
            if share * fewest[label] >= LEAST
            for repeat in each
        ]
    return [*planned, *(Subset(1.0, repeat) for repeat in each)]


def take_subset(
    subset: Subset, y: np.ndarray, subjects: np.ndarray, splits: Sequence[Split], seed: int = 0
) -> list[np.ndarray]:
    """Return the training faces of each fold that belong to a share.

    Parameters
    ----------
    subset : Subset
        The share.
    y : ndarray of shape (n_faces,), str
        Labels.
    subjects : ndarray of shape (n_faces,)
        Subject of each face.
    splits : sequence of tuple of ndarray
        Per fold, the rows of its training faces and of its held-out faces.
    seed : int, default=0
        Of the order of the subjects, at least 0.

    Returns
    -------
    list of ndarray
        Rows, in the order of the fold's.

    Examples
    --------
    >>> y, rows = np.repeat(["round", "square"], 20), np.arange(40)
    >>> splits = [(rows[::2], rows[1::2])]
    >>> (taken,) = take_subset(Subset(0.5, 0, "square"), y, rows, splits)
    >>> np.unique(y[taken], return_counts=True)[1].tolist()
    [10, 5]
    """
    found = []
    for fold, (train, _) in enumerate(splits):
        below = order_by_share(y[train], subjects[train], [seed, subset.repeat, fold])
        kept = below < subset.share
        if subset.label is not None:
            kept |= y[train] != subset.label
        found.append(train[kept])
    return found


def measure_subsets(
    members: Sequence[CurveMember],
    y: np.ndarray,
    subjects: np.ndarray,
    *,
    seed: int = 0,
    repeats: int | None = None,
    jobs: int = 1,
    progress: bool = False,
) -> list[Hits]:
    """Fit every share of `plan_subsets` and return which held-out faces each gets right.

    Parameters
    ----------
    members : sequence of CurveMember
        Of the model.
    y : ndarray of shape (n_faces,), str
        Labels.
    subjects : ndarray of shape (n_faces,)
        Subject of each face.
    seed : int, default=0
        Of the first split into folds, and of the order of the subjects; the next split has the
        next seed.
    repeats : int, optional
        As `plan_subsets` takes it.
    jobs : int, default=1
        Worker processes; -1 for one per core. The result does not depend on it.
    progress : bool, default=False
        Show a progress bar on standard error.

    Returns
    -------
    list of Hits
        One per share, the whole last.

    Raises
    ------
    DataError
        The faces cannot be split into folds, or are too few for a second share.
    """
    planned = plan_subsets(y, split_folds(y, subjects, FOLDS, seed), repeats)
    if len({subset.share for subset in planned if subset.label is None}) < 2:
        raise DataError(
            f"a learning curve needs {2 * LEAST} faces or more of each label in the training part "
            "of every fold; add photos of the rarest label"
        )
    splits = {
        repeat: split_folds(y, subjects, FOLDS, (seed + repeat) % (MAX_SEED + 1))
        for repeat in {subset.repeat for subset in planned}
    }
    taken = [take_subset(subset, y, subjects, splits[subset.repeat], seed) for subset in planned]
    sizes = [sum(map(len, rows)) for rows in taken]
    order = sorted(range(len(planned)), key=lambda i: -sizes[i])  # workers end together
    tasks = (
        joblib.delayed(_hit)(i, planned[i], members, y, splits[planned[i].repeat], taken[i], seed)
        for i in order
    )
    found: dict[int, Hits] = {}
    with step("learning curve", sum(sizes), "face", progress=progress) as advance:
        for i, hits in in_parallel(tasks, jobs, ordered=False):
            found[i] = hits
            advance(sizes[i])
    return [found[i] for i in range(len(planned))]


@on_one_thread
def _hit(
    number: int,
    subset: Subset,
    members: Sequence[CurveMember],
    y: np.ndarray,
    splits: Sequence[Split],
    taken: Sequence[np.ndarray],
    seed: int,
) -> tuple[int, Hits]:
    decisions = decide_subset(members, y, splits, taken, seed)
    classes = np.unique(y)
    answers = choose_labels(cross_calibrate(decisions, y, classes, splits), classes)
    counts = [[int((y[rows] == label).sum()) for label in classes] for rows in taken]
    mean = dict(zip(map(str, classes), np.mean(counts, axis=0).round(1).tolist(), strict=True))
    right = answers == y
    folds = [
        np.mean([right[own][y[own] == one].mean() for one in set(y[own])]) for _, own in splits
    ]
    return number, Hits(subset.share, subset.label, mean, right, float(np.mean(folds)))


@within_memory("a smaller model")
def measure_curve(
    sources: Sequence[Path],
    name: str,
    *,
    seed: int | None = None,
    repeats: int | None = None,
    jobs: int = 1,
    progress: bool = False,
) -> pd.DataFrame:
    """Measure whether more photos would help a trained model, and of which label.

    Parameters
    ----------
    sources : sequence of Path
        The folders of photos or crops that it was trained on, as `facecore.train` takes them.
    name : str
        Name of the model.
    seed : int, optional
        Of the first split into folds; others than those of the training if None.
    repeats : int, optional
        As `plan_subsets` takes it.
    jobs : int, default=1
        Worker processes; -1 for one per core.
    progress : bool, default=False
        Show progress bars on standard error.

    Returns
    -------
    DataFrame
        As `facecore.training.learning_forecast.tabulate_curve` returns it.

    Raises
    ------
    FacecoreError
        The model ships with facecore, was fitted to landmarks or has other labels than the
        photos; or these cannot be used.

    Examples
    --------
    >>> table = measure_curve([Path("photos")], "mine")  # doctest: +SKIP
    """
    refuse_curve(name)
    metadata, model = read_metadata(name), load_model(name)
    identity = bool(metadata.get("identity"))
    least = {found.get("min_size") for found in metadata["data"].values()}
    faces = gather(
        [Path(source) for source in sources],
        model.recipe,
        seed=metadata["seed"],
        identity=identity,
        min_size=least.pop() if len(least) == 1 else None,
        jobs=jobs,
        progress=progress,
    )
    table = to_fit(faces)
    y = table["label"].to_numpy(dtype=str)
    if odd := sorted(set(y) ^ set(metadata["labels"])):
        raise DataError(
            f"the label {odd[0]!r} is in {'these photos' if odd[0] in y else 'the model'} only; "
            f"give the photos that the model {name!r} was trained on"
        )
    subjects = subject_names(table, identity)
    with scratch_folder() as work, joblib.parallel_config(temp_folder=str(work)):
        X = load_faces(table, model.recipe, jobs, work / "faces.npy")
        members = read_members(X, model, metadata["search"])
        hits = measure_subsets(
            members,
            y,
            subjects,
            seed=(metadata["seed"] + 1) % (MAX_SEED + 1) if seed is None else seed,
            repeats=repeats,
            jobs=jobs,
            progress=progress,
        )
        del X
    return tabulate_curve(hits, y, subjects)


def refuse_curve(name: str) -> None:
    """Refuse a model of which there can be no learning curve.

    Parameters
    ----------
    name : str
        Name of the model.

    Raises
    ------
    ModelError
        It ships with facecore, or was fitted to landmarks.
    """
    if name in SHIPPED:
        raise ModelError(
            f"the model {name!r} ships without the photos that it was trained on, and none can be "
            "had from its files; a learning curve needs a model of your own and its photos"
        )
    if read_metadata(name)["solver"] != "exact":
        raise ModelError(
            f"the model {name!r} was fitted to landmarks, since its faces are many; a learning "
            "curve fits all faces again and again, so it needs a model trained with --solver exact"
        )


def read_members(
    X: np.ndarray, model: FaceModel, search: Mapping[str, object]
) -> list[CurveMember]:
    """Return what the members of a model read of faces, with the settings that a search chose.

    Parameters
    ----------
    X : ndarray of shape (n_faces, n_numbers)
        Rows of the prepared faces, as `facecore.face.to_rows` makes them.
    model : FaceModel
        With its members.
    search : mapping of str to object
        As ``metadata.json`` has it: ``best`` of the only member, or ``members`` of several.

    Returns
    -------
    list of CurveMember
        In the order of the model.
    """
    chosen = search.get("members") or {model.members[0].name: search["best"]}
    assert isinstance(chosen, Mapping)
    found = []
    for member in model.members:
        views = [in_chunks(member.features.extract, X)]
        if model.recipe.mirror:
            views.append(in_chunks(partial(_read_mirrored, member.features), X))
        found.append(CurveMember(views, Candidate(**chosen[member.name]), member.space))
    return found


def _read_mirrored(features: Features, rows: np.ndarray) -> np.ndarray:
    return features.extract(mirror(rows))


def estimate_seconds(name: str, jobs: int = 1) -> float:
    """Estimate how long the fits of a learning curve take on this computer, from two small ones.

    Parameters
    ----------
    name : str
        Name of the model.
    jobs : int, default=1
        Worker processes, 1 or more.

    Returns
    -------
    float
        In seconds, without the time to crop and read the photos. Random faces stand for those of
        the photos, so it is about right only.

    Raises
    ------
    FacecoreError
        The model cannot be used.
    """
    refuse_curve(name)
    metadata, model = read_metadata(name), load_model(name)
    labels = metadata["training_faces"]
    y = np.repeat(list(labels), list(labels.values()))
    rows = np.arange(len(y))
    splits = [(rows[rows % FOLDS != fold], rows[rows % FOLDS == fold]) for fold in range(FOLDS)]
    sizes = np.array(
        [
            sum(map(len, take_subset(subset, y, rows, splits))) / FOLDS
            for subset in plan_subsets(y, splits)
        ]
    )
    pilots = [round(share * np.clip(len(y), 80, MOST_PILOT)) for share in PILOTS]
    rng = np.random.default_rng(0)
    shape, dtype = rows_of(pilots[-1] + TESTED, model.recipe)
    X = rng.integers(0, 256, shape).astype(dtype)
    labelled, test = np.resize(list(labels), len(X)), np.arange(pilots[-1], len(X))
    seconds = []
    # CPU time on one thread, as a worker has it, whatever else the computer does now.
    with threadpool_limits(1):
        begun = time.process_time()
        members = read_members(X, model, metadata["search"])
        reading = (time.process_time() - begun) / len(X)
        for count in pilots:
            begun = time.process_time()
            for member in members:
                _decide(member, labelled, np.arange(count), test, len(y), 0)
            seconds.append(max(1e-4, time.process_time() - begun))
    power = np.log(seconds[1] / seconds[0]) / np.log(pilots[1] / pilots[0])
    power = float(np.clip(power, 1.0, 2.0))
    fits = float((seconds[1] * (sizes / pilots[1]) ** power).sum()) * FOLDS
    return reading * len(y) + fits / max(1, jobs)
