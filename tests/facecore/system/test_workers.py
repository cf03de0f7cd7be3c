"""Calls run on worker processes; a killed worker or too little memory is one error."""

import os
import pickle
import signal

import cv2
import joblib
import numpy as np
import pytest
from joblib import delayed

from facecore.errors import DataError, FacecoreError, ResourceError
from facecore.system.workers import in_parallel, within_memory


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("ordered", [True, False])
def test_the_results_are_those_of_the_calls(jobs, ordered):
    calls = (delayed(pow)(n, 2) for n in range(20))
    found = list(in_parallel(calls, jobs, ordered=ordered, batch_size=3))
    assert (found if ordered else sorted(found)) == [n * n for n in range(20)]


def test_the_engine_is_that_of_the_caller():
    with joblib.parallel_config(backend="threading"):
        assert set(in_parallel((delayed(os.getpid)() for _ in range(4)), 2)) == {os.getpid()}


# the pool may stumble over a call that it has just cancelled
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("jobs", [1, 2])
def test_who_has_seen_enough_may_stop(jobs):
    results = in_parallel((delayed(abs)(n) for n in range(4)), jobs)
    assert next(results) == 0
    results.close()


RESIZE = "import cv2, numpy; cv2.resize(numpy.zeros((8, 8), 'uint8'), {size})"


def told_by(call, *given, jobs: int = 2, less: str = "") -> str:
    with pytest.raises(ResourceError) as told:
        list(in_parallel((delayed(call)(*given) for _ in range(4)), jobs, less=less))
    text = str(told.value)
    assert "\n" not in text
    assert isinstance(told.value, DataError)
    assert "--jobs 1" in text
    return text


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such signals")
def test_a_worker_that_is_killed_may_have_had_too_little_memory():
    text = told_by(signal.raise_signal, signal.SIGKILL, less="a smaller --grid")
    assert text == (
        "a worker process was killed (SIGKILL(-9)), probably because memory is short; "
        "use fewer worker processes (--jobs 1), or a smaller --grid"
    )
    assert list(in_parallel((delayed(abs)(-n) for n in range(4)), 2)) == [0, 1, 2, 3]


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGABRT, signal.SIGBUS])
def test_a_worker_that_dies_otherwise_says_how(number):
    text = told_by(signal.raise_signal, number)
    assert signal.Signals(number).name in text
    assert "memory" not in text


def test_a_worker_that_leaves_is_told_too():
    assert "a worker process was killed (EXIT(3))" in told_by(os._exit, 3)


def test_a_result_that_does_not_arrive_is_told_too():
    assert "a worker process broke down" in told_by(pickle.loads, pickle.dumps(Unreadable()))


class Unreadable:
    def __reduce__(self):
        return Broken, ()


class Broken:
    def __reduce__(self):
        return exec, ("raise ValueError('no')",)


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize(
    ("call", "given"),
    [
        (np.empty, (2**50,)),  # numpy has an error of its own
        (bytes, (2**62,)),
        (exec, (RESIZE.format(size="(2**22, 2**24)"),)),  # and so has OpenCV
    ],
    ids=["numpy", "python", "opencv"],
)
def test_memory_that_is_short_is_told_by_whatever_needs_it(call, given, jobs):
    assert told_by(call, *given, jobs=jobs).startswith("memory is short")


@pytest.mark.parametrize(
    ("call", "given", "kind"),
    [
        (int, ("x",), ValueError),
        (os.stat, ("/none",), FileNotFoundError),
        (exec, (RESIZE.format(size="(0, 0)"),), cv2.error),
    ],
)
@pytest.mark.parametrize("jobs", [1, 2])
def test_other_errors_stay_what_they_are(call, given, kind, jobs):
    with pytest.raises(kind) as told:
        list(in_parallel([delayed(call)(*given)], jobs))
    assert not isinstance(told.value, FacecoreError)


def test_a_worker_of_a_cluster_that_is_killed_is_told_too():
    scheduler = pytest.importorskip("distributed.scheduler")
    with pytest.raises(ResourceError, match="workers of the cluster were killed"), within_memory():
        raise scheduler.KilledWorker("task", None, 3)


def test_data_that_died_with_the_workers_of_a_cluster_are_told_too():
    client = pytest.importorskip("distributed.client")
    with pytest.raises(ResourceError, match="only copies of shared data"), within_memory():
        raise client.FutureCancelledError("task", "lost dependencies")


def test_an_error_of_facecore_is_told_once():
    with pytest.raises(DataError, match=r"^mine$"), within_memory():
        raise DataError("mine")
    with pytest.raises(ResourceError, match=r"^mine$"), within_memory(), within_memory():
        raise ResourceError("mine")
