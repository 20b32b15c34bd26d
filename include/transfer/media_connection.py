"""The connections of ``media_http``: dialled only to judged addresses, kept alive, every response paced."""

from __future__ import annotations

import http.client
from typing import TYPE_CHECKING, Any, ClassVar, cast

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError
from urllib3.util.connection import create_connection

from include.transfer.pace import PacedResponse

if TYPE_CHECKING:
    import socket

    from include.settings import ArchiveSettings
    from include.transfer.url_guard import AddressGuard

HOSTS_KEPT = 4
"""Hosts with open connections; a job's URLs name one bucket, so more would only cost file descriptors."""


class StaleConnectionError(ConnectionResetError):
    """The server closed a kept connection before it answered on it: nothing is wrong with the request."""


class _GuardedConnection:
    """Mixed into urllib3's connections."""

    guard: ClassVar[AddressGuard]
    limits: ClassVar[tuple[float, float]]
    host: str
    port: int
    timeout: float | None
    source_address: tuple[str, int] | None
    socket_options: list[tuple[int, int, int | bytes]] | None
    answers = 0
    paced: PacedResponse | None = None

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

    def response_class(self, sock: socket.socket, **kwargs: Any) -> PacedResponse:  # noqa: ANN401 - http.client's own
        """Build the response, as http.client asks for it, and keep it: urllib3's wrapper copies every read."""
        self.paced = PacedResponse(sock, self.limits, **kwargs)
        return self.paced

    def getresponse(self) -> object:
        try:
            response = super().getresponse()  # type: ignore[misc] # of urllib3's class beside this one
        except (ConnectionError, http.client.BadStatusLine) as error:
            if self.answers > 0:
                raise StaleConnectionError(str(error)) from error
            raise
        self.answers += 1
        return response


def media_pool(settings: ArchiveSettings, guard: AddressGuard) -> urllib3.PoolManager:
    """Return the pool of connections; it follows nothing and retries nothing by itself."""
    limits = (settings.throughput_grace_seconds, float(settings.minimum_bytes_per_second))
    facts = {"guard": guard, "limits": limits}
    plain = type("MediaConnection", (_GuardedConnection, HTTPConnection), facts)
    secure = type("MediaSecureConnection", (_GuardedConnection, HTTPSConnection), facts)
    kept = settings.concurrent_downloads * settings.connections_per_object
    manager = urllib3.PoolManager(num_pools=HOSTS_KEPT, maxsize=kept, cert_reqs="CERT_REQUIRED")
    manager.pool_classes_by_scheme = {
        "http": type("MediaPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
        "https": type("MediaSecurePool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
    }
    return manager


def paced_response(response: urllib3.BaseHTTPResponse) -> PacedResponse:
    """Return the paced response below urllib3's, which still holds its connection."""
    return cast("PacedResponse", cast("Any", response.connection).paced)
