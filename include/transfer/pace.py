"""A response that may be slow, but not for ever.

A read time-out measures one silence; a server that sends one byte before each time-out holds a worker all night. So
the whole wait is bounded: at any moment the time spent waiting for the source must be at most the grace plus the
time its bytes were worth at the slowest permitted rate. Time the caller spends on the bytes does not count.
"""

from __future__ import annotations

import http.client
import io
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import socket

    from _typeshed import WriteableBuffer


@dataclass(slots=True)
class Pace:
    """How long one response has been waited for, and how long it may be."""

    grace_seconds: float
    minimum_bytes_per_second: float
    begun_at: float = field(default_factory=time.monotonic)
    waited_seconds: float = 0.0
    body_bytes: int = 0
    in_body: bool = False

    @property
    def seconds_left(self) -> float:
        """How much longer to wait now; zero or less when the source is too slow."""
        if not self.in_body:
            # By the wall clock, and bytes earn nothing: an endless head may come at full speed.
            return self.grace_seconds - (time.monotonic() - self.begun_at)
        return self.grace_seconds + self.body_bytes / self.minimum_bytes_per_second - self.waited_seconds

    def record(self, seconds: float, count: int) -> None:
        """Add one wait for the body."""
        if self.in_body:
            self.waited_seconds += seconds
            self.body_bytes += count


class PacedReader(io.RawIOBase):
    """The bytes of one response, read from its socket at no less than the pace.

    Sits below the HTTP parser, so that a drip inside a status line, a header or a chunk size is seen too.
    """

    def __init__(self, raw: io.RawIOBase, connection: socket.socket, pace: Pace) -> None:
        super().__init__()
        self._raw = raw
        self._connection = connection
        self._pace = pace
        self._silence_seconds = self._timeout = connection.gettimeout()

    def readable(self) -> bool:
        """Bytes can be read, and nothing else."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int | None:
        """Read what is there.

        Raises:
            TimeoutError: when the source fell silent, or is slower than the pace.
        """
        left = self._pace.seconds_left
        if left <= 0:
            raise TimeoutError("slower than the minimum rate")
        timeout = left if self._silence_seconds is None else min(self._silence_seconds, left)
        if timeout != self._timeout:  # a system call that a source at a good rate never needs
            self._connection.settimeout(timeout)
            self._timeout = timeout
        begun = time.monotonic()
        count = self._raw.readinto(buffer)
        self._pace.record(time.monotonic() - begun, count or 0)
        return count

    def close(self) -> None:
        """Close the socket's file."""
        self._raw.close()
        super().close()


class PacedResponse(http.client.HTTPResponse):
    """An ``http.client`` response whose every read is paced.

    Args:
        sock: the connection, its request already sent.
        limits: grace in seconds, and bytes per second.
    """

    def __init__(self, sock: socket.socket, limits: tuple[float, float], **kwargs: Any) -> None:  # noqa: ANN401 - http.client's own
        super().__init__(sock, **kwargs)
        self._pace = Pace(*limits)
        raw = self.fp.detach()
        self.fp = io.BufferedReader(PacedReader(raw, sock, self._pace))

    def begin(self) -> None:
        """Read the head, then let the body earn its time."""
        super().begin()
        self._pace.in_body = True

    def receive(self, view: memoryview) -> int:
        """Read what has arrived straight into ``view``; 0 at the end of the body, or where it was cut.

        ``http.client`` has only a ``readinto`` that waits until the view is full, and loses what it holds when the
        connection breaks meanwhile; its other reads allocate.
        """
        if self.fp is None:
            return 0
        if self.chunked:
            piece = self.read1(len(view))
            view[: len(piece)] = piece
            return len(piece)
        wanted = len(view) if self.length is None else min(len(view), self.length)
        count = self.fp.readinto1(view[:wanted])
        if self.length is not None:
            self.length -= count
        if count == 0 or self.length == 0:
            self._close_conn()  # type: ignore[attr-defined] # as http.client's own readinto ends a body
        return count
