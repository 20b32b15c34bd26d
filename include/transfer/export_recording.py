"""One exported recording, from its objects to its records: recognised, archived, or quarantined with its reason."""

from __future__ import annotations

import io
import logging
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, BinaryIO, cast

from include.canonical import sha256_hex
from include.errors import ArchiveError, NotAuthorised, SourceChanged
from include.outcome import ItemRecord, Outcome
from include.transfer.contested import EXPORT_CONFLICT
from include.transfer.export_sealed import SEALED_BYTES_MAX
from include.transfer.failure import failure_record
from include.transfer.integrity import Finding, Inspection, MediaKind, examine
from include.transfer.keep import keep_recording, quarantine
from include.transfer.metadata import NATIVE_EXPORT, Origin
from include.transfer.originals import is_original, sources_of
from include.transfer.recording_body import RecordingBody
from include.transfer.stored import stored_recording

if TYPE_CHECKING:
    from include.genesys.export_metadata import ExportMetadata
    from include.lake.export_bucket import ExportBucket
    from include.transfer.export_listing import Exported
    from include.transfer.export_pairing import ExportedRecording
    from include.transfer.export_sealed import Unsealer
    from include.transfer.shard_work import ShardWork

log = logging.getLogger(__name__)
EXPORT = "native_export"
EXPORT_MEDIA_MISSING = "export_media_missing"
EXPORT_SEAL_UNOPENED = "export_seal_unopened"
SEALED = MediaKind("pgp", "pgp", "application/pgp-encrypted")
"""A recording that stays encrypted. Nothing but its digest can be said of it."""


class Seen(StrEnum):
    """What became of one exported object: what a run counts."""

    ARCHIVED = "archived"
    RECOGNISED = "recognised"
    CONFLICTING = "conflicting"
    QUARANTINED = "quarantined"
    NOT_SELECTED = "not_selected"
    SEALED = "sealed"
    FAILED = "failed"
    ERASED = "erased"
    MEDIA_MISSING = "media_missing"
    WITHOUT_METADATA = "without_metadata"
    """Of the archived ones, those whose metadata never came."""


@dataclass(slots=True)
class Ingested:
    """What one recording came to; ``settled`` are the objects that need no second look."""

    records: list[ItemRecord] = field(default_factory=list)
    settled: list[Exported] = field(default_factory=list)
    seen: Counter[Seen] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class ExportWork:
    """What every step of one day's ingest holds."""

    shard: ShardWork
    export: ExportBucket
    unsealer: Unsealer


def ingest_recording(work: ExportWork, recording: ExportedRecording, metadata: ExportMetadata | None) -> Ingested:
    """Bring one recording into the lake, or say in its records why not.

    Its objects are taken in the order in which they came: the first is the recording, any other bytes contradict it.

    Raises:
        LakeUnavailable, LakeConflict, NotAuthorised, IntegrityError, ConfigurationError: trouble with either bucket
            or this machine stops the day; trouble with the recording never does.
    """
    result = Ingested()
    place = (recording.conversation_id, recording.recording_id)
    for item in recording.media:
        if not item.is_new:
            continue
        before = len(result.records)
        seen = _ingest(work, place, item, metadata, result.records)
        result.seen[seen] += 1
        if seen is Seen.ARCHIVED and metadata is None:
            result.seen[Seen.WITHOUT_METADATA] += 1
        log.info("recording_id=%s export=%s records=%d", place[1], seen, len(result.records) - before)
        if seen is not Seen.FAILED:
            result.settled.append(item)
    if not recording.media:
        result.records += _without_media(work, place, result.seen)
    result.settled += [item for item in recording.metadata if item.is_new]
    return result


def _ingest(
    work: ExportWork,
    place: tuple[str, str],
    item: Exported,
    metadata: ExportMetadata | None,
    records: list[ItemRecord],
) -> Seen:
    shard = work.shard
    known = shard.stored.setdefault(place, {})
    if known and work.export.sha256(item.object.key) in known:
        records += stored_recording(shard.lake, shard.identity(*place), known)
        return Seen.RECOGNISED
    if known and item.key.is_sealed and not work.unsealer.has_key:
        # Sealed bytes can be compared with nothing, and the recording is here.
        records += stored_recording(shard.lake, shard.identity(*place), known)
        return Seen.RECOGNISED
    with shard.downloader.spool("/".join((EXPORT, shard.plan.org, *place, item.object.etag.strip('"')))) as sink:
        try:
            with shard.tally.download(place[1]) as download:
                body = _fetched(work, item, metadata, cast("BinaryIO", sink))
                download.arrived(body.size, body.refused_for)
        except NotAuthorised:
            raise
        except ArchiveError as error:
            records.append(failure_record(*place, error))
            # Only what may pass is tried again: an object of the export changes with its ETag, or never.
            return Seen.FAILED if records[-1].outcome is Outcome.PENDING else Seen.QUARANTINED
        return _kept(work, place, body, known, records)


