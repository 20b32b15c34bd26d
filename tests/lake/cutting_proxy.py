"""A TCP proxy in front of the S3 server that loses or damages one request or one reply, where it is told to."""

from __future__ import annotations

import socket
from collections import defaultdict
from contextlib import suppress
from threading import Event
from urllib.parse import urlsplit

from tests.loopback import TcpDoor

HEAD_END = b"\r\n\r\n"
BEFORE = "before"
AFTER = "after"
FLIPPED = "flipped"


class CuttingProxy(TcpDoor):
    """Forwards whole requests; ``cut(when, method)`` makes it hang up ``before`` or ``after`` the server saw one.

    ``cut(FLIPPED, method)`` lets one through with one bit of its last byte turned over.
    """

    def __init__(self, upstream_url: str) -> None:
        super().__init__()
        parts = urlsplit(upstream_url)
        self._upstream = (str(parts.hostname), int(parts.port or 80))
        self._cuts: dict[tuple[str, str], list[int]] = defaultdict(list)
        self._hold: tuple[str, int] | None = None
        self._released = Event()
        self.held = Event()
        self.seen: list[str] = []

    def cut(self, when: str, method: str, *, skip: int = 0) -> None:
        """Lose the next request of this method, or its reply; ``skip`` lets so many through before."""
        self._cuts[when, method].append(skip)

    def hold(self, method: str, *, after: int) -> None:
        """Let so many requests of this method through, and answer no later one before the proxy ends; set ``held``."""
        self._hold = (method, after)

    def __exit__(self, *_: object) -> None:
        self._released.set()
        super().__exit__()

    def serve(self, client: socket.socket) -> None:
        """Pass one request on, as far as nothing was said against it."""
        with client, suppress(OSError):
            client.settimeout(10)
            request = read_request(client)
            method = request.partition(b" ")[0].decode()
            self.seen.append(method)
            if self._hold is not None and self._hold[0] == method and self.seen.count(method) > self._hold[1]:
                self.held.set()
                self._released.wait(60)
                return
            if self._takes((BEFORE, method)):
                return
            if self._takes((FLIPPED, method)):
                request = request[:-1] + bytes([request[-1] ^ 1])
            with socket.create_connection(self._upstream, timeout=10) as server:
                server.sendall(request)
                reply = b"".join(iter(lambda: server.recv(65536), b""))
            if not self._takes((AFTER, method)):
                client.sendall(reply)

    def _takes(self, cut: tuple[str, str]) -> bool:
        waiting = self._cuts[cut]
        if 0 in waiting:
            waiting.remove(0)
            return True
        waiting[:] = [skip - 1 for skip in waiting]
        return False


def read_request(client: socket.socket) -> bytes:
    """Return one request, made to close the connection; boto3 waits for 100 before it sends a body."""
    received = b""
    while HEAD_END not in received:
        received += _some(client)
    head, _, body = received.partition(HEAD_END)
    lines = head.split(b"\r\n")
    names = {line.partition(b":")[0].lower(): line.partition(b":")[2].strip() for line in lines[1:]}
    if b"expect" in names:
        client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    while len(body) < int(names.get(b"content-length", b"0")):
        body += _some(client)
    kept = [line for line in lines if not line.lower().startswith((b"expect:", b"connection:"))]
    return b"\r\n".join([*kept, b"Connection: close"]) + HEAD_END + body


def _some(client: socket.socket) -> bytes:
    chunk = client.recv(65536)
    if not chunk:
        raise ConnectionResetError
    return chunk
