"""One file on its way into a sink: what is known of it, what of it is there, and what an answer adds."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from include.errors import ArchiveError, IntegrityError, SourceChanged, TransferInterrupted
from include.transfer.body import receive
from include.transfer.media.signature import sniff
from include.transfer.ranges import (
    ByteRange,
    Complete,
    Partial,
    Pin,
    Refused,
    RestartFromZero,
    Tempo,
    judge_response,
    next_range,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from include.secret import PresignedUrl
    from include.transfer.hashed_sink import HashedSink
    from include.transfer.media_http import MediaHttp, MediaResponse
    from include.transfer.ranges import Verdict


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A file that is whole in its sink. ``sha256`` is lower-case hex; ``etag`` as sent, quotes included.

    ``resumed_bytes`` came from an earlier worker.
    """

    size: int
    sha256: str
    etag: str | None
    content_type: str | None
    requests: int
    retries: int
    resumed_bytes: int = 0


def range_headers(asked: ByteRange, pin: Pin | None) -> Mapping[str, str]:
    """Return the headers of one ranged GET; ``If-Match`` where a strong ETag is known (``If-Range`` gets ignored)."""
    headers = {"Range": asked.header}
    if pin is not None and pin.strong_etag is not None:
        headers["If-Match"] = pin.strong_etag
    return headers


class OneFile:
    """Fetches its file range by range, in order, over one connection at a time."""

    def __init__(self, sink: HashedSink, chunk_bytes: int) -> None:
        self.sink = sink
        self.pin: Pin | None = None
        self.complete = False
        self.requests = 0
        self.retries = 0
        self.tempo = Tempo(0.0, 1.0)
        self.in_ranges = False
        self._chunk_bytes = chunk_bytes
        self._content_type: str | None = None
        self._resumed_bytes = 0
        self._unconfirmed = False

    @property
    def total(self) -> int | None:
        """Size of the file, once an answer told it."""
        return self.pin.total if self.pin else None

    def resume(self) -> None:
        """Go on where a killed worker stopped, if it left something that is proven."""
        proven = self.sink.resume()
        if proven is not None:
            self.pin = Pin(proven.total, proven.etag)
            self._resumed_bytes = proven.position
            self._unconfirmed = True

    def restart(self) -> None:
        """Forget the bytes and what the file was."""
        self.sink.restart()
        self.pin = None
        self._resumed_bytes = 0
        self._unconfirmed = False

    def advance(self, http: MediaHttp, url: PresignedUrl) -> None:
        """Fetch one range. Whatever it raises, the sink holds only bytes that are proven.

        Raises:
            ArchiveError: see ``MediaDownloader.fetch``.
        """
        asked = next_range(self.sink.position, self._chunk_bytes, self.total)
        if asked is None:  # the last answer broke off behind its last byte
            self._end()
            return
        self.requests += 1
        before, pin = self.sink.mark(), self.pin
        begun, cpu_begun = time.monotonic(), time.thread_time()
        try:
            with http.get(url, range_headers(asked, self.pin)) as response:
                self._take(judge_response(asked, response.status, response.headers, self.pin), response)
        except IntegrityError:
            # The body was too long, or a page: nothing of this answer is proven, nor what it said of the file.
            self.sink.rollback(before)
            self.pin = pin if self.sink.position else None
            raise
        except TransferInterrupted:
            self._commit(before.position)
            raise
        self._commit(before.position)
        seconds = max(time.monotonic() - begun, 1e-6)
        self.tempo = Tempo((self.sink.position - before.position) / seconds, (time.thread_time() - cpu_begun) / seconds)

    def _take(self, verdict: Verdict, response: MediaResponse) -> None:
        """Keep what the verdict says of the answer."""
        if isinstance(verdict, Refused):
            raise verdict.error
        self._confirm(verdict.pin)
        if isinstance(verdict, Complete):
            self.pin = verdict.pin
            self._end()
            return
        if isinstance(verdict, RestartFromZero):
            self.restart()
        if self.pin is None or self.pin.total is None:
            self.pin = verdict.pin
        self.sink.expect(self.pin)
        self._content_type = _header(response, "content-type") or self._content_type
        self.in_ranges = isinstance(verdict, Partial)
        length = verdict.received.length if isinstance(verdict, Partial) else self.total
        at_start = self.sink.position == 0
        try:
            receive(response, length, self.sink)
        except TransferInterrupted:
            if isinstance(verdict, RestartFromZero) and _header(response, "content-length") is None:
                # Nothing says that it was the whole file: it may be the range, which a proxy has made into a 200.
                self.restart()
            raise
        finally:
            if at_start:  # also where it broke off: the rest of the file would be joined to it
                refuse_page(self.sink.head)
        if not self.in_ranges or self.sink.position == self.total:
            self._end()

    def _end(self) -> None:
        """Agree that nothing is left to fetch."""
        refuse_page(self.sink.head)
        self.complete = True

    def _confirm(self, now: Pin) -> None:
        """Bytes of another process are only gone on with when the source names the same file, in so many words."""
        if self._unconfirmed and self.pin is not None and now.strong_etag != self.pin.strong_etag:
            raise SourceChanged("the source does not confirm the file that was begun")
        self._unconfirmed = False

    def _commit(self, before: int) -> None:
        if self.pin is not None and self.sink.position > before and not self.complete:
            self.sink.commit(self.pin)

    def downloaded(self) -> Downloaded:
        """Return what the finished copy is."""
        sink, etag = self.sink, self.pin.etag if self.pin else None
        sink.flush()
        return Downloaded(
            size=sink.position,
            sha256=sink.sha256,
            etag=etag,
            content_type=self._content_type,
            requests=self.requests,
            retries=self.retries,
            resumed_bytes=self._resumed_bytes,
        )


def _header(response: MediaResponse, name: str) -> str | None:
    return {key.lower(): value for key, value in response.headers.items()}.get(name)


def refuse_page(head: bytes) -> None:
    """Refuse a login page of a proxy, which arrives as 200 with a matching length.

    Raises:
        IntegrityError: with the fact ``transient``, since a later attempt may get past it.
    """
    kind = sniff(head)
    if kind is not None and kind.refused:
        raise IntegrityError(f"the answer is an {kind.name} page, not a recording", transient=True)


def with_bytes_safe(error: ArchiveError, position: int) -> ArchiveError:
    """Return the error with how much of the file is proven."""
    if isinstance(error, TransferInterrupted):
        return TransferInterrupted(str(error), bytes_safe=position, **error.facts)
    return error
