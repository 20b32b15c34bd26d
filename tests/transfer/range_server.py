"""An honest server of one file on disk, fast (sendfile) and with a meter: it counts every byte that it sends."""

from __future__ import annotations

import os
import re
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PIECE_BYTES = 64 * 1024


@dataclass
class RangeServer:
    """Serves ``path`` under any URL; use in a ``with``.

    ``bytes_per_second`` is a limit for each connection. ``on_sent`` is told the count of all bytes sent so far.
    One that does not ``honour_if_match`` ignores it, as some S3 gateways do.
    A URL whose query holds ``expires=n`` is refused from the moment on that n bytes were sent.
    """

    path: Path
    etag: str | None = '"first"'
    bytes_per_second: float | None = None
    honour_if_match: bool = True
    on_sent: Callable[[int], None] = lambda _: None
    sent: int = 0
    ranges: list[tuple[int, int]] = field(default_factory=list)
    connections: int = 0

    def __enter__(self) -> Self:
        self._file = os.open(self.path, os.O_RDONLY)
        self.size = os.fstat(self._file).st_size
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        for waiting in [self._listener, *self._sockets]:
            with suppress(OSError):
                waiting.shutdown(socket.SHUT_RDWR)
        for thread in list(self._threads):
            thread.join(5)
        self._listener.close()
        os.close(self._file)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                self._sockets.append(connection)
                thread = threading.Thread(target=self._serve, args=(connection,))
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection, suppress(OSError):
            data = b""
            while True:
                while b"\r\n\r\n" not in data:
                    piece = connection.recv(65536)
                    if not piece:
                        return
                    data += piece
                head, _, data = data.partition(b"\r\n\r\n")
                self._answer(connection, head.decode("latin-1").lower())

    def _answer(self, connection: socket.socket, head: str) -> None:
        expires = re.search(r"expires=(\d+)", head)
        if expires and self.sent >= int(expires[1]):
            self._head(connection, 403, 37)
            connection.sendall(b"<Error><Code>ExpiredToken</Code></E> ")
            return
        wanted = re.search(r"if-match: (\S+)", head)
        if self.honour_if_match and wanted and wanted[1] != self.etag:
            self._head(connection, 412, 0)
            return
        found = re.search(r"range: bytes=(\d+)-(\d+)", head)
        assert found is not None
        first, last = int(found[1]), min(int(found[2]), self.size - 1)
        with self._lock:
            self.ranges.append((first, last))
        self._head(connection, 206, last - first + 1, f"content-range: bytes {first}-{last}/{self.size}")
        self._send(connection, first, last + 1)

    def _head(self, connection: socket.socket, status: int, length: int, *more: str) -> None:
        etag = [f"etag: {self.etag}"] if self.etag else []
        lines = [f"HTTP/1.1 {status} Whatever", f"content-length: {length}", *etag, *more, "", ""]
        connection.sendall("\r\n".join(lines).encode())

    def _send(self, connection: socket.socket, position: int, end: int) -> None:
        begun, count = time.monotonic(), 0
        while position < end:
            sent = os.sendfile(connection.fileno(), self._file, position, min(PIECE_BYTES, end - position))
            position += sent
            count += sent
            with self._lock:
                self.sent += sent
            self.on_sent(self.sent)
            if self.bytes_per_second:
                time.sleep(max(0.0, begun + count / self.bytes_per_second - time.monotonic()))


def marked_file(path: Path, size: int, step: int = 1024 * 1024) -> Path:
    """Make a sparse file whose every stretch of ``step`` bytes is another one."""
    with path.open("wb") as file:
        file.truncate(size)
        for position in range(0, size - 8, step):
            file.seek(position)
            file.write(position.to_bytes(8, "big"))
    return path
