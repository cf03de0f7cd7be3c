"""Turn the decision values of members into one decision, and that into probabilities."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_softmax
from sklearn.metrics import balanced_accuracy_score

from facecore.model.classifier import FaceModel, Member
from facecore.training.kernels import choose_labels, weigh_faces

MOST = 1000.0  # weight of a member, in units of its mean decision value
LIGHT = 0.1  # share of the weights; a lighter member has to show that it is worth its time


def platt(
    decisions: np.ndarray,
    y: np.ndarray,
    classes: np.ndarray,
    sample_weight: np.ndarray | None = None,
    class_weight: str | Mapping[Any, float] | None = "balanced",
) -> tuple[float, float]:
    """Fit a sigmoid to out-of-fold decision values (Platt 1999, with his smoothed targets).

    Parameters
    ----------
    decisions : ndarray of shape (n_faces, 1), float
        Decision values of faces that the machine was not fitted to, above 0 for the second label.
    y : ndarray of shape (n_faces,)
        Labels.
    classes : ndarray of shape (2,)
        The two labels, in the order of the model.
    sample_weight : ndarray of shape (n_faces,), optional
        Weight of each face, 0 or more; 1 if None.
    class_weight : {"balanced"}, mapping of label to float, or None, default="balanced"
        ``"balanced"`` gives both labels the same total weight; otherwise as
        `facecore.training.kernels.weigh_faces` takes it.

    Returns
    -------
    slope : float
        Above 0.
    offset : float
        Probability of the second label = ``1 / (1 + exp(-slope * (decision + offset)))``.

    Examples
    --------
    >>> decisions, y = np.array([[-2.0], [-1.0], [0.5], [3.0]]), np.array(["a", "a", "b", "b"])
    >>> slope, offset = platt(decisions, y, np.array(["a", "b"]))
    >>> (1 / (1 + np.exp(-slope * (decisions + offset)))).ravel().round(2)
    array([0.25, 0.37, 0.56, 0.82])
    """
    counts = np.ones(len(y)) if sample_weight is None else sample_weight
    importance = None if class_weight == "balanced" else weigh_faces(class_weight, y) * counts
    return _fit_sigmoid(decisions[:, 0], y == classes[1], counts, importance)


def temper(
    decisions: Sequence[np.ndarray],
    y: np.ndarray,
    classes: np.ndarray,
    sample_weight: np.ndarray | None = None,
    class_weight: str | Mapping[Any, float] | None = "balanced",
) -> np.ndarray:
    """Fit the softmax of a weighted sum of out-of-fold decision values, for any number of labels.

    For one member it is temperature scaling (Guo et al. 2017), for several a stacking (Wolpert
    1992) in which each member has one weight for all labels. A weight for each label and member, or
    a sigmoid for each label, has too many parameters for few faces.

    Parameters
    ----------
    decisions : sequence of ndarray of shape (n_faces, n_labels), float
        Decision values of each member, of faces that it was not fitted to.
    y : ndarray of shape (n_faces,)
        Labels.
    classes : ndarray of shape (n_labels,)
        Labels in the order of the outputs.
    sample_weight : ndarray of shape (n_faces,), optional
        Weight of each face, 0 or more; 1 if None.
    class_weight : {"balanced"}, mapping of label to float, or None, default="balanced"
        ``"balanced"`` gives all labels the same total weight; otherwise as
        `facecore.training.kernels.weigh_faces` takes it.

    Returns
    -------
    ndarray of shape (n_members,), float64
        Weight of each member, 0 or more, not all 0. Probabilities = softmax of the weighted sum.

    Examples
    --------
    >>> y, classes = np.array(["a", "b", "c"] * 20), np.array(["a", "b", "c"])
    >>> decisions = np.where(y[:, None] == classes, 1.0, -1.0)
    >>> (weight,) = temper([decisions], y, classes)
    >>> p = np.exp(weight * decisions[0])
    >>> bool(p[0] / p.sum() > 0.95)
    True
    """
    counts = np.ones(len(y)) if sample_weight is None else sample_weight
    true = y[:, None] == classes
    if class_weight == "balanced":
        share = counts * (true / np.maximum(counts @ true, 1e-300)).sum(axis=1)
    else:
        share = weigh_faces(class_weight, y) * counts
    share = share / share.sum()
    # Targets short of 1, by the number of faces, keep the weights finite for separated labels.
    missing = 1 / (counts.sum() + 2)
    target = np.where(true, 1 - missing, missing / (len(classes) - 1))
    D = np.stack(decisions, axis=2)  # (n_faces, n_labels, n_members)
    size = np.einsum("n,nkm->m", counts, np.abs(D)) / (counts.sum() * len(classes))
    size = np.maximum(size, 1e-12)
    D = D / size

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        logs = log_softmax(D @ weights, axis=1)
        slope = np.einsum("nk,nkm->m", (np.exp(logs) - target) * share[:, None], D)
        return -float(share @ (target * logs).sum(axis=1)), slope

    start = np.full(D.shape[2], 1 / D.shape[2])
    bounds = [(0, MOST)] * len(start)
    exact = {"ftol": 1e-15, "gtol": 1e-10}
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=exact).x
    # members that do not order the labels at all count equally
    return np.asarray((found if found.sum() > 1e-6 else start) / size)


def weigh(decisions: Sequence[np.ndarray], y: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Weigh members so that their joint probability of two labels fits best (Wolpert 1992).

    The weights are those of a logistic regression without intercept in which both labels count the
    same, and none is below 0.

    Parameters
    ----------
    decisions : sequence of ndarray of shape (n_faces, 1), float
        Out-of-fold log odds of each member.
    y : ndarray of shape (n_faces,)
        Labels.
    classes : ndarray of shape (2,)
        The two labels, in the order of the model.

    Returns
    -------
    ndarray of shape (n_members,), float64
        0 or more, not all 0. Probability = ``1 / (1 + exp(-weighted sum))``.
    """
    return _fit_weights(np.concatenate(decisions, axis=1), y == classes[1])


