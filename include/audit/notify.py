"""What the webhook says: one event for each archived part, its id, its body and its signature; pure.

An event follows from the commit that brought its part in: whoever computes it again gets the same id and the same
bytes, so a receiver that sees an event twice can tell by the id. Field names are those of the media-download guide,
and what it does not have beside them; nothing in an event tells who called whom.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from include.canonical import canonical_json
from include.outcome import ItemRecord, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from include.secret import Secret

SCHEMA_VERSION = 1


class Kind(StrEnum):
    """What a body says it is."""

    ONE = "recording_downloaded"
    SEVERAL = "recordings_downloaded"


@dataclass(frozen=True, slots=True)
class CommitName:
    """The commit that brought a part in."""

    org: str
    date: str
    key: str
    sha256: str


@dataclass(frozen=True, slots=True)
class PartEvent:
    """One archived part, on the way to the receiver."""

    commit: CommitName
    item: ItemRecord

    @property
    def id(self) -> str:
        """The event's id: version 5, in the namespace of the commit's hash."""
        return str(uuid5(UUID(self.commit.sha256[:32]), self.item.key))

    @property
    def subject(self) -> str:
        """The recording: its events arrive in order."""
        return f"{self.item.conversation_id}/{self.item.recording_id}"

    def to_json(self, uri: str, stored_at: datetime) -> dict[str, object]:
        """Return the event; ``uri`` is the full address of the part, ``stored_at`` when the bucket took it."""
        item = self.item
        return {
            "schemaVersion": SCHEMA_VERSION,
            "id": self.id,
            "event": str(Kind.ONE),
            "mediaId": item.recording_id,
            "conversationId": item.conversation_id,
            "part": item.part,
            "date": self.commit.date,
            "org": self.commit.org,
            "filePath": uri,
            "key": item.key,
            "versionId": item.version_id or None,
            "metadataKey": item.metadata_key,
            "metadataSha256": item.metadata_sha256,
            "format": item.media_type,
            "size": item.bytes,
            "sha256": item.sha256,
            "timestamp": stored_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "commit": {"key": self.commit.key, "sha256": self.commit.sha256},
        }


def events_of(brought_in: Iterable[tuple[CommitName, Iterable[ItemRecord]]]) -> list[PartEvent]:
    """Return a day's events in order, from what each of its commits brought in, oldest first.

    A part that a later run found again is no new event. Later commits only add to the end, so an event's position in
    this list never changes.
    """
    seen: set[str] = set()
    events = []
    for commit, items in brought_in:
        for item in sorted(items):
            if item.outcome is Outcome.ARCHIVED and item.key not in seen:
                seen.add(item.key)
                events.append(PartEvent(commit, item))
    return events


def message_of(events: Sequence[dict[str, object]], *, batched: bool) -> tuple[str, bytes]:
    """Return the id and the body of one request: the event itself, or several of them in an envelope."""
    if not batched:
        (event,) = events
        return str(event["id"]), canonical_json(event)
    ids = [str(event["id"]) for event in events]
    batch_id = str(uuid5(UUID(ids[0]), "/".join(ids)))
    envelope = {"schemaVersion": SCHEMA_VERSION, "id": batch_id, "event": str(Kind.SEVERAL), "events": list(events)}
    return batch_id, canonical_json(envelope)


def signature(key: Secret, timestamp: int, body: bytes) -> str:
    """Return HMAC-SHA256 in hexadecimal, over the time of sending in seconds, a full stop, and the body."""
    return hmac.digest(
        key.reveal().encode("utf-8", "surrogateescape"), f"{timestamp}.".encode() + body, hashlib.sha256
    ).hex()


def signed_headers(keys: Sequence[Secret], event_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the headers by which a receiver knows the sender: one signature for each key, the newest first."""
    signatures = ",".join(f"v1={signature(key, timestamp, body)}" for key in keys)
    return {"X-Event-Id": event_id, "X-Timestamp": str(timestamp), "X-Signature": signatures}
