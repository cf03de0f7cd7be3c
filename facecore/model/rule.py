"""When an answer may be given, and what is said where it may not (reject option, Chow 1970)."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True)
class AnswerRule:
    """What a face must fulfil to be given a label; by default nothing.

    Parameters
    ----------
    min_confidence : float
        Least probability of the likeliest label, in [0, 1].
    max_distance : float
        Largest distance from face space, root mean square in units of the min-max scale.
    min_score : float
        Least score of the detector, in the detector's own unit.

    Raises
    ------
    ValueError
        A value is no number or outside its range.
    """

    min_confidence: float = 0.0
    max_distance: float = math.inf
    min_score: float = -math.inf

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
                raise ValueError(f"{name} of the rule is no number")
        if not 0 <= self.min_confidence <= 1:
            raise ValueError("min_confidence of the rule must be a number from 0 to 1")
        if self.max_distance < 0:
            raise ValueError("max_distance of the rule must not be below 0")
        if self.min_score == math.inf:
            raise ValueError("min_score of the rule must be below infinity")

    def to_dict(self) -> dict[str, float]:
        """Return what differs from the default, so that JSON needs no infinity.

        Returns
        -------
        dict of str to float
        """
        default = AnswerRule()
        return {k: float(v) for k, v in asdict(self).items() if v != getattr(default, k)}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> "AnswerRule":
        """Return the rule that `to_dict` described.

        Parameters
        ----------
        document : mapping

        Returns
        -------
        AnswerRule

        Raises
        ------
        ValueError
            It holds something else than a rule's numbers.
        """
        names = {field.name for field in fields(cls)}
        if not isinstance(document, Mapping) or set(document) - names:
            raise ValueError(f"a rule holds nothing but {', '.join(sorted(names))}")
        return cls(**document)


def doubt(rule: AnswerRule, confidence: float, distance: float, score: float) -> str | None:
    """Say why a face gets no label.

    Parameters
    ----------
    rule : AnswerRule
    confidence : float
        Probability of the likeliest label, in [0, 1].
    distance : float
        From face space, in the unit of the rule.
    score : float
        Of the detector.

    Returns
    -------
    str or None
        ``"not a face: ..."`` or ``"unsure: ..."``, or None where the label may be given.
    """
    if distance > rule.max_distance:
        return f"not a face: farther than {rule.max_distance:.3g} from face space"
    if score < rule.min_score:
        return f"unsure: the detector's score is below {rule.min_score:g}"
    if confidence < rule.min_confidence:
        return f"unsure: confidence below {rule.min_confidence:.3g}"
    return None
