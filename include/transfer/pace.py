"""A response that may be slow, but not for ever.

A read time-out measures one silence; a server that sends one byte before each time-out holds a worker all night. So
the whole wait is bounded: at any moment the time spent waiting for the source must be at most the grace plus the
time its bytes were worth at the slowest permitted rate. Time the caller spends on the bytes does not count.
"""

from __future__ import annotations

import os
import socket
import time
from dataclasses import dataclass, field


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


class PacedSocket:
    """What arrives on a connection, at no less than the pace.

    Sits below the HTTP parser, so that a drip inside a status line, a header or a chunk size is seen too.
    """

    def __init__(self, connection: socket.socket, pace: Pace) -> None:
        self._connection = connection
        self._pace = pace
        self._silence_seconds = self._timeout = connection.gettimeout()
        is_plain = type(connection) is socket.socket and self._timeout is not None
        self._fd = connection.fileno() if is_plain else None

    def receive(self, view: memoryview) -> int:
        """Read what is there into the start of ``view``; 0 at the end of the connection.

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
        count = self._arrived(view)
        self._pace.record(time.monotonic() - begun, count)
        return count

    def _arrived(self, view: memoryview) -> int:
        # A socket with a time-out is asked whether something has come before it is read; in a body it mostly has. One
        # system call less, which hands the interpreter to another thread. TLS reads first by itself.
        if self._fd is not None and self._pace.in_body:
            try:
                return os.readv(self._fd, [view])
            except BlockingIOError:
                pass
        return self._connection.recv_into(view)
