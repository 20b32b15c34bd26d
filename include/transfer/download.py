"""Fetch a presigned URL into a sink, whole or not at all, with its SHA-256.

The loop between the pure rules (``ranges``) and the wire (``media_http``): ask for the next range, judge the answer,
write it in order, and after a fault go on from the last byte that is proven. It verifies that the bytes are the ones
the server promised; whether they are a recording is for ``integrity``.
"""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Self

from include.errors import ArchiveError, IntegrityError, SourceChanged, TransferInterrupted
from include.transfer.body import pieces
from include.transfer.media.signature import sniff
from include.transfer.media_http import MediaHttp
from include.transfer.patience import Patience
from include.transfer.ranged_source import RangedSource, RangeReader, range_headers
from include.transfer.ranges import (
    Complete,
    Partial,
    Pin,
    Refused,
    RestartFromZero,
    Verdict,
    judge_response,
    next_range,
)
from include.transfer.spool import HashedSink, spool
from include.transfer.url_guard import Resolver, resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from include.secret import PresignedUrl
    from include.settings import ArchiveSettings
    from include.transfer.media_http import MediaResponse

__all__ = ["Downloaded", "MediaDownloader", "RangedSource", "spool"]


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A file that is whole in its sink. ``sha256`` is lower-case hex; ``etag`` as sent, quotes included."""

    size: int
    sha256: str
    etag: str | None
    content_type: str | None
    requests: int
    retries: int


class MediaDownloader:
    """Downloads media of one connection, also from several threads. Close it, or use it in a ``with``."""

    def __init__(
        self,
        settings: ArchiveSettings,
        media_hosts: tuple[str, ...],
        sleep: Callable[[float], None] = time.sleep,
        *,
        resolver: Resolver = resolve,
    ) -> None:
        self._settings = settings
        self._http = MediaHttp(settings, media_hosts, resolver=resolver)
        self._sleep = sleep

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self._http.close()

    def fetch(self, url: PresignedUrl, sink: BinaryIO) -> Downloaded:
        """Fill ``sink`` from its start with the file behind ``url``.

        The sink is emptied first and stays open.

        Raises:
            TransferInterrupted: when the attempts are used up; the sink holds ``bytes_safe`` good bytes.
            SourceUnavailable, RateLimited: when the attempts are used up, or the wait asked for is above the cap.
            UrlExpired: when the URL is too old; ask the job for a new one.
            SourceChanged: when the file kept changing.
            IntegrityError: when the answers kept breaking RFC 9110, or the file is an HTML or XML page.
            QuotaExceeded: when the file is larger than ``recording_bytes_max``, or the disk is full.
            RecordingGone, NotAuthorised, RequestRejected, ConfigurationError: as the answer or the URL says.
        """
        copy = _Copy(HashedSink(sink, self._settings.recording_bytes_max))
        patience = Patience(self._settings, self._sleep)
        while not copy.complete:
            try:
                self._advance(url, copy)
                patience.progress()
            except ArchiveError as error:
                if isinstance(error, SourceChanged):
                    copy.restart()
                patience.survive(_with_bytes_safe(error, copy.sink.position))
        return copy.downloaded(patience.retries)

    @contextmanager
    def open_ranged(
        self, url: PresignedUrl, renew: Callable[[PresignedUrl], PresignedUrl] | None = None
    ) -> Iterator[RangedSource]:
        """Open a file for reads at any place, without storing it where the server serves ranges.

        ``renew`` gives a fresh URL where one has grown too old, for a file that is still the same.

        A file of at most ``chunk_bytes`` comes with the first answer and is held in memory; a server that ignores
        ranges makes this download the whole file into a spool. Closed when the ``with`` ends.

        Raises:
            ArchiveError: as ``fetch``; reads of the source raise the same.
        """
        with ExitStack() as stack:
            source = RangeReader(self._http, url, self._settings, self._sleep, renew).open()
            if source is None:
                sink = stack.enter_context(spool(self._settings))
                source = RangedSource.of_file(sink, self.fetch(url, sink).size)
            yield source

    def _advance(self, url: PresignedUrl, copy: _Copy) -> None:
        """Fetch one range. Whatever it raises, ``copy`` holds only bytes that are proven."""
        asked = next_range(copy.sink.position, self._settings.chunk_bytes, copy.total)
        if asked is None:  # the last answer broke off behind its last byte
            _refuse_page(copy.sink.head)
            copy.complete = True
            return
        copy.requests += 1
        before, pin = copy.sink.mark(), copy.pin
        try:
            with self._http.get(url, range_headers(asked, copy.pin)) as response:
                copy.take(judge_response(asked, response.status, response.headers, copy.pin), response)
        except IntegrityError:
            # The body was too long, or a page: nothing of this answer is proven, nor what it said of the file.
            copy.sink.rollback(before)
            copy.pin = pin if copy.sink.position else None
            raise


class _Copy:
    """One file on its way into a sink."""

    def __init__(self, sink: HashedSink) -> None:
        self.sink = sink
        self.pin: Pin | None = None
        self.complete = False
        self.requests = 0
        self._content_type: str | None = None

    @property
    def total(self) -> int | None:
        """Size of the file, once an answer told it."""
        return self.pin.total if self.pin else None

    def restart(self) -> None:
        """Forget the bytes and what the file was."""
        self.sink.restart()
        self.pin = None

    def take(self, verdict: Verdict, response: MediaResponse) -> None:
        """Keep what the verdict says of the answer.

        Raises:
            ArchiveError: see ``MediaDownloader.fetch``.
        """
        if isinstance(verdict, Refused):
            raise verdict.error
        if isinstance(verdict, Complete):
            self.pin, self.complete = verdict.pin, True
            return
        if isinstance(verdict, RestartFromZero):
            self.restart()
        if self.pin is None or self.pin.total is None:
            self.pin = verdict.pin
        if self.total is not None:
            self.sink.admit(self.total)
        self._content_type = _header(response, "content-type") or self._content_type
        length = verdict.received.length if isinstance(verdict, Partial) else self.total
        at_start = self.sink.position == 0
        for piece in pieces(response, length):
            self.sink.write(piece)
        if at_start:
            _refuse_page(self.sink.head)
        self.complete = not isinstance(verdict, Partial) or self.sink.position == self.total

    def downloaded(self, retries: int) -> Downloaded:
        """Return what the finished copy is."""
        etag = self.pin.etag if self.pin else None
        sink = self.sink
        sink.flush()
        return Downloaded(sink.position, sink.sha256, etag, self._content_type, self.requests, retries)


def _header(response: MediaResponse, name: str) -> str | None:
    return {key.lower(): value for key, value in response.headers.items()}.get(name)


def _refuse_page(head: bytes) -> None:
    kind = sniff(head)
    if kind is not None and kind.refused:
        # A login page of a proxy arrives as 200 with a matching length; a later attempt may get past it.
        raise IntegrityError(f"the answer is an {kind.name} page, not a recording", transient=True)


def _with_bytes_safe(error: ArchiveError, position: int) -> ArchiveError:
    if isinstance(error, TransferInterrupted):
        return TransferInterrupted(str(error), bytes_safe=position, **error.facts)
    return error
