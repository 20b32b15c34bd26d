"""An archive that must not be opened: kept whole, and asked for once more before its recordings are given up.

A job builds its zip anew, so one that is damaged is as likely the doing of that one job as of the recordings. The
first time, therefore, its conversations are ``pending`` as ``archive_rejected_<reason>``, and the next run requests
them again in a new job. What is refused a second time is ``quarantined``: now a person must look. The memory is the
lake itself: an earlier manifest of the day that names the conversation with such a reason. (A task that is run again
after it wrote its manifest meets the same job's zip and counts as the second time; its conversations are asked for
again all the same, as whatever is quarantined.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.lake import layout
from include.lake.manifest import Manifest
from include.outcome import ItemRecord, Outcome
from include.transfer.bundle_members import ARCHIVE
from include.transfer.holes import FACT_LENGTH
from include.transfer.keep import quarantine

if TYPE_CHECKING:
    from collections.abc import Collection

    from include.errors import ArchiveRejected
    from include.transfer.recording_body import RecordingBody
    from include.transfer.shard_work import ShardWork

REJECTED_ONCE = "archive_rejected_{}"


def refused_whole(
    work: ShardWork, body: RecordingBody, error: ArchiveRejected, requested: Collection[str]
) -> tuple[ItemRecord, ...]:
    """Keep the archive under its reason and return a record of every conversation it was to bring.

    Raises:
        LakeUnavailable, NotAuthorised, IntegrityError: as the lake raises them.
    """
    kept = quarantine(work, work.identity("", ""), body, error.reason, str(error))
    again = rejected_before(work)
    fact = str(error)[:FACT_LENGTH]

    def record(conversation_id: str) -> ItemRecord:
        if conversation_id in again:
            return ItemRecord(conversation_id, "", 0, Outcome.QUARANTINED, error.reason, ARCHIVE, fact, kept.key)
        reason = REJECTED_ONCE.format(error.reason)
        return ItemRecord(conversation_id, "", 0, Outcome.PENDING, reason, ARCHIVE, fact, kept.key)

    return tuple(record(conversation_id) for conversation_id in sorted(requested))


def rejected_before(work: ShardWork) -> frozenset[str]:
    """Return the conversations of the day that an earlier run named after a refused archive.

    Raises:
        LakeUnavailable, NotAuthorised, IntegrityError: as the lake raises them.
    """
    keys = work.lake.list_keys(layout.manifest_prefix(work.plan.date))
    return frozenset(
        item.conversation_id
        for key in keys
        for item in Manifest.read(work.lake, key, work.plan.org, work.plan.date).items
        if item.reason.startswith(REJECTED_ONCE.format(""))
    )
