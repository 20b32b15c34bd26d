"""A scripted HTTP server on a raw socket: it serves bytes with the misbehaviour a test declares.

No HTTP library stands between the test and the wire, so every lie is possible: wrong lengths, half heads, resets.
One behaviour of the script answers one request; when the script is empty, the server is honest.
"""

from __future__ import annotations

import re
import socket
import struct
import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable

SIGNATURE = "c4n4ry51gn4tur3"
"""Stands in every URL's query; no error and no log may show it."""


@dataclass
class Request:
    """One request as it came in."""

    target: str
    headers: dict[str, str]

    @property
    def range(self) -> tuple[int, int]:
        """First and last byte asked for."""
        match = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers["range"])
        assert match is not None
        return int(match[1]), int(match[2])


@dataclass
class Wire:
    """What a behaviour works with: the connection, and the file that should be served."""

    connection: socket.socket
    content: bytes
    etag: str | None
    stopping: threading.Event
    keeps_alive: bool = False

    def send(self, data: bytes) -> None:
        """Put bytes on the wire."""
        self.connection.sendall(data)

    def head(self, status: int, **headers: object) -> None:
        """Send a status line and headers; ``content_length=5`` becomes ``content-length: 5``."""
        lines = [f"HTTP/1.1 {status} Whatever"]
        if not self.keeps_alive:
            headers.setdefault("connection", "close")  # said aloud, or the client may meet the closing connection
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items() if value is not None]
        self.send(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))

    def reset(self) -> None:
        """Close with RST instead of FIN."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def drip(self, data: bytes, gap_seconds: float) -> None:
        """Send byte by byte until the other side goes away."""
        for byte in data:
            if self.stopping.wait(gap_seconds):
                return
            self.send(bytes([byte]))


def honest(request: Request, wire: Wire) -> None:
    """Answer a ranged GET as RFC 9110 wants."""
    total = len(wire.content)
    wanted = request.headers.get("if-match")
    if wanted is not None and wanted != wire.etag:
        wire.head(412, content_length=0)
        return
    first, last = request.range
    if first >= total:
        wire.head(416, content_range=f"bytes */{total}", content_length=0)
        return
    body = wire.content[first : last + 1]
    wire.head(
        206,
        content_range=f"bytes {first}-{first + len(body) - 1}/{total}",
        content_length=len(body),
        content_type="audio/wav",
        etag=wire.etag,
    )
    wire.send(body)


@dataclass
class FaultServer:
    """Serves ``content`` on 127.0.0.1; use in a ``with``."""

    content: bytes
    etag: str | None = '"first"'
    script: deque[Callable[[Request, Wire], None]] = field(default_factory=deque)
    default: Callable[[Request, Wire], None] = honest
    requests: list[Request] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._stopping = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._connections: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for waiting in [self._listener, *self._connections]:
            with suppress(OSError):
                waiting.shutdown(socket.SHUT_RDWR)  # wakes the thread that reads or accepts
        for thread in list(self._threads):
            thread.join(5)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while not self._stopping.is_set():
                connection, _ = self._listener.accept()
                self._connections.append(connection)
                thread = threading.Thread(target=self._serve, args=(connection,))
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(10)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # head and body are sent apart
        with connection, suppress(OSError):
            while (request := self._read(connection)) is not None:
                self.requests.append(request)
                behave = self.script.popleft() if self.script else self.default
                behave(request, Wire(connection, self.content, self.etag, self._stopping, behave is honest))
                if behave is not honest:
                    return

    def _read(self, connection: socket.socket) -> Request | None:
        data = b""
        while b"\r\n\r\n" not in data:
            piece = connection.recv(65536)
            if not piece:
                return None
            data += piece
        line, *rest = data.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
        return Request(line.split(" ")[1], {k.lower(): v.strip() for k, _, v in (item.partition(":") for item in rest)})