def _kept(
    work: ExportWork, place: tuple[str, str], body: RecordingBody, known: dict[str, int], records: list[ItemRecord]
) -> Seen:
    shard = work.shard
    if body.sha256 in known:
        records += stored_recording(shard.lake, shard.identity(*place), known)
        return Seen.RECOGNISED
    if known and body.refusal is None and not _all_rendered(work, place, known):
        note = f"{body.origin.job_id} holds other bytes than the lake"
        records += stored_recording(shard.lake, shard.identity(*place), known)
        records.append(quarantine(shard, shard.identity(*place), body, EXPORT_CONFLICT, note))
        return Seen.CONFLICTING
    kept = keep_recording(shard, *place, [body])
    records += kept
    archived = {record.sha256: record.part for record in kept if record.outcome is Outcome.ARCHIVED}
    known |= archived
    if body.sha256 in archived:
        return Seen.SEALED if body.inspection.kind is SEALED else Seen.ARCHIVED
    return Seen.QUARANTINED if body.refusal else Seen.NOT_SELECTED


def _fetched(work: ExportWork, item: Exported, metadata: ExportMetadata | None, sink: BinaryIO) -> RecordingBody:
    """Fetch the object by ranges, as everything is fetched, and examine it; opened where it is sealed.

    Raises:
        SourceChanged: when it is no longer the object that was listed.
        ArchiveError: as the download raises them.
    """
    export, key = work.export, item.object.key
    url = export.url(key)
    downloaded = work.shard.downloader.fetch(url, sink, renew=lambda _: export.url(key))
    if downloaded.etag is not None and downloaded.etag.strip('"') != item.object.etag.strip('"'):
        raise SourceChanged(f"{export.uri(key)} was written again after it was listed")
    origin = Origin(
        job_id=export.uri(key),
        url_host=url.host,
        acquired_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        etag=downloaded.etag,
        declared_media_type="video/webm" if metadata and metadata.is_screen else None,
        declared=metadata.text if metadata else None,
        kind=NATIVE_EXPORT,
    )
    body = RecordingBody(sink, downloaded.size, downloaded.sha256, Inspection(SEALED, ()), origin)
    if item.key.is_sealed:
        return _opened(work, body)
    # The bytes were read to be judged; where the bucket vouches for the same digest, they need not be sent as well.
    copy_of = export.copy_source(item.object, body.sha256)
    return replace(body, inspection=examine(sink, body.size, None), copy_of=copy_of)


def _opened(work: ExportWork, body: RecordingBody) -> RecordingBody:
    """Return what is in the envelope, else the envelope itself: archived without a key, refused with a wrong one."""
    if not work.unsealer.has_key:
        finding = Finding("opened", ok=False, required=False, note="encrypted, and no key is configured")
        return replace(body, inspection=Inspection(SEALED, (finding,)))
    plain = None
    if body.size <= SEALED_BYTES_MAX:
        body.sink.seek(0)
        plain = work.unsealer.opened(body.sink.read())
    if plain is None:
        finding = Finding(EXPORT_SEAL_UNOPENED, ok=False, required=True, note="the configured key does not open it")
        return replace(body, inspection=Inspection(SEALED, (finding,)))
    sink = io.BytesIO(plain)
    return RecordingBody(sink, len(plain), sha256_hex(plain), examine(sink, len(plain), None), body.origin)


def _all_rendered(work: ExportWork, place: tuple[str, str], known: dict[str, int]) -> bool:
    """Whether the lake holds the recording in other forms only: then the export is the original beside them."""
    shard = work.shard
    return not any(is_original(source) for source in sources_of(shard.lake, shard.identity(*place), known))


def _without_media(work: ExportWork, place: tuple[str, str], seen: Counter[Seen]) -> list[ItemRecord]:
    if work.shard.stored.get(place) or place[0] == place[1]:
        seen[Seen.RECOGNISED] += 1
        return []
    seen[Seen.MEDIA_MISSING] += 1
    return [
        ItemRecord(*place, 0, Outcome.PENDING, EXPORT_MEDIA_MISSING, EXPORT, "metadata came, the recording did not")
    ]
