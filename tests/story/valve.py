"""A pipe to a TCP port that can be shut: what is behind it is then unreachable, as after a network failure."""

from __future__ import annotations

import socket
from contextlib import suppress
from threading import Lock, Thread
from typing import Self
from urllib.parse import urlsplit


class Valve:
    """Listens on 127.0.0.1 and passes everything on; shuts itself when so many PUT requests have begun."""

    def __init__(self, endpoint_url: str, puts_max: int) -> None:
        target = urlsplit(endpoint_url)
        self._target = (target.hostname, target.port)
        self._puts_left = puts_max
        self._lock = Lock()
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [Thread(target=self._accept, daemon=True)]

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        self._port = self._listener.getsockname()[1]
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shut()
        for thread in self._threads:
            thread.join(5)

    def shut(self) -> None:
        """Refuse new connections and cut those there are."""
        with self._lock:
            everything, self._open = [self._listener, *self._open], []
        for each in everything:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                inner, _ = self._listener.accept()
                outer = socket.create_connection(self._target)
                with self._lock:
                    self._open += [inner, outer]
                for pair in ((inner, outer), (outer, inner)):
                    thread = Thread(target=self._pass_on, args=pair, daemon=True)
                    self._threads.append(thread)
                    thread.start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(65536):
                if piece.startswith(b"PUT ") and self._is_one_too_many():
                    self.shut()
                    return
                sink.sendall(piece)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def _is_one_too_many(self) -> bool:
        with self._lock:
            self._puts_left -= 1
            return self._puts_left < 0
