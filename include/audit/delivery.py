"""How far the events of one day have come: what to send next, and what a failed attempt means; pure.

Events stand in a row that only grows. All before ``next`` are delivered, but for those that wait for another attempt
and those that were given up. Events of one recording go in order: while one waits, the later ones wait behind it. An
event that fails holds up no other recording.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


class Trouble(StrEnum):
    """Why an event is undelivered, where the receiver did not say it by a status (``http_503``)."""

    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    MALFORMED_ANSWER = "malformed_answer"
    ADDRESS_REFUSED = "address_refused"
    NOT_IN_LAKE = "not_in_lake"
    BEHIND = "behind"


_FIRST_REFUSAL, _FIRST_FAULT = 300, 500
_TIMES = ("first_at", "not_before")
_PATIENCE_ASKED = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of one request: the reason word why not, empty for success; and the patience it was answered with.

    ``asked_seconds`` is what the receiver wants to be left alone for, 0 where it says nothing.
    """

    reason: str = ""
    asked_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class BackOff:
    """How long until the next attempt, doubled with each, and when an event is given up.

    ``asked_longest_seconds`` bounds what the receiver may ask for: half a day, so that every night tries again.
    """

    first_seconds: float = 1.0
    longest_seconds: float = 3600.0
    asked_longest_seconds: float = 43200.0
    give_up_seconds: float = 7 * 86400.0

    def after(self, attempts: int, asked_seconds: float = 0.0) -> timedelta:
        """Return how long to wait after so many failed attempts, no shorter than the receiver asked for.

        >>> BackOff().after(1), BackOff().after(4), BackOff().after(400)
        (datetime.timedelta(seconds=1), datetime.timedelta(seconds=8), datetime.timedelta(seconds=3600))
        >>> BackOff().after(1, asked_seconds=90)
        datetime.timedelta(seconds=90)
        """
        own = min(self.longest_seconds, self.first_seconds * 2.0 ** min(attempts - 1, 30))
        return max(timedelta(seconds=own), self.granted(asked_seconds))

    def granted(self, asked_seconds: float) -> timedelta:
        """Return how much of the patience that a receiver asks for it gets."""
        return timedelta(seconds=max(0.0, min(asked_seconds, self.asked_longest_seconds)))


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event that failed, or stands behind one that did. Times are aware."""

    attempts: int = 0
    reason: str = Trouble.BEHIND
    first_at: datetime | None = None
    not_before: datetime | None = None

    def failed(self, reply: Reply, now: datetime, rules: BackOff) -> Waiting:
        """Return it after one more failed attempt."""
        attempts = self.attempts + 1
        not_before = now + rules.after(attempts, reply.asked_seconds)
        return Waiting(attempts, reply.reason, self.first_at or now, not_before)

    def to_json(self) -> dict[str, object]:
        """Return what is known."""
        times = {"first_at": self.first_at, "not_before": self.not_before}
        return {"attempts": self.attempts, "reason": str(self.reason)} | {
            name: moment.isoformat() for name, moment in times.items() if moment
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Read what ``to_json`` wrote."""
        times = [datetime.fromisoformat(text) if (text := document.get(name)) else None for name in _TIMES]
        return cls(int(document["attempts"]), str(document["reason"]), *times)


@dataclass(frozen=True, slots=True)
class Backlog:
    """What the receiver has not been told, over all days: how many events, since when, and how many were given up.

    ``oldest_seconds`` is the time since the bucket took the oldest recording that nobody was told of, 0 for none.
    """

    undelivered: int = 0
    oldest_seconds: float = 0.0
    dead: int = 0


def is_refusal(reason: str) -> bool:
    """Whether the receiver said no to this very request, which sending it to a healthier receiver would not change.

    >>> is_refusal("http_422"), is_refusal("http_302"), is_refusal("http_429"), is_refusal("unreachable")
    (True, True, False, False)
    """
    status = int(reason.removeprefix("http_")) if reason.startswith("http_") else 0
    return _FIRST_REFUSAL <= status < _FIRST_FAULT and status not in _PATIENCE_ASKED


@dataclass(slots=True)
class Delivery:
    """The state of one day's row of events; positions count from 0."""

    next: int = 0
    waiting: dict[int, Waiting] = field(default_factory=dict)
    dead: dict[int, Waiting] = field(default_factory=dict)

    def is_finished(self, events: int) -> bool:
        """Whether nothing is left to send of so many events; what was given up is not."""
        return self.next >= events and not self.waiting

    def due(self, subjects: Sequence[str], now: datetime, at_most: int) -> list[int]:
        """Return the positions to send next in one request, none when nothing is due yet.

        New events first: those that fail again and again must not keep them from being sent.
        """
        return self._fresh(subjects, at_most) or self._again(subjects, now, at_most)

    def settle(self, positions: Iterable[int]) -> None:
        """Take note that these need no sending any more."""
        for position in positions:
            self.waiting.pop(position, None)
            self.next = max(self.next, position + 1)

    def fail(self, positions: Iterable[int], reply: Reply, now: datetime, rules: BackOff) -> None:
        """Take note of a failed attempt, and give up what has failed for too long."""
        for position in positions:
            failed = self.waiting.pop(position, Waiting()).failed(reply, now, rules)
            self.next = max(self.next, position + 1)
            too_long = failed.first_at and now - failed.first_at >= timedelta(seconds=rules.give_up_seconds)
            (self.dead if too_long else self.waiting)[position] = failed

    def revive(self) -> None:
        """Let everything that was given up, or waits, be tried at once and anew."""
        afresh = {position: replace(item, not_before=None) for position, item in self.waiting.items()}
        self.waiting = afresh | {position: Waiting(reason=item.reason) for position, item in self.dead.items()}
        self.dead = {}

    @property
    def soonest(self) -> datetime | None:
        """When the next of those that wait is due; ``None`` where none waits for a time."""
        return min((item.not_before for item in self.waiting.values() if item.not_before), default=None)

    def _fresh(self, subjects: Sequence[str], at_most: int) -> list[int]:
        blocked = {subjects[position] for position in self.waiting}
        found: list[int] = []
        for position in range(self.next, len(subjects)):
            if len(found) == at_most:
                break
            if subjects[position] not in blocked:
                found.append(position)
            elif found:
                break
            else:
                self.waiting[position] = Waiting()
                self.next = position + 1
        return found

    def _again(self, subjects: Sequence[str], now: datetime, at_most: int) -> list[int]:
        found: list[int] = []
        blocked = set()
        for position in sorted(self.waiting):
            item, subject = self.waiting[position], subjects[position]
            if subject in blocked:
                continue
            blocked.add(subject)
            if item.not_before is not None and item.not_before > now:
                continue
            if is_refusal(item.reason):
                # Alone: one that the receiver will never take must not take the others of its batch with it.
                if not found:
                    return [position]
                continue
            found.append(position)
            if len(found) == at_most:
                break
        return found
