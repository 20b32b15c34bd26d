"""A member of a zip as a candidate for the archive: copied into its spool, hashed on the way, and examined."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from include.transfer.hashed_sink import HashedSink
from include.transfer.integrity import examine
from include.transfer.recording_body import RecordingBody

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from include.transfer.body import Room
    from include.transfer.bundle_index import IndexEntry
    from include.transfer.metadata import Origin
    from include.transfer.recording_spool import Spool
    from include.transfer.unpack import Member


def extract(
    origin: Origin,
    pour: Callable[[Room], None],
    member: Member,
    entry: IndexEntry | None,
    sink: Spool,
    bytes_max: int,
) -> RecordingBody:
    """Copy a member into ``sink``; its name is kept as a label and never becomes a path.

    Args:
        origin: where the archive came from.
        pour: moves the member's bytes into a place, and raises where they are not proven.
        member: which one it is.
        entry: what the bundle's index says of it.
        sink: where it shall rest; emptied first, belongs to the caller.
        bytes_max: how large a recording may be.

    Raises:
        ArchiveRejected: when the member is damaged.
        QuotaExceeded, ConfigurationError: when it is too large, or the work directory is full, or fails otherwise.
        ArchiveError: as reading the archive raises.
    """
    with closing(HashedSink(sink, bytes_max)) as hashed:
        hashed.admit(member.size)
        pour(hashed)
        sha256 = hashed.sha256
    declared_media_type = entry.media_type if entry else None
    declared_milliseconds = entry.duration_milliseconds if entry else None
    return RecordingBody(
        sink=cast("BinaryIO", sink),
        size=member.size,
        sha256=sha256,
        inspection=examine(cast("BinaryIO", sink), member.size, declared_media_type, declared_milliseconds),
        origin=replace(
            origin,
            archive_member=member.name,
            declared_media_type=declared_media_type,
            declared=(entry.declared or None) if entry else None,
        ),
    )
