"""The members of a zip of many recordings, each brought to where it belongs, several side by side.

Index and path must agree on whose a member is, and what neither assigns is kept in quarantine. A damaged member costs
its own recording and no other.
"""

from __future__ import annotations

import logging
import threading
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, BinaryIO, Self, cast

from include.errors import ArchiveError, ArchiveRejected, ConfigurationError, NotAuthorised
from include.lake.layout import UNMAPPED
from include.outcome import ItemRecord, Outcome
from include.transfer.bundle_assignment import assigned
from include.transfer.bundle_index import BundleIndex, IndexFailure, ids_in_name, read_index
from include.transfer.failure import failure_record
from include.transfer.holes import FACT_LENGTH
from include.transfer.keep import keep_recording, quarantine
from include.transfer.member_body import extract
from include.transfer.originals import has_original
from include.transfer.results import is_selected
from include.transfer.side_by_side import side_by_side
from include.transfer.stored import stored_recording
from include.transfer.stretches import StretchFile, plan_stretches, stretch_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from include.transfer.archive_reader import ArchiveContents
    from include.transfer.bundle_source import BundleSource
    from include.transfer.recording_body import RecordingBody
    from include.transfer.recording_spool import Spool
    from include.transfer.shard_work import ShardWork
    from include.transfer.stretches import Stretch
    from include.transfer.unpack import Member

log = logging.getLogger(__name__)
INDEX_BYTES_MAX = 64 * 1024 * 1024
"""Of all members together that may be the index."""

INDEX_STRETCH_BYTES = 1024 * 1024
ARCHIVE = "archive"
IDENTITY_MISMATCH = "identity_mismatch"
FILES_MAX = 64
"""Of one recording. All of them are judged before one is stored, and each may be an open file until then."""

TOO_MANY_FILES = "too_many_members"


Place = tuple[str, str]
"""Conversation and recording."""


@dataclass(frozen=True, slots=True)
class Share:
    """The members that one place has in the bundle; ``refused_for`` says why they must not be archived there."""

    place: Place
    members: tuple[Member, ...]
    refused_for: str = ""


