"""The organisation: its days, conversations and recordings, made when first asked for and the same every time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from threading import RLock
from typing import TYPE_CHECKING

from include.sandbox.conversations import Conversation, DayMaker
from include.sandbox.directory import Directory, directory_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from include.sandbox.config import SandboxConfig
    from include.sandbox.recordings import Recording


@dataclass(slots=True)
class Tenant:
    """Everything that happened, by date and by id, and which late recordings have landed."""

    config: SandboxConfig
    directory: Directory = field(init=False)
    landings: int = 0
    """How often what is known of the days has changed: an answer from before is no answer now."""
    _days: dict[date, list[Conversation]] = field(default_factory=dict)
    _by_id: dict[str, Conversation] = field(default_factory=dict)
    _submissions: dict[str, int] = field(default_factory=dict)
    _all_landed: bool = False
    _lock: RLock = field(default_factory=RLock)

    def __post_init__(self) -> None:
        self.directory = directory_of(self.config.seed)

    @property
    def dates(self) -> list[date]:
        """Every local date on which anything happened: the configured ones and their neighbours."""
        days = {day + timedelta(days=step) for day in self.config.dates for step in (-1, 0, 1)}
        return sorted(days)

    def day(self, day: date) -> list[Conversation]:
        """Return the conversations that started on a local date, by start."""
        if day not in self.dates:
            return []
        with self._lock:
            if day not in self._days:
                self._days[day] = DayMaker(self.config, self.directory, day).conversations()
                self._by_id.update((conversation.id, conversation) for conversation in self._days[day])
            return [self._as_now(conversation) for conversation in self._days[day]]

    def _as_now(self, conversation: Conversation) -> Conversation:
        """Return the conversation as far as anybody knows of it yet."""
        kind = conversation.kind
        if self._all_landed or not (kind.ends_late or any(item.hidden for item in kind.recordings)):
            return conversation
        known = zip(conversation.recordings, kind.recordings, strict=True)
        return replace(
            conversation,
            end=None if kind.ends_late else conversation.end,
            recordings=tuple(recording for recording, item in known if not item.hidden),
        )

    def started_between(self, start: datetime, end: datetime) -> list[Conversation]:
        """Return the conversations that started in [start, end), by start."""
        first, last = (moment.astimezone(self.config.zone).date() for moment in (start, end))
        return [
            conversation
            for day in self.dates
            if first <= day <= last
            for conversation in self.day(day)
            if start <= conversation.start < end
        ]

    def active_between(self, start: datetime, end: datetime) -> list[Conversation]:
        """Return the conversations with any activity in [start, end)."""
        now = datetime.now(UTC)
        return [
            conversation
            for day in self.dates
            for conversation in self.day(day)
            if conversation.start < end and (conversation.end or now) >= start
        ]

    def conversation(self, conversation_id: str) -> Conversation | None:
        """Return the conversation, or ``None``."""
        for day in self.dates:
            if conversation_id in self._by_id:
                break
            self.day(day)
        found = self._by_id.get(conversation_id)
        return self._as_now(found) if found else None

    def recording(self, conversation_id: str, recording_id: str) -> Recording | None:
        """Return one recording of a conversation, or ``None``."""
        conversation = self.conversation(conversation_id)
        found = [item for item in conversation.recordings if item.id == recording_id] if conversation else []
        return found[0] if found else None

    def media(self, recording_id: str) -> Recording | None:
        """Return a recording by its own id alone (the guide contract calls it a media id), or ``None``."""
        for day in self.dates:
            for conversation in self.day(day):
                for recording in conversation.recordings:
                    if recording.id == recording_id:
                        return recording
        return None

    def count_submissions(self, conversation_ids: Iterable[str]) -> None:
        """Remember that a batch named these conversations: a late recording lands after a few of them."""
        with self._lock:
            for conversation_id in conversation_ids:
                self._submissions[conversation_id] = self._submissions.get(conversation_id, 0) + 1

    def land_everything(self, *, landed: bool = True) -> None:
        """Let every late recording land and every late call end now (or, with ``landed=False``, take that back)."""
        self._all_landed = landed
        self.landings += 1

    def landed(self, recording: Recording) -> bool:
        """Whether a late recording has arrived by now; always true of the others."""
        if not recording.late or self._all_landed:
            return True
        return self._submissions.get(recording.conversation_id, 0) > self.config.late_after_submissions

    def file_state(self, recording: Recording) -> str:
        """Return the file state now."""
        return recording.file_state if self.landed(recording) else "UPLOADING"
