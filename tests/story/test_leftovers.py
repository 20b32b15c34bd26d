"""What a run leaves that dies before its commit: finished shards are tonight's own, anything else is older evidence."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from include.lake.commit import manifests_of, read_head
from include.lake.manifest import Manifest
from include.lake.plan import DayPlan
from include.outcome import Outcome
from tests.story.night import DAY, Night, media_keys, night, remove

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from include.lake.store import LakeStore
    from include.transfer.day_plan import DayPlanned


@pytest.fixture
def tonight(lake: LakeStore, tmp_path: Path) -> Iterator[Night]:
    """Return a night of several shards."""
    with night(lake, tmp_path, conversations=12) as opened:
        opened.settings = replace(opened.settings, batch_items=3)
        yield opened


def died_after(tonight: Night, shards: int) -> DayPlanned:
    """Plan the day and archive so many shards of it."""
    planned = tonight.plan()
    for number in range(shards):
        shard, submitted = tonight.ready(planned, number)
        tonight.archive(shard, submitted)
    return planned


def committed(tonight: Night) -> int:
    """Return the version of the day's head, 0 where there is none."""
    head = read_head(tonight.lake, tonight.box.org_id, DAY)
    return head.version if head else 0


def test_finished_shards_are_not_asked_for_again(tonight: Night) -> None:
    """The plan begun anew is the same one without them, and nothing is committed before the end."""
    first = died_after(tonight, 2)
    again = tonight.plan()
    assert 0 == committed(tonight)
    assert (first.plan_key, first.shards[2:]) == (again.plan_key, again.shards)
    assert sum(shard.conversations for shard in again.shards) == again.outstanding
    _, state = tonight.run()
    assert (1, True) == (committed(tonight), state.is_complete)


def test_whole_day_may_be_left(tonight: Night) -> None:
    """Where only the commit is missing there is nothing to ask for."""
    first = died_after(tonight, 3)
    assert ((), 0) == (tonight.plan().shards, committed(tonight))
    assert len(first.shards) == len(manifests_of(tonight.lake, DAY))


def test_lost_part_is_asked_for_again(tonight: Night) -> None:
    """A shard is not finished whose audio somebody has deleted since: what it says is committed, and asked for."""
    died_after(tonight, 2)
    remove(tonight.lake, media_keys(tonight.lake)[0])
    again = tonight.plan()
    assert 1 == committed(tonight)
    assert 0 < again.outstanding < again.expected


def test_open_work_is_older_evidence(tonight: Night) -> None:
    """What a dead run could not settle is committed before tonight's plan, and asked for again."""
    died_after(tonight, 1)
    key = manifests_of(tonight.lake, DAY)[0]
    told = Manifest.read(tonight.lake, key, tonight.box.org_id, str(DAY))
    pending = tuple(replace(item, outcome=Outcome.PENDING, reason="job_unfinished") for item in told.items[:1])
    remove(tonight.lake, key)
    replace(told, items=(*pending, *told.items[1:])).write(tonight.lake)
    again = tonight.plan()
    assert 1 == committed(tonight)
    assert again.outstanding == again.expected - (len(told.conversation_ids) - 1)


def test_other_day_plan_is_older_evidence(tonight: Night) -> None:
    """Where the dead run expected something else, its word is committed first: what it expected stays expected."""
    died_after(tonight, 1)
    forgotten = str(UUID(int=4))
    seen = tonight.plan().expected
    other = DayPlan(tonight.box.org_id, DAY, (forgotten,))
    tonight.lake.put_document(other.key, other.body())
    again = tonight.plan()
    assert (1, seen + 1) == (committed(tonight), again.expected)
