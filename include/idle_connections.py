"""Connections of one urllib3 pool that are open and in nobody's hands, the last used first.

urllib3 keeps them in a queue with three locks, and asks the kernel before each use whether the server has hung up: for
an exchange of 0.2 ms, a tenth of it, and two moments at which another thread takes the interpreter (measured). Here one
that was used a moment ago is taken as it is. Whoever uses it must expect that the server closes it at any time, which
no question beforehand rules out.
"""

from __future__ import annotations

import time
import weakref
from collections import deque
from typing import TYPE_CHECKING, Any

from urllib3.util.connection import is_connection_dropped

if TYPE_CHECKING:
    from collections.abc import Callable

    from urllib3.connectionpool import HTTPConnectionPool

TRUSTED_SECONDS = 0.25
"""Servers keep an idle connection for seconds (Amazon S3: about 20); one that closes at once says so in its answer."""


class IdleConnections:
    """Keeps at most ``most`` connections of a pool, which opens them. Thread-safe: each is in one thread's hands."""

    def __init__(self, pool: HTTPConnectionPool, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._pool = pool
        self._clock = clock
        self._most = most
        self._idle: deque[tuple[Any, float]] = deque()
        self._closed = False
        # As urllib3's own: a client that is dropped and not closed leaves no socket open.
        weakref.finalize(self, _close_all, self._idle)

    def take(self) -> Any:  # noqa: ANN401 - a urllib3 connection; its socket has no type there
        """Return a connection; whose ``sock`` is ``None`` where it has to be opened first."""
        try:
            connection, since = self._idle.pop()
        except IndexError:
            return self._pool._new_conn()  # noqa: SLF001 - how the pool's settings reach a connection; no public name
        if self._clock() - since > TRUSTED_SECONDS and is_connection_dropped(connection):
            connection.close()
        return connection

    def give(self, connection: Any) -> None:  # noqa: ANN401 - as above
        """Take a connection back, open or closed."""
        if connection.sock is None:
            return
        if self._closed or len(self._idle) >= self._most:
            connection.close()
        else:
            self._idle.append((connection, self._clock()))

    def close(self) -> None:
        """Close what is here, and whatever comes back."""
        self._closed = True
        _close_all(self._idle)


def _close_all(idle: deque[tuple[Any, float]]) -> None:
    while idle:
        idle.pop()[0].close()
