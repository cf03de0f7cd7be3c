"""Which training photos deserve a second look: labels that may be wrong, and lonely faces.

The table of this module names photos of its user. It is kept in the folder ``local`` of a model,
which no download has, and never by a model that is safe to share.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn import config_context
from sklearn.neighbors import NearestNeighbors

from facecore.data.crops import source_of
from facecore.data.faces import load_faces
from facecore.model.classifier import FaceModel
from facecore.model.rule import AnswerRule, measure_lead
from facecore.training.rules import OutOfFold
from facecore.training.streaming import in_chunks

NEIGHBOURS = 5  # nearest training faces that are kept for each photo
MOST = 20_000  # training faces among which neighbours are looked for
OUTSIDE, FAR_OUT = 1.5, 3.0  # interquartile ranges above the third quartile (Tukey 1977)
LONELY_FROM = 1.0  # see `measure_loneliness`
BOX = ("x", "y", "w", "h")


def find_suspects(P: np.ndarray, given: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find the faces whose label may be wrong: confident learning.

    A face is suspected where the likeliest of the labels that it reaches is not its own. It reaches
    a label with at least the mean probability that the faces of this label have for it (Northcutt,
    Jiang and Chuang 2021).

    Parameters
    ----------
    P : ndarray of shape (n_faces, n_labels), float
        Probabilities by machines that were not fitted to the face, in [0, 1].
    given : ndarray of shape (n_faces,), int
        Column of the label that each face has.

    Returns
    -------
    suspected : ndarray of shape (n_faces,), bool
    margin : ndarray of shape (n_faces,), float64
        Probability of the given label minus that of the likeliest other one, in [-1, 1]. The lower,
        the likelier that the label is wrong.

    Examples
    --------
    >>> P = np.array([[0.9, 0.1], [0.8, 0.2], [0.2, 0.8], [0.3, 0.7], [0.9, 0.1]])
    >>> suspected, margin = find_suspects(P, np.array([0, 0, 1, 1, 1]))
    >>> suspected.tolist(), margin.round(1).tolist()
    ([False, False, False, False, True], [0.8, 0.6, 0.6, 0.4, -0.8])
    """
    rows = np.arange(len(P))
    own = P[rows, given]
    # A label without a face has no mean; nothing reaches it.
    least = np.array(
        [own[given == j].mean() if (given == j).any() else np.inf for j in range(P.shape[1])]
    )
    reached = np.where(least <= P, P, -1.0)
    likely = reached.argmax(axis=1)
    others = P.astype(float).copy()
    others[rows, given] = -np.inf
    return (likely != given) & (reached[rows, likely] >= 0), own - others.max(axis=1)


