"""Turn decision values into probabilities, and choose from which on they are answers."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from facecore.model.classifier import FaceModel
from facecore.model.explain import distance_from_face_space
from facecore.model.rule import AnswerRule
from facecore.training.streaming import in_chunks

CONFIDENCES = np.arange(201) / 200  # steps that a slider can have, too
LEAST = 50  # answers, fewer of which say little about how many are right


def platt(
    decisions: np.ndarray, y: np.ndarray, classes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Fit a sigmoid to out-of-fold decision values (Platt 1999, with his smoothed targets).

    Every label counts the same, however many faces it has.

    Parameters
    ----------
    decisions : ndarray of shape (n_faces, n_outputs)
    y : ndarray of shape (n_faces,)
    classes : ndarray of shape (n_labels,)

    Returns
    -------
    slope, offset : ndarray of shape (n_outputs,), float64
        Probability = ``1 / (1 + exp(-slope * (decision + offset)))``.
    """
    positives = classes[1:] if decisions.shape[1] == 1 else classes
    fits = [
        _fit_sigmoid(column, y == label)
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
    decisions : sequence of ndarray of shape (n_faces, n_outputs)
        Out-of-fold log odds of each member.
    y : ndarray of shape (n_faces,)
    classes : ndarray of shape (n_labels,)

    Returns
    -------
    weights : ndarray of shape (n_members, n_outputs), float64
        Each column sums to 1.
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
    confidence : ndarray of shape (n_faces,)
        Out-of-fold probability of the likeliest label, in [0, 1].
    right : ndarray of shape (n_faces,), bool
        Whether the likeliest label is the true one.
    target : float
        Share of the answers that shall be right, in (0, 1].

    Returns
    -------
    float
        Of `CONFIDENCES` the smallest at which at least `target` of the answers are right, so the
        one with the most answers. Only those count that leave 50 answers, or half of the faces
        where there are fewer than 100; if none of them reaches the target, the one whose answers
        are right most often.
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
    """Choose the distance from face space beyond which something is called no face.

    Measured with the classic model, limit 0.148 from 1,007 training faces: all of 1,048 faces of
    test photos (LFW, UTKFace, congress) lie within it, noise (0.29) and a chessboard (0.47) do
    not; smooth patches without a face do (0.002 to 0.12), so it keeps faces but proves none.

    Parameters
    ----------
    distances : ndarray of shape (n_faces,)
        Of the training faces.

    Returns
    -------
    float
        1.5 times the distance that 99.9 % of them keep: the eigenfaces draw the faces that they
        were computed from better than others.
    """
    return float(1.5 * np.quantile(distances, 0.999))


def choose_score(scores: np.ndarray) -> float:
    """Choose the detector's score below which a face is doubted.

    Measured with MTCNN on 1,544 patches of photos outside their faces: one is taken for a face,
    with a score of 0.85, where 0.2 % of the training faces lie below 0.86.

    Parameters
    ----------
    scores : ndarray of shape (n_faces,)
        Of the training faces.

    Returns
    -------
    float
        The score that 99.8 % of them reach, rounded down; of fewer than 1,000 faces, of which
        the weakest would decide it, minus infinity.
    """
    if len(scores) < 1000:
        return -np.inf
    return float(np.floor(np.quantile(scores, 0.002) * 1000) / 1000)


def _fit_sigmoid(values: np.ndarray, positive: np.ndarray) -> tuple[float, float]:
    n_pos, n_neg = int(positive.sum()), int((~positive).sum())
    target = np.where(positive, (n_pos + 1) / (n_pos + 2), 1 / (n_neg + 2))
    weight = np.where(positive, 0.5 / max(n_pos, 1), 0.5 / max(n_neg, 1)) * len(values)
    spread = max(float(np.abs(values).mean()), 1e-12)
    fit = LogisticRegression(C=1e6, max_iter=1000).fit(
        np.concatenate([values, values])[:, None] / spread,
        np.repeat([True, False], len(values)),
        sample_weight=np.concatenate([target * weight, (1 - target) * weight]),
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


def calibrate_members(
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
