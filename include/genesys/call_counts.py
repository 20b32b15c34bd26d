"""How many calls were made and how long was waited: numbers for reports and metrics."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from threading import Lock


@dataclass(frozen=True, slots=True)
class CallCounts:
    """The counts at one moment. ``calls`` maps ``METHOD endpoint-template`` to requests that were sent."""

    calls: dict[str, int] = field(default_factory=dict)
    retries: int = 0
    rate_limited: int = 0
    token_requests: int = 0
    seconds_waited: float = 0.0

    @property
    def total(self) -> int:
        """Requests sent to the API, retries included, token requests not."""
        return sum(self.calls.values())

    def since(self, earlier: CallCounts) -> CallCounts:
        """Return what was added after ``earlier``, a snapshot of the same counter.

        >>> CallCounts({"GET /x": 3}, retries=2).since(CallCounts({"GET /x": 1}, retries=2))
        CallCounts(calls={'GET /x': 2}, retries=0, rate_limited=0, token_requests=0, seconds_waited=0.0)
        """
        return CallCounts(
            calls={name: count - earlier.calls.get(name, 0) for name, count in self.calls.items()},
            retries=self.retries - earlier.retries,
            rate_limited=self.rate_limited - earlier.rate_limited,
            token_requests=self.token_requests - earlier.token_requests,
            seconds_waited=self.seconds_waited - earlier.seconds_waited,
        )

    def sentence(self) -> str:
        """Return it for the log of a person.

        >>> CallCounts({"GET /api/v2/users": 2}, retries=1).sentence()
        '2 API calls (2 GET /api/v2/users), 1 retries, 0 rate limited, 0.0 s waited'
        """
        calls = ", ".join(f"{count} {endpoint}" for endpoint, count in self.calls.items())
        return (
            f"{self.total} API calls ({calls}), {self.retries} retries, {self.rate_limited} rate limited, "
            f"{self.seconds_waited:.1f} s waited"
        )


class CallCounter:
    """Counts across threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._calls: Counter[str] = Counter()
        self._events: Counter[str] = Counter()
        self._seconds_waited = 0.0

    def call(self, endpoint: str) -> None:
        """Count one request that is about to be sent."""
        with self._lock:
            self._calls[endpoint] += 1

    def event(self, name: str) -> None:
        """Count a ``retries``, ``rate_limited`` or ``token_requests`` event."""
        with self._lock:
            self._events[name] += 1

    def waited(self, seconds: float) -> None:
        """Add time spent waiting for the budget or before a retry."""
        with self._lock:
            self._seconds_waited += seconds

    def snapshot(self) -> CallCounts:
        """Return the counts so far."""
        with self._lock:
            return CallCounts(
                calls=dict(sorted(self._calls.items())),
                retries=self._events["retries"],
                rate_limited=self._events["rate_limited"],
                token_requests=self._events["token_requests"],
                seconds_waited=self._seconds_waited,
            )
