"""The first end of a day: what is asked for, in which shards, and what a plan never forgets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from include.lake.plan import read_expected
from include.outcome import Outcome
from include.transfer.day import commit_day
from tests.story.day_ends import Analytics, asked, plan, settle, shards
from tests.story.desk import ORG, conversation
from tests.story.night import DAY, everything_in

if TYPE_CHECKING:
    from include.lake.store import LakeStore


def test_dry_run_writes_nothing(lake: LakeStore) -> None:
    """With ``dry_run`` the counts are those of the real plan, and the lake stays empty."""
    dry = plan(lake, Analytics([1, 2, 3]), dry_run=True)
    assert {} == everything_in(lake)
    assert dry == plan(lake, Analytics([1, 2, 3]))
    assert {"plans"} == {key.partition("/")[0] for key in everything_in(lake)}


def test_plan_counts(lake: LakeStore) -> None:
    """A plan says what is expected, for how long, how large that will be, and what the query was like."""
    planned = plan(lake, Analytics([1, 2, 3]))
    assert (3, 3, 180) == (planned.expected, planned.outstanding, planned.seconds)
    assert (180 * 4096, 2, 1) == (planned.estimated_bytes, planned.duplicates, planned.rejected)


def test_planning_twice_writes_nothing_new(lake: LakeStore) -> None:
    """The same facts give the same keys."""
    assert plan(lake, Analytics([2, 1])) == plan(lake, Analytics([1, 2]))
    assert 2 == len(everything_in(lake))


@pytest.mark.parametrize(
    ("count", "shards_max", "expected"), [(0, 5, 0), (99, 5, 1), (101, 5, 2), (750, 3, 3), (750, 1, 1), (801, 3, 3)]
)
def test_shards_and_batches(lake: LakeStore, count: int, shards_max: int, expected: int) -> None:
    """Never more shards than allowed; batches are sorted, of at most 100, and partition the conversations."""
    planned = plan(lake, Analytics(list(range(count))), shards_max=shards_max)
    assert expected == len(planned.shards)
    batches = [batch for shard in shards(lake, planned) for batch in shard.batches]
    assert all(0 < len(batch) <= 100 and sorted(batch) == list(batch) for batch in batches)
    assert sorted(conversation(n) for n in range(count)) == [item for batch in batches for item in batch]
    assert (
        count
        == sum(len(shard.facts) for shard in shards(lake, planned))
        == sum(s.conversations for s in planned.shards)
    )


def test_settled_conversations_are_not_asked_for(lake: LakeStore) -> None:
    """After a commit only what is open, what failed at the source, and what is new is asked for."""
    first = plan(lake, Analytics([1, 2, 3, 4, 5]))
    settle(lake, Outcome.ARCHIVED, 1)
    settle(lake, Outcome.PENDING, 2)
    settle(lake, Outcome.SOURCE_ERROR, 3)
    settle(lake, Outcome.DELETED_AT_SOURCE, 4)
    commit_day(lake, ORG, DAY, [first.plan_key])
    second = plan(lake, Analytics([1, 2, 3, 4, 5, 6]))
    assert [conversation(n) for n in (2, 3, 5, 6)] == asked(lake, second)
    assert (6, 4) == (second.expected, second.outstanding)


def test_only_failed_leaves_the_new_for_the_night(lake: LakeStore) -> None:
    """With ``only_failed`` a conversation that no commit knows is expected, but not asked for."""
    first = plan(lake, Analytics([1, 2]))
    settle(lake, Outcome.ARCHIVED, 1)
    settle(lake, Outcome.QUARANTINED, 2)
    commit_day(lake, ORG, DAY, [first.plan_key])
    failed = plan(lake, Analytics([1, 2, 3]), only_failed=True)
    assert [conversation(2)] == asked(lake, failed)
    assert (3, 1) == (failed.expected, failed.outstanding)
    assert [conversation(n) for n in (1, 2, 3)] == list(read_expected(lake, failed.plan_key, ORG, str(DAY)))


def test_expected_never_shrinks(lake: LakeStore) -> None:
    """A conversation that analytics forgets stays expected, is asked for, and keeps the facts of its first plan."""
    first = plan(lake, Analytics([1, 2]))
    commit_day(lake, ORG, DAY, [first.plan_key])
    source = Analytics([2])
    second = plan(lake, source)
    assert (2, [conversation(1), conversation(2)]) == (second.expected, asked(lake, second))
    assert "+1" == shards(lake, second)[0].facts[conversation(1)]["ani"]
    assert [1] == source.resolved
    assert 60 == second.seconds


def test_forgotten_conversation_without_facts_is_still_asked_for(lake: LakeStore) -> None:
    """Where no plan knows anything of a conversation it is asked for without facts."""
    settle(lake, Outcome.PENDING, 1)
    commit_day(lake, ORG, DAY, [])
    planned = plan(lake, Analytics([]))
    assert {conversation(1): {}} == shards(lake, planned)[0].facts
