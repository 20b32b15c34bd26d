"""One recording of a batch job, from its results to its records: the unit that works or fails on its own."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from include.errors import ArchiveError, ArchiveRejected, IntegrityError, NotAuthorised, QuotaExceeded, RecordingGone
from include.outcome import ItemRecord, Outcome
from include.transfer.bundle import bodies_of_archive
from include.transfer.bundle_index import ids_in_name
from include.transfer.bundle_members import FILES_MAX, IDENTITY_MISMATCH
from include.transfer.failure import failure_record
from include.transfer.holes import BATCH, explain
from include.transfer.keep import keep_recording, quarantine
from include.transfer.originals import is_original, sources_of
from include.transfer.recording_body import RecordingBody, fetch_body
from include.transfer.results import is_selected
from include.transfer.stored import stored_recording

if TYPE_CHECKING:
    from collections.abc import Mapping

    from include.lake.layout import MediaIdentity
    from include.transfer.results import RecordingResults
    from include.transfer.shard_work import JobUrls, ShardWork


def archive_recording(work: ShardWork, urls: JobUrls, group: RecordingResults) -> list[ItemRecord]:
    """Bring one recording into the lake, or say in its records why not.

    What the lake holds as one part is not fetched again; several parts are, since their number alone proves nothing,
    and so is a recording of which other bytes came by another way.

    Raises:
        LakeUnavailable, LakeConflict, NotAuthorised, IntegrityError, ConfigurationError: trouble with the lake, the
            credentials or this machine stops the shard; trouble with the recording never does.
    """
    place = (group.conversation_id, group.recording_id)
    selected = [item for item in group.results if is_selected(item.content_type)]
    records = [
        ItemRecord(*place, 0, Outcome.NOT_SELECTED, "media_not_selected", BATCH, str(item.content_type))
        for item in group.results
        if not is_selected(item.content_type)
    ]
    identity, known = work.identity(*place), work.stored.get(place, {})
    # Two known parts may be one result whose bytes changed between two runs: only one for one proves anything.
    by_count = urls.recognises_by_count and len(selected) == len(known) == 1 and place not in work.contested
    if by_count and _is_recognised(work, identity, known):
        return records + stored_recording(work.lake, identity, known)
    if len(selected) > FILES_MAX:
        error = IntegrityError(f"the job names {len(selected)} files of this one recording")
        return [*records, failure_record(*place, error)]
    with ExitStack() as stack:
        bodies: list[RecordingBody] = []
        for ordinal, result in enumerate(selected):
            sink = stack.enter_context(work.downloader.spool("/".join((identity.org, *place, str(ordinal)))))
            try:
                with work.tally.download(group.recording_id) as download:
                    body = fetch_body(work, urls, result, sink)
                    download.arrived(body.size, "" if body.is_zip else body.refused_for)
            except NotAuthorised:
                raise
            except RecordingGone as error:
                records += _gone(work, group, error)
            except ArchiveError as error:
                records.append(failure_record(*place, error))
            else:
                bodies += _members(work, place, body, stack, records) if body.is_zip else [body]
        return records + keep_recording(work, *place, bodies)


def _is_recognised(work: ShardWork, identity: MediaIdentity, known: Mapping[str, int]) -> bool:
    """Whether the one part in the lake is the one result.

    Not one out of a zip, of which nobody knows how many there are, and not the recording in another form.
    """
    (source,) = sources_of(work.lake, identity, known)
    return "archive_member" not in source and is_original(source)


def _members(
    work: ShardWork, place: tuple[str, str], body: RecordingBody, stack: ExitStack, records: list[ItemRecord]
) -> list[RecordingBody]:
    """Open a zip that stands for one recording; what must not be opened, or is somebody else's, goes to quarantine."""
    identity = work.identity(*place)
    try:
        members = bodies_of_archive(work, body, stack)
    except ArchiveRejected as error:
        records.append(quarantine(work, identity, body, error.reason, str(error)))
        return []
    except QuotaExceeded as error:
        records.append(failure_record(*place, error))
        return []
    own = []
    for member in members:
        name = member.origin.archive_member or ""
        if ids_in_name(name) in (None, place):
            own.append(member)
        else:
            records.append(quarantine(work, identity, member, IDENTITY_MISMATCH, f"member {name!r}"))
    return own


def _gone(work: ShardWork, group: RecordingResults, error: RecordingGone) -> list[ItemRecord]:
    """The URL answers 404: ask who deleted it, since only the source's own word makes it an exclusion."""
    explained = explain(work.source, group.conversation_id, (), ())
    own = [item for item in explained if item.recording_id in {"", group.recording_id}]
    return own or [failure_record(group.conversation_id, group.recording_id, error)]
