"""The one door for media: a GET of a presigned URL, and nothing more than that.

The URL is the whole credential, so no header of ours may add one: no Authorization (S3 refuses two mechanisms), no
cookie, no netrc, no proxy of the environment, no redirect. It retries nothing and judges no range: ``download`` does.
"""

from __future__ import annotations

import http.client
import logging
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, NewConnectionError
from urllib3.util.connection import create_connection

from include.errors import SourceUnavailable, TransferInterrupted
from include.transfer.pace import PacedResponse
from include.transfer.ranges import RANGE_STATUSES
from include.transfer.refusal import BODY_BYTES, refusal_of
from include.transfer.url_guard import Resolver, judge_addresses, judge_url, resolve

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator, Mapping

    from include.secret import PresignedUrl
    from include.settings import ArchiveSettings

READ_BYTES = 256 * 1024
"""Upper bound of one read; measured: below 64 KiB costs CPU, above 256 KiB gains nothing."""

_TRANSPORT_ERRORS = (HTTPError, http.client.HTTPException, OSError)


class _WithoutQuery(logging.Filter):
    """Cuts queries out of urllib3's own debug lines, which quote the target of every request."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(arg.partition("?")[0] if isinstance(arg, str) else arg for arg in record.args)
        return True


_WITHOUT_QUERY = _WithoutQuery()


class MediaResponse:
    """An answer of one of ``RANGE_STATUSES``, its body unread."""

    def __init__(self, response: urllib3.BaseHTTPResponse, host: str) -> None:
        self._response = response
        self._host = host
        self.status: int = response.status
        self.headers: Mapping[str, str] = dict(response.headers.items())

    def read(self, limit: int = READ_BYTES) -> bytes:
        """Return the next bytes, at most ``limit`` and as few as have arrived; empty at the end.

        Raises:
            TransferInterrupted: when the connection broke, fell silent or is too slow. ``bytes_safe`` is 0 here: the
                caller knows what it kept.
        """
        try:
            return self._response.read1(limit, decode_content=False)
        except _TRANSPORT_ERRORS as error:
            # "from None": a transport error of urllib3 quotes the URL with its signature.
            raise TransferInterrupted(
                f"the transfer from {self._host} broke off: {type(error).__name__}", bytes_safe=0
            ) from None


class MediaHttp:
    """Connections to the permitted media hosts. Closed by its owner."""

    def __init__(
        self, settings: ArchiveSettings, media_hosts: tuple[str, ...], *, resolver: Resolver = resolve
    ) -> None:
        logging.getLogger("urllib3.connectionpool").addFilter(_WITHOUT_QUERY)  # adding it twice changes nothing
        self._media_hosts = media_hosts
        self._timeout = urllib3.Timeout(connect=settings.connect_timeout_seconds, read=settings.read_timeout_seconds)
        self._pool = _pool(settings, resolver)

    def close(self) -> None:
        """Close every connection."""
        self._pool.clear()

    @contextmanager
    def get(self, url: PresignedUrl, headers: Mapping[str, str]) -> Iterator[MediaResponse]:
        """Send one GET and hold its answer open.

        Raises:
            ConfigurationError, IntegrityError: when the URL may not be contacted, or the answer is a redirect.
            SourceUnavailable: when no answer came, or 5xx.
            UrlExpired, NotAuthorised, RecordingGone, RequestRejected, RateLimited: as ``refusal_of`` reads the answer.
        """
        target = judge_url(url, self._media_hosts)
        response = self._send(url, headers, target.host)
        drained = False
        try:
            if response.status not in RANGE_STATUSES:
                raise refusal_of(response.status, response.headers, _start_of(response), target.host)
            yield MediaResponse(response, target.host)
            drained = response.length_remaining == 0
        finally:
            if drained:
                response.release_conn()
            else:
                # What is left in the socket must not be taken for the next answer.
                response.close()

    def _send(self, url: PresignedUrl, headers: Mapping[str, str], host: str) -> urllib3.BaseHTTPResponse:
        sent = {"Accept-Encoding": "identity", "Accept": "*/*", "User-Agent": "genesys-recording-archive", **headers}
        try:
            return self._pool.request(
                "GET",
                url.reveal(),
                headers=sent,
                timeout=self._timeout,
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
        except _TRANSPORT_ERRORS as error:
            raise SourceUnavailable(f"{host} gave no answer: {type(error).__name__}") from None


class _GuardedConnection:
    """Mixed into urllib3's connections: connect only to addresses that were judged."""

    guard: ClassVar[_Guard]
    host: str
    port: int
    timeout: float | None
    source_address: tuple[str, int] | None
    socket_options: list[tuple[int, int, int | bytes]] | None

    def _new_conn(self) -> socket.socket:
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


class _Guard:
    """Resolve a host and judge what it resolves to."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver

    def __call__(self, host: str, port: int) -> list[str]:
        named_loopback = host in ("127.0.0.1", "::1", "localhost")  # judge_url let it pass only if it was named
        return judge_addresses(host, self._resolver(host, port), loopback=named_loopback)


def _pool(settings: ArchiveSettings, resolver: Resolver) -> urllib3.PoolManager:
    limits = (settings.throughput_grace_seconds, float(settings.minimum_bytes_per_second))
    response_class = type("MediaPacedResponse", (PacedResponse,), {"pace_limits": limits})
    facts = {"guard": _Guard(resolver), "response_class": response_class}
    plain = type("MediaConnection", (_GuardedConnection, HTTPConnection), facts)
    secure = type("MediaSecureConnection", (_GuardedConnection, HTTPSConnection), facts)
    manager = urllib3.PoolManager(num_pools=16, maxsize=settings.concurrent_downloads, cert_reqs="CERT_REQUIRED")
    manager.pool_classes_by_scheme = {
        "http": type("MediaPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
        "https": type("MediaSecurePool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
    }
    return manager


def _start_of(response: urllib3.BaseHTTPResponse) -> bytes:
    start = b""
    try:
        for piece in iter(partial(response.read1, BODY_BYTES, decode_content=False), b""):
            start += piece
            if len(start) >= BODY_BYTES:
                break
    except _TRANSPORT_ERRORS:
        return start[:BODY_BYTES]
    return start[:BODY_BYTES]
