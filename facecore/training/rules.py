"""Choose the rule by which a model gives a face no label: thresholds, on the training faces."""

from dataclasses import dataclass, replace
from typing import NotRequired, TypedDict, cast

import numpy as np
from sklearn.metrics import roc_auc_score

from facecore.model.classifier import FaceModel
from facecore.model.rule import AnswerRule, measure_lead
from facecore.training.options import TrainingOptions

CONFIDENCES = np.arange(201) / 200  # steps that a slider can have, too
LEAST = 50  # answers; fewer of them say little about the share that is right
MOST_FACES = 0.7  # the share that a default target leaves an answer
LOWER_TARGETS = (0.98, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5)
FALSE_ACCEPTS = 0.05  # share of strangers' faces that may get a label
MOST_FALSE_REJECTS = 0.3  # of the labels' own faces, whatever becomes of strangers
FEW_FALSE_REJECTS = 0.1  # of them, where the labels are not declared to be persons
PARTED = 0.9  # area under the curve from which strangers are told from the labels' faces


class StrangersMetadata(TypedDict):
    """How well faces of labels that were held out are told from the faces of the others.

    Shares are in [0, 1]: ``auc`` is the area under the curve of the lead;
    ``false_accept`` of the strangers' faces get a label under the rule, and ``false_reject`` of the
    labels' own faces are called unknown.
    """

    faces: int
    auc: float
    false_accept: float
    false_reject: float


class RuleMetadata(TypedDict):
    """The rule of a model, as its metadata store it.

    A threshold that the rule does not have is left out, and so is the target where "unsure" has
    none. ``coverage`` is the share of the training faces that get a label out of fold, and
    ``accuracy`` the share of these labels that is right, None where there is none.
    """

    target: NotRequired[float]
    min_confidence: NotRequired[float]
    max_distance: NotRequired[float]
    min_score: NotRequired[float]
    min_lead: NotRequired[float]
    max_outside: NotRequired[float]
    coverage: float
    accuracy: float | None


