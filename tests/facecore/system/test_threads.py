import pickle

from threadpoolctl import threadpool_info, threadpool_limits

from facecore.system.threads import on_one_thread


def threads() -> set[int]:
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


@on_one_thread
def threads_inside(*, twice: bool = False) -> set[int]:
    return threads_inside() if twice else threads()


def test_inside_there_is_one_thread_and_afterwards_as_many_as_before():
    with threadpool_limits(limits=2):
        before = threads()
        assert threads_inside() == threads_inside(twice=True) == {1}
        assert threads() == before


def test_workers_can_be_sent_the_function():
    assert pickle.loads(pickle.dumps(threads_inside)) is threads_inside
