"""Conversations that another run is asking Genesys for, while the export brings a part of what they have.

That run's evidence may come later and is yet the older one, by the commit it was planned on. The export's word would
close what it leaves open, so the export leaves these conversations open itself: the next night asks for them whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.lake import layout
from include.lake.manifest import Manifest
from include.lake.plan import ShardPlan
from include.outcome import ItemRecord, Outcome
from include.transfer.metadata import NATIVE_EXPORT

if TYPE_CHECKING:
    from collections.abc import Collection

    from include.lake.store import LakeStore

ASKED_MEANWHILE = "asked_meanwhile"


def asked_for_meanwhile(
    lake: LakeStore, org: str, date: str, conversation_ids: Collection[str], base_version: int
) -> list[ItemRecord]:
    """Return a pending record for each of these conversations with a shard plan that has no manifest yet.

    Also of a run that died: nobody can tell it from one that is slow. But not of an ingest that died with the very
    same news on the commit ``base_version``: this one takes its place.

    Raises:
        IntegrityError: when a plan or a manifest of the day was altered.
        LakeUnavailable, NotAuthorised, ConfigurationError: as the lake raises them.
    """
    if not conversation_ids:
        return []
    own = (layout.shard_digest(conversation_ids), base_version)
    wanted, asked = set(conversation_ids), []
    for key in lake.list_keys(layout.shard_plan_prefix(date)):
        plan = ShardPlan.read(lake, key)
        asked.append(((plan.shard, plan.base_version), wanted.intersection(plan.conversation_ids)))
    manifests = (Manifest.read(lake, key, org, date) for key in lake.list_keys(layout.manifest_prefix(date)))
    # Not by the plan's key: an erasure puts another plan in its place.
    done = {(layout.shard_digest(item.conversation_ids), item.base_version) for item in manifests}
    still = {item for shard, found in asked if shard not in {own, *done} for item in found}
    return [
        ItemRecord(item, "", 0, Outcome.PENDING, ASKED_MEANWHILE, NATIVE_EXPORT, "another run is asking for it")
        for item in sorted(still)
    ]
