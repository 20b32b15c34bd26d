"""Time that passes only when somebody sleeps."""

from __future__ import annotations

from threading import Lock

from include.genesys.retry import Timekeeping


class VirtualTime:
    """A monotonic clock, a wall clock and a sleep that agree; every sleep is remembered."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.wall_offset = 1_750_000_000.0
        self.slept: list[float] = []
        self.jitter = 0.0
        self._lock = Lock()

    def clock(self) -> float:
        """Return the monotonic time."""
        return self.now

    def wall(self) -> float:
        """Return seconds since 1970."""
        return self.now + self.wall_offset

    def sleep(self, seconds: float) -> None:
        """Let time pass at once."""
        with self._lock:
            self.slept.append(seconds)
            self.now += seconds

    def random(self, low: float, high: float) -> float:
        """Return the chosen point of the range instead of a random one."""
        return low + (high - low) * self.jitter

    @property
    def timekeeping(self) -> Timekeeping:
        """The four functions as the client takes them."""
        return Timekeeping(clock=self.clock, sleep=self.sleep, wall=self.wall, random=self.random)
