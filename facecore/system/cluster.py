"""Run the library's parallel calls on a Dask cluster; Dask is imported only then."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from uuid import uuid4

import joblib

from facecore.errors import DataError

PATIENCE = 30  # seconds to wait for the scheduler, and for its first worker
COPIES = 3  # of shared data, on as many workers


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

    class _Spreading(Client):
        """Sends shared data to several workers, so that none of it is lost with one worker.

        Dask's own ``broadcast`` never returns if a worker dies as it copies them.
        """

        async def scatter(self, *data: Any, **options: Any) -> Any:
            send: Any = super().scatter  # Dask has no type hints
            ask: Any = self.ncores
            key, placed = f"shared-{uuid4().hex}", {}
            for _ in range(PATIENCE):
                for worker in list(await ask())[:COPIES]:
                    with suppress(Exception):  # the worker died meanwhile
                        placed = await send({key: data[0]}, workers=[worker], **options)
                if placed:
                    return placed[key]
                await asyncio.sleep(1)
            return None  # joblib sends them with every task then; of an error it would not know

    connect: Any = _Spreading
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
