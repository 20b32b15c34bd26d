"""Delivers what the outbox holds: the days of a run, and whatever earlier runs could not get rid of.

Stands behind the archive and never in its way: it only reads evidence, writes one document a day, and a receiver that
is away costs a run no more than the patience of its settings.
"""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from include.audit.delivery import Backlog, Reply, Trouble, is_refusal
from include.lake import key_reading, layout
from include.local_day import LocalDay
from include.transfer.day_outbox import DayOutbox, delivered_before, open_outbox

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from include.lake.store import LakeStore
    from include.transfer.webhook_settings import WebhookSettings

log = logging.getLogger(__name__)
CHECKPOINT_REQUESTS = 50
"""Requests between two writes of the document: as many events, or batches of them, may come twice after a crash."""
FAULTS_MAX = 3
"""Attempts in a row that found no working receiver; asking it more often would tell nothing new."""
FAILURES_MAX = 20
"""Failures of any kind in a row; so many mean the receiver, a wrong key for one, and not the events."""
READERS = 16
NOTHING_LEFT = Backlog()
NAMED_MAX = 20


class Receiver(Protocol):
    """Whoever takes the events."""

    def send(self, event_id: str, body: bytes) -> Reply:
        """Send one request and return what came of it."""


class Clock(Protocol):
    """What time it is (aware), and how to let it pass."""

    def now(self) -> datetime:
        """Return the time."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a run came to for one day. ``given_up`` names those events."""

    date: str
    sent: int
    waiting: int
    dead: int
    reasons: tuple[str, ...] = ()
    given_up: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return the counts, for XCom."""
        return {"date": self.date, "sent": self.sent, "waiting": self.waiting, "dead": self.dead}

    def sentence(self) -> str:
        """Return it for the log of a person."""
        why = f" ({', '.join(self.reasons)})" if self.reasons else ""
        return f"{self.date}: {self.sent} events delivered, {self.waiting} undelivered{why}, {self.dead} given up."


@dataclass(slots=True)
class Outbox:
    """The events of one lake on their way to one receiver."""

    lake: LakeStore
    org: str
    zone: ZoneInfo
    settings: WebhookSettings
    receiver: Receiver
    clock: Clock
    faults: int = 0
    failures: int = 0
    left_alone_until: datetime | None = None
    backlog: Backlog = NOTHING_LEFT
    """What was left when ``deliver`` ended."""

    def deliver(self, dates: Collection[str], *, revive: bool = False) -> list[Delivered]:
        """Deliver what these days and the unfinished ones have; a day of which nothing is left is not mentioned.

        Raises:
            IntegrityError: when a commit, a manifest or a document of the outbox was altered.
            RetriableError, PermanentError: as the lake raises them. The receiver makes nothing fail.
        """
        end = self.clock.now() + timedelta(seconds=self.settings.webhook_run_seconds)
        documents = written_days(self.lake)
        wanted = sorted({*dates, *(date for date, (is_delivered, _) in documents.items() if not is_delivered)})
        opened = (open_outbox(self.lake, self.org, LocalDay.of(date, self.zone), revive=revive) for date in wanted)
        boxes = [box for box in opened if box is not None]
        for box in boxes:
            # Before the first request: a run that dies in the middle leaves the day among the unfinished ones.
            box.save()
        slept, pause = 0.0, 1.0
        while True:
            self.faults = self.failures = 0
            for box in boxes:
                self._pass(box, end)
            left = self._pause(boxes, pause)
            over = all(box.is_finished for box in boxes) or self.clock.now() >= end
            if over or slept + left > self.settings.webhook_patience_seconds:
                given_up = {date: dead for date, (_, dead) in documents.items()}
                self.backlog = _backlog(boxes, given_up, self.clock.now())
                return [_summary(box) for box in boxes]
            self.clock.sleep(left)
            slept, pause = slept + left, pause * 2

    @property
    def _is_away(self) -> bool:
        is_left_alone = self.left_alone_until is not None and self.clock.now() < self.left_alone_until
        return is_left_alone or self.faults >= FAULTS_MAX or self.failures >= FAILURES_MAX

    def _pause(self, boxes: Iterable[DayOutbox], pause: float) -> float:
        """Return how long to wait before another pass has anything to do."""
        due = min((box.delivery.soonest for box in boxes if box.delivery.soonest), default=None)
        moments = [moment for moment in (due, self.left_alone_until) if moment is not None]
        return max([pause, *((moment - self.clock.now()).total_seconds() for moment in moments)])

    def _pass(self, box: DayOutbox, end: datetime) -> None:
        """Send what is due of a day, once each, until the receiver turns out to be away."""
        at_most, requests = self.settings.webhook_batch_events, 0
        while not self._is_away and self.clock.now() < end:
            positions = box.delivery.due(box.subjects, self.clock.now(), at_most)
            if not positions:
                break
            self._send(box, positions)
            requests += 1
            if requests % CHECKPOINT_REQUESTS == 0:
                box.save()
        box.save()

    def _send(self, box: DayOutbox, positions: list[int]) -> None:
        withdrawn = box.withdrawn(positions)
        absent = [position for position in box.absent(positions) if position not in withdrawn]
        box.delivery.settle(withdrawn)
        box.delivery.fail(absent, Reply(Trouble.NOT_IN_LAKE), self.clock.now(), self.settings.back_off)
        present = [position for position in positions if position not in {*withdrawn, *absent}]
        if not present:
            return
        event_id, body = box.message(present, batched=self.settings.webhook_batch_events > 1)
        reply = self.receiver.send(event_id, body)
        if not reply.reason:
            self.faults = self.failures = 0
            box.delivery.settle(present)
            box.sent += len(present)
            return
        log.warning(
            "event_id=%s date=%s events=%d outcome=undelivered reason=%s",
            event_id,
            box.date,
            len(present),
            reply.reason,
        )
        self.failures += 1
        self.faults = 0 if is_refusal(reply.reason) else self.faults + 1
        back_off, now = self.settings.back_off, self.clock.now()
        if reply.asked_seconds:
            # It speaks of itself and not of this event: the others would be answered alike.
            self.left_alone_until = now + back_off.granted(reply.asked_seconds)
        box.delivery.fail(present, reply, now, back_off)


def written_days(lake: LakeStore) -> dict[str, tuple[bool, int]]:
    """Return what the document of each day says that has one: whether all was sent, and how much was given up.

    Raises:
        IntegrityError: when a document is none.
        RetriableError, PermanentError: as the lake raises them.
    """
    dates = sorted(key_reading.dates_in(lake.list_keys(layout.OUTBOX)))
    with ThreadPoolExecutor(READERS, thread_name_prefix="outbox") as pool:
        return dict(zip(dates, pool.map(lambda date: delivered_before(lake, date), dates), strict=True))


def _backlog(boxes: Sequence[DayOutbox], given_up: Mapping[str, int], now: datetime) -> Backlog:
    """Return what these days have left; of the others, which are delivered, ``given_up`` knows the dead letters."""
    dead = {**given_up, **{box.date: len(box.delivery.dead) for box in boxes}}
    oldest = min((box.oldest for box in boxes if box.oldest), default=None)
    seconds = max(0.0, (now - oldest).total_seconds()) if oldest else 0.0
    return Backlog(sum(len(box.undelivered) for box in boxes), seconds, sum(dead.values()))


def _summary(box: DayOutbox) -> Delivered:
    waiting = box.delivery.waiting
    left = len(box.undelivered)
    reasons = sorted({str(item.reason) for item in waiting.values()})
    dead = box.delivery.dead
    return Delivered(box.date, box.sent, left, len(dead), tuple(reasons), tuple(box.named(dead)[:NAMED_MAX]))


class SystemClock:
    """The machine's own."""

    def now(self) -> datetime:
        """Return the time in UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)
