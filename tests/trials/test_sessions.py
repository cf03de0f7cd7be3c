"""A share of the full count, as the gate has it."""

import sys

import pytest

pytest.importorskip("websocket")
from trials.sessions import run

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="reads memory from /proc"),
]


def test_every_visitor_sees_the_answer_to_the_own_photo_and_no_page_fails():
    figures, problems = run(sessions=3, waves=1, seed=1)
    assert problems == []
    assert figures["pages_opened"] >= 3 * 8
    assert "answer_to_a_photo" in figures
