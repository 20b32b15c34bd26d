"""What of a day is still to be asked for, in which shards, and which of those a run that died has done already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from include.audit.reconcile import ERASURE_UNFINISHED
from include.genesys.recording import groups_of
from include.lake import layout
from include.lake.manifest import Manifest
from include.lake.plan import DayPlan
from include.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from include.audit.reconcile import DayState
    from include.lake.commit import DayContents
    from include.lake.erasures import Erasures
    from include.lake.store import LakeStore
    from include.local_day import LocalDay
    from include.outcome import ItemRecord

Batches = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class DayDemand:
    """What decides it: the conversations that analytics has ``seen``, who was ``erased``, and tonight's choices."""

    lake: LakeStore
    org: str
    day: LocalDay
    seen: frozenset[str]
    batch_items: int
    shards_max: int
    only_failed: bool
    erased: Erasures
    unreadable: tuple[str, ...] = ()

    def plan(self, known: DayState) -> DayPlan:
        """Return the day's plan: what analytics says now and what earlier commits said."""
        expected = tuple(sorted({*self.seen, *known.expected}))
        return DayPlan(self.org, self.day, expected, unreadable=self.unreadable)

    def shards(self, known: DayState, changed: Collection[str] = ()) -> list[Batches]:
        """Return what the lake has not settled, and what has ``changed`` since, in shards of batches.

        Who was erased on another day is among it until a manifest of this one says so; nobody asks for those.
        """
        todo = {*known.outstanding()} if self.only_failed else {*known.outstanding(), *(self.seen - known.items.keys())}
        todo = todo.union(changed) - self.erased.here.keys()
        batches = groups_of(sorted(item for item in todo if not _is_held_up(known, item)), self.batch_items)
        per_shard = -(-len(batches) // self.shards_max) or 1
        return [tuple(map(tuple, batches[start : start + per_shard])) for start in range(0, len(batches), per_shard)]

    def finished(self, known: DayState, base_version: int, left: DayContents) -> frozenset[str] | None:
        """Return the shards of tonight that a run has settled which died before its commit: nobody asks for them again.

        ``None`` where what it left is older evidence than tonight's, and has to be committed first: it was planned on
        another commit, or expected something else, or has open work, or names a part that is gone.

        Raises:
            IntegrityError: a manifest was altered.
            LakeUnavailable, NotAuthorised: as the lake raises them.
        """
        if left.tombstones or not {self.plan(known).key}.issuperset(left.plans):
            return None
        tonight = {shard_name(batches) for batches in self.shards(known)}
        present = frozenset(self.lake.list_keys(layout.media_day_prefix(self.org, str(self.day))))
        done = set()
        for key in left.manifests:
            manifest = Manifest.read(self.lake, key, self.org, str(self.day))
            if manifest.base_version != base_version or not _is_settled(manifest, present):
                return None
            done.add(layout.shard_digest(manifest.conversation_ids))
        return frozenset(done) if done <= tonight else None


def _is_held_up(known: DayState, conversation_id: str) -> bool:
    """Whether an erasure has not come to its end: a person has to go on, and no manifest would change that."""
    return any(item.reason == ERASURE_UNFINISHED for item in known.items.get(conversation_id, ()))


def shard_name(batches: Iterable[Iterable[str]]) -> str:
    """Return the name of a shard of these batches, as its plan and its manifest have it."""
    return layout.shard_digest(sorted(item for batch in batches for item in batch))


def _is_settled(manifest: Manifest, present: Collection[str]) -> bool:
    spoken = {item.conversation_id for item in manifest.items}
    return spoken.issuperset(manifest.conversation_ids) and all(_stands(item, present) for item in manifest.items)


def _stands(item: ItemRecord, present: Collection[str]) -> bool:
    if item.outcome is Outcome.ARCHIVED:
        return item.key in present and item.metadata_key in present
    return item.outcome.is_settled
