"""A zip of recordings, fetched and opened; what its members are and where they go is for ``bundle_members``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from include.errors import ArchiveError, ArchiveRejected, NotAuthorised
from include.outcome import ItemRecord, Outcome
from include.transfer.archive_reader import ArchiveContents, ArchiveLimits, open_archive
from include.transfer.bundle_members import ARCHIVE, BundleMembers, extract
from include.transfer.failure import failure_record
from include.transfer.holes import FACT_LENGTH
from include.transfer.keep import quarantine
from include.transfer.recording_body import RecordingBody, fetch_body
from include.transfer.spool import spool

if TYPE_CHECKING:
    from collections.abc import Collection
    from contextlib import ExitStack

    from include.genesys.models import RecordingResult
    from include.transfer.bundle_index import IndexFailure
    from include.transfer.shard_work import JobUrls, ShardWork


@dataclass(frozen=True, slots=True)
class BundleOutcome:
    """The records of all recordings in the bundle, and what its index says is missing from it.

    ``unmapped`` tells that it held something that nothing assigns to a recording, so that what else is missing has to
    be asked of the source.
    """

    records: tuple[ItemRecord, ...]
    failures: tuple[IndexFailure, ...] = ()
    unmapped: bool = False


def archive_bundle(
    work: ShardWork, urls: JobUrls, result: RecordingResult, requested: Collection[str]
) -> BundleOutcome:
    """Bring every recording of one archive into the lake; refuse the archive whole where it is not safe to open.

    Raises:
        LakeUnavailable, LakeConflict, NotAuthorised, IntegrityError, ConfigurationError: trouble with the lake, the
            credentials or this machine stops the shard.
    """
    with spool(work.settings) as sink:
        try:
            body = fetch_body(work, urls, result, sink)
        except NotAuthorised:
            raise
        except ArchiveError as error:
            return BundleOutcome(tuple(failure_record(key, "", error) for key in sorted(requested)))
        try:
            members = BundleMembers.of(work, body, _opened(body), frozenset(requested))
        except ArchiveRejected as error:
            return _refused_whole(work, body, error, requested)
        records = members.archive()
        failures = tuple(item for item in members.index.failures if item.conversation_id in requested)
        return BundleOutcome(tuple(records), failures, bool(members.unmapped))


def bodies_of_archive(work: ShardWork, body: RecordingBody, stack: ExitStack) -> list[RecordingBody]:
    """Return the members of an archive that stands for one recording; their spools live as long as ``stack``.

    Raises:
        ArchiveRejected: when it is not safe to open, or damaged.
        QuotaExceeded: when the disk is full.
    """
    contents = _opened(body)
    return [
        extract(body, contents, member, None, stack.enter_context(spool(work.settings))) for member in contents.members
    ]


def _opened(body: RecordingBody) -> ArchiveContents:
    if not body.is_zip:
        raise ArchiveRejected("The result is no zip archive.", reason="not_an_archive")
    return open_archive(body.sink, ArchiveLimits())


def _refused_whole(
    work: ShardWork, body: RecordingBody, error: ArchiveRejected, requested: Collection[str]
) -> BundleOutcome:
    kept = quarantine(work, work.identity("", ""), body, error.reason, str(error))
    fact = str(error)[:FACT_LENGTH]
    return BundleOutcome(
        tuple(
            ItemRecord(key, "", 0, Outcome.QUARANTINED, error.reason, ARCHIVE, fact, kept.key)
            for key in sorted(requested)
        )
    )