def find_neighbours(
    Z: np.ndarray, among: np.ndarray, rows: np.ndarray, count: int, new: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Find the nearest faces of each face in face space.

    Parameters
    ----------
    Z : ndarray of shape (n_faces, k), float
        Coordinates of faces.
    among : ndarray of shape (n_others, k), float
        Coordinates of the faces among which neighbours are looked for.
    rows : ndarray of shape (n_others,), int
        Their numbers.
    count : int
        Neighbours of each face, at least 1; fewer where there are not so many others.
    new : bool
        Whether the faces of `Z` are others than those with numbers; if not, face i has number i,
        and is not its own neighbour.

    Returns
    -------
    numbers : ndarray of shape (n_faces, n_neighbours), int
        The nearest first.
    distances : ndarray of shape (n_faces, n_neighbours), float
        In the unit of the coordinates.

    Examples
    --------
    >>> Z = np.array([[0.0], [1.0], [5.0]])
    >>> find_neighbours(Z, Z, np.arange(3), 1)[0].ravel().tolist()
    [1, 0, 1]
    """
    wanted = min(count + (not new), len(rows))
    with config_context(working_memory=64):
        found = NearestNeighbors(n_neighbors=wanted, algorithm="brute").fit(among)
        distances, places = found.kneighbors(Z)
    numbers = rows[places]
    if new:
        return numbers, distances
    itself = numbers == np.arange(len(Z))[:, None]
    kept = np.argsort(itself, axis=1, kind="stable")[:, : min(count, len(rows) - 1)]
    return np.take_along_axis(numbers, kept, 1), np.take_along_axis(distances, kept, 1)


def measure_loneliness(distances: np.ndarray, Z: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Measure how far each face is from face space, or from the faces of its own label.

    Parameters
    ----------
    distances : ndarray of shape (n_faces,), float
        From face space, out of fold.
    Z : ndarray of shape (n_faces, k), float
        Coordinates in face space.
    y : ndarray of shape (n_faces,), str
        Labels.

    Returns
    -------
    ndarray of shape (n_faces,), float64
        The larger of two: by how many times `OUTSIDE` interquartile ranges the mean distance from
        the `NEIGHBOURS` nearest faces of its label lies above the third quartile of its label, and
        by how many times `FAR_OUT` ones its distance from face space lies above that of all faces
        (Tukey 1977). Above `LONELY_FROM` it is lonely.

    Examples
    --------
    >>> Z = np.append(np.random.default_rng(0).uniform(size=(40, 2)), [[9.0, 9.0]], axis=0)
    >>> lonely = measure_loneliness(np.ones(41), Z, np.full(41, "calm"))
    >>> int(lonely.argmax()), bool(lonely[40] > LONELY_FROM)
    (40, True)
    """
    apart = np.zeros(len(y))
    for label in np.unique(y):
        own = np.flatnonzero(y == label)
        if len(own) < 2:
            continue
        few = _some(len(own))
        near = find_neighbours(Z[own], Z[own][few], few, NEIGHBOURS)[1]
        apart[own] = _excess(near.mean(axis=1)) / OUTSIDE
    return np.asarray(np.maximum(_excess(distances) / FAR_OUT, apart))


def _excess(values: np.ndarray) -> np.ndarray:
    low, high = np.quantile(values, [0.25, 0.75])
    return np.asarray((values - high) / max(float(high - low), 1e-3 * float(high), 1e-12))


def _some(count: int) -> np.ndarray:
    """Return the numbers of all faces, or of a sample of `MOST`."""
    if count <= MOST:
        return np.arange(count)
    return np.asarray(np.sort(np.random.default_rng(0).choice(count, MOST, replace=False)))


def has_photos(faces: pd.DataFrame) -> bool:
    """Return whether faces are of photos in folders, and did not come as arrays.

    Parameters
    ----------
    faces : DataFrame
        As `facecore.data.gather` returns it.

    Returns
    -------
    bool
    """
    return "folder" in faces and bool(faces["folder"].ne("").all())


def tabulate_training(
    table: pd.DataFrame, model: FaceModel, found: OutOfFold, Z: np.ndarray
) -> pd.DataFrame:
    """Tabulate the training photos with what machines said that were not fitted to them.

    Parameters
    ----------
    table : DataFrame
        One row per training face, as `facecore.data.gather` returns it.
    model : FaceModel
        With its rule.
    found : OutOfFold
        Of these faces.
    Z : ndarray of shape (n_faces, k), float
        Their coordinates in the face space of the model.

    Returns
    -------
    DataFrame
        One row per face: set, source (the data set, a path), path (relative to it), label, split,
        answer (the likeliest label), answered (bool: the model gives the label under its rule),
        p_label and p_answer (probabilities of the two, in [0, 1]), suspected (bool) and margin (see
        `find_suspects`), lonely (see `measure_loneliness`), near (rows of this table with the
        nearest faces, as numbers between spaces), and x, y, w, h (the face box, in pixels).
    """
    logits = found.logits[:, 0] if found.logits.shape[1] == 1 else found.logits
    # The logits are calibrated already.
    P = replace(model, slope=np.ones_like(model.slope)).probability_of(logits)
    answered = _answered(model.rule, P.max(axis=1), found, model.slope[0])
    y = table["label"].to_numpy(dtype=str)
    rows = _some(len(y))
    near, _ = find_neighbours(Z, Z[rows], rows, NEIGHBOURS)
    described = _describe(table, model.labels, P, answered, near)
    described["lonely"] = np.round(measure_loneliness(found.distances, Z, y), 3)
    return described


def tabulate_tests(
    predictions: pd.DataFrame,
    faces: pd.DataFrame,
    model: FaceModel,
    Z: np.ndarray,
    jobs: int = 1,
) -> pd.DataFrame:
    """Tabulate the test photos with what the model answered.

    Parameters
    ----------
    predictions : DataFrame
        As `facecore.evaluation.evaluate_splits` returns them, with the column path.
    faces : DataFrame
        As `facecore.data.gather` returns it.
    model : FaceModel
        That answered.
    Z : ndarray of shape (n_faces, k), float
        Coordinates of the training faces, in the order of `tabulate_training`.
    jobs : int
        Worker processes; -1 for one per core.

    Returns
    -------
    DataFrame
        The columns of `tabulate_training`; answer is empty where no face was found. A test photo
        has no value in lonely; its nearest faces are training faces, where its own was cropped.
    """
    boxes = faces.loc[:, ["set", "path", "folder", "state", "crop", *BOX]]
    table = predictions.merge(boxes, on=["set", "path"], how="left", validate="one_to_one")
    table = table.assign(split="test")
    P = table[[f"p_{label}" for label in model.labels]].to_numpy(dtype=float)
    seen = table["detected"].to_numpy(dtype=bool)
    cut = np.flatnonzero(seen & table["state"].eq("kept").to_numpy())
    near = np.full((len(table), 0), 0)
    if len(cut):
        X = load_faces(table.iloc[cut], model.recipe, jobs)
        rows = _some(len(Z))
        own = in_chunks(model.leading.coordinates, X)
        found = find_neighbours(own, Z[rows], rows, NEIGHBOURS, new=True)[0]
        near = np.full((len(table), found.shape[1]), -1)
        near[cut] = found
    described = _describe(table, model.labels, P, table["answered"].to_numpy(dtype=bool), near)
    described.loc[~seen, "answer"] = ""
    described["lonely"] = np.nan
    return described


def _describe(
    table: pd.DataFrame,
    labels: tuple[str, ...],
    P: np.ndarray,
    answered: np.ndarray,
    near: np.ndarray,
) -> pd.DataFrame:
    """Return the columns that training photos and test photos have alike."""
    seen = np.isfinite(P).all(axis=1)
    given = np.array([labels.index(label) for label in table["label"]])
    suspected, margin = np.zeros(len(P), dtype=bool), np.full(len(P), np.nan)
    if seen.any():
        suspected[seen], margin[seen] = find_suspects(P[seen], given[seen])
    sources = {folder: str(source_of(Path(folder)) or "") for folder in table["folder"].unique()}
    return pd.DataFrame(
        {
            "set": table["set"].to_numpy(),
            "source": table["folder"].map(sources).to_numpy(),
            "path": table["path"].to_numpy(),
            "label": table["label"].to_numpy(),
            "split": table["split"].to_numpy(),
            "answer": np.array(labels)[np.nan_to_num(P, nan=-1.0).argmax(axis=1)],
            "answered": answered,
            "p_label": np.round(P[np.arange(len(P)), given], 4),
            "p_answer": np.round(P.max(axis=1), 4),
            "suspected": suspected,
            "margin": np.round(margin, 4),
            "near": [" ".join(str(row) for row in rows if row >= 0) for rows in near],
            **{name: table[name].to_numpy(dtype=float) for name in BOX},
        }
    )


def _answered(
    rule: AnswerRule, confidence: np.ndarray, found: OutOfFold, slope: float
) -> np.ndarray:
    """Return which training faces get a label under a rule, out of fold."""
    answered = (confidence >= rule.min_confidence) & (found.distances <= rule.max_distance)
    answered &= ~(found.scores < rule.min_score)  # a face that was not looked for has no score
    answered &= measure_lead(found.logits / slope) >= rule.min_lead
    if found.beyond is not None:
        answered &= (found.beyond <= rule.max_outside).all(axis=1)
    return np.asarray(answered)
