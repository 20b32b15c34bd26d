"""A job that never finishes: how few conversations it may hold in the end, and what finding them costs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.errors import NotAuthorised, RecordingGone, SourceUnavailable
from include.genesys.batch_submission import BatchSubmitted, Refusal, SubmittedBatch
from include.genesys.models import BatchStatus, RecordingResult
from include.transfer.day import commit_day, reconcile_day
from include.transfer.halving import JOBS_MAX, ROUNDS_MAX, Wait, in_smaller_jobs
from include.transfer.submit import SubmittedJob, SubmittedShard
from tests.story.desk import conversation
from tests.story.night import DAY, Memory, audio_in, audio_of, classes_in, classes_of, night

NOW = datetime(2026, 3, 3, 2, tzinfo=UTC)


@dataclass
class Poisoned:
    """A source whose jobs never finish while one of these conversations is in them.

    Until then such a job delivers the first ``delivers`` of the others, or an error in place of a status.
    """

    poison: frozenset[str]
    delivers: int = 0
    trouble: Exception | None = None
    jobs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    refuses: frozenset[str] = frozenset()

    def submit_batches(self, conversation_ids, output_format=None) -> BatchSubmitted:
        """Accept what is not refused, as one job."""
        assert output_format == "WAV"
        taken = tuple(one for one in conversation_ids if one not in self.refuses)
        refused = tuple(Refusal(one, 400, None) for one in conversation_ids if one in self.refuses)
        job_id = f"job-{len(self.jobs)}"
        self.jobs[job_id] = taken
        return BatchSubmitted((SubmittedBatch(job_id, taken),) if taken else (), refused)

    def batch_status(self, job_id: str) -> BatchStatus:
        """Return the job: finished, or stuck with what it has."""
        if self.trouble is not None:
            raise self.trouble
        ids = self.jobs[job_id]
        healthy = [one for one in ids if one not in self.poison]
        done = len(healthy) == len(ids)
        named = tuple(RecordingResult(one, one, None, None) for one in (healthy if done else healthy[: self.delivers]))
        return BatchStatus(job_id, done, len(ids), len(named), 0, named)

    def event(self, waiting) -> dict[str, object]:
        """Return what the trigger would say at the deadline."""
        done = [one for one in waiting if self.poison.isdisjoint(self.jobs[one])]
        return {"finished": done, "unfinished": [one for one in waiting if one not in done], "gone": [], "polls": 1}


def begun(source: Poisoned, ids) -> Wait:
    """Submit the shard's only batch and return the first round."""
    (job,) = source.submit_batches(tuple(ids), "WAV").jobs
    shard = SubmittedShard("plan", (SubmittedJob(job.job_id, job.conversation_ids),), (), "WAV")
    return Wait(shard, (job.job_id,), 0.0)


def smaller(source: Poisoned, wait: Wait, memory: Memory | None = None) -> Wait | None:
    """Ask again for what is stuck."""
    memory = Memory() if memory is None else memory
    return in_smaller_jobs(source, wait, memory, now=NOW, deadline=1.0)


def settled(source: Poisoned, ids) -> Wait:
    """Run all rounds; each goes through the JSON that Airflow stores."""
    wait = begun(source, ids)
    while True:
        over = Wait.from_json(wait.to_json()).over(source.event(wait.waiting))
        following = smaller(source, over)
        if following is None:
            return over
        wait = following


def held(wait: Wait) -> set[str]:
    """Return the conversations whose job did not finish."""
    return {one for job in wait.shard.jobs if job.job_id in wait.unfinished for one in job.conversation_ids}


NUMBERS = [conversation(number) for number in range(100)]


@pytest.mark.parametrize("place", [0, 1, 49, 50, 98, 99])
@pytest.mark.parametrize("delivers", [0, 40, 99])
def test_one_conversation_holds_only_itself(place, delivers):
    """Wherever it is, and whatever else the job delivers: in the end it is alone, after a bounded number of jobs."""
    source = Poisoned(frozenset({NUMBERS[place]}), delivers)
    wait = settled(source, NUMBERS)
    assert {NUMBERS[place]} == held(wait)
    assert wait.number <= ROUNDS_MAX
    assert len(source.jobs) <= 1 + 3 * ROUNDS_MAX


def test_what_came_beside_the_suspect_takes_one_round():
    """A job that delivers all but one: that one alone and the others together, and the others finish."""
    source = Poisoned(frozenset({NUMBERS[7]}), delivers=99)
    wait = settled(source, NUMBERS)
    assert ({NUMBERS[7]}, 1, 3) == (held(wait), wait.number, len(source.jobs))


