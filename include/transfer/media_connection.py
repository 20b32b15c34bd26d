"""The connections of ``media_http``: dialled only to judged addresses, kept alive, every answer paced."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError

from include.http_answer import HttpAnswer, NoAnswerError
from include.idle_connections import IdleConnections
from include.socket_calls import send
from include.transfer.dial import dial
from include.transfer.pace import Pace, PacedSocket

if TYPE_CHECKING:
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
    timeout: float
    socket_options: list[tuple[int, int, int | bytes]] | None
    answers = 0

    def _new_conn(self) -> socket.socket:
        self.answers = 0
        # Resolve once, judge, and dial those very addresses: a second lookup might answer differently.
        try:
            addresses = self.guard(self.host.strip("[]"), self.port)
        except OSError as error:
            raise NewConnectionError(self, "the host name does not resolve") from error  # type: ignore[arg-type]
        try:
            return dial(addresses, self.port, self.timeout, self.socket_options or ())
        except OSError as error:
            raise NewConnectionError(self, "no address accepts a connection") from error  # type: ignore[arg-type]


@dataclass(slots=True, eq=False)
class Exchange:
    """One request and its answer on a connection of the pool. Ends with ``close``."""

    answer: HttpAnswer
    _connection: Any
    _connections: IdleConnections

    @classmethod
    def begin(cls, connections: IdleConnections, request: bytes, limits: tuple[float, float], silence: float) -> Self:
        """Send a request and read the head of its answer.

        Args:
            connections: to the host.
            request: its head, from the first letter to the empty line.
            limits: the grace in seconds, and bytes per second.
            silence: how many seconds nothing may arrive.

        Raises:
            StaleConnectionError: the server had closed the kept connection; it is closed here too.
            OSError, HTTPError, MalformedAnswerError: no connection, or no answer on it.
        """
        # urllib3 opens the connections; its requests and answers are what is left out.
        connection, pace = connections.take(), Pace(*limits)
        try:
            if connection.sock is None:
                connection.connect()
            answer = _ask(connection, request, PacedSocket(connection.sock, pace, silence))
            pace.in_body = True
        except BaseException:
            connection.close()
            raise
        connection.answers += 1
        return cls(answer, connection, connections)

    def abandon(self) -> None:
        """End the answer where it is: whoever reads it, in another thread, finds its end."""
        with suppress(OSError, AttributeError):  # it may be closed already
            self._connection.sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the connection back; closed, where something is left in it that would be taken for the next answer."""
        if not self.answer.keeps_connection:
            self._connection.close()
        self._connections.give(self._connection)


def _ask(connection: Any, request: bytes, arriving: PacedSocket) -> HttpAnswer:  # noqa: ANN401 - urllib3's, open
    try:
        send(connection.sock, request)
        return HttpAnswer(arriving.receive, "GET", arriving.fill)
    except (ConnectionResetError, BrokenPipeError, NoAnswerError) as error:
        if connection.answers > 0:
            raise StaleConnectionError(type(error).__name__) from None
        raise


class GuardedConnections:
    """Connections to hosts whose addresses ``guard`` has judged; nothing is followed or repeated. Thread-safe."""

    def __init__(self, guard: AddressGuard, timeout: urllib3.Timeout, kept: int) -> None:
        self._kept = kept
        self._manager = _guarded_manager(guard, timeout)
        self._hosts: dict[tuple[str, str | None, int | None], IdleConnections] = {}
        self._lock = threading.Lock()

    def to(self, scheme: str, host: str | None, port: int | None) -> IdleConnections:
        """Return those of a host; the one that was met first is let go where there are more than ``HOSTS_KEPT``."""
        place = (scheme, host, port)
        with self._lock:
            if place not in self._hosts:
                if len(self._hosts) >= HOSTS_KEPT:
                    self._hosts.pop(next(iter(self._hosts))).close()
                self._hosts[place] = IdleConnections(self._manager.connection_from_host(host, port, scheme), self._kept)
            return self._hosts[place]

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            for connections in self._hosts.values():
                connections.close()
            self._hosts.clear()


def media_connections(settings: ArchiveSettings, guard: AddressGuard) -> GuardedConnections:
    """Return connections for media."""
    kept = settings.concurrent_downloads * settings.connections_per_object
    timeout = urllib3.Timeout(connect=settings.connect_timeout_seconds, read=settings.read_timeout_seconds)
    return GuardedConnections(guard, timeout, kept)


def _guarded_manager(guard: AddressGuard, timeout: urllib3.Timeout) -> urllib3.PoolManager:
    facts = {"guard": guard}
    plain = type("GuardedConnection", (_GuardedConnection, HTTPConnection), facts)
    secure = type("GuardedSecureConnection", (_GuardedConnection, HTTPSConnection), facts)
    manager = urllib3.PoolManager(num_pools=HOSTS_KEPT, cert_reqs="CERT_REQUIRED", timeout=timeout)
    manager.pool_classes_by_scheme = {
        "http": type("GuardedPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
        "https": type("GuardedSecurePool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
    }
    return manager
