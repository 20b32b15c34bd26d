"""The outbox of one day: its events, computed from its commits, and the document that says how far they have come.

There is no queue that could lose anything: what was ever committed is an event, before and after any crash. The
document is a view that each run brings up to date; a run that died leaves it behind the truth, never ahead of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from include.audit.delivery import Delivery, Waiting
from include.audit.notify import CommitName, PartEvent, events_of, message_of
from include.canonical import canonical_json, read_document, sha256_hex
from include.errors import IntegrityError
from include.lake import layout
from include.lake.commit import read_head
from include.lake.erasures import erasures_of
from include.lake.manifest import Manifest
from include.lake.store import JSON_TYPE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import datetime

    from include.lake.commit import Commit
    from include.lake.store import LakeStore
    from include.local_day import LocalDay
    from include.outcome import ItemRecord

SCHEMA = "recording-archive/outbox/1"


@dataclass(slots=True)
class DayOutbox:
    """One day's events and their state. ``version`` is the commit up to which all of it was finished."""

    lake: LakeStore
    date: str
    head_version: int
    delivery: Delivery
    events: list[PartEvent] = field(default_factory=list)
    stored: dict[str, datetime] = field(default_factory=dict)
    erased: Collection[str] = ()
    sent: int = 0

    def __post_init__(self) -> None:
        self.subjects = [event.subject for event in self.events]

    subjects: list[str] = field(init=False)

    @property
    def is_finished(self) -> bool:
        """Whether nothing is left to send."""
        return self.delivery.is_finished(len(self.events))

    def absent(self, positions: Sequence[int]) -> list[int]:
        """Return those whose object the bucket does not show."""
        return [position for position in positions if self.events[position].item.key not in self.stored]

    def withdrawn(self, positions: Sequence[int]) -> list[int]:
        """Return those whose conversation was erased: nobody is told of it any more."""
        return [position for position in positions if self.events[position].item.conversation_id in self.erased]

    def message(self, positions: Sequence[int], *, batched: bool) -> tuple[str, bytes]:
        """Return the id and the body of one request."""
        events = [self.events[position] for position in positions]
        return message_of(
            [event.to_json(self.lake.uri(event.item.key), self.stored[event.item.key]) for event in events],
            batched=batched,
        )

    @property
    def undelivered(self) -> list[int]:
        """The positions that nobody was told of yet; what was given up is not among them."""
        return [*self.delivery.waiting, *range(self.delivery.next, len(self.events))]

    @property
    def oldest(self) -> datetime | None:
        """When the bucket took the oldest recording that nobody was told of, ``None`` where there is none."""
        keys = (self.events[position].item.key for position in self.undelivered)
        return min((self.stored[key] for key in keys if key in self.stored), default=None)

    def save(self) -> None:
        """Write the document, only where it differs."""
        self.lake.put_latest(layout.outbox_key(self.date), self._document(), JSON_TYPE)

    def named(self, positions: Collection[int]) -> list[str]:
        """Return ids, keys and reasons, for people."""
        known = self.delivery.waiting | self.delivery.dead
        return [
            f"{self.events[position].id} of {self.events[position].item.key}: {known[position].reason}, "
            f"{known[position].attempts} attempts"
            for position in sorted(positions)
        ]

    def _document(self) -> bytes:
        return canonical_json(
            {
                "schema": SCHEMA,
                "date": self.date,
                "version": self.head_version if self.is_finished else 0,
                "next": self.delivery.next,
                "waiting": self._entries(self.delivery.waiting),
                "dead": self._entries(self.delivery.dead),
            }
        )

    def _entries(self, which: dict[int, Waiting]) -> list[dict[str, object]]:
        return [
            {
                "position": position,
                "id": self.events[position].id,
                "key": self.events[position].item.key,
                **which[position].to_json(),
            }
            for position in sorted(which)
        ]


def delivered_before(lake: LakeStore, date: str) -> tuple[bool, int]:
    """Return whether a day's document says that its events were sent up to some commit, and how many it gave up."""
    document = _read(lake, date)
    return bool(document.get("version")), len(_delivery(lake, date, document).dead)


def open_outbox(lake: LakeStore, org: str, day: LocalDay, *, revive: bool = False) -> DayOutbox | None:
    """Return a day's outbox, ``None`` where the day has no commit or nothing of it is left to send.

    Of a delivered day only its head and one document are read. ``revive`` lets what was given up be tried again.

    Raises:
        IntegrityError: when a commit, a manifest or the document is not what its name says.
        RetriableError, PermanentError: as the lake raises them.
    """
    head = read_head(lake, org, day)
    if head is None:
        return None
    document = _read(lake, str(day))
    if document.get("version") == head.version and not (revive and document.get("dead")):
        return None
    delivery = _delivery(lake, str(day), document)
    if revive:
        delivery.revive()
    box = DayOutbox(
        lake,
        str(day),
        head.version,
        delivery,
        events_of(_brought_in(lake, head)),
        dict(lake.stored_times(layout.media_day_prefix(org, str(day)))),
        erasures_of(lake, str(day)).anywhere.keys(),
    )
    if max([delivery.next - 1, *delivery.waiting, *delivery.dead]) >= len(box.events):
        raise IntegrityError(f"{lake.uri(layout.outbox_key(box.date))} tells of events that its day does not have.")
    return box


def _brought_in(lake: LakeStore, head: Commit) -> Iterator[tuple[CommitName, list[ItemRecord]]]:
    owner = (head.org, str(head.day))
    for version in sorted(set(head.manifests.values())):
        key = layout.commit_key(str(head.day), version)
        body = head.sha256 if version == head.version else sha256_hex(lake.read(key) or b"")
        manifests = [
            Manifest.read(lake, one, *owner) for one in sorted(head.manifests) if head.manifests[one] == version
        ]
        yield CommitName(*owner, key, body), [item for manifest in manifests for item in manifest.items]


def _read(lake: LakeStore, date: str) -> dict[str, object]:
    key = layout.outbox_key(date)
    body = lake.read(key)
    if body is None:
        return {}
    try:
        document = read_document(body)
    except ValueError:
        document = {}
    if (document.get("schema"), document.get("date")) != (SCHEMA, date):
        raise IntegrityError(f"{lake.uri(key)} is no outbox of {date}: altered.", key=key)
    return document


def _delivery(lake: LakeStore, date: str, document: dict[str, Any]) -> Delivery:
    try:
        waiting, dead = (
            {int(entry["position"]): Waiting.from_json(entry) for entry in cast("Any", document.get(name) or ())}
            for name in ("waiting", "dead")
        )
        return Delivery(int(document.get("next", 0)), waiting, dead)
    except (ValueError, KeyError, TypeError) as error:
        key = layout.outbox_key(date)
        raise IntegrityError(f"{lake.uri(key)} is no outbox of {date}: altered.", key=key) from error
