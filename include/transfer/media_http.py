"""The one door for media: a GET of a presigned URL, and nothing more than that.

The URL is the whole credential, so no header of ours may add one: no Authorization (S3 refuses two mechanisms), no
cookie, no netrc, no proxy of the environment, no redirect. The one exception is a URL of the API's own host, for which
``authorise`` hands out a token. It judges no range and retries nothing (``download`` does)
but a request that met a kept connection the server had already closed: a GET may be repeated (RFC 9110, 9.2.2).
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from urllib3.exceptions import HTTPError

from include.errors import SourceUnavailable, TransferInterrupted, UrlExpired
from include.http_answer import MalformedAnswerError
from include.lake.quota import HostSlots
from include.transfer.media_connection import Exchange, StaleConnectionError, media_connections
from include.transfer.ranges import RANGE_STATUSES
from include.transfer.refusal import BODY_BYTES, refusal_of
from include.transfer.url_guard import AddressGuard, Resolver, judge_url, resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from urllib.parse import SplitResult

    from include.http_answer import HttpAnswer
    from include.secret import PresignedUrl, Secret
    from include.settings import ArchiveSettings

_TRANSPORT_ERRORS = (HTTPError, MalformedAnswerError, OSError)
_HEADERS = {"Accept-Encoding": "identity", "Accept": "*/*", "User-Agent": "genesys-recording-archive"}
DEFAULT_PORTS = {"http": 80, "https": 443}
_UNAUTHORISED = 401


def no_token(_: PresignedUrl) -> Secret | None:
    """Authorise nothing: what a presigned URL wants."""
    return None


class MediaResponse:
    """An answer of one of ``RANGE_STATUSES``, its body unread."""

    def __init__(self, answer: HttpAnswer, host: str) -> None:
        self.status = answer.status
        self.headers: Mapping[str, str] = answer.headers
        self._answer = answer
        self._host = host
        self._broken_by: str | None = None

    def fill(self, view: memoryview) -> int:
        """Receive into ``view`` until it is full or the body ends, and return how many bytes that were.

        Raises:
            TransferInterrupted: when the connection broke, fell silent or is too slow. Bytes that came before are
                returned first, so nothing is lost; ``bytes_safe`` is 0 here: the caller knows what it kept.
        """
        filled = 0
        try:
            while self._broken_by is None and filled < len(view):
                count = self._answer.readinto(view[filled:])
                if count == 0:
                    break
                filled += count
        except _TRANSPORT_ERRORS as error:
            self._broken_by = type(error).__name__
        if filled == 0 and self._broken_by is not None:
            raise TransferInterrupted(f"the transfer from {self._host} broke off: {self._broken_by}", bytes_safe=0)
        return filled


class MediaHttp:
    """Connections to the permitted media hosts, for several threads. Closed by its owner.

    ``media_hosts`` and ``private_hosts`` are those of ``url_guard``. ``authorise`` returns the token that a URL
    wants, and is asked before each request.
    """

    def __init__(
        self,
        settings: ArchiveSettings,
        media_hosts: tuple[str, ...],
        *,
        private_hosts: tuple[str, ...] = (),
        resolver: Resolver = resolve,
        authorise: Callable[[PresignedUrl], Secret | None] = no_token,
    ) -> None:
        self._authorise = authorise
        self._media_hosts = media_hosts
        self._private_hosts = private_hosts
        self._silence_seconds = settings.read_timeout_seconds
        self._limits = (settings.throughput_grace_seconds, float(settings.minimum_bytes_per_second))
        self._slots = HostSlots(settings.connections_per_host)
        self._under_way: set[Exchange] = set()
        self._stopping = threading.Event()
        self._connections = media_connections(settings, AddressGuard(resolver, private_hosts))

    def close(self) -> None:
        """Close every connection."""
        self._connections.close()

    def stop(self) -> None:
        """End every answer that is under way, and every ``wait``; ``get`` gives none any more."""
        self._stopping.set()
        for exchange in list(self._under_way):
            exchange.abandon()

    def wait(self, seconds: float) -> None:
        """Sleep, but not longer than until somebody stops it."""
        self._stopping.wait(seconds)

    def go_on(self) -> None:
        """Agree to another request.

        Raises:
            TransferInterrupted: after ``stop``.
        """
        if self._stopping.is_set():
            raise TransferInterrupted("the downloads of this task were stopped", bytes_safe=0)

    @contextmanager
    def get(self, url: PresignedUrl, headers: Mapping[str, str]) -> Iterator[MediaResponse]:
        """Send one GET and hold its answer open.

        Raises:
            ConfigurationError, IntegrityError: when the URL may not be contacted, or the answer is a redirect.
            SourceUnavailable: when no answer came, or 5xx.
            TransferInterrupted: after ``stop``.
            UrlExpired, NotAuthorised, RecordingGone, RequestRejected, RateLimited: as ``refusal_of`` reads the answer.
            UrlExpired: also when our token is refused.
        """
        target = judge_url(url, self._media_hosts, self._private_hosts)
        token = self._authorise(url)
        if token is not None:
            headers = {**headers, "Authorization": f"Bearer {token.reveal()}"}
        with self._slots.slot(target.host):
            self.go_on()
            exchange = self._begin(url, headers, target.host)
            self._under_way.add(exchange)
            try:
                self.go_on()  # it may have been too late to be ended
                answer = MediaResponse(exchange.answer, target.host)
                if answer.status == _UNAUTHORISED and token is not None:
                    raise UrlExpired(f"{target.host} no longer accepts our token", status=answer.status)
                if answer.status not in RANGE_STATUSES:
                    raise refusal_of(answer.status, answer.headers, _start_of(answer), target.host)
                yield answer
            finally:
                self._under_way.discard(exchange)
                exchange.close()

    def _begin(self, url: PresignedUrl, headers: Mapping[str, str], host: str) -> Exchange:
        parts = urlsplit(url.reveal())
        request = _request(parts, headers)
        while True:
            connections = self._connections.to(parts.scheme, parts.hostname, parts.port)
            try:
                return Exchange.begin(connections, request, self._limits, self._silence_seconds)
            except StaleConnectionError:
                continue  # each of them is closed by that, so there is an end of them
            except _TRANSPORT_ERRORS as error:
                failure = type(error).__name__
            raise SourceUnavailable(f"{host} gave no answer: {failure}")


def _request(parts: SplitResult, headers: Mapping[str, str]) -> bytes:
    """Return the head of a GET. ``judge_url`` has refused every letter that could end a line of it."""
    target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    host = parts.netloc.removesuffix(f":{DEFAULT_PORTS[parts.scheme]}")
    sent = {"Host": host, **_HEADERS, **headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
    return f"GET {target} HTTP/1.1\r\n{lines}\r\n".encode("latin-1")


def _start_of(answer: MediaResponse) -> bytes:
    start = memoryview(bytearray(BODY_BYTES))
    try:
        return bytes(start[: answer.fill(start)])
    except TransferInterrupted:
        return b""
