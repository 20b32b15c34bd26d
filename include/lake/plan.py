"""What is expected of a day, written down before anything is requested.

Both documents are named by their content: the same facts give the same key, so that planning twice writes nothing new.
They also keep conversation facts out of XCom.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, cast

from include.canonical import canonical_json, read_document, sha256_hex
from include.errors import IntegrityError
from include.lake import layout

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from include.lake.store import LakeStore
    from include.local_day import LocalDay

DAY_SCHEMA = "recording-archive/day-plan/1"
SHARD_SCHEMA = "recording-archive/shard-plan/1"


@dataclass(frozen=True, slots=True)
class DayPlan:
    """The conversations that must end in exactly one class; ``expected`` is sorted.

    ``named_by`` is the way by which they came where it cannot name the day's other calls: such a plan is no measure of
    what the day lacks. Empty where analytics was asked for all of them.
    ``planned_for`` is for what the day's calls were asked for, where that was not the day itself; empty of a night.
    ``unreadable`` holds the SHA-256 of each row of analytics' answer that names no conversation, sorted.
    ``without_names`` says of what the source gave no names (``agents``, ``queues``, ``wrap_up_codes``): what was
    planned with it has their ids alone.
    """

    org: str
    day: LocalDay
    expected: tuple[str, ...]
    named_by: str = ""
    unreadable: tuple[str, ...] = ()
    without_names: tuple[str, ...] = ()
    planned_for: str = ""

    def body(self) -> bytes:
        """Return the document."""
        document = {
            "schema": DAY_SCHEMA,
            "org": self.org,
            "date": str(self.day),
            "timezone": self.day.zone.key,
            "starts_at": self.day.start.isoformat(),
            "ends_at": self.day.end.isoformat(),
            "expected": list(self.expected),
        }
        more = {
            "named_by": self.named_by,
            "unreadable": list(self.unreadable),
            "without_names": list(self.without_names),
            "planned_for": self.planned_for,
        }
        return canonical_json(document | {name: value for name, value in more.items() if value})

    @property
    def key(self) -> str:
        """Where the document stands."""
        return layout.day_plan_key(str(self.day), sha256_hex(self.body()))


@dataclass(frozen=True, slots=True)
class ShardPlan:
    """One mapped task group's work: batches of conversation ids, and what is known of each conversation.

    ``facts`` maps conversation ids to JSON values as the source package spells them. ``base_version`` is the day's
    newest commit when this was planned, 0 where there was none. ``deep`` is set by an audit: the source is asked what
    recordings each conversation has, also where the batch job seems to have told everything.
    """

    org: str
    date: str
    timezone: str
    batches: tuple[tuple[str, ...], ...]
    facts: Mapping[str, Mapping[str, object]]
    base_version: int = 0
    deep: bool = False

    @property
    def conversation_ids(self) -> tuple[str, ...]:
        """All ids of the shard, sorted."""
        return tuple(sorted(item for batch in self.batches for item in batch))

    @property
    def shard(self) -> str:
        """The shard's name: a digest of its sorted ids."""
        return layout.shard_digest(self.conversation_ids)

    def body(self) -> bytes:
        """Return the document."""
        return canonical_json(
            {
                "schema": SHARD_SCHEMA,
                "org": self.org,
                "date": self.date,
                "timezone": self.timezone,
                "batches": [list(batch) for batch in self.batches],
                "base_version": self.base_version,
                "deep": self.deep,
                "facts": {key: dict(value) for key, value in self.facts.items()},
            }
        )

    @property
    def key(self) -> str:
        """Where the document stands."""
        return layout.shard_plan_key(self.date, sha256_hex(self.body()))

    @classmethod
    def read(cls, lake: LakeStore, key: str) -> Self:
        """Fetch and check a shard plan.

        Raises:
            IntegrityError: when it is missing, or its bytes are not those its key names.
        """
        document = checked_document(lake, key)
        with as_documented(lake, key):
            return cls.of_document(document)

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> Self:
        """Return what a parsed document says.

        Raises:
            KeyError, TypeError: when it is no shard plan.
        """
        return cls(
            org=str(document["org"]),
            date=str(document["date"]),
            timezone=str(document["timezone"]),
            batches=tuple(tuple(batch) for batch in cast("Sequence[Sequence[str]]", document["batches"])),
            facts=cast("Mapping[str, Mapping[str, object]]", document["facts"]),
            base_version=cast("int", document["base_version"]),
            deep=bool(document.get("deep", False)),
        )


