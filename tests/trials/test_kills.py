"""A share of the full count, as the gate has it."""

import os

import pytest
from trials.kills import SUBJECTS, kill_often, prepared

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="kills groups of processes"),
]


@pytest.mark.parametrize("what", SUBJECTS)
def test_whatever_is_killed_runs_again_to_the_same_end_and_leaves_nothing(what, tmp_path):
    with prepared(tmp_path) as place:
        found = kill_often(what, place, kills=2, seed=1)
    assert found["failures"] == []
    assert found["kills"] == 2
    assert found["ended"] < 2
