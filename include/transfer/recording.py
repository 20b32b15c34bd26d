"""One recording of a batch job, from its results to its records: the unit that works or fails on its own."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from include.errors import ArchiveError, ArchiveRejected, RecordingGone
from include.outcome import ItemRecord, Outcome
from include.transfer.bundle import bodies_of_archive
from include.transfer.failure import failure_record
from include.transfer.holes import BATCH, explain
from include.transfer.keep import keep_recording, quarantine
from include.transfer.recording_body import RecordingBody, fetch_body
from include.transfer.results import is_selected
from include.transfer.spool import spool
from include.transfer.stored import stored_recording

if TYPE_CHECKING:
    from include.genesys.models import RecordingResult
    from include.transfer.results import RecordingResults
    from include.transfer.shard_work import JobUrls, ShardWork


def archive_recording(work: ShardWork, urls: JobUrls, group: RecordingResults) -> list[ItemRecord]:
    """Bring one recording into the lake, or say in its records why not. Never fetches what the lake holds.

    Raises:
        LakeUnavailable, LakeConflict, NotAuthorised, IntegrityError: trouble with the lake stops the shard; trouble
            with the recording never does.
    """
    place = (group.conversation_id, group.recording_id)
    selected = [item for item in group.results if is_selected(item.content_type)]
    records = [
        ItemRecord(*place, 0, Outcome.NOT_SELECTED, "media_not_selected", BATCH, str(item.content_type))
        for item in group.results
        if not is_selected(item.content_type)
    ]
    known = work.stored.get(place, {})
    if selected and len(known) >= len(selected):
        return records + stored_recording(work.lake, work.identity(*place), known)
    with ExitStack() as stack:
        bodies: list[RecordingBody] = []
        for result in selected:
            try:
                bodies += _bodies_of(work, urls, result, stack, records)
            except RecordingGone as error:
                records += _gone(work, group, error)
            except ArchiveError as error:
                records.append(failure_record(*place, error))
        return records + keep_recording(work, *place, bodies)


def _bodies_of(
    work: ShardWork, urls: JobUrls, result: RecordingResult, stack: ExitStack, records: list[ItemRecord]
) -> list[RecordingBody]:
    """Fetch a result; a zip becomes its members, one that must not be opened goes to quarantine whole."""
    body = fetch_body(work, urls, result, stack.enter_context(spool(work.settings)))
    if not body.is_zip:
        return [body]
    try:
        return bodies_of_archive(work, body, stack)
    except ArchiveRejected as error:
        identity = work.identity(str(result.conversation_id), str(result.recording_id))
        records.append(quarantine(work, identity, body, error.reason, str(error)))
        return []


def _gone(work: ShardWork, group: RecordingResults, error: RecordingGone) -> list[ItemRecord]:
    """The URL answers 404: ask who deleted it, since only the source's own word makes it an exclusion."""
    explained = explain(work.source, group.conversation_id, (), ())
    own = [item for item in explained if item.recording_id in {"", group.recording_id}]
    return own or [failure_record(group.conversation_id, group.recording_id, error)]
