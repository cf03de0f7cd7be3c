"""When a face gets a label, and the reason where it does not (reject option, Chow 1970)."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

NO_FACE = "not a face"  # the verdict


@dataclass(frozen=True)
class AnswerRule:
    """The thresholds that a face must meet to get a label; by default every face does.

    Parameters
    ----------
    min_confidence : float
        Smallest probability of the likeliest label, in [0, 1].
    max_distance : float
        Largest distance from face space, at least 0: root mean square in units of the min-max
        scale.
    min_score : float
        Smallest score of the detector, in the detector's own unit, below infinity.
    min_lead : float
        Smallest lead of the likeliest label, as `measure_lead` measures it, below infinity; below
        it a face is unlike the faces of every label.
    max_outside : float
        How far a picture may be beyond the limit of a kind that the model is not for, as
        `facecore.model.outside.Outside` measures it; above minus infinity.

    Raises
    ------
    ValueError
        A value is not a number, or lies outside its range.

    Examples
    --------
    >>> AnswerRule(min_confidence=0.8).to_dict()
    {'min_confidence': 0.8}
    """

    min_confidence: float = 0.0
    max_distance: float = math.inf
    min_score: float = -math.inf
    min_lead: float = -math.inf
    max_outside: float = math.inf

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
                raise ValueError(f"{name} of the rule is not a number")
        if not 0 <= self.min_confidence <= 1:
            raise ValueError("min_confidence of the rule must be a number from 0 to 1")
        if self.max_distance < 0:
            raise ValueError("max_distance of the rule must not be below 0")
        for name in ("min_score", "min_lead"):
            if getattr(self, name) == math.inf:
                raise ValueError(f"{name} of the rule must be below infinity")
        if self.max_outside == -math.inf:
            raise ValueError("max_outside of the rule must be above minus infinity")

    def to_dict(self) -> dict[str, float]:
        """Return the thresholds that differ from the default, so that JSON needs no infinity.

        Returns
        -------
        dict of str to float
            Thresholds by name; empty for the default rule.
        """
        default = AnswerRule()
        return {k: float(v) for k, v in asdict(self).items() if v != getattr(default, k)}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> "AnswerRule":
        """Return the rule that `to_dict` turned into a dict, checked.

        Parameters
        ----------
        document : mapping of str to float
            Thresholds by name; those left out take their defaults.

        Returns
        -------
        AnswerRule
            The rule with these thresholds.

        Raises
        ------
        ValueError
            The document is not a mapping, has another key, or a value is refused.

        Examples
        --------
        >>> AnswerRule.from_dict({"max_distance": 0.3}).max_distance
        0.3
        """
        names = {field.name for field in fields(cls)}
        if not isinstance(document, Mapping) or set(document) - names:
            raise ValueError(f"a rule has only the keys {', '.join(sorted(names))}")
        return cls(**document)


def measure_lead(decisions: np.ndarray) -> np.ndarray:
    """Measure how far the likeliest label is ahead of the others.

    Machines that know other labels have other biases, which a difference of decisions has not.

    Parameters
    ----------
    decisions : ndarray of shape (n_faces,), (n_faces, 1) or (n_faces, n_labels), float
        As `FaceModel.decision_function` returns them. Minus infinity stands for a label that is
        not known; two labels or more are.

    Returns
    -------
    ndarray of shape (n_faces,), float64
        The largest decision minus the mean decision of the other labels, 0 or more.

    Examples
    --------
    >>> measure_lead(np.array([[3.0, 0.0, 1.0], [3.0, 0.0, -np.inf]])).tolist()
    [2.5, 3.0]
    >>> measure_lead(np.array([-1.5])).tolist()
    [3.0]
    """
    values = decisions.reshape(len(decisions), -1)
    if values.shape[1] == 1:  # the other label's decision is the opposite
        return np.asarray(2 * np.abs(values[:, 0]))
    known = np.isfinite(values)
    largest = values.max(axis=1)
    others = np.where(known, values, 0).sum(axis=1) - largest
    return np.asarray(largest - others / (known.sum(axis=1) - 1))


def doubt(
    rule: AnswerRule,
    confidence: float,
    distance: float,
    score: float,
    lead: float = math.inf,
    outside: Mapping[str, float] | None = None,
) -> str | None:
    """Return why a face gets no label.

    Parameters
    ----------
    rule : AnswerRule
        The thresholds.
    confidence : float
        Probability of the likeliest label, in [0, 1].
    distance : float
        Distance from face space, in the unit of the rule.
    score : float
        Score of the detector, in its own unit; NaN where none looked for the face.
    lead : float
        Of the likeliest label, as `measure_lead` measures it.
    outside : mapping of str to float, optional
        For each kind of pictures that the model is not for, the reason that it gives and how far
        the face is beyond its limit.

    Returns
    -------
    str or None
        ``"not a face: ..."``, ``"unknown: ..."`` or ``"unsure: ..."``, or None where the face gets
        its label.

    Examples
    --------
    >>> doubt(AnswerRule(min_confidence=0.8), confidence=0.7, distance=0.1, score=9)
    'unsure: confidence below 0.8'
    """
    if distance > rule.max_distance:
        return f"{NO_FACE}: farther than {rule.max_distance:.3g} from face space"
    if outside:
        reason = max(outside, key=outside.__getitem__)
        if outside[reason] > rule.max_outside:
            return reason
    if score < rule.min_score:
        return f"unsure: the detector's score is below {rule.min_score:g}"
    if lead < rule.min_lead:
        return "unknown: unlike the faces of every label"
    if confidence < rule.min_confidence:
        return f"unsure: confidence below {rule.min_confidence:.3g}"
    return None


def doubt_face(
    rule: AnswerRule, distance: float, outside: Mapping[str, float] | None = None
) -> str | None:
    """Return why what a detector found is probably not a face, by its looks alone.

    Parameters
    ----------
    rule : AnswerRule
        The thresholds.
    distance : float
        Distance from face space, in the unit of the rule.
    outside : mapping of str to float, optional
        As `doubt` takes it.

    Returns
    -------
    str or None
        ``"not a face: ..."``, or None where it looks like a face.

    Examples
    --------
    >>> doubt_face(AnswerRule(max_distance=0.2), distance=0.3)
    'not a face: farther than 0.2 from face space'
    >>> doubt_face(AnswerRule(max_outside=0.0), 0.1, {"unsure: looks like a child": 1.0})
    """
    looks = AnswerRule(max_distance=rule.max_distance, max_outside=rule.max_outside)
    kinds = {why: far for why, far in (outside or {}).items() if why.startswith(f"{NO_FACE}:")}
    return doubt(looks, confidence=1.0, distance=distance, score=math.inf, outside=kinds)
