"""What Genesys says, as typed values: the same for both wire contracts.

Nothing downstream of this package can tell the contracts apart.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from include.secret import PresignedUrl


class Contract(StrEnum):
    """Which wire contract a connection speaks."""

    PLATFORM = "platform"
    """What ``api.<region>`` publishes."""
    GUIDE = "guide"
    """What the bulk-export and media-download guides describe."""


@dataclass(frozen=True, slots=True)
class NamedReference:
    """An id of Genesys Cloud with the display name it resolved to, if any."""

    id: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """The facts of one conversation that the archive keeps beside its recordings.

    ``ani`` and ``dnis`` are without their ``tel:`` or ``sip:`` scheme, the raw forms are kept. ``start`` and ``end``
    are aware, UTC.
    """

    conversation_id: str
    start: datetime
    end: datetime | None
    direction: str | None
    ani: str | None
    dnis: str | None
    ani_raw: str | None
    dnis_raw: str | None
    recorded: bool
    media_types: tuple[str, ...] = ()
    agents: tuple[NamedReference, ...] = ()
    queues: tuple[NamedReference, ...] = ()
    wrap_up_codes: tuple[NamedReference, ...] = ()
    wrap_up_tags: tuple[str, ...] = ()
    division_ids: tuple[str, ...] = ()
    external_tag: str | None = None
    flagged_reason: str | None = None
    wrap_up_notes: tuple[str, ...] = ()

    @property
    def duration_milliseconds(self) -> int | None:
        """From first to last moment of the conversation; ``None`` while it is open."""
        if self.end is None:
            return None
        return round((self.end - self.start).total_seconds() * 1000)


@dataclass(frozen=True, slots=True)
class RecordingResult:
    """One result of a batch job: a URL to fetch, or the source's own words why there is none.

    ``recording_id`` is ``None`` where the result speaks of a whole conversation; ``conversation_id`` is ``None`` too
    where one archive covers many conversations.
    """

    conversation_id: str | None
    recording_id: str | None
    url: PresignedUrl | None
    content_type: str | None
    error_message: str | None = None


@dataclass(frozen=True, slots=True)
class BatchStatus:
    """A batch job at one moment. The counters are the source's and may move both ways; trust ``results``."""

    job_id: str
    completed: bool | None
    """``True``/``False`` where the source states it (``status``), ``None`` where only the counters speak."""
    expected_count: int
    result_count: int
    error_count: int
    results: tuple[RecordingResult, ...] = ()

    @property
    def counts_agree(self) -> bool:
        """Whether result and expected count are equal and above zero: a hint, never proof."""
        return self.result_count == self.expected_count > 0


@dataclass(frozen=True, slots=True)
class RecordingMetadata:
    """One entry of ``GET /conversations/{id}/recordingmetadata``.

    ``file_state`` is one of ARCHIVED AVAILABLE DELETED RESTORED RESTORING UPLOADING ERROR, or a value newer than this
    code (source: Genesys OpenAPI, ``RecordingMetadata.fileState``).
    """

    recording_id: str
    conversation_id: str
    file_state: str | None
    media: str | None
    media_subtype: str | None
    session_id: str | None
    raw: dict[str, object] = field(default_factory=dict, hash=False)
