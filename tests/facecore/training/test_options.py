from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from facecore.errors import DataError
from facecore.training.options import LANDMARKS, TrainingOptions


def test_the_defaults_are_one_process_without_a_bar_and_the_solver_of_the_number_of_faces():
    options = TrainingOptions()
    assert (options.seed, options.jobs, options.progress) == (0, 1, False)
    assert (options.centres, options.landmarks, options.solver) == (0, LANDMARKS, "auto")


@pytest.mark.parametrize("jobs", [-1, 1, 32, np.int64(2)])
def test_worker_processes_are_one_or_more_or_one_per_core(jobs):
    assert TrainingOptions(jobs=jobs).jobs == jobs


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seed", -1),
        ("seed", 2**32),
        ("seed", 0.0),
        ("seed", None),
        ("seed", True),
        ("jobs", 0),
        ("jobs", -2),
        ("jobs", 1.5),
        ("jobs", "2"),
        ("progress", 1),
        ("progress", "yes"),
        ("centres", -1),
        ("centres", 2.0),
        ("landmarks", 0),
        ("landmarks", None),
        ("solver", "fast"),
        ("solver", None),
        ("solver", ["exact"]),
    ],
)
def test_a_value_that_cannot_be_used_is_one_line_that_names_it(name, value):
    with pytest.raises(DataError, match=f"^{name} must be .*; it is ") as caught:
        TrainingOptions(**{name: value})
    assert repr(value) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_options_are_not_changed_after_they_are_made():
    with pytest.raises(FrozenInstanceError):
        TrainingOptions().seed = 1
