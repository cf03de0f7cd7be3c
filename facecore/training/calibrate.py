"""Turn decision values into probabilities; choose the confidence above which a model answers."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NotRequired, TypedDict, cast

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from facecore.model.classifier import FaceModel, Member
from facecore.model.explain import distance_from_face_space
from facecore.model.rule import AnswerRule
from facecore.training.kernels import weigh_faces
from facecore.training.streaming import in_chunks

CONFIDENCES = np.arange(201) / 200  # steps that a slider can have, too
LEAST = 50  # answers; fewer of them say little about the share that is right


class RuleMetadata(TypedDict):
    """The rule of "unsure", as the metadata of a model store it.

    A bound that the rule does not have is left out.
    """

    target: float
    min_confidence: float
    max_distance: NotRequired[float]
    min_score: NotRequired[float]
    coverage: float
    accuracy: float


def platt(
    decisions: np.ndarray,
    y: np.ndarray,
    classes: np.ndarray,
    sample_weight: np.ndarray | None = None,
    class_weight: str | Mapping[Any, float] | None = "balanced",
) -> tuple[np.ndarray, np.ndarray]:
    """Fit a sigmoid to out-of-fold decision values (Platt 1999, with his smoothed targets).

    Parameters
    ----------
    decisions : ndarray of shape (n_faces, n_outputs), float
        Decision values of faces that the machine was not fitted to; one output for two labels,
        otherwise one per label.
    y : ndarray of shape (n_faces,)
        Labels.
    classes : ndarray of shape (n_labels,)
        Labels in the order of the outputs.
    sample_weight : ndarray of shape (n_faces,), optional
        Weight of each face, 0 or more; 1 if None.
    class_weight : {"balanced"}, mapping of label to float, or None, default="balanced"
        ``"balanced"`` gives faces of a label and all others the same total weight in its sigmoid;
        otherwise as `facecore.training.kernels.weigh_faces` takes it.

    Returns
    -------
    slope : ndarray of shape (n_outputs,), float64
        Above 0.
    offset : ndarray of shape (n_outputs,), float64
        Probability = ``1 / (1 + exp(-slope * (decision + offset)))``.

    Examples
    --------
    >>> decisions, y = np.array([[-2.0], [-1.0], [0.5], [3.0]]), np.array(["a", "a", "b", "b"])
    >>> slope, offset = platt(decisions, y, np.array(["a", "b"]))
    >>> (1 / (1 + np.exp(-slope * (decisions + offset)))).ravel().round(2)
    array([0.25, 0.37, 0.56, 0.82])
    """
    positives = classes[1:] if decisions.shape[1] == 1 else classes
    counts = np.ones(len(y)) if sample_weight is None else sample_weight
    importance = None if class_weight == "balanced" else weigh_faces(class_weight, y) * counts
    fits = [
        _fit_sigmoid(column, y == label, counts, importance)
        for column, label in zip(decisions.T, positives, strict=True)
    ]
    slope, offset = np.array(fits).T
    return slope, offset


def weigh(
    decisions: Sequence[np.ndarray], y: np.ndarray, classes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Weigh members so that their joint probability fits best (stacking, Wolpert 1992).

    The weights are those of a logistic regression without intercept in which every label counts
    the same, and none is below 0.

    Parameters
    ----------
    decisions : sequence of ndarray of shape (n_faces, n_outputs), float
        Out-of-fold log odds of each member.
    y : ndarray of shape (n_faces,)
        Labels.
    classes : ndarray of shape (n_labels,)
        Labels in the order of the outputs.

    Returns
    -------
    weights : ndarray of shape (n_members, n_outputs), float64
        0 or more; each column sums to 1.
    slope : ndarray of shape (n_outputs,), float64
        Probability = ``1 / (1 + exp(-slope * weighted mean))``.
    """
    columns = np.stack(decisions, axis=2).transpose(1, 0, 2)  # (n_outputs, n_faces, n_members)
    positives = classes[1:] if len(columns) == 1 else classes
    raw = np.array(
        [_fit_weights(M, y == label) for M, label in zip(columns, positives, strict=True)]
    ).T
    slope = raw.sum(axis=0)
    return raw / slope, slope


