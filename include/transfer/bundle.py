"""A zip of recordings, opened member by member; what comes out is treated like recordings that came one by one."""

from __future__ import annotations

import hashlib
import logging
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from include.errors import ArchiveError, ArchiveRejected
from include.outcome import ItemRecord, Outcome
from include.transfer.archive_reader import ArchiveContents, ArchiveLimits, Member, open_archive
from include.transfer.bundle_index import BundleIndex, IndexEntry, ids_in_name, read_index
from include.transfer.failure import failure_record
from include.transfer.keep import keep_recording, quarantine
from include.transfer.recording_body import RecordingBody, fetch_body, member_body
from include.transfer.results import is_selected
from include.transfer.spool import spool
from include.transfer.stored import stored_recording

if TYPE_CHECKING:
    from collections.abc import Collection

    from include.genesys.models import RecordingResult
    from include.transfer.bundle_index import IndexFailure
    from include.transfer.shard_work import JobUrls, ShardWork

log = logging.getLogger(__name__)
INDEX_BYTES_MAX = 64 * 1024 * 1024
PIECE_BYTES = 256 * 1024
IDENTITY_MISMATCH = "identity_mismatch"
UNMAPPED = "unmapped"


@dataclass(frozen=True, slots=True)
class BundleOutcome:
    """The records of all recordings in the bundle, and what its index says is missing from it."""

    records: tuple[ItemRecord, ...]
    failures: tuple[IndexFailure, ...] = ()


def archive_bundle(
    work: ShardWork, urls: JobUrls, result: RecordingResult, requested: Collection[str]
) -> BundleOutcome:
    """Bring every recording of one archive into the lake; refuse the archive whole where it is not safe to open.

    Raises:
        LakeUnavailable, LakeConflict, NotAuthorised, IntegrityError: trouble with the lake stops the shard.
    """
    with spool(work.settings) as sink:
        try:
            body = fetch_body(work, urls, result, sink)
        except ArchiveError as error:
            return BundleOutcome(tuple(failure_record(key, "", error) for key in sorted(requested)))
        try:
            return _archive_members(work, body, _opened(body), frozenset(requested))
        except ArchiveRejected as error:
            kept = quarantine(work, work.identity("", ""), body, error.reason, str(error))
            return BundleOutcome(
                tuple(
                    ItemRecord(key, "", 0, Outcome.QUARANTINED, error.reason, "archive", str(error)[:200], kept.key)
                    for key in sorted(requested)
                )
            )


def bodies_of_archive(work: ShardWork, body: RecordingBody, stack: ExitStack) -> list[RecordingBody]:
    """Return the members of an archive that stands for one recording; their spools live as long as ``stack``.

    Raises:
        ArchiveRejected: when it is not safe to open, or damaged.
    """
    contents = _opened(body)
    return [
        _extract(body, contents, member, None, stack.enter_context(spool(work.settings))) for member in contents.members
    ]


def _opened(body: RecordingBody) -> ArchiveContents:
    if not body.is_zip:
        raise ArchiveRejected("The result is no zip archive.", reason="not_an_archive")
    return open_archive(body.sink, ArchiveLimits())


def _archive_members(
    work: ShardWork, body: RecordingBody, contents: ArchiveContents, requested: frozenset[str]
) -> BundleOutcome:
    index, media = _split(contents)
    records: list[ItemRecord] = []
    groups: dict[tuple[str, str], list[Member]] = {}
    for member in media:
        entry = index.entries.get(member.name)
        place, problem = _place_of(member, entry)
        if place[0] and place[0] not in requested:
            log.warning("A member for a conversation that was never requested was left out: %s", place[0])
        elif entry is not None and not is_selected(entry.media_type):
            records.append(
                ItemRecord(*place, 0, Outcome.NOT_SELECTED, "media_not_selected", "archive", str(entry.media_type))
            )
        elif problem:
            records.append(_refuse(work, body, contents, member, place, problem))
        else:
            groups.setdefault(place, []).append(member)
    for (conversation_id, recording_id), members in sorted(groups.items()):
        records += _keep_members(work, body, contents, index, (conversation_id, recording_id), members)
    failures = tuple(item for item in index.failures if item.conversation_id in requested)
    return BundleOutcome(tuple(records), failures)


def _split(contents: ArchiveContents) -> tuple[BundleIndex, list[Member]]:
    """Tell the index from the media. Of several that could be it, the one that names the most members is."""
    best, chosen = BundleIndex(), None
    for member in contents.members:
        if not member.name.lower().endswith(".json") or member.size > INDEX_BYTES_MAX:
            continue
        with contents.open(member) as stream:
            index = read_index(stream.read())
        if index is not None and (chosen is None or len(index.entries) > len(best.entries)):
            best, chosen = index, member
    return best, [member for member in contents.members if member is not chosen]


def _place_of(member: Member, entry: IndexEntry | None) -> tuple[tuple[str, str], str]:
    """Return conversation and recording of a member, and what is wrong with that, if anything."""
    named = ids_in_name(member.name)
    if entry is None:
        return (named, "") if named else (("", ""), UNMAPPED)
    place = (entry.conversation_id, entry.recording_id)
    return place, IDENTITY_MISMATCH if named not in (None, place) else ""


def _keep_members(
    work: ShardWork,
    body: RecordingBody,
    contents: ArchiveContents,
    index: BundleIndex,
    place: tuple[str, str],
    members: list[Member],
) -> list[ItemRecord]:
    known = work.stored.get(place, {})
    if len(known) >= len(members):
        return stored_recording(work.lake, work.identity(*place), known)
    with ExitStack() as stack:
        bodies = [
            _extract(body, contents, member, index.entries.get(member.name), stack.enter_context(spool(work.settings)))
            for member in members
        ]
        return keep_recording(work, *place, bodies)


def _refuse(
    work: ShardWork, body: RecordingBody, contents: ArchiveContents, member: Member, place: tuple[str, str], why: str
) -> ItemRecord:
    with spool(work.settings) as sink:
        extracted = _extract(body, contents, member, None, sink)
        return quarantine(work, work.identity(*place), extracted, why, f"member {member.name!r}")


def _extract(
    parent: RecordingBody,
    contents: ArchiveContents,
    member: Member,
    entry: IndexEntry | None,
    sink: BinaryIO,
) -> RecordingBody:
    """Copy a member into its spool, hashing on the way; its name is kept as a label and never becomes a path."""
    digest = hashlib.sha256()
    with contents.open(member) as stream:
        while piece := stream.read(PIECE_BYTES):
            digest.update(piece)
            sink.write(piece)
    return member_body(
        parent,
        sink,
        size=member.size,
        sha256=digest.hexdigest(),
        member=member.name,
        declared_media_type=entry.media_type if entry else None,
        declared=entry.declared if entry else None,
    )
