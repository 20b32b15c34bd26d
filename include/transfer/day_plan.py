"""What to ask for tonight: the first of the day's two ends.

Begins by asking the lake; ``day.py`` is the other end, and in between ``archive.py`` moves the bytes. Holds no Airflow.
"""

from __future__ import annotations

import logging
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from include.lake.commit import Commit, contents_of, read_head
from include.lake.erasures import erasures_of
from include.lake.plan import ShardPlan, earlier_facts
from include.transfer.closing import ClosingRules, nightly_rules
from include.transfer.day import commit_day
from include.transfer.day_demand import DayDemand, shard_name
from include.transfer.day_state import known_of
from include.transfer.facts import stored_facts
from include.transfer.names import NameSource, with_names
from include.transfer.second_look import look_again

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from include.audit.signature import JournalKey
    from include.genesys.analytics import ConversationsFound
    from include.genesys.models import Conversation
    from include.lake.plan import DayPlan
    from include.lake.store import LakeStore
    from include.local_day import LocalDay
    from include.settings import ArchiveSettings
    from include.transfer.day_demand import Batches
    from include.transfer.second_look import Looked, SecondLook

log = logging.getLogger(__name__)
BLOCK_CONVERSATIONS = 5000
"""Conversations whose facts are held at once."""


class ConversationSource(NameSource, Protocol):
    """What planning needs of the source."""

    def find_conversations(self, start: datetime, end: datetime) -> ConversationsFound:
        """Return the recorded conversations that started in ``[start, end)``."""


@dataclass(frozen=True, slots=True)
class ShardTask:
    """One mapped task group's work as it travels through XCom: keys and counts, nothing else."""

    date: str
    plan_key: str
    batches: int
    conversations: int


@dataclass(frozen=True, slots=True)
class DayPlanned:
    """What planning a day came to; ``estimated_bytes`` assumes the codec's usual rate, not a measurement.

    ``looked_up`` conversations got a second look, which changed ``changed`` of them; ``not_looked_up`` were beyond its
    bound or got no answer, ``None`` where no second look was taken. ``without_names`` is that of the plan.
    """

    date: str
    plan_key: str
    expected: int
    outstanding: int
    seconds: int
    estimated_bytes: int
    duplicates: int
    rejected: int
    looked_up: int
    changed: int
    not_looked_up: int | None
    shards: tuple[ShardTask, ...]
    without_names: tuple[str, ...] = ()

    def without_shards(self) -> dict[str, object]:
        """Return the counts, for XCom and so in lists: the shards travel on their own, to be mapped over."""
        counts = {name: value for name, value in asdict(self).items() if name != "shards"}
        return {**counts, "without_names": list(self.without_names)}

    def sentence(self) -> str:
        """Return the plan for the log of a person."""
        return (
            f"{self.date}: {self.expected} conversations expected, {self.outstanding} to ask for in "
            f"{sum(shard.batches for shard in self.shards)} batches; {self.seconds / 3600:.1f} hours of calls, about "
            f"{self.estimated_bytes / 1e6:.0f} MB. Seen twice: {self.duplicates}; refused ids: {self.rejected}."
            f"{self._second_look()}{self._names()}"
        )

    def _names(self) -> str:
        missing = ", ".join(self.without_names)
        return f" Genesys gave no names of {missing}: the metadata will have their ids alone." if missing else ""

    def _second_look(self) -> str:
        if not self.looked_up + (self.not_looked_up or 0):
            return ""
        rest = f"; {self.not_looked_up} were not looked at" if self.not_looked_up else ""
        return f" Looked at {self.looked_up} settled conversations again: {self.changed} have changed{rest}."


def plan_day(  # noqa: PLR0913 - the ports, the day, and each choice of a run by its name
    source: ConversationSource,
    lake: LakeStore,
    settings: ArchiveSettings,
    org: str,
    day: LocalDay,
    *,
    shards_max: int,
    only_failed: bool = False,
    dry_run: bool = False,
    look: SecondLook | None = None,
    key: JournalKey | None = None,
) -> DayPlanned:
    """Decide what to ask Genesys for: expected, minus what the lake has settled, in shards of batches.

    ``expected`` is what analytics says now and what earlier commits said. With ``only_failed``, conversations that no
    commit knows yet are expected but left for the nightly run. With ``dry_run`` nothing is written. With ``look``, as
    in an audit, settled conversations are looked at again, and whatever is requested is asked about one by one.
    What a dead run has left is committed first, and signed with ``key``.

    Raises:
        RetriableError, PermanentError: as the source and the lake raise them.
    """
    with closing(source.find_conversations(day.start, day.end)) as found:
        by_id = found.by_id
        seen = frozenset((*by_id, *found.undated))
        erased = erasures_of(lake, str(day))
        demand = DayDemand(lake, org, day, seen, settings.batch_items, shards_max, only_failed, erased, found.rejected)
        head, finished = read_head(lake, org, day), frozenset[str]()
        if not dry_run:
            head, finished = _with_leftovers(demand, head, nightly_rules(settings), key, deep=look is not None)
        known, version = known_of(lake, head), head.version if head else 0
        plan = demand.plan(known)
        looked = look_again(look, known, str(version)) if look else None
        changed = looked.changed if looked else frozenset()
        groups = [group for group in demand.shards(known, changed) if shard_name(group) not in finished]
        todo = {item for group in groups for batch in group for item in batch}
        # A conversation that analytics has forgotten stays expected; what an earlier plan knew of it is still good.
        earlier = earlier_facts(lake, str(day), todo - by_id.keys() - erased.elsewhere.keys())
        template = ShardPlan(org, str(day), day.zone.key, (), {}, base_version=version, deep=look is not None)
        drafts = _Drafts(source, settings, by_id, earlier, lake, erased.elsewhere.keys())
        if not dry_run:
            lake.put_document(plan.key, plan.body())
        shards = tuple(_tasks(lake, drafts.filled(template, groups), dry_run=dry_run))
        if drafts.nameless:
            # Beside the plan that was written before names were asked for: what is expected must survive a crash here.
            plan = replace(plan, without_names=tuple(sorted(drafts.nameless)))
            if not dry_run:
                lake.put_document(plan.key, plan.body())
        return _came_to(plan, found, drafts, looked, shards)


