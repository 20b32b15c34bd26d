"""A door in front of a server: it counts what passes, springs the trap, and pins what no two runs have in common.

Pinned are the id of a batch job (the same question is given the same job) and the times at which the bucket says that
it took an object. Both are facts of custody and stand in the lake's documents, so that two runs of the same day could
not be compared byte by byte.
"""

from __future__ import annotations

import re
import socket
from contextlib import suppress
from threading import Condition, Lock
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.faults.crash_points import Trap, When, kind_of
from tests.lake.cutting_proxy import read_request
from tests.loopback import TcpDoor

if TYPE_CHECKING:
    from datetime import datetime

PATIENCE_SECONDS = 60.0
_MODIFIED = re.compile(rb"(?<=<LastModified>)[^<]+(?=</LastModified>)")


class Gate(TcpDoor):
    """Forwards whole requests to one server. ``trap`` and ``pinned_at`` may be changed between two runs."""

    def __init__(self, upstream_url: str) -> None:
        super().__init__()
        parts = urlsplit(upstream_url)
        self._upstream = (str(parts.hostname), int(parts.port or 80))
        self.trap = Trap()
        self.pinned_at: datetime | None = None
        self._jobs: dict[bytes, bytes] = {}
        self._submitting = Lock()
        self._inside = 0
        self._left = Condition()

    def is_empty(self) -> bool:
        """Wait until nothing is on its way: a request outlives whoever sent it."""
        with self._left:
            return self._left.wait_for(lambda: not self._inside, PATIENCE_SECONDS)

    def arrived(self) -> None:
        """Count it before it is served, or ``is_empty`` would overlook it."""
        with self._left:
            self._inside += 1

    def serve(self, client: socket.socket) -> None:
        """Pass one request on."""
        try:
            with client, suppress(OSError):
                client.settimeout(PATIENCE_SECONDS)
                self._pass(client, read_request(client))
        finally:
            with self._left:
                self._inside -= 1
                self._left.notify_all()

    def _pass(self, client: socket.socket, request: bytes) -> None:
        line, _, rest = request.partition(b"\r\n")
        method, target, _ = line.decode().split(" ")
        kind, trap = kind_of(method, target), self.trap
        fate = trap.passes(kind)
        if fate is When.HALF_SENT:
            self._send_half(request)
        if fate in {When.BEFORE, When.HALF_SENT}:
            trap.spring()
            return
        if kind == "list":
            # An answer to HTTP/1.0 comes in one piece, so that no time in it is cut in two.
            request = b" ".join((method.encode(), target.encode(), b"HTTP/1.0")) + b"\r\n" + rest
        reply = self._submitted(request) if kind == "submit" else self._forwarded(request)
        if kind == "list" and self.pinned_at is not None:
            reply = _MODIFIED.sub(self._pinned, reply)
        if fate is When.HALF_READ:
            client.sendall(reply[: len(reply) // 2])
        if fate is None:
            client.sendall(reply)
        else:
            trap.spring()

    def _pinned(self, found: re.Match[bytes]) -> bytes:
        """Return the pinned time at the length of the other: the server has said how long its answer is."""
        moment = f"{self.pinned_at:%Y-%m-%dT%H:%M:%S}"
        return (moment + ("Z" if len(found[0]) == 20 else f".{'0' * (len(found[0]) - 21)}Z")).encode()

    def _submitted(self, request: bytes) -> bytes:
        question = request.partition(b"\r\n\r\n")[2]
        with self._submitting:
            if question not in self._jobs:
                reply = self._forwarded(request)
                if not reply.startswith(b"HTTP/1.1 2"):
                    return reply
                self._jobs[question] = reply
            return self._jobs[question]

    def _forwarded(self, request: bytes) -> bytes:
        with socket.create_connection(self._upstream, timeout=PATIENCE_SECONDS) as server:
            server.sendall(request)
            return b"".join(iter(lambda: server.recv(65536), b""))

    def _send_half(self, request: bytes) -> None:
        with socket.create_connection(self._upstream, timeout=PATIENCE_SECONDS) as server:
            head, mark, body = request.partition(b"\r\n\r\n")
            server.sendall(head + mark + body[: len(body) // 2])