def read_expected(lake: LakeStore, key: str, org: str, date: str) -> tuple[str, ...]:
    """Return the expected ids of a day plan.

    Raises:
        IntegrityError: when it is missing, altered, or another organisation's or day's.
    """
    document = checked_document(lake, key)
    require_owner(lake, key, document, org, date)
    with as_documented(lake, key):
        return tuple(cast("list[str]", document["expected"]))


def named_by(lake: LakeStore, key: str) -> str:
    """Return ``DayPlan.named_by`` of a day plan; raises as ``read_expected`` does."""
    return str(checked_document(lake, key).get("named_by") or "")


def planned_by(lake: LakeStore, key: str) -> str:
    """Return by or for what a day was planned where that is no night; empty for a night's own plan.

    Raises:
        IntegrityError: as ``read_expected``.
    """
    document = checked_document(lake, key)
    return str(document.get("named_by") or document.get("planned_for") or "")


@dataclass(frozen=True, slots=True)
class Shortfall:
    """What the source did not tell when a day was planned: ``DayPlan.unreadable`` and ``DayPlan.without_names``."""

    unreadable: frozenset[str] = frozenset()
    without_names: frozenset[str] = frozenset()


def shortfall_of(lake: LakeStore, keys: Iterable[str]) -> Shortfall:
    """Return what these day plans together lack; raises as ``read_expected`` does."""
    rows: set[str] = set()
    names: set[str] = set()
    for key in keys:
        document = checked_document(lake, key)
        with as_documented(lake, key):
            rows.update(map(str, document.get("unreadable", ())))
            names.update(map(str, document.get("without_names", ())))
    return Shortfall(frozenset(rows), frozenset(names))


def day_plans_of(lake: LakeStore, date: str) -> tuple[str, ...]:
    """Return the keys of all plans of a day, also of a run that died before its commit: what it expected stays so."""
    return tuple(lake.list_keys(layout.day_plan_prefix(date)))


def require_owner(lake: LakeStore, key: str, document: Mapping[str, object], org: str, date: str) -> None:
    """Refuse a document that was put under this day's keys but speaks of another organisation or day.

    Raises:
        IntegrityError: when it does.
    """
    if (document.get("org"), document.get("date")) != (org, date):
        raise IntegrityError(f"{lake.uri(key)} speaks of another organisation or day than its place does.", key=key)


def earlier_facts(lake: LakeStore, date: str, ids: set[str]) -> dict[str, dict[str, object]]:
    """Return what the newest earlier shard plan of the day knew of each of these conversations.

    The newest is the one that was planned on the newest commit; of two on the same, the one that the bucket took last.
    A plan that knew nothing of a conversation says nothing of it. Reads nothing where ``ids`` is empty.
    """
    newest: dict[str, tuple[tuple[int, datetime, str], Mapping[str, object]]] = {}
    if not ids:
        return {}
    for key, stored_at in lake.stored_times(layout.shard_plan_prefix(date)):
        plan = ShardPlan.read(lake, key)
        age = (plan.base_version, stored_at, key)
        for item in ids & plan.facts.keys():
            if plan.facts[item] and (item not in newest or newest[item][0] < age):
                newest[item] = (age, plan.facts[item])
    return {item: dict(facts) for item, (_, facts) in newest.items()}


def checked_document(lake: LakeStore, key: str) -> dict[str, Any]:
    """Return a document whose key ends in its own SHA-256.

    Raises:
        IntegrityError: when it is missing, or its bytes are not those its key names.
    """
    body = lake.read(key)
    if body is None:
        raise IntegrityError(f"{lake.uri(key)} is missing, and a document of the archive never goes away.", key=key)
    if not key.endswith(f"{sha256_hex(body)}.json"):
        raise IntegrityError(f"{lake.uri(key)} is not what its name says: it was altered.", key=key)
    with as_documented(lake, key):
        return read_document(body)


@contextmanager
def as_documented(lake: LakeStore, key: str) -> Iterator[None]:
    """Read a document's fields: one that was never ours costs its own day, and no other of the same run.

    Raises:
        IntegrityError: where something is missing or of another kind.
    """
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise IntegrityError(
            f"{lake.uri(key)} is no such document as the archive writes: {error!r}", key=key
        ) from error