def weigh_sparingly(
    decisions: Sequence[np.ndarray], y: np.ndarray, classes: np.ndarray
) -> np.ndarray:
    """Weigh members, and leave out light ones that are not worth their time.

    The member with the least weight, if it has less than `LIGHT` of all, is left out where the
    others alone lose less than one standard error (Breiman, Friedman, Olshen and Stone 1984) of the
    mean log loss, in which all labels count the same; and so on.

    Parameters
    ----------
    decisions : sequence of ndarray of shape (n_faces, n_outputs), float
        Of two members or more, as `weigh` takes them for two labels, and `temper` for more.
    y : ndarray of shape (n_faces,)
        Labels.
    classes : ndarray of shape (n_labels,)
        Labels in the order of the model.

    Returns
    -------
    ndarray of shape (n_members,), float64
        As `weigh` and `temper` return them; 0 for a member that is left out.

    Examples
    --------
    >>> rng, y = np.random.default_rng(0), np.repeat(["a", "b"], 200)
    >>> good = np.where(y == "b", 2.0, -2.0)[:, None] + rng.normal(0, 1.5, (400, 1))
    >>> weights = weigh_sparingly([good, rng.normal(size=(400, 1))], y, np.array(["a", "b"]))
    >>> bool(weights[0] > 0), float(weights[1])
    (True, 0.0)
    """
    fit = weigh if len(classes) == 2 else temper
    true = y[:, None] == classes
    share = (true / np.maximum(true.sum(axis=0), 1)).sum(axis=1)
    share = share / share.sum()

    def losses(weights: np.ndarray) -> np.ndarray:
        joint = sum(w * values for w, values in zip(weights, decisions, strict=True))
        both = np.hstack([0 * joint, joint]) if len(classes) == 2 else joint
        return np.asarray(-log_softmax(both, axis=1)[true])

    weights = fit(decisions, y, classes)
    while (kept := np.flatnonzero(weights)).size > 1:
        size = weights * [np.abs(values).mean() for values in decisions]
        lightest = kept[size[kept].argmin()]
        if size[lightest] >= LIGHT * size.sum():
            break
        others = kept[kept != lightest]
        fewer = np.zeros(len(weights))
        fewer[others] = fit([decisions[i] for i in others], y, classes)
        lost = losses(fewer) - losses(weights)
        mean = share @ lost
        if mean > np.sqrt(share**2 @ (lost - mean) ** 2):
            break
        weights = fewer
    return weights


