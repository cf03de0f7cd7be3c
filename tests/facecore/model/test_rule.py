import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facecore.model.rule import AnswerRule, doubt

NUMBERS = st.floats(allow_nan=False)
RULES = st.builds(
    AnswerRule,
    min_confidence=st.floats(0, 1),
    max_distance=st.floats(0, math.inf),
    min_score=NUMBERS.filter(lambda value: value < math.inf),
)


@given(st.floats(0, 1), st.floats(0, math.inf), NUMBERS)
def test_the_default_rule_never_doubts(confidence, distance, score):
    assert doubt(AnswerRule(), confidence, distance, score) is None


@pytest.mark.parametrize(
    ("confidence", "distance", "score", "reason"),
    [
        (0.93, 0.2, 3.0, None),
        (0.9299, 0.2, 3.0, "unsure: confidence below 0.93"),
        (0.93, 0.2001, 3.0, "not a face: farther than 0.2 from face space"),
        (0.93, 0.2, 2.9, "unsure: the detector's score is below 3"),
        (0.5, 0.2, 2.9, "unsure: the detector's score is below 3"),
        (0.5, 0.3, 2.9, "not a face: farther than 0.2 from face space"),
    ],
)
def test_a_face_is_doubted_beyond_a_limit_and_not_at_it(confidence, distance, score, reason):
    assert doubt(AnswerRule(0.93, 0.2, 3.0), confidence, distance, score) == reason


@given(RULES)
def test_a_rule_comes_back_from_json_without_infinities(rule):
    text = json.dumps(rule.to_dict(), allow_nan=False)
    assert AnswerRule.from_dict(json.loads(text)) == rule


def test_what_is_not_set_is_left_out():
    assert AnswerRule().to_dict() == {}
    assert AnswerRule(min_confidence=0.9).to_dict() == {"min_confidence": 0.9}
    assert AnswerRule(0.0, 0.25, -1).to_dict() == {"max_distance": 0.25, "min_score": -1.0}


NONSENSE = [
    {"min_confidence": 1.5},
    {"min_confidence": -0.1},
    {"min_confidence": "0.9"},
    {"min_confidence": True},
    {"min_confidence": None},
    {"min_confidence": math.nan},
    {"max_distance": -1},
    {"max_distance": math.nan},
    {"min_score": math.nan},
    {"max_outside": -math.inf},
    {"min_score": []},
    {"min_score": math.inf},
    {"confidence": 0.9},
]


@pytest.mark.parametrize("document", [*NONSENSE, None, [], 3, "rule"], ids=str)
def test_what_is_no_rule_is_refused(document):
    with pytest.raises(ValueError, match="rule"):
        AnswerRule.from_dict(document)
