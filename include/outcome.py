"""What became of each expected recording: exactly one class per item, and per conversation.

Shared by the lake (which stores it) and the audit (which judges it); a value, without I/O.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Outcome(StrEnum):
    """The classes, from best to worst news for the person on call."""

    ARCHIVED = "archived"
    NO_RECORDING = "no_recording"
    DELETED_AT_SOURCE = "deleted_at_source"
    ARCHIVED_AT_SOURCE = "archived_at_source"
    RESTRICTED = "restricted"
    NOT_SELECTED = "not_selected"
    ERASED = "erased"
    SOURCE_ERROR = "source_error"
    QUARANTINED = "quarantined"
    PENDING = "pending"

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to act or wait: such a day is not complete."""
        return self in {Outcome.PENDING, Outcome.QUARANTINED}

    @property
    def is_settled(self) -> bool:
        """Whether asking the source again tonight would be pointless."""
        return self not in {Outcome.PENDING, Outcome.QUARANTINED, Outcome.SOURCE_ERROR}


_ALWAYS = frozenset({"conversation_id", "recording_id", "part", "outcome"})


@dataclass(frozen=True, slots=True, order=True)
class ItemRecord:
    """One part of one recording, or one hole, with the evidence for its class.

    ``recording_id`` is empty where the source knows no recording of that conversation. ``said_by`` names the source
    of the fact (``batch``, ``recordingmetadata``, ``archive``, ``download``); ``fact`` is its own word, verbatim but
    for secrets; ``said_at`` is when we heard it, UTC to the second, and empty for what is archived (its metadata has
    the times) and for what nobody said. The fields from ``key`` to ``version_id`` are filled for archived parts only,
    those of the bytes themselves also for quarantined ones. ``version_id`` is the S3 version of ``key`` that the bucket
    acknowledged, empty where it keeps none.
    """

    conversation_id: str
    recording_id: str
    part: int
    outcome: Outcome
    reason: str = ""
    said_by: str = ""
    fact: str = ""
    key: str = ""
    sha256: str = ""
    bytes: int = 0
    media_type: str = ""
    metadata_key: str = ""
    metadata_sha256: str = ""
    version_id: str = ""
    said_at: str = ""

    def to_json(self) -> dict[str, object]:
        """Return the identity, the class, and whatever else says something."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {name: value for name, value in values.items() if name in _ALWAYS or value not in ("", 0)}

    @classmethod
    def from_json(cls, document: Mapping[str, object]) -> Self:
        """Read what ``to_json`` wrote; unknown fields, written by a newer version, are ignored."""
        known = {name: document[name] for name in cls.__slots__ if name in document}
        known["outcome"] = Outcome(str(document["outcome"]))
        return cls(**known)  # type: ignore[arg-type]  # written by to_json, types as declared


def conversation_outcome(items: Iterable[ItemRecord]) -> Outcome:
    """Return the class of a conversation from its items: open work first, then what was archived, then why not.

    A conversation with one archived and one deleted recording is archived; its items still name the deletion. One
    that was erased is erased, whatever it was before.
    """
    outcomes = {item.outcome for item in items}
    for outcome in (Outcome.PENDING, Outcome.QUARANTINED, Outcome.ERASED, Outcome.ARCHIVED):
        if outcome in outcomes:
            return outcome
    reasons = (
        Outcome.SOURCE_ERROR,
        Outcome.RESTRICTED,
        Outcome.ARCHIVED_AT_SOURCE,
        Outcome.DELETED_AT_SOURCE,
        Outcome.NOT_SELECTED,
        Outcome.NO_RECORDING,
    )
    return next((reason for reason in reasons if reason in outcomes), Outcome.PENDING)
