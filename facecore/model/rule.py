"""When a face gets a label, and the reason where it does not (reject option, Chow 1970)."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any


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
    min_decision : float
        Smallest decision of the likeliest label, in the unit of the model's decisions, below
        infinity; below it a face is unlike the faces of every label.

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
    min_decision: float = -math.inf

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
                raise ValueError(f"{name} of the rule is not a number")
        if not 0 <= self.min_confidence <= 1:
            raise ValueError("min_confidence of the rule must be a number from 0 to 1")
        if self.max_distance < 0:
            raise ValueError("max_distance of the rule must not be below 0")
        for name in ("min_score", "min_decision"):
            if getattr(self, name) == math.inf:
                raise ValueError(f"{name} of the rule must be below infinity")

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


def doubt(
    rule: AnswerRule,
    confidence: float,
    distance: float,
    score: float,
    decision: float = math.inf,
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
    decision : float
        Decision of the likeliest label, in the unit of the model's decisions.

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
        return f"not a face: farther than {rule.max_distance:.3g} from face space"
    if score < rule.min_score:
        return f"unsure: the detector's score is below {rule.min_score:g}"
    if decision < rule.min_decision:
        return "unknown: unlike the faces of every label"
    if confidence < rule.min_confidence:
        return f"unsure: confidence below {rule.min_confidence:.3g}"
    return None