def calibrate_member(member: Member, factor: float, offset: float) -> Member:
    """Fold a calibration into a member.

    Parameters
    ----------
    member : Member
        Uncalibrated.
    factor : float
        Above 0.
    offset : float
        Added to the decision values before they are multiplied.

    Returns
    -------
    Member
        With other coefficients and intercept.
    """
    intercept = (member.intercept + offset) * factor
    return replace(member, coefficients=member.coefficients * factor, intercept=intercept)


@dataclass(frozen=True)
class Calibration:
    """How the decision values of members become one decision, and that a probability.

    Parameters
    ----------
    factors : ndarray of shape (n_members,), float64
        Factor of each member's decision values, above 0.
    offsets : ndarray of shape (n_members,), float64
        Added to a member's decision values before; 0 for more than two labels.
    weights : ndarray of shape (n_members,), float64
        Weight of each member, 0 or more, summing to 1.
    slope : float
        Factor of the joint decision, as `FaceModel` has it.
    """

    factors: np.ndarray
    offsets: np.ndarray
    weights: np.ndarray
    slope: float

    def join(self, decisions: Sequence[np.ndarray]) -> np.ndarray:
        """Join the decision values of the members.

        Parameters
        ----------
        decisions : sequence of ndarray of shape (n_faces, n_outputs), float
            Decision values of each member, uncalibrated.

        Returns
        -------
        ndarray of shape (n_faces, n_outputs), float64
            The weighted mean of the calibrated decision values.
        """
        rows = zip(decisions, self.factors, self.offsets, self.weights, strict=True)
        return np.asarray(sum(w * ((values + o) * f) for values, f, o, w in rows))


def fit_calibration(
    decisions: Sequence[np.ndarray], y: np.ndarray, classes: np.ndarray
) -> Calibration:
    """Calibrate each member on its own, then weigh several of them into one decision.

    Parameters
    ----------
    decisions : sequence of ndarray of shape (n_faces, n_outputs), float
        Out-of-fold decision values of each member.
    y : ndarray of shape (n_faces,)
        Labels.
    classes : ndarray of shape (n_labels,)
        Labels in the order of the model.

    Returns
    -------
    Calibration
        Of two labels by sigmoids (`platt`, `weigh`), of more by a softmax (`temper`).
    """
    two = len(classes) == 2
    fits = [
        platt(values, y, classes) if two else (float(temper([values], y, classes)[0]), 0.0)
        for values in decisions
    ]
    factors, offsets = np.array(fits).T
    odds = [(values + o) * f for values, (f, o) in zip(decisions, fits, strict=True)]
    raw = weigh_sparingly(odds, y, classes) if len(odds) > 1 else np.ones(1)
    slope = raw.sum()
    return Calibration(factors, offsets, raw / slope, float(slope))


def cross_calibrate(
    decisions: Sequence[np.ndarray],
    y: np.ndarray,
    classes: np.ndarray,
    splits: Sequence[tuple[np.ndarray, np.ndarray]],
) -> np.ndarray:
    """Calibrate the decisions of each fold by the faces of the other folds.

    So no figure about these decisions is fitted to the faces that it judges.

    Parameters
    ----------
    decisions : sequence of ndarray of shape (n_faces, n_outputs), float
        Out-of-fold decision values of each member.
    y : ndarray of shape (n_faces,)
        Labels.
    classes : ndarray of shape (n_labels,)
        Labels in the order of the model.
    splits : sequence of tuple of ndarray
        Per fold, the indices of the other faces and of its own; each face is in one fold.

    Returns
    -------
    ndarray of shape (n_faces, n_outputs), float64
        Joint decisions times their slope: log odds of the second of two labels, or the exponents
        of a softmax.
    """
    joint = np.empty(decisions[0].shape)
    for others, own in splits:
        fitted = fit_calibration([values[others] for values in decisions], y[others], classes)
        joint[own] = fitted.slope * fitted.join([values[own] for values in decisions])
    return joint


