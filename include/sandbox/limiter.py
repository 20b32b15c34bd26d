"""The rate limit of one token: so many calls in any 60 seconds (client.credentials.token.rate.per.minute)."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field
from math import ceil
from time import monotonic

WINDOW_SECONDS = 60.0


@dataclass(slots=True)
class Limiter:
    """A sliding window per token. Only the event loop's thread calls it."""

    calls_per_window: int
    _calls: defaultdict[str, deque[float]] = field(default_factory=lambda: defaultdict(deque))

    def retry_after(self, token: str) -> int | None:
        """Count one call of this token; return the whole seconds to wait when it is one too many."""
        now, calls = monotonic(), self._calls[token]
        while calls and calls[0] <= now - WINDOW_SECONDS:
            calls.popleft()
        if len(calls) < self.calls_per_window:
            calls.append(now)
            return None
        return max(1, ceil(calls[0] + WINDOW_SECONDS - now))
