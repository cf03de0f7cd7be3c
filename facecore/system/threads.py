"""Keep linear algebra on one thread."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from threadpoolctl import threadpool_limits

Given = ParamSpec("Given")
Found = TypeVar("Found")


def on_one_thread(function: Callable[Given, Found]) -> Callable[Given, Found]:
    """Return a function whose linear algebra runs on one thread.

    Worker processes have one thread as well, so sums do not depend on the number of workers. It is
    `threadpoolctl.threadpool_limits.wrap` with types.

    Parameters
    ----------
    function : callable
        Defined in a module, so that the result can be pickled by its name.

    Returns
    -------
    callable
        Of the same name, parameters and result.

    Examples
    --------
    >>> @on_one_thread
    ... def product(A):
    ...     return A @ A.T
    >>> product.__name__
    'product'
    """

    @wraps(function)
    def _limited(*args: Given.args, **kwargs: Given.kwargs) -> Found:
        with threadpool_limits(limits=1):
            return function(*args, **kwargs)

    return _limited
