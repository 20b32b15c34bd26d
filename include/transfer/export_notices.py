"""What the notifications of the export's bucket named, and when each of them has done its work.

A notification is a hint and never the truth: the listing decides what is new. It says where to look beyond the window,
and that something is there. It leaves the queue when what it named is settled, and not before.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from include.errors import RetriableError
from include.genesys.export_layout import ExportKey
from include.lake.export_ledger import settled_objects
from include.lake.s3_events import S3Event

if TYPE_CHECKING:
    from datetime import date, datetime

    from include.lake.event_queue import EventQueue, Message
    from include.lake.export_bucket import ExportBucket
    from include.lake.store import LakeStore

log = logging.getLogger(__name__)
MESSAGES_MAX = 20_000
"""Of one run; the listing finds what the others name too."""
REST_SECONDS = 11 * 3600.0
"""How long a message whose recording waits stays out of sight: that it waits is known."""


class Kind(StrEnum):
    """What became of one message: what a run counts."""

    SETTLED = "settled"
    WAITING = "waiting"
    """What it named is not archived yet: its other half is missing, its day is not over, or it could not be read."""
    TEST = "test"
    ELSEWHERE = "elsewhere"
    """It names nothing of this export: another bucket, prefix or organisation, or no new object."""
    MALFORMED = "malformed"


_DONE = frozenset({Kind.SETTLED, Kind.TEST})


@dataclass(frozen=True, slots=True)
class Named:
    """One object of the export that a message names; ``path`` is its key without the export's prefix."""

    path: str
    key: ExportKey
    etag: str


@dataclass(slots=True)
class Notices:
    """The messages that one run received."""

    export: ExportBucket
    org: str
    queue: EventQueue | None = None
    _named: list[tuple[Message, tuple[Named, ...]]] = field(default_factory=list)
    _other: dict[Kind, list[Message]] = field(default_factory=lambda: defaultdict(list))

    def receive(self) -> None:
        """Take what is in the queue; to be called before the export is listed. A queue that is away costs nothing.

        Raises:
            NotAuthorised, ConfigurationError: a person must repair it.
        """
        if self.queue is None:
            return
        try:
            for message in self.queue.receive(MESSAGES_MAX):
                self._take(message)
        except RetriableError as error:
            log.warning("The listing goes on without notifications: %s", error)

    @property
    def dates(self) -> frozenset[date]:
        """The UTC dates under which something was announced."""
        return frozenset(item.key.hour.date() for _, named in self._named for item in named)

    def acknowledge(self, lake: LakeStore) -> Counter[Kind]:
        """Delete the messages that have done their work, and return how many there were of each kind.

        What is malformed or speaks of something else stays: the queue's own redrive policy puts it aside, where a
        person sees it.

        Raises:
            NotAuthorised, ConfigurationError, LakeUnavailable: as queue and lake raise them.
        """
        sorted_: dict[Kind, list[Message]] = defaultdict(list, self._other)
        ledger: dict[datetime, dict[str, str]] = {}
        for message, named in self._named:
            done = all(self._is_settled(lake, item, ledger) for item in named)
            sorted_[Kind.SETTLED if done else Kind.WAITING].append(message)
        for kind in (Kind.ELSEWHERE, Kind.MALFORMED):
            for message in sorted_[kind]:
                log.warning("left in the queue: %s message_id=%s", kind, message.id)
        if self.queue is not None:
            self._put_away(self.queue, sorted_)
        return Counter({kind: len(messages) for kind, messages in sorted_.items() if messages})

    def _put_away(self, queue: EventQueue, messages: dict[Kind, list[Message]]) -> None:
        try:
            queue.delete([message for kind in sorted(_DONE) for message in messages[kind]])
            queue.hide(messages[Kind.WAITING], REST_SECONDS)
        except RetriableError as error:
            log.warning("Messages that are done come again: %s", error)

    def _take(self, message: Message) -> None:
        event = S3Event.parse(message.body)
        if event is None:
            self._other[Kind.MALFORMED].append(message)
        elif event.is_test:
            self._other[Kind.TEST].append(message)
        elif named := self._ours(event):
            self._named.append((message, named))
        else:
            self._other[Kind.ELSEWHERE].append(message)

    def _ours(self, event: S3Event) -> tuple[Named, ...]:
        location = self.export.location
        root = f"{location.prefix}/" if location.prefix else ""
        found = []
        for item in event.objects:
            if item.bucket != location.bucket or not item.key.startswith(root):
                continue
            path = item.key.removeprefix(root)
            key = ExportKey.parse(path, self.org)
            if key is not None:
                found.append(Named(path, key, item.etag))
        return tuple(found)

    def _is_settled(self, lake: LakeStore, item: Named, ledger: dict[datetime, dict[str, str]]) -> bool:
        """Whether the ledger names what the message names, or the export holds it no more, or newer bytes that are."""
        hour = item.key.hour
        if hour not in ledger:
            ledger[hour] = settled_objects(lake, self.org, hour)
        known = ledger[hour].get(item.path, "").strip('"')
        if known and known == item.etag:
            return True
        now = self.export.current(item.path)
        return now is None or now.etag.strip('"') == known