@dataclass(frozen=True)
class OutOfFold:
    """What is known about the training faces from machines that were not fitted to them.

    Parameters
    ----------
    logits : ndarray of shape (n_faces, n_outputs), float64
        As `facecore.training.calibrate.cross_calibrate` returns them.
    distances : ndarray of shape (n_faces,), float64
        From face space, as `facecore.model.explain.distance_from_face_space` measures them.
    scores : ndarray of shape (n_faces,), float64
        Of the detector; NaN where none looked for the face.
    strangers : ndarray of shape (n_strangers, n_labels), float64, optional
        Decisions of the whole model on faces of labels that its machines had never seen; minus
        infinity for these labels.
    beyond : ndarray of shape (n_faces, n_kinds), float64, optional
        As `facecore.training.outside.learn_outside` returns it.
    """

    logits: np.ndarray
    distances: np.ndarray
    scores: np.ndarray
    strangers: np.ndarray | None = None
    beyond: np.ndarray | None = None


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
        1.5 times the distance that 99.9% of them keep, because eigenfaces reconstruct the faces
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
        The score that 99.8% of them reach, rounded down to three decimals; minus infinity for
        fewer than 1,000 faces, among which the weakest few would decide it.
    """
    if len(scores) < 1000:
        return -np.inf
    return float(np.floor(np.quantile(scores, 0.002) * 1000) / 1000)


def choose_target(confidence: np.ndarray, right: np.ndarray, wanted: float) -> float | None:
    """Choose the share of right answers that a model can be asked for.

    Parameters
    ----------
    confidence : ndarray of shape (n_faces,), float
        As `choose_confidence` takes it.
    right : ndarray of shape (n_faces,), bool
        As `choose_confidence` takes it.
    wanted : float
        The share that is best, in (0, 1].

    Returns
    -------
    float or None
        `wanted`, or else the highest of `LOWER_TARGETS` that leaves `MOST_FACES` of the faces an
        answer; None where none does.

    Examples
    --------
    >>> confidence = np.linspace(0, 1, 1000)
    >>> choose_target(confidence, right=confidence > 0.1, wanted=0.99)
    0.99
    >>> choose_target(confidence, right=np.arange(1000) % 4 > 0, wanted=0.99)
    0.75
    """
    for target in (wanted, *(lower for lower in LOWER_TARGETS if lower < wanted)):
        answered = confidence >= choose_confidence(confidence, right, target)
        if right[answered].mean() >= target and answered.mean() >= MOST_FACES:
            return target
    return None


def measure_auc(known: np.ndarray, strangers: np.ndarray) -> float:
    """Measure how well a value tells faces of the labels from those of strangers.

    Parameters
    ----------
    known : ndarray of shape (n_faces,), float
        Larger is likelier to be known.
    strangers : ndarray of shape (n_strangers,), float
        The same of strangers.

    Returns
    -------
    float
        Area under the ROC curve, in [0, 1].

    Examples
    --------
    >>> measure_auc(np.array([2.0, 3.0]), np.array([0.0, 2.5]))
    0.75
    """
    values = np.concatenate([known, strangers])
    return float(roc_auc_score(np.arange(len(values)) < len(known), values))


def with_rule(
    model: FaceModel, found: OutOfFold, y: np.ndarray, options: TrainingOptions
) -> tuple[FaceModel, RuleMetadata | None, StrangersMetadata | None]:
    """Give a model its rule, chosen on the training faces out of fold.

    Parameters
    ----------
    model : FaceModel
        Calibrated. Its recipe may have ``unsure``, the share of the answers that shall be right.
    found : OutOfFold
        Of the training faces.
    y : ndarray of shape (n_faces,), str
        Labels of the training faces.
    options : TrainingOptions
        Its identity, right, rule and max_distance are used.

    Returns
    -------
    model : FaceModel
        With the rule, or as it was where none is wanted.
    described : dict or None
        The rule, with the coverage and accuracy of its answers; None where there is no rule.
    strangers : dict or None
        How well strangers are told from the labels' faces; None where it was not measured.
    """
    if not options.rule:
        return model, None, None
    logits = found.logits[:, 0] if found.logits.shape[1] == 1 else found.logits
    P = replace(model, slope=np.ones_like(model.slope)).probability_of(logits)
    confidence, right = P.max(axis=1), np.array(model.labels)[P.argmax(axis=1)] == y
    lead = measure_lead(found.logits / model.slope[0])
    rule, parted = AnswerRule(), None
    if found.strangers is not None:
        unknown = measure_lead(found.strangers)
        parted = measure_auc(lead, unknown)
        least = np.quantile(unknown, 1 - FALSE_ACCEPTS)
        clear = parted >= PARTED and (lead < least).mean() <= FEW_FALSE_REJECTS
        if options.identity or clear:
            # A border that turns most of the labels' own faces away helps nobody.
            least = min(least, np.quantile(lead, MOST_FALSE_REJECTS))
            rule = replace(rule, min_lead=round(float(least), 4))
    known = lead >= rule.min_lead
    if found.beyond is not None:
        rule = replace(rule, max_outside=0.0)
        known &= (found.beyond <= 0).all(axis=1)
    wanted, target = options.right or model.recipe.unsure, options.right
    if wanted is not None and known.any():
        target = target or choose_target(confidence[known], right[known], wanted)
        if target is not None:
            least = choose_confidence(confidence[known], right[known], target)
            rule = replace(rule, min_confidence=least)
    if options.max_distance is not None:
        rule = replace(rule, max_distance=options.max_distance)
    elif model.recipe.unsure is not None:
        rule = replace(rule, max_distance=round(choose_distance(found.distances), 4))
    seen = np.isfinite(found.scores)  # faces that came as arrays were not looked for
    if model.recipe.unsure is not None:
        rule = replace(rule, min_score=choose_score(found.scores[seen]))
    strangers: StrangersMetadata | None = None
    if found.strangers is not None and parted is not None:
        Q = model.probability_of(found.strangers).max(axis=1)
        named = (unknown >= rule.min_lead) & (rule.min_confidence <= Q)
        strangers = {
            "faces": len(found.strangers),
            "auc": round(parted, 4),
            "false_accept": round(float(named.mean()), 4),
            "false_reject": round(float((lead < rule.min_lead).mean()), 4),
        }
    if not rule.to_dict():
        return model, None, strangers
    answered = (
        known
        & (confidence >= rule.min_confidence)
        & (found.distances <= rule.max_distance)
        & (~seen | (found.scores >= rule.min_score))
    )
    described = {
        **({"target": target} if target else {}),
        **rule.to_dict(),
        "coverage": round(float(answered.mean()), 4),
        "accuracy": round(float(right[answered].mean()), 4) if answered.any() else None,
    }
    return replace(model, rule=rule), cast(RuleMetadata, described), strangers
