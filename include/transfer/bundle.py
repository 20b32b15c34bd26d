"""A zip of recordings, opened where it lies; what its members are and where they go is for ``bundle_members``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from include.errors import ArchiveError, ArchiveRejected, NotAuthorised
from include.transfer.archive_reader import ArchiveLimits, open_archive
from include.transfer.bundle_members import FILES_MAX, BundleMembers
from include.transfer.bundle_source import BundleSource
from include.transfer.failure import failure_record
from include.transfer.member_body import extract
from include.transfer.refused_bundle import refused_whole

if TYPE_CHECKING:
    from collections.abc import Collection
    from contextlib import ExitStack

    from include.genesys.models import RecordingResult
    from include.outcome import ItemRecord
    from include.transfer.bundle_index import IndexFailure
    from include.transfer.recording_body import RecordingBody
    from include.transfer.shard_work import JobUrls, ShardWork


@dataclass(frozen=True, slots=True)
class BundleOutcome:
    """The records of all recordings in the bundle, and what its index says is missing from it.

    ``unmapped`` tells that it held something that nothing assigns to a recording, so that what else is missing has to
    be asked of the source. ``counted`` is how many recordings it speaks of; ``None`` where it could not be read.
    """

    records: tuple[ItemRecord, ...]
    failures: tuple[IndexFailure, ...] = ()
    unmapped: bool = False
    counted: int | None = None


def archive_bundle(
    work: ShardWork, urls: JobUrls, result: RecordingResult, requested: Collection[str]
) -> BundleOutcome:
    """Bring every recording of one archive into the lake; refuse the archive whole where it is not safe to open.

    Raises:
        LakeUnavailable, LakeConflict, NotAuthorised, IntegrityError, ConfigurationError: trouble with the lake, the
            credentials or this machine stops the shard.
    """
    with BundleSource(work, urls, result) as source:
        try:
            members = BundleMembers.of(work, source, source.open(), frozenset(requested))
        except NotAuthorised:
            raise
        except ArchiveRejected as error:
            return _refused(work, source, error, requested)
        except ArchiveError as error:
            return _failed(error, requested)
        return BundleOutcome(tuple(members.archive()), members.failures(), bool(members.unmapped), members.counted())


def bodies_of_archive(work: ShardWork, body: RecordingBody, stack: ExitStack) -> list[RecordingBody]:
    """Return the members of an archive that stands for one recording; their spools live as long as ``stack``.

    Raises:
        ArchiveRejected: when it is not safe to open, or damaged, or holds more files than a recording has.
        QuotaExceeded: when a member is too large, or the disk is full.
    """
    contents = open_archive(body.sink, ArchiveLimits(members_max=FILES_MAX))
    origin = replace(body.origin, archive_sha256=body.sha256, archive_directory_sha256=contents.directory_sha256)
    limit = work.settings.recording_bytes_max
    bodies = []
    for member in contents.members:
        sink = stack.enter_context(work.downloader.spool())
        bodies.append(extract(origin, partial(contents.pour, member), member, None, sink, limit))
    return bodies


def _refused(
    work: ShardWork, source: BundleSource, error: ArchiveRejected, requested: Collection[str]
) -> BundleOutcome:
    try:
        body = source.whole()
    except NotAuthorised:
        raise
    except ArchiveError as trouble:
        return _failed(trouble, requested)
    return BundleOutcome(refused_whole(work, body, error, requested))


def _failed(error: ArchiveError, requested: Collection[str]) -> BundleOutcome:
    return BundleOutcome(tuple(failure_record(key, "", error) for key in sorted(requested)))
