"""Learn which pictures a model shall give no label: it is shown examples of each kind.

This is outlier exposure (Hendrycks, Mazeika and Dietterich 2019).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypedDict

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from facecore.data.splits import split_folds
from facecore.face.prepare import mirror
from facecore.model.classifier import FaceModel, Member
from facecore.model.outside import Outside
from facecore.training.streaming import in_chunks

REGULARISATION = 0.1  # inverse strength, of coordinates in standard deviations
FOLDS = 5
LEAST = 50  # pictures of a kind
# of the training faces that may be taken for pictures of a kind
MOST_REFUSED = {True: 0.03, False: 0.002}  # of faces: those of its age; and of anything else


@dataclass(frozen=True)
class Shown:
    """Pictures of a kind that a model shall give no label.

    Parameters
    ----------
    rows : ndarray of shape (n_pictures, n_numbers), uint8 or float32
        As `facecore.face.to_rows` makes them.
    labels : ndarray of shape (n_pictures,), str
        Their labels; those that the model does not know are not counted.
    face : bool
        Whether they are faces.
    """

    rows: np.ndarray
    labels: np.ndarray
    face: bool = True


class OutsideMetadata(TypedDict):
    """How well a kind of pictures is told from the training faces, out of fold.

    Shares are in [0, 1]: ``auc`` is the area under the ROC curve, ``refused`` the share of the
    pictures that are told, ``false_reject`` that of the training faces. ``answered`` of the
    pictures get a label all the same, and ``right`` of these are right (None where no label is
    known to the model); ``answered_before`` and ``right_before`` are the same without this.
    """

    kind: str
    face: bool
    pictures: int
    auc: float
    refused: float
    false_reject: float
    answered: float
    answered_before: float
    right: float | None
    right_before: float | None


def learn_outside(
    model: FaceModel,
    X: np.ndarray,
    y: np.ndarray,
    subjects: np.ndarray,
    shown: Mapping[str, Shown],
    seed: int = 0,
) -> tuple[FaceModel, np.ndarray, dict[str, np.ndarray]]:
    """Teach a model the kinds of pictures that it shall give no label.

    Each kind is told by a logistic regression on the coordinates of the member with the largest
    weight, which the model computes anyway. Its limit leaves `MOST_REFUSED` of the training faces,
    out of fold.

    Parameters
    ----------
    model : FaceModel
        Calibrated.
    X : ndarray of shape (n_faces, n_numbers), uint8 or float32
        Rows of the training faces.
    y : ndarray of shape (n_faces,), str
        Their labels.
    subjects : ndarray of shape (n_faces,), str
        Their subjects; those of one are in one fold.
    shown : mapping of str to Shown
        Pictures by kind, `LEAST` or more of each.
    seed : int
        Of the folds, at least 0.

    Returns
    -------
    model : FaceModel
        With the kinds. Only a rule with ``max_outside`` makes use of them.
    beyond : ndarray of shape (n_faces, n_kinds), float64
        How far the training faces are beyond each limit, out of fold; above 0 where they are taken
        for pictures of the kind.
    of_shown : dict of str to ndarray of shape (n_pictures,)
        The same of the pictures of each kind.

    Examples
    --------
    >>> from facecore.model import load_model, sample_faces
    >>> model = load_model("classic")
    >>> X = np.vstack([sample_faces(model, label, 60, seed=1) for label in model.labels])
    >>> y, who = np.repeat(model.labels, 60), np.arange(120).astype(str)
    >>> walls = np.repeat(np.arange(100, 160, dtype=np.uint8)[:, None], 10_000, axis=1)
    >>> kinds = {"a wall": Shown(walls, np.full(60, ""), face=False)}
    >>> model, beyond, of_shown = learn_outside(model, X.reshape(120, -1), y, who, kinds)
    >>> model.outside[0].reason, bool((of_shown["a wall"] > 0).mean() > 0.9)
    ('not a face: looks like a wall', True)
    """
    member = model.members[int(model.shares.sum(axis=1).argmax())]
    Z = _coordinates(model, member, X)
    folds = split_folds(y, subjects, FOLDS, seed)
    kinds, beyond, of_shown = [], np.empty((len(X), len(shown))), {}
    for i, (name, pictures) in enumerate(shown.items()):
        own = _coordinates(model, member, pictures.rows)
        values, own_values = np.empty(len(Z)), np.empty(len(own))
        part = np.random.default_rng([seed, i]).permutation(len(own)) % FOLDS
        for fold, (others, held) in enumerate(folds):
            weights = _fit(Z[others], own[part != fold])
            values[held], own_values[part == fold] = Z[held] @ weights, own[part == fold] @ weights
        most = MOST_REFUSED[pictures.face]
        limit = float(np.quantile(values, 1 - most, method="higher"))
        kinds.append(Outside(name, member.name, _fit(Z, own), limit, pictures.face))
        beyond[:, i], of_shown[name] = values - limit, own_values - limit
    return replace(model, outside=tuple(kinds)), beyond, of_shown


def describe_outside(
    model: FaceModel,
    shown: Mapping[str, Shown],
    beyond: np.ndarray,
    of_shown: Mapping[str, np.ndarray],
) -> list[OutsideMetadata]:
    """Describe how well a model tells the kinds of pictures that it gives no label.

    Parameters
    ----------
    model : FaceModel
        As `learn_outside` returns it, with its rule.
    shown : mapping of str to Shown
        Pictures by kind.
    beyond : ndarray of shape (n_faces, n_kinds), float64
        As `learn_outside` returns it.
    of_shown : mapping of str to ndarray
        As `learn_outside` returns it.

    Returns
    -------
    list of dict
        One per kind.
    """
    described: list[OutsideMetadata] = []
    for own, (name, pictures) in zip(beyond.T, shown.items(), strict=True):
        P = in_chunks(model.predict_proba, pictures.rows)
        right = np.array(model.labels)[P.argmax(axis=1)] == pictures.labels
        known = np.isin(pictures.labels, model.labels)
        hits = np.where(known, right, np.nan)
        before = P.max(axis=1) >= model.rule.min_confidence
        after = before & (of_shown[name] <= 0)

        values = np.concatenate([own, of_shown[name]])
        described.append(
            {
                "kind": name,
                "face": pictures.face,
                "pictures": len(pictures.rows),
                "auc": round(float(roc_auc_score(np.arange(len(values)) >= len(own), values)), 4),
                "refused": round(float((of_shown[name] > 0).mean()), 4),
                "false_reject": round(float((own > 0).mean()), 4),
                "answered": round(float(after.mean()), 4),
                "answered_before": round(float(before.mean()), 4),
                "right": _share(hits[after]),
                "right_before": _share(hits[before]),
            }
        )
    return described


def _share(hits: np.ndarray) -> float | None:
    """Return the share of hits among the pictures whose label is known."""
    known = hits[~np.isnan(hits)]
    return round(float(known.mean()), 4) if len(known) else None


def _coordinates(model: FaceModel, member: Member, X: np.ndarray) -> np.ndarray:
    """Return the mean coordinates of faces and their mirror images, float64."""
    Z = in_chunks(member.coordinates, X).astype(np.float64)
    if model.recipe.mirror:
        Z = (Z + in_chunks(lambda rows: member.coordinates(mirror(rows)), X)) / 2
    return np.asarray(Z)


def _fit(Z: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Return the weights of coordinates that are larger for pictures of the kind."""
    deviation = np.maximum(Z.std(axis=0), 1e-12)
    machine = LogisticRegression(C=REGULARISATION, class_weight="balanced", max_iter=1000)
    machine.fit(np.vstack([Z, own]) / deviation, np.arange(len(Z) + len(own)) >= len(Z))
    return np.asarray(machine.coef_[0] / deviation)