def choose_confidence(confidence: np.ndarray, right: np.ndarray, target: float = 0.99) -> float:
    """Choose the confidence below which a model says "unsure" (Chow 1970).

    Parameters
    ----------
    confidence : ndarray of shape (n_faces,), float
        Out-of-fold probability of the likeliest label, in [0, 1].
    right : ndarray of shape (n_faces,), bool
        Whether the likeliest label is the true one.
    target : float, default=0.99
        Share of the answers that shall be right, in (0, 1].

    Returns
    -------
    float
        Of `CONFIDENCES` the smallest at which at least `target` of the answers are right, so the
        one with the most answers. Only those count that leave 50 answers, or half of the faces
        where there are fewer than 100; if none of them reaches the target, the one whose answers
        are right most often.

    Examples
    --------
    >>> confidence = np.linspace(0.5, 1, 200)
    >>> choose_confidence(confidence, right=confidence > 0.8)
    0.8
    """
    order = np.argsort(confidence)
    first = np.searchsorted(confidence[order], CONFIDENCES)  # of the faces that are answered
    answered = len(order) - first
    hits = np.append(np.cumsum(right[order][::-1])[::-1], 0)[first]
    enough = answered >= max(1, min(LEAST, len(order) // 2))
    share = np.where(enough, hits / np.maximum(answered, 1), -1)
    good = share >= target
    return float(CONFIDENCES[good.argmax() if good.any() else share.argmax()])


def choose_distance(distances: np.ndarray) -> float:
    """Choose the distance from face space beyond which a picture is taken for no face.

    Noise and patterns lie beyond it; smooth patches may lie within it, so that a small distance
    does not prove a face.

    Parameters
    ----------
    distances : ndarray of shape (n_faces,), float
        Distances of the training faces, as `facecore.model.explain.distance_from_face_space`
        measures them, 0 or more.

    Returns
    -------
    float
        1.5 times the distance that 99.9 % of them keep, because eigenfaces reconstruct the faces
        that they were computed from better than others.
    """
    return float(1.5 * np.quantile(distances, 0.999))


def choose_score(scores: np.ndarray) -> float:
    """Choose the detector's score below which a face is doubted.

    Parameters
    ----------
    scores : ndarray of shape (n_faces,), float
        The detector's scores of the training faces.

    Returns
    -------
    float
        The score that 99.8 % of them reach, rounded down to three decimals; minus infinity for
        fewer than 1,000 faces, among which the weakest few would decide it.
    """
    if len(scores) < 1000:
        return -np.inf
    return float(np.floor(np.quantile(scores, 0.002) * 1000) / 1000)


def _fit_sigmoid(
    values: np.ndarray,
    positive: np.ndarray,
    counts: np.ndarray,
    importance: np.ndarray | None,
) -> tuple[float, float]:
    """Return slope and offset; `counts` are faces, `importance` (None: balanced) their weights."""
    n_pos, n_neg = float(counts[positive].sum()), float(counts[~positive].sum())
    # Targets short of 0 and 1, by the number of faces, keep the slope finite for separated labels.
    target = np.where(positive, (n_pos + 1) / (n_pos + 2), 1 / (n_neg + 2))
    if importance is None:
        balance = np.where(positive, 0.5 / (n_pos or 1), 0.5 / (n_neg or 1))
        importance = counts * balance * counts.sum()
    spread = max(float((counts * np.abs(values)).sum() / counts.sum()), 1e-12)
    # A soft target is the same as both answers, weighted by it.
    fit = LogisticRegression(C=1e6, max_iter=1000).fit(
        np.concatenate([values, values])[:, None] / spread,
        np.repeat([True, False], len(values)),
        sample_weight=np.concatenate([target * importance, (1 - target) * importance]),
    )
    slope, bias = float(fit.coef_[0, 0]) / spread, float(fit.intercept_[0])
    if slope <= 0:  # decisions that do not order the labels: leave them as they are
        return 1.0, 0.0
    return slope, bias / slope


def _fit_weights(M: np.ndarray, positive: np.ndarray) -> np.ndarray:
    share = np.where(positive, 0.5 / max(positive.sum(), 1), 0.5 / max((~positive).sum(), 1))
    signed = np.where(positive[:, None], M, -M)

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        margin = signed @ weights
        return float(share @ np.logaddexp(0, -margin)), -(share * expit(-margin)) @ signed

    start = np.full(M.shape[1], 1 / M.shape[1])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(0, 10)] * len(start)).x
    # members that do not order the labels at all count equally
    return found if found.sum() > 1e-6 else start


