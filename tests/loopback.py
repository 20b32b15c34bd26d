"""Servers of the tests on 127.0.0.1: listening, a thread for each connection, and an end that waits for them."""

from __future__ import annotations

import socket
from contextlib import contextmanager, suppress
from http.server import ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.server import BaseHTTPRequestHandler, HTTPServer


@contextmanager
def listening(server: HTTPServer) -> Iterator[None]:
    """Let a server serve, in a thread of its own, until the ``with`` ends."""
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


class HttpDoor:
    """An HTTP server on a free port, to inherit from; use it in a ``with``."""

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._listening = listening(self._server)

    @property
    def base_url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._listening.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.__exit__(None, None, None)


class TcpDoor:
    """Accepts on a free port and serves each connection in a thread, to inherit from; use it in a ``with``."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._thread = Thread(target=self._accept, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._listener.close()
        self._thread.join(5)

    def arrived(self) -> None:
        """Learn of a connection before it is served."""

    def serve(self, client: socket.socket) -> None:
        """Serve a connection and close it."""
        raise NotImplementedError

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.arrived()
            Thread(target=self.serve, args=(connection,), daemon=True).start()
