"""Puts candidates where they belong: audio and its metadata into the lake, refused bytes into quarantine."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from include.canonical import sha256_hex
from include.lake import layout
from include.outcome import ItemRecord, Outcome
from include.transfer.metadata import recording_document, storable
from include.transfer.stored import stored_recording

if TYPE_CHECKING:
    from collections.abc import Sequence

    from include.lake.layout import MediaIdentity
    from include.transfer.recording_body import RecordingBody
    from include.transfer.shard_work import ShardWork

log = logging.getLogger(__name__)
CONTENT = "content"


def keep_recording(
    work: ShardWork, conversation_id: str, recording_id: str, bodies: Sequence[RecordingBody]
) -> list[ItemRecord]:
    """Store all parts of one recording and return their records.

    Parts are numbered by their digests' order, so that the same bytes get the same keys whatever order the source
    gives them in; parts that are in the lake keep their numbers, and equal bytes are one part.

    Raises:
        LakeUnavailable, LakeConflict, IntegrityError, NotAuthorised: as the lake raises them.
    """
    if work.shelf is not None:
        work.shelf.keep(conversation_id, recording_id, bodies)
        return []
    known = work.stored.get((conversation_id, recording_id), {})
    records = stored_recording(work.lake, work.identity(conversation_id, recording_id), known)
    numbers = dict(known)
    for body in sorted(bodies, key=lambda item: item.sha256):
        identity = work.identity(conversation_id, recording_id)
        if body.refusal is not None:
            records.append(quarantine(work, identity, body, body.refusal.name, body.refusal.note))
        elif not _is_audio(body):
            records.append(_not_selected(identity, body))
        elif body.sha256 not in numbers:
            numbers[body.sha256] = max(numbers.values(), default=-1) + 1
            records.append(_archive(work, replace(identity, part=numbers[body.sha256]), body))
    return records


def _archive(work: ShardWork, identity: MediaIdentity, body: RecordingBody) -> ItemRecord:
    """Data before anything that refers to it: audio, then metadata."""
    key = layout.media_key(identity, body.sha256, body.extension)
    lake = work.lake_for(identity.conversation_id)
    size, sha256, kind = body.size, body.sha256, body.media_type
    put = lake.copy_if_absent(key, body.copy_of, bytes_=size, sha256=sha256, media_type=kind) if body.copy_of else None
    put = put or lake.put_if_absent(key, body.sink, bytes_=size, sha256=sha256, media_type=kind)
    metadata_key = layout.metadata_key(identity, body.sha256)
    document = lake.put_first(
        metadata_key,
        recording_document(
            identity,
            work.plan.timezone,
            # Again, since the plan may be older than the policy, or another machine's.
            work.settings.pii.applied(work.plan.facts.get(identity.conversation_id, {})),
            key=key,
            size=body.size,
            sha256=body.sha256,
            media_type=body.media_type,
            audio=body.inspection.audio,
            findings=body.inspection.findings,
            origin=replace(body.origin, declared=storable(work.settings.pii.declared(body.origin.declared))),
            version_id=put.stored.version_id,
        ),
    )
    log.info(
        "recording_id=%s part=%d outcome=archived bytes=%d sha256=%s created=%s",
        identity.recording_id, identity.part, body.size, body.sha256, put.created,
    )  # fmt: skip
    return ItemRecord(
        conversation_id=identity.conversation_id,
        recording_id=identity.recording_id,
        part=identity.part,
        outcome=Outcome.ARCHIVED,
        key=key,
        sha256=body.sha256,
        bytes=body.size,
        media_type=body.media_type,
        metadata_key=metadata_key,
        metadata_sha256=sha256_hex(document),
        version_id=put.stored.version_id or "",
    )


def quarantine(work: ShardWork, identity: MediaIdentity, body: RecordingBody, reason: str, note: str) -> ItemRecord:
    """Keep refused bytes under their reason and return the record; of a rendering there is nothing to keep.

    Raises:
        LakeUnavailable, NotAuthorised: as the lake raises them.
    """
    if work.shelf is not None:
        log.warning("recording_id=%s rendering refused reason=%s", identity.recording_id, reason)
        place = (identity.conversation_id, identity.recording_id)
        return ItemRecord(*place, 0, Outcome.QUARANTINED, reason, CONTENT, note[:200])
    key = layout.quarantine_key(identity.date, reason, identity, body.sha256, body.extension)
    put = work.lake_for(identity.conversation_id).put_if_absent(
        key, body.sink, bytes_=body.size, sha256=body.sha256, media_type="application/octet-stream"
    )
    log.warning(
        "recording_id=%s part=%d outcome=quarantined bytes=%d sha256=%s reason=%s",
        identity.recording_id, identity.part, body.size, body.sha256, reason,
    )  # fmt: skip
    return ItemRecord(
        conversation_id=identity.conversation_id,
        recording_id=identity.recording_id,
        part=identity.part,
        outcome=Outcome.QUARANTINED,
        reason=reason,
        said_by=CONTENT,
        fact=note[:200],
        key=key,
        sha256=body.sha256,
        bytes=body.size,
        version_id=put.stored.version_id or "",
    )


def _is_audio(body: RecordingBody) -> bool:
    """A video container may hold audio alone; what it was declared to be decides between the two."""
    kind = body.inspection.kind
    if kind is None or not kind.audio:
        return False
    declared = (body.origin.declared_media_type or "").lower()
    return not (kind.media_type.startswith("video/") and declared.startswith("video/"))


def _not_selected(identity: MediaIdentity, body: RecordingBody) -> ItemRecord:
    return ItemRecord(
        identity.conversation_id,
        identity.recording_id,
        0,
        Outcome.NOT_SELECTED,
        "media_not_selected",
        CONTENT,
        body.media_type,
    )
