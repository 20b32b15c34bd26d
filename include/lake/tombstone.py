"""What stands in the place of an erased conversation: that it was here, its hashes, who had it erased, and why.

Written before anything is deleted, so that an erasure that was cut short is seen and finished. It holds nothing of
the conversation but ids, keys, sizes and digests. Like all evidence it is named by its content and never replaced; an
erasure that finds more than the one before it leaves a second tombstone.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Self

from include.canonical import canonical_json, sha256_hex
from include.errors import IntegrityError
from include.lake import key_reading, layout
from include.lake.plan import ShardPlan, as_documented, checked_document, require_owner

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from include.lake.store import LakeStore

SCHEMA = "recording-archive/tombstone/1"


@dataclass(frozen=True, slots=True, order=True)
class ErasedObject:
    """One version of one object that was to go. ``sha256`` is empty where the bucket knows none, or of a marker."""

    key: str
    version_id: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, order=True)
class Rewritten:
    """A shard plan that held facts of the conversation, and the one without them that stands in its place."""

    key: str
    replaced_by: str


@dataclass(frozen=True, slots=True)
class Tombstone:
    """One erasure as it was intended; ``at`` is the bucket's time, ISO 8601 in UTC."""

    org: str
    date: str
    conversation_id: str
    reason: str
    legal_basis: str
    by: str
    at: str
    objects: tuple[ErasedObject, ...]
    rewritten: tuple[Rewritten, ...] = ()

    def body(self) -> bytes:
        """Return the document."""
        return canonical_json(
            {
                "schema": SCHEMA,
                "org": self.org,
                "date": self.date,
                "conversation_id": self.conversation_id,
                "reason": self.reason,
                "legal_basis": self.legal_basis,
                "by": self.by,
                "at": self.at,
                "objects": [asdict(item) for item in sorted(self.objects)],
                "rewritten": [asdict(item) for item in sorted(self.rewritten)],
            }
        )

    @property
    def key(self) -> str:
        """Where the document stands."""
        return layout.tombstone_key(self.date, self.conversation_id, sha256_hex(self.body()))

    @classmethod
    def read(cls, lake: LakeStore, key: str, org: str, date: str) -> Self:
        """Fetch and check a tombstone.

        Raises:
            IntegrityError: when it is missing, altered, or another organisation's, day's or conversation's.
        """
        document = checked_document(lake, key)
        require_owner(lake, key, document, org, date)
        if document.get("conversation_id") != key_reading.tombstone_conversation(key):
            raise IntegrityError(f"{lake.uri(key)} speaks of another conversation than its place does.", key=key)
        with as_documented(lake, key):
            texts = {name: str(document[name]) for name in ("conversation_id", "reason", "legal_basis", "by", "at")}
            return cls(
                org=org,
                date=date,
                **texts,
                objects=tuple(ErasedObject(**item) for item in document["objects"]),
                rewritten=tuple(Rewritten(**item) for item in document["rewritten"]),
            )


def conversations_of(tombstones: Iterable[str]) -> dict[str, str]:
    """Return conversation to tombstone; of several, the first by name."""
    found: dict[str, str] = {}
    for key in sorted(tombstones):
        conversation_id = key_reading.tombstone_conversation(key)
        if conversation_id is not None:
            found.setdefault(conversation_id, key)
    return found


def tombstones_of(lake: LakeStore, org: str, date: str, conversation_id: str) -> tuple[Tombstone, ...]:
    """Return every tombstone of a conversation.

    Raises:
        IntegrityError: when one is not what its key says.
    """
    keys = [
        key
        for key in lake.list_keys(layout.tombstone_prefix(date))
        if key_reading.tombstone_conversation(key) == conversation_id
    ]
    return tuple(Tombstone.read(lake, key, org, date) for key in keys)


def uncertified_erasures(lake: LakeStore, date: str) -> dict[str, str]:
    """Return the conversations with a tombstone whose erasure has not come to its end, each with that tombstone."""
    tombstones = [
        key for key in lake.list_keys(layout.tombstone_prefix(date)) if key_reading.tombstone_conversation(key)
    ]
    if not tombstones:
        return {}
    certificates = frozenset(lake.list_keys(layout.erasure_prefix(date)))
    return conversations_of(key for key in tombstones if layout.erasure_key(key) not in certificates)


def read_shard_plan(lake: LakeStore, key: str) -> ShardPlan:
    """Fetch a shard plan, or the one that an erasure has put in its place: an old task may still name the first.

    Raises:
        IntegrityError: when there is neither, or its bytes are not those its key names.
    """
    if lake.head(key) is not None:
        return ShardPlan.read(lake, key)
    followed = key
    places = replaced_plans(lake, key_reading.plan_date(key))
    while followed in places:
        followed = places.pop(followed)
    return ShardPlan.read(lake, followed)


def without_facts(plan: ShardPlan, conversation_id: str) -> ShardPlan | None:
    """Return the plan without what it knows of a conversation, ``None`` where it knows nothing of it.

    The id stays in its batch: the shard's name is a digest of its ids.
    """
    if not plan.facts.get(conversation_id):
        return None
    facts: Mapping[str, Mapping[str, object]] = {**plan.facts, conversation_id: {}}
    return replace(plan, facts=facts)


def plans_with_facts(lake: LakeStore, date: str, conversations: Collection[str]) -> dict[str, str]:
    """Return which of these conversations a shard plan of the day still knows facts of, each with one such plan.

    Raises:
        IntegrityError: when a plan is not what its key says.
    """
    found: dict[str, str] = {}
    for key in lake.list_keys(layout.shard_plan_prefix(date)):
        facts = ShardPlan.read(lake, key).facts
        found |= {item: key for item in conversations if facts.get(item)}
    return found


def replaced_plans(lake: LakeStore, date: str) -> dict[str, str]:
    """Return the shard plans of a day that are gone for an erasure, each with the key of what stands in its place.

    Raises:
        IntegrityError: when a tombstone is not what its key says.
    """
    keys = [key for key in lake.list_keys(layout.tombstone_prefix(date)) if key_reading.tombstone_conversation(key)]
    documents = ((key, checked_document(lake, key)) for key in keys)
    replaced: dict[str, str] = {}
    for key, document in documents:
        with as_documented(lake, key):
            replaced |= {item["key"]: item["replaced_by"] for item in document["rewritten"]}
    return replaced
