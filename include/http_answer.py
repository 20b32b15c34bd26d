"""One HTTP/1.1 answer off a socket: its head, then its body straight into the reader's own memory. Strict and bounded.

``http.client`` makes an e-mail message of every head and urllib3 wraps that again: with the request they cost more
processor time than everything else that is done to a recording of 1 MB (measured, ADR 17). Below a connection that
urllib3 opened (addresses, TLS, proxies are its work), this is all of HTTP that a GET and a PUT need (RFC 9112).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

HEAD_BYTES_MAX = 64 * 1024
"""Of one answer, interim ones (RFC 9110, 15.2) included."""

_BLOCK_BYTES = 4096
_LINE_BYTES_MAX = 4096
_FRAMING_BYTES_FREE, _FRAMING_SHARE_MAX = 64 * 1024, 16
"""Chunks of one byte are six on the line. With extensions thousands can be, and a pace that counts what arrives is kept
by an answer of which nothing comes."""
_END = b"\r\n\r\n"
_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9]{2})(?: [^\r\n]*)?\Z")
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\Z")
_SWITCHING_PROTOCOLS = 101
_WITHOUT_BODY = frozenset({204, 304})


class MalformedAnswerError(Exception):
    """What came is no HTTP/1.1, or more of it than any server needs."""


class NoAnswerError(ConnectionResetError):
    """The server closed before the first byte of its answer."""


class CutAnswerError(ConnectionError):
    """The connection ended inside the framing of the answer."""


class HttpAnswer:
    """An answer whose head is read. ``headers`` have names in small letters; repeated ones are joined by commas.

    Args:
        receive: fills the start of a view with what arrives next and returns how many bytes that were, 0 at the end of
            the connection. Its errors pass through.
        method: of the request; an answer to HEAD has no body.
        fill: the same, for bytes of the body that are known to come; it may wait until the view is full.

    Raises:
        NoAnswerError, CutAnswerError: the connection ended before or inside the head.
        MalformedAnswerError: the head is none, or too long.
    """

    def __init__(
        self, receive: Callable[[memoryview], int], method: str, fill: Callable[[memoryview], int] | None = None
    ) -> None:
        self._receive = receive
        self._fill = fill or receive
        self._held = memoryview(b"")
        self.status = 0
        self.headers: dict[str, str] = {}
        self._is_http_1_0 = False
        self._read_head()
        self._chunked = False
        self._left: int | None = None
        self._behind_chunk = False
        self._framing_left = _FRAMING_BYTES_FREE
        self._is_cut = False
        self.ended = False
        self._frame(method)

    def readinto(self, view: memoryview) -> int:
        """Read body bytes that have arrived into the start of ``view``; 0 at its end, or where it was cut short.

        Raises:
            CutAnswerError, MalformedAnswerError: when the framing of a chunked body breaks.
        """
        if self.ended or self._is_cut or not view:
            return 0
        if self._chunked and not self._left and not self._next_chunk():
            return 0
        wanted = view if self._left is None else view[: self._left]
        count = self._take(wanted)
        if count == 0:
            if self._chunked:
                raise CutAnswerError("the connection ended inside a chunk")
            self.ended = self._left is None
            self._is_cut = True
            return 0
        if self._left is not None:
            self._left -= count
            self.ended = not self._chunked and self._left == 0
            self._framing_left += count * _FRAMING_SHARE_MAX
            # Its line end is read with the next chunk: where that never comes, these bytes are good all the same.
            self._behind_chunk = self._chunked and self._left == 0
        return count

    @property
    def keeps_connection(self) -> bool:
        """Whether another request may follow: the body was read to a proven end, and nothing lies behind it."""
        said = self.headers.get("connection", "").lower()
        stays = "keep-alive" in said if self._is_http_1_0 else "close" not in said
        return stays and self.ended and not self._is_cut and not self._held

    def _read_head(self) -> None:
        head, missing = self._head_block(HEAD_BYTES_MAX)
        while True:
            lines = head.split(b"\r\n")
            status_line = _STATUS_LINE.match(lines[0])
            if status_line is None:
                raise MalformedAnswerError("the answer does not begin with a status line")
            self._is_http_1_0, self.status = status_line[1] == b"0", int(status_line[2])
            if self.status >= 200:  # noqa: PLR2004 - below it another answer follows (RFC 9110, 15.2)
                break
            if self.status == _SWITCHING_PROTOCOLS:
                raise MalformedAnswerError("the server switches to a protocol that nobody asked for")
            head, missing = self._head_block(missing)
        self.headers = _fields(lines[1:])

    def _head_block(self, bytes_max: int) -> tuple[bytes, int]:
        """Return the bytes up to an empty line, and how many more a next block may have."""
        received = bytearray(self._held)
        searched = 0
        while (end := received.find(_END, searched)) < 0 and len(received) <= bytes_max:
            searched = max(0, len(received) - len(_END) + 1)
            block = bytearray(_BLOCK_BYTES)
            count = self._receive(memoryview(block))
            if count == 0:
                raise CutAnswerError("inside the head") if received or bytes_max < HEAD_BYTES_MAX else NoAnswerError
            received += memoryview(block)[:count]
        if not 0 <= end <= bytes_max:
            raise MalformedAnswerError("the head of the answer has no end")
        self._held = memoryview(received)[end + len(_END) :]
        return bytes(received[:end]), bytes_max - end

    def _frame(self, method: str) -> None:
        """Find out where the body ends (RFC 9112, 6.3)."""
        if method == "HEAD" or self.status in _WITHOUT_BODY:
            self.ended = True
        elif "transfer-encoding" in self.headers:
            # Any other coding ends with the connection; whether it is welcome is for the caller.
            self._chunked = self.headers["transfer-encoding"].lower() == "chunked"
            self._left = 0 if self._chunked else None
        else:
            length = self.headers.get("content-length", "")
            self._left = int(length) if length.isdecimal() and length.isascii() and len(length) < 20 else None  # noqa: PLR2004
            self.ended = self._left == 0

    def _next_chunk(self) -> bool:
        if self._behind_chunk and self._line():
            raise MalformedAnswerError("a chunk is longer than its size")
        self._behind_chunk = False
        size = _CHUNK_SIZE.match(self._line())
        if size is None:
            raise MalformedAnswerError("a chunk without a size")
        self._left = int(size[1], 16)
        if self._left:
            return True
        for _ in range(_LINE_BYTES_MAX):
            if not self._line():
                self.ended = True
                return False
        raise MalformedAnswerError("trailers without an end")

    def _line(self) -> bytes:
        line = bytearray()
        while not line.endswith(b"\r\n"):
            if len(line) > _LINE_BYTES_MAX:
                raise MalformedAnswerError("a line of a chunked body has no end")
            if not self._held:
                block = memoryview(bytearray(_BLOCK_BYTES))
                self._held = block[: self._receive(block)]
            if not self._held:
                raise CutAnswerError("the connection ended between chunks")
            end = bytes(self._held).find(b"\n") + 1 or len(self._held)
            line += self._held[:end]
            self._held = self._held[end:]
        self._framing_left -= len(line)
        if self._framing_left < 0:
            raise MalformedAnswerError("more framing than body")
        return bytes(line[:-2])

    def _take(self, view: memoryview) -> int:
        if not self._held:
            return self._receive(view) if self._left is None else self._fill(view)
        count = min(len(view), len(self._held))
        view[:count] = self._held[:count]
        self._held = self._held[count:]
        return count


def _fields(lines: list[bytes]) -> dict[str, str]:
    """Read header lines; folded ones (RFC 9112, 5.2) are refused, as they have no name of their own."""
    fields: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon or not _NAME.match(name):
            raise MalformedAnswerError("a header line without a name")
        if _CONTROL.search(value):  # some come back to the server, as If-Match
            raise MalformedAnswerError("a header holds control characters")
        key, text = name.decode("ascii").lower(), value.strip(b" \t").decode("latin-1")
        fields[key] = f"{fields[key]}, {text}" if key in fields else text
    return fields
