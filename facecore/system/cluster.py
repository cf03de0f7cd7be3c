"""Run the library's parallel calls on a Dask cluster; Dask is imported only then."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import joblib

from facecore.errors import DataError

PATIENCE = 30  # seconds to wait for the scheduler, and for its first worker


@contextmanager
def on_cluster(address: str) -> Iterator[None]:
    """Run the parallel calls of the block on the workers of a Dask cluster (Rocklin 2015).

    Every worker needs the same version of this package, the same paths to photos and crops, and
    one thread (``dask worker --nthreads 1``), so that sums do not depend on its neighbours.

    Parameters
    ----------
    address : str
        Of the scheduler, such as ``tcp://10.0.0.1:8786``.

    Yields
    ------
    None
        While the block runs, on the cluster.

    Raises
    ------
    DataError
        Dask is not installed, or no scheduler or worker answers at the address.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise DataError(
            "a cluster needs Dask: pip install 'facecore[dask]', here and on every worker"
        ) from error

    class _Broadcasting(Client):
        """Sends shared data to every worker, so that none of it is lost with one worker."""

        async def scatter(self, *args: Any, **options: Any) -> Any:
            scatter: Any = super().scatter  # Dask has no type hints
            options["broadcast"] = True
            for _ in range(PATIENCE):  # joblib does not see an error here, and waits for ever
                try:
                    return await scatter(*args, **options)
                except Exception:  # a worker died meanwhile
                    await asyncio.sleep(1)
            return await scatter(*args, **options)

    connect: Any = _Broadcasting
    try:
        client = connect(address, timeout=PATIENCE)
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
