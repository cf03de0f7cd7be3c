"""A gunicorn worker that waits for a slow client no longer than it must.

gunicorn "webapp:create_app()" --worker-class webapp.worker.Worker --threads 16
"""

import socket
import threading
from contextlib import suppress
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from webapp.settings import DEFAULTS, read_environment

RECEIVE: float = (DEFAULTS | read_environment())["RECEIVE"]  # seconds


class Worker(ThreadWorker):
    """Gives a client `RECEIVE` seconds to send its request, headers and body together.

    gunicorn's own worker waits for ever for the rest of a request that began, so a few clients that
    send a byte now and then would hold all of its threads.
    """

    def handle(self, conn: Any) -> Any:
        """Answer a request; what was not received in time reads as the end of the request.

        A client that does not read its answer is cut off after as long again.
        """
        clocks = [
            threading.Timer(RECEIVE, _shut, [conn, socket.SHUT_RD]),
            threading.Timer(2 * RECEIVE, _shut, [conn, socket.SHUT_RDWR]),
        ]
        for clock in clocks:
            clock.daemon = True
            clock.start()
        try:
            return super().handle(conn)
        finally:
            for clock in clocks:
                clock.cancel()


def _shut(conn: Any, way: int) -> None:
    with suppress(OSError):  # it may be gone
        conn.sock.shutdown(way)
