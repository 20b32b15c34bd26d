"""What the gate at the source works with, and what may become of one exported recording there; values only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import timedelta

    from include.audit.signature import JournalKey
    from include.lake.export_bucket import ExportBucket
    from include.lake.store import LakeStore
    from include.lake.versions import ObjectVersion
    from include.outcome import ItemRecord
    from include.settings import ArchiveSettings
    from include.transfer.export_listing import Exported


class Fate(StrEnum):
    """What became of one exported recording at the gate, or why it stays."""

    DELETED = "deleted"
    YOUNG = "young"
    NOT_SETTLED = "not_settled"
    SEALED = "sealed"
    NOT_ARCHIVED = "not_archived"
    """No commit calls anything of the recording archived."""
    OTHER_BYTES = "other_bytes"
    """The recording is archived, but not these bytes: a conflict, or what the source rendered."""
    OTHER_VERSIONS = "other_versions"
    """The key has more than this one version: deleting it would bring an older one to light."""
    NO_VERSION = "no_version"
    """The bucket keeps no versions, so nothing says that what is deleted is what was read."""
    HELD = "legal_hold"
    """The conversation is under a legal hold: every copy of it stays until a person lifts it."""


@dataclass(frozen=True, slots=True)
class GatePorts:
    """What the gate works with; ``source`` is the export's bucket through the rights to delete."""

    source: ExportBucket
    lake: LakeStore
    settings: ArchiveSettings
    org: str
    min_age: timedelta
    journal_key: JournalKey | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """One version that may go, with the archived parts of its recording that have as many bytes."""

    exported: Exported
    version: ObjectVersion
    parts: tuple[ItemRecord, ...]

    @property
    def conversation_id(self) -> str:
        """Whose recording it is."""
        return self.exported.key.conversation_id
