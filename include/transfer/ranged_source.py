"""A remote file that can be read at any place, so that members of a zip need no temporary file."""

from __future__ import annotations

import io
from threading import Lock
from typing import TYPE_CHECKING, BinaryIO, cast

from include.errors import IntegrityError, RetriableError, UrlExpired
from include.transfer.address import Address, Renew
from include.transfer.body import FixedRoom, receive
from include.transfer.one_file import range_headers
from include.transfer.patience import Patience
from include.transfer.ranges import ByteRange, Complete, Partial, Pin, Refused, Whole, judge_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from include.secret import PresignedUrl
    from include.settings import ArchiveSettings
    from include.transfer.media_http import MediaHttp

STREAM_BLOCK_BYTES = 1024 * 1024


class RangedSource:
    """Reads at any offset, from any thread; ``size`` in bytes, ``etag`` as the server sent it.

    ``is_remote`` is false where the bytes are on this machine, so that reading them twice costs nothing.
    """

    def __init__(
        self, size: int, read: Callable[[int, int], bytes], *, etag: str | None = None, is_remote: bool = False
    ) -> None:
        self.size = size
        self.etag = etag
        self.is_remote = is_remote
        self._read = read

    @classmethod
    def of_file(cls, file: BinaryIO, size: int) -> RangedSource:
        """Read from a local file, which the caller closes."""
        lock = Lock()

        def read(offset: int, length: int) -> bytes:
            with lock:
                file.seek(offset)
                return file.read(length)

        return cls(size, read)

    def read_at(self, offset: int, length: int) -> bytes:
        """Return the bytes ``offset`` to ``offset + length``, fewer only at the end of the file.

        The result is held in memory: the caller bounds ``length``.

        Raises:
            ValueError: when ``offset`` or ``length`` is negative.
            ArchiveError: whatever ``MediaDownloader.fetch`` raises, except ``SourceChanged`` which is never healed
                here, as bytes of the old file are out already.
        """
        if offset < 0 or length < 0:
            raise ValueError("offset and length are not negative")
        length = min(length, self.size - offset)
        return self._read(offset, length) if length > 0 else b""

    def stream(self) -> BinaryIO:
        """Return the file as a seekable stream, read in blocks of ``STREAM_BLOCK_BYTES``."""
        return cast("BinaryIO", io.BufferedReader(_RawSource(self), STREAM_BLOCK_BYTES))


class _RawSource(io.RawIOBase):
    """``RangedSource`` in the shape ``io`` wants."""

    def __init__(self, source: RangedSource) -> None:
        super().__init__()
        self._source = source
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._source.size}[whence]
        if start + offset < 0:
            raise ValueError("seek before the start")
        self._position = start + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]  # Buffer is 3.12's name
        piece = self._source.read_at(self._position, len(buffer))
        buffer[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)


class RangeReader:
    """Reads ranges of one file into memory, with retries; the first answer pins the file.

    ``renew`` gives a fresh URL for one that has grown too old; the pin holds for the new one.
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
        self._first = b""

    def open(self) -> RangedSource | None:
        """Read the first block; ``None`` when the server sends whole files and this one is larger than a block."""
        first = self._persist(ByteRange(0, self._settings.chunk_bytes - 1))
        if first is None or self._pin is None or self._pin.total is None:
            return None
        self._first = first
        return RangedSource(self._pin.total, self.read, etag=self._pin.etag, is_remote=self._pin.total > len(first))

    def read(self, offset: int, length: int) -> bytes:
        """Return exactly these bytes, which lie inside the file.

        Raises:
            ArchiveError: see ``RangedSource.read_at``.
        """
        result = self._first[offset : offset + length]
        while len(result) < length:
            more = self._persist(ByteRange(offset + len(result), offset + length - 1))
            if more is None:
                raise IntegrityError("the server stopped serving ranges")
            result += more
        return result

    def _persist(self, asked: ByteRange) -> bytes | None:
        patience = Patience(self._settings, self._sleep)
        while True:
            url = self._address.url
            try:
                body = self._ask(url, asked)
            except UrlExpired as error:
                self._address.renew(url, error)
            except (RetriableError, IntegrityError) as error:
                patience.survive(error)
            else:
                self._address.worked()
                return body

    def _ask(self, url: PresignedUrl, asked: ByteRange) -> bytes | None:
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
            body = bytearray(length)
            receive(response, length, FixedRoom(memoryview(body)))
            self._pin = self._pin or pin
            return bytes(body)