@dataclass(slots=True)
class BundleMembers:
    """One opened bundle on its way into the lake. ``unmapped`` are the keys of what belongs to no recording."""

    work: ShardWork
    source: BundleSource
    contents: ArchiveContents
    requested: frozenset[str]
    index: BundleIndex
    media: tuple[Member, ...]
    unmapped: list[str] = field(default_factory=list)
    _kept_whole: dict[str, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def of(cls, work: ShardWork, source: BundleSource, contents: ArchiveContents, requested: frozenset[str]) -> Self:
        """Tell the index from the media.

        Raises:
            ArchiveRejected: when a member that may be the index is damaged.
            ArchiveError: when it did not arrive.
        """
        index, media = split(contents, source)
        return cls(work, source, contents, requested, index, media)

    def archive(self) -> list[ItemRecord]:
        """Return the records of every requested recording in the bundle.

        Raises:
            LakeUnavailable, LakeConflict, IntegrityError, NotAuthorised: as the lake raises them.
        """
        records, shares = self._shares()
        workers = self.work.settings.concurrent_downloads
        views: SimpleQueue[StretchFile] = SimpleQueue()
        for _ in range(workers):
            views.put(self.source.view())

        def archive_unit(unit: list[Share]) -> list[ItemRecord]:
            view = views.get()
            try:
                return self._archive_shares(unit, view)
            finally:
                views.put(view)

        stop = self.work.downloader.stop
        kept = side_by_side(archive_unit, self._units(shares), threads=workers, name="member", stop=stop)
        return records + [record for unit in kept for record in unit]

    def counted(self) -> int:
        """Return how many recordings the bundle speaks of, which is what the counters of its job count."""
        names = {member.name for member in self.contents.members}
        return len(self.media) + len(self.index.failures) + len(self.index.entries.keys() - names)

    def failures(self) -> tuple[IndexFailure, ...]:
        """Return what the index says could not be had, and what it names and the bundle does not hold."""
        names = {member.name for member in self.contents.members}
        missing = (
            IndexFailure(entry.conversation_id, entry.recording_id, "named in the index, not in the archive")
            for name, entry in self.index.entries.items()
            if name not in names
        )
        return tuple(item for item in (*self.index.failures, *missing) if item.conversation_id in self.requested)

    def _shares(self) -> tuple[list[ItemRecord], list[Share]]:
        """Return what is known without a look at the members, and whose the others are, in the order of the file."""
        records: list[ItemRecord] = []
        shares: list[Share] = []
        groups: dict[Place, list[Member]] = {}
        for member in self.media:
            entry = self.index.entries.get(member.name)
            place = ids_in_name(member.name) if entry is None else (entry.conversation_id, entry.recording_id)
            if place is None:
                shares.append(Share(("", ""), (member,), UNMAPPED))
            elif place[0] not in self.requested:
                log.warning("A member for a conversation that was never requested was left out: %s", place[0])
            elif entry is not None and not is_selected(entry.media_type):
                fact = str(entry.media_type)[:FACT_LENGTH]
                records.append(ItemRecord(*place, 0, Outcome.NOT_SELECTED, "media_not_selected", ARCHIVE, fact))
            elif ids_in_name(member.name) not in (None, place):
                shares.append(Share(place, (member,), IDENTITY_MISMATCH))
            else:
                groups.setdefault(place, []).append(member)
        for place, members in groups.items():
            if len(members) > FILES_MAX:
                shares += [Share(place, (member,), TOO_MANY_FILES) for member in members]
            else:
                shares.append(Share(place, tuple(members)))
        return records, sorted(shares, key=lambda share: share.members[0].start)

    def _units(self, shares: list[Share]) -> Iterable[list[Share]]:
        """Put shares that are read by one request together: the work of one thread."""
        stretches = self._stretches(shares)
        units: dict[int, list[Share]] = {}
        for share in shares:
            units.setdefault(stretch_of(stretches, share.members[0].start), []).append(share)
        return units.values()

    def _stretches(self, shares: list[Share]) -> tuple[Stretch, ...]:
        members = (member for share in shares for member in share.members)
        return plan_stretches(members, self.work.settings.chunk_bytes)

    def _archive_shares(self, shares: list[Share], view: StretchFile) -> list[ItemRecord]:
        view.aim(self._stretches(shares))
        records: list[ItemRecord] = []
        for share in shares:
            if share.refused_for:
                records += self._refuse(share, view)
            else:
                records += self._keep(share, view)
        return records

    def _keep(self, share: Share, view: StretchFile) -> list[ItemRecord]:
        known = self.work.stored.get(share.place, {})
        identity = self.work.identity(*share.place)
        # Two may be one member whose bytes changed between two runs; one may be the recording in another form.
        by_count = len(known) == len(share.members) == 1 and share.place not in self.work.contested
        if by_count and has_original(self.work.lake, identity, known):
            return stored_recording(self.work.lake, identity, known)
        with ExitStack() as stack:
            bodies, lost = self._extract(share, view, stack)
            return lost + keep_recording(self.work, *share.place, bodies)

    def _refuse(self, share: Share, view: StretchFile) -> list[ItemRecord]:
        """Keep members that must not be archived; what belongs to nobody is remembered instead of recorded."""
        with ExitStack() as stack:
            bodies, records = self._extract(share, view, stack)
            identity = self.work.identity(*share.place)
            for body in bodies:
                note = f"member {body.origin.archive_member!r}"
                records.append(quarantine(self.work, identity, body, share.refused_for, note))
        if share.refused_for != UNMAPPED:
            return records
        with self._lock:
            self.unmapped += [record.key for record in records]
        return []

    def _extract(
        self, share: Share, view: StretchFile, stack: ExitStack
    ) -> tuple[list[RecordingBody], list[ItemRecord]]:
        """Unpack the members of a share; their spools live as long as ``stack``. Damage is a record, not an error."""
        bodies: list[RecordingBody] = []
        lost: list[ItemRecord] = []
        for member in share.members:
            sink = stack.enter_context(self.work.downloader.spool())
            try:
                with self.work.tally.download(share.place[1]) as download:
                    bodies.append(self._extracted(member, view, sink))
                    download.arrived(bodies[-1].size, bodies[-1].refused_for)
            except ArchiveRejected as error:
                lost.append(self._damaged(share.place, error))
            except (NotAuthorised, ConfigurationError):
                raise
            except ArchiveError as error:
                lost.append(failure_record(*share.place, error))
        return bodies, lost

    def _extracted(self, member: Member, view: StretchFile, sink: Spool) -> RecordingBody:
        entry, limit = self.index.entries.get(member.name), self.work.settings.recording_bytes_max
        pour = partial(self.contents.pour, member, source=cast("BinaryIO", view))
        try:
            return extract(self.source.origin, pour, member, entry, sink, limit)
        except ArchiveRejected:
            view.forget()  # the bytes may have been spoiled on their way here: look once more
        return extract(self.source.origin, pour, member, entry, sink, limit)

    def _damaged(self, place: Place, error: ArchiveRejected) -> ItemRecord:
        """Name a recording whose member is damaged; the evidence is the whole archive, kept once."""
        with self._lock:
            if error.reason not in self._kept_whole:
                try:
                    body = self.source.whole()
                except (NotAuthorised, ConfigurationError):
                    raise
                except ArchiveError as trouble:
                    return failure_record(*place, trouble)  # without evidence nothing is called damaged
                kept = quarantine(self.work, self.work.identity("", ""), body, error.reason, str(error))
                self._kept_whole[error.reason] = kept.key
        key, fact = self._kept_whole[error.reason], str(error)[:FACT_LENGTH]
        return ItemRecord(*place, 0, Outcome.QUARANTINED, error.reason, ARCHIVE, fact, key)


def split(contents: ArchiveContents, source: BundleSource) -> tuple[BundleIndex, tuple[Member, ...]]:
    """Tell the index from the media. Of several that could be it, the one that names the most members is.

    A JSON whose path holds the ids of one recording belongs to that recording.

    Raises:
        ArchiveRejected: when a member that may be the index is damaged.
    """
    names = {member.name for member in contents.members}
    candidates = may_be_index(contents.members)
    view = source.view()
    view.aim(plan_stretches(candidates, INDEX_STRETCH_BYTES))
    best, chosen, most = BundleIndex(), None, -1
    for member in candidates:
        read = read_index(b"".join(contents.pieces(member, cast("BinaryIO", view))))
        if read is None:
            continue
        index = assigned(read, names - {member.name})
        if len(names & index.entries.keys()) > most:
            best, chosen, most = index, member, len(names & index.entries.keys())
    return best, tuple(member for member in contents.members if member is not chosen)


def may_be_index(members: Iterable[Member]) -> list[Member]:
    """Return those that may be the index: the first ones of the directory, as many as may be read."""
    found, left = [], INDEX_BYTES_MAX
    for member in members:
        is_named_so = member.name.lower().endswith(".json") and ids_in_name(member.name) is None
        if is_named_so and member.size <= left:
            found.append(member)
            left -= member.size
    return found
