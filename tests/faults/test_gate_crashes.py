"""Killed with SIGKILL while it deletes at the source: a commit names whatever is gone, and nothing else goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.faults.crash_points import DELETING, KINDS, CrashPoint, Trap, When, items_of
from tests.faults.gate_ground import DELETED, PROVED, GateGround, anchored, gate_ground, written

if TYPE_CHECKING:
    from collections.abc import Iterator

WRITES = ("word of the deleter", "journal", "commit", "seal", "deletion")


@pytest.fixture(scope="module")
def laid_out(object_store, lake_client, tmp_path_factory, versioned_bucket) -> Iterator[GateGround]:
    """Return an export that is archived, and what an undisturbed gate makes of it."""
    from include.lake.store import LakeStore  # noqa: PLC0415 - only built here
    from include.settings import LakeLocation  # noqa: PLC0415 - only built here

    lake = LakeStore(lake_client, LakeLocation(object_store.bucket, "gate"))
    with gate_ground(object_store, lake, lake_client, tmp_path_factory.mktemp("gate"), versioned_bucket) as opened:
        yield opened


def unsaid(point: CrashPoint, number: int, total: int) -> int:
    """Return how many deletions nobody lived to tell of: ``source_proved`` alone names those."""
    if point.kind == "deletion":
        return number + (point.when is When.AFTER)
    # The first word announces, the last one tells.
    return total if point.kind == "word of the deleter" and number > 0 and point.when is not When.AFTER else 0


def crash(ground: GateGround, point: CrashPoint, number: int) -> None:
    """Kill one gate, let another end, and a third find nothing to do; each time, nothing is gone that is not named."""
    ground.restore()
    ground.source_gate.unnamed.clear()
    before = ground.versions()
    stays = {version for version in before if version.key not in ground.may_go}
    goes = ground.named(before - stays)
    assert -9 == ground.run(Trap(point, number)), f"{point} {number} was not reached"
    left = ground.versions()
    assert stays <= left <= before
    assert ground.named(before - left) <= anchored(ground.lake)[PROVED]

    assert 0 == ground.run(), ground.said()
    assert stays == ground.versions()
    assert [] == ground.source_gate.unnamed
    told = anchored(ground.lake)
    assert goes == told[PROVED]
    assert told[DELETED] <= goes
    assert unsaid(point, number, len(goes)) == len(goes - told[DELETED])
    assert told == written(ground.lake)
    assert [] == ground.findings()

    objects, trap = list(ground.lake.stored_times("")), Trap()
    assert 0 == ground.run(trap), ground.said()
    assert [] == [kind for kind in WRITES if trap.seen[kind]]
    assert (stays, objects) == (ground.versions(), list(ground.lake.stored_times("")))


def test_undisturbed_gate(laid_out: GateGround) -> None:
    """It meets every point, and leaves one of each that must stay, every document, and no marker."""
    assert len(DELETING) == len(set(DELETING))
    assert {point.kind for point in DELETING} <= {kind for kind, _, _ in KINDS}
    assert [] == [point for point in DELETING if not laid_out.seen[point.kind]]
    laid_out.restore()
    before = laid_out.versions()
    assert 0 == laid_out.run()
    assert f"deleted={len(laid_out.may_go)} other_bytes=1 other_versions=1 young=1" in laid_out.said()
    left = laid_out.versions()
    assert left == {version for version in before if version.key not in laid_out.may_go}
    assert not any(version.is_marker for version in left)
    assert laid_out.seen["deletion"] == len(laid_out.may_go) == len(before - left)
    assert laid_out.named(before - left) == anchored(laid_out.lake)[PROVED] == anchored(laid_out.lake)[DELETED]


@pytest.mark.parametrize(
    ("point", "number"),
    [
        (CrashPoint("seal", When.BEFORE), 0),
        (CrashPoint("deletion", When.AFTER), 3),
        (CrashPoint("word of the deleter", When.BEFORE), 1),
        (CrashPoint("seal", When.BEFORE), 1),
    ],
    ids=str,
)
def test_killed_at_the_gate(laid_out: GateGround, point: CrashPoint, number: int) -> None:
    """The next gate deletes the rest and no more, and makes good what the dead one owed to the journal."""
    crash(laid_out, point, number)


@pytest.mark.evidence
@pytest.mark.timeout(3600)
def test_every_crash_point_at_the_gate(laid_out: GateGround) -> None:
    """First, middle and last request of every kind, each at every point."""
    kills = 0
    for point in DELETING:
        for number in items_of(laid_out.seen[point.kind]):
            crash(laid_out, point, number)
            kills += 1
    print(f"{len(DELETING)} points, {kills} kills: all named, the rest untouched")  # noqa: T201 - the evidence
