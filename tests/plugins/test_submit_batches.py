"""The task that submits batches: whoever was erased since the plan, on whichever day, is not asked for."""

from __future__ import annotations

from genesys_archive.operators.submit_batches import SubmitBatchesOperator
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
