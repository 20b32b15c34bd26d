"""The connections of ``media_http``: dialled only to judged addresses, kept alive, every answer paced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, cast

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError
from urllib3.util.connection import create_connection

from include.http_answer import HttpAnswer, NoAnswerError
from include.transfer.pace import Pace, PacedSocket

if TYPE_CHECKING:
    import socket
    from typing import Self

    from include.settings import ArchiveSettings
    from include.transfer.url_guard import AddressGuard

HOSTS_KEPT = 4
"""Hosts with open connections; a job's URLs name one bucket, so more would only cost file descriptors."""


class StaleConnectionError(ConnectionResetError):
    """The server closed a kept connection before it answered on it: nothing is wrong with the request."""


class _GuardedConnection:
    """Mixed into urllib3's connections."""

    guard: ClassVar[AddressGuard]
    host: str
    port: int
    timeout: float | None
    source_address: tuple[str, int] | None
    socket_options: list[tuple[int, int, int | bytes]] | None
    answers = 0

    def _new_conn(self) -> socket.socket:
        self.answers = 0
        # Resolve once, judge, and dial those very addresses: a second lookup might answer differently.
        try:
            addresses = self.guard(self.host.strip("[]"), self.port)
        except OSError as error:
            raise NewConnectionError(self, "the host name does not resolve") from error  # type: ignore[arg-type]
        failure: OSError | None = None
        for address in addresses:
            try:
                return create_connection((address, self.port), self.timeout, self.source_address, self.socket_options)
            except OSError as error:
                failure = error
        raise NewConnectionError(self, "no address accepts a connection") from failure  # type: ignore[arg-type]


@dataclass(slots=True)
class Exchange:
    """One request and its answer on a connection of the pool. Ends with ``close``."""

    answer: HttpAnswer
    _connection: Any
    _pool: HTTPConnectionPool

    @classmethod
    def begin(cls, pool: HTTPConnectionPool, request: bytes, limits: tuple[float, float], silence: float) -> Self:
        """Send a request and read the head of its answer.

        Args:
            pool: of the host.
            request: its head, from the first letter to the empty line.
            limits: the grace in seconds, and bytes per second.
            silence: how many seconds nothing may arrive.

        Raises:
            StaleConnectionError: the server had closed the kept connection; it is closed here too.
            OSError, HTTPError, MalformedAnswerError: no connection, or no answer on it.
        """
        # urllib3 opens, checks and keeps connections; its requests and answers are what is left out.
        connection = cast("Any", pool._get_conn())  # noqa: SLF001
        try:
            if connection.sock is None:
                connection.connect()
            connection.sock.settimeout(silence)
            answer = _ask(connection, request, Pace(*limits))
        except BaseException:
            connection.close()
            pool._put_conn(connection)  # noqa: SLF001
            raise
        connection.answers += 1
        return cls(answer, connection, pool)

    def close(self) -> None:
        """Give the connection back; closed, where something is left in it that would be taken for the next answer."""
        if not self.answer.keeps_connection:
            self._connection.close()
        self._pool._put_conn(self._connection)  # noqa: SLF001


def _ask(connection: Any, request: bytes, pace: Pace) -> HttpAnswer:  # noqa: ANN401 - a urllib3 connection with a socket
    try:
        connection.sock.sendall(request)
        answer = HttpAnswer(PacedSocket(connection.sock, pace).receive, "GET")
    except (ConnectionResetError, BrokenPipeError, NoAnswerError) as error:
        if connection.answers > 0:
            raise StaleConnectionError(type(error).__name__) from None
        raise
    pace.in_body = True
    return answer


def media_pool(settings: ArchiveSettings, guard: AddressGuard) -> urllib3.PoolManager:
    """Return the pool of connections for media."""
    kept = settings.concurrent_downloads * settings.connections_per_object
    timeout = urllib3.Timeout(connect=settings.connect_timeout_seconds, read=settings.read_timeout_seconds)
    return guarded_pool(guard, timeout, kept)


def guarded_pool(guard: AddressGuard, timeout: urllib3.Timeout, kept: int) -> urllib3.PoolManager:
    """Return a pool that keeps so many connections; it follows nothing and retries nothing by itself."""
    facts = {"guard": guard}
    plain = type("GuardedConnection", (_GuardedConnection, HTTPConnection), facts)
    secure = type("GuardedSecureConnection", (_GuardedConnection, HTTPSConnection), facts)
    manager = urllib3.PoolManager(num_pools=HOSTS_KEPT, maxsize=kept, cert_reqs="CERT_REQUIRED", timeout=timeout)
    manager.pool_classes_by_scheme = {
        "http": type("GuardedPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
        "https": type("GuardedSecurePool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
    }
    return manager
