"""The one door for media: a GET of a presigned URL, and nothing more than that.

The URL is the whole credential, so no header of ours may add one: no Authorization (S3 refuses two mechanisms), no
cookie, no netrc, no proxy of the environment, no redirect. It judges no range and retries nothing (``download`` does)
but a request that met a kept connection the server had already closed: a GET may be repeated (RFC 9110, 9.2.2).
"""

from __future__ import annotations

import http.client
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

import urllib3
from urllib3.exceptions import HTTPError

from include.errors import SourceUnavailable, TransferInterrupted
from include.lake.quota import HostSlots
from include.transfer.media_connection import StaleConnectionError, media_pool, paced_response
from include.transfer.ranges import RANGE_STATUSES
from include.transfer.refusal import BODY_BYTES, refusal_of
from include.transfer.url_guard import AddressGuard, Resolver, judge_url, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from include.secret import PresignedUrl
    from include.settings import ArchiveSettings
    from include.transfer.pace import PacedResponse

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

    def __init__(self, status: int, headers: Mapping[str, str], body: PacedResponse, host: str) -> None:
        self.status = status
        self.headers = headers
        self._body = body
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
                count = self._body.receive(view[filled:])
                if count == 0:
                    break
                filled += count
        except _TRANSPORT_ERRORS as error:
            self._broken_by = type(error).__name__
        if filled == 0 and self._broken_by is not None:
            # Outside the handler: a transport error of urllib3 quotes the URL with its signature.
            raise TransferInterrupted(f"the transfer from {self._host} broke off: {self._broken_by}", bytes_safe=0)
        return filled


class MediaHttp:
    """Connections to the permitted media hosts, for several threads. Closed by its owner.

    ``media_hosts`` and ``private_hosts`` are those of ``url_guard``.
    """

    def __init__(
        self,
        settings: ArchiveSettings,
        media_hosts: tuple[str, ...],
        *,
        private_hosts: tuple[str, ...] = (),
        resolver: Resolver = resolve,
    ) -> None:
        logging.getLogger("urllib3.connectionpool").addFilter(_WITHOUT_QUERY)  # adding it twice changes nothing
        self._media_hosts = media_hosts
        self._private_hosts = private_hosts
        self._timeout = urllib3.Timeout(connect=settings.connect_timeout_seconds, read=settings.read_timeout_seconds)
        self._slots = HostSlots(settings.connections_per_host)
        self._pool = media_pool(settings, AddressGuard(resolver, private_hosts))

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
        target = judge_url(url, self._media_hosts, self._private_hosts)
        with self._slots.slot(target.host), self._answered(url, headers, target.host) as answer:
            yield answer

    @contextmanager
    def _answered(self, url: PresignedUrl, headers: Mapping[str, str], host: str) -> Iterator[MediaResponse]:
        response = self._send(url, headers, host)
        body = paced_response(response)
        try:
            answer = MediaResponse(response.status, dict(response.headers.items()), body, host)
            if response.status not in RANGE_STATUSES:
                raise refusal_of(answer.status, answer.headers, _start_of(answer), host)
            yield answer
        finally:
            if body.isclosed():  # read to its end
                response.release_conn()
            else:
                # What is left in the socket must not be taken for the next answer.
                response.close()

    def _send(self, url: PresignedUrl, headers: Mapping[str, str], host: str) -> urllib3.BaseHTTPResponse:
        sent = {"Accept-Encoding": "identity", "Accept": "*/*", "User-Agent": "genesys-recording-archive", **headers}
        while True:
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
                # Each stale connection is closed by that, so the pool runs out of them.
                if not any(isinstance(cause, StaleConnectionError) for cause in error.args):
                    raise SourceUnavailable(f"{host} gave no answer: {type(error).__name__}") from None


def _start_of(answer: MediaResponse) -> bytes:
    start = memoryview(bytearray(BODY_BYTES))
    try:
        return bytes(start[: answer.fill(start)])
    except TransferInterrupted:
        return b""
