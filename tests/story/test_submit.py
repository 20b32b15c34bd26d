"""Submitting a shard: once per batch, whatever the task's number of tries."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from include.errors import SourceUnavailable
from include.genesys.batch_submission import BatchSubmitted, Refusal, SubmittedBatch
from include.lake.plan import ShardPlan
from include.transfer.submit import REUSE_FOR, SubmittedShard, submit_shard
from tests.story.desk import ORG, conversation
from tests.story.night import DAY, ZONE, Memory

NOW = datetime(2026, 3, 3, 2, tzinfo=UTC)


class Counter:
    """A source that numbers its jobs, refuses some conversations, and fails from a given call on."""

    def __init__(self, refuses: tuple[str, ...] = (), fails_at: int = 99) -> None:
        self.batches: list[tuple[tuple[str, ...], str | None]] = []
        self._refuses, self._fails_at = refuses, fails_at

    def submit_batches(self, conversation_ids: tuple[str, ...], output_format: str | None = None) -> BatchSubmitted:
        """Accept all but the refused ones."""
        if len(self.batches) >= self._fails_at:
            raise SourceUnavailable("later")
        self.batches.append((tuple(conversation_ids), output_format))
        taken = tuple(item for item in conversation_ids if item not in self._refuses)
        refused = tuple(Refusal(item, 400, None) for item in conversation_ids if item in self._refuses)
        return BatchSubmitted((SubmittedBatch(f"job-{len(self.batches)}", taken),) if taken else (), refused)


def plan_of(*batches: tuple[int, ...]) -> ShardPlan:
    """Return a plan of batches of numbered conversations."""
    return ShardPlan(ORG, str(DAY), ZONE.key, tuple(tuple(conversation(n) for n in batch) for batch in batches), {})


def submit(source: Counter, plan: ShardPlan, memory: Memory, now: datetime = NOW) -> SubmittedShard:
    """Submit, and hand the result through XCom's JSON."""
    shard = submit_shard(source, plan, memory, output_format="WAV", now=now)
    assert shard == SubmittedShard.from_json(json.loads(json.dumps(shard.to_json())))
    return shard


def test_every_batch_is_a_job() -> None:
    """Each batch is submitted once, in its format, and every conversation is in exactly one job."""
    source = Counter()
    shard = submit(source, plan_of((1, 2), (3,)), Memory())
    assert [((conversation(1), conversation(2)), "WAV"), ((conversation(3),), "WAV")] == source.batches
    assert ["job-1", "job-2"] == [job.job_id for job in shard.jobs]


def test_retry_finds_the_jobs_of_the_try_before() -> None:
    """A try that failed in its second batch is continued there; the first batch is not submitted again."""
    memory, plan = Memory(), plan_of((1,), (2,))
    with pytest.raises(SourceUnavailable):
        submit(Counter(fails_at=1), plan, memory)
    retry = Counter()
    shard = submit(retry, plan, memory, NOW + timedelta(minutes=10))
    assert [(conversation(2),)] == [batch for batch, _ in retry.batches]
    assert ((conversation(1),), (conversation(2),)) == tuple(job.conversation_ids for job in shard.jobs)


@pytest.mark.parametrize(
    ("age", "again"),
    [(REUSE_FOR - timedelta(seconds=1), 0), (REUSE_FOR, 1), (timedelta(days=2), 1)],
    ids=["young", "just-too-old", "old"],
)
def test_old_jobs_are_not_used_again(age: timedelta, again: int) -> None:
    """A job whose URLs are about to expire is submitted anew."""
    memory, plan, source = Memory(), plan_of((1,)), Counter()
    submit(Counter(), plan, memory)
    submit(source, plan, memory, NOW + age)
    assert again == len(source.batches)


def test_job_of_another_batch_is_not_used() -> None:
    """A day that was planned anew asks for what is planned now, whatever stood under the same number before."""
    memory, source = Memory(), Counter()
    submit(Counter(), plan_of((1, 2)), memory)
    shard = submit(source, plan_of((2, 3)), memory)
    assert (conversation(2), conversation(3)) == shard.jobs[0].conversation_ids


def test_refused_conversations_are_remembered_too() -> None:
    """A conversation that the source refuses is named, also by the retry, and is in no job."""
    memory, plan = Memory(), plan_of((1, 2), (3,))
    refuses = (conversation(2), conversation(3))
    first = submit(Counter(refuses), plan, memory)
    source = Counter()
    assert first == submit(source, plan, memory)
    assert refuses == first.refused
    assert ((conversation(1),),) == tuple(job.conversation_ids for job in first.jobs)
    assert [] == source.batches


@pytest.mark.parametrize("rubbish", [None, "x", 7, [], {"jobs": []}])
def test_rubbish_in_the_memory_is_no_job(rubbish: object) -> None:
    """What this version did not write is not read."""
    memory, source = Memory({"batch-0": rubbish}), Counter()
    submit(source, plan_of((1,)), memory)
    assert 1 == len(source.batches)
