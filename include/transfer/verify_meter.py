"""How far a verification is, and how fast: said every few seconds, counted by many threads."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

SAY_SECONDS = 5.0


class Meter:
    """Counts objects and bytes; ``say`` gets a sentence every ``every`` seconds. Thread-safe."""

    def __init__(
        self,
        say: Callable[[str], None] = lambda _: None,
        *,
        every: float = SAY_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.objects = 0
        self.bytes = 0
        self.findings = 0
        self._say = say
        self._every = every
        self._clock = clock
        self._began = self._said = clock()
        self._lock = threading.Lock()

    @property
    def seconds(self) -> float:
        """Return how long it has been counting."""
        return self._clock() - self._began

    def read(self, bytes_: int) -> None:
        """Count bytes that were read and hashed."""
        with self._lock:
            self.bytes += bytes_
            self._speak()

    def judged(self, *, found: bool) -> None:
        """Count an object, and whether something is wrong with it."""
        with self._lock:
            self.objects += 1
            self.findings += found
            self._speak()

    def _speak(self) -> None:
        now = self._clock()
        if now - self._said < self._every:
            return
        self._said = now
        seconds = max(now - self._began, 1e-9)
        read = f", {self.bytes / 1e6:,.0f} MB at {self.bytes / seconds / 1e6:,.1f} MB/s" if self.bytes else ""
        self._say(f"{self.objects:,} objects, {self.objects / seconds:,.0f} a second{read}; {self.findings} wrong")