@settings(max_examples=60, deadline=None)
@given(st.sets(st.sampled_from(NUMBERS), max_size=4), st.integers(1, 100), st.integers(0, 100))
def test_only_the_poisoned_are_held(poison, count, delivers):
    """Up to four of them hold nobody else, and every conversation is in exactly one job of the end."""
    ids = NUMBERS[:count]
    source = Poisoned(frozenset(poison), delivers)
    wait = settled(source, ids)
    assert poison & set(ids) == held(wait)
    assert sorted(ids) == sorted(one for job in wait.shard.jobs for one in job.conversation_ids)


def test_source_that_finishes_nothing_is_not_asked_for_ever():
    """When every job sticks it is the source: after two rounds nothing more is submitted."""
    source = Poisoned(frozenset(NUMBERS))
    wait = settled(source, NUMBERS)
    assert set(NUMBERS) == held(wait)
    assert len(source.jobs) <= 1 + JOBS_MAX


def test_round_that_a_retry_repeats_submits_nothing_twice():
    """What a worker submitted before it died is found again."""
    source, memory = Poisoned(frozenset(NUMBERS[:1])), Memory()
    over = (wait := begun(source, NUMBERS)).over(source.event(wait.waiting))
    assert smaller(source, over, memory) == smaller(source, over, memory)
    assert 3 == len(source.jobs)


def test_job_that_finished_meanwhile_is_left_alone():
    """Between the last poll and the question it may have come to its end."""
    source = Poisoned(frozenset())
    wait = begun(source, NUMBERS)
    over = wait.over({"finished": [], "unfinished": list(wait.waiting), "gone": [], "polls": 1})
    assert smaller(source, over) is None


def stuck_with_everything(count: int) -> tuple[Poisoned, Wait]:
    """Return a round at whose end so many jobs of two have delivered both and do not finish."""
    source = Poisoned(frozenset())
    jobs = [SubmittedJob(f"job-{number}", (NUMBERS[2 * number], NUMBERS[2 * number + 1])) for number in range(count)]
    source.jobs |= {job.job_id: job.conversation_ids for job in jobs}

    def everything(job_id: str) -> tuple[RecordingResult, ...]:
        return tuple(RecordingResult(one, one, None, None) for one in source.jobs[job_id])

    source.batch_status = lambda job_id: BatchStatus(
        job_id, completed=False, expected_count=9, result_count=2, error_count=0, results=everything(job_id)
    )
    waiting = tuple(job.job_id for job in jobs)
    wait = Wait(SubmittedShard("plan", tuple(jobs), (), "WAV"), waiting, 0.0, moved=True)
    return source, replace(wait, waiting=(), unfinished=waiting)


def test_job_that_delivered_everything_and_does_not_end_is_halved():
    """Nobody is a suspect, so everybody is."""
    source, over = stuck_with_everything(1)
    assert [(NUMBERS[0],), (NUMBERS[1],)] == [job.conversation_ids for job in smaller(source, over).shard.jobs]


def test_round_is_bounded():
    """Of twenty stuck jobs as many are split as the bound allows; the others wait for the next run."""
    source, over = stuck_with_everything(20)
    following = smaller(source, over)
    assert (JOBS_MAX, 20 - JOBS_MAX // 2) == (len(following.waiting), len(following.unfinished))


@pytest.mark.parametrize(
    "trouble", [SourceUnavailable("later"), NotAuthorised("no", status=401), RecordingGone("no such job", status=404)]
)
def test_source_that_does_not_answer_costs_the_halves_only(trouble):
    """The shard goes on with what has finished, and the rest stays pending."""
    source = Poisoned(frozenset(NUMBERS[:1]))
    over = (wait := begun(source, NUMBERS)).over(source.event(wait.waiting))
    source.trouble = trouble
    assert smaller(source, over) is None


def test_refused_conversation_is_handed_on():
    """What the source refuses in a half is among the refused of the shard."""
    source = Poisoned(frozenset(NUMBERS[:1]))
    over = (wait := begun(source, NUMBERS)).over(source.event(wait.waiting))
    source.refuses = frozenset({NUMBERS[99]})
    assert (NUMBERS[99],) == smaller(source, over).shard.refused


def test_stuck_day_of_the_sandbox_keeps_one_conversation_pending(lake, tmp_path):
    """Through the whole story: everything else is archived, and the one that holds its job is named."""
    with night(lake, tmp_path, scenario="stuck", conversations=40) as it:
        planned = it.plan()
        shard = it.shard(planned)
        over = it.wait_in_halves(it.submit(shard))
        it.archive(shard, over.shard, frozenset(over.unfinished))
        commit_day(lake, it.box.org_id, DAY, [planned.plan_key])
        state, _ = reconcile_day(lake, it.box.org_id, DAY, [planned.plan_key])
        assert classes_of(it.box) == classes_in(state)
        assert audio_of(it.box) == audio_in(lake)
        assert {"pending": 1, "archived": len(state.items) - 1} == state.summary()["conversations"]
