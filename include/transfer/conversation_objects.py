"""Everything the lake holds of one conversation, version by version: what an erasure deletes and a hold keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from include.canonical import read_document
from include.errors import IntegrityError
from include.lake import key_reading, layout
from include.lake.commit import manifests_of
from include.lake.manifest import Manifest
from include.lake.plan import ShardPlan
from include.lake.tombstone import without_facts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from include.lake.store import LakeStore
    from include.lake.versions import ObjectVersion
    from include.local_day import LocalDay
    from include.outcome import ItemRecord

UNKNOWN = "/conversation=unknown/"


@dataclass(frozen=True, slots=True)
class ConversationObjects:
    """What there is of a conversation.

    ``recordings`` are its media, metadata, derivatives and quarantined bytes. ``plans`` are the versions of shard
    plans that hold facts of it, each with the plan that takes its place. ``unassigned`` are keys of quarantined bytes
    of that day that nobody could assign to any conversation: only a person can tell whose they are. ``recording_ids``
    are those of its recordings that the day knows, also of such as are not here.
    """

    recordings: tuple[ObjectVersion, ...]
    plans: tuple[tuple[ObjectVersion, ShardPlan], ...] = ()
    unassigned: tuple[str, ...] = ()
    recording_ids: frozenset[str] = frozenset()

    @property
    def versions(self) -> tuple[ObjectVersion, ...]:
        """All versions that have to go in an erasure, sorted."""
        return tuple(sorted((*self.recordings, *(version for version, _ in self.plans))))


def objects_of(lake: LakeStore, org: str, day: LocalDay, conversation_id: str) -> ConversationObjects:
    """Find everything, current or not, hidden or not.

    Raises:
        IntegrityError: a manifest or a shard plan of the day was altered.
        LakeUnavailable, NotAuthorised, ConfigurationError: as the lake raises them.
    """
    date = str(day)
    items = [item for key in manifests_of(lake, day) for item in Manifest.read(lake, key, org, date).items]
    quarantined, unassigned = _quarantined(lake, date, conversation_id, items)
    folders = (
        layout.conversation_prefix(org, date, conversation_id),
        layout.derived_conversation_prefix(org, date, conversation_id),
    )
    recordings = [version for folder in folders for version in lake.versions.list(folder)]
    plans = tuple(_plans_with_facts(lake, date, conversation_id))
    everything = tuple(sorted((*recordings, *quarantined)))
    said = {item.recording_id for item in items if item.conversation_id == conversation_id}
    here = {key_reading.recording_in(version.key) for version in everything}
    return ConversationObjects(everything, plans, unassigned, frozenset((said | here) - {""}))


def _quarantined(
    lake: LakeStore, date: str, conversation_id: str, items: Sequence[ItemRecord]
) -> tuple[list[ObjectVersion], tuple[str, ...]]:
    """Return its own refused bytes and those of archives that a manifest names for it, and what is nobody's."""
    own = {item.key for item in items if item.conversation_id == conversation_id and item.key}
    named = {item.key for item in items}
    found, unassigned = [], set()
    for version in lake.versions.list(layout.quarantine_prefix(date)):
        if f"/conversation={conversation_id}/" in version.key or version.key in own:
            found.append(version)
        elif UNKNOWN in version.key and version.key not in named:
            unassigned.add(version.key)
    return found, tuple(sorted(unassigned))


def _plans_with_facts(lake: LakeStore, date: str, conversation_id: str) -> Iterator[tuple[ObjectVersion, ShardPlan]]:
    for version in lake.versions.list(layout.shard_plan_prefix(date)):
        if version.is_marker:
            continue
        body = lake.versions.read(version)
        if conversation_id.encode() not in body:
            continue
        try:
            plan = ShardPlan.of_document(read_document(body))
        except (ValueError, KeyError, TypeError) as error:
            raise IntegrityError(f"{lake.uri(version.key)} is no shard plan: altered.", key=version.key) from error
        redacted = without_facts(plan, conversation_id)
        if redacted is not None:
            yield version, redacted
