"""A remote file that can be read at any place, so that members of a zip need no temporary file."""

from __future__ import annotations

import io
import threading
from typing import TYPE_CHECKING, BinaryIO, cast

from include.errors import IntegrityError, RetriableError, UrlExpired
from include.transfer.address import Address, Renew
from include.transfer.body import FixedRoom, receive
from include.transfer.one_file import range_headers
from include.transfer.patience import Patience
from include.transfer.ranges import ByteRange, Complete, Partial, Pin, Refused, Whole, judge_response
from include.transfer.seekable import SeekableReader
from include.transfer.side_by_side import go_on

if TYPE_CHECKING:
    from collections.abc import Callable

    from include.secret import PresignedUrl
    from include.settings import ArchiveSettings
    from include.transfer.media_http import MediaHttp
    from include.transfer.recording_spool import Spool

STREAM_BLOCK_BYTES = 1024 * 1024
_NO_RANGES = "the server stopped serving ranges"


class RangedSource:
    """Reads at any offset, from any thread; ``size`` in bytes, ``etag`` as the server sent it.

    ``is_remote`` is false where the bytes are on this machine, so that reading them twice costs nothing.
    """

    def __init__(
        self,
        size: int,
        fill: Callable[[int, memoryview], int],
        *,
        etag: str | None = None,
        is_remote: bool = False,
        forget: Callable[[], None] = go_on,
    ) -> None:
        self.size = size
        self.etag = etag
        self.is_remote = is_remote
        self.forget = forget
        """Drop what is held, so that it is asked for again: it may have been spoiled on its way here."""
        self._fill = fill

    @classmethod
    def of_spool(cls, spool: Spool, size: int) -> RangedSource:
        """Read from a whole copy, which the caller closes, wherever others have moved it to meanwhile."""
        return cls(size, spool.read_at)

    def read_into(self, offset: int, view: memoryview) -> int:
        """Fill ``view`` with the bytes from ``offset`` on and return how many there are: fewer only at the end.

        Raises:
            ValueError: when ``offset`` is negative.
            ArchiveError: whatever ``MediaDownloader.fetch`` raises, except ``SourceChanged`` which is never healed
                here, as bytes of the old file are out already.
        """
        if offset < 0:
            raise ValueError("an offset is not negative")
        length = min(len(view), self.size - offset)
        return self._fill(offset, view[:length]) if length > 0 else 0

    def read_at(self, offset: int, length: int) -> bytes:
        """Return the bytes ``offset`` to ``offset + length``, fewer only at the end of the file.

        The result is held in memory: the caller bounds ``length``.

        Raises:
            ValueError: when ``offset`` or ``length`` is negative.
            ArchiveError: as ``read_into``.
        """
        if offset < 0 or length < 0:
            raise ValueError("offset and length are not negative")
        body = bytearray(max(0, min(length, self.size - offset)))
        return bytes(memoryview(body)[: self.read_into(offset, memoryview(body))])

    def stream(self) -> BinaryIO:
        """Return the file as a seekable stream, read in blocks of ``STREAM_BLOCK_BYTES``."""
        return cast("BinaryIO", io.BufferedReader(_RawSource(self), STREAM_BLOCK_BYTES))


class _RawSource(SeekableReader):
    """``RangedSource`` in the shape ``io`` wants."""

    def __init__(self, source: RangedSource) -> None:
        super().__init__()
        self._source = source

    def _end(self) -> int:
        return self._source.size

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]  # Buffer is 3.12's name
        count = self._source.read_into(self._position, memoryview(buffer).cast("B"))
        self._position += count
        return count


class RangeReader:
    """Reads ranges of one file into memory, with retries; the first answer pins the file.

    ``renew`` gives a fresh URL for one that has grown too old; the pin holds for the new one. The first block is held
    until it was read: that of a larger file once, that of a file which is no larger until ``forget``.
    """

    def __init__(
        self,
        http: MediaHttp,
        url: PresignedUrl,
        settings: ArchiveSettings,
        sleep: Callable[[float], None],
        renew: Renew | None = None,
    ) -> None:
        self._http = http
        self._address = Address(url, renew)
        self._settings = settings
        self._sleep = sleep
        self._pin: Pin | None = None
        self._first = memoryview(b"")
        self._unread = 0
        self._is_whole = False
        self._lock = threading.Lock()

    def open(self) -> RangedSource | None:
        """Read the first block; ``None`` when the server sends whole files and this one is larger than a block."""
        first = self._read_first()
        if first is None or self._pin is None or self._pin.total is None:
            return None
        self._first, self._unread = first, len(first)
        self._is_whole = self._pin.total <= len(first)
        return RangedSource(
            self._pin.total, self.fill, etag=self._pin.etag, is_remote=not self._is_whole, forget=self._forget
        )

    def fill(self, offset: int, view: memoryview) -> int:
        """Fill all of ``view``, whose bytes lie inside the file, and return its length.

        Raises:
            ArchiveError: see ``RangedSource.read_into``.
        """
        held = self._held()[offset : offset + len(view)]
        view[: len(held)] = held
        filled = len(held)
        self._count(filled)
        while filled < len(view):
            more = self._persist(ByteRange(offset + filled, offset + len(view) - 1), view[filled:])
            if more is None:
                raise IntegrityError(_NO_RANGES)
            filled += more
        return filled

    def _read_first(self) -> memoryview | None:
        block = memoryview(bytearray(self._settings.chunk_bytes))
        count = self._persist(ByteRange(0, len(block) - 1), block)
        return None if count is None else block[:count]

    def _held(self) -> memoryview:
        """Return what is held of the first block. A file that is no larger comes whole: not every server has ranges."""
        held = self._first  # once: another thread may forget it in between
        if held or not self._is_whole:
            return held
        with self._lock:
            first = self._first or self._read_first()
            if first is None:
                raise IntegrityError(_NO_RANGES)
            self._first = first
        return first

    def _count(self, served: int) -> None:
        """Let the first block go when as much of it was read as it holds: of a larger file it is a block too many."""
        with self._lock:
            self._unread -= served
            if self._unread <= 0 and not self._is_whole:
                self._forget()

    def _forget(self) -> None:
        self._first = memoryview(b"")

    def _persist(self, asked: ByteRange, view: memoryview) -> int | None:
        patience = Patience(self._settings, self._sleep)
        while True:
            url = self._address.url
            try:
                count = self._ask(url, asked, view)
            except UrlExpired as error:
                self._address.renew(url, error)
            except (RetriableError, IntegrityError) as error:
                patience.survive(error)
            else:
                self._address.worked()
                return count

    def _ask(self, url: PresignedUrl, asked: ByteRange, view: memoryview) -> int | None:
        """Fill the start of ``view`` with an answer; ``None`` where the server sends the whole of a larger file."""
        with self._http.get(url, range_headers(asked, self._pin)) as response:
            verdict = judge_response(asked, response.status, response.headers, self._pin)
            match verdict:
                case Partial(received, pin):
                    length = received.length
                case Whole(pin) if pin.total is not None and pin.total <= asked.length:
                    length = pin.total
                case Complete(pin):
                    length = 0
                case Refused(error):
                    raise error
                case _:
                    return None
            receive(response, length, FixedRoom(view[:length]))
            self._pin = self._pin or pin
            return length
