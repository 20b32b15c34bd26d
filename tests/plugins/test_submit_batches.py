"""The task that submits batches: nobody who was erased is asked for, and a source that has enough is awaited."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from airflow.sdk.exceptions import TaskDeferred

from genesys_archive.operators.submit_batches import SubmitBatchesOperator
from include.errors import RateLimited
from tests.story.night import Memory, clean
from tests.story.one_recording import one_of
from tests.story.test_erased_elsewhere import erased_before


def test_nobody_is_asked_for_who_was_erased_on_another_day(lake, connect, connect_lake, tmp_path):
    """The plan is older than the erasure; the other three are asked for."""
    with clean(lake, tmp_path, conversations=4) as tonight:
        connect(tonight.box)
        connect_lake(lake, zone="Europe/Berlin")
        (shard,) = tonight.plan().shards
        one, _ = one_of(tonight)
        erased_before(lake, tonight.box.org_id, one)
        task = SubmitBatchesOperator(task_id="submit_batches", shard={"plan_key": shard.plan_key})
        (job,) = task.execute({"task_state_store": Memory()})["jobs"]
    assert (3, False) == (len(job["conversation_ids"]), one in job["conversation_ids"])


@pytest.fixture
def busy(lake, connect, connect_lake, tmp_path, monkeypatch):
    """Return a night whose source takes one batch of two, and asks for 400 s of patience before the other."""
    faults = ("api-429-storm:1,match=batchrequests,skip=1,seconds=400",)
    with clean(lake, tmp_path, conversations=4, faults=faults) as tonight:
        connect(tonight.box)
        connect_lake(lake, zone="Europe/Berlin")
        monkeypatch.setenv("RECORDING_ARCHIVE_BATCH_ITEMS", "2")
        tonight.settings = replace(tonight.settings, batch_items=2)
        (shard,) = tonight.plan(shards_max=1).shards
        yield tonight, SubmitBatchesOperator(task_id="submit_batches", shard={"plan_key": shard.plan_key})


def submissions(tonight):
    """Return the statuses with which batches were answered."""
    return [call.status for call in tonight.box.journal if call.line == "POST /api/v2/recording/batchrequests"]


@pytest.mark.parametrize("arguments_are_lost", [False, True])
def test_source_that_takes_no_more_for_now_is_awaited(busy, monkeypatch, tmp_path, arguments_are_lost):
    """B4: as long as it says, without a worker and without a try; what it took before is not sent again."""
    tonight, task = busy
    context = {"task_state_store": Memory()}
    with pytest.raises(TaskDeferred) as caught:
        task.execute(context)
    moment = caught.value.trigger.moment
    assert 390 < (moment - datetime.now(UTC)).total_seconds() < 402
    assert "resume" == caught.value.method_name
    # Another worker, since this one's allowance would wait too: this is no test of that.
    monkeypatch.setenv("RECORDING_ARCHIVE_STATE_DIR", str(tmp_path / "another"))
    submitted = task.resume(context, None, **({} if arguments_are_lost else caught.value.kwargs))
    assert [2, 2] == [len(job["conversation_ids"]) for job in submitted["jobs"]]
    assert [200, 429, 200] == submissions(tonight)


def test_wait_beyond_the_deadline_is_a_failed_try(busy):
    """B4: Airflow's own retry has the word then, with the same delay."""
    tonight, task = busy
    with pytest.raises(RateLimited) as caught:
        task.resume({"task_state_store": Memory()}, None, time.time() + 399)
    assert 400 == caught.value.retry_after_seconds
    assert [200, 429] == submissions(tonight)