def calibrate_member(
    member: Member, decisions: np.ndarray, slope: np.ndarray, offset: np.ndarray
) -> tuple[Member, np.ndarray]:
    """Fold a sigmoid into a member, so that it decides in log odds.

    Parameters
    ----------
    member : Member
        Uncalibrated.
    decisions : ndarray of shape (n_faces, n_outputs), float
        Out-of-fold decision values.
    slope : ndarray of shape (n_outputs,), float
        As `platt` returns it.
    offset : ndarray of shape (n_outputs,), float
        As `platt` returns it.

    Returns
    -------
    member : Member
        With other coefficients and intercept: decision 0 is probability 0.5.
    decisions : ndarray of shape (n_faces, n_outputs), float64
        Out of fold, in log odds.
    """
    intercept = (member.intercept + offset) * slope
    calibrated = replace(member, coefficients=member.coefficients * slope, intercept=intercept)
    return calibrated, (decisions + offset) * slope


def calibrate_members(
    model: FaceModel, decisions: Sequence[np.ndarray], y: np.ndarray
) -> tuple[FaceModel, np.ndarray]:
    """Calibrate each member on its own, then weigh several of them into one decision.

    Parameters
    ----------
    model : FaceModel
        With uncalibrated members.
    decisions : sequence of ndarray of shape (n_faces, n_outputs), float
        Out-of-fold decision values of each member.
    y : ndarray of shape (n_faces,), str
        Labels of the training faces.

    Returns
    -------
    model : FaceModel
        Calibrated; each member decides in log odds.
    decisions : ndarray of shape (n_faces, n_outputs), float64
        Out of fold, of the calibrated model.
    """
    classes, members, odds = np.array(model.labels), [], []
    for member, values in zip(model.members, decisions, strict=True):
        calibrated, found = calibrate_member(member, values, *platt(values, y, classes))
        members.append(calibrated)
        odds.append(found)
    model = replace(model, members=tuple(members), slope=np.ones_like(model.slope))
    if len(members) == 1:
        return model, odds[0]
    weights, slope = weigh(odds, y, classes)
    joint = np.einsum("mo,mno->no", weights, odds)
    return replace(model, weights=weights, slope=slope), joint


def with_rule(
    model: FaceModel, decisions: np.ndarray, X: np.ndarray, y: np.ndarray, scores: np.ndarray
) -> tuple[FaceModel, RuleMetadata | None]:
    """Give a model the rule that its recipe asks for, chosen on the training faces.

    Parameters
    ----------
    model : FaceModel
        Calibrated. Its recipe may have ``unsure``, the share of the answers that shall be right.
    decisions : ndarray of shape (n_faces, n_outputs), float
        Out of fold, of the calibrated model.
    X : ndarray of shape (n_faces, n_features), uint8
        Grey levels of the training faces, from 0 to 255.
    y : ndarray of shape (n_faces,), str
        Labels of the training faces.
    scores : ndarray of shape (n_faces,), float
        The detector's score of each face.

    Returns
    -------
    model : FaceModel
        With the rule, or as it was where the recipe asks for none.
    described : dict or None
        The rule with its target, and the coverage and accuracy of the answers out of fold, all in
        [0, 1]; None where the recipe asks for no rule.
    """
    target = model.recipe.unsure
    if target is None:
        return model, None
    P = model.probability_of(decisions)
    confidence, right = P.max(axis=1), np.array(model.labels)[P.argmax(axis=1)] == y
    distances = in_chunks(partial(distance_from_face_space, model), X)
    seen = np.isfinite(scores)  # faces that came as arrays were not looked for
    rule = AnswerRule(
        min_confidence=choose_confidence(confidence, right, target),
        max_distance=round(choose_distance(distances), 4),
        min_score=choose_score(scores[seen]),
    )
    answered = (
        (confidence >= rule.min_confidence)
        & (distances <= rule.max_distance)
        & (~seen | (scores >= rule.min_score))
    )
    described = {
        "target": target,
        "min_confidence": rule.min_confidence,
        **rule.to_dict(),
        "coverage": round(float(answered.mean()), 4),
        "accuracy": round(float(right[answered].mean()), 4),
    }
    return replace(model, rule=rule), cast(RuleMetadata, described)
