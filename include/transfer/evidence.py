"""When the source said what it said, and that saying it twice in one run is one statement."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from include.lake import layout
from include.lake.manifest import Manifest
from include.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from include.lake.plan import ShardPlan
    from include.lake.store import LakeStore
    from include.outcome import ItemRecord


def earlier_tries(lake: LakeStore, plan: ShardPlan) -> tuple[Manifest, ...]:
    """Return the manifests that earlier tries at this very plan have left.

    Those of the same conversations that were planned on another commit are old evidence, and not among them.

    Raises:
        IntegrityError: when one was altered.
    """
    keys = lake.list_keys(f"{layout.manifest_prefix(plan.date)}shard={plan.shard}/")
    manifests = (Manifest.read(lake, key, plan.org, plan.date) for key in keys)
    return tuple(item for item in manifests if item.base_version == plan.base_version)


def dated(records: Iterable[ItemRecord], tries: Sequence[Manifest], now: datetime) -> list[ItemRecord]:
    """Return the records, each that is not archived with the moment at which it was first said.

    ``now`` must be aware. What an earlier try of the same run was told word for word keeps that try's moment.
    """
    known: dict[ItemRecord, str] = {}
    for item in (item for manifest in tries for item in manifest.items if item.said_at):
        bare = replace(item, said_at="")
        known[bare] = min(item.said_at, known.get(bare, item.said_at))
    moment = now.replace(microsecond=0).isoformat()
    return [
        item if item.outcome is Outcome.ARCHIVED or item.said_at else replace(item, said_at=known.get(item, moment))
        for item in records
    ]
