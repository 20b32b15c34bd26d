"""The members of a zip of many recordings, each brought to where it belongs.

Index and path must agree on whose a member is, and what neither assigns is kept in quarantine. A damaged member costs
its own recording and no other.
"""

from __future__ import annotations

import logging
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, Self

from include.errors import ArchiveRejected, QuotaExceeded
from include.outcome import ItemRecord, Outcome
from include.transfer.bundle_index import BundleIndex, ids_in_name, read_index
from include.transfer.failure import failure_record
from include.transfer.holes import FACT_LENGTH
from include.transfer.keep import keep_recording, quarantine
from include.transfer.recording_body import RecordingBody, member_body
from include.transfer.results import is_selected
from include.transfer.spool import HashedSink, spool
from include.transfer.stored import stored_recording

if TYPE_CHECKING:
    from include.transfer.archive_reader import ArchiveContents, Member
    from include.transfer.bundle_index import IndexEntry
    from include.transfer.shard_work import ShardWork

log = logging.getLogger(__name__)
INDEX_BYTES_MAX = 64 * 1024 * 1024
PIECE_BYTES = 256 * 1024
ARCHIVE = "archive"
IDENTITY_MISMATCH = "identity_mismatch"
UNMAPPED = "unmapped"

Place = tuple[str, str]
"""Conversation and recording."""


@dataclass(slots=True)
class BundleMembers:
    """One opened bundle on its way into the lake. ``unmapped`` are the keys of what belongs to no recording."""

    work: ShardWork
    body: RecordingBody
    contents: ArchiveContents
    requested: frozenset[str]
    index: BundleIndex
    media: tuple[Member, ...]
    unmapped: list[str] = field(default_factory=list)
    _kept_whole: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, work: ShardWork, body: RecordingBody, contents: ArchiveContents, requested: frozenset[str]) -> Self:
        """Tell the index from the media.

        Raises:
            ArchiveRejected: when a member that may be the index is damaged.
        """
        index, media = split(contents)
        return cls(work, body, contents, requested, index, media)

    def archive(self) -> list[ItemRecord]:
        """Return the records of every requested recording in the bundle.

        Raises:
            LakeUnavailable, LakeConflict, IntegrityError, NotAuthorised: as the lake raises them.
        """
        records: list[ItemRecord] = []
        groups: dict[Place, list[Member]] = {}
        for member in self.media:
            entry = self.index.entries.get(member.name)
            place = place_of(member, entry)
            if place is None:
                self._refuse(member, ("", ""), UNMAPPED)
            elif place[0] not in self.requested:
                log.warning("A member for a conversation that was never requested was left out: %s", place[0])
            elif entry is not None and not is_selected(entry.media_type):
                fact = str(entry.media_type)[:FACT_LENGTH]
                records.append(ItemRecord(*place, 0, Outcome.NOT_SELECTED, "media_not_selected", ARCHIVE, fact))
            elif ids_in_name(member.name) not in (None, place):
                records.append(self._refuse(member, place, IDENTITY_MISMATCH))
            else:
                groups.setdefault(place, []).append(member)
        for place, members in sorted(groups.items()):
            records += self._keep(place, members)
        return records

    def _keep(self, place: Place, members: list[Member]) -> list[ItemRecord]:
        known = self.work.stored.get(place, {})
        if len(known) >= len(members):
            return stored_recording(self.work.lake, self.work.identity(*place), known)
        with ExitStack() as stack:
            bodies, lost = [], []
            for member in members:
                sink = stack.enter_context(spool(self.work.settings))
                try:
                    bodies.append(extract(self.body, self.contents, member, self.index.entries.get(member.name), sink))
                except ArchiveRejected as error:
                    lost.append(self._damaged(place, error))
                except QuotaExceeded as error:
                    lost.append(failure_record(*place, error))
            return lost + keep_recording(self.work, *place, bodies)

    def _refuse(self, member: Member, place: Place, why: str) -> ItemRecord:
        """Keep a member that must not be archived; one that belongs to nobody is remembered instead of recorded."""
        with spool(self.work.settings) as sink:
            try:
                extracted = extract(self.body, self.contents, member, None, sink)
            except ArchiveRejected as error:
                record = self._damaged(place, error)
            except QuotaExceeded as error:
                record = failure_record(*place, error)
            else:
                record = quarantine(self.work, self.work.identity(*place), extracted, why, f"member {member.name!r}")
        if why == UNMAPPED:
            self.unmapped.append(record.key)
        return record

    def _damaged(self, place: Place, error: ArchiveRejected) -> ItemRecord:
        """Name a recording whose member is damaged; the evidence is the whole archive, kept once."""
        if error.reason not in self._kept_whole:
            kept = quarantine(self.work, self.work.identity("", ""), self.body, error.reason, str(error))
            self._kept_whole[error.reason] = kept.key
        key, fact = self._kept_whole[error.reason], str(error)[:FACT_LENGTH]
        return ItemRecord(*place, 0, Outcome.QUARANTINED, error.reason, ARCHIVE, fact, key)


def split(contents: ArchiveContents) -> tuple[BundleIndex, tuple[Member, ...]]:
    """Tell the index from the media. Of several that could be it, the one that names the most members is.

    Raises:
        ArchiveRejected: when a member that may be the index is damaged.
    """
    names = {member.name for member in contents.members}
    best, chosen, most = BundleIndex(), None, -1
    for member in contents.members:
        if not member.name.lower().endswith(".json") or member.size > INDEX_BYTES_MAX:
            continue
        with contents.open(member) as stream:
            index = read_index(stream.read())
        if index is not None and len(names & index.entries.keys()) > most:
            best, chosen, most = index, member, len(names & index.entries.keys())
    return best, tuple(member for member in contents.members if member is not chosen)


def place_of(member: Member, entry: IndexEntry | None) -> Place | None:
    """Return whose the member is: by the index, or where that is silent by its path."""
    return ids_in_name(member.name) if entry is None else (entry.conversation_id, entry.recording_id)


def extract(
    parent: RecordingBody, contents: ArchiveContents, member: Member, entry: IndexEntry | None, sink: BinaryIO
) -> RecordingBody:
    """Copy a member into its spool, hashing on the way; its name is kept as a label and never becomes a path.

    Raises:
        ArchiveRejected: when the member is damaged.
        QuotaExceeded, ConfigurationError: when the work directory is full, or fails otherwise.
    """
    hashed = HashedSink(sink, member.size)
    with contents.open(member) as stream:
        while piece := stream.read(PIECE_BYTES):
            hashed.write(piece)
    hashed.flush()
    return member_body(
        parent,
        sink,
        size=member.size,
        sha256=hashed.sha256,
        member=member.name,
        declared_media_type=entry.media_type if entry else None,
        declared=entry.declared if entry else None,
    )
