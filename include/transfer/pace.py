"""A response that may be slow, but not for ever.

A read time-out measures one silence; a server that sends one byte before each time-out holds a worker all night. So
the whole wait is bounded: at any moment the time spent waiting for the source must be at most the grace plus the
time its bytes were worth at the slowest permitted rate. Time the caller spends on the bytes does not count.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from include.socket_calls import give_up_after, receive

if TYPE_CHECKING:
    import socket

_STEP_SECONDS = 0.25
"""How exactly the kernel is told what is left of the grace."""


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


def _rounded(seconds: float) -> float:
    """Return no more than ``seconds``, and mostly the same as a moment ago, which needs not be told to the kernel."""
    return seconds // _STEP_SECONDS * _STEP_SECONDS or seconds


class PacedSocket:
    """What arrives on a connection, at no less than the pace.

    Sits below the HTTP parser, so that a drip inside a status line, a header or a chunk size is seen too.
    ``silence_seconds`` is how long nothing may come.
    """

    def __init__(self, connection: socket.socket, pace: Pace, silence_seconds: float) -> None:
        self._connection = connection
        self._pace = pace
        self._silence_seconds = silence_seconds
        self._timeout = 0.0
        self._limit()

    def receive(self, view: memoryview) -> int:
        """Read what is there into the start of ``view``; 0 at the end of the connection.

        Raises:
            TimeoutError: when the source fell silent, or is slower than the pace.
        """
        return self._paced(view, whole=False)

    def fill(self, view: memoryview) -> int:
        """Fill ``view``, or as much of it as comes in time; raises as ``receive``."""
        return self._paced(view, whole=True)

    def _paced(self, view: memoryview, *, whole: bool) -> int:
        self._limit()
        begun = time.monotonic()
        count = receive(self._connection, view, whole=whole)
        self._pace.record(time.monotonic() - begun, count)
        return count

    def _limit(self) -> None:
        left = self._pace.seconds_left
        if left <= 0:
            raise TimeoutError("slower than the minimum rate")
        timeout = min(self._silence_seconds, _rounded(left))
        if timeout != self._timeout:  # a system call that a source at a good rate never needs
            give_up_after(self._connection, timeout)
            self._timeout = timeout
