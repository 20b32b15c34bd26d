"""A day without a sandbox: analytics that says what a test wants, and manifests written by hand."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from include.genesys.analytics import ConversationsFound
from include.genesys.models import Conversation
from include.lake.layout import MediaIdentity, media_key, metadata_key
from include.lake.manifest import Manifest
from include.lake.plan import ShardPlan
from include.outcome import ItemRecord, Outcome
from include.settings import ArchiveSettings
from include.transfer.day_plan import plan_day
from tests.story.desk import ORG, conversation, recording_of
from tests.story.night import DAY, ZONE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from include.lake.store import LakeStore
    from include.transfer.day_plan import DayPlanned


@dataclass
class Analytics:
    """What analytics says of the day: conversations by number."""

    numbers: list[int]
    resolved: list[int] = field(default_factory=list)
    names_missing: tuple[str, ...] = ()

    def find_conversations(self, start, end) -> ConversationsFound:
        """Return the conversations, a minute each."""
        found = tuple(told(number) for number in self.numbers)
        assert (DAY.start, DAY.end) == (start, end)
        return ConversationsFound(found, duplicates=2, pages=1, rejected=("f" * 64,), split=0, passes=1, outside=0)

    def resolve_names(self, conversations: Sequence[Conversation]) -> tuple[Conversation, ...]:
        """Leave the names as they are, and remember how many were asked for."""
        self.resolved.append(len(conversations))
        return tuple(conversations)


def told(number: int) -> Conversation:
    """Return what analytics says of one conversation."""
    bare = (f"+{number}", None, None, None)
    return Conversation(
        conversation(number), DAY.start, DAY.start + timedelta(minutes=1), "inbound", *bare, recorded=True
    )


def plan(lake: LakeStore, source: Analytics, **options: object) -> DayPlanned:
    """Plan the day."""
    options.setdefault("shards_max", 250)
    return plan_day(source, lake, ArchiveSettings(lake=lake.location, timezone=ZONE), ORG, DAY, **options)


def shelved(lake: LakeStore, item: ItemRecord) -> ItemRecord:
    """Put audio and metadata for an archived item and return it with their keys; any other item as it is."""
    if item.outcome is not Outcome.ARCHIVED:
        return item
    digest = hashlib.sha256(item.conversation_id.encode()).hexdigest()
    identity = MediaIdentity(ORG, str(DAY), item.conversation_id, item.recording_id, item.part)
    keys = {"key": media_key(identity, digest, "wav"), "metadata_key": metadata_key(identity, digest)}
    for key in keys.values():
        lake.put_document(key, b"{}\n")
    return replace(item, sha256=digest, **keys)


def settle(lake: LakeStore, outcome: Outcome, *numbers: int, base_version: int = 0) -> Manifest:
    """Write a manifest in which these conversations have this outcome; what it calls archived is put there too."""
    items = tuple(
        shelved(lake, ItemRecord(conversation(n), recording_of(n), 0, outcome, "why", "who")) for n in numbers
    )
    ids = tuple(sorted(conversation(n) for n in numbers))
    manifest = Manifest(ORG, str(DAY), ids, items, base_version)
    manifest.write(lake)
    return manifest


def shards(lake: LakeStore, planned: DayPlanned) -> list[ShardPlan]:
    """Read the planned shards."""
    return [ShardPlan.read(lake, shard.plan_key) for shard in planned.shards]


def asked(lake: LakeStore, planned: DayPlanned) -> list[str]:
    """Return every conversation that the plan asks for."""
    return [item for shard in shards(lake, planned) for batch in shard.batches for item in batch]
