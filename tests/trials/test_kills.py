"""A tenth of the full count, as the gate has it."""

import os

import pytest
from trials.kills import SUBJECTS, kill_often, prepared

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="kills groups of processes"),
]


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("what", SUBJECTS)
def test_whatever_is_killed_runs_again_to_the_same_end_and_leaves_nothing(what, seed, tmp_path):
    with prepared(tmp_path) as place:
        found = kill_often(what, place, kills=5, seed=seed)
    assert found["failures"] == []
    assert found["kills"] == 5
    assert found["ended"] < 5
