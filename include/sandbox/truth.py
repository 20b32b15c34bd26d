"""What an honest archive of a day must hold, computed by the side that made the day."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from include.sandbox.recordings import body_for, content_type_of, outcome_of
from include.sandbox.scenario import Outcome
from include.sandbox.wire import iso

if TYPE_CHECKING:
    from datetime import date

    from include.sandbox.conversations import Conversation
    from include.sandbox.recordings import Part, Recording
    from include.sandbox.tenant import Tenant

_RANK = (
    Outcome.QUARANTINED,
    Outcome.SOURCE_ERROR,
    Outcome.PENDING,
    Outcome.ARCHIVED,
    Outcome.RESTRICTED,
    Outcome.DELETED,
    Outcome.ARCHIVED_AT_SOURCE,
    Outcome.NOT_SELECTED,
    Outcome.NO_RECORDING,
)
"""A conversation is what its worst open part is; archived beats every settled absence."""


@dataclass(frozen=True, slots=True)
class PartTruth:
    """One part: ``part`` counts within its recording, in the order the source gives the results.

    ``sha256`` and ``size`` are of the bytes the source serves (also for what is not selected or is damaged), and
    ``None`` where it serves none.
    """

    recording_id: str
    part: int
    outcome: str
    media: str
    file_state: str
    content_type: str
    size: int | None
    sha256: str | None
    duration_ms: int
    channels: int


@dataclass(frozen=True, slots=True)
class ConversationTruth:
    """One conversation that the analytics query returns for the day."""

    conversation_id: str
    profile: str
    outcome: str
    start: str
    parts: tuple[PartTruth, ...] = ()


@dataclass(frozen=True, slots=True)
class DayTruth:
    """The whole day; ``counts`` and ``part_counts`` are per outcome."""

    date: str
    conversations: tuple[ConversationTruth, ...]
    counts: dict[str, int] = field(default_factory=dict, hash=False)
    part_counts: dict[str, int] = field(default_factory=dict, hash=False)

    def archived_parts(self) -> list[PartTruth]:
        """Return the parts whose bytes the lake must hold."""
        parts = [part for conversation in self.conversations for part in conversation.parts]
        return [part for part in parts if part.outcome == Outcome.ARCHIVED]

    def to_json(self) -> dict[str, object]:
        """Return it as plain JSON values."""
        return asdict(self)


def day_truth(tenant: Tenant, day: date, output_format: str | None = None) -> DayTruth:
    """Judge every conversation of the local date that is closed, voice, and claims a recording."""
    chosen = [conversation for conversation in tenant.day(day) if conversation.selected]
    judged = tuple(_conversation(tenant, conversation, output_format) for conversation in chosen)
    return DayTruth(
        date=day.isoformat(),
        conversations=judged,
        counts=dict(Counter(conversation.outcome for conversation in judged)),
        part_counts=dict(Counter(part.outcome for conversation in judged for part in conversation.parts)),
    )


def _conversation(tenant: Tenant, conversation: Conversation, output_format: str | None) -> ConversationTruth:
    parts = tuple(
        _part(tenant, recording, part, output_format, stuck=conversation.kind.stuck)
        for recording in conversation.recordings
        for part in recording.parts
    )
    outcomes = {Outcome(part.outcome) for part in parts}
    worst = next((outcome for outcome in _RANK if outcome in outcomes), Outcome.NO_RECORDING)
    return ConversationTruth(conversation.id, conversation.profile, worst.value, iso(conversation.start), parts)


def _part(tenant: Tenant, recording: Recording, part: Part, output_format: str | None, *, stuck: bool) -> PartTruth:
    outcome = outcome_of(recording, part)
    if stuck or not tenant.landed(recording):
        outcome = Outcome.PENDING
    served = recording.file_state == "AVAILABLE" and not recording.restricted and tenant.landed(recording)
    body = body_for(recording, part, output_format) if served else None
    return PartTruth(
        recording_id=recording.id,
        part=part.index,
        outcome=outcome.value,
        media=recording.media,
        file_state=tenant.file_state(recording),
        content_type=content_type_of(recording, part, output_format),
        size=body.size if body else None,
        sha256=body.sha256() if body else None,
        duration_ms=round(part.seconds * 1000),
        channels=part.channels,
    )
