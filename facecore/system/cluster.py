"""Run the library's parallel calls on a Dask cluster; without one, nothing of Dask is imported."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import joblib

from facecore.errors import DataError

PATIENCE = 30  # seconds to wait for the scheduler, and for its first worker


@contextmanager
def on_cluster(address: str) -> Iterator[None]:
    """Let the workers of a Dask cluster do what the block runs in parallel.

    Every worker needs this package in the same version, the same paths to photos and crops, and
    one thread (``dask worker --nthreads 1``), so that sums do not depend on its neighbours.

    Parameters
    ----------
    address : str
        Of the scheduler, such as ``tcp://10.0.0.1:8786``.

    Raises
    ------
    DataError
        Dask is not installed, or no scheduler or worker answers there.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise DataError(
            "a cluster needs Dask: pip install 'facecore[dask]', here and on every worker"
        ) from error

    class Spreading(Client):
        """Gives every worker what the others have, so that nothing is lost with one of them."""

        def scatter(self, *args: Any, **options: Any) -> Any:
            return super().scatter(*args, **options | {"broadcast": True})

    try:
        client = Spreading(address, timeout=PATIENCE)
    except (OSError, ValueError) as error:
        raise DataError(
            f"no Dask scheduler at {address!r} ({error}); start one with: dask scheduler"
        ) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except TimeoutError as error:
            raise DataError(
                f"the Dask scheduler at {address!r} has no worker; start one with: "
                f"dask worker {address} --nthreads 1"
            ) from error
        with joblib.parallel_config(backend="dask", client=client):
            yield
