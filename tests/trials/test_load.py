"""A share of the full count, as the gate has it."""

import sys

import pytest

pytest.importorskip("gunicorn")
from trials.load import KINDS, run

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="reads memory from /proc"),
]


def test_the_site_keeps_its_promises_under_load():
    figures, problems = run(requests=200, clients=8, seed=1)
    # a tenth of the warm-up says little about memory
    assert [text for text in problems if not text.startswith("memory grew")] == []
    assert figures["requests"] == 200
    assert sum(kind.replace(" ", "_") in figures for kind in KINDS) >= 10
