"""A deadline and a minimum speed for everything read from a socket.

A read time-out alone bounds one ``recv``: a server that sends a byte now and then, in the headers or in the body,
keeps every common HTTP client waiting for as long as it likes. Here each ``recv`` asks the ``Pace`` of the running
exchange how long it may still wait.
"""

from __future__ import annotations

import io
from contextlib import contextmanager
from contextvars import ContextVar
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

SHORTEST_WAIT_SECONDS = 0.001
"""A socket time-out of zero would mean "do not block", not "no time left"."""


class Pace:
    """How long one exchange may still wait.

    ``deadline_at`` is a moment of ``clock``. The minimum speed counts from the first byte, after a grace: a query may
    think before it answers, an answer that has begun must flow.
    """

    def __init__(
        self,
        *,
        deadline_at: float,
        read_seconds: float,
        bytes_per_second_min: float,
        grace_seconds: float,
        clock: Callable[[], float],
    ) -> None:
        self._deadline_at = deadline_at
        self._read_seconds = read_seconds
        self._bytes_per_second_min = bytes_per_second_min
        self._grace_seconds = grace_seconds
        self._clock = clock
        self._first_byte_at: float | None = None
        self._received = 0

    def allowance(self) -> float:
        """Return the seconds that the next read may take.

        Raises:
            TimeoutError: when the deadline has passed or the answer trickles.
        """
        now = self._clock()
        if now >= self._deadline_at:
            raise TimeoutError("the deadline passed before the answer was complete")
        if self._too_slow(now):
            raise TimeoutError("the answer came slower than the minimum speed")
        return max(SHORTEST_WAIT_SECONDS, min(self._read_seconds, self._deadline_at - now))

    def received(self, count: int) -> None:
        """Take note of ``count`` bytes that arrived."""
        if self._first_byte_at is None:
            self._first_byte_at = self._clock()
        self._received += count

    def _too_slow(self, now: float) -> bool:
        if self._first_byte_at is None:
            return False
        flowing = now - self._first_byte_at
        return flowing > self._grace_seconds and self._received < flowing * self._bytes_per_second_min


_PACE: ContextVar[Pace] = ContextVar("genesys_pace")


@contextmanager
def paced(pace: Pace) -> Iterator[None]:
    """Let ``pace`` rule every read of this thread inside the block."""
    token = _PACE.set(pace)
    try:
        yield
    finally:
        _PACE.reset(token)


class PacedAdapter(HTTPAdapter):
    """An adapter for ``requests`` whose connections read under the ``Pace`` in force; it never retries by itself."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the signature of requests
        """Build the pool manager with paced connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PacedHttpPool, "https": _PacedHttpsPool}


class _PacedRaw(io.RawIOBase):
    """The raw stream of a socket, each read bounded by the pace."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        super().__init__()
        self._raw = raw
        self._sock = sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:  # noqa: ANN401 - any writable buffer, as in io
        pace = _PACE.get()
        self._sock.settimeout(pace.allowance())
        count = self._raw.readinto(buffer)
        pace.received(count or 0)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _PacedSocket:
    """What ``HTTPResponse`` needs of a socket: a file to read."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def makefile(self, _mode: str) -> io.BufferedReader:
        raw = self._sock.makefile("rb", buffering=0)
        return io.BufferedReader(_PacedRaw(raw, self._sock))


class _PacedResponse(HTTPResponse):
    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the signature of http.client
        super().__init__(_PacedSocket(sock), *args, **kwargs)  # type: ignore[arg-type]  # only makefile is used


class _PacedHttp(HTTPConnection):
    response_class = _PacedResponse


class _PacedHttps(HTTPSConnection):
    response_class = _PacedResponse


class _PacedHttpPool(HTTPConnectionPool):
    ConnectionCls = _PacedHttp


class _PacedHttpsPool(HTTPSConnectionPool):
    ConnectionCls = _PacedHttps