def set_borders(
    decisions: np.ndarray,
    y: np.ndarray,
    classes: np.ndarray,
    splits: Sequence[tuple[np.ndarray, np.ndarray]],
) -> np.ndarray:
    """Move the border between two labels in each fold to where calibration on the others puts it.

    A machine decides at 0, the model that is made of it elsewhere. So machines are compared at the
    border that each would have in a model.

    Parameters
    ----------
    decisions : ndarray of shape (n_faces, n_outputs), float
        Out-of-fold decision values of one member.
    y : ndarray of shape (n_faces,)
        Labels.
    classes : ndarray of shape (n_labels,)
        Labels in the order of the model.
    splits : sequence of tuple of ndarray
        As `cross_calibrate` takes them.

    Returns
    -------
    ndarray of shape (n_faces, n_outputs), float
        In the same unit; of more than two labels, what was given: their calibration moves nothing.

    Examples
    --------
    >>> decisions = np.array([[1.0], [2.0], [3.0], [4.0]] * 2)
    >>> y, halves = np.array(["a", "a", "b", "b"] * 2), (np.arange(4), np.arange(4, 8))
    >>> moved = set_borders(decisions, y, np.array(["a", "b"]), [halves, halves[::-1]])
    >>> moved[:4].ravel().round(2).tolist()
    [-1.5, -0.5, 0.5, 1.5]
    """
    if len(classes) > 2:
        return decisions
    moved = np.empty(decisions.shape)
    for others, own in splits:
        _, offset = platt(decisions[others], y[others], classes)
        moved[own] = decisions[own] + offset
    return moved


def score_folds(
    decisions: np.ndarray,
    y: np.ndarray,
    classes: np.ndarray,
    splits: Sequence[tuple[np.ndarray, np.ndarray]],
) -> list[float]:
    """Return the balanced accuracy of the decisions in each fold.

    Parameters
    ----------
    decisions : ndarray of shape (n_faces, n_outputs), float
        As `cross_calibrate` or `set_borders` returns them.
    y : ndarray of shape (n_faces,)
        Labels.
    classes : ndarray of shape (n_labels,)
        Labels in the order of the model.
    splits : sequence of tuple of ndarray
        As `cross_calibrate` takes them.

    Returns
    -------
    list of float
        In [0, 1].

    Examples
    --------
    >>> decisions, y = np.array([[-1.0], [1.0], [1.0]]), np.array(["a", "b", "a"])
    >>> score_folds(decisions, y, np.array(["a", "b"]), [(np.arange(0), np.arange(3))])
    [0.75]
    """
    answers = choose_labels(decisions, classes)
    return [float(balanced_accuracy_score(y[own], answers[own])) for _, own in splits]


def calibrate_members(
    model: FaceModel, decisions: Sequence[np.ndarray], y: np.ndarray
) -> tuple[FaceModel, Calibration]:
    """Calibrate a model on the out-of-fold decisions of its members.

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
        Calibrated; each member decides in log odds, or in exponents of a softmax.
    calibration : Calibration
        What was folded into it.
    """
    fitted = fit_calibration(decisions, y, np.array(model.labels))
    outputs = len(model.slope)
    members = tuple(
        calibrate_member(member, factor, offset)
        for member, factor, offset in zip(
            model.members, fitted.factors, fitted.offsets, strict=True
        )
    )
    several = len(members) > 1
    calibrated = replace(
        model,
        members=members,
        slope=np.full(outputs, fitted.slope),
        weights=np.tile(fitted.weights[:, None], outputs) if several else None,
        link="sigmoid" if outputs == 1 else "softmax",
    )
    return calibrated, fitted


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
    scaled, share = values / spread, importance / importance.sum()

    def loss(line: np.ndarray) -> tuple[float, np.ndarray]:
        logits = line[0] * scaled + line[1]
        missed = share * (expit(logits) - target)
        costs = np.logaddexp(0, logits) - target * logits
        return float(share @ costs), np.array([missed @ scaled, missed.sum()])

    exact = {"ftol": 1e-15, "gtol": 1e-10}
    found = minimize(loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", options=exact).x
    slope, bias = float(found[0]) / spread, float(found[1])
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
