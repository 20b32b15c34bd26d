"""What the journal tells: one event for each thing that came to be, or that somebody did; pure."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import TYPE_CHECKING

from include.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from include.outcome import ItemRecord


class Action(StrEnum):
    """What a commit tells of what it brings in, in the order of the journal, and what else people and tasks do."""

    PLANNED = "planned"
    RECORDED = "recorded"
    ARCHIVED = "archived"
    EXCLUDED = "excluded"
    QUARANTINED = "quarantined"
    LEFT_OPEN = "left_open"
    ERASED = "erased"
    JUDGED = "judged"
    COMMITTED = "committed"
    VERIFIED = "verified"
    HELD = "held"
    RELEASED = "released"
    READ = "read"
    EXPORTED = "exported"
    SOURCE_PROVED = "source_proved"
    """An object of the native export is about to be deleted there: its bytes are those of the copy that is named."""
    SOURCE_DELETED = "source_deleted"
    SOURCE_KEPT = "source_kept"
    """An object of the native export would have been deleted there, and stays for the reason that is named."""


_ACTION_OF = {
    Outcome.ARCHIVED: Action.ARCHIVED,
    Outcome.QUARANTINED: Action.QUARANTINED,
    Outcome.PENDING: Action.LEFT_OPEN,
}
"""Every other class is an exclusion."""


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the journal, before it is chained.

    ``at`` is ISO 8601 in UTC, and empty where no time is on record: a commit makes up none. ``key``, ``version_id`` and
    ``sha256`` name the object it is about; of a judgement, ``sha256`` is that of what ``signature`` (base64) was made
    of with the key that ``key_id`` names. ``note`` is for the journal's reader; it holds no personal data, since a
    journal cannot be erased.
    """

    action: Action
    at: str = ""
    key: str = ""
    version_id: str = ""
    sha256: str = ""
    conversation_id: str = ""
    recording_id: str = ""
    outcome: str = ""
    reason: str = ""
    said_by: str = ""
    note: str = ""
    key_id: str = ""
    signature: str = ""

    def to_json(self) -> dict[str, object]:
        """Return whatever says something."""
        values = {item.name: str(getattr(self, item.name)) for item in fields(self)}
        return {name: value for name, value in values.items() if value}


def planned(plan_key: str, sha256: str) -> Event:
    """Return the event of a plan."""
    return Event(Action.PLANNED, key=plan_key, sha256=sha256)


def recorded(manifest_key: str, sha256: str, items: Iterable[ItemRecord]) -> list[Event]:
    """Return the events of a manifest: itself, and what became of each of its items."""
    return [
        Event(Action.RECORDED, key=manifest_key, sha256=sha256),
        *(_of_item(item) for item in sorted(items)),
    ]


def erased(tombstone_key: str, sha256: str, document: Mapping[str, object]) -> Event:
    """Return the event of a tombstone; when and why are its own words."""
    return Event(
        Action.ERASED,
        at=str(document.get("at", "")),
        key=tombstone_key,
        sha256=sha256,
        conversation_id=str(document.get("conversation_id", "")),
        reason=str(document.get("reason", "")),
        said_by=str(document.get("by", "")),
        note=str(document.get("legal_basis", "")),
    )


def committed(commit_key: str) -> Event:
    """Return the event that ends a commit's own segment; without a digest, since the commit names the segment."""
    return Event(Action.COMMITTED, key=commit_key)


def _of_item(item: ItemRecord) -> Event:
    return Event(
        _ACTION_OF.get(item.outcome, Action.EXCLUDED),
        at=item.said_at,
        key=item.key,
        version_id=item.version_id,
        sha256=item.sha256,
        conversation_id=item.conversation_id,
        recording_id=item.recording_id,
        outcome=str(item.outcome),
        reason=item.reason,
        said_by=item.said_by,
    )
