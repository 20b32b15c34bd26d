"""expected = archived + named exclusions: the rules, pure.

``expected`` never shrinks, and every expected conversation ends in exactly one class. One that nothing speaks of is
pending: silence is never taken for success.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from include.audit.standing import Stage, Standing
from include.outcome import ItemRecord, Outcome, conversation_outcome

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence

NOT_PROCESSED = "not_processed"
MISSING_IN_LAKE = "missing_in_lake"
NO_JUDGEMENT = Standing()
ERASED_ON_REQUEST = "erased_on_request"
ERASURE_UNFINISHED = "erasure_unfinished"
TOMBSTONE = "tombstone"


@dataclass(frozen=True, slots=True)
class DayState:
    """What is known of a day: for every expected conversation its items, never none; and what was decided about it."""

    items: Mapping[str, tuple[ItemRecord, ...]]
    standing: Standing = NO_JUDGEMENT

    @property
    def expected(self) -> tuple[str, ...]:
        """All conversations that must end in a class, sorted."""
        return tuple(sorted(self.items))

    @property
    def outcomes(self) -> dict[str, Outcome]:
        """The class of each conversation."""
        return {key: conversation_outcome(items) for key, items in self.items.items()}

    def outstanding(self) -> tuple[str, ...]:
        """Return the conversations that tonight's run should ask for (again), sorted."""
        return tuple(key for key in self.expected if any(not item.outcome.is_settled for item in self.items[key]))

    @property
    def is_complete(self) -> bool:
        """Whether nothing is pending or quarantined."""
        return not any(outcome.is_open for outcome in self.outcomes.values())

    def open_reasons(self) -> Counter[str]:
        """Return how many recordings keep the day open, by reason."""
        return Counter(item.reason for items in self.items.values() for item in items if item.outcome.is_open)

    @property
    def stage(self) -> Stage:
        """How far the day is."""
        return self.standing.stage(is_complete=self.is_complete)

    def summary(self) -> dict[str, object]:
        """Return the day's stage and counts: conversations and recordings by class, and archived bytes."""
        conversations = Counter(str(outcome) for outcome in self.outcomes.values())
        every = [item for items in self.items.values() for item in items]
        return {
            "expected": len(self.items),
            "conversations": dict(conversations),
            "recordings": dict(Counter(str(item.outcome) for item in every)),
            "bytes": sum(item.bytes for item in every if item.outcome is Outcome.ARCHIVED),
            "complete": self.is_complete,
            "state": str(self.stage),
            **self.standing.to_json(),
        }


def fold(expected: Iterable[str], generations: Iterable[Sequence[Sequence[ItemRecord]]]) -> DayState:
    """Return the state of a day from the manifests that each commit brought in, oldest first.

    Each manifest speaks for the whole of each of its conversations. Later evidence replaces earlier evidence; of two
    manifests of one age the one with more open work counts, since a needless question costs a request and a question
    that is not asked costs a recording. Nothing un-archives a part that is in the lake. The order of manifests of one
    age says nothing and changes nothing.
    """
    state: dict[str, tuple[ItemRecord, ...]] = dict.fromkeys(expected, ())
    for manifests in generations:
        latest: dict[str, list[tuple[ItemRecord, ...]]] = {}
        for records in manifests:
            for conversation_id, items in _by_conversation(records).items():
                latest.setdefault(conversation_id, []).append(tuple(sorted(items)))
        for conversation_id, versions in latest.items():
            state[conversation_id] = _merged(state.get(conversation_id, ()), sorted(versions))
    return DayState({key: tuple(sorted(items)) or _silence(key) for key, items in state.items()})


def _by_conversation(records: Iterable[ItemRecord]) -> dict[str, list[ItemRecord]]:
    grouped: dict[str, list[ItemRecord]] = {}
    for record in records:
        grouped.setdefault(record.conversation_id, []).append(record)
    return grouped


def _merged(known: tuple[ItemRecord, ...], versions: list[tuple[ItemRecord, ...]]) -> tuple[ItemRecord, ...]:
    every = [item for items in (known, *versions) for item in items]
    archived = {(item.recording_id, item.part, item.sha256): item for item in every if item.outcome is Outcome.ARCHIVED}
    worst = max(versions, key=_urgency)
    return (*archived.values(), *(item for item in worst if item.outcome is not Outcome.ARCHIVED))


def _urgency(items: tuple[ItemRecord, ...]) -> tuple[int, int]:
    """How much is left to do, then how much is left to ask: what decides between two words of one age."""
    return sum(item.outcome.is_open for item in items), sum(not item.outcome.is_settled for item in items)


def without_lost(state: DayState, present: Container[str]) -> DayState:
    """Return the state with every archived part whose audio or metadata is gone from the lake pending again."""
    return DayState(
        {
            key: tuple(item if _is_present(item, present) else _lost(item) for item in items)
            for key, items in state.items.items()
        },
        state.standing,
    )


def _is_present(item: ItemRecord, present: Container[str]) -> bool:
    return item.outcome is not Outcome.ARCHIVED or (item.key in present and item.metadata_key in present)


def _lost(item: ItemRecord) -> ItemRecord:
    return ItemRecord(
        item.conversation_id,
        item.recording_id,
        item.part,
        Outcome.PENDING,
        reason=MISSING_IN_LAKE,
        said_by="reconcile",
        fact=f"{item.key} or its metadata is gone",
    )


def with_erased(state: DayState, erased: Mapping[str, str]) -> DayState:
    """Return the state in which what was erased is neither missing nor asked for; its recordings stay counted.

    ``erased`` maps conversations to the key of their tombstone. One that nobody expected is expected from now on.
    """
    return _overlaid(state, erased, Outcome.ERASED, ERASED_ON_REQUEST)


def erased_record(conversation_id: str, tombstone: str) -> ItemRecord:
    """Return the word on a conversation that a day names and that was erased, perhaps on another day."""
    return ItemRecord(conversation_id, "", 0, Outcome.ERASED, ERASED_ON_REQUEST, TOMBSTONE, tombstone)


def with_unfinished_erasures(state: DayState, unfinished: Mapping[str, str]) -> DayState:
    """Return the state in which erasures that did not come to their end keep the day open."""
    return _overlaid(state, unfinished, Outcome.PENDING, ERASURE_UNFINISHED)


def _overlaid(state: DayState, tombstones: Mapping[str, str], outcome: Outcome, reason: str) -> DayState:
    items = dict(state.items)
    for conversation_id, tombstone in tombstones.items():
        places = {(item.recording_id, item.part) for item in items.get(conversation_id, ())} or {("", 0)}
        items[conversation_id] = tuple(
            ItemRecord(conversation_id, *place, outcome, reason, TOMBSTONE, tombstone) for place in sorted(places)
        )
    return replace(state, items=items)


def _silence(conversation_id: str) -> tuple[ItemRecord, ...]:
    return (ItemRecord(conversation_id, "", 0, Outcome.PENDING, reason=NOT_PROCESSED, said_by="reconcile"),)
