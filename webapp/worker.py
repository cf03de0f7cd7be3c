"""A gunicorn worker that does not wait for ever for a slow client.

gunicorn "webapp:create_app()" --worker-class webapp.worker.Worker --threads 16
"""

import socket
import threading
from contextlib import suppress

from gunicorn.workers.gthread import TConn, ThreadWorker

from webapp.settings import DEFAULTS, read_environment

RECEIVE: float = (DEFAULTS | read_environment())["RECEIVE"]  # seconds


class Worker(ThreadWorker):
    """Gives a client `RECEIVE` seconds to send its request, headers and body together.

    gunicorn's own worker waits for ever for the rest of a request. A few clients that send a byte
    now and then would hold all of its threads.
    """

    def handle(self, conn: TConn) -> bool:
        """Answer a request; it ends with what was received in time.

        A client that does not read its answer is cut off after twice that time.

        Parameters
        ----------
        conn : TConn
            The connection of the client.

        Returns
        -------
        bool
            Whether the connection is kept open, as the installed gunicorn expects it.
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


def _shut(conn: TConn, way: int) -> None:
    with suppress(OSError):  # the client may be gone
        conn.sock.shutdown(way)
