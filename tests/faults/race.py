"""Several runs of one day at the same time, each a process, and what of the bucket may not differ afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from include.lake.commit import read_head
from tests.faults.crash_points import Trap
from tests.faults.ground import said_in
from tests.story.night import DAY, everything_in, media_keys

if TYPE_CHECKING:
    from datetime import datetime

    from include.lake.store import LakeStore
    from tests.faults.ground import Ground, Listing

VIEWS = ("catalog/", "reports/")
"""What is replaced when there is more to say; everything else is written once."""


@dataclass(frozen=True)
class Raced:
    """A day after several runs at once: how they ended, and what is in the bucket."""

    ends: tuple[int, ...]
    said: tuple[str, ...]
    head: int
    listing: Listing
    extra_versions: tuple[str, ...]
    media: frozenset[str]
    changed_by_one_more: tuple[str, ...]


def race(ground: Ground, lake: LakeStore, processes: int, at: datetime | None) -> Raced:
    """Start so many runs at once, wait for all, and then run the day once more, undisturbed."""
    trap = Trap()
    for gate in ground.gates.values():
        gate.trap, gate.pinned_at = trap, at
    memories = [ground.memory() for _ in range(processes)]
    children = [ground.start(lake, memory, at) for memory in memories]
    ends = tuple(ground.end_of(child) for child in children)
    listing = everything_in(lake)
    head = read_head(lake, ground.box.org_id, DAY)
    extra = tuple(key for key in extra_versions(lake) if at is not None or not key.startswith(VIEWS))
    assert 0 == ground.run(lake, ground.memory(), at)
    after = everything_in(lake)
    changed = tuple(sorted(key for key in {*after, *listing} if after.get(key) != listing.get(key)))
    said = tuple(said_in(memory) for memory, end in zip(memories, ends, strict=True) if end)
    return Raced(ends, said, head.version if head else 0, listing, extra, frozenset(media_keys(lake)), changed)


def extra_versions(lake: LakeStore) -> list[str]:
    """Return the keys of which the bucket keeps more than one version, or a delete marker."""
    return [key.key for key in lake.histories("") if len(key.versions) != 1]
