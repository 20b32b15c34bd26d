"""Which exported objects belong together, and what is to be done with them now; pure but for reading metadata."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from include.genesys.export_metadata import METADATA_BYTES_MAX, ExportMetadata
from include.local_day import LocalDay

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from include.lake.export_bucket import ExportBucket
    from include.transfer.export_listing import Exported
    from include.transfer.export_sealed import Unsealer


@dataclass(frozen=True, slots=True)
class ExportedRecording:
    """All that the export holds of one recording, in the order in which it came.

    A native export has one file for each recording; several are the same one exported again, or a contradiction.
    """

    conversation_id: str
    recording_id: str
    media: tuple[Exported, ...]
    metadata: tuple[Exported, ...]

    @property
    def hour(self) -> datetime:
        """The earliest hour under which anything of it stands."""
        return min(item.key.hour for item in (*self.media, *self.metadata))

    def waits(self, now: datetime, patience_seconds: float) -> bool:
        """Whether the other half may still come."""
        if self.media and self.metadata:
            return False
        newest = max(item.object.stored_at for item in (*self.media, *self.metadata))
        return (now - newest).total_seconds() < patience_seconds

    def objects(self) -> Iterable[Exported]:
        """Yield what of it is new."""
        return (item for item in (*self.media, *self.metadata) if item.is_new)


def paired(found: Iterable[Exported]) -> list[ExportedRecording]:
    """Return the recordings of which anything is new; a conversation's own metadata go to each of its recordings."""
    groups: dict[tuple[str, str], list[Exported]] = defaultdict(list)
    for item in found:
        groups[item.key.conversation_id, item.key.recording_id].append(item)
    recordings = []
    for (conversation_id, recording_id), items in sorted(groups.items()):
        ordered = sorted(items, key=lambda item: (item.object.stored_at, item.object.key))
        media = tuple(item for item in ordered if not item.key.is_metadata)
        metadata = tuple(item for item in ordered if item.key.is_metadata)
        if recording_id != conversation_id:
            # Before its own, which are the newer word; and settled with them, or they would be news for ever.
            whole = groups.get((conversation_id, conversation_id), ())
            metadata = (*(item for item in whole if item.key.is_metadata), *metadata)
        elif not media and _has_recordings(conversation_id, groups):
            continue
        one = ExportedRecording(conversation_id, recording_id, media, metadata)
        if any(one.objects()):
            recordings.append(one)
    return recordings


def _has_recordings(conversation_id: str, groups: dict[tuple[str, str], list[Exported]]) -> bool:
    return any(owner == conversation_id != recording for owner, recording in groups)


def read_metadata(export: ExportBucket, recording: ExportedRecording, unsealer: Unsealer) -> ExportMetadata | None:
    """Return the newest of a recording's metadata that can be read and speak of its conversation.

    Raises:
        LakeUnavailable, NotAuthorised, ConfigurationError: as the bucket raises them.
    """
    for item in reversed(recording.metadata):
        if item.object.bytes > METADATA_BYTES_MAX:
            continue
        body = export.read(item.object.key)
        if body is not None and item.key.is_sealed:
            body = unsealer.opened(body)
        found = ExportMetadata.parse(body) if body is not None else None
        if found is not None and found.conversation_id in ("", recording.conversation_id):
            return found
    return None


def local_day(recording: ExportedRecording, metadata: ExportMetadata | None, zone: ZoneInfo) -> LocalDay:
    """Return the day under which the recording is filed: that of its conversation's start.

    Without metadata the hour of the key stands for the start. It lies in one local day wherever midnight is a full
    hour of UTC; in a zone of half or quarter hours a recording of that one hour may be filed a day early.
    """
    start = metadata.start_near(recording.hour) if metadata else recording.hour
    return LocalDay(start.astimezone(zone).date(), zone)


def by_day(
    recordings: Sequence[tuple[ExportedRecording, ExportMetadata | None]], zone: ZoneInfo
) -> dict[LocalDay, list[tuple[ExportedRecording, ExportMetadata | None]]]:
    """Return the recordings of each day, days in order."""
    days: dict[LocalDay, list[tuple[ExportedRecording, ExportMetadata | None]]] = defaultdict(list)
    for recording, metadata in recordings:
        days[local_day(recording, metadata, zone)].append((recording, metadata))
    return {day: days[day] for day in sorted(days, key=str)}