def _came_to(
    plan: DayPlan, found: ConversationsFound, drafts: _Drafts, looked: Looked | None, shards: tuple[ShardTask, ...]
) -> DayPlanned:
    return DayPlanned(
        date=str(plan.day),
        plan_key=plan.key,
        expected=len(plan.expected),
        outstanding=sum(shard.conversations for shard in shards),
        seconds=drafts.milliseconds // 1000,
        estimated_bytes=drafts.milliseconds * drafts.settings.estimated_bytes_per_second // 1000,
        duplicates=found.duplicates,
        rejected=len(found.rejected),
        looked_up=looked.asked if looked else 0,
        changed=len(looked.changed) if looked else 0,
        not_looked_up=looked.left if looked else None,
        shards=shards,
        without_names=plan.without_names,
    )


def _tasks(lake: LakeStore, shards: Iterable[ShardPlan], *, dry_run: bool) -> Iterator[ShardTask]:
    """Yield the work of each shard; without ``dry_run`` its plan is written first."""
    for shard in shards:
        if not dry_run:
            lake.put_document(shard.key, shard.body())
        yield ShardTask(shard.date, shard.key, len(shard.batches), len(shard.conversation_ids))


def _with_leftovers(
    demand: DayDemand, head: Commit | None, rules: ClosingRules, key: JournalKey | None, *, deep: bool
) -> tuple[Commit | None, frozenset[str]]:
    """Return the head, and those shards of tonight's that a run has done which died before its commit.

    Whatever else it has left is committed first, so that tonight's evidence is newer.
    """
    lake, org, day = demand.lake, demand.org, demand.day
    found = contents_of(lake, day)
    left = found if head is None else head.new_of(found)
    if not left.manifests:
        return head, frozenset()
    finished = None if deep else demand.finished(known_of(lake, head), head.version if head else 0, left)
    if finished is None:
        return commit_day(lake, org, day, (), rules, key)[0], frozenset()
    log.info("Taken over from a run that died: %d finished shards", len(finished))
    return head, finished


@dataclass(slots=True)
class _Drafts:
    """Fills shards with facts, a block of them at a time: a large day does not fit into memory as a whole."""

    source: ConversationSource
    settings: ArchiveSettings
    by_id: Mapping[str, Conversation]
    earlier: Mapping[str, dict[str, object]]
    lake: LakeStore
    erased: Collection[str]
    milliseconds: int = 0
    nameless: set[str] = field(default_factory=set)

    def filled(self, template: ShardPlan, groups: Sequence[Batches]) -> Iterator[ShardPlan]:
        """Yield a shard for each group of batches, each with its conversations' facts."""
        if not groups:
            return
        # Names are asked for by the block: a shard alone would ask for the same agents in many small lookups.
        per_block = max(1, BLOCK_CONVERSATIONS // (len(groups[0]) * self.settings.batch_items))
        for start in range(0, len(groups), per_block):
            block = groups[start : start + per_block]
            facts = self._facts([key for group in block for batch in group for key in batch])
            for group in block:
                yield replace(
                    template, batches=group, facts={key: facts.get(key, {}) for batch in group for key in batch}
                )

    def _facts(self, ids: Sequence[str]) -> dict[str, dict[str, object]]:
        # Of whom nothing may be stored: the shard only carries the id to the manifest that names it.
        rows = [self.by_id[key] for key in ids if key in self.by_id and key not in self.erased]
        self.milliseconds += sum(row.duration_milliseconds or 0 for row in rows)
        known = {key: self.settings.pii.applied(self.earlier[key]) for key in ids if key in self.earlier}
        named, nameless = with_names(self.source, self.lake, rows)
        self.nameless |= nameless
        return {**known, **{item.conversation_id: stored_facts(item, self.settings) for item in named}}
